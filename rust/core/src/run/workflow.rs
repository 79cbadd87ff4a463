//! What a workflow supplies; the run does the rest: locks' care, journal, order, cancel, resume, undo.

use std::path::PathBuf;

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use serde::Serialize;

use super::engine::{Ending, Unit};
use super::{Locks, Outside, Run};
use crate::document::{Plan, PlanRequest, RunRequest};
use crate::error::{Error, ErrorKind, Result};
use crate::host::NativeCommand;
use crate::pool;

/// One kind of run. The value is what its steps work with.
#[async_trait]
pub(crate) trait Workflow: Sized + Send + Sync + 'static {
    /// In plans and journals: `failover`.
    const KIND: &'static str;
    /// The command that makes a plan of this kind.
    const PLAN_COMMAND: &'static str;
    /// The steps after which a run can only go on.
    const COMMITTING_STEPS: &'static [&'static str];
    /// False where putting back needs the shell of an operator who may have gone: a cancelled run is then left as it is.
    const PUTS_BACK_ON_CANCEL: bool = true;
    /// What a cancelled operator is told while the worker goes on to its safe end.
    const ON_CANCEL: &'static str;

    /// Kept in the journal before the first change, because changes delete most of it. Holds nothing secret.
    type Capture: Serialize + DeserializeOwned + Send + Sync + 'static;

    /// Locks what the plan names and the run writes to, at once, all or none.
    async fn lock(outside: &Outside, plan: &Plan) -> Result<Locks>;

    /// Reads everything that the run is decided on. `earlier`: what this run captured before its first change, on a
    /// resume. `locks`: for instances whose names are found only now; `None` where nothing will be changed.
    async fn look(
        outside: &Outside,
        plan: &Plan,
        earlier: Option<&Self::Capture>,
        locks: Option<&Locks>,
    ) -> Result<Self>;

    /// The plan, made from what was read.
    fn plan(&self) -> Result<Plan>;

    /// Takes the capture out of what was read.
    fn capture(&self) -> Self::Capture;

    /// The last look before a new run begins, once its plan is found to hold: proofs that leave a trace. The folder of the
    /// journal's second copy.
    async fn ready(&mut self, outside: &Outside) -> Result<Option<PathBuf>>;

    /// The run is in the journal now: what only the plan needed can go.
    fn begun(&mut self) {}

    /// What a resume, also one that only looks, gives instead of the plan's own. Values that do not fit are refused.
    fn overridden(plan: Plan, request: &RunRequest) -> Result<Plan>;

    /// What must still hold when a run is taken up again; what it still takes beyond checks is proved unless `plan_only`.
    async fn ready_again(&mut self, outside: &Outside, plan_only: bool) -> Result<()>;

    /// True where the run can only go on, as far as the world shows it.
    fn is_committed(&self, capture: &Self::Capture) -> bool;

    /// For giving a run up: what the journal tells is enough, and nobody else need be asked.
    fn of_journal(plan: &Plan, capture: &Self::Capture) -> Result<Self>;

    /// Locks what giving up writes to.
    async fn lock_for_undo(outside: &Outside, plan: &Plan) -> Result<Locks> {
        Self::lock(outside, plan).await
    }

    /// The steps of the plan with the code that carries each out.
    ///
    /// # Errors
    /// `InvalidRequest` (1001) for a step that this release does not know.
    fn units(plan: &Plan) -> Result<Vec<Unit<Self>>>;

    /// Refuses where the run can no longer be given up. Asks the system.
    ///
    /// # Errors
    /// `UndoNotPossible` (5014), see [`super::undo::not_possible`].
    async fn refuse_undo(run: &Run<Self>) -> Result<()>;

    /// What putting back would do: the statements and commands, in order. Reads only.
    async fn planned_put_back(run: &Run<Self>) -> Result<Vec<String>>;

    /// Puts back what the run has changed, whatever it got done of it; what was done, one line each.
    async fn put_back(run: &Run<Self>) -> Result<Vec<String>>;

    /// The module that a native command is qualified with, where it is known.
    fn module_of(&self, command: &str) -> Option<String>;

    /// True where the run acts on the lab, false for a real world; `None` where nothing has told.
    fn is_lab(&self) -> Option<bool>;

    /// A command that reads, for telling which world the shell's commands belong to before the first one that changes
    /// something.
    fn origin_probe(&self) -> NativeCommand {
        pool::get_pool_state()
    }

    /// The result of a run that was done, in words: `mgc is served by B\RTC. …`.
    fn done_text(run: &Run<Self>) -> String;

    /// How things are after everything was put back.
    fn put_back_text(run: &Run<Self>) -> String;

    /// How far a run came that is not done.
    fn reached_text(run: &Run<Self>) -> String;

    /// What is left to do for the operator, behind the error's own advice and the way to go on.
    fn next_actions(run: &Run<Self>, ending: &Ending) -> Vec<String>;
}

/// Other servers to be active than the plan's own: one of those may have died since. They are checked as a plan's are.
pub(crate) fn take_servers(servers: &mut Vec<String>, request: &RunRequest) {
    if let Some(others) = &request.active_servers {
        servers.clone_from(others);
    }
}

/// The refusal of a plan whose request is that of another workflow.
pub(crate) fn other_kind(request: &PlanRequest) -> Error {
    let what = format!("the plan's request is that of a {}, its kind is another.", request.kind().replace('_', " "));
    Error::new(ErrorKind::InvalidRequest, what).with_unchanged("Nothing was started.")
}
