//! Looking before anything is done: the checks, and the plan with every statement, file and native command.

use std::sync::Arc;

use serde_json::json;

use super::{look, plan};
use crate::document::FailoverRequest;
use crate::error::Result;
use crate::host::{Cancel, Host};
use crate::memory;
use crate::operation::{OperationResult, Session};

/// Makes the plan of a failover; with `hand_out_checks` each check goes out as an item too. Reads only.
///
/// # Errors
/// Those of the backup instance; `InvalidValue` (1002) for names that cannot be used. Failed checks are in the plan.
pub(crate) async fn preview(
    session: Arc<Session>,
    mut request: FailoverRequest,
    host: Arc<dyn Host>,
    cancel: Cancel,
    hand_out_checks: bool,
) -> Result<OperationResult> {
    let evidence = look::gather(&session, &host, &request, None, &cancel).await?;
    request.active_servers = evidence.pool.servers_of(&request.active_servers);
    let plan = plan::make(&evidence, &request)?;
    drop(evidence);
    memory::give_back();
    if hand_out_checks {
        for check in &plan.checks {
            cancel.check()?;
            host.item("check", json!(check)).await?;
        }
    }
    OperationResult::new("plan", &plan)
}
