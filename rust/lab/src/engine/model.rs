//! The state of one lab: hosts, instances, databases, sessions, faults. One lock guards all of it.

use super::agent::Agent;
use super::alerts::Alert;
use super::build::LastFiles;
use super::clock::Clock;
use super::compliance::Compliance;
use super::disk::Host;
use super::history::History;
use super::lsn::Lsn;
use super::session::SessionEntry;
use super::shipping::ShippingTables;
use crate::faults::Fault;
use crate::scenario::{ClientMapSettings, InstanceRole, LoginSettings, RateSettings, RightSettings, ShareSettings};
use chrono::{DateTime, NaiveDateTime, Utc};
use serde::Serialize;
use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use uuid::Uuid;

/// A product version, and what depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    pub major: u8,
    pub minor: u8,
    pub build: u16,
    pub revision: u16,
}

impl Version {
    /// By year, as scenarios name it.
    pub fn by_year(year: &str) -> Option<Self> {
        let (major, minor, build, revision) = match year {
            "2008R2" | "2008 R2" => (10, 50, 6000, 34),
            "2012" => (11, 0, 7001, 0),
            "2014" => (12, 0, 6024, 0),
            "2016" => (13, 0, 5026, 0),
            "2017" => (14, 0, 3456, 2),
            "2019" => (15, 0, 4153, 1),
            "2022" => (16, 0, 4085, 2),
            _ => return None,
        };
        Some(Version { major, minor, build, revision })
    }

    /// `10.50.6000.34`.
    pub fn text(self) -> String {
        format!("{}.{:02}.{}.{}", self.major, self.minor, self.build, self.revision).replace(".00.", ".0.")
    }

    /// Internal version of databases on this server.
    pub fn database_version(self) -> i32 {
        match self.major {
            ..=10 => 661,
            11 => 706,
            12 => 782,
            13 => 852,
            14 => 869,
            15 => 904,
            _ => 957,
        }
    }

    /// Compatibility level of new databases.
    pub fn compatibility(self) -> u8 {
        if self.major <= 10 {
            100
        } else {
            self.major * 10
        }
    }

    /// Name of the product in `@@VERSION`.
    pub fn product(self) -> &'static str {
        match self.major {
            ..=10 => "2008 R2 (SP3)",
            11 => "2012 (SP4)",
            12 => "2014 (SP3)",
            13 => "2016 (SP2)",
            14 => "2017 (RTM)",
            15 => "2019 (RTM)",
            _ => "2022 (RTM)",
        }
    }
}

/// Everything in one lab.
pub struct World {
    pub clock: Arc<Clock>,
    pub random: Random,
    pub hosts: Vec<Host>,
    pub shares: Vec<ShareSettings>,
    pub rights: Vec<RightSettings>,
    pub instances: Vec<Instance>,
    pub rates: RateSettings,
    pub faults: Vec<Fault>,
    pub effects: Vec<Effect>,
    pub unknown: Vec<UnknownStatement>,
    pub entries: Vec<ClientEntry>,
    /// What clients send, once somebody asked for it.
    pub recording: Option<super::recording::Recording>,
    /// The chat database's name.
    pub chat_database: String,
    /// Number of the newest message written anywhere.
    pub newest_message: u64,
    /// Messages a second while users are in.
    pub messages_per_second: f64,
    /// The share of a message that is due, and up to when messages were written.
    pub messages_due: (f64, DateTime<Utc>),
    /// Instances through which users are served; `None` without a Lync side, then wherever the chat database is open.
    pub served: Option<Vec<usize>>,
    pub compliance: Compliance,
    /// Alerts that log shipping raised: when, where, 14420 or 14421, and the text.
    pub alerts: Vec<Alert>,
    /// Job runs that failed, also of jobs that are gone.
    pub failed_jobs: Vec<FailedJob>,
    pub utc_offset_minutes: i32,
    /// What the primary held when its site died.
    pub death: Option<Death>,
    pub full_backup_after_recovery: bool,
    /// Real paths of files that a BACKUP is writing: sharing violation for everybody else.
    pub being_written: HashSet<PathBuf>,
    pub log_backup_bytes: u64,
    pub full_backup_bytes: u64,
    /// Folders of servers that the client sees.
    pub client_maps: Vec<ClientMapSettings>,
    /// Logins that `describe` tells.
    pub shown_logins: Vec<String>,
    /// Newest files of the built log shipping.
    pub last_files: LastFiles,
    /// Keeps other labs off this one's addresses.
    pub network_claim: Option<std::net::UdpSocket>,
}

/// What happened to the primary's site, and what was in its database then.
#[derive(Clone, Debug, Serialize)]
pub struct Death {
    pub at_utc: DateTime<Utc>,
    pub messages: Vec<u64>,
    /// End of the log of the database that died.
    pub log_end: Lsn,
}

/// One change, in order. Reads are not effects.
#[derive(Clone, Debug, Serialize)]
pub struct Effect {
    pub sequence: u64,
    pub at_utc: DateTime<Utc>,
    pub instance: String,
    /// A stable word: `database_state`, `file_written`, `job_enabled`, ...
    pub kind: String,
    pub detail: String,
    /// Program of the session that caused it, or the lab's own part.
    pub by: String,
}

/// A job run that failed.
#[derive(Clone, Debug, Serialize)]
pub struct FailedJob {
    pub at_utc: DateTime<Utc>,
    pub instance: String,
    pub job: String,
    pub message: String,
}

/// T-SQL that no part of the lab knows.
#[derive(Clone, Debug, Serialize)]
pub struct UnknownStatement {
    pub at_utc: DateTime<Utc>,
    pub instance: String,
    pub text: String,
    pub error: String,
}

/// A client session that a database let in.
#[derive(Clone, Debug, Serialize)]
pub struct ClientEntry {
    pub at_utc: DateTime<Utc>,
    pub instance: String,
    pub database: String,
    pub program: String,
}

/// Small repeatable random numbers (splitmix64).
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    /// The next 64 bits.
    pub fn next_bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A GUID of version 4.
    pub fn guid(&mut self) -> Uuid {
        let (high, low) = (self.next_bits(), self.next_bits());
        uuid::Builder::from_random_bytes(((u128::from(high) << 64) | u128::from(low)).to_be_bytes()).into_uuid()
    }
}

/// Whether the network reaches an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    Up,
    /// Connections are refused; the instance does not run.
    Down,
    /// Connections are taken and never answered; the instance does not run.
    Silent,
    /// It runs, other instances reach it, clients do not.
    HiddenFromClients,
}

/// A login.
#[derive(Clone, Debug)]
pub struct LoginEntry {
    pub settings: LoginSettings,
    pub id: i32,
    pub sid: Vec<u8>,
    /// Windows account: known, but not for SQL authentication.
    pub windows: bool,
}

/// One simulated instance.
pub struct Instance {
    pub name: String,
    pub role: InstanceRole,
    pub host: usize,
    /// `None` for the default instance.
    pub short_name: Option<String>,
    pub version: Version,
    pub edition: String,
    pub language: String,
    pub collation: String,
    pub encryption: String,
    pub reach: Reach,
    pub agent_running: bool,
    pub started_at: DateTime<Utc>,
    pub port: u16,
    pub mirroring_port: u16,
    pub logins: Vec<LoginEntry>,
    pub databases: Vec<Database>,
    pub sessions: BTreeMap<u16, SessionEntry>,
    pub app_locks: Vec<AppLock>,
    pub agent: Agent,
    pub shipping: ShippingTables,
    pub history: History,
}

/// A lock of `sp_getapplock`.
#[derive(Clone, Debug)]
pub struct AppLock {
    pub session: u16,
    pub database: u16,
    pub resource: String,
    pub mode: String,
    pub count: u32,
    pub session_owned: bool,
}

/// `sys.databases.state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Online,
    Restoring,
    Recovering,
    RecoveryPending,
    Suspect,
    Offline,
}

impl State {
    /// Number and name as `sys.databases` has them.
    pub fn number_and_name(self) -> (u8, &'static str) {
        match self {
            State::Online => (0, "ONLINE"),
            State::Restoring => (1, "RESTORING"),
            State::Recovering => (2, "RECOVERING"),
            State::RecoveryPending => (3, "RECOVERY_PENDING"),
            State::Suspect => (4, "SUSPECT"),
            State::Offline => (6, "OFFLINE"),
        }
    }
}

/// `sys.databases.user_access`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    Multi,
    Single,
    Restricted,
}

/// `sys.databases.recovery_model`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Model {
    Full,
    BulkLogged,
    Simple,
}

/// A recovery fork and where it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Fork {
    pub id: Uuid,
    pub start: Lsn,
}

/// A message and the log record that wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Record {
    pub lsn: Lsn,
    pub message: u64,
}

/// A file of a database.
#[derive(Clone, Debug, PartialEq, Serialize, serde::Deserialize)]
pub struct DataFile {
    pub id: i32,
    pub guid: Uuid,
    pub logical: String,
    pub physical: String,
    pub is_log: bool,
    pub size_bytes: u64,
}

/// A user of a database.
#[derive(Clone, Debug, PartialEq, Serialize, serde::Deserialize)]
pub struct User {
    pub name: String,
    pub id: i32,
    pub sid: Vec<u8>,
    /// S: SQL login, U: Windows account, R: role.
    pub kind: char,
}

/// `sys.database_mirroring`, as far as it is simulated.
#[derive(Clone, Debug, Serialize)]
pub struct Mirroring {
    pub guid: Uuid,
    pub principal: bool,
    pub partner: usize,
    pub partner_address: String,
    pub safety_full: bool,
    pub suspended: bool,
    pub role_sequence: i32,
    pub timeout_seconds: i32,
    /// Only this side knows of it so far (SET PARTNER on the mirror, awaiting the principal).
    pub waiting: bool,
    /// On the principal: everything has reached the mirror.
    pub caught_up: bool,
    /// On the principal: since when the mirror catches up, in real milliseconds of the lab.
    pub catching_up_since: Option<u64>,
}

impl Mirroring {
    /// One half of a new session.
    pub fn new(guid: Uuid, principal: bool, partner: usize, address: String) -> Self {
        Mirroring {
            guid,
            principal,
            partner,
            partner_address: address,
            safety_full: true,
            suspended: false,
            role_sequence: 1,
            timeout_seconds: 10,
            waiting: false,
            caught_up: false,
            catching_up_since: None,
        }
    }

    /// From here on the mirror has to catch up again.
    pub fn fall_behind(&mut self) {
        self.caught_up = false;
        self.catching_up_since = None;
    }
}

/// A database.
#[derive(Clone, Debug)]
pub struct Database {
    pub id: u16,
    pub name: String,
    pub family: Uuid,
    pub guid: Uuid,
    pub created: NaiveDateTime,
    pub owner: String,
    pub collation: String,
    pub compatibility: u8,
    pub internal_version: i32,
    pub state: State,
    pub read_only: bool,
    /// Undo file of STANDBY.
    pub standby: Option<String>,
    pub access: Access,
    /// Session that owns the only seat of SINGLE_USER.
    pub single_user: Option<u16>,
    pub model: Model,
    pub broker: bool,
    pub trustworthy: bool,
    pub chaining: bool,
    pub auto_close: bool,
    pub forks: Vec<Fork>,
    pub records: Vec<Record>,
    /// Where the next log record goes; the redo point while RESTORING or STANDBY.
    pub log_end: Lsn,
    /// Start of the log that no log backup holds yet.
    pub log_backup_start: Lsn,
    /// Begin of the last full backup; `None`: no log backup is possible.
    pub full_backup: Option<Lsn>,
    pub begins_chain: bool,
    pub log_used_bytes: u64,
    /// At least one log backup was restored after the full one.
    pub log_restored: bool,
    /// Set of the interrupted RESTORE: error 4319 for any other.
    pub interrupted: Option<(Uuid, String)>,
    /// A RESTORE or BACKUP works on it: session and whether it excludes everybody.
    pub busy: Option<(u16, bool)>,
    pub mirroring: Option<Mirroring>,
    pub files: Vec<DataFile>,
    pub users: Vec<User>,
    /// Rows of the chat tables exist (the chat database, not `mgccomp` or a fresh one).
    pub chat: bool,
    pub system: bool,
}

impl Database {
    /// Readable copy between restores.
    pub fn is_standby(&self) -> bool {
        self.state == State::Online && self.standby.is_some()
    }

    /// Online for good, neither STANDBY nor recovering.
    pub fn is_recovered(&self) -> bool {
        self.state == State::Online && self.standby.is_none()
    }

    /// Where the next log backup has to fit; `None` unless RESTORING or STANDBY.
    pub fn redo(&self) -> Option<(Lsn, Uuid)> {
        let restoring = matches!(self.state, State::Restoring | State::RecoveryPending) || self.is_standby();
        restoring.then(|| (self.log_end, self.fork_at(self.log_end)))
    }

    /// Fork of the log at `lsn`; a fork point itself counts to the newer one.
    pub fn fork_at(&self, lsn: Lsn) -> Uuid {
        let found = self.forks.iter().rev().find(|f| f.start <= lsn);
        found.or(self.forks.first()).map_or(Uuid::nil(), |f| f.id)
    }

    /// Numbers of the messages it holds.
    pub fn messages(&self) -> Vec<u64> {
        self.records.iter().map(|r| r.message).collect()
    }

    /// Mirror side of a pair.
    pub fn is_mirror_copy(&self) -> bool {
        self.mirroring.as_ref().is_some_and(|m| !m.principal)
    }
}

impl World {
    /// Index of an instance, by `HOST\NAME`, `HOST`, or the same with the host's FQDN.
    pub fn find_instance(&self, name: &str) -> Option<usize> {
        let (host, short) = name.split_once('\\').unwrap_or((name, ""));
        self.instances.iter().position(|i| {
            let on = &self.hosts[i.host];
            let same_host = on.name.eq_ignore_ascii_case(host) || on.fqdn.eq_ignore_ascii_case(host);
            same_host && i.short_name.as_deref().unwrap_or("").eq_ignore_ascii_case(short)
        })
    }

    /// Index of a host by name or FQDN.
    pub fn find_host(&self, name: &str) -> Option<usize> {
        self.hosts.iter().position(|h| h.name.eq_ignore_ascii_case(name) || h.fqdn.eq_ignore_ascii_case(name))
    }
}

impl Instance {
    /// True when object and login names compare by code point.
    pub fn is_binary(&self) -> bool {
        self.collation.contains("_BIN")
    }

    /// Compares names as this instance's collation does.
    pub fn same(&self, left: &str, right: &str) -> bool {
        if self.is_binary() {
            left == right
        } else {
            left.to_lowercase() == right.to_lowercase()
        }
    }

    /// Index of a database by name.
    pub fn find_database(&self, name: &str) -> Option<usize> {
        self.databases.iter().position(|d| self.same(&d.name, name) || (d.system && d.name.eq_ignore_ascii_case(name)))
    }

    /// A database by name.
    pub fn database(&self, name: &str) -> Option<&Database> {
        self.find_database(name).map(|i| &self.databases[i])
    }

    /// A login by name.
    pub fn login(&self, name: &str) -> Option<&LoginEntry> {
        self.logins.iter().find(|l| self.same(&l.settings.name, name))
    }
}
