//! The database on the backup instance.

use serde::{Deserialize, Serialize};

use crate::sql::database::{DatabaseFacts, DatabaseFile, DatabaseState};
use crate::sql::mirror::Mirror;

/// The database as the instance shows it. Its redo point is among the files, where the proof needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseEvidence {
    pub facts: DatabaseFacts,
    /// Set where it is a partner of database mirroring; a mirror copy is RESTORING too.
    pub mirroring: Option<Mirror>,
    pub files: Vec<DatabaseFile>,
}

impl DatabaseEvidence {
    pub fn is_restoring(&self) -> bool {
        self.facts.state == DatabaseState::Restoring && self.mirroring.is_none()
    }

    pub fn is_standby(&self) -> bool {
        self.facts.state == DatabaseState::Standby
    }

    /// The size of its data files.
    pub fn data_bytes(&self) -> u64 {
        self.files.iter().filter(|file| !file.is_log).map(|file| file.size_bytes).sum()
    }
}
