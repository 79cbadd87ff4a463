//! Compliance events: every message makes one. It waits in the servers' queues until a compliance service takes it to the
//! compliance database, and there until the adapter, which runs within the service, has processed it.

use super::model::World;
use crate::pool::settings::ComplianceSettings;
use chrono::{DateTime, Duration, Utc};
use serde::Serialize;

/// Events from this number on stand for file transfers that were never finished: the adapter leaves them.
pub const PLACEHOLDERS: u64 = 1 << 60;

/// Where the compliance events of a lab are.
#[derive(Clone, Debug, Serialize)]
pub struct Compliance {
    /// Name of the compliance database; `None` without compliance.
    pub database: Option<String>,
    pub settings: ComplianceSettings,
    /// Events made so far.
    pub made: u64,
    /// In the servers' queues.
    pub queued: Vec<u64>,
    /// Processed by the adapter, in order.
    pub processed: Vec<u64>,
    /// When the adapter runs next.
    pub next_run_utc: Option<DateTime<Utc>>,
}

impl Compliance {
    /// Nothing happened yet.
    pub fn new(database: Option<String>, settings: ComplianceSettings) -> Self {
        Compliance { database, settings, made: 0, queued: Vec::new(), processed: Vec::new(), next_run_utc: None }
    }

    /// How long ago the adapter ran; nothing where it has not run yet.
    pub fn since_last_run(&self, now: DateTime<Utc>) -> Duration {
        let period = Duration::seconds(self.settings.run_interval_seconds.max(1) as i64);
        self.next_run_utc.map_or_else(Duration::zero, |next| now - (next - period)).max(Duration::zero())
    }

    /// A message was written.
    pub fn note_message(&mut self) {
        if self.database.is_some() {
            self.made += 1;
            self.queued.push(self.made);
        }
    }
}

impl World {
    /// The instance whose compliance database a compliance service has open.
    fn collector(&self, database: &str) -> Option<usize> {
        (0..self.instances.len()).find(|index| {
            let inst = &self.instances[*index];
            let open = inst.database(database).filter(|d| d.is_recovered() && !d.is_mirror_copy());
            self.runs(*index)
                && open.is_some_and(|d| {
                    inst.sessions.values().any(|s| s.database == d.id && s.client.program.contains("Compliance"))
                })
        })
    }

    /// Takes queued events to the database, and lets the adapter run when its time has come.
    pub(super) fn tend_compliance(&mut self) {
        let Some(database) = self.compliance.database.clone() else { return };
        let Some(instance) = self.collector(&database) else { return };
        for event in std::mem::take(&mut self.compliance.queued) {
            if self.write_record(instance, &database, event).is_err() {
                self.compliance.queued.push(event);
            }
        }
        let now = self.clock.now();
        let period = Duration::seconds(self.compliance.settings.run_interval_seconds.max(1) as i64);
        match self.compliance.next_run_utc {
            None => self.compliance.next_run_utc = Some(now + period),
            Some(due) if due <= now => {
                self.compliance.next_run_utc = Some(now + period);
                self.process_events(instance, &database);
            }
            Some(_) => {}
        }
    }

    fn process_events(&mut self, instance: usize, database: &str) {
        let Some(found) = self.database_mut(instance, database) else { return };
        let stays = |number: u64| number >= PLACEHOLDERS;
        let taken: Vec<u64> = found.records.iter().map(|r| r.message).filter(|n| !stays(*n)).collect();
        if taken.is_empty() {
            return;
        }
        found.records.retain(|r| stays(r.message));
        found.log_end = found.log_end.advance(1);
        self.compliance.processed.extend(&taken);
        self.ship_to_mirror(instance, database, |mirror, principal| mirror.follow(principal));
        let on = self.instances[instance].name.clone();
        self.effect(&on, "compliance_processed", format!("{} events of {database}", taken.len()), "compliance adapter");
    }
}
