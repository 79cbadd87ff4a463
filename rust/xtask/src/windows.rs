//! The crates must compile for Windows: no path, process or permission code that only works elsewhere. And the check of what
//! a file for Windows imports must refuse what Server 2008 R2 does not have.

use crate::artifact::Artifacts;
use crate::imports;
use crate::process::{command, found, install_debian, root, run, run_quietly, told, Result, Stop};
use crate::program_c;
use crate::win7::{self, Toolchain};

const TARGET: &str = "x86_64-pc-windows-gnu";
const MINGW: &str = "x86_64-w64-mingw32-gcc";

/// What the library may import.
const LIBRARY_IMPORTS: &str = "tests/gates/nt61-library.txt";

/// Checks the crates for Windows; installs target and linker where it may, and says in one line where it could not.
pub fn test() -> Result {
    if cfg!(windows) {
        println!("windows: this is Windows; the crates were compiled already");
        return Ok(());
    }
    let installed = run_quietly(command("rustup").args(["target", "list", "--installed"])).unwrap_or_default();
    if !installed.lines().any(|line| line == TARGET) {
        println!("xtask: adding the Rust target {TARGET}");
        if run_quietly(command("rustup").args(["target", "add", TARGET])).is_err() {
            println!("windows: not checked, the Rust target {TARGET} cannot be added here");
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
    planted_import()?;
    run(command("cargo").args(["check", "--quiet", "--locked", "--workspace", "--all-targets", "--target", TARGET]))
}

/// The check that every package goes through refuses a library that asks for a name of Windows 8.
fn planted_import() -> Result {
    let place = program_c::place()?;
    let library = place.path().join("planted.dll");
    let source = root().join("tests/gates/planted_import.c");
    run(command(MINGW).args(["-shared", "-O1", "-s", "-o"]).arg(&library).arg(source))?;
    match imports::check(&library, &root().join(LIBRARY_IMPORTS), None, &[]) {
        Err(why) if why.to_string().contains("GetSystemTimePreciseAsFileTime") => {
            println!("windows: a planted import of Windows 8 is refused");
            Ok(())
        }
        Err(why) => told(format!("the planted import was not what was refused: {why}")),
        Ok(_) => told("a library with a planted import of Windows 8 passed the check"),
    }
}

/// The library exports the C ABI and nothing else, imports nothing newer than NT 6.1, and names no folder.
pub fn check_imports(artifacts: &Artifacts, toolchain: &Toolchain) -> Result {
    let header = root().join("rust/ffi/include/pchat.h");
    let text =
        std::fs::read_to_string(&header).map_err(|source| Stop::File { path: header.display().to_string(), source })?;
    let exports = imports::declared(&text);
    let folders = win7::build_folders(toolchain);
    let library = imports::check(&artifacts.library, &root().join(LIBRARY_IMPORTS), Some(&exports), &folders)?;
    println!("imports: pchat.dll: {library}; {} exports, those of the header", exports.len());
    Ok(())
}
