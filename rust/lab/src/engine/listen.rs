//! The instances on their sockets: TDS for each, the browser for each host.

use super::connection::{is_french, After, Connection};
use super::error::LabError;
use super::model::Reach;
use super::procedures::{split_name, CallArgument};
use super::session::ClientInfo;
use super::wire::{convert_type, from_wire, to_wire, Wire};
use super::Engine;
use std::collections::{BTreeSet, HashMap};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, Weak};
use tds_server as tds;
use tds_server::browser::{BrowserHandle, InstanceEntry};

/// The browser's port, as in the field.
pub(super) const BROWSER_PORT: u16 = 1434;

/// Listeners of a lab.
#[derive(Default)]
pub struct Servers {
    instances: HashMap<usize, Arc<tds::ServerHandle>>,
    browsers: HashMap<usize, BrowserHandle>,
    /// Hosts whose browser port another program of this machine holds.
    without_browser: BTreeSet<usize>,
    identity: Option<Arc<tds::TlsIdentity>>,
}

impl Servers {
    /// The certificate that every instance shows.
    pub fn identity(&self) -> Option<&Arc<tds::TlsIdentity>> {
        self.identity.as_ref()
    }

    /// Hosts that nothing answers for on UDP 1434: their addresses must be told with a port.
    pub fn without_browser(&self) -> &BTreeSet<usize> {
        &self.without_browser
    }
}

/// The browser of a host, or `None` where its port is taken: SQL Server's own browser takes it for every address of a
/// machine.
async fn browser(address: SocketAddr, entries: Vec<InstanceEntry>) -> std::io::Result<Option<BrowserHandle>> {
    match tds::browser::serve(address, entries).await {
        Ok(handle) => Ok(Some(handle)),
        // Windows says so of a port that was taken for one program alone.
        Err(error) if matches!(error.kind(), ErrorKind::AddrInUse | ErrorKind::PermissionDenied) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Engine {
    pub(super) async fn listen_all(&self) -> Result<(), LabError> {
        let identity = tds::TlsIdentity::self_signed(&["SSL_Self_Signed_Fallback", "localhost"])
            .map_err(|e| LabError::Scenario(e.to_string()))?;
        let identity = Arc::new(identity);
        let count = self.world().instances.len();
        for index in 0..count {
            let (address, short, version, encryption, name) = {
                let world = self.world();
                let inst = &world.instances[index];
                let host = &world.hosts[inst.host];
                (host.address, inst.short_name.clone(), inst.version, inst.encryption.clone(), inst.name.clone())
            };
            let wanted = if short.is_none() { 1433 } else { 0 };
            let listener = match std::net::TcpListener::bind((address, wanted)) {
                Ok(listener) => listener,
                Err(_) => std::net::TcpListener::bind((address, 0))?,
            };
            let port = listener.local_addr()?.port();
            let plain = encryption == "not_supported" || encryption == "none";
            let config = tds::ServerConfig {
                encryption: match encryption.as_str() {
                    "required" | "forced" => tds::Encryption::Forced,
                    "not_supported" | "none" => tds::Encryption::NotSupported,
                    _ => tds::Encryption::Off,
                },
                tls: (!plain).then(|| Arc::clone(&identity)),
                version: tds::ServerVersion::new(version.major, version.minor, version.build),
                server_name: name,
                instance: None,
                ..tds::ServerConfig::default()
            };
            let handler = Arc::new(Front { engine: Arc::downgrade(&self.0), instance: index });
            let handle = tds::listen(listener, config, handler)?;
            self.world().instances[index].port = port;
            self.servers().instances.insert(index, Arc::new(handle));
        }
        self.servers().identity = Some(identity);
        let hosts: Vec<usize> = (0..self.world().hosts.len()).collect();
        for host in hosts {
            let (address, entries) = {
                let world = self.world();
                let address = world.hosts[host].address;
                let entries: Vec<InstanceEntry> = world
                    .instances
                    .iter()
                    .filter(|i| i.host == host)
                    .map(|i| {
                        let short = i.short_name.as_deref().unwrap_or("MSSQLSERVER");
                        InstanceEntry::new(&world.hosts[host].name, short, &i.version.text(), i.port)
                    })
                    .collect();
                (address, entries)
            };
            if entries.is_empty() {
                continue;
            }
            let handle = browser(SocketAddr::from((address, BROWSER_PORT)), entries).await?;
            let mut servers = self.servers();
            match handle {
                Some(handle) => {
                    servers.browsers.insert(host, handle);
                }
                None => {
                    servers.without_browser.insert(host);
                }
            }
        }
        Ok(())
    }

    pub(super) fn servers(&self) -> std::sync::MutexGuard<'_, Servers> {
        self.0.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes whether the network reaches an instance; its sessions end when it stops running.
    pub(super) async fn set_reach(&self, instance: usize, reach: Reach) {
        let handle = self.servers().instances.get(&instance).cloned();
        {
            let mut world = self.world();
            world.instances[instance].reach = reach;
            if matches!(reach, Reach::Down | Reach::Silent) {
                let now = world.clock.real_ms();
                let sessions: Vec<u16> = world.instances[instance]
                    .sessions
                    .iter()
                    .filter(|(_, s)| s.user_process)
                    .map(|(id, _)| *id)
                    .collect();
                for id in sessions {
                    if let Some(entry) = world.instances[instance].sessions.get_mut(&id) {
                        entry.ended.set();
                        entry.closer = None;
                        entry.request = None;
                    }
                    world.end_session(instance, id, now);
                    world.forget(instance, id);
                }
            }
            let host = world.instances[instance].host;
            let hidden = reach != Reach::Up;
            drop(world);
            if let Some(browser) = self.servers().browsers.get(&host) {
                browser.silent(hidden);
            }
        }
        let Some(handle) = handle else { return };
        match reach {
            Reach::Up => {
                handle.blackhole(false);
                // The port was this lab's a moment ago; nobody else takes an address of 127/8.
                let _ = handle.start_listening().await;
            }
            Reach::Down => {
                handle.stop_listening().await;
                handle.close_all(None);
            }
            Reach::Silent | Reach::HiddenFromClients => {
                handle.blackhole(true);
                handle.close_all(None);
            }
        }
    }

    pub(super) async fn close_all(&self) {
        let servers = std::mem::take(&mut *self.servers());
        for handle in servers.instances.values() {
            handle.close_all(None);
            handle.stop_listening().await;
        }
    }
}

/// One instance's side of the wire.
struct Front {
    engine: Weak<super::Inner>,
    instance: usize,
}

impl Front {
    fn engine(&self) -> Option<Engine> {
        self.engine.upgrade().map(Engine)
    }
}

#[tds::async_trait]
impl tds::Handler for Front {
    async fn login(&self, login: &tds::Login) -> Result<tds::SessionInfo, tds::LoginError> {
        let engine = self.engine().ok_or_else(|| tds::LoginError::login_failed(&login.user))?;
        let failed = || {
            let french = engine.world().instances.get(self.instance).is_some_and(|i| is_french(&i.language));
            if french {
                let text = format!("Échec de l'ouverture de session de l'utilisateur '{}'.", login.user);
                return tds::LoginError::from(tds::ServerMessage::new(18456, 14, text));
            }
            tds::LoginError::login_failed(&login.user)
        };
        if login.integrated {
            return Err(tds::LoginError::untrusted_domain());
        }
        {
            let world = engine.world();
            let denied = world.faults.iter().any(|f| match f {
                crate::faults::Fault::LoginDenied { instance, login: name } => {
                    world.find_instance(instance) == Some(self.instance)
                        && name.as_deref().is_none_or(|n| n.eq_ignore_ascii_case(&login.user))
                }
                _ => false,
            });
            let inst = &world.instances[self.instance];
            let known = inst.login(&login.user).filter(|l| !l.windows && l.settings.password == login.password);
            if denied || known.is_none() {
                drop(world);
                return Err(failed());
            }
        }
        let client = ClientInfo {
            login: login.user.clone(),
            program: login.application.clone(),
            host: login.host_name.clone(),
            library: login.library.clone(),
            process_id: login.process_id,
            address: login.peer.ip().to_string(),
            encrypted: login.encrypted,
        };
        let connection = match Connection::open(&engine, self.instance, &login.database, client) {
            Ok(connection) => connection,
            Err(error) if error.number == 4060 => {
                return Err(tds::LoginError::cannot_open_database(&login.database, &login.user));
            }
            Err(_) => return Err(failed()),
        };
        let id = connection.id();
        if let Some(control) = engine.servers().instances.get(&self.instance).map(|h| h.control().clone()) {
            connection.set_closer(Arc::new(move || {
                control.close_session(id, Some(tds::ServerMessage::killed()));
            }));
        }
        let language = engine.world().instances[self.instance].language.clone();
        let mut info = tds::SessionInfo::new(connection.database());
        info.language = language;
        info.spid = Some(id);
        Ok(info.data(connection))
    }

    async fn batch(&self, session: &mut tds::Session, sql: &str, out: &mut tds::Answer) -> tds::Flow {
        let Some(connection) = session.data_mut::<Connection>() else { return tds::Flow::Close };
        let mut wire = Wire { out };
        let after = connection.batch(sql, &mut wire).await;
        let database = connection.database().to_owned();
        session.set_database(database);
        flow(after)
    }

    async fn rpc(&self, session: &mut tds::Session, call: &tds::RpcCall, out: &mut tds::Answer) -> tds::Flow {
        let Some(connection) = session.data_mut::<Connection>() else { return tds::Flow::Close };
        let after = match call {
            tds::RpcCall::Statement { sql, params } => {
                let parameters: Vec<_> =
                    params.iter().map(|p| (with_at(&p.name), convert_type(&p.ty), from_wire(&p.value))).collect();
                let outputs: Vec<usize> =
                    params.iter().enumerate().filter(|(_, p)| p.by_ref).map(|(index, _)| index).collect();
                let mut wire = Wire { out };
                let (after, values) = connection.statement_with_parameters(sql, parameters, &mut wire).await;
                for index in outputs {
                    if let Some(value) = values.get(index) {
                        out.return_value(&params[index], to_wire(value.clone())).await;
                    }
                }
                after
            }
            tds::RpcCall::Procedure { name, params } => {
                let mut arguments = Vec::new();
                let mut outputs = Vec::new();
                for (index, p) in params.iter().enumerate() {
                    let variable = format!("@rpc_{index}");
                    let value = from_wire(&p.value);
                    connection.declare_for_rpc(&variable, convert_type(&p.ty), value.clone());
                    if p.by_ref {
                        outputs.push((index, variable.clone()));
                    }
                    arguments.push(CallArgument {
                        name: (!p.name.is_empty()).then(|| p.name.trim_start_matches('@').to_owned()),
                        value: (!p.default).then_some(value),
                        output: p.by_ref.then_some(variable),
                    });
                }
                let mut wire = Wire { out };
                let (after, status) = connection.call_for_rpc(&split_name(name), arguments, name, &mut wire).await;
                out.return_status(status).await;
                for (index, variable) in outputs {
                    if let Some(value) = connection.variable_for_rpc(&variable) {
                        out.return_value(&params[index], to_wire(value)).await;
                    }
                }
                after
            }
        };
        let database = connection.database().to_owned();
        session.set_database(database);
        flow(after)
    }

    async fn reset(&self, session: &mut tds::Session) {
        let database = session.database().to_owned();
        if let Some(connection) = session.data_mut::<Connection>() {
            connection.reset(&database);
        }
    }

    async fn closed(&self, session: &mut tds::Session) {
        // Logs off: the session's row, locks and temporary tables go.
        session.set_data(());
    }
}

fn flow(after: After) -> tds::Flow {
    match after {
        After::Continue => tds::Flow::Continue,
        After::Close => tds::Flow::Close,
        After::Abort => tds::Flow::Abort,
    }
}

fn with_at(name: &str) -> String {
    if name.starts_with('@') {
        name.to_owned()
    } else {
        format!("@{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_taken_browser_port_is_no_error() {
        let taken = std::net::UdpSocket::bind(("127.0.0.1", 0)).unwrap();
        let address = taken.local_addr().unwrap();
        assert!(browser(address, Vec::new()).await.unwrap().is_none());
        drop(taken);
        assert!(browser(address, Vec::new()).await.unwrap().is_some());
        let nobody = SocketAddr::from(([192, 0, 2, 1], 0));
        assert!(browser(nobody, Vec::new()).await.is_err(), "an address of another machine");
    }
}
