//! What a backup file says of itself, read through the server: its service account must be able to open it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::log_chain::{BackupType, Header, Trouble};
use crate::names::ServerPath;
use crate::sql::class::{class_of, SqlErrorClass};
use crate::sql::row::Row;
use crate::sql::statement::devices;
use crate::sql::Connection;

/// What came of reading a file's headers. A file that cannot be read is an answer, not a failure of the look.
#[derive(Debug, Clone)]
pub enum HeaderAnswer {
    /// One entry for each set in the file, in their order.
    Read(Vec<Header>),
    /// What is wrong with the file, and SQL Server's own error.
    Trouble(Trouble, Error),
}

/// Reads the headers of all sets in one file, with the media members of its label.
///
/// # Errors
/// Only what says nothing about the file: a lost connection, a time-out, a missing right.
///
/// # Source
/// `RESTORE HEADERONLY`, `RESTORE LABELONLY`. Columns are read by name; newer ones may be missing.
pub async fn read_headers(connection: &mut Connection, path: &ServerPath) -> Result<HeaderAnswer> {
    let from = devices(std::slice::from_ref(path))?;
    let rows =
        match first_set(connection, "reading a backup's header", &format!("RESTORE HEADERONLY FROM {from}")).await {
            Ok(rows) => rows,
            Err(error) => return trouble_or(error, path),
        };
    let label = match first_set(connection, "reading a backup's label", &format!("RESTORE LABELONLY FROM {from}")).await
    {
        Ok(rows) => rows.first().map(label_from).transpose()?,
        Err(error) => return trouble_or(error, path),
    };
    let mut headers = Vec::with_capacity(rows.len());
    for row in &rows {
        match header_from(row, label.as_ref())? {
            Some(header) => headers.push(header),
            None => {
                let why = format!("`{}` is protected by a password", path.file_name());
                let error = Error::new(
                    crate::error::ErrorKind::LogBackupUnreadable,
                    format!("{}: {why}.", connection.instance()),
                )
                .with_next("Restore it by hand with its password, then resume.")
                .with_target(path.as_str());
                return Ok(HeaderAnswer::Trouble(Trouble::Unreadable(why), error));
            }
        }
    }
    Ok(HeaderAnswer::Read(headers))
}

async fn first_set(connection: &mut Connection, doing: &str, statement: &str) -> Result<Vec<Row>> {
    Ok(connection.batch(doing, statement).await?.into_iter().next().unwrap_or_default())
}

fn trouble_or(error: Error, path: &ServerPath) -> Result<HeaderAnswer> {
    match trouble_of(&error) {
        Some(trouble) => Ok(HeaderAnswer::Trouble(trouble, error.with_target(path.as_str()))),
        None => Err(error),
    }
}

/// What an error of RESTORE says about the file; `None` where it says nothing about it.
pub fn trouble_of(error: &Error) -> Option<Trouble> {
    let sql = error.sql.as_deref()?;
    let why = format!("SQL Server error {}: {}", sql.number, sql.message);
    match class_of(sql.number) {
        // "In use by another process" is a writer at work; every other reason is told as it stands.
        SqlErrorClass::FileNotOpened if operating_system_error(&sql.message) == Some(32) => Some(Trouble::Growing(why)),
        SqlErrorClass::FileNotOpened => Some(Trouble::Unreadable(why)),
        SqlErrorClass::FileUnusable => Some(Trouble::Malformed(why)),
        _ => None,
    }
}

/// The operating system's number in the text of 3201 and 3203: digits before an opening bracket, in every language. It
/// only chooses between two kinds of trouble that are both shown with the whole text.
pub fn operating_system_error(message: &str) -> Option<u32> {
    let end = message
        .rmatch_indices('(')
        .map(|(at, _)| at)
        .find(|at| message[..*at].ends_with(|c: char| c.is_ascii_digit()))?;
    let digits: String = message[..end].chars().rev().take_while(char::is_ascii_digit).collect();
    digits.chars().rev().collect::<String>().parse().ok()
}

/// `None` for a set whose header a password hides.
fn header_from(row: &Row, label: Option<&Label>) -> Result<Option<Header>> {
    let (Some(first_lsn), Some(last_lsn), Some(family_id)) =
        (row.lsn("FirstLSN")?, row.lsn("LastLSN")?, row.uuid("FamilyGUID")?)
    else {
        return Ok(None);
    };
    let last_fork_id = row.uuid("RecoveryForkID")?.unwrap_or_default();
    Ok(Some(Header {
        backup_type: BackupType::from_number(row.need_int("BackupType")?),
        database_name: row.text("DatabaseName")?.unwrap_or_default().into(),
        family_id,
        first_lsn,
        last_lsn,
        first_fork_id: row.uuid("FirstRecoveryForkID")?.unwrap_or(last_fork_id),
        last_fork_id,
        fork_point_lsn: row.lsn("ForkPointLSN")?,
        backup_set_id: row.uuid("BackupSetGUID")?.unwrap_or_default(),
        media_set_id: label.map_or(Uuid::nil(), |label| label.media_set_id),
        family_count: label.map_or(1, |label| label.family_count),
        family_number: label.map_or(1, |label| label.family_number),
        position: u32::try_from(row.need_int("Position")?).unwrap_or_default(),
        size_bytes: u64::try_from(row.int("BackupSize")?.unwrap_or_default()).unwrap_or_default(),
        started_at: row.need_time("BackupStartDate")?,
        finished_at: row.need_time("BackupFinishDate")?,
        server_name: row.text("ServerName")?.unwrap_or_default().into(),
        has_checksums: row.flag("HasBackupChecksums")?.unwrap_or_default(),
        is_damaged: row.flag("IsDamaged")?.unwrap_or_default(),
        is_copy_only: row.flag("IsCopyOnly")?.unwrap_or_default(),
        is_tail: row.flag("IsForceOffline")?.unwrap_or_default(),
        begins_log_chain: row.flag("BeginsLogChain")?.unwrap_or_default(),
        software_major: u16::try_from(row.int("SoftwareVersionMajor")?.unwrap_or_default()).unwrap_or_default(),
    }))
}

/// The media set that a file belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    pub media_set_id: Uuid,
    /// More than 1: the set is striped over as many files.
    pub family_count: u32,
    pub family_number: u32,
}

fn label_from(row: &Row) -> Result<Label> {
    let count = |column: &str| -> Result<u32> { Ok(u32::try_from(row.int(column)?.unwrap_or(1)).unwrap_or(1).max(1)) };
    Ok(Label {
        media_set_id: row.uuid("MediaSetId")?.unwrap_or_default(),
        family_count: count("FamilyCount")?,
        family_number: count("FamilySequenceNumber")?,
    })
}

/// One file of a database inside a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackedUpFile {
    pub logical_name: String,
    pub path: ServerPath,
    /// `D` data, `L` log, `F` full-text, `S` FILESTREAM.
    pub file_type: String,
    pub size_bytes: u64,
}

/// The files of the database in a set.
///
/// # Source
/// `RESTORE FILELISTONLY`.
pub async fn read_file_list(
    connection: &mut Connection,
    paths: &[ServerPath],
    position: u32,
) -> Result<Vec<BackedUpFile>> {
    let statement = format!("RESTORE FILELISTONLY FROM {} WITH FILE = {position}", devices(paths)?);
    let rows = first_set(connection, "reading a backup's file list", &statement).await?;
    rows.iter()
        .map(|row| {
            Ok(BackedUpFile {
                logical_name: row.need_text("LogicalName")?,
                path: ServerPath::new(row.need_text("PhysicalName")?),
                file_type: row.text("Type")?.unwrap_or_default(),
                size_bytes: u64::try_from(row.int("Size")?.unwrap_or_default()).unwrap_or_default(),
            })
        })
        .collect()
}

/// The statement that reads a set to its end, with its checksums where it has some.
pub fn verify_statement(paths: &[ServerPath], position: u32, has_checksums: bool) -> Result<String> {
    let checksum = if has_checksums { ", CHECKSUM" } else { "" };
    Ok(format!("RESTORE VERIFYONLY FROM {} WITH FILE = {position}{checksum}", devices(paths)?))
}

/// Verifies a set on a [`super::Purpose::Work`] connection: as slow as reading the whole file.
///
/// # Errors
/// `LogBackupDamaged` (4003), `LogBackupUnreadable` (4006).
pub async fn verify(work: &mut Connection, paths: &[ServerPath], position: u32, has_checksums: bool) -> Result<()> {
    work.batch("verifying a backup", &verify_statement(paths, position, has_checksums)?).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{ErrorKind, SqlServerError};

    fn refused(number: u32, message: &str) -> Error {
        let sql = SqlServerError {
            number,
            severity: 16,
            state: 2,
            line: 1,
            server: "B".into(),
            procedure: String::new(),
            message: message.into(),
        };
        Error::new(ErrorKind::SqlServerRefused, "x").with_sql(sql)
    }

    #[test]
    fn the_number_in_the_text_is_found_in_every_language() {
        let text = |os: &str| format!("Cannot open backup device 'E:\\a (2)\\mgc_1.trn'. Operating system error {os}");
        assert_eq!(operating_system_error(&text("32(The process cannot access the file (again).).")), Some(32));
        assert_eq!(operating_system_error(&text("5(Accès refusé.).")), Some(5));
        assert_eq!(operating_system_error("no number here"), None);
    }

    #[test]
    fn a_file_in_use_grows_and_a_damaged_one_is_malformed() {
        let open = "Cannot open backup device 'x'. Operating system error";
        assert!(matches!(trouble_of(&refused(3201, &format!("{open} 32(in use)."))), Some(Trouble::Growing(_))));
        assert!(matches!(
            trouble_of(&refused(3201, &format!("{open} 5(Access is denied.)."))),
            Some(Trouble::Unreadable(_))
        ));
        for number in [3241, 3242, 3203, 3256, 3183] {
            assert!(matches!(trouble_of(&refused(number, "x")), Some(Trouble::Malformed(_))), "{number}");
        }
        assert!(trouble_of(&refused(262, "no right")).is_none());
        assert!(trouble_of(&Error::new(ErrorKind::ConnectionLost, "x")).is_none());
    }

    #[test]
    fn verifying_asks_for_checksums_only_where_there_are_some() {
        let paths = [ServerPath::new("E:\\a.bak")];
        assert_eq!(
            verify_statement(&paths, 2, true).unwrap(),
            "RESTORE VERIFYONLY FROM DISK = N'E:\\a.bak' WITH FILE = 2, CHECKSUM"
        );
        assert_eq!(
            verify_statement(&paths, 1, false).unwrap(),
            "RESTORE VERIFYONLY FROM DISK = N'E:\\a.bak' WITH FILE = 1"
        );
    }
}
