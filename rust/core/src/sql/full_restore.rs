//! Restoring a full backup over whatever an instance has of the database. Always `WITH NORECOVERY`.

use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};
use crate::names::{InstanceName, ServerPath};
use crate::sql::backup_file::BackedUpFile;
use crate::sql::class::{class_of, SqlErrorClass};
use crate::sql::connection::end_all_once;
use crate::sql::database::{self, DatabaseFile, DatabaseState};
use crate::sql::quote::{quote_literal, quote_name, quote_path};
use crate::sql::restore::{run_to_the_end_keeping, RestoreProgress};
use crate::sql::statement::{alter_database_set, devices, USE_MASTER};
use crate::sql::{Connection, Connector, Purpose};

/// Tries against sessions that come back.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(200);

/// A full backup and where its files go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FullRestore {
    pub database: String,
    pub file: ServerPath,
    /// `FILE =`.
    pub position: u32,
    /// Logical name and path on the instance, of each file in the backup.
    pub moves: Vec<(String, ServerPath)>,
    /// Only once nothing in the database there can be lost.
    pub replace: bool,
}

/// `RESTORE DATABASE … WITH NORECOVERY, REPLACE, MOVE …`. NORECOVERY is always stated: the default ends the chain.
pub fn restore_statement(restore: &FullRestore) -> Result<String> {
    if restore.position == 0 {
        return Err(Error::new(ErrorKind::InternalFault, "a restore has no position."));
    }
    let mut statement = format!(
        "RESTORE DATABASE {} FROM {} WITH FILE = {}, NORECOVERY",
        quote_name(&restore.database)?,
        devices(std::slice::from_ref(&restore.file))?,
        restore.position
    );
    if restore.replace {
        statement.push_str(", REPLACE");
    }
    for (logical, path) in &restore.moves {
        statement.push_str(&format!(", MOVE {} TO {}", quote_literal(logical)?, quote_path(path)?));
    }
    Ok(statement)
}

/// The same in one batch that takes the database from its sessions first. Where somebody else has the single user's seat
/// (924) the batch does nothing: it would restore behind an answer that says it did not.
pub fn restore_over_online_statement(restore: &FullRestore) -> Result<String> {
    let name = quote_name(&restore.database)?;
    let single = alter_database_set(&restore.database, "SINGLE_USER WITH ROLLBACK IMMEDIATE")?;
    let literal = quote_literal(&restore.database)?;
    let restore = restore_statement(restore)?;
    Ok(format!("USE {name}; IF DB_ID() = DB_ID({literal}) BEGIN {single}; {USE_MASTER}; {restore}; END"))
}

/// Where each file of a backup goes: to the instance's own file of the same logical name, else to one of the same kind that
/// is still free, else into the folder of those, else into `folder`. No two go to one path. Pure.
///
/// # Errors
/// `InvalidValue` (1002) where there is neither a file nor a folder to go by.
pub fn moves(
    backed_up: &[BackedUpFile],
    own: &[DatabaseFile],
    folder: Option<&ServerPath>,
) -> Result<Vec<(String, ServerPath)>> {
    let is_log = |file: &BackedUpFile| file.file_type.eq_ignore_ascii_case("L");
    let mut taken: Vec<&DatabaseFile> = Vec::new();
    let mut moves: Vec<(String, ServerPath)> = Vec::new();
    let by_name = |file: &BackedUpFile| {
        own.iter().find(|o| o.is_log == is_log(file) && o.logical_name.eq_ignore_ascii_case(&file.logical_name))
    };
    let named: Vec<Option<&DatabaseFile>> = backed_up.iter().map(by_name).collect();
    taken.extend(named.iter().flatten().copied());
    for (file, named) in backed_up.iter().zip(named) {
        let free = || own.iter().find(|o| o.is_log == is_log(file) && !taken.iter().any(|t| t.file_id == o.file_id));
        let path = match named.or_else(free) {
            Some(found) => {
                taken.push(found);
                found.path.clone()
            }
            None => {
                let beside =
                    own.iter().find(|o| o.is_log == is_log(file)).or(own.first()).and_then(|o| o.path.parent());
                let folder = beside.or_else(|| folder.cloned()).ok_or_else(|| {
                    Error::new(
                        ErrorKind::InvalidValue,
                        format!("there is no folder known for the file `{}` of the backup.", file.logical_name),
                    )
                })?;
                let path = folder.join(file.path.file_name());
                match moves.iter().any(|(_, used)| used.same_as(&path)) {
                    true => folder.join(&format!("{}_{}", file.logical_name, file.path.file_name())),
                    false => path,
                }
            }
        };
        moves.push((file.logical_name.clone(), path));
    }
    Ok(moves)
}

/// The restore over what is there: over a copy that users can be in, with everybody out in the same batch.
///
/// # Errors
/// `InvalidValue` (1002) for a name or path that no statement can hold.
pub fn statement_over(state: Option<DatabaseState>, restore: &FullRestore) -> Result<String> {
    match state {
        Some(DatabaseState::Online | DatabaseState::Standby) => restore_over_online_statement(restore),
        _ => restore_statement(restore),
    }
}

/// Restores a full backup. Sessions in a database that is online are ended, again and again within a bound (3101). Nothing
/// ends the statement once it was sent, not even a dropped future.
///
/// # Errors
/// `DatabaseInUse` (3004) where sessions come back faster than they are ended; else as SQL Server refuses it.
pub async fn restore(
    connector: &Connector,
    instance: &InstanceName,
    restore: &FullRestore,
    progress: &mut (dyn FnMut(RestoreProgress) + Send),
) -> Result<()> {
    let mut tries = 0;
    loop {
        tries += 1;
        let mut work = connector.connect(instance, Purpose::Work).await?;
        let found = database::read(&mut work, &restore.database).await?;
        let statement = statement_over(found.map(|facts| facts.state), restore)?;
        let (_, ended) = run_to_the_end_keeping(connector, work, "restoring a full backup", statement, progress).await;
        let Err(error) = ended else { return Ok(()) };
        let in_use = error.sql_number().is_some_and(|number| class_of(number) == SqlErrorClass::EvictSessions);
        if !in_use || tries >= TRIES {
            return Err(error);
        }
        let mut again = connector.connect(instance, Purpose::Catalog).await?;
        end_all_once(&mut again, &restore.database).await?;
        tokio::time::sleep(PAUSE).await;
    }
}

/// The folder that new data files go to, where the instance tells it.
///
/// # Source
/// `SERVERPROPERTY('InstanceDefaultDataPath')`, 2012 and later; else the folder of master's own file.
pub async fn data_folder(connection: &mut Connection) -> Result<Option<ServerPath>> {
    let statement = "SELECT CAST(SERVERPROPERTY('InstanceDefaultDataPath') AS nvarchar(260)) AS folder";
    let row = connection.row("reading the default data folder", statement, &[]).await?;
    let told = row.map_or(Ok(None), |row| row.text("folder"))?.filter(|folder| !folder.trim().is_empty());
    if let Some(folder) = told {
        return Ok(Some(ServerPath::new(folder.trim_end_matches('\\'))));
    }
    Ok(database::files(connection, "master").await?.first().and_then(|file| file.path.parent()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backed_up(logical: &str, path: &str, kind: &str) -> BackedUpFile {
        BackedUpFile {
            logical_name: logical.into(),
            path: ServerPath::new(path),
            file_type: kind.into(),
            size_bytes: 1,
        }
    }

    fn own(id: i64, logical: &str, path: &str, is_log: bool) -> DatabaseFile {
        DatabaseFile { file_id: id, is_log, logical_name: logical.into(), path: ServerPath::new(path), size_bytes: 1 }
    }

    #[test]
    fn a_full_restore_never_recovers_and_replaces_only_on_demand() {
        let mut restore = FullRestore {
            database: "m]gc".into(),
            file: ServerPath::new(r"\\fs1\LogShip\m'gc.bak"),
            position: 1,
            moves: vec![("mgc".into(), ServerPath::new(r"E:\o'x.mdf"))],
            replace: false,
        };
        assert_eq!(
            restore_statement(&restore).unwrap(),
            r"RESTORE DATABASE [m]]gc] FROM DISK = N'\\fs1\LogShip\m''gc.bak' WITH FILE = 1, NORECOVERY, MOVE N'mgc' TO N'E:\o''x.mdf'"
        );
        restore.replace = true;
        assert!(restore_statement(&restore).unwrap().contains("NORECOVERY, REPLACE, MOVE"));
        assert!(restore_over_online_statement(&restore).unwrap().starts_with(
            "USE [m]]gc]; IF DB_ID() = DB_ID(N'm]gc') BEGIN ALTER DATABASE [m]]gc] SET SINGLE_USER WITH ROLLBACK IMMEDIATE; USE [master]; RESTORE DATABASE [m]]gc]"
        ));
        restore.position = 0;
        assert!(restore_statement(&restore).is_err());
    }

    #[test]
    fn files_go_to_the_instance_s_own_places() {
        let backup = [backed_up("mgc", r"F:\B\mgc.mdf", "D"), backed_up("mgc_log", r"F:\B\mgc.ldf", "L")];
        let same = [own(1, "MGC", r"E:\D\chat.mdf", false), own(2, "mgc_log", r"L:\chat.ldf", true)];
        let paths = |moves: Vec<(String, ServerPath)>| -> Vec<String> {
            moves.into_iter().map(|(_, path)| path.to_string()).collect()
        };
        assert_eq!(paths(moves(&backup, &same, None).unwrap()), [r"E:\D\chat.mdf", r"L:\chat.ldf"]);
        let renamed = [own(1, "a", r"E:\D\a.mdf", false), own(2, "b", r"L:\b.ldf", true)];
        assert_eq!(paths(moves(&backup, &renamed, None).unwrap()), [r"E:\D\a.mdf", r"L:\b.ldf"]);
        let folder = ServerPath::new(r"G:\Data");
        assert_eq!(paths(moves(&backup, &[], Some(&folder)).unwrap()), [r"G:\Data\mgc.mdf", r"G:\Data\mgc.ldf"]);
        assert!(moves(&backup, &[], None).is_err());
    }

    #[test]
    fn no_two_files_go_to_one_path() {
        let backup = [
            backed_up("mgc", r"F:\A\mgc.mdf", "D"),
            backed_up("mgc2", r"F:\B\mgc.mdf", "D"),
            backed_up("mgc_log", r"F:\B\mgc.ldf", "L"),
        ];
        let mut paths: Vec<String> = moves(&backup, &[], Some(&ServerPath::new(r"G:\Data")))
            .unwrap()
            .into_iter()
            .map(|(_, path)| path.to_string())
            .collect();
        paths.sort();
        paths.dedup();
        assert_eq!(paths.len(), 3);
    }
}
