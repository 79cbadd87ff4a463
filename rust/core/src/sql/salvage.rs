//! Saving what an old copy holds in one full backup, with nobody else in it, before it is overwritten.

use crate::error::Result;
use crate::names::ServerPath;
use crate::sql::class::{class_of, SqlErrorClass};
use crate::sql::connection::end_all_once;
use crate::sql::log_backup_job::full_backup_statement;
use crate::sql::quote::quote_name;
use crate::sql::statement::{alter_database_set, USE_MASTER};
use crate::sql::Connection;

const TRIES: u32 = 20;

/// One batch: nobody else in it, a full backup that leaves the chain alone, and out again.
pub fn save_full_statement(database: &str, file: &ServerPath) -> Result<String> {
    let name = quote_name(database)?;
    let single = alter_database_set(database, "SINGLE_USER WITH ROLLBACK IMMEDIATE")?;
    Ok(format!("USE {name}; {single}; {}; {USE_MASTER}", full_backup_statement(database, file, true)?))
}

/// Sends a statement of this file on a [`super::Purpose::Work`] connection; sessions that came back are ended in between.
///
/// # Errors
/// `DatabaseInUse` (3004) where they come back faster; else as SQL Server refuses it.
pub async fn run(work: &mut Connection, database: &str, statement: &str) -> Result<()> {
    let mut tries = 0;
    loop {
        tries += 1;
        let Err(error) = work.batch("saving an old copy", statement).await else { return Ok(()) };
        let in_use = error.sql_number().is_some_and(|number| class_of(number) == SqlErrorClass::EvictSessions);
        if !in_use || tries >= TRIES || !work.is_usable() {
            return Err(error);
        }
        work.batch("leaving the database", USE_MASTER).await?;
        end_all_once(work, database).await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_copy_is_saved_with_nobody_in_it_and_its_chain_left_alone() {
        let file = ServerPath::new(r"\\fs1\LogShip\o'x.bak");
        assert_eq!(
            save_full_statement("m]gc", &file).unwrap(),
            r"USE [m]]gc]; ALTER DATABASE [m]]gc] SET SINGLE_USER WITH ROLLBACK IMMEDIATE; BACKUP DATABASE [m]]gc] TO DISK = N'\\fs1\LogShip\o''x.bak' WITH COPY_ONLY, CHECKSUM; USE [master]"
        );
    }
}
