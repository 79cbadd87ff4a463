//! Copy and restore job are disabled, and neither runs.

use std::time::Duration;

use async_trait::async_trait;

use crate::error::{Error, ErrorKind, Result};
use crate::failover::plan::step_name;
use crate::failover::Failover;
use crate::failover::Run;
use crate::journal::crash_points;
use crate::run::{OnFailure, Seen, Step};
use crate::sql::job::{self, Job};
use crate::sql::Purpose;

/// How long a copy job may go on with its file before it is stopped; it can be run again at any time.
const COPY_JOB_PATIENCE: Duration = Duration::from_secs(60);
/// How long the Agent may take to stop a job.
const STOP_LIMIT: Duration = Duration::from_secs(120);
/// A restore job is waited for as long as it takes: stopped, it leaves the database interrupted (4319).
const FOREVER: Duration = Duration::from_secs(30 * 24 * 3600);

/// The jobs would copy, restore and delete files under the run's hands.
pub(crate) struct QuiesceJobs;

#[async_trait]
impl Step<Failover> for QuiesceJobs {
    fn name(&self) -> &'static str {
        step_name::QUIESCE_JOBS
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::PutBack
    }

    async fn probe(&self, run: &Run) -> Result<Seen> {
        let mut connection = run.connect(Purpose::Catalog).await?;
        let mut busy = Vec::new();
        for captured in run.capture.log_shipping.jobs() {
            if let Some(job) = job::read(&mut connection, captured.job_id).await? {
                match (job.is_enabled, job.is_running) {
                    (true, _) => busy.push(format!("`{}` is enabled", job.name)),
                    (false, true) => busy.push(format!("`{}` is running", job.name)),
                    (false, false) => {}
                }
            }
        }
        Ok(match busy.is_empty() {
            true => Seen::So("no job of log shipping is enabled or running".to_string()),
            false => Seen::NotYet(busy.join(", ")),
        })
    }

    async fn act(&self, run: &Run) -> Result<String> {
        let mut connection = run.connect(Purpose::Catalog).await?;
        for captured in run.capture.log_shipping.jobs() {
            let Some(found) = job::read(&mut connection, captured.job_id).await? else { continue };
            if found.is_enabled {
                let statement = job::set_enabled_statement(found.job_id, false)?;
                run.change(&found.name, &statement, job::set_enabled(&mut connection, found.job_id, false)).await?;
            }
        }
        crash_points::reach("jobs_disabled");
        if let Some(restore) = &run.capture.log_shipping.restore_job {
            wait(run, restore, FOREVER).await?;
        }
        if let Some(copy) = &run.capture.log_shipping.copy_job {
            if !wait(run, copy, COPY_JOB_PATIENCE).await? {
                let statement = job::stop_statement(copy.job_id)?;
                run.change(&copy.name, &statement, job::stop(&mut connection, copy.job_id)).await?;
                if !wait(run, copy, STOP_LIMIT).await? {
                    return Err(Error::new(
                        ErrorKind::StepNotVerified,
                        format!("the copy job `{}` does not stop.", copy.name),
                    )
                    .with_next("Stop it in SQL Server Agent on the instance, then start again.")
                    .with_target(&copy.name));
                }
            }
        }
        let names: Vec<String> = run.capture.log_shipping.jobs().map(|job| format!("`{}`", job.name)).collect();
        Ok(format!("disabled and idle: {}", names.join(", ")))
    }
}

/// Waits on a connection of its own: a cancel in the middle of a read throws it away.
async fn wait(run: &Run, job: &Job, limit: Duration) -> Result<bool> {
    let mut connection = run.connect(Purpose::Catalog).await?;
    if job::is_running(&mut connection, job.job_id).await? {
        run.tell_progress(&format!("waiting for the job {} to end", job.name), None);
    }
    job::wait_until_idle(&mut connection, job.job_id, limit, &run.cancel).await
}
