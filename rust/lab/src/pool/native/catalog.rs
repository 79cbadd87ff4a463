//! The documented parameter sets of the native commands, as data.

use super::super::settings::Dialect;

/// What a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    TextList,
    Switch,
    Number,
    Boolean,
    Fqdn,
    /// One of these words; an entry `2013:` or `2015:` before a word limits it to a dialect.
    Word(&'static [&'static str]),
    /// `@{Add=…}`, `@{Remove=…}`, `@{Replace=…}` or nothing.
    ListModifier,
    Table,
    Object,
}

/// One parameter of a set.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    pub name: &'static str,
    pub kind: Kind,
    pub mandatory: bool,
    /// Dialects that have it.
    pub dialect: Option<Dialect>,
}

/// A parameter set.
#[derive(Debug, Clone, Copy)]
pub struct ParameterSet {
    pub name: &'static str,
    pub parameters: &'static [Parameter],
}

/// A native command.
#[derive(Debug, Clone, Copy)]
pub struct Command {
    pub name: &'static str,
    /// The first one is the default.
    pub sets: &'static [ParameterSet],
    /// It has `-WhatIf` and `-Confirm`.
    pub should_process: bool,
    /// It asks before it acts unless told not to.
    pub asks: bool,
    /// It changes something; rights are asked for.
    pub changes: bool,
    /// It has to reach the Central Management store.
    pub needs_cms: bool,
    /// Type name of its output objects.
    pub output: &'static str,
}

const fn given(name: &'static str, kind: Kind) -> Parameter {
    Parameter { name, kind, mandatory: false, dialect: None }
}
const fn needed(name: &'static str, kind: Kind) -> Parameter {
    Parameter { name, kind, mandatory: true, dialect: None }
}
const fn later(name: &'static str, kind: Kind) -> Parameter {
    Parameter { name, kind, mandatory: false, dialect: Some(Dialect::Sfb2015) }
}
const fn set(name: &'static str, parameters: &'static [Parameter]) -> ParameterSet {
    ParameterSet { name, parameters }
}

use Kind::*;

const POOL_STATE: Kind = Word(&["Normal", "FailedOver"]);
const DATABASE_TYPE: Kind = Word(&[
    "Application",
    "Archiving",
    "CentralMgmt",
    "2013:CentralAdmin",
    "Edge",
    "Monitoring",
    "User",
    "Provision",
    "PersistentChat",
    "PersistentChatCompliance",
    "2015:ActiveMonitoring",
    "2015:SigninTelemetry",
]);
const FORCE: Parameter = given("Force", Switch);
const REPORT: Parameter = given("Report", Text);
const LOCAL_STORE: Parameter = given("LocalStore", Switch);
const POOL: Parameter = needed("PoolFqdn", Fqdn);

const fn command(name: &'static str, sets: &'static [ParameterSet]) -> Command {
    Command {
        name,
        sets,
        should_process: false,
        asks: false,
        changes: false,
        needs_cms: false,
        output: "System.Object",
    }
}

impl Command {
    const fn ssp(mut self) -> Command {
        self.should_process = true;
        self.changes = true;
        self
    }
    const fn asking(mut self) -> Command {
        self.asks = true;
        self
    }
    const fn changing(mut self) -> Command {
        self.changes = true;
        self
    }
    const fn with_cms(mut self) -> Command {
        self.needs_cms = true;
        self
    }
    const fn gives(mut self, output: &'static str) -> Command {
        self.output = output;
        self
    }
}

macro_rules! role_set {
    ($role:literal) => {
        set($role, &[needed($role, Switch), given("PoolFqdn", Text)])
    };
}

const WINDOWS_SERVICE_NAME: &[Parameter] =
    &[given("Name", Text), given("ComputerName", Text), given("NoWait", Switch), FORCE, REPORT];
const WINDOWS_SERVICE_OBJECT: &[Parameter] = &[needed("InputObject", Object), given("NoWait", Switch), FORCE, REPORT];
const STOP_SERVICE_NAME: &[Parameter] = &[
    given("Name", Text),
    given("ComputerName", Text),
    given("NoWait", Switch),
    FORCE,
    REPORT,
    given("Graceful", Switch),
    later("LeaveClsAgentRunning", Switch),
    later("LeaveWebServerRunning", Switch),
];
const STOP_SERVICE_OBJECT: &[Parameter] = &[
    needed("InputObject", Object),
    given("NoWait", Switch),
    FORCE,
    REPORT,
    given("Graceful", Switch),
    later("LeaveClsAgentRunning", Switch),
    later("LeaveWebServerRunning", Switch),
];

/// Every native command that the lab knows.
pub const COMMANDS: &[Command] = &[
    command(
        "Set-CsPersistentChatState",
        &[
            set("Identity", &[given("Identity", Text), given("PoolState", POOL_STATE), FORCE]),
            set("Instance", &[needed("Instance", Object), given("PoolState", POOL_STATE), FORCE]),
        ],
    )
    .ssp()
    .with_cms(),
    command(
        "Get-CsPersistentChatState",
        &[
            set("Identity", &[given("Identity", Text), LOCAL_STORE]),
            set("Filter", &[needed("Filter", Text), LOCAL_STORE]),
        ],
    )
    .gives("Microsoft.Rtc.Management.WritableConfig.Settings.PersistentChat.PersistentChatState"),
    command(
        "Set-CsPersistentChatActiveServer",
        &[
            set("Explicit", &[given("Identity", Text), needed("ActiveServers", ListModifier), FORCE]),
            set("Swap", &[given("Identity", Text), needed("Swap", Switch), FORCE]),
        ],
    )
    .ssp()
    .with_cms(),
    command(
        "Get-CsService",
        &[
            set("Identity", &[given("Identity", Text), given("PoolFqdn", Text)]),
            set("Filter", &[needed("Filter", Text), given("PoolFqdn", Text)]),
            role_set!("PersistentChatServer"),
            role_set!("PersistentChatDatabase"),
            role_set!("PersistentChatComplianceDatabase"),
            role_set!("BackupServer"),
            role_set!("FileStore"),
            role_set!("CentralManagement"),
            role_set!("Registrar"),
        ],
    )
    .with_cms()
    .gives("Microsoft.Rtc.Management.Xds.DisplayService"),
    command(
        "Get-CsPool",
        &[
            set("Identity", &[given("Identity", Text), given("Site", Text)]),
            set("Filter", &[needed("Filter", Text), given("Site", Text)]),
        ],
    )
    .with_cms()
    .gives("Microsoft.Rtc.Management.Deploy.Internal.Cluster"),
    command(
        "Install-CsMirrorDatabase",
        &[
            set(
                "ByDatabase",
                &[
                    needed("DatabaseType", DATABASE_TYPE),
                    needed("FileShare", Text),
                    needed("SqlServerFqdn", Fqdn),
                    given("SqlInstanceName", Text),
                    given("DatabasePathMap", Table),
                    given("DropExistingDatabasesOnMirror", Switch),
                    given("ExcludeDatabaseList", TextList),
                    REPORT,
                ],
            ),
            set(
                "ByConfigured",
                &[
                    needed("ConfiguredDatabases", Switch),
                    needed("FileShare", Text),
                    needed("SqlServerFqdn", Fqdn),
                    given("ForDefaultInstance", Switch),
                    given("ForInstance", Text),
                    given("DatabasePathMap", Table),
                    given("DropExistingDatabasesOnMirror", Switch),
                    given("ExcludeDatabaseList", TextList),
                    REPORT,
                ],
            ),
        ],
    )
    .ssp()
    .asking()
    .with_cms(),
    command(
        "Uninstall-CsMirrorDatabase",
        &[set(
            "ByDatabase",
            &[
                needed("DatabaseType", DATABASE_TYPE),
                needed("SqlServerFqdn", Fqdn),
                given("SqlInstanceName", Text),
                given("DropExistingDatabasesOnMirror", Switch),
                REPORT,
            ],
        )],
    )
    .ssp()
    .with_cms(),
    command(
        "Invoke-CsDatabaseFailover",
        &[set(
            "Default",
            &[
                POOL,
                needed("DatabaseType", DATABASE_TYPE),
                needed("NewPrincipal", Word(&["Primary", "Mirror"])),
                given("ExcludeDatabaseList", TextList),
                FORCE,
                LOCAL_STORE,
                REPORT,
            ],
        )],
    )
    .ssp()
    .asking(),
    command(
        "Get-CsDatabaseMirrorState",
        &[set("Default", &[POOL, given("DatabaseType", DATABASE_TYPE), LOCAL_STORE, REPORT])],
    )
    .gives("Microsoft.Rtc.Management.Deployment.DatabaseMirrorState"),
    command(
        "Get-CsManagementStoreReplicationStatus",
        &[
            set("Replica", &[given("ReplicaFqdn", Text)]),
            set("Store", &[needed("CentralManagementStoreStatus", Switch)]),
        ],
    )
    .with_cms()
    .gives("Microsoft.Rtc.Management.Xds.ReplicaState"),
    command("Invoke-CsManagementStoreReplication", &[set("Default", &[given("ReplicaFqdn", Text), FORCE])])
        .changing()
        .with_cms(),
    command(
        "Invoke-CsManagementServerFailover",
        &[set("Default", &[given("BackupSqlServerFqdn", Fqdn), given("BackupSqlInstanceName", Text), FORCE])],
    )
    .ssp()
    .asking(),
    command("Invoke-CsPoolFailOver", &[set("Default", &[POOL, given("DisasterMode", Switch), FORCE])])
        .ssp()
        .asking()
        .with_cms(),
    command("Invoke-CsPoolFailBack", &[set("Default", &[POOL, FORCE])]).ssp().asking().with_cms(),
    command("Invoke-CsBackupServiceSync", &[set("Default", &[POOL, given("BackupModule", Text), FORCE])]).changing(),
    command(
        "Get-CsBackupServiceStatus",
        &[set("Default", &[POOL, given("Category", Word(&["CMS", "UserData"])), FORCE])],
    )
    .gives("Microsoft.Rtc.Management.Hadr.BackupService.BackupServiceStatus"),
    command("Get-CsPoolBackupRelationship", &[set("Default", &[POOL, FORCE, LOCAL_STORE])])
        .gives("Microsoft.Rtc.Management.Hadr.BackupService.BackupRelation"),
    command(
        "Get-CsBackupServiceConfiguration",
        &[
            set("Identity", &[given("Identity", Text), LOCAL_STORE]),
            set("Filter", &[needed("Filter", Text), LOCAL_STORE]),
        ],
    )
    .gives("Microsoft.Rtc.Management.WritableConfig.Settings.BackupService.BackupServiceConfiguration"),
    command(
        "Get-CsHealthMonitoringConfiguration",
        &[
            set("Identity", &[given("Identity", Text), LOCAL_STORE]),
            set("Filter", &[needed("Filter", Text), LOCAL_STORE]),
        ],
    )
    .gives("Microsoft.Rtc.Management.WritableConfig.Settings.HealthMonitoring.HealthMonitoringConfiguration"),
    command("Debug-CsInterPoolReplication", &[set("Default", &[POOL, given("BackupModule", Text), FORCE])])
        .gives("System.String"),
    command(
        "Test-CsDatabase",
        &[
            set(
                "ByDatabase",
                &[
                    needed("DatabaseType", DATABASE_TYPE),
                    needed("SqlServerFqdn", Fqdn),
                    given("SqlInstanceName", Text),
                    REPORT,
                ],
            ),
            set("ByConfigured", &[needed("ConfiguredDatabases", Switch), needed("SqlServerFqdn", Fqdn), REPORT]),
            set(
                "ByCMS",
                &[
                    needed("CentralManagementDatabase", Switch),
                    given("SqlServerFqdn", Fqdn),
                    given("SqlInstanceName", Text),
                    REPORT,
                ],
            ),
            set("ByLocal", &[needed("LocalService", Switch), REPORT]),
        ],
    )
    .ssp()
    .gives("Microsoft.Rtc.SyntheticTransactions.TaskOutput"),
    command(
        "Get-CsWindowsService",
        &[set(
            "Default",
            &[given("Name", Text), given("ComputerName", Text), given("ExcludeActivityLevel", Switch), REPORT],
        )],
    )
    .gives("Microsoft.Rtc.Management.Deployment.Core.NTService"),
    command("Start-CsWindowsService", &[set("Name", WINDOWS_SERVICE_NAME), set("InputObject", WINDOWS_SERVICE_OBJECT)])
        .ssp(),
    command("Stop-CsWindowsService", &[set("Name", STOP_SERVICE_NAME), set("InputObject", STOP_SERVICE_OBJECT)]).ssp(),
    command(
        "Test-CsPersistentChatMessage",
        &[
            set(
                "ServerPlatform",
                &[
                    needed("TargetFqdn", Text),
                    given("SenderSipAddress", Text),
                    given("ReceiverSipAddress", Text),
                    given("RegistrarPort", Number),
                    given("Authentication", Text),
                    FORCE,
                    given("OutLoggerVariable", Text),
                    given("OutVerboseVariable", Text),
                ],
            ),
            set(
                "ClientPlatform",
                &[
                    given("TargetFqdn", Text),
                    needed("SenderSipAddress", Text),
                    needed("SenderCredential", Object),
                    needed("ReceiverSipAddress", Text),
                    needed("ReceiverCredential", Object),
                    given("RegistrarPort", Number),
                    given("Authentication", Text),
                    FORCE,
                    given("OutLoggerVariable", Text),
                    given("OutVerboseVariable", Text),
                ],
            ),
        ],
    )
    .gives("Microsoft.Rtc.SyntheticTransactions.TaskOutput"),
];

/// Forms that one page prints and no published syntax has, by the name under which a scenario installs them.
pub const PAGE_FORMS: &[(&str, Command)] = &[
    (
        "Get-CsBackupServiceStatus -BackupModule",
        command(
            "Get-CsBackupServiceStatus",
            &[set(
                "Default",
                &[POOL, given("Category", Word(&["CMS", "UserData"])), given("BackupModule", Text), FORCE],
            )],
        )
        .gives("Microsoft.Rtc.Management.Hadr.BackupService.BackupServiceStatus"),
    ),
    (
        "Invoke-CsBackupServiceSync -BypassDualWrite",
        command(
            "Invoke-CsBackupServiceSync",
            &[set("Default", &[POOL, given("BackupModule", Text), given("BypassDualWrite", Boolean), FORCE])],
        )
        .changing(),
    ),
    (
        "Invoke-CsDatabaseFailover -ExcludeDatabase",
        command(
            "Invoke-CsDatabaseFailover",
            &[set(
                "Default",
                &[
                    POOL,
                    needed("DatabaseType", DATABASE_TYPE),
                    needed("NewPrincipal", Word(&["Primary", "Mirror"])),
                    given("ExcludeDatabaseList", TextList),
                    given("ExcludeDatabase", TextList),
                    FORCE,
                    LOCAL_STORE,
                    REPORT,
                ],
            )],
        )
        .ssp()
        .asking(),
    ),
    (
        "Get-CsPersistentChatActiveServer",
        command("Get-CsPersistentChatActiveServer", &[set("Default", &[given("Identity", Text)])])
            .gives("Microsoft.Rtc.Management.WritableConfig.Settings.PersistentChat.ActiveServers"),
    ),
];

/// The command of this name, without regard to case.
pub fn find(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|c| c.name.eq_ignore_ascii_case(name))
}
