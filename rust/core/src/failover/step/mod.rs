//! The steps of a failover, one file each.

pub(crate) mod active_servers;
pub(crate) mod copy_and_restore;
pub(crate) mod gate;
pub(crate) mod lock_out;
pub(crate) mod log_backups;
pub(crate) mod mirror;
pub(crate) mod pool_state;
pub(crate) mod quiesce_jobs;
pub(crate) mod recover;
pub(crate) mod remove_log_shipping;
pub(crate) mod replication;
pub(crate) mod report;
mod restores;
pub(crate) mod test_message;

pub(crate) use active_servers::same_host;

use super::plan::step_name;
use super::Failover;
use crate::document::Plan;
use crate::error::Result;
use crate::run::step::unknown_step;
use crate::run::{Step, Unit};

/// The steps of a plan with the code that carries each out.
///
/// # Errors
/// `InvalidRequest` (1001) for a step that this release does not know.
pub(crate) fn units(plan: &Plan) -> Result<Vec<Unit<Failover>>> {
    plan.steps
        .iter()
        .map(|planned| {
            let step: Box<dyn Step<Failover>> = match planned.name.as_str() {
                step_name::QUIESCE_JOBS => Box::new(quiesce_jobs::QuiesceJobs),
                step_name::LOCK_OUT => Box::new(lock_out::LockOut::before_restore()),
                step_name::COPY_AND_RESTORE => Box::new(copy_and_restore::CopyAndRestore),
                step_name::GATE => Box::new(gate::Gate),
                step_name::REMOVE_LOG_SHIPPING => Box::new(remove_log_shipping::RemoveLogShipping),
                step_name::END_CONNECTIONS => Box::new(lock_out::LockOut::before_recovery()),
                step_name::RECOVER => Box::new(recover::Recover),
                step_name::POOL_STATE => Box::new(pool_state::PoolState),
                step_name::MIRROR => Box::new(mirror::Mirror),
                step_name::ACTIVE_SERVERS => Box::new(active_servers::ActiveServers),
                step_name::TEST_MESSAGE => Box::new(test_message::TestMessage),
                step_name::LOG_BACKUPS => Box::new(log_backups::LogBackups),
                step_name::REPORT => Box::<report::Report>::default(),
                other => return Err(unknown_step(other)),
            };
            Ok(Unit { planned: planned.clone(), step })
        })
        .collect()
}
