//! Looking before a planned switch: the plan with every check, statement and native command.

use std::sync::Arc;

use super::work::look_only;
use crate::document::PlannedSwitchRequest;
use crate::error::Result;
use crate::host::{Cancel, Host};
use crate::operation::{OperationResult, Session};
use crate::run::{Outside, View};

/// Makes the plan of a planned switch. Reads only.
///
/// # Errors
/// Those of the backup instance; `InvalidValue` (1002) for what cannot be used. Failed checks are in the plan.
pub(crate) async fn preview(
    session: Arc<Session>,
    request: PlannedSwitchRequest,
    host: Arc<dyn Host>,
    cancel: Cancel,
) -> Result<OperationResult> {
    let target = &request.failover.target;
    let view = View::new(&target.sql_instance, &target.database, target.pool_fqdn.as_deref(), "planned_switch");
    let outside = Outside { session, host, cancel, view: Arc::new(view) };
    OperationResult::new("plan", &look_only(&outside, request).await?)
}
