//! Database mirroring: state, endpoints, and giving it up.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Error, ErrorKind, Result};
use crate::sql::statement::alter_database_set;
use crate::sql::Connection;

/// Which side of a mirroring session a database is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MirrorRole {
    Principal,
    Mirror,
}

impl MirrorRole {
    /// `principal` or `mirror`.
    pub fn as_text(self) -> &'static str {
        match self {
            MirrorRole::Principal => "principal",
            MirrorRole::Mirror => "mirror",
        }
    }
}

/// The state of a mirroring session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MirrorState {
    Suspended,
    Disconnected,
    Synchronizing,
    PendingFailover,
    Synchronized,
    /// A number that this version does not know.
    Other,
}

impl MirrorState {
    pub fn as_text(self) -> &'static str {
        match self {
            MirrorState::Suspended => "suspended",
            MirrorState::Disconnected => "disconnected",
            MirrorState::Synchronizing => "synchronizing",
            MirrorState::PendingFailover => "pending_failover",
            MirrorState::Synchronized => "synchronized",
            MirrorState::Other => "other",
        }
    }
}

/// A mirrored database as one partner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mirror {
    pub database: String,
    pub mirroring_id: Uuid,
    pub role: MirrorRole,
    pub state: MirrorState,
    /// `TCP://host:port`.
    pub partner_name: Option<String>,
    pub partner_instance: Option<String>,
    pub witness_name: Option<String>,
    /// 1 off, 2 full.
    pub safety_level: Option<i64>,
    /// Grows with every change of roles.
    pub role_sequence: Option<i64>,
    pub timeout_seconds: Option<i64>,
}

/// The mirroring of a database; `None` where it is not mirrored. A login below sysadmin may see too little to tell.
///
/// # Source
/// `sys.database_mirroring`: role 1 principal, 2 mirror; state 0 to 4.
pub async fn read(connection: &mut Connection, database: &str) -> Result<Option<Mirror>> {
    let statement = "SELECT d.name, m.mirroring_guid, CAST(m.mirroring_role AS int) AS role_number, \
        CAST(m.mirroring_state AS int) AS state_number, m.mirroring_partner_name, m.mirroring_partner_instance, \
        m.mirroring_witness_name, CAST(m.mirroring_safety_level AS int) AS safety_level, m.mirroring_role_sequence, \
        m.mirroring_connection_timeout \
        FROM master.sys.database_mirroring m JOIN master.sys.databases d ON d.database_id = m.database_id \
        WHERE d.name = @P1 AND m.mirroring_guid IS NOT NULL";
    let row = connection.row("reading the mirroring state", statement, &[&database]).await?;
    row.map(|row| {
        Ok(Mirror {
            database: row.need_text("name")?,
            mirroring_id: row.need_uuid("mirroring_guid")?,
            role: if row.int("role_number")? == Some(1) { MirrorRole::Principal } else { MirrorRole::Mirror },
            state: match row.int("state_number")? {
                Some(0) => MirrorState::Suspended,
                Some(1) => MirrorState::Disconnected,
                Some(2) => MirrorState::Synchronizing,
                Some(3) => MirrorState::PendingFailover,
                Some(4) => MirrorState::Synchronized,
                _ => MirrorState::Other,
            },
            partner_name: row.text("mirroring_partner_name")?,
            partner_instance: row.text("mirroring_partner_instance")?,
            witness_name: row.text("mirroring_witness_name")?,
            safety_level: row.int("safety_level")?,
            role_sequence: row.int("mirroring_role_sequence")?,
            timeout_seconds: row.int("mirroring_connection_timeout")?,
        })
    })
    .transpose()
}

/// The mirroring endpoint of an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MirrorEndpoint {
    pub name: String,
    pub is_started: bool,
    pub port: Option<i64>,
    /// 1 partner, 2 witness, 3 all.
    pub role: i64,
}

/// The mirroring endpoint; `None` where there is none. There is at most one.
///
/// # Source
/// `sys.database_mirroring_endpoints` (state 0 = started), `sys.tcp_endpoints`.
pub async fn read_endpoint(connection: &mut Connection) -> Result<Option<MirrorEndpoint>> {
    let statement = "SELECT e.name, CAST(e.state AS int) AS state_number, CAST(e.role AS int) AS role_number, CAST(t.port AS int) AS port \
        FROM master.sys.database_mirroring_endpoints e LEFT JOIN master.sys.tcp_endpoints t ON t.endpoint_id = e.endpoint_id";
    let row = super::if_it_exists(connection.row("reading the mirroring endpoint", statement, &[]).await)?.flatten();
    row.map(|row| {
        Ok(MirrorEndpoint {
            name: row.need_text("name")?,
            is_started: row.int("state_number")? == Some(0),
            port: row.int("port")?,
            role: row.int("role_number")?.unwrap_or_default(),
        })
    })
    .transpose()
}

/// Ends mirroring on this side. The former mirror stays restoring.
pub fn partner_off_statement(database: &str) -> Result<String> {
    alter_database_set(database, "PARTNER OFF")
}

/// Runs [`partner_off_statement`] and reads the mirroring again. A database that is not mirrored (1416) is as wanted.
///
/// # Errors
/// `StepNotVerified` (5015) where it is still mirrored though the call succeeded; else as SQL Server refuses it.
pub async fn partner_off(connection: &mut Connection, database: &str) -> Result<()> {
    if read(connection, database).await?.is_none() {
        return Ok(());
    }
    let sent = connection.batch("ending mirroring", &partner_off_statement(database)?).await;
    match (read(connection, database).await?, sent) {
        (None, _) => Ok(()),
        (Some(_), Err(error)) => Err(error.with_unchanged(format!("`{database}` is still mirrored."))),
        (Some(_), Ok(_)) => Err(Error::new(
            ErrorKind::StepNotVerified,
            format!("{}: `{database}` is still mirrored after PARTNER OFF.", connection.instance()),
        )
        .with_next("Look at `sys.database_mirroring` on both partners, then run the command again.")
        .with_target(database)),
    }
}
