use std::sync::Arc;
use std::time::Duration;

use super::fake::Fake;
use super::native::NativeRequest;
use super::settings::{PoolFault, PoolFaultName, PoolSettings};
use super::*;

fn quick() -> PoolSettings {
    let mut settings = PoolSettings::default();
    settings.services.reconnect_milliseconds = 5;
    settings.services.stop_milliseconds = 1;
    settings.mirror.setup_milliseconds = 0;
    settings
}

/// Waits, in real time, until `what` holds.
async fn until(what: impl Fn() -> bool) {
    for _ in 0..4000 {
        if what() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it did not come to pass within twenty seconds");
}

async fn call(pool: &Arc<Pool>, name: &str, parameters: Value) -> native::NativeAnswer {
    let request: NativeRequest = serde_json::from_value(json!({ "name": name, "parameters": parameters })).unwrap();
    pool.native(request).await
}

fn users_in(pool: &Pool) -> bool {
    pool.users()["in"].as_bool().unwrap()
}

#[tokio::test]
async fn services_of_active_servers_connect_and_come_back_until_they_are_stopped() {
    let fake = Fake::new();
    let pool = fake.pool(quick());
    until(|| fake.visitors("P\\RTC", "mgc") == ["S1", "S2"]).await;
    assert_eq!(fake.kill_all("P\\RTC", "mgc"), 2);
    until(|| fake.visitors("P\\RTC", "mgc") == ["S1", "S2"]).await;
    for server in ["s1.contoso.com", "s2.contoso.com"] {
        let answer = call(&pool, "Stop-CsWindowsService", json!({ "Name": "RTCCHAT", "ComputerName": server })).await;
        assert_eq!(answer.outcome, "completed", "{answer:?}");
    }
    assert!(fake.visitors("P\\RTC", "mgc").is_empty());
    tokio::time::sleep(Duration::from_millis(40)).await;
    assert!(fake.visitors("P\\RTC", "mgc").is_empty());
    assert!(!users_in(&pool));
}

#[tokio::test]
async fn users_are_in_only_when_list_state_and_database_are_all_there() {
    let fake = Fake::new();
    let pool = fake.pool(quick());
    until(|| users_in(&pool)).await;
    fake.lose_home();
    pool.set_site_alive("home", false);
    assert!(!users_in(&pool));

    let state = json!({ "Identity": "service:pchat.contoso.com", "PoolState": "FailedOver" });
    assert_eq!(call(&pool, "Set-CsPersistentChatState", state).await.outcome, "completed");
    let list = json!({ "Identity": "global", "ActiveServers": null });
    assert_eq!(call(&pool, "Set-CsPersistentChatActiveServer", list).await.outcome, "completed");
    let list = json!({ "Identity": "global", "ActiveServers": { "Add": ["s3.contoso.com", "s4.contoso.com"] } });
    assert_eq!(call(&pool, "Set-CsPersistentChatActiveServer", list).await.outcome, "completed");
    fake.advance(60_000);
    tokio::time::sleep(Duration::from_millis(40)).await;
    let out = pool.users();
    assert_eq!(out["in"], false, "the database is still RESTORING: {out}");
    assert!(out["out"]["s3.contoso.com"].as_str().unwrap().contains("no session in mgc"), "{out}");
    assert_eq!(out["out"]["s1.contoso.com"], "the server is dead");

    fake.set_state("B\\RTC", "mgc", "ONLINE");
    until(|| users_in(&pool)).await;
    assert_eq!(fake.visitors("B\\RTC", "mgc"), ["S3", "S4"]);
}

#[tokio::test]
async fn a_server_that_has_not_replicated_does_not_serve() {
    let fake = Fake::new();
    fake.set_state("B\\RTC", "mgc", "ONLINE");
    let pool = fake.pool(quick());
    until(|| users_in(&pool)).await;
    let state = json!({ "Identity": "PersistentChatServer:pchat.contoso.com", "PoolState": "FailedOver" });
    call(&pool, "Set-CsPersistentChatState", state).await;
    let out = pool.users();
    assert_eq!(out["out"]["s1.contoso.com"], "it still knows the pool as Normal");
    fake.advance(10_000);
    until(|| users_in(&pool)).await;
    assert_eq!(fake.visitors("B\\RTC", "mgc"), ["S1", "S2"]);
}

#[tokio::test]
async fn a_server_off_the_list_keeps_its_session_unless_the_scenario_says_otherwise() {
    for drops in [false, true] {
        let fake = Fake::new();
        let mut settings = quick();
        settings.services.delisted_servers_disconnect = drops;
        let pool = fake.pool(settings);
        until(|| fake.visitors("P\\RTC", "mgc").len() == 2).await;
        let list = json!({ "Identity": "global", "ActiveServers": null });
        call(&pool, "Set-CsPersistentChatActiveServer", list).await;
        fake.advance(10_000);
        if drops {
            until(|| fake.visitors("P\\RTC", "mgc").is_empty()).await;
        } else {
            tokio::time::sleep(Duration::from_millis(40)).await;
            assert_eq!(fake.kill_all("P\\RTC", "mgc"), 2);
            until(|| fake.visitors("P\\RTC", "mgc").len() == 2).await;
        }
        assert!(!users_in(&pool));
    }
}

#[tokio::test]
async fn a_service_that_started_before_the_mirror_stood_does_not_follow_a_role_swap() {
    let fake = Fake::new();
    fake.set_state("P\\RTC", "mgc", "ONLINE");
    fake.set_state("PM\\RTC", "mgc", "RESTORING");
    let pool = fake.pool(quick());
    until(|| users_in(&pool)).await;
    fake.set_state("P\\RTC", "mgc", "RESTORING");
    fake.set_state("PM\\RTC", "mgc", "ONLINE");
    fake.kill_all("P\\RTC", "mgc");
    tokio::time::sleep(Duration::from_millis(40)).await;
    assert!(!users_in(&pool));

    let mirrored = Fake::new();
    let pool = mirrored.pool(quick());
    until(|| users_in(&pool)).await;
    let swap = json!({ "PoolFqdn": "pchat.contoso.com", "DatabaseType": "PersistentChat", "NewPrincipal": "Mirror", "Force": true });
    assert_eq!(call(&pool, "Invoke-CsDatabaseFailover", swap).await.outcome, "completed");
    mirrored.kill_all("P\\RTC", "mgc");
    until(|| mirrored.visitors("PM\\RTC", "mgc") == ["S1", "S2"]).await;
}

#[tokio::test]
async fn a_closed_pool_leaves_no_session_behind() {
    let fake = Fake::new();
    let pool = fake.pool(quick());
    until(|| users_in(&pool)).await;
    pool.close();
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert!(fake.visitors("P\\RTC", "mgc").is_empty());
    assert!(fake.visitors("P\\RTC", "mgccomp").is_empty());
}

#[tokio::test]
async fn a_stalled_replication_goes_on_when_the_fault_is_over() {
    let fake = Fake::new();
    let pool = fake.pool(quick());
    let fault = PoolFault { name: PoolFaultName::ReplicationStalled, command: None };
    pool.set_fault(fault.clone(), true);
    let state = json!({ "Identity": "service:pchat.contoso.com", "PoolState": "FailedOver" });
    call(&pool, "Set-CsPersistentChatState", state).await;
    fake.advance(600_000);
    let status = |answer: native::NativeAnswer| answer.objects.iter().all(|o| o["UpToDate"] == true);
    assert!(!status(call(&pool, "Get-CsManagementStoreReplicationStatus", json!({})).await));
    pool.set_fault(fault, false);
    assert!(status(call(&pool, "Get-CsManagementStoreReplicationStatus", json!({})).await));
}
