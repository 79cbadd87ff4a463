//! The Windows services of the Persistent Chat servers. Each running channel service holds a session in the chat database,
//! each compliance service one in the compliance database, and both come back by themselves when they are thrown out.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::outside::{SessionId, Visitor};
use super::settings::{PoolState, Store};
use super::{Pool, PoolInner};

/// What a service does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceKind {
    Channel,
    Compliance,
    /// The backup service on a Front End; it has no session of its own here.
    Backup,
}

/// A Windows service on one machine.
#[derive(Debug, Clone)]
pub struct Service {
    pub kind: ServiceKind,
    /// Service name, as `Stop-CsWindowsService -Name` takes it.
    pub name: String,
    pub running: bool,
    pub session: Option<SessionId>,
    /// Instance that the session is on.
    pub instance: Option<String>,
    /// Pool state and partner the service read when it (re)read its configuration.
    known: Option<Known>,
    /// It has been on the active list since it started.
    was_active: bool,
    /// Why the last attempt to connect failed.
    pub last_refusal: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    state: PoolState,
    /// The mirror to try when the principal does not answer; known only when the mirror stood at that time.
    partner: Option<String>,
}

impl Service {
    pub fn new(kind: ServiceKind, name: &str) -> Self {
        Service {
            kind,
            name: name.into(),
            running: true,
            session: None,
            instance: None,
            known: None,
            was_active: false,
            last_refusal: None,
        }
    }

    /// Forgets what it knew, as a stop does. Returns the session to close.
    pub fn reset(&mut self) -> Option<SessionId> {
        self.known = None;
        self.was_active = false;
        self.instance = None;
        self.session.take()
    }
}

/// The pair of stores that a pool state selects.
pub(super) fn store_pair(inner: &PoolInner, state: PoolState) -> (Option<Store>, Option<Store>) {
    let stores = &inner.settings.stores;
    match state {
        PoolState::Normal => (Some(stores.primary.clone()), stores.primary_mirror.clone()),
        PoolState::FailedOver => (stores.backup.clone(), stores.backup_mirror.clone()),
    }
}

impl Pool {
    /// Starts the loops that keep the services connected; they end with the pool.
    pub(super) fn start_services(self: &Arc<Self>) {
        let (servers, pause) = {
            let inner = self.lock();
            (inner.servers.len(), inner.settings.services.reconnect_milliseconds.max(5))
        };
        for server in 0..servers {
            for kind in [ServiceKind::Channel, ServiceKind::Compliance] {
                let pool: Weak<Pool> = Arc::downgrade(self);
                tokio::spawn(async move {
                    loop {
                        let Some(pool) = pool.upgrade() else { return };
                        if pool.is_closed() {
                            return;
                        }
                        pool.tend(server, kind).await;
                        drop(pool);
                        tokio::time::sleep(Duration::from_millis(pause)).await;
                    }
                });
            }
        }
    }

    /// One look of a service at its session: open one where there should be one, drop one where there should be none.
    async fn tend(&self, server: usize, kind: ServiceKind) {
        let Some((visitor, database, candidates)) = self.wanted_session(server, kind) else { return };
        for instance in candidates {
            let outcome = self.outside.open_session(&visitor, &instance, &database).await;
            let mut inner = self.lock();
            let still_wanted = inner.servers[server].alive;
            let Some(service) = inner.servers[server].service_mut(kind) else { return };
            match outcome {
                Ok(session) if service.running && still_wanted && service.session.is_none() => {
                    service.session = Some(session);
                    service.instance = Some(instance);
                    service.last_refusal = None;
                    return;
                }
                Ok(session) => {
                    drop(inner);
                    self.outside.close_session(session);
                    return;
                }
                Err(refusal) => service.last_refusal = Some(refusal),
            }
        }
    }

    /// Who should connect to which database on which instances, or nothing when all is as it should be.
    fn wanted_session(&self, server: usize, kind: ServiceKind) -> Option<(Visitor, String, Vec<String>)> {
        let mut inner = self.lock();
        self.settle(&mut inner);
        let database = match kind {
            ServiceKind::Channel => inner.settings.chat_database.clone(),
            ServiceKind::Compliance => inner.settings.compliance_database.clone()?,
            ServiceKind::Backup => return None,
        };
        let fqdn = inner.servers[server].fqdn.clone();
        let replica = inner.cms.replica(&fqdn)?.configuration.clone();
        let listed = replica.active.iter().any(|a| a.eq_ignore_ascii_case(&fqdn));
        let (principal, mirror) = store_pair(&inner, replica.state);
        let rules = inner.settings.services.clone();
        let principal = principal?;
        let partner = mirror.filter(|m| {
            [&principal.instance, &m.instance].iter().any(|i| self.outside.database(i, &database).mirroring.is_some())
        });

        let alive = inner.servers[server].alive;
        let service = inner.servers[server].service_mut(kind)?;
        service.was_active |= listed;
        let stays = service.was_active && !rules.delisted_servers_disconnect;
        let wanted = alive && service.running && (listed || stays || rules.inactive_servers_connect);
        if service.known.as_ref().map(|k| k.state) != Some(replica.state) {
            service.known = Some(Known { state: replica.state, partner: partner.map(|p| p.instance) });
            if let Some(session) = service.session.take() {
                self.outside.close_session(session);
            }
        }
        if let Some(session) = service.session {
            let open = self.outside.session_is_open(session);
            if !wanted && open {
                self.outside.close_session(session);
            }
            if wanted && open {
                return None;
            }
            service.session = None;
            service.instance = None;
        }
        if !wanted {
            return None;
        }
        let mut candidates = vec![principal.instance];
        candidates.extend(service.known.as_ref().and_then(|k| k.partner.clone()));
        let short = fqdn.split('.').next().unwrap_or(&fqdn).to_uppercase();
        let visitor = Visitor {
            login: format!("CONTOSO\\{short}$"),
            program: match kind {
                ServiceKind::Compliance => "Persistent Chat Compliance".into(),
                _ => "Persistent Chat".into(),
            },
            host: short,
        };
        Some((visitor, database, candidates))
    }
}
