//! Conference content: what is asked for, and what is handed out.

use serde::{Deserialize, Serialize};

use super::{nullable, JournalPlace, PathMapEntry};

/// `Wait-PChatBackupService`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupServiceWaitRequest {
    pub version: u32,
    /// The surviving pool.
    pub pool_fqdn: String,
    /// Its partner; looked up where it is not named.
    #[serde(deserialize_with = "nullable")]
    pub damaged_pool_fqdn: Option<String>,
    /// Module names, dotted or short; `All` for every one that a status shows. Without any: `ConfServices.DataConf`, or all
    /// of them in a health check.
    pub backup_modules: Vec<String>,
    /// Both directions are awaited, not that of a restore alone.
    pub health_check: bool,
    /// The sync interval; read from the shell without it.
    #[serde(deserialize_with = "nullable")]
    pub sync_interval_seconds: Option<u32>,
    /// The limit on the wait.
    pub backup_service_timeout_seconds: u32,
}

/// Item `backup_service_module`: one module on one pool, with what was seen and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupServiceModule {
    /// The surviving pool.
    pub pool_fqdn: String,
    pub damaged_pool_fqdn: String,
    /// The pool whose status this is: one of the two.
    pub status_pool_fqdn: String,
    /// `ConfServices.DataConf`.
    pub backup_module: String,
    /// The last word read; null where there was none.
    #[serde(deserialize_with = "nullable")]
    pub export_status: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub import_status: Option<String>,
    /// `export`, `import`, `export and import`: what had to be good. The rest is reported only.
    pub awaited: String,
    /// `done`, `failed` or `waiting`.
    pub state: String,
    pub is_done: bool,
    /// Since when all readings of what is awaited were good.
    #[serde(deserialize_with = "nullable")]
    pub good_since_utc: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub first_read_at_utc: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub last_read_at_utc: Option<String>,
    pub readings: u64,
    /// Every change, oldest first.
    pub seen: Vec<BackupServiceReading>,
    pub text: String,
}

/// What a module showed from a moment on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupServiceReading {
    pub at_utc: String,
    #[serde(deserialize_with = "nullable")]
    pub export_status: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub import_status: Option<String>,
    /// True within the first interval, where a reading decides nothing.
    pub decides_nothing: bool,
}

/// `Invoke-PChatConferenceRestore`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConferenceRestoreRequest {
    pub version: u32,
    /// The pool that lost its content.
    pub damaged_pool_fqdn: String,
    /// The surviving pool; looked up where it is not named.
    #[serde(deserialize_with = "nullable")]
    pub pool_fqdn: Option<String>,
    /// Module names, dotted or short; `All` for all of them; without any: `ConfServices.DataConf`.
    pub backup_modules: Vec<String>,
    /// The operator's word that a failback of the damaged pool has ended, or that there was none.
    pub after_pool_failback: bool,
    #[serde(deserialize_with = "nullable")]
    pub sync_interval_seconds: Option<u32>,
    pub backup_service_timeout_seconds: u32,
    /// The limit on the comparison of both stores, which decides nothing.
    pub comparison_timeout_seconds: u32,
    /// File shares as this machine opens them.
    pub path_map: Vec<PathMapEntry>,
    pub journal: JournalPlace,
}
