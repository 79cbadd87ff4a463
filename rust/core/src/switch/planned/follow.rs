//! After a switch was given up, the secondary must still fit: a mirror's set-up takes a log backup for itself, into its own
//! share, and without it every later one is refused (4305).

use super::Run;
use crate::error::Result;
use crate::host::Level;
use crate::log_chain::Header;
use crate::names::{Lsn, ServerPath};
use crate::sql::backup_file::{read_headers, HeaderAnswer};
use crate::sql::database;
use crate::sql::log_backup_job::taken;
use crate::sql::restore::{restore_log_statement, LogRestore, RestoreProgress, Restorer};
use crate::sql::Purpose;

/// How many backups of the source are looked at: the tail, those of the set-up, and what the jobs took shortly before.
const NEWEST: u16 = 64;

/// Restores on the secondary what the source backed up and it lacks, as far as it can open the files where they lie. What it
/// cannot open is told; nothing is given up for it.
pub(super) async fn bring_up(run: &Run, done: &mut Vec<String>) {
    let restored = restore_all(run).await;
    match restored {
        Ok(0) => {}
        Ok(count) => done.push(format!("{} has the {count} log backups up to the mirror's set-up", run.work.target().instance)),
        Err(error) => run.host.message(
            Level::Warning,
            format!(
                "{} may lack a log backup that the mirror's set-up took for itself: {} Its file is in msdb.backupset of {}; \
                 restore it before that share is emptied: `Restore-PChatLogBackup -AdditionalLogBackupFolder`.",
                run.work.target().instance,
                error.message,
                run.work.source_name()
            ),
        ),
    }
}

async fn restore_all(run: &Run) -> Result<usize> {
    let mut source = run.connect_source(Purpose::Catalog).await?;
    let mut backups = taken(&mut source, run.work.source_database_name(), NEWEST).await?;
    source.close().await;
    backups.reverse();
    let target = &run.work.target().instance;
    let connector = run.session.connector();
    let mut restorer = Restorer::new(connector, target);
    let mut count = 0;
    for backup in backups.into_iter().filter(|backup| backup.backup_type == "L") {
        let Some(path) = backup.path.map(|path| on_share(run, path)) else { continue };
        let mut files = connector.connect(target, Purpose::Files).await?;
        let redo: Lsn = database::redo_lsn(&mut files, run.database()).await?;
        let HeaderAnswer::Read(headers) = read_headers(&mut files, &path).await? else { continue };
        files.close().await;
        // A set-up appends to its own file: it may hold the sets of earlier ones too.
        let fits = |header: &&Header| header.first_lsn <= redo && header.last_lsn > redo;
        let Some(header) = headers.iter().find(fits) else { continue };
        let restore = LogRestore {
            database: run.database().into(),
            paths: vec![path.clone()],
            position: header.position,
            last_lsn: header.last_lsn,
        };
        let statement = restore_log_statement(&restore)?;
        let mut tell = |seen: RestoreProgress| run.tell_progress("the secondary follows", Some(seen.percent as u8));
        run.change_back(path.file_name(), &statement, async { restorer.log(&restore, &mut tell).await.map(drop) })
            .await?;
        count += 1;
    }
    Ok(count)
}

/// A file in the folder of the source's log backups lies on the share for everybody else.
fn on_share(run: &Run, path: ServerPath) -> ServerPath {
    let record = run.capture.source.as_ref().and_then(|source| source.record.as_ref());
    match record {
        Some(record) if path.parent().as_ref() == Some(&record.backup_directory) => {
            record.backup_share.join(path.file_name())
        }
        _ => path,
    }
}
