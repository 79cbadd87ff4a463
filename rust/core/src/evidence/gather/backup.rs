//! The backup instance: facts, database, log shipping, sessions, lock.

use std::path::PathBuf;

use chrono::NaiveDateTime;

use super::{Folder, Sources};
use crate::document::FailoverRequest;
use crate::error::{Error, ErrorKind, Result};
use crate::evidence::{Capture, DatabaseEvidence, LogShippingEvidence, LogShippingSource, PlaceRole, Reading};
use crate::files::client_candidates;
use crate::journal;
use crate::log_chain::RedoPoint;
use crate::names::{InstanceName, ServerPath};
use crate::sql::connection::{self, DatabaseSession};
use crate::sql::database::{self, DatabaseState, OrphanedUser, Writer};
use crate::sql::instance::{self, InstanceFacts};
use crate::sql::mirror::MirrorEndpoint;
use crate::sql::{job, lock, log_shipping, mirror, Connection, Purpose};

/// What the backup instance told.
pub(super) struct Backup {
    pub facts: InstanceFacts,
    pub default_backup_folder: Option<ServerPath>,
    pub mirror_endpoint: Option<MirrorEndpoint>,
    pub state: Option<DatabaseEvidence>,
    pub redo: Reading<RedoPoint>,
    pub log_shipping: LogShippingEvidence,
    /// The instances whose backups were restored, the last one first.
    pub writers: Vec<Writer>,
    /// The primary's mirror, as an earlier run of ours knew it.
    pub captured_mirror: Option<String>,
    pub sessions: Reading<Vec<DatabaseSession>>,
    pub orphaned_users: Reading<Vec<OrphanedUser>>,
    pub lock_holder: Reading<Option<String>>,
}

/// Asks the backup instance on a connection of its own.
pub(super) async fn read(sources: Sources<'_>, name: &InstanceName, request: &FailoverRequest) -> Result<Backup> {
    let database = request.target.database.as_str();
    let mut connection = sources.connector.connect(name, Purpose::Catalog).await?;
    let facts = instance::read_facts(&mut connection).await?;
    let state = read_database(&mut connection, database).await?;
    let redo = match &state {
        Some(state) if state.facts.state.is_secondary() => database::redo_point(&mut connection, database).await.into(),
        Some(state) => Reading::NotAsked(format!("the database is {}", state.facts.state.as_text().to_uppercase())),
        None => Reading::NotAsked("there is no such database".to_string()),
    };
    let (log_shipping, captured_mirror) = read_log_shipping(&mut connection, request, name).await?;
    let writers = database::writers(&mut connection, database).await.unwrap_or_default();
    let sessions = match facts.is_sysadmin || facts.sees_all_sessions {
        true => connection::list(&mut connection, database).await.map(without_own).into(),
        false => Reading::Unknown("the login lacks VIEW SERVER STATE".to_string()),
    };
    let is_readable = |state: DatabaseState| matches!(state, DatabaseState::Online | DatabaseState::Standby);
    let orphaned_users = match &state {
        Some(state) if is_readable(state.facts.state) => {
            database::orphaned_users(&mut connection, database).await.into()
        }
        Some(state) => Reading::NotAsked(format!("the database is {}", state.facts.state.as_text().to_uppercase())),
        None => Reading::NotAsked("there is no such database".to_string()),
    };
    let lock_holder = lock::holder(&mut connection, database).await;
    let lock_holder = lock_holder.map(|holder| holder.map(|holder| holder.to_string())).into();
    let default_backup_folder = instance::default_backup_folder(&mut connection).await.ok().flatten();
    let mirror_endpoint = mirror::read_endpoint(&mut connection).await.ok().flatten();
    connection.close().await;
    Ok(Backup {
        facts,
        default_backup_folder,
        mirror_endpoint,
        state,
        redo,
        log_shipping,
        writers,
        captured_mirror,
        sessions,
        orphaned_users,
        lock_holder,
    })
}

fn without_own(sessions: Vec<DatabaseSession>) -> Vec<DatabaseSession> {
    sessions.into_iter().filter(|session| !session.is_own && session.is_user).collect()
}

async fn read_database(connection: &mut Connection, database: &str) -> Result<Option<DatabaseEvidence>> {
    let Some(facts) = database::read(connection, database).await? else { return Ok(None) };
    let mirroring = mirror::read(connection, database).await?;
    let files = database::files(connection, database).await?;
    Ok(Some(DatabaseEvidence { facts, mirroring, files }))
}

/// The record, or what is left of it: a capture in the journal, the request, the restore history. With it the primary's
/// mirror, where the capture names it.
async fn read_log_shipping(
    connection: &mut Connection,
    request: &FailoverRequest,
    instance: &InstanceName,
) -> Result<(LogShippingEvidence, Option<String>)> {
    let database = request.target.database.as_str();
    if let Some(record) = log_shipping::read_secondary(connection, database).await? {
        let found = LogShippingEvidence {
            source: LogShippingSource::Record,
            copy_job: job::read(connection, record.copy_job_id).await?,
            restore_job: job::read(connection, record.restore_job_id).await?,
            copy_job_failed: job::last_outcome(connection, record.copy_job_id)
                .await?
                .is_some_and(|last| last.run_status == 0),
            can_ignore_monitor: log_shipping::can_ignore_monitor(connection).await.unwrap_or(false),
            record: Some(record),
            history_folders: Vec::new(),
        };
        return Ok((found, None));
    }
    let history = database::last_restore(connection, database).await.ok().flatten();
    let history_folders: Vec<ServerPath> = history.and_then(|last| last.path?.parent()).into_iter().collect();
    let mut found = LogShippingEvidence {
        source: LogShippingSource::None,
        record: None,
        copy_job: None,
        restore_job: None,
        copy_job_failed: false,
        can_ignore_monitor: false,
        history_folders,
    };
    let folders = &request.folders;
    let mut mirror = None;
    if let Some((run_id, capture)) = captured(request, instance, &found.history_folders).await {
        found.source = LogShippingSource::Journal { run_id };
        found.record = capture.log_shipping.record;
        mirror = capture.primary.mirror.name;
    } else if folders.log_backup_share.is_some() || folders.copy_folder.is_some() {
        found.source = LogShippingSource::Request;
    } else if !found.history_folders.is_empty() {
        found.source = LogShippingSource::History;
    }
    Ok((found, mirror))
}

/// The newest capture with a record, in the journal's folders and, where this machine sees it, the copy folder.
async fn captured(
    request: &FailoverRequest,
    instance: &InstanceName,
    history_folders: &[ServerPath],
) -> Option<(String, Capture)> {
    let given = |path: &Option<String>| path.as_deref().map(PathBuf::from);
    let mut folders = vec![given(&request.journal.journal_path).unwrap_or_else(journal::default_folder)];
    folders.extend(given(&request.journal.journal_copy_path));
    let named = request.folders.copy_folder.as_deref().map(ServerPath::new);
    for folder in named.iter().chain(history_folders) {
        let candidates = client_candidates(folder, &instance.host, &request.folders.path_map);
        folders.extend(candidates.iter().map(|candidate| candidate.as_path().to_path_buf()));
    }
    let (name, database) = (request.target.sql_instance.clone(), request.target.database.clone());
    let search = tokio::task::spawn_blocking(move || {
        let has_record = |value: &serde_json::Value| !value["log_shipping"]["record"].is_null();
        let found = journal::newest_capture(&folders, &name, &database, has_record)?;
        Some((found.run_id, serde_json::from_value::<Capture>(found.capture).ok()?))
    });
    search.await.ok().flatten()
}

/// The folders to look into: what the request names goes before what the record says.
pub(super) fn folders(
    log_shipping: &LogShippingEvidence,
    request: &FailoverRequest,
    now_utc: NaiveDateTime,
) -> Vec<Folder> {
    let record = log_shipping.record.as_ref();
    let named = |path: &Option<String>| path.as_deref().filter(|p| !p.trim().is_empty()).map(ServerPath::new);
    let copy = named(&request.folders.copy_folder).or_else(|| record.map(|r| r.backup_destination_directory.clone()));
    let named_share = named(&request.folders.log_backup_share);
    let recorded = record.map(|r| r.backup_source_directory.clone());
    let is_recorded = |share: &ServerPath| recorded.as_ref().is_some_and(|recorded| recorded.same_as(share));
    let is_only_named = named_share.as_ref().is_some_and(|share| !is_recorded(share));
    // A share that is named in its stead hides nothing that the recorded one still shows.
    let second = recorded.clone().filter(|_| is_only_named);
    let share = named_share.or(recorded);
    let additional = request.folders.additional_log_backup_folders.iter().map(|path| ServerPath::new(path.as_str()));
    let folder = |role| move |path| Folder { role, path, is_only_named: false, tells_the_end: false, kept_since: None };
    let second = second.map(|path| Folder { tells_the_end: true, ..folder(PlaceRole::Additional)(path) });
    // The share is tidied by the primary, and its own retention stands there; that of the copies is the one that is known.
    let kept =
        record.map(|record| chrono::Duration::minutes(record.file_retention_minutes)).filter(|kept| !kept.is_zero());
    let kept_since = kept.and_then(|kept| now_utc.checked_sub_signed(kept));
    copy.map(folder(PlaceRole::CopyFolder))
        .into_iter()
        .chain(share.map(|path| Folder {
            role: PlaceRole::Share,
            path,
            is_only_named,
            tells_the_end: true,
            kept_since,
        }))
        .chain(additional.map(folder(PlaceRole::Additional)))
        .chain(second)
        .collect()
}

/// An error for a name in the request that is none.
pub(super) fn not_an_instance(parameter: &str, error: &Error) -> Error {
    Error::new(ErrorKind::InvalidValue, format!("{parameter}: {}", error.message))
        .with_next(error.next.clone())
        .with_target(error.target.clone())
}
