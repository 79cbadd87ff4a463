//! Recovery: the one place that emits `WITH RECOVERY`, and only against a permit.

use std::time::Duration;

use tokio::time::Instant;

use crate::error::{Error, ErrorKind, Result};
use crate::log_chain::RecoveryPermit;
use crate::names::InstanceName;
use crate::sql::class::{class_of, SqlErrorClass};
use crate::sql::database::{need, redo_point, DatabaseState};
use crate::sql::lock_out::not_secondary;
use crate::sql::quote::quote_name;
use crate::sql::restore::{run_to_the_end, RestoreProgress};
use crate::sql::{Connector, Purpose};

/// How long the state is watched after an answer that settles nothing.
const SETTLE: Duration = Duration::from_secs(600);
const POLL: Duration = Duration::from_millis(500);

/// The statement that brings the database online for good. No further log backup fits afterwards.
pub fn recover_statement(database: &str) -> Result<String> {
    Ok(format!("RESTORE DATABASE {} WITH RECOVERY", quote_name(database)?))
}

/// How recovery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovered {
    Now,
    /// It was online before; nothing was sent.
    Already,
}

/// Recovers the database that the permit names. The permit is used up.
///
/// The redo point is read once more right before: a database that stands elsewhere than the permit proved is not
/// recovered. Nothing ends the statement once it was sent, not even a dropped future; whatever was answered, the state
/// of the database decides.
///
/// # Errors
/// `PlanOutdated` (5005) where the redo point or the instance is another one; `DatabaseNotSecondary` (5004);
/// `StepNotVerified` (5015) where the database does not come online.
pub async fn recover(
    connector: &Connector,
    instance: &InstanceName,
    permit: RecoveryPermit,
    progress: &mut (dyn FnMut(RestoreProgress) + Send),
) -> Result<Recovered> {
    let database = permit.database().to_string();
    if permit.sql_instance() != instance.to_string() {
        return Err(outdated(instance, &database, format!("the permit was given for {}", permit.sql_instance())));
    }
    let mut work = connector.connect(instance, Purpose::Work).await?;
    match need(&mut work, &database).await?.state {
        DatabaseState::Online => return Ok(Recovered::Already),
        DatabaseState::Restoring => {}
        // A reader could make it fail half way; the lock-out comes first.
        DatabaseState::Standby => {
            return Err(Error::new(
                ErrorKind::DatabaseInUse,
                format!("{instance}: `{database}` is a standby copy and open to readers."),
            )
            .with_unchanged("The database was not recovered.")
            .with_next("End the connections first: `Stop-PChatConnection`.")
            .with_target(database.as_str()))
        }
        other => return Err(not_secondary(instance, &database, other)),
    }
    let redo = redo_point(&mut work, &database).await?;
    if redo.lsn != permit.redo_lsn() {
        let why = format!("it stands at LSN {}, and recovery was permitted at {}", redo.lsn, permit.redo_lsn());
        return Err(outdated(instance, &database, why));
    }
    let statement = recover_statement(&database)?;
    let ended = run_to_the_end(connector, work, "recovery", statement, progress).await;
    settle(connector, instance, &database, ended).await
}

/// Waits for a state that answers the question, since an error here may come after the fact.
async fn settle(
    connector: &Connector,
    instance: &InstanceName,
    database: &str,
    ended: Result<()>,
) -> Result<Recovered> {
    let end = Instant::now() + SETTLE;
    loop {
        let state = match connector.connect(instance, Purpose::Catalog).await {
            Ok(mut connection) => need(&mut connection, database).await.map(|facts| facts.state),
            Err(error) => Err(error),
        };
        let wait = match (&state, &ended) {
            (Ok(DatabaseState::Online), _) => return Ok(Recovered::Now),
            (Ok(DatabaseState::Recovering), _) => true,
            (Ok(_), Ok(())) => false,
            // The old session may still be at it: only a refusal is known to have ended.
            (Ok(_), Err(error)) => error.outcome_unknown() || is_transient(error),
            (Err(_), _) => true,
        };
        if !wait || Instant::now() >= end {
            let found = state.map_or_else(
                |error| format!("cannot be read ({})", error.message),
                |state| state.as_text().to_string(),
            );
            let error = match ended {
                Err(error) => error,
                Ok(()) => Error::new(
                    ErrorKind::StepNotVerified,
                    format!("{instance}: `{database}` did not come online; its state: {found}."),
                ),
            };
            return Err(error
                .with_unchanged("Removed log shipping and restored log backups stay as they are.")
                .with_next("Look into the instance's error log, then resume the run.")
                .with_target(database));
        }
        tokio::time::sleep(POLL).await;
    }
}

fn is_transient(error: &Error) -> bool {
    error.sql_number().is_some_and(|number| class_of(number) == SqlErrorClass::Transient)
}

fn outdated(instance: &InstanceName, database: &str, why: String) -> Error {
    Error::new(ErrorKind::PlanOutdated, format!("{instance}: `{database}` is not recovered: {why}."))
        .with_unchanged("The database was not recovered.")
        .with_next("Resume the run: it asks the gate again.")
        .with_target(database)
}
