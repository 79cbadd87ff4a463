//! Requests and items of the commands that take one step on an instance: backups, mirrors, an old primary.

use serde::{Deserialize, Serialize};

use super::{nullable, JournalPlace, Target};
use crate::names::Lsn;

/// What `Backup-PChatDatabase` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackupType {
    Full,
    Log,
    /// The last of the log; the database is RESTORING afterwards.
    Tail,
    /// What can be saved of the log of a damaged database.
    Salvage,
}

/// `Backup-PChatDatabase`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseBackupRequest {
    pub version: u32,
    pub target: Target,
    pub journal: JournalPlace,
    pub backup_type: BackupType,
    /// A folder as the instance opens it. Without it: log shipping's own for what belongs to its chain, else the
    /// instance's default.
    #[serde(deserialize_with = "nullable")]
    pub folder: Option<String>,
    /// How long sessions that come back are ended before a tail is given up.
    pub limit_seconds: u32,
    pub plan_only: bool,
    #[serde(deserialize_with = "nullable")]
    pub approved_digest: Option<String>,
}

/// Item `backup`: a backup that was taken and verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseBackup {
    pub sql_instance: String,
    pub database: String,
    #[serde(deserialize_with = "nullable")]
    pub pool_fqdn: Option<String>,
    /// `full`, `log`, `tail` or `salvage`.
    pub backup_type: String,
    /// As the instance opens it.
    pub backup_file: String,
    pub first_lsn: Lsn,
    pub last_lsn: Lsn,
    pub size_bytes: u64,
    pub is_copy_only: bool,
    /// True where `VERIFYONLY` read it to its end with its checksums.
    pub is_verified: bool,
    /// What the database is behind it.
    pub database_state: String,
}

/// `Restore-PChatDatabase -BackupFile`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseRestoreRequest {
    pub version: u32,
    pub target: Target,
    pub journal: JournalPlace,
    /// A full backup as the instance opens it.
    pub backup_file: String,
    /// Which backup of the file, from 1.
    pub position: u32,
    /// What the refusal names a restoring copy by that may be overwritten all the same.
    #[serde(deserialize_with = "nullable")]
    pub replace_copy_at: Option<String>,
    pub plan_only: bool,
    #[serde(deserialize_with = "nullable")]
    pub approved_digest: Option<String>,
}

/// `New-PChatLogShipping`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogShippingAddRequest {
    pub version: u32,
    /// The primary.
    pub target: Target,
    pub journal: JournalPlace,
    /// Without it the target becomes a primary as its mirroring partner is one.
    #[serde(deserialize_with = "nullable")]
    pub secondary_sql_instance: Option<String>,
    /// The mirroring partner of the target.
    #[serde(deserialize_with = "nullable")]
    pub mirror_sql_instance: Option<String>,
    /// A file of this machine, or a folder whose newest baseline is meant.
    #[serde(deserialize_with = "nullable")]
    pub baseline_path: Option<String>,
    /// While failed over: the backup ships to the old primary.
    pub reverse: bool,
    /// Instead of the baseline's.
    #[serde(deserialize_with = "nullable")]
    pub log_backup_share: Option<String>,
    /// On the secondary's host, instead of the baseline's.
    #[serde(deserialize_with = "nullable")]
    pub copy_folder: Option<String>,
    /// How often the jobs run where no baseline tells it.
    pub interval_minutes: u32,
    pub plan_only: bool,
    #[serde(deserialize_with = "nullable")]
    pub approved_digest: Option<String>,
}

/// `Remove-PChatMirror`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MirrorRemoveRequest {
    pub version: u32,
    pub target: Target,
    pub journal: JournalPlace,
    pub plan_only: bool,
    #[serde(deserialize_with = "nullable")]
    pub approved_digest: Option<String>,
}

/// Item `mirror`: database mirroring as one partner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseMirror {
    pub sql_instance: String,
    pub database: String,
    #[serde(deserialize_with = "nullable")]
    pub pool_fqdn: Option<String>,
    /// `online`, `restoring`, …
    pub database_state: String,
    pub is_mirrored: bool,
    /// `principal` or `mirror`.
    #[serde(deserialize_with = "nullable")]
    pub role: Option<String>,
    /// `synchronized`, `synchronizing`, `suspended`, `disconnected`, …
    #[serde(deserialize_with = "nullable")]
    pub state: Option<String>,
    /// `full` or `off`.
    #[serde(deserialize_with = "nullable")]
    pub safety: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub partner_sql_instance: Option<String>,
    /// `TCP://host:port`.
    #[serde(deserialize_with = "nullable")]
    pub partner_address: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub witness_address: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub endpoint_port: Option<i64>,
    /// False as well where there is no endpoint.
    pub is_endpoint_started: bool,
    /// True for a copy that is RESTORING though nothing mirrors or ships to it.
    pub is_orphan: bool,
    /// What it means, and what to do with an orphan.
    pub text: String,
}

/// `Disable-PChatPrimary`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrimaryDisableRequest {
    pub version: u32,
    /// The old primary.
    pub target: Target,
    #[serde(deserialize_with = "nullable")]
    pub primary_mirror_sql_instance: Option<String>,
    /// The instance that serves now: proof that the old one does not.
    pub backup_sql_instance: String,
    pub journal: JournalPlace,
    /// Mirroring off on both partners.
    pub remove_mirroring: bool,
    /// The database offline where it is ONLINE.
    pub take_offline: bool,
    /// The jobs of log shipping disabled.
    pub disable_jobs: bool,
    pub plan_only: bool,
    #[serde(deserialize_with = "nullable")]
    pub approved_digest: Option<String>,
}
