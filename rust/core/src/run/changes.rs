//! Every change of a run passes here: allowed, taken down, made, taken down again.

use std::future::Future;

use serde_json::{json, Value};

use super::{Run, Workflow};
use crate::error::Result;

impl<W: Workflow> Run<W> {
    /// Allows a change: nobody cancelled, and the locks are still held.
    ///
    /// # Errors
    /// `Cancelled` (1007), `LockLost` (5010).
    pub(crate) async fn ready_to_change(&self) -> Result<()> {
        self.cancel.check()?;
        self.locks.check().await
    }

    /// Makes one change on an instance. `what` names it for the journal, `statement` is its text, word for word.
    ///
    /// The work is never cut short by a cancel once it is sent.
    ///
    /// # Errors
    /// As [`Run::ready_to_change`], `JournalWriteFailed` (7001) before the change, then those of the work.
    pub(crate) async fn change<T>(
        &self,
        what: &str,
        statement: &str,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        self.ready_to_change().await?;
        self.taken_down(what, statement, work).await
    }

    /// The same for putting back what was changed, which a cancel does not stop.
    pub(crate) async fn change_back<T>(
        &self,
        what: &str,
        statement: &str,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        self.locks.check().await?;
        self.taken_down(what, statement, work).await
    }

    async fn taken_down<T>(&self, what: &str, statement: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
        self.book.change_begun(what, statement).await?;
        self.view.set_awaited(Some(statement.to_string()));
        let ended = work.await;
        self.view.set_awaited(None);
        let (state, said) = what_became(&ended);
        let written = self.book.change_ended(what, statement, state, said).await;
        // The work's own error tells more than the journal's.
        let value = ended?;
        written?;
        Ok(value)
    }
}

/// The outcome of a change as the journal keeps it.
fn what_became<T>(ended: &Result<T>) -> (&'static str, Value) {
    match ended {
        Ok(_) => ("done", json!({})),
        Err(error) => (
            if error.outcome_unknown() { "unknown" } else { "failed" },
            json!({"code": error.kind.code(), "sql_error": error.sql_number(), "error": error.message}),
        ),
    }
}

/// A change of several, by the name that the journal gives it and its statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Announced {
    pub what: String,
    pub statement: String,
}

/// Many changes of one kind, one after the other, such as the restores of a long chain. Each is in the journal before it
/// is sent, as everywhere; but while one works, the outcome of the one before it and the announcement of the one behind
/// it are written, so that the disk of the journal is not waited for between two of them.
pub(crate) struct InTurn<'a, W: Workflow> {
    run: &'a Run<W>,
    /// In the journal, and not sent yet.
    announced: Option<Announced>,
    /// Ended, and not in the journal yet.
    ended: Option<(Announced, &'static str, Value)>,
}

impl<'a, W: Workflow> InTurn<'a, W> {
    pub(crate) fn new(run: &'a Run<W>) -> InTurn<'a, W> {
        InTurn { run, announced: None, ended: None }
    }

    /// Makes one change; `next` is announced meanwhile. Call [`InTurn::close`] after the last one, and after an error.
    ///
    /// # Errors
    /// As [`Run::change`].
    pub(crate) async fn change<T>(
        &mut self,
        change: Announced,
        next: Option<Announced>,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let run = self.run;
        run.ready_to_change().await?;
        if self.announced.as_ref() != Some(&change) {
            run.book.change_begun(&change.what, &change.statement).await?;
        }
        self.announced = None;
        let before = self.ended.take();
        let writing = async {
            if let Some((before, state, said)) = before {
                run.book.change_ended(&before.what, &before.statement, state, said).await?;
            }
            match &next {
                Some(next) => run.book.change_begun(&next.what, &next.statement).await,
                None => Ok(()),
            }
        };
        run.view.set_awaited(Some(change.statement.clone()));
        let (ended, written) = tokio::join!(work, writing);
        run.view.set_awaited(None);
        let (state, said) = what_became(&ended);
        self.ended = Some((change, state, said));
        self.announced = next;
        // The work's own error tells more than the journal's.
        let value = ended?;
        written?;
        Ok(value)
    }

    /// Writes what is not written yet. A change that was announced and never sent is closed as `not_sent`.
    ///
    /// # Errors
    /// `JournalWriteFailed` (7001).
    pub(crate) async fn close(self) -> Result<()> {
        if let Some((change, state, said)) = self.ended {
            self.run.book.change_ended(&change.what, &change.statement, state, said).await?;
        }
        match self.announced {
            Some(change) => self.run.book.change_ended(&change.what, &change.statement, "not_sent", json!({})).await,
            None => Ok(()),
        }
    }
}
