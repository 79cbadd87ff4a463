//! Starting a run: the plan that was confirmed is compared with the world, the locks are taken, the journal is begun.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use chrono::Utc;

use super::detached::detached;
use super::engine::{carry_out, Ending};
use super::{look, result, Book, Locks, Run, View};
use crate::check;
use crate::document::{CheckResult, JournalPlace, Plan, RunResult, RunStartRequest};
use crate::error::{Error, ErrorKind, Outcome, Result};
use crate::evidence::{capture, utc_text, Capture, EndpointAnswer, Evidence, Reading};
use crate::failover::plan::{self, Decision, Way};
use crate::failover::step::units;
use crate::files::{client_candidates, not_proved, prove_folder};
use crate::host::{Cancel, Host, Level};
use crate::journal::{self, Journal, RunHead};
use crate::log_chain::Listing;
use crate::names::{ClientPath, InstanceName};
use crate::operation::{OperationResult, Session};
use crate::sql::Purpose;

/// Runs a plan from its beginning.
///
/// # Errors
/// Bad input; every other end is in the result.
pub(crate) async fn start(
    session: Arc<Session>,
    request: RunStartRequest,
    host: Arc<dyn Host>,
    cancel: Cancel,
) -> Result<OperationResult> {
    let mut plan = request.plan;
    // Its facts are compared with the world, and its steps made anew from that.
    plan.drop_details();
    // Locks are taken and the journal is kept under the plan's own names, work is done on those of its request.
    let target = &plan.request.target;
    let is_one_target = plan.sql_instance == target.sql_instance && plan.database == target.database;
    if plan.digest != plan::digest(&plan.decision_facts) || plan.kind != "failover" || !is_one_target {
        return Err(Error::new(
            ErrorKind::InvalidRequest,
            "the plan is no plan of a failover, or its target or digest does not fit its facts.",
        )
        .with_unchanged("Nothing was started.")
        .with_next("Make a new plan with `New-PChatFailoverPlan`; a plan is not edited by hand."));
    }
    let view = Arc::new(View::new(&plan.sql_instance, &plan.database, plan.pool_fqdn.as_deref(), "failover"));
    let shown = Arc::clone(&view);
    let stop = cancel.clone();
    detached(
        host,
        cancel,
        move || shown.interim(),
        move |host| async move {
            let result = match prepare(&session, plan, &host, &stop, &view).await {
                Ok(run) => run_to_end(&run).await,
                Err(error) if error.kind.outcome() == Outcome::BadInput => return Err(error),
                Err(error) => result::early(&view, &error),
            };
            OperationResult::new("run", &result)
        },
    )
    .await
}

/// Carries out the steps, closes the journal and gives the locks back.
pub(super) async fn run_to_end(run: &Run) -> RunResult {
    let ending = match units(&run.plan) {
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
    run.locks.release().await;
    result
}

async fn prepare(
    session: &Arc<Session>,
    confirmed: Plan,
    host: &Arc<dyn Host>,
    cancel: &Cancel,
    view: &Arc<View>,
) -> Result<Run> {
    let instance: InstanceName = confirmed.sql_instance.parse()?;
    let request = confirmed.request.clone();
    let named: Vec<InstanceName> =
        request.backup_mirror_sql_instance.iter().map(|name| name.parse()).collect::<Result<_>>()?;
    let locks = Locks::take(session.connector(), &instance, &named, &confirmed.database, host.as_ref()).await?;
    let prepared = prepare_locked(session, confirmed, host, cancel, view, instance, &locks).await;
    match prepared {
        Ok((book, evidence, plan, capture, proved, run_id)) => Ok(Run {
            session: Arc::clone(session),
            host: Arc::clone(host),
            cancel: cancel.clone(),
            run_id,
            instance: plan.sql_instance.parse()?,
            capture,
            plan,
            evidence,
            book,
            locks,
            view: Arc::clone(view),
            proved_copy_folder: proved,
            gate: Mutex::new(None),
            committed: AtomicBool::new(false),
            origin_checked: AtomicBool::new(false),
        }),
        Err(error) => {
            locks.release().await;
            Err(error)
        }
    }
}

type Prepared = (Book, Evidence, Plan, Capture, Option<ClientPath>, String);

async fn prepare_locked(
    session: &Arc<Session>,
    confirmed: Plan,
    host: &Arc<dyn Host>,
    cancel: &Cancel,
    view: &Arc<View>,
    instance: InstanceName,
    locks: &Locks,
) -> Result<Prepared> {
    let request = &confirmed.request;
    let mut evidence = look::gather(session, host, request, None, cancel).await?;
    // It is ours.
    evidence.lock_holder = Reading::Known(None);
    lock_mirror(session, &evidence, locks, host).await?;
    cancel.check()?;
    let (facts, way) = {
        let decision = Decision::of(&evidence, request);
        (plan::decision_facts(&evidence, request, &decision), decision.way)
    };
    let differences = plan::compare(&confirmed, &facts);
    if !differences.is_empty() {
        let list: Vec<String> = differences.iter().map(ToString::to_string).collect();
        return Err(Error::new(
            ErrorKind::PlanOutdated,
            format!("the world has changed since the plan was made: {}.", list.join("; ")),
        )
        .with_unchanged("Nothing was changed.")
        .with_next("Make a new plan, look at it, and run that one.")
        .with_target(confirmed.database.as_str()));
    }
    let fresh = plan::make(&evidence, request)?;
    refuse_failed(&fresh.checks)?;
    let proved = prove(session, &instance, &evidence, &request.folders.path_map, host).await?;
    if let (Way::CopyByUs { folder, .. }, None) = (&way, &proved) {
        let candidates = client_candidates(folder, &instance.host, &request.folders.path_map);
        return Err(not_proved(folder, &candidates));
    }
    let (folder, copy) = (journal_folder(&request.journal), journal_copy(&request.journal, proved.as_ref())?);
    let plan = Plan { plan_id: confirmed.plan_id, ..fresh };
    view.set_loss(plan.loss.clone());
    let run_id = journal::new_run_id(Utc::now());
    let head = head(&run_id, "failover", plan, &evidence, copy.as_deref());
    cancel.check()?;
    let (journal, Head { mut plan, capture, .. }) = create(folder, copy, head).await?;
    // They stand in the journal now, and every step looks at the log backups anew.
    plan.drop_details();
    evidence.files.listing = Listing::default();
    let book = Book::new(journal, Arc::clone(host), &[]);
    view.set_journal(&run_id, &book.path());
    view.set_run_arguments(&run_id, plan.request.journal.journal_path.as_deref());
    Ok((book, evidence, plan, capture, proved, run_id))
}

/// The mirror of the backup gets our log backup job, so it is locked too where it answers.
pub(super) async fn lock_mirror(
    session: &Session,
    evidence: &Evidence,
    locks: &Locks,
    host: &Arc<dyn Host>,
) -> Result<()> {
    let mirror = &evidence.backup_mirror;
    let Some(name) = mirror.name.as_deref().filter(|_| mirror.answer == EndpointAnswer::LoggedIn) else {
        return Ok(());
    };
    let name: InstanceName = name.parse()?;
    match locks.add(session.connector(), &name, &evidence.database).await {
        Err(error) if error.kind != ErrorKind::Locked => {
            host.message(
                Level::Warning,
                format!("{name} is not locked, so nothing is written there: {}", error.message),
            );
            Ok(())
        }
        other => other,
    }
}

/// Refuses where a check failed; each is named with its value and the wanted one.
pub(crate) fn refuse_failed(checks: &[CheckResult]) -> Result<()> {
    let failed: Vec<&CheckResult> = checks.iter().filter(|result| check::blocks(result)).collect();
    let Some(first) = failed.first() else { return Ok(()) };
    let kind_of = |code: u32| ErrorKind::ALL.iter().copied().find(|kind| kind.code() == code);
    let kind = match &failed[..] {
        // Nothing is half done before a run: a kind that says so in a run is a refusal here.
        [one] => one
            .code
            .and_then(kind_of)
            .filter(|kind| !matches!(kind.outcome(), Outcome::Incomplete | Outcome::Failed))
            .unwrap_or(ErrorKind::ChecksFailed),
        _ => ErrorKind::ChecksFailed,
    };
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

/// Proves by a marker which folder of this machine is the copy folder; `None` where none is.
pub(super) async fn prove(
    session: &Session,
    instance: &InstanceName,
    evidence: &Evidence,
    path_map: &[crate::document::PathMapEntry],
    host: &Arc<dyn Host>,
) -> Result<Option<ClientPath>> {
    let Some(folder) = evidence.files.copy_folder() else { return Ok(None) };
    let candidates = client_candidates(&folder.path, &instance.host, path_map);
    if candidates.is_empty() {
        return Ok(None);
    }
    let mut connection = session.connector().connect(instance, Purpose::Files).await?;
    let proved = prove_folder(session.file_system().as_ref(), &mut connection, &folder.path, &candidates).await?;
    if let Some(left) = proved.as_ref().and_then(|proved| proved.marker_left.as_ref()) {
        host.message(
            Level::Warning,
            format!("The marker `{left}` in {} could not be removed; it can be deleted.", folder.path),
        );
    }
    Ok(proved.map(|proved| proved.client))
}

/// The folder of journals.
pub(super) fn journal_folder(place: &JournalPlace) -> PathBuf {
    place.journal_path.as_ref().map_or_else(journal::default_folder, PathBuf::from)
}

fn journal_copy(place: &JournalPlace, proved: Option<&ClientPath>) -> Result<Option<PathBuf>> {
    if let Some(path) = &place.journal_copy_path {
        return Ok(Some(PathBuf::from(path)));
    }
    match proved {
        _ if place.no_journal_copy => Ok(None),
        Some(folder) => Ok(Some(folder.as_path().to_path_buf())),
        None => Err(Error::new(ErrorKind::JournalCopyMissing, "there is no place for the second copy of the journal: no folder of this machine is proved to be the copy folder.")
            .with_unchanged("Nothing was changed.")
            .with_next("Name a folder at the backup site with `-JournalCopyPath`, tell where the copy folder is with `-PathMap`, or decline with `-NoJournalCopy`.")),
    }
}

/// The head of a journal with what it must keep.
pub(super) type Head = RunHead<Plan, Capture>;

pub(super) fn head(run_id: &str, kind: &str, plan: Plan, evidence: &Evidence, copy: Option<&Path>) -> Head {
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
        capture: capture(evidence),
        copy_folder: copy.map(|path| path.display().to_string()),
    }
}

/// Creates a journal on a thread that may block, and hands its head back.
pub(crate) async fn create(folder: PathBuf, copy: Option<PathBuf>, head: Head) -> Result<(Journal, Head)> {
    tokio::task::spawn_blocking(move || Ok((Journal::create(&folder, copy.as_deref(), &head)?, head)))
        .await
        .map_err(|e| Error::new(ErrorKind::InternalFault, format!("the journal could not be begun: {e}.")))?
}
