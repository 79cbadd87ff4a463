//! Reading the world for a run.

use std::sync::Arc;

use super::SecondaryWork;
use crate::document::FailoverRequest;
use crate::error::{Error, ErrorKind, Result};
use crate::evidence::{self, Capture, Evidence, Sources};
use crate::host::{Cancel, Host};
use crate::log_chain::RedoPoint;
use crate::operation::Session;
use crate::run::Run;

/// Everything that a failover is decided on. `earlier`: what this run captured before its first change, on a resume.
///
/// # Errors
/// As [`evidence::gather`].
pub(crate) async fn gather(
    session: &Session,
    host: &Arc<dyn Host>,
    request: &FailoverRequest,
    earlier: Option<&Capture>,
    cancel: &Cancel,
) -> Result<Evidence> {
    let files = session.file_system();
    let sources = Sources { connector: session.connector(), files: files.as_ref(), host: host.as_ref() };
    Box::pin(evidence::gather(sources, request, earlier, cancel)).await
}

/// What work on log backups alone is decided on.
///
/// # Errors
/// As [`evidence::gather`].
pub(crate) async fn gather_log_backups(
    session: &Session,
    host: &Arc<dyn Host>,
    request: &FailoverRequest,
    cancel: &Cancel,
) -> Result<Evidence> {
    let files = session.file_system();
    let sources = Sources { connector: session.connector(), files: files.as_ref(), host: host.as_ref() };
    Box::pin(evidence::gather_log_backups(sources, request, cancel)).await
}

impl<W: SecondaryWork> Run<W> {
    /// What changes while a run works, read anew: folders, headers, state, redo point. The rest is as it was read first.
    ///
    /// # Errors
    /// Those of the backup instance; `Cancelled` (1007).
    pub(crate) async fn look_again(&self) -> Result<Evidence> {
        self.look_again_until(&self.cancel).await
    }

    /// The same for putting back what was changed, which a cancel does not stop.
    ///
    /// # Errors
    /// Those of the backup instance.
    pub(crate) async fn look_back(&self) -> Result<Evidence> {
        self.look_again_until(&Cancel::new()).await
    }

    async fn look_again_until(&self, cancel: &Cancel) -> Result<Evidence> {
        let files = self.session.file_system();
        let sources = Sources { connector: self.session.connector(), files: files.as_ref(), host: self.host.as_ref() };
        let secondary = self.work.secondary();
        Box::pin(evidence::look_again(sources, &secondary.request, &secondary.evidence, cancel)).await
    }

    /// The same, with the primary and its witnesses probed anew.
    ///
    /// # Errors
    /// As [`Run::look_again`].
    pub(crate) async fn look_again_with_primary(&self) -> Result<Evidence> {
        let files = self.session.file_system();
        let sources = Sources { connector: self.session.connector(), files: files.as_ref(), host: self.host.as_ref() };
        Box::pin(evidence::look_again_with_primary(
            sources,
            &self.work.secondary().request,
            &self.work.secondary().evidence,
            &self.cancel,
        ))
        .await
    }

    /// The redo point of a look.
    ///
    /// # Errors
    /// `RedoPointUnknown` (4005).
    pub(crate) fn redo_of(&self, evidence: &Evidence) -> Result<RedoPoint> {
        evidence.files.redo.known().cloned().ok_or_else(|| {
            let why = evidence.files.redo.why().unwrap_or("it was not read");
            Error::new(
                ErrorKind::RedoPointUnknown,
                format!("the redo point of `{}` cannot be told: {why}.", self.database()),
            )
            .with_target(self.database())
        })
    }
}
