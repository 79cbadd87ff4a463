//! The log shipping tables of msdb.

use super::columns::*;
use super::View;
use crate::engine::model::World;
use chrono::{DateTime, Utc};
use lab_tsql::{TableDef, Value};
use std::sync::Arc;

/// A log shipping table, by lower-case name.
pub fn table(view: &View, name: &str) -> Option<Arc<TableDef>> {
    if !name.starts_with("log_shipping") {
        return None;
    }
    shipping_tables(view.world, view.instance).into_iter().find(|(n, _)| *n == name).map(|(_, t)| t)
}

type Last = Option<(String, DateTime<Utc>)>;

/// All log shipping tables of an instance, with their names.
pub fn shipping_tables(world: &World, instance: usize) -> Vec<(&'static str, Arc<TableDef>)> {
    let s = &world.instances[instance].shipping;
    let file = |l: &Last| Value::optional(l.as_ref(), |(f, _)| text(f));
    let at = |l: &Last| Value::optional(l.as_ref(), |(_, t)| date(world.local(*t)));
    let at_utc = |l: &Last| Value::optional(l.as_ref(), |(_, t)| utc(*t));
    let secondary = s
        .secondaries
        .iter()
        .map(|r| {
            vec![
                Value::Uuid(r.id),
                text(&r.primary_server),
                text(&r.primary_database),
                text(&r.source_directory),
                text(&r.destination_directory),
                Value::Int(r.retention_minutes),
                Value::Uuid(r.copy_job),
                Value::Uuid(r.restore_job),
                text(&r.monitor_server),
                Value::Bit(r.monitor_security_mode),
                Value::Bit(r.user_specified_monitor),
                file(&r.last_copied),
                at(&r.last_copied),
            ]
        })
        .collect();
    let databases = s
        .secondary_databases
        .iter()
        .map(|r| {
            vec![
                text(&r.database),
                Value::Uuid(r.secondary_id),
                Value::Int(r.restore_delay),
                Value::Bit(r.restore_all),
                Value::Bit(r.standby),
                Value::Bit(r.disconnect_users),
                Value::Int(r.block_size),
                Value::Int(r.buffer_count),
                Value::Int(r.max_transfer_size),
                file(&r.last_restored),
                at(&r.last_restored),
            ]
        })
        .collect();
    let monitor_secondary = s
        .monitor_secondaries
        .iter()
        .map(|r| {
            vec![
                text(&r.secondary_server),
                text(&r.database),
                Value::Uuid(r.secondary_id),
                text(&r.primary_server),
                text(&r.primary_database),
                Value::Int(r.restore_threshold),
                Value::Int(r.threshold_alert),
                Value::Bit(r.alert_enabled),
                file(&r.last_copied),
                at(&r.last_copied),
                at_utc(&r.last_copied),
                file(&r.last_restored),
                at(&r.last_restored),
                at_utc(&r.last_restored),
                Value::optional(r.last_restored_latency, Value::Int),
                Value::Int(r.history_retention),
            ]
        })
        .collect();
    let primary = s
        .primaries
        .iter()
        .map(|r| {
            vec![
                Value::Uuid(r.id),
                text(&r.database),
                text(&r.backup_directory),
                text(&r.backup_share),
                Value::Int(r.retention_minutes),
                Value::Uuid(r.backup_job),
                text(&r.monitor_server),
                Value::Bit(r.user_specified_monitor),
                Value::Bit(r.monitor_security_mode),
                file(&r.last_backup),
                at(&r.last_backup),
                Value::TinyInt(r.compression),
            ]
        })
        .collect();
    let primary_secondaries =
        s.primary_secondaries.iter().map(|(id, server, d)| vec![Value::Uuid(*id), text(server), text(d)]).collect();
    let monitor_primary = s
        .monitor_primaries
        .iter()
        .map(|r| {
            vec![
                Value::Uuid(r.id),
                text(&r.primary_server),
                text(&r.database),
                Value::Int(r.backup_threshold),
                Value::Int(r.threshold_alert),
                Value::Bit(r.alert_enabled),
                file(&r.last_backup),
                at(&r.last_backup),
                at_utc(&r.last_backup),
                Value::Int(r.history_retention),
            ]
        })
        .collect();
    let history = s
        .history
        .iter()
        .map(|r| {
            vec![
                Value::Uuid(r.agent_id),
                Value::TinyInt(r.agent_type),
                Value::Int(r.session),
                text(&r.database),
                Value::TinyInt(r.status),
                date(world.local(r.at)),
                utc(r.at),
                text(&r.message),
            ]
        })
        .collect();
    let errors = s
        .errors
        .iter()
        .enumerate()
        .map(|(n, r)| {
            vec![
                Value::Uuid(r.agent_id),
                Value::TinyInt(r.agent_type),
                Value::Int(r.session),
                text(&r.database),
                Value::Int(n as i32 + 1),
                date(world.local(r.at)),
                utc(r.at),
                text(&r.message),
                text("Microsoft.SqlServer.Management.LogShipping"),
                text(""),
            ]
        })
        .collect();
    let t = super::columns::table;
    vec![
        ("log_shipping_secondary", t("secondary_id:guid! primary_server:nv128! primary_database:nv128! backup_source_directory:nv500! backup_destination_directory:nv500! file_retention_period:int! copy_job_id:guid! restore_job_id:guid! monitor_server:nv128! monitor_server_security_mode:bit! user_specified_monitor:bit last_copied_file:nv500 last_copied_date:datetime", secondary)),
        ("log_shipping_secondary_databases", t("secondary_database:nv128! secondary_id:guid! restore_delay:int! restore_all:bit! restore_mode:bit! disconnect_users:bit! block_size:int buffer_count:int max_transfer_size:int last_restored_file:nv500 last_restored_date:datetime", databases)),
        ("log_shipping_monitor_secondary", t("secondary_server:nv128! secondary_database:nv128! secondary_id:guid! primary_server:nv128! primary_database:nv128! restore_threshold:int! threshold_alert:int! threshold_alert_enabled:bit! last_copied_file:nv500 last_copied_date:datetime last_copied_date_utc:datetime last_restored_file:nv500 last_restored_date:datetime last_restored_date_utc:datetime last_restored_latency:int history_retention_period:int!", monitor_secondary)),
        ("log_shipping_primary_databases", t("primary_id:guid! primary_database:nv128! backup_directory:nv500! backup_share:nv500! backup_retention_period:int! backup_job_id:guid! monitor_server:nv128! user_specified_monitor:bit monitor_server_security_mode:bit! last_backup_file:nv500 last_backup_date:datetime backup_compression:tinyint!", primary)),
        ("log_shipping_primary_secondaries", t("primary_id:guid! secondary_server:nv128! secondary_database:nv128!", primary_secondaries)),
        ("log_shipping_monitor_primary", t("primary_id:guid! primary_server:nv128! primary_database:nv128! backup_threshold:int! threshold_alert:int! threshold_alert_enabled:bit! last_backup_file:nv500 last_backup_date:datetime last_backup_date_utc:datetime history_retention_period:int!", monitor_primary)),
        ("log_shipping_monitor_history_detail", t("agent_id:guid! agent_type:tinyint! session_id:int! database_name:nv128 session_status:tinyint! log_time:datetime! log_time_utc:datetime! message:nv4000!", history)),
        ("log_shipping_monitor_error_detail", t("agent_id:guid! agent_type:tinyint! session_id:int! database_name:nv128 sequence_number:int! log_time:datetime! log_time_utc:datetime! message:nv4000! source:nv4000! help_url:nv4000!", errors)),
        ("log_shipping_monitor_alert", t("alert_job_id:guid!", s.alert_job.iter().map(|id| vec![Value::Uuid(*id)]).collect())),
        ("log_shipping_primaries", t("primary_id:int!", Vec::new())),
        ("log_shipping_secondaries", t("primary_id:int!", Vec::new())),
    ]
}
