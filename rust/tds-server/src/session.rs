//! One logged-in client, and how its running request learns that it should end.

use std::any::Any;
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use tokio::sync::{watch, Notify};

use crate::login::Login;
use crate::server::ServerControl;

/// A session, handed to the handler with every request of its client.
pub struct Session {
    pub(crate) spid: u16,
    pub(crate) login: Arc<Login>,
    pub(crate) database: String,
    pub(crate) language: String,
    pub(crate) data: Option<Box<dyn Any + Send>>,
    pub(crate) transaction: Option<u64>,
    pub(crate) cancel: watch::Sender<bool>,
    pub(crate) holds: Arc<Holds>,
    pub(crate) server: ServerControl,
}

impl Session {
    pub fn spid(&self) -> u16 {
        self.spid
    }

    /// The login this session began with.
    pub fn login(&self) -> &Login {
        &self.login
    }

    pub fn peer(&self) -> SocketAddr {
        self.login.peer
    }

    /// The current database. [`Answer::env_change_database`](crate::Answer::env_change_database)
    /// tells the client about a change, [`Session::set_database`] this side.
    pub fn database(&self) -> &str {
        &self.database
    }

    pub fn set_database(&mut self, name: impl Into<String>) {
        self.database = name.into();
    }

    pub fn language(&self) -> &str {
        &self.language
    }

    /// What the handler keeps with the session, if it is a `T`.
    pub fn data<T: Any>(&self) -> Option<&T> {
        self.data.as_ref()?.downcast_ref()
    }

    pub fn data_mut<T: Any>(&mut self) -> Option<&mut T> {
        self.data.as_mut()?.downcast_mut()
    }

    pub fn set_data(&mut self, data: impl Any + Send) {
        self.data = Some(Box::new(data));
    }

    /// The transaction the client began with a transaction manager request or a
    /// handler with [`Session::set_transaction`].
    pub fn transaction(&self) -> Option<u64> {
        self.transaction
    }

    pub fn set_transaction(&mut self, descriptor: Option<u64>) {
        self.transaction = descriptor;
    }

    /// Tells when the request at hand is cancelled: attention, disconnect, KILL or shutdown.
    /// Work that a handler spawns can wait for it.
    pub fn cancel_token(&self) -> CancelToken {
        CancelToken { cancelled: self.cancel.subscribe() }
    }

    /// Keeps the handler's future from being dropped while the guard lives. A
    /// cancelled request then ends as soon as the guard is gone.
    pub fn hold(&self) -> HoldGuard {
        self.holds.count.fetch_add(1, Ordering::SeqCst);
        HoldGuard { holds: Arc::clone(&self.holds) }
    }

    /// The server this session belongs to: other sessions can be listed and ended with it.
    pub fn server(&self) -> &ServerControl {
        &self.server
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("spid", &self.spid)
            .field("login", &self.login)
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

/// Becomes true once, when a request is cancelled. Every request has its own.
#[derive(Debug, Clone)]
pub struct CancelToken {
    cancelled: watch::Receiver<bool>,
}

impl CancelToken {
    pub fn is_cancelled(&self) -> bool {
        *self.cancelled.borrow()
    }

    /// Waits for the cancellation. Pends for ever if the request ends without one.
    pub async fn cancelled(&self) {
        let mut cancelled = self.cancelled.clone();
        if cancelled.wait_for(|cancelled| *cancelled).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// The guards that are alive in a session.
#[derive(Debug, Default)]
pub(crate) struct Holds {
    count: AtomicUsize,
    released: Notify,
}

impl Holds {
    pub fn any(&self) -> bool {
        self.count.load(Ordering::SeqCst) > 0
    }

    /// Returns once no guard is alive.
    pub async fn none_left(&self) {
        loop {
            let released = self.released.notified();
            tokio::pin!(released);
            released.as_mut().enable();
            if !self.any() {
                return;
            }
            released.await;
        }
    }
}

/// See [`Session::hold`].
#[derive(Debug)]
#[must_use = "the section ends when the guard is dropped"]
pub struct HoldGuard {
    holds: Arc<Holds>,
}

impl Drop for HoldGuard {
    fn drop(&mut self) {
        self.holds.count.fetch_sub(1, Ordering::SeqCst);
        self.holds.released.notify_waiters();
    }
}
