//! What carries the steps of a planned switch out: those of a failover around its own.

use super::plan::REMOVE_RECORDS;
use super::remove_records::RemoveRecords;
use super::PlannedSwitch;
use crate::document::Plan;
use crate::error::Result;
use crate::failover::plan::step_name;
use crate::failover::step::{
    active_servers, copy_and_restore, gate, lock_out, log_backups, mirror, pool_state, recover, remove_log_shipping,
    report, test_message,
};
use crate::run::step::unknown_step;
use crate::run::{Step, Unit};
use crate::switch::step::{
    name, ClearActiveList, Drain, MirroringOff, QuietJobs, RestartServices, Salvage, SessionsGone, StartServices,
    StopServices, Tail,
};

/// The units of a plan's steps.
///
/// # Errors
/// For a step of another release.
pub(super) fn of(plan: &Plan) -> Result<Vec<Unit<PlannedSwitch>>> {
    let unit = |planned: &crate::document::PlannedStep| {
        let step: Box<dyn Step<PlannedSwitch>> = match planned.name.as_str() {
            name::STOP_SERVICES => Box::new(StopServices::channel()),
            name::DRAIN => Box::new(Drain),
            name::CLEAR_ACTIVE_LIST => Box::new(ClearActiveList),
            name::STOP_COMPLIANCE => Box::new(StopServices::compliance()),
            name::SESSIONS_GONE => Box::new(SessionsGone),
            name::QUIET_JOBS => Box::new(QuietJobs),
            name::MIRRORING_OFF => Box::new(MirroringOff),
            name::TAIL => Box::new(Tail),
            name::SALVAGE => Box::new(Salvage),
            step_name::LOCK_OUT => Box::new(lock_out::LockOut::before_restore()),
            step_name::COPY_AND_RESTORE => Box::new(copy_and_restore::CopyAndRestore),
            step_name::GATE => Box::new(gate::Gate),
            step_name::RECOVER => Box::new(recover::Recover),
            step_name::REMOVE_LOG_SHIPPING => Box::new(remove_log_shipping::RemoveLogShipping),
            REMOVE_RECORDS => Box::new(RemoveRecords),
            step_name::POOL_STATE => Box::new(pool_state::PoolState),
            step_name::MIRROR => Box::new(mirror::Mirror),
            name::START_SERVICES => Box::new(StartServices),
            step_name::ACTIVE_SERVERS => Box::new(active_servers::ActiveServers),
            name::RESTART_SERVICES => Box::new(RestartServices),
            step_name::TEST_MESSAGE => Box::new(test_message::TestMessage),
            step_name::LOG_BACKUPS => Box::new(log_backups::LogBackups),
            step_name::REPORT => Box::<report::Report>::default(),
            other => return Err(unknown_step(other)),
        };
        Ok(Unit { planned: planned.clone(), step })
    };
    plan.steps.iter().map(unit).collect()
}
