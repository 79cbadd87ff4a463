//! The run: it carries out a plan, takes down every change in its journal, and can be finished by another process.
//!
//! What is run is a [`Workflow`]: the failover, and what came after it. Reading order: `workflow` (what one supplies),
//! `start` and `resume` (how a run comes to be), `step` and `engine` (how steps are carried out), `undo` (how it is given
//! up), `detached` (why a RESTORE outlives a cancel), `view` (what is told of it).

mod at_work;
mod book;
mod changes;
pub(crate) mod detached;
pub(crate) mod engine;
pub(crate) mod facts;
mod kinds;
mod list;
mod locks;
mod native;
pub(crate) mod open;
pub(crate) mod result;
pub(crate) mod resume;
pub(crate) mod roles;
pub(crate) mod shipping;
mod shown;
pub(crate) mod start;
pub(crate) mod step;
mod support;
pub(crate) mod undo;
mod view;
pub(crate) mod workflow;

use std::sync::atomic::AtomicBool;
use std::sync::Arc;

use at_work::AtWork;
#[cfg(test)]
pub(crate) use book::steps_of;
pub(crate) use book::Book;
pub(crate) use changes::{Announced, InTurn};
pub(crate) use engine::Unit;
pub(crate) use kinds::{resume, start, undo};
pub(crate) use list::list;
pub(crate) use locks::Locks;
pub(crate) use start::refuse_failed;
pub(crate) use step::{OnFailure, Seen, Step};
pub(crate) use view::View;
pub(crate) use workflow::Workflow;

use crate::document::Plan;
use crate::host::{Cancel, Host};
use crate::operation::Session;

/// What every run reaches the world through, before and while it is one.
#[derive(Clone)]
pub(crate) struct Outside {
    pub session: Arc<Session>,
    pub host: Arc<dyn Host>,
    pub cancel: Cancel,
    pub view: Arc<View>,
}

/// A run under way: what it was started for, what it found, and what it holds.
pub(crate) struct Run<W: Workflow> {
    pub session: Arc<Session>,
    pub host: Arc<dyn Host>,
    pub cancel: Cancel,
    pub view: Arc<View>,
    pub run_id: String,
    /// The plan with its request, as in the journal; overrides of a resume are merged in.
    pub plan: Plan,
    /// What was there before the first change, as in the journal.
    pub capture: W::Capture,
    /// What this workflow works with: its request, what was read when this process took the run up, and what it proved.
    pub work: W,
    pub book: Book,
    pub locks: Locks,
    /// True once the run can only go on.
    committed: AtomicBool,
    /// True once a native command has shown that it belongs to the same world as the instance.
    origin_checked: AtomicBool,
    /// Shown to whoever takes the run up in this process, until it ends.
    _at_work: AtWork,
}

/// What a run is made of, beside its way outside.
pub(crate) struct Parts<W: Workflow> {
    pub run_id: String,
    pub plan: Plan,
    pub capture: W::Capture,
    pub work: W,
    pub book: Book,
    pub locks: Locks,
    pub is_committed: bool,
}

impl<W: Workflow> Run<W> {
    pub(crate) fn new(outside: &Outside, parts: Parts<W>) -> Run<W> {
        let Outside { session, host, cancel, view } = outside.clone();
        let Parts { run_id, plan, capture, work, book, locks, is_committed } = parts;
        let at_work = AtWork::begin(&run_id, &cancel);
        Run {
            session,
            host,
            cancel,
            view,
            run_id,
            plan,
            capture,
            work,
            book,
            locks,
            committed: AtomicBool::new(is_committed),
            origin_checked: AtomicBool::new(false),
            _at_work: at_work,
        }
    }
}
