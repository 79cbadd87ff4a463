//! The run: it carries out a plan, takes down every change in its journal, and can be finished by another process.
//!
//! Reading order: [`start`] and [`resume`] (how a run comes to be), [`engine`] (how steps are carried out), [`put_back`]
//! (how it is given up), [`detached`] (why a RESTORE outlives a cancel), [`view`] (what is told of it).

mod book;
mod changes;
pub(crate) mod detached;
pub(crate) mod engine;
mod list;
mod locks;
mod native;
mod next;
mod put_back;
mod resume;
mod start;
mod undo;
mod view;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

pub(crate) use book::Book;
pub(crate) use list::list;
pub(crate) use locks::Locks;
pub(crate) use resume::resume;
pub(crate) use start::start;
pub(crate) use undo::undo;
pub(crate) use view::View;

use crate::document::Plan;
use crate::error::Result;
use crate::evidence::{Capture, Evidence};
use crate::host::{Cancel, Host, Progress};
use crate::names::InstanceName;
use crate::operation::Session;
use crate::sql::{Connection, Purpose};

/// A run under way: what it was started for, what it found, and what it holds.
pub(crate) struct Run {
    pub session: Arc<Session>,
    pub host: Arc<dyn Host>,
    pub cancel: Cancel,
    pub run_id: String,
    /// The backup instance.
    pub instance: InstanceName,
    /// The plan with its request, as in the journal; overrides of a resume are merged in.
    pub plan: Plan,
    /// What was there before the first change, as in the journal.
    pub capture: Capture,
    /// What was read when this process took the run up.
    pub evidence: Evidence,
    pub book: Book,
    pub locks: Locks,
    pub view: Arc<View>,
    /// True once log shipping was removed, or the database recovered: the run can only go on.
    committed: AtomicBool,
    /// True once a native command has shown that it belongs to the same world as the instance.
    origin_checked: AtomicBool,
}

impl Run {
    /// The database's name.
    pub(crate) fn database(&self) -> &str {
        &self.plan.database
    }

    /// A new connection to the backup instance.
    pub(crate) async fn connect(&self, purpose: Purpose) -> Result<Connection> {
        self.session.connector().connect(&self.instance, purpose).await
    }

    /// Says that from here on nothing can be put back.
    pub(crate) fn commit(&self) {
        self.committed.store(true, Ordering::SeqCst);
    }

    /// True until log shipping was removed or the database recovered.
    pub(crate) fn can_put_back(&self) -> bool {
        !self.committed.load(Ordering::SeqCst)
    }

    /// Tells how far the run is.
    pub(crate) fn tell_progress(&self, operation: &str, percent: Option<u8>) {
        self.host.progress(Progress {
            activity: format!("Failing over {} on {}", self.plan.database, self.plan.sql_instance),
            status: self.view.status(),
            operation: operation.to_string(),
            percent,
            seconds_remaining: None,
        });
    }
}
