//! A simulated data centre for tests and drills: SQL Server instances on loopback sockets, file shares, and a
//! Persistent Chat pool.
//!
//! - [`scenario`]: the document that a lab is built from.
//! - [`engine`]: instances, databases, log backups, jobs and log shipping; [`faults`] breaks them by name.
//! - [`pool`]: the Lync side with its native commands.
//! - [`control`]: the door through which drills and stand-ins talk to a lab.

pub mod control;
pub mod engine;
pub mod faults;
pub mod pool;
pub mod scenario;

use control::{ControlServer, LabDoor};
use engine::error::LabError;
use engine::Engine;
use pool::Pool;
use scenario::Scenario;
use serde_json::{json, Map, Value};
use std::net::SocketAddr;
use std::sync::Arc;

/// A running lab. Dropping it ends it; [`Lab::stop`] also waits for it.
pub struct Lab {
    engine: Engine,
    pool: Arc<Pool>,
    door: Arc<LabDoor>,
    control: ControlServer,
}

impl Lab {
    /// Builds and starts a lab. Call it inside a tokio runtime.
    ///
    /// # Errors
    /// `Io`, `Scenario`.
    pub async fn start(scenario: Scenario) -> Result<Lab, LabError> {
        let engine = Engine::start(&scenario).await?;
        let pool = Pool::start(scenario.pool.clone(), Arc::new(engine.clone()));
        if scenario.primary_site_lost {
            pool.set_site_alive(scenario::HOME_SITE, false);
        }
        for host in scenario.dead_hosts() {
            pool.set_host_alive(&host.fqdn, false);
        }
        tell_served(&pool, &engine);
        let door = Arc::new(LabDoor::new(Arc::new(engine.clone()), Arc::clone(&pool), Map::new()));
        let control = ControlServer::start(Arc::clone(&door) as Arc<dyn control::server::Door>).await?;
        Ok(Lab { engine, pool, door, control })
    }

    /// The instances.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The Lync side.
    pub fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// The commands of the control door.
    pub fn door(&self) -> &Arc<LabDoor> {
        &self.door
    }

    /// Where the control door listens.
    pub fn control_address(&self) -> SocketAddr {
        self.control.address()
    }

    /// Everything a client needs to know: addresses, paths, logins, instances, the control door.
    pub fn describe(&self) -> Value {
        let mut all = match self.door.describe() {
            Value::Object(members) => members,
            other => Map::from_iter([("value".to_string(), other)]),
        };
        all.insert("control".into(), json!(self.control.address().to_string()));
        Value::Object(all)
    }

    /// Ends the lab and removes its temporary folder.
    pub async fn stop(self) {
        self.pool.close();
        self.engine.stop().await;
    }
}

/// Keeps the engine informed of the instances through which users are served.
fn tell_served(pool: &Arc<Pool>, engine: &Engine) {
    engine.serve_users_on(&[]);
    let (pool, engine) = (Arc::downgrade(pool), engine.clone());
    tokio::spawn(async move {
        loop {
            let Some(pool) = pool.upgrade().filter(|p| !p.is_closed()) else { return };
            engine.serve_users_on(&pool.serving_instances());
            drop(pool);
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    });
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.pool.close();
        self.engine.stop_soon();
    }
}
