//! The second copy. It lies on a share that may be slow, dead or hung, so a thread of its own writes it and nobody waits
//! longer than a limit. Its failures warn; what could not be written is tried again with the next record.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{channel, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use super::folder;
use super::reader::{read_file, Tail};

/// How long a record waits for the second copy.
const WAIT: Duration = Duration::from_secs(5);

/// The handle that the journal keeps.
pub(super) struct SecondCopy {
    lines: Sender<Vec<u8>>,
    done: Receiver<io::Result<()>>,
    waiting: usize,
    path: PathBuf,
}

impl SecondCopy {
    /// Starts writing at `path`, which is first made equal to `content`.
    pub fn start(path: PathBuf, run_id: &str, content: Vec<u8>) -> io::Result<SecondCopy> {
        let (lines, todo) = channel::<Vec<u8>>();
        let (report, done) = channel();
        let mut worker =
            Worker { path: path.clone(), run_id: run_id.to_string(), state: State::New, content, written: 0 };
        std::thread::Builder::new().name("journal-copy".to_string()).spawn(move || {
            while let Ok(line) = todo.recv() {
                worker.content.extend_from_slice(&line);
                if report.send(worker.write()).is_err() {
                    break;
                }
            }
        })?;
        Ok(SecondCopy { lines, done, waiting: 0, path })
    }

    /// Hands a line over and waits for it, within the limit. Returns a warning where it is not known to be written.
    /// An empty line only brings the copy up to date.
    pub fn append(&mut self, line: &[u8]) -> Option<String> {
        let warning = |why: String| {
            Some(format!(
                "The second copy of the journal, `{}`, is behind: {why}. The run goes on; a colleague who resumes it from there \
                 knows less.",
                self.path.display()
            ))
        };
        if self.lines.send(line.to_vec()).is_err() {
            return warning("its writer has ended".to_string());
        }
        self.waiting += 1;
        let until = Instant::now() + WAIT;
        let mut last = Ok(());
        while self.waiting > 0 {
            match self.done.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(outcome) => {
                    self.waiting -= 1;
                    last = outcome;
                }
                Err(RecvTimeoutError::Timeout) => return warning(format!("no answer within {} s", WAIT.as_secs())),
                Err(RecvTimeoutError::Disconnected) => return warning("its writer has ended".to_string()),
            }
        }
        last.err().and_then(|error| warning(error.to_string()))
    }
}

enum State {
    New,
    Open(File),
    /// The last write failed; what the file holds is not known.
    Lost,
}

struct Worker {
    path: PathBuf,
    run_id: String,
    state: State,
    /// Everything that the file should hold.
    content: Vec<u8>,
    written: usize,
}

impl Worker {
    fn write(&mut self) -> io::Result<()> {
        let outcome = self.try_write();
        if outcome.is_err() {
            self.state = State::Lost;
        }
        outcome
    }

    fn try_write(&mut self) -> io::Result<()> {
        super::crash_points::fail("journal.second")?;
        if !matches!(self.state, State::Open(_)) {
            let (file, written) = settle(&self.path, &self.run_id, &self.content)?;
            self.state = State::Open(file);
            self.written = written;
        }
        if let State::Open(file) = &mut self.state {
            file.write_all(&self.content[self.written..])?;
            file.sync_all()?;
            self.written = self.content.len();
        }
        Ok(())
    }
}

/// Opens a copy for appending such that it holds a beginning of `content` and nothing else; returns how much of it.
/// What was there and does not agree is kept beside it under another name.
pub(super) fn settle(path: &Path, run_id: &str, content: &[u8]) -> io::Result<(File, usize)> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    folder::owner_only(&mut options);
    let Some(there) = read_file(path, run_id)? else {
        let file = options.create_new(true).open(path)?;
        folder::sync(folder)?;
        return Ok((file, 0));
    };
    if there.tail != Tail::Broken && content.starts_with(&there.valid) {
        let mut file = options.open(path)?;
        file.set_len(there.valid.len() as u64)?;
        file.seek(SeekFrom::End(0))?;
        return Ok((file, there.valid.len()));
    }
    set_aside(path)?;
    let file = options.create_new(true).open(path)?;
    folder::sync(folder)?;
    Ok((file, 0))
}

/// Renames a file that must not be lost: `….journal` becomes `….journal.kept-1`, or the next free number.
fn set_aside(path: &Path) -> io::Result<()> {
    for number in 1..1000 {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".kept-{number}"));
        let kept = PathBuf::from(name);
        if !kept.exists() {
            return std::fs::rename(path, kept);
        }
    }
    Err(io::Error::other("too many files were kept beside it already"))
}
