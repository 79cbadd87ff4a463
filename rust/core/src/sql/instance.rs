//! What an instance is, and what its clock says.

use chrono::{Duration, NaiveDateTime};
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::names::ServerPath;
use crate::sql::{class, Connection};

/// Whether SQL Server Agent runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentState {
    Running,
    Stopped,
    /// The login sees too little to tell.
    Unknown,
}

impl AgentState {
    /// `running`, `stopped` or `unknown`.
    pub fn as_text(self) -> &'static str {
        match self {
            AgentState::Running => "running",
            AgentState::Stopped => "stopped",
            AgentState::Unknown => "unknown",
        }
    }
}

/// The facts of an instance that decisions rest on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceFacts {
    /// `@@SERVERNAME`, as log shipping and backups name it.
    pub server_name: String,
    pub machine_name: String,
    /// `10.50.6000.34`.
    pub product_version: String,
    /// 10 for 2008 and 2008 R2, 11 for 2012, …, 16 for 2022.
    pub major_version: u16,
    pub minor_version: u16,
    pub edition: String,
    /// 2 Standard, 3 Enterprise and Developer, 4 Express.
    pub engine_edition: i64,
    pub collation: String,
    /// The language of the login; sessions of ours speak us_english.
    pub default_language: Option<String>,
    pub login: String,
    pub is_sysadmin: bool,
    /// Without it the lists of sessions are silently short.
    pub sees_all_sessions: bool,
    pub agent: AgentState,
    /// The lab's id where the instance is simulated; a real server does not know the property.
    pub lab_id: Option<String>,
    /// The instance's local time minus UTC.
    pub utc_offset_minutes: i32,
    /// The instance's UTC when it was asked.
    pub now_utc: NaiveDateTime,
}

impl InstanceFacts {
    /// From the instance's local time, as msdb keeps it, to UTC. The offset is today's, so a time before the last
    /// change to or from summer time is an hour off.
    pub fn to_utc(&self, local: NaiveDateTime) -> NaiveDateTime {
        local - Duration::minutes(i64::from(self.utc_offset_minutes))
    }

    /// True for 2012 and later.
    pub fn is_2012_or_later(&self) -> bool {
        self.major_version >= 11
    }

    /// `2008 R2`, `2012`, … as people call it.
    pub fn release(&self) -> &'static str {
        match (self.major_version, self.minor_version) {
            (..=9, _) => "2005 or older",
            (10, 50..) => "2008 R2",
            (10, _) => "2008",
            (11, _) => "2012",
            (12, _) => "2014",
            (13, _) => "2016",
            (14, _) => "2017",
            (15, _) => "2019",
            (16, _) => "2022",
            _ => "newer than 2022",
        }
    }
}

const FACTS: &str = "SELECT \
    CAST(@@SERVERNAME AS nvarchar(128)) AS server_name, \
    CAST(SERVERPROPERTY('MachineName') AS nvarchar(128)) AS machine_name, \
    CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128)) AS product_version, \
    CAST(SERVERPROPERTY('Edition') AS nvarchar(128)) AS edition, \
    CAST(SERVERPROPERTY('EngineEdition') AS int) AS engine_edition, \
    CAST(SERVERPROPERTY('Collation') AS nvarchar(128)) AS collation_name, \
    CAST(SERVERPROPERTY('PChatLab') AS nvarchar(128)) AS lab_id, \
    CAST(SUSER_SNAME() AS nvarchar(128)) AS login_name, \
    CAST(IS_SRVROLEMEMBER('sysadmin') AS int) AS is_sysadmin, \
    CAST(HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER STATE') AS int) AS sees_all_sessions, \
    CAST(DATEDIFF(second, GETUTCDATE(), GETDATE()) AS int) AS offset_seconds, \
    GETUTCDATE() AS now_utc";

/// Reads the facts of an instance.
///
/// # Source
/// SERVERPROPERTY; `PChatLab` is the lab's own, an unknown name gives NULL.
pub async fn read_facts(connection: &mut Connection) -> Result<InstanceFacts> {
    let doing = "reading the facts of the instance";
    let row = connection.row(doing, FACTS, &[]).await?.ok_or_else(|| super::no_answer(connection, doing))?;
    let product_version = row.need_text("product_version")?;
    let mut parts = product_version.split('.').map(|part| part.parse::<u16>().unwrap_or_default());
    let (major_version, minor_version) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let is_sysadmin = row.int("is_sysadmin")? == Some(1);
    let sees_all_sessions = row.int("sees_all_sessions")? == Some(1);
    // Both clocks are read in one statement, but not at one instant.
    let utc_offset_minutes = ((row.need_int("offset_seconds")? as f64 / 60.0).round()) as i32;
    let mut facts = InstanceFacts {
        server_name: row.text("server_name")?.unwrap_or_default(),
        machine_name: row.text("machine_name")?.unwrap_or_default(),
        product_version,
        major_version,
        minor_version,
        edition: row.text("edition")?.unwrap_or_default(),
        engine_edition: row.int("engine_edition")?.unwrap_or_default(),
        collation: row.text("collation_name")?.unwrap_or_default(),
        default_language: None,
        login: row.text("login_name")?.unwrap_or_default(),
        is_sysadmin,
        sees_all_sessions,
        agent: AgentState::Unknown,
        lab_id: row.text("lab_id")?,
        utc_offset_minutes,
        now_utc: row.need_time("now_utc")?,
    };
    facts.default_language = default_language(connection).await?;
    facts.agent = agent_state(connection, is_sysadmin || sees_all_sessions).await?;
    Ok(facts)
}

async fn default_language(connection: &mut Connection) -> Result<Option<String>> {
    let statement = "SELECT CAST(p.default_language_name AS nvarchar(128)) AS language_name \
        FROM master.sys.server_principals p WHERE p.name = SUSER_SNAME()";
    let row = super::if_it_exists(connection.row("reading the login's language", statement, &[]).await)?;
    row.flatten().map_or(Ok(None), |row| row.text("language_name"))
}

/// Whether SQL Server Agent runs: by its sessions, then by the list of services.
///
/// # Source
/// `sys.sysprocesses.program_name`; `sys.dm_server_services` (2008 R2 SP1 and later), status 4 = running.
pub async fn agent_state(connection: &mut Connection, sees_all_sessions: bool) -> Result<AgentState> {
    let statement =
        "SELECT CAST(COUNT(*) AS int) AS sessions FROM master.dbo.sysprocesses WHERE program_name LIKE N'SQLAgent%'";
    let row = connection.row("looking for SQL Server Agent", statement, &[]).await?;
    if row.map(|row| row.need_int("sessions")).transpose()?.unwrap_or_default() > 0 {
        return Ok(AgentState::Running);
    }
    // The name of a service is localised, that of its program is not.
    let statement = "SELECT CAST(s.status AS int) AS status FROM sys.dm_server_services s WHERE UPPER(s.filename) LIKE N'%SQLAGENT%'";
    match connection.row("looking for the service of SQL Server Agent", statement, &[]).await {
        Ok(Some(row)) => Ok(if row.int("status")? == Some(4) { AgentState::Running } else { AgentState::Stopped }),
        Ok(None) if sees_all_sessions => Ok(AgentState::Stopped),
        Ok(None) => Ok(AgentState::Unknown),
        Err(error) if super::not_there(&error) && sees_all_sessions => Ok(AgentState::Stopped),
        Err(error)
            if error.sql_number().is_some_and(|n| {
                super::not_there(&error) || class::class_of(n) == class::SqlErrorClass::PermissionMissing
            }) =>
        {
            Ok(AgentState::Unknown)
        }
        Err(error) => Err(error),
    }
}

/// The folder where the instance puts backups by default; `None` where it does not tell.
///
/// # Source
/// SERVERPROPERTY('InstanceDefaultBackupPath') (2019 and later); before that the registry through `xp_instance_regread`.
pub async fn default_backup_folder(connection: &mut Connection) -> Result<Option<ServerPath>> {
    let doing = "reading the default backup folder";
    let statement = "SELECT CAST(SERVERPROPERTY('InstanceDefaultBackupPath') AS nvarchar(260)) AS folder";
    let row = connection.row(doing, statement, &[]).await?;
    if let Some(folder) = row.map(|row| row.path("folder")).transpose()?.flatten() {
        return Ok(Some(folder));
    }
    let statement = "EXEC master.dbo.xp_instance_regread N'HKEY_LOCAL_MACHINE', N'Software\\Microsoft\\MSSQLServer\\MSSQLServer', N'BackupDirectory'";
    match connection.batch(doing, statement).await {
        Ok(sets) => match sets.first().and_then(|rows| rows.first()) {
            Some(row) => Ok(row.text("Data")?.filter(|text| !text.is_empty()).map(ServerPath::new)),
            None => Ok(None),
        },
        Err(error) if error.sql_number().is_some() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The folders where the instance creates data and log files by default (2012 and later); `None` where it does not tell.
pub async fn default_data_folders(connection: &mut Connection) -> Result<(Option<ServerPath>, Option<ServerPath>)> {
    let statement = "SELECT CAST(SERVERPROPERTY('InstanceDefaultDataPath') AS nvarchar(260)) AS data_folder, \
        CAST(SERVERPROPERTY('InstanceDefaultLogPath') AS nvarchar(260)) AS log_folder";
    match connection.row("reading the default data folders", statement, &[]).await? {
        Some(row) => Ok((row.path("data_folder")?, row.path("log_folder")?)),
        None => Ok((None, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(major: u16, minor: u16) -> InstanceFacts {
        InstanceFacts {
            server_name: "B\\RTC".into(),
            machine_name: "B".into(),
            product_version: format!("{major}.{minor}.1.2"),
            major_version: major,
            minor_version: minor,
            edition: "Standard Edition (64-bit)".into(),
            engine_edition: 2,
            collation: "Latin1_General_BIN2".into(),
            default_language: Some("Français".into()),
            login: "sa".into(),
            is_sysadmin: true,
            sees_all_sessions: true,
            agent: AgentState::Running,
            lab_id: None,
            utc_offset_minutes: -330,
            now_utc: NaiveDateTime::default(),
        }
    }

    #[test]
    fn local_times_become_utc_by_the_instances_own_offset() {
        let local = NaiveDateTime::parse_from_str("2026-03-14T02:15:00", "%Y-%m-%dT%H:%M:%S").unwrap();
        assert_eq!(facts(11, 0).to_utc(local).to_string(), "2026-03-14 07:45:00");
    }

    #[test]
    fn releases_have_their_names() {
        assert_eq!(facts(10, 50).release(), "2008 R2");
        assert_eq!(facts(10, 0).release(), "2008");
        assert_eq!(facts(16, 0).release(), "2022");
        assert!(!facts(10, 50).is_2012_or_later());
    }
}
