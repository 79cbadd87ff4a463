//! What a run records, and the line that it becomes.

use std::io::{self, Write};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Serializer, Value};
use sha2::{Digest, Sha256};

use super::formatter::Blanking;
use crate::error::Outcome;

/// The first record of a run: what it is, on what, by whom, and what it must not depend on later.
///
/// Plan and capture are written as they are, and read as JSON: with ten thousand log backups they are large, and a tree of
/// JSON values is several times larger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunHead<P = Value, C = Value> {
    pub run_id: String,
    /// `failover`, `remove`, `copy`, …
    pub kind: String,
    pub sql_instance: String,
    pub database: String,
    pub pool_fqdn: Option<String>,
    pub operator: String,
    pub machine: String,
    pub process_id: u32,
    /// The release that wrote it.
    pub product_version: String,
    pub started_at_utc: String,
    /// The plan as it was confirmed.
    pub plan: P,
    /// Everything readable before the first change.
    pub capture: C,
    /// Where the second copy lies, as the first process named it.
    pub copy_folder: Option<String>,
}

/// One record. Data that later steps or an undo need goes in as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Record {
    Begin(Box<RunHead>),
    /// Another process took the run over: `command` is `resume` or `undo`.
    Opened {
        command: String,
        operator: String,
        machine: String,
        process_id: u32,
    },
    /// A capture that was made later than the head, or made anew.
    Capture {
        data: Value,
    },
    /// Something read from the systems on which decisions rest.
    Evidence {
        name: String,
        data: Value,
    },
    /// The plan was made anew.
    Plan {
        data: Value,
    },
    /// Written before a step's first change.
    StepBegun {
        number: u32,
        step: String,
        intent: Value,
    },
    /// `state` is that of a step result: `done`, `already_so`, `skipped`, `failed`.
    StepEnded {
        number: u32,
        step: String,
        state: String,
        text: String,
        outcome: Value,
    },
    /// Written before one change inside a step: a statement, a copy, a native command.
    EffectBegun {
        step: String,
        object: String,
        statement: String,
        data: Value,
    },
    /// What became of it; `state` is `done`, `already_so`, `failed`, `unknown` or `not_sent`.
    EffectEnded {
        step: String,
        object: String,
        state: String,
        data: Value,
    },
    Note {
        text: String,
    },
    /// The process stopped; the run stays open and can be resumed.
    Stopped {
        outcome: Outcome,
        text: String,
    },
    /// The run is over for good.
    Ended {
        outcome: Outcome,
        text: String,
    },
    /// The run was given up and everything put back.
    Undone {
        text: String,
    },
    /// Of a later release.
    #[serde(other)]
    Unknown,
}

/// A record with its number, from 1, and its time.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub sequence: u64,
    pub at_utc: String,
    pub record: Record,
}

/// [`Record::Begin`] with a head of the writer's own.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Beginning<'a, P, C> {
    Begin(&'a RunHead<P, C>),
}

#[derive(Deserialize)]
struct Line {
    sequence: u64,
    at_utc: String,
    record: Record,
}

const HASH_MARK: &str = ",\"hash\":\"";
const HASH_DIGITS: usize = 64;

/// The time as every document has it, with milliseconds.
pub(super) fn time_text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn hash(before: &str, content: &str) -> String {
    hex(Sha256::new().chain_update(before).chain_update("\n").chain_update(content))
}

fn hex(digest: Sha256) -> String {
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is written, with its hash.
struct Hashing<'a, W: ?Sized> {
    out: &'a mut W,
    digest: Sha256,
}

impl<W: Write + ?Sized> Write for Hashing<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.digest.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Writes a record as a line with its end, and gives its hash. `before` is the hash of the line before; the run id for the
/// first. Nothing is kept: the first record holds a plan with every log backup.
pub(super) fn encode<W: Write + ?Sized>(
    out: &mut W,
    before: &str,
    sequence: u64,
    at_utc: &str,
    record: &impl Serialize,
) -> io::Result<String> {
    let mut content = Hashing { out, digest: Sha256::new().chain_update(before).chain_update("\n") };
    write!(content, "{{\"sequence\":{sequence},\"at_utc\":\"{at_utc}\",\"record\":")?;
    record.serialize(&mut Serializer::with_formatter(&mut content, Blanking::default()))?;
    let hash = hex(content.digest);
    // The closing brace comes after the hash.
    writeln!(out, "{HASH_MARK}{hash}\"}}")?;
    Ok(hash)
}

/// A line, without its end, as an entry with its hash; `None` where anything about it is wrong.
pub(super) fn decode(before: &str, sequence: u64, line: &str) -> Option<(Entry, String)> {
    let rest = line.strip_suffix("\"}")?;
    let at = rest.len().checked_sub(HASH_DIGITS)?;
    if !rest.is_char_boundary(at) {
        return None;
    }
    let (open, written) = rest.split_at(at);
    let open = open.strip_suffix(HASH_MARK)?;
    if hash(before, open) != written {
        return None;
    }
    let parsed: Line = serde_json::from_str(&format!("{open}}}")).ok()?;
    let entry = Entry { sequence: parsed.sequence, at_utc: parsed.at_utc, record: parsed.record };
    (entry.sequence == sequence).then(|| (entry, written.to_string()))
}
