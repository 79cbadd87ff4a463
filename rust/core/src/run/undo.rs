//! Giving a run up: until its point of no return everything is put back; afterwards there is only the way forward.

use std::sync::Arc;

use serde_json::json;

use super::detached::detached;
use super::resume::{open, view_of, Found};
use super::{at_work, result, Locks, Outside, Parts, Run, Workflow};
use crate::document::{ActionResult, RunRequest, RunResult};
use crate::error::{Error, ErrorKind, Outcome, Result};
use crate::host::{Cancel, Host, Level};
use crate::operation::{OperationResult, Session};
use crate::system_log;

/// Puts back what a run of this workflow has changed and closes it, or with `plan_only` tells the statements.
///
/// # Errors
/// Bad input; `UndoNotPossible` (5014) and every other end is in the result.
pub(super) async fn undo_as<W: Workflow>(
    session: Arc<Session>,
    request: RunRequest,
    found: Found,
    host: Arc<dyn Host>,
    cancel: Cancel,
) -> Result<OperationResult> {
    let view = view_of(&found, "undo", &request.journal);
    view.set_on_cancel(W::ON_CANCEL);
    let (shown, stop) = (Arc::clone(&view), cancel.clone());
    detached(
        host,
        cancel,
        move || shown.interim(),
        move |host| async move {
            let outside = Outside { session, host, cancel: stop, view };
            let result = match take_up::<W>(&outside, &request, found).await {
                Ok(run) => {
                    let result = give_up(&run, request.plan_only).await;
                    run.locks.release().await;
                    result
                }
                Err(error) if error.kind.outcome() == Outcome::BadInput => return Err(error),
                Err(error) => result::early(&outside.view, &error),
            };
            OperationResult::new("run", &result)
        },
    )
    .await
}

async fn take_up<W: Workflow>(outside: &Outside, request: &RunRequest, found: Found) -> Result<Run<W>> {
    let capture: W::Capture = found.capture::<W>()?;
    let work = W::of_journal(&found.plan, &capture)?;
    let locks = match request.plan_only {
        true => Locks::none(),
        false => {
            at_work::wait_for_its_end(&found.view.run_id, outside).await?;
            W::lock_for_undo(outside, &found.plan).await?
        }
    };
    let book = match open(&found, "undo", request.plan_only, &outside.host).await {
        Ok(book) => book,
        Err(error) => {
            locks.release().await;
            return Err(error);
        }
    };
    outside.view.set_steps(book.earlier_steps());
    let (run_id, plan) = (found.view.run_id, found.plan);
    Ok(Run::new(outside, Parts { run_id, plan, capture, work, book, locks, is_committed: false }))
}

async fn give_up<W: Workflow>(run: &Run<W>, plan_only: bool) -> RunResult {
    let work = async {
        W::refuse_undo(run).await?;
        run.cancel.check()?;
        match plan_only {
            true => W::planned_put_back(run).await.map(|statements| (statements, true)),
            false => W::put_back(run).await.map(|done| (done, false)),
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
                system_log::given_up(&run.plan, W::KIND, &run.run_id, &text);
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

/// The refusal of an undo behind the point of no return: `why` it is, and the step that reached it.
pub(crate) fn not_possible<W: Workflow>(run: &Run<W>, why: &str, reached: &str) -> Error {
    let behind = run.plan.steps.iter().position(|step| step.name == reached).map_or(0, |at| at + 1);
    let steps = run.plan.steps.iter().skip(behind);
    let left: Vec<String> =
        steps.filter(|step| !run.view.has_done(&step.name)).map(|step| step.title.clone()).collect();
    let left = if left.is_empty() { "nothing but closing the run".to_string() } else { left.join("; ") };
    Error::new(
        ErrorKind::UndoNotPossible,
        format!("run {} can no longer be given up: {why}. What remains: {left}.", run.run_id),
    )
    .with_unchanged("Nothing was changed; the run stays open.")
    .with_next(format!("Finish it with {}.", result::resume_command(run)))
    .with_target(run.database())
}

fn action<W: Workflow>(run: &Run<W>, state: &str, line: &str) -> ActionResult {
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
