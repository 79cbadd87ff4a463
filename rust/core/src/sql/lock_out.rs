//! Closing a STANDBY copy to its readers, and opening it again.
//!
//! A RESTORING database lets nobody in; a STANDBY copy has readers, and RESTORE is refused while one is inside (3101).

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::Instant;

use crate::error::{Error, ErrorKind, Result};
use crate::host::Cancel;
use crate::names::{InstanceName, ServerPath};
use crate::sql::class::{class_of, SqlErrorClass};
use crate::sql::database::{need, DatabaseState};
use crate::sql::quote::{quote_name, quote_path};
use crate::sql::statement::USE_MASTER;
use crate::sql::{connection, Connection, Connector, Purpose};

/// Between two attempts; clients that reconnect do so within this time anyway.
const PAUSE: Duration = Duration::from_millis(50);

/// From STANDBY to RESTORING in one batch: this session takes the only seat, and hands it to the restore at once.
pub fn lock_out_statement(database: &str) -> Result<String> {
    let name = quote_name(database)?;
    Ok(format!(
        "USE {name}; ALTER DATABASE {name} SET SINGLE_USER WITH ROLLBACK IMMEDIATE; {USE_MASTER}; RESTORE DATABASE {name} WITH NORECOVERY"
    ))
}

/// How a lock-out went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockedOut {
    /// True where the database was RESTORING before.
    pub already: bool,
    pub attempts: u32,
    /// Those that were seen inside before an attempt; by then all of them are out. One that came and went unseen is not
    /// counted.
    pub sessions_ended: u32,
}

/// Runs [`lock_out_statement`] until the database is RESTORING; ends sessions in between. On a connection of its own.
///
/// # Errors
/// `DatabaseInUse` (3004) when the limit passed; `DatabaseNotSecondary` (5004) for any other state; `Cancelled` (1007)
/// before an attempt.
pub async fn end_standby(
    connector: &Connector,
    instance: &InstanceName,
    database: &str,
    limit: Duration,
    cancel: &Cancel,
) -> Result<LockedOut> {
    let end = Instant::now() + limit;
    let statement = lock_out_statement(database)?;
    let mut outcome = LockedOut { already: false, attempts: 0, sessions_ended: 0 };
    let mut seen = HashSet::new();
    let mut work = connector.connect(instance, Purpose::Work).await?;
    loop {
        match need(&mut work, database).await?.state {
            DatabaseState::Restoring => {
                outcome.already = outcome.attempts == 0;
                outcome.sessions_ended = seen.len() as u32;
                work.close().await;
                return Ok(outcome);
            }
            DatabaseState::Standby => {}
            other => return Err(not_secondary(instance, database, other)),
        }
        let inside = connection::list(&mut work, database).await?;
        let others = inside.into_iter().filter(|session| session.is_user && !session.is_own);
        seen.extend(others.map(|session| (session.spid, session.logged_in_at)));
        cancel.check()?;
        outcome.attempts += 1;
        let refused = match work.batch("closing the standby copy", &statement).await {
            Ok(_) => continue,
            Err(error) => error,
        };
        // After a refusal in the middle, our own session may be the one inside.
        if !work.is_usable() || work.batch("leaving the database", USE_MASTER).await.is_err() {
            work = connector.connect(instance, Purpose::Work).await?;
        }
        if need(&mut work, database).await?.state == DatabaseState::Restoring {
            continue;
        }
        let may_repeat = refused.outcome_unknown()
            || refused
                .sql_number()
                .is_some_and(|n| matches!(class_of(n), SqlErrorClass::EvictSessions | SqlErrorClass::Transient));
        if !may_repeat {
            return Err(refused.with_unchanged(format!("`{database}` is still a standby copy.")));
        }
        if Instant::now() >= end {
            return Err(Error {
                kind: ErrorKind::DatabaseInUse,
                message: format!(
                    "{instance}: sessions came back into `{database}` faster than they could be ended, {} attempts long.",
                    outcome.attempts
                ),
                ..refused
            }
            .with_unchanged(format!("`{database}` is still a standby copy."))
            .with_next("Stop the services and tools that read from it, then resume."));
        }
        connection::end_all_once(&mut work, database).await?;
        tokio::time::sleep(PAUSE).await;
    }
}

/// From RESTORING back to STANDBY, for a run that is given up.
pub fn return_to_standby_statement(database: &str, undo_file: &ServerPath) -> Result<String> {
    Ok(format!("RESTORE DATABASE {} WITH STANDBY = {}", quote_name(database)?, quote_path(undo_file)?))
}

/// Runs [`return_to_standby_statement`] unless the database is STANDBY already.
///
/// # Errors
/// `DatabaseNotSecondary` (5004), `StepNotVerified` (5015).
pub async fn return_to_standby(work: &mut Connection, database: &str, undo_file: &ServerPath) -> Result<()> {
    match need(work, database).await?.state {
        DatabaseState::Standby => return Ok(()),
        DatabaseState::Restoring => {}
        other => return Err(not_secondary(work.instance(), database, other)),
    }
    work.batch("returning the database to standby", &return_to_standby_statement(database, undo_file)?).await?;
    match need(work, database).await?.state {
        DatabaseState::Standby => Ok(()),
        other => Err(Error::new(
            ErrorKind::StepNotVerified,
            format!("{}: `{database}` is {} instead of standby.", work.instance(), other.as_text()),
        )
        .with_target(database)),
    }
}

pub(super) fn not_secondary(instance: &InstanceName, database: &str, state: DatabaseState) -> Error {
    Error::new(
        ErrorKind::DatabaseNotSecondary,
        format!("{instance}: `{database}` is {}, neither restoring nor standby.", state.as_text()),
    )
    .with_unchanged("Nothing was changed.")
    .with_next("Check that this is the backup instance and that the database was not recovered before.")
    .with_target(database)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_out_is_one_batch_that_ends_outside_the_database() {
        assert_eq!(
            lock_out_statement("m]c").unwrap(),
            "USE [m]]c]; ALTER DATABASE [m]]c] SET SINGLE_USER WITH ROLLBACK IMMEDIATE; USE [master]; RESTORE DATABASE [m]]c] WITH NORECOVERY"
        );
    }

    #[test]
    fn the_way_back_names_its_undo_file() {
        assert_eq!(
            return_to_standby_statement("mgc", &ServerPath::new("E:\\LSCopy\\o'x.tuf")).unwrap(),
            "RESTORE DATABASE [mgc] WITH STANDBY = N'E:\\LSCopy\\o''x.tuf'"
        );
    }
}
