//! No log shipping job of either side is enabled or running: the backup jobs of both partners, copy and restore.

use std::time::Duration;

use async_trait::async_trait;

use super::{name, HISTORY};
use crate::error::{Error, ErrorKind, Result};
use crate::journal::crash_points;
use crate::run::{OnFailure, Run, Seen, Step};
use crate::sql::{job, Connection, Purpose};
use crate::switch::{SwitchJob, SwitchWork};

/// How long a copy job may go on with its file before it is stopped.
const COPY_JOB_PATIENCE: Duration = Duration::from_secs(60);
/// How long the Agent may take to stop a job.
const STOP_LIMIT: Duration = Duration::from_secs(120);
/// A backup or a restore is waited for as long as it takes.
const FOREVER: Duration = Duration::from_secs(30 * 24 * 3600);

pub(crate) struct QuietJobs;

async fn connect<W: SwitchWork>(run: &Run<W>, of: &SwitchJob) -> Result<Connection> {
    run.session.connector().connect(&of.instance, Purpose::Catalog).await
}

#[async_trait]
impl<W: SwitchWork> Step<W> for QuietJobs {
    fn name(&self) -> &'static str {
        name::QUIET_JOBS
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::PutBack
    }

    async fn probe(&self, run: &Run<W>) -> Result<Seen> {
        if W::is_past_recovery(run).await? {
            return Ok(Seen::So(HISTORY.to_string()));
        }
        let busy = busy(run, &W::jobs(run)?).await?;
        Ok(match busy.is_empty() {
            true => Seen::So("no job of log shipping is enabled or running".to_string()),
            false => Seen::NotYet(busy.join(", ")),
        })
    }

    async fn act(&self, run: &Run<W>) -> Result<String> {
        let jobs = W::jobs(run)?;
        quiet(run, &jobs).await?;
        let names: Vec<String> = jobs.iter().map(|of| format!("`{}` on {}", of.name, of.instance)).collect();
        Ok(format!("disabled and idle: {}", names.join(", ")))
    }
}

/// Which of these jobs are enabled or running.
pub(crate) async fn busy<W: SwitchWork>(run: &Run<W>, jobs: &[SwitchJob]) -> Result<Vec<String>> {
    let mut busy = Vec::new();
    for of in jobs {
        let mut connection = connect(run, of).await?;
        match job::read(&mut connection, of.job_id).await? {
            Some(job) if job.is_enabled => busy.push(format!("`{}` on {} is enabled", job.name, of.instance)),
            Some(job) if job.is_running => busy.push(format!("`{}` on {} is running", job.name, of.instance)),
            _ => {}
        }
        connection.close().await;
    }
    Ok(busy)
}

/// Disables these jobs, and waits until none of them runs; a copy job that takes long is stopped.
pub(crate) async fn quiet<W: SwitchWork>(run: &Run<W>, jobs: &[SwitchJob]) -> Result<()> {
    for of in jobs {
        let mut connection = connect(run, of).await?;
        if job::read(&mut connection, of.job_id).await?.is_some_and(|job| job.is_enabled) {
            let statement = job::set_enabled_statement(of.job_id, false)?;
            run.change(&of.name, &statement, job::set_enabled(&mut connection, of.job_id, false)).await?;
            crash_points::reach("jobs.one_disabled");
        }
        connection.close().await;
    }
    for of in jobs {
        let mut connection = connect(run, of).await?;
        run.tell_progress(&format!("waiting for the job {} to end", of.name), None);
        let patience = if of.may_be_stopped { COPY_JOB_PATIENCE } else { FOREVER };
        if job::wait_until_idle(&mut connection, of.job_id, patience, &run.cancel).await? {
            continue;
        }
        let mut connection = connect(run, of).await?;
        let statement = job::stop_statement(of.job_id)?;
        run.change(&of.name, &statement, job::stop(&mut connection, of.job_id)).await?;
        if !job::wait_until_idle(&mut connection, of.job_id, STOP_LIMIT, &run.cancel).await? {
            return Err(Error::new(ErrorKind::StepNotVerified, format!("the copy job `{}` does not stop.", of.name))
                .with_next("Stop it in SQL Server Agent on the instance, then start again.")
                .with_target(&of.name));
        }
    }
    Ok(())
}

/// The captured jobs that were enabled and are not now.
pub(crate) async fn to_enable<W: SwitchWork>(run: &Run<W>) -> Result<Vec<SwitchJob>> {
    let mut left = Vec::new();
    for of in W::jobs(run)?.into_iter().filter(|of| of.was_enabled) {
        let mut connection = connect(run, &of).await?;
        if job::read(&mut connection, of.job_id).await?.is_some_and(|job| !job.is_enabled) {
            left.push(of);
        }
        connection.close().await;
    }
    Ok(left)
}

/// Enables what is [`to_enable`] again for a run that is given up; `done` is told each.
pub(crate) async fn jobs_back<W: SwitchWork>(run: &Run<W>, done: &mut Vec<String>) -> Result<()> {
    for of in to_enable(run).await? {
        done.push(enable_again(run, &of).await?);
    }
    Ok(())
}

async fn enable_again<W: SwitchWork>(run: &Run<W>, of: &SwitchJob) -> Result<String> {
    let mut connection = connect(run, of).await?;
    let statement = job::set_enabled_statement(of.job_id, true)?;
    run.change_back(&of.name, &statement, job::set_enabled(&mut connection, of.job_id, true)).await?;
    Ok(format!("job `{}` on {} is enabled again", of.name, of.instance))
}
