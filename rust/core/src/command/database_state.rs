//! The state of the database, with what log shipping knows of it. Reads only.

use std::sync::Arc;

use super::log_shipping_get::hand_out;
use crate::document::DatabaseRequest;
use crate::error::Result;
use crate::host::{Cancel, Host};
use crate::operation::{OperationResult, Session};

/// Hands out one item `database_state`: the same document as `log_shipping`.
///
/// # Errors
/// What keeps the instance from answering; `DatabaseNotFound` (3003).
pub(crate) async fn database_state(
    session: Arc<Session>,
    request: DatabaseRequest,
    host: Arc<dyn Host>,
    cancel: Cancel,
) -> Result<OperationResult> {
    hand_out("database_state", session, (&request.target, None), host, cancel).await
}
