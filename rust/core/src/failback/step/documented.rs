//! The published page's own order: nobody writes any more, one full backup goes home alone, and the backup is seeded from the
//! primary afterwards. Users are out from the full backup to the recovery.

use async_trait::async_trait;

use super::new_file::full_backup_file;
use super::seed::{full_restore, header_of, overwrite, SeedFile, SEED};
use crate::error::{Error, ErrorKind, Result};
use crate::failback::history::Stand;
use crate::failback::plan::step_name;
use crate::failback::stage::{self, Stage};
use crate::failback::{Failback, Run};
use crate::journal::crash_points;
use crate::log_chain::{gate, RecoveryPermit};
use crate::names::{InstanceName, ServerPath};
use crate::run::{OnFailure, Seen, Step};
use crate::sql::backup::{self, BackupOrder, BackupWhat};
use crate::sql::database::{self, DatabaseState};
use crate::sql::restore::RestoreProgress;
use crate::sql::{backup_file, full_restore as sql_full_restore, log_shipping, offline, salvage, Purpose};

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
                Seen::So(format!("nobody writes, and all of it is in {}", seed.file))
            }
            (DatabaseState::Offline, None) => {
                Seen::NotYet("the backup is offline, and its full backup is not proved".into())
            }
            (other, _) => Seen::NotYet(format!("the backup's database is {}", other.as_text())),
        })
    }

    async fn act(&self, run: &Run) -> Result<String> {
        let instance = run.work.names.backup.clone();
        let mut work = run.backup(Purpose::Work).await?;
        if database::need(&mut work, run.database()).await?.state == DatabaseState::Offline {
            // A try that was cut off: nobody has written since, and the next one takes a file of its own.
            let statement = offline::online_statement(run.database())?;
            run.change(&instance.to_string(), &statement, offline::set_online(&mut work, run.database())).await?;
        }
        close_old_copy(run).await?;
        let file = full_backup_file(run, &run.work.names.backup).await?;
        run.book.set_fact(SEED, &SeedFile { file: file.clone(), verified_last_lsn: None }).await?;
        let statement = batch(run.database(), &file)?;
        run.tell_progress(&format!("full backup to {file}"), None);
        let sent = salvage::run(&mut work, run.database(), &statement);
        run.change(&instance.to_string(), &statement, sent).await?;
        crash_points::reach("full_backup_alone.taken");
        let mut work = run.primary(Purpose::Work).await?;
        let header = header_of(&mut work, &file).await?;
        backup_file::verify(&mut work, std::slice::from_ref(&file), header.position, header.has_checksums).await?;
        run.book.set_fact(SEED, &SeedFile { file, verified_last_lsn: Some(header.last_lsn) }).await?;
        Ok(String::new())
    }
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

/// One batch: the only seat is kept from before the backup until the database is closed. That is the proof that nobody wrote.
pub(crate) fn batch(database: &str, file: &ServerPath) -> Result<String> {
    Ok(format!("{}; {}", salvage::save_full_statement(database, file)?, offline::offline_statement(database)?))
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
        Ok(format!("the primary is restored from {}", seed.file))
    }
}

/// Where the primary stands, where that is exactly what the full backup holds.
async fn stand(run: &Run) -> Result<std::result::Result<Stand, String>> {
    let seed: Option<SeedFile> = run.book.fact(SEED);
    let Some(end) = seed.and_then(|seed| seed.verified_last_lsn) else {
        return Ok(Err("no full backup is proved yet".to_string()));
    };
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
        false => Err(format!("the primary stands at LSN {}, and the full backup ends at LSN {end}", redo.lsn)),
    })
}

/// The permit for the recovery: the backup is closed since its full backup, and the primary holds exactly that.
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
        let header = header_of(&mut work, &file).await?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seat_is_kept_from_the_backup_until_the_database_is_closed() {
        let batch = batch("mgc", &ServerPath::new(r"\\fs1\LogShip\a.bak")).unwrap();
        let at = |part: &str| batch.find(part).unwrap_or_else(|| panic!("{part} in {batch}"));
        assert!(at("SINGLE_USER") < at("BACKUP DATABASE") && at("BACKUP DATABASE") < at("SET OFFLINE"));
    }
}
