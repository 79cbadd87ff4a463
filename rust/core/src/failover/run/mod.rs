//! The run: it carries out a plan, takes down every change in its journal, and can be finished by another process.
//!
//! Reading order: `start` and `resume` (how a run comes to be), `engine` (how steps are carried out), `put_back` (how it is
//! given up), `detached` (why a RESTORE outlives a cancel), `view` (what is told of it).

mod book;
mod changes;
pub(crate) mod detached;
pub(crate) mod engine;
mod list;
mod locks;
pub(crate) mod look;
mod native;
mod put_back;
mod result;
mod resume;
mod single;
mod start;
mod support;
#[cfg(test)]
mod tests;
mod undo;
mod view;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Instant;

pub(crate) use book::Book;
pub(crate) use changes::{Announced, InTurn};
pub(crate) use list::list;
pub(crate) use locks::Locks;
pub(crate) use look::gather;
pub(crate) use put_back::put_back;
pub(crate) use resume::resume;
pub(crate) use single::Begin;
pub(crate) use start::{refuse_failed, start};
pub(crate) use undo::undo;
pub(crate) use view::View;

use crate::document::Plan;
use crate::evidence::{Capture, Evidence};
use crate::host::{Cancel, Host};
use crate::names::{ClientPath, InstanceName, Lsn};
use crate::operation::Session;

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
    /// The copy folder as this process opens it, proved by a marker to be the instance's.
    pub proved_copy_folder: Option<ClientPath>,
    gate: Mutex<Option<GateProof>>,
    /// True once log shipping was removed, or the database recovered: the run can only go on.
    committed: AtomicBool,
    /// True once a native command has shown that it belongs to the same world as the instance.
    origin_checked: AtomicBool,
}

/// What the gate said: where the database stood, and what is lost.
#[derive(Debug, Clone)]
pub(crate) struct GateProof {
    pub redo_lsn: Lsn,
    pub text: String,
    /// When the primary and its witnesses were probed for it.
    pub primary_probed_at: Instant,
}
