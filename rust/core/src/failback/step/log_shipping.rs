//! Log shipping as the baseline has it: the primary with its backup job, the backup as its secondary with both jobs. The
//! secondary is not seeded: it stands where its tail ended, and follows.

use async_trait::async_trait;

use super::archive::{Folders, FOLDERS};
use crate::error::{Error, ErrorKind, Result};
use crate::failback::plan::step_name;
use crate::failback::{Failback, Run};
use crate::host::Level;
use crate::journal::crash_points;
use crate::names::InstanceName;
use crate::run::shipping::{self, Changes, Work};
use crate::run::{OnFailure, Seen, Step};
use crate::sql::job;
use crate::sql::log_shipping_primary::{self, PrimaryRecord};
use crate::sql::log_shipping_set_up::{alert_job_statement, send, PrimarySetUp, SecondarySetUp};
use crate::sql::{log_shipping, Connection, Connector, Purpose};

pub(crate) struct LogShipping;

#[async_trait]
impl Step<Failback> for LogShipping {
    fn name(&self) -> &'static str {
        step_name::LOG_SHIPPING
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::GoOn
    }

    async fn probe(&self, run: &Run) -> Result<Seen> {
        let names = &run.work.names;
        let mut connection = run.primary(Purpose::Catalog).await?;
        if let Some(why) = primary_lacks(run, &mut connection).await? {
            return Ok(Seen::NotYet(format!("{}: {why}", names.primary)));
        }
        let mut connection = run.backup(Purpose::Catalog).await?;
        let Some(record) = log_shipping::read_secondary(&mut connection, run.database()).await? else {
            return Ok(Seen::NotYet(format!("{} is no secondary yet", names.backup)));
        };
        for id in [record.copy_job_id, record.restore_job_id] {
            if let Some(why) = job_lacks(&mut connection, id).await? {
                return Ok(Seen::NotYet(format!("{}: {why}", names.backup)));
            }
        }
        Ok(Seen::So(format!("{} ships to {}", names.primary, names.backup)))
    }

    async fn act(&self, run: &Run) -> Result<String> {
        let folders = folders(run)?;
        let set_up = primary_set_up(run, &folders, Side::Primary)?;
        let names = &run.work.names;
        add_primary(run, &names.primary, &set_up).await?;
        crash_points::reach("log_shipping.primary_added");
        let secondary = secondary_set_up(run, &folders)?;
        add_secondary(run, &secondary).await?;
        crash_points::reach("log_shipping.secondary_added");
        enable_primary(run, &names.primary, &set_up).await?;
        enable_secondary(run, &secondary).await?;
        alert_job(run, &set_up.record).await;
        Ok(String::new())
    }
}

/// Which partner at home is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Primary,
    Mirror,
}

/// The folders in use.
///
/// # Errors
/// `StepNotVerified` (5015) where the step before has not settled them.
pub(crate) fn folders(run: &Run) -> Result<Folders> {
    run.book.fact(FOLDERS).ok_or_else(|| {
        Error::new(ErrorKind::StepNotVerified, "it is not settled which folders log shipping uses.")
            .with_next("`Resume-PChatRun` takes up the step before this one.")
    })
}

/// The record of a partner at home as it is to be: its own of the baseline, the mirror's else as the primary's.
pub(crate) fn primary_set_up(run: &Run, folders: &Folders, side: Side) -> Result<PrimarySetUp> {
    let wanted = &run.work.wanted;
    let (record, job) = match side {
        Side::Mirror if wanted.mirror.is_some() => (wanted.mirror.clone(), wanted.mirror_job.clone()),
        _ => (wanted.primary.clone(), wanted.primary_job.clone()),
    };
    let missing = || Error::new(ErrorKind::InvalidValue, "no baseline tells how log shipping was on the primary.");
    let (record, job) = (record.ok_or_else(missing)?, job.or(wanted.primary_job.clone()).ok_or_else(missing)?);
    let same = run.work.share()? == folders.share;
    let directory = if same { record.backup_directory.clone() } else { folders.share.clone() };
    Ok(PrimarySetUp { database: run.database().to_string(), directory, share: folders.share.clone(), record, job })
}

fn secondary_set_up(run: &Run, folders: &Folders) -> Result<SecondarySetUp> {
    let wanted = &run.work.wanted;
    let missing = || Error::new(ErrorKind::InvalidValue, "no baseline tells how log shipping was on the secondary.");
    Ok(SecondarySetUp {
        source: folders.share.clone(),
        destination: folders.copy_folder.clone(),
        record: wanted.secondary.clone().ok_or_else(missing)?,
        copy_job: wanted.copy_job.clone().ok_or_else(missing)?,
        restore_job: wanted.restore_job.clone().ok_or_else(missing)?,
    })
}

#[async_trait]
impl Changes for Run {
    async fn make<'a>(&'a self, what: &'a str, statement: &'a str, work: Work<'a>) -> Result<()> {
        self.change(what, statement, work).await
    }

    fn connector(&self) -> &Connector {
        self.session.connector()
    }

    fn without_monitor_login(&self, error: Error) -> Error {
        error
            .with_unchanged("Log shipping is not set up yet; users are served.")
            .with_next("Run `Resume-PChatRun` with `-MonitorSqlCredential`.")
    }
}

/// Makes the record of a primary, its schedule and its secondary, as far as they are missing. The job stays disabled.
pub(crate) async fn add_primary(run: &Run, instance: &InstanceName, set_up: &PrimarySetUp) -> Result<()> {
    let mut work = run.connect_to(instance, Purpose::Work).await?;
    shipping::add_primary(run, &mut work, set_up, &secondaries(run)).await.map(|_| ())
}

/// Enables the backup job of a primary.
pub(crate) async fn enable_primary(run: &Run, instance: &InstanceName, set_up: &PrimarySetUp) -> Result<()> {
    let mut work = run.connect_to(instance, Purpose::Work).await?;
    let record = shipping::need_primary(&mut work, run.database()).await?;
    shipping::enable(run, &mut work, record.backup_job_id, set_up.job.is_enabled).await
}

/// Server and database of each secondary, as the baseline has them.
fn secondaries(run: &Run) -> Vec<(String, String)> {
    let record = run.work.wanted.primary.as_ref();
    let known = record.map(|record| record.secondaries.clone()).unwrap_or_default();
    match known.is_empty() {
        true => vec![(run.work.names.backup.to_string(), run.database().to_string())],
        false => known,
    }
}

async fn add_secondary(run: &Run, set_up: &SecondarySetUp) -> Result<()> {
    let mut work = run.backup(Purpose::Work).await?;
    shipping::add_secondary(run, &mut work, set_up).await.map(|_| ())
}

async fn enable_secondary(run: &Run, set_up: &SecondarySetUp) -> Result<()> {
    let mut work = run.backup(Purpose::Work).await?;
    let record = shipping::need_secondary(&mut work, run.database()).await?;
    shipping::enable(run, &mut work, record.copy_job_id, set_up.copy_job.is_enabled).await?;
    shipping::enable(run, &mut work, record.restore_job_id, set_up.restore_job.is_enabled).await
}

/// The monitor's alert job may have gone with the last record; it comes back where the monitor can be asked.
async fn alert_job(run: &Run, record: &PrimaryRecord) {
    let Ok(name) = record.monitor_server.parse::<InstanceName>() else { return };
    let statement = alert_job_statement();
    let made = async {
        let mut work = run.connect_to(&name, Purpose::Catalog).await?;
        if log_shipping_primary::alert_job_id(&mut work).await?.is_some() {
            return Ok(());
        }
        run.change(&record.monitor_server, &statement, send(&mut work, &statement)).await
    };
    if let Err(error) = made.await {
        let error: Error = error;
        run.host.message(
            Level::Warning,
            format!("The alert job of the monitor {} was not looked after: {}", record.monitor_server, error.message),
        );
    }
}

/// What a primary still lacks; `None` where its record, schedules and secondary are there and its job is enabled.
pub(crate) async fn primary_lacks(run: &Run, connection: &mut Connection) -> Result<Option<String>> {
    let Some(record) = log_shipping_primary::read_primary(connection, run.database()).await? else {
        return Ok(Some("it is no primary of log shipping yet".to_string()));
    };
    if record.secondaries.is_empty() {
        return Ok(Some("its record names no secondary".to_string()));
    }
    job_lacks(connection, record.backup_job_id).await
}

async fn job_lacks(connection: &mut Connection, id: uuid::Uuid) -> Result<Option<String>> {
    Ok(match job::read(connection, id).await? {
        None => Some("a job of its record is gone".to_string()),
        Some(job) if job.schedules.is_empty() => Some(format!("the job `{}` has no schedule", job.name)),
        Some(job) if !job.is_enabled => Some(format!("the job `{}` is disabled", job.name)),
        Some(_) => None,
    })
}
