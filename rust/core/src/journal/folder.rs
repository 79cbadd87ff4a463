//! Where journals lie, and who may write there.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};

/// The machine-wide folder: `%ProgramData%\PersistentChatFailover\Runs`, elsewhere
/// `/var/lib/persistent-chat-failover/runs`. Only administrators can write there.
pub fn default_folder() -> PathBuf {
    if cfg!(windows) {
        let base = std::env::var_os("ProgramData").filter(|value| !value.is_empty());
        let base = base.map_or_else(|| PathBuf::from(r"C:\ProgramData"), PathBuf::from);
        base.join("PersistentChatFailover").join("Runs")
    } else {
        PathBuf::from("/var/lib/persistent-chat-failover/runs")
    }
}

/// The account that this process runs as: as the system knows it, else as the environment names it. For the record only,
/// never for a decision.
pub fn this_operator() -> String {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let named = || variable("USERNAME").or_else(|| variable("USER")).or_else(|| variable("LOGNAME"));
    let user = super::account::name().or_else(named).unwrap_or_else(|| "unknown".to_string());
    match variable("USERDOMAIN").filter(|_| cfg!(windows)) {
        Some(domain) => format!("{domain}\\{user}"),
        None => user,
    }
}

/// This machine's name. For the record only.
pub fn this_machine() -> String {
    let name = if cfg!(windows) {
        std::env::var("COMPUTERNAME").ok()
    } else {
        fs::read_to_string("/etc/hostname").ok().or_else(|| std::env::var("HOSTNAME").ok())
    };
    name.map(|name| name.trim().to_string()).filter(|name| !name.is_empty()).unwrap_or_else(|| "unknown".to_string())
}

/// Makes a new file readable for its owner alone, where rights are set file by file.
pub(super) fn owner_only(options: &mut OpenOptions) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _ = options;
}

/// The error for a folder in which no journal can be begun.
pub(super) fn unusable(folder: &Path, why: &str) -> Error {
    Error::new(
        ErrorKind::JournalFolderInvalid,
        format!("the journal folder `{}` cannot be used: {why}.", folder.display()),
    )
    .with_unchanged("Nothing was started.")
    .with_next("Run the shell as administrator, or give a folder that you can write to with `-JournalPath`.")
    .with_target(folder.display().to_string())
}

/// Creates the folder where it is missing, for its owner (on Windows also administrators and the system) alone.
/// Returns a warning about a folder that others can write to.
///
/// # Errors
/// `JournalFolderInvalid` (7005).
pub(super) fn ensure(folder: &Path) -> Result<Option<String>> {
    create(folder).map_err(|error| unusable(folder, &error.to_string()))?;
    let about = fs::metadata(folder).map_err(|error| unusable(folder, &error.to_string()))?;
    if !about.is_dir() {
        return Err(unusable(folder, "it is no folder"));
    }
    Ok(open_to_others(folder, &about))
}

/// Why nothing can be created in a folder that exists, as far as its rights tell. Nothing is written to find out; what is
/// not told by them shows when the journal is begun.
pub(crate) fn refusal(folder: &Path) -> Option<String> {
    use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
    let error = super::account::may_create_in(folder).err()?;
    matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem).then(|| error.to_string())
}

#[cfg(unix)]
fn create(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(windows)]
fn create(folder: &Path) -> io::Result<()> {
    let mut missing = Vec::new();
    let mut at = Some(folder);
    while let Some(path) = at.filter(|path| !path.as_os_str().is_empty() && !path.exists()) {
        missing.push(path);
        at = path.parent();
    }
    for path in missing.into_iter().rev() {
        match super::windows_folder::create_restricted(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            other => other?,
        }
    }
    Ok(())
}

#[cfg(not(any(unix, windows)))]
fn create(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(unix)]
fn open_to_others(folder: &Path, about: &fs::Metadata) -> Option<String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = about.permissions().mode();
    (mode & 0o022 != 0).then(|| {
        format!(
            "The journal folder `{}` can be written by others than its owner (mode {:o}).",
            folder.display(),
            mode & 0o7777
        )
    })
}

#[cfg(not(unix))]
fn open_to_others(_folder: &Path, _about: &fs::Metadata) -> Option<String> {
    None
}

/// Makes the entries of a folder durable. Windows keeps them with the file's own flush.
pub(super) fn sync(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        return fs::File::open(folder)?.sync_all();
    }
    Ok(())
}
