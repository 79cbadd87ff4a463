//! The request of a planned switch.

use serde::{Deserialize, Serialize};

use super::{nullable, FailoverRequest};

/// `New-PChatFailoverPlan -Planned` and `Invoke-PChatFailover -Planned`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedSwitchRequest {
    pub version: u32,
    /// As for a failover: the instance that is to serve, folders, journal, servers, mirror, log backups. Time of an outage,
    /// accepted loss and ignored witnesses stay empty: nothing is lost.
    pub failover: FailoverRequest,
    /// True for a living instance whose database is damaged: what its log still holds is saved, instead of a tail taken.
    pub salvage_tail: bool,
    /// The operator's word that compliance has processed everything.
    pub compliance_drained: bool,
    /// How long compliance may take to drain, and sessions of stopped services to end.
    pub drain_timeout_seconds: u32,
    /// How long one service may take to stop or start.
    pub service_timeout_seconds: u32,
    /// The folder of the baseline at the backup site, or a file in it: the journal's second copy goes there, where no other
    /// place is named for it. Without either it must be declined by name.
    #[serde(deserialize_with = "nullable")]
    pub baseline_path: Option<String>,
}
