//! What a restore of conference content is decided on, and kept in its journal.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::pair::{each_once, Pair};
use super::seen::Side;
use crate::check::CheckedEvidence;
use crate::evidence::{CommandOrigin, Reading};
use crate::pool::GET_COMMAND;

/// Everything that was read of two paired pools. Holds nothing secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConferenceEvidence {
    pub gathered_at_utc: DateTime<Utc>,
    pub pair: Pair,
    /// What the shell names as the damaged pool's partner.
    pub partner: Reading<String>,
    /// Dotted names; empty for all modules.
    pub modules: Vec<String>,
    pub interval_milliseconds: u64,
    /// Whether survivor and damaged pool hold the active Central Management store.
    pub holds_cms: (Option<bool>, Option<bool>),
    pub survivor: PoolSide,
    pub damaged: PoolSide,
    /// The parameters that the installed sync command has.
    pub sync_parameters: Reading<Vec<String>>,
    /// The same of the command that compares both stores; not every shell has it.
    pub compare_parameters: Reading<Vec<String>>,
    /// Each native command that answered, with its module and whether it is one of the lab's.
    pub commands: Vec<CommandOrigin>,
    /// The folder of the journal, and why it cannot hold one.
    pub journal_folder: String,
    pub journal_problem: Option<String>,
}

/// One of the two pools.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolSide {
    /// What its status shows, in words, one a module.
    pub status: Reading<Vec<String>>,
    /// Each Front End with the state of its backup service.
    pub services: Reading<Vec<FrontEnd>>,
    pub file_share: Reading<FileShare>,
}

/// A Front End and its backup service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrontEnd {
    pub server: String,
    /// As the shell prints it; or why there is none.
    pub state: Reading<String>,
}

/// The file share of a pool, as far as this machine sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileShare {
    pub path: String,
    pub seen: ShareSeen,
}

/// What opening a share brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShareSeen {
    Listed,
    /// It is not there.
    Absent(String),
    /// It may be there: this account or this machine does not see it.
    NotSeen(String),
}

/// A restore is about no instance; its results name the surviving pool.
impl CheckedEvidence for ConferenceEvidence {
    fn sql_instance(&self) -> &str {
        ""
    }

    fn database(&self) -> &str {
        ""
    }

    fn pool_fqdn(&self) -> Option<&str> {
        Some(&self.pair.survivor)
    }
}

impl ConferenceEvidence {
    pub fn interval(&self) -> Duration {
        Duration::from_millis(self.interval_milliseconds)
    }

    pub fn side(&self, side: Side) -> &PoolSide {
        match side {
            Side::Survivor => &self.survivor,
            Side::Damaged => &self.damaged,
        }
    }

    /// The modules that the pools show, as far as their status can be read.
    pub fn shown_modules(&self) -> Vec<String> {
        let sides = [&self.survivor, &self.damaged];
        let words = sides.iter().filter_map(|side| side.status.known()).flatten();
        each_once(words.filter_map(|words| words.split(':').next()).map(str::trim))
    }

    /// The module that a command came from.
    pub fn module_of(&self, command: &str) -> Option<&str> {
        let of = |name: &str| {
            let known = self.commands.iter().find(|origin| origin.name.eq_ignore_ascii_case(name))?;
            known.module.as_deref().filter(|module| !module.is_empty())
        };
        // Commands that were not called yet come from the module of those that were.
        of(command).or_else(|| of("Get-CsBackupServiceStatus"))
    }

    /// True where the commands are the lab's; `None` where none answered.
    pub fn is_lab(&self) -> Option<bool> {
        self.commands.iter().find(|origin| origin.name != GET_COMMAND).map(|origin| origin.stand_in)
    }
}
