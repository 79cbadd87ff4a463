//! Restoring log backups. A call's answer is a hint; the redo point read back is the result.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::error::{Error, ErrorKind, Result};
use crate::names::{InstanceName, Lsn, ServerPath, Text};
use crate::sql::class::{class_of, SqlErrorClass};
use crate::sql::database::redo_lsn;
use crate::sql::quote::quote_name;
use crate::sql::statement::devices;
use crate::sql::{Connection, Connector, Purpose};

/// How often progress is asked for.
const POLL: Duration = Duration::from_millis(400);
/// How long an instance may stay away after a lost connection before the restore counts as failed.
const COME_BACK: Duration = Duration::from_secs(120);
/// Tries for errors that pass by themselves, and for a restore that was cut off.
const TRIES: u32 = 4;

/// One log backup to restore: all stripes of the set, and its place in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRestore {
    pub database: Text,
    /// As the instance opens them; more than one where the set is striped.
    pub paths: Vec<ServerPath>,
    /// `FILE =`.
    pub position: u32,
    /// The exclusive end of the set: the redo point afterwards.
    pub last_lsn: Lsn,
}

/// How far a statement is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RestoreProgress {
    pub percent: f64,
    pub seconds_remaining: Option<u64>,
}

/// What a restore did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogRestored {
    pub redo_before: Lsn,
    pub redo_after: Lsn,
    /// True where the database was past this set before.
    pub already: bool,
}

/// The statement that restores one log backup. NORECOVERY is always stated: the default is RECOVERY, which ends the chain.
pub fn restore_log_statement(restore: &LogRestore) -> Result<String> {
    if restore.paths.is_empty() || restore.position == 0 {
        return Err(Error::new(ErrorKind::InternalFault, "a restore has no file or no position."));
    }
    let (name, devices) = (quote_name(&restore.database)?, devices(&restore.paths)?);
    Ok(format!("RESTORE LOG {name} FROM {devices} WITH FILE = {}, NORECOVERY", restore.position))
}

/// Restores log backups one after the other on a connection that is kept between them.
pub struct Restorer<'a> {
    connector: &'a Connector,
    instance: InstanceName,
    work: Option<Connection>,
}

impl<'a> Restorer<'a> {
    pub fn new(connector: &'a Connector, instance: &InstanceName) -> Restorer<'a> {
        Restorer { connector, instance: instance.clone(), work: None }
    }

    /// Restores one log backup and reads the redo point back.
    ///
    /// A dropped future does not cut the statement off. Errors that pass are tried again; a restore that was cut off
    /// (4319) is repeated with the same file; after a lost connection the instance is asked what became of it.
    ///
    /// # Errors
    /// `DatabaseInUse` (3004) with 3101 where readers are inside: lock them out, then again. `LogBackupMissing` (4002),
    /// `LogBackupDamaged` (4003), `LogBackupUnreadable` (4006), `RecoveryPathDiffers` (4008). `StepNotVerified` (5015)
    /// where the statement succeeded but the redo point did not move.
    pub async fn log(
        &mut self,
        restore: &LogRestore,
        progress: &mut (dyn FnMut(RestoreProgress) + Send),
    ) -> Result<LogRestored> {
        let statement = restore_log_statement(restore)?;
        let redo_before = self.redo(&restore.database).await?;
        if redo_before >= restore.last_lsn {
            return Ok(LogRestored { redo_before, redo_after: redo_before, already: true });
        }
        let mut tries = 0;
        loop {
            tries += 1;
            let work = self.connection().await?;
            let ended =
                run_to_the_end_keeping(self.connector, work, "restoring a log backup", statement.clone(), progress)
                    .await;
            let (kept, ended) = ended;
            self.work = kept;
            let redo_after = match &ended {
                Err(error) if error.outcome_unknown() => self.redo_when_back(&restore.database, error).await?,
                _ => self.redo(&restore.database).await?,
            };
            if redo_after >= restore.last_lsn {
                return Ok(LogRestored { redo_before, redo_after, already: false });
            }
            let error = match ended {
                Err(error) => error,
                Ok(()) => return Err(self.not_moved(restore, redo_after)),
            };
            if tries >= TRIES || !may_repeat(&error) {
                return Err(
                    error.with_unchanged(format!("`{}` stays as it was, at LSN {redo_after}.", restore.database))
                );
            }
            tokio::time::sleep(Duration::from_millis(250 * u64::from(tries) * u64::from(tries))).await;
        }
    }

    async fn connection(&mut self) -> Result<Connection> {
        match self.work.take().filter(Connection::is_usable) {
            Some(work) => Ok(work),
            None => self.connector.connect(&self.instance, Purpose::Work).await,
        }
    }

    async fn redo(&mut self, database: &str) -> Result<Lsn> {
        let mut work = self.connection().await?;
        let redo = redo_lsn(&mut work, database).await?;
        self.work = Some(work);
        Ok(redo)
    }

    /// The redo point once the instance answers again and no restore of the lost session is left.
    async fn redo_when_back(&mut self, database: &str, lost: &Error) -> Result<Lsn> {
        let end = Instant::now() + COME_BACK;
        loop {
            self.work = None;
            let asked = async {
                let mut connection = self.connector.connect(&self.instance, Purpose::Catalog).await?;
                if restore_is_running(&mut connection, database).await? {
                    return Ok(None);
                }
                Ok(Some(redo_lsn(&mut connection, database).await?))
            };
            match asked.await {
                Ok(Some(lsn)) => return Ok(lsn),
                Ok(None) => {}
                Err(error) if is_final(&error) => return Err(error),
                Err(_) if Instant::now() >= end => return Err(lost.clone()),
                Err(_) => {}
            }
            tokio::time::sleep(POLL).await;
        }
    }

    fn not_moved(&self, restore: &LogRestore, redo: Lsn) -> Error {
        Error::new(
            ErrorKind::StepNotVerified,
            format!(
                "{}: the restore was answered as done, but `{}` stands at LSN {redo} instead of {}.",
                self.instance, restore.database, restore.last_lsn
            ),
        )
        .with_next("Read the list of log backups again; do not recover.")
        .with_target(restore.database.as_str())
    }
}

/// True where a second statement of the same text can help and does no harm.
fn may_repeat(error: &Error) -> bool {
    match error.sql_number() {
        Some(number) => match class_of(number) {
            // 3201 tells "in use" and "network" apart from "missing" only in its text; opening again is harmless.
            SqlErrorClass::Transient | SqlErrorClass::FileNotOpened => true,
            SqlErrorClass::Resume => number == 4319,
            _ => false,
        },
        None => error.outcome_unknown(),
    }
}

fn is_final(error: &Error) -> bool {
    matches!(
        error.kind,
        ErrorKind::LoginFailed
            | ErrorKind::CertificateNotTrusted
            | ErrorKind::RedoPointUnknown
            | ErrorKind::PermissionMissing
    )
}

/// True while any session restores this database.
///
/// # Source
/// A RESTORE holds the database exclusively: `sys.dm_tran_locks`, resource_type DATABASE, request_mode X.
pub async fn restore_is_running(connection: &mut Connection, database: &str) -> Result<bool> {
    let statement = "SELECT CAST(COUNT(*) AS int) AS found FROM master.sys.dm_tran_locks l \
        JOIN master.sys.databases d ON d.database_id = l.resource_database_id \
        WHERE d.name = @P1 AND l.resource_type = N'DATABASE' AND l.request_mode = N'X' AND l.request_status = N'GRANT'";
    let row = connection.row("looking for a running restore", statement, &[&database]).await?;
    Ok(row.map(|row| row.need_int("found")).transpose()?.unwrap_or_default() > 0)
}

/// How far a session's statement is; `None` where it runs none, or tells nothing.
///
/// # Source
/// `sys.dm_exec_requests`: percent_complete; estimated_completion_time is in milliseconds in practice.
pub async fn progress_of(connection: &mut Connection, spid: i32) -> Result<Option<RestoreProgress>> {
    let statement = "SELECT CAST(r.percent_complete AS float) AS percent_complete, \
        CAST(r.estimated_completion_time AS bigint) AS remaining_ms FROM master.sys.dm_exec_requests r WHERE r.session_id = @P1";
    let row = connection.row("asking for progress", statement, &[&spid]).await?;
    let Some(row) = row else { return Ok(None) };
    let Some(percent) = row.real("percent_complete")? else { return Ok(None) };
    let remaining = row.int("remaining_ms")?.filter(|ms| *ms > 0);
    Ok(Some(RestoreProgress {
        percent: percent.clamp(0.0, 100.0),
        seconds_remaining: remaining.map(|ms| ms.unsigned_abs() / 1000),
    }))
}

/// Runs a long statement; see [`run_to_the_end_keeping`].
pub(super) async fn run_to_the_end(
    connector: &Connector,
    work: Connection,
    doing: &'static str,
    statement: String,
    progress: &mut (dyn FnMut(RestoreProgress) + Send),
) -> Result<()> {
    run_to_the_end_keeping(connector, work, doing, statement, progress).await.1
}

/// Runs a long statement in a task of its own, so that a dropped future does not close its connection and thereby cut it
/// off, and asks for progress on a second connection. Hands the first connection back where it is still good.
pub(super) async fn run_to_the_end_keeping(
    connector: &Connector,
    mut work: Connection,
    doing: &'static str,
    statement: String,
    progress: &mut (dyn FnMut(RestoreProgress) + Send),
) -> (Option<Connection>, Result<()>) {
    let (instance, spid) = (work.instance().clone(), work.spid());
    let (done, mut ended) = oneshot::channel();
    tokio::spawn(async move {
        let answer = work.batch(doing, &statement).await.map(|_| ());
        // Nobody may be waiting any more; the statement has run all the same.
        let _ = done.send((work, answer));
    });
    let mut watch: Option<Connection> = None;
    let mut watch_failed = false;
    loop {
        tokio::select! {
            biased;
            answer = &mut ended => return match answer {
                Ok((work, answer)) => (Some(work).filter(Connection::is_usable), answer),
                Err(_) => (None, Err(super::fault::panicked(&instance, doing))),
            },
            () = tokio::time::sleep(POLL) => {}
        }
        if watch_failed {
            continue;
        }
        // Progress is a courtesy: its failures never touch the statement, and it never delays the answer.
        let look = async {
            if watch.is_none() {
                watch = Some(connector.connect(&instance, Purpose::Catalog).await?);
            }
            match watch.as_mut() {
                Some(connection) => progress_of(connection, spid).await,
                None => Ok(None),
            }
        };
        let seen = tokio::select! {
            biased;
            answer = &mut ended => return match answer {
                Ok((work, answer)) => (Some(work).filter(Connection::is_usable), answer),
                Err(_) => (None, Err(super::fault::panicked(&instance, doing))),
            },
            seen = look => seen,
        };
        match seen {
            Ok(Some(seen)) => progress(seen),
            Ok(None) => {}
            Err(_) => watch_failed = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn restore(paths: &[&str], position: u32) -> LogRestore {
        LogRestore {
            database: "mgc".into(),
            paths: paths.iter().map(|path| ServerPath::new(*path)).collect(),
            position,
            last_lsn: Lsn::ZERO,
        }
    }

    #[test]
    fn norecovery_is_always_stated() {
        assert_eq!(
            restore_log_statement(&restore(&["E:\\LSCopy\\mgc_20260314021500.trn"], 1)).unwrap(),
            "RESTORE LOG [mgc] FROM DISK = N'E:\\LSCopy\\mgc_20260314021500.trn' WITH FILE = 1, NORECOVERY"
        );
        assert_eq!(
            restore_log_statement(&restore(&["E:\\a.trn", "E:\\b.trn"], 3)).unwrap(),
            "RESTORE LOG [mgc] FROM DISK = N'E:\\a.trn', DISK = N'E:\\b.trn' WITH FILE = 3, NORECOVERY"
        );
        assert!(restore_log_statement(&restore(&[], 1)).is_err());
    }

    #[test]
    fn only_what_passes_by_itself_is_tried_again() {
        let with = |number: u32| {
            let sql = crate::error::SqlServerError {
                number,
                severity: 16,
                state: 1,
                line: 1,
                server: String::new(),
                procedure: String::new(),
                message: String::new(),
            };
            Error::new(ErrorKind::SqlServerRefused, "x").with_sql(sql)
        };
        assert!(may_repeat(&with(4319)) && may_repeat(&with(1222)) && may_repeat(&with(3201)));
        assert!(
            !may_repeat(&with(3101))
                && !may_repeat(&with(4305))
                && !may_repeat(&with(4347))
                && !may_repeat(&with(3241))
        );
    }
}
