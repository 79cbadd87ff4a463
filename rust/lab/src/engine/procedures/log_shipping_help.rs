//! The sp_help_log_shipping family.

use super::{Answered, Bound, Reply};
use crate::engine::catalog::columns::*;
use crate::engine::connection::Connection;
use lab_tsql::{ResultSet, Value};

impl Connection {
    pub(super) fn log_shipping_help(&mut self, name: &str, bound: &Bound) -> Answered {
        let (table, columns, fits): (&str, &str, Vec<(&str, Option<String>)>) = match name {
            "sp_help_log_shipping_secondary_database" => (
                "",
                "secondary_id primary_server primary_database backup_source_directory backup_destination_directory file_retention_period copy_job_id restore_job_id monitor_server monitor_server_security_mode secondary_database restore_delay restore_all restore_mode disconnect_users block_size buffer_count max_transfer_size restore_threshold threshold_alert threshold_alert_enabled last_copied_file last_copied_date last_copied_date_utc last_restored_file last_restored_date last_restored_date_utc history_retention_period last_restored_latency",
                vec![
                    ("secondary_database", bound.text("secondary_database")),
                    ("secondary_id", bound.text("secondary_id")),
                ],
            ),
            "sp_help_log_shipping_secondary_primary" => (
                "log_shipping_secondary",
                "secondary_id primary_server primary_database backup_source_directory backup_destination_directory file_retention_period copy_job_id restore_job_id monitor_server monitor_server_security_mode",
                vec![
                    ("primary_server", bound.text("primary_server")),
                    ("primary_database", bound.text("primary_database")),
                ],
            ),
            "sp_help_log_shipping_primary_database" => (
                "log_shipping_primary_databases",
                "primary_id primary_database backup_directory backup_share backup_retention_period backup_compression backup_job_id monitor_server monitor_server_security_mode last_backup_file last_backup_date",
                vec![("primary_database", bound.text("database")), ("primary_id", bound.text("primary_id"))],
            ),
            "sp_help_log_shipping_primary_secondary" => {
                ("log_shipping_primary_secondaries", "secondary_server secondary_database", Vec::new())
            }
            _ => return Ok(Reply { sets: vec![self.monitor_overview()], ..Reply::default() }),
        };
        let world = self.engine.world();
        let tables = crate::engine::catalog::shipping_tables(&world, self.instance);
        let get = |name: &str| tables.iter().find(|(n, _)| *n == name).map(|(_, t)| t);
        let mut set = ResultSet { returns_rows: true, ..ResultSet::default() };
        // The secondary's overview joins three tables by secondary id; the others show one.
        let names: &[&str] = if table.is_empty() {
            &["log_shipping_secondary_databases", "log_shipping_secondary", "log_shipping_monitor_secondary"]
        } else {
            &[table]
        };
        let Some(first) = names.first().and_then(|n| get(n)) else { return Ok(Reply::default()) };
        for (index, row) in first.rows.iter().enumerate() {
            let id_at = first.columns.iter().position(|c| c.name == "secondary_id");
            let mut cells = Vec::new();
            let mut own_columns = Vec::new();
            for column in columns.split_whitespace() {
                let found = names.iter().filter_map(|n| get(n)).find_map(|t| {
                    let at = t.columns.iter().position(|c| c.name == column)?;
                    let same = if std::ptr::eq(t, first) {
                        t.rows.get(index)?
                    } else {
                        let other = t.columns.iter().position(|c| c.name == "secondary_id")?;
                        t.rows.iter().find(|r| id_at.is_some_and(|i| r[other] == row[i]))?
                    };
                    Some((t.columns[at].clone(), same[at].clone()))
                });
                let (definition, value) = found.unwrap_or_else(|| (null(column, nv(500)), Value::Null));
                own_columns.push(definition);
                cells.push(value);
            }
            let keep = fits.iter().all(|(column, wanted)| {
                let Some(wanted) = wanted else { return true };
                own_columns.iter().position(|c| c.name == *column).is_some_and(|at| {
                    let shown = match &cells[at] {
                        Value::Uuid(id) => id.to_string(),
                        other => crate::engine::execute::as_text(other),
                    };
                    shown.eq_ignore_ascii_case(wanted)
                })
            });
            set.columns = own_columns;
            if keep {
                set.rows.push(cells);
            }
        }
        if set.columns.is_empty() {
            set.columns = columns.split_whitespace().map(|c| null(c, nv(500))).collect();
        }
        Ok(Reply { sets: vec![set], ..Reply::default() })
    }

    fn monitor_overview(&self) -> ResultSet {
        let world = self.engine.world();
        let inst = &world.instances[self.instance];
        let now = world.clock.now();
        let minutes = |at: Option<&(String, chrono::DateTime<chrono::Utc>)>| {
            Value::optional(at, |(_, at)| Value::Int((now - *at).num_minutes() as i32))
        };
        let file = |at: Option<&(String, chrono::DateTime<chrono::Utc>)>| Value::optional(at, |(f, _)| text(f));
        let columns = vec![
            null("status", BIT),
            null("is_primary", BIT),
            null("server", nv(128)),
            null("database_name", nv(128)),
            null("time_since_last_backup", INT),
            null("last_backup_file", nv(500)),
            null("backup_threshold", INT),
            null("is_backup_alert_enabled", BIT),
            null("time_since_last_copy", INT),
            null("last_copied_file", nv(500)),
            null("time_since_last_restore", INT),
            null("last_restored_file", nv(500)),
            null("last_restored_latency", INT),
            null("restore_threshold", INT),
            null("is_restore_alert_enabled", BIT),
        ];
        let mut rows = Vec::new();
        for p in &inst.shipping.monitor_primaries {
            rows.push(vec![
                Value::Bit(false),
                Value::Bit(true),
                text(&p.primary_server),
                text(&p.database),
                minutes(p.last_backup.as_ref()),
                file(p.last_backup.as_ref()),
                Value::Int(p.backup_threshold),
                Value::Bit(p.alert_enabled),
                Value::Null,
                Value::Null,
                Value::Null,
                Value::Null,
                Value::Null,
                Value::Null,
                Value::Null,
            ]);
        }
        for s in &inst.shipping.monitor_secondaries {
            rows.push(vec![
                Value::Bit(false),
                Value::Bit(false),
                text(&s.secondary_server),
                text(&s.database),
                Value::Null,
                Value::Null,
                Value::Null,
                Value::Null,
                minutes(s.last_copied.as_ref()),
                file(s.last_copied.as_ref()),
                minutes(s.last_restored.as_ref()),
                file(s.last_restored.as_ref()),
                Value::optional(s.last_restored_latency, Value::Int),
                Value::Int(s.restore_threshold),
                Value::Bit(s.alert_enabled),
            ]);
        }
        ResultSet { columns, rows, returns_rows: true }
    }
}
