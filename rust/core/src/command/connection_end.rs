//! `Stop-PChatConnection`: the sessions in the database are ended; a STANDBY copy is closed to its readers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::change::{self, Action, Asked, Change, Context, Planned, Reached};
use super::connection_list::blind;
use crate::document::ConnectionEndRequest;
use crate::error::{Error, ErrorKind, Result};
use crate::evidence::count;
use crate::host::{Cancel, Host, Progress};
use crate::operation::{OperationResult, Session};
use crate::run::Locks;
use crate::sql::connection::{self, DatabaseSession, Rollback};
use crate::sql::database::{self, DatabaseState};
use crate::sql::{instance, Connection, Purpose};

/// RESTORING has no sessions. STANDBY: one batch ends the readers and goes to RESTORING, so that nobody gets in again.
/// ONLINE: each session is ended, if it is still the one that was seen, and its rollback waited for; the database stays open.
///
/// # Errors
/// In the result: `DatabaseInUse` (3004) when the limit passed, `PermissionMissing` (3002), `Locked` (5008).
pub(crate) async fn connection_end(
    session: Arc<Session>,
    request: ConnectionEndRequest,
    host: Arc<dyn Host>,
    cancel: Cancel,
) -> Result<OperationResult> {
    change::run(EndConnections(request), session, host, cancel).await
}

struct EndConnections(ConnectionEndRequest);

#[async_trait]
impl Change for EndConnections {
    type Look = DatabaseState;

    const KIND: &'static str = "end_connections";

    fn asked(&self) -> Asked<'_> {
        Asked::of(&self.0.target, self.0.plan_only, self.0.approved_digest.as_deref())
    }

    async fn look(&self, at: &Context) -> Result<(DatabaseState, Planned)> {
        let read = async {
            let mut connection = at.session.connector().connect(&at.instance, Purpose::Catalog).await?;
            let facts = instance::read_facts(&mut connection).await?;
            let found = database::need(&mut connection, &at.target.database).await?;
            if !facts.is_sysadmin && !facts.sees_all_sessions {
                return Err(blind(&at.instance, &at.target.database));
            }
            let sessions = others(&mut connection, &at.target.database).await?;
            connection.close().await;
            let planned = plan(at, facts.server_name.as_str(), found.state, &sessions)?;
            Ok((found.state, planned))
        };
        tokio::select! {
            found = read => found,
            () = at.cancel.cancelled() => Err(Error::new(ErrorKind::Cancelled, "the operation was cancelled.")),
        }
    }

    async fn carry_out(&self, at: &Context, state: DatabaseState, planned: &Planned, locks: Locks) -> Result<Reached> {
        let limit = Duration::from_secs(u64::from(self.0.limit_seconds.max(1)));
        let ended = match locks.check().await {
            Ok(()) if state == DatabaseState::Standby => lock_out(at, limit).await,
            Ok(()) => end_sessions(at, limit).await,
            Err(error) => Err(error),
        };
        locks.release().await;
        let reached = ended?;
        for action in &planned.actions {
            at.tell(action, "done").await;
        }
        Ok(reached)
    }
}

async fn others(connection: &mut Connection, database: &str) -> Result<Vec<DatabaseSession>> {
    let sessions = connection::list(connection, database).await?;
    Ok(sessions.into_iter().filter(|session| session.is_user && !session.is_own).collect())
}

fn plan(at: &Context, server: &str, state: DatabaseState, sessions: &[DatabaseSession]) -> Result<Planned> {
    let database = at.target.database.as_str();
    let facts = [("instance", server), ("database", database), ("database_state", state.as_text())];
    let facts: BTreeMap<String, String> = facts.iter().map(|(name, v)| (name.to_string(), v.to_string())).collect();
    let mut planned = Planned { facts, ..Planned::default() };
    match state {
        DatabaseState::Standby => {
            planned.actions.push(Action {
                action: "lock_out",
                object: database.to_string(),
                statement: database::lock_out_statement(database)?,
                text: format!("{} ended, nobody gets in again", count(sessions.len(), "session is", "sessions are")),
            });
            planned.text = format!(
                "End {} in the STANDBY copy `{database}` and take it to RESTORING, so that nobody gets in again.",
                count(sessions.len(), "session", "sessions")
            );
        }
        DatabaseState::Online => {
            planned.actions = sessions.iter().map(kill_action).collect();
            planned.text = match sessions.len() {
                0 => format!("No session is in `{database}`."),
                some => format!(
                    "End {} in `{database}` and wait for their rollback. The database stays open: clients may come back.",
                    count(some, "session", "sessions")
                ),
            };
        }
        other => {
            planned.text =
                format!("`{database}` is {}: nobody is in, and nobody gets in.", other.as_text().to_uppercase());
        }
    }
    Ok(planned)
}

fn kill_action(session: &DatabaseSession) -> Action {
    Action {
        action: "end_connection",
        object: session.spid.to_string(),
        statement: connection::kill_statement(session.spid),
        text: format!("{} from {} ({})", session.login.trim(), session.host.trim(), session.program.trim()),
    }
}

async fn lock_out(at: &Context, limit: Duration) -> Result<Reached> {
    let database = at.target.database.as_str();
    at.view.set_status("closing the STANDBY copy");
    let (connector, instance) = (at.session.connector(), &at.instance);
    let done = database::end_standby(connector, instance, database, limit, &at.cancel).await?;
    Ok(Reached {
        text: format!(
            "`{database}` is RESTORING: its readers are out and nobody gets in ({}, {} ended).",
            count(done.attempts as usize, "attempt", "attempts"),
            count(done.sessions_ended as usize, "session", "sessions")
        ),
        next: vec![format!("To open it to readers again without recovery, let its restore job run; to recover it: Restore-PChatDatabase {}", at.target.sql_instance)],
        error: None,
    })
}

async fn end_sessions(at: &Context, limit: Duration) -> Result<Reached> {
    let database = at.target.database.as_str();
    at.view.set_status("ending sessions");
    let mut tell = |seen: Rollback| {
        at.host.progress(Progress {
            activity: at.view.activity(),
            status: at.view.status(),
            operation: format!("{} of ended sessions", count(seen.sessions.len(), "rollback", "rollbacks")),
            percent: Some(seen.percent.clamp(0.0, 100.0) as u8),
            seconds_remaining: seen.seconds_remaining,
            parts: Vec::new(),
        });
    };
    let mut connection = at.session.connector().connect(&at.instance, Purpose::Catalog).await?;
    let done = connection::end_all(&mut connection, database, limit, &at.cancel, &mut tell).await?;
    connection.close().await;
    Ok(Reached {
        text: format!(
            "{} ended; nobody was in `{database}` when it was last looked at. It is open: clients may come back.",
            count(done.ended as usize, "session", "sessions")
        ),
        ..Reached::default()
    })
}
