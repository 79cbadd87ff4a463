//! The database on the backup instance, its sessions and its users.

use serde::{Deserialize, Serialize};

use crate::names::ServerPath;

/// The database as the instance shows it. Its redo point is among the files, where the proof needs it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseEvidence {
    /// `restoring`, `standby`, `online`, `recovering`, … in lower case.
    pub state: String,
    /// True where it is a partner of database mirroring; a mirror copy is RESTORING too.
    pub is_mirrored: bool,
    /// `multi_user`, `single_user` or `restricted_user`.
    pub user_access: String,
    pub recovery_model: Option<String>,
    pub owner: Option<String>,
    pub files: Vec<DatabaseFile>,
}

impl DatabaseEvidence {
    pub fn is_restoring(&self) -> bool {
        self.state == "restoring" && !self.is_mirrored
    }

    pub fn is_standby(&self) -> bool {
        self.state == "standby"
    }
}

/// A file of the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseFile {
    pub logical_name: String,
    pub path: ServerPath,
    /// True for the log, false for data.
    pub is_log: bool,
    pub size_bytes: u64,
}

/// A session in the database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionEvidence {
    pub session_id: i32,
    pub login: String,
    pub host: String,
    pub program: String,
    pub is_user_session: bool,
}

/// A user of the database, and whether the instance has its login.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserEvidence {
    pub name: String,
    pub login_exists: bool,
}
