//! The folders that log backups lie in, each seen through this process and through the instance.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Reading;
use crate::names::{ServerPath, Text};

/// What a folder is to the failover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlaceRole {
    /// Where the primary writes its log backups.
    Share,
    /// Where the copy job puts them.
    CopyFolder,
    /// Named by the operator.
    Additional,
}

impl PlaceRole {
    pub fn as_str(self) -> &'static str {
        match self {
            PlaceRole::Share => "share",
            PlaceRole::CopyFolder => "copy folder",
            PlaceRole::Additional => "additional folder",
        }
    }
}

/// A folder, twice seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceEvidence {
    /// The same number that the candidates of the log chain carry.
    pub place: u32,
    pub role: PlaceRole,
    /// As the instance names it.
    pub path: ServerPath,
    /// As this process opens it; `None` where no candidate is known.
    pub client_path: Option<String>,
    /// The files that this process sees.
    pub by_client: Reading<Vec<FileSeen>>,
    /// The names that the instance sees.
    pub by_server: Reading<Vec<Text>>,
    /// True where the instance has read the header of a file there.
    pub server_reads_files: bool,
    /// True where client and server show the same files: the client path is a candidate, to be proved by a marker.
    pub is_candidate: bool,
    /// Why its list does not tell where the log ends, though this process lists a folder in its place: that both are one
    /// folder is proved by nothing.
    #[serde(default)]
    pub unproved: Option<String>,
}

impl PlaceEvidence {
    /// True where somebody could list it.
    pub fn is_listed(&self) -> bool {
        self.by_client.known().is_some() || self.by_server.known().is_some()
    }

    /// The size of a file that this process sees there.
    pub fn size_of(&self, name: &str) -> Option<u64> {
        let files = self.by_client.known()?;
        files.iter().find(|file| file.name.eq_ignore_ascii_case(name)).map(|file| file.size_bytes)
    }

    /// True where somebody sees a file of this name there.
    pub fn has(&self, name: &str) -> bool {
        self.size_of(name).is_some()
            || self.by_server.known().is_some_and(|names| names.iter().any(|n| n.eq_ignore_ascii_case(name)))
    }
}

/// A file as this process sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSeen {
    pub name: Text,
    pub size_bytes: u64,
    pub modified_at_utc: Option<DateTime<Utc>>,
}

/// The files of a share that came, grew or changed between two looks. No clock is asked: that of a file server may be
/// minutes off.
pub fn later_files(before: &[FileSeen], after: &[FileSeen]) -> Vec<super::LaterFile> {
    let earlier: std::collections::HashMap<Text, &FileSeen> =
        before.iter().map(|file| (file.name.in_lower_case(), file)).collect();
    after
        .iter()
        .filter_map(|file| {
            let how = match earlier.get(&file.name.in_lower_case()) {
                None => "appeared",
                Some(old) if old.size_bytes < file.size_bytes => "grew",
                Some(old) if old.modified_at_utc < file.modified_at_utc => "changed",
                Some(_) => return None,
            };
            Some(super::LaterFile { name: file.name.to_string(), how: how.to_string() })
        })
        .collect()
}

/// The share through which the mirror is set up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareEvidence {
    pub path: String,
    /// Whether this process sees it; `None` where it cannot tell.
    pub seen_by_client: Option<bool>,
    /// Whether the instance sees it; `None` where it cannot tell.
    pub seen_by_server: Option<bool>,
}

/// The journal's folders.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalEvidence {
    pub folder: String,
    /// Why nothing can be written there, where that is known.
    pub folder_problem: Option<String>,
    /// The folder of the second copy: named, or the copy folder as this process opens it.
    pub copy_folder: Option<String>,
    pub copy_problem: Option<String>,
    /// A run on the database that the journals know as open and that can be given up.
    pub open_run: Option<String>,
}
