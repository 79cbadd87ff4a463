//! Saving what a copy holds in one full backup, with nobody else in it, before it is overwritten or closed.

use crate::error::{Error, Result};
use crate::names::ServerPath;
use crate::sql::backup::{backup_statement, BackupOrder, BackupWhat};
use crate::sql::class::{class_of, SqlErrorClass};
use crate::sql::connection::end_all_once;
use crate::sql::log_backup_job::full_backup_statement;
use crate::sql::offline::offline_statement;
use crate::sql::quote::{quote_literal, quote_name};
use crate::sql::statement::{alter_database_set, USE_MASTER};
use crate::sql::Connection;

const TRIES: u32 = 20;

/// Takes the only seat, and a full backup that leaves the chain alone, then goes on with `behind` from inside. Where somebody
/// else has the single user's seat (924) the batch does nothing.
fn seated_backup(database: &str, file: &ServerPath, behind: &str) -> Result<String> {
    let (name, literal) = (quote_name(database)?, quote_literal(database)?);
    let single = alter_database_set(database, "SINGLE_USER WITH ROLLBACK IMMEDIATE")?;
    let full = full_backup_statement(database, file, true)?;
    Ok(format!("USE {name}; IF DB_ID() = DB_ID({literal}) BEGIN {single}; {full}; {behind}; END"))
}

/// One batch: nobody else in it, a full backup that leaves the chain alone, and out again.
pub fn save_full_statement(database: &str, file: &ServerPath) -> Result<String> {
    seated_backup(database, file, USE_MASTER)
}

/// One batch: nobody else in it, a full backup, the log behind it, and closed from within. The seat is never left in between,
/// and what the second file has behind the first one tells whether anything was written all the same.
pub fn save_and_close_statement(database: &str, file: &ServerPath, closing: &ServerPath) -> Result<String> {
    let log =
        BackupOrder { database: database.to_string(), what: BackupWhat::Log, file: closing.clone(), copy_only: true };
    let (log, offline) = (backup_statement(&log)?, offline_statement(database)?);
    seated_backup(database, file, &format!("{log}; {offline}"))
}

/// Sends a batch of this file, once, on a [`super::Purpose::Work`] connection.
///
/// # Errors
/// As SQL Server refuses it.
pub async fn send(work: &mut Connection, statement: &str) -> Result<()> {
    work.batch("saving a copy with nobody in it", statement).await.map(drop)
}

/// Ends the sessions that stood in the way of try number `tries`. The next one needs new files: a batch may have written its
/// own before it was refused, and a backup appends to what is there.
///
/// # Errors
/// `error`, that of the try, where another one would be of no use.
pub async fn make_room(work: &mut Connection, database: &str, tries: u32, error: Error) -> Result<()> {
    let in_use = error.sql_number().is_some_and(|number| class_of(number) == SqlErrorClass::EvictSessions);
    if !in_use || tries >= TRIES || !work.is_usable() {
        return Err(error);
    }
    work.batch("leaving the database", USE_MASTER).await?;
    end_all_once(work, database).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_copy_is_saved_with_nobody_in_it_and_its_chain_left_alone() {
        let file = ServerPath::new(r"\\fs1\LogShip\o'x.bak");
        assert_eq!(
            save_full_statement("m]gc", &file).unwrap(),
            r"USE [m]]gc]; IF DB_ID() = DB_ID(N'm]gc') BEGIN ALTER DATABASE [m]]gc] SET SINGLE_USER WITH ROLLBACK IMMEDIATE; BACKUP DATABASE [m]]gc] TO DISK = N'\\fs1\LogShip\o''x.bak' WITH COPY_ONLY, CHECKSUM; USE [master]; END"
        );
    }

    #[test]
    fn the_seat_is_kept_from_the_backup_until_the_database_is_closed_from_within() {
        let (file, log) =
            (ServerPath::new(r"\\fs1\LogShip\o'x.bak"), ServerPath::new(r"\\fs1\LogShip\o'x_closing.bak"));
        assert_eq!(
            save_and_close_statement("m]gc", &file, &log).unwrap(),
            r"USE [m]]gc]; IF DB_ID() = DB_ID(N'm]gc') BEGIN ALTER DATABASE [m]]gc] SET SINGLE_USER WITH ROLLBACK IMMEDIATE; BACKUP DATABASE [m]]gc] TO DISK = N'\\fs1\LogShip\o''x.bak' WITH COPY_ONLY, CHECKSUM; BACKUP LOG [m]]gc] TO DISK = N'\\fs1\LogShip\o''x_closing.bak' WITH COPY_ONLY, CHECKSUM; ALTER DATABASE [m]]gc] SET OFFLINE WITH ROLLBACK IMMEDIATE; END"
        );
    }
}
