//! Looking at journals without taking them over.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::is_run_id;
use super::lock;
use super::reader::{read_file, Tail};
use super::record::{Entry, Record, RunHead};
use super::writer::{best_chain, check_run_id, holder, how_it_ended, journal_path, within};
use crate::error::{Outcome, Result};

/// A run as its journal tells it.
#[derive(Debug, Clone)]
pub struct RunView {
    pub run_id: String,
    pub path: PathBuf,
    /// `None` where the file has no valid beginning.
    pub head: Option<RunHead>,
    pub entries: Vec<Entry>,
    /// Neither finished nor given up.
    pub is_open: bool,
    /// A process is working on it now, as far as this machine can see.
    pub is_held: bool,
    /// Who worked on it last.
    pub holder: Option<String>,
    /// Of the last end or stop.
    pub outcome: Option<Outcome>,
    /// When it ended for good.
    pub ended_at_utc: Option<String>,
    /// The step that was begun last.
    pub last_step: Option<String>,
    /// What is wrong with the file.
    pub damage: Option<String>,
}

impl RunView {
    fn new(run_id: &str, path: PathBuf, entries: Vec<Entry>, is_held: bool, damage: Option<String>) -> RunView {
        let mut view = RunView {
            run_id: run_id.to_string(),
            path,
            head: None,
            is_open: !entries.is_empty() && how_it_ended(&entries).is_none(),
            is_held,
            holder: holder(&entries),
            outcome: None,
            ended_at_utc: None,
            last_step: None,
            damage,
            entries: Vec::new(),
        };
        for entry in &entries {
            match &entry.record {
                Record::Begin(head) => view.head = Some((**head).clone()),
                Record::StepBegun { step, .. } => view.last_step = Some(step.clone()),
                Record::Stopped { outcome, .. } => view.outcome = Some(*outcome),
                Record::Ended { outcome, .. } => {
                    view.outcome = Some(*outcome);
                    view.ended_at_utc = Some(entry.at_utc.clone());
                }
                Record::Undone { .. } => view.ended_at_utc = Some(entry.at_utc.clone()),
                _ => {}
            }
        }
        view.entries = entries;
        view
    }

    /// The newest capture: one made later, else that of the head.
    pub fn capture(&self) -> Option<&Value> {
        let later = self.entries.iter().rev().find_map(|entry| match &entry.record {
            Record::Capture { data } => Some(data),
            _ => None,
        });
        later.or(self.head.as_ref().map(|head| &head.capture)).filter(|value| !value.is_null())
    }
}

/// The runs of a folder, the newest first. Files that are damaged are listed with what is wrong. A folder that does not
/// exist holds none. Reads only.
pub fn list(folder: &Path) -> Vec<RunView> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut ids: Vec<String> = names
        .filter_map(|name| name.strip_suffix(".journal").map(str::to_string))
        .filter(|run_id| is_run_id(run_id))
        .collect();
    ids.sort_unstable_by(|a, b| b.cmp(a));
    ids.into_iter().filter_map(|run_id| view(folder, &run_id)).collect()
}

fn view(folder: &Path, run_id: &str) -> Option<RunView> {
    let path = journal_path(folder, run_id);
    let is_held = lock::is_held(folder, run_id);
    match read_file(&path, run_id) {
        Ok(None) => None,
        Ok(Some(chain)) => {
            let damage = match chain.tail {
                _ if chain.entries.is_empty() => Some("it has no valid first record".to_string()),
                Tail::Broken => Some(format!("it is damaged behind record {}", chain.entries.len())),
                Tail::Nothing | Tail::Torn => None,
            };
            Some(RunView::new(run_id, path, chain.entries, is_held, damage))
        }
        Err(error) => {
            Some(RunView::new(run_id, path, Vec::new(), is_held, Some(format!("it cannot be read: {error}"))))
        }
    }
}

/// One run, from the longest valid chain of the two folders. Reads only.
///
/// # Errors
/// `RunNotFound` (7002), `JournalDamaged` (7003), `InvalidValue` (1002).
pub fn read(folder: &Path, copy: Option<&Path>, run_id: &str) -> Result<RunView> {
    check_run_id(run_id)?;
    let mut warnings = Vec::new();
    let best = best_chain(folder, copy, run_id, &mut warnings)?;
    let damage = (!warnings.is_empty()).then(|| warnings.join(" "));
    Ok(RunView::new(run_id, journal_path(folder, run_id), best.entries, lock::is_held(folder, run_id), damage))
}

/// A capture of an earlier run.
#[derive(Debug, Clone)]
pub struct CaptureFound {
    pub run_id: String,
    pub path: PathBuf,
    pub started_at_utc: String,
    pub capture: Value,
}

/// The newest capture of a database that `wanted` takes, over several folders: for what was deleted since then, such as
/// the log shipping record. Instances compare without regard to case, databases exactly. A folder that does not answer
/// is passed over. Reads only.
pub fn newest_capture(
    folders: &[PathBuf],
    sql_instance: &str,
    database: &str,
    wanted: impl Fn(&Value) -> bool,
) -> Option<CaptureFound> {
    let mut runs: Vec<RunView> = Vec::new();
    for folder in folders {
        let folder = folder.clone();
        runs.extend(within(move || list(&folder)).unwrap_or_default());
    }
    runs.sort_by(|a, b| b.run_id.cmp(&a.run_id));
    runs.iter().find_map(|run| {
        let head = run.head.as_ref()?;
        let is_its = head.sql_instance.to_lowercase() == sql_instance.to_lowercase() && head.database == database;
        let capture = run.capture().filter(|capture| is_its && wanted(capture))?;
        Some(CaptureFound {
            run_id: run.run_id.clone(),
            path: run.path.clone(),
            started_at_utc: head.started_at_utc.clone(),
            capture: capture.clone(),
        })
    })
}
