//! The steps of a plan, in their order: before the database is recovered, and after.

mod after;
mod before;

pub(crate) use after::test_message;
pub use after::{backup_host, log_backup_job, mirror_commands, StoreName};
pub use before::{ignores_monitor, log_restores, may_ignore_monitor};

use super::Decision;
use crate::document::{FailoverRequest, PlannedStep};
use crate::error::Result;
use crate::evidence::Evidence;
use crate::names::ServerPath;

/// The stable names of the steps.
pub mod step_name {
    /// Copy and restore job are disabled and waited for.
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
    /// A message goes from one test user to the other.
    pub const TEST_MESSAGE: &str = "test_message";
    /// Full backup and log backup job.
    pub const LOG_BACKUPS: &str = "log_backups";
    pub const REPORT: &str = "report";
}

/// What every step is made of.
pub(super) struct Parts<'a> {
    pub evidence: &'a Evidence,
    pub request: &'a FailoverRequest,
    pub decision: &'a Decision,
}

/// Every step that this failover takes; one that has nothing to do is left out.
///
/// # Errors
/// `InvalidValue` (1002) for a name or path that no statement can hold.
pub(super) fn all(parts: &Parts<'_>) -> Result<Vec<PlannedStep>> {
    let mut steps = Vec::new();
    steps.extend(before::quiesce_jobs(parts)?);
    steps.extend(before::lock_out(parts)?);
    steps.push(before::copy_and_restore(parts)?);
    steps.push(before::gate(parts));
    steps.extend(before::remove_log_shipping(parts)?);
    steps.push(before::end_connections(parts));
    steps.push(before::recover(parts)?);
    steps.push(after::pool_state(parts));
    let (mirror, active) = (after::mirror(parts), after::active_servers(parts));
    if parts.request.mirror_after_active_servers {
        steps.extend([active, mirror]);
    } else {
        steps.extend([mirror, active]);
    }
    steps.extend(after::test_message(&parts.evidence.pool));
    steps.extend(after::log_backups(parts)?);
    steps.push(after::report(parts));
    for (number, step) in (1..).zip(&mut steps) {
        step.number = number;
    }
    Ok(steps)
}

/// The steps of a failover that a planned switch takes too, without their numbers.
pub(crate) struct SecondarySteps {
    pub lock_out: Option<PlannedStep>,
    pub copy_and_restore: PlannedStep,
    pub gate: PlannedStep,
    pub recover: PlannedStep,
    pub remove_log_shipping: Option<PlannedStep>,
    pub pool_state: PlannedStep,
    pub mirror: PlannedStep,
    pub active_servers: PlannedStep,
    pub test_message: Option<PlannedStep>,
    pub log_backups: Option<PlannedStep>,
    pub report: PlannedStep,
}

/// Plans the part of a switch that is done on the secondary and its pool.
///
/// # Errors
/// `InvalidValue` (1002) for a name or path that no statement can hold.
pub(crate) fn on_secondary(
    evidence: &Evidence,
    request: &FailoverRequest,
    decision: &Decision,
) -> Result<SecondarySteps> {
    let parts = Parts { evidence, request, decision };
    Ok(SecondarySteps {
        lock_out: before::lock_out(&parts)?,
        copy_and_restore: before::copy_and_restore(&parts)?,
        gate: before::gate(&parts),
        recover: before::recover(&parts)?,
        remove_log_shipping: before::remove_log_shipping(&parts)?,
        pool_state: after::pool_state(&parts),
        mirror: after::mirror(&parts),
        active_servers: after::active_servers(&parts),
        test_message: after::test_message(&parts.evidence.pool),
        log_backups: after::log_backups(&parts)?,
        report: after::report(&parts),
    })
}

/// Where log backups go after the failover: as asked, or the instance's own folder for backups.
pub fn log_backup_folder(evidence: &Evidence, request: &FailoverRequest) -> Option<ServerPath> {
    let asked = request.log_backup_path.as_deref().filter(|path| !path.trim().is_empty()).map(ServerPath::new);
    asked.or_else(|| evidence.default_backup_folder.clone())
}

/// Rates that are expected where nothing better is known.
mod rate {
    const MEBIBYTE: u64 = 1024 * 1024;
    /// A gigabit line, half used.
    pub const COPY_BYTES_PER_SECOND: u64 = 50 * MEBIBYTE;
    pub const RESTORE_BYTES_PER_SECOND: u64 = 50 * MEBIBYTE;
    pub const BACKUP_BYTES_PER_SECOND: u64 = 100 * MEBIBYTE;
    /// Opening, checking and closing each file takes its time whatever its size.
    pub const FILES_PER_SECOND: u64 = 4;

    /// Whole seconds for a number of bytes, at least one for any.
    pub fn seconds(bytes: u64, per_second: u64) -> u64 {
        bytes.div_ceil(per_second.max(1))
    }

    /// What an operator allows, as bytes.
    pub fn allowed(max_megabytes_per_second: Option<u32>) -> u64 {
        let limit = max_megabytes_per_second.map_or(u64::MAX, |limit| u64::from(limit.max(1)) * MEBIBYTE);
        limit.min(COPY_BYTES_PER_SECOND)
    }
}
