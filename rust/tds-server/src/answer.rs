//! The answer to a request: result sets, messages and everything around them.

use bytes::BufMut;

use crate::message::ServerMessage;
use crate::packet::Outbox;
use crate::rows::{put_columns, put_row, Column};
use crate::rpc::RpcParam;
use crate::token::{self, Done};
use crate::value::Value;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    Batch,
    /// One call of an RPC request; more of them may follow in the same message.
    Rpc {
        last: bool,
    },
}

/// An OUT parameter of the call at hand.
struct OutParam {
    param: RpcParam,
    set: bool,
}

/// Where a handler writes its answer.
///
/// A result set is `columns`, any number of `row`, then `done_rows`; a statement
/// without one is `done`. What is written leaves when a packet is full, with `flush`,
/// with every `info`, and at the end. Writing to a client that is gone does nothing.
pub struct Answer {
    pub(crate) out: Outbox,
    server_name: String,
    tds_version: u32,
    database: String,
    database_changed: bool,
    asked: Asked,
    columns: Option<Vec<Column>>,
    rows: u64,
    rows_dropped: bool,
    failed: bool,
    last_error: i32,
    /// The DONE that waits to learn whether more follows.
    pending: Option<Done>,
    procedure_depth: u32,
    return_status: Option<i32>,
    out_params: Vec<OutParam>,
}

impl Answer {
    pub(crate) fn new(out: Outbox, server_name: String, tds_version: u32, database: String) -> Self {
        Self {
            out,
            server_name,
            tds_version,
            database,
            database_changed: false,
            asked: Asked::Batch,
            columns: None,
            rows: 0,
            rows_dropped: false,
            failed: false,
            last_error: 0,
            pending: None,
            procedure_depth: 0,
            return_status: None,
            out_params: Vec::new(),
        }
    }

    /// Starts a result set. An unfinished one is ended first.
    pub async fn columns(&mut self, columns: Vec<Column>) {
        if self.columns.is_some() {
            self.done_rows().await;
        }
        self.write_pending();
        put_columns(&mut self.out.buffer, &columns);
        self.columns = Some(columns);
        self.rows = 0;
        self.rows_dropped = false;
        self.out.send_full().await;
    }

    /// Adds a row, one value for each column.
    ///
    /// A value that does not fit its column becomes error 8114, 8115, 8152 or 515, as if
    /// the statement had failed there; the rows after it are left out.
    pub async fn row(&mut self, values: Vec<Value>) {
        if self.rows_dropped {
            return;
        }
        let columns = self.columns.as_deref().unwrap_or_default();
        match put_row(&mut self.out.buffer, columns, &values, self.tds_version) {
            Ok(()) => self.rows += 1,
            Err(message) => {
                self.rows_dropped = true;
                self.error(message).await;
            }
        }
        self.out.send_full().await;
    }

    /// Ends the result set; the client learns how many rows there were.
    pub async fn done_rows(&mut self) {
        self.columns = None;
        self.end_statement(token::COMMAND_SELECT, Some(self.rows));
        self.rows = 0;
        self.out.send_full().await;
    }

    /// Ends a statement without a result set, with the rows it affected if it counts any.
    pub async fn done(&mut self, affected: Option<u64>) {
        if self.columns.is_some() {
            return self.done_rows().await;
        }
        self.end_statement(0, affected);
        self.out.send_full().await;
    }

    /// Sends an informational message at once, so that progress is seen while it is made.
    pub async fn info(&mut self, message: ServerMessage) {
        self.write_pending();
        token::put_message(&mut self.out.buffer, token::INFO, &message, &self.server_name);
        self.flush().await;
    }

    /// Adds an error. The statement's DONE carries the error bit.
    pub async fn error(&mut self, message: ServerMessage) {
        self.write_pending();
        token::put_message(&mut self.out.buffer, token::ERROR, &message, &self.server_name);
        self.failed = true;
        self.last_error = message.number;
        self.out.send_full().await;
    }

    /// Adds an error, or an informational message if its class is 10 or below.
    pub async fn message(&mut self, message: ServerMessage) {
        if message.class > 10 {
            self.error(message).await;
        } else {
            self.info(message).await;
        }
    }

    /// The procedure's return status: that of the call, or of the procedure entered
    /// last with [`Answer::in_procedure`].
    pub async fn return_status(&mut self, status: i32) {
        self.return_status = Some(status);
    }

    /// The value of an OUT parameter of this call, sent at its end.
    pub async fn return_value(&mut self, param: &RpcParam, value: Value) {
        let found = self.out_params.iter_mut().find(|out| out.param.ordinal == param.ordinal);
        match found {
            Some(out) => {
                out.param.value = value;
                out.set = true;
            }
            None => self.out_params.push(OutParam { param: RpcParam { value, ..param.clone() }, set: true }),
        }
    }

    /// Enters (`true`) or leaves (`false`) a procedure run by EXEC: its statements end
    /// with DONEINPROC, its end is the return status and DONEPROC.
    pub async fn in_procedure(&mut self, inside: bool) {
        if inside {
            self.procedure_depth += 1;
            self.return_status = None;
        } else if self.procedure_depth > 0 {
            self.leave_procedure().await;
        }
    }

    /// Tells the client about a changed database, with message 5701. The session's
    /// database follows when the request ends.
    pub async fn env_change_database(&mut self, name: &str) {
        self.write_pending();
        token::put_env_change(&mut self.out.buffer, token::ENV_DATABASE, name, &self.database);
        let text = format!("Changed database context to '{name}'.");
        let message = ServerMessage::info(5701, text).state(2);
        token::put_message(&mut self.out.buffer, token::INFO, &message, &self.server_name);
        self.database = name.to_owned();
        self.database_changed = true;
        self.out.send_full().await;
    }

    /// Tells the client that a transaction began, as BEGIN TRANSACTION in a batch does.
    pub async fn env_begin_transaction(&mut self, descriptor: u64) {
        self.write_pending();
        token::put_env_transaction(&mut self.out.buffer, token::ENV_BEGIN, Some(descriptor), None);
    }

    /// Tells the client that its transaction ended.
    pub async fn env_end_transaction(&mut self, descriptor: u64, committed: bool) {
        self.write_pending();
        let kind = if committed { token::ENV_COMMIT } else { token::ENV_ROLLBACK };
        token::put_env_transaction(&mut self.out.buffer, kind, None, Some(descriptor));
    }

    /// Sends what was written so far.
    pub async fn flush(&mut self) {
        self.out.flush().await;
    }

    /// Adds bytes as they are, for servers that break the protocol on purpose.
    pub async fn raw(&mut self, bytes: &[u8]) {
        self.write_pending();
        self.out.buffer.put_slice(bytes);
        self.out.send_full().await;
    }

    /// Whether the answer holds an error.
    pub fn has_failed(&self) -> bool {
        self.last_error != 0
    }

    /// The database the login answer has named.
    pub(crate) fn logged_in(&mut self, database: &str) {
        database.clone_into(&mut self.database);
    }

    pub(crate) fn begin(&mut self, asked: Asked, out_params: Vec<RpcParam>) {
        self.asked = asked;
        self.columns = None;
        self.rows = 0;
        self.rows_dropped = false;
        self.failed = false;
        self.last_error = 0;
        self.procedure_depth = 0;
        self.return_status = None;
        self.out_params = out_params.into_iter().map(|param| OutParam { param, set: false }).collect();
    }

    /// Completes the answer of a handler that returned.
    pub(crate) async fn complete(&mut self) {
        if self.columns.is_some() {
            self.done_rows().await;
        }
        while self.procedure_depth > 0 {
            self.leave_procedure().await;
        }
        match self.asked {
            Asked::Batch => {
                if self.pending.is_none() || self.failed {
                    self.end_statement(0, None);
                }
                self.finish().await;
            }
            Asked::Rpc { last } => {
                self.end_call(last);
                if last {
                    self.finish().await;
                } else {
                    self.out.send_full().await;
                }
            }
        }
    }

    /// Ends an answer that was cut short by an attention or a KILL. With `acknowledge`
    /// the attention is acknowledged in the same message.
    pub(crate) async fn cut(&mut self, acknowledge: bool) {
        self.write_pending();
        let mut status = token::DONE_ERROR;
        if acknowledge {
            status |= token::DONE_MORE;
        }
        Done { token: token::DONE, status, command: 0, count: 0 }.put(&mut self.out.buffer);
        if acknowledge {
            self.put_attention_done();
        }
        self.out.finish().await;
    }

    /// Acknowledges an attention in a message of its own.
    pub(crate) async fn acknowledge_attention(&mut self) {
        self.put_attention_done();
        self.out.finish().await;
    }

    fn put_attention_done(&mut self) {
        let status = token::DONE_ATTENTION;
        Done { token: token::DONE, status, command: 0xFD, count: 0 }.put(&mut self.out.buffer);
    }

    /// A message for the whole session, such as 596, and the end of the answer.
    pub(crate) async fn farewell(&mut self, message: &ServerMessage) {
        self.write_pending();
        token::put_message(&mut self.out.buffer, token::ERROR, message, &self.server_name);
        let status = token::DONE_ERROR | token::DONE_FATAL;
        Done { token: token::DONE, status, command: 0, count: 0 }.put(&mut self.out.buffer);
        self.out.finish().await;
    }

    /// The database, if the last request changed it.
    pub(crate) fn take_changed_database(&mut self) -> Option<String> {
        std::mem::take(&mut self.database_changed).then(|| self.database.clone())
    }

    async fn finish(&mut self) {
        if let Some(done) = self.pending.take() {
            done.put(&mut self.out.buffer);
        }
        self.out.finish().await;
    }

    fn write_pending(&mut self) {
        if let Some(mut done) = self.pending.take() {
            done.status |= token::DONE_MORE;
            done.put(&mut self.out.buffer);
        }
    }

    fn end_statement(&mut self, command: u16, count: Option<u64>) {
        let in_procedure = self.procedure_depth > 0 || self.asked != Asked::Batch;
        let token = if in_procedure { token::DONE_IN_PROC } else { token::DONE };
        self.put_done(token, command, count);
    }

    fn put_done(&mut self, token: u8, command: u16, count: Option<u64>) {
        self.write_pending();
        let mut status = 0;
        if std::mem::take(&mut self.failed) {
            status |= token::DONE_ERROR;
        }
        if count.is_some() {
            status |= token::DONE_COUNT;
        }
        self.pending = Some(Done { token, status, command, count: count.unwrap_or(0) });
    }

    async fn leave_procedure(&mut self) {
        if self.columns.is_some() {
            self.done_rows().await;
        }
        self.write_pending();
        let status = self.return_status.take().unwrap_or(0);
        token::put_return_status(&mut self.out.buffer, status);
        self.procedure_depth -= 1;
        self.put_done(token::DONE_PROC, token::COMMAND_EXECUTE, None);
    }

    /// Return status, OUT values and DONEPROC of a call.
    fn end_call(&mut self, last: bool) {
        self.write_pending();
        let status = self.return_status.take().unwrap_or(self.last_error);
        token::put_return_status(&mut self.out.buffer, status);
        for OutParam { param, set } in std::mem::take(&mut self.out_params) {
            if set || self.last_error == 0 {
                token::put_return_value(&mut self.out.buffer, &param);
            }
        }
        self.put_done(token::DONE_PROC, token::COMMAND_EXECUTE, None);
        if !last {
            if let Some(done) = &mut self.pending {
                done.status |= token::DONE_RPC_IN_BATCH;
            }
        }
    }
}
