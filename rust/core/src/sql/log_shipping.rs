//! The log shipping record of a secondary, and its removal. That of a primary: [`super::log_shipping_primary`].

use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Error, ErrorKind, Result};
use crate::names::ServerPath;
use crate::sql::quote::quote_literal;
use crate::sql::row::Row;
use crate::sql::statement::call;
use crate::sql::Connection;

/// What the restore job leaves the database in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestoreMode {
    NoRecovery,
    Standby,
}

impl RestoreMode {
    /// `no_recovery` or `standby`.
    pub fn as_text(self) -> &'static str {
        match self {
            RestoreMode::NoRecovery => "no_recovery",
            RestoreMode::Standby => "standby",
        }
    }
}

/// Everything that log shipping keeps about a secondary database. Removal deletes all of it.
///
/// Times without `_utc` are the instance's local ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondaryRecord {
    pub secondary_database: String,
    pub secondary_id: Uuid,
    /// As configured once; after a mirroring failover another server may write the files.
    pub primary_server: String,
    pub primary_database: String,
    /// The share, as the copy job opens it.
    pub backup_source_directory: ServerPath,
    /// The copy folder, on the instance's host.
    pub backup_destination_directory: ServerPath,
    pub file_retention_minutes: i64,
    pub copy_job_id: Uuid,
    pub restore_job_id: Uuid,
    pub monitor_server: String,
    /// True where the monitor is reached with Windows authentication.
    pub monitor_by_windows_login: bool,
    pub restore_delay_minutes: i64,
    pub restore_all: bool,
    pub restore_mode: RestoreMode,
    pub disconnect_users: bool,
    pub block_size: Option<i64>,
    pub buffer_count: Option<i64>,
    pub max_transfer_size: Option<i64>,
    pub last_copied_file: Option<String>,
    pub last_copied_at: Option<NaiveDateTime>,
    pub last_restored_file: Option<String>,
    pub last_restored_at: Option<NaiveDateTime>,
    pub monitor: Option<SecondaryMonitor>,
    /// Other databases that share source, destination and jobs with this one.
    pub other_databases: Vec<String>,
}

/// The monitor's local row about a secondary database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondaryMonitor {
    pub restore_threshold_minutes: i64,
    pub threshold_alert: i64,
    pub threshold_alert_enabled: bool,
    pub history_retention_minutes: i64,
    pub last_copied_file: Option<String>,
    pub last_copied_at_utc: Option<NaiveDateTime>,
    pub last_restored_file: Option<String>,
    pub last_restored_at_utc: Option<NaiveDateTime>,
    pub last_restored_latency_minutes: Option<i64>,
}

/// The record of a secondary database; `None` where it is not log shipped.
///
/// # Source
/// msdb `log_shipping_secondary_databases`, `log_shipping_secondary`, `log_shipping_monitor_secondary`.
pub async fn read_secondary(connection: &mut Connection, database: &str) -> Result<Option<SecondaryRecord>> {
    let statement = "SELECT d.secondary_database, d.secondary_id, s.primary_server, s.primary_database, \
        s.backup_source_directory, s.backup_destination_directory, s.file_retention_period, s.copy_job_id, s.restore_job_id, \
        s.monitor_server, s.monitor_server_security_mode, s.last_copied_file, s.last_copied_date, \
        d.restore_delay, d.restore_all, d.restore_mode, d.disconnect_users, d.block_size, d.buffer_count, \
        d.max_transfer_size, d.last_restored_file, d.last_restored_date \
        FROM msdb.dbo.log_shipping_secondary_databases d \
        JOIN msdb.dbo.log_shipping_secondary s ON s.secondary_id = d.secondary_id \
        WHERE d.secondary_database = @P1";
    let Some(row) = connection.row("reading the log shipping record", statement, &[&database]).await? else {
        return Ok(None);
    };
    let mut record = secondary_from(&row)?;
    record.monitor = monitor_row(connection, &record).await?;
    let statement = "SELECT d.secondary_database FROM msdb.dbo.log_shipping_secondary_databases d \
        WHERE d.secondary_id = @P1 AND d.secondary_database <> @P2 ORDER BY d.secondary_database";
    let parameters: [&dyn tiberius::ToSql; 2] = [&record.secondary_id, &record.secondary_database];
    let others = connection.rows("reading the other secondary databases", statement, &parameters).await?;
    record.other_databases = others.iter().map(|row| row.need_text("secondary_database")).collect::<Result<_>>()?;
    Ok(Some(record))
}

/// True where this instance has a record of a primary, with or without a secondary database of it.
///
/// # Source
/// msdb `log_shipping_secondary`.
pub async fn has_primary(connection: &mut Connection, server: &str, database: &str) -> Result<bool> {
    let statement = "SELECT CAST(COUNT(*) AS int) AS found FROM msdb.dbo.log_shipping_secondary s \
        WHERE s.primary_server = @P1 AND s.primary_database = @P2";
    let row = connection.row("looking for the primary's record", statement, &[&server, &database]).await?;
    Ok(row.map(|row| row.need_int("found")).transpose()?.unwrap_or_default() > 0)
}

fn secondary_from(row: &Row) -> Result<SecondaryRecord> {
    Ok(SecondaryRecord {
        secondary_database: row.need_text("secondary_database")?,
        secondary_id: row.need_uuid("secondary_id")?,
        primary_server: row.need_text("primary_server")?,
        primary_database: row.need_text("primary_database")?,
        backup_source_directory: ServerPath::new(row.need_text("backup_source_directory")?),
        backup_destination_directory: ServerPath::new(row.need_text("backup_destination_directory")?),
        file_retention_minutes: row.need_int("file_retention_period")?,
        copy_job_id: row.need_uuid("copy_job_id")?,
        restore_job_id: row.need_uuid("restore_job_id")?,
        monitor_server: row.need_text("monitor_server")?,
        monitor_by_windows_login: row.need_flag("monitor_server_security_mode")?,
        restore_delay_minutes: row.need_int("restore_delay")?,
        restore_all: row.need_flag("restore_all")?,
        restore_mode: if row.need_flag("restore_mode")? { RestoreMode::Standby } else { RestoreMode::NoRecovery },
        disconnect_users: row.need_flag("disconnect_users")?,
        block_size: row.int("block_size")?,
        buffer_count: row.int("buffer_count")?,
        max_transfer_size: row.int("max_transfer_size")?,
        last_copied_file: row.text("last_copied_file")?,
        last_copied_at: row.time("last_copied_date")?,
        last_restored_file: row.text("last_restored_file")?,
        last_restored_at: row.time("last_restored_date")?,
        monitor: None,
        other_databases: Vec::new(),
    })
}

async fn monitor_row(connection: &mut Connection, record: &SecondaryRecord) -> Result<Option<SecondaryMonitor>> {
    let statement = "SELECT m.restore_threshold, m.threshold_alert, m.threshold_alert_enabled, m.history_retention_period, \
        m.last_copied_file, m.last_copied_date_utc, m.last_restored_file, m.last_restored_date_utc, m.last_restored_latency \
        FROM msdb.dbo.log_shipping_monitor_secondary m WHERE m.secondary_id = @P1 AND m.secondary_database = @P2";
    let parameters: [&dyn tiberius::ToSql; 2] = [&record.secondary_id, &record.secondary_database];
    let row = connection.row("reading the monitor's row", statement, &parameters).await?;
    row.map(|row| {
        Ok(SecondaryMonitor {
            restore_threshold_minutes: row.need_int("restore_threshold")?,
            threshold_alert: row.need_int("threshold_alert")?,
            threshold_alert_enabled: row.need_flag("threshold_alert_enabled")?,
            history_retention_minutes: row.need_int("history_retention_period")?,
            last_copied_file: row.text("last_copied_file")?,
            last_copied_at_utc: row.time("last_copied_date_utc")?,
            last_restored_file: row.text("last_restored_file")?,
            last_restored_at_utc: row.time("last_restored_date_utc")?,
            last_restored_latency_minutes: row.int("last_restored_latency")?,
        })
    })
    .transpose()
}

/// True where the removal procedure of this instance can leave a dead monitor alone.
///
/// # Source
/// `@ignoreremotemonitor` is on no documentation page; scripts of public tools pass it.
pub async fn can_ignore_monitor(connection: &mut Connection) -> Result<bool> {
    let statement = "SELECT CAST(COUNT(*) AS int) AS found FROM master.sys.all_parameters p \
        JOIN master.sys.all_objects o ON o.object_id = p.object_id \
        WHERE o.name = N'sp_delete_log_shipping_secondary_database' AND p.name = N'@ignoreremotemonitor'";
    let row = super::if_it_exists(connection.row("reading the removal procedure's parameters", statement, &[]).await)?;
    Ok(row.flatten().map(|row| row.need_int("found")).transpose()?.unwrap_or_default() > 0)
}

/// Removes log shipping of a secondary database: its record, monitor rows, history and, with the last database of the
/// record, the copy and restore jobs. The database itself stays as it is.
///
/// `ignore_monitor`: only where [`can_ignore_monitor`] says so and the monitor is dead.
pub fn remove_statement(database: &str, ignore_monitor: bool) -> Result<String> {
    let mut arguments = vec![("secondary_database", quote_literal(database)?)];
    if ignore_monitor {
        arguments.push(("ignoreremotemonitor", "1".to_string()));
    }
    Ok(call("master.dbo.sp_delete_log_shipping_secondary_database", &arguments))
}

/// How a removal went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    Removed,
    AlreadyGone,
}

/// Runs [`remove_statement`] and reads the record again: it is gone, or the removal has failed whatever was answered.
///
/// # Errors
/// `StepNotVerified` (5015) where the record is still there though the call succeeded; else the call's own error.
pub async fn remove(connection: &mut Connection, database: &str, ignore_monitor: bool) -> Result<Removal> {
    if read_secondary(connection, database).await?.is_none() {
        return Ok(Removal::AlreadyGone);
    }
    let called = connection.call("removing log shipping", &remove_statement(database, ignore_monitor)?).await;
    let called = match called {
        Err(error) if error.outcome_unknown() => return Err(error),
        known => known,
    };
    match (read_secondary(connection, database).await?, called) {
        (None, _) => Ok(Removal::Removed),
        (Some(_), Err(error)) => {
            Err(error.with_unchanged(format!("Log shipping of `{database}` is still configured.")))
        }
        (Some(_), Ok(())) => Err(Error::new(
            ErrorKind::StepNotVerified,
            format!(
                "{}: the log shipping record of `{database}` is still there after its removal.",
                connection.instance()
            ),
        )
        .with_next("Look into the tables `msdb.dbo.log_shipping_secondary*`, then resume.")
        .with_target(database)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_removal_names_the_database_as_a_quoted_value() {
        assert_eq!(
            remove_statement("m'gc", false).unwrap(),
            "DECLARE @rc int; EXEC @rc = master.dbo.sp_delete_log_shipping_secondary_database @secondary_database = N'm''gc'; SELECT @rc AS rc"
        );
        assert!(remove_statement("mgc", true)
            .unwrap()
            .contains("@secondary_database = N'mgc', @ignoreremotemonitor = 1;"));
    }
}
