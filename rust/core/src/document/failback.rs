//! The request of a failback.

use serde::{Deserialize, Serialize};

use super::{nullable, JournalPlace, PathMapEntry, Spellings, Target};
use crate::baseline::Baseline;

/// `Invoke-PChatFailback` and `New-PChatFailbackPlan`: the way home, from the backup that serves to the primary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailbackRequest {
    pub version: u32,
    /// The backup, which serves now.
    pub target: Target,
    /// What the baseline names may be left out.
    #[serde(deserialize_with = "nullable")]
    pub backup_mirror_sql_instance: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub primary_sql_instance: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub primary_mirror_sql_instance: Option<String>,
    /// FQDNs of the servers to be active, at most 4; those of the baseline where none is named.
    pub active_servers: Vec<String>,
    /// Instead of the share of the baseline's log shipping.
    #[serde(deserialize_with = "nullable")]
    pub log_backup_share: Option<String>,
    /// UNC path of the share through which the mirror is set up.
    #[serde(deserialize_with = "nullable")]
    pub mirror_file_share: Option<String>,
    /// A baseline's file, or the folder of several, as this process opens it.
    #[serde(deserialize_with = "nullable")]
    pub baseline_path: Option<String>,
    /// The baseline itself; read from its path where it is left out.
    #[serde(deserialize_with = "nullable")]
    pub baseline: Option<Box<Baseline>>,
    pub path_map: Vec<PathMapEntry>,
    pub journal: JournalPlace,
    /// The published page's own order, with a full backup alone.
    pub documented: bool,
    /// Instances at home whose restoring copy is off the backup's history, and may be recovered, saved and overwritten.
    pub recover_and_save: Vec<String>,
    /// The operator's word that mgccomp holds nothing more that its adapter has to process.
    pub compliance_drained: bool,
    /// How long compliance may take to drain, and sessions of stopped services to end.
    pub drain_timeout_seconds: u32,
    /// How long one service may take to stop or start.
    pub service_timeout_seconds: u32,
    /// How long replication and other waits on the pool may take.
    pub pool_timeout_seconds: u32,
    pub spellings: Spellings,
}
