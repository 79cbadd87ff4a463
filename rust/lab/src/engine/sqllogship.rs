//! The log shipping agent, `sqllogship`: what its backup, copy and restore jobs do.

use super::connection::Collected;
use super::disk::{OsError, Who};
use super::error::SqlMessage;
use super::model::State;
use super::shipping::AgentRow;
use super::Engine;
use crate::scenario::Account;
use std::path::PathBuf;
use std::time::Duration;
use uuid::Uuid;

impl Engine {
    fn ship_note(&self, instance: usize, id: Uuid, kind: u8, database: &str, status: u8, message: &str) {
        let mut world = self.world();
        let at = world.clock.now();
        let shipping = &mut world.instances[instance].shipping;
        shipping.next_session += 1;
        let row = AgentRow {
            agent_id: id,
            agent_type: kind,
            session: shipping.next_session,
            database: database.to_owned(),
            status,
            at,
            message: message.to_owned(),
        };
        if status == 3 {
            shipping.errors.push(row.clone());
        }
        shipping.history.push(row);
    }

    fn gone(id: Uuid, kind: u8, what: &str) -> SqlMessage {
        SqlMessage::new(32016, 16, 1, format!(
            "*** Error: Could not retrieve {what} settings for ID '{id}'.(Microsoft.SqlServer.Management.LogShipping) *** *** Error: The specified agent_id {id} or agent_type {kind} do not form a valid pair for log shipping monitoring processing.(.Net SqlClient Data Provider) ***"
        ))
    }

    pub(super) async fn ship_backup(&self, instance: usize, id: Uuid) -> Result<String, SqlMessage> {
        let (row, online, stamp) = {
            let world = self.world();
            let inst = &world.instances[instance];
            let row = inst.shipping.primaries.iter().find(|p| p.id == id).cloned();
            let row = row.ok_or_else(|| Self::gone(id, 0, "backup"))?;
            let online = inst.database(&row.database).is_some_and(|d| d.state == State::Online && d.standby.is_none());
            (row, online, world.clock.now().format("%Y%m%d%H%M%S").to_string())
        };
        if !online {
            let text = format!(
                "Database {} is not ONLINE. The backup job will not be performed until this database is brought online.",
                row.database
            );
            self.ship_note(instance, id, 0, &row.database, 4, &text);
            return Ok(text);
        }
        let name = format!("{}_{stamp}", row.database);
        let work = format!("{}\\{name}.wrk", row.backup_directory);
        let done = format!("{}\\{name}.trn", row.backup_directory);
        let quoted = row.database.replace(']', "]]");
        let client = self.agent_client(instance, "SQLAgent - Log Shipping Backup");
        let mut connection = super::connection::Connection::open(self, instance, "master", client)?;
        let mut out = Collected::default();
        let statement = format!("BACKUP LOG [{quoted}] TO DISK = N'{}' WITH INIT, STATS = 0", work.replace('\'', "''"));
        connection.batch(&statement, &mut out).await;
        if let Some(error) = out.first_error() {
            self.ship_note(instance, id, 0, &row.database, 3, &error.message);
            return Err(error.clone());
        }
        let mut world = self.world();
        let who = Who { instance, account: Account::Agent };
        let renamed = world
            .resolve(who, &work, true)
            .and_then(|from| Ok((from, world.resolve(who, &done, true)?)))
            .and_then(|(from, to)| std::fs::rename(&from, &to).map_err(|e| OsError::of(&e, &from)));
        if let Err(error) = renamed {
            return Err(SqlMessage::new(0, 16, 1, format!("Cannot rename '{work}': {}", error.text())));
        }
        let at = world.clock.now();
        let on = world.instances[instance].name.clone();
        let last = Some((done.clone(), at));
        if let Some(primary) = world.instances[instance].shipping.primaries.iter_mut().find(|p| p.id == id) {
            primary.last_backup.clone_from(&last);
        }
        let monitor = world.find_instance(&row.monitor_server).filter(|m| world.runs(*m));
        for side in [Some(instance), monitor].into_iter().flatten() {
            for monitored in &mut world.instances[side].shipping.monitor_primaries {
                if monitored.id == id {
                    monitored.last_backup.clone_from(&last);
                }
            }
        }
        world.effect(&on, "file_written", done.clone(), "log shipping backup");
        drop(world);
        self.drop_old_files(who, &row.backup_directory, &row.database, row.retention_minutes);
        self.ship_note(instance, id, 0, &row.database, 2, &format!("Log shipping backup agent [{on}] has verified log backup file '{name}.wrk' and renamed it as '{name}.trn'. This is an informational message only. No user action is required."));
        Ok(format!("Backup file: '{done}'."))
    }

    pub(super) async fn ship_copy(&self, instance: usize, id: Uuid) -> Result<String, SqlMessage> {
        let who = Who { instance, account: Account::Agent };
        let failed = |path: &str, error: OsError| {
            SqlMessage::new(
                0,
                16,
                1,
                format!("*** Error: Access to the path '{path}' failed: {}(mscorlib) ***", error.text()),
            )
        };
        let row = {
            let world = self.world();
            let row = world.instances[instance].shipping.secondaries.iter().find(|s| s.id == id).cloned();
            row.ok_or_else(|| Self::gone(id, 1, "copy"))?
        };
        let last = row.last_copied.as_ref().map(|(f, _)| file_name(f)).unwrap_or_default();
        let names = self.list_log_backups(who, &row.source_directory, &row.primary_database);
        let names = match names {
            Ok(names) => names,
            Err(error) => {
                let error = failed(&row.source_directory, error);
                self.ship_note(instance, id, 1, "", 3, &error.message);
                return Err(error);
            }
        };
        let mut count = 0;
        for name in names.into_iter().filter(|n| n.to_lowercase() > last.to_lowercase()) {
            let source = format!("{}\\{name}", row.source_directory);
            let target = format!("{}\\{name}", row.destination_directory);
            let (from, to) = {
                let world = self.world();
                let from = world.resolve(who, &source, false).map_err(|e| failed(&source, e))?;
                let to = world.resolve(who, &target, true).map_err(|e| failed(&target, e))?;
                (from, to)
            };
            if !to.exists() {
                let work = to.with_extension("wrk");
                self.copy_paced(&from, &work).await.map_err(|e| failed(&target, OsError::of(&e, &from)))?;
                std::fs::rename(&work, &to).map_err(|e| failed(&target, OsError::of(&e, &to)))?;
                count += 1;
            }
            let mut world = self.world();
            let at = world.clock.now();
            let Some(found) = world.instances[instance].shipping.secondaries.iter_mut().find(|s| s.id == id) else {
                return Err(Self::gone(id, 1, "copy"));
            };
            let last = Some((target.clone(), at));
            found.last_copied.clone_from(&last);
            let monitor = world.find_instance(&row.monitor_server).filter(|m| world.runs(*m));
            for side in [Some(instance), monitor].into_iter().flatten() {
                for monitored in &mut world.instances[side].shipping.monitor_secondaries {
                    if monitored.secondary_id == id {
                        monitored.last_copied.clone_from(&last);
                    }
                }
            }
            let on = world.instances[instance].name.clone();
            world.effect(&on, "file_copied", target, "log shipping copy");
        }
        self.ship_note(
            instance,
            id,
            1,
            "",
            2,
            &format!("The copy operation was successful. The number of files copied: {count}"),
        );
        Ok(format!("Number of log backup files copied: {count}."))
    }

    async fn copy_paced(&self, from: &PathBuf, to: &PathBuf) -> std::io::Result<()> {
        use std::io::{Read, Write};
        let rate = (self.world().rates.copy_mib_per_second * 1024.0 * 1024.0) as u64;
        let mut source = std::fs::File::open(from)?;
        let mut target = std::fs::File::create(to)?;
        let mut buffer = vec![0u8; if rate > 0 { (rate / 50).clamp(4096, 1 << 20) as usize } else { 1 << 20 }];
        let started = std::time::Instant::now();
        let mut done = 0u64;
        loop {
            let got = source.read(&mut buffer)?;
            if got == 0 {
                return target.flush();
            }
            target.write_all(&buffer[..got])?;
            done += got as u64;
            if rate > 0 {
                let due = Duration::from_secs_f64(done as f64 / rate as f64);
                if let Some(wait) = due.checked_sub(started.elapsed()) {
                    tokio::time::sleep(wait).await;
                }
            } else {
                tokio::task::yield_now().await;
            }
        }
    }

    /// Names of log backups of `database` in a folder, in name order.
    fn list_log_backups(&self, who: Who, folder: &str, database: &str) -> Result<Vec<String>, OsError> {
        let real = self.world().resolve(who, folder, false)?;
        let entries = std::fs::read_dir(&real).map_err(|e| OsError::of(&e, &real))?;
        let prefix = format!("{}_", database.to_lowercase());
        let mut names: Vec<String> = entries
            .flatten()
            .map(|e| e.file_name().to_string_lossy().into_owned())
            .filter(|n| {
                let lower = n.to_lowercase();
                let stamp = lower.strip_prefix(&prefix).and_then(|r| r.strip_suffix(".trn"));
                stamp.is_some_and(|s| s.len() == 14 && s.bytes().all(|b| b.is_ascii_digit()))
            })
            .collect();
        names.sort_by_key(|n| n.to_lowercase());
        Ok(names)
    }

    pub(super) async fn ship_restore(&self, instance: usize, id: Uuid) -> Result<String, SqlMessage> {
        let (row, databases) = {
            let world = self.world();
            let shipping = &world.instances[instance].shipping;
            let row = shipping.secondaries.iter().find(|s| s.id == id).cloned();
            let row = row.ok_or_else(|| Self::gone(id, 2, "restore"))?;
            let databases: Vec<_> =
                shipping.secondary_databases.iter().filter(|d| d.secondary_id == id).cloned().collect();
            (row, databases)
        };
        let mut restored = 0;
        for database in databases {
            let who = Who { instance, account: Account::Agent };
            let names = self.list_log_backups(who, &row.destination_directory, &row.primary_database).map_err(|e| {
                SqlMessage::new(0, 16, 1, format!("*** Error: '{}': {} ***", row.destination_directory, e.text()))
            })?;
            let last = database.last_restored.as_ref().map(|(f, _)| file_name(f)).unwrap_or_default();
            let client = self.agent_client(instance, "SQLAgent - Log Shipping Restore");
            let mut connection = super::connection::Connection::open(self, instance, "master", client)?;
            let quoted = database.database.replace(']', "]]");
            let ripe = self.clock().now() - chrono::Duration::minutes(database.restore_delay.into());
            let mut queue: Vec<String> = names
                .iter()
                .filter(|n| n.to_lowercase() > last.to_lowercase())
                .filter(|n| stamp_of(n).is_none_or(|at| at <= ripe))
                .cloned()
                .collect();
            if database.disconnect_users && database.standby {
                let mut out = Collected::default();
                let text = format!("ALTER DATABASE [{quoted}] SET SINGLE_USER WITH ROLLBACK IMMEDIATE");
                connection.batch(&text, &mut out).await;
            }
            for name in queue.drain(..) {
                let path = format!("{}\\{name}", row.destination_directory);
                let mode = if database.standby {
                    let undo = format!("{}\\{}.tuf", row.destination_directory, name.trim_end_matches(".trn"));
                    format!("STANDBY = N'{}'", undo.replace('\'', "''"))
                } else {
                    "NORECOVERY".into()
                };
                let mut out = Collected::default();
                let text = format!("RESTORE LOG [{quoted}] FROM DISK = N'{}' WITH {mode}", path.replace('\'', "''"));
                connection.batch(&text, &mut out).await;
                match out.first_error() {
                    // Already applied: the next file is tried.
                    Some(error) if error.number == 4326 => continue,
                    Some(error) => {
                        let error = error.clone();
                        let text = format!("*** Error: Could not apply log backup file '{path}' to secondary database '{}'.(Microsoft.SqlServer.Management.LogShipping) *** *** Error: {}(.Net SqlClient Data Provider) ***", database.database, error.message);
                        self.ship_note(instance, id, 2, &database.database, 3, &text);
                        return Err(SqlMessage { message: text, ..error });
                    }
                    None => {}
                }
                restored += 1;
                self.restored_file(instance, id, &database.database, &path, &row.monitor_server);
                if !database.restore_all {
                    break;
                }
            }
            if database.disconnect_users && database.standby {
                let mut out = Collected::default();
                connection.batch(&format!("ALTER DATABASE [{quoted}] SET MULTI_USER"), &mut out).await;
            }
            self.drop_old_files(who, &row.destination_directory, &row.primary_database, row.retention_minutes);
            let text = if restored == 0 {
                format!(
                    "Could not find a log backup file that could be applied to secondary database '{}'.",
                    database.database
                )
            } else {
                format!("The restore operation was successful. Secondary Database: '{}', Number of log backup files restored: {restored}", database.database)
            };
            self.ship_note(instance, id, 2, &database.database, 2, &text);
        }
        Ok(format!("Number of log backup files restored: {restored}."))
    }

    /// Deletes log backups whose names say that they are older than the retention period.
    fn drop_old_files(&self, who: Who, folder: &str, database: &str, minutes: i32) {
        let oldest = self.clock().now() - chrono::Duration::minutes(minutes.max(0).into());
        let Ok(names) = self.list_log_backups(who, folder, database) else { return };
        for name in names.iter().filter(|n| stamp_of(n).is_some_and(|at| at < oldest)) {
            let path = format!("{folder}\\{name}");
            let mut world = self.world();
            let deleted = world.resolve(who, &path, true).is_ok_and(|real| std::fs::remove_file(real).is_ok());
            if deleted {
                let on = world.instances[who.instance].name.clone();
                world.effect(&on, "file_expired", path, "log shipping");
            }
        }
    }

    fn restored_file(&self, instance: usize, id: Uuid, database: &str, path: &str, monitor: &str) {
        let mut world = self.world();
        let at = world.clock.now();
        let last = Some((path.to_owned(), at));
        for row in &mut world.instances[instance].shipping.secondary_databases {
            if row.secondary_id == id && row.database == database {
                row.last_restored.clone_from(&last);
            }
        }
        let monitor = world.find_instance(monitor).filter(|m| world.runs(*m));
        for side in [Some(instance), monitor].into_iter().flatten() {
            for row in &mut world.instances[side].shipping.monitor_secondaries {
                if row.secondary_id == id && row.database == database {
                    row.last_restored.clone_from(&last);
                    row.last_restored_latency = Some(0);
                }
            }
        }
    }
}

/// The time in a log backup's name, UTC.
fn stamp_of(name: &str) -> Option<chrono::DateTime<chrono::Utc>> {
    let digits = name.get(name.len().checked_sub(18)?..name.len() - 4)?;
    chrono::NaiveDateTime::parse_from_str(digits, "%Y%m%d%H%M%S").ok().map(|at| at.and_utc())
}

fn file_name(path: &str) -> String {
    path.rsplit('\\').next().unwrap_or(path).to_owned()
}
