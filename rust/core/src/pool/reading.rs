//! Reading what the native commands return.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{Error, ErrorKind, Result};
use crate::host::{NativeCommand, NativeOutcome, NativeState};
use crate::names::InstanceName;

/// A Persistent Chat pool as the topology has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolService {
    pub identity: String,
    pub pool_fqdn: String,
    pub site: Option<String>,
    /// 6 is Lync Server 2013, 7 Skype for Business Server 2015.
    pub version: Option<u32>,
    pub registrar: Option<String>,
    pub file_store: Option<String>,
    /// `None` where this release does not show the list.
    pub active_servers: Option<Vec<String>>,
    pub inactive_servers: Option<Vec<String>>,
    /// FQDNs of the SQL hosts, as far as the topology tells them.
    pub primary_store: Option<String>,
    pub primary_mirror_store: Option<String>,
    pub backup_store: Option<String>,
    pub backup_mirror_store: Option<String>,
    pub compliance_store: Option<String>,
    pub backup_compliance_store: Option<String>,
    pub backup_mirror_compliance_store: Option<String>,
}

/// A SQL store of the topology.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Store {
    pub sql_fqdn: String,
    pub instance: Option<String>,
}

/// The state of a pool under the identity that the shell itself uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolStateReading {
    pub identity: String,
    /// `Normal` or `FailedOver`, as the shell prints it.
    pub state: String,
}

/// How far one replica of the management store is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replica {
    pub server: String,
    pub up_to_date: bool,
    /// When the last update for this replica was made. `up_to_date` counts only where this has moved since a Set.
    pub last_update_created: Option<String>,
}

/// A Windows service of a Lync server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowsService {
    pub name: String,
    pub display_name: String,
    pub status: String,
    pub role: String,
}

impl WindowsService {
    /// True for the channel service, whatever this release calls it.
    pub fn is_persistent_chat(&self) -> bool {
        let has = |text: &str| text.to_lowercase().replace(' ', "").contains("persistentchat");
        (has(&self.display_name) || has(&self.role)) && !self.display_name.to_lowercase().contains("compliance")
    }

    /// True for the compliance service.
    pub fn is_compliance(&self) -> bool {
        let has = |text: &str, word: &str| text.to_lowercase().replace(' ', "").contains(word);
        (has(&self.display_name, "persistentchat") || has(&self.role, "persistentchat"))
            && (has(&self.display_name, "compliance") || has(&self.role, "compliance"))
    }

    pub fn is_running(&self) -> bool {
        self.status.eq_ignore_ascii_case("Running")
    }

    pub fn is_stopped(&self) -> bool {
        self.status.eq_ignore_ascii_case("Stopped")
    }
}

/// The objects of a command that completed.
///
/// # Errors
/// `NativeCommandMissing` (6001), `NativeCommandFailed` (6002), `NativeCommandStopped` (6003).
pub fn objects(command: &NativeCommand, outcome: NativeOutcome) -> Result<Vec<Map<String, Value>>> {
    let said = outcome.error.unwrap_or_default();
    let (kind, what) = match outcome.state {
        NativeState::Completed => return Ok(outcome.objects),
        NativeState::Failed => (ErrorKind::NativeCommandFailed, "failed"),
        NativeState::Stopped => (ErrorKind::NativeCommandStopped, "was stopped; what it did is unknown"),
        NativeState::Missing => (ErrorKind::NativeCommandMissing, "is not available in this shell"),
    };
    let said = said.trim().trim_end_matches('.');
    let said = if said.is_empty() { String::new() } else { format!(" It said: {said}.") };
    let next = match kind {
        ErrorKind::NativeCommandMissing => {
            "Run this in the management shell of the Lync or Skype for Business server, or import its module first."
        }
        ErrorKind::NativeCommandStopped => "Ask the pool with the Get command before doing it again.",
        _ => "Run the command by itself to see its whole error.",
    };
    Err(Error::new(kind, format!("`{}` {what}.{said}", command.as_text())).with_next(next).with_target(&command.name))
}

/// Reads the Persistent Chat pools.
pub fn read_services(objects: &[Map<String, Value>]) -> Vec<PoolService> {
    objects
        .iter()
        .map(|object| {
            let identity = text(object, "Identity").unwrap_or_default();
            let store = |name: &str| text(object, name).map(|value| fqdn_of(&value));
            PoolService {
                pool_fqdn: text(object, "PoolFqdn").unwrap_or_else(|| fqdn_of(&identity)),
                site: text(object, "SiteId").map(|value| fqdn_of(&value)),
                version: text(object, "Version").and_then(|value| value.split('.').next()?.trim().parse().ok()),
                registrar: store("Registrar"),
                file_store: store("FileStore"),
                active_servers: list(object, "ActiveServers"),
                inactive_servers: list(object, "InactiveServers"),
                primary_store: store("PersistentChatDatabase"),
                primary_mirror_store: store("MirrorPersistentChatDatabase"),
                backup_store: store("BackupPersistentChatDatabase"),
                backup_mirror_store: store("BackupMirrorPersistentChatDatabase"),
                compliance_store: store("PersistentChatComplianceDatabase"),
                backup_compliance_store: store("BackupPersistentChatComplianceDatabase"),
                backup_mirror_compliance_store: store("BackupMirrorPersistentChatComplianceDatabase"),
                identity,
            }
        })
        .collect()
}

/// The pool of a given name among several, whatever the spelling of its identity.
pub fn find_service<'a>(services: &'a [PoolService], pool_fqdn: &str) -> Option<&'a PoolService> {
    services.iter().find(|s| s.pool_fqdn.eq_ignore_ascii_case(pool_fqdn) || names_pool(&s.identity, pool_fqdn))
}

/// Reads the stores of the databases.
pub fn read_stores(objects: &[Map<String, Value>]) -> Vec<Store> {
    objects
        .iter()
        .filter_map(|object| {
            let sql_fqdn = text(object, "PoolFqdn").or_else(|| text(object, "Identity").map(|id| fqdn_of(&id)))?;
            let instance = text(object, "SqlInstanceName").filter(|name| !name.eq_ignore_ascii_case("MSSQLSERVER"));
            Some(Store { sql_fqdn, instance })
        })
        .collect()
}

/// A store of the topology as an instance: its own name there, else that of its counterpart.
pub fn instance_of_store(stores: &[Store], fqdn: &str, like: Option<&str>) -> InstanceName {
    let mut here = stores.iter().filter(|store| store.sql_fqdn.eq_ignore_ascii_case(fqdn)).peekable();
    let instance = match here.peek() {
        None => like.map(str::to_string),
        Some(first) => {
            let first = first.instance.clone();
            let fits =
                |instance: &Option<String>| instance.as_deref().map(str::to_lowercase) == like.map(str::to_lowercase);
            here.find(|store| fits(&store.instance)).map_or(first, |store| store.instance.clone())
        }
    };
    InstanceName { host: fqdn.to_string(), instance, port: None }
}

/// Reads the parameters of a command; `None` where the shell shows no such command.
pub fn read_parameters(objects: &[Map<String, Value>]) -> Option<Vec<String>> {
    list(objects.first()?, "Parameters.Keys")
}

/// Reads the members of a pool.
pub fn read_members(objects: &[Map<String, Value>]) -> Option<Vec<String>> {
    let members = list(objects.first()?, "Computers")?;
    Some(members.iter().map(|name| fqdn_of(name)).collect())
}

/// Picks one pool's state. Four spellings of the identity are in print; each ends in the pool's FQDN.
pub fn read_pool_state(objects: &[Map<String, Value>], pool_fqdn: &str) -> Option<PoolStateReading> {
    objects.iter().find_map(|object| {
        let identity = text(object, "Identity")?;
        let state = text(object, "PoolState")?;
        names_pool(&identity, pool_fqdn).then_some(PoolStateReading { identity, state })
    })
}

/// Reads how far the replicas are.
pub fn read_replicas(objects: &[Map<String, Value>]) -> Vec<Replica> {
    objects
        .iter()
        .filter_map(|object| {
            Some(Replica {
                server: text(object, "ReplicaFqdn")?,
                up_to_date: text(object, "UpToDate").is_some_and(|value| value.eq_ignore_ascii_case("true")),
                last_update_created: text(object, "LastUpdateCreation").filter(|value| !value.is_empty()),
            })
        })
        .collect()
}

/// Reads the Front End pools that have both test users.
pub fn read_test_pools(objects: &[Map<String, Value>]) -> Vec<String> {
    let mut pools = Vec::new();
    for object in objects {
        let both = ["FirstTestUserSipUri", "SecondTestUserSipUri"].iter().all(|name| text(object, name).is_some());
        let pool = text(object, "TargetFqdn").or_else(|| text(object, "Identity").map(|identity| fqdn_of(&identity)));
        pools.extend(pool.filter(|pool| both && !pools.contains(pool)));
    }
    pools
}

/// What became of a test message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestMessage {
    /// True only for the word `Success`.
    pub arrived: bool,
    /// Result, latency, error and diagnosis as far as they are shown.
    pub text: String,
}

/// Reads the result of a test message; `None` where nothing came back.
pub fn read_test_message(objects: &[Map<String, Value>]) -> Option<TestMessage> {
    let object = objects.first()?;
    let result = text(object, "Result")?;
    let arrived = result.eq_ignore_ascii_case("Success");
    let told = if arrived { &["Latency"][..] } else { &["Error", "Diagnosis"][..] };
    let rest: Vec<String> = told.iter().filter_map(|name| text(object, name)).collect();
    let text = if rest.is_empty() { result } else { format!("{result} ({})", rest.join("; ").trim_end_matches('.')) };
    Some(TestMessage { arrived, text })
}

/// Reads the services of a server.
pub fn read_windows_services(objects: &[Map<String, Value>]) -> Vec<WindowsService> {
    objects
        .iter()
        .map(|object| WindowsService {
            name: text(object, "Name").unwrap_or_default(),
            display_name: text(object, "DisplayName").unwrap_or_default(),
            status: text(object, "Status").unwrap_or_default(),
            role: list(object, "RoleName").unwrap_or_default().join(" "),
        })
        .collect()
}

/// A moment as the shell prints it in the invariant culture, or in ISO form; UTC is meant.
pub fn read_moment(value: &str) -> Option<DateTime<Utc>> {
    let value = value.trim();
    if let Ok(moment) = DateTime::parse_from_rfc3339(value) {
        return Some(moment.with_timezone(&Utc));
    }
    ["%Y-%m-%dT%H:%M:%S%.f", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%Y-%m-%d %H:%M:%S%.f"]
        .iter()
        .find_map(|form| chrono::NaiveDateTime::parse_from_str(value, form).ok())
        .map(|moment| moment.and_utc())
}

/// True where an identity, in any of its spellings, is that of this pool.
pub fn names_pool(identity: &str, pool_fqdn: &str) -> bool {
    fqdn_of(identity).eq_ignore_ascii_case(pool_fqdn.trim())
}

/// The name behind the last colon: `service:PersistentChatServer:pool.contoso.com`.
fn fqdn_of(reference: &str) -> String {
    reference.rsplit(':').next().unwrap_or_default().trim().to_string()
}

fn text(object: &Map<String, Value>, name: &str) -> Option<String> {
    let text = match member(object, name)? {
        Value::Null => return None,
        Value::String(value) => value.clone(),
        Value::Array(items) => items.iter().find_map(Value::as_str)?.to_string(),
        other => other.to_string(),
    };
    (!text.trim().is_empty()).then(|| text.trim().to_string())
}

fn list(object: &Map<String, Value>, name: &str) -> Option<Vec<String>> {
    match member(object, name)? {
        Value::Null => None,
        Value::Array(items) => Some(items.iter().filter_map(Value::as_str).map(str::to_string).collect()),
        Value::String(value) => {
            let split = |c: char| c == ',' || c == ';' || c.is_whitespace();
            Some(value.split(split).filter(|part| !part.is_empty()).map(str::to_string).collect())
        }
        other => Some(vec![other.to_string()]),
    }
}

fn member<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.get(name).or_else(|| object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}
