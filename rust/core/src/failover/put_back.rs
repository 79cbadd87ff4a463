//! Giving a run up before log shipping is removed: jobs as captured, STANDBY and MULTI_USER back. Nothing has happened.

use std::time::Duration;

use chrono::Utc;

use super::step::copy_and_restore::{cut_off, finish_cut_off};
use super::Run;
use crate::error::Result;
use crate::names::ServerPath;
use crate::sql::database::{self, DatabaseState, UserAccess};
use crate::sql::job;
use crate::sql::open_up::open_to_all;
use crate::sql::restore::{restore_log_statement, LogRestore};
use crate::sql::{Connection, Purpose};

/// How long clients that come back may keep the only seat.
const OPEN_LIMIT: Duration = Duration::from_secs(300);

/// A restore was cut off before: nothing but the same log backup passes.
const RESTORE_CUT_OFF: u32 = 4319;

/// What putting back would do: the statements, in order. Reads only.
pub(crate) async fn planned(run: &Run) -> Result<Vec<String>> {
    let mut statements = Vec::new();
    let mut connection = run.connect(Purpose::Catalog).await?;
    let facts = database::need(&mut connection, run.database()).await?;
    if was_standby(run) && facts.state == DatabaseState::Restoring {
        if let Some(restore) = cut_off(run, true).await? {
            statements.push(restore_log_statement(&restore)?);
        }
        statements.push(database::return_to_standby_statement(run.database(), &undo_file(run))?);
    }
    if wants_multi_user(run, facts.state, facts.user_access) {
        statements.push(database::multi_user_statement(run.database())?);
    }
    for captured in run.capture.log_shipping.jobs().filter(|job| job.is_enabled) {
        if job::read(&mut connection, captured.job_id).await?.is_some_and(|job| !job.is_enabled) {
            statements.push(job::set_enabled_statement(captured.job_id, true)?);
        }
    }
    Ok(statements)
}

/// Puts back what the run has changed, whatever it got done of it; what was done, one line each. Restored log backups
/// stay restored: the restore job would have restored them too.
///
/// # Errors
/// The first one of its parts; the other parts are done all the same.
pub(crate) async fn put_back(run: &Run) -> Result<Vec<String>> {
    let mut done = Vec::new();
    let database = database_back(run, &mut done).await;
    let jobs = jobs_back(run, &mut done).await;
    database.and(jobs)?;
    if done.is_empty() {
        done.push("nothing had to be put back".to_string());
    }
    Ok(done)
}

async fn database_back(run: &Run, done: &mut Vec<String>) -> Result<()> {
    let mut work = run.connect(Purpose::Work).await?;
    let database = run.database();
    let state = database::need(&mut work, database).await?.state;
    if was_standby(run) && state == DatabaseState::Restoring {
        if let Some(restore) = cut_off(run, true).await? {
            finish(run, &restore, done).await?;
        }
        if let Err(error) = standby_back(run, &mut work).await {
            // A journal that lags does not know of the restore; the instance does.
            let restore = match error.sql_number() {
                Some(RESTORE_CUT_OFF) => cut_off(run, false).await?,
                _ => None,
            };
            finish(run, &restore.ok_or(error)?, done).await?;
            standby_back(run, &mut work).await?;
        }
        done.push(format!("`{database}` is a STANDBY copy again"));
    }
    let facts = database::need(&mut work, database).await?;
    if wants_multi_user(run, facts.state, facts.user_access) {
        let statement = database::multi_user_statement(database)?;
        run.change_back(database, &statement, open_to_all(&mut work, database, OPEN_LIMIT)).await?;
        done.push(format!("`{database}` is open to all users again"));
    }
    work.close().await;
    Ok(())
}

async fn standby_back(run: &Run, work: &mut Connection) -> Result<()> {
    let (database, undo_file) = (run.database(), undo_file(run));
    let statement = database::return_to_standby_statement(database, &undo_file)?;
    run.change_back(database, &statement, database::return_to_standby(work, database, &undo_file)).await
}

/// Restored log backups stay restored, so that one more of them is no change of what undoing leaves.
async fn finish(run: &Run, restore: &LogRestore, done: &mut Vec<String>) -> Result<()> {
    let name = finish_cut_off(run, restore).await?;
    done.push(format!("log backup `{name}`, whose restore was cut off, is restored to its end"));
    Ok(())
}

async fn jobs_back(run: &Run, done: &mut Vec<String>) -> Result<()> {
    let mut work = run.connect(Purpose::Catalog).await?;
    for captured in run.capture.log_shipping.jobs().filter(|job| job.is_enabled) {
        match job::read(&mut work, captured.job_id).await? {
            Some(found) if !found.is_enabled => {
                let statement = job::set_enabled_statement(found.job_id, true)?;
                run.change_back(&found.name, &statement, job::set_enabled(&mut work, found.job_id, true)).await?;
                done.push(format!("job `{}` is enabled again", found.name));
            }
            _ => {}
        }
    }
    work.close().await;
    Ok(())
}

fn was_standby(run: &Run) -> bool {
    run.capture.state.as_ref().is_some_and(|state| state.is_standby())
}

fn wants_multi_user(run: &Run, state: DatabaseState, access: UserAccess) -> bool {
    let was_multi_user =
        run.capture.state.as_ref().is_some_and(|state| state.facts.user_access == UserAccess::MultiUser);
    was_standby(run) && was_multi_user && state != DatabaseState::Online && access != UserAccess::MultiUser
}

/// The undo file lies in the copy folder, as the restore job's own do; a new name, so that nothing is overwritten.
fn undo_file(run: &Run) -> ServerPath {
    let safe: String = run.database().chars().map(|c| if c.is_alphanumeric() || c == '_' { c } else { '_' }).collect();
    let name = format!("{safe}_{}.tuf", Utc::now().format("%Y%m%d%H%M%S"));
    let folder = run.work.evidence.files.copy_folder().map(|place| place.path.clone());
    let captured = run.capture.log_shipping.record.as_ref().map(|record| record.backup_destination_directory.clone());
    folder.or(captured).unwrap_or_else(|| ServerPath::new("C:\\")).join(&name)
}
