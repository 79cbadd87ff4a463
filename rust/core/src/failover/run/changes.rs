//! Every change of a run passes here: allowed, taken down, made, taken down again.

use std::future::Future;

use serde_json::json;

use super::Run;
use crate::error::Result;

impl Run {
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
}
