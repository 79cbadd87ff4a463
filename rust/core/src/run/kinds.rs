//! The kinds of runs, and which workflow carries each out.

use std::sync::Arc;

use super::resume::{find, resume_as};
use super::start::start_as;
use super::undo::undo_as;
use super::Workflow;
use crate::conference::ConferenceRestore;
use crate::document::{PlanRequest, RunRequest, RunStartRequest};
use crate::error::{Error, ErrorKind, Result};
use crate::failback::Failback;
use crate::failover::Failover;
use crate::host::{Cancel, Host};
use crate::operation::{OperationResult, Session};
use crate::switch::PlannedSwitch;

/// Runs a plan from its beginning.
///
/// # Errors
/// Bad input; every other end is in the result.
pub(crate) async fn start(
    session: Arc<Session>,
    request: RunStartRequest,
    host: Arc<dyn Host>,
    cancel: Cancel,
) -> Result<OperationResult> {
    match request.plan.request {
        PlanRequest::Failover(_) => start_as::<Failover>(session, request.plan, host, cancel).await,
        PlanRequest::PlannedSwitch(_) => start_as::<PlannedSwitch>(session, request.plan, host, cancel).await,
        PlanRequest::ConferenceRestore(_) => start_as::<ConferenceRestore>(session, request.plan, host, cancel).await,
        PlanRequest::Failback(_) => start_as::<Failback>(session, request.plan, host, cancel).await,
    }
}

/// Finishes a run, or with `plan_only` tells what is left of it.
///
/// # Errors
/// Bad input: `RunNotFound` (7002); `RunEnded` (7004) and every other end is in the result.
pub(crate) async fn resume(
    session: Arc<Session>,
    request: RunRequest,
    host: Arc<dyn Host>,
    cancel: Cancel,
) -> Result<OperationResult> {
    let found = find(&request).await?;
    match found.kind() {
        Failover::KIND => resume_as::<Failover>(session, request, found, host, cancel).await,
        PlannedSwitch::KIND => resume_as::<PlannedSwitch>(session, request, found, host, cancel).await,
        ConferenceRestore::KIND => resume_as::<ConferenceRestore>(session, request, found, host, cancel).await,
        Failback::KIND => resume_as::<Failback>(session, request, found, host, cancel).await,
        other => Err(no_run(&found.view.run_id, other)),
    }
}

/// Puts back what a run has changed and closes it, or with `plan_only` tells the statements.
///
/// # Errors
/// Bad input: `RunNotFound` (7002); `UndoNotPossible` (5014) and every other end is in the result.
pub(crate) async fn undo(
    session: Arc<Session>,
    request: RunRequest,
    host: Arc<dyn Host>,
    cancel: Cancel,
) -> Result<OperationResult> {
    let found = find(&request).await?;
    match found.kind() {
        Failover::KIND => undo_as::<Failover>(session, request, found, host, cancel).await,
        PlannedSwitch::KIND => undo_as::<PlannedSwitch>(session, request, found, host, cancel).await,
        ConferenceRestore::KIND => undo_as::<ConferenceRestore>(session, request, found, host, cancel).await,
        Failback::KIND => undo_as::<Failback>(session, request, found, host, cancel).await,
        other => Err(no_run(&found.view.run_id, other)),
    }
}

/// The steps after which a run of this kind can only go on; `None` for a single command, which is no run.
pub(super) fn committing_steps(kind: &str) -> Option<&'static [&'static str]> {
    match kind {
        Failover::KIND => Some(Failover::COMMITTING_STEPS),
        PlannedSwitch::KIND => Some(PlannedSwitch::COMMITTING_STEPS),
        ConferenceRestore::KIND => Some(ConferenceRestore::COMMITTING_STEPS),
        Failback::KIND => Some(Failback::COMMITTING_STEPS),
        _ => None,
    }
}

pub(super) fn no_run(run_id: &str, kind: &str) -> Error {
    Error::new(ErrorKind::InvalidValue, format!("run {run_id} is a single command (`{kind}`) and is not resumed."))
        .with_unchanged("Nothing was changed.")
        .with_next("Run that command again: it goes on from what it finds.")
        .with_target(run_id)
}
