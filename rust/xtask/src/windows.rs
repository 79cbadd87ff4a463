//! What is built for Windows, and what of it can be tried without one: imports, exports, a failover under wine.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::artifact::Artifacts;
use crate::package::{self, Platform};
use crate::process::{command, copy, found, install_debian, root, run, run_quietly, told, Result, Stop};
use crate::win7::{self, Toolchain};
use crate::wine::{self, windows_path, Wine};
use crate::{imports, program_c, suite};

/// Today's Windows: all crates are checked for it, those of the tests and of this program too.
const PLAIN: &str = "x86_64-pc-windows-gnu";
const MINGW: &str = "x86_64-w64-mingw32-gcc";

/// What the files may import, a list each.
const LIBRARY_IMPORTS: &str = "tests/gates/nt61-library.txt";
const LAB_IMPORTS: &str = "tests/gates/nt61-lab.txt";

/// Checks the crates for Windows, builds library and lab for NT 6.1, and tries them. Installs what it needs where it may, and
/// says in one line what was left out where it could not.
pub fn test() -> Result {
    if cfg!(windows) {
        println!("windows: this is Windows; the crates were compiled already");
        return Ok(());
    }
    check()?;
    match win7::own_toolchain() {
        Ok(toolchain) => built(&toolchain),
        Err(why) => {
            println!("windows: not built for NT 6.1: {why}");
            Ok(())
        }
    }
}

/// No path, process or permission code that only works elsewhere.
fn check() -> Result {
    let installed = run_quietly(command("rustup").args(["target", "list", "--installed"])).unwrap_or_default();
    if !installed.lines().any(|line| line == PLAIN) {
        println!("xtask: adding the Rust target {PLAIN}");
        if run_quietly(command("rustup").args(["target", "add", PLAIN])).is_err() {
            println!("windows: not checked, the Rust target {PLAIN} cannot be added here");
            return Ok(());
        }
    }
    if found(MINGW).is_none() {
        install_debian(&["gcc-mingw-w64-x86-64-win32"], "the check for Windows");
    }
    if found(MINGW).is_none() {
        println!("windows: not checked, {MINGW} is not here (Debian: gcc-mingw-w64-x86-64-win32)");
        return Ok(());
    }
    run(command("cargo").args(["check", "--quiet", "--locked", "--workspace", "--all-targets", "--target", PLAIN]))
}

fn built(toolchain: &Toolchain) -> Result {
    println!("windows: {} with {}", win7::TARGET, toolchain.version);
    planted_import()?;
    let artifacts = toolchain.build("drill", &["pchat-ffi", "pchat-lab"], &["pchat-ffi/crash-points"])?;
    check_imports(&artifacts, toolchain)?;
    match wine::ready() {
        Ok(wine) => {
            failover_under_wine(&wine, &artifacts)?;
            tests_under_wine(&wine, toolchain)?;
        }
        Err(why) => println!("windows: not run: {why}"),
    }
    shell_under_wine(artifacts, toolchain)
}

/// The package with the files for Windows in a PowerShell for Windows, and the Pester suite in it. `PCHAT_WINE_PWSH` names a
/// program that starts one under wine, on a console, with the arguments that it is given.
fn shell_under_wine(artifacts: Artifacts, toolchain: &Toolchain) -> Result {
    let Some(shell) = std::env::var_os("PCHAT_WINE_PWSH").filter(|shell| !shell.is_empty()).map(PathBuf::from) else {
        println!("windows: module not tried under wine: PCHAT_WINE_PWSH names no PowerShell for Windows");
        return Ok(());
    };
    let folder = root().join("module/native/win-x64");
    for file in [&artifacts.library, &artifacts.lab] {
        copy(file, &folder.join(file.file_name().unwrap_or_default()))?;
    }
    let compiler = toolchain.version.clone();
    package::test_under_wine(Platform { folder: "win-x64", target: win7::TARGET, artifacts, compiler }, &shell)?;
    suite::pester_under_wine(&shell)
}

/// The check that every package goes through refuses a library that asks for a name of Windows 8.
fn planted_import() -> Result {
    let place = program_c::place()?;
    let library = place.path().join("planted.dll");
    let source = root().join("tests/gates/planted_import.c");
    run(command(MINGW).args(["-shared", "-O1", "-s", "-o"]).arg(&library).arg(source))?;
    match imports::check(&library, &root().join(LIBRARY_IMPORTS), None, &[]) {
        Err(why) if why.to_string().contains("GetSystemTimePreciseAsFileTime") => {
            println!("imports: a planted import of Windows 8 is refused");
            Ok(())
        }
        Err(why) => told(format!("the planted import was not what was refused: {why}")),
        Ok(_) => told("a library with a planted import of Windows 8 passed the check"),
    }
}

/// The library exports the C ABI and nothing else; library and lab import nothing newer than NT 6.1 and name no folder.
pub fn check_imports(artifacts: &Artifacts, toolchain: &Toolchain) -> Result {
    let header = root().join("rust/ffi/include/pchat.h");
    let text =
        std::fs::read_to_string(&header).map_err(|source| Stop::File { path: header.display().to_string(), source })?;
    let exports = imports::declared(&text);
    let folders = win7::build_folders(toolchain);
    let library = imports::check(&artifacts.library, &root().join(LIBRARY_IMPORTS), Some(&exports), &folders)?;
    println!("imports: pchat.dll: {library}; {} exports, those of the header", exports.len());
    let lab = imports::check(&artifacts.lab, &root().join(LAB_IMPORTS), None, &folders)?;
    println!("imports: pchat-lab.exe: {lab}");
    Ok(())
}

/// How often a way is begun under wine, whose sockets and SChannel are not Windows' own: one that fails each time is a fault.
const TRIES: u32 = 3;

/// What `timeout` ends with where the limit was reached: as asked, and by force.
const TIMED_OUT: [i32; 2] = [124, 137];

/// The C program against the library and the lab of Windows: a whole failover, a cancel, a planted fault.
///
/// The logins go over TLS. What follows them does not: of a TLS record that arrived in part, wine's `DecryptMessage` reports
/// the whole as missing where Windows reports the rest, so the client waits for bytes that never come. A way that takes
/// too long says something about wine and the machine alone, and is told.
fn failover_under_wine(wine: &Wine, artifacts: &Artifacts) -> Result {
    let program = program_c::compile(Path::new(MINGW), "failover.exe", &["-s", "-lws2_32"])?;
    for way in program_c::WAYS {
        let mut left = TRIES;
        loop {
            println!("wine: {way}");
            let place = program_c::place()?;
            let mut start = wine.command(&program);
            start.args([artifacts.library.as_path(), &artifacts.lab, place.path()].map(windows_path));
            left -= 1;
            match run(start.args([way, "Optional"])) {
                Ok(()) => break,
                Err(Stop::Failed { status, .. }) if status.code().is_some_and(|code| TIMED_OUT.contains(&code)) => {
                    println!("windows: `{way}` took too long under wine: not tried to its end, nor what follows it");
                    return Ok(());
                }
                Err(why) if left == 0 => return Err(why),
                Err(why) => println!("wine: {way}: {why}; once more"),
            }
        }
    }
    Ok(())
}

/// wine ends a connection in order where Windows and Linux reset it.
const RESETS: [&str; 2] = ["an_answer_can_end_in_the_middle", "connections_can_be_refused_or_left_without_an_answer"];

/// The Rust tests of the portable crates; among the core's what files are like on Windows: drives, shares, files that others
/// hold, reserved names, case, flushing.
fn tests_under_wine(wine: &Wine, toolchain: &Toolchain) -> Result {
    let tests = |packages: &[&str]| -> std::result::Result<Command, Stop> {
        let mut test = toolchain.cargo("test", "drill");
        test.args(packages);
        wine.environment(&mut test);
        test.env("PCHAT_TEST_SHARE", wine.share("tests").or_else(told)?);
        test.env("CARGO_TARGET_X86_64_WIN7_WINDOWS_GNU_RUNNER", wine.runner());
        Ok(test)
    };
    // One at a time: a program that is started by one test inherits what others hold open.
    let mut core = tests(&["-p", "pchat-core", "--lib", "--features", "pchat-core/crash-points"])?;
    run(core.args(["--", "--test-threads", "1"]))?;
    let mut lab = tests(&["-p", "lab-tsql", "-p", "tds-server", "--tests"])?;
    run(lab.arg("--").args(RESETS.iter().flat_map(|name| ["--skip", name])))
}
