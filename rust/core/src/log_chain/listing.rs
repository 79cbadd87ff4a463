//! What a look at the folders brought: the input of the proof.

use std::sync::Arc;

use chrono::NaiveDateTime;
use uuid::Uuid;

use super::Header;
use crate::names::{Lsn, ServerPath, Text};

/// Where the database stands: the next LSN that it wants, and on which recovery fork.
///
/// # Source
/// `sys.master_files.redo_start_lsn`, `redo_start_fork_guid`; msdb `restorehistory` and `backupset` for the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedoPoint {
    pub lsn: Lsn,
    pub fork_id: Uuid,
    /// The database's family, where restore history tells it.
    pub family_id: Option<Uuid>,
    /// When the set restored last was finished, in its writer's local time, where history tells it.
    pub finished_at: Option<NaiveDateTime>,
    /// The name of the file restored last, without folder, where history tells it.
    pub file_name: Option<String>,
    /// The fork that this one began on, and the LSN at which it was left, where history has a set that spans both.
    pub came_from: Option<(Uuid, Lsn)>,
}

impl RedoPoint {
    /// A redo point of which nothing but LSN and fork is known.
    pub fn new(lsn: Lsn, fork_id: Uuid) -> RedoPoint {
        RedoPoint { lsn, fork_id, family_id: None, finished_at: None, file_name: None, came_from: None }
    }
}

/// A folder that was looked into. A smaller number is the better place to restore from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlaceId(pub u32);

impl PlaceId {
    pub const COPY_FOLDER: PlaceId = PlaceId(0);
    pub const SHARE: PlaceId = PlaceId(1);

    /// The additional folder of that number, from 0.
    pub fn additional(number: u32) -> PlaceId {
        PlaceId(number.saturating_add(2))
    }

    /// What the number stands for.
    pub fn kind(self) -> PlaceKind {
        match self.0 {
            0 => PlaceKind::CopyFolder,
            1 => PlaceKind::Share,
            _ => PlaceKind::Additional,
        }
    }
}

/// What a place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PlaceKind {
    CopyFolder,
    Share,
    Additional,
}

/// Whether a place could be listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlaceState {
    Listed,
    /// With the reason, as the operator should read it.
    Unreachable(String),
}

/// A place with its path and what came of listing it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub id: PlaceId,
    pub path: ServerPath,
    pub state: PlaceState,
}

/// What is wrong with a file, as far as reading it told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// It is no whole backup: cut off, empty, or garbage (3241, 3242, 3203 at the end of the file, 3183 and the like).
    /// Without a header, an unfinished file and a damaged one are told apart by their place in the order; with one, the
    /// backup was once whole.
    Malformed(String),
    /// The backup was cut off while it was taken (3256).
    Unfinished(String),
    /// Somebody has it open for writing (3201 with operating system error 32), or its size changed between two looks.
    Growing(String),
    /// It may not be read (3201 with operating system error 5), it vanished, the network failed, it has a password.
    Unreadable(String),
}

impl Trouble {
    /// The reason as it was met.
    pub fn why(&self) -> &str {
        match self {
            Trouble::Malformed(why) | Trouble::Unfinished(why) | Trouble::Growing(why) | Trouble::Unreadable(why) => {
                why
            }
        }
    }
}

/// One backup set in one file at one place. A striped set is several candidates with one `backup_set_id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The file's name, without folder.
    pub name: Text,
    pub place: PlaceId,
    /// The file as the instance opens it.
    pub path: ServerPath,
    pub header: Arc<Header>,
    /// The file's own size, last change (UTC), and what a later look at its content brought, though its header could be read.
    pub file_bytes: u64,
    pub modified_at: Option<NaiveDateTime>,
    pub trouble: Option<Trouble>,
}

/// A file whose header could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadFile {
    pub name: Text,
    pub place: PlaceId,
    pub path: ServerPath,
    pub file_bytes: u64,
    /// UTC.
    pub modified_at: Option<NaiveDateTime>,
    pub trouble: Trouble,
}

/// The newest log backup that somebody else knows of.
///
/// # Source
/// msdb `log_shipping_monitor_primary.last_backup_file` on the monitor; where that is silent,
/// `log_shipping_secondary.last_copied_file` on the secondary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownEnd {
    /// Without folder.
    pub file_name: String,
    /// Who says so: the monitor, or the secondary itself.
    pub witness: String,
    /// True where it is the newest that was finished; false where it is one that was once there.
    pub is_newest: bool,
}

/// Everything known of the log backups of one database at one moment.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    pub places: Vec<Place>,
    pub candidates: Vec<Candidate>,
    pub unread: Vec<UnreadFile>,
    /// Files whose headers need not be read: older than everything that matters.
    pub not_read_count: usize,
    pub known_end: Option<KnownEnd>,
    /// The writer's local time minus UTC, where it is known; without it times are shown as the writer's.
    pub writer_offset_minutes: Option<i32>,
}

impl Listing {
    /// The share, and the reason where it could not be listed.
    pub fn share(&self) -> Option<&Place> {
        self.places.iter().find(|place| place.id.kind() == PlaceKind::Share)
    }
}

/// True for a name that a finished log backup may have; the copy job's working files and our partial copies have not.
pub fn is_log_backup_name(name: &str) -> bool {
    let lower = name.to_lowercase();
    !lower.ends_with(".wrk")
        && !lower.ends_with(".pchat-partial")
        && !lower.ends_with(".tuf")
        && !lower.starts_with('.')
}

/// The time in a log shipping file's name, `mgc_20260314021500.trn`. A hint for ordering, widely reported to be UTC.
pub fn name_stamp(name: &str) -> Option<NaiveDateTime> {
    let bytes = name.as_bytes();
    let mut end = bytes.len();
    while end >= 14 {
        let digits = &bytes[end - 14..end];
        let alone = end - 14 == 0 || !bytes[end - 15].is_ascii_digit();
        if alone && digits.iter().all(u8::is_ascii_digit) {
            let text = std::str::from_utf8(digits).ok()?;
            return NaiveDateTime::parse_from_str(text, "%Y%m%d%H%M%S").ok();
        }
        end -= 1;
    }
    None
}

/// How far the writer's clock is from UTC, told by the start of a set and the stamp in its file's name, in whole quarters
/// of an hour. `None` where the two are not within a minute of such a step, or more than 14 hours apart, and for a set that
/// was appended to a file.
pub fn utc_offset_minutes(name: &str, header: &Header) -> Option<i32> {
    if header.position > 1 {
        return None;
    }
    let seconds = (header.started_at - name_stamp(name)?).num_seconds();
    let quarters = (seconds as f64 / 900.0).round() as i64;
    let rest = (seconds - quarters * 900).abs();
    (rest <= 60 && quarters.abs() <= 56).then_some(quarters as i32 * 15)
}
