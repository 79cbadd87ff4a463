//! Log shipping is removed: record, jobs and history go, all of it in the capture.

use async_trait::async_trait;

use crate::error::{Error, Result};
use crate::failover::plan::{ignores_monitor, may_ignore_monitor, step_name};
use crate::failover::SecondaryWork;
use crate::journal::crash_points;
use crate::run::{OnFailure, Run, Seen, Step};
use crate::sql::log_shipping;
use crate::sql::Purpose;

/// The removal did not reach the remote monitor; log shipping is still configured, so it may be asked again without it.
///
/// # Source
/// The message list: 32030, 32031, 32054, 32055.
const MONITOR_OUT_OF_REACH: [u32; 4] = [32030, 32031, 32054, 32055];

/// Microsoft's page begins with it; here it comes behind the gate, so that a gate that stays shut costs nothing.
pub(crate) struct RemoveLogShipping;

#[async_trait]
impl<W: SecondaryWork> Step<W> for RemoveLogShipping {
    fn name(&self) -> &'static str {
        step_name::REMOVE_LOG_SHIPPING
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::PutBack
    }

    async fn probe(&self, run: &Run<W>) -> Result<Seen> {
        let mut connection = run.connect(Purpose::Catalog).await?;
        let record = log_shipping::read_secondary(&mut connection, run.database()).await?;
        Ok(match record {
            None => {
                if W::secondary_capture(&run.capture).log_shipping.is_configured() {
                    run.commit();
                }
                Seen::So("log shipping is not configured any more".to_string())
            }
            Some(_) => Seen::NotYet("log shipping is still configured".to_string()),
        })
    }

    async fn act(&self, run: &Run<W>) -> Result<String> {
        // A dead monitor may stall the removal, so it is left alone where the procedure can.
        let mut ignore = ignores_monitor(&run.work.secondary().evidence);
        let removed = remove(run, ignore).await;
        let is_out_of_reach = |error: &Error| error.sql_number().is_some_and(|n| MONITOR_OUT_OF_REACH.contains(&n));
        match removed {
            // It died since the evidence was read, or it is the instance alone that does not reach it.
            Err(error) if !ignore && may_ignore_monitor(&run.work.secondary().evidence) && is_out_of_reach(&error) => {
                ignore = true;
                remove(run, ignore).await?;
            }
            removed => removed?,
        }
        crash_points::reach("log_shipping.removed");
        run.commit();
        Ok(match ignore {
            true => "log shipping is removed; its dead monitor was left alone".to_string(),
            false => "log shipping is removed".to_string(),
        })
    }
}

async fn remove<W: SecondaryWork>(run: &Run<W>, ignore_monitor: bool) -> Result<()> {
    let statement = log_shipping::remove_statement(run.database(), ignore_monitor)?;
    // The monitor may be slow to fail: no limit on this statement.
    let mut connection = run.connect(Purpose::Work).await?;
    let work = log_shipping::remove(&mut connection, run.database(), ignore_monitor);
    run.change(run.database(), &statement, work).await.map(drop)
}
