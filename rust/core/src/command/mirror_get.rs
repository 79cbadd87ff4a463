//! `Get-PChatMirror`: database mirroring as one partner sees it, and orphaned copies. Reads only.

use std::sync::Arc;

use serde_json::json;

use crate::document::{CountResult, DatabaseMirror, DatabaseRequest, Target};
use crate::error::{Error, ErrorKind, Result};
use crate::host::{Cancel, Host};
use crate::names::InstanceName;
use crate::operation::{OperationResult, Session};
use crate::sql::database::{self, DatabaseFacts, DatabaseState};
use crate::sql::instance::{self, InstanceFacts};
use crate::sql::log_shipping;
use crate::sql::mirror::{self, Mirror, MirrorEndpoint, MirrorRole};
use crate::sql::quote::quote_name;
use crate::sql::Purpose;

/// Hands out one item `mirror`.
///
/// # Errors
/// What keeps the instance from answering; `DatabaseNotFound` (3003); `PermissionMissing` (3002) where the login sees too
/// little to tell.
pub(crate) async fn mirror_get(
    session: Arc<Session>,
    request: DatabaseRequest,
    host: Arc<dyn Host>,
    cancel: Cancel,
) -> Result<OperationResult> {
    let read = async {
        let seen = look(&session, &request.target.sql_instance.parse()?, &request.target.database).await?;
        item(&seen, &request.target)
    };
    let item = tokio::select! {
        item = read => item?,
        () = cancel.cancelled() => return Err(Error::new(ErrorKind::Cancelled, "the operation was cancelled.")),
    };
    host.item("mirror", json!(item)).await?;
    OperationResult::new("count", &CountResult { count: 1 })
}

/// One side of mirroring, as it was read.
pub(super) struct Side {
    pub instance: InstanceFacts,
    pub database: DatabaseFacts,
    pub mirror: Option<Mirror>,
    pub endpoint: Option<MirrorEndpoint>,
    /// True where log shipping restores to it.
    pub is_shipped_to: bool,
}

impl Side {
    /// A copy that is RESTORING though nothing mirrors or ships to it.
    pub(super) fn is_orphan(&self) -> bool {
        self.database.state == DatabaseState::Restoring && self.mirror.is_none() && !self.is_shipped_to
    }
}

pub(super) async fn look(session: &Session, name: &InstanceName, database: &str) -> Result<Side> {
    let mut connection = session.connector().connect(name, Purpose::Catalog).await?;
    let facts = instance::read_facts(&mut connection).await?;
    let found = database::need(&mut connection, database).await?;
    let mirror = mirror::read(&mut connection, database).await?;
    // A login below sysadmin sees NULLs for a mirror copy, so that they prove nothing.
    if mirror.is_none() && !facts.is_sysadmin && found.state == DatabaseState::Restoring {
        return Err(Error::new(
            ErrorKind::PermissionMissing,
            format!("{name}: the login is no member of sysadmin and does not see whether `{database}` is mirrored."),
        )
        .with_unchanged("Nothing was changed.")
        .with_next("Use a login that is a member of sysadmin.")
        .with_target(database));
    }
    let endpoint = mirror::read_endpoint(&mut connection).await?;
    let is_shipped_to = log_shipping::read_secondary(&mut connection, database).await?.is_some();
    connection.close().await;
    Ok(Side { instance: facts, database: found, mirror, endpoint, is_shipped_to })
}

fn item(seen: &Side, target: &Target) -> Result<DatabaseMirror> {
    let mirror = seen.mirror.as_ref();
    Ok(DatabaseMirror {
        sql_instance: target.sql_instance.clone(),
        database: target.database.clone(),
        pool_fqdn: target.pool_fqdn.clone(),
        database_state: seen.database.state.as_text().to_string(),
        is_mirrored: mirror.is_some(),
        role: mirror.map(|mirror| mirror.role.as_text().to_string()),
        state: mirror.map(|mirror| mirror.state.as_text().to_string()),
        safety: mirror.and_then(|mirror| mirror.safety_level).and_then(safety).map(str::to_string),
        partner_sql_instance: mirror.and_then(|mirror| mirror.partner_instance.clone()),
        partner_address: mirror.and_then(|mirror| mirror.partner_name.clone()),
        witness_address: mirror.and_then(|mirror| mirror.witness_name.clone()).filter(|name| !name.is_empty()),
        endpoint_port: seen.endpoint.as_ref().and_then(|endpoint| endpoint.port),
        is_endpoint_started: seen.endpoint.as_ref().is_some_and(|endpoint| endpoint.is_started),
        is_orphan: seen.is_orphan(),
        text: text(seen)?,
    })
}

fn safety(level: i64) -> Option<&'static str> {
    match level {
        1 => Some("off"),
        2 => Some("full"),
        _ => None,
    }
}

fn text(seen: &Side) -> Result<String> {
    let database = seen.database.name.as_str();
    let partner = |mirror: &Mirror| mirror.partner_instance.clone().unwrap_or_else(|| "its partner".to_string());
    Ok(match &seen.mirror {
        Some(mirror) if mirror.role == MirrorRole::Principal => {
            format!("`{database}` is served here and mirrored to {} ({}).", partner(mirror), mirror.state.as_text())
        }
        Some(mirror) => {
            format!("This is the mirror of `{database}`; {} serves it ({}).", partner(mirror), mirror.state.as_text())
        }
        None if seen.is_orphan() => orphan_advice(database)?,
        None if seen.is_shipped_to => format!("`{database}` is not mirrored; log shipping restores to it."),
        None => format!("`{database}` is {} and not mirrored.", seen.database.state.as_text()),
    })
}

/// What to do with a copy that nothing mirrors or ships to.
pub(super) fn orphan_advice(database: &str) -> Result<String> {
    Ok(format!(
        "`{database}` is RESTORING though nothing mirrors or ships to it: a former mirror, or a restore that was left. To mirror to this \
         instance again: `Install-CsMirrorDatabase` with -DropExistingDatabasesOnMirror. Otherwise, once its content is proved \
         elsewhere: `DROP DATABASE {}`. Never recover it: that starts another fork.",
        quote_name(database)?
    ))
}
