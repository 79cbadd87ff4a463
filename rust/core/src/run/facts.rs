//! The facts that a decision rests on, their digest, and what has changed since.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::document::{JournalPlace, Plan};

/// A fact that is not what the plan was made on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub fact: String,
    pub planned: String,
    pub found: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} was `{}` and is `{}`", self.fact.replace('_', " "), self.planned, self.found)
    }
}

/// SHA-256 over the facts, as hex.
pub fn digest(facts: &BTreeMap<String, String>) -> String {
    let mut hash = Sha256::new();
    for (name, value) in facts {
        for part in [name, value] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What has changed since the plan was made; empty where its digest still holds.
pub fn compare(plan: &Plan, found: &BTreeMap<String, String>) -> Vec<Difference> {
    let names: std::collections::BTreeSet<&String> = plan.decision_facts.keys().chain(found.keys()).collect();
    let value =
        |facts: &BTreeMap<String, String>, name: &str| facts.get(name).cloned().unwrap_or_else(|| "unknown".into());
    names
        .into_iter()
        .map(|name| Difference {
            fact: name.clone(),
            planned: value(&plan.decision_facts, name),
            found: value(found, name),
        })
        .filter(|difference| difference.planned != difference.found)
        .collect()
}

/// Facts as they are gathered, by name.
#[derive(Debug, Default)]
pub(crate) struct Facts(pub BTreeMap<String, String>);

impl Facts {
    pub(crate) fn add(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_string(), value.into());
    }

    /// Where the journal and its second copy go: a plan's journal is where the run is looked for later.
    pub(crate) fn add_journal(&mut self, place: &JournalPlace) {
        self.add("journal", place.journal_path.as_deref().unwrap_or("the default folder"));
        let copy = match place.no_journal_copy {
            true => "declined",
            false => place.journal_copy_path.as_deref().unwrap_or("kept"),
        };
        self.add("journal_copy", copy);
    }
}

/// Names of servers as one fact: neither order nor case counts.
pub(crate) fn sorted(servers: &[String]) -> String {
    let mut names: Vec<String> = servers.iter().map(|name| name.to_lowercase()).collect();
    names.sort();
    names.join(", ")
}
