//! Building the native commands.

use serde_json::{json, Map, Value};

use crate::host::NativeCommand;
use crate::names::PoolState;

/// The properties read of each Persistent Chat service.
const SERVICE_PROPERTIES: &[&str] = &[
    "Identity",
    "PoolFqdn",
    "DisplayName",
    "SiteId",
    "Version",
    "Registrar",
    "FileStore",
    "ActiveServers",
    "InactiveServers",
    "PersistentChatDatabase",
    "MirrorPersistentChatDatabase",
    "BackupPersistentChatDatabase",
    "BackupMirrorPersistentChatDatabase",
    "PersistentChatComplianceDatabase",
    "MirrorPersistentChatComplianceDatabase",
    "BackupPersistentChatComplianceDatabase",
    "BackupMirrorPersistentChatComplianceDatabase",
];

/// Lists the Persistent Chat pools of the topology with their active servers. Reads only.
///
/// No pool is named: the answer then also tells which pools there are when the wanted one is not among them.
/// `Get-CsPersistentChatActiveServer` does not exist; this is where the active list is read.
///
/// # Source
/// `Get-CsService -PersistentChatServer`.
pub fn get_services() -> NativeCommand {
    NativeCommand::get("Get-CsService").with("PersistentChatServer", true).wanting(SERVICE_PROPERTIES)
}

/// Lists the stores of the Persistent Chat databases: host and instance of each. Reads only.
pub fn get_stores() -> NativeCommand {
    NativeCommand::get("Get-CsService").with("PersistentChatDatabase", true).wanting(&[
        "Identity",
        "PoolFqdn",
        "SqlInstanceName",
    ])
}

/// Reads a pool's members. Reads only.
pub fn get_pool(pool_fqdn: &str) -> NativeCommand {
    NativeCommand::get("Get-CsPool").with("Identity", pool_fqdn).wanting(&["Identity", "Computers", "Services", "Site"])
}

/// Reads the state of every Persistent Chat pool; the one wanted is picked from the answer, whatever its identity's
/// spelling. Reads only.
pub fn get_pool_state() -> NativeCommand {
    NativeCommand::get("Get-CsPersistentChatState").wanting(&["Identity", "PoolState"])
}

/// Sets the state of a pool. `-PoolState` is always given: without it the command may mean Normal.
pub fn set_pool_state(identity: &str, state: PoolState) -> NativeCommand {
    NativeCommand::set("Set-CsPersistentChatState").with("Identity", identity).with("PoolState", state.as_str())
}

/// Empties the list of active servers.
///
/// Users that are connected stay so; new ones are refused. It keeps servers from a database that is half recovered.
pub fn clear_active_servers(identity: &str) -> NativeCommand {
    NativeCommand::set("Set-CsPersistentChatActiveServer").with("Identity", identity).with("ActiveServers", Value::Null)
}

/// Adds servers to the list of active ones.
pub fn add_active_servers(identity: &str, servers: &[String]) -> NativeCommand {
    change_active_servers(identity, "Add", servers)
}

/// Takes servers from the list of active ones.
pub fn remove_active_servers(identity: &str, servers: &[String]) -> NativeCommand {
    change_active_servers(identity, "Remove", servers)
}

fn change_active_servers(identity: &str, how: &str, servers: &[String]) -> NativeCommand {
    let value = match servers {
        [one] => json!(one),
        several => json!(several),
    };
    let mut change = Map::new();
    change.insert(how.to_string(), value);
    NativeCommand::set("Set-CsPersistentChatActiveServer")
        .with("Identity", identity)
        .with("ActiveServers", Value::Object(change))
}

/// The commands that turn one active list into another: none where they are equal. Case does not matter.
pub fn active_server_commands(identity: &str, current: &[String], wanted: &[String]) -> Vec<NativeCommand> {
    let lacks = |list: &[String], name: &String| !list.iter().any(|other| other.eq_ignore_ascii_case(name));
    let surplus: Vec<String> = current.iter().filter(|name| lacks(wanted, name)).cloned().collect();
    let absent: Vec<String> = wanted.iter().filter(|name| lacks(current, name)).cloned().collect();
    let mut commands = Vec::new();
    if !surplus.is_empty() {
        commands.push(remove_active_servers(identity, &surplus));
    }
    if !absent.is_empty() {
        commands.push(add_active_servers(identity, &absent));
    }
    commands
}

/// The same command as a question whether it would be allowed: `-WhatIf`, so it changes nothing and reads only.
pub fn what_if(command: &NativeCommand) -> NativeCommand {
    let mut asked = command.clone().with("WhatIf", true);
    asked.reads_only = true;
    asked.limit_seconds = 120;
    asked
}

/// The shell's own command that tells parameters.
pub const GET_COMMAND: &str = "Get-Command";

/// Asks which parameters a command has as it is installed: pages contradict each other, the shell does not. Reads only.
pub fn get_parameters(command: &str) -> NativeCommand {
    NativeCommand::get(GET_COMMAND).with("Name", command).wanting(&["Name", "Parameters.Keys"])
}

/// Reads how far the replicas of the management store are. Reads only.
pub fn get_replication() -> NativeCommand {
    NativeCommand::get("Get-CsManagementStoreReplicationStatus").wanting(&[
        "ReplicaFqdn",
        "UpToDate",
        "LastStatusReport",
        "LastUpdateCreation",
    ])
}

/// Forces a full copy of the management store to one server; it can take minutes to start.
pub fn force_replication(server: &str) -> NativeCommand {
    NativeCommand::set("Invoke-CsManagementStoreReplication").with("ReplicaFqdn", server)
}

/// Sets up the mirror of mgc. The mirror instance is not named: the command takes it from the topology.
///
/// `host` is the FQDN of the principal, which is the backup instance's.
pub fn install_mirror(database_type: &str, host: &str, instance: Option<&str>, file_share: &str) -> NativeCommand {
    let command = NativeCommand::set("Install-CsMirrorDatabase")
        .with("DatabaseType", database_type)
        .with("FileShare", file_share)
        .with("SqlServerFqdn", host);
    match instance {
        Some(instance) => command.with("SqlInstanceName", instance),
        None => command,
    }
}

/// The switch that lets the set-up replace a database on the mirror.
///
/// # Source
/// `Install-CsMirrorDatabase -DropExistingDatabasesOnMirror`.
pub const DROP_EXISTING: &str = "DropExistingDatabasesOnMirror";

/// The same set-up, replacing a copy that an earlier try left on the mirror.
pub fn over_existing(install: NativeCommand) -> NativeCommand {
    install.with(DROP_EXISTING, true)
}

/// Which partner of a mirrored pair is to be its principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewPrincipal {
    Primary,
    Mirror,
}

/// Changes the roles of the mirrored pair at the site that the pool uses. Works inside one site only.
///
/// # Source
/// `Invoke-CsDatabaseFailover`.
pub fn fail_over_database(pool_fqdn: &str, database_type: &str, new: NewPrincipal) -> NativeCommand {
    let new = match new {
        NewPrincipal::Primary => "Primary",
        NewPrincipal::Mirror => "Mirror",
    };
    NativeCommand::set("Invoke-CsDatabaseFailover")
        .with("PoolFqdn", pool_fqdn)
        .with("DatabaseType", database_type)
        .with("NewPrincipal", new)
}

/// The type names of the two databases.
///
/// # Source
/// `Install-CsMirrorDatabase -DatabaseType`.
pub const CHAT_DATABASE: &str = "PersistentChat";
pub const COMPLIANCE_DATABASE: &str = "PersistentChatCompliance";

/// Reads the services of one server. Their service names are printed nowhere: pick by display name or role. Reads only.
pub fn get_windows_services(server: &str) -> NativeCommand {
    NativeCommand::get("Get-CsWindowsService").with("ComputerName", server).wanting(&[
        "Name",
        "DisplayName",
        "Status",
        "RoleName",
    ])
}

/// Stops one service of a server by its name; the services that depend on it stop too.
pub fn stop_windows_service(server: &str, name: &str) -> NativeCommand {
    NativeCommand::set("Stop-CsWindowsService").with("Name", name).with("ComputerName", server)
}

/// Starts one service of a server by its name, with the services that it needs.
pub fn start_windows_service(server: &str, name: &str) -> NativeCommand {
    NativeCommand::set("Start-CsWindowsService").with("Name", name).with("ComputerName", server)
}

/// Lists the Front End pools for which two test users are set up. Reads only.
///
/// # Source
/// `Get-CsHealthMonitoringConfiguration`.
pub fn get_test_users() -> NativeCommand {
    NativeCommand::get("Get-CsHealthMonitoringConfiguration").wanting(&[
        "Identity",
        "TargetFqdn",
        "FirstTestUserSipUri",
        "SecondTestUserSipUri",
    ])
}

/// Sends a message between the two test users of a Front End pool. It changes nothing that outlasts the message.
///
/// # Source
/// `Test-CsPersistentChatMessage`; the users are those of the pool's health monitoring configuration.
pub fn test_message(target: &str) -> NativeCommand {
    NativeCommand::get("Test-CsPersistentChatMessage").with("TargetFqdn", target).wanting(&[
        "TargetFqdn",
        "Result",
        "Latency",
        "Error",
        "Diagnosis",
    ])
}

/// A command as the plan shows it: qualified with its module, with what the host adds to a command that changes something.
pub fn plan_text(command: &NativeCommand, module: Option<&str>) -> String {
    let mut text = String::new();
    if let Some(module) = command.module.as_deref().or(module) {
        text.push_str(module);
        text.push('\\');
    }
    text.push_str(&command.as_text());
    if !command.reads_only {
        text.push_str(" -Confirm:$false");
    }
    text
}
