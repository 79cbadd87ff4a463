//! Giving a run up: until log shipping was removed, everything is put back; afterwards there is only the way forward.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use chrono::Utc;
use serde_json::json;

use super::detached::detached;
use super::put_back::{planned, put_back};
use super::resume::{find, open, view_of, Found};
use super::{result, Locks, Run, View};
use crate::document::{ActionResult, RunRequest, RunResult};
use crate::error::{Error, ErrorKind, Outcome, Result};
use crate::evidence::{Capture, Evidence, FileEvidence, JournalEvidence, Reading};
use crate::failover::plan::step_name;
use crate::host::{Cancel, Host, Level};
use crate::log_chain::Listing;
use crate::operation::{OperationResult, Session};
use crate::sql::database::{self, DatabaseState};
use crate::sql::{log_shipping, Purpose};

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
    let found = find(&request, "failover").await?;
    let view = view_of(&found, "undo", &request.journal);
    let shown = Arc::clone(&view);
    let stop = cancel.clone();
    detached(
        host,
        cancel,
        move || shown.interim(),
        move |host| async move {
            let result = match take_up(&session, &request, found, &host, &stop, &view).await {
                Ok(run) => {
                    let result = give_up(&run, request.plan_only).await;
                    run.locks.release().await;
                    result
                }
                Err(error) if error.kind.outcome() == Outcome::BadInput => return Err(error),
                Err(error) => result::early(&view, &error),
            };
            OperationResult::new("run", &result)
        },
    )
    .await
}

async fn take_up(
    session: &Arc<Session>,
    request: &RunRequest,
    found: Found,
    host: &Arc<dyn Host>,
    cancel: &Cancel,
    view: &Arc<View>,
) -> Result<Run> {
    let instance = found.plan.sql_instance.parse()?;
    let locks = match request.plan_only {
        true => Locks::none(),
        false => Locks::take(session.connector(), &instance, &[], &found.plan.database, host.as_ref()).await?,
    };
    let book = match open(&found, "undo", request.plan_only, host).await {
        Ok(book) => book,
        Err(error) => {
            locks.release().await;
            return Err(error);
        }
    };
    view.set_steps(book.earlier_steps());
    Ok(Run {
        session: Arc::clone(session),
        host: Arc::clone(host),
        cancel: cancel.clone(),
        run_id: found.view.run_id,
        instance,
        plan: found.plan,
        evidence: evidence_of(&found.capture),
        capture: found.capture,
        book,
        locks,
        view: Arc::clone(view),
        proved_copy_folder: None,
        gate: Mutex::new(None),
        committed: AtomicBool::new(false),
        origin_checked: AtomicBool::new(false),
    })
}

async fn give_up(run: &Run, plan_only: bool) -> RunResult {
    let work = async {
        refuse_after_removal(run).await?;
        run.cancel.check()?;
        match plan_only {
            true => planned(run).await.map(|statements| (statements, true)),
            false => put_back(run).await.map(|done| (done, false)),
        }
    };
    match work.await {
        Ok((lines, is_plan)) => {
            for line in &lines {
                let state = if is_plan { "planned" } else { "done" };
                let action = action(run, state, line);
                let _ = run.host.item("action", json!(action)).await;
            }
            let text = match is_plan {
                true => format!("Giving the run up would run {} statements.", lines.len()),
                false => format!("The run is given up: {}.", lines.join("; ")),
            };
            if !is_plan {
                if let Err(error) = run.book.undone(&text).await {
                    run.host.message(Level::Warning, error.to_string());
                }
            }
            run.view.result(Outcome::Done, None, text, Vec::new())
        }
        Err(error) => {
            let outcome = if error.kind == ErrorKind::Cancelled { Outcome::Cancelled } else { error.kind.outcome() };
            if !plan_only {
                let _ = run.book.stopped(outcome, &error.message).await;
            }
            let next = vec![error.next.clone()].into_iter().filter(|next| !next.is_empty()).collect();
            run.view.result(outcome, Some(&error), error.message.clone(), next)
        }
    }
}

async fn refuse_after_removal(run: &Run) -> Result<()> {
    let mut connection = run.connect(Purpose::Catalog).await?;
    let state = database::need(&mut connection, run.database()).await?.state;
    let record = log_shipping::read_secondary(&mut connection, run.database()).await?;
    let (why, reached) = match (state, record) {
        (DatabaseState::Online, _) => ("the database is recovered", step_name::RECOVER),
        (_, None) if run.capture.log_shipping.is_configured() => {
            ("log shipping is removed", step_name::REMOVE_LOG_SHIPPING)
        }
        _ => return Ok(()),
    };
    let behind = run.plan.steps.iter().position(|step| step.name == reached).map_or(0, |at| at + 1);
    let steps = run.plan.steps.iter().skip(behind);
    let left: Vec<String> =
        steps.filter(|step| !run.view.has_done(&step.name)).map(|step| step.title.clone()).collect();
    let left = if left.is_empty() { "nothing but closing the run".to_string() } else { left.join("; ") };
    Err(Error::new(
        ErrorKind::UndoNotPossible,
        format!("run {} can no longer be given up: {why}. What remains: {left}.", run.run_id),
    )
    .with_unchanged("Nothing was changed; the run stays open.")
    .with_next(format!("Finish it with {}.", result::resume_command(run)))
    .with_target(run.database()))
}

fn action(run: &Run, state: &str, line: &str) -> ActionResult {
    ActionResult {
        sql_instance: run.plan.sql_instance.clone(),
        database: run.plan.database.clone(),
        pool_fqdn: run.plan.pool_fqdn.clone(),
        action: "undo".to_string(),
        object: run.plan.database.clone(),
        state: state.to_string(),
        statement: if state == "planned" { line.to_string() } else { String::new() },
        text: if state == "planned" { String::new() } else { line.to_string() },
    }
}

/// What the capture tells is enough for giving up; nobody else need be asked.
fn evidence_of(capture: &Capture) -> Evidence {
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
    }
}
