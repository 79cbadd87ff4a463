//! The runs that this process works on. An operator who cancels is answered at once, while the worker goes on to its safe end
//! and holds the locks until then; whoever takes the same run up in this process waits for that end, instead of being told that
//! the run is locked by itself.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::Outside;
use crate::error::Result;
use crate::host::{Cancel, Level};

/// A worker's entry, for as long as the worker lives.
struct Entry {
    run_id: String,
    /// That of the operator who started it.
    cancel: Cancel,
    ended: watch::Receiver<()>,
}

static ENTRIES: Mutex<Vec<Entry>> = Mutex::new(Vec::new());

fn entries() -> MutexGuard<'static, Vec<Entry>> {
    ENTRIES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Held by a run until its locks are given back.
pub(super) struct AtWork {
    _open: watch::Sender<()>,
}

impl AtWork {
    pub(super) fn begin(run_id: &str, cancel: &Cancel) -> AtWork {
        let (open, ended) = watch::channel(());
        let mut entries = entries();
        // Those whose worker has gone leave with the next one that comes.
        entries.retain(|entry| entry.ended.has_changed().is_ok());
        entries.push(Entry { run_id: run_id.to_string(), cancel: cancel.clone(), ended });
        AtWork { _open: open }
    }
}

/// Waits for the safe end of a worker of this run whose operator has cancelled. One that nobody cancelled is not waited for: it
/// holds the locks, and says so.
///
/// # Errors
/// `Cancelled` (1007).
pub(super) async fn wait_for_its_end(run_id: &str, outside: &Outside) -> Result<()> {
    loop {
        let found = {
            let entries = entries();
            let is_ending = |entry: &&Entry| entry.run_id == run_id && entry.cancel.is_cancelled();
            entries
                .iter()
                .filter(is_ending)
                .find(|entry| entry.ended.has_changed().is_ok())
                .map(|entry| entry.ended.clone())
        };
        let Some(mut ended) = found else { return Ok(()) };
        outside.host.message(
            Level::Verbose,
            format!("Run {run_id} was cancelled in this process and is still on its way to its safe end, which is waited for."),
        );
        tokio::select! {
            // Nothing is ever sent: the error is the end.
            _ = ended.changed() => {}
            () = outside.cancel.cancelled() => return outside.cancel.check(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_entry_ends_with_its_worker() {
        let cancel = Cancel::new();
        let work = AtWork::begin("20260314T021500Z-at-work", &cancel);
        let mut ended = entries().iter().find(|entry| entry.run_id.ends_with("at-work")).unwrap().ended.clone();
        assert!(ended.has_changed().is_ok());
        drop(work);
        assert!(ended.changed().await.is_err());
        drop(AtWork::begin("20260314T021500Z-the-next", &cancel));
        assert!(!entries().iter().any(|entry| entry.run_id.ends_with("at-work")));
    }
}
