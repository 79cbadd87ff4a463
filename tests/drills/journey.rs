//! There and back in a transcript: runs by the titles of their steps, baselines compared, days that pass, one copy's messages.
//!
//! What a step says of itself (how many files, how long) depends on how fast a machine is, so it stands there only where the
//! step was not done.

use std::time::{Duration, Instant};

use serde_json::{json, Value};

use crate::stage::{Stage, LIMIT};

/// Carries a verb out: its exit code, and the document in which it ended.
fn ended(stage: &Stage, verb: &str) -> (String, Value) {
    let output = stage.host(verb, &[]).arg("--json").output().expect("the host runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let document = text.lines().last().and_then(|line| serde_json::from_str(line).ok()).unwrap_or_default();
    (output.status.code().map_or("no exit code".to_string(), |code| format!("exit code {code}")), document)
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// A run by its steps and how it ended.
pub fn steps(stage: &Stage, verb: &str) -> String {
    let (code, document) = ended(stage, verb);
    let mut lines = Vec::new();
    for step in document["steps"].as_array().into_iter().flatten() {
        let told = match text(step, "state") {
            "done" | "already_so" => String::new(),
            other => format!(": {other}, {}", text(step, "text")),
        };
        lines.push(format!("  {}. {}{told}", step["number"], text(step, "title")));
    }
    if let Some(message) = document["error"]["message"].as_str() {
        lines.push(format!("  {message}"));
    }
    lines.push(format!("  Outcome: {}. {}", document["outcome"].as_str().unwrap_or("failed"), text(&document, "text")));
    lines.push(code);
    lines.join("\n") + "\n"
}

/// Saves a baseline and tells how it differs from the one before.
pub fn baseline(stage: &Stage) -> String {
    let (code, document) = ended(stage, "baseline");
    let mut lines = Vec::new();
    if let Some(message) = document["error"]["message"].as_str() {
        lines.push(format!("  {message}"));
    }
    for part in document["unread"].as_array().into_iter().flatten() {
        lines.push(format!("  not read: {part}"));
    }
    let drift = document["drift"].as_array().map(Vec::as_slice).unwrap_or_default();
    for drift in drift {
        lines.push(format!("  differs: {drift}"));
    }
    if drift.is_empty() {
        lines.push(match document["reference_path"].as_str() {
            Some(_) => "  the configuration is that of the baseline before".to_string(),
            None => "  the first one".to_string(),
        });
    }
    lines.push(code);
    lines.join("\n") + "\n"
}

/// Messages on one copy against all that users ever wrote, once users are in somewhere.
pub fn truth_of(stage: &Stage, instance: &str) -> String {
    let end = Instant::now() + LIMIT;
    let truth = loop {
        let truth = stage.ask(&json!({"command": "truth"}));
        if truth["users"]["in"] == json!(true) || Instant::now() >= end {
            break truth;
        }
        std::thread::sleep(Duration::from_millis(25));
    };
    let state = stage.ask(&json!({"command": "state"}));
    let copies: Vec<String> = [r"P\RTC", r"PM\RTC", r"B\RTC", r"BM\RTC"]
        .iter()
        .map(|at| match state["instances"][at]["alive"] == json!(false) {
            true => format!("{at} dead"),
            false => format!("{at} {}", truth["copies"][at]["state"].as_str().unwrap_or("absent")),
        })
        .collect();
    let servers: Vec<&str> =
        state["pool"]["active_servers"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let (missing, doubled) = (&truth["copies"][instance]["missing"], &truth["copies"][instance]["doubled"]);
    let numbers = match text(missing, "messages") {
        "" => String::new(),
        numbers => format!(" ({numbers})"),
    };
    let lines = [
        format!("  mgc: {}", copies.join(", ")),
        format!("  pool: {}; active servers: {}", text(&state["pool"], "pool_state"), servers.join(", ")),
        format!("  users are {}", if truth["users"]["in"] == json!(true) { "in" } else { "out" }),
        format!("  messages missing on {instance}: {}{numbers}; doubled: {}", missing["count"], doubled["count"]),
        format!("  T-SQL that the lab does not know: {}", truth["unknown_statements"]),
    ];
    lines.join("\n") + "\n"
}
