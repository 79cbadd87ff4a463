//! The last word of a run: loss, state reached, and what is left to do.

use super::engine::Ending;
use super::{Run, Workflow};
use crate::document::RunResult;
use crate::error::{Error, Outcome};

/// The result of a run that carried out steps.
pub(crate) fn of<W: Workflow>(run: &Run<W>, ending: &Ending) -> RunResult {
    let next = next_actions(run, ending);
    run.view.result(ending.outcome, ending.error.as_ref(), text(run, ending), next)
}

fn text<W: Workflow>(run: &Run<W>, ending: &Ending) -> String {
    let run_id = &run.run_id;
    let stopped_at = || match ending.error.as_ref().and_then(|error| error.step.clone()) {
        Some(step) => format!(" in the step {step}"),
        None => String::new(),
    };
    match (ending.outcome, ending.was_put_back) {
        (Outcome::Done, _) => W::done_text(run),
        (Outcome::Cancelled, false) => format!(
            "Cancelled{}. {} Run {run_id} is open and goes on with Resume-PChatRun.",
            stopped_at(),
            W::reached_text(run)
        ),
        (Outcome::Incomplete, _) => {
            format!("Incomplete{}. {} Run {run_id} is open.", stopped_at(), W::reached_text(run))
        }
        (outcome, true) => format!("{}{}. {}", word(outcome), stopped_at(), W::put_back_text(run)),
        (outcome, false) => format!("{}{}. {}", word(outcome), stopped_at(), W::reached_text(run)),
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

/// What is left to do, in order.
fn next_actions<W: Workflow>(run: &Run<W>, ending: &Ending) -> Vec<String> {
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
    next.extend(W::next_actions(run, ending));
    next
}

/// True where the run can be resumed after it ended so.
pub(crate) fn is_open(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Incomplete | Outcome::Cancelled | Outcome::Failed)
}

/// The command that goes on, as an operator types it.
pub(crate) fn resume_command<W: Workflow>(run: &Run<W>) -> String {
    format!("Resume-PChatRun{}", run.view.run_arguments())
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
