//! What can be told of a run at any moment, also by somebody who cannot wait for its worker.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use chrono::Utc;

use crate::document::{Loss, PlannedStep, RunResult, StepResult};
use crate::error::{Error, Outcome, Result};
use crate::evidence::utc_text;
use crate::operation::OperationResult;

/// The state of a run as it is shown.
#[derive(Debug)]
pub(crate) struct View(Mutex<Shown>);

#[derive(Debug, Default)]
struct Shown {
    sql_instance: String,
    database: String,
    pool_fqdn: Option<String>,
    damaged_pool_fqdn: Option<String>,
    kind: String,
    run_id: Option<String>,
    started_at_utc: String,
    journal_path: Option<String>,
    /// ` -RunId … -JournalPath '…'`, as commands on this run take them.
    run_arguments: String,
    /// `Step 4 of 12: copy and restore the log backups`.
    status: String,
    /// Where the step's percentage was first seen, and when: what follows tells the time that remains.
    pace: Option<(Instant, u8)>,
    /// What is under way that cannot be interrupted: `RESTORE LOG … of mgc_20260314021500.trn`.
    awaited: Option<String>,
    steps: Vec<StepResult>,
    loss: Option<Loss>,
    /// What a cancel means for the run, while its worker goes on to its safe end.
    on_cancel: &'static str,
}

impl View {
    pub(crate) fn new(sql_instance: &str, database: &str, pool_fqdn: Option<&str>, kind: &str) -> View {
        View(Mutex::new(Shown {
            sql_instance: sql_instance.to_string(),
            database: database.to_string(),
            pool_fqdn: pool_fqdn.map(str::to_string),
            kind: kind.to_string(),
            started_at_utc: utc_text(Utc::now()),
            ..Shown::default()
        }))
    }

    /// The pool that lost its conference content; `pool_fqdn` is then the surviving one.
    pub(crate) fn set_damaged_pool(&self, pool: Option<&str>) {
        self.lock().damaged_pool_fqdn = pool.map(str::to_string);
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the journal calls this run: `failover`, `remove`.
    pub(crate) fn kind(&self) -> String {
        self.lock().kind.clone()
    }

    pub(crate) fn set_journal(&self, run_id: &str, path: &str) {
        let mut shown = self.lock();
        shown.run_id = Some(run_id.to_string());
        shown.journal_path = Some(path.to_string());
    }

    /// How commands name this run; the journal's folder only where it is not the machine's own.
    pub(crate) fn set_run_arguments(&self, run_id: &str, journal_path: Option<&str>) {
        let place = journal_path.map_or(String::new(), |path| format!(" -JournalPath '{}'", path.replace('\'', "''")));
        self.lock().run_arguments = format!(" -RunId {run_id}{place}");
    }

    /// ` -RunId … -JournalPath '…'`.
    pub(crate) fn run_arguments(&self) -> String {
        self.lock().run_arguments.clone()
    }

    pub(crate) fn set_loss(&self, loss: Loss) {
        self.lock().loss = Some(loss);
    }

    pub(crate) fn set_on_cancel(&self, text: &'static str) {
        self.lock().on_cancel = text;
    }

    pub(crate) fn begin_step(&self, step: &PlannedStep, of: u32) {
        let mut shown = self.lock();
        shown.status = format!("Step {} of {of}: {}", step.number, step.title);
        shown.pace = None;
    }

    /// The time that the step still takes at its pace so far, in seconds; `None` until there is a pace.
    pub(crate) fn seconds_remaining(&self, percent: Option<u8>) -> Option<u64> {
        let percent = percent?.min(100);
        let mut shown = self.lock();
        let (since, from) = *shown.pace.get_or_insert((Instant::now(), percent));
        let done = u64::from(percent.checked_sub(from).filter(|done| *done > 0)?);
        Some(since.elapsed().as_secs() * u64::from(100 - percent) / done)
    }

    pub(crate) fn end_step(&self, result: StepResult) {
        let mut shown = self.lock();
        shown.steps.retain(|step| step.name != result.name);
        shown.steps.push(result);
    }

    /// Steps that an earlier process has ended.
    pub(crate) fn set_steps(&self, steps: Vec<StepResult>) {
        self.lock().steps = steps;
    }

    /// The loss in words; empty where it is not known.
    pub(crate) fn loss_text(&self) -> String {
        self.lock().loss.as_ref().map_or(String::new(), |loss| loss.text.clone())
    }

    /// True where a step ended well, in this process or an earlier one.
    pub(crate) fn has_done(&self, name: &str) -> bool {
        self.lock().steps.iter().any(|step| step.name == name && matches!(step.state.as_str(), "done" | "already_so"))
    }

    pub(crate) fn set_awaited(&self, what: Option<String>) {
        self.lock().awaited = what;
    }

    /// What is under way that cannot be interrupted.
    pub(crate) fn awaited(&self) -> Option<String> {
        self.lock().awaited.clone()
    }

    /// Says what a command without steps is at: `restoring log backups`.
    pub(crate) fn set_status(&self, status: &str) {
        self.lock().status = status.to_string();
    }

    /// What is done as a whole, for progress: `Failing over mgc on B\RTC`.
    pub(crate) fn activity(&self) -> String {
        let shown = self.lock();
        if let Some(damaged) = &shown.damaged_pool_fqdn {
            return format!("Restoring the conference content of {damaged}");
        }
        let doing = match shown.kind.as_str() {
            "copy" => "Copying the log backups of",
            "restore" => "Restoring the log backups of",
            "remove" => "Removing log shipping of",
            "end_connections" => "Ending the connections to",
            "recover" => "Recovering",
            "undo" => "Giving up the run of",
            "planned_switch" => "Switching",
            "failback" => "Failing back",
            _ => "Failing over",
        };
        format!("{doing} {} on {}", shown.database, shown.sql_instance)
    }

    /// `Step 4 of 12: …`, for progress.
    pub(crate) fn status(&self) -> String {
        self.lock().status.clone()
    }

    /// What was reached, for an operator who cancelled and is answered before the worker has ended.
    ///
    /// # Errors
    /// `InternalFault` (9001) for a result that does not serialise.
    pub(crate) fn interim(&self) -> Result<OperationResult> {
        let shown = self.lock();
        let mut text = match shown.status.as_str() {
            "" => "Cancelled before the first step.".to_string(),
            status => format!("Cancelled in {}.", lower_first(status)),
        };
        if let Some(awaited) = &shown.awaited {
            text.push_str(&format!(" {awaited} was sent and is not interrupted: it is awaited in the background."));
        }
        let mut next = Vec::new();
        if shown.run_id.is_some() {
            let run = &shown.run_arguments;
            text.push_str(&format!(" The journal takes down how it ends; {}.", shown.on_cancel));
            let what = shown.damaged_pool_fqdn.as_ref().unwrap_or(&shown.database);
            next.push(format!("Keep this process open until {what} shows the end: Get-PChatRun{run}"));
            next.push(format!("To go on: Resume-PChatRun{run}"));
            next.push(format!("To give up: Undo-PChatRun{run}"));
        }
        drop(shown);
        OperationResult::new("run", &self.result(Outcome::Cancelled, None, text, next))
    }

    /// The result of the run.
    pub(crate) fn result(
        &self,
        outcome: Outcome,
        error: Option<&Error>,
        text: String,
        next_actions: Vec<String>,
    ) -> RunResult {
        let shown = self.lock();
        RunResult {
            sql_instance: shown.sql_instance.clone(),
            database: shown.database.clone(),
            pool_fqdn: shown.pool_fqdn.clone(),
            damaged_pool_fqdn: shown.damaged_pool_fqdn.clone(),
            run_id: shown.run_id.clone(),
            kind: shown.kind.clone(),
            outcome,
            exit_code: outcome.exit_code(),
            started_at_utc: shown.started_at_utc.clone(),
            ended_at_utc: utc_text(Utc::now()),
            digest: None,
            steps: shown.steps.clone(),
            loss: shown.loss.clone(),
            text,
            next_actions,
            journal_path: shown.journal_path.clone(),
            error: error.map(|error| {
                let mut document = error.to_document();
                document.exit_code = outcome.exit_code();
                document
            }),
        }
    }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_lowercase().collect::<String>() + chars.as_str())
}

#[cfg(test)]
mod tests {
    use super::View;

    #[test]
    fn the_time_that_remains_follows_from_the_pace_of_the_step() {
        let view = View::new(r"B\RTC", "mgc", None, "failover");
        let begun = std::time::Instant::now();
        assert_eq!(view.seconds_remaining(None), None);
        assert_eq!(view.seconds_remaining(Some(10)), None, "no pace yet");
        std::thread::sleep(std::time::Duration::from_millis(1_050));
        // Whole seconds passed: one, or more on a busy machine. 50 percent were done, 40 are left; 10 done, 80 left.
        for (percent, done, left) in [(60, 50, 40), (20, 10, 80)] {
            let found = view.seconds_remaining(Some(percent));
            let most = begun.elapsed().as_secs();
            assert!((1..=most).any(|seconds| found == Some(seconds * left / done)), "{percent}: {found:?}, {most} s");
        }
        assert_eq!(view.seconds_remaining(Some(5)), None, "a percentage that fell back says nothing");
    }
}
