//! The second copy. It lies on a share that may be slow, dead or hung, so a thread of its own writes it and nobody waits
//! longer than a limit. Its failures warn; what could not be written is tried again with the next record.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{channel, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use super::folder;
use super::reader::{read_file, Tail};

/// How long a record waits for the second copy.
const WAIT: Duration = Duration::from_secs(5);

/// What the first copy has got.
pub(super) enum Line {
    /// A line with its end.
    Text(Vec<u8>),
    /// A large one, to be read from there: the copy is to hold as many bytes of it.
    UpTo(u64),
}

/// The handle that the journal keeps.
pub(super) struct SecondCopy {
    lines: Sender<Line>,
    done: Receiver<io::Result<()>>,
    waiting: usize,
    path: PathBuf,
}

impl SecondCopy {
    /// Starts writing at `path`, which is first made equal to the first `length` bytes of the first copy.
    pub fn start(path: PathBuf, run_id: &str, first: &Path, length: u64) -> io::Result<SecondCopy> {
        let (lines, todo) = channel::<Line>();
        let (report, done) = channel();
        let mut worker =
            Worker { path: path.clone(), run_id: run_id.to_string(), first: first.to_path_buf(), length, file: None };
        std::thread::Builder::new().name("journal-copy".to_string()).spawn(move || {
            while let Ok(line) = todo.recv() {
                if report.send(worker.write(line)).is_err() {
                    break;
                }
            }
        })?;
        Ok(SecondCopy { lines, done, waiting: 0, path })
    }

    /// Hands a line over and waits for it, within the limit. Returns a warning where it is not known to be written.
    /// An empty line only brings the copy up to date.
    pub fn append(&mut self, line: Line) -> Option<String> {
        let warning = |why: String| {
            Some(format!(
                "The second copy of the journal, `{}`, is behind: {why}. The run goes on; a colleague who resumes it from there \
                 knows less.",
                self.path.display()
            ))
        };
        if self.lines.send(line).is_err() {
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

struct Worker {
    path: PathBuf,
    run_id: String,
    /// The first copy, which each line reaches before this one.
    first: PathBuf,
    /// How much of the first copy this one should hold.
    length: u64,
    /// `None` before the first write, and where the last one failed: what the file holds is not known then.
    file: Option<File>,
}

impl Worker {
    fn write(&mut self, line: Line) -> io::Result<()> {
        match &line {
            Line::Text(text) => self.length += text.len() as u64,
            Line::UpTo(length) => self.length = *length,
        }
        let known = self.file.take();
        super::crash_points::fail("journal.second")?;
        let file = match (known, line) {
            (Some(mut file), Line::Text(text)) => {
                file.write_all(&text)?;
                file
            }
            _ => self.catch_up()?,
        };
        file.sync_all()?;
        self.file = Some(file);
        Ok(())
    }

    /// Opens the copy and writes what it lacks.
    fn catch_up(&self) -> io::Result<File> {
        let first = File::open(&self.first)?;
        if first.metadata()?.len() < self.length {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the first copy is shorter than what was written",
            ));
        }
        if !self.path.exists() {
            let (mut file, _) = settle(&self.path, &self.run_id, &[])?;
            io::copy(&mut first.take(self.length), &mut file)?;
            return Ok(file);
        }
        let mut content = Vec::new();
        first.take(self.length).read_to_end(&mut content)?;
        self.brought_up_to(&content)
    }

    fn brought_up_to(&self, content: &[u8]) -> io::Result<File> {
        let (mut file, written) = settle(&self.path, &self.run_id, content)?;
        file.write_all(&content[written..])?;
        Ok(file)
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
