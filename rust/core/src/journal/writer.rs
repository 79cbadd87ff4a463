//! Writing a run's journal, and taking an earlier one over.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::Utc;
use serde::Serialize;

use super::lock::{self, LockError, RunLock};
use super::reader::{read_file, ReadChain, Tail};
use super::record::{encode, time_text, Beginning, Entry, Record, RunHead};
use super::second::{settle, Line, SecondCopy};
use super::{crash_points, folder, is_run_id};
use crate::error::{Error, ErrorKind, Result};

/// How long opening waits for the second folder.
const SECOND_WAIT: Duration = Duration::from_secs(10);

/// An open journal. One process at a time has it; it is closed by dropping it.
pub struct Journal {
    run_id: String,
    path: PathBuf,
    inner: Mutex<Inner>,
}

struct Inner {
    file: File,
    second: Option<SecondCopy>,
    last_hash: String,
    next_sequence: u64,
    /// Set by a failed write: what the file holds is not known, so nothing more is written by this process.
    failed: Option<String>,
    warnings: Vec<String>,
    _locks: Vec<RunLock>,
}

impl Inner {
    /// Hands a line on to the second copy.
    fn copy(&mut self, line: Line) {
        if let Some(warning) = self.second.as_mut().and_then(|second| second.append(line)) {
            self.warnings.push(warning);
        }
    }
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("run_id", &self.run_id).field("path", &self.path).finish_non_exhaustive()
    }
}

impl Journal {
    /// Begins the journal of a new run: creates folder and file, takes the run's lock and writes the head.
    ///
    /// # Errors
    /// `JournalFolderInvalid` (7005), also where the first record cannot be written; `InvalidValue` (1002) for a run id not
    /// made here.
    pub fn create<P, C>(folder: &Path, copy: Option<&Path>, head: &RunHead<P, C>) -> Result<Journal>
    where
        P: Serialize,
        C: Serialize,
    {
        let run_id = head.run_id.clone();
        check_run_id(&run_id)?;
        let warnings: Vec<String> = folder::ensure(folder)?.into_iter().collect();
        let path = journal_path(folder, &run_id);
        if path.exists() {
            return Err(folder::unusable(folder, "a journal of this name exists"));
        }
        // There is no run to resume yet, so the folder is what is wrong.
        Journal::begun(folder, copy, head, path.clone(), warnings).map_err(|error| match error.kind {
            ErrorKind::JournalWriteFailed => {
                let _ = std::fs::remove_file(&path);
                folder::unusable(folder, error.message.trim_end_matches('.'))
            }
            _ => error,
        })
    }

    fn begun<P, C>(
        folder: &Path,
        copy: Option<&Path>,
        head: &RunHead<P, C>,
        path: PathBuf,
        mut warnings: Vec<String>,
    ) -> Result<Journal>
    where
        P: Serialize,
        C: Serialize,
    {
        let run_id = head.run_id.clone();
        let mut locks = vec![take_lock(folder, &run_id)?];
        let (file, _) = settle(&path, &run_id, &[]).map_err(|error| write_failed(&path, &error.to_string()))?;
        let second =
            copy.and_then(|copy| open_second(copy, &run_id, &path, 0, &mut locks, &mut warnings).unwrap_or_default());
        let inner =
            Inner { file, second, last_hash: run_id.clone(), next_sequence: 1, failed: None, warnings, _locks: locks };
        let journal = Journal { run_id, path, inner: Mutex::new(inner) };
        journal.begin(&Beginning::Begin(head))?;
        Ok(journal)
    }

    /// Takes an earlier run over from the longest valid chain that the folders hold. The first folder is brought up to
    /// date, then the second; a line that was cut off is dropped, and a copy that disagrees is kept beside under another
    /// name. `command` (`resume`, `undo`) goes into the journal with this process.
    ///
    /// # Errors
    /// `RunNotFound` (7002), `JournalDamaged` (7003) where no copy has a valid beginning, `RunEnded` (7004), `Locked`
    /// (5008) while another process works on it, `JournalFolderInvalid` (7005), `JournalWriteFailed` (7001).
    pub fn open_best(folder: &Path, copy: Option<&Path>, run_id: &str, command: &str) -> Result<(Journal, Vec<Entry>)> {
        check_run_id(run_id)?;
        let mut warnings = Vec::new();
        let path = journal_path(folder, run_id);
        // Looked at before anything is created, so that a wrong name leaves no trace.
        best_chain(folder, copy, run_id, &mut Vec::new())?;
        warnings.extend(folder::ensure(folder)?);
        let mut locks = vec![take_lock(folder, run_id)?];
        let best = best_chain(folder, copy, run_id, &mut warnings)?;
        refuse_ended(run_id, &best.entries)?;
        let failed = |error: io::Error| write_failed(&path, &error.to_string());
        let (mut file, there) = settle(&path, run_id, &best.valid).map_err(failed)?;
        file.write_all(&best.valid[there..]).and_then(|()| file.sync_all()).map_err(failed)?;
        let second = match copy {
            Some(copy) => open_second(copy, run_id, &path, best.valid.len() as u64, &mut locks, &mut warnings)?,
            None => None,
        };
        let inner = Inner {
            file,
            second,
            last_hash: best.last_hash,
            next_sequence: best.entries.len() as u64 + 1,
            failed: None,
            warnings,
            _locks: locks,
        };
        let journal = Journal { run_id: run_id.to_string(), path, inner: Mutex::new(inner) };
        journal.append(Record::Opened {
            command: command.to_string(),
            operator: folder::this_operator(),
            machine: folder::this_machine(),
            process_id: std::process::id(),
        })?;
        Ok((journal, best.entries))
    }

    /// The run's name.
    pub fn run_id(&self) -> &str {
        &self.run_id
    }

    /// The file in the first folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a record and flushes it, first copy first. Returns once the first copy is on disk; the second one is waited
    /// for within 5 s and only warns.
    ///
    /// # Errors
    /// `JournalWriteFailed` (7001): the change that the record announces must not be made. This journal then takes no
    /// further record.
    pub fn append(&self, record: Record) -> Result<()> {
        let mut inner = self.lock();
        if let Some(why) = &inner.failed {
            return Err(write_failed(&self.path, why));
        }
        let at_utc = time_text(Utc::now());
        let mut line = Vec::new();
        let hash = encode(&mut line, &inner.last_hash, inner.next_sequence, &at_utc, &record)
            .map_err(|error| write_failed(&self.path, &error.to_string()))?;
        drop(record);
        crash_points::reach("journal.append.before");
        write_line(&mut inner.file, &self.path, &line).map_err(|error| self.fail(&mut inner, &error))?;
        inner.last_hash = hash;
        inner.next_sequence += 1;
        crash_points::reach("journal.append.between");
        inner.copy(Line::Text(line));
        crash_points::reach("journal.append.after");
        Ok(())
    }

    /// The same for the first record, which goes straight into the file: it holds the plan and may be large.
    fn begin(&self, head: &impl Serialize) -> Result<()> {
        let mut inner = self.lock();
        let at_utc = time_text(Utc::now());
        let before = inner.last_hash.clone();
        crash_points::reach("journal.append.before");
        let written = write_first(&mut inner.file, &self.path, |out| encode(out, &before, 1, &at_utc, head));
        let (hash, length) = written.map_err(|error| self.fail(&mut inner, &error))?;
        inner.last_hash = hash;
        inner.next_sequence = 2;
        crash_points::reach("journal.append.between");
        inner.copy(Line::UpTo(length));
        crash_points::reach("journal.append.after");
        Ok(())
    }

    fn fail(&self, inner: &mut Inner, error: &io::Error) -> Error {
        inner.failed = Some(error.to_string());
        write_failed(&self.path, &error.to_string())
    }

    /// [`Journal::append`] for async code: the disk is waited for on a thread of its own. Once begun, the record is
    /// written even when the caller is dropped.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub async fn record(self: &Arc<Self>, record: Record) -> Result<()> {
        let journal = Arc::clone(self);
        match tokio::task::spawn_blocking(move || journal.append(record)).await {
            Ok(outcome) => outcome,
            Err(error) => Err(write_failed(&self.path, &error.to_string())),
        }
    }

    /// The warnings since the last call: folders open to others, a second copy that is behind, a chain that was cut.
    pub fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().warnings)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn write_line(file: &mut File, path: &Path, line: &[u8]) -> io::Result<()> {
    crash_points::fail("journal.append")?;
    if crash_points::is_due("journal.append.torn") {
        file.write_all(&line[..line.len() / 2])?;
        file.sync_all()?;
        std::process::abort();
    }
    file.write_all(line)?;
    file.sync_all()?;
    // A file that was deleted or moved away still takes lines, which nobody could ever read.
    std::fs::metadata(path).map(|_| ())
}

/// Writes the first line as it comes, and its folder's entry; gives what `encode` gave, and the line's length.
fn write_first(
    file: &mut File,
    path: &Path,
    encode: impl FnOnce(&mut dyn Write) -> io::Result<String>,
) -> io::Result<(String, u64)> {
    if crash_points::is_due("journal.append.torn") {
        let mut line = Vec::new();
        encode(&mut line)?;
        file.write_all(&line[..line.len() / 2])?;
        file.sync_all()?;
        std::process::abort();
    }
    crash_points::fail("journal.append")?;
    let mut out = BufWriter::with_capacity(64 * 1024, &*file);
    let hash = encode(&mut out)?;
    out.flush()?;
    drop(out);
    file.sync_all()?;
    path.parent().map_or(Ok(()), folder::sync)?;
    Ok((hash, std::fs::metadata(path)?.len()))
}

/// How a run ended for good, in words; `None` while it is open.
pub(super) fn how_it_ended(entries: &[Entry]) -> Option<String> {
    entries.iter().find_map(|entry| match &entry.record {
        Record::Ended { text, .. } => Some(format!("{text} ({})", entry.at_utc)),
        Record::Undone { text } => Some(format!("it was given up, {text} ({})", entry.at_utc)),
        _ => None,
    })
}

/// Refuses a run that has ended for good.
///
/// # Errors
/// `RunEnded` (7004).
pub(crate) fn refuse_ended(run_id: &str, entries: &[Entry]) -> Result<()> {
    let Some(text) = how_it_ended(entries) else { return Ok(()) };
    Err(Error::new(ErrorKind::RunEnded, format!("run {run_id} has ended: {text}"))
        .with_unchanged("Nothing was changed.")
        .with_next("There is nothing to resume or to give up; `Get-PChatRun` lists the runs that are open.")
        .with_target(run_id))
}

pub(super) fn journal_path(folder: &Path, run_id: &str) -> PathBuf {
    folder.join(format!("{run_id}.journal"))
}

pub(super) fn check_run_id(run_id: &str) -> Result<()> {
    if is_run_id(run_id) {
        return Ok(());
    }
    let shown = crate::names::shown(run_id);
    Err(Error::new(ErrorKind::InvalidValue, format!("`{shown}` is not the name of a run."))
        .with_next("`Get-PChatRun` lists the runs with their names.")
        .with_target(shown))
}

fn write_failed(path: &Path, why: &str) -> Error {
    Error::new(ErrorKind::JournalWriteFailed, format!("the journal `{}` cannot be written: {why}.", path.display()))
        .with_unchanged("The run stopped before its next change.")
        .with_next("Make the folder writable, then run `Resume-PChatRun`.")
        .with_target(path.display().to_string())
}

fn locked(folder: &Path, run_id: &str) -> Error {
    let holder =
        read_file(&journal_path(folder, run_id), run_id).ok().flatten().and_then(|chain| holder(&chain.entries));
    let who = holder.map_or("another process".to_string(), |holder| holder);
    Error::new(ErrorKind::Locked, format!("run {run_id} is being worked on by {who}."))
        .with_unchanged("Nothing was changed.")
        .with_next("Wait until it has ended, or end that process.")
        .with_target(run_id)
}

/// Who worked on a run last, as its records tell.
pub(super) fn holder(entries: &[Entry]) -> Option<String> {
    entries.iter().rev().find_map(|entry| match &entry.record {
        Record::Begin(head) => {
            Some(format!("{} on {}, process {}, since {}", head.operator, head.machine, head.process_id, entry.at_utc))
        }
        Record::Opened { operator, machine, process_id, .. } => {
            Some(format!("{operator} on {machine}, process {process_id}, since {}", entry.at_utc))
        }
        _ => None,
    })
}

fn take_lock(folder: &Path, run_id: &str) -> Result<RunLock> {
    lock::take(folder, run_id).map_err(|error| match error {
        LockError::Held => locked(folder, run_id),
        LockError::Io(error) => write_failed(&folder.join(format!("{run_id}.lock")), &error.to_string()),
    })
}

/// Does something that a dead share may hold up, on a thread of its own; gives up after a limit.
pub(super) fn within<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (send, receive) = channel();
    let thread = std::thread::Builder::new().name("journal-look".to_string());
    thread.spawn(move || send.send(work())).ok()?;
    receive.recv_timeout(SECOND_WAIT).ok()
}

fn open_second(
    copy: &Path,
    run_id: &str,
    first: &Path,
    length: u64,
    locks: &mut Vec<RunLock>,
    warnings: &mut Vec<String>,
) -> Result<Option<SecondCopy>> {
    let (folder, id) = (copy.to_path_buf(), run_id.to_string());
    let lock = within(move || {
        if !folder.exists() {
            folder::ensure(&folder).map_err(|error| LockError::Io(io::Error::other(error.message)))?;
        }
        lock::take(&folder, &id)
    });
    let mut warn = |why: String| {
        warnings.push(format!("The second copy of the journal in `{}` cannot be locked: {why}.", copy.display()));
    };
    match lock {
        Some(Ok(lock)) => locks.push(lock),
        Some(Err(LockError::Held)) => return Err(locked(copy, run_id)),
        Some(Err(LockError::Io(error))) => warn(error.to_string()),
        None => warn(format!("no answer within {} s", SECOND_WAIT.as_secs())),
    }
    match SecondCopy::start(journal_path(copy, run_id), run_id, first, length) {
        Ok(second) => Ok(Some(second)),
        Err(error) => {
            warn(error.to_string());
            Ok(None)
        }
    }
}

/// The longest valid chain of the two folders.
pub(super) fn best_chain(
    folder: &Path,
    copy: Option<&Path>,
    run_id: &str,
    warnings: &mut Vec<String>,
) -> Result<ReadChain> {
    let path = journal_path(folder, run_id);
    let first = match read_file(&path, run_id) {
        Ok(chain) => chain,
        Err(error) if copy.is_some() => {
            warnings.push(format!("The journal `{}` cannot be read: {error}.", path.display()));
            None
        }
        Err(error) => return Err(damaged(run_id, &path, &error.to_string())),
    };
    let second = copy.and_then(|copy| {
        let (path, id) = (journal_path(copy, run_id), run_id.to_string());
        match within(move || read_file(&path, &id)) {
            Some(Ok(chain)) => chain,
            Some(Err(error)) => {
                warnings
                    .push(format!("The second copy of the journal in `{}` cannot be read: {error}.", copy.display()));
                None
            }
            None => {
                warnings.push(format!(
                    "The second copy of the journal in `{}` gave no answer within {} s.",
                    copy.display(),
                    SECOND_WAIT.as_secs()
                ));
                None
            }
        }
    });
    for (chain, which) in [(&first, "first"), (&second, "second")] {
        if let Some(chain) = chain.as_ref().filter(|chain| chain.tail == Tail::Broken) {
            warnings.push(format!(
                "The {which} copy of the journal of run {run_id} is damaged behind record {}; the file is kept beside the new one.",
                chain.entries.len()
            ));
        }
    }
    let best = match (first, second) {
        (Some(first), Some(second)) => {
            let (long, short) = if second.valid.len() > first.valid.len() { (second, first) } else { (first, second) };
            if !long.valid.starts_with(&short.valid) {
                warnings.push(format!(
                    "The two copies of the journal of run {run_id} disagree; the longer one is followed."
                ));
            }
            Some(long)
        }
        (first, second) => first.or(second),
    };
    match best {
        Some(chain) if chain.head().is_some() => Ok(chain),
        Some(_) => Err(damaged(run_id, &path, "no copy of it has a valid first record")),
        None => Err(Error::new(ErrorKind::RunNotFound, format!("there is no run {run_id} in `{}`.", folder.display()))
            .with_next("`Get-PChatRun` lists the runs; `-JournalPath` names another folder.")
            .with_target(run_id)),
    }
}

fn damaged(run_id: &str, path: &Path, why: &str) -> Error {
    Error::new(ErrorKind::JournalDamaged, format!("the journal `{}` cannot be followed: {why}.", path.display()))
        .with_unchanged("Nothing was changed.")
        .with_next("Resume from the other copy with `-JournalPath`, or go on with the single commands.")
        .with_target(run_id)
}
