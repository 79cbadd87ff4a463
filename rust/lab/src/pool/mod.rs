//! The simulated Lync side: a Persistent Chat pool whose servers connect to the chat database, the store that holds its
//! state and active list, the mirrors that its native commands set up, and the commands themselves.
//!
//! - [`settings`]: what a scenario says about it.
//! - [`outside`]: what it needs from the engine, as one narrow trait.
//! - [`cms`]: the Central Management store and its replicas.
//! - [`services`]: Windows services and their sessions.
//! - [`mirror`]: setting up, removing and swapping mirrors.
//! - [`backup_service`]: modules and their states.
//! - [`content`]: meeting content, which the states are about.
//! - [`native`]: the `*-Cs*` commands, one door for PowerShell stand-ins and drills alike.

pub mod backup_service;
pub mod cms;
pub mod content;
pub mod mirror;
pub mod native;
pub mod outside;
pub mod services;
pub mod settings;

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{json, Value};

use backup_service::BackupService;
use cms::{ChatConfiguration, Cms};
use outside::Outside;
use services::{Service, ServiceKind};
use settings::{PoolFault, PoolFaultName, PoolSettings, PoolState};

/// A machine of the Lync side: a Persistent Chat server or a Front End.
#[derive(Debug, Clone)]
pub struct Server {
    pub fqdn: String,
    pub site: String,
    pub alive: bool,
    pub services: Vec<Service>,
}

impl Server {
    fn service_mut(&mut self, kind: ServiceKind) -> Option<&mut Service> {
        self.services.iter_mut().find(|s| s.kind == kind)
    }
}

/// Everything that changes, under one lock.
#[derive(Debug)]
pub struct PoolInner {
    pub settings: PoolSettings,
    pub cms: Cms,
    pub cms_master: String,
    /// Persistent Chat servers, in the order of the topology.
    pub servers: Vec<Server>,
    pub front_ends: Vec<Server>,
    pub backup_service: BackupService,
    pub faults: Vec<PoolFault>,
    /// Front End pools that were failed over.
    pub pools_failed_over: Vec<String>,
    calls: Vec<Value>,
}

/// The simulated Lync side of one lab.
pub struct Pool {
    outside: Arc<dyn Outside>,
    inner: Mutex<PoolInner>,
    closed: AtomicBool,
}

impl Pool {
    /// Builds the pool and starts its services. Needs a Tokio runtime.
    pub fn start(settings: PoolSettings, outside: Arc<dyn Outside>) -> Arc<Pool> {
        let now = outside.now_utc();
        let mut names = vec![
            (ServiceKind::Channel, settings.services.channel_name.clone()),
            (ServiceKind::Compliance, settings.services.compliance_name.clone()),
        ];
        if settings.compliance_database.is_none() {
            names.pop();
        }
        let servers: Vec<Server> = settings
            .servers
            .iter()
            .map(|s| Server {
                fqdn: s.fqdn.clone(),
                site: s.site.clone(),
                alive: true,
                services: names.iter().map(|(kind, name)| Service::new(*kind, name)).collect(),
            })
            .collect();
        let front_ends: Vec<Server> = settings
            .front_end_pools
            .iter()
            .flat_map(|pool| {
                pool.servers.iter().map(|fqdn| Server {
                    fqdn: fqdn.clone(),
                    site: pool.site.clone(),
                    alive: true,
                    services: vec![Service::new(ServiceKind::Backup, "LYNCBACKUP")],
                })
            })
            .collect();
        let active = settings.servers.iter().filter(|s| s.active).map(|s| s.fqdn.clone()).collect();
        let cms = Cms::new(
            settings.replication.clone(),
            ChatConfiguration { state: settings.state, active },
            servers.iter().chain(&front_ends).map(|s| s.fqdn.clone()),
            now,
        );
        let pool = Arc::new(Pool {
            outside,
            inner: Mutex::new(PoolInner {
                cms,
                cms_master: settings.cms.master.clone(),
                servers,
                front_ends,
                backup_service: BackupService::new(&settings),
                faults: settings.faults.clone(),
                pools_failed_over: Vec::new(),
                calls: Vec::new(),
                settings,
            }),
            closed: AtomicBool::new(false),
        });
        pool.start_services();
        pool
    }

    /// Ends the services' loops and closes their sessions.
    pub fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        let mut inner = self.lock();
        for service in inner.servers.iter_mut().flat_map(|s| &mut s.services) {
            if let Some(session) = service.reset() {
                self.outside.close_session(session);
            }
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    fn lock(&self) -> MutexGuard<'_, PoolInner> {
        self.inner.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn settle(&self, inner: &mut PoolInner) {
        let stalled = inner.fault(PoolFaultName::ReplicationStalled, None)
            || inner.fault(PoolFaultName::CmsDown, None)
            || !inner.cms_master_alive();
        inner.cms.settle(self.outside.now_utc(), stalled);
    }

    /// Waits until the lab's clock has moved on by `milliseconds`.
    pub async fn lab_sleep(&self, milliseconds: u64) {
        let until = self.outside.now_utc() + chrono::Duration::milliseconds(milliseconds as i64);
        while self.outside.now_utc() < until && !self.is_closed() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The machines of a data centre die, or come back.
    pub fn set_site_alive(&self, site: &str, alive: bool) {
        self.set_alive(|server| server.site == site, alive);
    }

    /// One machine, by FQDN or short name, dies or comes back.
    pub fn set_host_alive(&self, host: &str, alive: bool) {
        self.set_alive(|server| same_host(&server.fqdn, host), alive);
    }

    fn set_alive(&self, meant: impl Fn(&Server) -> bool, alive: bool) {
        let now = self.outside.now_utc();
        let mut guard = self.lock();
        let inner = &mut *guard;
        for server in inner.servers.iter_mut().chain(&mut inner.front_ends) {
            if !meant(server) || server.alive == alive {
                continue;
            }
            server.alive = alive;
            inner.cms.set_alive(&server.fqdn, alive, now);
            for service in &mut server.services {
                service.running = alive;
                if let Some(session) = service.reset() {
                    self.outside.close_session(session);
                }
            }
        }
    }

    /// Switches a fault on or off.
    pub fn set_fault(&self, fault: PoolFault, on: bool) {
        let mut inner = self.lock();
        inner.faults.retain(|f| *f != fault && (on || f.name != fault.name || fault.command.is_some()));
        if on {
            inner.faults.push(fault);
        }
    }

    /// Native commands called so far: name, parameters, outcome.
    pub fn calls(&self) -> Vec<Value> {
        self.lock().calls.clone()
    }

    /// Whether users are in, and through which servers; for each other server why not.
    pub fn users(&self) -> Value {
        let mut inner = self.lock();
        self.settle(&mut inner);
        let store = inner.cms.configuration().clone();
        let database = inner.settings.chat_database.clone();
        let mut serving = Vec::new();
        let mut out = serde_json::Map::new();
        for server in &inner.servers {
            match self.why_out(&inner, server, &store, &database) {
                None => serving.push(Value::String(server.fqdn.clone())),
                Some(reason) => {
                    out.insert(server.fqdn.clone(), Value::String(reason));
                }
            }
        }
        json!({ "in": !serving.is_empty(), "serving": serving, "out": out })
    }

    /// Instances through which users are served now.
    pub fn serving_instances(&self) -> Vec<String> {
        let mut inner = self.lock();
        self.settle(&mut inner);
        let store = inner.cms.configuration().clone();
        let database = inner.settings.chat_database.clone();
        let mut found: Vec<String> = inner
            .servers
            .iter()
            .filter(|server| self.why_out(&inner, server, &store, &database).is_none())
            .filter_map(|server| server.services.iter().find(|s| s.kind == ServiceKind::Channel)?.instance.clone())
            .collect();
        found.sort();
        found.dedup();
        found
    }

    fn why_out(&self, inner: &PoolInner, server: &Server, store: &ChatConfiguration, database: &str) -> Option<String> {
        if !server.alive {
            return Some("the server is dead".into());
        }
        let replica = &inner.cms.replica(&server.fqdn)?.configuration;
        if !replica.active.iter().any(|a| a.eq_ignore_ascii_case(&server.fqdn)) {
            return Some("not on the active list that this server knows".into());
        }
        if replica.state != store.state {
            return Some(format!("it still knows the pool as {}", replica.state.word()));
        }
        let channel = server.services.iter().find(|s| s.kind == ServiceKind::Channel)?;
        if !channel.running {
            return Some("its channel service does not run".into());
        }
        let (primary, mirror) = services::store_pair(inner, replica.state);
        let right = |i: &String| primary.iter().chain(&mirror).any(|s| s.instance.eq_ignore_ascii_case(i));
        let connected = channel.session.is_some_and(|s| self.outside.session_is_open(s))
            && channel.instance.as_ref().is_some_and(right);
        let serves = channel.instance.as_ref().is_some_and(|i| self.outside.database(i, database).serves());
        match (connected, serves) {
            (true, true) => None,
            (true, false) => Some(format!("{database} is not online for writing")),
            (false, _) => Some(match &channel.last_refusal {
                Some(refusal) => format!("no session in {database}: {refusal}"),
                None => format!("no session in {database}"),
            }),
        }
    }

    /// What a client has to know of the Lync side.
    pub fn describe(&self) -> Value {
        let inner = self.lock();
        json!({
            "pool_fqdn": inner.settings.pool_fqdn,
            "dialect": inner.settings.dialect,
            "servers": inner.servers.iter().map(|s| json!({ "fqdn": s.fqdn, "site": s.site })).collect::<Vec<_>>(),
            "stores": inner.settings.stores,
            "front_end_pools": inner.settings.front_end_pools,
        })
    }

    /// The Lync side as JSON, for the control door.
    pub fn snapshot(&self) -> Value {
        let users = self.users();
        let now: DateTime<Utc> = self.outside.now_utc();
        let inner = self.lock();
        let machines = |servers: &[Server]| -> Vec<Value> {
            servers
                .iter()
                .map(|server| {
                    let services: Vec<Value> = server
                        .services
                        .iter()
                        .map(|s| {
                            let open = s.session.is_some_and(|id| self.outside.session_is_open(id));
                            json!({ "name": s.name, "running": s.running, "connected_to": s.instance.as_ref().filter(|_| open) })
                        })
                        .collect();
                    json!({ "fqdn": server.fqdn, "site": server.site, "alive": server.alive, "services": services })
                })
                .collect()
        };
        let replicas: Vec<Value> = inner
            .cms
            .status(now)
            .iter()
            .map(|r| json!({ "fqdn": r.fqdn, "up_to_date": r.up_to_date, "last_update_creation": r.last_update_creation }))
            .collect();
        json!({
            "pool_fqdn": inner.settings.pool_fqdn,
            "dialect": inner.settings.dialect,
            "pool_state": inner.cms.configuration().state.word(),
            "active_servers": inner.cms.configuration().active,
            "inactive_servers": inner.inactive_servers(),
            "servers": machines(&inner.servers),
            "front_ends": machines(&inner.front_ends),
            "replicas": replicas,
            "cms_available": inner.cms_available(),
            "faults": inner.faults,
            "users": users,
            "conference_content": inner.backup_service.content(now),
        })
    }

    /// The pool state in the store.
    pub fn state(&self) -> PoolState {
        self.lock().cms.configuration().state
    }
}

impl PoolInner {
    /// Whether a fault is on, for this command or for all.
    pub fn fault(&self, name: PoolFaultName, command: Option<&str>) -> bool {
        self.faults.iter().any(|fault| {
            fault.name == name
                && match (&fault.command, command) {
                    (None, _) => true,
                    (Some(meant), Some(command)) => meant.eq_ignore_ascii_case(command),
                    (Some(_), None) => false,
                }
        })
    }

    fn cms_master_alive(&self) -> bool {
        self.front_ends.iter().find(|f| f.fqdn.eq_ignore_ascii_case(&self.cms_master)).is_none_or(|f| f.alive)
    }

    /// Whether the Central Management store answers.
    pub fn cms_available(&self) -> bool {
        self.cms_master_alive() && !self.fault(PoolFaultName::CmsDown, None)
    }

    /// Servers of the pool that are not on the active list.
    pub fn inactive_servers(&self) -> Vec<String> {
        let active = &self.cms.configuration().active;
        self.servers
            .iter()
            .filter(|s| !active.iter().any(|a| a.eq_ignore_ascii_case(&s.fqdn)))
            .map(|s| s.fqdn.clone())
            .collect()
    }

    /// The machine of this FQDN or short name.
    pub fn machine(&self, name: &str) -> Option<&Server> {
        self.servers.iter().chain(&self.front_ends).find(|s| same_host(&s.fqdn, name))
    }

    /// The machine of this FQDN or short name.
    pub fn machine_mut(&mut self, name: &str) -> Option<&mut Server> {
        self.servers.iter_mut().chain(&mut self.front_ends).find(|s| same_host(&s.fqdn, name))
    }
}

/// Whether `name` is the FQDN or the short name of `fqdn`.
pub fn same_host(fqdn: &str, name: &str) -> bool {
    fqdn.eq_ignore_ascii_case(name)
        || !name.contains('.') && fqdn.split('.').next().is_some_and(|short| short.eq_ignore_ascii_case(name))
}
