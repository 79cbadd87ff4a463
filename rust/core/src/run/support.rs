//! Small answers that steps ask of their run.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Run, Workflow};
use crate::error::{Error, ErrorKind, Result};
use crate::host::Progress;

impl<W: Workflow> Run<W> {
    /// The database's name.
    pub(crate) fn database(&self) -> &str {
        &self.plan.database
    }

    /// The pool's name.
    ///
    /// # Errors
    /// `PoolNotFound` (6004) where the plan has none; such a plan has no step on the pool.
    pub(crate) fn pool_fqdn(&self) -> Result<&str> {
        self.plan
            .pool_fqdn
            .as_deref()
            .ok_or_else(|| Error::new(ErrorKind::PoolNotFound, "the plan names no Persistent Chat pool."))
    }

    /// Waits a moment.
    ///
    /// # Errors
    /// `Cancelled` (1007), at once.
    pub(crate) async fn pause(&self, time: Duration) -> Result<()> {
        tokio::select! {
            () = tokio::time::sleep(time) => Ok(()),
            () = self.cancel.cancelled() => self.cancel.check(),
        }
    }

    /// Says that from here on nothing can be put back.
    pub(crate) fn commit(&self) {
        self.committed.store(true, Ordering::SeqCst);
    }

    /// True until then.
    pub(crate) fn can_put_back(&self) -> bool {
        !self.committed.load(Ordering::SeqCst)
    }

    /// Tells how far the run is.
    pub(crate) fn tell_progress(&self, operation: &str, percent: Option<u8>) {
        self.host.progress(Progress {
            activity: self.view.activity(),
            status: self.view.status(),
            operation: operation.to_string(),
            percent,
            seconds_remaining: self.view.seconds_remaining(percent),
            parts: Vec::new(),
        });
    }
}
