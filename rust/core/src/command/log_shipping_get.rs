//! `Get-PChatLogShipping`: the secondary's record, database state, redo point, jobs and lag. Reads only.

use std::path::PathBuf;
use std::sync::Arc;

use chrono::NaiveDateTime;
use serde_json::json;

use crate::document::{AgentJob, CountResult, JournalPlace, LogShipping, LogShippingGetRequest, Target};
use crate::error::{Error, ErrorKind, Result};
use crate::evidence::{utc_text, Capture};
use crate::files::client_candidates;
use crate::host::{Cancel, Host};
use crate::journal;
use crate::names::{InstanceName, ServerPath};
use crate::operation::{OperationResult, Session};
use crate::run::start::journal_folder;
use crate::sql::instance::InstanceFacts;
use crate::sql::job::Job;
use crate::sql::log_shipping::SecondaryRecord;
use crate::sql::{database, instance, job, log_shipping, Connection, Purpose};

/// Hands out one item `log_shipping`.
///
/// # Errors
/// What keeps the instance from answering; `DatabaseNotFound` (3003).
pub(crate) async fn log_shipping_get(
    session: Arc<Session>,
    request: LogShippingGetRequest,
    host: Arc<dyn Host>,
    cancel: Cancel,
) -> Result<OperationResult> {
    hand_out("log_shipping", session, (&request.target, Some(&request.journal)), host, cancel).await
}

/// The same document under the kind that was asked for.
pub(super) async fn hand_out(
    kind: &'static str,
    session: Arc<Session>,
    asked: (&Target, Option<&JournalPlace>),
    host: Arc<dyn Host>,
    cancel: Cancel,
) -> Result<OperationResult> {
    let item = tokio::select! {
        item = read(&session, asked) => item?,
        () = cancel.cancelled() => return Err(cancel.check().err().unwrap_or_else(gone)),
    };
    host.item(kind, json!(item)).await?;
    OperationResult::new("count", &CountResult { count: 1 })
}

fn gone() -> Error {
    Error::new(ErrorKind::Cancelled, "the operation was cancelled.")
}

async fn read(session: &Session, (target, place): (&Target, Option<&JournalPlace>)) -> Result<LogShipping> {
    let name: InstanceName = target.sql_instance.parse()?;
    let mut connection = session.connector().connect(&name, Purpose::Catalog).await?;
    let facts = instance::read_facts(&mut connection).await?;
    let record = log_shipping::read_secondary(&mut connection, &target.database).await?;
    let state = database::read(&mut connection, &target.database).await?;
    if state.is_none() && record.is_none() {
        // The usual error, with its advice.
        database::need(&mut connection, &target.database).await?;
    }
    let redo = match &state {
        Some(state) if state.state.is_secondary() => database::redo_point(&mut connection, &target.database).await.ok(),
        _ => None,
    };
    let (copy_job, restore_job) = jobs(&mut connection, record.as_ref()).await?;
    // The second copy of a journal lies in the copy folder by default.
    let history = database::last_restore(&mut connection, &target.database).await.ok().flatten();
    let history_folder = history.and_then(|last| last.path?.parent());
    connection.close().await;
    let (source, record) = match record {
        Some(record) => ("record", Some(record)),
        None => match captured(&name, target, place, history_folder).await {
            Some(record) => ("journal", Some(record)),
            None => ("none", None),
        },
    };
    let times = Times { facts: &facts, record: record.as_ref() };
    let from = |part: fn(&SecondaryRecord) -> String| record.as_ref().map(part).filter(|text| !text.is_empty());
    let monitor = record.as_ref().and_then(|record| record.monitor.as_ref());
    Ok(LogShipping {
        sql_instance: target.sql_instance.clone(),
        database: target.database.clone(),
        pool_fqdn: target.pool_fqdn.clone(),
        source: source.to_string(),
        primary_sql_instance: from(|record| record.primary_server.clone()),
        primary_database: from(|record| record.primary_database.clone()),
        secondary_id: from(|record| record.secondary_id.to_string()),
        log_backup_share: from(|record| record.backup_source_directory.to_string()),
        copy_folder: from(|record| record.backup_destination_directory.to_string()),
        monitor_sql_instance: from(|record| record.monitor_server.clone()),
        database_state: state.map_or("absent", |state| state.state.as_text()).to_string(),
        redo_point_lsn: redo.as_ref().map(|redo| redo.lsn),
        redo_point_fork_id: redo.as_ref().map(|redo| redo.fork_id.to_string()),
        restore_mode: from(|record| record.restore_mode.as_text().to_string()),
        last_copied_file: record.as_ref().and_then(|record| file_of(&record.last_copied_file)),
        last_copied_at_utc: times.of(|m| m.last_copied_at_utc, |r| r.last_copied_at),
        last_restored_file: record.as_ref().and_then(|record| file_of(&record.last_restored_file)),
        last_restored_at_utc: times.of(|m| m.last_restored_at_utc, |r| r.last_restored_at),
        restore_latency_minutes: monitor.and_then(|monitor| monitor.last_restored_latency_minutes),
        restore_threshold_minutes: monitor.map(|monitor| monitor.restore_threshold_minutes),
        copy_job: copy_job.as_ref().map(shown),
        restore_job: restore_job.as_ref().map(shown),
        agent_state: facts.agent.as_text().to_string(),
    })
}

async fn jobs(connection: &mut Connection, record: Option<&SecondaryRecord>) -> Result<(Option<Job>, Option<Job>)> {
    let Some(record) = record else { return Ok((None, None)) };
    Ok((job::read(connection, record.copy_job_id).await?, job::read(connection, record.restore_job_id).await?))
}

/// The record as a run of ours captured it before it was removed.
async fn captured(
    name: &InstanceName,
    target: &Target,
    place: Option<&JournalPlace>,
    history_folder: Option<ServerPath>,
) -> Option<SecondaryRecord> {
    let mut folders: Vec<PathBuf> = vec![place.map_or_else(journal::default_folder, journal_folder)];
    let candidates = history_folder.map(|folder| client_candidates(&folder, &name.host, &[])).unwrap_or_default();
    folders.extend(candidates.iter().map(|folder| folder.as_path().to_path_buf()));
    let (sql_instance, database) = (target.sql_instance.clone(), target.database.clone());
    let search = tokio::task::spawn_blocking(move || {
        let has_record = |value: &serde_json::Value| !value["log_shipping"]["record"].is_null();
        let found = journal::newest_capture(&folders, &sql_instance, &database, has_record)?;
        serde_json::from_value::<Capture>(found.capture).ok()?.log_shipping.record
    });
    search.await.ok().flatten()
}

/// The name without its folder.
fn file_of(path: &Option<String>) -> Option<String> {
    let name = ServerPath::new(path.as_deref()?).file_name().to_string();
    (!name.is_empty()).then_some(name)
}

fn shown(job: &Job) -> AgentJob {
    AgentJob {
        job_id: job.job_id.to_string(),
        name: job.name.clone(),
        is_enabled: job.is_enabled,
        is_running: job.is_running,
    }
}

/// Times in UTC: the monitor keeps them so, the record in the instance's local time.
struct Times<'a> {
    facts: &'a InstanceFacts,
    record: Option<&'a SecondaryRecord>,
}

impl Times<'_> {
    fn of(
        &self,
        monitored: fn(&log_shipping::SecondaryMonitor) -> Option<NaiveDateTime>,
        recorded: fn(&SecondaryRecord) -> Option<NaiveDateTime>,
    ) -> Option<String> {
        let record = self.record?;
        let utc = record.monitor.as_ref().and_then(monitored);
        let utc = utc.or_else(|| recorded(record).map(|local| self.facts.to_utc(local)))?;
        Some(utc_text(utc.and_utc()))
    }
}
