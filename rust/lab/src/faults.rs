//! Faults by name: each can be switched on by a scenario or while the lab runs.

use crate::scenario::{Account, FaultSettings};
use serde::{Deserialize, Serialize};

/// Which log backup in a folder a file fault means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", untagged)]
pub enum FileChoice {
    /// Counted from the newest, which is 0.
    FromNewest(usize),
    /// By its name.
    Name(String),
}

/// One fault. Instances are named as `HOST\NAME` or `HOST`, folders and shares as a server writes them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// The instance's port refuses connections; sessions end.
    Refuse { instance: String },
    /// The instance's port takes connections and never answers; sessions end.
    Blackhole { instance: String },
    /// The connection that runs a RESTORE is dropped once `percent` of it is done, `times` times.
    DropDuringRestore {
        instance: String,
        percent: u8,
        #[serde(default = "once")]
        times: u32,
    },
    /// RESTORE and BACKUP read and write this many bytes a second.
    SlowRestore { instance: String, bytes_per_second: u64 },
    /// The file server does not answer: OS error 53 for servers, the folder is gone for the client.
    ShareLost { share: String },
    /// The share answers "Access is denied" to this account, to all when absent.
    ShareDenied {
        share: String,
        #[serde(default)]
        account: Option<Account>,
        #[serde(default)]
        instance: Option<String>,
    },
    /// A log backup is cut to `keep_percent` of its size, as a copy in progress leaves it.
    UnfinishedFile {
        instance: String,
        folder: String,
        file: FileChoice,
        #[serde(default = "half")]
        keep_percent: u8,
    },
    /// A log backup is missing from a folder.
    Gap { instance: String, folder: String, file: FileChoice },
    /// One bit in the middle of a log backup is turned.
    DamagedFile { instance: String, folder: String, file: FileChoice },
    /// SQL Server Agent does not run.
    AgentStopped { instance: String },
    /// The remote monitor cannot be reached, and each try takes this long.
    MonitorDead {
        #[serde(default = "stall")]
        stall_milliseconds: u64,
    },
    /// Free space left on a drive of a host.
    NoSpace { host: String, drive: String, free_bytes: u64 },
    /// The login, or every one, is refused with 18456.
    LoginDenied {
        instance: String,
        #[serde(default)]
        login: Option<String>,
    },
    /// The login, or every one, keeps access to databases but is no sysadmin.
    NotSysadmin {
        instance: String,
        #[serde(default)]
        login: Option<String>,
    },
    /// A killed session takes this long to roll back.
    SlowRollback { instance: String, milliseconds: u64 },
    /// SET PARTNER fails with 1418 on this instance.
    #[serde(alias = "mirror_setup_fails")]
    MirrorSetUpFails {
        #[serde(default)]
        instance: Option<String>,
    },
    /// The mirroring endpoint is stopped: 1418 at a set-up, and its sessions are disconnected.
    EndpointStopped { instance: String },
    /// The log of a FULL database holds this many bytes, then 9002.
    LogLimit { instance: String, database: String, bytes: u64 },
    /// msdb tells nothing of backups and restores: its history was purged.
    HistoryPurged { instance: String },
    /// Data file damaged: the database is SUSPECT, only its log can be saved.
    DatabaseDamaged { instance: String, database: String },
}

impl Fault {
    /// A fault from its name and arguments, as scenarios and the control door give it.
    ///
    /// # Errors
    /// A text that names the unknown fault or argument.
    pub fn from_settings(settings: &FaultSettings) -> Result<Fault, String> {
        let mut members = match &settings.args {
            serde_json::Value::Object(members) => members.clone(),
            serde_json::Value::Null => serde_json::Map::new(),
            other => return Err(format!("fault {}: arguments are an object, not {other}", settings.name)),
        };
        members.insert("name".into(), settings.name.clone().into());
        serde_json::from_value(members.into()).map_err(|e| format!("fault {}: {e}", settings.name))
    }
}

fn once() -> u32 {
    1
}

fn half() -> u8 {
    50
}

fn stall() -> u64 {
    1500
}
