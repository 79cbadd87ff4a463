//! Our log backup job writes to the share from here on, where the primary can read what it needs. It stays the only taker of
//! log backups until the tail. Reverse log shipping writes there already; then its restore job leaves the primary to the run.

use async_trait::async_trait;

use crate::baseline::InstanceRole;
use crate::error::Result;
use crate::failback::evidence::LogBackupJobSeen;
use crate::failback::plan::step_name;
use crate::failback::stage::behind_the_tail;
use crate::failback::{Failback, Run};
use crate::journal::crash_points;
use crate::names::InstanceName;
use crate::run::{OnFailure, Seen, Step};
use crate::sql::log_backup_job::{self, LogBackupJob};
use crate::sql::{job, log_shipping_primary, Connection, Purpose};
use crate::switch::step::{busy, quiet};
use crate::switch::{SwitchJob, SwitchWork};

/// The jobs that write to the share, for every later process.
pub(crate) const LOG_BACKUP_JOBS: &str = "log_backup_jobs";
/// Where there is no job, one is made with this interval.
pub(crate) const INTERVAL_MINUTES: u32 = 15;

pub(crate) struct LogBackupsToShare;

#[async_trait]
impl Step<Failback> for LogBackupsToShare {
    fn name(&self) -> &'static str {
        step_name::LOG_BACKUPS_TO_SHARE
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Stop
    }

    async fn probe(&self, run: &Run) -> Result<Seen> {
        if let Some(seen) = behind_the_tail(run).await? {
            return Ok(seen);
        }
        if is_reverse(run).await? {
            let busy = busy(run, &followers(run)?).await?;
            return Ok(match busy.is_empty() {
                true => Seen::So("reverse log shipping takes the log backups, and the run restores them".to_string()),
                false => Seen::NotYet(busy.join(", ")),
            });
        }
        let wanted = wanted(run)?;
        for instance in partners(run).await {
            let mut connection = run.connect_to(&instance, Purpose::Catalog).await?;
            let Some(id) = job::find(&mut connection, &wanted.name()).await? else {
                if instance == run.work.names.backup {
                    return Ok(Seen::NotYet(format!("{instance} has no job `{}`", wanted.name())));
                }
                continue;
            };
            let command = job::first_step_command(&mut connection, id).await?.unwrap_or_default();
            let is_enabled = job::read(&mut connection, id).await?.is_some_and(|job| job.is_enabled);
            if command != wanted.step_text()? || !is_enabled {
                return Ok(Seen::NotYet(format!("the job on {instance} does not back up to {}", wanted.folder)));
            }
        }
        Ok(Seen::So(format!("log backups go to {}", wanted.folder)))
    }

    async fn act(&self, run: &Run) -> Result<String> {
        if is_reverse(run).await? {
            quiet(run, &followers(run)?).await?;
            return Ok("the run restores on the primary what reverse log shipping backs up".to_string());
        }
        let wanted = wanted(run)?;
        let mut jobs: Vec<LogBackupJobSeen> = Vec::new();
        for instance in partners(run).await {
            let mut work = run.connect_to(&instance, Purpose::Work).await?;
            let found = job::find(&mut work, &wanted.name()).await?;
            if found.is_none() && instance != run.work.names.backup {
                continue;
            }
            let job_id = point(run, &instance, &mut work, &wanted, found).await?;
            let is_backup = instance == run.work.names.backup;
            jobs.push(LogBackupJobSeen {
                role: if is_backup { InstanceRole::Backup } else { InstanceRole::BackupMirror },
                sql_instance: instance.to_string(),
                job_id,
                is_enabled: true,
                command: wanted.step_text()?,
            });
            run.book.set_fact(LOG_BACKUP_JOBS, &jobs).await?;
            crash_points::reach("log_backups.pointed");
        }
        Ok(format!("log backups go to {}", wanted.folder))
    }
}

async fn point(
    run: &Run,
    instance: &InstanceName,
    work: &mut Connection,
    wanted: &LogBackupJob,
    found: Option<uuid::Uuid>,
) -> Result<uuid::Uuid> {
    let what = format!("{} on {instance}", wanted.name());
    let id = match found {
        Some(id) => {
            let statement = job::set_command_statement(id, &wanted.step_text()?)?;
            run.change(&what, &statement, job::set_command(work, id, &wanted.step_text()?)).await?;
            id
        }
        None => {
            let statements = wanted.create_statements()?.join("; ");
            run.change(&what, &statements, log_backup_job::create(work, wanted)).await?
        }
    };
    if !job::read(work, id).await?.is_some_and(|job| job.is_enabled) {
        let statement = job::set_enabled_statement(id, true)?;
        run.change(&what, &statement, job::set_enabled(work, id, true)).await?;
    }
    Ok(id)
}

/// The job as it is to be.
pub(crate) fn wanted(run: &Run) -> Result<LogBackupJob> {
    Ok(LogBackupJob {
        database: run.database().to_string(),
        folder: run.work.share()?,
        interval_minutes: INTERVAL_MINUTES,
    })
}

/// The backup and its mirror, as far as they are locked.
async fn partners(run: &Run) -> Vec<InstanceName> {
    run.locked(run.work.names.backup_pair()).await
}

/// The jobs by which the old primary follows in reverse log shipping: the run goes on from its copy, and a restore job beside it
/// would take files out of its hands.
fn followers(run: &Run) -> Result<Vec<SwitchJob>> {
    let home = run.work.names.home_pair();
    Ok(Failback::jobs(run)?.into_iter().filter(|of| home.contains(&of.instance)).collect())
}

/// True where the backup is a primary of log shipping itself, towards the old primary.
pub(crate) async fn is_reverse(run: &Run) -> Result<bool> {
    let mut connection = run.backup(Purpose::Catalog).await?;
    Ok(log_shipping_primary::read_primary(&mut connection, run.database()).await?.is_some())
}

/// The job that takes the log backups of the backup: ours, or that of reverse log shipping.
pub(crate) async fn taker(run: &Run, connection: &mut Connection) -> Result<Option<uuid::Uuid>> {
    match log_shipping_primary::read_primary(connection, run.database()).await? {
        Some(record) => Ok(Some(record.backup_job_id)),
        None => job::find(connection, &wanted(run)?.name()).await,
    }
}
