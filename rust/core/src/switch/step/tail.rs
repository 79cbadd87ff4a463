//! The tail of the log: everybody out, the last log backup taken, and the source is RESTORING. From here nothing can be
//! written there.

use std::time::Duration;

use async_trait::async_trait;
use chrono::Utc;
use serde_json::{json, Value};
use tokio::time::Instant;

use super::{name, HISTORY};
use crate::error::{Error, ErrorKind, Result};
use crate::journal::crash_points;
use crate::names::ServerPath;
use crate::run::{OnFailure, Run, Seen, Step};
use crate::sql::backup::{self, backup_name, batch_of, Attempt, BackupOrder, BackupWhat};
use crate::sql::database::{self, DatabaseState};
use crate::sql::log_backup_job::TIME_OF_BACKUP;
use crate::sql::restore::RestoreProgress;
use crate::sql::Purpose;
use crate::switch::SwitchWork;

/// The file of the newest attempt, in the journal before it is sent. Each attempt writes a new one.
const TAIL_FILE: &str = "tail_file";
/// How long sessions may come back before the run gives up.
const LIMIT: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(1_100);

pub(crate) struct Tail;

/// The file that the tail was taken to, or was last tried with.
pub(crate) fn tail_file<W: SwitchWork>(run: &Run<W>) -> Option<ServerPath> {
    run.book.fact(TAIL_FILE)
}

#[async_trait]
impl<W: SwitchWork> Step<W> for Tail {
    fn name(&self) -> &'static str {
        name::TAIL
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::PutBack
    }

    async fn probe(&self, run: &Run<W>) -> Result<Seen> {
        if W::is_past_recovery(run).await? {
            return Ok(Seen::So(HISTORY.to_string()));
        }
        let mut connection = run.connect_source(Purpose::Catalog).await?;
        let state = database::need(&mut connection, run.work.source_database()).await?.state;
        if state != DatabaseState::Restoring {
            return Ok(Seen::NotYet(format!("the source is {}", state.as_text().to_uppercase())));
        }
        let redo = database::redo_lsn(&mut connection, run.work.source_database()).await?;
        let file = tail_file(run).map_or_else(|| "a file of somebody else's".to_string(), |file| file.to_string());
        Ok(Seen::So(format!("the source is RESTORING at LSN {redo}; its tail is {file}")))
    }

    fn intent(&self, run: &Run<W>) -> Value {
        json!({"source": run.work.source().to_string()})
    }

    async fn act(&self, run: &Run<W>) -> Result<String> {
        let folder = W::tail_folder(run)?;
        let end = Instant::now() + LIMIT;
        loop {
            let refused = match attempt(run, &folder).await? {
                Attempt::Taken(_) => break,
                Attempt::InUse(refused) => refused,
            };
            if Instant::now() >= end {
                return Err(still_in_use(run, refused));
            }
            // The next file has another name, which tells seconds.
            run.pause(PAUSE).await?;
        }
        crash_points::reach("tail.taken");
        Ok(String::new())
    }
}

/// Tries once, with a file of its own.
async fn attempt<W: SwitchWork>(run: &Run<W>, folder: &ServerPath) -> Result<Attempt> {
    let database = run.work.source_database();
    let order = order(folder, database, &backup_name(database, BackupWhat::Tail, Utc::now().naive_utc()));
    run.book.set_fact(TAIL_FILE, &order.file).await?;
    let statement = batch_of(&order)?;
    run.tell_progress(&format!("taking the tail to {}", order.file), None);
    let mut point = crash_points::Once::new("tail.sent");
    let taking = async {
        let mut tell = |seen: RestoreProgress| {
            // The instance shows the statement at work.
            point.reach();
            run.tell_progress("taking the tail", Some(seen.percent as u8));
        };
        let taken = backup::take(run.session.connector(), run.work.source(), &order, &mut tell).await;
        // A quick one has ended before anybody looked, and the journal does not know yet.
        point.reach();
        taken
    };
    run.change(database, &statement, taking).await
}

fn order(folder: &ServerPath, database: &str, name: &str) -> BackupOrder {
    BackupOrder { database: database.to_string(), what: BackupWhat::Tail, file: folder.join(name), copy_only: false }
}

/// The statement as a plan shows it: the file's moment is not known yet.
pub(crate) fn planned_tail(folder: &ServerPath, database: &str) -> Result<String> {
    batch_of(&order(folder, database, &format!("{database}_{TIME_OF_BACKUP}.trn")))
}

fn still_in_use<W: SwitchWork>(run: &Run<W>, refused: Error) -> Error {
    let (source, database) = (run.work.source(), run.work.source_database());
    Error {
        kind: ErrorKind::DatabaseInUse,
        message: format!("{source}: sessions came back into `{database}` faster than they could be ended."),
        ..refused
    }
    .with_unchanged(format!("`{database}` is still online on {source}."))
    .with_next("Stop the services and tools that use it, then resume.")
}
