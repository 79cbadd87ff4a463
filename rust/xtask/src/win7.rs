//! Building for the Windows Servers under Lync: a target whose standard library calls nothing newer than NT 6.1, built
//! from source, linked by mingw-w64.
//!
//! The plain Windows target of today's compilers imports names that Server 2008 R2 does not have. Where the source of the
//! standard library comes from, in this order: the toolchain in use, rustup, Debian's own compiler.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::artifact::Artifacts;
use crate::process::{command, found, install_debian, root, run, run_quietly, target, Result};

pub const TARGET: &str = "x86_64-win7-windows-gnu";
const LINKER: &str = "x86_64-w64-mingw32-gcc";
const LIBRARY_SOURCE: &str = "lib/rustlib/src/rust/library/std/Cargo.toml";

/// Our own crates. What is only tried is built without optimising them: it runs for seconds, and they are most of the build.
const OURS: [&str; 5] = ["pchat-core", "pchat-ffi", "pchat-lab", "lab-tsql", "tds-server"];

/// A compiler with the source of its standard library.
pub struct Toolchain {
    cargo: PathBuf,
    /// Debian's own, where rustup's toolchain has no source.
    rustc: Option<PathBuf>,
    sysroot: PathBuf,
    /// What a reader of a release should know about it.
    pub version: String,
}

/// What a package is built with, installed where that is allowed; else the reason in a few words.
pub fn toolchain() -> std::result::Result<Toolchain, String> {
    let why = match own_toolchain() {
        Ok(own) => return Ok(own),
        Err(why) => why,
    };
    if found(LINKER).is_none() {
        return Err(why);
    }
    if !Path::new("/usr/lib/rustlib/src").exists() && !Path::new("/usr/bin/rustup").exists() {
        install_debian(&["rustc-web", "cargo-web", "rust-web-src"], "the source of the standard library");
    }
    with_source("/usr/bin/cargo".into(), Some("/usr/bin/rustc".into())).ok_or(why)
}

/// The toolchain in use with the source of its standard library and what that depends on; else the reason in a few words.
pub fn own_toolchain() -> std::result::Result<Toolchain, String> {
    if found(LINKER).is_none() {
        install_debian(&["gcc-mingw-w64-x86-64-win32"], "linking for Windows");
    }
    if found(LINKER).is_none() {
        return Err(format!("{LINKER} is not here (Debian: gcc-mingw-w64-x86-64-win32)"));
    }
    let own = with_source("cargo".into(), None);
    let own = own.or_else(|| {
        found("rustup")?;
        println!("xtask: adding the source of the standard library with rustup");
        run_quietly(command("timeout").args(["180", "rustup", "component", "add", "rust-src"])).ok()?;
        with_source("cargo".into(), None)
    });
    let own = own.ok_or(
        "the source of Rust's standard library is not here (rustup component add rust-src; Debian: rust-web-src)",
    )?;
    let mut fetch = command(&own.cargo);
    fetch.args(["fetch", "--quiet", "--locked", "-Zbuild-std=std,panic_unwind"]).env("RUSTC_BOOTSTRAP", "1");
    run_quietly(&mut fetch)
        .map_err(|_| "what Rust's standard library depends on cannot be fetched here".to_string())?;
    Ok(own)
}

fn with_source(cargo: PathBuf, rustc: Option<PathBuf>) -> Option<Toolchain> {
    let compiler = rustc.clone().unwrap_or_else(|| "rustc".into());
    let sysroot = run_quietly(command(&compiler).args(["--print", "sysroot"])).ok()?;
    let sysroot = PathBuf::from(sysroot.trim());
    let version = run_quietly(command(&compiler).arg("--version")).ok()?.trim().to_string();
    sysroot.join(LIBRARY_SOURCE).is_file().then_some(Toolchain { cargo, rustc, sysroot, version })
}

/// Folders of this machine that no file may name.
pub fn build_folders(toolchain: &Toolchain) -> Vec<String> {
    let mut folders = vec![root(), toolchain.sysroot.clone(), cargo_home()];
    folders.extend(std::env::var_os("HOME").map(PathBuf::from));
    folders.retain(|folder| folder.components().count() > 1);
    let mut texts: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
    texts.dedup();
    texts
}

pub fn cargo_home() -> PathBuf {
    let own = std::env::var_os("CARGO_HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".cargo"));
    own.or_else(home).unwrap_or_default()
}

/// Flags of a build whose bytes do not tell where it was made: paths by name, no time in the header.
pub fn remapped(toolchain_root: &Path) -> Vec<String> {
    [(cargo_home(), "/cargo"), (toolchain_root.to_path_buf(), "/rust"), (root(), "/src")]
        .into_iter()
        .map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display()))
        .collect()
}

impl Toolchain {
    /// A cargo command for the target. Its folder is its own: the switch that lets a stable compiler build the standard
    /// library would make every other build in the same folder start anew.
    pub fn cargo(&self, verb: &str, profile: &str) -> Command {
        let mut flags = remapped(&self.sysroot);
        flags.push("-Clink-arg=-Wl,--no-insert-timestamp".to_string());
        let mut cargo = command(&self.cargo);
        if profile == "drill" {
            cargo.args(
                OURS.iter().flat_map(|package| {
                    ["--config".to_string(), format!("profile.drill.package.{package}.opt-level=0")]
                }),
            );
            cargo.args(["--config", "profile.drill.incremental=false"]);
        }
        cargo.args([
            verb,
            "--quiet",
            "--locked",
            "--profile",
            profile,
            "-Zbuild-std=std,panic_unwind",
            "--target",
            TARGET,
        ]);
        cargo.arg("--target-dir").arg(folder());
        cargo.env("RUSTC_BOOTSTRAP", "1").env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}")).env_remove("RUSTFLAGS");
        // Crates that bring C do not know the target's name.
        cargo.env("CC_x86_64_win7_windows_gnu", LINKER).env("AR_x86_64_win7_windows_gnu", "x86_64-w64-mingw32-ar");
        cargo.env("CFLAGS_x86_64_win7_windows_gnu", format!("-ffile-prefix-map={}=/cargo", cargo_home().display()));
        if let Some(rustc) = &self.rustc {
            cargo.env("RUSTC", rustc);
        }
        cargo
    }

    /// Builds packages and says where their files are.
    pub fn build(&self, profile: &str, packages: &[&str], features: &[&str]) -> Result<Artifacts> {
        let mut cargo = self.cargo("build", profile);
        cargo.args(packages.iter().flat_map(|package| ["-p", package]));
        if !features.is_empty() {
            cargo.arg("--features").arg(features.join(","));
        }
        run(&mut cargo)?;
        let out = folder().join(TARGET).join(profile);
        Ok(Artifacts {
            library: out.join("pchat.dll"),
            lab: out.join("pchat-lab.exe"),
            host: out.join("pchat-host.exe"),
        })
    }
}

/// Where its files are built.
pub fn folder() -> PathBuf {
    target().join("win7")
}
