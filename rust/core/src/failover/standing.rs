//! How a failover stands when another process takes it up: what must still hold, and what the journal alone tells.

use std::sync::Arc;

use chrono::Utc;

use crate::check;
use crate::document::CheckResult;
use crate::error::Error;
use crate::evidence::{Capture, Evidence, FileEvidence, JournalEvidence, Reading};
use crate::host::{Host, Level};
use crate::log_chain::Listing;

/// A witness is named to a new run only. While this one can still be given up, a new one is refused beside it; later, a new
/// one finds the capture of this one. `undo` gives it up, as an operator types it; `None` where that is past.
pub(super) fn with_way_out(mut error: Error, undo: Option<&str>) -> Error {
    if !error.next.contains("-IgnoreWitness") {
        return error;
    }
    error.next.push_str(" `Resume-PChatRun` takes no witness to ignore: for that ");
    error.next.push_str(&match undo {
        Some(undo) => format!("give this run up with `{undo}`, then start anew with `Invoke-PChatFailover`."),
        None => "start anew with `Invoke-PChatFailover`, which finds what this run has captured.".to_string(),
    });
    error
}

/// What must still hold: who is alive, the right world, and the rights. The chain is the gate's business. Once the
/// database is recovered, a primary that came back is no reason to stop, but one to hurry with its fencing.
pub(super) fn still_needed(checks: Vec<CheckResult>, online: bool, host: &Arc<dyn Host>) -> Vec<CheckResult> {
    checks
        .into_iter()
        .filter(|result| {
            let is_death = result.name == "PrimaryIsDown" || result.name.starts_with("Witness");
            if is_death && online {
                if check::blocks(result) {
                    host.message(
                        Level::Warning,
                        format!(
                            "{}: {}. The database is recovered already; fence the old site now.",
                            result.name, result.value
                        ),
                    );
                }
                return false;
            }
            let always =
                matches!(result.name.as_str(), "CommandsAreReal" | "InstanceReachable" | "Rights" | "SqlRights");
            // Before the point of no return it must be sure that the pool can follow.
            let before = matches!(result.name.as_str(), "PoolReachable" | "PoolRights");
            // A list that a resume gives; one that was checked before fits still.
            let list = result.name == "ActiveServers" && result.state == "failed";
            is_death || always || list || (before && !online)
        })
        .collect()
}

/// What the capture tells is enough for giving up; nobody else need be asked.
pub(crate) fn evidence_of(capture: &Capture) -> Evidence {
    let no = || "not asked for giving up".to_string();
    Evidence {
        gathered_at_utc: Utc::now(),
        sql_instance: capture.sql_instance.clone(),
        database: capture.database.clone(),
        instance: capture.instance.clone(),
        default_backup_folder: None,
        mirror_endpoint: capture.mirror_endpoint.clone(),
        state: capture.state.clone(),
        log_shipping: capture.log_shipping.clone(),
        files: FileEvidence {
            places: capture.places.clone(),
            listing: Listing::default(),
            redo: Reading::NotAsked(no()),
            free_bytes: Reading::NotAsked(no()),
        },
        sessions: Reading::NotAsked(no()),
        orphaned_users: Reading::NotAsked(no()),
        primary: capture.primary.clone(),
        backup_mirror: capture.backup_mirror.clone(),
        pool: capture.pool.clone(),
        mirror_file_share: Reading::NotAsked(no()),
        journal: JournalEvidence::default(),
        lock_holder: Reading::NotAsked(no()),
        compliance: Vec::new(),
    }
}
