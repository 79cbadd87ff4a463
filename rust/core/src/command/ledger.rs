//! The journal of a single command that is no part of a failover: each statement before it is sent, and what became of it.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::Utc;
use serde::Serialize;
use serde_json::{json, Value};

use super::change::{Action, Context};
use crate::document::JournalPlace;
use crate::error::{Error, ErrorKind, Outcome, Result};
use crate::evidence::utc_text;
use crate::host::{Cancel, Host, Level, NativeCommand};
use crate::journal::{self, Journal, RunHead};
use crate::pool;
use crate::run::{Book, Locks, View};

/// An open journal with the locks of the command.
pub(super) struct Ledger {
    book: Book,
    locks: Locks,
    cancel: Cancel,
    host: Arc<dyn Host>,
    view: Arc<View>,
}

impl Ledger {
    /// Begins a journal with the plan and what was there before the first change. The locks are given back where that
    /// fails, and by [`Ledger::end`].
    ///
    /// # Errors
    /// `JournalFolderInvalid` (7005), `JournalWriteFailed` (7001), `Cancelled` (1007). Nothing was changed.
    pub(super) async fn begin(
        at: &Context,
        kind: &'static str,
        place: &JournalPlace,
        actions: &[Action],
        capture: &impl Serialize,
        locks: Locks,
    ) -> Result<Ledger> {
        match create(at, kind, place, actions, json!(capture)).await {
            Ok((run_id, journal)) => {
                let book = Book::new(journal, Arc::clone(&at.host), &[]);
                at.view.set_journal(&run_id, &book.path());
                let ledger = Ledger {
                    book,
                    locks,
                    cancel: at.cancel.clone(),
                    host: Arc::clone(&at.host),
                    view: Arc::clone(&at.view),
                };
                ledger.book.step_begun(1, kind, Value::Null).await?;
                Ok(ledger)
            }
            Err(error) => {
                locks.release().await;
                Err(error)
            }
        }
    }

    /// Makes one change: allowed, taken down, made, taken down again. It is never cut short by a cancel once it is sent.
    ///
    /// # Errors
    /// `Cancelled` (1007), `LockLost` (5010), `JournalWriteFailed` (7001) before the change, then those of the work.
    pub(super) async fn change<T>(
        &self,
        what: &str,
        statement: &str,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        self.cancel.check()?;
        self.change_back(what, statement, work).await
    }

    /// The same for putting back what was changed, which a cancel does not stop.
    ///
    /// # Errors
    /// As above, without `Cancelled`.
    pub(super) async fn change_back<T>(
        &self,
        what: &str,
        statement: &str,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        self.locks.check().await?;
        self.book.change_begun(what, statement).await?;
        self.view.set_awaited(Some(statement.to_string()));
        let ended = work.await;
        self.view.set_awaited(None);
        let (state, said) = match &ended {
            Ok(_) => ("done", json!({})),
            Err(error) => (
                if error.outcome_unknown() { "unknown" } else { "failed" },
                json!({"code": error.kind.code(), "sql_error": error.sql_number(), "error": error.message}),
            ),
        };
        let written = self.book.change_ended(what, statement, state, said).await;
        // The work's own error tells more than the journal's.
        let value = ended?;
        written?;
        Ok(value)
    }

    /// Sends a native command that changes something, in the journal before and after. Whether it took effect is for the caller
    /// to see.
    ///
    /// # Errors
    /// As [`Ledger::change`]; `NativeCommandMissing` (6001), `NativeCommandFailed` (6002), `NativeCommandStopped` (6003).
    pub(super) async fn native(&self, command: NativeCommand) -> Result<()> {
        let text = pool::plan_text(&command, None);
        let sent = async { pool::objects(&command, self.host.native(command.clone()).await).map(|_| ()) };
        self.change(&command.name, &text, sent).await
    }

    /// True where the command holds the lock of this instance.
    pub(super) async fn has_lock(&self, instance: &crate::names::InstanceName) -> bool {
        self.locks.has(instance).await
    }

    /// Closes the journal and gives the locks back. A single command is never resumed: it is run again, and goes on from
    /// what it finds.
    pub(super) async fn end<T>(self, ended: &Result<T>, done: &str) {
        let (outcome, text) = match ended {
            Ok(_) => (Outcome::Done, done.to_string()),
            Err(error) => (error.kind.outcome(), error.message.clone()),
        };
        if let Err(error) = self.book.ended(outcome, &text).await {
            self.host.message(Level::Warning, error.to_string());
        }
        self.locks.release().await;
    }
}

async fn create(
    at: &Context,
    kind: &'static str,
    place: &JournalPlace,
    actions: &[Action],
    capture: Value,
) -> Result<(String, Journal)> {
    at.cancel.check()?;
    let run_id = journal::new_run_id(Utc::now());
    let statements: Vec<&str> = actions.iter().map(|action| action.statement.as_str()).collect();
    let copy = place.journal_copy_path.as_ref().map(PathBuf::from);
    let head = RunHead {
        run_id: run_id.clone(),
        kind: kind.to_string(),
        sql_instance: at.target.sql_instance.clone(),
        database: at.target.database.clone(),
        pool_fqdn: at.target.pool_fqdn.clone(),
        operator: journal::this_operator(),
        machine: journal::this_machine(),
        process_id: std::process::id(),
        product_version: env!("CARGO_PKG_VERSION").to_string(),
        started_at_utc: utc_text(Utc::now()),
        plan: json!({ "statements": statements }),
        capture,
        copy_folder: copy.as_ref().map(|path| path.display().to_string()),
    };
    let folder = place.journal_path.as_ref().map_or_else(journal::default_folder, PathBuf::from);
    let created = tokio::task::spawn_blocking(move || Journal::create(&folder, copy.as_deref(), &head));
    let journal = created
        .await
        .map_err(|e| Error::new(ErrorKind::InternalFault, format!("the journal could not be begun: {e}.")))??;
    Ok((run_id, journal))
}
