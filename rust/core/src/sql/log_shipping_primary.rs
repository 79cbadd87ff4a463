//! The log shipping record of a primary.

use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::Result;
use crate::names::ServerPath;
use crate::sql::Connection;

/// The record of a primary database, where this instance is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrimaryRecord {
    pub primary_database: String,
    pub primary_id: Uuid,
    pub backup_directory: ServerPath,
    pub backup_share: ServerPath,
    pub backup_retention_minutes: i64,
    pub backup_job_id: Uuid,
    pub monitor_server: String,
    pub monitor_by_windows_login: bool,
    pub last_backup_file: Option<String>,
    pub last_backup_at: Option<NaiveDateTime>,
    /// 0 never, 1 always, 2 as the server is set.
    pub backup_compression: i64,
    pub monitor: Option<PrimaryMonitor>,
    /// Server and database of each secondary.
    pub secondaries: Vec<(String, String)>,
}

/// The instance's own row about a primary database, as the monitor has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrimaryMonitor {
    pub primary_server: String,
    pub backup_threshold_minutes: i64,
    pub threshold_alert: i64,
    pub threshold_alert_enabled: bool,
    pub history_retention_minutes: i64,
}

/// The record of a primary database; `None` where this instance is none.
///
/// # Source
/// msdb `log_shipping_primary_databases`, `log_shipping_primary_secondaries`, `log_shipping_monitor_primary`.
pub async fn read_primary(connection: &mut Connection, database: &str) -> Result<Option<PrimaryRecord>> {
    let statement =
        "SELECT p.primary_database, p.primary_id, p.backup_directory, p.backup_share, p.backup_retention_period, \
        p.backup_job_id, p.monitor_server, p.monitor_server_security_mode, p.last_backup_file, p.last_backup_date, \
        p.backup_compression FROM msdb.dbo.log_shipping_primary_databases p WHERE p.primary_database = @P1";
    let Some(row) = connection.row("reading the primary's log shipping record", statement, &[&database]).await? else {
        return Ok(None);
    };
    let primary_id = row.need_uuid("primary_id")?;
    let statement = "SELECT s.secondary_server, s.secondary_database FROM msdb.dbo.log_shipping_primary_secondaries s \
        WHERE s.primary_id = @P1 ORDER BY s.secondary_server, s.secondary_database";
    let rows = connection.rows("reading the primary's secondaries", statement, &[&primary_id]).await?;
    let secondaries = rows
        .iter()
        .map(|row| Ok((row.need_text("secondary_server")?, row.need_text("secondary_database")?)))
        .collect::<Result<_>>()?;
    let monitor = monitor_row(connection, primary_id).await?;
    Ok(Some(PrimaryRecord {
        primary_database: row.need_text("primary_database")?,
        primary_id,
        backup_directory: ServerPath::new(row.need_text("backup_directory")?),
        backup_share: ServerPath::new(row.need_text("backup_share")?),
        backup_retention_minutes: row.need_int("backup_retention_period")?,
        backup_job_id: row.need_uuid("backup_job_id")?,
        monitor_server: row.need_text("monitor_server")?,
        monitor_by_windows_login: row.need_flag("monitor_server_security_mode")?,
        last_backup_file: row.text("last_backup_file")?,
        last_backup_at: row.time("last_backup_date")?,
        backup_compression: row.need_int("backup_compression")?,
        monitor,
        secondaries,
    }))
}

async fn monitor_row(connection: &mut Connection, primary_id: Uuid) -> Result<Option<PrimaryMonitor>> {
    let statement =
        "SELECT m.primary_server, m.backup_threshold, m.threshold_alert, m.threshold_alert_enabled, m.history_retention_period \
        FROM msdb.dbo.log_shipping_monitor_primary m WHERE m.primary_id = @P1";
    let row = connection.row("reading the primary's monitor row", statement, &[&primary_id]).await?;
    row.map(|row| {
        Ok(PrimaryMonitor {
            primary_server: row.need_text("primary_server")?,
            backup_threshold_minutes: row.need_int("backup_threshold")?,
            threshold_alert: row.need_int("threshold_alert")?,
            threshold_alert_enabled: row.need_flag("threshold_alert_enabled")?,
            history_retention_minutes: row.need_int("history_retention_period")?,
        })
    })
    .transpose()
}

/// The job that raises alerts on an instance that is a monitor, or its own; `None` where there is none.
///
/// # Source
/// msdb `log_shipping_monitor_alert`.
pub async fn alert_job_id(connection: &mut Connection) -> Result<Option<Uuid>> {
    let statement = "SELECT TOP (1) a.alert_job_id FROM msdb.dbo.log_shipping_monitor_alert a";
    let row = connection.row("looking for the alert job", statement, &[]).await?;
    row.map(|row| row.need_uuid("alert_job_id")).transpose()
}
