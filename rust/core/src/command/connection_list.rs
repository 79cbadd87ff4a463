//! `Get-PChatConnection`: the sessions in the database. Reads only.

use std::sync::Arc;

use serde_json::json;

use crate::document::{Connection, CountResult, DatabaseRequest};
use crate::error::{Error, ErrorKind, Result};
use crate::evidence::utc_text;
use crate::host::{Cancel, Host};
use crate::names::InstanceName;
use crate::operation::{OperationResult, Session};
use crate::sql::{connection, database, instance, Purpose};

/// Hands out one item `connection` a session, ours left out. A RESTORING database has none.
///
/// # Errors
/// What keeps the instance from answering; `DatabaseNotFound` (3003); `PermissionMissing` (3002) without VIEW SERVER STATE.
pub(crate) async fn connection_list(
    session: Arc<Session>,
    request: DatabaseRequest,
    host: Arc<dyn Host>,
    cancel: Cancel,
) -> Result<OperationResult> {
    let items = tokio::select! {
        items = read(&session, &request) => items?,
        () = cancel.cancelled() => {
            return Err(Error::new(ErrorKind::Cancelled, "the operation was cancelled."));
        }
    };
    for item in &items {
        cancel.check()?;
        host.item("connection", json!(item)).await?;
    }
    OperationResult::new("count", &CountResult { count: items.len() as u64 })
}

async fn read(session: &Session, request: &DatabaseRequest) -> Result<Vec<Connection>> {
    let target = &request.target;
    let name: InstanceName = target.sql_instance.parse()?;
    let mut connection = session.connector().connect(&name, Purpose::Catalog).await?;
    let facts = instance::read_facts(&mut connection).await?;
    database::need(&mut connection, &target.database).await?;
    // Without the right the list would be silently short.
    if !facts.is_sysadmin && !facts.sees_all_sessions {
        return Err(blind(&name, &target.database));
    }
    let sessions = connection::list(&mut connection, &target.database).await?;
    connection.close().await;
    Ok(sessions
        .into_iter()
        .filter(|session| !session.is_own)
        .map(|session| Connection {
            sql_instance: target.sql_instance.clone(),
            database: target.database.clone(),
            pool_fqdn: target.pool_fqdn.clone(),
            session_id: session.spid,
            login: session.login,
            host: session.host,
            program: session.program,
            status: session.status,
            command: session.command,
            login_at: utc_text(facts.to_utc(session.logged_in_at).and_utc()),
            is_user_session: session.is_user,
            open_transactions: session.open_transactions,
        })
        .collect())
}

/// The refusal for a login that does not see who is in the database.
pub(super) fn blind(instance: &InstanceName, database: &str) -> Error {
    Error::new(
        ErrorKind::PermissionMissing,
        format!("{instance}: the login lacks VIEW SERVER STATE, so it does not see who is in `{database}`."),
    )
    .with_unchanged("Nothing was changed.")
    .with_next("Use a login that is a member of sysadmin.")
    .with_target(database)
}
