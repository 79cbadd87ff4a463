//! A lab for tests, and short forms to ask its instances.
#![allow(dead_code)] // Each test file uses its own share of these.

pub mod pool;

use lab_tsql::Value;
use pchat_lab::engine::connection::{Collected, Connection};
use pchat_lab::engine::error::SqlMessage;
use pchat_lab::engine::session::ClientInfo;
use pchat_lab::engine::Engine;
use pchat_lab::scenario::Scenario;
use serde_json::{json, Value as Json};

/// The instance that takes over.
pub const B: &str = r"B\RTC";
/// The primary.
pub const P: &str = r"P\RTC";
/// The primary's mirror.
pub const PM: &str = r"PM\RTC";
/// The backup's mirror: French logins, binary collation.
pub const BM: &str = r"BM\RTC";

/// Instances from the standard topology with `changes` on top.
pub async fn engine(changes: Json) -> Engine {
    let scenario: Scenario = serde_json::from_value(changes).expect("scenario");
    Engine::start(&scenario).await.expect("lab")
}

/// The primary's site is dead; 5 log backups, 2 not copied, 3 not restored.
pub async fn lost(shipping: Json) -> Engine {
    let mut all = json!({ "log_backups": 5, "not_copied": 2, "not_restored": 3 });
    for (name, value) in shipping.as_object().expect("object") {
        all[name] = value.clone();
    }
    engine(json!({ "primary_site_lost": true, "log_shipping": all })).await
}

/// A session of an administrator in master.
pub fn session(engine: &Engine, instance: &str) -> Connection {
    let client = ClientInfo { login: "sa".into(), program: "test".into(), ..ClientInfo::default() };
    let mut connection = engine.connect(instance, "master", client).expect("login");
    let _ = &mut connection;
    connection
}

/// Runs a batch and returns what came.
pub async fn run(connection: &mut Connection, text: &str) -> Collected {
    let mut out = Collected::default();
    connection.batch(text, &mut out).await;
    out
}

/// Runs a batch as an administrator in master; fails on an error.
pub async fn sql(engine: &Engine, instance: &str, text: &str) -> Collected {
    engine.sql(instance, "master", text).await.unwrap_or_else(|e| panic!("{text}: {e}"))
}

/// Numbers of the errors that a batch raises, in order.
pub async fn errors(engine: &Engine, instance: &str, text: &str) -> Vec<i32> {
    let mut connection = session(engine, instance);
    numbers(&run(&mut connection, text).await)
}

/// Numbers of the errors in an answer.
pub fn numbers(out: &Collected) -> Vec<i32> {
    out.messages.iter().filter(|m| m.severity > 10).map(|m| m.number).collect()
}

/// The first value as text.
pub fn text(out: &Collected) -> String {
    shown(out.scalar().expect("a value"))
}

/// A value as text.
pub fn shown(value: &Value) -> String {
    match value {
        Value::Uuid(id) => id.to_string(),
        other => pchat_lab::engine::execute::as_text(other),
    }
}

/// The first column of the first result set as texts.
pub fn column(out: &Collected) -> Vec<String> {
    out.sets.first().map(|s| s.rows.iter().map(|r| shown(&r[0])).collect()).unwrap_or_default()
}

/// Log backups in a folder as the instance sees them, oldest first, with their full paths.
pub async fn files(engine: &Engine, instance: &str, folder: &str) -> Vec<String> {
    let out = sql(engine, instance, &format!("EXEC master.sys.xp_dirtree N'{folder}', 1, 1")).await;
    let mut names: Vec<String> = column(&out).into_iter().filter(|n| n.ends_with(".trn")).collect();
    names.sort();
    names.into_iter().map(|n| format!("{folder}\\{n}")).collect()
}

/// Waits until the mirroring state of a database is this one.
pub async fn mirroring_becomes(engine: &Engine, instance: &str, state: &str) {
    let question = "SELECT mirroring_state_desc FROM sys.database_mirroring WHERE database_id = DB_ID('mgc')";
    let mut seen = String::new();
    for _ in 0..400 {
        seen = text(&sql(engine, instance, question).await);
        if seen == state {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("mgc on {instance} is {seen} and does not become {state}");
}

/// Message numbers in a copy of mgc.
pub fn messages(engine: &Engine, instance: &str) -> Vec<u64> {
    let world = engine.world();
    let index = world.find_instance(instance).expect("instance");
    world.instances[index].database("mgc").map(|d| d.messages()).unwrap_or_default()
}

/// The error of a call that has to fail.
pub fn refused<T>(result: Result<T, SqlMessage>) -> i32 {
    match result {
        Ok(_) => panic!("it was let in"),
        Err(error) => error.number,
    }
}

/// Restores every log backup of a folder that still fits, oldest first.
pub async fn restore_all(engine: &Engine, instance: &str, folder: &str) {
    for file in files(engine, instance, folder).await {
        let found = errors(engine, instance, &format!("RESTORE LOG mgc FROM DISK = N'{file}' WITH NORECOVERY")).await;
        assert!(found.is_empty() || found == [4326, 3013], "{file}: {found:?}");
    }
}

/// Errors of failed runs of the jobs whose names are like this.
pub async fn failed_runs(engine: &Engine, instance: &str, like: &str) -> Vec<String> {
    let question = format!("SELECT h.message FROM msdb.dbo.sysjobhistory h JOIN msdb.dbo.sysjobs j ON j.job_id = h.job_id WHERE h.run_status = 0 AND h.step_id = 1 AND j.name LIKE N'{like}'");
    column(&sql(engine, instance, &question).await)
}

/// The batch that makes an instance a log shipping primary of mgc, every 15 minutes.
pub fn add_primary(share: &str) -> String {
    format!(
        r"DECLARE @job uniqueidentifier, @id uniqueidentifier, @schedule int;
        EXEC master.dbo.sp_add_log_shipping_primary_database @database = N'mgc', @backup_directory = N'{share}', @backup_share = N'{share}',
            @backup_job_name = N'LSBackup_mgc', @backup_retention_period = 4320, @backup_threshold = 60, @threshold_alert_enabled = 1,
            @history_retention_period = 5760, @backup_job_id = @job OUTPUT, @primary_id = @id OUTPUT;
        EXEC msdb.dbo.sp_add_jobschedule @job_id = @job, @name = N'every 15 minutes', @enabled = 1, @freq_type = 4, @freq_interval = 1,
            @freq_subday_type = 4, @freq_subday_interval = 15, @active_start_time = 0, @schedule_id = @schedule OUTPUT;
        EXEC msdb.dbo.sp_update_job @job_id = @job, @enabled = 1"
    )
}

/// The batch that makes an instance a log shipping secondary of mgc, every 15 minutes.
pub fn add_secondary(primary: &str, folder: &str) -> String {
    format!(
        r"DECLARE @copy uniqueidentifier, @restore uniqueidentifier, @id uniqueidentifier, @schedule int;
        EXEC master.dbo.sp_add_log_shipping_secondary_primary @primary_server = N'{primary}', @primary_database = N'mgc',
            @backup_source_directory = N'\\fs1\LogShip', @backup_destination_directory = N'{folder}', @copy_job_name = N'LSCopy_mgc',
            @restore_job_name = N'LSRestore_mgc', @file_retention_period = 4320, @copy_job_id = @copy OUTPUT,
            @restore_job_id = @restore OUTPUT, @secondary_id = @id OUTPUT;
        EXEC msdb.dbo.sp_add_jobschedule @job_id = @copy, @name = N'copy', @freq_type = 4, @freq_interval = 1, @freq_subday_type = 4, @freq_subday_interval = 15, @schedule_id = @schedule OUTPUT;
        EXEC msdb.dbo.sp_add_jobschedule @job_id = @restore, @name = N'restore', @freq_type = 4, @freq_interval = 1, @freq_subday_type = 4, @freq_subday_interval = 15, @schedule_id = @schedule OUTPUT;
        EXEC master.dbo.sp_add_log_shipping_secondary_database @secondary_database = N'mgc', @primary_server = N'{primary}', @primary_database = N'mgc', @restore_threshold = 45, @restore_all = 1, @restore_mode = 0;
        EXEC msdb.dbo.sp_update_job @job_id = @copy, @enabled = 1;
        EXEC msdb.dbo.sp_update_job @job_id = @restore, @enabled = 1"
    )
}
