//! The loop of an operation: next, act on the event, answer. Native commands are carried out on the lab's pool.

use std::time::Duration;

use serde_json::{json, Map, Value};

use crate::lab::control_within;
use crate::library::{Event, LibraryError, Pchat};

/// What a program does with the events of an operation.
pub trait Watcher {
    /// An item was handed out.
    fn item(&mut self, _kind: &str, _item: &Value) {}
    /// A line for the operator.
    fn message(&mut self, _level: &str, _text: &str) {}
    /// How far the work is.
    fn progress(&mut self, _progress: &Value) {}
    /// A question; the default says yes, as `-Force` does.
    fn confirm(&mut self, _question: &Value) -> bool {
        true
    }
    /// Called before each wait; true asks for a cancel.
    fn wants_cancel(&mut self) -> bool {
        false
    }
}

/// The watcher that only collects.
#[derive(Default)]
pub struct Collected {
    pub items: Vec<(String, Value)>,
    pub messages: Vec<String>,
}

impl Watcher for Collected {
    fn item(&mut self, kind: &str, item: &Value) {
        self.items.push((kind.to_string(), item.clone()));
    }

    fn message(&mut self, level: &str, text: &str) {
        self.messages.push(format!("{level}: {text}"));
    }
}

/// The terminal event: the result with its kind, or the error document.
pub type Ended = Result<(String, Value), Value>;

/// Starts an operation, serves it to its end and closes it.
pub fn operate(
    pchat: &Pchat,
    session: u64,
    export: &str,
    request: &Value,
    lab_control: &str,
    watcher: &mut dyn Watcher,
) -> Result<Ended, LibraryError> {
    let operation = match pchat.start(export, session, request) {
        Err(LibraryError::Refused(error)) => return Ok(Err(error)),
        started => started?,
    };
    let mut ended = Err(json!({"message": "the operation ended without a terminal event"}));
    let mut cancelled = false;
    loop {
        if !cancelled && watcher.wants_cancel() {
            pchat.on_handle("pchat_operation_cancel", operation)?;
            cancelled = true;
        }
        let event = match pchat.next(operation, 200)? {
            Event::TimedOut => continue,
            Event::End => break,
            Event::Event(event) => event,
        };
        match event["event"].as_str().unwrap_or_default() {
            "item" => watcher.item(event["kind"].as_str().unwrap_or_default(), &event["item"]),
            "message" => {
                watcher.message(event["level"].as_str().unwrap_or_default(), event["text"].as_str().unwrap_or_default())
            }
            "progress" => watcher.progress(&event["progress"]),
            "question" => {
                let yes = watcher.confirm(&event["question"]);
                pchat.answer(operation, &json!({"id": event["id"], "kind": "confirm", "yes": yes}))?;
            }
            "native" => {
                let outcome = native(lab_control, &event["command"]);
                // A cancel may have answered meanwhile; the late answer is refused and that is right.
                let _ = pchat.answer(operation, &json!({"id": event["id"], "kind": "native", "outcome": outcome}));
            }
            "result" => ended = Ok((event["kind"].as_str().unwrap_or_default().to_string(), event["result"].clone())),
            "failure" => ended = Err(event["error"].clone()),
            other => return Err(LibraryError::Refused(json!({"message": format!("unknown event `{other}`")}))),
        }
    }
    pchat.on_handle("pchat_operation_close", operation)?;
    Ok(ended)
}

/// Carries out a native command on the lab's pool and gives the outcome document.
pub fn native(lab_control: &str, command: &Value) -> Value {
    let mut parameters = Map::new();
    for parameter in command["parameters"].as_array().into_iter().flatten() {
        parameters.insert(parameter["name"].as_str().unwrap_or_default().to_string(), parameter["value"].clone());
    }
    // As in the shell: nobody is asked, and the caller's preferences stay outside; these two have no -Confirm.
    let name = command["name"].as_str().unwrap_or_default();
    let asks = !["Invoke-CsBackupServiceSync", "Invoke-CsManagementStoreReplication"].contains(&name);
    if asks
        && ["Install-", "Uninstall-", "Set-", "Start-", "Stop-", "Invoke-"].iter().any(|verb| name.starts_with(verb))
    {
        parameters.entry("Confirm").or_insert(json!(false));
    }
    // As in the shell, a command that hangs is stopped at its limit; not before one that is only slow on a busy machine.
    let ask = |parameters: &Map<String, Value>| {
        let asked = json!({"command": "native", "name": command["name"], "parameters": parameters});
        let limit = Duration::from_secs(command["limit_seconds"].as_u64().unwrap_or_default().clamp(10, 120));
        control_within(lab_control, &asked, limit).unwrap_or_else(|e| {
            let is_late = matches!(e.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut);
            json!({"outcome": if is_late { "stopped" } else { "failed" }, "error": e.to_string()})
        })
    };
    let mut reply = ask(&parameters);
    // A command that was not bound has done nothing; one without -Confirm is called without it.
    let is_unbound =
        |reply: &Value| reply["error"]["id"].as_str().is_some_and(|id| id.starts_with("NamedParameterNotFound"));
    if is_unbound(&reply) && reply["error"]["message"].as_str().is_some_and(|text| text.contains("'Confirm'")) {
        parameters.remove("Confirm");
        reply = ask(&parameters);
    }
    let objects: Vec<Value> = reply["objects"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|object| picked(object, &command["properties"]))
        .collect();
    let failed = reply["outcome"] != json!("completed");
    let is_missing = is_unbound(&reply) || reply["error"]["id"] == json!("CommandNotFoundException");
    let error = match &reply["error"] {
        Value::Null => Value::Null,
        Value::String(text) => json!(text),
        other => other.get("message").cloned().unwrap_or_else(|| json!(other.to_string())),
    };
    json!({
        "state": if !failed { "completed" } else if reply["outcome"] == "stopped" { "stopped" } else if is_missing { "missing" } else { "failed" },
        "module": "PChatLab.Lync",
        "stand_in": true,
        "objects": objects,
        "error": error,
        "error_id": reply["error"].get("id").cloned().unwrap_or(Value::Null),
    })
}

/// The properties wanted of an object, as strings, lists of strings or null.
fn picked(object: &Value, properties: &Value) -> Value {
    if !object.is_object() {
        return json!({"": invariant(object)});
    }
    let mut out = Map::new();
    for path in properties.as_array().into_iter().flatten().filter_map(Value::as_str) {
        let value = match path {
            "*" => everything(object),
            path => walked(object, &path.split('.').collect::<Vec<_>>()),
        };
        out.insert(path.to_string(), value);
    }
    Value::Object(out)
}

/// A path, on through each item of a list.
fn walked(at: &Value, path: &[&str]) -> Value {
    match (path, at) {
        ([], at) => invariant(at),
        (path, Value::Array(items)) => {
            Value::Array(items.iter().map(|item| walked(item, path)).filter(|value| !value.is_null()).collect())
        }
        ([part, rest @ ..], at) => at.get(part).map_or(Value::Null, |next| walked(next, rest)),
    }
}

/// The texts of all properties, one level deep.
fn everything(object: &Value) -> Value {
    let mut texts = Vec::new();
    for value in object.as_object().into_iter().flat_map(Map::values) {
        match invariant(value) {
            Value::Null => {}
            Value::Array(items) => texts.extend(items),
            one => texts.push(one),
        }
    }
    Value::Array(texts)
}

fn invariant(value: &Value) -> Value {
    match value {
        Value::Null | Value::String(_) => value.clone(),
        Value::Bool(b) => json!(if *b { "True" } else { "False" }),
        Value::Array(items) => Value::Array(items.iter().map(invariant).collect()),
        other => json!(other.to_string()),
    }
}
