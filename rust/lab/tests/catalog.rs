//! Views, functions and procedures that clients read, and T-SQL that they write around them.

mod common;

use common::*;
use serde_json::json;

#[tokio::test]
async fn every_view_of_the_reference_can_be_read() {
    let engine = lost(json!({ "mode": "standby" })).await;
    for view in [
        "sys.databases",
        "sys.master_files",
        "sys.database_files",
        "sys.database_mirroring",
        "sys.database_mirroring_endpoints",
        "sys.tcp_endpoints",
        "sys.database_recovery_status",
        "sys.server_principals",
        "sys.server_role_members",
        "sys.sysprocesses",
        "master.dbo.sysprocesses",
        "sys.dm_exec_sessions",
        "sys.dm_exec_requests",
        "sys.dm_exec_connections",
        "sys.dm_tran_locks",
        "sys.dm_server_services",
        "sys.configurations",
        "sys.all_parameters",
        "sys.all_objects",
        "mgc.sys.tables",
        "mgc.sys.objects",
        "mgc.sys.partitions",
        "mgc.sys.database_principals",
        "mgc.sys.schemas",
        "mgc.INFORMATION_SCHEMA.TABLES",
        "mgc.dbo.tblChat",
        "msdb.dbo.backupset",
        "msdb.dbo.backupmediafamily",
        "msdb.dbo.backupmediaset",
        "msdb.dbo.restorehistory",
        "msdb.dbo.restorefile",
        "msdb.dbo.sysjobs",
        "msdb.dbo.sysjobsteps",
        "msdb.dbo.sysschedules",
        "msdb.dbo.sysjobschedules",
        "msdb.dbo.sysjobactivity",
        "msdb.dbo.sysjobhistory",
        "msdb.dbo.sysjobservers",
        "msdb.dbo.syscategories",
        "msdb.dbo.syssessions",
        "msdb.dbo.log_shipping_secondary",
        "msdb.dbo.log_shipping_secondary_databases",
        "msdb.dbo.log_shipping_monitor_secondary",
        "msdb.dbo.log_shipping_primary_databases",
        "msdb.dbo.log_shipping_primary_secondaries",
        "msdb.dbo.log_shipping_monitor_primary",
        "msdb.dbo.log_shipping_monitor_history_detail",
        "msdb.dbo.log_shipping_monitor_error_detail",
        "msdb..log_shipping_monitor_alert",
        "sys.dm_os_volume_stats(DB_ID('mgc'), 1)",
    ] {
        for instance in [B, "MON"] {
            if instance == "MON" && view.starts_with("mgc") {
                continue;
            }
            let out = sql(&engine, instance, &format!("SELECT * FROM {view}")).await;
            let set = &out.sets[0];
            assert!(!set.columns.is_empty(), "{view}");
            for row in &set.rows {
                assert_eq!(row.len(), set.columns.len(), "{view}");
            }
        }
    }
    assert!(engine.unknown_statements().is_empty(), "{:?}", engine.unknown_statements());
    engine.stop().await;
}

#[tokio::test]
async fn a_standby_copy_is_online_read_only_and_in_standby() {
    let engine = lost(json!({ "mode": "standby" })).await;
    let out = sql(&engine, B, "SELECT CAST(state AS int), is_read_only, is_in_standby, user_access_desc, recovery_model_desc FROM sys.databases WHERE name = N'mgc'").await;
    let row: Vec<String> = out.sets[0].rows[0].iter().map(shown).collect();
    assert_eq!(row, ["0", "1", "1", "MULTI_USER", "FULL"]);
    let lsn = sql(
        &engine,
        B,
        "SELECT MIN(redo_start_lsn) FROM sys.master_files WHERE database_id = DB_ID(N'mgc') AND type = 0",
    )
    .await;
    let number: i128 = text(&lsn).parse().expect("number");
    assert!(number > i128::from(i64::MAX));
    let history = sql(&engine, B, "SELECT TOP (1) bs.last_lsn, bmf.physical_device_name FROM msdb.dbo.restorehistory AS rh JOIN msdb.dbo.backupset AS bs ON bs.backup_set_id = rh.backup_set_id JOIN msdb.dbo.backupmediafamily AS bmf ON bmf.media_set_id = bs.media_set_id WHERE rh.destination_database_name = N'mgc' ORDER BY rh.restore_date DESC, rh.restore_history_id DESC").await;
    assert_eq!(text(&history), text(&lsn));
    assert!(shown(&history.sets[0].rows[0][1]).starts_with(r"E:\LSCopy\mgc_"));
    let properties = sql(&engine, B, "SELECT CAST(DATABASEPROPERTYEX(N'mgc', 'IsInStandBy') AS int), CAST(DATABASEPROPERTYEX(N'mgc', 'Status') AS nvarchar(60)), HAS_DBACCESS('mgc')").await;
    let row: Vec<String> = properties.sets[0].rows[0].iter().map(shown).collect();
    assert_eq!(row, ["1", "ONLINE", "1"]);
    engine.stop().await;
}

#[tokio::test]
async fn batches_with_control_flow_variables_and_outputs() {
    let engine = lost(json!({})).await;
    let exists =
        sql(&engine, B, r"DECLARE @there int; EXEC master.dbo.xp_fileexist N'E:\LSCopy', @there OUTPUT; SELECT @there")
            .await;
    assert_eq!(text(&exists), "0", "a folder is no file");
    let form = sql(&engine, B, r"EXEC master.dbo.xp_fileexist N'E:\LSCopy'").await;
    let row: Vec<String> = form.sets[0].rows[0].iter().map(shown).collect();
    assert_eq!(row, ["0", "1", "1"]);
    let table = sql(&engine, B, r"CREATE TABLE #t (subdirectory nvarchar(512), depth int, isfile int); INSERT INTO #t EXEC master.sys.xp_dirtree N'E:\LSCopy', 1, 1; SELECT COUNT(*) FROM #t WHERE isfile = 1").await;
    assert_eq!(text(&table), "3");
    let caught = sql(&engine, B, "BEGIN TRY RESTORE DATABASE nothere WITH RECOVERY END TRY BEGIN CATCH SELECT ERROR_NUMBER(), ERROR_MESSAGE() END CATCH").await;
    assert_eq!(text(&caught), "911");
    let dynamic = sql(&engine, B, "DECLARE @n int; EXEC sp_executesql N'SELECT @out = COUNT(*) FROM sys.databases WHERE name = @name', N'@name sysname, @out int OUTPUT', @name = N'mgc', @out = @n OUTPUT; IF @n = 1 SELECT 'one' ELSE SELECT 'none'").await;
    assert_eq!(text(&dynamic), "one");
    let rights = sql(&engine, B, "SELECT HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER STATE'), IS_SRVROLEMEMBER('sysadmin'), IS_SRVROLEMEMBER('none')").await;
    let row: Vec<String> = rights.sets[0].rows[0].iter().map(shown).collect();
    assert_eq!(row, ["1", "1", ""]);
    let drive = sql(&engine, B, "EXEC master.dbo.xp_fixeddrives").await;
    assert_eq!(drive.sets[0].columns[1].name, "MB free");
    sql(&engine, B, r"EXEC master.dbo.xp_create_subdir N'E:\LSCopy\archive'").await;
    assert_eq!(errors(&engine, B, r"EXEC master.dbo.xp_create_subdir N'Q:\x'").await, [22048]);
    assert!(engine.unknown_statements().is_empty(), "{:?}", engine.unknown_statements());
    engine.stop().await;
}

#[tokio::test]
async fn french_logins_read_french_until_they_ask_for_english() {
    let engine = lost(json!({})).await;
    let mut own = session(&engine, BM);
    let french = run(&mut own, "USE nothere").await;
    assert_eq!(french.messages[0].number, 911);
    assert!(french.messages[0].message.contains("n'existe pas"), "{}", french.messages[0].message);
    let english = run(&mut own, "SET LANGUAGE us_english; USE nothere").await;
    assert_eq!(numbers(&english), [911]);
    assert!(english.messages.iter().any(|m| m.message.contains("does not exist")));
    assert_eq!(numbers(&run(&mut own, "SELECT NAME FROM sys.databases").await), [207], "names are exact there");
    assert_eq!(numbers(&run(&mut own, "SELECT name FROM SYS.DATABASES").await), [208]);
    engine.stop().await;
}

#[tokio::test]
async fn unknown_tsql_is_an_error_and_counted_with_its_text() {
    let engine = lost(json!({})).await;
    assert!(!errors(&engine, B, "CREATE LOGIN x WITH PASSWORD = 'y'").await.is_empty());
    assert!(!errors(&engine, B, "DBCC CHECKDB('mgc')").await.is_empty());
    let unknown = engine.unknown_statements();
    assert_eq!(unknown.len(), 2, "{unknown:?}");
    assert!(unknown[0].text.contains("CREATE LOGIN"), "{unknown:?}");
    engine.stop().await;
}

#[tokio::test]
async fn the_site_comes_back_as_it_was() {
    let engine = lost(json!({})).await;
    pchat_lab::control::EngineCommands::set_primary_site(&engine, true).await;
    let state = sql(&engine, P, "SELECT d.state_desc, m.mirroring_role_desc, m.mirroring_state_desc FROM sys.databases d JOIN sys.database_mirroring m ON m.database_id = d.database_id WHERE d.name = 'mgc'").await;
    let row: Vec<String> = state.sets[0].rows[0].iter().map(shown).collect();
    assert_eq!(row, ["ONLINE", "PRINCIPAL", "SYNCHRONIZED"]);
    assert!(engine.root().join("hosts/P/C").is_dir());
    engine.stop().await;
}
