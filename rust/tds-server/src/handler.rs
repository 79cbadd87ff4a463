//! The simulation behind the protocol.

use std::net::SocketAddr;

use async_trait::async_trait;

use crate::answer::Answer;
use crate::login::{Login, SessionInfo};
use crate::message::LoginError;
use crate::rpc::RpcCall;
use crate::session::Session;

/// What becomes of a new TCP connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ConnectDecision {
    #[default]
    Accept,
    /// Reset at once.
    Refuse,
    /// Kept open and never answered.
    Stall,
}

/// What happens after a request was handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Flow {
    /// The answer is completed and the next request read.
    #[default]
    Continue,
    /// The answer is completed, then the connection closed.
    Close,
    /// What was written so far is sent without an end, then the connection closed.
    Cut,
    /// As `Cut`, but with a TCP reset.
    Abort,
}

/// A request of the transaction manager, as drivers send it for their own transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionRequest {
    Begin,
    Commit,
    Rollback,
    Save,
}

/// Answers what clients ask. One handler serves all sessions of a server.
///
/// The future of a request is dropped, at whatever await it stands, when the
/// client sends an attention, disconnects or is killed. Whole packets leave
/// through a task of their own, so a drop never cuts one. Work that must not stop
/// half way takes [`Session::hold`], or runs in a task of its own that watches
/// [`Session::cancel_token`].
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Called for every TCP connection before the first byte is read.
    async fn connected(&self, peer: SocketAddr) -> ConnectDecision {
        let _ = peer;
        ConnectDecision::Accept
    }

    /// Checks a login. A refusal is sent and the connection closed.
    async fn login(&self, login: &Login) -> Result<SessionInfo, LoginError>;

    /// Runs a batch. What the handler leaves out, the answer adds: the final DONE,
    /// with the error bit if an error was sent.
    async fn batch(&self, session: &mut Session, sql: &str, out: &mut Answer) -> Flow;

    /// Runs a call. The answer adds return status 0 and the OUT values that the
    /// handler did not set, as they came in.
    async fn rpc(&self, session: &mut Session, call: &RpcCall, out: &mut Answer) -> Flow;

    /// Begins, commits or rolls back. The session's transaction is changed and the
    /// client told afterwards, unless the handler sent an error.
    async fn transaction(&self, session: &mut Session, request: TransactionRequest, out: &mut Answer) -> Flow {
        let _ = (session, request, out);
        Flow::Continue
    }

    /// The client returned the connection to its pool and took it out again: what the
    /// session changed is to be undone. The database is already that of the login.
    async fn reset(&self, session: &mut Session) {
        let _ = session;
    }

    /// Called once for every session, whatever ended it: client gone, KILL or shutdown.
    async fn closed(&self, session: &mut Session);
}
