//! What the log of a damaged database still holds is saved. It stays damaged, and writable for whoever can: services are
//! stopped before.

use async_trait::async_trait;
use chrono::Utc;

use super::{name, HISTORY};
use crate::error::{Error, ErrorKind, Result};
use crate::journal::crash_points;
use crate::names::{Lsn, ServerPath};
use crate::run::{OnFailure, Run, Seen, Step};
use crate::sql::backup::{self, backup_name, batch_of, Attempt, BackupOrder, BackupWhat};
use crate::sql::backup_file::{read_headers, HeaderAnswer};
use crate::sql::log_backup_job::TIME_OF_BACKUP;
use crate::sql::restore::RestoreProgress;
use crate::sql::Purpose;
use crate::switch::SwitchWork;

/// The file of the newest attempt, in the journal before it is sent.
const SALVAGE_FILE: &str = "salvage_file";

pub(crate) struct Salvage;

/// Where what was saved ends, out of the file's header; `None` where nothing was saved yet.
///
/// # Errors
/// Those of the source.
pub(crate) async fn saved_to<W: SwitchWork>(run: &Run<W>) -> Result<Option<Lsn>> {
    let Some(file) = run.book.fact::<ServerPath>(SALVAGE_FILE) else { return Ok(None) };
    let mut connection = run.connect_source(Purpose::Files).await?;
    let headers = match read_headers(&mut connection, &file).await? {
        HeaderAnswer::Read(headers) => headers,
        HeaderAnswer::Trouble(..) => return Ok(None),
    };
    Ok(headers.first().map(|header| header.last_lsn))
}

fn order(folder: &ServerPath, database: &str, name: &str) -> BackupOrder {
    BackupOrder { database: database.to_string(), what: BackupWhat::Salvage, file: folder.join(name), copy_only: false }
}

/// The statement as a plan shows it: the file's moment is not known yet.
pub(crate) fn planned_salvage(folder: &ServerPath, database: &str) -> Result<String> {
    batch_of(&order(folder, database, &format!("{database}_{TIME_OF_BACKUP}.trn")))
}

#[async_trait]
impl<W: SwitchWork> Step<W> for Salvage {
    fn name(&self) -> &'static str {
        name::SALVAGE
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::PutBack
    }

    async fn probe(&self, run: &Run<W>) -> Result<Seen> {
        if W::is_past_recovery(run).await? {
            return Ok(Seen::So(HISTORY.to_string()));
        }
        Ok(match saved_to(run).await? {
            Some(end) => Seen::So(format!("the log is saved to LSN {end}")),
            None => Seen::NotYet("the log of the damaged database is not saved yet".to_string()),
        })
    }

    async fn act(&self, run: &Run<W>) -> Result<String> {
        let (folder, database) = (W::tail_folder(run)?, run.work.source_database());
        let order = order(&folder, database, &backup_name(database, BackupWhat::Salvage, Utc::now().naive_utc()));
        run.book.set_fact(SALVAGE_FILE, &order.file).await?;
        let statement = batch_of(&order)?;
        let mut tell = |seen: RestoreProgress| run.tell_progress("saving the log", Some(seen.percent as u8));
        let taking = backup::take(run.session.connector(), run.work.source(), &order, &mut tell);
        match run.change(database, &statement, taking).await? {
            Attempt::Taken(_) => crash_points::reach("tail.taken"),
            Attempt::InUse(error) => {
                return Err(Error { kind: ErrorKind::DatabaseInUse, ..error }
                    .with_next("Stop what uses the database, then resume."))
            }
        }
        Ok(String::new())
    }
}
