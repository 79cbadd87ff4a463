//! A handful of instances in memory, just enough to try the Lync side without the engine.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use chrono::{DateTime, Duration, Utc};
use serde_json::{json, Value};

use super::outside::{DatabaseCommand, DatabaseSeen, MirroringSeen, Outside, SessionId, Visitor};
use super::settings::PoolSettings;
use super::Pool;

#[derive(Default)]
struct State {
    now: Option<DateTime<Utc>>,
    databases: HashMap<(String, String), DatabaseSeen>,
    sessions: HashMap<u64, (String, String, String)>,
    next_session: u64,
    commands: Vec<String>,
    refuse: Option<String>,
    lost_shares: Vec<String>,
    effects: Vec<Value>,
}

/// The stand-in for the engine.
pub struct Fake(Mutex<State>);

impl Fake {
    pub fn new() -> Arc<Fake> {
        let fake = Fake(Mutex::default());
        {
            let mut state = fake.state();
            state.now = Some("2026-03-14T09:00:00Z".parse().unwrap());
            for database in ["mgc", "mgccomp"] {
                let mirrored = |principal| Some(MirroringSeen { principal, state: "SYNCHRONIZED".into() });
                state.put("P\\RTC", database, "ONLINE", mirrored(true));
                state.put("PM\\RTC", database, "RESTORING", mirrored(false));
            }
            state.put("B\\RTC", "mgc", "RESTORING", None);
            state.put("B\\RTC", "mgccomp", "ONLINE", None);
        }
        Arc::new(fake)
    }

    /// A pool on these instances.
    pub fn pool(self: &Arc<Self>, settings: PoolSettings) -> Arc<Pool> {
        Pool::start(settings, self.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub fn advance(&self, milliseconds: i64) {
        let mut state = self.state();
        state.now = state.now.map(|n| n + Duration::milliseconds(milliseconds));
    }

    pub fn set_state(&self, instance: &str, database: &str, word: &str) {
        self.state().put(instance, database, word, None);
    }

    /// The home site's instances stop answering.
    pub fn lose_home(&self) {
        let mut state = self.state();
        for ((instance, _), seen) in &mut state.databases {
            if instance.starts_with('P') {
                *seen = DatabaseSeen::default();
            }
        }
        state.sessions.retain(|_, (instance, _, _)| !instance.starts_with('P'));
    }

    /// Ends every session in a database.
    pub fn kill_all(&self, instance: &str, database: &str) -> usize {
        let mut state = self.state();
        let before = state.sessions.len();
        state.sessions.retain(|_, (i, d, _)| i != instance || d != database);
        before - state.sessions.len()
    }

    /// Hosts with a session in the database, sorted.
    pub fn visitors(&self, instance: &str, database: &str) -> Vec<String> {
        let state = self.state();
        let mut hosts: Vec<String> = state
            .sessions
            .values()
            .filter(|(i, d, _)| i == instance && d == database)
            .map(|(_, _, host)| host.clone())
            .collect();
        hosts.sort();
        hosts
    }

    pub fn refuse(&self, text: &str) {
        self.state().refuse = Some(text.into());
    }

    pub fn lose_share(&self, unc: &str) {
        self.state().lost_shares.push(unc.to_lowercase());
    }

    pub fn commands(&self) -> Vec<String> {
        self.state().commands.clone()
    }

    pub fn effects(&self) -> Vec<Value> {
        self.state().effects.clone()
    }
}

impl State {
    fn put(&mut self, instance: &str, database: &str, word: &str, mirroring: Option<MirroringSeen>) {
        let seen = DatabaseSeen { reachable: true, exists: true, state: word.into(), read_only: false, mirroring };
        self.databases.insert((instance.into(), database.into()), seen);
    }
}

#[async_trait]
impl Outside for Fake {
    fn now_utc(&self) -> DateTime<Utc> {
        self.state().now.unwrap()
    }

    async fn open_session(&self, who: &Visitor, instance: &str, database: &str) -> Result<SessionId, String> {
        if !self.database(instance, database).serves() {
            return Err(format!("Cannot open database \"{database}\" requested by the login."));
        }
        let mut state = self.state();
        state.next_session += 1;
        let id = state.next_session;
        state.sessions.insert(id, (instance.into(), database.into(), who.host.clone()));
        Ok(SessionId(id))
    }

    fn session_is_open(&self, session: SessionId) -> bool {
        self.state().sessions.contains_key(&session.0)
    }

    fn close_session(&self, session: SessionId) {
        self.state().sessions.remove(&session.0);
    }

    fn database(&self, instance: &str, database: &str) -> DatabaseSeen {
        let state = self.state();
        let found = state.databases.get(&(instance.to_string(), database.to_string())).cloned();
        found.unwrap_or(DatabaseSeen { reachable: true, ..DatabaseSeen::default() })
    }

    async fn command(&self, instance: &str, database: &str, command: DatabaseCommand) -> Result<(), String> {
        let text = format!("{instance}: {}", command.sql(database));
        let mut state = self.state();
        if let Some(refusal) = state.refuse.clone().filter(|r| text.contains(r.as_str())) {
            return Err(refusal);
        }
        state.commands.push(text);
        let key = (instance.to_string(), database.to_string());
        match command {
            DatabaseCommand::RestoreDatabase { .. } => state.put(instance, database, "RESTORING", None),
            DatabaseCommand::Drop => drop(state.databases.remove(&key)),
            DatabaseCommand::SetPartner { .. } => {
                let principal = state.databases[&key].state == "ONLINE";
                state.databases.get_mut(&key).unwrap().mirroring =
                    Some(MirroringSeen { principal, state: "SYNCHRONIZED".into() });
            }
            DatabaseCommand::PartnerOff => state.databases.get_mut(&key).unwrap().mirroring = None,
            DatabaseCommand::PartnerFailover => {
                for seen in state.databases.values_mut().filter(|s| s.mirroring.is_some()) {
                    let side = seen.mirroring.as_mut().unwrap();
                    side.principal = !side.principal;
                    seen.state = if side.principal { "ONLINE" } else { "RESTORING" }.into();
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn share_is_there(&self, unc: &str) -> bool {
        !self.state().lost_shares.contains(&unc.to_lowercase())
    }

    fn note_effect(&self, kind: &str, target: &str, detail: Value) {
        self.state().effects.push(json!({ "kind": kind, "target": target, "detail": detail }));
    }
}
