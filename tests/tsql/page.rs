//! One page: all texts of one version, by workflow, changes before what only reads.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::Value;

use crate::normal::normal;

/// Texts that are sent only while something takes long, or when somebody comes in between: they may be missing in a run.
const NOW_AND_THEN: &[&str] = &[
    "percent_complete",
    "l.request_mode = N'X'",
    "sys.dm_exec_sessions",
    "sysprocesses p",
    "KILL 51",
    "SET MULTI_USER",
    "sysjobactivity",
    "sysjobhistory",
    "sys.dm_server_services",
];

/// How a text that only reads or guards begins.
const READS: &[&str] = &[
    "SELECT ",
    "SET ",
    "EXEC master.sys.xp_dirtree",
    "EXEC master.dbo.xp_fileexist",
    "EXEC master.dbo.xp_fixeddrives",
    "EXEC master.dbo.xp_instance_regread",
    "RESTORE HEADERONLY",
    "RESTORE LABELONLY",
    "RESTORE FILELISTONLY",
    "RESTORE VERIFYONLY",
    "DECLARE @rc int; EXEC @rc = sp_getapplock",
    "DECLARE @rc int; EXEC @rc = sp_releaseapplock",
];

/// The page as it grows.
pub struct Page {
    version: String,
    sections: Vec<Section>,
}

struct Section {
    title: String,
    /// In the order in which they came.
    changes: Vec<String>,
    reads: BTreeSet<String>,
}

impl Page {
    pub fn new(version: &str) -> Page {
        Page { version: version.to_string(), sections: Vec::new() }
    }

    /// Adds what a workflow sent.
    pub fn add(&mut self, title: &str, sent: &[Value]) {
        let mut section = Section { title: title.to_string(), changes: Vec::new(), reads: BTreeSet::new() };
        for text in sent.iter().map(batch_of) {
            let statement = text.rsplit_once(";\n").map_or(text.as_str(), |(_, statement)| statement);
            if READS.iter().any(|begin| statement.starts_with(begin)) {
                section.reads.insert(text);
            } else if !section.changes.contains(&text) {
                section.changes.push(text);
            }
        }
        self.sections.push(section);
    }

    /// Compares with the committed file, or writes it.
    #[track_caller]
    pub fn compare(&mut self, path: &str) {
        let committed = std::fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
        let before = read(&committed);
        // What this run had no occasion to send stays, and counts as sent.
        for section in &mut self.sections {
            let earlier = before.iter().filter(|(title, _)| *title == section.title).flat_map(|(_, texts)| texts);
            for text in earlier.filter(|text| NOW_AND_THEN.iter().any(|part| text.contains(part))) {
                let known = section.reads.contains(text) || section.changes.contains(text);
                if !known {
                    section.reads.insert(text.clone());
                }
            }
        }
        if std::env::var_os("PCHAT_TSQL").is_some_and(|value| value == "write") {
            std::fs::write(path, self.text()).expect("the file can be written");
            return;
        }
        for section in &self.sections {
            let earlier: Vec<&String> =
                before.iter().filter(|(title, _)| *title == section.title).flat_map(|(_, texts)| texts).collect();
            let now: Vec<&String> = section.changes.iter().chain(&section.reads).collect();
            let added: Vec<_> = now.iter().filter(|text| !earlier.contains(text) && !is_now_and_then(text)).collect();
            let gone: Vec<_> = earlier.iter().filter(|text| !now.contains(text)).collect();
            assert!(
                added.is_empty() && gone.is_empty(),
                "{path}, {}:\nsent and not in the file: {added:#?}\nin the file and not sent: {gone:#?}\n\
                 Where that is meant, write the files with PCHAT_TSQL=write and look at the difference.",
                section.title
            );
        }
    }

    fn text(&self) -> String {
        let mut out = format!(
            "-- What PersistentChatFailover sends to SQL Server {}. Written by tests/tsql; ids, times and session ids are examples.\n\
             -- Changes come first, in their order; then what reads, looks or locks, in the order of the alphabet.\n",
            self.version
        );
        for section in &self.sections {
            let _ = write!(out, "\n{SECTION}{}\n", section.title);
            for (part, texts) in
                [("changes", section.changes.iter().collect::<Vec<_>>()), ("reads", section.reads.iter().collect())]
            {
                let _ = write!(out, "\n{PART}{part}\n");
                for text in texts {
                    let _ = write!(out, "\n{text}\nGO\n");
                }
            }
        }
        out
    }
}

const SECTION: &str = "-- ==== ";
const PART: &str = "-- ---- ";

fn is_now_and_then(text: &str) -> bool {
    NOW_AND_THEN.iter().any(|part| text.contains(part))
}

/// The sections of a file with their texts.
fn read(file: &str) -> Vec<(String, Vec<String>)> {
    let mut sections: Vec<(String, Vec<String>)> = Vec::new();
    let mut text: Vec<&str> = Vec::new();
    for line in file.lines() {
        if let Some(title) = line.strip_prefix(SECTION) {
            sections.push((title.to_string(), Vec::new()));
            text.clear();
        } else if line == "GO" {
            if let Some((_, texts)) = sections.last_mut() {
                texts.push(text.join("\n").trim_start_matches('\n').to_string());
            }
            text.clear();
        } else if !line.starts_with(PART) {
            text.push(line);
        }
    }
    sections
}

/// A text with its parameters declared, as a batch of its own.
fn batch_of(sent: &Value) -> String {
    let text = normal(sent["text"].as_str().unwrap_or_default());
    let parameters: Vec<String> = sent["parameters"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|pair| Some(format!("{} {}", pair[0].as_str()?, pair[1].as_str()?)))
        .collect();
    match parameters.as_slice() {
        [] => text,
        some => format!("DECLARE {};\n{text}", some.join(", ")),
    }
}
