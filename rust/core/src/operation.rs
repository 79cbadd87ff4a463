//! The one door of the library: a session, a request, and the operation that carries it out.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use crate::command;
use crate::conference;
use crate::document::{
    BackupServiceWaitRequest, BaselineGetRequest, BaselineSaveRequest, ConferenceRestoreRequest, ConnectionEndRequest,
    DatabaseBackupRequest, DatabaseRecoverRequest, DatabaseRequest, DatabaseRestoreRequest, FailbackRequest,
    FailoverRequest, LogBackupCopyRequest, LogBackupListRequest, LogBackupRestoreRequest, LogShippingAddRequest,
    LogShippingGetRequest, LogShippingRemoveRequest, MirrorRemoveRequest, PlannedSwitchRequest, PoolFindRequest,
    PrimaryDisableRequest, RunListRequest, RunRequest, RunStartRequest, SessionSettings,
};
use crate::error::{Error, ErrorKind, Result};
use crate::failover::preview::preview;

use crate::files::{FileSystem, LocalFileSystem};
use crate::host::{Cancel, Host};
use crate::run::{self, detached::detached};
use crate::sql::{Connector, Secret};
use crate::switch::planned;
use crate::trace::Trace;

/// Settings and logins. It holds no connection: each operation connects for itself.
pub struct Session {
    settings: SessionSettings,
    connector: Connector,
    file_system: Arc<dyn FileSystem>,
    /// The facts behind the digests that were shown, the newest last.
    shown: Mutex<Vec<(String, BTreeMap<String, String>)>>,
}

/// How many shown plans a session keeps, to name what changed since.
const SHOWN_PLANS: usize = 64;

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Session {
    /// A session with its settings. Connects to nothing.
    ///
    /// # Errors
    /// `InvalidValue` (1002) for a limit of zero seconds or an address map that cannot be read.
    pub fn new(settings: SessionSettings) -> Result<Session> {
        if settings.connect_timeout_seconds == 0 {
            return Err(Error::new(ErrorKind::InvalidValue, "the limit for connecting is 0 seconds.")
                .with_next("Give a limit of at least one second."));
        }
        let connector = Connector::new(&settings)?;
        Ok(Session { settings, connector, file_system: Arc::new(LocalFileSystem), shown: Mutex::default() })
    }

    /// The same with another file system below it: tests and drills have one with faults and a link rate.
    pub fn with_file_system(mut self, file_system: Arc<dyn FileSystem>) -> Session {
        self.file_system = file_system;
        self
    }

    /// How its operations open log backups.
    pub(crate) fn file_system(&self) -> Arc<dyn FileSystem> {
        Arc::clone(&self.file_system)
    }

    /// Adds a SQL login: for one instance, or with `None` for all that have none of their own. The last one counts.
    ///
    /// # Errors
    /// `InvalidValue` (1002) for a name that is no instance, or an empty user.
    pub fn add_login(&self, instance: Option<&str>, user: &str, secret: &str) -> Result<()> {
        let instance = instance.map(str::parse).transpose()?;
        if user.is_empty() {
            return Err(Error::new(ErrorKind::InvalidValue, "the user of a SQL login is empty."));
        }
        self.connector.add_login(instance, user, Secret::new(secret));
        Ok(())
    }

    /// How its operations connect.
    pub(crate) fn connector(&self) -> &Connector {
        &self.connector
    }

    /// Where the details of its operations go.
    pub fn trace(&self) -> &Trace {
        self.connector.trace()
    }

    /// Keeps the facts behind a digest that is handed out for approval.
    pub(crate) fn remember(&self, digest: &str, facts: &BTreeMap<String, String>) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.retain(|(known, _)| known != digest);
        if shown.len() >= SHOWN_PLANS {
            shown.remove(0);
        }
        shown.push((digest.to_string(), facts.clone()));
    }

    /// The facts behind a digest, where this session handed it out.
    pub(crate) fn remembered(&self, digest: &str) -> Option<BTreeMap<String, String>> {
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.iter().find(|(known, _)| known.eq_ignore_ascii_case(digest)).map(|(_, facts)| facts.clone())
    }

    /// The settings that it was opened with.
    pub fn settings(&self) -> &SessionSettings {
        &self.settings
    }
}

/// What is asked of the library.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    LogShippingGet(LogShippingGetRequest),
    LogBackupList(LogBackupListRequest),
    LogBackupCopy(LogBackupCopyRequest),
    LogBackupRestore(LogBackupRestoreRequest),
    LogShippingAdd(LogShippingAddRequest),
    LogShippingRemove(LogShippingRemoveRequest),
    ConnectionList(DatabaseRequest),
    ConnectionEnd(ConnectionEndRequest),
    DatabaseState(DatabaseRequest),
    DatabaseRecover(DatabaseRecoverRequest),
    DatabaseBackup(DatabaseBackupRequest),
    DatabaseRestore(DatabaseRestoreRequest),
    MirrorGet(DatabaseRequest),
    MirrorRemove(MirrorRemoveRequest),
    PrimaryDisable(PrimaryDisableRequest),
    BaselineSave(BaselineSaveRequest),
    BaselineGet(BaselineGetRequest),
    FailoverCheck(FailoverRequest),
    FailoverPlan(FailoverRequest),
    PlannedSwitchPlan(PlannedSwitchRequest),
    FailbackPlan(FailbackRequest),
    RunStart(RunStartRequest),
    RunResume(RunRequest),
    RunUndo(RunRequest),
    RunList(RunListRequest),
    BackupServiceWait(BackupServiceWaitRequest),
    PoolFind(PoolFindRequest),
    ConferencePlan(ConferenceRestoreRequest),
}

/// How an operation ended: the document as JSON text and its kind, `plan`, `run`, `count` or `log_chain`.
///
/// Text, because a plan of ten thousand log backups takes several times as much as a tree of values.
#[derive(Debug, Clone, PartialEq)]
pub struct OperationResult {
    pub kind: &'static str,
    pub document: String,
}

impl OperationResult {
    /// A result from its document.
    ///
    /// # Errors
    /// `InternalFault` (9001) for a document that does not serialise.
    pub fn new(kind: &'static str, document: &impl Serialize) -> Result<OperationResult> {
        let document = serde_json::to_string(document)
            .map_err(|e| Error::new(ErrorKind::InternalFault, format!("a result cannot be written as JSON: {e}.")))?;
        Ok(OperationResult { kind, document })
    }
}

/// Carries out a request. Items go out through the host; the result is the last word.
///
/// A run that got far enough to have a result object returns it, whatever its outcome: refused, failed, incomplete,
/// cancelled and locked runs carry their error inside.
///
/// # Errors
/// Bad input, and failures before there is a result object.
pub async fn run(
    session: Arc<Session>,
    request: Request,
    host: Arc<dyn Host>,
    cancel: Cancel,
) -> Result<OperationResult> {
    cancel.check()?;
    match request {
        Request::RunStart(request) => run::start(session, request, host, cancel).await,
        Request::RunResume(request) => run::resume(session, request, host, cancel).await,
        Request::RunUndo(request) => run::undo(session, request, host, cancel).await,
        Request::RunList(request) => run::list(request, host, cancel).await,
        Request::LogBackupCopy(request) => command::log_backup_copy(session, request, host, cancel).await,
        Request::LogBackupRestore(request) => command::log_backup_restore(session, request, host, cancel).await,
        Request::LogShippingAdd(request) => command::log_shipping_add(session, request, host, cancel).await,
        Request::LogShippingRemove(request) => command::log_shipping_remove(session, request, host, cancel).await,
        Request::ConnectionEnd(request) => command::connection_end(session, request, host, cancel).await,
        Request::DatabaseRecover(request) => command::database_recover(session, request, host, cancel).await,
        Request::DatabaseBackup(request) => command::database_backup(session, request, host, cancel).await,
        Request::DatabaseRestore(request) => command::database_restore(session, request, host, cancel).await,
        Request::MirrorRemove(request) => command::mirror_remove(session, request, host, cancel).await,
        Request::PrimaryDisable(request) => command::primary_disable(session, request, host, cancel).await,
        reading => {
            // On the worker as well: a cancel is answered at once even where a dead share holds the reading up.
            let stop = cancel.clone();
            detached(host, cancel, nothing_changed, move |host| read(session, reading, host, stop)).await
        }
    }
}

/// Carries out a request that only reads.
async fn read(session: Arc<Session>, request: Request, host: Arc<dyn Host>, cancel: Cancel) -> Result<OperationResult> {
    match request {
        Request::FailoverCheck(request) => preview(session, request, host, cancel, true).await,
        Request::FailoverPlan(request) => preview(session, request, host, cancel, false).await,
        Request::FailbackPlan(request) => crate::failback::preview::preview(session, request, host, cancel).await,
        Request::PlannedSwitchPlan(request) => planned::preview(session, request, host, cancel).await,
        Request::LogShippingGet(request) => command::log_shipping_get(session, request, host, cancel).await,
        Request::LogBackupList(request) => command::log_backup_list(session, request, host, cancel).await,
        Request::ConnectionList(request) => command::connection_list(session, request, host, cancel).await,
        Request::DatabaseState(request) => command::database_state(session, request, host, cancel).await,
        Request::MirrorGet(request) => command::mirror_get(session, request, host, cancel).await,
        Request::BaselineSave(request) => command::baseline_save(session, request, host, cancel).await,
        Request::BaselineGet(request) => command::baseline_get(request, host, cancel).await,
        Request::ConferencePlan(request) => conference::preview(session, request, host, cancel).await,
        Request::PoolFind(request) => command::pool_find(request, host, cancel).await,
        Request::BackupServiceWait(request) => command::backup_service_wait(request, host, cancel).await,
        other => Err(Error::new(
            ErrorKind::InternalFault,
            format!("a request that changes something came as one that reads: {other:?}."),
        )),
    }
}

fn nothing_changed() -> Result<OperationResult> {
    Err(Error::new(ErrorKind::Cancelled, "the operation was cancelled.").with_unchanged("Nothing was changed."))
}
