//! The other instances: probed side by side, each within its limit; those that answer are asked for the database.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::backup::{not_an_instance, Backup};
use crate::document::FailoverRequest;
use crate::error::{Error, ErrorKind, Result};
use crate::evidence::{
    EndpointAnswer, MirrorInstanceEvidence, MonitorEvidence, MonitoredBackup, PoolEvidence, PrimaryEvidence, Reading,
    RemoteDatabase,
};
use crate::names::{InstanceName, ServerPath};
use crate::pool::instance_of_store;
use crate::sql::database::Writer;
use crate::sql::{database, instance, mirror, monitor, probe_endpoint, Connection, Connector, ProbeOutcome, Purpose};

/// Who is to be asked.
pub(super) struct Names {
    pub primary: Option<InstanceName>,
    pub primary_database: String,
    pub primary_mirror: Option<InstanceName>,
    pub backup_mirror: Option<InstanceName>,
    pub monitor: Option<InstanceName>,
    database: String,
}

impl Names {
    /// Names of the request before those of the log shipping record, and these before the topology's. Where none of them
    /// tells the primary or its mirror, restore history does: the primary wrote what was restored last, and its mirror what
    /// was restored before a change of their roles.
    pub fn of(backup: &Backup, pool: &PoolEvidence, request: &FailoverRequest) -> Result<Names> {
        let given = |parameter: &str, name: &Option<String>| -> Result<Option<InstanceName>> {
            let name = name.as_deref().filter(|name| !name.trim().is_empty());
            name.map(|name| name.parse().map_err(|error| not_an_instance(parameter, &error))).transpose()
        };
        let record = backup.log_shipping.record.as_ref();
        let recorded = |name: Option<&str>| name.and_then(|name| name.parse::<InstanceName>().ok());
        let named = given("-PrimarySqlInstance", &request.primary_sql_instance)?
            .or_else(|| recorded(record.map(|record| record.primary_server.as_str())));
        let primary = named.or_else(|| recorded(backup.writers.first().map(|writer| writer.server.as_str())));
        let service = pool.service();
        let own: Option<InstanceName> = backup.facts.server_name.parse().ok();
        let like_primary = primary.as_ref().and_then(|name| name.instance.as_deref());
        let like_backup = own.as_ref().and_then(|name| name.instance.as_deref());
        let primary_mirror = given("-PrimaryMirrorSqlInstance", &request.primary_mirror_sql_instance)?
            .or_else(|| store(pool, service?.primary_mirror_store.as_deref()?, like_primary))
            .or_else(|| recorded(backup.captured_mirror.as_deref()))
            .or_else(|| {
                let mut writers = backup.writers.iter().filter_map(|writer| recorded(Some(&writer.server)));
                writers.find(|writer| primary.as_ref().is_some_and(|primary| !is_one_host(primary, writer)))
            });
        let backup_mirror = given("-BackupMirrorSqlInstance", &request.backup_mirror_sql_instance)?
            .or_else(|| store(pool, service?.backup_mirror_store.as_deref()?, like_backup));
        let is_own = |name: &InstanceName| name.to_string().eq_ignore_ascii_case(&backup.facts.server_name);
        for (parameter, name) in [
            ("-PrimarySqlInstance", &request.primary_sql_instance),
            ("-PrimaryMirrorSqlInstance", &request.primary_mirror_sql_instance),
            ("-BackupMirrorSqlInstance", &request.backup_mirror_sql_instance),
        ] {
            if given(parameter, name)?.zip(own.as_ref()).is_some_and(|(name, own)| is_one_host(&name, own)) {
                return Err(names_the_backup(parameter, &backup.facts.server_name));
            }
        }
        let monitor = given("-MonitorSqlInstance", &request.monitor_sql_instance)?
            .or_else(|| recorded(record.map(|record| record.monitor_server.as_str())).filter(|name| !is_own(name)));
        let database = request.target.database.clone();
        let written = backup.writers.first().map(|writer| &writer.database);
        let primary_database = record.map(|record| &record.primary_database).or(written).unwrap_or(&database).clone();
        Ok(Names { primary, primary_database, primary_mirror, backup_mirror, monitor, database })
    }

    /// Takes the writer of the newest log backup for the primary, where nobody names one.
    pub fn take_writer(&mut self, writer: Option<Writer>) {
        if let (None, Some(writer)) = (&self.primary, writer) {
            self.primary = writer.server.parse().ok();
            self.primary_database = writer.database;
        }
    }

    /// Keeps what an earlier look of the same run knew.
    pub fn keep(&mut self, earlier: &PrimaryEvidence) {
        if self.primary.is_none() {
            self.primary = earlier.name.as_deref().and_then(|name| name.parse().ok());
            self.primary_database.clone_from(&earlier.database_name);
        }
        if self.primary_mirror.is_none() {
            self.primary_mirror = earlier.mirror.name.as_deref().and_then(|name| name.parse().ok());
        }
    }
}

fn names_the_backup(parameter: &str, own: &str) -> Error {
    let message = format!("`{parameter}` names {own} itself, the instance acted on.");
    Error::new(ErrorKind::InvalidValue, message)
        .with_unchanged("Nothing was started.")
        .with_next("Name the other instance, or leave it out.")
}

/// True where both are one host by its first label, and one instance.
fn is_one_host(a: &InstanceName, b: &InstanceName) -> bool {
    let key = |name: &InstanceName| {
        let host = name.host.split('.').next().unwrap_or_default().to_lowercase();
        (host, name.instance.as_deref().unwrap_or_default().to_lowercase())
    };
    key(a) == key(b)
}

/// A store of the topology as an instance: its own name there, else that of its counterpart.
fn store(pool: &PoolEvidence, fqdn: &str, like: Option<&str>) -> Option<InstanceName> {
    let stores = pool.stores.known().map(Vec::as_slice).unwrap_or_default();
    Some(instance_of_store(stores, fqdn, like))
}

/// What came of the probes.
pub(super) struct Sites {
    pub primary: MirrorInstanceEvidence,
    pub primary_mirror: MirrorInstanceEvidence,
    pub backup_mirror: MirrorInstanceEvidence,
    monitor: MirrorInstanceEvidence,
    monitored: Reading<Option<MonitoredBackup>>,
    pub first_failed_probe_utc: Option<DateTime<Utc>>,
}

/// Probes all of them at once.
pub(super) async fn probe_all(connector: &Connector, names: &Names, limit: Duration) -> Sites {
    let at = |database: &str| database.to_string();
    let (primary, primary_mirror, backup_mirror, monitor) = tokio::join!(
        Box::pin(probe(connector, names.primary.as_ref(), at(&names.primary_database), limit)),
        Box::pin(probe(connector, names.primary_mirror.as_ref(), at(&names.primary_database), limit)),
        Box::pin(probe(connector, names.backup_mirror.as_ref(), at(&names.database), limit)),
        Box::pin(probe(connector, names.monitor.as_ref(), at(&names.primary_database), limit)),
    );
    let failed = !primary.answer.is_alive() && primary.answer != EndpointAnswer::NotNamed;
    let monitored = match (&names.monitor, &monitor.answer) {
        (Some(name), EndpointAnswer::LoggedIn) => ask_monitor(connector, name, &names.primary_database).await.into(),
        (Some(_), answer) => Reading::Unknown(why_silent(answer)),
        (None, _) => Reading::NotAsked("log shipping has no monitor".to_string()),
    };
    Sites { primary, primary_mirror, backup_mirror, monitor, monitored, first_failed_probe_utc: failed.then(Utc::now) }
}

async fn probe(
    connector: &Connector,
    name: Option<&InstanceName>,
    database: String,
    limit: Duration,
) -> MirrorInstanceEvidence {
    let Some(name) = name else { return MirrorInstanceEvidence::not_named() };
    let answer = match probe_endpoint(connector, name, limit).await {
        ProbeOutcome::Alive => EndpointAnswer::LoggedIn,
        ProbeOutcome::LoginRefused(error) | ProbeOutcome::Answered(error) => {
            EndpointAnswer::Answers { why: reason(name, &error) }
        }
        ProbeOutcome::Refused { port_is_certain, .. } => EndpointAnswer::Refused { port_is_certain },
        ProbeOutcome::Unreachable { error, .. } => EndpointAnswer::Unreachable { why: reason(name, &error) },
        ProbeOutcome::NotTried(error) => EndpointAnswer::NotTried { why: reason(name, &error) },
    };
    let database = match &answer {
        EndpointAnswer::LoggedIn => match tokio::time::timeout(limit, ask(connector, name, &database)).await {
            Ok(asked) => asked.into(),
            Err(_) => Reading::Unknown(format!("no answer within {} s", limit.as_secs())),
        },
        other => Reading::Unknown(why_silent(other)),
    };
    MirrorInstanceEvidence { name: Some(name.to_string()), answer, database }
}

/// The message without the instance's name, which every text of ours begins with.
fn reason(name: &InstanceName, error: &Error) -> String {
    let message = error.message.as_str();
    message.strip_prefix(&format!("{name}: ")).unwrap_or(message).trim_end_matches('.').to_string()
}

async fn ask(connector: &Connector, name: &InstanceName, database: &str) -> Result<RemoteDatabase> {
    let mut connection = connector.connect(name, Purpose::Probe).await?;
    let facts = instance::read_facts(&mut connection).await?;
    let state = database::read(&mut connection, database).await?;
    let mirroring = mirror::read(&mut connection, database).await?;
    connection.close().await;
    // A login below sysadmin sees NULLs for a mirror copy, so that they prove nothing.
    if mirroring.is_none() && !facts.is_sysadmin && state.as_ref().is_some_and(|state| state.state.is_secondary()) {
        return Err(Error::new(
            ErrorKind::PermissionMissing,
            format!("{name}: the login is no member of sysadmin and does not see whether {database} is mirrored."),
        ));
    }
    Ok(RemoteDatabase { state: state.map(|state| state.state.as_text().to_string()), mirroring })
}

async fn ask_monitor(connector: &Connector, name: &InstanceName, database: &str) -> Result<Option<MonitoredBackup>> {
    let mut connection = connector.connect(name, Purpose::Probe).await?;
    let facts = instance::read_facts(&mut connection).await?;
    let ours = Utc::now();
    let newest = newest_backup(&mut connection, database).await?;
    connection.close().await;
    Ok(newest.map(|(file, at)| MonitoredBackup {
        file,
        at_utc: at,
        at_our_clock_utc: at.map(|at| at + (ours - facts.now_utc.and_utc())),
    }))
}

/// The newest of the rows: after a change of roles the former mirror writes one of its own.
async fn newest_backup(
    connection: &mut Connection,
    database: &str,
) -> Result<Option<(Option<String>, Option<DateTime<Utc>>)>> {
    let rows = monitor::read_primaries(connection, database).await?;
    let newest = rows.into_iter().max_by_key(|row| row.last_backup_at_utc);
    Ok(newest.map(|row| {
        let file = row.last_backup_file.map(|path| ServerPath::new(path).file_name().to_string());
        (file.filter(|name| !name.is_empty()), row.last_backup_at_utc.map(|at| at.and_utc()))
    }))
}

/// The monitor's testimony.
pub(super) fn monitor(sites: &Sites, names: &Names) -> MonitorEvidence {
    MonitorEvidence {
        name: names.monitor.as_ref().map(InstanceName::to_string),
        answer: sites.monitor.answer.clone(),
        last_backup: sites.monitored.clone(),
    }
}

pub(super) fn why_silent(answer: &EndpointAnswer) -> String {
    match answer {
        EndpointAnswer::LoggedIn => "it answers".to_string(),
        EndpointAnswer::Answers { why } | EndpointAnswer::Unreachable { why } | EndpointAnswer::NotTried { why } => {
            why.clone()
        }
        EndpointAnswer::Refused { .. } => "it refuses connections".to_string(),
        EndpointAnswer::NotNamed => "it is not named".to_string(),
    }
}
