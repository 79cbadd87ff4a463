//! The runs that the journals know of.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;

use super::book::steps_of;
use super::kinds::committing_steps;
use super::start::journal_folder;
use crate::document::{CountResult, RunListRequest, RunSummary};
use crate::error::{Error, ErrorKind, Result};
use crate::host::{Cancel, Host, Level};
use crate::journal::{self, Record, RunView};
use crate::operation::OperationResult;

/// Hands out the runs, the newest first. Reads journals alone, no instance.
///
/// # Errors
/// `RunNotFound` (7002) where one is named.
pub(crate) async fn list(request: RunListRequest, host: Arc<dyn Host>, cancel: Cancel) -> Result<OperationResult> {
    let folder = journal_folder(&request.journal);
    let copy = request.journal.journal_copy_path.as_ref().map(PathBuf::from);
    let wanted = request.run_id.clone();
    let runs = tokio::task::spawn_blocking(move || match wanted {
        Some(run_id) => journal::read(&folder, copy.as_deref(), &run_id).map(|run| vec![run]),
        None => Ok(all(&folder, copy.as_deref())),
    })
    .await
    .map_err(|e| Error::new(ErrorKind::InternalFault, format!("the journals could not be read: {e}.")))??;
    let mut count = 0;
    for run in runs.iter().filter(|run| run.is_open || !request.open_only) {
        cancel.check()?;
        if let Some(damage) = &run.damage {
            host.message(Level::Warning, format!("Journal {}: {damage}.", run.path.display()));
        }
        let Some(summary) = summary(run, request.run_id.is_some()) else { continue };
        host.item("run", json!(summary)).await?;
        count += 1;
    }
    OperationResult::new("count", &CountResult { count })
}

fn all(folder: &std::path::Path, copy: Option<&std::path::Path>) -> Vec<RunView> {
    let mut runs = journal::list(folder);
    for run in copy.map(journal::list).unwrap_or_default() {
        match runs.iter_mut().find(|known| known.run_id == run.run_id) {
            Some(known) if known.entries.len() < run.entries.len() => *known = run,
            Some(_) => {}
            None => runs.push(run),
        }
    }
    runs.sort_by(|a, b| b.run_id.cmp(&a.run_id));
    runs
}

fn summary(run: &RunView, with_steps: bool) -> Option<RunSummary> {
    let head = run.head.as_ref()?;
    Some(RunSummary {
        run_id: run.run_id.clone(),
        kind: head.kind.clone(),
        sql_instance: head.sql_instance.clone(),
        database: head.database.clone(),
        pool_fqdn: head.pool_fqdn.clone(),
        started_at_utc: head.started_at_utc.clone(),
        ended_at_utc: run.ended_at_utc.clone(),
        is_open: run.is_open,
        outcome: run.outcome,
        last_step: run.last_step.clone(),
        can_undo: run.is_open && committing_steps(&head.kind).is_some_and(|steps| !is_past_undo(run, steps)),
        operator: head.operator.clone(),
        machine: head.machine.clone(),
        journal_path: run.path.display().to_string(),
        steps: if with_steps { steps_of(&run.entries) } else { Vec::new() },
    })
}

/// As far as the journal tells; the undo itself asks the instance.
pub(super) fn is_past_undo(run: &RunView, committing: &[&str]) -> bool {
    let is_committing = |step: &str| committing.contains(&step);
    let has_failed = |step: &str| {
        run.entries.iter().any(|entry| {
            matches!(&entry.record, Record::EffectEnded { step: of, state, .. } if of == step && state == "failed")
        })
    };
    run.entries.iter().any(|entry| match &entry.record {
        Record::StepEnded { step, state, .. } => is_committing(step) && matches!(state.as_str(), "done" | "already_so"),
        // Sent, and nothing says that it failed: it is likely to be done.
        Record::EffectBegun { step, .. } => is_committing(step) && !has_failed(step),
        _ => false,
    })
}
