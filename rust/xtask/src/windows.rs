//! The crates must compile for Windows: no path, process or permission code that only works elsewhere.

use crate::artifact::Artifacts;
use crate::imports;
use crate::process::{command, found, install_debian, root, run, run_quietly, Result, Stop};
use crate::win7::{self, Toolchain};

const TARGET: &str = "x86_64-pc-windows-gnu";

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
    if found("x86_64-w64-mingw32-gcc").is_none() {
        install_debian(&["gcc-mingw-w64-x86-64-win32"], "the check for Windows");
    }
    if found("x86_64-w64-mingw32-gcc").is_none() {
        println!("windows: not checked, x86_64-w64-mingw32-gcc is not here (Debian: gcc-mingw-w64-x86-64-win32)");
        return Ok(());
    }
    run(command("cargo").args(["check", "--quiet", "--locked", "--workspace", "--all-targets", "--target", TARGET]))
}

/// The library exports the C ABI and nothing else, imports nothing newer than NT 6.1, and names no folder.
pub fn check_imports(artifacts: &Artifacts, toolchain: &Toolchain) -> Result {
    let header = root().join("rust/ffi/include/pchat.h");
    let text =
        std::fs::read_to_string(&header).map_err(|source| Stop::File { path: header.display().to_string(), source })?;
    let exports = imports::declared(&text);
    let folders = win7::build_folders(toolchain);
    let list = root().join("tests/gates/nt61-library.txt");
    let library = imports::check(&artifacts.library, &list, Some(&exports), &folders)?;
    println!("imports: pchat.dll: {library}; {} exports, those of the header", exports.len());
    Ok(())
}
