//! What is built: the library, the lab, the host of the tests, and the module that a shell imports.

use std::path::PathBuf;

use crate::managed;
use crate::process::{command, copy, root, run, target, Result};

/// The programs of a drill or a test.
pub struct Artifacts {
    pub library: PathBuf,
    pub lab: PathBuf,
    pub host: PathBuf,
}

/// The platform's folder in the module: `linux-x64` or `win-x64`.
pub fn platform() -> &'static str {
    if cfg!(windows) {
        "win-x64"
    } else {
        "linux-x64"
    }
}

/// Names of the library and of a program on this platform.
pub fn library_name() -> &'static str {
    if cfg!(windows) {
        "pchat.dll"
    } else {
        "libpchat.so"
    }
}

/// A program's file name on this platform.
pub fn program_name(name: &str) -> String {
    format!("{name}{}", std::env::consts::EXE_SUFFIX)
}

/// Builds library, lab and host: release code with the crash points that only tests and drills have.
pub fn build() -> Result<Artifacts> {
    run(command("cargo").args([
        "build",
        "--quiet",
        "--locked",
        "--profile",
        "drill",
        "-p",
        "pchat-ffi",
        "-p",
        "pchat-lab",
        "-p",
        "pchat-tests",
        "--features",
        "pchat-ffi/crash-points",
    ]))?;
    let folder = target().join("drill");
    Ok(Artifacts {
        library: folder.join(library_name()),
        lab: folder.join(program_name("pchat-lab")),
        host: folder.join(program_name("pchat-host")),
    })
}

/// Builds everything and lays the module out.
pub fn build_module() -> Result<Artifacts> {
    let built = build()?;
    lay_out(&built)?;
    Ok(built)
}

/// Builds the assembly and puts library and lab where it looks for them: `module/native/<platform>/`.
pub fn lay_out(built: &Artifacts) -> Result {
    let native = root().join("module/native").join(platform());
    copy(&built.library, &native.join(library_name()))?;
    copy(&built.lab, &native.join(program_name("pchat-lab")))?;
    managed::build()
}
