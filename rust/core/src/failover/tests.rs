//! The engine on scripted steps, and the steps on the pool against a pool in memory: no instance, no shell.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde_json::{json, Map, Value};
use tempfile::TempDir;

use super::step::units;
use super::{plan, Failover, Run};
use crate::document::{Encrypt, PlannedStep, SessionSettings};
use crate::error::{Error, ErrorKind, Outcome, Result};
use crate::evidence::{capture, sample};
use crate::host::{Cancel, Host, Level, NativeCommand, NativeOutcome, NativeState, Progress, Question};
use crate::journal::{self, Journal, Record};
use crate::operation::Session;
use crate::run::engine::{carry_out, Ending};
use crate::run::{result, start, Announced, Book, InTurn, Locks, OnFailure, Outside, Parts, Seen, Step, Unit, View};

/// A shell with a pool behind it.
#[derive(Default)]
struct Shell {
    pool: Mutex<Pool>,
    items: Mutex<Vec<(String, Value)>>,
    yes: bool,
    real: bool,
}

#[derive(Default)]
struct Pool {
    state: String,
    active: Vec<String>,
    /// When the last update for the servers was made, as a number that grows.
    created: u64,
    /// Gets never report a newer update.
    stuck: bool,
    /// What was sent, word for word, changes only.
    sent: Vec<String>,
    /// The next change of this name answers so instead of doing anything.
    answers: HashMap<String, NativeState>,
}

impl Shell {
    fn new(state: &str) -> Arc<Shell> {
        let pool = Pool { state: state.into(), active: vec!["old1.contoso.com".into()], ..Pool::default() };
        Arc::new(Shell { pool: Mutex::new(pool), ..Shell::default() })
    }

    fn pool(&self) -> std::sync::MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sent(&self) -> Vec<String> {
        self.pool().sent.clone()
    }
}

#[async_trait]
impl Host for Shell {
    fn progress(&self, _: Progress) {}
    fn message(&self, _: Level, _: String) {}
    async fn item(&self, kind: &'static str, item: Value) -> Result<()> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner).push((kind.to_string(), item));
        Ok(())
    }
    async fn confirm(&self, _: Question) -> bool {
        self.yes
    }
    async fn native(&self, command: NativeCommand) -> NativeOutcome {
        let mut pool = self.pool();
        let mut state = NativeState::Completed;
        if !command.reads_only {
            pool.sent.push(crate::pool::plan_text(&command, None));
            state = pool.answers.remove(&command.name).unwrap_or(state);
        }
        let done = state == NativeState::Completed;
        let mut objects = Vec::new();
        match command.name.as_str() {
            "Get-CsPersistentChatState" => {
                objects.push(json!({"Identity": "PersistentChatServer:pchat.contoso.com", "PoolState": pool.state}))
            }
            "Get-CsService" => objects.push(json!({
                "Identity": "PersistentChatServer:pchat.contoso.com", "PoolFqdn": "pchat.contoso.com", "ActiveServers": pool.active,
            })),
            "Get-CsManagementStoreReplicationStatus" => {
                for server in sample::request().active_servers {
                    objects.push(json!({
                        "ReplicaFqdn": server, "UpToDate": "True",
                        "LastUpdateCreation": format!("2026-03-14T02:15:{:02}Z", pool.created),
                    }));
                }
            }
            "Set-CsPersistentChatState" if done => {
                pool.state = "FailedOver".into();
                pool.created += u64::from(!pool.stuck);
            }
            "Invoke-CsManagementStoreReplication" if done => pool.created += 1,
            "Set-CsPersistentChatActiveServer" if done => pool.active.clear(),
            _ => {}
        }
        let objects = objects.into_iter().filter_map(|o| o.as_object().cloned()).collect::<Vec<Map<String, Value>>>();
        let error = (!done).then(|| "as the test wants it".to_string());
        NativeOutcome { state, module: Some("PChatLab".into()), stand_in: !self.real, objects, error, error_id: None }
    }
}

/// A run whose journal lies in a folder of its own; its instance is never reached.
fn run(folder: &TempDir, shell: &Arc<Shell>, entries: &[journal::Entry], steps: Vec<PlannedStep>) -> Run {
    let settings = SessionSettings {
        version: 1,
        encrypt: Encrypt::Mandatory,
        trust_server_certificate: false,
        connect_timeout_seconds: 1,
        address_map: Vec::new(),
    };
    let mut evidence = sample::evidence();
    evidence.instance.lab_id = Some("lab".to_string());
    let mut request = sample::request();
    request.pool_timeout_seconds = 0;
    let mut plan = plan::make(&evidence, &request).unwrap();
    if !steps.is_empty() {
        plan.steps = steps;
    }
    let host: Arc<dyn Host> = shell.clone();
    let run_id = journal::new_run_id(chrono::Utc::now());
    let head = start::head(&run_id, "failover", plan.clone(), capture(&evidence), None);
    let journal = Journal::create(folder.path(), None, &head).unwrap();
    let view = Arc::new(View::new(&plan.sql_instance, &plan.database, plan.pool_fqdn.as_deref(), "failover"));
    view.set_journal(&run_id, "journal");
    view.set_run_arguments(&run_id, Some("/it's here"));
    let session = Arc::new(Session::new(settings).unwrap());
    let outside = Outside { session, host: Arc::clone(&host), cancel: Cancel::new(), view };
    let capture = capture(&evidence);
    let mut work = Failover::new(request, evidence).unwrap();
    work.instance = "b.invalid".parse().unwrap();
    let (book, locks) = (Book::new(journal, host, entries), Locks::none());
    Run::new(&outside, Parts { run_id, plan, capture, work, book, locks, is_committed: true })
}

/// A step whose probe turns to "so" when its action has run.
struct Scripted {
    name: &'static str,
    on_failure: OnFailure,
    is_so: Arc<AtomicBool>,
    acts: Arc<AtomicUsize>,
    /// What the action answers, and whether it takes effect.
    answer: fn() -> Result<String>,
    takes_effect: bool,
}

#[async_trait]
impl Step<Failover> for Scripted {
    fn name(&self) -> &'static str {
        self.name
    }
    fn on_failure(&self) -> OnFailure {
        self.on_failure
    }
    async fn probe(&self, _: &Run) -> Result<Seen> {
        Ok(match self.is_so.load(Ordering::SeqCst) {
            true => Seen::So("it is so".into()),
            false => Seen::NotYet("it is not so".into()),
        })
    }
    async fn act(&self, run: &Run) -> Result<String> {
        run.change(self.name, "STATEMENT", async {
            self.acts.fetch_add(1, Ordering::SeqCst);
            if self.takes_effect {
                self.is_so.store(true, Ordering::SeqCst);
            }
            (self.answer)()
        })
        .await
    }
}

fn scripted(name: &'static str, on_failure: OnFailure) -> Scripted {
    Scripted {
        name,
        on_failure,
        is_so: Arc::default(),
        acts: Arc::default(),
        answer: || Ok("done".into()),
        takes_effect: true,
    }
}

fn lost() -> Result<String> {
    Err(Error::new(ErrorKind::ConnectionLost, "the connection was lost."))
}

fn refused() -> Result<String> {
    Err(Error::new(ErrorKind::SqlServerRefused, "refused."))
}

fn unit(number: u32, step: Scripted) -> Unit<Failover> {
    let planned = PlannedStep { number, ..PlannedStep::new(step.name, step.name, "B", "Nothing else was touched.") };
    Unit { planned, step: Box::new(step) }
}

fn states(run: &Run) -> Vec<(String, String)> {
    let result = run.view.result(Outcome::Done, None, String::new(), Vec::new());
    result.steps.into_iter().map(|step| (step.name, step.state)).collect()
}

async fn carried(units: &[Unit<Failover>], run: &Run) -> Ending {
    carry_out(run, units).await
}

fn pair(name: &str, state: &str) -> (String, String) {
    (name.to_string(), state.to_string())
}

#[tokio::test]
async fn a_step_that_is_already_so_is_not_done_again() {
    let (folder, shell) = (TempDir::new().unwrap(), Shell::new("Normal"));
    let run = run(&folder, &shell, &[], Vec::new());
    let (first, second) = (scripted("one", OnFailure::Stop), scripted("two", OnFailure::Stop));
    first.is_so.store(true, Ordering::SeqCst);
    let (first_acts, second_acts) = (Arc::clone(&first.acts), Arc::clone(&second.acts));
    let ending = carried(&[unit(1, first), unit(2, second)], &run).await;
    assert_eq!(ending.outcome, Outcome::Done);
    assert_eq!((first_acts.load(Ordering::SeqCst), second_acts.load(Ordering::SeqCst)), (0, 1));
    assert_eq!(states(&run), [pair("one", "already_so"), pair("two", "done")]);
}

#[tokio::test]
async fn the_probe_decides_against_what_a_call_said() {
    let (folder, shell) = (TempDir::new().unwrap(), Shell::new("Normal"));
    let run = run(&folder, &shell, &[], Vec::new());
    let effective = Scripted { answer: lost, ..scripted("lost_but_effective", OnFailure::Stop) };
    let ending = carried(&[unit(1, effective)], &run).await;
    assert_eq!(ending.outcome, Outcome::Done, "a lost answer is no failure where the system shows the effect");
    let silent = Scripted { takes_effect: false, ..scripted("silent", OnFailure::Stop) };
    let error = carried(&[unit(2, silent)], &run).await.error.unwrap();
    assert_eq!(error.kind, ErrorKind::StepNotVerified, "a silent success without an effect is none");
    assert_eq!(error.step.as_deref(), Some("silent"));
    assert_eq!(error.unchanged, "Nothing else was touched.");
}

#[tokio::test]
async fn a_failure_stops_what_relies_on_it_and_nothing_else() {
    let (folder, shell) = (TempDir::new().unwrap(), Shell::new("Normal"));
    let run = run(&folder, &shell, &[], Vec::new());
    let failing = |name, on_failure| Scripted { answer: refused, takes_effect: false, ..scripted(name, on_failure) };
    let ending = carried(
        &[
            unit(1, failing("mirror", OnFailure::GoOn)),
            unit(2, scripted("active", OnFailure::Stop)),
            unit(3, failing("stop", OnFailure::Stop)),
            unit(4, scripted("never", OnFailure::Stop)),
        ],
        &run,
    )
    .await;
    assert_eq!(ending.outcome, Outcome::Incomplete);
    assert_eq!(ending.error.unwrap().step.as_deref(), Some("stop"));
    assert_eq!(states(&run), [pair("mirror", "failed"), pair("active", "done"), pair("stop", "failed")]);
    let alone =
        carried(&[unit(1, failing("mirror2", OnFailure::GoOn)), unit(2, scripted("last", OnFailure::Stop))], &run)
            .await;
    assert_eq!((alone.outcome, alone.error.unwrap().step.unwrap()), (Outcome::Incomplete, "mirror2".to_string()));
}

#[tokio::test]
async fn a_cancel_lets_the_change_end_and_starts_no_other() {
    let (folder, shell) = (TempDir::new().unwrap(), Shell::new("Normal"));
    let run = run(&folder, &shell, &[], Vec::new());
    run.cancel.cancel();
    let step = scripted("one", OnFailure::Stop);
    let acts = Arc::clone(&step.acts);
    let ending = carried(&[unit(1, step)], &run).await;
    assert_eq!((ending.outcome, acts.load(Ordering::SeqCst)), (Outcome::Cancelled, 0));
    assert!(result::of(&run, &ending).next_actions.iter().any(|next| next.contains("-JournalPath '/it''s here'")));
}

#[tokio::test]
async fn the_journal_has_the_change_before_and_after_it() {
    let (folder, shell) = (TempDir::new().unwrap(), Shell::new("Normal"));
    let run = run(&folder, &shell, &[], Vec::new());
    carried(&[unit(1, scripted("one", OnFailure::Stop))], &run).await;
    let seen = journal::read(folder.path(), None, &run.run_id).unwrap();
    let kinds: Vec<&str> = seen
        .entries
        .iter()
        .map(|entry| match &entry.record {
            Record::Begin(_) => "begin",
            Record::StepBegun { .. } => "step_begun",
            Record::EffectBegun { .. } => "effect_begun",
            Record::EffectEnded { state, .. } => state,
            Record::StepEnded { state, .. } => state,
            _ => "other",
        })
        .collect();
    assert_eq!(kinds, ["begin", "step_begun", "effect_begun", "done", "done"]);
    assert_eq!(crate::run::steps_of(&seen.entries)[0].name, "one");
}

#[tokio::test]
async fn changes_in_turn_are_announced_before_they_are_sent_and_closed_when_one_fails() {
    let (folder, shell) = (TempDir::new().unwrap(), Shell::new("Normal"));
    let run = run(&folder, &shell, &[], Vec::new());
    let written = || -> Vec<String> {
        let seen = journal::read(folder.path(), None, &run.run_id).unwrap();
        seen.entries
            .iter()
            .filter_map(|entry| match &entry.record {
                Record::EffectBegun { object, .. } => Some(format!("{object} begun")),
                Record::EffectEnded { object, state, .. } => Some(format!("{object} {state}")),
                _ => None,
            })
            .collect()
    };
    let change = |what: &str| Announced { what: what.to_string(), statement: format!("RESTORE {what}") };
    let mut turns = InTurn::new(&run);
    for (what, next) in [("a", "b"), ("b", "c")] {
        let work = async {
            assert!(written().contains(&format!("{what} begun")), "{what} is announced before it is sent");
            Ok(())
        };
        turns.change(change(what), Some(change(next)), work).await.unwrap();
    }
    assert_eq!(written(), ["a begun", "b begun", "a done", "c begun"]);
    let refused = async { Err::<(), _>(Error::new(ErrorKind::LogBackupDamaged, "cut off")) };
    turns.change(change("c"), Some(change("d")), refused).await.unwrap_err();
    turns.close().await.unwrap();
    assert_eq!(written()[4..], ["b done", "d begun", "c failed", "d not_sent"]);
}

fn pool_steps(run: &Run) -> Vec<Unit<Failover>> {
    units(&run.plan).unwrap().into_iter().filter(|unit| unit.planned.name == plan::step_name::POOL_STATE).collect()
}

#[tokio::test]
async fn the_pool_fails_over_once_and_its_list_is_kept() {
    let (folder, shell) = (TempDir::new().unwrap(), Shell::new("Normal"));
    let run = run(&folder, &shell, &[], Vec::new());
    assert_eq!(carried(&pool_steps(&run), &run).await.outcome, Outcome::Done);
    let sent = shell.sent();
    assert_eq!(sent.len(), 2, "{sent:?}");
    assert!(sent[0].contains("-ActiveServers $null"), "the list is cleared first: {sent:?}");
    assert!(sent[1].contains("-PoolState 'FailedOver'"), "{sent:?}");
    assert_eq!(run.book.fact::<Vec<String>>("active_servers_before").unwrap(), ["old1.contoso.com"]);
    assert_eq!(carried(&pool_steps(&run), &run).await.outcome, Outcome::Done);
    assert_eq!(shell.sent().len(), 2, "nothing is sent twice");
}

#[tokio::test]
async fn a_stopped_set_that_did_nothing_is_no_success() {
    let (folder, shell) = (TempDir::new().unwrap(), Shell::new("Normal"));
    let run = run(&folder, &shell, &[], Vec::new());
    shell.pool().answers.insert("Set-CsPersistentChatState".into(), NativeState::Stopped);
    let error = carried(&pool_steps(&run), &run).await.error.unwrap();
    assert_eq!(error.kind, ErrorKind::NativeCommandStopped);
    assert_eq!(shell.pool().state, "Normal");
}

#[tokio::test]
async fn replication_that_stays_behind_is_told_and_forced_only_with_a_yes() {
    let (folder, shell) = (TempDir::new().unwrap(), Shell::new("Normal"));
    shell.pool().stuck = true;
    let run = run(&folder, &shell, &[], Vec::new());
    let ending = carried(&pool_steps(&run), &run).await;
    assert_eq!(ending.outcome, Outcome::Incomplete);
    assert_eq!(ending.error.unwrap().kind, ErrorKind::ReplicationBehind);
    assert!(!shell.sent().iter().any(|text| text.contains("Replication")), "no yes, no command");

    let folder = TempDir::new().unwrap();
    let mut inner = Shell { yes: true, ..Shell::default() };
    inner.pool = Mutex::new(Pool { state: "Normal".into(), stuck: true, ..Pool::default() });
    let shell = Arc::new(inner);
    let run = self::run(&folder, &shell, &[], Vec::new());
    assert_eq!(carried(&pool_steps(&run), &run).await.outcome, Outcome::Done);
    assert!(shell.sent().iter().any(|text| text.contains("Invoke-CsManagementStoreReplication")));
}

#[tokio::test]
async fn a_lab_s_run_refuses_real_commands_before_it_sends_one() {
    let folder = TempDir::new().unwrap();
    let shell = Arc::new(Shell { real: true, ..Shell::default() });
    let run = run(&folder, &shell, &[], Vec::new());
    let error = carried(&pool_steps(&run), &run).await.error.unwrap();
    assert_eq!(error.kind, ErrorKind::LabMixedWithReal);
    assert!(shell.sent().is_empty());
}

#[tokio::test]
async fn the_report_names_fencing_and_compliance() {
    let (folder, shell) = (TempDir::new().unwrap(), Shell::new("Normal"));
    let run = run(&folder, &shell, &[], Vec::new());
    carried(&[unit(1, scripted(plan::step_name::RECOVER, OnFailure::Stop))], &run).await;
    let ending = Ending { outcome: Outcome::Done, error: None, was_put_back: false };
    let result = result::of(&run, &ending);
    assert_eq!(result.exit_code, 0);
    assert!(result.next_actions.iter().any(|next| next.contains("SET PARTNER OFF")), "{:?}", result.next_actions);
    assert!(result.next_actions.iter().any(|next| next.contains("mgccomp")), "{:?}", result.next_actions);
}
