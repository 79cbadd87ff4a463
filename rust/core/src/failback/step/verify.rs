//! The configuration that was reached, compared with the baseline. Nothing is changed; what differs is named.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use crate::baseline::{self, Instances};
use crate::document::Drift;
use crate::error::Result;
use crate::failback::plan::step_name;
use crate::failback::{Failback, Run};
use crate::run::{OnFailure, Seen, Step};
use crate::sql::compliance::COMPLIANCE_DATABASE;
use crate::sql::mirror::{self, MirrorState};
use crate::sql::Purpose;
use crate::switch::PoolWork;

/// The databases whose mirror had not caught up.
const STILL_SYNCHRONIZING: &str = "still_synchronizing";
/// How long a mirror is waited for: what it has not got by then is a matter of its size.
const SYNC_LIMIT: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(500);

/// What differs from the baseline at the end.
pub(crate) const DRIFT: &str = "drift";

/// Looked once a run, in every process that works on it.
#[derive(Default)]
pub(crate) struct Verify {
    is_read: AtomicBool,
}

#[async_trait]
impl Step<Failback> for Verify {
    fn name(&self) -> &'static str {
        step_name::VERIFY
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::GoOn
    }

    async fn probe(&self, run: &Run) -> Result<Seen> {
        if !self.is_read.load(Ordering::Relaxed) {
            return Ok(Seen::NotYet("not compared yet".to_string()));
        }
        let drift: Vec<Drift> = run.book.fact(DRIFT).unwrap_or_default();
        Ok(Seen::So(match drift.len() {
            0 => "the configuration is that of the baseline".to_string(),
            count => format!(
                "{} from the baseline: {}",
                crate::evidence::count(count, "difference", "differences"),
                shown(&drift)
            ),
        }))
    }

    async fn act(&self, run: &Run) -> Result<String> {
        let Some(wanted) = run.work.request.baseline.as_deref() else {
            self.is_read.store(true, Ordering::Relaxed);
            return Ok("there is no baseline to compare with".to_string());
        };
        let names = &run.work.names;
        let instances = Instances {
            primary: Some(names.primary.clone()),
            primary_mirror: names.primary_mirror.clone(),
            backup: Some(names.backup.clone()),
            backup_mirror: names.backup_mirror.clone(),
        };
        let behind = wait_for_mirrors(run).await?;
        run.book.set_fact(STILL_SYNCHRONIZING, &behind).await?;
        let (connector, host) = (run.session.connector(), run.host.as_ref());
        let pool = run.plan.pool_fqdn.as_deref();
        let now = baseline::read_all(connector, host, pool, instances, run.database(), COMPLIANCE_DATABASE).await;
        let drift = baseline::compare(wanted, &now);
        run.book.set_fact(DRIFT, &drift).await?;
        self.is_read.store(true, Ordering::Relaxed);
        Ok(String::new())
    }
}

/// Waits until the new mirrors have caught up, within a limit: users are in, and a large one may take long. Those that have not.
async fn wait_for_mirrors(run: &Run) -> Result<Vec<String>> {
    let end = Instant::now() + SYNC_LIMIT.min(run.work.pool_timeout());
    loop {
        let mut connection = run.primary(Purpose::Catalog).await?;
        let mut behind = Vec::new();
        for name in [run.database(), COMPLIANCE_DATABASE] {
            let found = mirror::read(&mut connection, name).await?;
            if found.is_some_and(|found| found.state == MirrorState::Synchronizing) {
                behind.push(name.to_string());
            }
        }
        if behind.is_empty() || Instant::now() >= end {
            return Ok(behind);
        }
        run.tell_progress(&format!("waiting for the mirror of {} to catch up", behind.join(" and ")), None);
        run.pause(POLL).await?;
    }
}

/// The places, shortened where there are many.
fn shown(drift: &[Drift]) -> String {
    const SHOWN: usize = 6;
    let mut list: Vec<String> =
        drift.iter().take(SHOWN).map(|drift| format!("{} {}", drift.subject, drift.part)).collect();
    if drift.len() > SHOWN {
        list.push(format!("and {} more", drift.len() - SHOWN));
    }
    list.join(", ")
}

/// One line for each difference, for the operator.
pub(crate) fn lines(run: &Run) -> Vec<String> {
    let drift: Vec<Drift> = run.book.fact(DRIFT).unwrap_or_default();
    let behind: Vec<String> = run.book.fact(STILL_SYNCHRONIZING).unwrap_or_default();
    let waited = behind.iter().map(|database| {
        format!(
            "The mirror of {database} was still synchronizing when the run ended; `Get-PChatMirror {}` tells when it has caught up.",
            run.work.names.primary
        )
    });
    let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_string());
    let lines = drift.iter().map(|drift| {
        format!(
            "Differs from the baseline: {} {} is {} and was {}.",
            drift.subject,
            drift.part,
            side(&drift.now),
            side(&drift.earlier)
        )
    });
    waited.chain(lines).collect()
}
