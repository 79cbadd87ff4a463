//! The SQL Server Browser service (MC-SQLR): where is the instance of this name?

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

/// One instance the browser knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceEntry {
    pub server: String,
    pub instance: String,
    /// As text, such as `10.50.6000.34`.
    pub version: String,
    pub tcp_port: u16,
    /// The port of the dedicated administrator connection, if it is enabled.
    pub dac_port: Option<u16>,
}

impl InstanceEntry {
    pub fn new(server: &str, instance: &str, version: &str, tcp_port: u16) -> Self {
        Self {
            server: server.to_owned(),
            instance: instance.to_owned(),
            version: version.to_owned(),
            tcp_port,
            dac_port: None,
        }
    }

    fn text(&self) -> String {
        let Self { server, instance, version, tcp_port, .. } = self;
        format!(
            "ServerName;{server};InstanceName;{instance};IsClustered;No;Version;{version};tcp;{tcp_port};\
             np;\\\\{server}\\pipe\\MSSQL${instance}\\sql\\query;;"
        )
    }
}

struct Shared {
    address: SocketAddr,
    silent: AtomicBool,
    instances: Mutex<Vec<InstanceEntry>>,
}

/// A running browser; it stops when the handle is dropped.
pub struct BrowserHandle {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl BrowserHandle {
    pub fn local_addr(&self) -> SocketAddr {
        self.shared.address
    }

    /// While `true`, requests stay unanswered, as behind a firewall.
    pub fn silent(&self, on: bool) {
        self.shared.silent.store(on, Ordering::SeqCst);
    }

    /// Replaces what the browser knows.
    pub fn set_instances(&self, instances: Vec<InstanceEntry>) {
        *self.shared.instances.lock().unwrap_or_else(PoisonError::into_inner) = instances;
    }
}

impl Drop for BrowserHandle {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Answers browser requests on `address` (UDP 1434 in the field, port 0 in tests).
///
/// # Errors
/// When the address cannot be bound.
pub async fn serve(address: SocketAddr, instances: Vec<InstanceEntry>) -> io::Result<BrowserHandle> {
    let socket = UdpSocket::bind(address).await?;
    let shared = Arc::new(Shared {
        address: socket.local_addr()?,
        silent: AtomicBool::new(false),
        instances: Mutex::new(instances),
    });
    let task = tokio::spawn(answer_all(socket, Arc::clone(&shared)));
    Ok(BrowserHandle { shared, task })
}

async fn answer_all(socket: UdpSocket, shared: Arc<Shared>) {
    let mut request = [0; 2048];
    loop {
        // An error here belongs to an earlier reply that could not be delivered.
        let Ok((length, peer)) = socket.recv_from(&mut request).await else { continue };
        if shared.silent.load(Ordering::SeqCst) {
            continue;
        }
        let reply = {
            let instances = shared.instances.lock().unwrap_or_else(PoisonError::into_inner);
            reply_to(&request[..length], &instances)
        };
        if let Some(reply) = reply {
            let _ = socket.send_to(&reply, peer).await;
        }
    }
}

/// `None` is silence: for unknown instances and for what is not a request.
fn reply_to(request: &[u8], instances: &[InstanceEntry]) -> Option<Vec<u8>> {
    let find = |name: &[u8]| {
        let name = name.split(|byte| *byte == 0).next()?;
        let name = String::from_utf8_lossy(name);
        instances.iter().find(|entry| entry.instance.eq_ignore_ascii_case(&name))
    };
    match request {
        [0x02 | 0x03, ..] if !instances.is_empty() => {
            Some(text_reply(&instances.iter().map(InstanceEntry::text).collect::<String>()))
        }
        [0x04, name @ ..] => Some(text_reply(&find(name)?.text())),
        [0x0F, 0x01, name @ ..] => {
            let [low, high] = find(name)?.dac_port?.to_le_bytes();
            Some(vec![0x05, 0x06, 0x00, 0x01, low, high])
        }
        _ => None,
    }
}

fn text_reply(text: &str) -> Vec<u8> {
    let text = &text.as_bytes()[..text.len().min(usize::from(u16::MAX))];
    let mut reply = vec![0x05];
    reply.extend_from_slice(&(text.len() as u16).to_le_bytes());
    reply.extend_from_slice(text);
    reply
}
