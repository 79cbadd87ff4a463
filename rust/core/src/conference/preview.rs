//! Looking before anything is done: the plan of a restore. Reads only.

use std::sync::Arc;

use super::{door, gather, plan};
use crate::document::ConferenceRestoreRequest;
use crate::error::Result;
use crate::host::{Cancel, Host};
use crate::operation::{OperationResult, Session};

/// Makes the plan of a restore of conference content.
///
/// # Errors
/// `DamagedPoolAsSource` (6010), `PartnerNotFound` (6009), `PoolNotFound` (6004), `InvalidValue` (1002). Failed checks are in the plan.
pub(crate) async fn preview(
    session: Arc<Session>,
    request: ConferenceRestoreRequest,
    host: Arc<dyn Host>,
    cancel: Cancel,
) -> Result<OperationResult> {
    let files = session.file_system();
    let evidence = gather::gather(host.as_ref(), files.as_ref(), &request, &cancel).await?;
    door::refuse_restore(&evidence, &request)?;
    OperationResult::new("plan", &plan::make(&evidence, &request)?)
}
