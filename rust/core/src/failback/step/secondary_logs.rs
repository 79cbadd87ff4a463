//! The backup follows the primary again from where its tail ended: what the set-up of the primary's mirror backed up of the
//! log into its own share is found in the primary's msdb and restored, before that share is emptied (4305 otherwise).

use async_trait::async_trait;

use crate::error::Result;
use crate::failback::follow;
use crate::failback::history::{log_backups_behind, HistorySet};
use crate::failback::plan::step_name;
use crate::failback::{Failback, Run};
use crate::journal::crash_points;
use crate::run::{OnFailure, Seen, Step};
use crate::sql::{database, log_shipping, Purpose};

pub(crate) struct SecondaryLogs;

#[async_trait]
impl Step<Failback> for SecondaryLogs {
    fn name(&self) -> &'static str {
        step_name::SECONDARY_LOGS
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::GoOn
    }

    async fn probe(&self, run: &Run) -> Result<Seen> {
        let mut connection = run.backup(Purpose::Catalog).await?;
        if log_shipping::read_secondary(&mut connection, run.database()).await?.is_some() {
            return Ok(Seen::So("the backup is a secondary again; its restore job follows".to_string()));
        }
        let redo = database::redo_point(&mut connection, run.database()).await?.lsn;
        let history = primary_history(run).await?;
        let behind = log_backups_behind(&history, redo).len();
        Ok(match behind {
            0 => Seen::So(format!("the backup stands at LSN {redo}, behind no log backup of the primary")),
            behind => Seen::NotYet(format!("{behind} log backups of the primary are not restored on the backup yet")),
        })
    }

    async fn act(&self, run: &Run) -> Result<String> {
        let count = follow::follow(run, &run.work.names.backup, &primary_history(run).await?).await?;
        crash_points::reach("secondary_logs.restored");
        Ok(format!("{count} log backups of the primary restored on the backup"))
    }
}

/// What the primary and its mirror remember since the recovery.
async fn primary_history(run: &Run) -> Result<Vec<HistorySet>> {
    follow::history(run, &run.locked(run.work.names.home_pair()).await).await
}
