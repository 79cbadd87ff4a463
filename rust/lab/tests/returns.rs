//! A primary site that comes back with what the survivors lack, or built anew; and where compliance events go.

mod common;

use common::pool::*;
use common::*;
use pchat_lab::control::server::Door;
use pchat_lab::scenario::Scenario;
use pchat_lab::Lab;
use serde_json::json;
use std::time::Duration;

/// A failover with what was shipped; users are in on the other side.
async fn failed_over(lab: &Lab) {
    let engine = lab.engine();
    restore_all(engine, B, r"\\fs1\LogShip").await;
    sql(engine, B, "EXEC sp_delete_log_shipping_secondary_database mgc").await;
    sql(engine, B, "RESTORE DATABASE mgc WITH RECOVERY").await;
    pool_state(lab, "FailedOver").await;
    active_list(lab, &OTHER).await;
    served_through(lab, &[B]).await;
}

fn scenario(changes: &str) -> Scenario {
    Scenario::parse(changes, "test").unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_old_primary_returns_with_the_lost_tail_and_its_jobs_go_on() {
    let lab = Lab::start(scenario(
        r#"{ "primary_site_lost": true, "log_shipping": { "log_backups": 5, "not_copied": 2, "not_restored": 3 } }"#,
    ))
    .await
    .unwrap();
    let engine = lab.engine();
    failed_over(&lab).await;
    engine.write_messages(B, "mgc", 20).unwrap();
    let before = files(engine, B, r"\\fs1\LogShip").await;
    door(&lab, "primary_site_back", json!({})).await;
    assert_eq!(text(&sql(engine, P, "SELECT state_desc FROM sys.databases WHERE name = 'mgc'").await), "ONLINE");
    mirroring_becomes(engine, P, "SYNCHRONIZED").await;
    let tail: Vec<u64> = messages(engine, P).into_iter().filter(|m| !messages(engine, B).contains(m)).collect();
    assert_eq!(tail, (151..=157).collect::<Vec<_>>(), "what the survivors lack");
    assert_eq!(messages(engine, PM), messages(engine, P));
    // Somebody who still reaches the old primary writes there, and it goes further than the survivors.
    engine.write_messages(P, "mgc", 60).unwrap();
    // The old backup job fires and puts a file of the dead fork on the share.
    door(&lab, "clock", json!({ "pass_seconds": 1800 })).await;
    let dead: Vec<String> =
        files(engine, B, r"\\fs1\LogShip").await.into_iter().filter(|f| !before.contains(f)).collect();
    assert!(!dead.is_empty());
    let lsn = |out: &pchat_lab::engine::connection::Collected, name: &str| -> i128 {
        let at = out.sets[0].columns.iter().position(|c| c.name == name).expect("column");
        shown(&out.sets[0].rows[0][at]).parse().expect("LSN")
    };
    sql(engine, B, r"BACKUP DATABASE mgc TO DISK = N'\\fs2\mirror\full.bak' WITH COPY_ONLY").await;
    sql(engine, B, r"BACKUP LOG mgc TO DISK = N'\\fs2\mirror\living.trn' WITH COPY_ONLY").await;
    let old = sql(engine, B, &format!("RESTORE HEADERONLY FROM DISK = N'{}'", dead[0])).await;
    let new = sql(engine, B, r"RESTORE HEADERONLY FROM DISK = N'\\fs2\mirror\living.trn'").await;
    assert!(lsn(&old, "LastLSN") > lsn(&new, "FirstLSN"), "the ranges of both forks overlap");
    let moves = r"MOVE 'mgc' TO 'E:\m.mdf', MOVE 'mgc_log' TO 'E:\m.ldf'";
    sql(engine, BM, &format!(r"RESTORE DATABASE mgc FROM DISK = N'\\fs2\mirror\full.bak' WITH NORECOVERY, {moves}"))
        .await;
    let met = errors(engine, BM, &format!("RESTORE LOG mgc FROM DISK = N'{}' WITH NORECOVERY", dead[0])).await;
    assert_eq!(met, [4330, 3013], "too long to be over, and of another fork");
    let seen = served_through(&lab, &[B]).await;
    assert_eq!(seen["copies"][B]["missing"]["messages"], "151-157, 178-237", "{seen}");
    assert_eq!(seen["nowhere"]["count"], 0, "the old primary still holds them");
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_built_anew_has_empty_databases_and_nothing_else() {
    let lab = Lab::start(scenario(
        r#"{ "primary_site_lost": true, "log_shipping": { "log_backups": 3, "not_copied": 0, "not_restored": 0 } }"#,
    ))
    .await
    .unwrap();
    let engine = lab.engine();
    failed_over(&lab).await;
    door(&lab, "primary_site_rebuilt", json!({})).await;
    assert_eq!(text(&sql(engine, P, "SELECT COUNT(*) FROM mgc.dbo.tblChat").await), "0");
    assert_eq!(text(&sql(engine, P, "SELECT COUNT(*) FROM mgccomp.dbo.tblComplianceData").await), "0");
    assert_eq!(text(&sql(engine, P, "SELECT COUNT(*) FROM msdb.dbo.sysjobs").await), "0");
    assert_eq!(text(&sql(engine, PM, "SELECT COUNT(*) FROM sys.databases WHERE database_id > 4").await), "0");
    sql(engine, B, r"BACKUP DATABASE mgc TO DISK = N'\\fs1\LogShip\seed.bak' WITH COPY_ONLY, CHECKSUM").await;
    let seed = r"RESTORE DATABASE mgc FROM DISK = N'\\fs1\LogShip\seed.bak' WITH NORECOVERY";
    assert_eq!(errors(engine, P, seed).await, [3154, 3013]);
    sql(engine, P, &format!("{seed}, REPLACE")).await;
    assert_eq!(messages(engine, P), messages(engine, B));
    lab.stop().await;
}

#[tokio::test]
async fn a_database_that_is_offline_is_set_online_before_anything_else() {
    let engine = engine(json!({ "log_shipping": { "log_backups": 2, "not_copied": 0, "not_restored": 0 } })).await;
    let offline = "ALTER DATABASE mgc SET OFFLINE WITH ROLLBACK IMMEDIATE";
    assert_eq!(errors(&engine, P, offline).await, [1468, 5069]);
    assert_eq!(errors(&engine, P, "ALTER DATABASE mgc SET AUTO_CLOSE ON").await, [1468, 5069]);
    sql(&engine, P, "ALTER DATABASE mgc SET PARTNER OFF").await;
    sql(&engine, P, offline).await;
    assert_eq!(errors(&engine, P, r"BACKUP DATABASE mgc TO DISK = N'E:\x.bak'").await, [942, 3013]);
    assert_eq!(errors(&engine, P, r"BACKUP LOG mgc TO DISK = N'E:\x.trn' WITH NO_TRUNCATE").await, [942, 3013]);
    sql(&engine, P, "ALTER DATABASE mgc SET ONLINE").await;
    sql(&engine, P, r"BACKUP DATABASE mgc TO DISK = N'E:\x.bak' WITH COPY_ONLY").await;
    engine.stop().await;
}

#[tokio::test]
async fn the_log_of_a_damaged_database_can_be_saved() {
    let engine = engine(json!({ "log_shipping": { "log_backups": 2, "not_copied": 0, "not_restored": 0 } })).await;
    let damaged = pchat_lab::faults::Fault::DatabaseDamaged { instance: P.into(), database: "mgc".into() };
    engine.set_fault(damaged, true).await.expect("fault");
    assert_eq!(errors(&engine, P, r"BACKUP LOG mgc TO DISK = N'\\fs1\LogShip\tail.trn'").await, [926, 3013]);
    sql(&engine, P, r"BACKUP LOG mgc TO DISK = N'\\fs1\LogShip\tail.trn' WITH NO_TRUNCATE").await;
    let header = sql(&engine, B, r"RESTORE HEADERONLY FROM DISK = N'\\fs1\LogShip\tail.trn'").await;
    let value = |name: &str| {
        let at = header.sets[0].columns.iter().position(|c| c.name == name).expect("column");
        shown(&header.sets[0].rows[0][at])
    };
    assert_eq!((value("IsCopyOnly").as_str(), value("HasIncompleteMetaData").as_str()), ("1", "1"));
    sql(&engine, B, r"RESTORE LOG mgc FROM DISK = N'\\fs1\LogShip\tail.trn' WITH NORECOVERY").await;
    assert_eq!(messages(&engine, B), messages(&engine, P));
    engine.stop().await;
}

#[tokio::test]
async fn database_options_and_owner_do_not_come_with_a_backup() {
    let engine = engine(json!({
        "log_shipping": { "log_backups": 2, "not_copied": 0, "not_restored": 0, "jobs_enabled": false },
        "chat": { "owner": "CONTOSO\\sqlservice", "broker": true, "trustworthy": true, "db_chaining": true },
    }))
    .await;
    let options = "SELECT CAST(is_broker_enabled AS int) + 10 * CAST(is_trustworthy_on AS int) + 100 * CAST(is_db_chaining_on AS int) FROM sys.databases WHERE name = 'mgc'";
    let owner = "SELECT SUSER_SNAME(owner_sid) FROM sys.databases WHERE name = 'mgc'";
    assert_eq!(text(&sql(&engine, P, options).await), "111");
    assert_eq!(text(&sql(&engine, P, owner).await), r"CONTOSO\sqlservice");
    sql(&engine, B, "RESTORE DATABASE mgc WITH RECOVERY").await;
    assert_eq!(text(&sql(&engine, B, options).await), "0");
    sql(&engine, P, "ALTER DATABASE mgc SET PARTNER OFF").await;
    sql(&engine, B, r"BACKUP DATABASE mgc TO DISK = N'\\fs2\mirror\full.bak'").await;
    sql(&engine, P, r"RESTORE DATABASE mgc FROM DISK = N'\\fs2\mirror\full.bak' WITH REPLACE").await;
    assert_eq!(text(&sql(&engine, P, options).await), "0", "broker, trustworthy and chaining are off after a restore");
    assert_eq!(text(&sql(&engine, P, owner).await), r"CONTOSO\sqlservice", "the owner is the existing database's");
    sql(&engine, P, "ALTER DATABASE mgc SET ENABLE_BROKER WITH ROLLBACK IMMEDIATE; ALTER DATABASE mgc SET TRUSTWORTHY ON; ALTER DATABASE mgc SET DB_CHAINING ON").await;
    assert_eq!(text(&sql(&engine, P, options).await), "111");
    sql(&engine, BM, r"RESTORE DATABASE mgc FROM DISK = N'\\fs2\mirror\full.bak' WITH NORECOVERY").await;
    assert_eq!(text(&sql(&engine, BM, owner).await), "sa", "who restores a new database owns it");
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compliance_is_drained_while_its_service_runs_and_never_after() {
    let lab = Lab::start(scenario(
        r#"{ "chat": { "messages_per_second": 0.0 },
             "pool": { "compliance": { "run_interval_seconds": 3600, "unprocessed": 5, "placeholders": 2 } } }"#,
    ))
    .await
    .unwrap();
    let engine = lab.engine();
    served_through(&lab, &[P]).await;
    engine.write_messages(P, "mgc", 10).unwrap();
    let waiting = "SELECT COUNT(*) FROM mgccomp.dbo.tblComplianceData WHERE cmplType <> 9";
    for _ in 0..200 {
        if text(&sql(engine, P, waiting).await) == "15" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(text(&sql(engine, P, waiting).await), "15");
    door(&lab, "clock", json!({ "advance_seconds": 4000 })).await;
    for _ in 0..200 {
        if text(&sql(engine, P, waiting).await) == "0" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(text(&sql(engine, P, "SELECT COUNT(*) FROM mgccomp.dbo.tblComplianceData").await), "2");
    services(&lab, "Stop", &HOME, "RTCCOMPLIANCE").await;
    engine.write_messages(P, "mgc", 3).unwrap();
    door(&lab, "clock", json!({ "advance_seconds": 8000 })).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let seen = door(&lab, "truth", json!({})).await["compliance"].clone();
    assert_eq!((&seen["made"], &seen["queued"], &seen["processed"]), (&json!(18), &json!(3), &json!(15)), "{seen}");
    assert_eq!((&seen["nowhere"]["count"], &seen["processed_twice"]["count"]), (&json!(0), &json!(0)), "{seen}");
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_are_written_where_users_are_and_nowhere_else() {
    let lab = Lab::start(scenario(r#"{ "log_shipping": { "jobs_enabled": false } }"#)).await.unwrap();
    served_through(&lab, &[P]).await;
    let wrote = door(&lab, "messages", json!({ "write": 4, "per_second": 0 })).await;
    assert_eq!(wrote["newest_message"], 171, "{wrote}");
    door(&lab, "messages", json!({ "per_second": 1000 })).await;
    services(&lab, "Stop", &HOME, "RTCCHAT").await;
    served_through(&lab, &[]).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let before = door(&lab, "truth", json!({})).await["newest_message"].clone();
    assert!(before.as_u64() > Some(171), "{before}");
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(door(&lab, "truth", json!({})).await["newest_message"], before, "nobody is there to write");
    let refused = lab.door().answer("messages", json!({ "write": 1 }).as_object().unwrap()).await;
    assert_eq!(refused, Err("nobody serves users now".to_string()));
    lab.stop().await;
}
