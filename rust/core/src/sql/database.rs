//! A database as its instance shows it: state, options, files, redo point; its users once it is online.

use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::log_chain::RedoPoint;
use crate::names::{Lsn, ServerPath};
use crate::sql::quote::quote_name;
use crate::sql::statement::alter_database_set;
use crate::sql::Connection;

pub use crate::sql::lock_out::{
    end_standby, lock_out_statement, return_to_standby, return_to_standby_statement, LockedOut,
};
pub use crate::sql::recover::{recover, recover_statement, Recovered};

/// The state of a database, STANDBY told apart from ONLINE.
///
/// # Source
/// `sys.databases.state`, `is_in_standby`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatabaseState {
    Online,
    /// Online for readers, and more log backups fit.
    Standby,
    Restoring,
    Recovering,
    RecoveryPending,
    Suspect,
    Emergency,
    Offline,
    /// A number that this version does not know.
    Other,
}

impl DatabaseState {
    /// In lower case, as documents show it.
    pub fn as_text(self) -> &'static str {
        match self {
            DatabaseState::Online => "online",
            DatabaseState::Standby => "standby",
            DatabaseState::Restoring => "restoring",
            DatabaseState::Recovering => "recovering",
            DatabaseState::RecoveryPending => "recovery_pending",
            DatabaseState::Suspect => "suspect",
            DatabaseState::Emergency => "emergency",
            DatabaseState::Offline => "offline",
            DatabaseState::Other => "other",
        }
    }

    /// True where a log backup can be restored.
    pub fn is_secondary(self) -> bool {
        matches!(self, DatabaseState::Restoring | DatabaseState::Standby)
    }
}

/// Who may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserAccess {
    MultiUser,
    SingleUser,
    RestrictedUser,
}

/// A row of `sys.databases`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseFacts {
    /// In its true case.
    pub name: String,
    pub database_id: i64,
    pub state: DatabaseState,
    pub is_read_only: bool,
    pub user_access: UserAccess,
    /// 1 full, 2 bulk-logged, 3 simple.
    pub recovery_model: i64,
    pub compatibility_level: i64,
    /// `None` while the database is not online.
    pub collation: Option<String>,
    pub owner: Option<String>,
    pub is_broker_enabled: bool,
    pub is_trustworthy: bool,
    pub is_db_chaining: bool,
    pub is_auto_close: bool,
    /// In the instance's local time.
    pub created_at: NaiveDateTime,
}

/// The row of a database; `None` where it does not exist or the login may not see it.
pub async fn read(connection: &mut Connection, database: &str) -> Result<Option<DatabaseFacts>> {
    let statement = "SELECT d.name, CAST(d.database_id AS int) AS database_id, CAST(d.state AS int) AS state_number, \
        CAST(d.is_in_standby AS int) AS is_in_standby, CAST(d.is_read_only AS int) AS is_read_only, \
        CAST(d.user_access AS int) AS user_access, CAST(d.recovery_model AS int) AS recovery_model, \
        CAST(d.compatibility_level AS int) AS compatibility_level, d.collation_name, \
        CAST(SUSER_SNAME(d.owner_sid) AS nvarchar(128)) AS owner_name, CAST(d.is_broker_enabled AS int) AS is_broker_enabled, \
        CAST(d.is_trustworthy_on AS int) AS is_trustworthy_on, CAST(d.is_db_chaining_on AS int) AS is_db_chaining_on, \
        CAST(d.is_auto_close_on AS int) AS is_auto_close_on, d.create_date \
        FROM master.sys.databases d WHERE d.name = @P1";
    let row = connection.row("reading the database's state", statement, &[&database]).await?;
    row.map(|row| {
        let standby = row.need_flag("is_in_standby")?;
        Ok(DatabaseFacts {
            name: row.need_text("name")?,
            database_id: row.need_int("database_id")?,
            state: match row.need_int("state_number")? {
                0 if standby => DatabaseState::Standby,
                0 => DatabaseState::Online,
                1 => DatabaseState::Restoring,
                2 => DatabaseState::Recovering,
                3 => DatabaseState::RecoveryPending,
                4 => DatabaseState::Suspect,
                5 => DatabaseState::Emergency,
                6 => DatabaseState::Offline,
                _ => DatabaseState::Other,
            },
            is_read_only: row.need_flag("is_read_only")?,
            user_access: match row.need_int("user_access")? {
                0 => UserAccess::MultiUser,
                1 => UserAccess::SingleUser,
                _ => UserAccess::RestrictedUser,
            },
            recovery_model: row.need_int("recovery_model")?,
            compatibility_level: row.need_int("compatibility_level")?,
            collation: row.text("collation_name")?,
            owner: row.text("owner_name")?,
            is_broker_enabled: row.need_flag("is_broker_enabled")?,
            is_trustworthy: row.need_flag("is_trustworthy_on")?,
            is_db_chaining: row.need_flag("is_db_chaining_on")?,
            is_auto_close: row.need_flag("is_auto_close_on")?,
            created_at: row.need_time("create_date")?,
        })
    })
    .transpose()
}

/// The row of a database that must be there.
///
/// # Errors
/// `DatabaseNotFound` (3003).
pub async fn need(connection: &mut Connection, database: &str) -> Result<DatabaseFacts> {
    read(connection, database).await?.ok_or_else(|| {
        Error::new(
            ErrorKind::DatabaseNotFound,
            format!("{}: there is no database `{database}`, or the login may not see it.", connection.instance()),
        )
        .with_unchanged("Nothing was changed.")
        .with_next("Check -SqlInstance and -Database.")
        .with_target(database)
    })
}

/// The set that was restored last, as msdb remembers it. Purged history has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastRestore {
    pub restored_at: Option<NaiveDateTime>,
    /// `D` full, `L` log, `I` differential.
    pub restore_type: String,
    pub last_lsn: Option<Lsn>,
    pub last_fork_id: Option<uuid::Uuid>,
    pub family_id: Option<uuid::Uuid>,
    /// In its writer's local time.
    pub backup_finished_at: Option<NaiveDateTime>,
    /// The path that it was restored from.
    pub path: Option<ServerPath>,
}

/// The newest entry of restore history.
///
/// # Source
/// msdb `restorehistory`, `backupset`, `backupmediafamily`.
pub async fn last_restore(connection: &mut Connection, database: &str) -> Result<Option<LastRestore>> {
    let statement = "SELECT TOP (1) h.restore_date, CAST(h.restore_type AS nvarchar(1)) AS restore_type, b.last_lsn, \
        b.last_recovery_fork_guid, b.family_guid, b.backup_finish_date, b.media_set_id \
        FROM msdb.dbo.restorehistory h JOIN msdb.dbo.backupset b ON b.backup_set_id = h.backup_set_id \
        WHERE h.destination_database_name = @P1 AND h.restore_type <> 'V' ORDER BY h.restore_date DESC, h.restore_history_id DESC";
    let Some(row) = connection.row("reading restore history", statement, &[&database]).await? else {
        return Ok(None);
    };
    let media = i32::try_from(row.int("media_set_id")?.unwrap_or_default()).unwrap_or_default();
    let statement = "SELECT TOP (1) f.physical_device_name FROM msdb.dbo.backupmediafamily f \
        WHERE f.media_set_id = @P1 ORDER BY f.family_sequence_number";
    let family = connection.row("reading restore history's files", statement, &[&media]).await?;
    Ok(Some(LastRestore {
        restored_at: row.time("restore_date")?,
        restore_type: row.text("restore_type")?.unwrap_or_default(),
        last_lsn: row.lsn("last_lsn")?,
        last_fork_id: row.uuid("last_recovery_fork_guid")?,
        family_id: row.uuid("family_guid")?,
        backup_finished_at: row.time("backup_finish_date")?,
        path: family.map(|row| row.path("physical_device_name")).transpose()?.flatten(),
    }))
}

/// An instance whose backups were restored onto a database, and the database's name there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writer {
    pub server: String,
    pub database: String,
}

/// The other instances whose backups were restored onto a database, the last one first; only those that wrote what the last
/// one goes on with.
///
/// # Source
/// msdb `restorehistory`, `backupset.server_name`, `backupset.family_guid`.
pub async fn writers(connection: &mut Connection, database: &str) -> Result<Vec<Writer>> {
    let statement = "SELECT b.server_name, b.database_name, b.family_guid, MAX(h.restore_history_id) AS newest \
        FROM msdb.dbo.restorehistory h JOIN msdb.dbo.backupset b ON b.backup_set_id = h.backup_set_id \
        WHERE h.destination_database_name = @P1 AND h.restore_type <> 'V' AND b.server_name <> @@SERVERNAME \
        GROUP BY b.server_name, b.database_name, b.family_guid ORDER BY newest DESC";
    let rows = connection.rows("reading whose backups were restored", statement, &[&database]).await?;
    let mut writers = Vec::new();
    let mut family = None;
    for row in &rows {
        let found = row.uuid("family_guid")?;
        if *family.get_or_insert(found) == found {
            let (server, database) = (row.need_text("server_name")?, row.need_text("database_name")?);
            writers.push(Writer { server, database });
        }
    }
    Ok(writers)
}

/// The redo point as the data files tell it; `None` where they do not.
///
/// # Source
/// `sys.master_files.redo_start_lsn`, `redo_start_fork_guid`; the oldest of several files counts.
async fn redo_of_files(connection: &mut Connection, database: &str) -> Result<Option<(Lsn, uuid::Uuid)>> {
    let statement = "SELECT TOP (1) f.redo_start_lsn, f.redo_start_fork_guid \
        FROM master.sys.master_files f JOIN master.sys.databases d ON d.database_id = f.database_id \
        WHERE d.name = @P1 AND f.type = 0 AND f.redo_start_lsn IS NOT NULL AND f.redo_start_fork_guid IS NOT NULL \
        ORDER BY f.redo_start_lsn";
    let row = connection.row("reading the redo point", statement, &[&database]).await?;
    row.map(|row| Ok((row.need_lsn("redo_start_lsn")?, row.need_uuid("redo_start_fork_guid")?))).transpose()
}

/// Of a fork: the one that it began on, and where, as the set tells that was restored across it. A mirror's set-up takes
/// such a set into a folder of its own, where nobody looks for it later.
///
/// # Source
/// msdb `backupset.first_recovery_fork_guid`, `last_recovery_fork_guid`, `fork_point_lsn`.
async fn beginning_of_fork(
    connection: &mut Connection,
    database: &str,
    fork: uuid::Uuid,
) -> Result<Option<(uuid::Uuid, Lsn)>> {
    let statement = "SELECT TOP (1) b.first_recovery_fork_guid, b.fork_point_lsn \
        FROM msdb.dbo.restorehistory h JOIN msdb.dbo.backupset b ON b.backup_set_id = h.backup_set_id \
        WHERE h.destination_database_name = @P1 AND h.restore_type <> 'V' AND b.last_recovery_fork_guid = @P2 \
        AND b.first_recovery_fork_guid <> b.last_recovery_fork_guid AND b.fork_point_lsn IS NOT NULL \
        ORDER BY h.restore_date DESC, h.restore_history_id DESC";
    let row = connection.row("reading where the fork began", statement, &[&database, &fork]).await?;
    let Some(row) = row else { return Ok(None) };
    Ok(row.uuid("first_recovery_fork_guid")?.zip(row.lsn("fork_point_lsn")?))
}

/// Only the LSN of [`redo_point`], in one round trip where the files tell it.
pub async fn redo_lsn(connection: &mut Connection, database: &str) -> Result<Lsn> {
    match redo_of_files(connection, database).await? {
        Some((lsn, _)) => Ok(lsn),
        None => Ok(redo_point(connection, database).await?.lsn),
    }
}

/// Where the database stands: the next LSN that it wants, and its fork. Reads only.
///
/// The data files tell; the oldest of several counts. Where they do not (a STANDBY copy may show NULL), restore history
/// is the second witness.
///
/// # Errors
/// `RedoPointUnknown` (4005) where neither tells.
///
/// # Source
/// `sys.master_files.redo_start_lsn`, `redo_start_fork_guid`.
pub async fn redo_point(connection: &mut Connection, database: &str) -> Result<RedoPoint> {
    let files = redo_of_files(connection, database).await?;
    let history = last_restore(connection, database).await?;
    let found = files.or_else(|| history.as_ref().and_then(|last| last.last_lsn.zip(last.last_fork_id)));
    let (lsn, fork_id) = found.ok_or_else(|| {
        Error::new(
            ErrorKind::RedoPointUnknown,
            format!(
                "{}: neither the files of `{database}` nor restore history tell where the database stands.",
                connection.instance()
            ),
        )
        .with_unchanged("Nothing was changed.")
        .with_next("Restore one log backup that is certain to come next, then look again.")
        .with_target(database)
    })?;
    let mut redo = RedoPoint::new(lsn, fork_id);
    if let Some(last) = history {
        redo.came_from = beginning_of_fork(connection, database, fork_id).await?;
        redo.family_id = last.family_id;
        // Only when history's end is the redo point does its file describe it.
        if last.last_lsn == Some(lsn) {
            redo.finished_at = last.backup_finished_at;
            redo.file_name = last.path.map(|path| path.file_name().to_string());
        }
    }
    Ok(redo)
}

/// A file of a database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseFile {
    pub file_id: i64,
    /// True for the log.
    pub is_log: bool,
    pub logical_name: String,
    pub path: ServerPath,
    pub size_bytes: u64,
}

/// The files of a database.
///
/// # Source
/// `sys.master_files`; sizes are pages of 8 KiB.
pub async fn files(connection: &mut Connection, database: &str) -> Result<Vec<DatabaseFile>> {
    let statement = "SELECT f.file_id, CAST(f.type AS int) AS type_number, f.name, f.physical_name, CAST(f.size AS bigint) AS pages \
        FROM master.sys.master_files f JOIN master.sys.databases d ON d.database_id = f.database_id \
        WHERE d.name = @P1 ORDER BY f.file_id";
    let rows = connection.rows("reading the database's files", statement, &[&database]).await?;
    rows.iter()
        .map(|row| {
            Ok(DatabaseFile {
                file_id: row.need_int("file_id")?,
                is_log: row.need_int("type_number")? == 1,
                logical_name: row.need_text("name")?,
                path: ServerPath::new(row.need_text("physical_name")?),
                size_bytes: u64::try_from(row.int("pages")?.unwrap_or_default()).unwrap_or_default() * 8192,
            })
        })
        .collect()
}

/// Opens the database to everybody.
pub fn multi_user_statement(database: &str) -> Result<String> {
    alter_database_set(database, "MULTI_USER")
}

/// Opens the database to everybody, unless it is so already; read back afterwards.
///
/// # Errors
/// `StepNotVerified` (5015).
pub async fn set_multi_user(connection: &mut Connection, database: &str) -> Result<()> {
    if need(connection, database).await?.user_access == UserAccess::MultiUser {
        return Ok(());
    }
    connection.batch("opening the database to all users", &multi_user_statement(database)?).await?;
    match need(connection, database).await?.user_access {
        UserAccess::MultiUser => Ok(()),
        _ => Err(Error::new(
            ErrorKind::StepNotVerified,
            format!("{}: `{database}` is not open to all users.", connection.instance()),
        )
        .with_next("Run `ALTER DATABASE … SET MULTI_USER` on the instance, then resume.")
        .with_target(database)),
    }
}

/// A user of the database whose login does not exist on this instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrphanedUser {
    pub name: String,
    /// `S` SQL, `U` Windows user, `G` Windows group.
    pub user_type: String,
}

/// Users of an online database that have no login here. Windows users may still come in through a group.
///
/// # Source
/// `sys.database_principals` of the database against `sys.server_principals`, by sid.
pub async fn orphaned_users(connection: &mut Connection, database: &str) -> Result<Vec<OrphanedUser>> {
    let statement = format!(
        "SELECT u.name, CAST(u.type AS nvarchar(1)) AS user_type FROM {}.sys.database_principals u \
        LEFT JOIN master.sys.server_principals p ON p.sid = u.sid \
        WHERE u.type IN ('S', 'U', 'G') AND u.principal_id > 4 AND u.sid IS NOT NULL AND p.sid IS NULL ORDER BY u.name",
        quote_name(database)?
    );
    let rows = connection.rows("reading orphaned users", &statement, &[]).await?;
    rows.iter()
        .map(|row| Ok(OrphanedUser { name: row.need_text("name")?, user_type: row.need_text("user_type")? }))
        .collect()
}

/// A table that could be read, and how many rows it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableCount {
    pub schema: String,
    pub table: String,
    pub rows: u64,
}

/// Reads one table of an online database, the fullest one by the catalog, which in `mgc` holds the messages: Microsoft
/// documents no table names of it. `None` where there is no user table.
pub async fn count_rows(connection: &mut Connection, database: &str) -> Result<Option<TableCount>> {
    let name = quote_name(database)?;
    let statement = format!(
        "SELECT TOP (1) s.name AS schema_name, t.name AS table_name FROM {name}.sys.tables t \
        JOIN {name}.sys.schemas s ON s.schema_id = t.schema_id \
        JOIN {name}.sys.partitions p ON p.object_id = t.object_id \
        WHERE p.index_id IN (0, 1) AND t.is_ms_shipped = 0 ORDER BY p.rows DESC, t.name"
    );
    let Some(row) = connection.row("reading the database's tables", &statement, &[]).await? else {
        return Ok(None);
    };
    let (schema, table) = (row.need_text("schema_name")?, row.need_text("table_name")?);
    let statement =
        format!("SELECT COUNT_BIG(*) AS row_count FROM {name}.{}.{}", quote_name(&schema)?, quote_name(&table)?);
    let doing = "counting the rows of a table";
    let row = connection.row(doing, &statement, &[]).await?.ok_or_else(|| super::no_answer(connection, doing))?;
    let rows = u64::try_from(row.need_int("row_count")?).unwrap_or_default();
    Ok(Some(TableCount { schema, table, rows }))
}
