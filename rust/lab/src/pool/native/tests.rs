use std::sync::Arc;

use serde_json::{json, Value};

use super::super::fake::Fake;
use super::super::settings::{Dialect, PoolFault, PoolFaultName, PoolSettings};
use super::super::Pool;
use super::*;

fn lab() -> (Arc<Fake>, Arc<Pool>) {
    lab_with(|_| {})
}

fn lab_with(change: impl FnOnce(&mut PoolSettings)) -> (Arc<Fake>, Arc<Pool>) {
    let fake = Fake::new();
    let mut settings = PoolSettings::default();
    settings.mirror.setup_milliseconds = 0;
    settings.services.stop_milliseconds = 1;
    change(&mut settings);
    let pool = fake.pool(settings);
    (fake, pool)
}

async fn run(pool: &Pool, name: &str, parameters: Value) -> NativeAnswer {
    let request = NativeRequest {
        name: name.into(),
        parameters: parameters.as_object().cloned().unwrap(),
        switches: Vec::new(),
        dialect: None,
    };
    pool.native(request).await
}

async fn objects(pool: &Pool, name: &str, parameters: Value) -> Vec<Value> {
    let answer = run(pool, name, parameters).await;
    assert_eq!(answer.outcome, "completed", "{answer:?}");
    answer.objects
}

async fn refusal(pool: &Pool, name: &str, parameters: Value) -> String {
    let answer = run(pool, name, parameters).await;
    assert_eq!(answer.outcome, "failed", "{answer:?}");
    answer.error.unwrap().id
}

#[tokio::test]
async fn binding_refuses_what_no_page_documents() {
    let (fake, pool) = lab();
    let cases = [
        ("Get-CsPersistentChatActiveServer", json!({}), "CommandNotFoundException"),
        (
            "Get-CsBackupServiceStatus",
            json!({ "PoolFqdn": "pool2.contoso.com", "BackupModule": "ConfServices.DataConf" }),
            "NamedParameterNotFound,Get-CsBackupServiceStatus",
        ),
        ("Get-CsBackupServiceStatus", json!({}), "MissingMandatoryParameter,Get-CsBackupServiceStatus"),
        (
            "Set-CsPersistentChatState",
            json!({ "Identity": "service:pchat.contoso.com", "PoolState": "Backup" }),
            "CannotConvertArgumentNoMessage,Set-CsPersistentChatState",
        ),
        (
            "Set-CsPersistentChatActiveServer",
            json!({ "Identity": "global", "ActiveServers": null, "Swap": true }),
            "AmbiguousParameterSet,Set-CsPersistentChatActiveServer",
        ),
        ("Get-CsService", json!({ "FileStore": true, "Registrar": true }), "AmbiguousParameterSet,Get-CsService"),
        ("Get-CsPool", json!({ "Identity": "" }), "ParameterArgumentValidationErrorEmptyStringNotAllowed,Get-CsPool"),
        (
            "Invoke-CsBackupServiceSync",
            json!({ "PoolFqdn": "pool2", "WhatIf": true }),
            "NamedParameterNotFound,Invoke-CsBackupServiceSync",
        ),
        (
            "Get-CsDatabaseMirrorState",
            json!({ "PoolFqdn": "not a name" }),
            "CannotConvertArgumentNoMessage,Get-CsDatabaseMirrorState",
        ),
        (
            "Invoke-CsDatabaseFailover",
            json!({ "PoolFqdn": "pchat.contoso.com", "DatabaseType": "PersistentChat", "NewPrincipal": "Mirror", "ExcludeDatabase": "x" }),
            "NamedParameterNotFound,Invoke-CsDatabaseFailover",
        ),
    ];
    for (name, parameters, id) in cases {
        assert_eq!(refusal(&pool, name, parameters.clone()).await, id, "{name} {parameters}");
    }
    assert!(fake.effects().is_empty());
}

#[tokio::test]
async fn set_state_is_silent_and_what_if_changes_nothing() {
    let (fake, pool) = lab();
    let given = json!({ "Identity": "service:pchat.contoso.com", "PoolState": "FailedOver", "WhatIf": true });
    let answer = run(&pool, "set-cspersistentchatstate", given).await;
    assert_eq!(answer.outcome, "completed");
    assert_eq!(answer.what_if.len(), 1);
    assert!(fake.effects().is_empty());
    assert_eq!(objects(&pool, "Get-CsPersistentChatState", json!({})).await[0]["PoolState"], "Normal");

    let given = json!({ "Identity": "service:pchat.contoso.com", "PoolState": "FailedOver" });
    assert!(objects(&pool, "Set-CsPersistentChatState", given).await.is_empty());
    let shown = objects(&pool, "Get-CsPersistentChatState", json!({})).await;
    assert_eq!(shown, [json!({ "Identity": "PersistentChatServer:pchat.contoso.com", "PoolState": "FailedOver" })]);
    assert_eq!(fake.effects().len(), 1);
    assert_eq!(fake.effects()[0]["detail"], json!({ "pool_state": { "before": "Normal", "after": "FailedOver" } }));

    let local = objects(&pool, "Get-CsPersistentChatState", json!({ "LocalStore": true })).await;
    assert_eq!(local[0]["PoolState"], "Normal", "not replicated yet");

    let omitted = json!({ "Identity": "PersistentChatServer:pchat.contoso.com" });
    objects(&pool, "Set-CsPersistentChatState", omitted).await;
    assert_eq!(pool.state(), super::super::settings::PoolState::Normal, "an omitted state means Normal");
}

#[tokio::test]
async fn identities_are_accepted_as_the_scenario_says() {
    let (_, pool) = lab();
    for (identity, accepted) in [
        ("service:pchat.contoso.com", true),
        ("PersistentChatServer:PCHAT.contoso.com", true),
        ("service:PersistentChatServer:pchat.contoso.com", true),
        ("service: pchat.contoso.com", false),
        ("pchat.contoso.com", false),
        ("service:other.contoso.com", false),
    ] {
        let answer = run(&pool, "Get-CsPersistentChatState", json!({ "Identity": identity })).await;
        assert_eq!(answer.outcome == "completed", accepted, "{identity}");
    }
    let (_, only) = lab_with(|s| s.native.state_identity_prefixes = vec!["service: ".into()]);
    let given = json!({ "Identity": "service: pchat.contoso.com", "PoolState": "FailedOver" });
    objects(&only, "Set-CsPersistentChatState", given).await;
    assert_eq!(
        refusal(&only, "Get-CsPersistentChatState", json!({ "Identity": "service:pchat.contoso.com" })).await,
        "ObjectNotFound"
    );
}

#[tokio::test]
async fn an_object_of_the_get_goes_into_the_set() {
    let (_, pool) = lab();
    let instance = objects(&pool, "Get-CsPersistentChatState", json!({})).await.remove(0);
    objects(&pool, "Set-CsPersistentChatState", json!({ "Instance": instance, "PoolState": "FailedOver" })).await;
    assert_eq!(pool.state(), super::super::settings::PoolState::FailedOver);
}

#[tokio::test]
async fn the_active_list_takes_every_form_and_the_dialect_decides_its_identity() {
    let (_, pool) = lab();
    let active = |pool: Arc<Pool>| async move {
        let rows = objects(&pool, "Get-CsService", json!({ "PersistentChatServer": true })).await;
        (rows[0]["ActiveServers"].clone(), rows[0]["InactiveServers"].clone())
    };
    let set = |pool: Arc<Pool>, value: Value| async move {
        run(&pool, "Set-CsPersistentChatActiveServer", json!({ "Identity": "global", "ActiveServers": value })).await
    };
    assert_eq!(active(pool.clone()).await.0, json!(["s1.contoso.com", "s2.contoso.com"]));
    set(pool.clone(), json!({ "add": "s3.contoso.com", "Remove": ["s1.contoso.com"] })).await;
    assert_eq!(active(pool.clone()).await.0, json!(["s2.contoso.com", "s3.contoso.com"]));
    set(pool.clone(), Value::Null).await;
    assert_eq!(active(pool.clone()).await.0, json!([]));
    set(pool.clone(), json!({ "Replace": ["s4.contoso.com"] })).await;
    assert_eq!(active(pool.clone()).await.0, json!(["s4.contoso.com"]));
    let swap = json!({ "Identity": "global", "Swap": true });
    objects(&pool, "Set-CsPersistentChatActiveServer", swap).await;
    assert_eq!(active(pool.clone()).await.1, json!(["s4.contoso.com"]));

    let stranger = set(pool.clone(), json!({ "Add": "s9.contoso.com" })).await;
    assert_eq!(stranger.error.unwrap().id, "NotInPool");
    let mixed = set(pool.clone(), json!({ "Add": "s3.contoso.com", "Replace": "s4.contoso.com" })).await;
    assert_eq!(mixed.outcome, "failed");
    let other = json!({ "Identity": "PChatServerCollection", "ActiveServers": null });
    assert_eq!(refusal(&pool, "Set-CsPersistentChatActiveServer", other.clone()).await, "ObjectNotFound");
    assert_eq!(
        refusal(&pool, "Set-CsPersistentChatActiveServer", json!({ "ActiveServers": null })).await,
        "MissingMandatoryParameter,Set-CsPersistentChatActiveServer"
    );

    let (_, later) = lab_with(|s| s.dialect = Dialect::Sfb2015);
    objects(&later, "Set-CsPersistentChatActiveServer", other).await;
    objects(&later, "Set-CsPersistentChatActiveServer", json!({ "ActiveServers": { "Add": "s3.contoso.com" } })).await;
    assert_eq!(active(later).await.0, json!(["s3.contoso.com"]));
}

#[tokio::test]
async fn strict_refuses_the_undocumented_replace() {
    let (_, pool) = lab_with(|s| s.native.strict = true);
    let given = json!({ "Identity": "global", "ActiveServers": { "Replace": ["s3.contoso.com"] } });
    assert!(refusal(&pool, "Set-CsPersistentChatActiveServer", given).await.starts_with("CannotConvert"));
}

#[tokio::test]
async fn strict_shows_and_takes_what_is_documented() {
    let (_, pool) = lab_with(|s| s.native.strict = true);
    let found = objects(&pool, "Get-CsPool", json!({ "Identity": "pool1.contoso.com" })).await;
    let mut members: Vec<&String> = found[0].as_object().unwrap().keys().collect();
    members.sort();
    assert_eq!(members, ["Computers", "Identity", "Services", "Site"]);
    let identity = json!({ "Identity": "service:pchat.contoso.com" });
    objects(&pool, "Set-CsPersistentChatState", identity).await;
    assert_eq!(objects(&pool, "Get-CsPersistentChatState", json!({})).await[0]["PoolState"], "Normal");
}

#[tokio::test]
async fn topology_objects_have_the_documented_members() {
    let (_, pool) = lab();
    let rows = objects(&pool, "Get-CsService", json!({ "PersistentChatServer": true })).await;
    let server = &rows[0];
    assert_eq!(server["Identity"], "PersistentChatServer:pchat.contoso.com");
    assert_eq!(server["PersistentChatDatabase"], "PersistentChatDatabase:p.contoso.com");
    assert_eq!(server["MirrorPersistentChatDatabase"], "PersistentChatDatabase:pm.contoso.com");
    assert_eq!(server["BackupPersistentChatDatabase"], "PersistentChatDatabase:b.contoso.com");
    assert_eq!(server["BackupMirrorPersistentChatDatabase"], "PersistentChatDatabase:bm.contoso.com");
    assert_eq!(
        server["BackupMirrorPersistentChatComplianceDatabase"],
        "PersistentChatComplianceDatabase:bm.contoso.com"
    );
    assert_eq!(server["Registrar"], "Registrar:pool1.contoso.com");
    assert_eq!(server["Version"], 6);
    let stores = objects(&pool, "Get-CsService", json!({ "PersistentChatDatabase": true })).await;
    assert_eq!(stores.len(), 4);
    assert_eq!((&stores[2]["PoolFqdn"], &stores[2]["SqlInstanceName"]), (&json!("b.contoso.com"), &json!("RTC")));
    let pools = objects(&pool, "Get-CsPool", json!({ "Identity": "pchat.contoso.com" })).await;
    assert_eq!(pools[0]["Computers"].as_array().unwrap().len(), 4);
    assert_eq!(pools[0]["Services"], json!(["PersistentChatServer:pchat.contoso.com"]));
    let pair = objects(&pool, "Get-CsPoolBackupRelationship", json!({ "PoolFqdn": "pool1.contoso.com" })).await;
    assert_eq!(pair[0]["BackupPoolFqdn"], "pool2.contoso.com");
    assert_eq!(
        refusal(&pool, "Get-CsPoolBackupRelationship", json!({ "PoolFqdn": "pchat.contoso.com" })).await,
        "ObjectNotFound"
    );
}

fn install(extra: Value) -> Value {
    let mut given = json!({
        "DatabaseType": "PersistentChat", "FileShare": r"\\fs2\mirror",
        "SqlServerFqdn": "b.contoso.com", "SqlInstanceName": "RTC", "Confirm": false,
    });
    given.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    given
}

async fn failed_over(pool: &Pool, fake: &Fake) {
    fake.set_state("B\\RTC", "mgc", "ONLINE");
    let given = json!({ "Identity": "service:pchat.contoso.com", "PoolState": "FailedOver" });
    objects(pool, "Set-CsPersistentChatState", given).await;
}

#[tokio::test]
async fn a_mirror_is_made_through_backups_on_the_share() {
    let (fake, pool) = lab();
    failed_over(&pool, &fake).await;
    assert!(objects(&pool, "Install-CsMirrorDatabase", install(json!({}))).await.is_empty());
    assert_eq!(
        fake.commands(),
        [
            r"B\RTC: BACKUP DATABASE [mgc] TO DISK = N'\\fs2\mirror\mgc.bak' WITH FORMAT, INIT",
            r"B\RTC: BACKUP LOG [mgc] TO DISK = N'\\fs2\mirror\mgc.trn' WITH FORMAT, INIT",
            r"BM\RTC: RESTORE DATABASE [mgc] FROM DISK = N'\\fs2\mirror\mgc.bak' WITH NORECOVERY, REPLACE",
            r"BM\RTC: RESTORE LOG [mgc] FROM DISK = N'\\fs2\mirror\mgc.trn' WITH NORECOVERY",
            r"BM\RTC: ALTER DATABASE [mgc] SET PARTNER = N'TCP://b.contoso.com:5022'",
            r"B\RTC: ALTER DATABASE [mgc] SET PARTNER = N'TCP://bm.contoso.com:5022'",
        ]
    );
    let state = objects(
        &pool,
        "Get-CsDatabaseMirrorState",
        json!({ "PoolFqdn": "pchat.contoso.com", "DatabaseType": "PersistentChat" }),
    )
    .await;
    assert_eq!(state[0]["StateOnPrimary"], "Principal");
    assert_eq!(state[0]["StateOnMirror"], "Mirror");
    assert_eq!(state[0]["MirroringStatusOnMirror"], "Synchronized");

    let before = fake.commands().len();
    objects(&pool, "Install-CsMirrorDatabase", install(json!({}))).await;
    assert_eq!(fake.commands().len(), before, "a mirrored pair is left as it is");
}

#[tokio::test]
async fn a_mirror_set_up_says_why_it_cannot() {
    let (fake, pool) = lab();
    let message = |answer: NativeAnswer| answer.error.unwrap().message;
    let normal = run(&pool, "Install-CsMirrorDatabase", install(json!({}))).await;
    assert!(message(normal).contains("while its state is Normal"));
    failed_over(&pool, &fake).await;
    let asks = run(&pool, "Install-CsMirrorDatabase", install(json!({ "Confirm": true }))).await;
    assert_eq!(asks.error.unwrap().id, "PromptNotAnswered");
    let what_if = run(&pool, "Install-CsMirrorDatabase", install(json!({ "WhatIf": true }))).await;
    assert_eq!((what_if.outcome, what_if.what_if.len()), ("completed", 1));
    let mirror = run(&pool, "Install-CsMirrorDatabase", install(json!({ "SqlServerFqdn": "bm.contoso.com" }))).await;
    assert!(message(mirror).contains("not the primary store"));
    let default = json!({ "DatabaseType": "PersistentChat", "FileShare": r"\\fs2\mirror", "SqlServerFqdn": "b.contoso.com", "Confirm": false });
    assert_eq!(
        run(&pool, "Install-CsMirrorDatabase", default).await.outcome,
        "failed",
        "the default instance is another one"
    );
    fake.lose_share(r"\\fs2\mirror");
    let share = run(&pool, "Install-CsMirrorDatabase", install(json!({}))).await;
    assert!(message(share).contains("Cannot access file share"));
    let (fake, pool) = lab();
    failed_over(&pool, &fake).await;
    fake.refuse("SET PARTNER");
    let failed = run(&pool, "Install-CsMirrorDatabase", install(json!({}))).await;
    assert!(message(failed).contains("SET PARTNER"));
    let again = run(&pool, "Install-CsMirrorDatabase", install(json!({}))).await;
    assert!(message(again).contains("already exists on mirror"));
}

#[tokio::test]
async fn uninstall_takes_the_primary_and_leaves_the_mirror_restoring() {
    let (fake, pool) = lab();
    let given = json!({ "DatabaseType": "PersistentChat", "SqlServerFqdn": "p.contoso.com", "SqlInstanceName": "RTC" });
    objects(&pool, "Uninstall-CsMirrorDatabase", given.clone()).await;
    assert_eq!(fake.commands(), [r"P\RTC: ALTER DATABASE [mgc] SET PARTNER OFF"]);
    assert_eq!(refusal(&pool, "Uninstall-CsMirrorDatabase", given).await, "OperationFailed");
}

#[tokio::test]
async fn windows_services_go_by_name_and_not_by_wildcard() {
    let (_, pool) = lab();
    let rows = objects(&pool, "Get-CsWindowsService", json!({ "ComputerName": "s1.contoso.com" })).await;
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0]["DisplayName"], "Lync Server Persistent Chat");
    let wild = json!({ "ComputerName": "s1.contoso.com", "Name": "RTC*" });
    assert_eq!(refusal(&pool, "Get-CsWindowsService", wild).await, "ObjectNotFound");
    objects(&pool, "Stop-CsWindowsService", json!({ "InputObject": rows[0] })).await;
    let rows = objects(&pool, "Get-CsWindowsService", json!({ "ComputerName": "s1.contoso.com" })).await;
    assert_eq!((&rows[0]["Status"], &rows[1]["Status"]), (&json!("Stopped"), &json!("Running")));
    let later = json!({ "ComputerName": "s1.contoso.com", "LeaveClsAgentRunning": true });
    assert!(refusal(&pool, "Stop-CsWindowsService", later).await.starts_with("NamedParameterNotFound"));
    pool.set_site_alive("home", false);
    let dead = json!({ "ComputerName": "s1.contoso.com" });
    assert_eq!(refusal(&pool, "Get-CsWindowsService", dead).await, "ServiceControlUnavailable");
}

#[tokio::test]
async fn the_store_is_needed_by_what_changes_it_and_can_be_failed_over() {
    let (_, pool) = lab_with(|s| s.cms.master = "fe1.contoso.com".into());
    pool.set_site_alive("home", false);
    let given = json!({ "Identity": "service:pchat.contoso.com", "PoolState": "FailedOver" });
    assert_eq!(refusal(&pool, "Set-CsPersistentChatState", given.clone()).await, "CentralManagementStoreUnavailable");
    assert_eq!(refusal(&pool, "Get-CsPersistentChatState", json!({})).await, "CentralManagementStoreUnavailable");
    objects(&pool, "Get-CsPersistentChatState", json!({ "LocalStore": true })).await;
    objects(&pool, "Invoke-CsManagementServerFailover", json!({ "Confirm": false })).await;
    objects(&pool, "Set-CsPersistentChatState", given).await;
}

#[tokio::test]
async fn faults_of_single_commands() {
    let (fake, pool) = lab();
    let given = json!({ "Identity": "service:pchat.contoso.com", "PoolState": "FailedOver" });
    let set = Some("Set-CsPersistentChatState".to_string());
    let cases = [
        (PoolFaultName::NativeThrows, "failed", false),
        (PoolFaultName::NativeLies, "completed", false),
        (PoolFaultName::NativeMissing, "failed", false),
        (PoolFaultName::CsRightsMissing, "failed", false),
        (PoolFaultName::NativeThrowsAfterwards, "failed", true),
        (PoolFaultName::NativePrompts, "failed", false),
    ];
    for (name, outcome, acts) in cases {
        let command = set.clone().filter(|_| name != PoolFaultName::CsRightsMissing);
        let fault = PoolFault { name, command };
        pool.set_fault(fault.clone(), true);
        let before = fake.effects().len();
        assert_eq!(run(&pool, "Set-CsPersistentChatState", given.clone()).await.outcome, outcome, "{name:?}");
        assert_eq!(fake.effects().len() > before, acts, "{name:?}");
        objects(&pool, "Get-CsPersistentChatState", json!({})).await;
        pool.set_fault(fault, false);
    }
    assert_eq!(pool.calls().len(), 12);
}

#[tokio::test]
async fn a_silent_command_gives_back_nothing() {
    let (_, pool) = lab();
    let fault = PoolFault { name: PoolFaultName::NativeSilent, command: Some("Get-CsPool".into()) };
    pool.set_fault(fault.clone(), true);
    assert!(objects(&pool, "Get-CsPool", json!({})).await.is_empty());
    pool.set_fault(fault, false);
    assert!(!objects(&pool, "Get-CsPool", json!({})).await.is_empty());
}

#[tokio::test]
async fn a_hanging_command_comes_back_when_the_fault_is_off() {
    let (_, pool) = lab();
    let fault = PoolFault { name: PoolFaultName::NativeHangs, command: Some("Get-CsPool".into()) };
    pool.set_fault(fault.clone(), true);
    let second = Arc::clone(&pool);
    let hanging = tokio::spawn(async move { run(&second, "Get-CsPool", json!({})).await });
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert!(!hanging.is_finished());
    pool.set_fault(fault, false);
    assert_eq!(hanging.await.unwrap().outcome, "completed");
}

#[tokio::test]
async fn the_end_to_end_test_tells_who_is_in() {
    let (_, pool) = lab();
    let nobody = run(&pool, "Test-CsPersistentChatMessage", json!({ "TargetFqdn": "pool1.contoso.com" })).await;
    assert!(nobody.error.is_some_and(|error| error.message.contains("No test users")));
    assert!(objects(&pool, "Get-CsHealthMonitoringConfiguration", json!({})).await.is_empty());
    let mut result = String::new();
    let given = json!({
        "TargetFqdn": "pool1.contoso.com", "SenderSipAddress": "sip:a@contoso.com",
        "ReceiverSipAddress": "sip:b@contoso.com",
    });
    for _ in 0..1000 {
        let rows = objects(&pool, "Test-CsPersistentChatMessage", given.clone()).await;
        result = rows[0]["Result"].as_str().unwrap().into();
        if result == "Success" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(result, "Success");
}

#[test]
fn every_command_is_dispatched_and_named_once() {
    let mut names: Vec<&str> = COMMANDS.iter().map(|c| c.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), COMMANDS.len());
    for command in COMMANDS {
        assert!(!command.sets.is_empty(), "{}", command.name);
    }
}

#[tokio::test]
async fn a_set_without_what_if_neither_shows_nor_takes_it() {
    let name = "Set-CsPersistentChatState";
    let (fake, pool) = lab_with(|s| s.native.without_what_if = vec![name.into()]);
    let shown = objects(&pool, "Get-Command", json!({ "Name": name })).await;
    assert_eq!(shown[0]["Parameters"]["Keys"], json!(["Identity", "PoolState", "Force", "Instance"]));
    let given = json!({ "Identity": "service:pchat.contoso.com", "PoolState": "FailedOver" });
    let with = |more: &str| {
        let mut given = given.clone();
        given[more] = json!(true);
        given
    };
    for parameter in ["WhatIf", "Confirm"] {
        assert!(refusal(&pool, name, with(parameter)).await.starts_with("NamedParameterNotFound"));
    }
    assert!(fake.effects().is_empty());
    objects(&pool, name, given.clone()).await;
    assert_eq!(fake.effects().len(), 1);
}
