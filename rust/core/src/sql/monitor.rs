//! What the log shipping monitor knows of the primary's backups.

use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::sql::Connection;

/// The newest log backup of a primary that the monitor was told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonitoredPrimary {
    pub primary_server: String,
    pub primary_database: String,
    /// A full path on the primary's side; only the name behind the last separator counts.
    pub last_backup_file: Option<String>,
    pub last_backup_at_utc: Option<NaiveDateTime>,
    pub backup_threshold_minutes: i64,
}

/// The monitor's rows about a primary database, of whichever server: a mirror writes under its own name.
///
/// # Source
/// msdb `log_shipping_monitor_primary` on the monitor.
pub async fn read_primaries(connection: &mut Connection, primary_database: &str) -> Result<Vec<MonitoredPrimary>> {
    let statement =
        "SELECT m.primary_server, m.primary_database, m.last_backup_file, m.last_backup_date_utc, m.backup_threshold \
        FROM msdb.dbo.log_shipping_monitor_primary m WHERE m.primary_database = @P1 ORDER BY m.primary_server";
    let rows = connection.rows("reading the monitor", statement, &[&primary_database]).await?;
    rows.iter()
        .map(|row| {
            Ok(MonitoredPrimary {
                primary_server: row.need_text("primary_server")?,
                primary_database: row.need_text("primary_database")?,
                last_backup_file: row.text("last_backup_file")?,
                last_backup_at_utc: row.time("last_backup_date_utc")?,
                backup_threshold_minutes: row.need_int("backup_threshold")?,
            })
        })
        .collect()
}
