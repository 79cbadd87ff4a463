//! What the alert job of a log shipping monitor looks at: primaries without a backup, secondaries without a restore.

use super::error::SqlMessage;
use super::model::World;
use chrono::{DateTime, Utc};
use serde::Serialize;

/// An alert that was raised.
#[derive(Clone, Debug, Serialize)]
pub struct Alert {
    pub at_utc: DateTime<Utc>,
    /// The monitor.
    pub instance: String,
    /// 14420 for a primary, 14421 for a secondary.
    pub number: i32,
    /// The server that it is about.
    pub server: String,
    pub message: String,
}

impl World {
    /// Raises what is over its threshold on this monitor; returns the first as the job's error.
    pub(super) fn check_alerts(&mut self, instance: usize) -> Result<(), SqlMessage> {
        let now = self.clock.now();
        let shipping = &self.instances[instance].shipping;
        let own = self.instances[instance].name.clone();
        let mut raised: Vec<Alert> = Vec::new();
        let minutes = |since: DateTime<Utc>| (now - since).num_minutes();
        for row in shipping.monitor_primaries.iter().filter(|r| r.alert_enabled) {
            let Some(age) = row.last_backup.as_ref().map(|(_, at)| minutes(*at)) else { continue };
            if age > i64::from(row.backup_threshold) {
                raised.push(Alert {
                    at_utc: now,
                    instance: own.clone(),
                    number: 14420,
                    server: row.primary_server.clone(),
                    message: format!(
                        "The log shipping primary database {}.{} has backup threshold of {} minutes and has not performed a backup log operation for {age} minutes. Check agent log and logshipping monitor information.",
                        row.primary_server, row.database, row.backup_threshold
                    ),
                });
            }
        }
        for row in shipping.monitor_secondaries.iter().filter(|r| r.alert_enabled) {
            let Some(age) = row.last_restored.as_ref().map(|(_, at)| minutes(*at)) else { continue };
            if age > i64::from(row.restore_threshold) {
                let latency = row.last_restored_latency.unwrap_or(0);
                raised.push(Alert {
                    at_utc: now,
                    instance: own.clone(),
                    number: 14421,
                    server: row.secondary_server.clone(),
                    message: format!(
                        "The log shipping secondary database {}.{} has restore threshold of {} minutes and is out of sync. No restore was performed for {age} minutes. Restored latency is {latency} minutes. Check agent log and logshipping monitor information.",
                        row.secondary_server, row.database, row.restore_threshold
                    ),
                });
            }
        }
        let first = raised.first().map(|a| SqlMessage::new(a.number, 16, 1, a.message.clone()));
        self.alerts.extend(raised);
        first.map_or(Ok(()), Err)
    }
}
