//! The journal as the run uses it: steps, changes within them, and facts that a later process needs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::de::DeserializeOwned;
use serde::Serialize;
use serde_json::{json, Value};

use crate::document::StepResult;
use crate::error::{Error, ErrorKind, Outcome, Result};
use crate::host::{Host, Level};
use crate::journal::{Entry, Journal, Record};

/// An open journal with what it already says.
pub(crate) struct Book {
    /// `None` where nothing may be changed.
    journal: Option<Arc<Journal>>,
    /// True where changes are made without a journal, by single commands that anybody can repeat.
    is_unwritten: bool,
    host: Arc<dyn Host>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    step: (u32, String),
    facts: HashMap<String, Value>,
    steps: Vec<StepResult>,
    /// Changes that an earlier process announced and of which it took down no end: step and object.
    unanswered: Vec<(String, String)>,
}

impl Book {
    /// A new journal, or one that was taken over with its entries.
    pub(crate) fn new(journal: Journal, host: Arc<dyn Host>, entries: &[Entry]) -> Book {
        Book { journal: Some(Arc::new(journal)), ..Book::read_only(host, entries) }
    }

    /// What a journal says, for looking at a run without touching it.
    pub(crate) fn read_only(host: Arc<dyn Host>, entries: &[Entry]) -> Book {
        let mut state = State { steps: steps_of(entries), ..State::default() };
        for entry in entries {
            match &entry.record {
                Record::Evidence { name, data } => drop(state.facts.insert(name.clone(), data.clone())),
                Record::EffectBegun { step, object, .. } => state.unanswered.push((step.clone(), object.clone())),
                Record::EffectEnded { step, object, .. } => {
                    state.unanswered.retain(|(of, what)| (of, what) != (step, object));
                }
                _ => {}
            }
        }
        Book { journal: None, is_unwritten: false, host, state: Mutex::new(state) }
    }

    /// No journal, though changes are made: copying and restoring log backups, ending connections.
    pub(crate) fn unwritten(host: Arc<dyn Host>) -> Book {
        Book { is_unwritten: true, ..Book::read_only(host, &[]) }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the first copy lies.
    pub(crate) fn path(&self) -> String {
        self.journal.as_ref().map_or(String::new(), |journal| journal.path().display().to_string())
    }

    /// The results of steps that earlier processes ended; the newest of each.
    pub(crate) fn earlier_steps(&self) -> Vec<StepResult> {
        self.lock().steps.clone()
    }

    async fn write(&self, record: Record) -> Result<()> {
        if self.is_unwritten {
            return Ok(());
        }
        let journal = self.journal.as_ref().ok_or_else(|| {
            Error::new(ErrorKind::JournalWriteFailed, "nothing may be changed: the journal is open for reading alone.")
        })?;
        let written = journal.record(record).await;
        for warning in journal.take_warnings() {
            self.host.message(Level::Warning, warning);
        }
        written
    }

    /// A step is about to change something.
    pub(crate) async fn step_begun(&self, number: u32, step: &str, intent: Value) -> Result<()> {
        self.lock().step = (number, step.to_string());
        self.write(Record::StepBegun { number, step: step.to_string(), intent }).await
    }

    /// A step has ended, whether it changed something or not.
    pub(crate) async fn step_ended(&self, result: &StepResult) -> Result<()> {
        self.write(Record::StepEnded {
            number: result.number,
            step: result.name.clone(),
            state: result.state.clone(),
            text: result.text.clone(),
            outcome: json!(result),
        })
        .await
    }

    /// A change is about to be sent.
    pub(crate) async fn change_begun(&self, object: &str, statement: &str) -> Result<()> {
        let step = self.lock().step.1.clone();
        let (object, statement) = (object.to_string(), statement.to_string());
        self.write(Record::EffectBegun { step, object, statement, data: Value::Null }).await
    }

    /// What became of it: `done`, `failed` or `unknown`.
    pub(crate) async fn change_ended(&self, object: &str, statement: &str, ended: &str, mut said: Value) -> Result<()> {
        let step = self.lock().step.1.clone();
        if let Value::Object(map) = &mut said {
            map.insert("statement".to_string(), json!(statement));
        }
        self.write(Record::EffectEnded { step, object: object.to_string(), state: ended.to_string(), data: said }).await
    }

    /// Takes down something that was read and that a later process must know.
    pub(crate) async fn set_fact(&self, name: &str, value: &impl Serialize) -> Result<()> {
        let data = serde_json::to_value(value)
            .map_err(|e| Error::new(ErrorKind::InternalFault, format!("the fact `{name}` cannot be written: {e}.")))?;
        self.lock().facts.insert(name.to_string(), data.clone());
        self.write(Record::Evidence { name: name.to_string(), data }).await
    }

    /// Something taken down earlier, by this process or another.
    pub(crate) fn fact<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let data = self.lock().facts.get(name).cloned()?;
        serde_json::from_value(data).ok()
    }

    /// The objects of a step's changes that an earlier process announced and of which it took down no end.
    pub(crate) fn unanswered(&self, step: &str) -> Vec<String> {
        let of_step = |(of, what): &(String, String)| (of == step).then(|| what.clone());
        self.lock().unanswered.iter().filter_map(of_step).collect()
    }

    /// The plan as it is followed from here on.
    pub(crate) async fn set_plan(&self, plan: &impl Serialize) -> Result<()> {
        let data = serde_json::to_value(plan)
            .map_err(|e| Error::new(ErrorKind::InternalFault, format!("the plan cannot be written: {e}.")))?;
        self.write(Record::Plan { data }).await
    }

    /// This process stops; the run stays open.
    pub(crate) async fn stopped(&self, outcome: Outcome, text: &str) -> Result<()> {
        self.write(Record::Stopped { outcome, text: text.to_string() }).await
    }

    /// The run is over for good.
    pub(crate) async fn ended(&self, outcome: Outcome, text: &str) -> Result<()> {
        self.write(Record::Ended { outcome, text: text.to_string() }).await
    }

    /// The run was given up.
    pub(crate) async fn undone(&self, text: &str) -> Result<()> {
        self.write(Record::Undone { text: text.to_string() }).await
    }
}

/// The newest result of each step, in the order of their numbers.
pub(crate) fn steps_of(entries: &[Entry]) -> Vec<StepResult> {
    let mut steps: Vec<StepResult> = Vec::new();
    for entry in entries {
        let Record::StepEnded { outcome, .. } = &entry.record else { continue };
        let Ok(result) = serde_json::from_value::<StepResult>(outcome.clone()) else { continue };
        steps.retain(|step| step.name != result.name);
        steps.push(result);
    }
    steps.sort_by_key(|step| step.number);
    steps
}
