//! The package as its users meet it: the zip unpacked into an empty folder of modules, the module imported by name in a
//! fresh shell, the drill run from it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use zip::ZipArchive;

use super::{assemble, native, Platform};
use crate::artifact::{platform, Artifacts};
use crate::managed;
use crate::process::{command, found, root, run_quietly, told, Result, Stop};
use crate::wine::windows_path;

const SCRIPT: &str = "tests/package/Invoke-Unpacked.ps1";

/// The last line of a try that came to its end: a shell without a console says nothing and ends with 0.
const WHOLE: &str = "package: tried to the end";

/// Packs what the tests use and tries it; says so in one line where there is no PowerShell.
pub fn test(artifacts: &Artifacts) -> Result {
    let Some(shell) = found("pwsh").or_else(|| found("powershell")) else {
        println!("package: not tried, there is no PowerShell on PATH");
        return Ok(());
    };
    let folder = artifacts.library.parent().unwrap_or(Path::new(""));
    let triple = if cfg!(windows) { "x86_64-pc-windows-msvc" } else { "x86_64-unknown-linux-gnu" };
    let mut try_it = command(shell);
    try_it.args(["-NoLogo", "-NoProfile", "-NonInteractive"]);
    if cfg!(windows) {
        try_it.args(["-ExecutionPolicy", "Bypass"]);
    }
    try_it.arg("-File").arg(root().join(SCRIPT)).arg("-Modules");
    unpacked(native(platform(), triple, folder, "the compiler of the tests".to_string()), try_it, Path::to_path_buf)
}

/// The same with the files for Windows, under wine. The drill's login alone is encrypted there: see the failover under wine.
pub fn test_under_wine(platform: Platform, shell: &Path) -> Result {
    let mut try_it = command(shell);
    try_it.arg("-File").arg(windows_path(&root().join(SCRIPT)));
    try_it.args(["-Encrypt", "Optional", "-Modules"]);
    unpacked(platform, try_it, |modules| windows_path(modules).into())
}

fn unpacked(platform: Platform, mut try_it: Command, seen: impl Fn(&Path) -> PathBuf) -> Result {
    managed::build()?;
    let place = tempfile::tempdir().map_err(|source| Stop::File { path: "a temporary folder".to_string(), source })?;
    let zip = assemble(&[platform], &place.path().join("package"))?;
    let modules = place.path().join("modules");
    unpack(&zip, &modules)?;
    // Not in the project's folder: nothing there may be found by chance.
    try_it.arg(seen(&modules)).current_dir(place.path()).env("NO_COLOR", "1");
    let said = run_quietly(&mut try_it)?;
    print!("{said}");
    if said.contains(WHOLE) {
        Ok(())
    } else {
        told("the try of the package ended before its last line")
    }
}

fn unpack(zip: &Path, to: &Path) -> Result {
    let file = File::open(zip).map_err(|source| Stop::File { path: zip.display().to_string(), source })?;
    let outcome = ZipArchive::new(file).and_then(|mut archive| archive.extract(to));
    outcome.or_else(|error| told(format!("{}: {error}", zip.display())))
}
