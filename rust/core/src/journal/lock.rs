//! One process at a time works on a run. The lock lies beside the journal, in a file of its own: on Windows a locked file
//! cannot even be read, and everybody may read a journal.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;
use std::time::Duration;

/// How often a lock that is taken is looked at. It may be taken for a moment only: by a list of runs, or on Unix by a
/// child of this process that has not yet become its program.
const LOOKS: u32 = 4;
const PAUSE: Duration = Duration::from_millis(40);

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
    for attempt in 0..LOOKS {
        match file.try_lock() {
            Ok(()) => return Ok(RunLock { _file: file }),
            Err(TryLockError::WouldBlock) if attempt + 1 < LOOKS => std::thread::sleep(PAUSE),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(LockError::Io(error)),
        }
    }
    Err(LockError::Held)
}

/// True while a process holds the lock. Nothing is created.
pub(super) fn is_held(folder: &Path, run_id: &str) -> bool {
    let Ok(file) = File::open(folder.join(format!("{run_id}.lock"))) else { return false };
    for attempt in 0..LOOKS {
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) if attempt + 1 < LOOKS => std::thread::sleep(PAUSE),
            Err(TryLockError::WouldBlock) => return true,
            _ => return false,
        }
    }
    true
}
