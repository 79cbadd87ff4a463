//! Simulated SQL Server instances: databases with LSNs and recovery forks, backups as real files, jobs, log shipping,
//! mirroring, sessions.
//!
//! In reading order:
//!
//! - [`Engine`]: one lab's instances; what tests, the pool and the control door use.
//! - [`model`]: all of the state, behind one lock. [`lsn`], [`clock`], [`disk`], [`session`] are its parts.
//! - [`backup_file`], [`restore_rules`], [`restore`], [`backup`]: files, and what BACKUP and RESTORE do.
//! - [`alter`], [`mirroring`]: ALTER DATABASE; a mirroring session at work.
//! - [`connection`], [`execute`]: a session that runs batches; [`procedures`] and [`catalog`] are what it can call and read.
//! - [`agent`], [`jobs`], [`shipping`], [`alerts`]: SQL Server Agent and log shipping.
//! - [`writing`], [`compliance`]: what the users' messages leave behind.
//! - [`build`]: a lab from a scenario. [`listen`]: the instances on their sockets.

pub mod agent;
pub mod alerts;
pub mod alter;
pub mod backup;
pub mod backup_file;
pub mod build;
mod build_chat;
mod build_shipping;
pub mod catalog;
pub mod clients;
pub mod clock;
pub mod commands;
pub mod compliance;
pub mod connection;
pub mod devices;
pub mod disk;
pub mod error;
pub mod execute;
mod french;
pub mod headers;
pub mod history;
pub mod jobs;
pub mod listen;
pub mod lsn;
pub mod messages;
pub mod mirroring;
mod mirroring_session;
pub mod model;
mod outside;
pub mod procedures;
mod rebuild;
pub mod recording;
mod remote_calls;
pub mod restore;
mod restore_effects;
pub mod restore_rules;
pub mod session;
pub mod shipping;
mod sqllogship;
pub mod truth;
mod upkeep;
mod wire;
pub mod writing;

use crate::scenario::Scenario;
use clock::Clock;
use connection::{Collected, Connection};
use error::{LabError, SqlMessage};
use model::{Effect, UnknownStatement, World};
use session::ClientInfo;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The instances of one lab. Clones are the same lab; it ends with [`Engine::stop`] or the last clone.
#[derive(Clone)]
pub struct Engine(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    world: Mutex<World>,
    pub clock: Arc<Clock>,
    root: Root,
    pub servers: Mutex<listen::Servers>,
    pub sessions: Mutex<HashMap<u64, Connection>>,
    pub stopping: session::Ended,
    /// Time passes from job to job: no job starts by itself.
    jobs_in_turn: AtomicBool,
}

/// The lab's folder, removed with the lab when it is a temporary one.
struct Root {
    path: PathBuf,
    temporary: bool,
}

impl Root {
    fn remove(&self) {
        // A job in its last breath may add a file while the folder is emptied.
        for _ in 0..3 {
            if !self.temporary || std::fs::remove_dir_all(&self.path).is_ok() || !self.path.exists() {
                return;
            }
        }
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        self.remove();
    }
}

impl Engine {
    /// Builds the instances of a scenario, binds their sockets, starts jobs, writers and clients.
    ///
    /// # Errors
    /// `Io`, `Scenario`.
    pub async fn start(scenario: &Scenario) -> Result<Engine, LabError> {
        let clock = Arc::new(Clock::new(&scenario.clock));
        let (path, temporary) = match &scenario.root {
            Some(path) => (path.clone(), false),
            None => (std::env::temp_dir().join(format!("pchat-lab-{}", uuid::Uuid::new_v4().simple())), true),
        };
        std::fs::create_dir_all(&path)?;
        let root = Root { path, temporary };
        let world = build::build(scenario, &root.path, Arc::clone(&clock))?;
        let engine = Engine(Arc::new(Inner {
            world: Mutex::new(world),
            clock,
            root,
            servers: Mutex::new(listen::Servers::default()),
            sessions: Mutex::new(HashMap::new()),
            stopping: session::Ended::default(),
            jobs_in_turn: AtomicBool::new(false),
        }));
        engine.listen_all().await?;
        engine.apply_scenario_losses(scenario).await;
        engine.start_background(scenario);
        Ok(engine)
    }

    /// The state, locked. Held only briefly and never across an await.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.0.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lab's clock.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Folder that holds every simulated disk.
    pub fn root(&self) -> &Path {
        &self.0.root.path
    }

    /// Every change so far, in order.
    pub fn effects(&self) -> Vec<Effect> {
        self.world().effects.clone()
    }

    /// T-SQL that was refused because the lab does not know it.
    pub fn unknown_statements(&self) -> Vec<UnknownStatement> {
        self.world().unknown.clone()
    }

    /// Notes a change of another part of the lab in the list of effects.
    pub fn note_effect(&self, instance: &str, kind: &str, detail: impl Into<String>) {
        self.world().effect(instance, kind, detail, "lab");
    }

    /// Opens a session in process, as a client with this name would over TDS, without a password.
    ///
    /// # Errors
    /// 4060 when the database cannot be entered, 18456 for an unknown login; `Unknown` when the instance is not there.
    pub fn connect(&self, instance: &str, database: &str, client: ClientInfo) -> Result<Connection, SqlMessage> {
        let index = self.world().find_instance(instance);
        let Some(index) = index else {
            return Err(SqlMessage::new(53, 20, 1, format!("there is no instance {instance}")));
        };
        Connection::open(self, index, database, client)
    }

    /// Runs T-SQL on an instance as an administrator of the lab; returns results and messages.
    ///
    /// # Errors
    /// The first error the batch raised.
    pub async fn sql(&self, instance: &str, database: &str, text: &str) -> Result<Collected, SqlMessage> {
        let client = ClientInfo {
            login: "sa".into(),
            program: "pchat-lab".into(),
            host: "LAB".into(),
            library: "in process".into(),
            ..ClientInfo::default()
        };
        let mut connection = self.connect(instance, database, client)?;
        let mut out = Collected::default();
        connection.batch(text, &mut out).await;
        match out.first_error() {
            Some(error) => Err(error.clone()),
            None => Ok(out),
        }
    }

    /// Tells jobs, writers and clients to end, without waiting for them.
    pub fn stop_soon(&self) {
        self.0.stopping.set();
    }

    /// Ends listeners, jobs and clients, and removes a temporary folder.
    pub async fn stop(&self) {
        self.0.stopping.set();
        self.0.sessions.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.close_all().await;
        self.0.root.remove();
    }
}

impl World {
    /// Notes a change.
    pub fn effect(&mut self, instance: &str, kind: &str, detail: impl Into<String>, by: &str) {
        let effect = Effect {
            sequence: self.effects.len() as u64 + 1,
            at_utc: self.clock.now(),
            instance: instance.to_owned(),
            kind: kind.to_owned(),
            detail: detail.into(),
            by: by.to_owned(),
        };
        self.effects.push(effect);
    }

    /// The servers' local time.
    pub fn local_now(&self) -> chrono::NaiveDateTime {
        self.local(self.clock.now())
    }

    /// A UTC time as the servers' local time.
    pub fn local(&self, at: chrono::DateTime<chrono::Utc>) -> chrono::NaiveDateTime {
        at.naive_utc() + chrono::Duration::minutes(self.utc_offset_minutes.into())
    }
}
