//! A baseline as a flat list of named values, so that two can be compared member by member.

use std::collections::BTreeMap;

use serde_json::Value;

/// What one place of a baseline says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Leaf {
    Value(String),
    /// It could not be read; nothing below it can be compared.
    Unread(String),
}

/// A member without a value.
pub(super) const NONE: &str = "none";

/// Members that say nothing about the configuration, each with its reason.
const LEFT_OUT: &[(&str, &str)] = &[
    ("saved_at_utc", "when it was read"),
    ("now_utc", "when it was read"),
    ("sql_instance", "how it was named; its own name is among the facts"),
    ("utc_offset_minutes", "changes with summer time"),
    ("login", "who read it"),
    ("default_language", "who read it"),
    ("is_sysadmin", "who read it"),
    ("sees_all_sessions", "who read it"),
    ("last_copied_file", "progress"),
    ("last_copied_at", "progress"),
    ("last_copied_at_utc", "progress"),
    ("last_restored_file", "progress"),
    ("last_restored_at", "progress"),
    ("last_restored_at_utc", "progress"),
    ("last_restored_latency_minutes", "progress"),
    ("last_backup_file", "progress"),
    ("last_backup_at", "progress"),
    ("is_running", "progress"),
    ("size_bytes", "grows"),
    ("created_at", "when the copy was made"),
    ("role_sequence", "counts changes of roles"),
    ("database_id", "given by the instance"),
    ("primary_id", "given by the instance"),
    ("secondary_id", "given by the instance"),
    ("mirroring_id", "given by the instance"),
    ("job_id", "given by the instance"),
    ("backup_job_id", "given by the instance"),
    ("copy_job_id", "given by the instance"),
    ("restore_job_id", "given by the instance"),
    ("schedule_id", "given by the instance"),
];

/// Members that name an element of a list; the first one that it has counts.
const KEYS: &[&str] = &["role", "purpose", "logical_name", "sql_fqdn", "name"];

/// Takes apart what stands in a document. Keys are paths such as `jobs[backup].schedules[every 15 minutes].freq_type`.
pub(super) fn flatten(value: &Value) -> BTreeMap<String, Leaf> {
    let mut leaves = BTreeMap::new();
    walk("", value, &mut leaves);
    leaves
}

fn walk(path: &str, value: &Value, leaves: &mut BTreeMap<String, Leaf>) {
    match value {
        Value::Object(members) => {
            if let Some(inner) = reading(members) {
                return match inner {
                    Ok(known) => walk(path, known, leaves),
                    Err(why) => drop(leaves.insert(path.to_string(), Leaf::Unread(why.to_string()))),
                };
            }
            let nobody_gets_in = members.get("state").is_some_and(|state| *state == Value::String("restoring".into()));
            for (name, member) in members {
                // What a tail in single user leaves behind on a restoring copy bars nobody who could get in.
                let is_left_out = nobody_gets_in && name == "user_access";
                if !is_left_out && !LEFT_OUT.iter().any(|(left_out, _)| left_out == name) {
                    walk(&join(path, name), member, leaves);
                }
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            let mut seen: BTreeMap<String, u32> = BTreeMap::new();
            for item in items {
                let key = key_of(item);
                let number = seen.entry(key.clone()).or_default();
                *number += 1;
                let key = if *number == 1 { key } else { format!("{key}#{number}") };
                walk(&format!("{path}[{key}]"), item, leaves);
            }
        }
        Value::Array(items) if items.is_empty() => {}
        Value::Array(items) => {
            let mut texts: Vec<String> = items.iter().map(text).collect();
            texts.sort();
            leaves.insert(path.to_string(), Leaf::Value(texts.join(", ")));
        }
        other => drop(leaves.insert(path.to_string(), Leaf::Value(text(other)))),
    }
}

/// A reading in its document's form: `{"known": …}`, `{"unknown": "…"}` or `{"not_asked": "…"}`.
fn reading(members: &serde_json::Map<String, Value>) -> Option<Result<&Value, &str>> {
    let (name, value) = members.iter().next().filter(|_| members.len() == 1)?;
    match (name.as_str(), value) {
        ("known", value) => Some(Ok(value)),
        ("unknown" | "not_asked", Value::String(why)) => Some(Err(why)),
        _ => None,
    }
}

fn key_of(item: &Value) -> String {
    KEYS.iter().find_map(|key| item.get(key)).map_or_else(|| text(item), text)
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => NONE.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_string()
    } else {
        format!("{path}.{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn members_are_named_by_what_they_are_and_ids_are_left_out() {
        let document = json!({
            "jobs": {"known": [{"purpose": "backup", "job": {"job_id": "x", "name": "LSBackup", "schedules": [
                {"schedule_id": 4, "name": "every 15", "freq_type": 4}, {"schedule_id": 5, "name": "every 15", "freq_type": 8}]}}]},
            "users": {"not_asked": "the copy is restoring"},
            "service": {"known": {"active_servers": ["s2", "s1"]}},
            "owner": null,
        });
        let leaves = flatten(&document);
        let value = |path: &str| leaves.get(path).cloned();
        assert_eq!(value("jobs[backup].job.schedules[every 15].freq_type"), Some(Leaf::Value("4".into())));
        assert_eq!(value("jobs[backup].job.schedules[every 15#2].freq_type"), Some(Leaf::Value("8".into())));
        assert_eq!(value("users"), Some(Leaf::Unread("the copy is restoring".into())));
        assert_eq!(value("service.active_servers"), Some(Leaf::Value("s1, s2".into())));
        assert_eq!(value("owner"), Some(Leaf::Value("none".into())));
        assert!(leaves.keys().all(|path| !path.contains("_id")), "{leaves:?}");
    }
}
