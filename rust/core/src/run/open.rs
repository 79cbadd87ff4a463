//! Runs that were begun on a database and neither finished nor given up.

use std::path::{Path, PathBuf};

use super::kinds::committing_steps;
use super::list::is_past_undo;
use crate::error::{Error, ErrorKind, Result};
use crate::journal;

/// A run that can still be given up, so that the database is not yet what it was begun for: its number, the newest first.
/// What it changed for its work, disabled jobs among it, a later run would take for the state before.
///
/// One that is past that point is left out: what is on the instance then says more than its journal.
pub(crate) fn find(folder: &Path, copy: Option<&Path>, sql_instance: &str, database: &str) -> Option<String> {
    let mut runs: Vec<String> = journal::list(folder)
        .into_iter()
        .chain(copy.map(journal::list).unwrap_or_default())
        .filter(|run| {
            let Some(head) = run.head.as_ref().filter(|_| run.is_open) else { return false };
            let is_here =
                head.sql_instance.eq_ignore_ascii_case(sql_instance) && head.database.eq_ignore_ascii_case(database);
            is_here && committing_steps(&head.kind).is_some_and(|steps| !is_past_undo(run, steps))
        })
        .map(|run| run.run_id)
        .collect();
    runs.sort_unstable();
    runs.pop()
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

/// Refuses to begin a run beside one that is open.
///
/// # Errors
/// `RunOpen` (7010).
pub(super) async fn refuse(folder: &Path, copy: Option<&Path>, sql_instance: &str, database: &str) -> Result<()> {
    let found = find_in(folder.to_path_buf(), copy.map(Path::to_path_buf), sql_instance, database).await;
    let Some(run_id) = found else { return Ok(()) };
    Err(Error::new(
        ErrorKind::RunOpen,
        format!("run {run_id} on `{database}` of {sql_instance} is neither finished nor given up."),
    )
    .with_unchanged("Nothing was changed.")
    .with_next(advice(&run_id))
    .with_target(database))
}
