//! The requests of a session: read by one task, answered one after the other, cut
//! short by attention, disconnect, KILL and shutdown.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use crate::answer::Asked;
use crate::config::CancelStyle;
use crate::connection::Connection;
use crate::error::{Error, Result};
use crate::handler::{Flow, Handler, TransactionRequest};
use crate::message::ServerMessage;
use crate::packet::{kind, read_message, status, Message, MAX_MESSAGE};
use crate::prepared::{Prepared, Resolved};
use crate::rpc::{self, RpcParam};
use crate::running::{self, ended, Guarded, Interruption, Outcome, Running, Work, AHEAD};
use crate::session::Session;
use crate::token;
use crate::wire::{utf16, Reader};

/// The session of one client.
pub(crate) struct Requests {
    connection: Connection,
    session: Session,
    handler: Arc<dyn Handler>,
    stopping: watch::Receiver<bool>,
    prepared: Prepared,
    login_database: String,
    waiting: VecDeque<Message>,
    transactions: u64,
}

/// How a session ends.
enum End {
    Orderly,
    /// Without closing TLS.
    Cut,
    /// With a TCP reset.
    Reset,
}

impl Requests {
    pub fn new(
        connection: Connection,
        session: Session,
        handler: Arc<dyn Handler>,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        Self {
            login_database: session.database.clone(),
            connection,
            session,
            handler,
            stopping,
            prepared: Prepared::default(),
            waiting: VecDeque::new(),
            transactions: 0,
        }
    }

    /// Runs until the session ends. [`Handler::closed`] is called in every case.
    pub async fn run(mut self) {
        let input = std::mem::replace(&mut self.connection.input, Box::new(tokio::io::empty()));
        let (events, mut arriving) = mpsc::channel(AHEAD);
        let reader = tokio::spawn(read_requests(input, events));
        self.connection.answer.out.finish().await;
        let packet_size = self.connection.packet_size;
        self.connection.answer.out.set_packet_size(packet_size);
        let end = match self.serve(&mut arriving).await {
            Ok(end) => end,
            // A protocol error closes the connection; nothing could be said about it.
            Err(_) => End::Cut,
        };
        let Self { connection, mut session, handler, .. } = self;
        let Connection { tcp, answer, writer, reserved, .. } = connection;
        drop(answer);
        writer.drain(matches!(end, End::Orderly)).await;
        reader.abort();
        // Its end, even by abort, drops the other clone of the socket.
        let _ = reader.await;
        if let End::Reset = end {
            tcp.reset_on_close();
        }
        drop(tcp);
        session.cancel.send_replace(true);
        // A panic has no one left to tell.
        let _ = Guarded(handler.closed(&mut session)).await;
        drop(reserved);
    }

    async fn serve(&mut self, arriving: &mut mpsc::Receiver<Message>) -> Result<End> {
        loop {
            let message = match self.waiting.pop_front() {
                Some(message) => message,
                None => tokio::select! {
                    message = arriving.recv() => match message {
                        Some(message) => message,
                        None => return Ok(End::Orderly),
                    },
                    kill = ended(&mut self.connection.reserved.killed, &mut self.stopping) => {
                        return Ok(self.say_farewell(kill.message).await);
                    }
                },
            };
            if let Some(end) = self.serve_message(message, arriving).await? {
                return Ok(end);
            }
        }
    }

    async fn serve_message(&mut self, message: Message, arriving: &mut mpsc::Receiver<Message>) -> Result<Option<End>> {
        if message.kind == kind::ATTENTION {
            self.connection.answer.acknowledge_attention().await;
            return Ok(None);
        }
        if message.status & status::IGNORE != 0 {
            self.connection.answer.begin(Asked::Batch, Vec::new());
            self.connection.answer.cut(false).await;
            return Ok(None);
        }
        if message.status & (status::RESET | status::RESET_KEEP_TRANSACTION) != 0 {
            self.reset(message.status & status::RESET != 0).await;
        }
        match message.kind {
            kind::BATCH => {
                let mut reader = Reader::new(&message.body);
                rpc::skip_headers(&mut reader)?;
                let sql = utf16(reader.rest())?;
                self.connection.answer.begin(Asked::Batch, Vec::new());
                self.answer(Work::Batch(sql), arriving).await
            }
            kind::RPC => self.answer_calls(&message, arriving).await,
            kind::TRANSACTION => self.answer_transaction(&message, arriving).await,
            _ => Err(Error::Protocol("a request of a type that is not served")),
        }
    }

    async fn reset(&mut self, end_transaction: bool) {
        token::put_env_reset(&mut self.connection.answer.out.buffer);
        self.prepared.clear();
        if end_transaction {
            self.session.transaction = None;
        }
        if self.session.database != self.login_database {
            self.session.database.clone_from(&self.login_database);
            self.connection.answer.env_change_database(&self.login_database).await;
        }
        let _ = Guarded(self.handler.reset(&mut self.session)).await;
    }

    async fn answer_calls(&mut self, message: &Message, arriving: &mut mpsc::Receiver<Message>) -> Result<Option<End>> {
        let calls = rpc::decode(&message.body)?;
        let count = calls.len();
        for (index, call) in calls.into_iter().enumerate() {
            let asked = Asked::Rpc { last: index + 1 == count };
            let answer = &mut self.connection.answer;
            match self.prepared.resolve(call) {
                Resolved::Run { call, out } => {
                    answer.begin(asked, out);
                    let end = self.answer(Work::Call(call), arriving).await?;
                    if end.is_some() || self.session.cancel_token().is_cancelled() {
                        return Ok(end);
                    }
                }
                Resolved::Done { out } => {
                    answer.begin(asked, out);
                    answer.complete().await;
                }
                Resolved::Failed(message) => {
                    answer.begin(asked, Vec::<RpcParam>::new());
                    answer.error(message).await;
                    answer.complete().await;
                }
            }
        }
        Ok(None)
    }

    async fn answer_transaction(
        &mut self,
        message: &Message,
        arriving: &mut mpsc::Receiver<Message>,
    ) -> Result<Option<End>> {
        let mut reader = Reader::new(&message.body);
        rpc::skip_headers(&mut reader)?;
        let request = match reader.u16()? {
            5 => TransactionRequest::Begin,
            7 => TransactionRequest::Commit,
            8 => TransactionRequest::Rollback,
            9 => TransactionRequest::Save,
            _ => return Err(Error::Protocol("a transaction request that is not served")),
        };
        self.connection.answer.begin(Asked::Batch, Vec::new());
        self.answer(Work::Transaction(request), arriving).await
    }

    /// Runs the handler and completes the answer. `None` to go on with the next request.
    async fn answer(&mut self, work: Work, arriving: &mut mpsc::Receiver<Message>) -> Result<Option<End>> {
        let running = Running {
            handler: &*self.handler,
            session: &mut self.session,
            answer: &mut self.connection.answer,
            killed: &mut self.connection.reserved.killed,
            stopping: &mut self.stopping,
            arriving,
            waiting: &mut self.waiting,
        };
        let outcome = running::run(running, &work).await;
        if let Some(database) = self.connection.answer.take_changed_database() {
            self.session.database = database;
        }
        let flow = match outcome {
            Outcome::Returned(flow) => flow,
            Outcome::Panicked => {
                let message = ServerMessage::new(0, 20, "A severe error occurred in the simulated server.");
                return Ok(Some(self.say_farewell(Some(message)).await));
            }
            Outcome::Interrupted(Interruption::Gone) => return Ok(Some(End::Cut)),
            Outcome::Interrupted(Interruption::Kill(message)) => {
                return Ok(Some(self.say_farewell(message).await));
            }
            Outcome::Interrupted(Interruption::Attention) => {
                let answer = &mut self.connection.answer;
                match self.session.server.config().cancel_style {
                    CancelStyle::OneMessage => answer.cut(true).await,
                    CancelStyle::TwoMessages => {
                        answer.cut(false).await;
                        answer.acknowledge_attention().await;
                    }
                }
                return Ok(None);
            }
        };
        if let (Work::Transaction(request), false) = (&work, self.connection.answer.has_failed()) {
            self.change_transaction(*request).await;
        }
        match flow {
            Flow::Continue | Flow::Close => {
                let Requests { connection, stopping, .. } = self;
                tokio::select! {
                    () = connection.answer.complete() => {}
                    _ = ended(&mut connection.reserved.killed, stopping) => return Ok(Some(End::Cut)),
                }
                Ok(matches!(flow, Flow::Close).then_some(End::Orderly))
            }
            Flow::Cut | Flow::Abort => {
                let Requests { connection, stopping, .. } = self;
                tokio::select! {
                    () = connection.answer.flush() => {}
                    _ = ended(&mut connection.reserved.killed, stopping) => {}
                }
                Ok(Some(if flow == Flow::Cut { End::Cut } else { End::Reset }))
            }
        }
    }

    /// Begins or ends the transaction of the session, and tells the client.
    async fn change_transaction(&mut self, request: TransactionRequest) {
        let answer = &mut self.connection.answer;
        match (request, self.session.transaction) {
            (TransactionRequest::Begin, _) => {
                self.transactions += 1;
                let descriptor = (u64::from(self.session.spid) << 32) | self.transactions;
                self.session.transaction = Some(descriptor);
                answer.env_begin_transaction(descriptor).await;
            }
            (TransactionRequest::Commit | TransactionRequest::Rollback, Some(descriptor)) => {
                self.session.transaction = None;
                answer.env_end_transaction(descriptor, request == TransactionRequest::Commit).await;
            }
            (TransactionRequest::Commit, None) => {
                let text = "The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION.";
                answer.error(ServerMessage::new(3902, 16, text)).await;
            }
            (TransactionRequest::Rollback, None) => {
                let text = "The ROLLBACK TRANSACTION request has no corresponding BEGIN TRANSACTION.";
                answer.error(ServerMessage::new(3903, 16, text)).await;
            }
            (TransactionRequest::Save, _) => {}
        }
    }

    /// Sends a last error, if there is one to send.
    async fn say_farewell(&mut self, message: Option<ServerMessage>) -> End {
        match message {
            Some(message) => {
                let farewell = self.connection.answer.farewell(&message);
                // A client that does not read cannot hold up its own KILL.
                let _ = tokio::time::timeout(std::time::Duration::from_secs(1), farewell).await;
                End::Orderly
            }
            None => End::Cut,
        }
    }
}

/// Reads messages until the client is gone or breaks the protocol; both close the channel.
async fn read_requests<R>(mut input: R, events: mpsc::Sender<Message>)
where
    R: tokio::io::AsyncRead + Unpin,
{
    while let Ok(Some(message)) = read_message(&mut input, MAX_MESSAGE).await {
        if events.send(message).await.is_err() {
            return;
        }
    }
}
