//! One backup set as its header describes it.

use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::names::{Lsn, Text};

/// What a backup set holds.
///
/// # Source
/// `RESTORE HEADERONLY`, column BackupType.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackupType {
    Database,
    Log,
    /// Files, differentials, partial backups: nothing that a log chain needs.
    Other,
}

impl BackupType {
    /// From the number of the header: 1 database, 2 log.
    pub fn from_number(number: i64) -> BackupType {
        match number {
            1 => BackupType::Database,
            2 => BackupType::Log,
            _ => BackupType::Other,
        }
    }
}

/// The facts of one backup set. A file may hold several, told apart by `position`; a striped set lies in several files.
///
/// # Source
/// `RESTORE HEADERONLY`; the media members come from `RESTORE LABELONLY`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    pub backup_type: BackupType,
    pub database_name: Text,
    /// FamilyGUID: the database's identity across restores.
    pub family_id: Uuid,
    pub first_lsn: Lsn,
    /// The next record after the set: an exclusive end.
    pub last_lsn: Lsn,
    /// FirstRecoveryForkID: the fork at the start.
    pub first_fork_id: Uuid,
    /// RecoveryForkID: the fork at the end.
    pub last_fork_id: Uuid,
    /// Set where the set spans a fork point.
    pub fork_point_lsn: Option<Lsn>,
    /// Nil where the header has none.
    pub backup_set_id: Uuid,
    /// Nil where the label was not read.
    pub media_set_id: Uuid,
    /// How many stripes the media set has; 1 for an ordinary file.
    pub family_count: u32,
    /// Which stripe this file is, from 1.
    pub family_number: u32,
    /// The value for `FILE =`.
    pub position: u32,
    /// BackupSize, uncompressed.
    pub size_bytes: u64,
    /// In the writer's local time.
    pub started_at: NaiveDateTime,
    /// In the writer's local time.
    pub finished_at: NaiveDateTime,
    pub server_name: Text,
    pub has_checksums: bool,
    /// Damage was met while the backup was taken, and it went on.
    pub is_damaged: bool,
    pub is_copy_only: bool,
    /// The tail: taken `WITH NORECOVERY`.
    pub is_tail: bool,
    pub begins_log_chain: bool,
    pub software_major: u16,
}

impl Header {
    /// True for a log backup without a record in it, as an idle database gives.
    pub fn is_empty(&self) -> bool {
        self.last_lsn <= self.first_lsn
    }

    /// True when it begins on one recovery fork and ends on another.
    pub fn spans_fork(&self) -> bool {
        self.first_fork_id != self.last_fork_id
    }
}
