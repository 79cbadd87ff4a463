//! The way of every command that changes something: lock, look, plan, compare with what was approved, carry out.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use crate::document::{ActionResult, Loss, RunResult, Target};
use crate::error::{Error, ErrorKind, Outcome, Result};
use crate::failover::plan::{digest, Difference};
use crate::failover::{Failover, Run};
use crate::host::{Cancel, Host};
use crate::names::InstanceName;
use crate::operation::{OperationResult, Session};
use crate::run::detached::detached;
use crate::run::{Locks, View};
use crate::run::{Seen, Step};

/// One action, planned or done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Action {
    /// `copy`, `restore`, `lock_out`, …
    pub action: &'static str,
    /// The file, job, session or database.
    pub object: String,
    /// Word for word, or the copy in words.
    pub statement: String,
    pub text: String,
}

/// What a command would do on what it found.
#[derive(Debug, Default)]
pub(super) struct Planned {
    pub actions: Vec<Action>,
    /// What the approval rests on; progress of the normal jobs is not among it.
    pub facts: BTreeMap<String, String>,
    /// The whole in one or two sentences.
    pub text: String,
    pub loss: Option<Loss>,
    /// What is left to do afterwards, or instead.
    pub next: Vec<String>,
    /// Why it does not even begin.
    pub refusal: Option<Error>,
}

/// How far a command came.
#[derive(Debug, Default)]
pub(super) struct Reached {
    pub text: String,
    pub next: Vec<String>,
    /// What kept it from going on.
    pub error: Option<Error>,
}

/// What a command works with.
pub(super) struct Context {
    pub session: Arc<Session>,
    pub host: Arc<dyn Host>,
    pub cancel: Cancel,
    pub view: Arc<View>,
    pub target: Target,
    pub instance: InstanceName,
    pub is_plan: bool,
}

/// What every request for a change says.
pub(super) struct Asked<'a> {
    pub target: &'a Target,
    pub plan_only: bool,
    pub approved_digest: Option<&'a str>,
}

impl<'a> Asked<'a> {
    pub fn of(target: &'a Target, plan_only: bool, approved_digest: Option<&'a str>) -> Asked<'a> {
        Asked { target, plan_only, approved_digest }
    }
}

/// A command that changes something.
#[async_trait]
pub(super) trait Change: Send + Sync + 'static {
    /// What it decides on.
    type Look: Send;

    /// `copy`, `restore`, `remove`, `end_connections`, `recover`.
    const KIND: &'static str;

    fn asked(&self) -> Asked<'_>;

    /// Other instances that it writes to. One that does not answer is not locked, and must not be written to.
    fn locks(&self, _at: &Context) -> Result<Vec<InstanceName>> {
        Ok(Vec::new())
    }

    /// False where the command has something to say though its own instance does not answer.
    fn needs_target_lock(&self) -> bool {
        true
    }

    /// Reads, and says what would be done. An error here is a failure before anything was known.
    async fn look(&self, at: &Context) -> Result<(Self::Look, Planned)>;

    /// Does what was planned. It owns the locks and gives them back.
    async fn carry_out(&self, at: &Context, look: Self::Look, planned: &Planned, locks: Locks) -> Result<Reached>;
}

impl Context {
    /// Hands out one action. A listener that has gone does not stop the work.
    pub(super) async fn tell(&self, action: &Action, state: &str) {
        let item = ActionResult {
            sql_instance: self.target.sql_instance.clone(),
            database: self.target.database.clone(),
            pool_fqdn: self.target.pool_fqdn.clone(),
            action: action.action.to_string(),
            object: action.object.clone(),
            state: state.to_string(),
            statement: action.statement.clone(),
            text: action.text.clone(),
        };
        let _ = self.host.item("action", json!(item)).await;
    }

    fn result(&self, reached: Reached) -> RunResult {
        let Reached { text, mut next, error } = reached;
        let outcome = error.as_ref().map_or(Outcome::Done, |error| error.kind.outcome());
        if let Some(advice) = error.as_ref().map(|error| error.next.clone()).filter(|advice| !advice.is_empty()) {
            next.insert(0, advice);
        }
        self.view.result(outcome, error.as_ref(), text, next)
    }
}

/// Carries a command out, or with `plan_only` tells what it would do.
///
/// # Errors
/// Bad input; every other end is in the result.
pub(super) async fn run<C: Change>(
    command: C,
    session: Arc<Session>,
    host: Arc<dyn Host>,
    cancel: Cancel,
) -> Result<OperationResult> {
    let target = command.asked().target.clone();
    let instance: InstanceName = target.sql_instance.parse()?;
    let view = Arc::new(View::new(&target.sql_instance, &target.database, target.pool_fqdn.as_deref(), C::KIND));
    let (shown, stop) = (Arc::clone(&view), cancel.clone());
    detached(
        host,
        cancel,
        move || interim(&shown),
        move |host| async move {
            let is_plan = command.asked().plan_only;
            let at = Context { session, host, cancel: stop, view, target, instance, is_plan };
            let result = match plan_or_act(&command, &at).await {
                Ok(result) => result,
                Err(error) if error.kind.outcome() == Outcome::BadInput => return Err(error),
                Err(error) => at.result(refused(error)),
            };
            OperationResult::new("run", &result)
        },
    )
    .await
}

async fn plan_or_act<C: Change>(command: &C, at: &Context) -> Result<RunResult> {
    at.view.set_status("Reading the evidence");
    if at.is_plan {
        let (_, planned) = command.look(at).await?;
        return Ok(tell_plan(at, planned).await);
    }
    let locks = lock(command, at).await?;
    let looked = command.look(at).await;
    let (look, planned) = match looked.and_then(|found| still_approved(command, at, &found.1).map(|()| found)) {
        Ok(found) => found,
        Err(error) => {
            locks.release().await;
            return Err(error);
        }
    };
    if planned.refusal.is_some() || planned.actions.is_empty() {
        locks.release().await;
        return Ok(without_change(at, planned));
    }
    let reached = command.carry_out(at, look, &planned, locks).await;
    Ok(at.result(reached.unwrap_or_else(refused)))
}

async fn lock<C: Change>(command: &C, at: &Context) -> Result<Locks> {
    let (connector, host) = (at.session.connector(), at.host.as_ref());
    let others = command.locks(at)?;
    if command.needs_target_lock() {
        return Locks::take(connector, &at.instance, &others, &at.target.database, host).await;
    }
    Locks::take_those_that_answer(connector, &others, &at.target.database, host).await
}

async fn tell_plan(at: &Context, planned: Planned) -> RunResult {
    if planned.refusal.is_some() || planned.actions.is_empty() {
        return without_change(at, planned);
    }
    for action in &planned.actions {
        at.tell(action, "planned").await;
    }
    if let Some(loss) = planned.loss {
        at.view.set_loss(loss);
    }
    let digest = digest(&planned.facts);
    at.session.remember(&digest, &planned.facts);
    RunResult { digest: Some(digest), ..at.view.result(Outcome::Done, None, planned.text, planned.next) }
}

/// Nothing to do, or nothing that may be begun.
fn without_change(at: &Context, planned: Planned) -> RunResult {
    if let Some(loss) = planned.loss {
        at.view.set_loss(loss);
    }
    match planned.refusal {
        Some(error) => at.result(refused(error)),
        None => at.view.result(Outcome::NothingToDo, None, planned.text, planned.next),
    }
}

fn refused(error: Error) -> Reached {
    let word = match error.kind.outcome() {
        Outcome::Refused => "Refused",
        Outcome::Locked => "Locked",
        Outcome::Cancelled => "Cancelled",
        Outcome::Incomplete => "Incomplete",
        _ => "Failed",
    };
    let text = match error.unchanged.as_str() {
        "" => format!("{word}."),
        unchanged => format!("{word}. {unchanged}"),
    };
    Reached { text, next: Vec::new(), error: Some(error) }
}

/// Compares with what was approved.
///
/// # Errors
/// `PlanOutdated` (5005), naming what changed.
fn still_approved<C: Change>(command: &C, at: &Context, planned: &Planned) -> Result<()> {
    let Some(approved) = command.asked().approved_digest else { return Ok(()) };
    if approved.eq_ignore_ascii_case(&digest(&planned.facts)) {
        return Ok(());
    }
    let list: Vec<String> = match at.session.remembered(approved) {
        Some(earlier) => differences(&earlier, &planned.facts).iter().map(ToString::to_string).collect(),
        None => {
            planned.facts.iter().map(|(fact, value)| format!("{} is `{value}` now", fact.replace('_', " "))).collect()
        }
    };
    Err(Error::new(ErrorKind::PlanOutdated, format!("the world is not what was approved: {}.", list.join("; ")))
        .with_unchanged("Nothing was changed.")
        .with_next("Look at what the command would do now, and run it again.")
        .with_target(at.target.database.as_str()))
}

fn differences(planned: &BTreeMap<String, String>, found: &BTreeMap<String, String>) -> Vec<Difference> {
    let names: std::collections::BTreeSet<&String> = planned.keys().chain(found.keys()).collect();
    let value =
        |facts: &BTreeMap<String, String>, name: &str| facts.get(name).cloned().unwrap_or_else(|| "none".into());
    names
        .into_iter()
        .map(|name| Difference { fact: name.clone(), planned: value(planned, name), found: value(found, name) })
        .filter(|difference| difference.planned != difference.found)
        .collect()
}

/// The answer to an operator who cancelled, while the worker goes on to its safe end.
fn interim(view: &View) -> Result<OperationResult> {
    let mut text = match view.status().as_str() {
        "" => "Cancelled before anything was changed.".to_string(),
        status => format!("Cancelled; the command was at: {status}."),
    };
    if let Some(awaited) = view.awaited() {
        text.push_str(&format!(" {awaited} was sent and is not interrupted: it is awaited in the background."));
    }
    let error = Error::new(ErrorKind::Cancelled, "the command was cancelled.")
        .with_unchanged(text.clone())
        .with_next("Run the command again: it goes on from what it finds.");
    let next = vec![error.next.clone()];
    OperationResult::new("run", &view.result(Outcome::Cancelled, Some(&error), text, next))
}

/// The error of a cancel that came while something was read.
pub(super) fn gone() -> Error {
    Error::new(ErrorKind::Cancelled, "the operation was cancelled.").with_unchanged("Nothing was changed.")
}

/// A step as in a failover: what the probe sees afterwards counts, not what the call said.
pub(super) async fn carry_out_step(step: &dyn Step<Failover>, run: &Run) -> Result<String> {
    if let Seen::So(seen) = step.probe(run).await? {
        return Ok(seen);
    }
    let acted = step.act(run).await;
    match (step.probe(run).await, acted) {
        (Ok(Seen::So(seen)), Ok(text)) => Ok(if text.is_empty() { seen } else { text }),
        (Ok(Seen::So(_)), Err(error)) if error.kind == ErrorKind::Cancelled => Err(error),
        (Ok(Seen::So(seen)), Err(_)) => Ok(seen),
        (_, Err(error)) | (Err(error), Ok(_)) => Err(error),
        (Ok(Seen::NotYet(seen)), Ok(_)) => {
            Err(Error::new(ErrorKind::StepNotVerified, format!("it did not bring what it should: {seen}."))
                .with_next("Look at the instance itself, then run the command again.")
                .with_target(run.database()))
        }
    }
}
