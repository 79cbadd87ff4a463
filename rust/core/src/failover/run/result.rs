//! The last word of a run: loss, state reached, and what is left to do.

use super::engine::Ending;
use super::Run;
use crate::document::RunResult;
use crate::error::{Error, Outcome};
use crate::failover::plan::step_name;
use crate::failover::step::recover::ORPHANED_USERS;
use crate::sql::fencing;

/// The result of a run that carried out steps.
pub(crate) fn of(run: &Run, ending: &Ending) -> RunResult {
    let next = next_actions(run, ending);
    run.view.result(ending.outcome, ending.error.as_ref(), text(run, ending), next)
}

fn text(run: &Run, ending: &Ending) -> String {
    let (database, instance, run_id) = (run.database(), &run.instance, &run.run_id);
    let stopped_at = || match ending.error.as_ref().and_then(|error| error.step.clone()) {
        Some(step) => format!(" in the step {step}"),
        None => String::new(),
    };
    match (ending.outcome, ending.was_put_back) {
        (Outcome::Done, _) => {
            let loss = run.view.loss_text();
            format!("{database} is served by {instance}. {loss}").trim_end().to_string()
        }
        (Outcome::Cancelled, true) => {
            format!(
                "Cancelled{}. Jobs and state of {database} are as they were; restored log backups stay restored.",
                stopped_at()
            )
        }
        (Outcome::Cancelled, false) => format!(
            "Cancelled{}. {} Run {run_id} is open and goes on with Resume-PChatRun.",
            stopped_at(),
            reached(run)
        ),
        (Outcome::Incomplete, _) => format!("Incomplete{}. {} Run {run_id} is open.", stopped_at(), reached(run)),
        (outcome, true) => format!(
            "{}{}. Jobs and state of {database} are as they were; restored log backups stay restored.",
            word(outcome),
            stopped_at()
        ),
        (outcome, false) => format!("{}{}. {}", word(outcome), stopped_at(), reached(run)),
    }
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Refused => "Refused",
        Outcome::Locked => "Locked",
        Outcome::Cancelled => "Cancelled",
        _ => "Failed",
    }
}

fn reached(run: &Run) -> String {
    let (database, instance) = (run.database(), &run.instance);
    if run.view.has_done(step_name::ACTIVE_SERVERS) {
        return format!("{database} is online on {instance} and users get in.");
    }
    if run.view.has_done(step_name::RECOVER) {
        return format!("{database} is online on {instance}; users do not get in yet.");
    }
    if run.view.has_done(step_name::REMOVE_LOG_SHIPPING) {
        return format!("Log shipping of {database} is removed and the database is not recovered yet.");
    }
    format!(
        "{database} on {instance} is not recovered, and log shipping is still configured; its jobs may be disabled, which \
         Undo-PChatRun puts back."
    )
}

/// What is left to do, in order.
fn next_actions(run: &Run, ending: &Ending) -> Vec<String> {
    let mut next = Vec::new();
    if let Some(error) = &ending.error {
        if !error.next.is_empty() {
            next.push(error.next.clone());
        }
    }
    if is_open(ending.outcome) {
        next.push(format!("To go on: {}", resume_command(run)));
        if run.can_put_back() {
            next.push(format!("To give up: Undo-PChatRun{}", run.view.run_arguments()));
        }
    }
    if !run.view.has_done(step_name::RECOVER) {
        return next;
    }
    let orphans: Vec<String> = run.book.fact(ORPHANED_USERS).unwrap_or_default();
    if !orphans.is_empty() {
        next.push(format!(
            "Create the missing logins on {} for these users of {}: {}.",
            run.instance,
            run.database(),
            orphans.join(", ")
        ));
    }
    next.push(compliance(run));
    next.push(fencing(run));
    next.push(
        "Later, when the old site is back: set up log shipping to it anew and fail back; until then it has no copy."
            .to_string(),
    );
    next
}

/// True where the run can be resumed after it ended so.
pub(crate) fn is_open(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Incomplete | Outcome::Cancelled | Outcome::Failed)
}

/// The command that goes on, as an operator types it.
pub(crate) fn resume_command(run: &Run) -> String {
    format!("Resume-PChatRun{}", run.view.run_arguments())
}

/// mgccomp is not failed over: its rows are transient, and what waited there lies in the dead site.
fn compliance(run: &Run) -> String {
    let service = run.evidence.pool.service().or_else(|| run.capture.pool.service());
    let is_on = service.is_some_and(|service| service.compliance_store.is_some());
    let condition = if is_on { "Compliance" } else { "Where compliance is on" };
    format!(
        "{condition}: mgccomp is not failed over. Events that its adapter had not processed stay in the old site; keep the \
         adapter's output, and check that the compliance service of the active servers works with the backup's mgccomp."
    )
}

/// The old site must not wake up as a second primary. The script is printed, never run.
fn fencing(run: &Run) -> String {
    let record = run.capture.log_shipping.record.as_ref();
    let database = record.map_or(run.database(), |record| record.primary_database.as_str());
    let primary = run.evidence.primary.name.as_deref().or(record.map(|r| r.primary_server.as_str()));
    let script = fencing::script(database).unwrap_or_default();
    format!(
        "Fence the old site before its servers are powered on: disable the Persistent Chat services there. On its return run this \
         on {} and on its mirror: {script}",
        primary.unwrap_or("the old primary")
    )
}

/// A result for a run that was refused or locked before it had a journal.
pub(crate) fn early(view: &super::View, error: &Error) -> RunResult {
    let outcome = error.kind.outcome();
    let next = if error.next.is_empty() { Vec::new() } else { vec![error.next.clone()] };
    let text = match outcome {
        Outcome::NothingToDo => error.message.clone(),
        outcome => format!("{} before anything was changed.", word(outcome)),
    };
    view.result(outcome, Some(error), text, next)
}
