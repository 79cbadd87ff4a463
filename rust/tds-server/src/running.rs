//! One request while its handler runs: what can interrupt it, and when it is dropped.

use std::collections::VecDeque;
use std::future::Future;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::{mpsc, watch};

use crate::answer::Answer;
use crate::handler::{Flow, Handler, TransactionRequest};
use crate::message::ServerMessage;
use crate::packet::{kind, Message};
use crate::rpc::RpcCall;
use crate::server::{told_to_stop, Kill};
use crate::session::Session;

/// Requests a client may send ahead while one is running.
pub(crate) const AHEAD: usize = 16;

/// A request, decoded.
pub(crate) enum Work {
    Batch(String),
    Call(RpcCall),
    Transaction(TransactionRequest),
}

/// Why a running request has to stop; the later ones override the earlier.
#[derive(Debug, Clone)]
pub(crate) enum Interruption {
    Attention,
    Kill(Option<ServerMessage>),
    Gone,
}

pub(crate) enum Outcome {
    Returned(Flow),
    Panicked,
    Interrupted(Interruption),
}

/// What a request needs while it runs.
pub(crate) struct Running<'a> {
    pub handler: &'a dyn Handler,
    pub session: &'a mut Session,
    pub answer: &'a mut Answer,
    pub killed: &'a mut watch::Receiver<Option<Kill>>,
    pub stopping: &'a mut watch::Receiver<bool>,
    pub arriving: &'a mut mpsc::Receiver<Message>,
    /// Requests the client sends ahead.
    pub waiting: &'a mut VecDeque<Message>,
}

/// Runs the handler until it returns or is dropped. A dropped handler has written whole tokens.
pub(crate) async fn run(running: Running<'_>, work: &Work) -> Outcome {
    let Running { handler, session, answer, killed, stopping, arriving, waiting } = running;
    let cancel = watch::Sender::new(false);
    session.cancel = cancel.clone();
    let holds = Arc::clone(&session.holds);
    let mut running = Guarded(start(handler, session, answer, work));
    let mut interruption: Option<Interruption> = None;
    loop {
        let is_final = matches!(interruption, Some(Interruption::Kill(_) | Interruption::Gone));
        tokio::select! {
            biased;
            kill = ended(killed, stopping), if !is_final => {
                interruption = Some(Interruption::Kill(kill.message));
                cancel.send_replace(true);
            }
            message = arriving.recv(), if !is_final => {
                match message {
                    Some(message) if message.kind == kind::ATTENTION => {
                        interruption = Some(Interruption::Attention);
                    }
                    Some(message) if waiting.len() < AHEAD => {
                        waiting.push_back(message);
                        continue;
                    }
                    _ => interruption = Some(Interruption::Gone),
                }
                cancel.send_replace(true);
            }
            () = holds.none_left(), if interruption.is_some() => {}
            outcome = &mut running, if interruption.is_none() || holds.any() => {
                return match (interruption, outcome) {
                    (_, None) => Outcome::Panicked,
                    (Some(interruption), _) => Outcome::Interrupted(interruption),
                    (None, Some(flow)) => Outcome::Returned(flow),
                };
            }
        }
        if let (Some(interruption), false) = (&interruption, holds.any()) {
            return Outcome::Interrupted(interruption.clone());
        }
    }
}

fn start<'a>(
    handler: &'a dyn Handler,
    session: &'a mut Session,
    answer: &'a mut Answer,
    work: &'a Work,
) -> Pin<Box<dyn Future<Output = Flow> + Send + 'a>> {
    match work {
        Work::Batch(sql) => handler.batch(session, sql, answer),
        Work::Call(call) => handler.rpc(session, call, answer),
        Work::Transaction(request) => handler.transaction(session, *request, answer),
    }
}

/// Returns when the session is killed or the server shut down.
pub(crate) async fn ended(killed: &mut watch::Receiver<Option<Kill>>, stopping: &mut watch::Receiver<bool>) -> Kill {
    tokio::select! {
        kill = killed.wait_for(Option::is_some) => match kill {
            Ok(kill) => kill.clone().unwrap_or(Kill { message: None }),
            Err(_) => Kill { message: None },
        },
        () = told_to_stop(stopping) => Kill { message: None },
    }
}

/// A handler's future; a panic in it becomes `None`.
pub(crate) struct Guarded<'a, T>(pub Pin<Box<dyn Future<Output = T> + Send + 'a>>);

impl<T> Future for Guarded<'_, T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        // After a panic the future is not polled again, so broken invariants stay unseen.
        match catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Some),
            Err(_) => Poll::Ready(None),
        }
    }
}
