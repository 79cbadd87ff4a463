//! The steps of a failback that are its own, one file each, and how all of a plan are put together.

pub(crate) mod archive;
mod catch_up;
pub(crate) mod documented;
pub(super) mod log_backups;
mod log_shipping;
mod mirror;
mod mirror_log_shipping;
mod new_file;
mod old_log_shipping;
mod options;
mod recover;
mod report;
mod restore_tail;
pub(super) mod save_copies;
mod secondary_logs;
mod seed;
mod tidy;
pub(super) mod verify;

use super::Failback;
use crate::document::Plan;
use crate::error::Result;
use crate::failback::plan::step_name;
use crate::failover::step::active_servers::ActiveServers;
use crate::failover::step::pool_state::PoolState;
use crate::failover::step::test_message::TestMessage;
use crate::run::step::unknown_step;
use crate::run::{Step, Unit};
use crate::switch::step as shared;

/// The steps of a plan with the code that carries each out.
///
/// # Errors
/// `InvalidRequest` (1001) for a step that this release does not know.
pub(super) fn units(plan: &Plan) -> Result<Vec<Unit<Failback>>> {
    plan.steps
        .iter()
        .map(|planned| {
            let step: Box<dyn Step<Failback>> = match planned.name.as_str() {
                step_name::LOG_BACKUPS_TO_SHARE => Box::new(log_backups::LogBackupsToShare),
                step_name::OLD_LOG_SHIPPING => Box::new(old_log_shipping::OldLogShipping),
                step_name::SAVE_COPIES => Box::new(save_copies::SaveCopies),
                step_name::SEED => Box::new(seed::Seed),
                step_name::CATCH_UP => Box::new(catch_up::CatchUp),
                step_name::STOP_SERVICES => Box::new(shared::StopServices::channel()),
                step_name::DRAIN => Box::new(shared::Drain),
                step_name::CLEAR_ACTIVE_LIST => Box::new(shared::ClearActiveList),
                step_name::STOP_COMPLIANCE => Box::new(shared::StopServices::compliance()),
                step_name::SESSIONS_GONE => Box::new(shared::SessionsGone),
                step_name::QUIET_JOBS => Box::new(shared::QuietJobs),
                step_name::MIRRORING_OFF => Box::new(shared::MirroringOff),
                step_name::FULL_BACKUP_ALONE => Box::new(documented::FullBackupAlone),
                step_name::RESTORE_FULL => Box::new(documented::RestoreFull),
                step_name::RESEED_BACKUP => Box::new(documented::ReseedBackup),
                step_name::TAIL => Box::new(shared::Tail),
                step_name::RESTORE_TAIL => Box::new(restore_tail::RestoreTail),
                step_name::RECOVER => Box::new(recover::Recover),
                step_name::OPTIONS => Box::new(options::Options),
                step_name::POOL_STATE => Box::new(PoolState),
                step_name::START_SERVICES => Box::new(shared::StartServices),
                step_name::ACTIVE_SERVERS => Box::new(ActiveServers),
                step_name::MIRROR => Box::new(mirror::Mirror),
                step_name::RESTART_SERVICES => Box::new(shared::RestartServices),
                step_name::SECONDARY_LOGS => Box::new(secondary_logs::SecondaryLogs),
                step_name::ARCHIVE => Box::new(archive::Archive),
                step_name::LOG_SHIPPING => Box::new(log_shipping::LogShipping),
                step_name::MIRROR_LOG_SHIPPING => Box::new(mirror_log_shipping::MirrorLogShipping),
                step_name::TIDY => Box::new(tidy::Tidy),
                step_name::TEST_MESSAGE => Box::new(TestMessage),
                step_name::VERIFY => Box::<verify::Verify>::default(),
                step_name::REPORT => Box::<report::Report>::default(),
                other => return Err(unknown_step(other)),
            };
            Ok(Unit { planned: planned.clone(), step })
        })
        .collect()
}
