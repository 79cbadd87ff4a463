//! The primary follows the log backups of the serving database until it is close: what is left then is the tail.

use std::time::{Duration, Instant};

use async_trait::async_trait;

use super::log_backups::taker;
use super::seed::history;
use crate::error::{Error, ErrorKind, Result};
use crate::failback::follow;
use crate::failback::history::log_backups_behind;
use crate::failback::plan::step_name;
use crate::failback::stage::behind_the_tail;
use crate::failback::{Failback, Run};
use crate::journal::crash_points;
use crate::names::Lsn;
use crate::run::{OnFailure, Seen, Step};
use crate::sql::{database, job, Purpose};

/// Taken down once the primary was close: the LSN that it stood at.
const CAUGHT_UP: &str = "caught_up";
/// Close: a round that took no longer than this leaves as little behind.
const CLOSE: Duration = Duration::from_secs(20);
const ROUNDS: u32 = 10;
const JOB_LIMIT: Duration = Duration::from_secs(3600);

pub(crate) struct CatchUp;

#[async_trait]
impl Step<Failback> for CatchUp {
    fn name(&self) -> &'static str {
        step_name::CATCH_UP
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Stop
    }

    async fn probe(&self, run: &Run) -> Result<Seen> {
        if let Some(seen) = behind_the_tail(run).await? {
            return Ok(seen);
        }
        let mut connection = run.primary(Purpose::Catalog).await?;
        let redo = database::redo_point(&mut connection, run.database()).await?.lsn;
        let behind = log_backups_behind(&history(run).await?, redo).len();
        let was_close = run.book.fact::<Lsn>(CAUGHT_UP).is_some();
        Ok(match (behind, was_close) {
            (0, true) => Seen::So(format!("the primary stands at LSN {redo}, behind no log backup")),
            (0, false) => Seen::NotYet("the newest log backup is not taken yet".to_string()),
            (behind, _) => Seen::NotYet(format!("{behind} log backups are not restored on the primary yet")),
        })
    }

    async fn act(&self, run: &Run) -> Result<String> {
        let mut restored = 0;
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            back_up_now(run).await?;
            restored += follow::source(run).await?;
            if begun.elapsed() <= CLOSE {
                break;
            }
        }
        let mut connection = run.primary(Purpose::Catalog).await?;
        let redo = database::redo_point(&mut connection, run.database()).await?.lsn;
        run.book.set_fact(CAUGHT_UP, &redo).await?;
        crash_points::reach("catch_up.done");
        Ok(format!("{restored} log backups restored on the primary; it stands at LSN {redo}"))
    }
}

/// Has the one taker of log backups take one now.
async fn back_up_now(run: &Run) -> Result<()> {
    let mut connection = run.backup(Purpose::Catalog).await?;
    let Some(id) = taker(run, &mut connection).await? else {
        return Err(Error::new(ErrorKind::StepNotVerified, "the backup has no job that takes log backups."));
    };
    if !job::is_running(&mut connection, id).await? {
        let statement = job::start_statement(id)?;
        run.change(run.database(), &statement, job::start(&mut connection, id)).await?;
    }
    if !job::wait_until_idle(&mut connection, id, JOB_LIMIT, &run.cancel).await? {
        return Err(Error::new(ErrorKind::StepNotVerified, "the log backup job of the backup does not end.")
            .with_next("Look at the job's history on the backup, then run `Resume-PChatRun`."));
    }
    match job::last_outcome(&mut connection, id).await? {
        Some(outcome) if outcome.run_status == 0 => Err(Error::new(
            ErrorKind::StepNotVerified,
            format!("the log backup job of the backup failed: {}", outcome.message),
        )
        .with_next("Correct what its history shows, then run `Resume-PChatRun`.")),
        _ => Ok(()),
    }
}
