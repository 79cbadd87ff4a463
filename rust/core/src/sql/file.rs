//! Folders and volumes as the server's service account sees them.

use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::names::ServerPath;
use crate::sql::quote::quote_path;
use crate::sql::row::Row;
use crate::sql::Connection;

/// What a path is to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathState {
    File,
    Folder,
    /// Not there, or not visible to the service account: the server does not tell the two apart.
    Absent {
        parent_exists: bool,
    },
}

/// Looks at a path through the server.
///
/// # Source
/// `xp_fileexist`: three numbers, under names with blanks; read by their place.
pub async fn look(connection: &mut Connection, path: &ServerPath) -> Result<PathState> {
    let doing = "looking for a file";
    let sets = connection.batch(doing, &format!("EXEC master.dbo.xp_fileexist {}", quote_path(path)?)).await?;
    let row = sets.first().and_then(|rows| rows.first()).ok_or_else(|| super::no_answer(connection, doing))?;
    let set = |at: usize| -> Result<bool> { Ok(row.int_at(at)?.unwrap_or_default() != 0) };
    Ok(match (set(0)?, set(1)?) {
        (_, true) => PathState::Folder,
        (true, false) => PathState::File,
        (false, false) => PathState::Absent { parent_exists: set(2)? },
    })
}

/// An entry of a folder as the server sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerEntry {
    pub name: String,
    pub is_folder: bool,
    /// Only where the version tells (2017 and later).
    pub size_bytes: Option<u64>,
    /// UTC; only where the version tells.
    pub modified_at: Option<NaiveDateTime>,
}

/// Lists a folder through the server, in the order of names.
///
/// # Errors
/// `LogBackupUnreadable` (4006) where the folder is not there or not readable for the service account: the listing
/// itself would just be empty.
///
/// # Source
/// `xp_dirtree` with depth 1 and files.
pub async fn list(connection: &mut Connection, folder: &ServerPath) -> Result<Vec<ServerEntry>> {
    let statement = format!("EXEC master.sys.xp_dirtree {}, 1, 1", quote_path(folder)?);
    let sets = connection.batch("listing a folder", &statement).await?;
    let rows = sets.first().map(Vec::as_slice).unwrap_or_default();
    if rows.is_empty() && look(connection, folder).await? != PathState::Folder {
        return Err(Error::new(
            ErrorKind::LogBackupUnreadable,
            format!(
                "{}: the folder `{folder}` is not there, or SQL Server's service account may not read it.",
                connection.instance()
            ),
        )
        .with_unchanged("Nothing was changed.")
        .with_next("Check the path and the rights of the service account.")
        .with_target(folder.as_str()));
    }
    let mut entries: Vec<ServerEntry> = rows.iter().map(entry_from).collect::<Result<_>>()?;
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

fn entry_from(row: &Row) -> Result<ServerEntry> {
    Ok(ServerEntry {
        name: row.text_at(0)?.unwrap_or_default(),
        is_folder: row.int_at(2)?.unwrap_or_default() == 0,
        size_bytes: None,
        modified_at: None,
    })
}

/// Lists the files of a folder with sizes, where the version can (2017 and later); `None` where it cannot.
///
/// # Source
/// `sys.dm_os_enumerate_filesystem`, on no documentation page; a version without it, or a login that may not, gives `None`.
pub async fn list_with_sizes(connection: &mut Connection, folder: &ServerPath) -> Result<Option<Vec<ServerEntry>>> {
    let statement = format!(
        "SELECT f.file_or_directory_name, CAST(f.is_directory AS int) AS is_directory, CAST(f.size_in_bytes AS bigint) AS size_in_bytes, \
        f.last_write_time FROM sys.dm_os_enumerate_filesystem({}, N'*') f WHERE f.level = 0 ORDER BY f.file_or_directory_name",
        quote_path(folder)?
    );
    let rows = match connection.rows("listing a folder with sizes", &statement, &[]).await {
        Ok(rows) => rows,
        Err(error) if error.sql_number().is_some() => return Ok(None),
        Err(error) => return Err(error),
    };
    let entries: Result<Vec<ServerEntry>> = rows
        .iter()
        .map(|row| {
            Ok(ServerEntry {
                name: row.need_text("file_or_directory_name")?,
                is_folder: row.need_flag("is_directory")?,
                size_bytes: row.int("size_in_bytes")?.and_then(|size| u64::try_from(size).ok()),
                modified_at: row.time("last_write_time")?,
            })
        })
        .collect();
    entries.map(Some)
}

/// Free room on a volume of the server's host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreeSpace {
    /// `E:\` or a mount point.
    pub volume: String,
    pub free_bytes: u64,
}

/// Free room on the host's fixed drives, whole megabytes.
///
/// # Source
/// `xp_fixeddrives`: drive letter, megabytes free.
pub async fn fixed_drives(connection: &mut Connection) -> Result<Vec<FreeSpace>> {
    let sets = connection.batch("reading free space", "EXEC master.dbo.xp_fixeddrives").await?;
    let rows = sets.first().map(Vec::as_slice).unwrap_or_default();
    rows.iter()
        .map(|row| {
            let megabytes = u64::try_from(row.int_at(1)?.unwrap_or_default()).unwrap_or_default();
            Ok(FreeSpace {
                volume: format!("{}:\\", row.text_at(0)?.unwrap_or_default()),
                free_bytes: megabytes * 1024 * 1024,
            })
        })
        .collect()
}

/// Free room on the volumes that hold a database's files, mount points included; empty where the version cannot tell.
///
/// # Source
/// `sys.dm_os_volume_stats` (2008 R2 SP1 and later).
pub async fn volumes_of(connection: &mut Connection, database: &str) -> Result<Vec<FreeSpace>> {
    let statement = "SELECT DISTINCT v.volume_mount_point, CAST(v.available_bytes AS bigint) AS available_bytes \
        FROM master.sys.master_files f JOIN master.sys.databases d ON d.database_id = f.database_id \
        CROSS APPLY sys.dm_os_volume_stats(f.database_id, f.file_id) v WHERE d.name = @P1";
    let rows = match connection.rows("reading the volumes' free space", statement, &[&database]).await {
        Ok(rows) => rows,
        Err(error) if error.sql_number().is_some() => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    rows.iter()
        .map(|row| {
            Ok(FreeSpace {
                volume: row.need_text("volume_mount_point")?,
                free_bytes: u64::try_from(row.int("available_bytes")?.unwrap_or_default()).unwrap_or_default(),
            })
        })
        .collect()
}

/// Free room where a server path lies: the longest volume that it begins with. `None` for a share, or where nothing tells.
pub fn free_at(path: &ServerPath, volumes: &[FreeSpace]) -> Option<u64> {
    volumes
        .iter()
        .filter(|space| path.strip_prefix(&ServerPath::new(space.volume.as_str())).is_some())
        .max_by_key(|space| space.volume.len())
        .map(|space| space.free_bytes)
}

/// Creates a folder on the server's host, parents included; one that exists stays as it is.
pub fn create_folder_statement(folder: &ServerPath) -> Result<String> {
    Ok(format!("EXEC master.dbo.xp_create_subdir {}", quote_path(folder)?))
}

/// Runs [`create_folder_statement`] and looks for the folder afterwards.
///
/// # Errors
/// `StepNotVerified` (5015) where it is not there; the instance's own error before that.
pub async fn create_folder(connection: &mut Connection, folder: &ServerPath) -> Result<()> {
    connection.batch("creating a folder", &create_folder_statement(folder)?).await?;
    match look(connection, folder).await? {
        PathState::Folder => Ok(()),
        _ => Err(Error::new(
            ErrorKind::StepNotVerified,
            format!("{}: the folder `{folder}` is not there after its creation.", connection.instance()),
        )
        .with_target(folder.as_str())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_room_is_that_of_the_nearest_volume() {
        let volumes = [
            FreeSpace { volume: "E:\\".into(), free_bytes: 1 },
            FreeSpace { volume: "E:\\Mount\\".into(), free_bytes: 2 },
        ];
        assert_eq!(free_at(&ServerPath::new("e:\\LSCopy"), &volumes), Some(1));
        assert_eq!(free_at(&ServerPath::new("E:\\Mount\\LSCopy\\x.trn"), &volumes), Some(2));
        assert_eq!(free_at(&ServerPath::new("E:\\Mounted"), &volumes), Some(1));
        assert_eq!(free_at(&ServerPath::new("\\\\fs\\share"), &volumes), None);
    }

    #[test]
    fn a_folder_with_a_quote_is_one_literal() {
        assert_eq!(
            create_folder_statement(&ServerPath::new("E:\\o'x")).unwrap(),
            "EXEC master.dbo.xp_create_subdir N'E:\\o''x'"
        );
    }
}
