//! The request of a planned switch: what of it can be carried out, and the folders that follow from it.

use std::path::Path;

use crate::baseline;
use crate::document::{Plan, PlanRequest, PlannedSwitchRequest};
use crate::error::{Error, ErrorKind, Result};
use crate::evidence::Evidence;
use crate::run::workflow::other_kind;

/// The request inside a plan of this workflow.
///
/// # Errors
/// That of another kind of plan.
pub(super) fn request_of(plan: &Plan) -> Result<&PlannedSwitchRequest> {
    match &plan.request {
        PlanRequest::PlannedSwitch(request) => Ok(request),
        other => Err(other_kind(other)),
    }
}

/// Refuses what only a disaster knows, and gives the journal's second copy its place beside the baseline.
pub(super) fn usable(mut request: PlannedSwitchRequest) -> Result<PlannedSwitchRequest> {
    let own = &mut request.failover;
    let of_a_disaster = [
        ("-AcceptDataLoss", own.accept_data_loss.is_some()),
        ("-OutageTime", own.outage_utc.is_some()),
        ("-IgnoreWitness", !own.ignore_witness.is_empty()),
    ];
    if let Some((parameter, _)) = of_a_disaster.iter().find(|(_, given)| *given) {
        return Err(Error::new(
            ErrorKind::InvalidValue,
            format!("`{parameter}` belongs to a disaster, not to a switch."),
        )
        .with_unchanged("Nothing was started.")
        .with_next("Leave it out: a planned switch loses nothing."));
    }
    let place = &mut own.journal;
    if place.journal_copy_path.is_none() && !place.no_journal_copy {
        place.journal_copy_path =
            request.baseline_path.as_deref().map(|path| baseline::folder_of(Path::new(path)).display().to_string());
    }
    Ok(request)
}

/// A named baseline must be there and readable before anything is looked at: the way home needs it.
///
/// # Errors
/// `BaselineNotFound` (7007), `BaselineUnreadable` (7009).
pub(super) async fn need_baseline(request: &PlannedSwitchRequest) -> Result<()> {
    let Some(path) = request.baseline_path.clone() else { return Ok(()) };
    let database = request.failover.target.database.clone();
    tokio::task::spawn_blocking(move || baseline::newest(Path::new(&path), Some(&database)))
        .await
        .map_err(|error| Error::new(ErrorKind::InternalFault, format!("the baseline could not be read: {error}.")))?
        .map(drop)
        .map_err(|error| error.with_next("Save one with `Save-PChatBaseline`, or leave `-BaselinePath` out."))
}

/// Servers as FQDNs. Log backups since the switch go to the share, so that the old primary can follow without seeding.
pub(super) fn completed(mut request: PlannedSwitchRequest, evidence: &Evidence) -> PlannedSwitchRequest {
    request.failover.active_servers = evidence.pool.servers_of(&request.failover.active_servers);
    let share = evidence.files.share().filter(|share| share.by_server.known().is_some());
    if let (None, Some(share)) = (&request.failover.log_backup_path, share) {
        request.failover.log_backup_path = Some(share.path.to_string());
    }
    request
}
