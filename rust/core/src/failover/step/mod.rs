//! The steps of a failover, one file each. A step knows whether it is already so, and how to make it so; the run does the
//! rest: order, journal, locks, cancel.

mod active_servers;
pub(crate) mod copy_and_restore;
pub(crate) mod gate;
pub(crate) mod lock_out;
mod log_backups;
mod mirror;
mod pool_state;
pub(crate) mod quiesce_jobs;
pub(crate) mod recover;
pub(crate) mod remove_log_shipping;
mod report;

use async_trait::async_trait;
use serde_json::Value;

use super::plan::step_name;
use super::run::engine::Unit;
use super::run::Run;
use crate::document::Plan;
use crate::error::{Error, ErrorKind, Result};

/// What a step's probe sees in the system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It is so; what is seen, in one line.
    So(String),
    /// It is not so yet; what is seen instead.
    NotYet(String),
}

/// What follows when a step fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnFailure {
    /// Nothing has happened that cannot be put back: jobs, STANDBY, MULTI_USER.
    PutBack,
    /// The run stops here, to be resumed.
    Stop,
    /// Nothing later relies on it: the run goes on and ends incomplete.
    GoOn,
}

/// One step.
#[async_trait]
pub(crate) trait Step: Send + Sync {
    /// Stable, as in the plan: `copy_and_restore`.
    fn name(&self) -> &'static str;

    fn on_failure(&self) -> OnFailure;

    /// Whether it is already so. Asks the system, never the journal alone; changes nothing.
    async fn probe(&self, run: &Run) -> Result<Seen>;

    /// What is about to be done, for the journal.
    fn intent(&self, _run: &Run) -> Value {
        Value::Null
    }

    /// Makes it so; what was done, in one line. Whether it succeeded is for the probe to say.
    async fn act(&self, run: &Run) -> Result<String>;
}

/// The steps of a plan with the code that carries each out.
///
/// # Errors
/// `InvalidRequest` (1001) for a step that this release does not know.
pub(crate) fn units(plan: &Plan) -> Result<Vec<Unit>> {
    plan.steps
        .iter()
        .map(|planned| {
            let step: Box<dyn Step> = match planned.name.as_str() {
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
                step_name::LOG_BACKUPS => Box::new(log_backups::LogBackups),
                step_name::REPORT => Box::<report::Report>::default(),
                other => {
                    return Err(Error::new(
                        ErrorKind::InvalidRequest,
                        format!("the plan has a step `{other}`, which this release does not know."),
                    )
                    .with_unchanged("Nothing was changed.")
                    .with_next("Make the plan anew with this release."))
                }
            };
            Ok(Unit { planned: planned.clone(), step })
        })
        .collect()
}
