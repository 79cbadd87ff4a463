//! Log shipping as the old primary and its mirror still have it in their msdb: its backup job would fire at the recovery, and
//! the records would keep new ones from being made (32009).

use std::time::Duration;

use async_trait::async_trait;

use crate::error::{Error, ErrorKind, Result};
use crate::failback::plan::step_name;
use crate::failback::stage::behind_the_tail;
use crate::failback::{Failback, Run};
use crate::journal::crash_points;
use crate::names::InstanceName;
use crate::run::{OnFailure, Seen, Step};
use crate::sql::primary_removal::{remove_primary_part, remove_primary_statements, verify_primary_removed};
use crate::sql::{job, log_shipping_primary, Connection, Purpose};

/// How long a backup that is under way may take.
const JOB_LIMIT: Duration = Duration::from_secs(3600);

pub(crate) struct OldLogShipping;

#[async_trait]
impl Step<Failback> for OldLogShipping {
    fn name(&self) -> &'static str {
        step_name::OLD_LOG_SHIPPING
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Stop
    }

    async fn probe(&self, run: &Run) -> Result<Seen> {
        if let Some(seen) = behind_the_tail(run).await? {
            return Ok(seen);
        }
        for instance in home(run).await {
            let mut connection = run.connect_to(&instance, Purpose::Catalog).await?;
            if log_shipping_primary::read_primary(&mut connection, run.database()).await?.is_some() {
                return Ok(Seen::NotYet(format!("{instance} still has its record as a primary")));
            }
        }
        Ok(Seen::So("no instance at home is a primary of log shipping".to_string()))
    }

    async fn act(&self, run: &Run) -> Result<String> {
        let mut removed = Vec::new();
        for instance in home(run).await {
            let mut work = run.connect_to(&instance, Purpose::Work).await?;
            if remove(run, &instance, &mut work).await? {
                removed.push(instance.to_string());
            }
            crash_points::reach("old_log_shipping.removed");
        }
        Ok(format!("removed from {}", removed.join(", ")))
    }
}

async fn home(run: &Run) -> Vec<InstanceName> {
    run.locked(run.work.names.home_pair()).await
}

/// Removes the record of a primary with its job, which is awaited; false where there is none.
pub(super) async fn remove(run: &Run, instance: &InstanceName, work: &mut Connection) -> Result<bool> {
    let Some(record) = log_shipping_primary::read_primary(work, run.database()).await? else { return Ok(false) };
    if let Some(found) = job::read(work, record.backup_job_id).await? {
        if found.is_enabled {
            let statement = job::set_enabled_statement(found.job_id, false)?;
            let what = format!("{} on {instance}", found.name);
            run.change(&what, &statement, job::set_enabled(work, found.job_id, false)).await?;
        }
        if !job::wait_until_idle(work, found.job_id, JOB_LIMIT, &run.cancel).await? {
            return Err(Error::new(
                ErrorKind::StepNotVerified,
                format!("{instance}: the job `{}` still runs.", found.name),
            )
            .with_next("Wait for its end, then run `Resume-PChatRun`."));
        }
    }
    for statement in remove_primary_statements(&record)? {
        run.change(&instance.to_string(), &statement, remove_primary_part(work, &statement)).await?;
    }
    verify_primary_removed(work, run.database()).await?;
    Ok(true)
}
