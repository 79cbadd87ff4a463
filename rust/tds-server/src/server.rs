//! The listening socket and the sessions behind it.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};

use crate::config::ServerConfig;
use crate::connection;
use crate::handler::Handler;
use crate::message::ServerMessage;

/// A bound socket, of the standard library or of tokio.
pub struct Listener(Bound);

enum Bound {
    Std(std::net::TcpListener),
    Tokio(TcpListener),
}

impl From<std::net::TcpListener> for Listener {
    fn from(listener: std::net::TcpListener) -> Self {
        Self(Bound::Std(listener))
    }
}

impl From<TcpListener> for Listener {
    fn from(listener: TcpListener) -> Self {
        Self(Bound::Tokio(listener))
    }
}

/// Serves clients on `listener` until the handle is dropped. Call it inside a tokio runtime.
///
/// # Errors
/// When the socket cannot be made ready for tokio.
pub fn listen(
    listener: impl Into<Listener>,
    config: ServerConfig,
    handler: Arc<dyn Handler>,
) -> io::Result<ServerHandle> {
    let listener = match listener.into().0 {
        Bound::Tokio(listener) => listener,
        Bound::Std(listener) => {
            listener.set_nonblocking(true)?;
            TcpListener::from_std(listener)?
        }
    };
    let address = listener.local_addr()?;
    let control = ServerControl(Arc::new(Shared {
        address,
        config,
        blackhole: AtomicBool::new(false),
        sessions: Mutex::default(),
        stopping: watch::Sender::new(false),
        connections: watch::Sender::new(0),
    }));
    let handle = ServerHandle { control, handler, accepting: tokio::sync::Mutex::default() };
    let accepting = handle.accept_from(listener);
    *lock_now(&handle.accepting)? = Some(accepting);
    Ok(handle)
}

/// The lock of a handle that nobody else has seen yet.
fn lock_now<T>(mutex: &tokio::sync::Mutex<T>) -> io::Result<tokio::sync::MutexGuard<'_, T>> {
    mutex.try_lock().map_err(io::Error::other)
}

/// Owns a server. Dropping it closes everything; [`ServerHandle::shutdown`] also waits for it.
pub struct ServerHandle {
    control: ServerControl,
    handler: Arc<dyn Handler>,
    accepting: tokio::sync::Mutex<Option<Accepting>>,
}

struct Accepting {
    task: tokio::task::JoinHandle<()>,
    stop: oneshot::Sender<()>,
}

impl ServerHandle {
    pub fn local_addr(&self) -> SocketAddr {
        self.control.0.address
    }

    /// What a handler may use too; it does not keep the server running.
    pub fn control(&self) -> &ServerControl {
        &self.control
    }

    /// Closes the listening socket: from now on connections are refused. Sessions go on.
    pub async fn stop_listening(&self) {
        if let Some(Accepting { task, stop }) = self.accepting.lock().await.take() {
            // An error means that the task ended by itself.
            let _ = stop.send(());
            let _ = task.await;
        }
    }

    /// Listens again on the same port. Does nothing while listening.
    ///
    /// # Errors
    /// When another process has taken the port in the meantime.
    pub async fn start_listening(&self) -> io::Result<()> {
        let mut accepting = self.accepting.lock().await;
        if accepting.is_none() {
            let listener = TcpListener::bind(self.control.0.address).await?;
            *accepting = Some(self.accept_from(listener));
        }
        Ok(())
    }

    /// Stops listening, closes all connections and waits until every session's
    /// [`Handler::closed`] has returned.
    pub async fn shutdown(self) {
        self.stop_listening().await;
        self.control.0.stopping.send_replace(true);
        let mut connections = self.control.0.connections.subscribe();
        // The sender lives in `self`, so this cannot fail.
        let _ = connections.wait_for(|count| *count == 0).await;
    }

    fn accept_from(&self, listener: TcpListener) -> Accepting {
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(accept(listener, self.control.clone(), Arc::clone(&self.handler), stopped));
        Accepting { task, stop }
    }
}

impl std::ops::Deref for ServerHandle {
    type Target = ServerControl;

    fn deref(&self) -> &ServerControl {
        &self.control
    }
}

impl Drop for ServerHandle {
    fn drop(&mut self) {
        self.control.0.stopping.send_replace(true);
    }
}

async fn accept(
    listener: TcpListener,
    control: ServerControl,
    handler: Arc<dyn Handler>,
    mut stopped: oneshot::Receiver<()>,
) {
    let mut stopping = control.0.stopping.subscribe();
    loop {
        tokio::select! {
            _ = &mut stopped => return,
            () = told_to_stop(&mut stopping) => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let counted = Counted::new(control.clone());
                    let handler = Arc::clone(&handler);
                    tokio::spawn(async move {
                        connection::serve(stream, peer, &counted.0, handler).await;
                    });
                }
                // Out of file descriptors, or a client that left already.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
        }
    }
}

/// Returns when the server shuts down, or is gone already.
pub(crate) async fn told_to_stop(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

/// Counts a connection while it is served.
struct Counted(ServerControl);

impl Counted {
    fn new(control: ServerControl) -> Self {
        control.0.connections.send_modify(|count| *count += 1);
        Self(control)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0 .0.connections.send_modify(|count| *count -= 1);
    }
}

/// What can be done with a running server from anywhere, handlers included.
#[derive(Clone)]
pub struct ServerControl(pub(crate) Arc<Shared>);

pub(crate) struct Shared {
    address: SocketAddr,
    pub config: ServerConfig,
    blackhole: AtomicBool,
    sessions: Mutex<BTreeMap<u16, watch::Sender<Option<Kill>>>>,
    pub stopping: watch::Sender<bool>,
    connections: watch::Sender<usize>,
}

/// Ends a session; the message is what its client reads before the close.
#[derive(Debug, Clone)]
pub(crate) struct Kill {
    pub message: Option<ServerMessage>,
}

/// SQL Server keeps the ids below for itself.
const FIRST_SPID: u16 = 51;

impl ServerControl {
    /// The settings the server was started with.
    pub fn config(&self) -> &ServerConfig {
        &self.0.config
    }

    /// The ids of all sessions, from the first byte of a login to the end of
    /// [`Handler::closed`].
    pub fn spids(&self) -> Vec<u16> {
        self.sessions().keys().copied().collect()
    }

    pub fn session_count(&self) -> usize {
        self.sessions().len()
    }

    /// TCP connections, logged in or not.
    pub fn connection_count(&self) -> usize {
        *self.0.connections.borrow()
    }

    /// Ends a session, as KILL does: its request is cancelled, the message (such as
    /// [`ServerMessage::killed`]) sent, the connection closed. `false` if there is none.
    pub fn close_session(&self, spid: u16, message: Option<ServerMessage>) -> bool {
        match self.sessions().get(&spid) {
            Some(kill) => {
                kill.send_replace(Some(Kill { message }));
                true
            }
            None => false,
        }
    }

    /// Ends all sessions.
    pub fn close_all(&self, message: Option<ServerMessage>) {
        for kill in self.sessions().values() {
            kill.send_replace(Some(Kill { message: message.clone() }));
        }
    }

    /// While `true`, new connections are accepted and never answered. They stay like
    /// that afterwards, until the client gives up.
    pub fn blackhole(&self, on: bool) {
        self.0.blackhole.store(on, Ordering::SeqCst);
    }

    pub(crate) fn is_blackhole(&self) -> bool {
        self.0.blackhole.load(Ordering::SeqCst)
    }

    /// Takes the lowest free session id.
    pub(crate) fn reserve(&self) -> Option<Reserved> {
        let mut sessions = self.sessions();
        let spid = (FIRST_SPID..=u16::MAX).find(|spid| !sessions.contains_key(spid))?;
        let kill = watch::Sender::new(None);
        let killed = kill.subscribe();
        sessions.insert(spid, kill);
        Some(Reserved { control: self.clone(), spid, killed })
    }

    fn sessions(&self) -> MutexGuard<'_, BTreeMap<u16, watch::Sender<Option<Kill>>>> {
        self.0.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for ServerControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerControl")
            .field("address", &self.0.address)
            .field("sessions", &self.spids())
            .finish_non_exhaustive()
    }
}

/// A session id in use, given back on drop.
pub(crate) struct Reserved {
    control: ServerControl,
    pub spid: u16,
    pub killed: watch::Receiver<Option<Kill>>,
}

impl Reserved {
    /// Moves to the id the handler chose, if it is free.
    pub fn move_to(&mut self, spid: u16) {
        let mut sessions = self.control.sessions();
        if !sessions.contains_key(&spid) {
            if let Some(kill) = sessions.remove(&self.spid) {
                sessions.insert(spid, kill);
                self.spid = spid;
            }
        }
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.control.sessions().remove(&self.spid);
    }
}
