//! Following the log backups of an instance: what its msdb remembers behind a redo point, each looked at through the eyes of
//! the instance that restores it.

use serde::{Deserialize, Serialize};

use super::history::{log_backups_behind, HistorySet};
use super::Run;
use crate::error::{Error, ErrorKind, Result};
use crate::journal::crash_points;
use crate::log_chain::BackupType;
use crate::names::{InstanceName, Lsn};
use crate::sql::backup_file::{read_headers, HeaderAnswer};
use crate::sql::restore::{restore_log_statement, LogRestore, RestoreProgress, Restorer};
use crate::sql::{backup_history, database, file, Connection, Purpose};

/// A log backup behind a redo point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FollowingLog {
    pub set: HistorySet,
    /// `FILE =` within its file.
    pub position: u32,
    /// Why the instance cannot restore it; `None` where it can.
    pub trouble: Option<String>,
}

/// The history that the partners of a pair remember together: after a change of roles each has a part of it. Whole for the
/// first, only what it took itself for the others.
pub(crate) async fn history(run: &Run, pair: &[InstanceName]) -> Result<Vec<HistorySet>> {
    let mut sets = Vec::new();
    for (at, instance) in pair.iter().enumerate() {
        let mut connection = run.connect_to(instance, Purpose::Catalog).await?;
        let read = backup_history::read(&mut connection, run.database()).await?;
        sets.extend(read.into_iter().filter(|set| at == 0 || set.is_own));
        connection.close().await;
    }
    sets.sort_by_key(|set| (set.first_lsn, set.last_lsn));
    Ok(sets)
}

/// The backup and its mirror, as far as that is locked.
pub(crate) async fn source_pair(run: &Run) -> Vec<InstanceName> {
    run.locked(run.work.names.backup_pair()).await
}

/// A log backup of the history, as an instance reads it: the very set, or the trouble with it.
///
/// # Errors
/// What says nothing about the file.
pub(crate) async fn look_at(connection: &mut Connection, set: &HistorySet) -> Result<FollowingLog> {
    let of = |position: u32, trouble: Option<String>| FollowingLog { set: set.clone(), position, trouble };
    let Some(path) = &set.path else {
        return Ok(of(1, Some("msdb does not tell its file".to_string())));
    };
    // A path of another machine's disk may name a file here too: only the set itself counts, below.
    if !path.is_unc() && file::look(connection, path).await? != file::PathState::File {
        return Ok(of(1, Some(format!("{path} lies on a disk of the instance that took it"))));
    }
    match read_headers(connection, path).await? {
        HeaderAnswer::Trouble(trouble, _) => Ok(of(1, Some(trouble.why().to_string()))),
        HeaderAnswer::Read(headers) => {
            let same = headers.iter().find(|header| {
                header.backup_type == BackupType::Log
                    && (header.first_lsn, header.last_lsn) == (set.first_lsn, set.last_lsn)
                    && header.last_fork_id == set.last_fork_id
            });
            Ok(match same {
                Some(header) => of(header.position, None),
                None => of(1, Some(format!("{path} holds another backup"))),
            })
        }
    }
}

/// Restores on the primary what the backup has behind the primary's redo point, in order; how many.
///
/// # Errors
/// As [`follow`].
pub(crate) async fn source(run: &Run) -> Result<usize> {
    let history = history(run, &source_pair(run).await).await?;
    follow(run, &run.work.names.primary, &history).await
}

/// Restores on an instance what a history has behind its redo point, in order; how many.
///
/// # Errors
/// `LogBackupMissing` (4002), `LogBackupUnreadable` (4006); those of the restore.
pub(crate) async fn follow(run: &Run, instance: &InstanceName, history: &[HistorySet]) -> Result<usize> {
    let mut connection = run.connect_to(instance, Purpose::Files).await?;
    let redo = database::redo_point(&mut connection, run.database()).await?.lsn;
    let mut logs = Vec::new();
    for set in log_backups_behind(history, redo) {
        logs.push(look_at(&mut connection, set).await?);
    }
    connection.close().await;
    restore_all(run, instance, redo, &logs).await
}

async fn restore_all(run: &Run, instance: &InstanceName, redo: Lsn, logs: &[FollowingLog]) -> Result<usize> {
    let mut restorer = Restorer::new(run.session.connector(), instance);
    let (mut at, mut count) = (redo, 0);
    for log in logs {
        let path = log.set.path.clone().filter(|_| log.trouble.is_none()).ok_or_else(|| unreadable(instance, log))?;
        if log.set.first_lsn > at {
            return Err(Error::new(
                ErrorKind::LogBackupMissing,
                format!("{instance}: no log backup is known from LSN {at} to {}.", log.set.first_lsn),
            )
            .with_next("Find it, then run `Resume-PChatRun`; or give the run up while that is possible."));
        }
        let restore = LogRestore {
            database: run.database().into(),
            paths: vec![path],
            position: log.position,
            last_lsn: log.set.last_lsn,
        };
        restore_one(run, instance, &mut restorer, &restore).await?;
        at = at.max(log.set.last_lsn);
        count += 1;
    }
    Ok(count)
}

/// Restores one log backup, in the journal before and after.
///
/// # Errors
/// Those of the restore.
pub(crate) async fn restore_one(
    run: &Run,
    instance: &InstanceName,
    restorer: &mut Restorer<'_>,
    restore: &LogRestore,
) -> Result<()> {
    let name = restore.paths.first().map_or("", |path| path.file_name()).to_string();
    let mut tell = |seen: RestoreProgress| run.tell_progress(&name, Some(seen.percent as u8));
    let statement = restore_log_statement(restore)?;
    crash_points::reach("follow.restore.before");
    run.change(&instance.to_string(), &statement, restorer.log(restore, &mut tell)).await?;
    crash_points::reach("follow.restore.done");
    Ok(())
}

fn unreadable(instance: &InstanceName, log: &FollowingLog) -> Error {
    let path = log.set.path.as_ref().map_or("a log backup".to_string(), ToString::to_string);
    let why = log.trouble.as_deref().unwrap_or("its file is unknown");
    Error::new(ErrorKind::LogBackupUnreadable, format!("{instance} cannot restore {path}: {why}."))
        .with_next(
            "Put the file where the instance can read it under the same path, then run `Resume-PChatRun`. Where another tool takes log \
             backups, stop it.",
        )
        .with_target(path)
}
