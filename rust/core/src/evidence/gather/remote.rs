//! The other instances: probed side by side, each within its limit; those that answer are asked for the database.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::backup::{not_an_instance, Backup};
use crate::document::FailoverRequest;
use crate::error::{Error, ErrorKind, Result};
use crate::evidence::one_role::{refuse_two_roles, InRole};
use crate::evidence::{
    EndpointAnswer, MirrorInstanceEvidence, MonitorEvidence, MonitoredBackup, NamedElsewhere, PoolEvidence,
    PrimaryEvidence, Reading, RemoteDatabase,
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
    /// Who they are by what was read, where the request names others.
    elsewhere: Vec<Elsewhere>,
    /// True where the request alone names the primary, so that the headers of log backups are asked too.
    pub wants_writer: bool,
    database: String,
}

/// An instance that the request does not name, and what names it.
struct Elsewhere {
    name: InstanceName,
    by: String,
    as_mirror: bool,
}

impl Names {
    /// Names of the request before those of the log shipping record, and these before the topology's. Where none of them
    /// tells the primary or its mirror, restore history does: the primary wrote what was restored last, and its mirror what
    /// was restored before a change of their roles.
    ///
    /// A name of the request takes the place of none: whom the record, history or topology names is asked beside it.
    pub fn of(backup: &Backup, pool: &PoolEvidence, request: &FailoverRequest) -> Result<Names> {
        let given = |parameter: &str, name: &Option<String>| -> Result<Option<InstanceName>> {
            let name = name.as_deref().filter(|name| !name.trim().is_empty());
            name.map(|name| name.parse().map_err(|error| not_an_instance(parameter, &error))).transpose()
        };
        let record = backup.log_shipping.record.as_ref();
        let recorded = |name: Option<&str>| name.and_then(|name| name.parse::<InstanceName>().ok());
        let service = pool.service();
        let own: Option<InstanceName> = backup.facts.server_name.parse().ok();
        for (parameter, name) in [
            ("-PrimarySqlInstance", &request.primary_sql_instance),
            ("-PrimaryMirrorSqlInstance", &request.primary_mirror_sql_instance),
            ("-BackupMirrorSqlInstance", &request.backup_mirror_sql_instance),
        ] {
            if given(parameter, name)?.zip(own.as_ref()).is_some_and(|(name, own)| is_one_host(&name, own)) {
                return Err(names_the_backup(parameter, &backup.facts.server_name));
            }
        }
        let in_record = recorded(record.map(|record| record.primary_server.as_str())).map(|name| (name, RECORD));
        let in_history = || recorded(backup.writers.first().map(|writer| writer.server.as_str()));
        let read = in_record.or_else(|| in_history().map(|name| (name, HISTORY)));
        let named = given("-PrimarySqlInstance", &request.primary_sql_instance)?;
        let wants_writer = named.is_some() && read.is_none();
        let primary = named.or_else(|| read.as_ref().map(|(name, _)| name.clone()));
        let like_primary = primary.as_ref().and_then(|name| name.instance.as_deref());
        let like_backup = own.as_ref().and_then(|name| name.instance.as_deref());
        let is_a_primary = |writer: &InstanceName| {
            let known = primary.iter().chain(read.as_ref().map(|(name, _)| name));
            known.into_iter().any(|name| is_one_host(name, writer))
        };
        let read_mirror = service
            .and_then(|service| store(pool, service.primary_mirror_store.as_deref()?, like_primary))
            .map(|name| (name, TOPOLOGY))
            .or_else(|| recorded(backup.captured_mirror.as_deref()).map(|name| (name, CAPTURE)))
            .or_else(|| {
                let mut writers = backup.writers.iter().filter_map(|writer| recorded(Some(&writer.server)));
                writers.find(|writer| primary.is_some() && !is_a_primary(writer)).map(|name| (name, HISTORY))
            });
        let named_mirror = given("-PrimaryMirrorSqlInstance", &request.primary_mirror_sql_instance)?;
        let primary_mirror = named_mirror.clone().or_else(|| read_mirror.as_ref().map(|(name, _)| name.clone()));
        let backup_mirror = given("-BackupMirrorSqlInstance", &request.backup_mirror_sql_instance)?
            .or_else(|| store(pool, service?.backup_mirror_store.as_deref()?, like_backup));
        let is_own = |name: &InstanceName| name.to_string().eq_ignore_ascii_case(&backup.facts.server_name);
        let monitor = given("-MonitorSqlInstance", &request.monitor_sql_instance)?
            .or_else(|| recorded(record.map(|record| record.monitor_server.as_str())).filter(|name| !is_own(name)));
        let database = request.target.database.clone();
        let written = backup.writers.first().map(|writer| &writer.database);
        let primary_database = record.map(|record| &record.primary_database).or(written).unwrap_or(&database).clone();
        let elsewhere = Vec::new();
        let mut names = Names {
            primary,
            primary_database,
            primary_mirror,
            backup_mirror,
            monitor,
            elsewhere,
            wants_writer,
            database,
        };
        // The one that the request names as the mirror is the mirror, though the roles were others when it was recorded.
        let is_mirror = |name: &InstanceName| named_mirror.as_ref().is_some_and(|mirror| is_one_host(mirror, name));
        for ((name, by), as_mirror) in
            read.map(|read| (read, false)).into_iter().chain(read_mirror.map(|read| (read, true)))
        {
            if !is_own(&name) {
                let as_mirror = as_mirror || is_mirror(&name);
                names.ask_too(Elsewhere { name, by: by.to_string(), as_mirror });
            }
        }
        Ok(names)
    }

    /// Takes one that was read among those who are asked, unless it is already there under the very same name.
    fn ask_too(&mut self, other: Elsewhere) {
        let asked =
            self.primary.iter().chain(&self.primary_mirror).chain(self.elsewhere.iter().map(|other| &other.name));
        let text = other.name.to_string();
        if asked.into_iter().all(|name| !name.to_string().eq_ignore_ascii_case(&text)) {
            self.elsewhere.push(other);
        }
    }

    /// Who is asked beside those of the request, and whether as a mirror.
    #[cfg(test)]
    pub fn asked_too(&self) -> Vec<(String, bool)> {
        self.elsewhere.iter().map(|other| (other.name.to_string(), other.as_mirror)).collect()
    }

    /// Nobody but the monitor.
    pub fn monitor_alone(&mut self) {
        (self.primary, self.primary_mirror, self.backup_mirror) = (None, None, None);
        self.elsewhere.clear();
    }

    /// Takes the writer of the newest log backup for the primary, where neither record nor history tells one.
    pub fn take_writer(&mut self, writer: Option<Writer>) {
        let Some(writer) = writer else { return };
        let Ok(name) = writer.server.parse::<InstanceName>() else { return };
        if self.primary.is_none() {
            self.primary = Some(name);
            self.primary_database = writer.database;
        } else if self.wants_writer {
            let as_mirror = self.primary_mirror.as_ref().is_some_and(|mirror| is_one_host(mirror, &name));
            self.ask_too(Elsewhere { name, by: HEADERS.to_string(), as_mirror });
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
        for other in &earlier.elsewhere {
            if let Some(name) = other.instance.name.as_deref().and_then(|name| name.parse().ok()) {
                self.ask_too(Elsewhere { name, by: other.by.clone(), as_mirror: other.as_mirror });
            }
        }
    }

    /// True where this is the primary or the mirror of the request under another name (one host by its first label, one
    /// address by the address map, or a port in the place of the instance's name), or the request takes the mirror for the
    /// primary.
    fn explains(&self, connector: &Connector, other: &Elsewhere) -> bool {
        let names_the_mirror = self.primary.as_ref().zip(self.primary_mirror.as_ref());
        if names_the_mirror.is_some_and(|(primary, mirror)| is_one_host(primary, mirror)) {
            return true;
        }
        self.primary.iter().chain(&self.primary_mirror).any(|name| {
            let is_port = name.port.is_some() || other.name.port.is_some();
            is_one_host(name, &other.name)
                || (is_port && first_label(name) == first_label(&other.name))
                || connector.maps_to_one_address(name, &other.name)
        })
    }
}

/// What names an instance beside the request, in the words of checks.
const RECORD: &str = "the log shipping record";
const HISTORY: &str = "restore history";
const HEADERS: &str = "the header of the newest log backup";
const TOPOLOGY: &str = "the topology";
const CAPTURE: &str = "the capture of an earlier run";

fn names_the_backup(parameter: &str, own: &str) -> Error {
    let message = format!("`{parameter}` names {own} itself, the instance acted on.");
    Error::new(ErrorKind::InvalidValue, message)
        .with_unchanged("Nothing was started.")
        .with_next("Name the other instance, or leave it out.")
}

/// True where both are one host by its first label, and one instance.
fn is_one_host(a: &InstanceName, b: &InstanceName) -> bool {
    let key = |name: &InstanceName| (first_label(name), name.instance.as_deref().unwrap_or_default().to_lowercase());
    key(a) == key(b)
}

fn first_label(name: &InstanceName) -> String {
    name.host.split('.').next().unwrap_or_default().to_lowercase()
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
    pub elsewhere: Vec<NamedElsewhere>,
    monitor: MirrorInstanceEvidence,
    monitored: Reading<Option<MonitoredBackup>>,
    pub first_failed_probe_utc: Option<DateTime<Utc>>,
}

/// Probes all of them at once.
pub(super) async fn probe_all(connector: &Connector, names: &Names, limit: Duration) -> Sites {
    let at = |database: &str| database.to_string();
    let others = names.elsewhere.iter().map(|other| {
        let asked = Box::pin(probe(connector, Some(&other.name), at(&names.primary_database), limit));
        async move {
            NamedElsewhere {
                by: other.by.clone(),
                as_mirror: other.as_mirror,
                is_explained: names.explains(connector, other),
                instance: asked.await,
            }
        }
    });
    let (primary, primary_mirror, backup_mirror, monitor, elsewhere) = tokio::join!(
        Box::pin(probe(connector, names.primary.as_ref(), at(&names.primary_database), limit)),
        Box::pin(probe(connector, names.primary_mirror.as_ref(), at(&names.primary_database), limit)),
        Box::pin(probe(connector, names.backup_mirror.as_ref(), at(&names.database), limit)),
        Box::pin(probe(connector, names.monitor.as_ref(), at(&names.primary_database), limit)),
        Box::pin(futures_util::future::join_all(others)),
    );
    let failed = !primary.answer.is_alive() && primary.answer != EndpointAnswer::NotNamed;
    let monitored = match (&names.monitor, &monitor.answer) {
        (Some(name), EndpointAnswer::LoggedIn) => ask_monitor(connector, name, &names.primary_database).await.into(),
        (Some(_), answer) => Reading::Unknown(why_silent(answer)),
        (None, _) => Reading::NotAsked("log shipping has no monitor".to_string()),
    };
    let first_failed_probe_utc = failed.then(Utc::now);
    Sites { primary, primary_mirror, backup_mirror, elsewhere, monitor, monitored, first_failed_probe_utc }
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
    let state = state.map(|state| state.state.as_text().to_string());
    Ok(RemoteDatabase { state, mirroring, server_name: Some(facts.server_name) })
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

/// Refuses an instance that the request names for one role and that has another one too.
///
/// # Errors
/// `InvalidValue` (1002) with both roles.
pub(super) fn each_has_one_role(
    request: &FailoverRequest,
    (target, own_name): (&InstanceName, &str),
    sites: &Sites,
) -> Result<()> {
    let target = target.to_string();
    let is_given = |name: &Option<String>| name.as_deref().is_some_and(|name| !name.trim().is_empty());
    let mut found = vec![(InRole { role: "backup", name: &target, own_name: Some(own_name) }, false)];
    for (role, site, given) in [
        ("primary", &sites.primary, &request.primary_sql_instance),
        ("primary_mirror", &sites.primary_mirror, &request.primary_mirror_sql_instance),
        ("backup_mirror", &sites.backup_mirror, &request.backup_mirror_sql_instance),
    ] {
        let own_name = site.database.known().and_then(|database| database.server_name.as_deref());
        found.extend(site.name.as_deref().map(|name| (InRole { role, name, own_name }, is_given(given))));
    }
    for (index, (one, given)) in found.iter().enumerate() {
        for (other, _) in found[index + 1..].iter().filter(|(_, other_given)| *given || *other_given) {
            refuse_two_roles(one, other)?;
        }
    }
    Ok(())
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
