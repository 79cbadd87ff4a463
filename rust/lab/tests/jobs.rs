//! Log shipping's procedures and tables, and Agent jobs that really copy, restore and back up.

mod common;

use common::*;
use pchat_lab::engine::Engine;
use pchat_lab::faults::Fault;
use serde_json::json;
use std::time::Duration;

/// Waits until a query's one value is what it should be.
async fn until(engine: &Engine, query: &str, wanted: &str) {
    let mut found = String::new();
    for _ in 0..1000 {
        found = text(&sql(engine, B, query).await);
        if found == wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{query} gives {found}, not {wanted}");
}

/// Waits until no job of the instance runs.
async fn idle(engine: &Engine, instance: &str) {
    for _ in 0..2000 {
        let running = sql(engine, instance, "SELECT COUNT(*) FROM msdb.dbo.sysjobactivity WHERE start_execution_date IS NOT NULL AND stop_execution_date IS NULL").await;
        if text(&running) == "0" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("a job of {instance} does not end");
}

async fn outcome(engine: &Engine, instance: &str, job: &str) -> String {
    let found = sql(engine, instance, &format!("SELECT TOP (1) h.run_status FROM msdb.dbo.sysjobhistory h JOIN msdb.dbo.sysjobs j ON j.job_id = h.job_id WHERE j.name = N'{job}' AND h.step_id = 0 ORDER BY h.instance_id DESC")).await;
    text(&found)
}

#[tokio::test]
async fn deleting_the_secondary_takes_jobs_rows_and_schedules() {
    let engine = lost(json!({})).await;
    assert_eq!(errors(&engine, B, "USE msdb; EXEC sp_delete_log_shipping_secondary_database mgc").await, [5001]);
    assert_eq!(text(&sql(&engine, B, "SELECT COUNT(*) FROM msdb.dbo.sysjobs").await), "2");
    sql(&engine, B, "USE msdb; EXEC master.dbo.sp_delete_log_shipping_secondary_database @secondary_database = N'mgc'")
        .await;
    for table in [
        "log_shipping_secondary",
        "log_shipping_secondary_databases",
        "log_shipping_monitor_secondary",
        "sysjobs",
        "sysschedules",
        "sysjobschedules",
    ] {
        assert_eq!(text(&sql(&engine, B, &format!("SELECT COUNT(*) FROM msdb.dbo.{table}")).await), "0", "{table}");
    }
    assert_eq!(text(&sql(&engine, "MON", "SELECT COUNT(*) FROM msdb.dbo.log_shipping_monitor_secondary").await), "0");
    let mut own = session(&engine, B);
    let again = run(&mut own, "EXEC sp_delete_log_shipping_secondary_database mgc").await;
    assert_eq!(numbers(&again), [32014]);
    assert_eq!(again.messages[0].message, "Database mgc does not exist as log shipping secondary.");
    assert!(again.messages[0].procedure.contains("sp_delete_log_shipping_secondary_database"));
    assert_eq!(text(&sql(&engine, B, "SELECT state_desc FROM sys.databases WHERE name = 'mgc'").await), "RESTORING");
    engine.stop().await;
}

#[tokio::test]
async fn a_dead_monitor_fails_the_removal_unless_it_is_ignored() {
    let engine = lost(json!({})).await;
    engine.set_fault(Fault::MonitorDead { stall_milliseconds: 20 }, true).await.expect("fault");
    let parameter = "SELECT COUNT(*) FROM master.sys.all_parameters WHERE name = '@ignoreremotemonitor' AND object_id = OBJECT_ID('master.dbo.sp_delete_log_shipping_secondary_database')";
    assert_eq!(text(&sql(&engine, B, parameter).await), "1");
    assert_eq!(errors(&engine, B, "EXEC sp_delete_log_shipping_secondary_database mgc").await, [32054]);
    assert_eq!(text(&sql(&engine, B, "SELECT COUNT(*) FROM msdb.dbo.log_shipping_secondary").await), "1");
    sql(
        &engine,
        B,
        "EXEC sp_delete_log_shipping_secondary_database @secondary_database = mgc, @ignoreremotemonitor = 1",
    )
    .await;
    engine.stop().await;
}

#[tokio::test]
async fn copy_and_restore_jobs_bring_the_secondary_up_to_date() {
    let engine = lost(json!({ "unfinished_newest": "working_name" })).await;
    let job = r"LSCopy_P\RTC_mgc";
    sql(&engine, B, &format!("EXEC msdb.dbo.sp_start_job @job_name = N'{job}'")).await;
    idle(&engine, B).await;
    assert_eq!(outcome(&engine, B, job).await, "1");
    assert_eq!(files(&engine, B, r"E:\LSCopy").await.len(), 5);
    let last = text(&sql(&engine, B, "SELECT last_copied_file FROM msdb.dbo.log_shipping_secondary").await);
    assert!(last.starts_with(r"E:\LSCopy\mgc_") && last.ends_with(".trn"), "{last}");
    let restore = r"LSRestore_P\RTC_mgc";
    sql(&engine, B, &format!("EXEC msdb.dbo.sp_start_job N'{restore}'")).await;
    idle(&engine, B).await;
    assert_eq!(outcome(&engine, B, restore).await, "1");
    assert_eq!(messages(&engine, B).len(), 150);
    let restored =
        text(&sql(&engine, B, "SELECT last_restored_file FROM msdb.dbo.log_shipping_monitor_secondary").await);
    assert_eq!(restored, last);
    sql(&engine, B, &format!("EXEC msdb.dbo.sp_start_job N'{restore}'")).await;
    idle(&engine, B).await;
    assert_eq!(outcome(&engine, B, restore).await, "1", "a run that finds nothing succeeds");
    engine.stop().await;
}

#[tokio::test]
async fn a_job_uses_the_rights_of_agent_and_a_restore_those_of_the_service() {
    let engine = engine(json!({
        "primary_site_lost": true,
        "log_shipping": { "log_backups": 5, "not_copied": 2, "not_restored": 3 },
        "rights": [{ "account": "agent", "instance": B, "path": r"\\fs1\LogShip", "read": false, "write": false }],
    }))
    .await;
    let job = r"LSCopy_P\RTC_mgc";
    sql(&engine, B, &format!("EXEC msdb.dbo.sp_start_job @job_name = N'{job}'")).await;
    idle(&engine, B).await;
    assert_eq!(outcome(&engine, B, job).await, "0");
    let file = files(&engine, B, r"\\fs1\LogShip").await[2].clone();
    sql(&engine, B, &format!("RESTORE LOG mgc FROM DISK = N'{file}' WITH NORECOVERY")).await;
    engine
        .set_fault(Fault::ShareDenied { share: r"\\fs1\LogShip".into(), account: None, instance: None }, true)
        .await
        .expect("fault");
    let mut own = session(&engine, B);
    let denied = run(&mut own, &format!("RESTORE HEADERONLY FROM DISK = N'{file}'")).await;
    assert_eq!(numbers(&denied), [3201, 3013]);
    assert!(
        denied.messages[0].message.ends_with("Operating system error 5(Access is denied.)."),
        "{}",
        denied.messages[0].message
    );
    engine.set_fault(Fault::ShareLost { share: r"\\fs1\LogShip".into() }, true).await.expect("fault");
    let lost = run(&mut own, &format!("RESTORE HEADERONLY FROM DISK = N'{file}'")).await;
    assert!(lost.messages[0].message.contains("53(The network path was not found.)"));
    assert!(!engine.root().join("hosts/FS1/LogShip").exists(), "the client does not see it either");
    engine.stop().await;
}

#[tokio::test]
async fn agent_that_does_not_run_starts_nothing() {
    let engine = lost(json!({})).await;
    let agent = "SELECT COUNT(*) FROM master.dbo.sysprocesses WHERE program_name LIKE 'SQLAgent%'";
    until(&engine, agent, "1").await;
    engine.set_fault(Fault::AgentStopped { instance: B.into() }, true).await.expect("fault");
    assert_eq!(errors(&engine, B, r"EXEC msdb.dbo.sp_start_job N'LSCopy_P\RTC_mgc'").await, [22022]);
    until(&engine, agent, "0").await;
    let service = "SELECT status_desc FROM sys.dm_server_services WHERE servicename LIKE N'SQL Server Agent%'";
    assert_eq!(text(&sql(&engine, B, service).await), "Stopped");
    assert_eq!(errors(&engine, B, "EXEC msdb.dbo.sp_update_job @job_name = 'none', @enabled = 0").await, [14262]);
    assert_eq!(errors(&engine, B, "EXEC msdb.dbo.sp_nonsense").await, [2812]);
    assert_eq!(engine.unknown_statements().len(), 1);
    engine.stop().await;
}

#[tokio::test]
async fn schedules_follow_the_labs_clock_and_the_backup_job_ships_messages() {
    let engine = engine(json!({ "log_shipping": { "log_backups": 3, "not_copied": 0, "not_restored": 0 } })).await;
    engine.write_messages(P, "mgc", 4).expect("messages");
    engine.clock().advance(16 * 60);
    for _ in 0..1000 {
        if files(&engine, B, r"\\fs1\LogShip").await.len() == 4 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    idle(&engine, P).await;
    idle(&engine, B).await;
    // One round of the schedules copies it, another one restores it.
    let written = messages(&engine, P).len();
    for _ in 0..4 {
        engine.clock().advance(16 * 60);
        for _ in 0..100 {
            if messages(&engine, B).len() == written {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        idle(&engine, B).await;
    }
    assert_eq!(messages(&engine, B).len(), written);
    let history = sql(
        &engine,
        PM,
        "SELECT COUNT(*) FROM msdb.dbo.log_shipping_monitor_history_detail WHERE message LIKE '%is not ONLINE%'",
    )
    .await;
    assert_ne!(text(&history), "0", "the job on the mirror says why it does nothing");
    engine.stop().await;
}

#[tokio::test]
async fn a_job_made_by_script_backs_up_the_log() {
    let engine = lost(json!({ "not_copied": 0, "not_restored": 0 })).await;
    sql(&engine, B, "RESTORE DATABASE mgc WITH RECOVERY").await;
    sql(&engine, B, r"BACKUP DATABASE mgc TO DISK = N'E:\mgc.bak'").await;
    let batch = r"
        DECLARE @id uniqueidentifier, @schedule int;
        EXEC msdb.dbo.sp_add_job @job_name = N'log backup', @enabled = 1, @owner_login_name = N'sa', @job_id = @id OUTPUT;
        EXEC msdb.dbo.sp_add_jobstep @job_id = @id, @step_name = N'back up', @subsystem = N'TSQL', @database_name = N'master',
            @command = N'DECLARE @file nvarchar(260); SET @file = N''E:\mgc_'' + REPLACE(REPLACE(REPLACE(CONVERT(nvarchar(19), GETUTCDATE(), 120), ''-'', ''''), '' '', ''''), '':'', '''') + N''.trn''; BACKUP LOG mgc TO DISK = @file WITH CHECKSUM';
        EXEC msdb.dbo.sp_add_schedule @schedule_name = N'log backup', @freq_type = 4, @freq_interval = 1, @freq_subday_type = 4, @freq_subday_interval = 5, @schedule_id = @schedule OUTPUT;
        EXEC msdb.dbo.sp_attach_schedule @job_id = @id, @schedule_id = @schedule;
        EXEC msdb.dbo.sp_add_jobserver @job_id = @id, @server_name = N'(local)';
        SELECT @schedule";
    assert_ne!(text(&sql(&engine, B, batch).await), "");
    sql(&engine, B, "EXEC msdb.dbo.sp_start_job N'log backup'").await;
    idle(&engine, B).await;
    let why = sql(&engine, B, "SELECT message FROM msdb.dbo.sysjobhistory").await;
    assert_eq!(outcome(&engine, B, "log backup").await, "1", "{:?}", column(&why));
    assert_eq!(files(&engine, B, "E:").await.len(), 1);
    engine.stop().await;
}

#[tokio::test]
async fn log_shipping_is_set_up_by_its_procedures() {
    let engine = engine(
        json!({ "log_shipping": { "configured": false, "log_backups": 2, "not_copied": 0, "not_restored": 0 } }),
    )
    .await;
    let primary = r"DECLARE @job uniqueidentifier, @id uniqueidentifier, @rc int;
        EXEC @rc = master.dbo.sp_add_log_shipping_primary_database @database = N'mgc', @backup_directory = N'\\fs1\LogShip', @backup_share = N'\\fs1\LogShip',
            @backup_job_name = N'LSBackup_mgc', @backup_retention_period = 4320, @backup_threshold = 60, @threshold_alert_enabled = 1,
            @history_retention_period = 5760, @backup_job_id = @job OUTPUT, @primary_id = @id OUTPUT, @overwrite = 1;
        SELECT @rc, @job, @id";
    assert_eq!(text(&sql(&engine, P, primary).await), "0");
    assert_eq!(errors(&engine, PM, primary).await[0], 32007, "a mirror copy is no primary");
    let enabled = "SELECT enabled FROM msdb.dbo.sysjobs WHERE name = 'LSBackup_mgc'";
    assert_eq!(text(&sql(&engine, P, enabled).await), "0");
    sql(&engine, P, r"EXEC sp_add_log_shipping_primary_secondary N'mgc', N'B\RTC', N'mgc'").await;
    assert_eq!(errors(&engine, P, "EXEC sp_delete_log_shipping_primary_database N'mgc'").await, [32011]);
    let database = r"EXEC sp_add_log_shipping_secondary_database @secondary_database = N'mgc', @primary_server = N'P\RTC', @primary_database = N'mgc', @restore_threshold = 45";
    assert_eq!(errors(&engine, B, database).await, [32023]);
    sql(&engine, B, r"DECLARE @a uniqueidentifier, @b uniqueidentifier, @c uniqueidentifier; EXEC sp_add_log_shipping_secondary_primary @primary_server = N'P\RTC', @primary_database = N'mgc', @backup_source_directory = N'\\fs1\LogShip', @backup_destination_directory = N'E:\LSCopy', @copy_job_name = N'c', @restore_job_name = N'r', @copy_job_id = @a OUTPUT, @restore_job_id = @b OUTPUT, @secondary_id = @c OUTPUT; SELECT @c").await;
    sql(&engine, B, database).await;
    assert_eq!(errors(&engine, B, database).await, [32013]);
    let help = sql(&engine, B, "EXEC sp_help_log_shipping_secondary_database @secondary_database = N'mgc'").await;
    assert_eq!((help.sets[0].columns.len(), help.sets[0].rows.len()), (29, 1));
    engine.stop().await;
}
