//! `Get-PChatLogBackup`: every log backup that is known, with its LSNs and where it stands. Reads only.

use std::sync::Arc;

use serde_json::json;

use super::log_backup_row::{rows, summary};
use super::look::{as_failover, look, need_database, need_folders, need_rights, Site};
use crate::document::LogBackupListRequest;
use crate::error::Result;
use crate::failover::plan::Decision;
use crate::host::{Cancel, Host};
use crate::operation::{OperationResult, Session};

/// Hands out the items `log_backup` in the order of LSNs; the result is the verdict on the chain.
///
/// Works as well where log shipping was removed: from the capture in a journal, the folders that are named, or the folder
/// that restored log backups came from.
///
/// # Errors
/// `LogShippingNotFound` (4001) where nothing tells a folder; `DatabaseNotFound` (3003); `PermissionMissing` (3002) for a login
/// that may not read what the proof needs; what keeps the instance from answering.
pub(crate) async fn log_backup_list(
    session: Arc<Session>,
    request: LogBackupListRequest,
    host: Arc<dyn Host>,
    cancel: Cancel,
) -> Result<OperationResult> {
    let mut asked = as_failover(&request.target, &request.folders, &request.journal);
    let evidence = look(&session, &host, &mut asked, Site::LeftOut, &cancel).await?;
    need_database(&evidence)?;
    need_folders(&evidence)?;
    need_rights(&evidence)?;
    let decision = Decision::of(&evidence, &asked);
    for row in rows(&evidence, &decision, &request.target) {
        cancel.check()?;
        host.item("log_backup", json!(row)).await?;
    }
    OperationResult::new("log_chain", &summary(&evidence, &decision, &request.target))
}
