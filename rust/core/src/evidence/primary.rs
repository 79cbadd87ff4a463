//! What is seen of the dead site, and who speaks against its death.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Reading;
use crate::sql::mirror::Mirror;

/// What an endpoint did when it was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndpointAnswer {
    /// A login worked.
    LoggedIn,
    /// It answers, but not with a login: wrong password, certificate, encryption.
    Answers { why: String },
    /// The connection was refused. `port_is_certain`: the port was named, mapped, or told by the browser.
    Refused { port_is_certain: bool },
    /// Silent, or its name does not resolve.
    Unreachable { why: String },
    /// It could not be asked at all: no usable login on this machine. Says nothing about the instance.
    NotTried { why: String },
    /// Nobody knows its name.
    NotNamed,
}

impl EndpointAnswer {
    /// True where something is alive there.
    pub fn is_alive(&self) -> bool {
        matches!(self, EndpointAnswer::LoggedIn | EndpointAnswer::Answers { .. })
    }
}

/// One instance of the other site, or a mirror, as far as it answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MirrorInstanceEvidence {
    /// `None`: not named and not found in the topology.
    pub name: Option<String>,
    pub answer: EndpointAnswer,
    /// The database there: its state and mirroring, where a login worked.
    pub database: Reading<RemoteDatabase>,
}

impl MirrorInstanceEvidence {
    /// One that nobody named.
    pub fn not_named() -> Self {
        MirrorInstanceEvidence {
            name: None,
            answer: EndpointAnswer::NotNamed,
            database: Reading::NotAsked("it is not named".to_string()),
        }
    }
}

/// The database on an instance other than the backup.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteDatabase {
    /// In lower case; `None`: there is no such database.
    pub state: Option<String>,
    pub mirroring: Option<Mirror>,
    /// What the instance calls itself.
    #[serde(default)]
    pub server_name: Option<String>,
}

/// The primary and everything that witnesses for or against its death.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrimaryEvidence {
    /// `None`: neither the record nor the request names it.
    pub name: Option<String>,
    /// The database's name there.
    pub database_name: String,
    pub answer: EndpointAnswer,
    /// When the first probe failed. Anything younger speaks against the primary's death.
    pub first_failed_probe_utc: Option<DateTime<Utc>>,
    /// The database there, where a login worked.
    pub database: Reading<RemoteDatabase>,
    pub mirror: MirrorInstanceEvidence,
    /// Where the request names the primary or its mirror: who they are by what was read, asked too.
    #[serde(default)]
    pub elsewhere: Vec<NamedElsewhere>,
    /// Files on the share that appeared or grew after the first failed probe.
    pub later_files: Reading<Vec<LaterFile>>,
    pub monitor: MonitorEvidence,
}

impl PrimaryEvidence {
    /// The name of the primary that answers: the one of the request, or the one that was read.
    pub fn living(&self) -> Option<&str> {
        if self.answer.is_alive() {
            return Some(self.name.as_deref().unwrap_or("the primary"));
        }
        let others = self.elsewhere.iter().filter(|other| !other.as_mirror && other.instance.answer.is_alive());
        others.filter_map(|other| other.instance.name.as_deref()).next()
    }
}

/// An instance that is the primary or its mirror by what was read, while the request names another one, or the same under
/// another name. The request's word replaces none: a slip of the pen would hide a primary that lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedElsewhere {
    /// What names it: `the log shipping record`.
    pub by: String,
    /// True where it counts as the primary's mirror, false where it counts as the primary.
    pub as_mirror: bool,
    /// True where the difference is explained: it is an instance of the request under another name, or the request names
    /// the mirror, which may have taken the primary's role.
    pub is_explained: bool,
    pub instance: MirrorInstanceEvidence,
}

/// A file on the share that somebody wrote after the primary was found silent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaterFile {
    pub name: String,
    /// `appeared`, `grew` or `changed`.
    pub how: String,
}

/// The monitor server, where log shipping has one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonitorEvidence {
    pub name: Option<String>,
    pub answer: EndpointAnswer,
    pub last_backup: Reading<Option<MonitoredBackup>>,
}

/// The newest log backup that the monitor knows of.
///
/// # Source
/// msdb `log_shipping_monitor_primary`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonitoredBackup {
    /// The file's name without its folder.
    pub file: Option<String>,
    pub at_utc: Option<DateTime<Utc>>,
    /// The same moment by this machine's clock: the monitor's own may be minutes off.
    pub at_our_clock_utc: Option<DateTime<Utc>>,
}
