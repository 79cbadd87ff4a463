//! Reading the evidence. Nothing is changed; what is slow is asked side by side.
//!
//! The backup instance and the management shell are asked at once; with the names that they tell, the other endpoints are
//! probed, each within its limit, while folders are listed and headers read. Only the backup instance must answer.

mod backup;
mod compliance;
mod files;
mod journal;
mod remote;
mod shell;

pub(crate) use files::may_be_log_backup;
pub use files::{look_at_files, FileLook, Folder};
pub(crate) use journal::journal_places;
pub(crate) use shell::read as read_pool;

use std::time::Duration;

use chrono::Utc;

use super::{Capture, Evidence, PlaceEvidence, PlaceRole, PrimaryEvidence, Reading, ShareEvidence, WITNESS_NAMES};
use crate::check::primary_is_down::{PRIMARY, PRIMARY_DAMAGED};
use crate::document::FailoverRequest;
use crate::error::{Error, ErrorKind, Result};
use crate::files::{client_candidates, FileSystem};
use crate::host::{Cancel, Host, Progress};
use crate::names::{InstanceName, ServerPath};
use crate::sql::{file, Connector, Purpose};

/// The ways to what is read.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    pub connector: &'a Connector,
    pub files: &'a dyn FileSystem,
    pub host: &'a dyn Host,
}

/// Reads everything that a failover is decided on. Changes nothing.
///
/// `earlier` is what the same run read before: files and log backups that came since its first failed probe then speak
/// against the primary's death too.
///
/// # Errors
/// What keeps the backup instance from answering (2001 to 2009); `InvalidValue` (1002) for names in the request;
/// `Cancelled` (1007), at once. Everything else that cannot be read is told in the evidence.
pub async fn gather(
    sources: Sources<'_>,
    request: &FailoverRequest,
    earlier: Option<&Capture>,
    cancel: &Cancel,
) -> Result<Evidence> {
    cancel.check()?;
    known_witnesses(&request.ignore_witness, &request.active_servers)?;
    tokio::select! {
        evidence = Box::pin(read_all(sources, request, earlier, Others::All)) => evidence,
        () = cancel.cancelled() => Err(cancelled()),
    }
}

/// The same without the primary and the mirrors, which a dead site is slow to be silent about: for work on log backups
/// alone. Changes nothing.
///
/// # Errors
/// As [`gather`].
pub async fn gather_log_backups(sources: Sources<'_>, request: &FailoverRequest, cancel: &Cancel) -> Result<Evidence> {
    cancel.check()?;
    tokio::select! {
        evidence = Box::pin(read_all(sources, request, None, Others::MonitorAlone)) => evidence,
        () = cancel.cancelled() => Err(cancelled()),
    }
}

/// Which of the other instances are asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Others {
    All,
    MonitorAlone,
}

async fn read_all(
    sources: Sources<'_>,
    request: &FailoverRequest,
    earlier: Option<&Capture>,
    others: Others,
) -> Result<Evidence> {
    let instance: InstanceName = request.target.sql_instance.parse()?;
    tell(sources.host, request, "asking the backup instance and the management shell");
    let (connected, pool) = tokio::join!(
        Box::pin(backup::read(sources, &instance, request)),
        shell::read(sources.host, request.target.pool_fqdn.as_deref(), &request.spellings, &request.active_servers),
    );
    let backup = connected?;
    let folders = backup::folders(&backup.log_shipping, request, backup.facts.now_utc);

    tell(sources.host, request, "probing the other instances, listing folders, reading headers");
    let mut names = remote::Names::of(&backup, &pool, request)?;
    if others == Others::MonitorAlone {
        names.monitor_alone();
    } else if let Some(capture) = earlier {
        names.keep(&capture.primary);
    }
    let limit = Duration::from_secs(u64::from(request.probe_timeout_seconds.max(1)));
    let read_first = match (names.primary.is_none() || names.wants_writer, others) {
        (true, Others::All) => Some(Box::pin(read_files(sources, &instance, request, &folders, &backup)).await?),
        _ => None,
    };
    if let Some(look) = &read_first {
        names.take_writer(look.newest_writer());
    }
    let read_files = async {
        match read_first {
            Some(look) => Ok(look),
            None => read_files(sources, &instance, request, &folders, &backup).await,
        }
    };
    let (sites, look, mirror_file_share) = tokio::join!(
        Box::pin(remote::probe_all(sources.connector, &names, limit)),
        Box::pin(read_files),
        Box::pin(mirror_file_share(sources, &instance, request)),
    );
    remote::each_has_one_role(request, (&instance, &backup.facts.server_name), &sites)?;
    let (mut look, mirror_file_share) = (look?, mirror_file_share);

    let first_failed_probe_utc =
        earlier.and_then(|capture| capture.primary.first_failed_probe_utc).or(sites.first_failed_probe_utc);
    let baseline = earlier.and_then(|capture| share_of(&capture.places)).or_else(|| share_of(&look.places));
    let later_files = look.watch_share(sources, &instance, baseline).await;
    let monitor = remote::monitor(&sites, &names);
    let record = backup.log_shipping.record.as_ref();
    look.take_known_end(sources.connector, &instance, &monitor, record, first_failed_probe_utc).await?;
    let compliance = match others {
        Others::All => Box::pin(compliance::read(sources, &instance, &pool, (&names, &sites), limit)).await,
        Others::MonitorAlone => Vec::new(),
    };
    let primary = PrimaryEvidence {
        name: names.primary.as_ref().map(InstanceName::to_string),
        database_name: names.primary_database.clone(),
        answer: sites.primary.answer,
        first_failed_probe_utc,
        database: sites.primary.database,
        mirror: sites.primary_mirror,
        elsewhere: sites.elsewhere,
        later_files,
        monitor,
    };
    // Journals are read for a run alone, not for each command on log backups.
    let begins_a_run = earlier.is_none() && others == Others::All;
    let journal = journal::read(sources.files, request, &look.places, begins_a_run).await;
    Ok(Evidence {
        gathered_at_utc: Utc::now(),
        sql_instance: request.target.sql_instance.clone(),
        database: request.target.database.clone(),
        files: look.into_evidence(&backup),
        instance: backup.facts,
        default_backup_folder: backup.default_backup_folder,
        mirror_endpoint: backup.mirror_endpoint,
        state: backup.state,
        log_shipping: backup.log_shipping,
        sessions: backup.sessions,
        orphaned_users: backup.orphaned_users,
        primary,
        backup_mirror: sites.backup_mirror,
        pool,
        mirror_file_share,
        journal,
        lock_holder: backup.lock_holder,
        compliance,
    })
}

/// Reads anew what changes while a run works: the backup instance, folders, headers. The rest is taken over from
/// `earlier`, whose share is the baseline for files that came since. Changes nothing.
///
/// # Errors
/// As [`gather`].
pub async fn look_again(
    sources: Sources<'_>,
    request: &FailoverRequest,
    earlier: &Evidence,
    cancel: &Cancel,
) -> Result<Evidence> {
    cancel.check()?;
    tokio::select! {
        evidence = Box::pin(read_again(sources, request, earlier, false)) => evidence,
        () = cancel.cancelled() => Err(cancelled()),
    }
}

/// The same, and the primary, its mirror and the monitor are probed anew: while files were copied and restored, the
/// primary may have come back. Changes nothing.
///
/// # Errors
/// As [`gather`].
pub async fn look_again_with_primary(
    sources: Sources<'_>,
    request: &FailoverRequest,
    earlier: &Evidence,
    cancel: &Cancel,
) -> Result<Evidence> {
    cancel.check()?;
    tokio::select! {
        evidence = Box::pin(read_again(sources, request, earlier, true)) => evidence,
        () = cancel.cancelled() => Err(cancelled()),
    }
}

async fn read_again(
    sources: Sources<'_>,
    request: &FailoverRequest,
    earlier: &Evidence,
    with_primary: bool,
) -> Result<Evidence> {
    let instance: InstanceName = request.target.sql_instance.parse()?;
    let mut backup = backup::read(sources, &instance, request).await?;
    if backup.log_shipping.record.is_none() {
        backup.log_shipping.record.clone_from(&earlier.log_shipping.record);
    }
    let folders = backup::folders(&backup.log_shipping, request, backup.facts.now_utc);
    let read_primary = async {
        match with_primary {
            true => primary_again(sources, request, &backup, earlier).await,
            false => Ok(earlier.primary.clone()),
        }
    };
    let (look, primary) =
        tokio::join!(Box::pin(read_files(sources, &instance, request, &folders, &backup)), Box::pin(read_primary));
    let (mut look, mut primary) = (look?, primary?);
    let (record, silent_since) = (backup.log_shipping.record.as_ref(), primary.first_failed_probe_utc);
    look.take_known_end(sources.connector, &instance, &primary.monitor, record, silent_since).await?;
    primary.later_files = look.watch_share(sources, &instance, share_of(&earlier.files.places)).await;
    Ok(Evidence {
        gathered_at_utc: Utc::now(),
        sql_instance: earlier.sql_instance.clone(),
        database: earlier.database.clone(),
        files: look.into_evidence(&backup),
        instance: backup.facts,
        default_backup_folder: backup.default_backup_folder,
        mirror_endpoint: backup.mirror_endpoint,
        state: backup.state,
        log_shipping: backup.log_shipping,
        sessions: backup.sessions,
        orphaned_users: backup.orphaned_users,
        primary,
        backup_mirror: earlier.backup_mirror.clone(),
        pool: earlier.pool.clone(),
        mirror_file_share: earlier.mirror_file_share.clone(),
        journal: earlier.journal.clone(),
        lock_holder: backup.lock_holder,
        compliance: earlier.compliance.clone(),
    })
}

async fn primary_again(
    sources: Sources<'_>,
    request: &FailoverRequest,
    backup: &backup::Backup,
    earlier: &Evidence,
) -> Result<PrimaryEvidence> {
    let mut names = remote::Names::of(backup, &earlier.pool, request)?;
    names.backup_mirror = None;
    names.keep(&earlier.primary);
    let limit = Duration::from_secs(u64::from(request.probe_timeout_seconds.max(1)));
    let sites = remote::probe_all(sources.connector, &names, limit).await;
    let monitor = remote::monitor(&sites, &names);
    // What a monitor said stays said though it has fallen silent.
    let monitor = if monitor.last_backup.known().is_some() { monitor } else { earlier.primary.monitor.clone() };
    Ok(PrimaryEvidence {
        answer: sites.primary.answer,
        database: sites.primary.database,
        mirror: sites.primary_mirror,
        elsewhere: sites.elsewhere,
        monitor,
        ..earlier.primary.clone()
    })
}

/// True where both may mean one server: its FQDN, or its name without the domain.
fn begins_the_same(a: &str, b: &str) -> bool {
    let host = |name: &str| name.split('.').next().unwrap_or_default().to_lowercase();
    a.eq_ignore_ascii_case(b) || ((!a.contains('.') || !b.contains('.')) && host(a) == host(b))
}

/// Refuses the name of a witness that there is not: it would ignore nothing.
fn known_witnesses(ignored: &[String], servers: &[String]) -> Result<()> {
    let known: Vec<&str> = WITNESS_NAMES.iter().copied().chain([PRIMARY_DAMAGED, PRIMARY]).collect();
    let is_known = |given: &str| {
        known
            .iter()
            .any(|name| given.eq_ignore_ascii_case(name) || given.eq_ignore_ascii_case(&format!("Witness{name}")))
            || servers.iter().any(|server| begins_the_same(given, server))
    };
    match ignored.iter().find(|given| !is_known(given)) {
        None => Ok(()),
        Some(unknown) => Err(Error::new(
            ErrorKind::InvalidValue,
            format!(
                "`-IgnoreWitness {unknown}` names no witness and no server to be active; there are {}.",
                known.join(", ")
            ),
        )
        .with_unchanged("Nothing was changed.")
        .with_next("Give the name that the refused check shows.")),
    }
}

fn cancelled() -> Error {
    Error::new(ErrorKind::Cancelled, "the operation was cancelled.")
}

async fn read_files(
    sources: Sources<'_>,
    instance: &InstanceName,
    request: &FailoverRequest,
    folders: &[Folder],
    backup: &backup::Backup,
) -> Result<FileLook> {
    let redo = backup.redo.known();
    let on = (instance, request.target.database.as_str());
    look_at_files(sources.connector, sources.files, on, folders, &request.folders.path_map, redo).await
}

/// The share as a look saw it.
fn share_of(places: &[PlaceEvidence]) -> Option<PlaceEvidence> {
    places.iter().find(|place| place.role == PlaceRole::Share).cloned()
}

async fn mirror_file_share(
    sources: Sources<'_>,
    instance: &InstanceName,
    request: &FailoverRequest,
) -> Reading<ShareEvidence> {
    let Some(path) = request.mirror_file_share.as_deref().filter(|path| path.starts_with(r"\\")) else {
        return Reading::NotAsked("no share is named".to_string());
    };
    let server = ServerPath::new(path);
    let by_server = async {
        let mut connection = sources.connector.connect(instance, Purpose::Files).await.ok()?;
        let seen = file::look(&mut connection, &server).await.ok();
        connection.close().await;
        seen.map(|state| state == file::PathState::Folder)
    };
    let by_client = async {
        for candidate in client_candidates(&server, &instance.host, &request.folders.path_map) {
            match tokio::time::timeout(files::CLIENT_LIMIT, sources.files.look(&candidate)).await {
                Ok(Ok(found)) => return Some(found.is_some_and(|entry| entry.is_folder)),
                Ok(Err(_)) | Err(_) => continue,
            }
        }
        None
    };
    let (seen_by_server, seen_by_client) = tokio::join!(by_server, by_client);
    Reading::Known(ShareEvidence { path: path.to_string(), seen_by_client, seen_by_server })
}

fn tell(host: &dyn Host, request: &FailoverRequest, operation: &str) {
    host.progress(Progress {
        activity: format!("Reading the evidence for {} on {}", request.target.database, request.target.sql_instance),
        status: "Read only".to_string(),
        operation: operation.to_string(),
        ..Progress::default()
    });
}

#[cfg(test)]
mod tests;
