//! What a scenario says about the Lync side: servers, stores, replication, and how the native commands behave where the
//! public pages leave it open.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Which product the native commands speak for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Dialect {
    #[default]
    Lync2013,
    Sfb2015,
}

/// `PoolState` of the Persistent Chat pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum PoolState {
    #[default]
    Normal,
    FailedOver,
}

impl PoolState {
    /// The word as the cmdlets print it.
    pub fn word(self) -> &'static str {
        match self {
            PoolState::Normal => "Normal",
            PoolState::FailedOver => "FailedOver",
        }
    }
}

/// The whole Lync side of a scenario.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PoolSettings {
    pub dialect: Dialect,
    /// The Persistent Chat pool.
    pub pool_fqdn: String,
    /// Display name of the one Lync site that the stretched pool belongs to.
    pub site: String,
    pub state: PoolState,
    pub servers: Vec<ServerSettings>,
    pub front_end_pools: Vec<FrontEndPoolSettings>,
    /// Machine that the shell runs on: its replica answers `-LocalStore`, its services lack `-ComputerName`.
    pub shell_host: String,
    /// FQDN of the file server behind the Lync file store.
    pub file_store: String,
    pub stores: StoreSettings,
    pub chat_database: String,
    /// The compliance database, when compliance is on.
    pub compliance_database: Option<String>,
    pub cms: CmsSettings,
    pub replication: ReplicationSettings,
    pub services: ServiceSettings,
    pub mirror: MirrorSettings,
    pub native: NativeSettings,
    pub backup_service: BackupServiceSettings,
    pub compliance: ComplianceSettings,
    pub faults: Vec<PoolFault>,
}

/// A Persistent Chat server.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerSettings {
    pub fqdn: String,
    /// Data centre; servers of `home` die with the primary's site.
    pub site: String,
    #[serde(default)]
    pub active: bool,
}

/// A Front End pool with its partner for the backup service.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrontEndPoolSettings {
    pub fqdn: String,
    pub site: String,
    pub servers: Vec<String>,
    #[serde(default)]
    pub partner: Option<String>,
    /// Where its meeting content lies; its topology shows no path where it is absent.
    #[serde(default)]
    pub file_share: Option<String>,
    /// Whether its health monitoring configuration names two test users.
    #[serde(default)]
    pub test_users: bool,
}

/// A SQL store of the topology.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Store {
    pub fqdn: String,
    /// Instance as the engine names it, `P\RTC`.
    pub instance: String,
}

impl Store {
    fn new(fqdn: &str, instance: &str) -> Self {
        Store { fqdn: fqdn.into(), instance: instance.into() }
    }

    /// The part after the backslash, empty for a default instance.
    pub fn instance_name(&self) -> &str {
        self.instance.split_once('\\').map_or("", |(_, name)| name)
    }
}

/// Stores of the pool. The compliance database shares the instances of the chat database.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreSettings {
    pub primary: Store,
    pub primary_mirror: Option<Store>,
    pub backup: Option<Store>,
    pub backup_mirror: Option<Store>,
}

/// The Central Management store.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CmsSettings {
    /// Front End that is the active master; the store dies with it.
    pub master: String,
    /// Front End that takes over at `Invoke-CsManagementServerFailover`.
    pub standby_master: String,
}

/// How a change in the Central Management store reaches the servers. All times are lab time.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReplicationSettings {
    /// `UpToDate` stays True so long after a change, though the change is not there yet.
    pub stale_milliseconds: u64,
    /// From then until the change has arrived.
    pub delay_milliseconds: u64,
    /// A forced copy arrives so long after `Invoke-CsManagementStoreReplication`.
    pub forced_milliseconds: u64,
    /// Whether an arrived change moves `LastUpdateCreation` (not stated by any page).
    pub creation_moves: bool,
    /// Whether a Set that changes nothing is a change all the same (not stated by any page).
    pub unchanged_set_replicates: bool,
}

/// The Windows services of the Persistent Chat servers. Times are real time.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServiceSettings {
    /// The names are not published; a scenario may choose others.
    pub channel_name: String,
    pub compliance_name: String,
    pub reconnect_milliseconds: u64,
    pub stop_milliseconds: u64,
    /// A server taken off the active list drops its sessions (failback page) instead of keeping them (cmdlet help).
    pub delisted_servers_disconnect: bool,
    /// Services of servers that are not on the active list connect too.
    pub inactive_servers_connect: bool,
}

/// `Install-CsMirrorDatabase`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MirrorSettings {
    /// Lab time that the set-up of one database takes.
    pub setup_milliseconds: u64,
    /// The log backup that it takes into its own share belongs to the chain, so that log shipping then lacks it; else it
    /// is a COPY_ONLY one.
    pub takes_log_backup: bool,
    /// The mirror store of the backup is found only while the pool is FailedOver (not stated by any page).
    pub backup_pair_needs_failed_over: bool,
    pub endpoint_port: u16,
}

/// How the native commands behave where pages differ or say nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NativeSettings {
    /// Prefixes that `Get-/Set-CsPersistentChatState -Identity` accept before the pool's FQDN.
    pub state_identity_prefixes: Vec<String>,
    /// Identities of the active list; the dialect's own when empty.
    pub active_list_identities: Vec<String>,
    /// Commands that have neither `-WhatIf` nor `-Confirm` here, whatever the pages say.
    pub without_what_if: Vec<String>,
    /// `MirroringStatusOnSecondary` or `MirroringStatusOnMirror`; the dialect's own when absent.
    pub mirror_status_member: Option<String>,
    /// Module names that `Invoke-CsBackupServiceSync -BackupModule` takes: `dotted` (reference), `short` (monitoring
    /// guide), or `any`.
    pub sync_module_names: String,
    /// Forms that one page prints and the published syntax lacks, and that are installed here all the same:
    /// `Get-CsBackupServiceStatus -BackupModule`, `Invoke-CsDatabaseFailover -ExcludeDatabase`,
    /// `Invoke-CsBackupServiceSync -BypassDualWrite`, or `Get-CsPersistentChatActiveServer`.
    pub page_forms: Vec<String>,
    /// Module names that `Debug-CsInterPoolReplication -BackupModule` takes: `own`, as its help has them, or `dotted`.
    pub compare_module_names: String,
    /// `Set-CsPersistentChatState` enables and disables the servers of the pool, too, as the help of the other Set has it:
    /// FailedOver empties the active list.
    pub state_disables_servers: bool,
    /// Groups that may read the backup service's status: `RTCUniversalServerAdmins` by one page, `Schema admins` by another.
    pub status_readers: Vec<String>,
    /// Groups of the caller.
    pub caller_groups: Vec<String>,
    /// Whether the mirror commands know the types of the Persistent Chat databases; an older list has none of them.
    pub chat_database_types: bool,
    /// Show and take only what pages document: no `@{Replace=…}`, no further members of `Get-CsPool`.
    pub strict: bool,
    /// Limit on the active list in the Set itself; no page states one.
    pub active_server_limit: Option<usize>,
    /// Lab time that each command takes.
    pub command_milliseconds: u64,
}

/// Compliance events and their adapter.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ComplianceSettings {
    /// Lab time between two runs of the adapter.
    pub run_interval_seconds: u64,
    /// Events in the compliance database that the adapter has not processed when the lab starts.
    pub unprocessed: u32,
    /// Rows of unfinished file transfers (`cmplType` 9), which the adapter leaves where they are.
    pub placeholders: u32,
}

/// The Front End pools' backup service.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BackupServiceSettings {
    pub sync_interval_seconds: u64,
    /// Meetings with content on each side.
    pub meetings: u32,
    /// Front End pool whose file share lost all of it.
    pub content_lost_on: Option<String>,
    /// What a module shows after a sync, by seconds (lab time) since the call; before the first entry, what it showed before.
    pub after_sync: Vec<ModuleStep>,
    /// Other courses for single modules.
    pub modules: Vec<ModuleCourse>,
}

/// A reading of one module from some time on.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModuleStep {
    pub after_seconds: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub export: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import: Option<String>,
    /// It may pass without having been read; else it stays until a reading has shown it, however slow the reader is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub brief: bool,
}

/// The course of one module on one pool.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModuleCourse {
    pub pool_fqdn: String,
    pub module: String,
    /// Before any sync.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub export: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import: Option<String>,
    /// After a sync that was started on either pool of the pair; the general course when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_sync: Option<Vec<ModuleStep>>,
}

/// What can be wrong with the Lync side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PoolFaultName {
    /// The Central Management store does not answer.
    CmsDown,
    /// Every changing command is refused for want of rights.
    CsRightsMissing,
    /// No change reaches any replica.
    ReplicationStalled,
    /// The command named by `command` throws.
    NativeThrows,
    /// It does not come back until the fault is off.
    NativeHangs,
    /// It succeeds in silence and changes nothing.
    NativeLies,
    /// It carries out its work and then throws.
    NativeThrowsAfterwards,
    /// It is not installed.
    NativeMissing,
    /// It gives back nothing, whatever it was asked.
    NativeSilent,
    /// It asks although it was told not to, and nobody is there to answer.
    NativePrompts,
}

/// A fault of the Lync side that is on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolFault {
    pub name: PoolFaultName,
    /// Native command that is meant; every command when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

impl PoolFault {
    /// Reads a fault from its name and arguments, or tells that the pool side has no fault of that name.
    pub fn from_parts(name: &str, args: &Value) -> Option<Result<PoolFault, String>> {
        let name: PoolFaultName = serde_json::from_value(Value::String(name.into())).ok()?;
        let command = match args {
            Value::Null => None,
            Value::Object(members) => {
                if let Some(other) = members.keys().find(|k| *k != "command") {
                    return Some(Err(format!("{other} is no argument of this fault; it takes `command`")));
                }
                members.get("command").and_then(Value::as_str).map(Into::into)
            }
            _ => return Some(Err("args must be an object".into())),
        };
        Some(Ok(PoolFault { name, command }))
    }
}

impl PoolSettings {
    /// Whether the parts fit together.
    pub fn check(&self) -> Result<(), String> {
        if self.pool_fqdn.trim().is_empty() {
            return Err("pool.pool_fqdn is empty".into());
        }
        if self.servers.len() > 8 {
            return Err(format!("pool.servers has {} entries; a pool takes 8", self.servers.len()));
        }
        for (index, server) in self.servers.iter().enumerate() {
            if self.servers[..index].iter().any(|s| s.fqdn.eq_ignore_ascii_case(&server.fqdn)) {
                return Err(format!("pool.servers names {} twice", server.fqdn));
            }
        }
        for pool in &self.front_end_pools {
            if let Some(partner) = &pool.partner {
                if !self.front_end_pools.iter().any(|p| p.fqdn.eq_ignore_ascii_case(partner)) {
                    return Err(format!("pool.front_end_pools: {} has an unknown partner {partner}", pool.fqdn));
                }
            }
        }
        Ok(())
    }
}

impl Default for PoolSettings {
    fn default() -> Self {
        let server = |name: &str, site: &str, active| ServerSettings {
            fqdn: format!("{name}.contoso.com"),
            site: site.into(),
            active,
        };
        let front_end = |name: &str, site: &str, server: &str, partner: &str, share: &str| FrontEndPoolSettings {
            fqdn: format!("{name}.contoso.com"),
            site: site.into(),
            servers: vec![format!("{server}.contoso.com")],
            partner: Some(format!("{partner}.contoso.com")),
            file_share: Some(share.into()),
            test_users: false,
        };
        PoolSettings {
            dialect: Dialect::default(),
            pool_fqdn: "pchat.contoso.com".into(),
            site: "Redmond".into(),
            state: PoolState::Normal,
            servers: vec![
                server("s1", "home", true),
                server("s2", "home", true),
                server("s3", "other", false),
                server("s4", "other", false),
            ],
            front_end_pools: vec![
                front_end("pool1", "home", "fe1", "pool2", r"\\fs1\LyncPool1"),
                front_end("pool2", "other", "fe2", "pool1", r"\\fs2\LyncPool2"),
            ],
            shell_host: "fe2.contoso.com".into(),
            file_store: "fs0.contoso.com".into(),
            stores: StoreSettings::default(),
            chat_database: "mgc".into(),
            compliance_database: Some("mgccomp".into()),
            cms: CmsSettings::default(),
            replication: ReplicationSettings::default(),
            services: ServiceSettings::default(),
            mirror: MirrorSettings::default(),
            native: NativeSettings::default(),
            backup_service: BackupServiceSettings::default(),
            compliance: ComplianceSettings::default(),
            faults: Vec::new(),
        }
    }
}

impl Default for StoreSettings {
    fn default() -> Self {
        StoreSettings {
            primary: Store::new("p.contoso.com", r"P\RTC"),
            primary_mirror: Some(Store::new("pm.contoso.com", r"PM\RTC")),
            backup: Some(Store::new("b.contoso.com", r"B\RTC")),
            backup_mirror: Some(Store::new("bm.contoso.com", r"BM\RTC")),
        }
    }
}

impl Default for CmsSettings {
    fn default() -> Self {
        CmsSettings { master: "fe2.contoso.com".into(), standby_master: "fe2.contoso.com".into() }
    }
}

impl Default for ReplicationSettings {
    fn default() -> Self {
        ReplicationSettings {
            stale_milliseconds: 400,
            delay_milliseconds: 800,
            forced_milliseconds: 1500,
            creation_moves: true,
            unchanged_set_replicates: true,
        }
    }
}

impl Default for ServiceSettings {
    fn default() -> Self {
        ServiceSettings {
            channel_name: "RTCCHAT".into(),
            compliance_name: "RTCCOMPLIANCE".into(),
            reconnect_milliseconds: 100,
            stop_milliseconds: 200,
            delisted_servers_disconnect: false,
            inactive_servers_connect: false,
        }
    }
}

impl Default for MirrorSettings {
    fn default() -> Self {
        MirrorSettings {
            setup_milliseconds: 1000,
            takes_log_backup: true,
            backup_pair_needs_failed_over: true,
            endpoint_port: 5022,
        }
    }
}

impl Default for NativeSettings {
    fn default() -> Self {
        let prefixes = ["PersistentChatServer:", "service:PersistentChatServer:", "service:"];
        NativeSettings {
            state_identity_prefixes: prefixes.iter().map(|p| p.to_string()).collect(),
            active_list_identities: Vec::new(),
            without_what_if: Vec::new(),
            mirror_status_member: None,
            sync_module_names: "dotted".into(),
            page_forms: Vec::new(),
            compare_module_names: "own".into(),
            state_disables_servers: false,
            status_readers: vec!["RTCUniversalServerAdmins".into()],
            caller_groups: vec!["RTCUniversalServerAdmins".into()],
            chat_database_types: true,
            strict: false,
            active_server_limit: None,
            command_milliseconds: 0,
        }
    }
}

impl Default for ComplianceSettings {
    fn default() -> Self {
        ComplianceSettings { run_interval_seconds: 900, unprocessed: 0, placeholders: 0 }
    }
}

impl Default for BackupServiceSettings {
    fn default() -> Self {
        let step = |after_seconds, export: &str| ModuleStep {
            after_seconds,
            export: Some(export.into()),
            import: Some("NormalState".into()),
            brief: false,
        };
        BackupServiceSettings {
            sync_interval_seconds: 120,
            meetings: 250,
            content_lost_on: None,
            after_sync: vec![step(30.0, "NonSteadyState"), step(90.0, "SteadyState"), step(240.0, "FinalState")],
            modules: Vec::new(),
        }
    }
}
