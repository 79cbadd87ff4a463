//! Runs that were begun on a database and neither finished nor given up.

use std::path::{Path, PathBuf};

use super::kinds::committing_steps;
use super::list::is_past_undo;
use crate::document::Plan;
use crate::error::{Error, ErrorKind, Result};
use crate::journal::{self, RunHead};

/// A run that can still be given up, so that the database is not yet what it was begun for: its number, the newest first.
/// What it changed for its work, disabled jobs among it, a later run would take for the state before.
///
/// One that is past that point is left out: what is on the instance then says more than its journal.
pub(crate) fn find(folder: &Path, copy: Option<&Path>, sql_instance: &str, database: &str) -> Option<String> {
    newest(folder, copy, |head| {
        head.sql_instance.eq_ignore_ascii_case(sql_instance) && head.database.eq_ignore_ascii_case(database)
    })
}

fn newest(folder: &Path, copy: Option<&Path>, is_here: impl Fn(&RunHead) -> bool) -> Option<String> {
    let mut runs: Vec<String> = journal::list(folder)
        .into_iter()
        .chain(copy.map(journal::list).unwrap_or_default())
        .filter(|run| {
            let Some(head) = run.head.as_ref().filter(|_| run.is_open) else { return false };
            is_here(head) && committing_steps(&head.kind).is_some_and(|steps| !is_past_undo(run, steps))
        })
        .map(|run| run.run_id)
        .collect();
    runs.sort_unstable();
    runs.pop()
}

/// The two pools of a restore of conference content, whichever of them is damaged; it is about no database.
fn pair_of(pool_fqdn: Option<&str>, damaged: Option<&str>) -> Option<[String; 2]> {
    let mut pair = [pool_fqdn?.to_lowercase(), damaged?.trim().to_lowercase()];
    pair.sort();
    Some(pair)
}

/// The same of a run that was begun.
fn pair_of_head(head: &RunHead) -> Option<[String; 2]> {
    pair_of(head.pool_fqdn.as_deref(), head.plan.get("request")?.get("damaged_pool_fqdn")?.as_str())
}

/// The same on a thread that may block.
pub(crate) async fn find_in(
    folder: PathBuf,
    copy: Option<PathBuf>,
    sql_instance: &str,
    database: &str,
) -> Option<String> {
    let (sql_instance, database) = (sql_instance.to_string(), database.to_string());
    let search = move || find(&folder, copy.as_deref(), &sql_instance, &database);
    tokio::task::spawn_blocking(search).await.ok().flatten()
}

/// What to do about it.
pub(crate) fn advice(run_id: &str) -> String {
    format!("Finish it with `Resume-PChatRun -RunId {run_id}`, or give it up with `Undo-PChatRun -RunId {run_id}`; then start again.")
}

/// Refuses to begin a run beside one that is open on the same database, or on the same pair of pools.
///
/// # Errors
/// `RunOpen` (7010).
pub(super) async fn refuse(folder: &Path, copy: Option<&Path>, plan: &Plan) -> Result<()> {
    let (found, what) = match pair_of(plan.pool_fqdn.as_deref(), plan.request.damaged_pool()) {
        Some(pair) => {
            let (folder, wanted) = (folder.to_path_buf(), pair.clone());
            let search = move || newest(&folder, None, |head| pair_of_head(head).as_ref() == Some(&wanted));
            (tokio::task::spawn_blocking(search).await.ok().flatten(), format!("{} and {}", pair[0], pair[1]))
        }
        None => (
            find_in(folder.to_path_buf(), copy.map(Path::to_path_buf), &plan.sql_instance, &plan.database).await,
            format!("`{}` of {}", plan.database, plan.sql_instance),
        ),
    };
    let Some(run_id) = found else { return Ok(()) };
    let target = if plan.database.is_empty() { plan.pool_fqdn.as_deref().unwrap_or_default() } else { &plan.database };
    Err(Error::new(ErrorKind::RunOpen, format!("run {run_id} on {what} is neither finished nor given up."))
        .with_unchanged("Nothing was changed.")
        .with_next(advice(&run_id))
        .with_target(target))
}
