//! What the steps that a planned switch shares with other workflows ask of it.

use std::time::Duration;

use async_trait::async_trait;

use super::evidence::{self, SwitchCapture};
use super::{gate, plan, PlannedSwitch, Run};
use crate::error::{Error, ErrorKind, Result};
use crate::evidence::{Capture, PoolEvidence};
use crate::failover::{Failover, SecondaryWork};
use crate::log_chain::RecoveryPermit;
use crate::names::{InstanceName, PoolState, ServerPath};
use crate::sql::database::{self, DatabaseState};
use crate::sql::Purpose;
use crate::switch::{PoolWork, ServerServices, SwitchJob, SwitchLimits, SwitchWork};

impl PoolWork for PlannedSwitch {
    const POOL_STATE: PoolState = PoolState::FailedOver;

    fn serving(&self) -> &InstanceName {
        &self.secondary.instance
    }

    fn active_servers(&self) -> &[String] {
        &self.request.failover.active_servers
    }

    fn pool_timeout(&self) -> Duration {
        Duration::from_secs(u64::from(self.request.failover.pool_timeout_seconds))
    }

    fn pool(&self) -> &PoolEvidence {
        &self.secondary.evidence.pool
    }

    fn pool_before(capture: &SwitchCapture) -> &PoolEvidence {
        &capture.secondary.pool
    }
}

#[async_trait]
impl SecondaryWork for PlannedSwitch {
    fn secondary(&self) -> &Failover {
        &self.secondary
    }

    fn secondary_capture(capture: &SwitchCapture) -> &Capture {
        &capture.secondary
    }

    async fn ask_gate(run: &Run) -> Result<RecoveryPermit> {
        gate::ask(run).await
    }
}

#[async_trait]
impl SwitchWork for PlannedSwitch {
    fn source(&self) -> &InstanceName {
        &self.source
    }

    fn source_mirror(&self) -> Option<&InstanceName> {
        self.source_mirror.as_ref()
    }

    fn source_database(&self) -> &str {
        &self.source_database
    }

    fn limits(&self) -> SwitchLimits {
        let asked = &self.request;
        SwitchLimits::of(asked.drain_timeout_seconds, asked.service_timeout_seconds, asked.compliance_drained)
    }

    fn jobs(run: &Run) -> Result<Vec<SwitchJob>> {
        let mut jobs = Vec::new();
        for home in [run.capture.source.as_ref(), run.capture.source_mirror.as_ref()].into_iter().flatten() {
            if let Some(job) = &home.backup_job {
                jobs.push(SwitchJob {
                    instance: home.sql_instance.parse()?,
                    job_id: job.job_id,
                    name: job.name.clone(),
                    was_enabled: job.is_enabled,
                    may_be_stopped: false,
                });
            }
        }
        let shipping = &run.capture.secondary.log_shipping;
        let copy = shipping.copy_job.as_ref().map(|job| job.job_id);
        jobs.extend(shipping.jobs().map(|job| SwitchJob {
            instance: run.work.secondary.instance.clone(),
            job_id: job.job_id,
            name: job.name.clone(),
            was_enabled: job.is_enabled,
            may_be_stopped: Some(job.job_id) == copy,
        }));
        Ok(jobs)
    }

    fn mirrored(run: &Run) -> Vec<String> {
        let source = run.capture.source.as_ref();
        source.map(|source| plan::mirrored(source, run.work.source_database_name())).unwrap_or_default()
    }

    fn has_compliance(&self) -> bool {
        evidence::has_compliance(&self.secondary.evidence)
    }

    fn tail_folder(run: &Run) -> Result<ServerPath> {
        let record = run.capture.source.as_ref().and_then(|source| source.record.as_ref());
        let named = || run.work.request.failover.folders.log_backup_share.as_deref().map(ServerPath::new);
        record.map(|record| record.backup_directory.clone()).or_else(named).ok_or_else(|| {
            Error::new(ErrorKind::SourceNotReady, "nobody names the folder of the source's log backups.")
                .with_next("Name the share with `-LogBackupShare` in a new plan.")
        })
    }

    fn services_before(capture: &SwitchCapture) -> &[ServerServices] {
        &capture.services
    }

    async fn is_past_recovery(run: &Run) -> Result<bool> {
        let mut connection = run.connect(Purpose::Catalog).await?;
        let state = database::need(&mut connection, run.database()).await?.state;
        connection.close().await;
        Ok(state == DatabaseState::Online)
    }
}
