//! What the proof says: which sets to restore in which order, where that ends, and every doubt about the end.

use std::sync::Arc;

use chrono::NaiveDateTime;

use super::{Candidate, Header, Listing, RedoPoint};
use crate::names::Lsn;

/// The outcome of [`super::prove`].
#[derive(Debug, Clone)]
pub struct Chain {
    /// What is still to be restored, in order; each one fits where the one before it ends.
    pub restore: Vec<ChainLink>,
    /// Where each candidate stands, in the order of the listing.
    pub status: Vec<SetStatus>,
    /// Where each file without a header stands, in the order of the listing.
    pub unread_status: Vec<UnreadStatus>,
    /// The redo point once `restore` is done.
    pub end: RedoPoint,
    /// When the set that ends there was finished, in its writer's local time.
    pub end_finished_at: Option<NaiveDateTime>,
    /// The file that ends there, where it is known.
    pub end_file: Option<String>,
    pub verdict: Verdict,
    /// Every reason to think that later log backups exist; empty when the end is proved.
    pub doubts: Vec<Doubt>,
    /// The newest file, where it was never finished: its loss is inherent.
    pub unfinished: Option<UnfinishedFile>,
    /// The writer's local time minus UTC, as the listing has it.
    pub writer_offset_minutes: Option<i32>,
}

/// One set to restore.
#[derive(Debug, Clone)]
pub struct ChainLink {
    pub header: Arc<Header>,
    /// One entry for an ordinary file, one a stripe otherwise, by number.
    pub stripes: Box<[Stripe]>,
}

/// One file of a set, and everywhere that it lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stripe {
    pub number: u32,
    /// Indexes into the listing's candidates, whole ones only, the copy folder first. Never empty.
    pub sources: Box<[u32]>,
}

impl ChainLink {
    /// The candidate to restore from, one a stripe.
    pub fn files<'a>(&'a self, listing: &'a Listing) -> impl Iterator<Item = &'a Candidate> + 'a {
        self.stripes
            .iter()
            .filter_map(|stripe| stripe.sources.first())
            .filter_map(|index| listing.candidates.get(*index as usize))
    }

    /// The name of the first file.
    pub fn name<'a>(&'a self, listing: &'a Listing) -> &'a str {
        self.files(listing).next().map_or("", |candidate| &candidate.name)
    }
}

/// Where a candidate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetStatus {
    /// The database has it already, or it has no record in it.
    Restored,
    /// It is to be restored; this is the place to take it from.
    Needed,
    /// The same set as a needed one, at another place.
    SpareCopy,
    /// Others cover its range.
    Covered,
    /// It lies behind a hole.
    BehindGap,
    /// The newest file, never finished.
    Unfinished,
    /// Cut off, garbage, or marked as damaged by its writer.
    Damaged,
    /// It lacks other stripes of its set.
    StripeMissing,
    /// A recovery path that the database is not on, and older than the newest of its own: a dead fork.
    DeadPath,
    /// A recovery path that the database is not on, and it may be the living one.
    OtherPath,
    /// A backup of another database.
    OtherDatabase,
    /// No log backup.
    NotLog,
}

/// Where a file without a header stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnreadStatus {
    /// Its header is known from another place, or it is older than what is proved.
    Harmless,
    Unfinished,
    Damaged,
    Unreadable,
}

/// The newest file that never got finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnfinishedFile {
    pub name: String,
    pub why: String,
    /// False where only its place in the order speaks for that: its header cannot be read, and nobody tells which file was
    /// finished last. A damaged one would look the same.
    pub is_certain: bool,
}

/// The verdict on the log backups that are there. The first thing that keeps the chain from reaching the newest one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Contiguous from the redo point to the newest log backup known in the folders.
    Complete,
    /// No log backup holds what follows `after_lsn`.
    Gap {
        after_lsn: Lsn,
        /// The file that ends there.
        after_file: Option<String>,
        /// Where the next known log backup begins.
        next_lsn: Lsn,
        next_file: String,
        next_started_at: NaiveDateTime,
    },
    /// The set that follows is there, but no whole copy of it.
    Damaged { after_lsn: Lsn, after_file: Option<String>, file: String, first_lsn: Lsn, last_lsn: Lsn, why: String },
    /// The set that follows is striped and some of its files are nowhere.
    StripeMissing { after_lsn: Lsn, after_file: Option<String>, file: String, present: Vec<u32>, count: u32 },
    /// Newer log backups are on a recovery path that the database cannot follow.
    RecoveryPathDiffers { at_lsn: Lsn, file: String, first_lsn: Lsn, last_lsn: Lsn },
}

/// A reason to think that something later than the chain's end exists. Recovery over one needs the loss accepted by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// Log backups that fit are there and were not restored.
    NotRestored { count: usize, first_file: String, last_file: String },
    /// The verdict is not `Complete`.
    Chain(Verdict),
    /// The share, or a folder that the operator named, could not be listed: what lies there is unknown.
    ShareUnreachable { path: String, why: String },
    /// No share was looked at at all.
    ShareUnknown,
    /// A file newer than the end cannot be read.
    UnreadableFile { file: String, why: String },
    /// The newest file is still being written: somebody is alive.
    StillGrowing { file: String, why: String },
    /// A witness knows of a later log backup that is nowhere to be found.
    WitnessKnowsLater { file: String, witness: String },
}

impl Chain {
    /// True when nothing speaks against the end.
    pub fn is_proved(&self) -> bool {
        self.doubts.is_empty()
    }

    /// What must be written after `-AcceptDataLoss`: the LSN that recovery would reach.
    pub fn accept_value(&self) -> String {
        self.end.lsn.to_string()
    }
}
