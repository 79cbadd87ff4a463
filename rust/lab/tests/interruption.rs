//! A RESTORE that is cut off, watched from elsewhere, slowed down or too large for the disk.

mod common;

use common::*;
use pchat_lab::faults::Fault;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn a_connection_lost_in_mid_restore_leaves_4319_and_the_same_file_repairs_it() {
    let engine = lost(json!({})).await;
    let copy = files(&engine, B, r"E:\LSCopy").await;
    let share = files(&engine, B, r"\\fs1\LogShip").await;
    engine
        .set_fault(Fault::DropDuringRestore { instance: B.into(), percent: 50, times: 1 }, true)
        .await
        .expect("fault");
    let next = format!("RESTORE LOG mgc FROM DISK = N'{}' WITH NORECOVERY", copy[2]);
    let mut broken = session(&engine, B);
    let mut out = pchat_lab::engine::connection::Collected::default();
    let after = broken.batch(&next, &mut out).await;
    assert_eq!(after, pchat_lab::engine::connection::After::Abort);
    drop(broken);
    let later = format!("RESTORE LOG mgc FROM DISK = N'{}' WITH NORECOVERY", share[3]);
    assert_eq!(errors(&engine, B, &later).await, [4319, 3013]);
    assert_eq!(errors(&engine, B, "RESTORE DATABASE mgc WITH RECOVERY").await, [4319, 3013]);
    sql(&engine, B, &next).await;
    sql(&engine, B, &later).await;
    engine.stop().await;
}

#[tokio::test]
async fn progress_and_the_lock_are_seen_from_another_session_and_a_drop_interrupts() {
    let engine = lost(json!({})).await;
    let copy = files(&engine, B, r"E:\LSCopy").await;
    engine.set_fault(Fault::SlowRestore { instance: B.into(), bytes_per_second: 20_000 }, true).await.expect("fault");
    let next = format!("RESTORE LOG mgc FROM DISK = N'{}' WITH NORECOVERY", copy[2]);
    let mut worker = session(&engine, B);
    let id = worker.id();
    let text_of = next.clone();
    let task = tokio::spawn(async move {
        let mut out = pchat_lab::engine::connection::Collected::default();
        worker.batch(&text_of, &mut out).await;
    });
    let asked = format!(
        "SELECT ISNULL(MAX(CAST(percent_complete AS int)), 0) FROM sys.dm_exec_requests WHERE session_id = {id}"
    );
    let mut percent = 0;
    for _ in 0..1000 {
        percent = text(&sql(&engine, B, &asked).await).parse().expect("percent");
        if percent >= 5 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!((5..95).contains(&percent), "{percent}");
    let lock = sql(&engine, B, "SELECT request_mode FROM sys.dm_tran_locks WHERE resource_type = 'DATABASE' AND resource_database_id = DB_ID('mgc')").await;
    assert_eq!(text(&lock), "X");
    assert_eq!(errors(&engine, B, "RESTORE DATABASE mgc WITH RECOVERY").await, [3101, 3013]);
    task.abort();
    let _ = task.await;
    assert_eq!(errors(&engine, B, "RESTORE DATABASE mgc WITH RECOVERY").await, [4319, 3013]);
    assert!(engine.effects().iter().any(|e| e.kind == "restore_interrupted"));
    engine.stop().await;
}

#[tokio::test]
async fn statistics_come_in_order_and_end_with_3014() {
    let engine = lost(json!({})).await;
    let copy = files(&engine, B, r"E:\LSCopy").await;
    let out = sql(&engine, B, &format!("RESTORE LOG mgc FROM DISK = N'{}' WITH NORECOVERY, STATS = 25", copy[2])).await;
    let numbers: Vec<i32> = out.messages.iter().map(|m| m.number).collect();
    assert_eq!(numbers, [3211, 3211, 3211, 3211, 4035, 4035, 3014]);
    engine.stop().await;
}

#[tokio::test]
async fn a_recovery_that_has_begun_goes_through_when_its_client_leaves() {
    let engine = lost(json!({})).await;
    let mut worker = session(&engine, B);
    let task = tokio::spawn(async move {
        let mut out = pchat_lab::engine::connection::Collected::default();
        worker.batch("RESTORE DATABASE mgc WITH RECOVERY", &mut out).await;
    });
    tokio::time::sleep(Duration::from_millis(5)).await;
    task.abort();
    let _ = task.await;
    let state = "SELECT state_desc FROM sys.databases WHERE name = 'mgc'";
    for _ in 0..500 {
        if text(&sql(&engine, B, state).await) != "RECOVERING" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_ne!(text(&sql(&engine, B, state).await), "RECOVERING");
    engine.stop().await;
}

#[tokio::test]
async fn a_full_disk_refuses_backup_and_restore() {
    let engine = engine(json!({})).await;
    engine
        .set_fault(Fault::NoSpace { host: "P".into(), drive: "E".into(), free_bytes: 1000 }, true)
        .await
        .expect("fault");
    assert_eq!(errors(&engine, P, "BACKUP DATABASE mgc TO DISK = N'E:\\mgc.bak' WITH COPY_ONLY").await, [3202, 3013]);
    let free = sql(&engine, P, "EXEC master..xp_fixeddrives").await;
    assert_eq!(column(&free), ["C", "E"]);
    engine.stop().await;
}
