//! Taking backups: full, log, and the tail of the log. Every attempt writes a new file; none is appended to or overwritten.

use std::time::Duration;

use chrono::NaiveDateTime;

use crate::error::{Error, ErrorKind, Result};
use crate::names::{InstanceName, ServerPath};
use crate::sql::backup_file::{self, HeaderAnswer};
use crate::sql::class::{class_of, SqlErrorClass};
use crate::sql::database::{need, DatabaseState};
use crate::sql::quote::quote_name;
use crate::sql::restore::{run_to_the_end_keeping, RestoreProgress};
use crate::sql::statement::{alter_database_set, devices, USE_MASTER};
use crate::sql::{connection, file, Connection, Connector, Purpose};

/// How long an instance may stay away after a lost connection before a backup counts as failed.
const COME_BACK: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(500);

/// What is backed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackupWhat {
    Database,
    Log,
    /// The last of the log; the database is RESTORING afterwards.
    Tail,
    /// The log of a database whose data files are damaged: what can be saved of it. Others can still write to it.
    Salvage,
}

/// One backup into one new file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupOrder {
    pub database: String,
    pub what: BackupWhat,
    pub file: ServerPath,
    /// Leaves the chain of log backups and the differential base alone.
    pub copy_only: bool,
}

impl BackupOrder {
    /// True where the statement takes the database from its users.
    pub fn needs_it_alone(&self) -> bool {
        self.what == BackupWhat::Tail
    }
}

/// The statement of a backup.
///
/// CHECKSUM is always asked for but in a salvage, whose pages are known to be damaged. NO_TRUNCATE stands for COPY_ONLY and
/// CONTINUE_AFTER_ERROR.
///
/// # Source
/// "BACKUP (Transact-SQL)", "Tail-Log Backups".
pub fn backup_statement(order: &BackupOrder) -> Result<String> {
    let kind = if order.what == BackupWhat::Database { "DATABASE" } else { "LOG" };
    let mut options: Vec<&str> = Vec::new();
    if order.copy_only && order.what != BackupWhat::Salvage {
        options.push("COPY_ONLY");
    }
    options.push(match order.what {
        BackupWhat::Database | BackupWhat::Log => "CHECKSUM",
        BackupWhat::Tail => "CHECKSUM, NORECOVERY",
        BackupWhat::Salvage => "NO_TRUNCATE",
    });
    let (name, to) = (quote_name(&order.database)?, devices(std::slice::from_ref(&order.file))?);
    Ok(format!("BACKUP {kind} {name} TO {to} WITH {}", options.join(", ")))
}

/// The batch that is sent: a tail takes the only seat first, hands it to the backup at once, and leaves nobody a gap longer
/// than that.
pub fn batch_of(order: &BackupOrder) -> Result<String> {
    if !order.needs_it_alone() {
        return backup_statement(order);
    }
    let name = quote_name(&order.database)?;
    let single = alter_database_set(&order.database, "SINGLE_USER WITH ROLLBACK IMMEDIATE")?;
    Ok(format!("USE {name}; {single}; {USE_MASTER}; {}", backup_statement(order)?))
}

/// The name of a backup: `mgc_20260314021500.trn`, as log shipping names its own, in UTC.
pub fn backup_name(database: &str, what: BackupWhat, at_utc: NaiveDateTime) -> String {
    let extension = if what == BackupWhat::Database { "bak" } else { "trn" };
    super::log_backup_job::file_name(database, at_utc, extension)
}

/// How one attempt ended.
#[derive(Debug)]
pub enum Attempt {
    /// The file is there and says what it holds.
    Taken(Box<crate::log_chain::Header>),
    /// Sessions came back before the tail was taken (3101, 5064 …). Nothing was written, or a file that is no backup: the
    /// next attempt takes another name.
    InUse(Error),
}

/// Makes one attempt. Sessions that stand in the way of a tail are ended before it. Nothing ends the statement once it was
/// sent, not even a dropped future; an answer that was lost is settled from the file's header, and for a tail also from the
/// database's state.
///
/// # Errors
/// `FileExists` (4010) where the name is taken; `StepNotVerified` (5015) where the file does not hold what was ordered; else
/// as SQL Server refuses it.
pub async fn take(
    connector: &Connector,
    instance: &InstanceName,
    order: &BackupOrder,
    progress: &mut (dyn FnMut(RestoreProgress) + Send),
) -> Result<Attempt> {
    let batch = batch_of(order)?;
    let mut work = connector.connect(instance, Purpose::Work).await?;
    if file::look(&mut work, &order.file).await? != (file::PathState::Absent { parent_exists: true }) {
        return Err(name_taken(&mut work, order).await?);
    }
    if order.needs_it_alone() && need(&mut work, &order.database).await?.state == DatabaseState::Online {
        connection::end_all_once(&mut work, &order.database).await?;
    }
    let (kept, ended) = run_to_the_end_keeping(connector, work, "taking a backup", batch, progress).await;
    let error = match ended {
        Ok(()) => None,
        Err(error) if order.needs_it_alone() && is_in_use(&error) => {
            // After a refusal in the middle, our own session may be the one inside.
            drop(kept);
            return Ok(Attempt::InUse(error));
        }
        Err(error) if !error.outcome_unknown() => return Err(error),
        Err(error) => Some(error),
    };
    settle(connector, instance, order, error).await.map(Attempt::Taken)
}

fn is_in_use(error: &Error) -> bool {
    error.sql_number().is_some_and(|number| class_of(number) == SqlErrorClass::EvictSessions)
}

async fn name_taken(work: &mut Connection, order: &BackupOrder) -> Result<Error> {
    let folder = order.file.parent().unwrap_or_else(|| order.file.clone());
    let (kind, message, next) = match file::look(work, &folder).await? {
        file::PathState::Folder => (
            ErrorKind::FileExists,
            format!("{}: `{}` exists; a backup is never written over another file.", work.instance(), order.file),
            "Run the command again: the next second has another name.",
        ),
        _ => (
            ErrorKind::LogBackupUnreadable,
            format!(
                "{}: the folder `{folder}` is not there, or SQL Server's service account may not read it.",
                work.instance()
            ),
            "Give a folder that the service account can write to.",
        ),
    };
    Ok(Error::new(kind, message)
        .with_unchanged("No backup was taken.")
        .with_next(next)
        .with_target(order.file.as_str()))
}

/// What the file holds, once the instance tells it. With a lost answer it is asked until it answers.
async fn settle(
    connector: &Connector,
    instance: &InstanceName,
    order: &BackupOrder,
    lost: Option<Error>,
) -> Result<Box<crate::log_chain::Header>> {
    let end = tokio::time::Instant::now() + COME_BACK;
    loop {
        match (read_back(connector, instance, order).await, &lost) {
            (Ok(Ok(header)), _) => return Ok(header),
            (Ok(Err(why)), None) => return Err(why),
            (Err(error), None) => return Err(error),
            (Ok(Err(_)) | Err(_), Some(lost)) if tokio::time::Instant::now() >= end => return Err(lost.clone()),
            // The old session may still be writing.
            (Ok(Err(_)) | Err(_), Some(_)) => tokio::time::sleep(POLL).await,
        }
    }
}

async fn read_back(
    connector: &Connector,
    instance: &InstanceName,
    order: &BackupOrder,
) -> Result<Result<Box<crate::log_chain::Header>>> {
    let mut connection = connector.connect(instance, Purpose::Files).await?;
    let wrong = |why: String| {
        Error::new(
            ErrorKind::StepNotVerified,
            format!("{instance}: `{}` is not the backup that was ordered: {why}.", order.file),
        )
        .with_next("Look at the instance's error log; take another backup before relying on this one.")
        .with_target(order.file.as_str())
    };
    let headers = match backup_file::read_headers(&mut connection, &order.file).await? {
        HeaderAnswer::Read(headers) => headers,
        HeaderAnswer::Trouble(_, error) => return Ok(Err(error)),
    };
    let state = need(&mut connection, &order.database).await?.state;
    connection.close().await;
    let wanted = match order.what {
        BackupWhat::Database => crate::log_chain::BackupType::Database,
        _ => crate::log_chain::BackupType::Log,
    };
    Ok(match <[_; 1]>::try_from(headers) {
        Err(headers) => Err(wrong(format!("it has {} sets", headers.len()))),
        Ok([header]) if header.backup_type != wanted || header.database_name != order.database => {
            Err(wrong(format!("it holds another backup, of `{}`", header.database_name)))
        }
        Ok([header]) if order.needs_it_alone() && !header.is_tail => Err(wrong("it is no tail of the log".to_string())),
        Ok(_) if order.needs_it_alone() && state != DatabaseState::Restoring => {
            Err(wrong(format!("the database is {} behind it", state.as_text())))
        }
        Ok([header]) => Ok(Box::new(header)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(what: BackupWhat, copy_only: bool) -> BackupOrder {
        BackupOrder { database: "m]gc".into(), what, file: ServerPath::new(r"\\fs1\LogShip\o'x.trn"), copy_only }
    }

    #[test]
    fn each_kind_has_its_statement_and_every_name_is_quoted() {
        let text = |what, copy_only| backup_statement(&order(what, copy_only)).unwrap();
        let begin = r"BACKUP LOG [m]]gc] TO DISK = N'\\fs1\LogShip\o''x.trn' WITH ";
        assert_eq!(
            text(BackupWhat::Database, true),
            r"BACKUP DATABASE [m]]gc] TO DISK = N'\\fs1\LogShip\o''x.trn' WITH COPY_ONLY, CHECKSUM"
        );
        assert_eq!(text(BackupWhat::Log, false), format!("{begin}CHECKSUM"));
        assert_eq!(text(BackupWhat::Log, true), format!("{begin}COPY_ONLY, CHECKSUM"));
        assert_eq!(text(BackupWhat::Tail, false), format!("{begin}CHECKSUM, NORECOVERY"));
        assert_eq!(text(BackupWhat::Salvage, true), format!("{begin}NO_TRUNCATE"));
        for what in [BackupWhat::Database, BackupWhat::Log, BackupWhat::Tail, BackupWhat::Salvage] {
            let statement = text(what, false);
            assert!(!statement.contains("INIT") && !statement.contains("FORMAT"), "{statement}");
        }
    }

    #[test]
    fn a_tail_takes_the_only_seat_in_the_same_batch() {
        assert_eq!(
            batch_of(&order(BackupWhat::Tail, false)).unwrap(),
            r"USE [m]]gc]; ALTER DATABASE [m]]gc] SET SINGLE_USER WITH ROLLBACK IMMEDIATE; USE [master]; BACKUP LOG [m]]gc] TO DISK = N'\\fs1\LogShip\o''x.trn' WITH CHECKSUM, NORECOVERY"
        );
        let log = order(BackupWhat::Log, false);
        assert_eq!(batch_of(&log).unwrap(), backup_statement(&log).unwrap());
    }

    #[test]
    fn names_are_those_of_log_shipping() {
        let at = NaiveDateTime::parse_from_str("2026-03-14T02:15:09", "%Y-%m-%dT%H:%M:%S").unwrap();
        assert_eq!(backup_name("mgc", BackupWhat::Tail, at), "mgc_20260314021509.trn");
        assert_eq!(backup_name("mgc", BackupWhat::Database, at), "mgc_20260314021509.bak");
    }
}
