//! The primary gets the backup's content: a full backup of the serving database, verified by the primary, then restored over
//! its old copy. Users are served meanwhile.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::new_file::full_backup_file;
use super::save_copies::saved;
use crate::error::{Error, ErrorKind, Result};
use crate::failback::follow;
use crate::failback::history::{standing, HistorySet, Stand, Standing};
use crate::failback::plan::step_name;
use crate::failback::stage::behind_the_tail;
use crate::failback::{Failback, Run};
use crate::journal::crash_points;
use crate::log_chain::{BackupType, Header};
use crate::names::{InstanceName, Lsn, ServerPath};
use crate::run::{OnFailure, Seen, Step};
use crate::sql::backup::{self, BackupOrder, BackupWhat};
use crate::sql::backup_file::{self, read_headers, HeaderAnswer};
use crate::sql::database::{self, DatabaseState};
use crate::sql::full_restore::{self, FullRestore};
use crate::sql::restore::RestoreProgress;
use crate::sql::{backup_history, mirror, Connection, Purpose};

/// The full backup that the run takes: its file, taken down before the call, and its end once it is verified.
pub(crate) const SEED: &str = "seed";

/// The file of the full backup. It is kept until the primary is mirrored and shipping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SeedFile {
    pub file: ServerPath,
    /// Set once the primary has read it to its end.
    pub verified_last_lsn: Option<Lsn>,
}

pub(crate) struct Seed;

#[async_trait]
impl Step<Failback> for Seed {
    fn name(&self) -> &'static str {
        step_name::SEED
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Stop
    }

    async fn probe(&self, run: &Run) -> Result<Seen> {
        if let Some(seen) = behind_the_tail(run).await? {
            return Ok(seen);
        }
        let seed: Option<SeedFile> = run.book.fact(SEED);
        let Some(end) = seed.as_ref().and_then(|seed| seed.verified_last_lsn) else {
            return Ok(Seen::NotYet("no full backup is verified for it yet".to_string()));
        };
        let mut connection = run.primary(Purpose::Catalog).await?;
        let Some(facts) = database::read(&mut connection, run.database()).await? else {
            return Ok(Seen::NotYet("the primary has no such database yet".to_string()));
        };
        if facts.state != DatabaseState::Restoring {
            return Ok(Seen::NotYet(format!("the primary's copy is {}", facts.state.as_text())));
        }
        let Ok(redo) = database::redo_point(&mut connection, run.database()).await else {
            return Ok(Seen::NotYet("a restore on the primary was cut off".to_string()));
        };
        let stand = Stand { lsn: redo.lsn, fork_id: redo.fork_id };
        let history = history(run).await?;
        Ok(match (redo.lsn >= end, standing(&history, stand)) {
            (true, Standing::OnHistory) => Seen::So(format!("the primary's copy stands at LSN {}", redo.lsn)),
            (_, Standing::OffHistory { why }) => Seen::NotYet(format!("the primary's copy is an old one: {why}")),
            (false, _) => {
                Seen::NotYet(format!("the primary's copy stands at LSN {}, before the full backup", redo.lsn))
            }
        })
    }

    async fn act(&self, run: &Run) -> Result<String> {
        let seed = full_backup(run).await?;
        overwrite(run, &seed.file).await?;
        Ok(format!("the primary is restored from {}", seed.file))
    }
}

/// The backup's history at this moment.
pub(crate) async fn history(run: &Run) -> Result<Vec<HistorySet>> {
    follow::history(run, &follow::source_pair(run).await).await
}

/// A verified full backup: that of an earlier process where it is whole, else a new file.
pub(crate) async fn full_backup(run: &Run) -> Result<SeedFile> {
    let earlier: Option<SeedFile> = run.book.fact(SEED);
    if let Some(seed) = earlier.filter(|seed| seed.verified_last_lsn.is_some()) {
        return Ok(seed);
    }
    let file = full_backup_file(run, &run.work.names.backup).await?;
    run.book.set_fact(SEED, &SeedFile { file: file.clone(), verified_last_lsn: None }).await?;
    let order = BackupOrder {
        database: run.database().to_string(),
        what: BackupWhat::Database,
        file: file.clone(),
        copy_only: true,
    };
    let statement = backup::backup_statement(&order)?;
    let mut tell = |seen: RestoreProgress| run.tell_progress("full backup", Some(seen.percent as u8));
    crash_points::reach("seed.backup.before");
    let taking = backup::take(run.session.connector(), &run.work.names.backup, &order, &mut tell);
    run.change(run.database(), &statement, taking).await?;
    crash_points::reach("seed.backup.done");
    let header = verify(run, &file).await?;
    let seed = SeedFile { file, verified_last_lsn: Some(header.last_lsn) };
    run.book.set_fact(SEED, &seed).await?;
    Ok(seed)
}

/// Reads the whole file with the primary's own eyes: its service account has to be able to.
async fn verify(run: &Run, file: &ServerPath) -> Result<Header> {
    let mut work = run.primary(Purpose::Work).await?;
    let header = header_of(&mut work, file, BackupType::Database).await?;
    run.tell_progress(&format!("verifying {file} on the primary"), None);
    backup_file::verify(&mut work, std::slice::from_ref(file), header.position, header.has_checksums).await?;
    Ok(header)
}

/// The header of the newest backup of a kind in a file of ours: each holds one, and where one holds more, an earlier set is a
/// try that was not the last.
pub(crate) async fn header_of(work: &mut Connection, file: &ServerPath, kind: BackupType) -> Result<Header> {
    match read_headers(work, file).await? {
        HeaderAnswer::Trouble(_, error) => Err(error),
        HeaderAnswer::Read(headers) => {
            let newest = headers.into_iter().filter(|header| header.backup_type == kind).max_by_key(|h| h.position);
            newest.ok_or_else(|| {
                let what = if kind == BackupType::Log { "log backup" } else { "full backup" };
                Error::new(ErrorKind::StepNotVerified, format!("{file} holds no {what}.")).with_target(file.as_str())
            })
        }
    }
}

/// Restores it over the old copy, whose content is saved or is no loss.
pub(crate) async fn overwrite(run: &Run, file: &ServerPath) -> Result<()> {
    refuse_unsaved(run).await?;
    let restore = full_restore(run, &run.work.names.primary, file).await?;
    let statement = full_restore::restore_statement(&restore)?;
    crash_points::reach("seed.restore.before");
    let (connector, instance) = (run.session.connector(), run.work.names.primary.clone());
    let mut point = crash_points::Once::new("seed.restore.sent");
    let work = async {
        let mut tell = |seen: RestoreProgress| {
            // The instance shows the statement at work.
            point.reach();
            run.tell_progress("restoring the full backup", Some(seen.percent as u8));
        };
        let ended = full_restore::restore(connector, &instance, &restore, &mut tell).await;
        point.reach();
        ended
    };
    run.change(&instance.to_string(), &statement, work).await?;
    crash_points::reach("seed.restore.done");
    Ok(())
}

/// The last look before an old copy goes: it is as the guard left it.
async fn refuse_unsaved(run: &Run) -> Result<()> {
    let treatment = &run.work.guard.primary;
    let at_risk = |why: String| {
        Error::new(ErrorKind::OldCopyAtRisk, why)
            .with_unchanged("The copy on the primary was not overwritten.")
            .with_next("Give the run up with `Undo-PChatRun` and make a new plan.")
            .with_target(treatment.instance.as_str())
    };
    if treatment.refusal().is_some() {
        return Err(at_risk(format!("the copy on {} was to be left alone", treatment.instance)));
    }
    if treatment.saves() && saved(run, treatment.role).is_none() {
        return Err(at_risk(format!("the copy on {} is not saved", treatment.instance)));
    }
    let mut connection = run.primary(Purpose::Catalog).await?;
    if mirror::read(&mut connection, run.database()).await?.is_some() {
        return Err(at_risk(format!("the copy on {} is mirrored", treatment.instance)));
    }
    let facts = database::read(&mut connection, run.database()).await?;
    let is_new =
        matches!(treatment.found, crate::failback::guard::Found::Absent | crate::failback::guard::Found::Fresh);
    // A copy that came after the guard's look is nobody's that we know.
    let identity = backup_history::identity(&mut connection, run.database()).await?;
    let has_rows = match (facts, identity) {
        (Some(facts), Some(_)) if facts.state == DatabaseState::Online && is_new => {
            database::count_rows(&mut connection, run.database()).await?.is_some_and(|table| table.rows > 0)
        }
        _ => false,
    };
    match has_rows {
        true => {
            Err(at_risk(format!("somebody has written to the copy on {} since it was looked at", treatment.instance)))
        }
        false => Ok(()),
    }
}

/// The restore with its files, from the backup's list and the instance's own places.
pub(crate) async fn full_restore(run: &Run, instance: &InstanceName, file: &ServerPath) -> Result<FullRestore> {
    let mut work = run.connect_to(instance, Purpose::Files).await?;
    let header = header_of(&mut work, file, BackupType::Database).await?;
    let backed_up = backup_file::read_file_list(&mut work, std::slice::from_ref(file), header.position).await?;
    let mut own = database::files(&mut work, run.database()).await?;
    if own.is_empty() {
        // A rebuilt primary has none; the baseline knows where they were.
        let baseline = run.work.request.baseline.as_deref();
        let role = crate::baseline::InstanceRole::Primary;
        let known = baseline.and_then(|found| found.instance(role)).and_then(|found| found.database());
        own = known.and_then(|found| found.files.known().cloned()).unwrap_or_default();
    }
    let folder = full_restore::data_folder(&mut work).await?;
    Ok(FullRestore {
        database: run.database().to_string(),
        file: file.clone(),
        position: header.position,
        moves: full_restore::moves(&backed_up, &own, folder.as_ref())?,
        replace: true,
    })
}
