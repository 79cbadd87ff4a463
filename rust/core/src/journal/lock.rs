//! One process at a time works on a run. The lock lies beside the journal, in a file of its own: on Windows a locked file
//! cannot even be read, and everybody may read a journal.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;
use std::time::Duration;

/// A held lock; it goes with this value, and with the process however that ends.
#[derive(Debug)]
pub(super) struct RunLock {
    _file: File,
}

/// Why there is no lock.
#[derive(Debug)]
pub(super) enum LockError {
    /// Another process works on the run.
    Held,
    Io(io::Error),
}

fn open(folder: &Path, run_id: &str) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    super::folder::owner_only(&mut options);
    options.open(folder.join(format!("{run_id}.lock")))
}

/// Takes the lock of a run in a folder, or says who stands in the way.
pub(super) fn take(folder: &Path, run_id: &str) -> Result<RunLock, LockError> {
    let file = open(folder, run_id).map_err(LockError::Io)?;
    // A list of runs looks at the lock for a moment.
    for attempt in 0..4 {
        match file.try_lock() {
            Ok(()) => return Ok(RunLock { _file: file }),
            Err(TryLockError::WouldBlock) if attempt < 3 => std::thread::sleep(Duration::from_millis(40)),
            Err(TryLockError::WouldBlock) => break,
            Err(TryLockError::Error(error)) => return Err(LockError::Io(error)),
        }
    }
    Err(LockError::Held)
}

/// True while a process holds the lock. Nothing is created.
pub(super) fn is_held(folder: &Path, run_id: &str) -> bool {
    let Ok(file) = File::open(folder.join(format!("{run_id}.lock"))) else { return false };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}
