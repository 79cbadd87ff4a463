//! Running Windows programs where there is no Windows: Debian's wine, with a prefix of its own below `target/`.
//!
//! It proves that a file loads and what it does with files, sockets and SChannel. It proves nothing about the exports of
//! an old Windows, since wine also has newer ones: that is what the import lists are for.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{command, found, install_debian, run_quietly, target};

/// A prefix that is ready; its programs are ended with it.
pub struct Wine {
    program: PathBuf,
    prefix: PathBuf,
}

/// Seconds that one program under wine may take.
const LIMIT_SECONDS: &str = "300";

/// Finds wine, installs it where that is allowed, makes the prefix; else the reason in a few words.
pub fn ready() -> Result<Wine, String> {
    if found("wine").is_none() {
        install_debian(&["wine64", "wine"], "running what is built for Windows");
    }
    let program = found("wine").ok_or("wine is not here (Debian: wine64 and wine)")?;
    let wine = Wine { program, prefix: target().join("wine") };
    if !wine.prefix.join("system.reg").is_file() {
        std::fs::create_dir_all(&wine.prefix).map_err(|e| format!("{}: {e}", wine.prefix.display()))?;
        run_quietly(wine.command("wineboot").arg("-i")).map_err(|e| format!("wine cannot make its prefix: {e}"))?;
        // The prefix is whole once its registry is on the disk.
        run_quietly(&mut wine.server("-w")).map_err(|e| format!("wine does not settle: {e}"))?;
    }
    let runs = wine.command("cmd").args(["/c", "exit 7"]).output();
    match runs.map(|output| output.status.code()) {
        Ok(Some(7)) => Ok(wine),
        _ => Err("wine runs no program here".to_string()),
    }
}

impl Wine {
    /// A Windows program, ended after a limit.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut start = command("timeout");
        start.args(["--kill-after=10", LIMIT_SECONDS]).arg(&self.program).arg(program);
        self.environment(&mut start);
        start
    }

    /// The value of cargo's `CARGO_TARGET_…_RUNNER`.
    pub fn runner(&self) -> String {
        format!("timeout --kill-after=10 {LIMIT_SECONDS} {}", self.program.display())
    }

    /// What a program needs that starts wine by itself.
    pub fn environment(&self, start: &mut Command) {
        start.env("WINEPREFIX", &self.prefix).env("WINEARCH", "win64").env("WINEDEBUG", "-all");
        start.env("WINEDLLOVERRIDES", "mscoree,mshtml=");
    }

    /// A folder that programs in this prefix reach as `\\pchat\NAME`.
    pub fn share(&self, name: &str) -> Result<String, String> {
        let folder = self.prefix.join("dosdevices/unc/pchat").join(name);
        std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        Ok(format!("\\\\pchat\\{name}"))
    }

    fn server(&self, flag: &str) -> Command {
        let mut server = command("timeout");
        server.args(["--kill-after=5", "60", "wineserver", flag]);
        self.environment(&mut server);
        // Debian keeps the server out of PATH.
        let path = std::env::var("PATH").unwrap_or_default();
        server.env("PATH", format!("{path}:/usr/lib/wine:/usr/lib/x86_64-linux-gnu/wine"));
        server
    }
}

impl Drop for Wine {
    fn drop(&mut self) {
        let _ = self.server("-k").status();
    }
}

/// A path of this machine as a Windows program under wine sees it.
pub fn windows_path(path: &Path) -> String {
    format!("Z:{}", path.display().to_string().replace('/', "\\"))
}
