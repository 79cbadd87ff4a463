//! Everything that a failover is decided on, read before the first change.
//!
//! [`Evidence`] is plain data: [`crate::check::all`] and [`crate::failover::plan`] are pure functions of it. What could
//! not be read is there too, with the reason ([`Reading`]), because in a disaster only the backup answers.
//! [`Capture`] is the part that goes into the journal.

mod capture;
mod compliance;
mod database;
mod file;
pub mod gather;
mod instance;
pub(crate) mod one_role;
mod place;
mod primary;
#[cfg(test)]
pub(crate) mod sample;
mod shell;
mod verdict;

pub use capture::*;
pub use compliance::*;
pub use database::*;
pub use file::*;
pub(crate) use gather::may_be_log_backup;
pub use gather::{gather, gather_log_backups, look_again, look_again_with_primary, Sources};
pub use instance::*;
pub use place::*;
pub use primary::*;
pub use shell::*;
pub use verdict::*;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use crate::error::ErrorKind;
use crate::names::ServerPath;
use crate::sql::connection::DatabaseSession;
use crate::sql::database::OrphanedUser;
use crate::sql::instance::InstanceFacts;
use crate::sql::mirror::MirrorEndpoint;

/// What a question brought: the answer, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading<T> {
    Known(T),
    /// Asked, without an answer.
    Unknown(String),
    /// There was nobody to ask: no such instance is named, for example.
    NotAsked(String),
}

impl<T> Reading<T> {
    /// The answer, where there is one.
    pub fn known(&self) -> Option<&T> {
        match self {
            Reading::Known(value) => Some(value),
            _ => None,
        }
    }

    /// Why there is no answer.
    pub fn why(&self) -> Option<&str> {
        match self {
            Reading::Known(_) => None,
            Reading::Unknown(why) | Reading::NotAsked(why) => Some(why),
        }
    }

    /// There is no answer since the native command that gives it is not installed: the reason begins with that error's code.
    pub fn lacks_command(&self) -> bool {
        let code = format!("PCHAT{}:", ErrorKind::NativeCommandMissing.code());
        self.why().is_some_and(|why| why.starts_with(&code))
    }
}

impl<T> From<crate::error::Result<T>> for Reading<T> {
    fn from(result: crate::error::Result<T>) -> Self {
        result.map_or_else(|error| Reading::Unknown(error.to_string()), Reading::Known)
    }
}

/// All that was read for one database on its backup instance.
#[derive(Debug, Clone)]
pub struct Evidence {
    pub gathered_at_utc: DateTime<Utc>,
    /// The backup instance as the operator names it.
    pub sql_instance: String,
    pub database: String,
    pub instance: InstanceFacts,
    /// Where the instance puts backups when no folder is named.
    pub default_backup_folder: Option<ServerPath>,
    /// The endpoint that its mirroring uses, or would use.
    pub mirror_endpoint: Option<MirrorEndpoint>,
    /// `None`: the instance has no such database.
    pub state: Option<DatabaseEvidence>,
    pub log_shipping: LogShippingEvidence,
    pub files: FileEvidence,
    pub sessions: Reading<Vec<DatabaseSession>>,
    /// Users without a login here; a RESTORING database does not show its users.
    pub orphaned_users: Reading<Vec<OrphanedUser>>,
    pub primary: PrimaryEvidence,
    pub backup_mirror: MirrorInstanceEvidence,
    pub pool: PoolEvidence,
    pub mirror_file_share: Reading<ShareEvidence>,
    pub journal: JournalEvidence,
    /// Who holds the lock of the database; `Known(None)`: nobody.
    pub lock_holder: Reading<Option<String>>,
    /// What waits for the compliance adapter: nothing in the list where the topology has no compliance.
    pub compliance: Vec<ComplianceEvidence>,
}

/// `1 file`, `2 files`.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// A moment as all documents write it: UTC, whole seconds.
pub fn utc_text(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Secs, true)
}
