//! Setting log shipping up: the record of a primary, that of a secondary, their jobs with schedules.
//!
//! The procedures create every job disabled and without a schedule. Settings are those of records and jobs as they were
//! read earlier; ids are given anew.

use uuid::Uuid;

use crate::error::Result;
use crate::names::ServerPath;
use crate::sql::job::{Job, JobSchedule};
use crate::sql::log_shipping::{RestoreMode, SecondaryRecord};
use crate::sql::log_shipping_primary::PrimaryRecord;
use crate::sql::quote::{quote_literal, quote_path};
use crate::sql::secret::Secret;
use crate::sql::statement::{call, job_id};
use crate::sql::Connection;

/// The threshold of a primary whose monitor row is not known: the procedure's own default.
const BACKUP_THRESHOLD_MINUTES: i64 = 60;
/// The threshold of a secondary whose monitor row is not known; the procedure has no default.
const RESTORE_THRESHOLD_MINUTES: i64 = 60;
const HISTORY_RETENTION_MINUTES: i64 = 14_420;

/// A login for the monitor, where it is not reached with Windows authentication.
pub struct MonitorLogin {
    pub user: String,
    pub secret: Secret,
}

/// How a monitor is reached.
enum MonitorAccess<'a> {
    Windows,
    /// For showing and for the journal: the password is left out.
    Shown(&'a str),
    Sent(&'a MonitorLogin),
}

impl MonitorAccess<'_> {
    fn arguments(&self) -> Result<Vec<(&'static str, String)>> {
        Ok(match self {
            MonitorAccess::Windows => vec![("monitor_server_security_mode", "1".to_string())],
            MonitorAccess::Shown(user) => vec![
                ("monitor_server_security_mode", "0".to_string()),
                ("monitor_server_login", quote_literal(user)?),
                ("monitor_server_password", "N'…'".to_string()),
            ],
            MonitorAccess::Sent(login) => vec![
                ("monitor_server_security_mode", "0".to_string()),
                ("monitor_server_login", quote_literal(&login.user)?),
                ("monitor_server_password", quote_literal(login.secret.expose())?),
            ],
        })
    }
}

/// A primary of log shipping as it is to be.
#[derive(Debug, Clone, PartialEq)]
pub struct PrimarySetUp {
    pub database: String,
    pub directory: ServerPath,
    pub share: ServerPath,
    pub record: PrimaryRecord,
    pub job: Job,
}

/// A secondary as it is to be.
#[derive(Debug, Clone, PartialEq)]
pub struct SecondarySetUp {
    /// Where the copy job takes from, and where it puts.
    pub source: ServerPath,
    pub destination: ServerPath,
    pub record: SecondaryRecord,
    pub copy_job: Job,
    pub restore_job: Job,
}

impl PrimarySetUp {
    fn statement(&self, access: &MonitorAccess<'_>) -> Result<String> {
        let record = &self.record;
        let monitor = record.monitor.as_ref();
        let mut arguments = vec![
            ("database", quote_literal(&self.database)?),
            ("backup_directory", quote_path(&self.directory)?),
            ("backup_share", quote_path(&self.share)?),
            ("backup_job_name", quote_literal(&self.job.name)?),
            ("backup_retention_period", record.backup_retention_minutes.to_string()),
            ("monitor_server", quote_literal(&record.monitor_server)?),
        ];
        arguments.extend(access.arguments()?);
        let threshold = monitor.map_or(BACKUP_THRESHOLD_MINUTES, |monitor| monitor.backup_threshold_minutes);
        let history = monitor.map_or(HISTORY_RETENTION_MINUTES, |monitor| monitor.history_retention_minutes);
        arguments.extend([
            ("backup_threshold", threshold.to_string()),
            ("threshold_alert", monitor.map_or(14_420, |monitor| monitor.threshold_alert).to_string()),
            ("threshold_alert_enabled", bit(monitor.is_none_or(|monitor| monitor.threshold_alert_enabled))),
            ("history_retention_period", history.to_string()),
            ("backup_compression", record.backup_compression.to_string()),
        ]);
        Ok(with_ids("sp_add_log_shipping_primary_database", &arguments, &["backup_job_id", "primary_id"]))
    }

    /// The call that makes the record and its job, as it is shown and taken down: without a password.
    pub fn shown_statement(&self, user: Option<&str>) -> Result<String> {
        self.statement(&shown(self.record.monitor_by_windows_login, user))
    }

    /// Makes the record and its job, disabled.
    pub async fn add(&self, connection: &mut Connection, login: Option<&MonitorLogin>) -> Result<()> {
        let statement = self.statement(&login.map_or(MonitorAccess::Windows, MonitorAccess::Sent))?;
        connection.call("adding the log shipping primary", &statement).await
    }
}

impl SecondarySetUp {
    fn primary_statement(&self, access: &MonitorAccess<'_>) -> Result<String> {
        let record = &self.record;
        let mut arguments = vec![
            ("primary_server", quote_literal(&record.primary_server)?),
            ("primary_database", quote_literal(&record.primary_database)?),
            ("backup_source_directory", quote_path(&self.source)?),
            ("backup_destination_directory", quote_path(&self.destination)?),
            ("copy_job_name", quote_literal(&self.copy_job.name)?),
            ("restore_job_name", quote_literal(&self.restore_job.name)?),
            ("file_retention_period", record.file_retention_minutes.to_string()),
            ("monitor_server", quote_literal(&record.monitor_server)?),
        ];
        arguments.extend(access.arguments()?);
        let ids = ["copy_job_id", "restore_job_id", "secondary_id"];
        Ok(with_ids("sp_add_log_shipping_secondary_primary", &arguments, &ids))
    }

    /// The call that makes the secondary's record of its primary and both jobs, without a password.
    pub fn shown_primary_statement(&self, user: Option<&str>) -> Result<String> {
        self.primary_statement(&shown(self.record.monitor_by_windows_login, user))
    }

    /// Makes the record of the primary and both jobs, disabled.
    pub async fn add_primary(&self, connection: &mut Connection, login: Option<&MonitorLogin>) -> Result<()> {
        let statement = self.primary_statement(&login.map_or(MonitorAccess::Windows, MonitorAccess::Sent))?;
        connection.call("adding the primary to the secondary", &statement).await
    }

    /// The call that makes the secondary database.
    pub fn database_statement(&self) -> Result<String> {
        let record = &self.record;
        let monitor = record.monitor.as_ref();
        let mut arguments = vec![
            ("secondary_database", quote_literal(&record.secondary_database)?),
            ("primary_server", quote_literal(&record.primary_server)?),
            ("primary_database", quote_literal(&record.primary_database)?),
            ("restore_delay", record.restore_delay_minutes.to_string()),
            ("restore_all", bit(record.restore_all)),
            ("restore_mode", bit(record.restore_mode == RestoreMode::Standby)),
            ("disconnect_users", bit(record.disconnect_users)),
        ];
        let optional = [
            ("block_size", record.block_size),
            ("buffer_count", record.buffer_count),
            ("max_transfer_size", record.max_transfer_size),
        ];
        arguments.extend(optional.iter().filter_map(|(name, value)| Some((*name, (*value)?.to_string()))));
        let threshold = monitor.map_or(RESTORE_THRESHOLD_MINUTES, |monitor| monitor.restore_threshold_minutes);
        let history = monitor.map_or(HISTORY_RETENTION_MINUTES, |monitor| monitor.history_retention_minutes);
        arguments.extend([
            ("restore_threshold", threshold.to_string()),
            ("threshold_alert", monitor.map_or(14_421, |monitor| monitor.threshold_alert).to_string()),
            ("threshold_alert_enabled", bit(monitor.is_none_or(|monitor| monitor.threshold_alert_enabled))),
            ("history_retention_period", history.to_string()),
        ]);
        Ok(call("master.dbo.sp_add_log_shipping_secondary_database", &arguments))
    }
}

fn shown(by_windows_login: bool, user: Option<&str>) -> MonitorAccess<'_> {
    match by_windows_login {
        true => MonitorAccess::Windows,
        false => MonitorAccess::Shown(user.unwrap_or("…")),
    }
}

/// The call on the primary that names its secondary.
pub fn primary_secondary_statement(database: &str, server: &str, secondary_database: &str) -> Result<String> {
    Ok(call(
        "master.dbo.sp_add_log_shipping_primary_secondary",
        &[
            ("primary_database", quote_literal(database)?),
            ("secondary_server", quote_literal(server)?),
            ("secondary_database", quote_literal(secondary_database)?),
        ],
    ))
}

/// The call on a monitor that makes its alert job unless there is one.
pub fn alert_job_statement() -> String {
    "DECLARE @rc int, @alert_job_id uniqueidentifier; EXEC @rc = master.dbo.sp_add_log_shipping_alert_job \
     @alert_job_id = @alert_job_id OUTPUT; SELECT @rc AS rc"
        .to_string()
}

/// The call that gives a job a schedule as another one had it.
pub fn schedule_statement(id: Uuid, schedule: &JobSchedule) -> Result<String> {
    Ok(call(
        "msdb.dbo.sp_add_jobschedule",
        &[
            job_id(&id)?,
            ("name", quote_literal(&schedule.name)?),
            ("enabled", bit(schedule.is_enabled)),
            ("freq_type", schedule.freq_type.to_string()),
            ("freq_interval", schedule.freq_interval.to_string()),
            ("freq_subday_type", schedule.freq_subday_type.to_string()),
            ("freq_subday_interval", schedule.freq_subday_interval.to_string()),
            ("freq_relative_interval", schedule.freq_relative_interval.to_string()),
            ("freq_recurrence_factor", schedule.freq_recurrence_factor.to_string()),
            ("active_start_date", schedule.active_start_date.to_string()),
            ("active_end_date", schedule.active_end_date.to_string()),
            ("active_start_time", schedule.active_start_time.to_string()),
            ("active_end_time", schedule.active_end_time.to_string()),
        ],
    ))
}

/// Sends a call of this file that holds no secret.
pub async fn send(connection: &mut Connection, statement: &str) -> Result<()> {
    connection.call("setting up log shipping", statement).await
}

fn bit(value: bool) -> String {
    i32::from(value).to_string()
}

/// A call whose ids come back: without OUTPUT the set-up would be half done.
fn with_ids(procedure: &str, arguments: &[(&str, String)], ids: &[&str]) -> String {
    let declared: Vec<String> = ids.iter().map(|id| format!("@{id} uniqueidentifier")).collect();
    let mut list: Vec<String> = arguments.iter().map(|(name, value)| format!("@{name} = {value}")).collect();
    list.extend(ids.iter().map(|id| format!("@{id} = @{id} OUTPUT")));
    format!(
        "DECLARE @rc int, {}; EXEC @rc = master.dbo.{procedure} {}; SELECT @rc AS rc",
        declared.join(", "),
        list.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::log_shipping::SecondaryMonitor;
    use crate::sql::log_shipping_primary::PrimaryMonitor;

    fn job(name: &str) -> Job {
        let schedule = JobSchedule {
            schedule_id: 7,
            name: "every 15'".into(),
            is_enabled: true,
            freq_type: 4,
            freq_interval: 1,
            freq_subday_type: 4,
            freq_subday_interval: 15,
            freq_relative_interval: 0,
            freq_recurrence_factor: 0,
            active_start_date: 20260101,
            active_end_date: 99991231,
            active_start_time: 0,
            active_end_time: 235900,
        };
        Job {
            job_id: Uuid::nil(),
            name: name.into(),
            is_enabled: true,
            is_running: false,
            description: None,
            owner: None,
            schedules: vec![schedule],
        }
    }

    fn primary(by_windows_login: bool) -> PrimarySetUp {
        PrimarySetUp {
            database: "m'gc".into(),
            directory: ServerPath::new(r"\\fs1\LogShip"),
            share: ServerPath::new(r"\\fs1\LogShip"),
            record: PrimaryRecord {
                primary_database: "m'gc".into(),
                primary_id: Uuid::nil(),
                backup_directory: ServerPath::new(r"\\fs1\LogShip"),
                backup_share: ServerPath::new(r"\\fs1\LogShip"),
                backup_retention_minutes: 4320,
                backup_job_id: Uuid::nil(),
                monitor_server: "MON".into(),
                monitor_by_windows_login: by_windows_login,
                last_backup_file: None,
                last_backup_at: None,
                backup_compression: 2,
                monitor: Some(PrimaryMonitor {
                    primary_server: r"P\RTC".into(),
                    backup_threshold_minutes: 45,
                    threshold_alert: 14420,
                    threshold_alert_enabled: true,
                    history_retention_minutes: 5760,
                }),
                secondaries: vec![],
            },
            job: job("LSBackup_mgc"),
        }
    }

    #[test]
    fn a_primary_is_added_with_every_setting_and_its_ids_come_back() {
        assert_eq!(
            primary(true).shown_statement(None).unwrap(),
            r"DECLARE @rc int, @backup_job_id uniqueidentifier, @primary_id uniqueidentifier; EXEC @rc = master.dbo.sp_add_log_shipping_primary_database @database = N'm''gc', @backup_directory = N'\\fs1\LogShip', @backup_share = N'\\fs1\LogShip', @backup_job_name = N'LSBackup_mgc', @backup_retention_period = 4320, @monitor_server = N'MON', @monitor_server_security_mode = 1, @backup_threshold = 45, @threshold_alert = 14420, @threshold_alert_enabled = 1, @history_retention_period = 5760, @backup_compression = 2, @backup_job_id = @backup_job_id OUTPUT, @primary_id = @primary_id OUTPUT; SELECT @rc AS rc"
        );
    }

    #[test]
    fn a_password_for_the_monitor_is_sent_and_never_shown() {
        let login = MonitorLogin { user: "o'p".into(), secret: Secret::new("pa'ss") };
        let sent = primary(false).statement(&MonitorAccess::Sent(&login)).unwrap();
        assert!(sent.contains("@monitor_server_login = N'o''p', @monitor_server_password = N'pa''ss'"), "{sent}");
        let shown = primary(false).shown_statement(Some("o'p")).unwrap();
        assert!(shown.contains("@monitor_server_login = N'o''p', @monitor_server_password = N'…'"), "{shown}");
        assert!(!shown.contains("pa''ss"));
    }

    #[test]
    fn a_secondary_is_added_as_it_was() {
        let record = SecondaryRecord {
            secondary_database: "mgc".into(),
            secondary_id: Uuid::nil(),
            primary_server: r"P\RTC".into(),
            primary_database: "mgc".into(),
            backup_source_directory: ServerPath::new(r"\\fs1\LogShip"),
            backup_destination_directory: ServerPath::new(r"E:\LSCopy"),
            file_retention_minutes: 4320,
            copy_job_id: Uuid::nil(),
            restore_job_id: Uuid::nil(),
            monitor_server: "MON".into(),
            monitor_by_windows_login: true,
            restore_delay_minutes: 0,
            restore_all: true,
            restore_mode: RestoreMode::NoRecovery,
            disconnect_users: false,
            block_size: None,
            buffer_count: Some(7),
            max_transfer_size: None,
            last_copied_file: None,
            last_copied_at: None,
            last_restored_file: None,
            last_restored_at: None,
            monitor: Some(SecondaryMonitor {
                restore_threshold_minutes: 45,
                threshold_alert: 14421,
                threshold_alert_enabled: true,
                history_retention_minutes: 5760,
                last_copied_file: None,
                last_copied_at_utc: None,
                last_restored_file: None,
                last_restored_at_utc: None,
                last_restored_latency_minutes: None,
            }),
            other_databases: vec![],
        };
        let set_up = SecondarySetUp {
            source: ServerPath::new(r"\\fs1\LogShip"),
            destination: ServerPath::new(r"E:\LSCopy\o'x"),
            record,
            copy_job: job("LSCopy"),
            restore_job: job("LSRestore"),
        };
        let statement = set_up.shown_primary_statement(None).unwrap();
        assert!(statement.contains(r"@backup_destination_directory = N'E:\LSCopy\o''x', @copy_job_name = N'LSCopy'"));
        assert!(statement.ends_with("@copy_job_id = @copy_job_id OUTPUT, @restore_job_id = @restore_job_id OUTPUT, @secondary_id = @secondary_id OUTPUT; SELECT @rc AS rc"));
        assert_eq!(
            set_up.database_statement().unwrap(),
            r"DECLARE @rc int; EXEC @rc = master.dbo.sp_add_log_shipping_secondary_database @secondary_database = N'mgc', @primary_server = N'P\RTC', @primary_database = N'mgc', @restore_delay = 0, @restore_all = 1, @restore_mode = 0, @disconnect_users = 0, @buffer_count = 7, @restore_threshold = 45, @threshold_alert = 14421, @threshold_alert_enabled = 1, @history_retention_period = 5760; SELECT @rc AS rc"
        );
    }

    #[test]
    fn a_schedule_keeps_every_number() {
        let statement = schedule_statement(Uuid::nil(), &job("x").schedules[0]).unwrap();
        assert!(statement.contains("@name = N'every 15''', @enabled = 1, @freq_type = 4, @freq_interval = 1, @freq_subday_type = 4, @freq_subday_interval = 15"));
        assert!(statement.contains("@active_start_date = 20260101, @active_end_date = 99991231, @active_start_time = 0, @active_end_time = 235900"));
    }
}
