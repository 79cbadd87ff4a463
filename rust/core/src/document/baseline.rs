//! Requests and items about baselines.

use serde::{Deserialize, Serialize};

use super::{nullable, Target};

/// `Save-PChatBaseline`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaselineSaveRequest {
    pub version: u32,
    /// The backup instance.
    pub target: Target,
    /// The others; those that are not named are taken from the topology.
    #[serde(deserialize_with = "nullable")]
    pub primary_sql_instance: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub primary_mirror_sql_instance: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub backup_mirror_sql_instance: Option<String>,
    /// `mgccomp`.
    pub compliance_database: String,
    /// A folder as this process opens it.
    pub folder: String,
    /// How many baselines of this database stay there, at least one.
    pub keep: u32,
}

/// `Get-PChatBaseline`. Reads files alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaselineGetRequest {
    pub version: u32,
    /// A file, or a folder whose newest baseline is meant.
    pub path: String,
    /// Only those of one database.
    #[serde(deserialize_with = "nullable")]
    pub database: Option<String>,
    /// All baselines of the folder, newest first.
    pub all: bool,
    /// An earlier one to compare with, a file or a folder.
    #[serde(deserialize_with = "nullable")]
    pub reference_path: Option<String>,
}

/// Item `baseline`: a baseline as a file, and what has drifted since another one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaselineSummary {
    pub path: String,
    pub saved_at_utc: String,
    pub database: String,
    #[serde(deserialize_with = "nullable")]
    pub pool_fqdn: Option<String>,
    /// The backup instance.
    #[serde(deserialize_with = "nullable")]
    pub sql_instance: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub primary_sql_instance: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub primary_mirror_sql_instance: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub backup_mirror_sql_instance: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub log_backup_share: Option<String>,
    pub active_servers: Vec<String>,
    /// True where everything could be read.
    pub is_complete: bool,
    pub unread: Vec<UnreadPart>,
    /// The baseline that it was compared with.
    #[serde(deserialize_with = "nullable")]
    pub reference_path: Option<String>,
    pub drift: Vec<Drift>,
}

/// A part of a baseline that could not be read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnreadPart {
    /// The instance or the pool.
    pub subject: String,
    pub part: String,
    pub why: String,
}

/// A place of the configuration that two baselines tell differently.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drift {
    /// The instance or the pool.
    pub subject: String,
    /// `primary`, `primary_mirror`, `backup`, `backup_mirror`, `pool`, or `baseline`.
    pub role: String,
    /// `jobs[backup].job.is_enabled`.
    pub part: String,
    /// `changed`, `added`, `gone`, or `unread` where one of the two could not read it.
    pub kind: String,
    #[serde(deserialize_with = "nullable")]
    pub earlier: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub now: Option<String>,
}
