//! Starting a run: the plan that was confirmed is compared with the world, the locks are taken, the journal is begun.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::Utc;

use super::detached::detached;
use super::engine::{carry_out, Ending};
use super::facts::{compare, digest};
use super::shown::refuse_other;
use super::{open, result, Book, Locks, Outside, Parts, Run, View, Workflow};
use crate::check;
use crate::document::{CheckResult, JournalPlace, Plan, RunResult};
use crate::error::{Error, ErrorKind, Outcome, Result};
use crate::evidence::utc_text;
use crate::host::{Cancel, Host, Level};
use crate::journal::{self, Journal, RunHead};
use crate::memory;
use crate::operation::{OperationResult, Session};
use crate::system_log;

/// Runs a plan of this workflow from its beginning.
///
/// # Errors
/// Bad input; every other end is in the result.
pub(super) async fn start_as<W: Workflow>(
    session: Arc<Session>,
    plan: Plan,
    host: Arc<dyn Host>,
    cancel: Cancel,
) -> Result<OperationResult> {
    // Locks are taken and the journal is kept under the plan's own names, work is done on those of its request.
    let is_one_target = plan
        .request
        .target()
        .is_none_or(|target| plan.sql_instance == target.sql_instance && plan.database == target.database);
    if plan.digest != digest(&plan.decision_facts) || plan.kind != W::KIND || !is_one_target {
        return Err(Error::new(
            ErrorKind::InvalidRequest,
            "the plan's kind, target or digest does not fit its facts and its request.",
        )
        .with_unchanged("Nothing was started.")
        .with_next(format!("Make a new plan with `{}`; a plan is not edited by hand.", W::PLAN_COMMAND)));
    }
    let view = Arc::new(View::new(&plan.sql_instance, &plan.database, plan.pool_fqdn.as_deref(), W::KIND));
    view.set_on_cancel(W::ON_CANCEL);
    view.set_damaged_pool(plan.request.damaged_pool());
    let (shown, stop) = (Arc::clone(&view), cancel.clone());
    detached(
        host,
        cancel,
        move || shown.interim(),
        move |host| async move {
            let outside = Outside { session, host, cancel: stop, view };
            let result = match prepare::<W>(&outside, plan).await {
                Ok(run) => run_to_end(&run).await,
                Err(error) if error.kind.outcome() == Outcome::BadInput => return Err(error),
                Err(error) => result::early(&outside.view, &error),
            };
            OperationResult::new("run", &result)
        },
    )
    .await
}

/// Carries out the steps, closes the journal and gives the locks back.
pub(super) async fn run_to_end<W: Workflow>(run: &Run<W>) -> RunResult {
    system_log::begins(&run.plan, W::KIND, &run.run_id);
    let ending = match W::units(&run.plan) {
        Ok(units) => carry_out(run, &units).await,
        Err(error) => Ending { outcome: error.kind.outcome(), error: Some(error), was_put_back: false },
    };
    let result = result::of(run, &ending);
    let written = match ending.outcome {
        outcome if result::is_open(outcome) => run.book.stopped(outcome, &result.text).await,
        outcome => run.book.ended(outcome, &result.text).await,
    };
    if let Err(error) = written {
        run.host.message(Level::Warning, error.to_string());
    }
    system_log::ends(&run.plan, W::KIND, &run.run_id, ending.outcome, &result.text);
    run.locks.release().await;
    result
}

async fn prepare<W: Workflow>(outside: &Outside, confirmed: Plan) -> Result<Run<W>> {
    let locks = W::lock(outside, &confirmed).await?;
    match prepare_locked::<W>(outside, confirmed, &locks).await {
        Ok((run_id, plan, capture, work, book)) => {
            let is_committed = false;
            Ok(Run::new(outside, Parts { run_id, plan, capture, work, book, locks, is_committed }))
        }
        Err(error) => {
            locks.release().await;
            Err(error)
        }
    }
}

type Prepared<W> = (String, Plan, <W as Workflow>::Capture, W, Book);

async fn prepare_locked<W: Workflow>(outside: &Outside, confirmed: Plan, locks: &Locks) -> Result<Prepared<W>> {
    let Outside { host, cancel, view, .. } = outside;
    let mut work = W::look(outside, &confirmed, None, Some(locks)).await?;
    cancel.check()?;
    let fresh = work.plan()?;
    refuse_changed(&confirmed, &fresh)?;
    refuse_other(&confirmed, &fresh)?;
    refuse_failed(&fresh.checks)?;
    let copy = work.ready(outside).await?;
    let plan = Plan { plan_id: confirmed.plan_id, ..fresh };
    let folder = journal_folder(plan.request.journal());
    open::refuse(&folder, copy.as_deref(), &plan).await?;
    view.set_loss(plan.loss.clone());
    let run_id = journal::new_run_id(Utc::now());
    let head = head(&run_id, W::KIND, plan, work.capture(), copy.as_deref());
    cancel.check()?;
    let (journal, RunHead { mut plan, capture, .. }) = create(folder, copy, head).await?;
    // They stand in the journal now, and every step looks at the world anew.
    plan.drop_details();
    work.begun();
    memory::give_back();
    let book = Book::new(journal, Arc::clone(host), &[]);
    view.set_journal(&run_id, &book.path());
    view.set_run_arguments(&run_id, plan.request.journal().journal_path.as_deref());
    Ok((run_id, plan, capture, work, book))
}

fn refuse_changed(confirmed: &Plan, fresh: &Plan) -> Result<()> {
    let differences = compare(confirmed, &fresh.decision_facts);
    if differences.is_empty() {
        return Ok(());
    }
    let list: Vec<String> = differences.iter().map(ToString::to_string).collect();
    Err(Error::new(
        ErrorKind::PlanOutdated,
        format!("the world has changed since the plan was made: {}.", list.join("; ")),
    )
    .with_unchanged("Nothing was changed.")
    .with_next("Make a new plan, look at it, and run that one.")
    .with_target(confirmed.database.as_str()))
}

/// Refuses where a check failed; each is named with its value and the wanted one.
pub(crate) fn refuse_failed(checks: &[CheckResult]) -> Result<()> {
    let failed = check::blocking(checks);
    let Some(first) = failed.first() else { return Ok(()) };
    let kind_of = |code: u32| ErrorKind::ALL.iter().copied().find(|kind| kind.code() == code);
    // Nothing is half done before a run: a kind that says so in a run is a refusal here.
    let kind = first
        .code
        .and_then(kind_of)
        .filter(|kind| !matches!(kind.outcome(), Outcome::Incomplete | Outcome::Failed))
        .unwrap_or(ErrorKind::ChecksFailed);
    let list: Vec<String> = failed
        .iter()
        .map(|check| format!("{} is `{}` instead of `{}`", check.name, check.value, check.wanted))
        .collect();
    Err(Error::new(kind, format!("{}.", list.join("; ")))
        .with_unchanged("Nothing was changed.")
        .with_next(
            failed.iter().map(|check| check.message.as_str()).filter(|m| !m.is_empty()).collect::<Vec<_>>().join(" "),
        )
        .with_target(first.database.as_str()))
}

/// The folder of journals.
pub(crate) fn journal_folder(place: &JournalPlace) -> PathBuf {
    place.journal_path.as_ref().map_or_else(journal::default_folder, PathBuf::from)
}

/// The head of a journal with what it must keep.
pub(crate) fn head<C>(run_id: &str, kind: &str, plan: Plan, capture: C, copy: Option<&Path>) -> RunHead<Plan, C> {
    RunHead {
        run_id: run_id.to_string(),
        kind: kind.to_string(),
        sql_instance: plan.sql_instance.clone(),
        database: plan.database.clone(),
        pool_fqdn: plan.pool_fqdn.clone(),
        operator: journal::this_operator(),
        machine: journal::this_machine(),
        process_id: std::process::id(),
        product_version: env!("CARGO_PKG_VERSION").to_string(),
        started_at_utc: utc_text(Utc::now()),
        plan,
        capture,
        copy_folder: copy.map(|path| path.display().to_string()),
    }
}

/// Creates a journal on a thread that may block, and hands its head back.
pub(crate) async fn create<C>(
    folder: PathBuf,
    copy: Option<PathBuf>,
    head: RunHead<Plan, C>,
) -> Result<(Journal, RunHead<Plan, C>)>
where
    C: serde::Serialize + Send + 'static,
{
    tokio::task::spawn_blocking(move || Ok((Journal::create(&folder, copy.as_deref(), &head)?, head)))
        .await
        .map_err(|e| Error::new(ErrorKind::InternalFault, format!("the journal could not be begun: {e}.")))?
}
