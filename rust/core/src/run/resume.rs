//! Finishing a run that another process began: the same steps, each asked whether it is already so.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{json, Value};

use super::detached::detached;
use super::kinds::{committing_steps, no_run};
use super::start::{journal_folder, run_to_end};
use super::{at_work, result, Book, Locks, Outside, Parts, Run, Seen, View, Workflow};
use crate::document::{JournalPlace, Loss, Plan, RunRequest, RunResult, StepResult};
use crate::error::{Error, ErrorKind, Outcome, Result};
use crate::evidence::utc_text;
use crate::host::{Cancel, Host, Level};
use crate::journal::{self, Entry, Journal, Record, RunView};
use crate::operation::{OperationResult, Session};

/// The loss as the run took it, for the report of a later process.
pub(crate) const LOSS: &str = "loss";
/// The step that closes every run. It is always made anew; it alone is no reason to resume.
pub(crate) const REPORT: &str = "report";

/// Finishes a run of this workflow, or with `plan_only` tells what is left of it.
///
/// # Errors
/// Bad input; `RunEnded` (7004) and every other end is in the result.
pub(super) async fn resume_as<W: Workflow>(
    session: Arc<Session>,
    request: RunRequest,
    found: Found,
    host: Arc<dyn Host>,
    cancel: Cancel,
) -> Result<OperationResult> {
    let view = view_of(&found, W::KIND, &request.journal);
    view.set_on_cancel(W::ON_CANCEL);
    let (shown, stop) = (Arc::clone(&view), cancel.clone());
    detached(
        host,
        cancel,
        move || shown.interim(),
        move |host| async move {
            let outside = Outside { session, host, cancel: stop, view };
            let result = match take_up::<W>(&outside, &request, found).await {
                Ok(run) if request.plan_only => what_is_left(&run).await,
                Ok(run) => run_to_end(&run).await,
                Err(error) if error.kind.outcome() == Outcome::BadInput => return Err(error),
                Err(error) => result::early(&outside.view, &error),
            };
            OperationResult::new("run", &result)
        },
    )
    .await
}

/// A run as its journal has it, and where both copies of that lie.
pub(super) struct Found {
    pub view: RunView,
    pub folder: PathBuf,
    pub copy: Option<PathBuf>,
    pub plan: Plan,
    capture: Value,
}

impl Found {
    /// The kind of run, as its head says.
    pub(super) fn kind(&self) -> &str {
        self.view.head.as_ref().map_or("", |head| head.kind.as_str())
    }

    /// What the run kept before its first change.
    ///
    /// # Errors
    /// `JournalDamaged` where it is not that of its kind.
    pub(super) fn capture<W: Workflow>(&self) -> Result<W::Capture> {
        serde_json::from_value(self.capture.clone())
            .map_err(|e| damaged(&self.view.run_id, &format!("its capture cannot be read: {e}")))
    }
}

/// Finds the run that is asked for: by its name, or the only open one.
pub(super) async fn find(request: &RunRequest) -> Result<Found> {
    let folder = journal_folder(&request.journal);
    let copy = request.journal.journal_copy_path.as_ref().map(PathBuf::from);
    let (place, second, wanted) = (folder.clone(), copy.clone(), request.run_id.clone());
    let view = tokio::task::spawn_blocking(move || {
        let run_id = match wanted {
            Some(run_id) => run_id,
            None => only_open(&place, second.as_deref())?,
        };
        journal::read(&place, second.as_deref(), &run_id)
    })
    .await
    .map_err(|e| Error::new(ErrorKind::InternalFault, format!("the journal could not be read: {e}.")))??;
    let head = view.head.clone().ok_or_else(|| damaged(&view.run_id, "it has no first record"))?;
    if committing_steps(&head.kind).is_none() {
        return Err(no_run(&view.run_id, &head.kind));
    }
    let newest = view.entries.iter().rev().find_map(|entry| match &entry.record {
        Record::Plan { data } => Some(data.clone()),
        _ => None,
    });
    let plan: Plan = serde_json::from_value(newest.unwrap_or(head.plan))
        .map_err(|e| damaged(&view.run_id, &format!("its plan cannot be read: {e}")))?;
    let capture = view.capture().cloned().unwrap_or_default();
    // The second copy lies where the first process put it, unless that is where this one reads.
    let copy = copy
        .or_else(|| head.copy_folder.map(PathBuf::from))
        .filter(|copy| *copy != folder && !request.journal.no_journal_copy);
    Ok(Found { view, folder, copy, plan, capture })
}

fn only_open(folder: &std::path::Path, copy: Option<&std::path::Path>) -> Result<String> {
    let mut open: Vec<String> = journal::list(folder)
        .into_iter()
        .chain(copy.map(journal::list).unwrap_or_default())
        .filter(|run| run.is_open && run.head.as_ref().is_some_and(|head| committing_steps(&head.kind).is_some()))
        .map(|run| run.run_id)
        .collect();
    open.sort();
    open.dedup();
    match &open[..] {
        [one] => Ok(one.clone()),
        [] => Err(Error::new(ErrorKind::RunNotFound, format!("there is no open run in `{}`.", folder.display()))
            .with_unchanged("Nothing was changed.")
            .with_next("`Get-PChatRun` lists the runs; `-JournalPath` names another folder.")),
        several => Err(Error::new(
            ErrorKind::InvalidValue,
            format!("{} runs are open: {}.", several.len(), several.join(", ")),
        )
        .with_unchanged("Nothing was changed.")
        .with_next("Name the one that is meant with `-RunId`.")),
    }
}

fn damaged(run_id: &str, why: &str) -> Error {
    Error::new(ErrorKind::JournalDamaged, format!("the journal of run {run_id} cannot be followed: {why}."))
        .with_unchanged("Nothing was changed.")
        .with_next("Resume from the other copy with `-JournalPath`, or go on with the single commands.")
        .with_target(run_id)
}

pub(super) fn view_of(found: &Found, kind: &str, place: &JournalPlace) -> Arc<View> {
    let plan = &found.plan;
    let view = View::new(&plan.sql_instance, &plan.database, plan.pool_fqdn.as_deref(), kind);
    view.set_journal(&found.view.run_id, &found.view.path.display().to_string());
    view.set_run_arguments(&found.view.run_id, place.journal_path.as_deref());
    view.set_loss(plan.loss.clone());
    view.set_damaged_pool(plan.request.damaged_pool());
    Arc::new(view)
}

/// Opens the journal for writing, or only its content where nothing is to be changed.
pub(super) async fn open(found: &Found, command: &'static str, read_only: bool, host: &Arc<dyn Host>) -> Result<Book> {
    if read_only {
        journal::refuse_ended(&found.view.run_id, &found.view.entries)?;
        return Ok(Book::read_only(Arc::clone(host), &found.view.entries));
    }
    let (folder, copy, run_id) = (found.folder.clone(), found.copy.clone(), found.view.run_id.clone());
    let (journal, entries): (Journal, Vec<Entry>) =
        tokio::task::spawn_blocking(move || Journal::open_best(&folder, copy.as_deref(), &run_id, command))
            .await
            .map_err(|e| Error::new(ErrorKind::InternalFault, format!("the journal could not be opened: {e}.")))??;
    for warning in journal.take_warnings() {
        host.message(Level::Warning, warning);
    }
    Ok(Book::new(journal, Arc::clone(host), &entries))
}

async fn take_up<W: Workflow>(outside: &Outside, request: &RunRequest, found: Found) -> Result<Run<W>> {
    let Outside { host, view, .. } = outside;
    let plan = W::overridden(found.plan.clone(), request)?;
    let capture: W::Capture = found.capture::<W>()?;
    if !request.plan_only {
        at_work::wait_for_its_end(&found.view.run_id, outside).await?;
    }
    let book = open(&found, "resume", request.plan_only, host).await?;
    view.set_steps(book.earlier_steps());
    if let Some(loss) = book.fact::<Loss>(LOSS) {
        view.set_loss(loss);
    }
    let locks = match request.plan_only {
        true => Locks::none(),
        false => W::lock(outside, &plan).await?,
    };
    let taken = async {
        let held = (!request.plan_only).then_some(&locks);
        let mut work = W::look(outside, &plan, Some(&capture), held).await?;
        work.ready_again(outside, request.plan_only).await?;
        Ok(work)
    };
    let work = match taken.await {
        Ok(work) => work,
        Err(error) => {
            let error: Error = error;
            if !request.plan_only {
                let _ = book.stopped(error.kind.outcome(), &error.message).await;
            }
            locks.release().await;
            return Err(error);
        }
    };
    if !request.plan_only && plan != found.plan {
        book.set_plan(&plan).await?;
    }
    let is_committed = work.is_committed(&capture);
    let run_id = found.view.run_id;
    Ok(Run::new(outside, Parts { run_id, plan, capture, work, book, locks, is_committed }))
}

/// Asks each step whether it is already so and changes nothing.
async fn what_is_left<W: Workflow>(run: &Run<W>) -> RunResult {
    let units = match W::units(&run.plan) {
        Ok(units) => units,
        Err(error) => return result::early(&run.view, &error),
    };
    let mut left = Vec::new();
    for unit in &units {
        run.view.begin_step(&unit.planned, units.len() as u32);
        let (state, text) = match unit.step.probe(run).await {
            Ok(Seen::So(text)) => ("already_so", text),
            Ok(Seen::NotYet(text)) => ("planned", text),
            Err(error) => ("planned", format!("cannot be told yet: {}", error.message)),
        };
        if state == "planned" && unit.step.name() != REPORT {
            left.push(unit.planned.title.clone());
        }
        let now = utc_text(chrono::Utc::now());
        let step = StepResult {
            sql_instance: run.plan.sql_instance.clone(),
            database: run.plan.database.clone(),
            pool_fqdn: run.plan.pool_fqdn.clone(),
            run_id: Some(run.run_id.clone()),
            number: unit.planned.number,
            name: unit.planned.name.clone(),
            title: unit.planned.title.clone(),
            state: state.to_string(),
            started_at_utc: now.clone(),
            ended_at_utc: now,
            milliseconds: 0,
            text,
        };
        run.view.end_step(step.clone());
        let _ = run.host.item("step", json!(step)).await;
    }
    let (outcome, text) = match left.is_empty() {
        true => (Outcome::NothingToDo, "Every step is done; resuming only closes the run.".to_string()),
        false => (Outcome::Done, format!("Left to do: {}.", left.join("; "))),
    };
    run.view.result(outcome, None, text, vec![format!("To go on: {}", result::resume_command(run))])
}
