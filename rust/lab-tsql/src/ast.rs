//! The statements of a batch.

use sqlparser::ast as sql;

use crate::context::ColumnDef;
use crate::types::SqlType;
use crate::value::Value;

/// One statement with its place: `line` counts from 1 within the batch, `text` is the statement as written.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    pub line: u32,
    pub text: String,
    pub kind: StatementKind,
}

/// What a statement asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum StatementKind {
    Use(String),
    Declare(Vec<Declaration>),
    /// `SET @x = value`; `+=` and its like arrive as `@x = @x + value`.
    SetVariable {
        name: String,
        value: Expr,
    },
    /// `SET NOCOUNT ON`, `SET LOCK_TIMEOUT 30000`, `SET TRANSACTION ISOLATION LEVEL READ COMMITTED`: the option in
    /// upper case (several for `SET ANSI_NULLS, ANSI_PADDING ON`) and the words after it as written.
    SetOption {
        options: Vec<String>,
        value: String,
    },
    Select(SelectStmt),
    Insert(InsertStmt),
    CreateTable {
        name: ObjectName,
        columns: Vec<ColumnDef>,
    },
    DropTable {
        names: Vec<ObjectName>,
        if_exists: bool,
    },
    If {
        condition: Expr,
        then: Vec<Statement>,
        otherwise: Vec<Statement>,
    },
    While {
        condition: Expr,
        body: Vec<Statement>,
    },
    Break,
    Continue,
    Return(Option<Expr>),
    Block(Vec<Statement>),
    TryCatch {
        body: Vec<Statement>,
        handler: Vec<Statement>,
    },
    Print(Expr),
    RaisError {
        /// Text, number or variable.
        message: Expr,
        severity: Expr,
        state: Expr,
        arguments: Vec<Expr>,
        /// In upper case: LOG, NOWAIT, SETERROR.
        options: Vec<String>,
    },
    /// THROW with number, message, state; none of them inside a CATCH block.
    Throw(Option<(Expr, Expr, Expr)>),
    /// `WAITFOR DELAY`: text `hh:mm[:ss[.mmm]]`, or a variable with such a text.
    WaitForDelay(TextOrVariable),
    BeginTransaction,
    CommitTransaction,
    RollbackTransaction,
    Execute(ExecuteStmt),
    /// `EXEC ('text' + @more)`.
    ExecuteString(Expr),
    Restore(RestoreStmt),
    Backup(BackupStmt),
    AlterDatabase(AlterDatabaseStmt),
    Kill {
        session_id: i64,
        status_only: bool,
    },
    CreateDatabase(String),
    DropDatabase {
        names: Vec<String>,
        if_exists: bool,
    },
    Checkpoint,
    /// T-SQL that the parser does not know. Executing it is `SqlError::unknown`.
    Unknown,
}

/// An expression or condition; `evaluate` and `condition` compute it.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr(pub(crate) sql::Expr);

/// A SELECT with all its parts, UNION and WITH included.
#[derive(Debug, Clone, PartialEq)]
pub struct SelectStmt {
    pub(crate) query: Box<sql::Query>,
}

/// A name of up to four parts; empty where the statement leaves a part out (`msdb..t`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ObjectName {
    pub server: String,
    pub database: String,
    pub schema: String,
    pub name: String,
}

/// One variable of a DECLARE.
#[derive(Debug, Clone, PartialEq)]
pub enum Declaration {
    Scalar { name: String, data_type: SqlType, initial: Option<Expr> },
    Table { name: String, columns: Vec<ColumnDef> },
}

/// `INSERT [INTO] target [(columns)] source`.
#[derive(Debug, Clone, PartialEq)]
pub struct InsertStmt {
    /// `#t`, `@t` (in `name`) or a table of a database.
    pub target: ObjectName,
    pub columns: Vec<String>,
    pub source: InsertSource,
}

#[derive(Debug, Clone, PartialEq)]
pub enum InsertSource {
    Values(Vec<Vec<Expr>>),
    Select(SelectStmt),
    Execute(ExecuteStmt),
    ExecuteString(Expr),
    DefaultValues,
}

/// `EXEC [@return_variable =] procedure arguments`.
#[derive(Debug, Clone, PartialEq)]
pub struct ExecuteStmt {
    pub return_variable: Option<String>,
    pub procedure: ProcedureName,
    pub arguments: Vec<Argument>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProcedureName {
    Name(ObjectName),
    /// `EXEC @procedure`.
    Variable(String),
}

/// An argument; `name` with its `@` when given by name.
#[derive(Debug, Clone, PartialEq)]
pub struct Argument {
    pub name: Option<String>,
    pub value: ArgumentValue,
    pub output: bool,
}

/// What T-SQL allows as an argument: a constant, a variable, DEFAULT. A bare word is its text.
#[derive(Debug, Clone, PartialEq)]
pub enum ArgumentValue {
    Constant(SqlType, Value),
    /// `@x`, or an `@@` name.
    Variable(String),
    Default,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameOrVariable {
    Name(String),
    Variable(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextOrVariable {
    Text(String),
    Variable(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NumberOrVariable {
    Number(i64),
    Variable(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceKind {
    Disk,
    Tape,
    Url,
    VirtualDevice,
    /// A device of `sys.backup_devices`; the target is its name.
    Logical,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    pub kind: DeviceKind,
    pub target: TextOrVariable,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestoreKind {
    HeaderOnly,
    FileListOnly,
    LabelOnly,
    VerifyOnly,
    Log,
    Database,
}

/// A RESTORE. `target` is set for LOG and DATABASE; `from` may be empty for these (change of state only).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreStmt {
    pub kind: RestoreKind,
    pub target: Option<NameOrVariable>,
    pub from: Vec<Device>,
    pub options: Vec<RestoreOption>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestoreOption {
    Recovery,
    NoRecovery,
    Standby(TextOrVariable),
    File(NumberOrVariable),
    Move {
        logical: TextOrVariable,
        path: TextOrVariable,
    },
    Replace,
    Restart,
    RestrictedUser,
    Partial,
    Checksum,
    NoChecksum,
    StopOnError,
    ContinueAfterError,
    /// Percent between two messages; 10 when the number is left out.
    Stats(NumberOrVariable),
    BufferCount(NumberOrVariable),
    MaxTransferSize(NumberOrVariable),
    BlockSize(NumberOrVariable),
    StopAt(TextOrVariable),
    StopAtMark {
        mark: TextOrVariable,
        after: Option<TextOrVariable>,
    },
    StopBeforeMark {
        mark: TextOrVariable,
        after: Option<TextOrVariable>,
    },
    Password(TextOrVariable),
    MediaName(TextOrVariable),
    MediaPassword(TextOrVariable),
    KeepReplication,
    KeepCdc,
    EnableBroker,
    NewBroker,
    ErrorBrokerConversations,
    LoadHistory,
    Rewind,
    NoRewind,
    Unload,
    NoUnload,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackupKind {
    Database,
    Log,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupStmt {
    pub kind: BackupKind,
    pub target: NameOrVariable,
    pub to: Vec<Device>,
    pub mirror_to: Vec<Device>,
    pub options: Vec<BackupOption>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BackupOption {
    CopyOnly,
    Differential,
    Init,
    NoInit,
    Format,
    NoFormat,
    Skip,
    NoSkip,
    Compression,
    NoCompression,
    Checksum,
    NoChecksum,
    StopOnError,
    ContinueAfterError,
    NoRecovery,
    Standby(TextOrVariable),
    NoTruncate,
    Name(TextOrVariable),
    Description(TextOrVariable),
    MediaName(TextOrVariable),
    MediaDescription(TextOrVariable),
    Password(TextOrVariable),
    MediaPassword(TextOrVariable),
    ExpireDate(TextOrVariable),
    RetainDays(NumberOrVariable),
    Stats(NumberOrVariable),
    BufferCount(NumberOrVariable),
    MaxTransferSize(NumberOrVariable),
    BlockSize(NumberOrVariable),
    Rewind,
    NoRewind,
    Unload,
    NoUnload,
}

/// `ALTER DATABASE name ...`; `name` is empty for CURRENT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlterDatabaseStmt {
    pub name: String,
    pub action: AlterDatabaseAction,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlterDatabaseAction {
    SetUserAccess {
        access: UserAccess,
        termination: Option<Termination>,
    },
    SetAvailability {
        state: Availability,
        termination: Option<Termination>,
    },
    SetPartner(PartnerAction),
    /// An address, or `None` for OFF.
    SetWitness(Option<String>),
    SetRecovery(RecoveryModel),
    /// Any other option: its words in upper case (`READ_ONLY`, `AUTO_CLOSE ON`).
    SetOption {
        option: String,
        termination: Option<Termination>,
    },
    ModifyName(String),
    /// COLLATE name.
    Collate(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserAccess {
    Single,
    Restricted,
    Multi,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Availability {
    Online,
    Offline,
    Emergency,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecoveryModel {
    Full,
    BulkLogged,
    Simple,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Termination {
    RollbackImmediate,
    RollbackAfterSeconds(u32),
    NoWait,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartnerAction {
    /// `TCP://host:port`.
    Address(String),
    Failover,
    ForceServiceAllowDataLoss,
    Off,
    Resume,
    Suspend,
    Safety {
        full: bool,
    },
    TimeoutSeconds(u32),
}
