//! Log shipping is removed: record, jobs and history go, all of it in the capture.

use async_trait::async_trait;

use crate::error::Result;
use crate::failover::plan::{ignores_monitor, step_name};
use crate::failover::Failover;
use crate::failover::Run;
use crate::journal::crash_points;
use crate::run::{OnFailure, Seen, Step};
use crate::sql::log_shipping;
use crate::sql::Purpose;

/// Microsoft's page begins with it; here it comes behind the gate, so that a gate that stays shut costs nothing.
pub(crate) struct RemoveLogShipping;

#[async_trait]
impl Step<Failover> for RemoveLogShipping {
    fn name(&self) -> &'static str {
        step_name::REMOVE_LOG_SHIPPING
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::PutBack
    }

    async fn probe(&self, run: &Run) -> Result<Seen> {
        let mut connection = run.connect(Purpose::Catalog).await?;
        let record = log_shipping::read_secondary(&mut connection, run.database()).await?;
        Ok(match record {
            None => {
                if run.capture.log_shipping.is_configured() {
                    run.commit();
                }
                Seen::So("log shipping is not configured any more".to_string())
            }
            Some(_) => Seen::NotYet("log shipping is still configured".to_string()),
        })
    }

    async fn act(&self, run: &Run) -> Result<String> {
        // A dead monitor may stall the removal, so it is left alone where the procedure can.
        let ignore = ignores_monitor(&run.work.evidence);
        let statement = log_shipping::remove_statement(run.database(), ignore)?;
        // The monitor may be slow to fail: no limit on this statement.
        let mut connection = run.connect(Purpose::Work).await?;
        run.change(run.database(), &statement, log_shipping::remove(&mut connection, run.database(), ignore)).await?;
        crash_points::reach("log_shipping.removed");
        run.commit();
        Ok(match ignore {
            true => "log shipping is removed; its dead monitor was left alone".to_string(),
            false => "log shipping is removed".to_string(),
        })
    }
}
