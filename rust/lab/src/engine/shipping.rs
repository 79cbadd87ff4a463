//! The log shipping tables of msdb.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// A row of `log_shipping_secondary`.
#[derive(Clone, Debug)]
pub struct Secondary {
    pub id: Uuid,
    pub primary_server: String,
    pub primary_database: String,
    pub source_directory: String,
    pub destination_directory: String,
    pub retention_minutes: i32,
    pub copy_job: Uuid,
    pub restore_job: Uuid,
    pub monitor_server: String,
    pub monitor_security_mode: bool,
    pub user_specified_monitor: bool,
    pub last_copied: Option<(String, DateTime<Utc>)>,
}

/// A row of `log_shipping_secondary_databases`.
#[derive(Clone, Debug)]
pub struct SecondaryDatabase {
    pub database: String,
    pub secondary_id: Uuid,
    pub restore_delay: i32,
    pub restore_all: bool,
    pub standby: bool,
    pub disconnect_users: bool,
    pub block_size: i32,
    pub buffer_count: i32,
    pub max_transfer_size: i32,
    pub last_restored: Option<(String, DateTime<Utc>)>,
}

/// A row of `log_shipping_monitor_secondary`.
#[derive(Clone, Debug)]
pub struct MonitorSecondary {
    pub secondary_server: String,
    pub database: String,
    pub secondary_id: Uuid,
    pub primary_server: String,
    pub primary_database: String,
    pub restore_threshold: i32,
    pub threshold_alert: i32,
    pub alert_enabled: bool,
    pub last_copied: Option<(String, DateTime<Utc>)>,
    pub last_restored: Option<(String, DateTime<Utc>)>,
    pub last_restored_latency: Option<i32>,
    pub history_retention: i32,
}

/// A row of `log_shipping_primary_databases`.
#[derive(Clone, Debug)]
pub struct Primary {
    pub id: Uuid,
    pub database: String,
    pub backup_directory: String,
    pub backup_share: String,
    pub retention_minutes: i32,
    pub backup_job: Uuid,
    pub monitor_server: String,
    pub user_specified_monitor: bool,
    pub monitor_security_mode: bool,
    pub last_backup: Option<(String, DateTime<Utc>)>,
    pub compression: u8,
}

/// A row of `log_shipping_monitor_primary`.
#[derive(Clone, Debug)]
pub struct MonitorPrimary {
    pub id: Uuid,
    pub primary_server: String,
    pub database: String,
    pub backup_threshold: i32,
    pub threshold_alert: i32,
    pub alert_enabled: bool,
    pub last_backup: Option<(String, DateTime<Utc>)>,
    pub history_retention: i32,
}

/// A row of `log_shipping_monitor_history_detail` or `_error_detail`.
#[derive(Clone, Debug)]
pub struct AgentRow {
    pub agent_id: Uuid,
    /// 0 backup, 1 copy, 2 restore.
    pub agent_type: u8,
    pub session: i32,
    pub database: String,
    pub status: u8,
    pub at: DateTime<Utc>,
    pub message: String,
}

/// The log shipping tables of one instance.
#[derive(Clone, Debug, Default)]
pub struct ShippingTables {
    pub secondaries: Vec<Secondary>,
    pub secondary_databases: Vec<SecondaryDatabase>,
    pub monitor_secondaries: Vec<MonitorSecondary>,
    pub primaries: Vec<Primary>,
    pub primary_secondaries: Vec<(Uuid, String, String)>,
    pub monitor_primaries: Vec<MonitorPrimary>,
    pub history: Vec<AgentRow>,
    pub errors: Vec<AgentRow>,
    pub alert_job: Option<Uuid>,
    pub next_session: i32,
}
