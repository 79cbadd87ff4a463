//! What has drifted between two baselines.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::flat::{flatten, Leaf, NONE};
use super::{Baseline, InstanceRole};
use crate::document::Drift;

/// How a place differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DriftKind {
    Changed,
    /// It was not there before.
    Added,
    /// It is not there any more.
    Gone,
    /// One of the two could not be read.
    Unread,
}

impl DriftKind {
    /// `changed`, `added`, `gone` or `unread`.
    pub fn as_text(self) -> &'static str {
        match self {
            DriftKind::Changed => "changed",
            DriftKind::Added => "added",
            DriftKind::Gone => "gone",
            DriftKind::Unread => "unread",
        }
    }
}

/// Compares the configuration of two baselines: times, progress, and ids that an instance gives are no drift. A part that
/// one of them could not read is told once.
pub fn compare(earlier: &Baseline, now: &Baseline) -> Vec<Drift> {
    let mut drift = Vec::new();
    let whole = [
        ("database", &earlier.database, &now.database),
        ("compliance_database", &earlier.compliance_database, &now.compliance_database),
    ];
    for (part, before, after) in whole {
        if before != after {
            drift.push(line("", "baseline", part, DriftKind::Changed, Some(before.clone()), Some(after.clone())));
        }
    }
    let pool = now.pool.pool_fqdn.as_deref().or(earlier.pool.pool_fqdn.as_deref()).unwrap_or("pool");
    differences(&flatten(&json!(earlier.pool)), &flatten(&json!(now.pool)), |part, kind, before, after| {
        drift.push(line(pool, "pool", part, kind, before, after));
    });
    for role in InstanceRole::ALL {
        let (before, after) = (earlier.instance(role), now.instance(role));
        let name = after.or(before).map_or("", |instance| instance.sql_instance.as_str());
        match (before, after) {
            (None, None) => {}
            (Some(before), Some(after)) => {
                differences(&flatten(&json!(before)), &flatten(&json!(after)), |part, kind, before, after| {
                    drift.push(line(name, role.as_text(), part, kind, before, after));
                });
            }
            (before, after) => {
                let kind = if before.is_some() { DriftKind::Gone } else { DriftKind::Added };
                let named =
                    |instance: Option<&super::InstanceBaseline>| instance.map(|found| found.sql_instance.clone());
                drift.push(line(name, role.as_text(), "instance", kind, named(before), named(after)));
            }
        }
    }
    drift
}

fn line(subject: &str, role: &str, part: &str, kind: DriftKind, earlier: Option<String>, now: Option<String>) -> Drift {
    Drift {
        subject: subject.to_string(),
        role: role.to_string(),
        part: part.to_string(),
        kind: kind.as_text().to_string(),
        earlier,
        now,
    }
}

fn differences(
    earlier: &BTreeMap<String, Leaf>,
    now: &BTreeMap<String, Leaf>,
    mut found: impl FnMut(&str, DriftKind, Option<String>, Option<String>),
) {
    let unread: Vec<&String> = earlier
        .iter()
        .chain(now)
        .filter(|(_, leaf)| matches!(leaf, Leaf::Unread(_)))
        .map(|(path, _)| path)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let is_below = |path: &str, above: &str| path.strip_prefix(above).is_some_and(|rest| rest.starts_with(['.', '[']));
    for path in unread.iter().filter(|path| !unread.iter().any(|above| is_below(path, above))) {
        let (before, after) = (earlier.get(*path), now.get(*path));
        // Neither could be read, for the same kind of reason: nothing is known to have changed.
        if !matches!((before, after), (Some(Leaf::Unread(_)), Some(Leaf::Unread(_)))) {
            found(path, DriftKind::Unread, before.map(shown), after.map(shown));
        }
    }
    // A whole part that came or went is told once, not member by member.
    let mut whole: Vec<&String> = Vec::new();
    for (path, leaf) in earlier.iter().chain(now).filter(|(_, leaf)| **leaf == Leaf::Value(NONE.to_string())) {
        let (before, after) = (earlier.get(path), now.get(path));
        let other = if before.is_some() { now } else { earlier };
        if before.is_some() != after.is_some() && other.keys().any(|below| is_below(below, path)) {
            let there = Some("configured".to_string());
            let (before, after) =
                if before.is_some() { (Some(shown(leaf)), there) } else { (there, Some(shown(leaf))) };
            let kind = if before.as_deref() == Some(NONE) { DriftKind::Added } else { DriftKind::Gone };
            found(path, kind, before, after);
            whole.push(path);
        }
    }
    // The same for an element of a list, such as a job with its schedules.
    let mut elements: BTreeSet<&str> = BTreeSet::new();
    for (here, there) in [(earlier, now), (now, earlier)] {
        let has = |place: &str| there.keys().any(|path| path == place || is_below(path, place));
        for path in here.keys().filter(|path| !there.contains_key(*path)) {
            let ends = path.match_indices(']').map(|(at, _)| &path[..=at]);
            elements.extend(ends.into_iter().find(|place| !has(place)));
        }
    }
    let is_hidden =
        |path: &str| unread.iter().chain(&whole).any(|above| path == above.as_str() || is_below(path, above));
    for place in elements.iter().filter(|place| !is_hidden(place)) {
        let is_old = earlier.keys().any(|path| path == place || is_below(path, place));
        let there = Some("configured".to_string());
        match is_old {
            true => found(place, DriftKind::Gone, there, None),
            false => found(place, DriftKind::Added, None, there),
        }
    }
    let is_told = |path: &str| is_hidden(path) || elements.iter().any(|place| path == *place || is_below(path, place));
    let paths: BTreeSet<&String> = earlier.keys().chain(now.keys()).filter(|path| !is_told(path)).collect();
    for path in paths {
        match (earlier.get(path), now.get(path)) {
            (Some(before), Some(after)) if before != after => {
                found(path, DriftKind::Changed, Some(shown(before)), Some(shown(after)));
            }
            (Some(before), None) => found(path, DriftKind::Gone, Some(shown(before)), None),
            (None, Some(after)) => found(path, DriftKind::Added, None, Some(shown(after))),
            _ => {}
        }
    }
}

fn shown(leaf: &Leaf) -> String {
    match leaf {
        Leaf::Value(value) => value.clone(),
        Leaf::Unread(why) => format!("unread: {why}"),
    }
}
