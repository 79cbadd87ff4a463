//! The steps of a restore: start the sync, wait, compare, report.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::{json, Value};

use super::moved::{moved, unseen, Before};
use super::plan::{compare_command, step_name, sync_commands, with_short_module};
use super::seen::Side;
use super::state::{meaning, Meaning};
use super::status::{get_status, read_status};
use super::wait::{self, Onlooker, Wait};
use super::work::ConferenceRestore;
use crate::document::{BackupServiceModule, Plan};
use crate::error::{Error, ErrorKind, Result};
use crate::evidence::{utc_text, Reading};
use crate::host::{Level, NativeState};
use crate::journal::crash_points;
use crate::pool;
use crate::run::step::unknown_step;
use crate::run::{OnFailure, Run as GenericRun, Seen, Step, Unit};

type Run = GenericRun<ConferenceRestore>;

/// When the sync was called.
const CALLED_AT: &str = "sync_called_at";
/// Fact: when this run began to call the sync, whatever became of the call.
const ASKED_AT: &str = "sync_asked_at";
/// What the awaited states were before the sync was called.
const BEFORE: &str = "states_before_sync";
/// The modules of which a state was seen to change since then.
const MOVED: &str = "modules_that_moved";
/// That the backup service had settled, with what was seen.
const SETTLED: &str = "backup_service_settled";
/// What the comparison said, word for word.
const COMPARED: &str = "stores_compared";
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
pub(crate) fn compared(run: &Run) -> Option<String> {
    run.book.fact(COMPARED)
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
        if run.book.fact::<Vec<Before>>(BEFORE).is_none() {
            run.book.set_fact(BEFORE, &states(run).await?).await?;
        }
        run.book.set_fact(ASKED_AT, &Utc::now()).await?;
        for command in sync_commands(&run.work.evidence) {
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

/// What both pools show now; a pool that cannot be read shows nothing.
async fn states(run: &Run) -> Result<Vec<Before>> {
    let mut all = Vec::new();
    for side in [Side::Survivor, Side::Damaged] {
        let pool = side.pool(&run.work.evidence.pair);
        match run.native_get(get_status(pool)).await {
            Ok(objects) => all.extend(read_status(&objects).into_iter().map(|status| Before::of(pool, status))),
            Err(error) => {
                run.cancel.check()?;
                run.host.message(Level::Verbose, error.message);
            }
        }
    }
    Ok(all)
}

/// Takes down which modules were seen to change, so that a run that is cut off in the wait does not forget it.
struct Moves<'a>(&'a Run);

#[async_trait]
impl Onlooker for Moves<'_> {
    async fn new_reading(&self, modules: &[BackupServiceModule]) -> Result<()> {
        let book = &self.0.book;
        let known: BTreeSet<String> = book.fact(MOVED).unwrap_or_default();
        let mut seen = known.clone();
        seen.extend(moved(&book.fact::<Vec<Before>>(BEFORE).unwrap_or_default(), modules));
        if seen != known {
            book.set_fact(MOVED, &seen).await?;
            crash_points::reach("conference.moved");
        }
        Ok(())
    }
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
            let text = format!("not compared: {why}.");
            run.book.set_fact(COMPARED, &text).await?;
            return Ok(text);
        };
        command.module = run.work.evidence.module_of(&command.name).map(str::to_string);
        let mut outcome = run.host.native(command.clone()).await;
        // The names that it takes are a third set, and cannot be probed; without one it compares all modules.
        if outcome.state == NativeState::Failed && command.parameters.iter().any(|p| p.name == "BackupModule") {
            command.parameters.retain(|parameter| parameter.name != "BackupModule");
            outcome = run.host.native(command.clone()).await;
        }
        if outcome.state == NativeState::Missing {
            let text = "not compared: this shell has no `Debug-CsInterPoolReplication`.".to_string();
            run.book.set_fact(COMPARED, &text).await?;
            return Ok(text);
        }
        if outcome.state == NativeState::Stopped {
            run.cancel.check()?;
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
        if !unseen.is_empty() {
            return Err(not_seen(run, &unseen, &text).await?);
        }
        run.book.set_fact(REPORTED, &text).await?;
        Ok(text)
    }
}

/// The modules of which nothing shows that their sync began.
fn unseen_modules(run: &Run) -> Vec<String> {
    let takes_module = sync_commands(&run.work.evidence).iter().any(|c| with_short_module(c).is_some());
    let called: &[String] = if takes_module { &run.work.evidence.modules } else { &[] };
    unseen(called, &run.book.fact(MOVED).unwrap_or_default())
}

/// Good states that are those from before the call: whoever resumes the run calls the sync again, and waits again.
async fn not_seen(run: &Run, unseen: &[String], text: &str) -> Result<Error> {
    let pair = &run.work.evidence.pair;
    let compared = compared(run).map_or(String::new(), |said| format!(" The comparison says: {}", said.trim()));
    for fact in [CALLED_AT, SETTLED, COMPARED, BEFORE, MOVED] {
        run.book.set_fact(fact, &Value::Null).await?;
    }
    Ok(Error::new(
        ErrorKind::SyncNotSeen,
        format!(
            "nothing shows that the sync of {} began: every state was good, and none was another than before the call ({}). \
             Either nothing was missing, or the call did nothing.{compared}",
            unseen.join(", "),
            text.trim_end_matches('.')
        ),
    )
    .with_unchanged(format!("What {} lacks is still on {}.", pair.damaged, pair.survivor))
    .with_next(format!(
        "Open a meeting of {} whose content was lost. Where it is there, `Undo-PChatRun -RunId {}` closes the run; where not, \
         `Resume-PChatRun` calls the sync again.",
        pair.damaged, run.run_id
    ))
    .with_target(&pair.damaged))
}
