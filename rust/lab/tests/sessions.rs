//! Who may be in a database, who is put out, and who comes back.

mod common;

use common::*;
use pchat_lab::engine::session::ClientInfo;
use serde_json::json;
use std::time::Duration;

fn reader() -> ClientInfo {
    ClientInfo { login: r"CONTOSO\pchat".into(), program: "reader".into(), ..ClientInfo::default() }
}

#[tokio::test]
async fn a_restoring_database_lets_nobody_in() {
    let engine = lost(json!({})).await;
    assert_eq!(refused(engine.connect(B, "mgc", reader())), 4060);
    assert_eq!(errors(&engine, B, "USE mgc").await, [927]);
    assert_eq!(errors(&engine, B, "SELECT * FROM mgc.dbo.tblChat").await, [927]);
    assert_eq!(errors(&engine, B, "USE nothere").await, [911]);
    assert_eq!(errors(&engine, B, "ALTER DATABASE mgc SET SINGLE_USER WITH ROLLBACK IMMEDIATE").await, [5052, 5069]);
    assert_eq!(errors(&engine, B, "BACKUP LOG mgc TO DISK = N'E:\\x.trn'").await, [927, 3013]);
    engine.stop().await;
}

#[tokio::test]
async fn a_reader_of_a_standby_copy_keeps_the_restore_out_and_so_does_the_own_session() {
    let engine = lost(json!({ "mode": "standby" })).await;
    let next = files(&engine, B, r"E:\LSCopy").await[2].clone();
    let restore = format!("RESTORE LOG mgc FROM DISK = N'{next}' WITH NORECOVERY");
    let visitor = engine.connect(B, "mgc", reader()).expect("readers get in");
    assert_eq!(errors(&engine, B, &restore).await, [3101, 3013]);
    drop(visitor);
    let mut own = session(&engine, B);
    assert_eq!(numbers(&run(&mut own, &format!("USE mgc; {restore}")).await), [3102, 3013]);
    assert_eq!(numbers(&run(&mut own, &format!("USE master; {restore}")).await), Vec::<i32>::new());
    assert_eq!(refused(engine.connect(B, "mgc", reader())), 4060);
    engine.stop().await;
}

#[tokio::test]
async fn two_hundred_readers_that_come_back_stay_out_once_it_is_restoring() {
    let engine = engine(json!({
        "primary_site_lost": true,
        "log_shipping": { "mode": "standby", "log_backups": 5, "not_copied": 0, "not_restored": 2 },
        "readers": { "count": 200, "reconnect_milliseconds": 10 },
    }))
    .await;
    let inside = "SELECT COUNT(*) FROM sys.sysprocesses WHERE dbid = DB_ID('mgc')";
    for _ in 0..1000 {
        if text(&sql(&engine, B, inside).await) == "200" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(text(&sql(&engine, B, inside).await), "200");
    let mut own = session(&engine, B);
    let batch = "USE mgc; ALTER DATABASE mgc SET SINGLE_USER WITH ROLLBACK IMMEDIATE; USE master; RESTORE DATABASE mgc WITH NORECOVERY";
    let mut tries = 0;
    while text(&sql(&engine, B, "SELECT state_desc FROM sys.databases WHERE name = 'mgc'").await) != "RESTORING" {
        run(&mut own, batch).await;
        tries += 1;
        assert!(tries < 50, "the door does not close");
    }
    let entries = engine.entries().len();
    for file in files(&engine, B, r"E:\LSCopy").await {
        errors(&engine, B, &format!("RESTORE LOG mgc FROM DISK = N'{file}' WITH NORECOVERY")).await;
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
    assert_eq!(engine.entries().len(), entries, "somebody got in while it was restoring");
    sql(&engine, B, "RESTORE DATABASE mgc WITH RECOVERY").await;
    assert_eq!(
        text(&sql(&engine, B, "SELECT user_access_desc FROM sys.databases WHERE name = 'mgc'").await),
        "SINGLE_USER"
    );
    engine.stop().await;
}

#[tokio::test]
async fn kill_answers_as_the_server_does_and_ids_are_reused() {
    let engine = lost(json!({ "mode": "standby" })).await;
    let mut own = session(&engine, B);
    let id = own.id();
    assert_eq!(numbers(&run(&mut own, &format!("KILL {id}")).await), [6104]);
    assert_eq!(numbers(&run(&mut own, "KILL 0").await), [6101]);
    assert_eq!(numbers(&run(&mut own, "KILL 4").await), [6107]);
    assert_eq!(numbers(&run(&mut own, "KILL 32000").await), [6106]);
    let mut visitor = engine.connect(B, "mgc", reader()).expect("reader");
    let victim = visitor.id();
    assert_eq!(numbers(&run(&mut own, &format!("KILL {victim} WITH STATUSONLY")).await), [6120]);
    assert_eq!(numbers(&run(&mut visitor, &format!("KILL {id}")).await), [6102]);
    assert!(numbers(&run(&mut own, &format!("KILL {victim}")).await).is_empty());
    assert_eq!(numbers(&run(&mut visitor, "SELECT 1").await), [596]);
    let next = engine.connect(B, "mgc", reader()).expect("reader");
    assert_eq!(next.id(), victim);
    engine.stop().await;
}

#[tokio::test]
async fn a_slow_rollback_is_seen_with_its_percentage_and_holds_the_restore_up() {
    let engine = engine(json!({
        "primary_site_lost": true, "log_shipping": { "mode": "standby" },
        "rates": { "rollback_milliseconds": 1500 },
    }))
    .await;
    let visitor = engine.connect(B, "mgc", reader()).expect("reader");
    let victim = visitor.id();
    sql(&engine, B, &format!("KILL {victim}")).await;
    let shown = sql(&engine, B, &format!("SELECT cmd FROM sys.sysprocesses WHERE spid = {victim}")).await;
    assert_eq!(text(&shown).trim_end(), "KILLED/ROLLBACK");
    let mut own = session(&engine, B);
    let status = run(&mut own, &format!("KILL {victim} WITH STATUSONLY")).await;
    assert!(status.messages[0].number == 6109 && status.messages[0].message.contains("rollback in progress"));
    assert_eq!(errors(&engine, B, "RESTORE DATABASE mgc WITH NORECOVERY").await, [3101, 3013]);
    let gone = format!("SELECT COUNT(*) FROM sys.sysprocesses WHERE spid = {victim}");
    for _ in 0..1000 {
        if text(&sql(&engine, B, &gone).await) == "0" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    sql(&engine, B, "RESTORE DATABASE mgc WITH NORECOVERY").await;
    engine.stop().await;
}

#[tokio::test]
async fn an_application_lock_belongs_to_a_session_and_goes_with_it() {
    let engine = lost(json!({})).await;
    let lock = "DECLARE @rc int; EXEC @rc = sp_getapplock @Resource = N'PersistentChatFailover:mgc', @LockMode = 'Exclusive', @LockOwner = 'Session', @LockTimeout = 0; SELECT @rc AS rc";
    let mut first = session(&engine, B);
    let mut second = session(&engine, B);
    assert_eq!(text(&run(&mut first, lock).await), "0");
    assert_eq!(text(&run(&mut first, lock).await), "0");
    assert_eq!(text(&run(&mut second, lock).await), "-1");
    let holder =
        run(&mut second, "SELECT request_session_id FROM sys.dm_tran_locks WHERE resource_type = 'APPLICATION'").await;
    assert_eq!(text(&holder), first.id().to_string());
    assert_eq!(
        text(
            &run(&mut second, "SELECT APPLOCK_TEST('public', 'PersistentChatFailover:mgc', 'Exclusive', 'Session')")
                .await
        ),
        "0"
    );
    drop(first);
    assert_eq!(text(&run(&mut second, lock).await), "0");
    let bad = run(&mut second, "DECLARE @rc int; EXEC @rc = sp_getapplock 'x', 'Total'; SELECT @rc").await;
    assert_eq!(text(&bad), "-999");
    engine.stop().await;
}

#[tokio::test]
async fn what_a_login_without_view_server_state_sees_is_silently_short() {
    let engine = lost(json!({ "mode": "standby" })).await;
    let mut visitor = engine.connect(B, "mgc", reader()).expect("reader");
    let own = visitor.id().to_string();
    assert_eq!(column(&run(&mut visitor, "SELECT spid FROM sys.sysprocesses").await), [own]);
    assert_eq!(numbers(&run(&mut visitor, "SELECT * FROM sys.dm_tran_locks").await), [300]);
    assert_eq!(numbers(&run(&mut visitor, "RESTORE DATABASE mgc WITH NORECOVERY").await), [3110, 3013]);
    let delete = "EXEC master.dbo.sp_delete_log_shipping_secondary_database mgc";
    assert_eq!(numbers(&run(&mut visitor, delete).await), [21089]);
    engine.stop().await;
}
