//! Copies that run ahead of the restores: in the order in which they are needed, a bounded number at a time.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::SecondaryWork;
use crate::error::{Error, ErrorKind, Result};
use crate::files::{Copier, CopyProgress, CopyRequest, CopySettings};
use crate::host::Cancel;
use crate::journal::crash_points;
use crate::names::{ClientPath, Text};
use crate::run::Run;

/// Copies at the same time.
const PARALLEL: usize = 4;

/// A file to copy.
#[derive(Debug, Clone)]
pub(crate) struct CopyItem {
    pub name: Text,
    pub from_folder: ClientPath,
    pub size_bytes: Option<u64>,
}

/// Copies under way.
pub(crate) struct Copies {
    shared: Arc<Shared>,
    worker: Mutex<Option<JoinHandle<()>>>,
    stop: Cancel,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Notify,
}

/// Names in lower case.
#[derive(Default)]
struct State {
    /// What has not ended yet.
    open: HashSet<Text>,
    failed: HashMap<Text, Error>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, name: &Text, result: Result<()>) {
        let name = name.in_lower_case();
        let mut state = self.lock();
        state.open.remove(&name);
        if let Err(error) = result {
            state.failed.insert(name, error);
        }
        drop(state);
        self.changed.notify_waiters();
    }

    /// Waits until the state tells an end.
    async fn wait(&self, ended: impl Fn(&State) -> Option<Result<()>>) -> Result<()> {
        loop {
            let waiting = self.changed.notified();
            tokio::pin!(waiting);
            waiting.as_mut().enable();
            if let Some(result) = ended(&self.lock()) {
                return result;
            }
            waiting.await;
        }
    }
}

/// The settings of a copier for a rate in megabytes a second.
pub(crate) fn copy_settings(max_megabytes_per_second: Option<u32>) -> CopySettings {
    let max_bytes_per_second =
        max_megabytes_per_second.filter(|rate| *rate > 0).map(|rate| u64::from(rate) * 1024 * 1024);
    CopySettings { max_bytes_per_second, parallel: PARALLEL, ..CopySettings::default() }
}

impl Copies {
    /// Starts copying into a proved folder. A cancel of the run stops it before its next effect.
    pub(crate) fn start<W: SecondaryWork>(run: &Run<W>, items: Vec<CopyItem>, to_folder: ClientPath) -> Copies {
        let settings = copy_settings(run.work.secondary().request.max_megabytes_per_second);
        let copier = Arc::new(Copier::new(run.session.file_system(), settings));
        Copies::with(copier, items, to_folder, &run.cancel)
    }

    /// The same with a copier of the caller's.
    pub(crate) fn with(copier: Arc<Copier>, items: Vec<CopyItem>, to_folder: ClientPath, cancel: &Cancel) -> Copies {
        let shared = Arc::new(Shared::default());
        shared.lock().open.extend(items.iter().map(|item| item.name.in_lower_case()));
        let stop = Cancel::new();
        let worker =
            tokio::spawn(copy_all(Arc::clone(&shared), copier, items, to_folder, cancel.clone(), stop.clone()));
        Copies { shared, worker: Mutex::new(Some(worker)), stop }
    }

    /// Waits until a file is copied; at once for one that is not copied at all.
    ///
    /// # Errors
    /// Those of its copy.
    pub(crate) async fn wait_for(&self, name: &str) -> Result<()> {
        let key = name.to_lowercase();
        let ended = |state: &State| match state.failed.get(key.as_str()) {
            Some(error) => Some(Err(error.clone())),
            None => (!state.open.contains(key.as_str())).then_some(Ok(())),
        };
        self.shared.wait(ended).await
    }

    /// Waits for all of them.
    ///
    /// # Errors
    /// That of one that failed.
    pub(crate) async fn finish(&self) -> Result<()> {
        let ended = |state: &State| match state.failed.values().next() {
            Some(error) => Some(Err(error.clone())),
            None => state.open.is_empty().then_some(Ok(())),
        };
        self.shared.wait(ended).await
    }

    /// Stops: partial copies are kept under their temporary names. Waits until nothing writes any more.
    pub(crate) async fn abandon(&self) {
        self.stop.cancel();
        let worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(worker) = worker {
            let _ = tokio::time::timeout(std::time::Duration::from_secs(5), worker).await;
        }
    }
}

impl Drop for Copies {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn copy_all(
    shared: Arc<Shared>,
    copier: Arc<Copier>,
    items: Vec<CopyItem>,
    to_folder: ClientPath,
    cancel: Cancel,
    stop: Cancel,
) {
    let slots = Arc::new(tokio::sync::Semaphore::new(PARALLEL));
    let mut running = Vec::with_capacity(2 * PARALLEL);
    for item in items {
        // In order: the next one starts only when a slot is free.
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
        if cancel.is_cancelled() || stop.is_cancelled() {
            shared.end(&item.name, Err(stopped(&item.name)));
            continue;
        }
        let request = CopyRequest {
            from_folder: item.from_folder,
            to_folder: to_folder.clone(),
            name: item.name.to_string(),
            expected_size: item.size_bytes,
        };
        let name = item.name;
        let (shared, copier, cancel, stop) = (Arc::clone(&shared), Arc::clone(&copier), cancel.clone(), stop.clone());
        running.retain(|task: &JoinHandle<()>| !task.is_finished());
        running.push(tokio::spawn(async move {
            let middle = |seen: CopyProgress| {
                if seen.done_bytes > 0 && seen.done_bytes < seen.total_bytes || seen.total_bytes == seen.done_bytes {
                    crash_points::reach("copy.middle");
                }
            };
            let copying = copier.copy(&request, &cancel, &middle);
            let ended = tokio::select! {
                ended = copying => ended.map(|_| ()),
                () = stop.cancelled() => Err(stopped(&request.name)),
            };
            drop(slot);
            shared.end(&name, ended);
        }));
    }
    for task in running {
        // A panic in a copy must not leave its waiter waiting.
        let _ = task.await;
    }
    let left: Vec<Text> = shared.lock().open.iter().cloned().collect();
    for name in left {
        shared.end(
            &name,
            Err(Error::new(ErrorKind::InternalFault, format!("the copy of `{name}` ended without a result."))),
        );
    }
}

fn stopped(name: &str) -> Error {
    Error::new(ErrorKind::Cancelled, format!("the copy of `{name}` was stopped."))
        .with_unchanged("No file is left half written under its final name.")
        .with_target(name)
}
