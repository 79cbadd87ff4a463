//! Everything that a failback is decided on: the four instances as they are, the copies at home, the backup's history.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::follow::FollowingLog;
use super::guard::{Guard, HomeCopy};
use crate::baseline::{Baseline, InstanceBaseline, InstanceRole};
use crate::check::CheckedEvidence;
use crate::evidence::{JournalEvidence, PoolEvidence, Reading};
use crate::failback::history::HistorySet;
use crate::names::{Lsn, ServerPath};
use crate::sql::connection::DatabaseSession;
use crate::switch::ServerServices;

/// The version of captures that this release writes.
pub const CAPTURE_VERSION: u32 = 1;

/// All that was read before the first change.
#[derive(Debug, Clone)]
pub struct Evidence {
    pub gathered_at_utc: DateTime<Utc>,
    /// The backup instance as the operator names it.
    pub sql_instance: String,
    pub database: String,
    /// The four instances and the topology as they are now.
    pub now: Baseline,
    pub pool: PoolEvidence,
    /// The backup's database; a copy that is not online tells nothing of it.
    pub backup: Reading<ServingCopy>,
    /// What msdb of the backup and of its mirror remember, oldest first.
    pub history: Reading<Vec<HistorySet>>,
    pub primary: HomeCopy,
    pub primary_mirror: Option<HomeCopy>,
    /// Our log backup job on the backup and on its mirror.
    pub log_backup_jobs: Vec<LogBackupJobSeen>,
    pub shares: Vec<ShareSeen>,
    /// Log backups that the primary wants next, in order, with whether it can read each.
    pub following: Reading<Vec<FollowingLog>>,
    /// Events of compliance that its adapter has not processed.
    pub compliance_rows: Reading<u64>,
    /// The Persistent Chat services of the pool's servers.
    pub(crate) services: Vec<ServerServices>,
    pub sessions: Reading<Vec<DatabaseSession>>,
    pub journal: JournalEvidence,
    /// Who holds the lock of the database on one of the instances; `Known(None)`: nobody.
    pub lock_holder: Reading<Option<String>>,
}

impl CheckedEvidence for Evidence {
    fn sql_instance(&self) -> &str {
        &self.sql_instance
    }

    fn database(&self) -> &str {
        &self.database
    }

    fn pool_fqdn(&self) -> Option<&str> {
        self.pool.pool_fqdn.as_deref()
    }
}

impl Evidence {
    /// The instance of a role, as it is now.
    pub fn instance(&self, role: InstanceRole) -> Option<&InstanceBaseline> {
        self.now.instance(role)
    }

    /// Its name; the role's word where nobody names it.
    pub fn name(&self, role: InstanceRole) -> &str {
        self.instance(role).map_or(role.as_text(), |instance| instance.sql_instance.as_str())
    }

    /// The size of the backup's data files.
    pub fn data_bytes(&self) -> u64 {
        let files = self.instance(InstanceRole::Backup).and_then(|b| b.database()).and_then(|db| db.files.known());
        files.into_iter().flatten().filter(|file| !file.is_log).map(|file| file.size_bytes).sum()
    }

    /// The lab's id, where the backup is an instance of a lab.
    pub fn lab_id(&self) -> Option<&str> {
        self.instance(InstanceRole::Backup)?.facts.known()?.lab_id.as_deref()
    }
}

/// The database that serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServingCopy {
    pub family_id: Uuid,
    pub fork_id: Uuid,
    /// Where the next log backup begins; `None` where none is possible yet.
    pub last_log_backup_lsn: Option<Lsn>,
}

/// Our log backup job, as an instance has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogBackupJobSeen {
    pub role: InstanceRole,
    pub sql_instance: String,
    pub job_id: Uuid,
    pub is_enabled: bool,
    /// What its step runs; it names the folder.
    pub command: String,
}

/// A share as an instance sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShareSeen {
    pub role: InstanceRole,
    pub path: ServerPath,
    pub is_there: Reading<bool>,
}

/// Kept in the journal before the first change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capture {
    pub version: u32,
    pub captured_at_utc: DateTime<Utc>,
    /// The four instances and the topology before the failback.
    pub before: Baseline,
    pub pool: PoolEvidence,
    pub backup: Option<ServingCopy>,
    pub guard: Guard,
    pub primary: HomeCopy,
    pub primary_mirror: Option<HomeCopy>,
    pub log_backup_jobs: Vec<LogBackupJobSeen>,
    pub(crate) services: Vec<ServerServices>,
    pub sessions: Vec<DatabaseSession>,
}
