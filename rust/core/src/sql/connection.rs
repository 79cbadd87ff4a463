//! Sessions in a database: who they are, ending them, watching their rollback.

use std::time::Duration;

use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::error::{Error, ErrorKind, Result};
use crate::host::Cancel;
use crate::sql::row::Row;
use crate::sql::Connection;

const POLL: Duration = Duration::from_millis(250);

/// One session in the database, or one that holds a lock on it from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseSession {
    pub spid: i32,
    pub login: String,
    pub host: String,
    pub program: String,
    pub status: String,
    pub command: String,
    /// In the instance's local time; tells a reused id.
    pub logged_in_at: NaiveDateTime,
    /// False for the instance's own sessions, which cannot be ended.
    pub is_user: bool,
    pub open_transactions: i32,
    /// True for the session that asks.
    pub is_own: bool,
    /// True where its current database is this one; false where it only holds a lock on it.
    pub is_inside: bool,
}

const COLUMNS: &str = "CAST(p.spid AS int) AS spid, CAST(p.loginame AS nvarchar(128)) AS login_name, \
    CAST(p.hostname AS nvarchar(128)) AS host_name, CAST(p.program_name AS nvarchar(128)) AS program_name, \
    CAST(p.status AS nvarchar(30)) AS status_name, CAST(p.cmd AS nvarchar(16)) AS command_name, p.login_time, \
    CAST(p.open_tran AS int) AS open_transactions, CAST(s.is_user_process AS int) AS is_user_process";

/// The sessions of a database, by id. Without VIEW SERVER STATE the list is silently short: look at
/// [`super::instance::InstanceFacts::sees_all_sessions`] before an empty one is believed.
///
/// # Source
/// `sysprocesses` for the current database (`dm_exec_sessions` has it from 2012 on only), `dm_tran_locks` for locks.
pub async fn list(connection: &mut Connection, database: &str) -> Result<Vec<DatabaseSession>> {
    let own = connection.spid();
    let statement = format!(
        "SELECT {COLUMNS} FROM master.dbo.sysprocesses p JOIN master.sys.databases d ON d.database_id = p.dbid \
        LEFT JOIN master.sys.dm_exec_sessions s ON s.session_id = p.spid \
        WHERE d.name = @P1 AND p.ecid = 0 ORDER BY p.spid"
    );
    let inside = connection.rows("listing the sessions in the database", &statement, &[&database]).await?;
    let mut sessions: Vec<DatabaseSession> =
        inside.iter().map(|row| session_from(row, own, true)).collect::<Result<_>>()?;
    let statement = format!(
        "SELECT DISTINCT {COLUMNS} FROM master.dbo.sysprocesses p \
        JOIN master.sys.dm_tran_locks l ON l.request_session_id = p.spid \
        JOIN master.sys.databases d ON d.database_id = l.resource_database_id \
        LEFT JOIN master.sys.dm_exec_sessions s ON s.session_id = p.spid \
        WHERE d.name = @P1 AND l.resource_type = N'DATABASE' AND p.ecid = 0"
    );
    let holding = match connection.rows("listing the locks on the database", &statement, &[&database]).await {
        Ok(rows) => rows,
        // Without the right to see locks, the sessions inside are still worth showing.
        Err(error) if error.kind == ErrorKind::PermissionMissing => Vec::new(),
        Err(error) => return Err(error),
    };
    for row in &holding {
        let session = session_from(row, own, false)?;
        if !sessions.iter().any(|known| known.spid == session.spid) {
            sessions.push(session);
        }
    }
    sessions.sort_by_key(|session| session.spid);
    sessions.dedup_by_key(|session| session.spid);
    Ok(sessions)
}

fn session_from(row: &Row, own: i32, is_inside: bool) -> Result<DatabaseSession> {
    let spid = i32::try_from(row.need_int("spid")?).unwrap_or_default();
    Ok(DatabaseSession {
        spid,
        login: row.text("login_name")?.unwrap_or_default(),
        host: row.text("host_name")?.unwrap_or_default(),
        program: row.text("program_name")?.unwrap_or_default(),
        status: row.text("status_name")?.unwrap_or_default(),
        command: row.text("command_name")?.unwrap_or_default(),
        logged_in_at: row.need_time("login_time")?,
        is_user: row.int("is_user_process")? == Some(1),
        open_transactions: row.int("open_transactions")?.and_then(|n| i32::try_from(n).ok()).unwrap_or_default(),
        is_own: spid == own,
        is_inside,
    })
}

/// Ends one session; the id must be a literal.
pub fn kill_statement(spid: i32) -> String {
    format!("KILL {spid}")
}

/// The same for a plan: which session comes back in between, nobody knows before.
pub fn planned_kill_statement() -> String {
    "KILL <session>".to_string()
}

/// Ends one session, if it is still the one that was listed: ids are reused at once. `false` where it had gone.
///
/// # Errors
/// `PermissionMissing` (3002) with 6102.
pub async fn kill(connection: &mut Connection, session: &DatabaseSession) -> Result<bool> {
    let statement = "SELECT p.login_time, CAST(p.cmd AS nvarchar(16)) AS command_name FROM master.dbo.sysprocesses p WHERE p.spid = @P1 AND p.ecid = 0";
    let row = connection.row("looking at a session again", statement, &[&session.spid]).await?;
    match row {
        Some(row) if row.need_time("login_time")? == session.logged_in_at => {}
        _ => return Ok(false),
    }
    match connection.batch("ending a session", &kill_statement(session.spid)).await {
        Ok(_) => Ok(true),
        // 6106: it has gone meanwhile. 6107: it turned out to be one of the instance's own.
        Err(error) if matches!(error.sql_number(), Some(6106 | 6107)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The sessions that may be ended: others' user sessions that are not in rollback already.
pub fn may_be_ended(session: &DatabaseSession) -> bool {
    session.is_user && !session.is_own && session.command != "KILLED/ROLLBACK"
}

/// Ends every session once.
pub(super) async fn end_all_once(connection: &mut Connection, database: &str) -> Result<()> {
    for session in list(connection, database).await?.iter().filter(|session| may_be_ended(session)) {
        kill(connection, session).await?;
    }
    Ok(())
}

/// The rollback of ended sessions.
#[derive(Debug, Clone, PartialEq)]
pub struct Rollback {
    pub sessions: Vec<i32>,
    /// Of the one that is least far.
    pub percent: f64,
    pub seconds_remaining: Option<u64>,
}

/// Ended sessions of the database that still roll back; `None` where there are none.
///
/// # Source
/// `sys.dm_exec_requests`: command KILLED/ROLLBACK, a constant in every language.
pub async fn rollback(connection: &mut Connection, database: &str) -> Result<Option<Rollback>> {
    let statement = "SELECT CAST(r.session_id AS int) AS spid, CAST(r.percent_complete AS float) AS percent_complete, \
        CAST(r.estimated_completion_time AS bigint) AS remaining_ms FROM master.sys.dm_exec_requests r \
        JOIN master.sys.databases d ON d.database_id = r.database_id WHERE d.name = @P1 AND r.command = N'KILLED/ROLLBACK'";
    let rows = connection.rows("looking at rollbacks", statement, &[&database]).await?;
    let mut found: Option<Rollback> = None;
    for row in &rows {
        let spid = i32::try_from(row.need_int("spid")?).unwrap_or_default();
        let percent = row.real("percent_complete")?.unwrap_or_default();
        let remaining = row.int("remaining_ms")?.filter(|ms| *ms > 0).map(|ms| ms.unsigned_abs() / 1000);
        let rollback = found.get_or_insert(Rollback { sessions: Vec::new(), percent, seconds_remaining: None });
        rollback.sessions.push(spid);
        rollback.percent = rollback.percent.min(percent);
        rollback.seconds_remaining = rollback.seconds_remaining.max(remaining);
    }
    Ok(found)
}

/// What ending the sessions brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EndedSessions {
    pub ended: u32,
    pub rounds: u32,
}

/// Ends all sessions in the database until none is left, and waits for their rollback. Bars nobody: a standby copy needs
/// the lock-out, an online database stays open.
///
/// # Errors
/// `DatabaseInUse` (3004) when the limit passed; `Cancelled` (1007).
pub async fn end_all(
    connection: &mut Connection,
    database: &str,
    limit: Duration,
    cancel: &Cancel,
    progress: &mut (dyn FnMut(Rollback) + Send),
) -> Result<EndedSessions> {
    let end = Instant::now() + limit;
    let mut outcome = EndedSessions::default();
    loop {
        cancel.check()?;
        let left: Vec<DatabaseSession> = list(connection, database)
            .await?
            .into_iter()
            .filter(|session| session.is_user && !session.is_own)
            .collect();
        if left.is_empty() {
            return Ok(outcome);
        }
        if Instant::now() >= end {
            return Err(Error::new(
                ErrorKind::DatabaseInUse,
                format!(
                    "{}: {} sessions are still in `{database}` after {} rounds.",
                    connection.instance(),
                    left.len(),
                    outcome.rounds
                ),
            )
            .with_next("Stop the services and tools that connect to it, or give it more time.")
            .with_target(database));
        }
        outcome.rounds += 1;
        for session in left.iter().filter(|session| may_be_ended(session)) {
            outcome.ended += u32::from(kill(connection, session).await?);
        }
        if let Some(rollback) = rollback(connection, database).await? {
            progress(rollback);
        }
        tokio::time::sleep(POLL).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> DatabaseSession {
        DatabaseSession {
            spid: 57,
            login: "sa".into(),
            host: "FE1".into(),
            program: "Persistent Chat".into(),
            status: "sleeping".into(),
            command: "AWAITING COMMAND".into(),
            logged_in_at: NaiveDateTime::default(),
            is_user: true,
            open_transactions: 0,
            is_own: false,
            is_inside: true,
        }
    }

    #[test]
    fn neither_own_nor_system_sessions_nor_a_rollback_are_ended() {
        assert!(may_be_ended(&session()));
        assert!(!may_be_ended(&DatabaseSession { is_own: true, ..session() }));
        assert!(!may_be_ended(&DatabaseSession { is_user: false, ..session() }));
        assert!(!may_be_ended(&DatabaseSession { command: "KILLED/ROLLBACK".into(), ..session() }));
        assert_eq!(kill_statement(57), "KILL 57");
    }
}
