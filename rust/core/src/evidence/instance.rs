//! What the backup instance says of the database, and where the knowledge of log shipping comes from.

use serde::{Deserialize, Serialize};

use crate::names::ServerPath;
use crate::sql::job::Job;
use crate::sql::log_shipping::SecondaryRecord;

/// Where the knowledge of log shipping comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogShippingSource {
    /// Log shipping is configured.
    Record,
    /// It was removed by a run of ours, whose capture is in the journal.
    Journal {
        run_id: String,
    },
    /// It was removed by hand; the request names share and copy folder.
    Request,
    /// Only the restore history tells where log backups were.
    History,
    None,
}

impl LogShippingSource {
    /// The word that documents use: `record`, `journal`, `none`.
    pub fn as_str(&self) -> &'static str {
        match self {
            LogShippingSource::Record => "record",
            LogShippingSource::Journal { .. } => "journal",
            _ => "none",
        }
    }
}

/// Log shipping of the database, with its source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogShippingEvidence {
    pub source: LogShippingSource,
    /// The record as configured, or as captured before it was removed.
    pub record: Option<SecondaryRecord>,
    /// The jobs of the record; `None` where they are gone.
    pub copy_job: Option<Job>,
    pub restore_job: Option<Job>,
    /// True where the copy job's newest run failed: its account may lack a right on the share or the copy folder.
    pub copy_job_failed: bool,
    /// True where the removing procedure can leave a dead monitor alone.
    pub can_ignore_monitor: bool,
    /// Folders that restored log backups came from, newest first.
    pub history_folders: Vec<ServerPath>,
}

impl LogShippingEvidence {
    /// True while the instance itself has the record, so that there is something to remove.
    pub fn is_configured(&self) -> bool {
        self.source == LogShippingSource::Record
    }

    /// Both jobs, as far as they exist.
    pub fn jobs(&self) -> impl Iterator<Item = &Job> {
        self.copy_job.iter().chain(self.restore_job.iter())
    }
}
