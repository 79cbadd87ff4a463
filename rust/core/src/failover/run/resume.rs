//! Finishing a run that another process began: the same steps, each asked whether it is already so.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use serde_json::json;

use super::detached::detached;
use super::start::{journal_folder, lock_mirror, prove, refuse_failed, run_to_end};
use super::{look, result, Book, Locks, Run, View};
use crate::check;
use crate::document::{CheckResult, JournalPlace, Plan, RunRequest, RunResult, StepResult};
use crate::error::{Error, ErrorKind, Outcome, Result};
use crate::evidence::{utc_text, Capture, Evidence, Reading};
use crate::failover::plan::step_name;
use crate::failover::step::gate::LOSS;
use crate::failover::step::{units, Seen};
use crate::host::{Cancel, Host, Level};
use crate::journal::{self, Entry, Journal, Record, RunView};
use crate::names::{ClientPath, InstanceName};
use crate::operation::{OperationResult, Session};
use crate::sql::database::DatabaseState;

/// Finishes a run, or with `plan_only` tells what is left of it.
///
/// # Errors
/// Bad input: `RunNotFound` (7002); `RunEnded` (7004) and every other end is in the result.
pub(crate) async fn resume(
    session: Arc<Session>,
    request: RunRequest,
    host: Arc<dyn Host>,
    cancel: Cancel,
) -> Result<OperationResult> {
    let found = find(&request, "failover").await?;
    let view = view_of(&found, "failover", &request.journal);
    let shown = Arc::clone(&view);
    let stop = cancel.clone();
    detached(
        host,
        cancel,
        move || shown.interim(),
        move |host| async move {
            let result = match take_up(&session, &request, found, &host, &stop, &view).await {
                Ok(run) if request.plan_only => what_is_left(&run).await,
                Ok(run) => run_to_end(&run).await,
                Err(error) if error.kind.outcome() == Outcome::BadInput => return Err(error),
                Err(error) => result::early(&view, &error),
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
    pub capture: Capture,
}

/// Finds the run that is asked for: by its name, or the only open one.
pub(super) async fn find(request: &RunRequest, kind: &str) -> Result<Found> {
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
    if head.kind != kind {
        return Err(Error::new(
            ErrorKind::InvalidValue,
            format!("run {} is a single command (`{}`), no {kind}.", view.run_id, head.kind),
        )
        .with_unchanged("Nothing was changed.")
        .with_next("Run that command again: it goes on from what it finds.")
        .with_target(view.run_id.as_str()));
    }
    let newest = view.entries.iter().rev().find_map(|entry| match &entry.record {
        Record::Plan { data } => Some(data.clone()),
        _ => None,
    });
    let plan: Plan = serde_json::from_value(newest.unwrap_or(head.plan))
        .map_err(|e| damaged(&view.run_id, &format!("its plan cannot be read: {e}")))?;
    let capture = view.capture().cloned().unwrap_or_default();
    let capture: Capture = serde_json::from_value(capture)
        .map_err(|e| damaged(&view.run_id, &format!("its capture cannot be read: {e}")))?;
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
        .filter(|run| run.is_open && run.head.as_ref().is_some_and(|head| head.kind == "failover"))
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
    Arc::new(view)
}

/// Opens the journal for writing, or only its content where nothing is to be changed.
pub(super) async fn open(found: &Found, command: &'static str, read_only: bool, host: &Arc<dyn Host>) -> Result<Book> {
    if read_only {
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

async fn take_up(
    session: &Arc<Session>,
    request: &RunRequest,
    found: Found,
    host: &Arc<dyn Host>,
    cancel: &Cancel,
    view: &Arc<View>,
) -> Result<Run> {
    let plan = overridden(found.plan.clone(), request);
    let instance: InstanceName = plan.sql_instance.parse()?;
    let named: Vec<InstanceName> =
        plan.request.backup_mirror_sql_instance.iter().map(|name| name.parse()).collect::<Result<_>>()?;
    let book = open(&found, "resume", request.plan_only, host).await?;
    view.set_steps(book.earlier_steps());
    if let Some(loss) = book.fact(LOSS) {
        view.set_loss(loss);
    }
    let locks = match request.plan_only {
        true => Locks::none(),
        false => Locks::take(session.connector(), &instance, &named, &plan.database, host.as_ref()).await?,
    };
    let taken = take_up_locked(session, request, &plan, &found.capture, &locks, host, cancel).await;
    let (evidence, proved) = match taken {
        Ok(taken) => taken,
        Err(error) => {
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
    let was_removed = found.capture.log_shipping.is_configured() && !evidence.log_shipping.is_configured();
    Ok(Run {
        session: Arc::clone(session),
        host: Arc::clone(host),
        cancel: cancel.clone(),
        run_id: found.view.run_id,
        instance,
        plan,
        capture: found.capture,
        committed: AtomicBool::new(was_removed || is_online(&evidence)),
        evidence,
        book,
        locks,
        view: Arc::clone(view),
        proved_copy_folder: proved,
        gate: Mutex::new(None),
        origin_checked: AtomicBool::new(false),
    })
}

async fn take_up_locked(
    session: &Arc<Session>,
    request: &RunRequest,
    plan: &Plan,
    capture: &Capture,
    locks: &Locks,
    host: &Arc<dyn Host>,
    cancel: &Cancel,
) -> Result<(Evidence, Option<ClientPath>)> {
    let mut evidence = look::gather(session, host, &plan.request, Some(capture), cancel).await?;
    evidence.lock_holder = Reading::Known(None);
    if !request.plan_only {
        lock_mirror(session, &evidence, locks, host).await?;
    }
    let checks = still_needed(&evidence, check::all(&evidence, &plan.request), host);
    refuse_failed(&checks).map_err(with_way_out)?;
    if request.plan_only || is_online(&evidence) {
        return Ok((evidence, None));
    }
    let proved = prove(session, &plan.sql_instance.parse()?, &evidence, &plan.request.folders.path_map, host).await?;
    Ok((evidence, proved))
}

/// A witness is named to a new run only, which finds the capture of this one.
fn with_way_out(mut error: Error) -> Error {
    if error.next.contains("-IgnoreWitness") {
        error.next.push_str(
            " `Resume-PChatRun` takes no witness to ignore: for that start anew with `Invoke-PChatFailover`, which finds what \
             this run has captured.",
        );
    }
    error
}

/// What must still hold: who is alive, the right world, and the rights. The chain is the gate's business. Once the
/// database is recovered, a primary that came back is no reason to stop, but one to hurry with its fencing.
fn still_needed(evidence: &Evidence, checks: Vec<CheckResult>, host: &Arc<dyn Host>) -> Vec<CheckResult> {
    let online = is_online(evidence);
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
            is_death || always || (before && !online)
        })
        .collect()
}

fn is_online(evidence: &Evidence) -> bool {
    evidence.state.as_ref().is_some_and(|state| state.facts.state == DatabaseState::Online)
}

fn overridden(mut plan: Plan, request: &RunRequest) -> Plan {
    let mut map = request.path_map.clone();
    map.append(&mut plan.request.folders.path_map);
    plan.request.folders.path_map = map;
    if request.accept_data_loss.is_some() {
        plan.request.accept_data_loss.clone_from(&request.accept_data_loss);
    }
    if request.journal.journal_path.is_some() {
        plan.request.journal.journal_path.clone_from(&request.journal.journal_path);
    }
    plan
}

/// Asks each step whether it is already so and changes nothing.
async fn what_is_left(run: &Run) -> RunResult {
    let units = match units(&run.plan) {
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
        // The report is always made anew; it alone is no reason to resume.
        if state == "planned" && unit.step.name() != step_name::REPORT {
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
