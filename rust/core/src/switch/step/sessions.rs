//! No server of the pool has a session in the database. Ending them would be pointless while a service runs: they come back.

use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use super::{name, HISTORY};
use crate::error::{Error, ErrorKind, Result};
use crate::failover::step::same_host;
use crate::run::{OnFailure, Run, Seen, Step};
use crate::sql::connection::{self, DatabaseSession};
use crate::sql::database::{self, DatabaseState};
use crate::sql::Purpose;
use crate::switch::SwitchWork;

const POLL: Duration = Duration::from_millis(500);

pub(crate) struct SessionsGone;

/// Sessions of the pool's servers in the source's database. Others, such as monitoring, are ended with the tail.
async fn inside<W: SwitchWork>(run: &Run<W>) -> Result<Vec<DatabaseSession>> {
    let mut connection = run.connect_source(Purpose::Catalog).await?;
    let state = database::need(&mut connection, run.work.source_database()).await?.state;
    if state != DatabaseState::Online {
        return Ok(Vec::new());
    }
    let servers = W::services_before(&run.capture);
    let is_pool = |host: &str| servers.iter().any(|server| same_host(host, &server.server));
    let sessions = connection::list(&mut connection, run.work.source_database()).await?;
    Ok(sessions.into_iter().filter(|session| session.is_inside && !session.is_own && is_pool(&session.host)).collect())
}

fn shown(sessions: &[DatabaseSession]) -> String {
    let mut names: Vec<String> =
        sessions.iter().map(|session| format!("{} ({})", session.host, session.program)).collect();
    names.sort();
    names.dedup();
    names.join(", ")
}

#[async_trait]
impl<W: SwitchWork> Step<W> for SessionsGone {
    fn name(&self) -> &'static str {
        name::SESSIONS_GONE
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::PutBack
    }

    async fn probe(&self, run: &Run<W>) -> Result<Seen> {
        if W::is_past_recovery(run).await? {
            return Ok(Seen::So(HISTORY.to_string()));
        }
        let sessions = inside(run).await?;
        Ok(match sessions.is_empty() {
            true => Seen::So("no server of the pool has a session in the database".to_string()),
            false => Seen::NotYet(format!("sessions of {}", shown(&sessions))),
        })
    }

    async fn act(&self, run: &Run<W>) -> Result<String> {
        let limit = run.work.limits().drain;
        let end = Instant::now() + limit;
        loop {
            let sessions = inside(run).await?;
            if sessions.is_empty() {
                return Ok(String::new());
            }
            if Instant::now() >= end {
                return Err(Error::new(
                    ErrorKind::DatabaseInUse,
                    format!(
                        "servers of the pool still have sessions in `{}` after {} seconds: {}.",
                        run.work.source_database(),
                        limit.as_secs(),
                        shown(&sessions)
                    ),
                )
                .with_next("Stop the Persistent Chat services on these servers, then start again."));
            }
            run.tell_progress(&format!("waiting for {} to leave", shown(&sessions)), None);
            run.pause(POLL).await?;
        }
    }
}
