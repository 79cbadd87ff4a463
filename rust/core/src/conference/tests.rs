//! The whole wait against a shell of two pools whose states follow the clock.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use serde_json::{json, Value};

use crate::command::backup_service_wait;
use crate::document::BackupServiceWaitRequest;
use crate::error::{ErrorKind, Result};
use crate::host::{Cancel, Host, Level, NativeCommand, NativeOutcome, NativeState, Progress, Question};

/// The sync interval of this shell, in milliseconds.
const INTERVAL: u64 = 200;

type States = dyn Fn(&str, &str, u64) -> Option<(&'static str, &'static str)> + Send + Sync;

/// A shell: what a pool shows of a module so many milliseconds after the start; `None`: the status cannot be read.
struct Shell {
    begun: Instant,
    states: Box<States>,
    missing: &'static [&'static str],
    partner: &'static str,
    pools: &'static [&'static str],
    /// The limits of the status calls.
    limits: Mutex<Vec<u64>>,
    items: Mutex<Vec<Value>>,
    messages: Mutex<Vec<String>>,
    progress: Mutex<Vec<Progress>>,
}

impl Shell {
    fn new(states: impl Fn(&str, &str, u64) -> Option<(&'static str, &'static str)> + Send + Sync + 'static) -> Shell {
        Shell {
            begun: Instant::now(),
            states: Box::new(states),
            missing: &[],
            partner: "pool1.contoso.com",
            pools: &["pool1.contoso.com", "pool2.contoso.com"],
            limits: Mutex::default(),
            items: Mutex::default(),
            messages: Mutex::default(),
            progress: Mutex::default(),
        }
    }

    fn status(&self, pool: &str) -> std::result::Result<Value, String> {
        let at = self.begun.elapsed().as_millis() as u64;
        let (mut names, mut exports, mut imports) = (vec![], vec![], vec![]);
        for module in super::state::MODULES {
            let (export, import) = (self.states)(pool, module, at).ok_or("the backup service does not answer")?;
            names.push(*module);
            exports.push(export);
            imports.push(import);
        }
        Ok(json!({
            "BackupModules": names, "BackupModules.Identity": names,
            "BackupModules.ExportStatus": exports, "BackupModules.ImportStatus": imports,
        }))
    }

    fn answer(&self, command: &NativeCommand) -> std::result::Result<Value, String> {
        let parameter = |name: &str| {
            let found = command.parameters.iter().find(|p| p.name == name);
            found.and_then(|p| p.value.as_str()).unwrap_or_default().to_string()
        };
        match command.name.as_str() {
            "Get-CsBackupServiceStatus" => self.status(&parameter("PoolFqdn")),
            "Get-CsBackupServiceConfiguration" => Ok(json!({"SyncInterval": format!("00:00:00.{INTERVAL}0000")})),
            "Get-CsPoolBackupRelationship" => Ok(json!({"*": [self.partner, "pool2.contoso.com"]})),
            "Get-CsManagementStoreReplicationStatus" => Ok(json!({"ActiveMasterFqdn": "fe2.contoso.com"})),
            "Get-CsPool" if parameter("Identity").is_empty() => {
                Ok(self.pools.iter().map(|pool| json!({"Identity": pool})).collect())
            }
            "Get-CsPool" => Ok(json!({"Computers": [parameter("Identity").replace("pool", "fe")]})),
            other => Err(format!("{other} was not expected")),
        }
    }
}

#[async_trait]
impl Host for Shell {
    fn progress(&self, progress: Progress) {
        self.progress.lock().unwrap().push(progress);
    }

    fn message(&self, level: Level, text: String) {
        self.messages.lock().unwrap().push(format!("{level:?}: {text}"));
    }

    async fn item(&self, kind: &'static str, item: Value) -> Result<()> {
        assert_eq!(kind, "backup_service_module");
        self.items.lock().unwrap().push(item);
        Ok(())
    }

    async fn confirm(&self, _: Question) -> bool {
        panic!("a wait asks nothing")
    }

    async fn native(&self, command: NativeCommand) -> NativeOutcome {
        assert!(command.reads_only, "{}", command.as_text());
        if command.name == "Get-CsBackupServiceStatus" {
            self.limits.lock().unwrap().push(command.limit_seconds);
        }
        let is_missing = self.missing.contains(&command.name.as_str());
        let answer = self.answer(&command);
        let state = match (&answer, is_missing) {
            (_, true) => NativeState::Missing,
            (Ok(_), _) => NativeState::Completed,
            (Err(_), _) => NativeState::Failed,
        };
        let objects = match answer.clone().ok().filter(|_| !is_missing) {
            Some(Value::Array(items)) => items,
            one => one.into_iter().collect(),
        };
        NativeOutcome {
            state,
            module: Some("Lync".to_string()),
            stand_in: false,
            objects: objects.iter().filter_map(Value::as_object).cloned().collect(),
            error: answer.err(),
            error_id: None,
        }
    }
}

fn request() -> BackupServiceWaitRequest {
    BackupServiceWaitRequest {
        version: 1,
        pool_fqdn: "pool2.contoso.com".to_string(),
        damaged_pool_fqdn: None,
        backup_modules: Vec::new(),
        health_check: false,
        sync_interval_seconds: None,
        backup_service_timeout_seconds: 30,
    }
}

/// Waits to the end: the items, and the kind of the error with its text.
async fn waited(shell: &Arc<Shell>, request: BackupServiceWaitRequest) -> (Vec<Value>, Option<(ErrorKind, String)>) {
    let host: Arc<dyn Host> = shell.clone();
    let ended = backup_service_wait(request, host, Cancel::new()).await;
    let items = shell.items.lock().unwrap().clone();
    (items, ended.err().map(|error| (error.kind, error.to_string())))
}

fn words(item: &Value) -> Vec<String> {
    let seen = item["seen"].as_array().cloned().unwrap_or_default();
    seen.iter().map(|reading| reading["export_status"].as_str().unwrap_or("none").to_string()).collect()
}

#[tokio::test]
async fn a_stale_first_snapshot_is_shown_and_not_believed() {
    let shell = Arc::new(Shell::new(|_, _, at| {
        Some((["FinalState", "NonSteadyState", "SteadyState"][(at / INTERVAL).min(2) as usize], "NormalState"))
    }));
    let (items, error) = waited(&shell, request()).await;
    assert_eq!(error, None);
    assert!(shell.begun.elapsed() >= Duration::from_millis(4 * INTERVAL), "two intervals after the export was steady");
    assert_eq!(items.len(), 2, "the module on each pool");
    assert_eq!(words(&items[0]), ["FinalState", "NonSteadyState", "SteadyState"]);
    assert_eq!(items[0]["seen"][0]["decides_nothing"], json!(true));
    for (item, pool, awaited) in
        [(&items[0], "pool2.contoso.com", "export"), (&items[1], "pool1.contoso.com", "import")]
    {
        assert_eq!(item["pool_fqdn"], "pool2.contoso.com");
        assert_eq!(item["damaged_pool_fqdn"], "pool1.contoso.com");
        assert_eq!((&item["status_pool_fqdn"], &item["awaited"]), (&json!(pool), &json!(awaited)));
        assert_eq!((&item["state"], &item["is_done"]), (&json!("done"), &json!(true)));
        assert!(item["good_since_utc"].is_string() && item["readings"].as_u64() > Some(8), "{item}");
    }
    let shown = shell.progress.lock().unwrap();
    assert!(shown.iter().any(|p| p.status.starts_with("good for") && p.operation.contains("ConfServices.DataConf")));
    assert!(shown.windows(2).any(|pair| pair[0].percent < pair[1].percent));
    let parts = &shown.last().expect("a bar").parts;
    let names: Vec<&str> = parts.iter().map(|part| part.activity.as_str()).collect();
    assert_eq!(names, ["ConfServices.DataConf on pool2.contoso.com", "ConfServices.DataConf on pool1.contoso.com"]);
    assert_eq!(parts[0].status, "export SteadyState, import NormalState");
    assert!(parts.iter().all(|part| part.percent.is_some_and(|percent| percent > 50)), "{parts:?}");
}

#[tokio::test]
async fn the_way_back_of_a_damaged_pool_is_reported_and_not_waited_for() {
    let shell = Arc::new(Shell::new(|pool, _, _| match pool {
        "pool1.contoso.com" => Some(("ErrorState", "NormalState")),
        _ => Some(("FinalState", "ErrorState")),
    }));
    let (items, error) = waited(&shell, request()).await;
    assert_eq!(error, None);
    assert_eq!(items[1]["export_status"], "ErrorState");
    assert!(items[1]["text"].as_str().unwrap().ends_with("the export is reported only."), "{}", items[1]["text"]);
}

#[tokio::test]
async fn an_error_that_holds_fails_with_the_text_of_the_module() {
    let shell = Arc::new(Shell::new(|pool, _, _| match pool {
        "pool1.contoso.com" => Some(("FinalState", "ErrorState")),
        _ => Some(("FinalState", "NormalState")),
    }));
    let (items, error) = waited(&shell, request()).await;
    let (kind, text) = error.expect("a failure");
    assert_eq!(kind, ErrorKind::BackupServiceFailed);
    assert!(text.contains("pool1.contoso.com: the import of ConfServices.DataConf has been ErrorState"), "{text}");
    assert!(shell.begun.elapsed() >= Duration::from_millis(2 * INTERVAL));
    assert_eq!((&items[0]["state"], &items[1]["state"]), (&json!("waiting"), &json!("failed")));
}

#[tokio::test]
async fn an_unknown_word_is_told_once_and_never_taken_for_done() {
    let shell = Arc::new(Shell::new(|_, _, _| Some(("Quiescent", "NormalState"))));
    let request = BackupServiceWaitRequest { backup_service_timeout_seconds: 1, ..request() };
    let (items, error) = waited(&shell, request).await;
    let (kind, text) = error.expect("the limit");
    assert_eq!(kind, ErrorKind::BackupServiceNotSettled);
    assert!(text.contains("the export of ConfServices.DataConf is `Quiescent`, which no page has"), "{text}");
    let told: Vec<String> =
        shell.messages.lock().unwrap().iter().filter(|m| m.contains("`Quiescent`")).cloned().collect();
    assert_eq!(told.len(), 2, "once a pool: {told:?}");
    assert_eq!(items[0]["state"], "waiting");
}

#[tokio::test]
async fn a_pool_that_cannot_be_read_is_not_good() {
    let shell =
        Arc::new(Shell::new(|pool, _, _| (pool != "pool1.contoso.com").then_some(("FinalState", "NormalState"))));
    let request = BackupServiceWaitRequest { backup_service_timeout_seconds: 1, ..request() };
    let (items, error) = waited(&shell, request).await;
    let (kind, text) = error.expect("the limit");
    assert_eq!(kind, ErrorKind::BackupServiceNotSettled);
    assert!(text.contains("pool1.contoso.com: the import of ConfServices.DataConf could not be read"), "{text}");
    assert!(text.contains("the backup service does not answer"), "{text}");
    assert_eq!((&items[1]["readings"], &items[1]["import_status"]), (&json!(0), &Value::Null));
}

#[tokio::test]
async fn a_health_check_waits_for_all_modules_both_ways_and_knows_who_holds_the_store() {
    let shell = Arc::new(Shell::new(|pool, module, _| match (pool, module) {
        ("pool1.contoso.com", "CentralMgmt.CMSMaster") => Some(("NotInitialized", "NormalState")),
        _ => Some(("FinalState", "NormalState")),
    }));
    let (items, error) = waited(&shell, BackupServiceWaitRequest { health_check: true, ..request() }).await;
    assert_eq!(error, None);
    assert_eq!(items.len(), 6);
    assert!(items.iter().all(|item| item["awaited"] == "export and import" && item["is_done"] == json!(true)));

    let held = Arc::new(Shell::new(|_, module, _| match module {
        "CentralMgmt.CMSMaster" => Some(("NotInitialized", "NormalState")),
        _ => Some(("FinalState", "NormalState")),
    }));
    let request = BackupServiceWaitRequest { health_check: true, backup_service_timeout_seconds: 1, ..request() };
    let (_, error) = waited(&held, request).await;
    let (kind, text) = error.expect("the limit");
    assert_eq!(kind, ErrorKind::BackupServiceNotSettled);
    assert!(text.contains("pool2.contoso.com: the export of CentralMgmt.CMSMaster is NotInitialized"), "{text}");
    assert!(!text.contains("pool1.contoso.com: the export"), "{text}");
}

#[tokio::test]
async fn a_module_or_a_pool_that_is_not_there_is_refused_with_those_that_are() {
    let refused = |more: BackupServiceWaitRequest| async move {
        let shell = Arc::new(Shell::new(|_, _, _| Some(("FinalState", "NormalState"))));
        let (items, error) = waited(&shell, more).await;
        assert!(items.is_empty(), "{items:?}");
        assert!(shell.progress.lock().unwrap().is_empty(), "nothing was waited for");
        error.expect("a refusal")
    };
    let modules = vec!["DataConf".to_string(), "ConfServices.DataCnf".to_string()];
    let (kind, text) = refused(BackupServiceWaitRequest { backup_modules: modules, ..request() }).await;
    assert_eq!(kind, ErrorKind::InvalidValue);
    assert!(text.contains("no module ConfServices.DataCnf"), "{text}");
    assert!(text.contains("UserServices.PresenceFocus, ConfServices.DataConf, CentralMgmt.CMSMaster"), "{text}");

    let damaged = Some("pool7.contoso.com".to_string());
    let (kind, text) = refused(BackupServiceWaitRequest { damaged_pool_fqdn: damaged, ..request() }).await;
    assert_eq!(kind, ErrorKind::PoolNotFound);
    assert!(text.contains("no pool pool7.contoso.com; it lists pool1.contoso.com, pool2.contoso.com"), "{text}");
}

#[tokio::test]
async fn a_limit_that_passes_before_anything_is_believed_is_refused_with_the_least() {
    let shell = Arc::new(Shell::new(|_, _, _| Some(("FinalState", "NormalState"))));
    let short =
        BackupServiceWaitRequest { sync_interval_seconds: Some(60), backup_service_timeout_seconds: 194, ..request() };
    let (items, error) = waited(&shell, short).await;
    let (kind, text) = error.expect("a refusal");
    assert_eq!((kind, items.len()), (ErrorKind::InvalidValue, 0));
    assert!(text.contains("-BackupServiceTimeoutSeconds` 195 or more"), "{text}");
}

#[tokio::test]
async fn a_name_that_is_no_pool_is_not_taken_for_the_partner() {
    let mut shell = Shell::new(|_, _, _| Some(("FinalState", "NormalState")));
    shell.partner = "fs1.contoso.com";
    let (_, error) = waited(&Arc::new(shell), request()).await;
    let (kind, text) = error.expect("a refusal");
    assert_eq!(kind, ErrorKind::PartnerNotFound);
    assert!(text.contains("names fs1.contoso.com, which `Get-CsPool` does not list"), "{text}");

    let mut shell = Shell::new(|_, _, _| Some(("FinalState", "NormalState")));
    shell.missing = &["Get-CsPool"];
    let (items, error) = waited(&Arc::new(shell), request()).await;
    assert_eq!((items.len(), error), (2, None), "without Get-CsPool the one name counts");
}

#[tokio::test]
async fn a_pool_that_is_named_must_be_the_partner_where_the_shell_tells() {
    let named = |pool: &str| BackupServiceWaitRequest { damaged_pool_fqdn: Some(pool.to_string()), ..request() };
    let mut shell = Shell::new(|_, _, _| Some(("FinalState", "NormalState")));
    shell.pools = &["pool1.contoso.com", "pool2.contoso.com", "pool3.contoso.com"];
    let (items, error) = waited(&Arc::new(shell), named("pool3.contoso.com")).await;
    let (kind, text) = error.expect("a refusal");
    assert_eq!((kind, items.len()), (ErrorKind::PartnerNotFound, 0));
    assert!(text.contains("is paired with pool1.contoso.com, not with pool3.contoso.com"), "{text}");

    let mut shell = Shell::new(|_, _, _| Some(("FinalState", "NormalState")));
    shell.missing = &["Get-CsPoolBackupRelationship"];
    let shell = Arc::new(shell);
    let (items, error) = waited(&shell, named("pool1.contoso.com")).await;
    assert_eq!((items.len(), error), (2, None));
    assert!(shell
        .messages
        .lock()
        .unwrap()
        .iter()
        .any(|text| text.contains("pool1.contoso.com is its partner is your word")));
}

#[tokio::test]
async fn each_status_call_is_given_what_is_left_of_the_limit_and_no_more() {
    let shell = Arc::new(Shell::new(|_, _, _| Some(("NonSteadyState", "NormalState"))));
    let (_, error) = waited(&shell, BackupServiceWaitRequest { backup_service_timeout_seconds: 2, ..request() }).await;
    assert_eq!(error.expect("the limit").0, ErrorKind::BackupServiceNotSettled);
    let limits = shell.limits.lock().unwrap();
    assert!(limits.iter().all(|limit| (1..=2).contains(limit)), "{limits:?}");
    assert!(limits.is_sorted_by(|earlier, later| earlier >= later), "{limits:?}");
}

#[tokio::test]
async fn commands_that_are_missing_and_pools_that_are_one_are_refused_at_once() {
    let mut shell = Shell::new(|_, _, _| Some(("FinalState", "NormalState")));
    shell.missing = &["Get-CsBackupServiceStatus"];
    let (_, error) = waited(&Arc::new(shell), request()).await;
    assert_eq!(error.expect("refused").0, ErrorKind::NativeCommandMissing);

    let mut shell = Shell::new(|_, _, _| Some(("FinalState", "NormalState")));
    shell.missing = &["Get-CsPoolBackupRelationship"];
    let (_, error) = waited(&Arc::new(shell), request()).await;
    assert_eq!(error.expect("refused").0, ErrorKind::PartnerNotFound);

    let shell = Arc::new(Shell::new(|_, _, _| Some(("FinalState", "NormalState"))));
    let same = BackupServiceWaitRequest { damaged_pool_fqdn: Some("POOL2.contoso.com".to_string()), ..request() };
    let (_, error) = waited(&shell, same).await;
    assert_eq!(error.expect("refused").0, ErrorKind::DamagedPoolAsSource);
}

#[tokio::test]
async fn without_the_configuration_the_default_interval_is_taken_and_told() {
    let mut shell = Shell::new(|_, _, _| Some(("FinalState", "NormalState")));
    shell.missing = &["Get-CsBackupServiceConfiguration"];
    let shell = Arc::new(shell);
    let request = BackupServiceWaitRequest { backup_service_timeout_seconds: 600, ..request() };
    let host: Arc<dyn Host> = shell.clone();
    let cancel = Cancel::new();
    let (stop, work) = (cancel.clone(), backup_service_wait(request, host, cancel));
    let stopper = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        stop.cancel();
    };
    let (ended, ()) = tokio::join!(work, stopper);
    assert_eq!(ended.unwrap_err().kind, ErrorKind::Cancelled, "a cancel ends the pause between two readings");
    let messages = shell.messages.lock().unwrap();
    assert!(messages.iter().any(|m| m.contains("so 120 seconds are taken")), "{messages:?}");
}
