//! A lab from a scenario: hosts and folders, instances, the chat database with its log backups, log shipping, mirrors.

use super::agent::{Agent, Schedule};
use super::build_chat::Builder;
use super::clock::Clock;
use super::compliance::Compliance;
use super::disk::{Drive, Host};
use super::error::LabError;
use super::history::History;
use super::lsn::Lsn;
use super::model::{DataFile, Database, Fork, Instance, LoginEntry, Model, Random, Reach, Version, World};
use super::session::{ClientInfo, Ended, SessionEntry};
use super::shipping::ShippingTables;
use crate::scenario::{LoginSettings, Scenario};
use chrono::{DateTime, Duration, Timelike, Utc};
use std::collections::{BTreeMap, HashSet};
use std::net::{Ipv4Addr, UdpSocket};
use std::path::Path;
use std::sync::Arc;

/// Windows accounts that are logins everywhere; the second column says sysadmin.
const ACCOUNTS: [(&str, bool); 4] = [
    ("CONTOSO\\sqlservice", true),
    ("CONTOSO\\sqlagent", true),
    ("CONTOSO\\pchat", false),
    ("CONTOSO\\RTCUniversalServerAdmins", false),
];

/// The services' group, a user of the chat databases.
pub const SERVICE_GROUP: &str = "CONTOSO\\RTCUniversalServerAdmins";

/// Last byte of the address that a lab holds to keep its network to itself; no host has it.
const CLAIM_HOST: u8 = 254;
/// The UDP port held there.
const CLAIM_PORT: u16 = 1433;

/// Builds the state and writes the files.
///
/// # Errors
/// `Io`, and `Scenario` for what does not fit together.
pub fn build(scenario: &Scenario, root: &Path, clock: Arc<Clock>) -> Result<World, LabError> {
    let (network, network_claim) = claimed_network();
    let mut hosts = Vec::new();
    for (index, host) in scenario.hosts.iter().enumerate() {
        let folder = root.join("hosts").join(&host.name);
        for drive in ["C", "E"] {
            std::fs::create_dir_all(folder.join(drive))?;
        }
        hosts.push(Host {
            name: host.name.clone(),
            fqdn: host.fqdn.clone(),
            site: host.site.clone(),
            address: Ipv4Addr::new(127, network.0, network.1, index as u8 + 1),
            folder,
            drives: ['C', 'E'].map(|letter| Drive { letter, total_bytes: 500 << 30, free_bytes: 200 << 30 }).to_vec(),
            lost: false,
        });
    }
    let started = clock.now();
    let mut world = World {
        clock,
        random: Random(scenario.seed.wrapping_mul(0x5851_F42D_4C95_7F2D)),
        hosts,
        shares: scenario.shares.clone(),
        rights: scenario.rights.clone(),
        instances: Vec::new(),
        rates: scenario.rates.clone(),
        faults: Vec::new(),
        effects: Vec::new(),
        unknown: Vec::new(),
        entries: Vec::new(),
        recording: None,
        chat_database: scenario.chat.database.clone(),
        newest_message: 0,
        messages_per_second: scenario.chat.messages_per_second,
        messages_due: (0.0, started),
        served: None,
        compliance: Compliance::new(scenario.chat.compliance_database.clone(), scenario.pool.compliance.clone()),
        alerts: Vec::new(),
        failed_jobs: Vec::new(),
        utc_offset_minutes: 60,
        death: None,
        full_backup_after_recovery: false,
        being_written: HashSet::new(),
        log_backup_bytes: u64::from(scenario.log_shipping.log_backup_kilobytes) * 1024,
        full_backup_bytes: u64::from(scenario.log_shipping.full_backup_kilobytes) * 1024,
        client_maps: scenario.client_maps.clone(),
        shown_logins: scenario.logins.iter().map(|l| l.name.clone()).collect(),
        last_files: LastFiles::default(),
        network_claim,
    };
    for share in &scenario.shares {
        if let Some(host) = world.find_host(&share.host) {
            std::fs::create_dir_all(world.hosts[host].folder.join(&share.name))?;
        }
    }
    for map in &scenario.client_maps {
        if let Some(real) = world.find_host(&map.host).and_then(|h| world.real_path(h, &map.path)) {
            std::fs::create_dir_all(real)?;
        }
    }
    for settings in &scenario.instances {
        let instance = instance(&mut world, scenario, settings)?;
        world.instances.push(instance);
    }
    for index in 0..world.instances.len() {
        system_databases(&mut world, index)?;
    }
    let mut builder = Builder { world: &mut world, scenario };
    builder.chat()?;
    builder.compliance()?;
    builder.log_shipping();
    for fault in &scenario.faults {
        let fault = crate::faults::Fault::from_settings(fault).map_err(LabError::Scenario)?;
        world.faults.push(fault);
    }
    world.effects.clear();
    Ok(world)
}

/// Two address bytes that no other lab of this machine has for as long as the socket lives; without a claim on a machine
/// that lets nobody bind such an address.
fn claimed_network() -> ((u8, u8), Option<UdpSocket>) {
    let random = || {
        let bytes = uuid::Uuid::new_v4();
        (bytes.as_bytes()[0] % 240 + 10, bytes.as_bytes()[1])
    };
    let claimed = |pair| Some((pair, Some(claim(pair)?)));
    std::iter::repeat_with(random).take(64).find_map(claimed).unwrap_or_else(|| (random(), None))
}

fn claim((x, y): (u8, u8)) -> Option<UdpSocket> {
    UdpSocket::bind((Ipv4Addr::new(127, x, y, CLAIM_HOST), CLAIM_PORT)).ok()
}

fn instance(
    world: &mut World,
    scenario: &Scenario,
    settings: &crate::scenario::InstanceSettings,
) -> Result<Instance, LabError> {
    let name = settings.full_name();
    let host = world
        .find_host(&settings.host)
        .ok_or_else(|| LabError::Scenario(format!("instance {name} stands on an unknown host")))?;
    let version = Version::by_year(&settings.version)
        .ok_or_else(|| LabError::Scenario(format!("instance {name}: unknown version {}", settings.version)))?;
    let mut logins: Vec<LoginEntry> = Vec::new();
    let mut all: Vec<(LoginSettings, bool)> = scenario.logins.iter().map(|l| (l.clone(), false)).collect();
    if !all.iter().any(|(l, _)| l.name == "sa") {
        let password = world.random.guid().to_string();
        all.push((LoginSettings { name: "sa".into(), password, sysadmin: true }, false));
    }
    all.extend(ACCOUNTS.iter().map(|(name, sysadmin)| {
        let settings = LoginSettings { name: (*name).into(), password: String::new(), sysadmin: *sysadmin };
        (settings, true)
    }));
    for (index, (settings, windows)) in all.into_iter().enumerate() {
        let sid = login_sid(&settings.name, windows, &mut world.random);
        logins.push(LoginEntry { settings, id: 257 + index as i32, sid, windows });
    }
    let now = world.clock.now();
    let mut sessions = BTreeMap::new();
    for (id, command) in
        [(1, "RESOURCE MONITOR"), (4, "LAZY WRITER"), (5, "LOG WRITER"), (9, "TASK MANAGER"), (11, "CHECKPOINT")]
    {
        sessions.insert(id, system_session(command, now));
    }
    Ok(Instance {
        name,
        role: settings.role,
        host,
        short_name: settings.name.clone(),
        version,
        edition: "Standard Edition (64-bit)".into(),
        language: if super::connection::is_french(&settings.language) {
            "Français".into()
        } else {
            settings.language.clone()
        },
        collation: settings.collation.clone(),
        encryption: settings.encryption.clone(),
        reach: Reach::Up,
        agent_running: settings.agent_running,
        started_at: now - Duration::days(30),
        port: 0,
        mirroring_port: 5022,
        logins,
        databases: Vec::new(),
        sessions,
        app_locks: Vec::new(),
        agent: Agent::default(),
        shipping: ShippingTables::default(),
        history: History::default(),
    })
}

/// The sid of a login: the same everywhere for a Windows account, another on each instance for a SQL login.
fn login_sid(name: &str, windows: bool, random: &mut Random) -> Vec<u8> {
    if name == "sa" {
        return vec![1];
    }
    if windows {
        let mut sid = vec![1, 5, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0];
        let sum = name.to_lowercase().bytes().fold(17u64, |s, b| s.wrapping_mul(31).wrapping_add(b.into()));
        sid.extend_from_slice(&sum.to_le_bytes());
        sid.extend_from_slice(&[1, 2, 3, 4, 80, 4, 0, 0]);
        return sid;
    }
    random.guid().as_bytes().to_vec()
}

fn system_session(command: &str, now: DateTime<Utc>) -> SessionEntry {
    SessionEntry {
        client: ClientInfo { login: "sa".into(), program: command.into(), ..ClientInfo::default() },
        login_time: now,
        last_batch: now,
        database: 1,
        request: None,
        transactions: 0,
        ended: Arc::new(Ended::default()),
        rollback: None,
        user_process: false,
        language: "us_english".into(),
        lock_timeout: -1,
        sysadmin: true,
        view_all: true,
        closer: None,
        caught: None,
    }
}

impl Instance {
    /// `C:\Program Files\Microsoft SQL Server\MSSQL11.RTC\MSSQL`.
    pub fn root_folder(&self) -> String {
        let version = match self.version.major {
            ..=10 => "MSSQL10_50".to_owned(),
            major => format!("MSSQL{major}"),
        };
        let short = self.short_name.as_deref().unwrap_or("MSSQLSERVER");
        format!("C:\\Program Files\\Microsoft SQL Server\\{version}.{short}\\MSSQL")
    }

    /// Folder of backups whose path is not absolute.
    pub fn backup_folder(&self) -> String {
        format!("{}\\Backup", self.root_folder())
    }

    /// Folder of new data files.
    pub fn data_folder(&self) -> String {
        format!("{}\\DATA", self.root_folder())
    }
}

impl World {
    /// Makes a Windows account a login where it is not one yet.
    pub fn ensure_login(&mut self, instance: usize, name: &str) {
        if self.instances[instance].login(name).is_some() {
            return;
        }
        let sid = login_sid(name, true, &mut self.random);
        let settings = LoginSettings { name: name.to_owned(), password: String::new(), sysadmin: false };
        let inst = &mut self.instances[instance];
        let id = 257 + inst.logins.len() as i32;
        inst.logins.push(LoginEntry { settings, id, sid, windows: true });
    }

    pub(super) fn new_files(&mut self, instance: usize, name: &str, bytes: u64) -> Vec<DataFile> {
        let folder = self.instances[instance].data_folder();
        [("", "mdf", false), ("_log", "ldf", true)]
            .into_iter()
            .enumerate()
            .map(|(index, (suffix, extension, is_log))| DataFile {
                id: index as i32 + 1,
                guid: self.random.guid(),
                logical: format!("{name}{suffix}"),
                physical: format!("{folder}\\{name}{suffix}.{extension}"),
                is_log,
                size_bytes: bytes,
            })
            .collect()
    }
}

fn system_databases(world: &mut World, index: usize) -> Result<(), LabError> {
    let host = world.instances[index].host;
    for folder in [world.instances[index].data_folder(), world.instances[index].backup_folder()] {
        if let Some(real) = world.real_path(host, &folder) {
            std::fs::create_dir_all(real)?;
        }
    }
    let created = world.local_now() - Duration::days(400);
    for (id, name) in [(1, "master"), (2, "tempdb"), (3, "model"), (4, "msdb")] {
        let version = world.instances[index].version;
        let mut database = Database::blank(id, name, "sa", created, version);
        database.collation = world.instances[index].collation.clone();
        database.system = true;
        database.model = if name == "model" { Model::Full } else { Model::Simple };
        database.guid = world.random.guid();
        database.family = database.guid;
        database.forks = vec![Fork { id: world.random.guid(), start: Lsn::default() }];
        database.files = world.new_files(index, name, 8 << 20);
        world.place_files(index, &database.files);
        world.instances[index].databases.push(database);
    }
    Ok(())
}

/// The newest file of each kind, for the log shipping tables.
#[derive(Clone, Debug, Default)]
pub struct LastFiles {
    pub backup: Option<(String, DateTime<Utc>)>,
    pub copied: Option<(String, DateTime<Utc>)>,
    pub restored: Option<(String, DateTime<Utc>)>,
}

/// A schedule that is due every `minutes` around the clock, first one period from `now` on.
pub fn every(minutes: u32, name: &str, enabled: bool, world: &mut World, id: i32) -> Schedule {
    let now = world.local_now();
    let period = minutes.clamp(1, 1440) * 60;
    let first = now.date().and_time(chrono::NaiveTime::MIN)
        + Duration::seconds((now.num_seconds_from_midnight() % period).into());
    Schedule {
        id,
        uid: world.random.guid(),
        name: name.to_owned(),
        enabled,
        freq_type: 4,
        freq_interval: 1,
        freq_subday_type: 4,
        freq_subday_interval: minutes.max(1) as i32,
        freq_relative_interval: 0,
        freq_recurrence_factor: 0,
        active_start_date: super::agent::yyyymmdd(now),
        active_end_date: 99_991_231,
        active_start_time: super::agent::hhmmss(first),
        active_end_time: 235_959,
        owner: "sa".into(),
        created: now,
        modified: now,
    }
}

/// Turns one bit in the middle of a file.
///
/// # Errors
/// The operating system's.
pub fn flip_bit(path: &Path) -> std::io::Result<()> {
    let mut bytes = std::fs::read(path)?;
    let middle = bytes.len() * 3 / 4;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 1;
    }
    std::fs::write(path, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_belongs_to_one_lab_at_a_time() {
        let (pair, held) = claimed_network();
        assert!(held.is_some());
        assert!(claim(pair).is_none(), "taken twice");
        drop(held);
        assert!(claim(pair).is_some(), "free again");
    }
}
