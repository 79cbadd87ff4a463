//! The steps.

use crate::document::FailoverRequest;
use crate::evidence::Evidence;
use crate::names::ServerPath;

/// The stable names of the steps.
pub mod step_name {
    /// Restore and copy job are disabled and waited for.
    pub const QUIESCE_JOBS: &str = "quiesce_jobs";
    /// A STANDBY database is taken from its readers and goes to RESTORING.
    pub const LOCK_OUT: &str = "lock_out";
    /// Log backups are copied and restored, overlapped.
    pub const COPY_AND_RESTORE: &str = "copy_and_restore";
    /// Proof that nothing later is known, or the loss accepted by name.
    pub const GATE: &str = "gate";
    pub const REMOVE_LOG_SHIPPING: &str = "remove_log_shipping";
    pub const END_CONNECTIONS: &str = "end_connections";
    /// The point of no return.
    pub const RECOVER: &str = "recover";
    /// The active list is cleared, the pool set to FailedOver, replication waited for.
    pub const POOL_STATE: &str = "pool_state";
    pub const MIRROR: &str = "mirror";
    pub const ACTIVE_SERVERS: &str = "active_servers";
    /// Full backup and log backup job.
    pub const LOG_BACKUPS: &str = "log_backups";
    pub const REPORT: &str = "report";
}

/// Where log backups go after the failover: as asked, or the instance's own folder for backups.
pub fn log_backup_folder(evidence: &Evidence, request: &FailoverRequest) -> Option<ServerPath> {
    let asked = request.log_backup_path.as_deref().filter(|path| !path.trim().is_empty()).map(ServerPath::new);
    asked.or_else(|| evidence.default_backup_folder.clone())
}
