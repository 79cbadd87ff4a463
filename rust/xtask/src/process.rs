//! Running other programs, and where the project's folders are.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Why a verb stopped.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    #[error("{0}")]
    Told(String),
    #[error("{program} cannot be started: {source}")]
    NotStarted { program: String, source: std::io::Error },
    #[error("{program} ended with {status}")]
    Failed { program: String, status: std::process::ExitStatus },
    #[error("{path}: {source}")]
    File { path: String, source: std::io::Error },
}

pub type Result<T = ()> = std::result::Result<T, Stop>;

/// A reason in words.
pub fn told<T>(why: impl Into<String>) -> Result<T> {
    Err(Stop::Told(why.into()))
}

/// The project's folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).map(Path::to_path_buf).unwrap_or_default()
}

/// Cargo's target folder.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |t| root().join(t))
}

/// A command in the project's folder.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root()).stdin(Stdio::null());
    command
}

/// Runs it, its output on our own.
pub fn run(command: &mut Command) -> Result {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.status().map_err(|source| Stop::NotStarted { program: program.clone(), source })?;
    if status.success() {
        Ok(())
    } else {
        Err(Stop::Failed { program, status })
    }
}

/// Runs it and shows its output only where it fails.
pub fn run_quietly(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .map_err(|source| Stop::NotStarted { program: program.clone(), source })?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    eprint!("{text}{}", String::from_utf8_lossy(&output.stderr));
    Err(Stop::Failed { program, status: output.status })
}

/// The program's full path, where PATH has it.
pub fn found(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let names = if cfg!(windows) {
        vec![format!("{program}.exe"), format!("{program}.cmd")]
    } else {
        vec![program.to_string()]
    };
    std::env::split_paths(&path)
        .flat_map(|folder| names.iter().map(move |name| folder.join(name)))
        .find(|file| file.is_file())
}

/// Installs Debian packages where that is allowed, and says so. False where it is not.
pub fn install_debian(packages: &[&str], why: &str) -> bool {
    if !cfg!(unix) || found("apt-get").is_none() || !is_root() {
        return false;
    }
    println!("xtask: installing {} with apt-get, for {why}", packages.join(" "));
    let install = || {
        run_quietly(
            command("apt-get")
                .args(["install", "-y", "--no-install-recommends"])
                .args(packages)
                .env("DEBIAN_FRONTEND", "noninteractive"),
        )
    };
    install().is_ok() || (run_quietly(command("apt-get").arg("update")).is_ok() && install().is_ok())
}

#[cfg(unix)]
fn is_root() -> bool {
    // SAFETY: the call has no arguments and cannot fail.
    unsafe { libc::geteuid() == 0 }
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}

/// Copies a file, making its folder.
pub fn copy(from: &Path, to: &Path) -> Result {
    let wrong = |path: &Path| {
        let path = path.display().to_string();
        move |source| Stop::File { path, source }
    };
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).map_err(wrong(folder))?;
    }
    // A new file beside the old one, then a rename: a library that is mapped by a running shell stays whole.
    let fresh = to.with_extension("new");
    std::fs::copy(from, &fresh).map_err(wrong(from))?;
    std::fs::rename(&fresh, to).map_err(wrong(to))
}

/// The files of a folder with one extension, sorted.
pub fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut out = Vec::new();
    let mut waiting = vec![folder.to_path_buf()];
    while let Some(at) = waiting.pop() {
        for entry in std::fs::read_dir(&at).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|e| e == extension) {
                out.push(path);
            }
        }
    }
    out.sort();
    out
}
