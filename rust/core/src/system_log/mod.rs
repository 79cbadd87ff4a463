//! Entries in the machine's own log, for those who watch many servers: the event log on Windows, syslog elsewhere.
//!
//! The ids are a contract, in `docs/event-log.md`. A drill writes none: nobody is to be woken by a rehearsal. An entry that
//! cannot be written stops nothing, the journal is the record.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as platform;
#[cfg(windows)]
use windows as platform;

use crate::document::Plan;
use crate::error::Outcome;

/// The name that entries bear: the source in the event log, the tag in syslog.
pub const SOURCE: &str = "PersistentChatFailover";

/// The longest text, in bytes: a syslog line is short.
const LONGEST: usize = 1800;

/// How grave an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    Information,
    Warning,
    Error,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// 1000 to 1010.
    pub id: u16,
    pub severity: Severity,
    pub text: String,
}

/// Writes that a run begins or goes on, before its first change.
pub(crate) fn begins(plan: &Plan, kind: &str, run_id: &str) {
    write(plan, begun(kind, &about(plan), run_id));
}

/// Writes how a run ended.
pub(crate) fn ends(plan: &Plan, kind: &str, run_id: &str, outcome: Outcome, text: &str) {
    write(plan, ended(kind, &about(plan), run_id, outcome, text));
}

/// Writes that a run was given up.
pub(crate) fn given_up(plan: &Plan, kind: &str, run_id: &str, text: &str) {
    let text = format!("{kind} of {}, run {run_id}: {text}", about(plan));
    write(plan, Entry { id: 1010, severity: Severity::Warning, text });
}

fn about(plan: &Plan) -> String {
    format!("{} on {}", plan.database, plan.sql_instance)
}

fn begun(kind: &str, about: &str, run_id: &str) -> Entry {
    Entry { id: 1000, severity: Severity::Information, text: format!("{kind} of {about} begins, run {run_id}.") }
}

fn ended(kind: &str, about: &str, run_id: &str, outcome: Outcome, text: &str) -> Entry {
    let (id, severity) = match outcome {
        Outcome::Done => (1001, Severity::Information),
        Outcome::NothingToDo => (1002, Severity::Information),
        Outcome::Refused => (1003, Severity::Warning),
        Outcome::Failed => (1004, Severity::Error),
        Outcome::Incomplete => (1005, Severity::Error),
        Outcome::Cancelled => (1006, Severity::Warning),
        Outcome::Locked => (1007, Severity::Warning),
        Outcome::BadInput => (1008, Severity::Warning),
    };
    Entry { id, severity, text: format!("{kind} of {about}, run {run_id}: {text}") }
}

/// True where the plan was made against real instances: its facts name the lab that it was made in.
fn is_real(plan: &Plan) -> bool {
    plan.decision_facts.get("lab").is_some_and(|lab| lab == "none")
}

fn write(plan: &Plan, mut entry: Entry) {
    if cfg!(test) || !is_real(plan) {
        return;
    }
    if entry.text.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|at| entry.text.is_char_boundary(*at)).unwrap_or_default();
        entry.text.truncate(end);
        entry.text.push('…');
    }
    let _ = platform::write(&entry);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_its_own_id() {
        let outcomes = [
            Outcome::Done,
            Outcome::NothingToDo,
            Outcome::Refused,
            Outcome::Failed,
            Outcome::Incomplete,
            Outcome::Cancelled,
            Outcome::Locked,
            Outcome::BadInput,
        ];
        let ids: Vec<u16> = outcomes.iter().map(|outcome| ended("failover", "x", "r", *outcome, "").id).collect();
        assert_eq!(ids, [1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008]);
        let entry = ended("failover", "mgc on B\\RTC", "20261121T120000Z-1", Outcome::Incomplete, "Mirror is left.");
        assert_eq!(entry.severity, Severity::Error);
        assert_eq!(entry.text, "failover of mgc on B\\RTC, run 20261121T120000Z-1: Mirror is left.");
        assert_eq!(begun("failover", "mgc on B\\RTC", "r").text, "failover of mgc on B\\RTC begins, run r.");
    }

    #[cfg(windows)]
    #[test]
    fn the_event_log_takes_an_entry() {
        platform::write(&begun("test", "nothing", "none")).unwrap();
    }
}
