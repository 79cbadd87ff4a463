//! Reading the world for a run.

use std::sync::Arc;

use super::Run;
use crate::document::FailoverRequest;
use crate::error::{Error, ErrorKind, Result};
use crate::evidence::Evidence;
use crate::host::{Cancel, Host};
use crate::log_chain::RedoPoint;
use crate::operation::Session;

/// Everything that a failover is decided on.
pub(crate) async fn gather(
    _session: &Session,
    _host: &Arc<dyn Host>,
    _request: &FailoverRequest,
    cancel: &Cancel,
) -> Result<Evidence> {
    cancel.check()?;
    Err(Error::new(ErrorKind::InternalFault, "evidence is not read yet."))
}

impl Run {
    /// What changes while a run works, read anew: folders, headers, state, redo point. The rest is as it was read first.
    ///
    /// # Errors
    /// Those of the backup instance.
    pub(crate) async fn look_again(&self) -> Result<Evidence> {
        gather(&self.session, &self.host, &self.plan.request, &self.cancel).await
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
                format!("the redo point of `{}` cannot be told: {why}", self.database()),
            )
            .with_target(self.database())
        })
    }
}
