//! Reading a journal file: its valid chain, and what is behind it.

use std::fs;
use std::io;
use std::path::Path;

use super::record::{decode, Entry, Record, RunHead};

/// The valid part of a file.
#[derive(Debug, Clone)]
pub(super) struct ReadChain {
    pub entries: Vec<Entry>,
    /// The bytes of the valid part.
    pub valid: Vec<u8>,
    pub last_hash: String,
    pub tail: Tail,
}

/// What follows the valid part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tail {
    Nothing,
    /// One line without its end: a write that was cut off.
    Torn,
    /// Something that was once whole.
    Broken,
}

impl ReadChain {
    /// The head, where the first record is one for this run.
    pub fn head(&self) -> Option<&RunHead> {
        match self.entries.first().map(|entry| &entry.record) {
            Some(Record::Begin(head)) => Some(head),
            _ => None,
        }
    }
}

/// Reads a file; `None` where there is none.
pub(super) fn read_file(path: &Path, run_id: &str) -> io::Result<Option<ReadChain>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(read_bytes(bytes, run_id))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Takes the longest valid chain from the beginning of a text.
pub(super) fn read_bytes(mut bytes: Vec<u8>, run_id: &str) -> ReadChain {
    let mut entries = Vec::new();
    let mut last_hash = run_id.to_string();
    let mut good = 0;
    let tail = loop {
        let rest = &bytes[good..];
        if rest.is_empty() {
            break Tail::Nothing;
        }
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else { break Tail::Torn };
        let line = std::str::from_utf8(&rest[..end]).ok();
        match line.and_then(|line| decode(&last_hash, entries.len() as u64 + 1, line)) {
            Some((entry, hash)) => {
                entries.push(entry);
                last_hash = hash;
                good += end + 1;
            }
            None => break Tail::Broken,
        }
    };
    bytes.truncate(good);
    let chain = ReadChain { entries, valid: bytes, last_hash, tail };
    match chain.head() {
        Some(head) if head.run_id == run_id => chain,
        // The hash of the first line hangs on the run's name, so this is a file without one whole line.
        _ => ReadChain { entries: Vec::new(), valid: Vec::new(), last_hash: run_id.to_string(), tail: chain.tail },
    }
}
