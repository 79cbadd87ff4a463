//! A pool as its own object in the shell tells it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::nullable;

/// `New-PChatFailoverPlan` with an object of `Get-CsService -PersistentChatServer`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolFindRequest {
    pub version: u32,
    /// The object's properties as texts, lists of texts or null, whichever it has.
    pub service: Map<String, Value>,
}

/// Result `pool_topology`: what a failover takes from the topology.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolTopology {
    /// The backup instance.
    pub sql_instance: String,
    pub pool_fqdn: String,
    #[serde(deserialize_with = "nullable")]
    pub primary_sql_instance: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub primary_mirror_sql_instance: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub backup_mirror_sql_instance: Option<String>,
    /// Proposed: members whose services answer, at most four.
    pub active_servers: Vec<String>,
}
