//! The control door: what drills, tests and the PowerShell stand-ins say to a lab, and how the lab is told to stop.
//!
//! [`server`] listens and speaks JSON lines; [`LabDoor`] knows the commands and shares them between engine and pool.

pub mod server;

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{json, Map, Value};
use tokio::sync::watch;

use crate::pool::native::NativeRequest;
use crate::pool::settings::PoolFault;
use crate::pool::Pool;
use crate::scenario::HOME_SITE;

pub use server::{ask, ControlServer, Door};

/// The engine's share of the commands.
#[async_trait]
pub trait EngineCommands: Send + Sync + 'static {
    /// Addresses, paths, logins and instances, as an object.
    fn describe(&self) -> Value;
    /// Databases, jobs, log shipping and sessions, as an object.
    fn state(&self) -> Value;
    /// Which messages were written and where they are; destructive statements counted.
    fn truth(&self) -> Value;
    fn effects(&self) -> Value;
    fn unknown_statements(&self) -> Value;
    /// What clients sent since a call with `record`, each text once, in the order of first appearance.
    fn statements(&self, record: bool) -> Value;
    /// Switches a fault on or off.
    ///
    /// # Errors
    /// A text when there is no such fault or an argument does not fit.
    async fn fault(&self, name: &str, on: bool, args: &Value) -> Result<(), String>;
    /// Moves the clock forward; returns the new time.
    fn advance_seconds(&self, seconds: i64) -> Value;
    /// Lets time pass from one scheduled job to the next; returns the new time and the number of job runs.
    async fn pass_seconds(&self, seconds: i64) -> Value;
    /// How many messages a second are written while users are in; writes `count` more at once through an instance that serves.
    ///
    /// # Errors
    /// A text when nobody serves, or the database refuses.
    fn messages(&self, per_second: Option<f64>, count: u32) -> Result<Value, String>;
    /// Every host of the home site dies, or comes back.
    async fn set_primary_site(&self, alive: bool);
    /// The instances of the home site are new: empty chat and compliance databases, no jobs, no log shipping, no mirrors.
    fn rebuild_primary_site(&self);
}

/// The commands of one lab.
pub struct LabDoor {
    engine: Arc<dyn EngineCommands>,
    pool: Arc<Pool>,
    /// What `describe` tells beside the engine's share.
    about: Map<String, Value>,
    stop: watch::Sender<bool>,
}

impl LabDoor {
    /// A door to these two. `about` is added to what `describe` tells.
    pub fn new(engine: Arc<dyn EngineCommands>, pool: Arc<Pool>, about: Map<String, Value>) -> LabDoor {
        LabDoor { engine, pool, about, stop: watch::Sender::new(false) }
    }

    /// Becomes true when somebody asks the lab to stop.
    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    /// What `describe` answers.
    pub fn describe(&self) -> Value {
        let mut all = object(self.engine.describe());
        all.insert("pool".into(), self.pool.describe());
        all.extend(self.about.clone());
        Value::Object(all)
    }

    async fn primary_site(&self, alive: bool) -> Value {
        self.pool.set_site_alive(HOME_SITE, alive);
        self.engine.set_primary_site(alive).await;
        json!({ "primary_site_alive": alive })
    }

    async fn fault(&self, arguments: &Map<String, Value>) -> Result<Value, String> {
        only(arguments, &["name", "on", "args"])?;
        let name = text(arguments, "name")?;
        let on = arguments.get("on").map_or(Ok(true), |v| v.as_bool().ok_or("`on` is true or false"))?;
        let args = arguments.get("args").cloned().unwrap_or(Value::Null);
        match PoolFault::from_parts(name, &args) {
            Some(fault) => self.pool.set_fault(fault?, on),
            None => self.engine.fault(name, on, &args).await?,
        }
        Ok(json!({ "name": name, "on": on }))
    }
}

#[async_trait]
impl Door for LabDoor {
    async fn answer(&self, command: &str, arguments: &Map<String, Value>) -> Result<Value, String> {
        match command {
            "native" => {
                let request: NativeRequest =
                    serde_json::from_value(Value::Object(arguments.clone())).map_err(|e| format!("native: {e}"))?;
                serde_json::to_value(self.pool.native(request).await).map_err(|e| e.to_string())
            }
            "fault" => self.fault(arguments).await,
            "clock" => {
                only(arguments, &["advance_seconds", "pass_seconds"])?;
                let seconds = |name: &str| match arguments.get(name) {
                    None => Ok(0),
                    Some(value) => value
                        .as_i64()
                        .filter(|s| (0..=10 * 365 * 86_400).contains(s))
                        .ok_or(format!("`{name}` is a whole number from 0 to ten years")),
                };
                let jump = self.engine.advance_seconds(seconds("advance_seconds")?);
                match seconds("pass_seconds")? {
                    0 => Ok(jump),
                    some => Ok(self.engine.pass_seconds(some).await),
                }
            }
            "statements" => {
                only(arguments, &["record"])?;
                let record = arguments.get("record").map_or(Some(false), Value::as_bool);
                Ok(self.engine.statements(record.ok_or("`record` is true or false")?))
            }
            "messages" => {
                only(arguments, &["per_second", "write"])?;
                let rate = match arguments.get("per_second") {
                    None => None,
                    Some(value) => Some(
                        value
                            .as_f64()
                            .filter(|rate| (0.0..=10_000.0).contains(rate))
                            .ok_or("`per_second` is a number from 0 to 10000")?,
                    ),
                };
                let count = match arguments.get("write") {
                    None => 0,
                    Some(value) => value
                        .as_u64()
                        .and_then(|count| u32::try_from(count).ok())
                        .ok_or("`write` is a whole number of messages")?,
                };
                self.engine.messages(rate, count)
            }
            other => {
                only(arguments, &[])?;
                match other {
                    "describe" => Ok(self.describe()),
                    "primary_site_lost" => Ok(self.primary_site(false).await),
                    "primary_site_back" => Ok(self.primary_site(true).await),
                    "primary_site_rebuilt" => {
                        self.engine.rebuild_primary_site();
                        Ok(self.primary_site(true).await)
                    }
                    "effects" => Ok(self.engine.effects()),
                    "unknown_statements" => Ok(self.engine.unknown_statements()),
                    "truth" => {
                        let mut all = object(self.engine.truth());
                        all.insert("serving".into(), json!(self.pool.serving_instances()));
                        all.insert("users".into(), self.pool.users());
                        all.insert("native_calls".into(), self.pool.calls().into());
                        Ok(Value::Object(all))
                    }
                    "state" => {
                        let mut all = object(self.engine.state());
                        all.insert("pool".into(), self.pool.snapshot());
                        Ok(Value::Object(all))
                    }
                    "stop" => Ok(json!({ "stopping": true })),
                    _ => Err(format!("there is no command {other}")),
                }
            }
        }
    }

    fn answered(&self, command: &str) {
        if command == "stop" {
            self.stop.send_replace(true);
        }
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => Map::from_iter([("value".to_string(), other)]),
    }
}

fn text<'a>(arguments: &'a Map<String, Value>, name: &str) -> Result<&'a str, String> {
    arguments.get(name).and_then(Value::as_str).ok_or_else(|| format!("the member `{name}` is missing or no text"))
}

fn only(arguments: &Map<String, Value>, known: &[&str]) -> Result<(), String> {
    match arguments.keys().find(|k| !known.contains(&k.as_str())) {
        Some(stranger) => Err(format!("the member `{stranger}` is unknown to this command")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
