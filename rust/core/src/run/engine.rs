//! Carrying out steps: probe, intent, action, probe, outcome.

use std::time::Instant;

use chrono::Utc;
use serde_json::json;

use super::{OnFailure, Run, Seen, Step, Workflow};
use crate::document::{PlannedStep, StepResult};
use crate::error::{Error, ErrorKind, Outcome, Result};
use crate::evidence::utc_text;
use crate::host::Level;

/// A step of the plan with the code that carries it out.
pub(crate) struct Unit<W: Workflow> {
    pub planned: PlannedStep,
    pub step: Box<dyn Step<W>>,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ending {
    pub outcome: Outcome,
    pub error: Option<Error>,
    /// True where everything was put back as it was.
    pub was_put_back: bool,
}

impl Ending {
    fn of(outcome: Outcome, error: Error) -> Ending {
        Ending { outcome, error: Some(error), was_put_back: false }
    }
}

/// Carries out the steps in their order. Each change stands in the journal before and after it.
pub(crate) async fn carry_out<W: Workflow>(run: &Run<W>, units: &[Unit<W>]) -> Ending {
    let mut first: Option<Error> = None;
    let last = units.last().map_or(0, |unit| unit.planned.number);
    for unit in units {
        run.view.begin_step(&unit.planned, last);
        run.tell_progress(&unit.planned.title, None);
        let begun = Clock::start();
        let error = match one(run, unit, &begun).await {
            Ok(()) => continue,
            Err(error) => name_step(error, run, unit),
        };
        let result = result(run, unit, "failed", error.message.clone(), &begun);
        // The journal may be what failed; the step's own error counts.
        if let Err(second) = run.book.step_ended(&result).await {
            run.host.message(Level::Warning, second.to_string());
        }
        report(run, result).await;
        if unit.step.on_failure() == OnFailure::GoOn && !ends_the_run(&error) {
            run.host.message(Level::Warning, error.to_string());
            first.get_or_insert(error);
            continue;
        }
        return end_early(run, unit, error).await;
    }
    match first {
        None => Ending { outcome: Outcome::Done, error: None, was_put_back: false },
        Some(error) => Ending::of(Outcome::Incomplete, error),
    }
}

async fn one<W: Workflow>(run: &Run<W>, unit: &Unit<W>, begun: &Clock) -> Result<()> {
    let step = &unit.step;
    let seen = step.probe(run).await?;
    if let Seen::So(text) = seen {
        let result = result(run, unit, "already_so", text, begun);
        run.book.step_ended(&result).await?;
        report(run, result).await;
        return Ok(());
    }
    run.ready_to_change().await?;
    run.book.step_begun(unit.planned.number, step.name(), step.intent(run)).await?;
    let acted = step.act(run).await;
    let text = match (step.probe(run).await, acted) {
        // What the call said counts for nothing against what the system shows; a cancel is no failure of the step.
        (Ok(Seen::So(seen)), Ok(text)) => {
            if text.is_empty() {
                seen
            } else {
                text
            }
        }
        (Ok(Seen::So(_)), Err(error)) if ends_the_run(&error) => return Err(error),
        (Ok(Seen::So(seen)), Err(error)) => {
            run.host.message(Level::Verbose, format!("{}: {seen}, though the call said: {error}", unit.planned.title));
            seen
        }
        (_, Err(error)) => return Err(error),
        (Ok(Seen::NotYet(seen)), Ok(_)) => return Err(not_verified(unit, &seen)),
        (Err(error), Ok(_)) => return Err(error),
    };
    let result = result(run, unit, "done", text, begun);
    run.book.step_ended(&result).await?;
    report(run, result).await;
    Ok(())
}

async fn end_early<W: Workflow>(run: &Run<W>, unit: &Unit<W>, error: Error) -> Ending {
    let cancelled = match error.kind {
        ErrorKind::Cancelled | ErrorKind::Declined => true,
        ErrorKind::NativeCommandStopped => run.cancel.is_cancelled(),
        _ => false,
    };
    let may_change = !matches!(error.kind, ErrorKind::LockLost | ErrorKind::JournalWriteFailed);
    let outcome = if cancelled { Outcome::Cancelled } else { error.kind.outcome() };
    if unit.step.on_failure() == OnFailure::PutBack && run.can_put_back() {
        if !may_change || (cancelled && !W::PUTS_BACK_ON_CANCEL) {
            return Ending::of(outcome, error);
        }
        return match W::put_back(run).await {
            Ok(_) => Ending { was_put_back: true, ..Ending::of(outcome, error) },
            Err(second) => {
                run.host.message(Level::Warning, format!("Not everything could be put back: {second}"));
                Ending::of(Outcome::Incomplete, error)
            }
        };
    }
    Ending::of(if cancelled { outcome } else { Outcome::Incomplete }, error)
}

/// True for what stops a run whatever the step: nothing may be changed any more, or the operator said no.
fn ends_the_run(error: &Error) -> bool {
    matches!(
        error.kind,
        ErrorKind::Cancelled
            | ErrorKind::Declined
            | ErrorKind::LockLost
            | ErrorKind::JournalWriteFailed
            | ErrorKind::LabMixedWithReal
    )
}

fn name_step<W: Workflow>(mut error: Error, run: &Run<W>, unit: &Unit<W>) -> Error {
    error.step.get_or_insert_with(|| unit.planned.name.clone());
    error.run_id.get_or_insert_with(|| run.run_id.clone());
    if error.target.is_empty() {
        error.target.clone_from(&unit.planned.target);
    }
    if error.unchanged.is_empty() {
        error.unchanged.clone_from(&unit.planned.on_failure);
    }
    error
}

fn not_verified<W: Workflow>(unit: &Unit<W>, seen: &str) -> Error {
    Error::new(
        ErrorKind::StepNotVerified,
        format!("the step `{}` did not bring what it should: {}.", unit.planned.title, seen.trim_end_matches('.')),
    )
    .with_next("Look at the target itself, then run `Resume-PChatRun`.")
}

fn result<W: Workflow>(run: &Run<W>, unit: &Unit<W>, state: &str, text: String, begun: &Clock) -> StepResult {
    StepResult {
        sql_instance: run.plan.sql_instance.clone(),
        database: run.plan.database.clone(),
        pool_fqdn: run.plan.pool_fqdn.clone(),
        run_id: Some(run.run_id.clone()),
        number: unit.planned.number,
        name: unit.planned.name.clone(),
        title: unit.planned.title.clone(),
        state: state.to_string(),
        started_at_utc: begun.at.clone(),
        ended_at_utc: utc_text(Utc::now()),
        milliseconds: u64::try_from(begun.instant.elapsed().as_millis()).unwrap_or(u64::MAX),
        text,
    }
}

async fn report<W: Workflow>(run: &Run<W>, result: StepResult) {
    run.view.end_step(result.clone());
    // A listener that has gone does not stop the run.
    let _ = run.host.item("step", json!(result)).await;
}

struct Clock {
    at: String,
    instant: Instant,
}

impl Clock {
    fn start() -> Clock {
        Clock { at: utc_text(Utc::now()), instant: Instant::now() }
    }
}
