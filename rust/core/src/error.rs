//! The one error of the library: a stable code, SQL Server's own words, what stayed unchanged and what to do next.

use serde::{Deserialize, Serialize};

/// An error exactly as SQL Server sent it.
///
/// # Source
/// MS-TDS, ERROR token: number, state, class, message, server, procedure, line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SqlServerError {
    pub number: u32,
    pub severity: u8,
    pub state: u8,
    pub line: u32,
    pub server: String,
    pub procedure: String,
    pub message: String,
}

macro_rules! error_kinds {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal, $category:ident, $outcome:ident;)+) => {
        /// Every kind of error with its stable code. Codes only get added; a retired one stays as a comment.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorKind { $($(#[doc = $doc])+ $name,)+ }

        impl ErrorKind {
            /// All kinds, in the order of their codes.
            pub const ALL: &'static [ErrorKind] = &[$(ErrorKind::$name,)+];

            /// The stable number, 1001 to 9999.
            pub fn code(self) -> u32 { match self { $(ErrorKind::$name => $code,)+ } }

            /// The variant's name, which is PowerShell's error id.
            pub fn id(self) -> &'static str { match self { $(ErrorKind::$name => stringify!($name),)+ } }

            /// The name of PowerShell's error category.
            pub fn category(self) -> &'static str { match self { $(ErrorKind::$name => stringify!($category),)+ } }

            /// How a command that met this error ends.
            pub fn outcome(self) -> Outcome { match self { $(ErrorKind::$name => Outcome::$outcome,)+ } }

            /// One sentence on what the kind means, the same as in the table of errors.
            pub fn meaning(self) -> &'static str { match self { $(ErrorKind::$name => concat!($($doc,)+).trim_ascii(),)+ } }
        }
    };
}

error_kinds! {
    /// A request document is malformed, truncated, or has unknown or missing members.
    InvalidRequest = 1001, InvalidArgument, BadInput;
    /// A value of the call cannot be used: an instance name, a path, a list of servers.
    InvalidValue = 1002, InvalidArgument, BadInput;
    /// The document's version is not one that this library reads.
    UnsupportedVersion = 1003, InvalidArgument, BadInput;
    /// The handle is unknown or already closed.
    InvalidHandle = 1004, InvalidOperation, BadInput;
    /// The answer does not fit the question that is open.
    InvalidAnswer = 1005, InvalidOperation, BadInput;
    /// The assembly and the native library do not belong to the same release, or this shell cannot load the library: it is
    /// missing, or the shell is a 32-bit one.
    LibraryMismatch = 1006, InvalidOperation, BadInput;
    /// The operation was cancelled by the user.
    Cancelled = 1007, OperationStopped, Cancelled;
    /// The user declined the confirmation.
    Declined = 1008, OperationStopped, Cancelled;

    /// The name of the instance's host does not resolve.
    NameNotResolved = 2001, ConnectionError, BadInput;
    /// The instance's host refused the connection.
    ConnectionRefused = 2002, ConnectionError, Failed;
    /// No answer within the limit.
    ConnectionTimedOut = 2003, ConnectionError, Failed;
    /// The browser service does not know the named instance, or did not answer.
    InstanceNotFound = 2004, ConnectionError, Failed;
    /// The instance refused the login.
    LoginFailed = 2005, AuthenticationError, BadInput;
    /// The instance's certificate is not trusted.
    CertificateNotTrusted = 2006, SecurityError, BadInput;
    /// The connection was lost; what the statement did is unknown until the instance is asked.
    ConnectionLost = 2007, ConnectionError, Failed;
    /// The statement did not end within its limit; what it did is unknown until the instance is asked.
    StatementTimedOut = 2008, OperationTimeout, Failed;
    /// The instance and this machine have no encryption in common.
    EncryptionFailed = 2009, SecurityError, Failed;

    /// SQL Server refused a statement.
    SqlServerRefused = 3001, InvalidResult, Failed;
    /// The login lacks a right on the instance.
    PermissionMissing = 3002, PermissionDenied, Refused;
    /// The database does not exist on the instance.
    DatabaseNotFound = 3003, ObjectNotFound, Refused;
    /// The database is in use by sessions that came back faster than they could be ended.
    DatabaseInUse = 3004, ResourceBusy, Failed;
    /// SQL Server answered in a shape that this version does not know.
    UnexpectedAnswer = 3005, InvalidData, Failed;

    /// The database is no log shipping secondary and nothing tells where its log backups are.
    LogShippingNotFound = 4001, ObjectNotFound, Refused;
    /// A log backup is missing: the chain has a gap.
    LogBackupMissing = 4002, InvalidData, Refused;
    /// A log backup is damaged and no other copy of it is known.
    LogBackupDamaged = 4003, InvalidData, Refused;
    /// The share of the log backups cannot be read, so later log backups may be unknown.
    ShareUnreachable = 4004, ResourceUnavailable, Refused;
    /// The redo point of the database cannot be told.
    RedoPointUnknown = 4005, InvalidData, Refused;
    /// A log backup cannot be read.
    LogBackupUnreadable = 4006, ReadError, Failed;
    /// A log backup could not be copied.
    CopyFailed = 4007, WriteError, Failed;
    /// The log backups are on another recovery path than the database.
    RecoveryPathDiffers = 4008, InvalidData, Refused;
    /// A backup does not verify.
    BackupNotVerified = 4009, InvalidData, Failed;
    /// A file has the name already; backups are never written over one.
    FileExists = 4010, WriteError, Failed;

    /// Checks found reasons not to start; each is named with its value and the wanted one.
    ChecksFailed = 5001, InvalidOperation, Refused;
    /// The primary is alive.
    PrimaryAlive = 5002, InvalidOperation, Refused;
    /// A witness speaks against the primary's death.
    WitnessAgainst = 5003, InvalidOperation, Refused;
    /// The database is neither restoring nor standby.
    DatabaseNotSecondary = 5004, InvalidOperation, Refused;
    /// The world has changed since the plan was made.
    PlanOutdated = 5005, InvalidOperation, Refused;
    /// Data would be lost and the loss was not accepted by name.
    DataLossNotAccepted = 5006, InvalidOperation, Refused;
    /// The copy folder is not proved to be the instance's, and no other way is left.
    CopyFolderNotProved = 5007, InvalidOperation, Refused;
    /// Another run holds the lock.
    Locked = 5008, ResourceBusy, Locked;
    /// Too little free space.
    SpaceTooLow = 5009, ResourceUnavailable, Refused;
    /// The lock's connection was lost; the run stopped before its next change.
    LockLost = 5010, ResourceBusy, Incomplete;
    /// The active servers are too many or do not belong to the pool.
    ActiveServersInvalid = 5011, InvalidArgument, Refused;
    /// SQL Server Agent is not running.
    AgentNotRunning = 5012, ResourceUnavailable, Refused;
    /// A real run met stand-ins of the lab, or a run against the lab met real commands.
    LabMixedWithReal = 5013, SecurityError, Refused;
    /// The run can no longer be given up.
    UndoNotPossible = 5014, InvalidOperation, Refused;
    /// A step did not bring what its probe wants.
    StepNotVerified = 5015, InvalidResult, Incomplete;
    /// A copy at home may hold what the backup never got, and would be overwritten.
    OldCopyAtRisk = 5016, InvalidOperation, Refused;
    /// The compliance adapter has not processed everything, or that cannot be read.
    ComplianceNotDrained = 5017, OperationTimeout, Refused;
    /// No instance of the home site serves the database as a planned switch needs it.
    SourceNotReady = 5018, InvalidOperation, Refused;
    /// The database is not in a state in which this can be done.
    DatabaseStateUnsuited = 5020, InvalidOperation, Refused;

    /// A native command is not available in this shell.
    NativeCommandMissing = 6001, ObjectNotFound, Refused;
    /// A native command failed.
    NativeCommandFailed = 6002, InvalidResult, Incomplete;
    /// A native command was stopped; its outcome is unknown until the pool is asked.
    NativeCommandStopped = 6003, OperationStopped, Incomplete;
    /// The pool is not found in the topology.
    PoolNotFound = 6004, ObjectNotFound, Refused;
    /// Replication did not reach the active servers within the limit.
    ReplicationBehind = 6005, OperationTimeout, Incomplete;
    /// The mirror could not be set up; users are served all the same.
    MirrorNotInstalled = 6006, InvalidResult, Incomplete;
    /// The backup service shows ErrorState, and it held for a sync interval.
    BackupServiceFailed = 6007, InvalidResult, Failed;
    /// The backup service did not settle within the limit.
    BackupServiceNotSettled = 6008, OperationTimeout, Incomplete;
    /// The partner of the pool is not known.
    PartnerNotFound = 6009, ObjectNotFound, Refused;
    /// The damaged pool was named as the source of its own content.
    DamagedPoolAsSource = 6010, InvalidArgument, Refused;
    /// The export of the surviving pool was not seen at work since the call, so nothing shows that the sync began.
    SyncNotSeen = 6011, InvalidResult, Incomplete;

    /// The journal cannot be written; the run stopped before its next change.
    JournalWriteFailed = 7001, WriteError, Failed;
    /// No such run in the journal.
    RunNotFound = 7002, ObjectNotFound, BadInput;
    /// The journal's chain is broken at a record.
    JournalDamaged = 7003, InvalidData, Failed;
    /// The run has ended; there is nothing to resume.
    RunEnded = 7004, InvalidOperation, NothingToDo;
    /// The folder of the journal cannot be used.
    JournalFolderInvalid = 7005, WriteError, BadInput;
    /// There is no place for the second copy of the journal.
    JournalCopyMissing = 7006, InvalidOperation, Refused;
    /// There is no baseline at that place.
    BaselineNotFound = 7007, ObjectNotFound, BadInput;
    /// The baseline cannot be written.
    BaselineNotWritten = 7008, WriteError, Failed;
    /// The baseline is damaged, or of another release.
    BaselineUnreadable = 7009, InvalidData, BadInput;
    /// An earlier run on the database is neither finished nor given up.
    RunOpen = 7010, InvalidOperation, Refused;

    /// A fault in this library.
    InternalFault = 9001, NotSpecified, Failed;
    /// The operation's worker ended without a result.
    WorkerLost = 9002, NotSpecified, Failed;
}

/// How a command ended. The numbers are exit codes for scripts and scheduled tasks and never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Done,
    Failed,
    BadInput,
    Refused,
    Incomplete,
    Cancelled,
    Locked,
    NothingToDo,
}

impl Outcome {
    /// The exit code: 0 done, 1 failed, 2 bad input, 3 refused, 4 incomplete, 5 cancelled, 6 locked, 7 nothing to do.
    pub fn exit_code(self) -> i32 {
        match self {
            Outcome::Done => 0,
            Outcome::Failed => 1,
            Outcome::BadInput => 2,
            Outcome::Refused => 3,
            Outcome::Incomplete => 4,
            Outcome::Cancelled => 5,
            Outcome::Locked => 6,
            Outcome::NothingToDo => 7,
        }
    }
}

/// What went wrong, in three parts: what happened, what stayed unchanged, what to do next.
#[derive(Debug, Clone, thiserror::Error)]
#[error("PCHAT{}: {message}{}{}{}", kind.code(), spaced(&sql_text(sql)), spaced(unchanged), spaced(next))]
pub struct Error {
    pub kind: ErrorKind,
    /// What happened, with names and values.
    pub message: String,
    /// What was left unchanged. Empty where the message says it.
    pub unchanged: String,
    /// What to do next.
    pub next: String,
    pub sql: Option<Box<SqlServerError>>,
    /// The object concerned: an instance, a database, a file.
    pub target: String,
    /// The step of the run, where there is one.
    pub step: Option<String>,
    pub run_id: Option<String>,
}

/// The result of everything in this library.
pub type Result<T, E = Error> = std::result::Result<T, E>;

fn spaced(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!(" {text}")
    }
}

fn sql_text(sql: &Option<Box<SqlServerError>>) -> String {
    sql.as_ref()
        .map_or(String::new(), |e| format!("SQL Server error {} (severity {}): {}", e.number, e.severity, e.message))
}

impl Error {
    /// An error with its message; the other parts follow through the `with_` functions.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error {
            kind,
            message: message.into(),
            unchanged: String::new(),
            next: String::new(),
            sql: None,
            target: String::new(),
            step: None,
            run_id: None,
        }
    }

    /// Says what stayed unchanged.
    pub fn with_unchanged(mut self, text: impl Into<String>) -> Self {
        self.unchanged = text.into();
        self
    }

    /// Says what to do next.
    pub fn with_next(mut self, text: impl Into<String>) -> Self {
        self.next = text.into();
        self
    }

    /// Carries SQL Server's own error.
    pub fn with_sql(mut self, sql: SqlServerError) -> Self {
        self.sql = Some(Box::new(sql));
        self
    }

    /// Names the object concerned.
    pub fn with_target(mut self, target: impl Into<String>) -> Self {
        self.target = target.into();
        self
    }

    /// Names the step of the run.
    pub fn with_step(mut self, step: impl Into<String>) -> Self {
        self.step = Some(step.into());
        self
    }

    /// SQL Server's error number, where SQL Server spoke.
    pub fn sql_number(&self) -> Option<u32> {
        self.sql.as_ref().map(|e| e.number)
    }

    /// True where the statement's effect is unknown until the instance is asked.
    pub fn outcome_unknown(&self) -> bool {
        matches!(self.kind, ErrorKind::ConnectionLost | ErrorKind::StatementTimedOut)
    }

    /// The error as a document for the boundary.
    pub fn to_document(&self) -> ErrorDocument {
        ErrorDocument {
            code: self.kind.code(),
            id: self.kind.id().to_string(),
            category: self.kind.category().to_string(),
            message: self.to_string(),
            unchanged: self.unchanged.clone(),
            recommended_action: self.next.clone(),
            target: self.target.clone(),
            step: self.step.clone(),
            run_id: self.run_id.clone(),
            exit_code: self.kind.outcome().exit_code(),
            sql_error: self.sql.as_deref().cloned(),
        }
    }
}

/// An error as it crosses the boundary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorDocument {
    pub code: u32,
    pub id: String,
    pub category: String,
    pub message: String,
    pub unchanged: String,
    pub recommended_action: String,
    pub target: String,
    pub step: Option<String>,
    pub run_id: Option<String>,
    pub exit_code: i32,
    pub sql_error: Option<SqlServerError>,
}
