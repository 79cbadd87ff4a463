//! One page: all texts of one version, the changes of each workflow before what only reads.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::Value;

use crate::normal::normal;

/// Texts that are sent only while something takes long, or when somebody comes in between: they may be missing in a run. Each
/// with a part of the titles of the sections in which that is so; an empty one stands for all.
const NOW_AND_THEN: &[(&str, &str)] = &[
    (EVERYWHERE, "percent_complete"),
    (EVERYWHERE, "l.request_mode = N'X'"),
    (EVERYWHERE, "sys.dm_exec_sessions"),
    (EVERYWHERE, "sysprocesses p"),
    (EVERYWHERE, "KILL 51"),
    (EVERYWHERE, "SET MULTI_USER"),
    (EVERYWHERE, "sysjobactivity"),
    (EVERYWHERE, "sysjobhistory"),
    (EVERYWHERE, "sys.dm_server_services"),
    // Whether somebody is in the copy that a full backup replaces.
    ("failback", "RESTORE DATABASE [mgc] FROM DISK"),
    // What is given up had come so far, or a little farther.
    ("given up", "RESTORE LOG [mgc] FROM DISK = N'"),
];

const EVERYWHERE: &str = "";

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
    /// By workflow, in the order in which they came.
    changes: Vec<(String, Vec<String>)>,
    /// Of all workflows, which share most of them.
    reads: BTreeSet<String>,
}

impl Page {
    pub fn new(version: &str) -> Page {
        Page { version: version.to_string(), changes: Vec::new(), reads: BTreeSet::new() }
    }

    /// Adds what a workflow sent.
    pub fn add(&mut self, title: &str, sent: &[Value]) {
        let mut changes: Vec<String> = Vec::new();
        for text in sent.iter().map(batch_of) {
            let statement = text.rsplit_once(";\n").map_or(text.as_str(), |(_, statement)| statement);
            if READS.iter().any(|begin| statement.starts_with(begin)) {
                self.reads.insert(text);
            } else if !changes.contains(&text) {
                changes.push(text);
            }
        }
        self.changes.push((title.to_string(), changes));
    }

    /// Compares with the committed file, or writes it.
    #[track_caller]
    pub fn compare(&mut self, path: &str) {
        let committed = std::fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
        let before = read(&committed);
        let earlier = |title: &str| -> Vec<String> {
            before.iter().filter(|(known, _)| known == title).flat_map(|(_, texts)| texts.clone()).collect()
        };
        // What this run had no occasion to send stays, and counts as sent.
        for (title, changes) in &mut self.changes {
            for text in earlier(title).into_iter().filter(|text| is_now_and_then(title, text)) {
                if !changes.contains(&text) {
                    changes.push(text);
                }
            }
        }
        self.reads.extend(earlier(ALL_READ).into_iter().filter(|text| is_now_and_then(ALL_READ, text)));
        if std::env::var_os("PCHAT_TSQL").is_some_and(|value| value == "write") {
            std::fs::write(path, self.text()).expect("the file can be written");
            return;
        }
        for (title, now) in self.sections() {
            let earlier = earlier(title);
            let is_new = |text: &&String| !earlier.contains(text) && !is_now_and_then(title, text);
            let added: Vec<_> = now.iter().filter(is_new).collect();
            let gone: Vec<_> = earlier.iter().filter(|text| !now.contains(text)).collect();
            assert!(
                added.is_empty() && gone.is_empty(),
                "{path}, {title}:\nsent and not in the file: {added:#?}\nin the file and not sent: {gone:#?}\n\
                 Where that is meant, write the files with PCHAT_TSQL=write and look at the difference."
            );
        }
    }

    /// The changes of each workflow, then what all of them read.
    fn sections(&self) -> Vec<(&str, Vec<String>)> {
        let changes = self.changes.iter().map(|(title, texts)| (title.as_str(), texts.clone()));
        changes.chain([(ALL_READ, self.reads.iter().cloned().collect())]).collect()
    }

    fn text(&self) -> String {
        let mut out = format!(
            "-- What PersistentChatFailover sends to SQL Server {}. Written by tests/tsql; ids, times and session ids are examples.\n\
             -- First the changes of each workflow in their order, each text once; at the end all that reads, looks or locks, in\n\
             -- the order of the alphabet.\n",
            self.version.replace("R2", " R2")
        );
        for (title, texts) in self.sections() {
            let _ = write!(out, "\n{SECTION}{title}\n");
            for text in texts {
                let _ = write!(out, "\n{text}\nGO\n");
            }
        }
        out
    }
}

/// The title of the last section.
const ALL_READ: &str = "what the workflows read, look at and lock";
const SECTION: &str = "-- ==== ";

fn is_now_and_then(title: &str, text: &str) -> bool {
    NOW_AND_THEN.iter().any(|(section, part)| title.contains(section) && text.contains(part))
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
        } else {
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
