//! The published page's own order: nobody writes any more, one full backup goes home alone, and the backup is seeded from the
//! primary afterwards. Users are out from the full backup to the recovery.

use async_trait::async_trait;
use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};

use super::new_file::{full_backup_file, new_file};
use super::restore_tail::target_redo;
use super::seed::{full_restore, header_of, overwrite, SeedFile, SEED};
use crate::error::{Error, ErrorKind, Result};
use crate::failback::follow;
use crate::failback::history::Stand;
use crate::failback::plan::step_name;
use crate::failback::stage::{self, Stage};
use crate::failback::{Failback, Run};
use crate::journal::crash_points;
use crate::log_chain::{gate, BackupType, RecoveryPermit};
use crate::names::{InstanceName, Lsn, ServerPath};
use crate::run::{OnFailure, Seen, Step};
use crate::sql::backup::{self, BackupOrder, BackupWhat};
use crate::sql::database::{self, DatabaseState};
use crate::sql::restore::{LogRestore, RestoreProgress, Restorer};
use crate::sql::{
    backup_file, full_restore as sql_full_restore, log_backup_job, log_shipping, offline, salvage, Purpose,
};

/// The log behind the full backup, taken from the same seat just before the database was closed.
const CLOSING: &str = "closing_log";

/// Its file, once the primary has read it to its end. Where it ends, the database was closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct ClosingLog {
    file: ServerPath,
    position: u32,
    last_lsn: Lsn,
}

/// The full backup of the primary that the backup is seeded from.
const RESEED: &str = "reseed";

pub(crate) struct FullBackupAlone;

pub(crate) struct RestoreFull;

pub(crate) struct ReseedBackup;

/// True where the plan goes by a full backup alone.
pub(crate) fn is_documented(run: &Run) -> bool {
    run.plan.steps.iter().any(|step| step.name == step_name::FULL_BACKUP_ALONE)
}

#[async_trait]
impl Step<Failback> for FullBackupAlone {
    fn name(&self) -> &'static str {
        step_name::FULL_BACKUP_ALONE
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Stop
    }

    async fn probe(&self, run: &Run) -> Result<Seen> {
        if stage::read(run).await? == Stage::Recovered {
            return Ok(Seen::So("the primary is recovered already".to_string()));
        }
        let mut connection = run.backup(Purpose::Catalog).await?;
        let state = database::need(&mut connection, run.database()).await?.state;
        let seed: Option<SeedFile> = run.book.fact(SEED);
        let verified = seed.filter(|seed| seed.verified_last_lsn.is_some());
        Ok(match (state, verified) {
            (DatabaseState::Offline, Some(seed)) => {
                Seen::So(format!("nobody writes, and all of it is in {} and the log behind it", seed.file))
            }
            (DatabaseState::Offline, None) => {
                Seen::NotYet("the backup is offline, and its full backup is not proved".into())
            }
            (other, _) => Seen::NotYet(format!("the backup's database is {}", other.as_text())),
        })
    }

    async fn act(&self, run: &Run) -> Result<String> {
        close_old_copy(run).await?;
        let (file, closing) = save_and_close(run).await?;
        crash_points::reach("full_backup_alone.taken");
        let mut work = run.primary(Purpose::Work).await?;
        let header = header_of(&mut work, &file, BackupType::Database).await?;
        backup_file::verify(&mut work, std::slice::from_ref(&file), header.position, header.has_checksums).await?;
        let log = header_of(&mut work, &closing, BackupType::Log).await?;
        backup_file::verify(&mut work, std::slice::from_ref(&closing), log.position, log.has_checksums).await?;
        let closing = ClosingLog { file: closing, position: log.position, last_lsn: log.last_lsn };
        run.book.set_fact(CLOSING, &closing).await?;
        run.book.set_fact(SEED, &SeedFile { file, verified_last_lsn: Some(header.last_lsn) }).await?;
        Ok(String::new())
    }
}

/// Takes the full backup and the log behind it, and leaves the database closed; both files. Every try writes files of its own.
async fn save_and_close(run: &Run) -> Result<(ServerPath, ServerPath)> {
    let instance = run.work.names.backup.clone();
    let mut work = run.backup(Purpose::Work).await?;
    let mut tries = 0;
    loop {
        tries += 1;
        if database::need(&mut work, run.database()).await?.state == DatabaseState::Offline {
            // A try that was cut off: whatever was written since, the next one takes.
            let statement = offline::online_statement(run.database())?;
            run.change(&instance.to_string(), &statement, offline::set_online(&mut work, run.database())).await?;
        }
        let file = full_backup_file(run, &instance).await?;
        let closing = new_file(run, &instance, |now| closing_name(run.database(), now)).await?;
        run.book.set_fact(SEED, &SeedFile { file: file.clone(), verified_last_lsn: None }).await?;
        let statement = salvage::save_and_close_statement(run.database(), &file, &closing)?;
        run.tell_progress(&format!("full backup to {file}"), None);
        match run.change(&instance.to_string(), &statement, salvage::send(&mut work, &statement)).await {
            Ok(()) => return Ok((file, closing)),
            Err(error) => salvage::make_room(&mut work, run.database(), tries, error).await?,
        }
    }
}

/// `mgc_closing_20260314021500.bak`: no name of a log backup of log shipping, whose chain it is not part of.
fn closing_name(database: &str, now: NaiveDateTime) -> String {
    log_backup_job::file_name(&closing_stem(database), now, "bak")
}

/// What the name of the file with the log behind the full backup begins with.
pub(crate) fn closing_stem(database: &str) -> String {
    format!("{database}_closing")
}

/// Closes the old copy on the primary, which is saved: once the backup is closed too, only a recovery of this run brings one
/// of them online.
async fn close_old_copy(run: &Run) -> Result<()> {
    let mut work = run.primary(Purpose::Work).await?;
    let state = database::read(&mut work, run.database()).await?.map(|facts| facts.state);
    if state == Some(DatabaseState::Online) {
        let instance = run.work.names.primary.to_string();
        let statement = offline::offline_statement(run.database())?;
        run.change(&instance, &statement, offline::set_offline(&mut work, run.database())).await?;
        crash_points::reach("full_backup_alone.old_copy_closed");
    }
    Ok(())
}

#[async_trait]
impl Step<Failback> for RestoreFull {
    fn name(&self) -> &'static str {
        step_name::RESTORE_FULL
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Stop
    }

    async fn probe(&self, run: &Run) -> Result<Seen> {
        match stage::read(run).await? {
            Stage::Recovered => return Ok(Seen::So("the primary is recovered already".to_string())),
            Stage::Serving => return Ok(Seen::NotYet("the backup still serves".to_string())),
            Stage::Between => {}
        }
        Ok(match stand(run).await? {
            Ok(stand) => Seen::So(format!("the primary stands at LSN {}", stand.lsn)),
            Err(why) => Seen::NotYet(why),
        })
    }

    async fn act(&self, run: &Run) -> Result<String> {
        let seed: Option<SeedFile> = run.book.fact(SEED);
        let seed = seed.ok_or_else(|| Error::new(ErrorKind::StepNotVerified, "there is no full backup to restore."))?;
        overwrite(run, &seed.file).await?;
        match take_the_rest(run).await? {
            Some(file) => Ok(format!("the primary is restored from {} and, for the log behind it, {file}", seed.file)),
            None => Ok(format!("the primary is restored from {}", seed.file)),
        }
    }
}

/// Restores the log behind the full backup, where the database's end is behind that of the full backup; its file.
async fn take_the_rest(run: &Run) -> Result<Option<ServerPath>> {
    let primary = &run.work.names.primary;
    let redo = target_redo(run).await?;
    let Some(closing) = run.book.fact::<ClosingLog>(CLOSING).filter(|closing| closing.last_lsn > redo.lsn) else {
        return Ok(None);
    };
    let restore = LogRestore {
        database: run.database().into(),
        paths: vec![closing.file.clone()],
        position: closing.position,
        last_lsn: closing.last_lsn,
    };
    follow::restore_one(run, primary, &mut Restorer::new(run.session.connector(), primary), &restore).await?;
    Ok(Some(closing.file))
}

/// Where the primary stands, where that is exactly the end that the database was closed with.
async fn stand(run: &Run) -> Result<std::result::Result<Stand, String>> {
    let seed: Option<SeedFile> = run.book.fact(SEED);
    let full = seed.and_then(|seed| seed.verified_last_lsn);
    let Some((full, closing)) = full.zip(run.book.fact::<ClosingLog>(CLOSING)) else {
        return Ok(Err("no full backup is proved yet".to_string()));
    };
    let end = full.max(closing.last_lsn);
    let mut connection = run.primary(Purpose::Catalog).await?;
    match database::read(&mut connection, run.database()).await? {
        Some(facts) if facts.state == DatabaseState::Restoring => {}
        Some(facts) => return Ok(Err(format!("the primary's copy is {}", facts.state.as_text()))),
        None => return Ok(Err("the primary has no such database yet".to_string())),
    }
    let Ok(redo) = database::redo_point(&mut connection, run.database()).await else {
        return Ok(Err("a restore on the primary was cut off".to_string()));
    };
    Ok(match redo.lsn == end {
        true => Ok(Stand { lsn: redo.lsn, fork_id: redo.fork_id }),
        false => Err(format!("the primary stands at LSN {}, and the backup was closed at LSN {end}", redo.lsn)),
    })
}

/// The permit for the recovery: the backup is closed, and the primary holds exactly what it was closed with.
pub(crate) async fn permit(run: &Run) -> Result<RecoveryPermit> {
    let refused = |why: String| {
        Error::new(ErrorKind::StepNotVerified, format!("the primary is not recovered: {why}."))
            .with_unchanged("Nothing is recovered; the backup holds everything.")
            .with_next("`Resume-PChatRun`, or `Undo-PChatRun` to let the backup serve again.")
    };
    let mut connection = run.backup(Purpose::Catalog).await?;
    let state = database::need(&mut connection, run.database()).await?.state;
    if state != DatabaseState::Offline {
        return Err(refused(format!("the backup's database is {}", state.as_text())));
    }
    stand(run).await?.map_err(refused)?;
    let mut connection = run.primary(Purpose::Catalog).await?;
    let redo = database::redo_point(&mut connection, run.database()).await?;
    let primary = run.work.names.primary.to_string();
    gate::open_switched(&primary, run.database(), &redo, &redo)
}

#[async_trait]
impl Step<Failback> for ReseedBackup {
    fn name(&self) -> &'static str {
        step_name::RESEED_BACKUP
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::GoOn
    }

    async fn probe(&self, run: &Run) -> Result<Seen> {
        let mut connection = run.backup(Purpose::Catalog).await?;
        if log_shipping::read_secondary(&mut connection, run.database()).await?.is_some() {
            return Ok(Seen::So("the backup is a secondary again".to_string()));
        }
        let state = database::need(&mut connection, run.database()).await?.state;
        let seed: Option<SeedFile> = run.book.fact(RESEED);
        let end = seed.and_then(|seed| seed.verified_last_lsn);
        if state != DatabaseState::Restoring {
            return Ok(Seen::NotYet(format!("the backup's database is {}", state.as_text())));
        }
        let redo = database::redo_point(&mut connection, run.database()).await.ok();
        Ok(match (redo, end) {
            (Some(redo), Some(end)) if redo.lsn >= end => Seen::So(format!("the backup stands at LSN {}", redo.lsn)),
            _ => Seen::NotYet("the backup is not seeded from the primary yet".to_string()),
        })
    }

    async fn act(&self, run: &Run) -> Result<String> {
        let file = full_backup_file(run, &run.work.names.primary).await?;
        let order = BackupOrder {
            database: run.database().to_string(),
            what: BackupWhat::Database,
            file: file.clone(),
            copy_only: true,
        };
        run.book.set_fact(RESEED, &SeedFile { file: file.clone(), verified_last_lsn: None }).await?;
        let mut tell =
            |seen: RestoreProgress| run.tell_progress("full backup of the primary", Some(seen.percent as u8));
        let statement = backup::backup_statement(&order)?;
        let taking = backup::take(run.session.connector(), &run.work.names.primary, &order, &mut tell);
        run.change(&run.work.names.primary.to_string(), &statement, taking).await?;
        let backup_instance = run.work.names.backup.clone();
        let mut work = run.backup(Purpose::Work).await?;
        let header = header_of(&mut work, &file, BackupType::Database).await?;
        backup_file::verify(&mut work, std::slice::from_ref(&file), header.position, header.has_checksums).await?;
        run.book.set_fact(RESEED, &SeedFile { file: file.clone(), verified_last_lsn: Some(header.last_lsn) }).await?;
        restore_on_backup(run, &backup_instance, &file).await?;
        Ok(format!("the backup is restored from {file}"))
    }
}

/// Only what the primary took over lies there: the copy is closed since its full backup, which is kept.
async fn restore_on_backup(run: &Run, instance: &InstanceName, file: &ServerPath) -> Result<()> {
    let restore = full_restore(run, instance, file).await?;
    let statement = sql_full_restore::restore_statement(&restore)?;
    let mut tell = |seen: RestoreProgress| run.tell_progress("restoring the full backup", Some(seen.percent as u8));
    let connector = run.session.connector();
    run.change(&instance.to_string(), &statement, sql_full_restore::restore(connector, instance, &restore, &mut tell))
        .await
}
