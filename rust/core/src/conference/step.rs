//! The steps of a restore: start the sync, wait, compare, report.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::{json, Value};

use super::moved::{moved, unseen, Shown, Unseen};
use super::plan::{compare_command, module_of_sync, step_name, sync_commands, with_short_module};
use super::seen::Side;
use super::state::{meaning, Meaning};
use super::status::{get_status, read_status};
use super::wait::{self, Onlooker, Wait};
use super::work::ConferenceRestore;
use crate::document::{BackupServiceModule, Plan};
use crate::error::{Error, ErrorKind, Result};
use crate::evidence::{utc_text, Reading};
use crate::host::{Level, NativeCommand, NativeState};
use crate::journal::crash_points;
use crate::pool;
use crate::run::step::unknown_step;
use crate::run::{OnFailure, Run as GenericRun, Seen, Step, Unit};

type Run = GenericRun<ConferenceRestore>;

/// When the sync was called.
const CALLED_AT: &str = "sync_called_at";
/// Fact: when this run began to call the sync, whatever became of the call.
const ASKED_AT: &str = "sync_asked_at";
/// What both pools showed before the sync was called.
const BEFORE: &str = "states_before_sync";
/// The modules whose sync was seen to begin. A later call leaves them out.
const MOVED: &str = "modules_that_moved";
/// That the backup service had settled, with what was seen.
const SETTLED: &str = "backup_service_settled";
/// What the comparison said, word for word.
const COMPARED: &str = "stores_compared";
/// How the text begins where no comparison came about.
const NOT_COMPARED: &str = "not compared";
/// That the report was made.
const REPORTED: &str = "reported";

/// The steps of a plan with their code.
pub(crate) fn units(plan: &Plan) -> Result<Vec<Unit<ConferenceRestore>>> {
    plan.steps
        .iter()
        .map(|planned| {
            let step: Box<dyn Step<ConferenceRestore>> = match planned.name.as_str() {
                step_name::START_SYNC => Box::new(StartSync),
                step_name::WAIT_FOR_BACKUP_SERVICE => Box::new(WaitForBackupService),
                step_name::COMPARE_STORES => Box::new(CompareStores),
                step_name::REPORT => Box::new(Report),
                other => return Err(unknown_step(other)),
            };
            Ok(Unit { planned: planned.clone(), step })
        })
        .collect()
}

/// What the comparison said, where there was one.
fn compared(run: &Run) -> Option<String> {
    run.book.fact(COMPARED)
}

/// The same as a sentence behind others; empty where the stores were not looked at yet.
pub(crate) fn compared_text(run: &Run) -> String {
    match compared(run) {
        None => String::new(),
        Some(said) if said.starts_with(NOT_COMPARED) => format!(" The stores were {}", said.trim()),
        Some(said) => format!(" The comparison says: {}", said.trim()),
    }
}

/// What became of the sync: true and false where that is known, `None` where it was called and the call did not end well.
pub(super) fn sync_started(run: &Run) -> Option<bool> {
    match run.view.has_done(step_name::START_SYNC) {
        true => Some(true),
        false if run.book.fact::<DateTime<Utc>>(ASKED_AT).is_some() => None,
        false => Some(false),
    }
}

struct StartSync;

#[async_trait]
impl Step<ConferenceRestore> for StartSync {
    fn name(&self) -> &'static str {
        step_name::START_SYNC
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Stop
    }

    /// No command tells that a sync was asked for. A call whose end is unknown is made again: it copies only what is missing.
    async fn probe(&self, run: &Run) -> Result<Seen> {
        Ok(match run.book.fact::<DateTime<Utc>>(CALLED_AT) {
            Some(at) => Seen::So(format!("the sync was started at {}", utc_text(at))),
            None => Seen::NotYet("no call of the sync by this run ended well".to_string()),
        })
    }

    fn intent(&self, run: &Run) -> Value {
        json!({"survivor": run.work.evidence.pair.survivor, "modules": run.work.evidence.modules})
    }

    async fn act(&self, run: &Run) -> Result<String> {
        if run.book.fact::<Vec<Shown>>(BEFORE).is_none() {
            run.book.set_fact(BEFORE, &states(run).await?).await?;
        }
        run.book.set_fact(ASKED_AT, &Utc::now()).await?;
        let limit = u64::from(run.work.request.backup_service_timeout_seconds);
        let commands = commands_to_send(run);
        for (number, command) in commands.iter().enumerate() {
            let command = NativeCommand { limit_seconds: limit, ..command.clone() };
            if number > 0 {
                // What was called first may be over before the last one returns.
                take_down(run, &states(run).await?).await?;
            }
            let sent = run.native_set(command.clone()).await;
            crash_points::reach("conference.sync");
            if let (Err(error), Some(short)) = (&sent, with_short_module(&command)) {
                if error.kind == ErrorKind::NativeCommandFailed {
                    run.host.message(Level::Verbose, format!("{error} It is tried with the short module name."));
                    if run.native_set(short).await.is_ok() {
                        continue;
                    }
                }
            }
            sent?;
        }
        run.book.set_fact(CALLED_AT, &Utc::now()).await?;
        Ok(format!("the sync was started on {}", run.work.evidence.pair.survivor))
    }
}

/// The calls of the sync that are still to be made.
fn commands_to_send(run: &Run) -> Vec<NativeCommand> {
    let seen: BTreeSet<String> = run.book.fact(MOVED).unwrap_or_default();
    let is_wanted =
        |command: &NativeCommand| module_of_sync(command).is_none_or(|module| !seen.contains(&module.to_lowercase()));
    sync_commands(&run.work.evidence).into_iter().filter(is_wanted).collect()
}

/// What both pools show now; a pool that cannot be read shows nothing.
async fn states(run: &Run) -> Result<Vec<Shown>> {
    let mut all = Vec::new();
    for side in [Side::Survivor, Side::Damaged] {
        let pool = side.pool(&run.work.evidence.pair);
        match run.native_get(get_status(pool)).await {
            Ok(objects) => all.extend(read_status(&objects).into_iter().map(|status| Shown::of(pool, status))),
            Err(error) => {
                run.cancel.check()?;
                run.host.message(Level::Verbose, error.message);
            }
        }
    }
    Ok(all)
}

/// Takes down at once whose sync was seen to begin, so that a run that is cut off does not forget it.
struct Moves<'a>(&'a Run);

#[async_trait]
impl Onlooker for Moves<'_> {
    async fn new_reading(&self, modules: &[BackupServiceModule]) -> Result<()> {
        let later: Vec<Shown> = modules.iter().flat_map(Shown::all_of).collect();
        take_down(self.0, &later).await
    }
}

async fn take_down(run: &Run, later: &[Shown]) -> Result<()> {
    let known: BTreeSet<String> = run.book.fact(MOVED).unwrap_or_default();
    let mut seen = known.clone();
    let before: Vec<Shown> = run.book.fact(BEFORE).unwrap_or_default();
    seen.extend(moved(&run.work.evidence.pair.survivor, &before, later));
    if seen != known {
        run.book.set_fact(MOVED, &seen).await?;
        crash_points::reach("conference.moved");
    }
    Ok(())
}

struct WaitForBackupService;

#[async_trait]
impl Step<ConferenceRestore> for WaitForBackupService {
    fn name(&self) -> &'static str {
        step_name::WAIT_FOR_BACKUP_SERVICE
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Stop
    }

    /// One reading proves nothing. It counts only behind a wait that this run has taken down, and can take that back.
    async fn probe(&self, run: &Run) -> Result<Seen> {
        let Some(modules) = run.book.fact::<Vec<BackupServiceModule>>(SETTLED) else {
            return Ok(Seen::NotYet("nothing shows yet that the content is there".to_string()));
        };
        let bad = not_good(run, &modules).await?;
        Ok(match bad.is_empty() {
            true => Seen::So(seen_text(&modules)),
            false => Seen::NotYet(format!("it had settled, but now {}", bad.join("; "))),
        })
    }

    fn intent(&self, run: &Run) -> Value {
        let limit = run.work.request.backup_service_timeout_seconds;
        json!({"interval_milliseconds": run.work.evidence.interval_milliseconds, "limit_seconds": limit})
    }

    async fn act(&self, run: &Run) -> Result<String> {
        let evidence = &run.work.evidence;
        let called = run.book.fact::<DateTime<Utc>>(CALLED_AT);
        let ago = called.and_then(|at| (Utc::now() - at).to_std().ok()).unwrap_or_default();
        let ended = wait::wait(
            run.host.as_ref(),
            &run.cancel,
            &Wait {
                pair: evidence.pair.clone(),
                modules: evidence.modules.clone(),
                health_check: false,
                interval: evidence.interval(),
                limit: Duration::from_secs(u64::from(run.work.request.backup_service_timeout_seconds)),
                called_ago: ago,
                looks_for_the_beginning: true,
                holds_cms: evidence.holds_cms,
                refuses_unknown_modules: false,
            },
            &Moves(run),
        )
        .await?;
        for module in &ended.modules {
            // A listener that has gone does not stop the run.
            let _ = run.host.item("backup_service_module", json!(module)).await;
        }
        match ended.error {
            None => {
                run.book.set_fact(SETTLED, &ended.modules).await?;
                crash_points::reach("conference.settled");
                Ok(seen_text(&ended.modules))
            }
            Some(error) => {
                if error.kind == ErrorKind::BackupServiceFailed {
                    // The sync has failed: whoever resumes the run starts another one.
                    for fact in [CALLED_AT, BEFORE, MOVED] {
                        run.book.set_fact(fact, &Value::Null).await?;
                    }
                }
                Err(error.with_next(format!(
                    "Look at the service LYNCBACKUP and both file shares; then `Resume-PChatRun`, or wait by hand with \
                     `Wait-PChatBackupService -PoolFqdn {}`.",
                    evidence.pair.survivor
                )))
            }
        }
    }
}

/// What of the awaited is not good in a fresh reading.
async fn not_good(run: &Run, modules: &[BackupServiceModule]) -> Result<Vec<String>> {
    let evidence = &run.work.evidence;
    let mut bad = Vec::new();
    for (side, holds_cms) in [(Side::Survivor, evidence.holds_cms.0), (Side::Damaged, evidence.holds_cms.1)] {
        let pool = side.pool(&evidence.pair);
        let shown = read_status(&run.native_get(get_status(pool)).await?);
        for module in modules.iter().filter(|module| module.status_pool_fqdn.eq_ignore_ascii_case(pool)) {
            let status = shown.iter().find(|status| status.module.eq_ignore_ascii_case(&module.backup_module));
            for direction in side.awaited(false) {
                let word = status.and_then(|status| status.word(*direction));
                if meaning(&module.backup_module, *direction, word, holds_cms) != Meaning::Good {
                    let word = word.unwrap_or("not shown");
                    bad.push(format!("the {} of {} on {pool} is {word}", direction.word(), module.backup_module));
                }
            }
        }
    }
    Ok(bad)
}

fn seen_text(modules: &[BackupServiceModule]) -> String {
    let told: Vec<String> = modules
        .iter()
        .map(|module| {
            format!("{} on {}: {}", module.backup_module, module.status_pool_fqdn, module.text.trim_end_matches('.'))
        })
        .collect();
    told.join("; ")
}

/// The last look. Its text is documented nowhere: it is told word for word and decides nothing.
struct CompareStores;

#[async_trait]
impl Step<ConferenceRestore> for CompareStores {
    fn name(&self) -> &'static str {
        step_name::COMPARE_STORES
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::GoOn
    }

    async fn probe(&self, run: &Run) -> Result<Seen> {
        Ok(match compared(run) {
            Some(said) => Seen::So(said),
            None => Seen::NotYet("the stores were not compared yet".to_string()),
        })
    }

    async fn act(&self, run: &Run) -> Result<String> {
        let Some(mut command) = compare_command(&run.work.evidence) else {
            let why = match &run.work.evidence.compare_parameters {
                Reading::Known(_) => String::new(),
                Reading::Unknown(why) | Reading::NotAsked(why) => why.clone(),
            };
            return not_compared(run, why.trim_end_matches('.')).await;
        };
        command.module = run.work.evidence.module_of(&command.name).map(str::to_string);
        command.limit_seconds = u64::from(run.work.request.comparison_timeout_seconds);
        let mut outcome = run.host.native(command.clone()).await;
        // The names that it takes are a third set, and cannot be probed; without one it compares all modules.
        if outcome.state == NativeState::Failed && command.parameters.iter().any(|p| p.name == "BackupModule") {
            command.parameters.retain(|parameter| parameter.name != "BackupModule");
            outcome = run.host.native(command.clone()).await;
        }
        if outcome.state == NativeState::Missing {
            return not_compared(run, "this shell has no `Debug-CsInterPoolReplication`").await;
        }
        if outcome.state == NativeState::Stopped {
            run.cancel.check()?;
            let why = format!(
                "`{}` did not end within {} seconds (`-ComparisonTimeoutSeconds`)",
                command.as_text(),
                command.limit_seconds
            );
            run.host.message(Level::Warning, format!("The stores were {NOT_COMPARED}: {why}. This decides nothing."));
            return not_compared(run, &why).await;
        }
        let objects = pool::objects(&command, outcome)?;
        let said: Vec<&str> = objects.iter().filter_map(|object| object.get("").and_then(Value::as_str)).collect();
        let text = match said.is_empty() {
            true => "the comparison said nothing.".to_string(),
            false => said.join(" "),
        };
        run.book.set_fact(COMPARED, &text).await?;
        Ok(text)
    }
}

async fn not_compared(run: &Run, why: &str) -> Result<String> {
    let text = format!("{NOT_COMPARED}: {why}.");
    run.book.set_fact(COMPARED, &text).await?;
    Ok(text)
}

struct Report;

#[async_trait]
impl Step<ConferenceRestore> for Report {
    fn name(&self) -> &'static str {
        step_name::REPORT
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::GoOn
    }

    async fn probe(&self, run: &Run) -> Result<Seen> {
        Ok(match run.book.fact::<String>(REPORTED) {
            Some(text) => Seen::So(text),
            None => Seen::NotYet("not told yet".to_string()),
        })
    }

    async fn act(&self, run: &Run) -> Result<String> {
        let modules: Vec<BackupServiceModule> = run.book.fact(SETTLED).unwrap_or_default();
        let text = match modules.is_empty() {
            true => "the backup service has not settled".to_string(),
            false => seen_text(&modules),
        };
        let unseen = unseen_modules(run);
        if !unseen.in_doubt.is_empty() {
            return Err(not_seen(run, &unseen.in_doubt, &text).await?);
        }
        let text = match unseen.at_rest.is_empty() {
            true => text,
            false => format!("{text}; at rest all the while, with nothing to bring: {}", unseen.at_rest.join(", ")),
        };
        run.book.set_fact(REPORTED, &text).await?;
        Ok(text)
    }
}

/// The modules of which nothing shows that their sync began.
fn unseen_modules(run: &Run) -> Unseen {
    let settled: Vec<BackupServiceModule> = run.book.fact(SETTLED).unwrap_or_default();
    unseen(&run.work.evidence.modules, &settled, &run.book.fact(MOVED).unwrap_or_default())
}

/// Good states that a pair at rest shows, too: whoever resumes the run calls the sync of these modules again, and waits.
async fn not_seen(run: &Run, unseen: &[String], text: &str) -> Result<Error> {
    let pair = &run.work.evidence.pair;
    let compared = compared_text(run);
    for fact in [CALLED_AT, SETTLED, COMPARED, BEFORE] {
        run.book.set_fact(fact, &Value::Null).await?;
    }
    Ok(Error::new(
        ErrorKind::SyncNotSeen,
        format!(
            "nothing shows that the sync of {} began: every state is good, and the export of {} was not seen at work since the \
             call ({}). Either nothing was missing, or so little that it was through between two readings, or it was through \
             while nobody looked; or the call did nothing.{compared}",
            unseen.join(", "),
            pair.survivor,
            text.trim_end_matches('.')
        ),
    )
    .with_unchanged(format!("What {} lacks is still on {}.", pair.damaged, pair.survivor))
    .with_next(format!(
        "Open a meeting of {} whose content was lost. Where it is there, `Undo-PChatRun -RunId {}` closes the run; where not, \
         the call did nothing: see that LYNCBACKUP runs on both pools, and `Resume-PChatRun` calls the sync again.",
        pair.damaged, run.run_id
    ))
    .with_target(&pair.damaged))
}
