//! Opening a database to everybody where somebody sits on its only seat.

use std::time::Duration;

use tokio::time::Instant;

use crate::error::{Error, ErrorKind, Result};
use crate::sql::class::{class_of, SqlErrorClass};
use crate::sql::connection::{kill_statement, list, may_be_ended};
use crate::sql::database::{multi_user_statement, need, UserAccess};
use crate::sql::Connection;

/// Sets MULTI_USER, and reads it back. The lock-out leaves the database in SINGLE_USER, and the first client that comes
/// back takes the seat (5064): it is ended and the mode set in one batch, again and again within the limit.
///
/// # Errors
/// `DatabaseInUse` (3004) when the limit passed; those of the statement.
pub async fn open_to_all(connection: &mut Connection, database: &str, limit: Duration) -> Result<()> {
    let end = Instant::now() + limit;
    let statement = multi_user_statement(database)?;
    let mut refused: Option<Error> = None;
    loop {
        if need(connection, database).await?.user_access == UserAccess::MultiUser {
            return Ok(());
        }
        if Instant::now() >= end {
            let error = refused.unwrap_or_else(|| {
                Error::new(
                    ErrorKind::StepNotVerified,
                    format!("{}: `{database}` is not open to all users.", connection.instance()),
                )
            });
            return Err(error.with_next(
                "Stop the clients that reconnect, run `ALTER DATABASE … SET MULTI_USER` on the instance, then resume.",
            ));
        }
        let mut batch = String::new();
        if refused.is_some() {
            let sessions = list(connection, database).await?;
            for session in sessions.iter().filter(|session| session.is_inside && may_be_ended(session)) {
                batch.push_str(&kill_statement(session.spid));
                batch.push_str("; ");
            }
        }
        batch.push_str(&statement);
        if let Err(error) = connection.batch("opening the database to all users", &batch).await {
            let may_repeat = error.sql_number().is_some_and(|number| {
                // 6106, 6107: the session had gone, and its id is somebody else's.
                matches!(number, 6106 | 6107)
                    || matches!(class_of(number), SqlErrorClass::EvictSessions | SqlErrorClass::Transient)
            });
            if !may_repeat {
                return Err(error);
            }
            refused = Some(error);
        }
    }
}
