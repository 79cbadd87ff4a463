//! Log backups from now on: a full backup, then a job. The old jobs are gone, and the log would grow until it is full.

use async_trait::async_trait;
use chrono::Utc;

use crate::error::{Error, ErrorKind, Result};
use crate::failover::plan::{log_backup_folder, step_name};
use crate::failover::SecondaryWork;
use crate::host::Level;
use crate::journal::crash_points;
use crate::names::{InstanceName, ServerPath};
use crate::run::{OnFailure, Run, Seen, Step};
use crate::sql::file::{self, PathState};
use crate::sql::log_backup_job::{self, LogBackupJob};
use crate::sql::{instance, job, Connection, Purpose};

/// The full backup that the run took: its path, taken down before the call.
const FULL_BACKUP: &str = "full_backup_file";
/// What became of the job on the mirror. Without it a process was cut off before it got there.
const ON_MIRROR: &str = "log_backup_job_on_mirror";

pub(crate) struct LogBackups;

#[async_trait]
impl<W: SecondaryWork> Step<W> for LogBackups {
    fn name(&self) -> &'static str {
        step_name::LOG_BACKUPS
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::GoOn
    }

    async fn probe(&self, run: &Run<W>) -> Result<Seen> {
        let mut connection = run.connect(Purpose::Catalog).await?;
        if !has_full_backup(run, &mut connection).await? {
            return Ok(Seen::NotYet("there is no full backup since the recovery".to_string()));
        }
        let wanted = wanted(run, folder(run)?);
        let found = match job::find(&mut connection, &wanted.name()).await? {
            Some(id) => job::read(&mut connection, id).await?,
            None => None,
        };
        let mirror_is_settled = run.backup_mirror().is_none() || run.book.fact::<String>(ON_MIRROR).is_some();
        Ok(match found {
            Some(job) if job.is_enabled && !mirror_is_settled => {
                Seen::NotYet(format!("the job `{}` is enabled here, but its mirror's was not looked at", job.name))
            }
            Some(job) if job.is_enabled => Seen::So(format!("the job `{}` is enabled", job.name)),
            Some(job) => Seen::NotYet(format!("the job `{}` is disabled", job.name)),
            None => Seen::NotYet(format!("there is no job `{}`", wanted.name())),
        })
    }

    async fn act(&self, run: &Run<W>) -> Result<String> {
        let folder = folder(run)?;
        let mut work = run.connect(Purpose::Work).await?;
        ensure_folder(run, &mut work, &folder).await?;
        if !has_full_backup(run, &mut work).await? {
            let file = folder.join(&log_backup_job::file_name(run.database(), Utc::now().naive_utc(), "bak"));
            run.book.set_fact(FULL_BACKUP, &file).await?;
            run.tell_progress(&format!("full backup to {file}"), None);
            let statement = log_backup_job::full_backup_statement(run.database(), &file, false)?;
            run.change(run.database(), &statement, log_backup_job::back_up(&mut work, &statement)).await?;
        }
        set_up(run, &run.work.secondary().instance, &mut work, wanted(run, folder.clone())).await?;
        crash_points::reach("log_backup_job.created");
        let on_mirror = on_mirror(run).await;
        run.book.set_fact(ON_MIRROR, &on_mirror).await?;
        Ok(format!(
            "log backups every {} minutes to {folder}{on_mirror}",
            run.work.secondary().request.log_backup_interval_minutes
        ))
    }
}

/// The job's name on the backup instance.
pub(crate) fn job_name<W: SecondaryWork>(run: &Run<W>) -> String {
    wanted(run, ServerPath::new("")).name()
}

fn wanted<W: SecondaryWork>(run: &Run<W>, folder: ServerPath) -> LogBackupJob {
    let interval_minutes = run.work.secondary().request.log_backup_interval_minutes;
    LogBackupJob { database: run.database().to_string(), folder, interval_minutes }
}

fn folder<W: SecondaryWork>(run: &Run<W>) -> Result<ServerPath> {
    log_backup_folder(&run.work.secondary().evidence, &run.work.secondary().request).ok_or_else(|| {
        Error::new(ErrorKind::InvalidValue, "no folder for log backups is known: the instance does not tell its own.")
            .with_next("Name one with `-LogBackupPath` in a job of your own; `-NoLogBackup` declines it.")
            .with_target(run.plan.sql_instance.as_str())
    })
}

/// A lost BACKUP call is settled from msdb: the set of that very file is there, or it is not.
async fn has_full_backup<W: SecondaryWork>(run: &Run<W>, connection: &mut Connection) -> Result<bool> {
    let Some(file) = run.book.fact::<ServerPath>(FULL_BACKUP) else { return Ok(false) };
    let taken = log_backup_job::taken(connection, run.database(), 50).await?;
    Ok(taken.iter().any(|set| set.backup_type == "D" && set.path.as_ref().is_some_and(|path| path.same_as(&file))))
}

/// A folder that was named need not be there yet; a backup does not create it.
async fn ensure_folder<W: SecondaryWork>(run: &Run<W>, work: &mut Connection, folder: &ServerPath) -> Result<()> {
    if file::look(work, folder).await? == PathState::Folder {
        return Ok(());
    }
    let statement = file::create_folder_statement(folder)?;
    run.change(folder.as_str(), &statement, file::create_folder(work, folder)).await
}

/// Creates the job and enables it, as far as that is not so.
async fn set_up<W: SecondaryWork>(
    run: &Run<W>,
    on: &InstanceName,
    work: &mut Connection,
    wanted: LogBackupJob,
) -> Result<()> {
    let text = wanted.create_statements()?.join("; ");
    let id = run.change(&format!("job on {on}"), &text, log_backup_job::create(work, &wanted)).await?;
    if !job::read(work, id).await?.is_some_and(|job| job.is_enabled) {
        let statement = job::set_enabled_statement(id, true)?;
        run.change(&wanted.name(), &statement, job::set_enabled(work, id, true)).await?;
    }
    Ok(())
}

/// On the mirror too, where it can be written to: the job does nothing there until the roles change.
async fn on_mirror<W: SecondaryWork>(run: &Run<W>) -> String {
    let Some(name) = run.backup_mirror() else { return String::new() };
    if !run.locks.has(&name).await {
        return format!("; not on {name}, which could not be locked");
    }
    let work = async {
        let mut work = run.session.connector().connect(&name, Purpose::Work).await?;
        let asked = run.work.secondary().request.log_backup_path.as_deref().filter(|path| !path.trim().is_empty());
        let folder = match asked {
            Some(path) => Some(ServerPath::new(path)),
            None => instance::default_backup_folder(&mut work).await?,
        };
        let Some(folder) = folder else { return Ok(format!("; not on {name}, which tells no folder for backups")) };
        ensure_folder(run, &mut work, &folder).await?;
        set_up(run, &name, &mut work, wanted(run, folder)).await?;
        Ok(format!("; on {name} too"))
    };
    // The mirror's job is a convenience: it may fail, and the step is done all the same.
    work.await.unwrap_or_else(|error: Error| {
        run.host.message(Level::Warning, format!("The log backup job was not set up on {name}: {error}"));
        format!("; not on {name}: {}", error.message.trim_end_matches('.'))
    })
}
