//! Looking before anything is done: the plan of a failback, with every check, statement, file and native command.

use std::sync::Arc;

use super::look::{gather_all, with_baseline};
use super::{plan, Failback};
use crate::document::FailbackRequest;
use crate::error::Result;
use crate::host::{Cancel, Host};
use crate::operation::{OperationResult, Session};
use crate::run::{Outside, View, Workflow};

/// Makes the plan. Reads only.
///
/// # Errors
/// Those of the baseline's file; `InvalidValue` (1002) for names that cannot be used. Failed checks are in the plan.
pub(crate) async fn preview(
    session: Arc<Session>,
    request: FailbackRequest,
    host: Arc<dyn Host>,
    cancel: Cancel,
) -> Result<OperationResult> {
    let request = with_baseline(request, host.as_ref()).await?;
    let target = &request.target;
    let view = View::new(&target.sql_instance, &target.database, target.pool_fqdn.as_deref(), Failback::KIND);
    let outside = Outside { session, host, cancel, view: Arc::new(view) };
    let evidence = gather_all(&outside, &request).await?;
    OperationResult::new("plan", &plan::make(&evidence, &request)?)
}
