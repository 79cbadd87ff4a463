//! A data centre whose instances were built anew.

use super::agent::Agent;
use super::history::History;
use super::lsn::Lsn;
use super::model::{Database, Fork, World};
use super::shipping::ShippingTables;

impl World {
    /// The instances of a site lose everything and get the empty databases that the topology's installer creates.
    /// Where a topology has a mirror, that instance stays empty.
    pub(super) fn rebuild_site(&mut self, site: &str) {
        for index in 0..self.instances.len() {
            if self.hosts[self.instances[index].host].site != site {
                continue;
            }
            let inst = &mut self.instances[index];
            inst.databases.retain(|d| d.system);
            inst.agent = Agent::default();
            inst.shipping = ShippingTables::default();
            inst.history = History::default();
            if inst.role == crate::scenario::InstanceRole::Primary {
                let chat = self.chat_database.clone();
                self.empty_database(index, &chat, true);
                if let Some(compliance) = self.compliance.database.clone() {
                    self.empty_database(index, &compliance, false);
                }
            }
            let on = self.instances[index].name.clone();
            self.effect(&on, "instance_rebuilt", "", "lab");
        }
    }

    fn empty_database(&mut self, instance: usize, name: &str, chat: bool) {
        let taken: Vec<u16> = self.instances[instance].databases.iter().map(|d| d.id).collect();
        let id = (5..).find(|id| !taken.contains(id)).unwrap_or(5);
        let mut database = Database::blank(id, name, "sa", self.local_now(), self.instances[instance].version);
        database.family = self.random.guid();
        database.guid = self.random.guid();
        database.collation.clone_from(&self.instances[instance].collation);
        database.forks = vec![Fork { id: self.random.guid(), start: Lsn::default() }];
        database.log_end = Lsn::new(34, 100, 1);
        database.log_backup_start = database.log_end;
        database.chat = chat;
        database.files = self.new_files(instance, name, 8 << 20);
        self.place_files(instance, &database.files);
        self.instances[instance].databases.push(database);
    }
}
