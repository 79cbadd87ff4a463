//! Requests: what a command asks for.

use serde::{Deserialize, Serialize};

use super::{nullable, Plan};

/// How encryption is negotiated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encrypt {
    /// Everything is encrypted.
    Mandatory,
    /// The login is encrypted; the rest when the instance wants it.
    Optional,
    /// TDS 8: TLS first.
    Strict,
}

/// A name and the address to use for it, before any look-up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddressMapEntry {
    pub name: String,
    /// An IP address, or `address:port`.
    pub address: String,
}

/// A folder as the server or the network names it, and the same folder as this process opens it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PathMapEntry {
    /// `E:\LSCopy` of the instance acted on, or `\\fs1\LogShip`.
    pub from: String,
    pub to: String,
}

/// Settings of a session; secrets are added apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionSettings {
    pub version: u32,
    pub encrypt: Encrypt,
    pub trust_server_certificate: bool,
    pub connect_timeout_seconds: u32,
    pub address_map: Vec<AddressMapEntry>,
}

/// The database that a request is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    pub sql_instance: String,
    pub database: String,
    /// Carried through to the outputs.
    #[serde(deserialize_with = "nullable")]
    pub pool_fqdn: Option<String>,
}

/// Where log backups may lie, beside what the log shipping record says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Folders {
    /// Instead of the record's source directory.
    #[serde(deserialize_with = "nullable")]
    pub log_backup_share: Option<String>,
    /// Instead of the record's destination directory.
    #[serde(deserialize_with = "nullable")]
    pub copy_folder: Option<String>,
    pub additional_log_backup_folders: Vec<String>,
    pub path_map: Vec<PathMapEntry>,
}

/// Where the journal lies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JournalPlace {
    /// A folder of this machine; the default is machine-wide.
    #[serde(deserialize_with = "nullable")]
    pub journal_path: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub journal_copy_path: Option<String>,
    /// True where the second copy is declined by name.
    pub no_journal_copy: bool,
}

/// The identities under which the pool's state and its list of active servers are set, where the operator says them. Pages
/// spell them in several ways; without a word here each is tried with the Set's own `-WhatIf`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spellings {
    /// `service:pool.contoso.com`, for `Set-CsPersistentChatState`.
    #[serde(deserialize_with = "nullable")]
    pub pool_state_identity: Option<String>,
    /// `global`, for `Set-CsPersistentChatActiveServer`.
    #[serde(deserialize_with = "nullable")]
    pub active_list_identity: Option<String>,
}

/// For the commands that read one database: connections, state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseRequest {
    pub version: u32,
    pub target: Target,
}

/// `Get-PChatLogShipping`: a record that is gone is looked for in the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogShippingGetRequest {
    pub version: u32,
    pub target: Target,
    pub journal: JournalPlace,
}

/// `Get-PChatLogBackup`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogBackupListRequest {
    pub version: u32,
    pub target: Target,
    pub folders: Folders,
    /// Only for finding captures of earlier runs.
    pub journal: JournalPlace,
}

/// `Copy-PChatLogBackup`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogBackupCopyRequest {
    pub version: u32,
    pub target: Target,
    pub folders: Folders,
    pub journal: JournalPlace,
    /// Only these, where given.
    #[serde(deserialize_with = "nullable")]
    pub names: Option<Vec<String>>,
    #[serde(deserialize_with = "nullable")]
    pub max_megabytes_per_second: Option<u32>,
    /// Plan and tell, but change nothing.
    pub plan_only: bool,
    /// What the confirmed plan said; the operation refuses when it finds otherwise.
    #[serde(deserialize_with = "nullable")]
    pub approved_digest: Option<String>,
}

/// `Restore-PChatLogBackup`. What is needed is worked out anew; the names only narrow nothing and are checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogBackupRestoreRequest {
    pub version: u32,
    pub target: Target,
    pub folders: Folders,
    pub journal: JournalPlace,
    pub plan_only: bool,
    #[serde(deserialize_with = "nullable")]
    pub approved_digest: Option<String>,
}

/// `Remove-PChatLogShipping`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogShippingRemoveRequest {
    pub version: u32,
    pub target: Target,
    pub journal: JournalPlace,
    pub plan_only: bool,
    #[serde(deserialize_with = "nullable")]
    pub approved_digest: Option<String>,
}

/// `Stop-PChatConnection`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionEndRequest {
    pub version: u32,
    pub target: Target,
    pub limit_seconds: u32,
    pub plan_only: bool,
    #[serde(deserialize_with = "nullable")]
    pub approved_digest: Option<String>,
}

/// `Restore-PChatDatabase`: the gate, then recovery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseRecoverRequest {
    pub version: u32,
    pub target: Target,
    pub folders: Folders,
    pub journal: JournalPlace,
    /// The loss that is accepted: the LSN or the time that the refusal shows.
    #[serde(deserialize_with = "nullable")]
    pub accept_data_loss: Option<String>,
    /// Witnesses that are ignored by name; `Primary` is the primary's own answer, or that nobody names a primary.
    pub ignore_witness: Vec<String>,
    /// The instance whose death is to be believed, beside the one that the record, restore history or the log backups name.
    /// As every member it must be there; null names none.
    #[serde(deserialize_with = "nullable")]
    pub primary_sql_instance: Option<String>,
    /// Its mirror, as a witness; null: as far as it was read.
    #[serde(deserialize_with = "nullable")]
    pub primary_mirror_sql_instance: Option<String>,
    /// The monitor; null: the record's.
    #[serde(deserialize_with = "nullable")]
    pub monitor_sql_instance: Option<String>,
    pub plan_only: bool,
    #[serde(deserialize_with = "nullable")]
    pub approved_digest: Option<String>,
}

/// `Test-PChatFailover`, `New-PChatFailoverPlan` and `Invoke-PChatFailover`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailoverRequest {
    pub version: u32,
    pub target: Target,
    pub folders: Folders,
    pub journal: JournalPlace,
    /// FQDNs of the servers to be active, at most 4.
    pub active_servers: Vec<String>,
    /// UNC path of the share through which the mirror is set up.
    #[serde(deserialize_with = "nullable")]
    pub mirror_file_share: Option<String>,
    /// The instance whose death is to be believed; the log shipping record names it otherwise.
    #[serde(deserialize_with = "nullable")]
    pub primary_sql_instance: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub primary_mirror_sql_instance: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub backup_mirror_sql_instance: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub monitor_sql_instance: Option<String>,
    /// When the primary was lost, as far as the operator knows; only for stating the loss.
    #[serde(deserialize_with = "nullable")]
    pub outage_utc: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub accept_data_loss: Option<String>,
    pub ignore_witness: Vec<String>,
    pub mirror_after_active_servers: bool,
    pub no_log_backup: bool,
    #[serde(deserialize_with = "nullable")]
    pub log_backup_path: Option<String>,
    pub log_backup_interval_minutes: u32,
    #[serde(deserialize_with = "nullable")]
    pub max_megabytes_per_second: Option<u32>,
    /// How long an endpoint may stay silent before it counts as unreachable.
    pub probe_timeout_seconds: u32,
    /// How long replication and other waits on the pool may take.
    pub pool_timeout_seconds: u32,
    pub spellings: Spellings,
}

/// `Invoke-PChatFailover`, once the plan was shown and confirmed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunStartRequest {
    pub version: u32,
    /// The plan that was confirmed, with its request inside; its restores and files are digests.
    #[serde(deserialize_with = "super::plan::without_details")]
    pub plan: Plan,
}

/// `Get-PChatRun`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunListRequest {
    pub version: u32,
    pub journal: JournalPlace,
    /// One run, with its steps; all of them without.
    #[serde(deserialize_with = "nullable")]
    pub run_id: Option<String>,
    pub open_only: bool,
}

/// `Resume-PChatRun` and `Undo-PChatRun`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRequest {
    pub version: u32,
    pub journal: JournalPlace,
    /// The only open run where none is named.
    #[serde(deserialize_with = "nullable")]
    pub run_id: Option<String>,
    /// Overrides for a machine that sees the folders elsewhere.
    pub path_map: Vec<PathMapEntry>,
    /// Say what would be done, but change nothing.
    pub plan_only: bool,
    #[serde(deserialize_with = "nullable")]
    pub accept_data_loss: Option<String>,
    /// For a resume: FQDNs of the servers to be active instead of the plan's own.
    #[serde(deserialize_with = "nullable")]
    pub active_servers: Option<Vec<String>>,
}
