//! Mirrored partners, the tail, the way back: what is refused before it is allowed.

mod common;

use common::*;
use pchat_lab::engine::Engine;
use serde_json::json;

async fn healthy() -> Engine {
    engine(json!({ "log_shipping": { "log_backups": 4, "not_copied": 0, "not_restored": 0 } })).await
}

const TAIL: &str = r"BACKUP LOG mgc TO DISK = N'\\fs1\LogShip\mgc_tail.trn' WITH NORECOVERY";

#[tokio::test]
async fn a_mirrored_principal_refuses_tail_single_user_and_restore() {
    let engine = healthy().await;
    assert_eq!(errors(&engine, P, TAIL).await, [1468, 3013]);
    assert_eq!(errors(&engine, P, "ALTER DATABASE mgc SET SINGLE_USER WITH ROLLBACK IMMEDIATE").await, [1468, 5069]);
    assert_eq!(errors(&engine, P, "RESTORE DATABASE mgc WITH RECOVERY").await, [3104, 3013]);
    assert_eq!(errors(&engine, PM, "RESTORE DATABASE mgc WITH RECOVERY").await, [3104, 3013]);
    assert_eq!(errors(&engine, PM, r"BACKUP LOG mgc TO DISK = N'E:\x.trn'").await, [3059, 3013]);
    assert_eq!(errors(&engine, B, "ALTER DATABASE mgc SET PARTNER OFF").await, [1416, 5069]);
    let roles =
        sql(&engine, P, "SELECT mirroring_role_desc FROM sys.database_mirroring WHERE database_id = DB_ID('mgc')")
            .await;
    assert_eq!(text(&roles), "PRINCIPAL");
    engine.stop().await;
}

#[tokio::test]
async fn a_planned_switch_loses_nothing_and_the_old_primary_follows_without_seeding() {
    let engine = healthy().await;
    sql(&engine, P, "ALTER DATABASE mgc SET PARTNER OFF").await;
    assert_eq!(errors(&engine, P, "ALTER DATABASE mgc SET PARTNER OFF").await, [1416, 5069]);
    let orphan = sql(&engine, PM, "SELECT state_desc FROM sys.databases WHERE name = 'mgc'").await;
    assert_eq!(text(&orphan), "RESTORING");
    sql(&engine, P, &format!("ALTER DATABASE mgc SET SINGLE_USER WITH ROLLBACK IMMEDIATE; {TAIL}")).await;
    let header = sql(&engine, B, r"RESTORE HEADERONLY FROM DISK = N'\\fs1\LogShip\mgc_tail.trn'").await;
    let at = header.sets[0].columns.iter().position(|c| c.name == "IsForceOffline").expect("column");
    assert_eq!(header.sets[0].rows[0][at], lab_tsql::Value::Bit(true));
    sql(&engine, B, r"RESTORE LOG mgc FROM DISK = N'\\fs1\LogShip\mgc_tail.trn' WITH NORECOVERY").await;
    let redo = "SELECT redo_start_lsn FROM sys.master_files WHERE database_id = DB_ID('mgc') AND type = 0";
    assert_eq!(text(&sql(&engine, P, redo).await), text(&sql(&engine, B, redo).await));
    sql(&engine, B, "RESTORE DATABASE mgc WITH RECOVERY").await;
    assert_eq!(messages(&engine, B), messages(&engine, P));
    engine.write_messages(B, "mgc", 5).expect("messages");
    sql(&engine, B, r"BACKUP LOG mgc TO DISK = N'\\fs1\LogShip\mgc_back.trn'").await;
    let spanning = sql(&engine, P, r"RESTORE HEADERONLY FROM DISK = N'\\fs1\LogShip\mgc_back.trn'").await;
    let at = spanning.sets[0].columns.iter().position(|c| c.name == "ForkPointLSN").expect("column");
    assert!(!spanning.sets[0].rows[0][at].is_null(), "the first log after a recovery spans the fork point");
    sql(&engine, P, r"RESTORE LOG mgc FROM DISK = N'\\fs1\LogShip\mgc_back.trn' WITH NORECOVERY").await;
    assert_eq!(messages(&engine, B), messages(&engine, P));
    engine.stop().await;
}

#[tokio::test]
async fn a_log_of_the_dead_fork_does_not_fit_any_more() {
    let engine = engine(json!({ "log_shipping": { "log_backups": 4, "not_copied": 0, "not_restored": 1 } })).await;
    sql(&engine, B, "RESTORE DATABASE mgc WITH RECOVERY").await;
    engine.write_messages(B, "mgc", 3).expect("messages");
    sql(&engine, B, r"BACKUP DATABASE mgc TO DISK = N'\\fs2\mirror\full.bak' WITH COPY_ONLY").await;
    let moves = "MOVE 'mgc' TO 'E:\\mgc.mdf', MOVE 'mgc_log' TO 'E:\\mgc.ldf'";
    sql(&engine, BM, &format!(r"RESTORE DATABASE mgc FROM DISK = N'\\fs2\mirror\full.bak' WITH NORECOVERY, {moves}"))
        .await;
    let dead = files(&engine, BM, r"\\fs1\LogShip").await[3].clone();
    let found = errors(&engine, BM, &format!("RESTORE LOG mgc FROM DISK = N'{dead}' WITH NORECOVERY")).await;
    assert_eq!(found, [4330, 3013]);
    engine.stop().await;
}

#[tokio::test]
async fn a_mirror_needs_full_and_log_and_multi_user_on_the_principal() {
    let engine = lost(json!({ "not_copied": 0, "not_restored": 0 })).await;
    sql(&engine, B, "RESTORE DATABASE mgc WITH RECOVERY").await;
    let partner_of_b = "ALTER DATABASE mgc SET PARTNER = N'TCP://bm.contoso.com:5022'";
    let partner_of_bm = "ALTER DATABASE mgc SET PARTNER = N'TCP://b.contoso.com:5022'";
    assert_eq!(errors(&engine, B, partner_of_b).await, [1448, 5069]);
    assert_eq!(errors(&engine, B, "ALTER DATABASE mgc SET PARTNER = N'TCP://nowhere:5022'").await, [1418, 5069]);
    assert_eq!(errors(&engine, B, "ALTER DATABASE mgc SET PARTNER = N'TCP://p.contoso.com:5022'").await, [1418, 5069]);
    sql(&engine, B, r"BACKUP DATABASE mgc TO DISK = N'\\fs2\mirror\mgc.bak'").await;
    let full = r"RESTORE DATABASE mgc FROM DISK = N'\\fs2\mirror\mgc.bak' WITH NORECOVERY, MOVE 'mgc' TO 'E:\m.mdf', MOVE 'mgc_log' TO 'E:\m.ldf'";
    sql(&engine, BM, full).await;
    assert_eq!(errors(&engine, B, partner_of_b).await, [1416, 5069], "the mirror has not named its partner");
    sql(&engine, BM, partner_of_bm).await;
    assert_eq!(errors(&engine, B, partner_of_b).await, [1412, 5069]);
    sql(&engine, B, r"BACKUP LOG mgc TO DISK = N'\\fs2\mirror\mgc.trn'").await;
    sql(&engine, BM, r"RESTORE LOG mgc FROM DISK = N'\\fs2\mirror\mgc.trn' WITH NORECOVERY").await;
    sql(&engine, B, "ALTER DATABASE mgc SET SINGLE_USER WITH ROLLBACK IMMEDIATE").await;
    assert_eq!(errors(&engine, B, partner_of_b).await, [1488, 5069]);
    sql(&engine, B, "ALTER DATABASE mgc SET MULTI_USER").await;
    sql(&engine, B, partner_of_b).await;
    engine.write_messages(B, "mgc", 4).expect("messages");
    mirroring_becomes(&engine, B, "SYNCHRONIZED").await;
    assert_eq!(messages(&engine, B), messages(&engine, BM));
    sql(&engine, B, "ALTER DATABASE mgc SET PARTNER FAILOVER").await;
    assert_eq!(errors(&engine, B, "USE mgc").await, [954]);
    assert_eq!(text(&sql(&engine, BM, "SELECT COUNT(*) FROM mgc.dbo.tblChat").await), "154");
    engine.stop().await;
}

#[tokio::test]
async fn a_full_backup_over_an_online_database_wants_replace_and_the_tail() {
    let engine = engine(json!({ "log_shipping": { "log_backups": 2, "not_copied": 0, "not_restored": 0 } })).await;
    sql(&engine, B, "RESTORE DATABASE mgc WITH RECOVERY").await;
    sql(&engine, B, r"BACKUP DATABASE mgc TO DISK = N'\\fs2\mirror\full.bak' WITH CHECKSUM").await;
    assert!(errors(&engine, P, r"RESTORE VERIFYONLY FROM DISK = N'\\fs2\mirror\full.bak' WITH CHECKSUM")
        .await
        .is_empty());
    let restore = r"RESTORE DATABASE mgc FROM DISK = N'\\fs2\mirror\full.bak' WITH NORECOVERY, MOVE 'mgc' TO 'E:\m.mdf', MOVE 'mgc_log' TO 'E:\m.ldf'";
    assert_eq!(errors(&engine, P, restore).await, [3104, 3013]);
    sql(&engine, P, "ALTER DATABASE mgc SET PARTNER OFF").await;
    assert_eq!(errors(&engine, P, restore).await, [3159, 3013]);
    sql(&engine, P, "CREATE DATABASE other").await;
    let onto = restore.replace("DATABASE mgc", "DATABASE other");
    assert_eq!(errors(&engine, P, &onto).await, [3154, 3013]);
    sql(&engine, P, &format!("{restore}, REPLACE")).await;
    assert_eq!(messages(&engine, P), messages(&engine, B));
    let missing = format!("{restore}, REPLACE").replace(r"E:\m.mdf", r"E:\nofolder\m.mdf");
    assert_eq!(errors(&engine, P, &missing).await, [5133, 3156, 3119, 3013]);
    engine.stop().await;
}

#[tokio::test]
async fn a_newer_servers_backup_cannot_go_back() {
    let engine = engine(json!({
        "log_shipping": { "log_backups": 2, "not_copied": 0, "not_restored": 0 },
        "instances": [
            { "role": "primary", "host": "P", "name": "RTC", "version": "2008R2" },
            { "role": "backup", "host": "B", "name": "RTC", "version": "2014" },
            { "role": "monitor", "host": "MON" },
        ],
    }))
    .await;
    let standby = r"RESTORE DATABASE mgc WITH STANDBY = N'E:\LSCopy\x.tuf'";
    sql(&engine, B, standby).await;
    sql(&engine, B, "RESTORE DATABASE mgc WITH RECOVERY").await;
    sql(&engine, B, r"BACKUP DATABASE mgc TO DISK = N'\\fs2\mirror\full.bak'").await;
    assert_eq!(
        errors(&engine, P, r"RESTORE DATABASE x FROM DISK = N'\\fs2\mirror\full.bak' WITH NORECOVERY").await,
        [3169, 3013]
    );
    let columns = |out: &pchat_lab::engine::connection::Collected| out.sets[0].columns.len();
    let header = r"RESTORE HEADERONLY FROM DISK = N'\\fs2\mirror\full.bak'";
    assert_eq!(columns(&sql(&engine, B, header).await), 56);
    assert_eq!(columns(&sql(&engine, P, header).await), 52);
    assert_eq!(errors(&engine, P, "SELECT database_id FROM sys.dm_exec_sessions").await, [207]);
    sql(&engine, B, "SELECT database_id FROM sys.dm_exec_sessions").await;
    engine.stop().await;
}

#[tokio::test]
async fn the_log_fills_until_it_is_backed_up() {
    let engine = healthy().await;
    let limit = pchat_lab::faults::Fault::LogLimit { instance: P.into(), database: "mgc".into(), bytes: 8192 };
    engine.set_fault(limit, true).await.expect("fault");
    let refused = engine.write_messages(P, "mgc", 100).expect_err("full");
    assert_eq!(refused.number, 9002);
    sql(&engine, P, r"BACKUP LOG mgc TO DISK = N'\\fs1\LogShip\mgc_20990101000000.trn'").await;
    engine.write_messages(P, "mgc", 5).expect("room again");
    engine.stop().await;
}

#[tokio::test]
async fn stripes_and_several_sets_in_a_file() {
    let engine = healthy().await;
    sql(&engine, P, r"BACKUP DATABASE mgc TO DISK = N'E:\a.bak', DISK = N'E:\b.bak' WITH COPY_ONLY").await;
    assert_eq!(errors(&engine, P, r"RESTORE VERIFYONLY FROM DISK = N'E:\a.bak'").await, [3132, 3013]);
    sql(&engine, P, r"RESTORE VERIFYONLY FROM DISK = N'E:\a.bak', DISK = N'E:\b.bak'").await;
    let label = sql(&engine, P, r"RESTORE LABELONLY FROM DISK = N'E:\b.bak'").await;
    let at = label.sets[0].columns.iter().position(|c| c.name == "FamilyCount").expect("column");
    assert_eq!(shown(&label.sets[0].rows[0][at]), "2");
    for _ in 0..3 {
        engine.write_messages(P, "mgc", 2).expect("messages");
        sql(&engine, P, r"BACKUP LOG mgc TO DISK = N'\\fs1\LogShip\many.trn'").await;
    }
    let header = sql(&engine, B, r"RESTORE HEADERONLY FROM DISK = N'\\fs1\LogShip\many.trn'").await;
    assert_eq!(header.sets[0].rows.len(), 3);
    for position in 1..=3 {
        sql(
            &engine,
            B,
            &format!(r"RESTORE LOG mgc FROM DISK = N'\\fs1\LogShip\many.trn' WITH NORECOVERY, FILE = {position}"),
        )
        .await;
    }
    assert_eq!(messages(&engine, B), messages(&engine, P));
    assert_eq!(
        errors(&engine, B, r"RESTORE LOG mgc FROM DISK = N'\\fs1\LogShip\many.trn' WITH NORECOVERY, FILE = 9").await,
        [4038, 3013]
    );
    engine.stop().await;
}
