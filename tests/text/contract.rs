//! The documents that cross the boundary, as the other side of it knows them: the golden ones in `tests/contract` are
//! read and written again without a difference, and nothing may be missing or strange.

use pchat_core::document::{read as read_document, FailoverRequest, RunResult, SessionSettings, StepResult};
use pchat_core::error::ErrorKind;
use serde::de::DeserializeOwned;
use serde::Serialize;
use serde_json::{json, Value};

use crate::{files, read};

fn golden(name: &str) -> Value {
    serde_json::from_str(&read(&format!("tests/contract/{name}.json"))).expect("JSON")
}

/// Read and written again: the same members with the same values.
fn comes_back<T: DeserializeOwned + Serialize>(name: &str) {
    let value = golden(name);
    let typed: T = serde_json::from_value(value.clone()).unwrap_or_else(|e| panic!("{name}: {e}"));
    assert_eq!(json!(typed), value, "{name}");
}

#[test]
fn the_golden_documents_come_back_as_they_are() {
    comes_back::<SessionSettings>("session-settings");
    comes_back::<FailoverRequest>("failover-request");
    comes_back::<StepResult>("step-result");
    comes_back::<RunResult>("run-result");
    assert_eq!(files("tests/contract", &[".json"]).len(), 4, "each golden document is read by this test");
}

fn refused<T: DeserializeOwned + std::fmt::Debug>(document: &Value, what: &str) {
    let error = read_document::<T>(document.to_string().as_bytes()).expect_err(what);
    assert_eq!(error.kind, ErrorKind::InvalidRequest, "{what}: {error}");
}

fn strict<T: DeserializeOwned + std::fmt::Debug>(name: &str) {
    let whole = golden(name);
    let members: Vec<String> = whole.as_object().expect("an object").keys().cloned().collect();
    for member in members {
        let mut document = whole.clone();
        document.as_object_mut().expect("an object").remove(&member);
        refused::<T>(&document, &format!("{name} without {member}"));
    }
    let mut document = whole.clone();
    document["stranger"] = json!(1);
    refused::<T>(&document, &format!("{name} with a stranger"));
}

#[test]
fn a_request_with_a_member_missing_or_unknown_is_refused() {
    strict::<SessionSettings>("session-settings");
    strict::<FailoverRequest>("failover-request");
}
