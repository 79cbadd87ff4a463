//! The locks of a run: on every instance that it writes to, each on a connection of its own.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use crate::error::{Error, ErrorKind, Result};
use crate::host::{Host, Level};
use crate::journal::Claim;
use crate::names::InstanceName;
use crate::sql::lock::{self, Lock};
use crate::sql::Connector;

/// How often the connections are used, so that nothing on the way takes them for idle.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What is held; given back by [`Locks::release`], or with the value's end.
pub(crate) struct Locks {
    held: Arc<Mutex<Held>>,
    keeper: JoinHandle<()>,
}

#[derive(Default)]
struct Held {
    locks: Vec<Lock>,
    /// For what has no instance to lock.
    claim: Option<Claim>,
    lost: Option<Error>,
}

impl Held {
    async fn check(&mut self) -> Result<()> {
        if let Some(lost) = &self.lost {
            return Err(lost.clone());
        }
        for lock in &mut self.locks {
            if let Err(error) = lock.check().await {
                self.lost = Some(error.clone());
                return Err(error);
            }
        }
        Ok(())
    }
}

impl Locks {
    /// No lock yet, and none is needed: for tests of what does not touch an instance.
    pub(crate) fn none() -> Locks {
        Locks::keep(Vec::new())
    }

    /// A claim in the journal's folder alone.
    pub(crate) fn of_claim(claim: Claim) -> Locks {
        Locks::hold(Held { claim: Some(claim), ..Held::default() })
    }

    /// Takes the locks of a database in the order of the instances' names, at once, all or none.
    ///
    /// `optional` instances that cannot be reached are left out with a warning; nothing is then written there.
    ///
    /// # Errors
    /// `Locked` (5008) with the holder; for the needed instance also whatever connecting brings.
    pub(crate) async fn take(
        connector: &Connector,
        needed: &InstanceName,
        optional: &[InstanceName],
        database: &str,
        host: &dyn Host,
    ) -> Result<Locks> {
        Locks::take_in_order(connector, Some(needed), optional, database, host).await
    }

    /// The same where no instance must answer.
    ///
    /// # Errors
    /// `Locked` (5008) with the holder.
    pub(crate) async fn take_those_that_answer(
        connector: &Connector,
        optional: &[InstanceName],
        database: &str,
        host: &dyn Host,
    ) -> Result<Locks> {
        Locks::take_in_order(connector, None, optional, database, host).await
    }

    async fn take_in_order(
        connector: &Connector,
        needed: Option<&InstanceName>,
        optional: &[InstanceName],
        database: &str,
        host: &dyn Host,
    ) -> Result<Locks> {
        let is_needed = |name: &InstanceName| needed.is_some_and(|needed| same(name, needed));
        let mut names: Vec<&InstanceName> = optional.iter().filter(|name| !is_needed(name)).chain(needed).collect();
        names.sort_by_key(|name| name.to_string().to_lowercase());
        names.dedup_by_key(|name| name.to_string().to_lowercase());
        let mut taken = Vec::new();
        for name in names {
            match lock::acquire(connector, name, database).await {
                Ok(lock) => taken.push(lock),
                Err(error) if !is_needed(name) && error.kind != ErrorKind::Locked => {
                    host.message(Level::Warning, format!("{name} is not locked: {}", error.message));
                }
                Err(error) => {
                    for lock in taken {
                        lock.release().await;
                    }
                    return Err(error);
                }
            }
        }
        Ok(Locks::keep(taken))
    }

    fn keep(locks: Vec<Lock>) -> Locks {
        Locks::hold(Held { locks, ..Held::default() })
    }

    fn hold(held: Held) -> Locks {
        let held = Arc::new(Mutex::new(held));
        let watched = Arc::downgrade(&held);
        let keeper = tokio::spawn(async move {
            loop {
                tokio::time::sleep(KEEP_ALIVE).await;
                let Some(held) = watched.upgrade() else { return };
                if held.lock().await.check().await.is_err() {
                    return;
                }
            }
        });
        Locks { held, keeper }
    }

    /// Takes one more, for an instance whose name became known only later.
    ///
    /// # Errors
    /// `Locked` (5008), and whatever connecting brings.
    pub(crate) async fn add(&self, connector: &Connector, name: &InstanceName, database: &str) -> Result<()> {
        let mut held = self.held.lock().await;
        if held.locks.iter().any(|lock| same(lock.instance(), name)) {
            return Ok(());
        }
        let lock = lock::acquire(connector, name, database).await?;
        held.locks.push(lock);
        Ok(())
    }

    /// True where this instance is locked by the run.
    pub(crate) async fn has(&self, name: &InstanceName) -> bool {
        self.held.lock().await.locks.iter().any(|lock| same(lock.instance(), name))
    }

    /// Asks every instance whether the lock still stands.
    ///
    /// # Errors
    /// `LockLost` (5010), from then on always.
    pub(crate) async fn check(&self) -> Result<()> {
        self.held.lock().await.check().await
    }

    /// Gives all of them back.
    pub(crate) async fn release(&self) {
        self.keeper.abort();
        let mut held = self.held.lock().await;
        held.claim = None;
        let locks = std::mem::take(&mut held.locks);
        drop(held);
        for lock in locks {
            lock.release().await;
        }
    }
}

impl Drop for Locks {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

fn same(a: &InstanceName, b: &InstanceName) -> bool {
    a.to_string().eq_ignore_ascii_case(&b.to_string())
}
