//! The statements of a failover, in the order that works and in those that must not.

mod common;

use common::*;
use serde_json::json;

const SHARE: &str = r"\\fs1\LogShip";

/// Restores every log backup of the share that still fits, oldest first.
async fn restore_all(engine: &pchat_lab::engine::Engine) {
    for file in files(engine, B, SHARE).await {
        let found = errors(engine, B, &format!("RESTORE LOG mgc FROM DISK = N'{file}' WITH NORECOVERY")).await;
        assert!(found.is_empty() || found == [4326, 3013], "{file}: {found:?}");
    }
}

#[tokio::test]
async fn everything_that_was_shipped_survives_a_failover_by_hand() {
    let engine = lost(json!({})).await;
    let before = messages(&engine, B);
    restore_all(&engine).await;
    sql(&engine, B, "EXEC sp_delete_log_shipping_secondary_database mgc").await;
    sql(&engine, B, "RESTORE DATABASE mgc WITH RECOVERY").await;
    let after = messages(&engine, B);
    assert_eq!((before.len(), after.len()), (100 + 2 * 10, 100 + 5 * 10));
    let state = sql(&engine, B, "SELECT state_desc FROM sys.databases WHERE name = 'mgc'").await;
    assert_eq!(text(&state), "ONLINE");
    let count = sql(&engine, B, "SELECT COUNT(*) FROM mgc.dbo.tblChat").await;
    assert_eq!(text(&count), "150");
    assert_eq!(errors(&engine, B, "RESTORE DATABASE mgc WITH RECOVERY").await, [3153, 3013]);
    let truth = pchat_lab::control::EngineCommands::truth(&engine);
    assert_eq!(truth["lost_on_backup"]["count"], 7, "{truth}");
    assert!(engine.unknown_statements().is_empty(), "{:?}", engine.unknown_statements());
    engine.stop().await;
}

#[tokio::test]
async fn log_backups_out_of_order_are_refused_with_the_two_lsns() {
    let engine = lost(json!({})).await;
    let all = files(&engine, B, SHARE).await;
    let restore = |file: &str| format!("RESTORE LOG mgc FROM DISK = N'{file}' WITH NORECOVERY");
    assert_eq!(errors(&engine, B, &restore(&all[3])).await, [4305, 3013]);
    assert_eq!(errors(&engine, B, &restore(&all[0])).await, [4326, 3013]);
    let full = r"C:\Program Files\Microsoft SQL Server\MSSQL11.RTC\MSSQL\Backup\mgc_initial.bak";
    assert_eq!(
        errors(&engine, B, &restore(full)).await,
        [3201, 3013],
        "the full backup lies on another machine's disk"
    );
    assert_eq!(errors(&engine, B, &restore(r"\\fs1\LogShip\none.trn")).await, [3201, 3013]);
    assert_eq!(errors(&engine, B, "RESTORE LOG nothere FROM DISK = N'\\\\fs1\\LogShip\\none.trn'").await, [3201, 3013]);
    sql(&engine, B, &restore(&all[2])).await;
    let again = errors(&engine, B, &restore(&all[2])).await;
    assert!(again.is_empty(), "a log that ends at the redo point is accepted: {again:?}");
    assert_eq!(errors(&engine, B, &format!("RESTORE LOG other FROM DISK = N'{}'", all[3])).await, [3118, 3013]);
    engine.stop().await;
}

#[tokio::test]
async fn a_forgotten_norecovery_ends_the_sequence() {
    let engine = lost(json!({})).await;
    let all = files(&engine, B, SHARE).await;
    sql(&engine, B, &format!("RESTORE LOG mgc FROM DISK = N'{}'", all[2])).await;
    let next = format!("RESTORE LOG mgc FROM DISK = N'{}' WITH NORECOVERY", all[3]);
    assert_eq!(errors(&engine, B, &next).await, [3117, 3013]);
    let forks =
        sql(&engine, B, "SELECT fork_point_lsn FROM sys.database_recovery_status WHERE database_id = DB_ID('mgc')")
            .await;
    assert!(!forks.scalar().expect("row").is_null(), "recovery began a fork");
    engine.stop().await;
}

#[tokio::test]
async fn a_half_written_file_and_a_damaged_one_are_told_apart() {
    let engine = lost(json!({ "unfinished_newest": "truncated", "damaged": [3] })).await;
    let all = files(&engine, B, SHARE).await;
    assert_eq!(all.len(), 6);
    assert_eq!(errors(&engine, B, &format!("RESTORE HEADERONLY FROM DISK = N'{}'", all[5])).await, [3203, 3013]);
    let damaged = format!("RESTORE LOG mgc FROM DISK = N'{}' WITH NORECOVERY", all[2]);
    assert_eq!(errors(&engine, B, &damaged).await, [3183, 3013]);
    assert_eq!(errors(&engine, B, &format!("RESTORE VERIFYONLY FROM DISK = N'{}'", all[2])).await, [3189, 3013]);
    let copy = files(&engine, B, r"E:\LSCopy").await;
    sql(&engine, B, &format!("RESTORE LOG mgc FROM DISK = N'{}' WITH NORECOVERY", copy[2])).await;
    engine.stop().await;
}

#[tokio::test]
async fn the_other_machines_disk_is_another_disk() {
    let engine = lost(json!({})).await;
    let copy = files(&engine, B, r"E:\LSCopy").await;
    assert_eq!(copy.len(), 3);
    assert!(files(&engine, BM, r"E:\LSCopy").await.is_empty());
    let header = format!("RESTORE HEADERONLY FROM DISK = N'{}'", copy[0]);
    assert_eq!(errors(&engine, BM, &header).await, [3201, 3013]);
    engine.stop().await;
}
