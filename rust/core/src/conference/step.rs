//! The steps of a restore: start the sync, wait, compare, report.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::{json, Value};

use super::plan::{compare_command, step_name, sync_commands, with_short_module};
use super::seen::Side;
use super::state::{meaning, Meaning};
use super::status::{get_status, read_status};
use super::wait::{self, Wait};
use super::work::ConferenceRestore;
use crate::document::{BackupServiceModule, Plan};
use crate::error::{ErrorKind, Result};
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

/// What an operator should know beside the outcome.
pub(crate) fn remarks(run: &Run) -> Vec<String> {
    let modules: Vec<BackupServiceModule> = run.book.fact(SETTLED).unwrap_or_default();
    let moved = modules.iter().any(|module| module.seen.len() > 1);
    if modules.is_empty() || moved {
        return Vec::new();
    }
    vec![format!(
        "No state changed after the sync was called: either nothing was missing, or it did not begin. Look at the meetings of \
         {} themselves.",
        run.work.evidence.pair.damaged
    )]
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
            },
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
                    run.book.set_fact(CALLED_AT, &Value::Null).await?;
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
        let outcome = run.host.native(command.clone()).await;
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
        run.book.set_fact(REPORTED, &text).await?;
        Ok(text)
    }
}
