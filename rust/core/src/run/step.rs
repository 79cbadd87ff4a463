//! A step knows whether it is already so, and how to make it so; the run does the rest: order, journal, locks, cancel.

use async_trait::async_trait;
use serde_json::Value;

use super::{Run, Workflow};
use crate::error::{Error, ErrorKind, Result};

/// What a step's probe sees in the system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It is so; what is seen, in one line.
    So(String),
    /// It is not so yet; what is seen instead.
    NotYet(String),
}

/// What follows when a step fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnFailure {
    /// Nothing has happened that cannot be put back.
    PutBack,
    /// The run stops here, to be resumed.
    Stop,
    /// Nothing later relies on it: the run goes on and ends incomplete.
    GoOn,
}

/// One step of a workflow.
#[async_trait]
pub(crate) trait Step<W: Workflow>: Send + Sync {
    /// Stable, as in the plan: `copy_and_restore`.
    fn name(&self) -> &'static str;

    fn on_failure(&self) -> OnFailure;

    /// Whether it is already so. Asks the system, never the journal alone; changes nothing.
    async fn probe(&self, run: &Run<W>) -> Result<Seen>;

    /// What is about to be done, for the journal.
    fn intent(&self, _run: &Run<W>) -> Value {
        Value::Null
    }

    /// Makes it so; what was done, in one line. Whether it succeeded is for the probe to say.
    async fn act(&self, run: &Run<W>) -> Result<String>;
}

/// The refusal of a plan whose step this release does not know.
pub(crate) fn unknown_step(name: &str) -> Error {
    Error::new(ErrorKind::InvalidRequest, format!("the plan has a step `{name}`, which this release does not know."))
        .with_unchanged("Nothing was changed.")
        .with_next("Make the plan anew with this release.")
}
