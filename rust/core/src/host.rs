//! The one way out of core: reporting, asking, and the native commands of the management shell.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Notify;

use crate::error::{Error, ErrorKind, Result};

/// How far a piece of work is. The newest one wins; hosts show at most five a second.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// What is done as a whole: `Failing over mgc on B\RTC`.
    pub activity: String,
    /// The step, with its number: `Step 4 of 12: copy and restore log backups`.
    pub status: String,
    /// The finest part: a file name.
    pub operation: String,
    pub percent: Option<u8>,
    pub seconds_remaining: Option<u64>,
    /// What goes on side by side, each with a bar of its own below; empty where the work is one.
    pub parts: Vec<ProgressPart>,
}

/// One of several things that go on side by side.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgressPart {
    pub activity: String,
    pub status: String,
    pub percent: Option<u8>,
}

/// Where a message belongs in the shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Warning,
    Verbose,
    Debug,
}

/// A question to the operator in the middle of an operation. No answer, or an exception, counts as no.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    pub caption: String,
    pub text: String,
}

/// A native command that core wants run in the caller's shell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NativeCommand {
    /// `Set-CsPersistentChatState`.
    pub name: String,
    /// The module it must come from; `None` while that is not known yet.
    pub module: Option<String>,
    /// In the order wanted. A value is a string, a bool (a switch), null, a list of strings, or an object (a hashtable).
    pub parameters: Vec<NativeParameter>,
    /// The properties wanted of each object, as paths: `PoolFqdn`, `Status.Name`. A list comes as a list of strings; so
    /// does `*`, the texts of all properties, for objects whose members are not documented.
    pub properties: Vec<String>,
    /// True when it changes nothing: only such commands run under `-WhatIf`.
    pub reads_only: bool,
    /// Longest wait for it, in seconds; a host that cannot enforce it ignores it.
    pub limit_seconds: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NativeParameter {
    pub name: String,
    pub value: Value,
}

impl NativeCommand {
    /// A command that reads.
    pub fn get(name: &str) -> Self {
        NativeCommand {
            name: name.to_string(),
            module: None,
            parameters: Vec::new(),
            properties: Vec::new(),
            reads_only: true,
            limit_seconds: 120,
        }
    }

    /// A command that changes something.
    pub fn set(name: &str) -> Self {
        NativeCommand { reads_only: false, limit_seconds: 3600, ..Self::get(name) }
    }

    /// Adds a parameter.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.parameters.push(NativeParameter { name: name.to_string(), value: value.into() });
        self
    }

    /// Names the properties wanted.
    pub fn wanting(mut self, properties: &[&str]) -> Self {
        self.properties = properties.iter().map(|p| p.to_string()).collect();
        self
    }

    /// The command as an operator would type it.
    pub fn as_text(&self) -> String {
        let mut text = self.name.clone();
        for parameter in &self.parameters {
            text.push_str(&format!(" -{}", parameter.name));
            match &parameter.value {
                Value::Bool(true) => {}
                Value::Bool(false) => text.push_str(":$false"),
                value => text.push_str(&format!(" {}", value_text(value))),
            }
        }
        text
    }
}

fn value_text(value: &Value) -> String {
    match value {
        Value::Null => "$null".to_string(),
        Value::String(s) => format!("'{}'", s.replace('\'', "''")),
        Value::Array(items) => items.iter().map(value_text).collect::<Vec<_>>().join(","),
        Value::Object(map) => {
            let pairs: Vec<String> = map.iter().map(|(k, v)| format!("{k}={}", value_text(v))).collect();
            format!("@{{{}}}", pairs.join(";"))
        }
        other => other.to_string(),
    }
}

/// How a native command ended, as far as the host can tell. Whether it took effect is for the probe to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NativeState {
    Completed,
    /// It threw, or wrote an error under `-ErrorAction Stop`.
    Failed,
    /// Ctrl+C, or a limit: the outcome is unknown.
    Stopped,
    /// No such command, or no such parameter, in this shell.
    Missing,
}

/// What came back of a native command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NativeOutcome {
    pub state: NativeState,
    /// The module that the command came from.
    pub module: Option<String>,
    /// True where that module is the lab's stand-in.
    pub stand_in: bool,
    /// One map a returned object: wanted property path to string, list of strings, or null where it has no such member.
    /// An object that is a plain string or value has it under `""`.
    pub objects: Vec<serde_json::Map<String, Value>>,
    /// The text of the error or of the stop.
    pub error: Option<String>,
    /// The error id, where there is one.
    pub error_id: Option<String>,
}

/// What an operation may ask of the program that it runs in. The ffi crate implements it with a queue, tests in memory,
/// the drill against the lab.
#[async_trait]
pub trait Host: Send + Sync {
    /// Tells how far the work is. Never blocks; may be dropped in favour of a newer one.
    fn progress(&self, progress: Progress);

    /// Writes a line for the operator.
    fn message(&self, level: Level, text: String);

    /// Hands out one typed object; waits where the taker is slow. `kind` names the document's type.
    async fn item(&self, kind: &'static str, item: Value) -> Result<()>;

    /// Asks for a yes. Anything but a yes is a no.
    async fn confirm(&self, question: Question) -> bool;

    /// Runs a native command in the caller's shell.
    async fn native(&self, command: NativeCommand) -> NativeOutcome;
}

/// A wish to stop, set from any thread. Work looks at it before each new effect.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<CancelState>);

#[derive(Debug, Default)]
struct CancelState {
    set: AtomicBool,
    notify: Notify,
}

impl Cancel {
    pub fn new() -> Cancel {
        Cancel::default()
    }

    /// Asks the work to stop.
    pub fn cancel(&self) {
        self.0.set.store(true, Ordering::SeqCst);
        self.0.notify.notify_waiters();
    }

    pub fn is_cancelled(&self) -> bool {
        self.0.set.load(Ordering::SeqCst)
    }

    /// Waits until somebody asks to stop.
    pub async fn cancelled(&self) {
        loop {
            let waiting = self.0.notify.notified();
            tokio::pin!(waiting);
            waiting.as_mut().enable();
            if self.is_cancelled() {
                return;
            }
            waiting.await;
        }
    }

    /// An error where a stop was asked for.
    ///
    /// # Errors
    /// `Cancelled` (1007).
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() {
            return Err(Error::new(ErrorKind::Cancelled, "the operation was cancelled."));
        }
        Ok(())
    }
}
