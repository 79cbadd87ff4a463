//! Taking a database offline, and bringing it back.

use crate::error::{Error, ErrorKind, Result};
use crate::sql::database::{need, DatabaseState};
use crate::sql::statement::alter_database_set;
use crate::sql::Connection;

/// Ends all sessions and closes the database. Its files stay; a backup of it is refused (942) until it is online again.
pub fn offline_statement(database: &str) -> Result<String> {
    alter_database_set(database, "OFFLINE WITH ROLLBACK IMMEDIATE")
}

/// Opens the database again.
pub fn online_statement(database: &str) -> Result<String> {
    alter_database_set(database, "ONLINE")
}

/// Runs [`offline_statement`] unless the database is offline, and reads the state again.
///
/// # Errors
/// `StepNotVerified` (5015) where it is not offline though the call succeeded; else as SQL Server refuses it.
pub async fn set_offline(work: &mut Connection, database: &str) -> Result<()> {
    reach(work, database, DatabaseState::Offline, &offline_statement(database)?).await
}

/// Runs [`online_statement`] unless the database is online, and reads the state again.
///
/// # Errors
/// As [`set_offline`].
pub async fn set_online(work: &mut Connection, database: &str) -> Result<()> {
    reach(work, database, DatabaseState::Online, &online_statement(database)?).await
}

async fn reach(work: &mut Connection, database: &str, wanted: DatabaseState, statement: &str) -> Result<()> {
    if need(work, database).await?.state == wanted {
        return Ok(());
    }
    let sent = work.batch("changing the database's state", statement).await;
    let found = need(work, database).await?.state;
    match sent {
        _ if found == wanted => Ok(()),
        Err(error) => Err(error.with_unchanged(format!("`{database}` is {}.", found.as_text()))),
        Ok(_) => Err(Error::new(
            ErrorKind::StepNotVerified,
            format!("{}: `{database}` is {} instead of {}.", work.instance(), found.as_text(), wanted.as_text()),
        )
        .with_next("Look into the instance's error log, then run the command again.")
        .with_target(database)),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_database_is_quoted() {
        assert_eq!(
            super::offline_statement("m]gc").unwrap(),
            "ALTER DATABASE [m]]gc] SET OFFLINE WITH ROLLBACK IMMEDIATE"
        );
        assert_eq!(super::online_statement("mgc").unwrap(), "ALTER DATABASE [mgc] SET ONLINE");
    }
}
