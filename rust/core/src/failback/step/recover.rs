//! The primary is recovered: the point of no return. Its permit wants both sides at one place, and the backup without writers.

use std::time::Duration;

use async_trait::async_trait;

use super::documented;
use super::restore_tail::{source_redo, target_redo};
use crate::error::Result;
use crate::failback::plan::step_name;
use crate::failback::{Failback, Run};
use crate::journal::crash_points;
use crate::log_chain::gate;
use crate::run::{OnFailure, Seen, Step};
use crate::sql::database::{self, DatabaseState, UserAccess};
use crate::sql::open_up::open_to_all;
use crate::sql::restore::RestoreProgress;
use crate::sql::{mirror, Purpose};

/// How long a client that comes back may keep the only seat.
const OPEN_LIMIT: Duration = Duration::from_secs(60);

pub(crate) struct Recover;

#[async_trait]
impl Step<Failback> for Recover {
    fn name(&self) -> &'static str {
        step_name::RECOVER
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Stop
    }

    async fn probe(&self, run: &Run) -> Result<Seen> {
        let mut connection = run.connect_to(&run.work.names.primary, Purpose::Catalog).await?;
        let facts = database::need(&mut connection, run.database()).await?;
        if mirror::read(&mut connection, run.database()).await?.is_some() {
            run.commit();
            return Ok(Seen::So("the target is recovered and mirrored".to_string()));
        }
        if facts.state != DatabaseState::Online {
            return Ok(Seen::NotYet(format!("the target is {}", facts.state.as_text())));
        }
        run.commit();
        if facts.user_access != UserAccess::MultiUser {
            return Ok(Seen::NotYet("the target is online, but not open to all users".to_string()));
        }
        let table = database::count_rows(&mut connection, run.database()).await?;
        let read =
            table.map_or("it has no table".to_string(), |t| format!("{} rows in {}.{}", t.rows, t.schema, t.table));
        Ok(Seen::So(format!(
            "`{}` is online on {} and open to all users: {read}",
            run.database(),
            run.work.names.primary
        )))
    }

    async fn act(&self, run: &Run) -> Result<String> {
        let target = &run.work.names.primary;
        let database = run.database();
        let state = {
            let mut connection = run.connect_to(target, Purpose::Catalog).await?;
            database::need(&mut connection, database).await?.state
        };
        if state != DatabaseState::Online {
            let permit = match documented::is_documented(run) {
                true => documented::permit(run).await?,
                false => {
                    let (source, redo) = (source_redo(run).await?, target_redo(run).await?);
                    gate::open_switched(&target.to_string(), database, &redo, &source)?
                }
            };
            let statement = database::recover_statement(database)?;
            let mut tell = |seen: RestoreProgress| run.tell_progress("recovery", Some(seen.percent as u8));
            crash_points::reach("switch.recover.before");
            let connector = run.session.connector();
            run.change(&target.to_string(), &statement, database::recover(connector, target, permit, &mut tell))
                .await?;
            crash_points::reach("switch.recover.done");
        }
        run.commit();
        let mut work = run.connect_to(target, Purpose::Work).await?;
        if database::need(&mut work, database).await?.user_access != UserAccess::MultiUser {
            let statement = database::multi_user_statement(database)?;
            run.change_back(&target.to_string(), &statement, open_to_all(&mut work, database, OPEN_LIMIT)).await?;
        }
        Ok(String::new())
    }
}
