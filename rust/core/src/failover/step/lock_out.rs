//! A STANDBY database is taken from its readers: from here to recovery nobody gets in.

use std::time::Duration;

use async_trait::async_trait;

use crate::error::Result;
use crate::evidence::count;
use crate::failover::plan::step_name;
use crate::failover::SecondaryWork;
use crate::run::{OnFailure, Run, Seen, Step};
use crate::sql::database::{self, DatabaseState};
use crate::sql::Purpose;

/// How long readers may come back before the run gives up.
const LIMIT: Duration = Duration::from_secs(120);

/// Runs twice in a failover: before the first RESTORE LOG, and before recovery, where it normally finds nothing to do.
pub(crate) struct LockOut {
    pub name: &'static str,
    pub on_failure: OnFailure,
}

impl LockOut {
    /// Before the log backups are restored.
    pub(crate) fn before_restore() -> LockOut {
        LockOut { name: step_name::LOCK_OUT, on_failure: OnFailure::PutBack }
    }

    /// Before recovery.
    pub(crate) fn before_recovery() -> LockOut {
        LockOut { name: step_name::END_CONNECTIONS, on_failure: OnFailure::Stop }
    }
}

#[async_trait]
impl<W: SecondaryWork> Step<W> for LockOut {
    fn name(&self) -> &'static str {
        self.name
    }

    fn on_failure(&self) -> OnFailure {
        self.on_failure
    }

    async fn probe(&self, run: &Run<W>) -> Result<Seen> {
        let mut connection = run.connect(Purpose::Catalog).await?;
        let state = database::need(&mut connection, run.database()).await?.state;
        Ok(match state {
            DatabaseState::Restoring => {
                Seen::So("the database is RESTORING: nobody is in, and nobody gets in".to_string())
            }
            DatabaseState::Online => Seen::So("the database is recovered already".to_string()),
            other => Seen::NotYet(format!("the database is {}", other.as_text().to_uppercase())),
        })
    }

    async fn act(&self, run: &Run<W>) -> Result<String> {
        let database = run.database();
        let statement = database::lock_out_statement(database)?;
        let work = database::end_standby(
            run.session.connector(),
            &run.work.secondary().instance,
            database,
            LIMIT,
            &run.cancel,
        );
        let done = run.change(database, &statement, work).await?;
        Ok(format!(
            "readers are locked out: {}, {} ended",
            count(done.attempts as usize, "attempt", "attempts"),
            count(done.sessions_ended as usize, "session", "sessions")
        ))
    }
}
