//! Mirroring sessions: catching up, roles, partners that are away, and what bars a new session.

mod common;

use common::*;
use pchat_lab::engine::Engine;
use pchat_lab::faults::Fault;
use serde_json::json;

async fn pair(catch_up_milliseconds: u64) -> Engine {
    engine(json!({
        "log_shipping": { "log_backups": 2, "not_copied": 0, "not_restored": 0, "jobs_enabled": false },
        "rates": { "mirror_catch_up_milliseconds": catch_up_milliseconds },
    }))
    .await
}

async fn mirror_row(engine: &Engine, instance: &str, column: &str) -> String {
    let question = format!("SELECT {column} FROM sys.database_mirroring WHERE database_id = DB_ID('mgc')");
    text(&sql(engine, instance, &question).await)
}

async fn reach(engine: &Engine, instance: &str, down: bool) {
    engine.set_fault(Fault::Refuse { instance: instance.into() }, down).await.expect("fault");
}

const FAILOVER: &str = "ALTER DATABASE mgc SET PARTNER FAILOVER";
const OFF: &str = "ALTER DATABASE mgc SET PARTNER OFF";

#[tokio::test]
async fn roles_swap_only_when_the_mirror_has_caught_up() {
    let engine = pair(200).await;
    assert_eq!(errors(&engine, PM, FAILOVER).await, [1470, 5069], "only the principal may");
    sql(&engine, P, FAILOVER).await;
    let roles =
        (mirror_row(&engine, P, "mirroring_role_desc").await, mirror_row(&engine, PM, "mirroring_role_desc").await);
    assert_eq!((roles.0.as_str(), roles.1.as_str()), ("MIRROR", "PRINCIPAL"));
    assert_eq!(mirror_row(&engine, PM, "mirroring_state_desc").await, "SYNCHRONIZING");
    assert_eq!(errors(&engine, PM, FAILOVER).await, [1422, 5069]);
    assert_eq!(errors(&engine, P, r"BACKUP LOG mgc TO DISK = N'E:\x.trn'").await, [3059, 3013]);
    engine.write_messages(PM, "mgc", 3).expect("the new principal is open");
    mirroring_becomes(&engine, PM, "SYNCHRONIZED").await;
    sql(&engine, PM, FAILOVER).await;
    assert_eq!(mirror_row(&engine, P, "mirroring_role_sequence").await, "3");
    assert_eq!(mirror_row(&engine, PM, "mirroring_role_sequence").await, "3");
    assert_eq!(messages(&engine, P).len(), 130);
    engine.stop().await;
}

#[tokio::test]
async fn a_partner_that_was_away_catches_up_when_it_is_back() {
    let engine = pair(0).await;
    reach(&engine, PM, true).await;
    assert_eq!(mirror_row(&engine, P, "mirroring_state_desc").await, "DISCONNECTED");
    engine.write_messages(P, "mgc", 5).expect("the principal goes on alone");
    assert_eq!(errors(&engine, P, FAILOVER).await, [1422, 5069]);
    reach(&engine, PM, false).await;
    mirroring_becomes(&engine, P, "SYNCHRONIZED").await;
    assert_eq!(messages(&engine, P), messages(&engine, PM));
    sql(&engine, P, "ALTER DATABASE mgc SET PARTNER SUSPEND").await;
    assert_eq!(mirror_row(&engine, PM, "mirroring_state_desc").await, "SUSPENDED");
    engine.write_messages(P, "mgc", 2).expect("messages");
    assert_ne!(messages(&engine, P), messages(&engine, PM));
    sql(&engine, PM, "ALTER DATABASE mgc SET PARTNER RESUME").await;
    mirroring_becomes(&engine, PM, "SYNCHRONIZED").await;
    assert_eq!(messages(&engine, P), messages(&engine, PM));
    engine.stop().await;
}

#[tokio::test]
async fn a_partner_that_did_not_hear_of_the_end_still_believes_in_it() {
    let engine = pair(0).await;
    reach(&engine, PM, true).await;
    sql(&engine, P, OFF).await;
    reach(&engine, PM, false).await;
    assert_eq!(mirror_row(&engine, PM, "mirroring_state_desc").await, "DISCONNECTED");
    assert_eq!(errors(&engine, PM, "RESTORE DATABASE mgc WITH RECOVERY").await, [3104, 3013]);
    sql(&engine, PM, OFF).await;
    let orphan = sql(&engine, PM, "SELECT state_desc FROM sys.databases WHERE name = 'mgc'").await;
    assert_eq!(text(&orphan), "RESTORING");
    sql(&engine, PM, "RESTORE DATABASE mgc WITH RECOVERY").await;
    engine.stop().await;
}

#[tokio::test]
async fn a_log_backup_that_the_mirror_lacks_bars_a_new_session() {
    let engine = pair(0).await;
    sql(&engine, P, OFF).await;
    engine.write_messages(P, "mgc", 3).expect("messages");
    sql(&engine, P, r"BACKUP LOG mgc TO DISK = N'\\fs1\LogShip\between.trn'").await;
    sql(&engine, PM, "ALTER DATABASE mgc SET PARTNER = N'TCP://p.contoso.com:5022'").await;
    let principal = "ALTER DATABASE mgc SET PARTNER = N'TCP://pm.contoso.com:5022'";
    assert_eq!(errors(&engine, P, principal).await, [1478, 5069]);
    sql(&engine, PM, r"RESTORE LOG mgc FROM DISK = N'\\fs1\LogShip\between.trn' WITH NORECOVERY").await;
    sql(&engine, P, principal).await;
    mirroring_becomes(&engine, P, "SYNCHRONIZED").await;
    engine.stop().await;
}

#[tokio::test]
async fn a_stopped_endpoint_cuts_the_session_and_bars_a_new_one() {
    let engine = pair(0).await;
    engine.set_fault(Fault::EndpointStopped { instance: PM.into() }, true).await.expect("fault");
    assert_eq!(mirror_row(&engine, P, "mirroring_state_desc").await, "DISCONNECTED");
    let endpoint = "SELECT state_desc FROM sys.database_mirroring_endpoints";
    assert_eq!(text(&sql(&engine, PM, endpoint).await), "STOPPED");
    assert_eq!(text(&sql(&engine, P, endpoint).await), "STARTED");
    sql(&engine, P, OFF).await;
    sql(&engine, PM, OFF).await;
    sql(&engine, PM, "ALTER DATABASE mgc SET PARTNER = N'TCP://p.contoso.com:5022'").await;
    let principal = "ALTER DATABASE mgc SET PARTNER = N'TCP://pm.contoso.com:5022'";
    assert_eq!(errors(&engine, P, principal).await, [1418, 5069]);
    engine.set_fault(Fault::EndpointStopped { instance: PM.into() }, false).await.expect("fault");
    sql(&engine, P, principal).await;
    engine.stop().await;
}

#[tokio::test]
async fn service_that_was_forced_loses_what_the_mirror_had_not() {
    let engine = pair(0).await;
    let force = "ALTER DATABASE mgc SET PARTNER FORCE_SERVICE_ALLOW_DATA_LOSS";
    assert_eq!(errors(&engine, PM, force).await, [1455, 5069], "the principal answers");
    engine.set_fault(Fault::EndpointStopped { instance: PM.into() }, true).await.expect("fault");
    engine.write_messages(P, "mgc", 4).expect("messages");
    reach(&engine, P, true).await;
    sql(&engine, PM, force).await;
    engine.write_messages(PM, "mgc", 2).expect("messages");
    engine.set_fault(Fault::EndpointStopped { instance: PM.into() }, false).await.expect("fault");
    reach(&engine, P, false).await;
    mirroring_becomes(&engine, P, "SUSPENDED").await;
    let role = "SELECT mirroring_role_desc FROM sys.database_mirroring WHERE database_id = DB_ID('mgc')";
    for _ in 0..200 {
        if text(&sql(&engine, P, role).await) == "MIRROR" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(text(&sql(&engine, P, role).await), "MIRROR");
    sql(&engine, PM, "ALTER DATABASE mgc SET PARTNER RESUME").await;
    mirroring_becomes(&engine, PM, "SYNCHRONIZED").await;
    assert_eq!(messages(&engine, P), messages(&engine, PM));
    let truth = pchat_lab::control::EngineCommands::truth(&engine);
    assert_eq!(truth["nowhere"]["count"], 4, "{truth}");
    engine.stop().await;
}
