//! A planned switch and the way back by hand, with servers that reconnect: what the product has to do in this order.

mod common;

use common::pool::*;
use common::*;
use pchat_lab::scenario::Scenario;
use pchat_lab::Lab;
use serde_json::json;
use std::time::Duration;

/// Takes the tail of `from` and restores it on `to`: afterwards both end at the same LSN, and `to` is open.
async fn hand_over(lab: &Lab, from: &str, to: &str, file: &str) {
    let engine = lab.engine();
    let tail = format!(
        "USE mgc; ALTER DATABASE mgc SET SINGLE_USER WITH ROLLBACK IMMEDIATE; USE master; BACKUP LOG mgc TO DISK = N'{file}' WITH NORECOVERY, CHECKSUM"
    );
    sql(engine, from, &tail).await;
    sql(engine, to, &format!("RESTORE LOG mgc FROM DISK = N'{file}' WITH NORECOVERY, CHECKSUM")).await;
    let redo = "SELECT redo_start_lsn FROM sys.master_files WHERE database_id = DB_ID('mgc') AND type = 0";
    assert_eq!(text(&sql(engine, from, redo).await), text(&sql(engine, to, redo).await));
    sql(engine, to, "RESTORE DATABASE mgc WITH RECOVERY").await;
    let access = "SELECT user_access_desc FROM sys.databases WHERE name = 'mgc'";
    assert_eq!(text(&sql(engine, to, access).await), "SINGLE_USER", "the tail was taken in single user mode");
    sql(engine, to, "ALTER DATABASE mgc SET MULTI_USER").await;
}

fn planned() -> Scenario {
    let mut scenario = Scenario::named("healthy").unwrap();
    scenario.chat.messages_per_second = 50.0;
    scenario
}

/// The log backup that the set-up of the mirror took, by msdb.
async fn logs_since(lab: &Lab, instance: &str, lsn: &str) -> Vec<String> {
    let question = format!("SELECT f.physical_device_name FROM msdb.dbo.backupset s JOIN msdb.dbo.backupmediafamily f ON f.media_set_id = s.media_set_id WHERE s.database_name = N'mgc' AND s.type = 'L' AND s.last_lsn > {lsn} ORDER BY s.first_lsn, s.last_lsn");
    column(&sql(lab.engine(), instance, &question).await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_and_back_loses_no_message_and_the_old_primary_needs_no_seeding() {
    let lab = Lab::start(planned()).await.unwrap();
    let engine = lab.engine();
    served_through(&lab, &[P]).await;
    // The secondary has one log backup to go.
    restore_all(engine, B, r"\\fs1\LogShip").await;
    active_list(&lab, &[]).await;
    services(&lab, "Stop", &HOME, "RTCCHAT").await;
    services(&lab, "Stop", &HOME, "RTCCOMPLIANCE").await;
    assert_eq!(sessions(&lab, P).await, "0");
    for (instance, pattern) in [(P, "LSBackup%"), (PM, "LSBackup%"), (B, "LSCopy%"), (B, "LSRestore%")] {
        job(&lab, instance, pattern, false).await;
    }
    sql(engine, P, "ALTER DATABASE mgc SET PARTNER OFF").await;
    hand_over(&lab, P, B, r"\\fs1\LogShip\mgc_20990101000000.trn").await;
    let there = text(
        &sql(engine, P, "SELECT redo_start_lsn FROM sys.master_files WHERE database_id = DB_ID('mgc') AND type = 0")
            .await,
    );
    pool_state(&lab, "FailedOver").await;
    install_mirror(&lab, "b.contoso.com").await;
    active_list(&lab, &OTHER).await;
    served_through(&lab, &[B]).await;
    tokio::time::sleep(Duration::from_millis(200)).await;

    // Back: the logs since the tail, the mirror's own among them, and another tail.
    active_list(&lab, &[]).await;
    services(&lab, "Stop", &OTHER, "RTCCHAT").await;
    sql(engine, B, "ALTER DATABASE mgc SET PARTNER OFF").await;
    let logs = logs_since(&lab, B, &there).await;
    assert_eq!(logs, [r"\\fs2\mirror\mgc.trn"], "the log backup of the mirror's set-up");
    let late = errors(
        engine,
        P,
        r"BACKUP LOG mgc TO DISK = N'\\fs1\LogShip\none.trn'; RESTORE LOG mgc FROM DISK = N'\\fs1\LogShip\none.trn' WITH NORECOVERY",
    )
    .await;
    assert_eq!(late[0], 927);
    for file in logs {
        sql(engine, P, &format!("RESTORE LOG mgc FROM DISK = N'{file}' WITH NORECOVERY")).await;
    }
    hand_over(&lab, B, P, r"\\fs1\LogShip\mgc_20990102000000.trn").await;
    pool_state(&lab, "Normal").await;
    services(&lab, "Start", &HOME, "RTCCHAT").await;
    active_list(&lab, &HOME).await;
    served_through(&lab, &[P]).await;
    let seen = truth(&lab).await;
    assert_eq!((&seen["nowhere"]["count"], &seen["copies"][P]["missing"]["count"]), (&json!(0), &json!(0)), "{seen}");
    assert_eq!(seen["copies"][P]["doubled"]["count"], 0, "{seen}");
    assert!(seen["newest_message"].as_u64() > Some(170), "{seen}");
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_log_backup_of_the_mirrors_set_up_the_next_one_is_too_recent() {
    let mut scenario = planned();
    scenario.pool.mirror.setup_milliseconds = 10;
    let lab = Lab::start(scenario).await.unwrap();
    let engine = lab.engine();
    sql(engine, P, "ALTER DATABASE mgc SET PARTNER OFF").await;
    install_mirror(&lab, "p.contoso.com").await;
    engine.write_messages(P, "mgc", 3).unwrap();
    sql(engine, P, r"BACKUP LOG mgc TO DISK = N'\\fs1\LogShip\mgc_20990101000000.trn'").await;
    let all = files(engine, B, r"\\fs1\LogShip").await;
    let mut refused = Vec::new();
    for file in &all {
        refused = errors(engine, B, &format!("RESTORE LOG mgc FROM DISK = N'{file}' WITH NORECOVERY")).await;
    }
    assert_eq!(refused, [4305, 3013]);
    sql(engine, B, r"RESTORE LOG mgc FROM DISK = N'\\fs2\mirror\mgc.trn' WITH NORECOVERY").await;
    sql(engine, B, &format!("RESTORE LOG mgc FROM DISK = N'{}' WITH NORECOVERY", all[all.len() - 1])).await;
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_set_up_whose_log_backup_stands_outside_the_chain_leaves_no_gap() {
    let mut scenario = planned();
    scenario.pool.mirror.setup_milliseconds = 10;
    scenario.pool.mirror.takes_log_backup = false;
    let lab = Lab::start(scenario).await.unwrap();
    let engine = lab.engine();
    sql(engine, P, "ALTER DATABASE mgc SET PARTNER OFF").await;
    install_mirror(&lab, "p.contoso.com").await;
    mirroring_becomes(engine, P, "SYNCHRONIZED").await;
    sql(engine, P, r"BACKUP LOG mgc TO DISK = N'\\fs1\LogShip\mgc_20990101000000.trn'").await;
    restore_all(engine, B, r"\\fs1\LogShip").await;
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_backup_in_the_middle_of_a_mirrors_set_up_makes_it_fail() {
    let mut scenario = planned();
    scenario.pool.mirror.setup_milliseconds = 1000;
    let lab = Lab::start(scenario).await.unwrap();
    let engine = lab.engine();
    sql(engine, P, "ALTER DATABASE mgc SET PARTNER OFF").await;
    let parameters = json!({
        "DatabaseType": "PersistentChat", "FileShare": r"\\fs2\mirror", "SqlServerFqdn": "p.contoso.com",
        "SqlInstanceName": "RTC", "DropExistingDatabasesOnMirror": true, "Confirm": false,
    });
    let request = json!({ "name": "Install-CsMirrorDatabase", "parameters": parameters });
    let disturb = async {
        for _ in 0..400 {
            let copy = errors(engine, PM, "RESTORE LOG mgc FROM DISK = N'x' WITH NORECOVERY").await;
            let state = sql(engine, PM, "SELECT COUNT(*) FROM msdb.dbo.restorehistory WHERE restore_type = 'L'").await;
            if text(&state) != "0" && !copy.is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        engine.write_messages(P, "mgc", 1).unwrap();
        sql(engine, P, r"BACKUP LOG mgc TO DISK = N'\\fs1\LogShip\mgc_20990101000000.trn'").await;
    };
    let (answer, ()) = tokio::join!(door(&lab, "native", request), disturb);
    assert!(answer["error"]["message"].as_str().is_some_and(|m| m.contains("1478")), "{answer}");
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_the_tail_was_taken_the_old_side_can_be_opened_again() {
    let lab = Lab::start(planned()).await.unwrap();
    let engine = lab.engine();
    served_through(&lab, &[P]).await;
    services(&lab, "Stop", &HOME, "RTCCHAT").await;
    sql(engine, P, "ALTER DATABASE mgc SET PARTNER OFF").await;
    sql(engine, P, r"USE mgc; ALTER DATABASE mgc SET SINGLE_USER WITH ROLLBACK IMMEDIATE; USE master; BACKUP LOG mgc TO DISK = N'\\fs1\LogShip\mgc_20990101000000.trn' WITH NORECOVERY").await;
    let count = messages(engine, P).len();
    sql(engine, P, "RESTORE DATABASE mgc WITH RECOVERY; ALTER DATABASE mgc SET MULTI_USER").await;
    services(&lab, "Start", &HOME, "RTCCHAT").await;
    served_through(&lab, &[P]).await;
    assert!(messages(engine, P).len() >= count);
    // The tail is part of the chain, and what follows it spans the fork.
    sql(engine, P, r"BACKUP LOG mgc TO DISK = N'\\fs1\LogShip\mgc_20990101000001.trn'").await;
    restore_all(engine, B, r"\\fs1\LogShip").await;
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_that_come_back_are_put_out_until_the_tail_is_taken() {
    let lab = Lab::start(Scenario::named("planned-readers").unwrap()).await.unwrap();
    let engine = lab.engine();
    served_through(&lab, &[P]).await;
    services(&lab, "Stop", &HOME, "RTCCHAT").await;
    sql(engine, P, "ALTER DATABASE mgc SET PARTNER OFF").await;
    let plain = r"BACKUP LOG mgc TO DISK = N'\\fs1\LogShip\mgc_20990101000000.trn' WITH NORECOVERY";
    assert_eq!(errors(engine, P, plain).await, [3101, 3013], "readers are inside");
    let batch = format!("USE mgc; ALTER DATABASE mgc SET SINGLE_USER WITH ROLLBACK IMMEDIATE; USE master; {plain}");
    let mut last = Vec::new();
    for _ in 0..100 {
        last = errors(engine, P, &batch).await;
        if last.is_empty() {
            break;
        }
        assert!([924, 3101, 5064].contains(&last[0]), "{last:?}");
        let inside = "SELECT spid FROM sys.sysprocesses WHERE dbid = DB_ID('mgc') AND spid > 50";
        for spid in column(&sql(engine, P, inside).await) {
            errors(engine, P, &format!("KILL {spid}")).await;
        }
    }
    assert!(last.is_empty(), "{last:?}");
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tail_that_finds_no_room_leaves_the_database_open() {
    let lab = Lab::start(Scenario::named("planned-tail-blocked").unwrap()).await.unwrap();
    let engine = lab.engine();
    served_through(&lab, &[P]).await;
    services(&lab, "Stop", &HOME, "RTCCHAT").await;
    sql(engine, P, "ALTER DATABASE mgc SET PARTNER OFF").await;
    let batch = r"USE mgc; ALTER DATABASE mgc SET SINGLE_USER WITH ROLLBACK IMMEDIATE; USE master; BACKUP LOG mgc TO DISK = N'\\fs1\LogShip\mgc_20990101000000.trn' WITH NORECOVERY";
    assert_eq!(errors(engine, P, batch).await, [3202, 3013]);
    let state = "SELECT state_desc + N' ' + user_access_desc FROM sys.databases WHERE name = 'mgc'";
    assert_eq!(text(&sql(engine, P, state).await), "ONLINE SINGLE_USER");
    sql(engine, P, "ALTER DATABASE mgc SET MULTI_USER").await;
    services(&lab, "Start", &HOME, "RTCCHAT").await;
    served_through(&lab, &[P]).await;
    lab.stop().await;
}
