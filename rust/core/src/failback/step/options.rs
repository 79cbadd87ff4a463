//! The primary's database gets the options of the baseline back: a restore leaves some of them otherwise.

use async_trait::async_trait;

use crate::baseline::InstanceRole;
use crate::error::Result;
use crate::failback::plan::step_name;
use crate::failback::{Failback, Run};
use crate::host::Level;
use crate::run::{OnFailure, Seen, Step};
use crate::sql::{database, database_options, database_restore_options, mirror, Connection, Purpose};

pub(crate) struct Options;

#[async_trait]
impl Step<Failback> for Options {
    fn name(&self) -> &'static str {
        step_name::OPTIONS
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::GoOn
    }

    async fn probe(&self, run: &Run) -> Result<Seen> {
        let mut connection = run.primary(Purpose::Catalog).await?;
        // Once it is mirrored or between the role swaps, this was done long ago; the last step compares everything.
        if mirror::read(&mut connection, run.database()).await?.is_some() {
            return Ok(Seen::So("the primary is mirrored already".to_string()));
        }
        let left = missing(run, &mut connection).await?;
        Ok(match left.first() {
            None => Seen::So("the options are those of the baseline".to_string()),
            Some(first) => Seen::NotYet(format!("{} options differ from the baseline; first: {first}", left.len())),
        })
    }

    async fn act(&self, run: &Run) -> Result<String> {
        let mut work = run.primary(Purpose::Work).await?;
        let list = missing(run, &mut work).await?;
        for statement in &list {
            let sent =
                run.change(run.database(), statement, database_restore_options::send(&mut work, statement)).await;
            if let Err(error) = sent {
                // An owner whose login is gone, for one: users get in all the same, and the drift is told.
                run.host.message(Level::Warning, error.to_string());
            }
        }
        Ok(format!("{} options set as in the baseline", list.len()))
    }
}

/// What is still to be set; empty where the baseline does not know the database.
async fn missing(run: &Run, connection: &mut Connection) -> Result<Vec<String>> {
    let baseline = run.work.request.baseline.as_deref();
    let Some(wanted) = baseline.and_then(|found| found.instance(InstanceRole::Primary)).and_then(|i| i.database())
    else {
        return Ok(Vec::new());
    };
    let found = database::need(connection, run.database()).await?;
    let options = database_options::read(connection, run.database()).await?;
    let wanted_options = wanted.options.known().and_then(Option::as_ref);
    database_restore_options::statements(run.database(), (&wanted.facts, wanted_options), (&found, options.as_ref()))
}
