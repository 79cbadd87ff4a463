//! Messages that are written while users are in, and the limit of a database's log.

use super::error::SqlMessage;
use super::model::{Model, Record, World};
use super::Engine;
use crate::faults::Fault;
use crate::scenario::InstanceRole;

/// Log that one message takes.
const MESSAGE_LOG_BYTES: u64 = 512;

/// Messages that one look at the clock writes at most.
const MOST_AT_ONCE: u32 = 10_000;

impl World {
    /// Writes the next message into a database; returns its number.
    ///
    /// # Errors
    /// 9002 when the log of a FULL database is full; the state's error when it is not online for writing.
    pub fn write_message(&mut self, instance: usize, database: &str) -> Result<u64, SqlMessage> {
        let next = self.newest_message + 1;
        self.write_record(instance, database, next)?;
        self.newest_message = next;
        if database.eq_ignore_ascii_case(&self.chat_database) {
            self.compliance.note_message();
        }
        Ok(next)
    }

    /// Writes a record with this number into a database and its mirror.
    pub(super) fn write_record(&mut self, instance: usize, database: &str, number: u64) -> Result<(), SqlMessage> {
        let limit = self.faults.iter().find_map(|f| match f {
            Fault::LogLimit { instance: on, database: name, bytes }
                if self.find_instance(on) == Some(instance) && name.eq_ignore_ascii_case(database) =>
            {
                Some(*bytes)
            }
            _ => None,
        });
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
        let record = Record { lsn: found.log_end, message: number };
        found.records.push(record);
        found.log_end = found.log_end.advance(1);
        found.log_used_bytes += MESSAGE_LOG_BYTES;
        self.ship_to_mirror(instance, database, |mirror, principal| {
            mirror.records.push(record);
            mirror.follow_log(principal);
        });
        Ok(())
    }

    /// Writes what has become due since the last look, where users are served.
    pub(super) fn write_due_messages(&mut self) {
        let now = self.clock.now();
        let (share, before) = self.messages_due;
        let due = share + (now - before).num_milliseconds().max(0) as f64 / 1000.0 * self.messages_per_second;
        let count = (due.floor() as u32).min(MOST_AT_ONCE);
        self.messages_due = (due.fract(), now);
        let database = self.chat_database.clone();
        for _ in 0..count {
            let Some(writer) = self.writer() else { return };
            // A full log refuses messages: nobody has sent them, so nothing is lost.
            let _ = self.write_message(writer, &database);
        }
    }

    /// The instance that messages are written to now.
    pub(super) fn writer(&self) -> Option<usize> {
        (0..self.instances.len()).find(|i| self.is_written(*i, &self.chat_database))
    }

    fn is_written(&self, instance: usize, database: &str) -> bool {
        let inst = &self.instances[instance];
        let open = inst.database(database).is_some_and(|d| d.is_recovered() && !d.is_mirror_copy());
        let meant = match &self.served {
            Some(served) => served.contains(&instance),
            None => matches!(inst.role, InstanceRole::Primary | InstanceRole::PrimaryMirror),
        };
        self.runs(instance) && open && meant
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

    /// Tells through which instances users are served; messages are written there and nowhere else.
    pub fn serve_users_on(&self, instances: &[String]) {
        let mut world = self.world();
        let served = instances.iter().filter_map(|name| world.find_instance(name)).collect();
        world.served = Some(served);
    }
}
