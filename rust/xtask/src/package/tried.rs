//! The package as its users meet it: the zip unpacked into an empty folder of modules, the module imported by name in a
//! fresh shell, the drill run from it.

use std::fs::File;
use std::path::Path;

use zip::ZipArchive;

use super::{assemble, native};
use crate::artifact::{platform, Artifacts};
use crate::managed;
use crate::process::{command, found, root, run, told, Result, Stop};

/// Packs what the tests use and tries it; says so in one line where there is no PowerShell.
pub fn test(artifacts: &Artifacts) -> Result {
    let Some(shell) = found("pwsh").or_else(|| found("powershell")) else {
        println!("package: not tried, there is no PowerShell on PATH");
        return Ok(());
    };
    managed::build()?;
    let place = tempfile::tempdir().map_err(|source| Stop::File { path: "a temporary folder".to_string(), source })?;
    let folder = artifacts.library.parent().unwrap_or(Path::new(""));
    let triple = if cfg!(windows) { "x86_64-pc-windows-msvc" } else { "x86_64-unknown-linux-gnu" };
    let built = native(platform(), triple, folder, "the compiler of the tests".to_string());
    let zip = assemble(&[built], &place.path().join("package"))?;
    let modules = place.path().join("modules");
    unpack(&zip, &modules)?;
    let mut try_it = command(shell);
    try_it.args(["-NoLogo", "-NoProfile", "-NonInteractive"]);
    if cfg!(windows) {
        try_it.args(["-ExecutionPolicy", "Bypass"]);
    }
    // Not in the project's folder: nothing there may be found by chance.
    try_it.arg("-File").arg(root().join("tests/package/Invoke-Unpacked.ps1")).arg("-Modules").arg(&modules);
    run(try_it.current_dir(place.path()).env("NO_COLOR", "1"))
}

fn unpack(zip: &Path, to: &Path) -> Result {
    let file = File::open(zip).map_err(|source| Stop::File { path: zip.display().to_string(), source })?;
    let outcome = ZipArchive::new(file).and_then(|mut archive| archive.extract(to));
    outcome.or_else(|error| told(format!("{}: {error}", zip.display())))
}
