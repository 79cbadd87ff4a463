//! The old primary and its mirror are log shipping primaries no more: left there, their jobs would raise alerts, and a
//! later set-up would be refused.

use async_trait::async_trait;

use super::plan::REMOVE_RECORDS;
use super::work::PlannedSwitch;
use super::Run;
use crate::error::Result;
use crate::journal::crash_points;
use crate::names::InstanceName;
use crate::run::{OnFailure, Seen, Step};
use crate::sql::primary_removal::{remove_primary_part, remove_primary_statements, verify_primary_removed};
use crate::sql::{log_shipping_primary, Purpose};

pub(super) struct RemoveRecords;

/// The captured instances that had a record.
fn homes(run: &Run) -> Result<Vec<InstanceName>> {
    let captured = [run.capture.source.as_ref(), run.capture.source_mirror.as_ref()];
    captured.into_iter().flatten().filter(|home| home.record.is_some()).map(|home| home.sql_instance.parse()).collect()
}

#[async_trait]
impl Step<PlannedSwitch> for RemoveRecords {
    fn name(&self) -> &'static str {
        REMOVE_RECORDS
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::GoOn
    }

    async fn probe(&self, run: &Run) -> Result<Seen> {
        for home in homes(run)? {
            let mut connection = run.session.connector().connect(&home, Purpose::Catalog).await?;
            let record = log_shipping_primary::read_primary(&mut connection, run.work.source_database_name()).await?;
            connection.close().await;
            if record.is_some() {
                return Ok(Seen::NotYet(format!("{home} still has its log shipping record")));
            }
        }
        Ok(Seen::So("neither the old primary nor its mirror has a log shipping record".to_string()))
    }

    async fn act(&self, run: &Run) -> Result<String> {
        let database = run.work.source_database_name();
        for home in homes(run)? {
            // A monitor that is slow to fail is waited for: no limit on these statements.
            let mut work = run.session.connector().connect(&home, Purpose::Work).await?;
            let Some(record) = log_shipping_primary::read_primary(&mut work, database).await? else { continue };
            for statement in remove_primary_statements(&record)? {
                let what = format!("{database} on {home}");
                run.change(&what, &statement, remove_primary_part(&mut work, &statement)).await?;
                crash_points::reach("records.one_removed");
            }
            verify_primary_removed(&mut work, database).await?;
            work.close().await;
        }
        Ok(String::new())
    }
}
