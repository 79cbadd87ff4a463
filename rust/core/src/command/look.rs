//! The evidence for a single command: one database and its log backups, without the pool.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::document::{FailoverRequest, Folders, JournalPlace, Spellings, Target, DOCUMENT_VERSION};
use crate::error::{Error, ErrorKind, Result};
use crate::evidence::{count, DatabaseEvidence, Evidence, LogShippingSource, Reading};
use crate::failover::look::{gather, gather_log_backups};
use crate::failover::plan::{decision_facts, Decision};
use crate::host::{Cancel, Host, Level};
use crate::log_chain::{Trouble, UnreadFile};
use crate::names::ServerPath;
use crate::operation::Session;

/// How long each of the other endpoints may stay silent.
const PROBE_SECONDS: u32 = 5;

/// A request of a single command in the form that evidence and steps understand. The pool stays out of it: its native
/// commands are not asked.
pub(super) fn as_failover(target: &Target, folders: &Folders, journal: &JournalPlace) -> FailoverRequest {
    FailoverRequest {
        version: DOCUMENT_VERSION,
        target: Target { pool_fqdn: None, ..target.clone() },
        folders: folders.clone(),
        journal: journal.clone(),
        active_servers: Vec::new(),
        mirror_file_share: None,
        primary_sql_instance: None,
        primary_mirror_sql_instance: None,
        backup_mirror_sql_instance: None,
        monitor_sql_instance: None,
        outage_utc: None,
        accept_data_loss: None,
        ignore_witness: Vec::new(),
        mirror_after_active_servers: false,
        no_log_backup: true,
        log_backup_path: None,
        log_backup_interval_minutes: 15,
        max_megabytes_per_second: None,
        probe_timeout_seconds: PROBE_SECONDS,
        pool_timeout_seconds: 60,
        spellings: Spellings::default(),
    }
}

/// Whether the dead site is asked too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Site {
    /// For recovery and removal: what it says counts, or is kept.
    Asked,
    /// For work on log backups: its silence would only cost time.
    LeftOut,
}

/// Reads the evidence. Where log shipping was removed by hand and nothing is named, the folder that restored log backups
/// came from is taken for the copy folder, and the request says so from then on.
///
/// # Errors
/// What keeps the backup instance from answering; `Cancelled` (1007).
pub(super) async fn look(
    session: &Arc<Session>,
    host: &Arc<dyn Host>,
    request: &mut FailoverRequest,
    site: Site,
    cancel: &Cancel,
) -> Result<Evidence> {
    let evidence = read(session, host, request, site, cancel).await?;
    let Some(folder) = folder_of_history(&evidence, request) else { return Ok(evidence) };
    host.message(
        Level::Warning,
        format!(
            "Log shipping of {} is not configured and no copy folder is named: {folder}, where restored log backups came from, is \
             taken for it. Name the share with -LogBackupShare, the folder with -CopyFolder.",
            evidence.database
        ),
    );
    request.folders.copy_folder = Some(folder.to_string());
    read(session, host, request, site, cancel).await
}

/// The same as it stands, without looking for folders.
pub(super) async fn read(
    session: &Arc<Session>,
    host: &Arc<dyn Host>,
    request: &FailoverRequest,
    site: Site,
    cancel: &Cancel,
) -> Result<Evidence> {
    match site {
        Site::Asked => gather(session, host, request, None, cancel).await,
        Site::LeftOut => gather_log_backups(session, host, request, cancel).await,
    }
}

fn folder_of_history(evidence: &Evidence, request: &FailoverRequest) -> Option<ServerPath> {
    let nobody_tells =
        request.folders.copy_folder.is_none() && evidence.log_shipping.source == LogShippingSource::History;
    evidence.log_shipping.history_folders.first().filter(|_| nobody_tells).cloned()
}

/// Refuses where nobody tells a single folder.
///
/// # Errors
/// `LogShippingNotFound` (4001).
pub(super) fn need_folders(evidence: &Evidence) -> Result<()> {
    if !evidence.files.places.is_empty() {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::LogShippingNotFound,
        format!(
            "`{}` on {} is not log shipped, and neither a journal nor restore history tells where its log backups are.",
            evidence.database, evidence.sql_instance
        ),
    )
    .with_unchanged("Nothing was changed.")
    .with_next("Name the folders with `-LogBackupShare` and `-CopyFolder`.")
    .with_target(evidence.database.as_str()))
}

/// Refuses where the login could not read what it is decided on. That a file cannot be read says something about
/// the file only where the login may read files at all.
///
/// # Errors
/// `PermissionMissing` (3002).
pub(super) fn need_rights(evidence: &Evidence) -> Result<()> {
    let is_closed = |file: &&UnreadFile| matches!(file.trouble, Trouble::Unreadable(_));
    let closed = evidence.files.listing.unread.iter().filter(is_closed).count();
    let cannot_tell = matches!(evidence.files.redo, Reading::Unknown(_));
    if evidence.instance.is_sysadmin || (closed == 0 && !cannot_tell) {
        return Ok(());
    }
    let what = match closed {
        0 => "the redo point cannot be read".to_string(),
        _ => format!("{} cannot be read", count(closed, "log backup", "log backups")),
    };
    Err(rights_missing(evidence, &what))
}

/// The error for a login that is no sysadmin; `what` it cannot do.
pub(super) fn rights_missing(evidence: &Evidence, what: &str) -> Error {
    Error::new(
        ErrorKind::PermissionMissing,
        format!("{} is no member of sysadmin on {}, and {what}.", evidence.instance.login, evidence.sql_instance),
    )
    .with_unchanged("Nothing was changed.")
    .with_next("Use a login that is a member of sysadmin, or give one with `-SqlCredential`.")
    .with_target(evidence.sql_instance.as_str())
}

/// The database, where it is on the instance.
///
/// # Errors
/// `DatabaseNotFound` (3003).
pub(super) fn need_database(evidence: &Evidence) -> Result<&DatabaseEvidence> {
    evidence.state.as_ref().ok_or_else(|| {
        Error::new(
            ErrorKind::DatabaseNotFound,
            format!(
                "{}: there is no database `{}`, or the login may not see it.",
                evidence.sql_instance, evidence.database
            ),
        )
        .with_unchanged("Nothing was changed.")
        .with_next("Check -SqlInstance and -Database.")
        .with_target(evidence.database.as_str())
    })
}

/// Refuses unless a log backup could be restored.
///
/// # Errors
/// `DatabaseNotFound` (3003), `DatabaseNotSecondary` (5004), also for a mirror copy, which is RESTORING as well.
pub(super) fn need_secondary(evidence: &Evidence) -> Result<&DatabaseEvidence> {
    let database = need_database(evidence)?;
    if database.is_restoring() || database.is_standby() {
        return Ok(database);
    }
    let found = match &database.mirroring {
        Some(_) => "a partner of database mirroring".to_string(),
        None => format!("{}, neither RESTORING nor STANDBY", database.facts.state.as_text().to_uppercase()),
    };
    Err(Error::new(
        ErrorKind::DatabaseNotSecondary,
        format!("{}: `{}` is {found}.", evidence.sql_instance, evidence.database),
    )
    .with_unchanged("Nothing was changed.")
    .with_next("Check that this is the backup instance and that the database was not recovered before.")
    .with_target(evidence.database.as_str()))
}

/// The error for a redo point that nobody tells.
pub(super) fn redo_unknown(evidence: &Evidence) -> Error {
    let why = evidence.files.redo.why().unwrap_or("it was not read");
    Error::new(ErrorKind::RedoPointUnknown, format!("the redo point of `{}` cannot be told: {why}.", evidence.database))
        .with_unchanged("Nothing was changed.")
        .with_next("Restore one log backup that is certain to come next, then look again.")
        .with_target(evidence.database.as_str())
}

/// The named ones of the facts that a failover's decision rests on.
pub(super) fn facts(
    evidence: &Evidence,
    request: &FailoverRequest,
    decision: &Decision,
    wanted: &[&str],
) -> BTreeMap<String, String> {
    let mut facts = decision_facts(evidence, request, decision);
    facts.retain(|name, _| wanted.contains(&name.as_str()));
    facts
}
