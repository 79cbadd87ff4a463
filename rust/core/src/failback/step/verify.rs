//! The configuration that was reached, compared with the baseline. Nothing is changed; what differs is named.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;

use crate::baseline::{self, Instances};
use crate::document::Drift;
use crate::error::Result;
use crate::failback::plan::step_name;
use crate::failback::{Failback, Run};
use crate::run::{OnFailure, Seen, Step};
use crate::sql::compliance::COMPLIANCE_DATABASE;

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
        let (connector, host) = (run.session.connector(), run.host.as_ref());
        let pool = run.plan.pool_fqdn.as_deref();
        let now = baseline::read_all(connector, host, pool, instances, run.database(), COMPLIANCE_DATABASE).await;
        let drift = baseline::compare(wanted, &now);
        run.book.set_fact(DRIFT, &drift).await?;
        self.is_read.store(true, Ordering::Relaxed);
        Ok(String::new())
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
    let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_string());
    drift
        .iter()
        .map(|drift| {
            format!(
                "Differs from the baseline: {} {} is {} and was {}.",
                drift.subject,
                drift.part,
                side(&drift.now),
                side(&drift.earlier)
            )
        })
        .collect()
}
