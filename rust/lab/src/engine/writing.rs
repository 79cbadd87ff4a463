//! Messages that are written while a database serves users, and the limit of its log.

use super::error::SqlMessage;
use super::model::{Model, Record, World};
use super::Engine;
use crate::faults::Fault;
use crate::scenario::InstanceRole;
use std::time::Duration;

/// Log that one message takes.
const MESSAGE_LOG_BYTES: u64 = 512;

impl World {
    /// Writes the next message into a database; returns its number.
    ///
    /// # Errors
    /// 9002 when the log of a FULL database is full; the state's error when it is not online for writing.
    pub fn write_message(&mut self, instance: usize, database: &str) -> Result<u64, SqlMessage> {
        let limit = self.faults.iter().find_map(|f| match f {
            Fault::LogLimit { instance: on, database: name, bytes }
                if self.find_instance(on) == Some(instance) && name.eq_ignore_ascii_case(database) =>
            {
                Some(*bytes)
            }
            _ => None,
        });
        let next = self.newest_message + 1;
        let Some(found) = self.database_mut(instance, database) else {
            return Err(super::messages::no_such_database(database));
        };
        if let Some(closed) = super::session::closed_state(found) {
            return Err(closed);
        }
        if found.read_only {
            let text = format!("Failed to update database \"{database}\" because the database is read-only.");
            return Err(SqlMessage::new(3906, 16, 1, text));
        }
        if limit.is_some_and(|l| found.model != Model::Simple && found.log_used_bytes + MESSAGE_LOG_BYTES > l) {
            let text = format!("The transaction log for database '{database}' is full due to 'LOG_BACKUP'.");
            return Err(SqlMessage::new(9002, 17, 2, text));
        }
        let record = Record { lsn: found.log_end, message: next };
        found.records.push(record);
        found.log_end = found.log_end.advance(1);
        found.log_used_bytes += MESSAGE_LOG_BYTES;
        let (log_end, partner) = (found.log_end, found.mirroring.clone());
        self.newest_message = next;
        if let Some(mirroring) = partner.filter(|m| m.principal) {
            let (state, _) = self.mirroring_state(&mirroring, database);
            if state == 4 {
                if let Some(copy) = self.database_mut(mirroring.partner, database) {
                    copy.records.push(record);
                    copy.log_end = log_end;
                }
            }
        }
        Ok(next)
    }
}

impl Engine {
    /// Writes `count` messages into a database; returns the number of the last one.
    ///
    /// # Errors
    /// As [`World::write_message`], for the first that does not go through.
    pub fn write_messages(&self, instance: &str, database: &str, count: u32) -> Result<u64, SqlMessage> {
        let mut world = self.world();
        let Some(index) = world.find_instance(instance) else {
            return Err(SqlMessage::new(53, 20, 1, format!("there is no instance {instance}")));
        };
        let mut last = world.newest_message;
        for _ in 0..count {
            last = world.write_message(index, database)?;
        }
        Ok(last)
    }

    /// Writes messages at the scenario's rate wherever the chat database serves somebody.
    pub(super) async fn run_writers(self) {
        let mut due = 0.0f64;
        let mut before = self.clock().now();
        loop {
            {
                let mut world = self.world();
                let now = world.clock.now();
                due += (now - before).num_milliseconds() as f64 / 1000.0 * world.messages_per_second;
                before = now;
                let database = world.chat_database.clone();
                let count = (due.floor() as u32).min(1000);
                due -= f64::from(count);
                for _ in 0..count {
                    let writer = (0..world.instances.len()).find(|i| world.is_written(*i, &database));
                    if let Some(writer) = writer {
                        // A full log refuses messages: nobody has sent them, so nothing is lost.
                        let _ = world.write_message(writer, &database);
                    }
                }
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(20)) => {}
                () = self.0.stopping.wait() => return,
            }
        }
    }
}

impl World {
    fn is_written(&self, instance: usize, database: &str) -> bool {
        let inst = &self.instances[instance];
        let Some(found) = inst.database(database).filter(|d| d.is_recovered() && !d.is_mirror_copy()) else {
            return false;
        };
        let home = matches!(inst.role, InstanceRole::Primary | InstanceRole::PrimaryMirror);
        let served = inst.sessions.values().any(|s| s.database == found.id && s.client.program.contains("Chat"));
        self.runs(instance) && (home || served)
    }
}
