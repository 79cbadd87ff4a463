//! Clients inside the lab that connect to a database by themselves and come back whenever they are cut off.

use super::connection::Connection;
use super::session::{ClientInfo, Ended};
use super::Engine;
use std::sync::Arc;
use std::time::Duration;

/// A group of clients; they leave when this is dropped.
pub struct Clients {
    stop: Arc<Ended>,
}

impl Drop for Clients {
    fn drop(&mut self) {
        self.stop.set();
    }
}

impl Engine {
    /// Has `count` clients connect to a database, each trying again `wait` after it was refused or cut off.
    /// Every time one gets in stands in the list of [`entries`](Engine::entries).
    pub fn keep_clients(
        &self,
        instance: &str,
        database: &str,
        client: &ClientInfo,
        count: u32,
        wait: Duration,
    ) -> Clients {
        let stop = Arc::new(Ended::default());
        let index = self.world().find_instance(instance);
        let clients = Clients { stop: Arc::clone(&stop) };
        let Some(index) = index else { return clients };
        for _ in 0..count {
            let (engine, database, client, stop) =
                (self.clone(), database.to_owned(), client.clone(), Arc::clone(&stop));
            tokio::spawn(async move { engine.keep_client(index, database, client, wait, stop).await });
        }
        clients
    }

    async fn keep_client(
        self,
        instance: usize,
        database: String,
        client: ClientInfo,
        wait: Duration,
        stop: Arc<Ended>,
    ) {
        loop {
            let reached = self.world().runs(instance);
            if reached {
                if let Ok(session) = Connection::open(&self, instance, &database, client.clone()) {
                    tokio::select! {
                        () = session.wait_ended() => {}
                        () = stop.wait() => return,
                        () = self.0.stopping.wait() => return,
                    }
                }
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = stop.wait() => return,
                () = self.0.stopping.wait() => return,
            }
        }
    }

    /// Every session that a user database let in since the start.
    pub fn entries(&self) -> Vec<super::model::ClientEntry> {
        self.world().entries.clone()
    }

    pub(super) fn start_background(&self, scenario: &crate::scenario::Scenario) {
        tokio::spawn(self.clone().run_agents());
        tokio::spawn(self.clone().run_upkeep());
        let readers = &scenario.readers;
        if readers.count > 0 {
            let client = ClientInfo {
                login: "CONTOSO\\pchat".into(),
                program: "Persistent Chat reader".into(),
                host: "READERS".into(),
                ..ClientInfo::default()
            };
            let wait = Duration::from_millis(readers.reconnect_milliseconds.max(1));
            let clients = self.keep_clients(&readers.instance, &scenario.chat.database, &client, readers.count, wait);
            // They stay as long as the lab does.
            std::mem::forget(clients);
        }
    }
}
