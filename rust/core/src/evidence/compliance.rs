//! What waits for the compliance adapter, where it can be read.

use super::Reading;
use crate::sql::compliance::Backlog;

/// One instance's compliance database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComplianceEvidence {
    pub sql_instance: String,
    /// `Known(None)`: the instance has no compliance database.
    pub backlog: Reading<Option<Backlog>>,
}
