//! The scenario: everything that a lab is built from, as one JSON document.
//!
//! Every member has a default, and the defaults together are the standard topology with all well. A scenario file
//! therefore says only what differs: `{"name": "mine", "hosts_lost": ["FS1"]}`. Unknown members are errors, so that a
//! misspelt one is not silently ignored.
//!
//! The engine builds instances, databases, files, jobs and sessions from it, the pool side its servers and settings.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::pool::settings::PoolSettings;

mod named;
mod standard;
pub use named::{named, NamedScenario, NAMED};

/// Home data centre of the standard topology.
pub const HOME_SITE: &str = "home";
/// The other data centre of the standard topology, where the backup stands.
pub const OTHER_SITE: &str = "other";

/// One lab: what stands where, what has happened so far, what is broken.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scenario {
    pub name: String,
    /// One line for the list of scenarios.
    pub summary: String,
    /// Seeds everything random: GUIDs, message texts, jitter.
    pub seed: u64,
    /// Folder on the real disk that holds all lab files. A temporary one, removed at the end, when absent.
    pub root: Option<PathBuf>,
    pub clock: ClockSettings,
    /// The servers' local time minus UTC; msdb keeps local times.
    pub utc_offset_minutes: i32,
    pub hosts: Vec<HostSettings>,
    pub instances: Vec<InstanceSettings>,
    pub shares: Vec<ShareSettings>,
    /// Exceptions from "every account may read and write everywhere".
    pub rights: Vec<RightSettings>,
    /// Server folders that the client sees too, beside the shares.
    pub client_maps: Vec<ClientMapSettings>,
    pub logins: Vec<LoginSettings>,
    pub chat: ChatSettings,
    pub log_shipping: LogShippingSettings,
    pub readers: ReaderSettings,
    pub rates: RateSettings,
    /// BACKUP LOG after a recovery asks for a full backup first (4214).
    pub full_backup_after_recovery: bool,
    /// Hosts that are dead from the start, by name.
    pub hosts_lost: Vec<String>,
    /// Hosts that live, but that the client cannot reach.
    pub hosts_unreachable: Vec<String>,
    /// Whether every host of the home site is dead from the start, like `primary_site_lost` at the control door.
    pub primary_site_lost: bool,
    /// Faults of the engine that are on from the start; those of the Lync side stand in `pool.faults`.
    pub faults: Vec<FaultSettings>,
    pub pool: PoolSettings,
}

/// The lab's clock.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClockSettings {
    /// Lab time at the start (RFC 3339, UTC); the computer's own when absent.
    pub start_utc: Option<String>,
    /// Lab seconds that pass in a real second.
    pub rate: f64,
}

/// One simulated computer. Each gets a loopback address of its own.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostSettings {
    /// Short name, as in `B\RTC` and `\\fs1\LogShip` (compared without case).
    pub name: String,
    pub fqdn: String,
    /// Data centre, `home` or `other` in the standard topology.
    pub site: String,
}

/// What an instance is in the topology.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstanceRole {
    Primary,
    PrimaryMirror,
    Backup,
    BackupMirror,
    Monitor,
    /// Present, but no part of log shipping or mirroring.
    Other,
}

/// One SQL Server instance.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceSettings {
    pub role: InstanceRole,
    /// Name of its host.
    pub host: String,
    /// Instance name; the default instance when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Product version by year: `2008R2`, `2012`, `2014`, `2019`, `2022`.
    #[serde(default = "standard::version")]
    pub version: String,
    /// Login language of the instance, as `sys.syslanguages` names it.
    #[serde(default = "standard::language")]
    pub language: String,
    #[serde(default = "standard::collation")]
    pub collation: String,
    #[serde(default = "standard::yes")]
    pub agent_running: bool,
    /// What PRELOGIN answers: `on`, `required`, `off` (login packet only) or `not_supported`.
    #[serde(default = "standard::encryption")]
    pub encryption: String,
}

impl InstanceSettings {
    /// `HOST\NAME`, or `HOST` for a default instance.
    pub fn full_name(&self) -> String {
        match &self.name {
            Some(name) => format!("{}\\{}", self.host, name),
            None => self.host.clone(),
        }
    }
}

/// A file share.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShareSettings {
    pub host: String,
    pub name: String,
}

/// Whose right it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// The account of the SQL Server service: RESTORE, BACKUP, `xp_fileexist`.
    Service,
    /// The account of SQL Server Agent: copy, restore and backup jobs.
    Agent,
    /// The person at the shell. The lab takes the path out of the client's sight; the real disk knows no lab rights.
    Client,
}

/// One exception from full access.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RightSettings {
    pub account: Account,
    /// Instance whose account it is (`B\RTC`); every instance when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Folder or share; what lies below it follows.
    pub path: String,
    #[serde(default)]
    pub read: bool,
    #[serde(default)]
    pub write: bool,
}

/// A folder of a server's own disk that the client reaches by a path of its own.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientMapSettings {
    pub host: String,
    /// Path on the host, for example `E:\LSCopy`.
    pub path: String,
}

/// A SQL login that exists on every instance.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginSettings {
    pub name: String,
    pub password: String,
    #[serde(default = "standard::yes")]
    pub sysadmin: bool,
}

/// The chat content: numbered messages that prove what was recovered.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChatSettings {
    pub database: String,
    /// Whether the compliance database exists as well (mirrored, never log shipped).
    pub compliance_database: Option<String>,
    /// Messages in the full backup that the secondary was initialised from.
    pub messages_in_full_backup: u32,
    pub messages_per_log_backup: u32,
    /// Messages written after the last finished log backup: the inherent loss of a disaster.
    pub messages_after_last_log_backup: u32,
    /// Messages a second (lab time) that are written while users are in.
    pub messages_per_second: f64,
    /// Login that owns the chat database on the primary.
    pub owner: String,
    /// Database options of the chat database on the primary; a restore does not carry them.
    pub broker: bool,
    pub trustworthy: bool,
    pub db_chaining: bool,
}

/// How an unfinished newest file on the share looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnfinishedFile {
    None,
    /// Under its final `.trn` name, cut off in the middle.
    Truncated,
    /// Under the backup agent's working name, `.wrk`.
    WorkingName,
}

/// State of the copy on the secondary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondaryMode {
    Restoring,
    Standby,
}

/// Log shipping and how far it has come.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogShippingSettings {
    pub configured: bool,
    pub share: String,
    /// Copy folder on the backup's own disk.
    pub copy_folder: String,
    pub mode: SecondaryMode,
    /// Minutes between runs of the backup, copy and restore jobs.
    pub interval_minutes: u32,
    /// Whether the jobs' schedules run by themselves on the lab's clock.
    pub jobs_enabled: bool,
    /// Finished log backups on the share, oldest first numbered from 1.
    pub log_backups: u32,
    /// The newest so many are not in the copy folder.
    pub not_copied: u32,
    /// The newest so many are not restored (those not copied included).
    pub not_restored: u32,
    pub unfinished_newest: UnfinishedFile,
    /// Numbers of log backups that are nowhere to be found.
    pub missing: Vec<u32>,
    /// Numbers of log backups whose file on the share is damaged.
    pub damaged: Vec<u32>,
    /// Minutes (lab time) between the newest finished log backup and the start of the lab.
    pub newest_age_minutes: f64,
    /// Starting point of the LSNs, as SQL Server prints them (numeric(25,0)); the default lies beyond 63 bits.
    pub first_lsn: String,
    pub log_backup_kilobytes: u32,
    pub full_backup_kilobytes: u32,
    /// Name of the monitor instance; the secondary monitors itself when absent.
    pub monitor: Option<String>,
    /// Whether the primary's mirror is set up as log shipping primary too.
    pub mirror_ships_too: bool,
}

/// Clients that read a STANDBY copy and come back whenever they are thrown out.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReaderSettings {
    pub count: u32,
    /// Instance they read from (`B\RTC`).
    pub instance: String,
    pub reconnect_milliseconds: u64,
}

/// Rates in MiB a second of real time; 0 means no limit.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RateSettings {
    pub restore_mib_per_second: f64,
    pub backup_mib_per_second: f64,
    /// The copy job's link between the sites.
    pub copy_mib_per_second: f64,
    /// Milliseconds (real time) that ending a session takes to roll back.
    pub rollback_milliseconds: u64,
    /// Milliseconds (real time) that a mirror takes to catch up: SYNCHRONIZING until then.
    pub mirror_catch_up_milliseconds: u64,
}

/// A fault by name. `args` is whatever the fault documents.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultSettings {
    pub name: String,
    #[serde(default)]
    pub args: Value,
}

/// Why a scenario could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    #[error("scenario {0}: {1}")]
    Unreadable(String, std::io::Error),
    #[error("scenario {0}: {1}")]
    Malformed(String, serde_json::Error),
    #[error("there is no scenario named {0}; `pchat-lab scenarios` lists them")]
    Unknown(String),
    #[error("scenario {0}: {1}")]
    Inconsistent(String, String),
}

impl Scenario {
    /// Reads a scenario from its JSON text. `origin` names it in errors.
    pub fn parse(text: &str, origin: &str) -> Result<Scenario, ScenarioError> {
        let text = text.trim_start_matches('\u{feff}');
        let scenario: Scenario = serde_json::from_str(text).map_err(|e| ScenarioError::Malformed(origin.into(), e))?;
        scenario.check().map_err(|e| ScenarioError::Inconsistent(origin.into(), e))?;
        Ok(scenario)
    }

    /// Reads a scenario file, or a named scenario when there is no such file.
    pub fn load(file_or_name: &str) -> Result<Scenario, ScenarioError> {
        let path = Path::new(file_or_name);
        if path.is_file() {
            let text = std::fs::read_to_string(path).map_err(|e| ScenarioError::Unreadable(file_or_name.into(), e))?;
            return Scenario::parse(&text, file_or_name);
        }
        Scenario::named(file_or_name)
    }

    /// One of the scenarios that come with the lab.
    pub fn named(name: &str) -> Result<Scenario, ScenarioError> {
        let found = named(name).ok_or_else(|| ScenarioError::Unknown(name.into()))?;
        Scenario::parse(found.text, name)
    }

    /// The instance with this role, if the scenario has one.
    pub fn instance(&self, role: InstanceRole) -> Option<&InstanceSettings> {
        self.instances.iter().find(|i| i.role == role)
    }

    /// The host of this name or FQDN, without regard to case.
    pub fn host(&self, name: &str) -> Option<&HostSettings> {
        self.hosts.iter().find(|h| h.name.eq_ignore_ascii_case(name) || h.fqdn.eq_ignore_ascii_case(name))
    }

    /// Hosts that are dead when the lab starts.
    pub fn dead_hosts(&self) -> Vec<&HostSettings> {
        self.hosts
            .iter()
            .filter(|h| {
                self.primary_site_lost && h.site == HOME_SITE
                    || self.hosts_lost.iter().any(|n| n.eq_ignore_ascii_case(&h.name))
            })
            .collect()
    }

    fn check(&self) -> Result<(), String> {
        for instance in &self.instances {
            if self.host(&instance.host).is_none() {
                return Err(format!("instance {} stands on an unknown host", instance.full_name()));
            }
        }
        for share in &self.shares {
            if self.host(&share.host).is_none() {
                return Err(format!("share \\\\{}\\{} stands on an unknown host", share.host, share.name));
            }
        }
        for name in self.hosts_lost.iter().chain(&self.hosts_unreachable) {
            if self.host(name).is_none() {
                return Err(format!("host {name} is not in `hosts`"));
            }
        }
        let shipping = &self.log_shipping;
        if shipping.not_copied > shipping.not_restored || shipping.not_restored > shipping.log_backups {
            return Err(format!(
                "log_shipping: {} log backups, {} not restored, {} not copied; each must contain the next",
                shipping.log_backups, shipping.not_restored, shipping.not_copied
            ));
        }
        if !(self.clock.rate.is_finite() && self.clock.rate > 0.0) {
            return Err(format!("clock.rate is {}; it must be above 0", self.clock.rate));
        }
        self.pool.check()
    }
}

#[cfg(test)]
mod tests;
