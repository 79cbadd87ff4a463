//! The backups that an instance remembers of a database: those it took, and those that it was restored from.

use crate::error::Result;
use crate::failback::history::HistorySet;
use crate::names::ServerPath;
use crate::sql::Connection;

/// As many sets as are looked at; a log backup every minute for three weeks.
const LIMIT: u32 = 30_000;

/// The sets of a database since its newest full restore, oldest first: what its present content came from, and what was
/// backed up of it. Foreign sets count only where they were restored onto it.
///
/// # Source
/// msdb `backupset`, `backupmediafamily`, `restorehistory`.
pub async fn read(connection: &mut Connection, database: &str) -> Result<Vec<HistorySet>> {
    let statement = "SELECT MAX(h.backup_set_id) AS seeded FROM msdb.dbo.restorehistory h \
        WHERE h.destination_database_name = @P1 AND h.restore_type = 'D'";
    let row = connection.row("looking for the newest full restore", statement, &[&database]).await?;
    let seeded = row.map(|row| row.int("seeded")).transpose()?.flatten().unwrap_or_default();
    let seeded = i32::try_from(seeded).unwrap_or_default();
    let statement = format!(
        "SELECT TOP ({LIMIT}) CAST(b.type AS nvarchar(1)) AS backup_type, b.family_guid, b.first_lsn, b.last_lsn, \
        b.first_recovery_fork_guid, b.last_recovery_fork_guid, b.fork_point_lsn, CAST(b.is_copy_only AS int) AS is_copy_only, \
        CASE WHEN b.server_name = @@SERVERNAME THEN 1 ELSE 0 END AS is_own, b.backup_finish_date, f.physical_device_name \
        FROM msdb.dbo.backupset b LEFT JOIN msdb.dbo.backupmediafamily f \
        ON f.media_set_id = b.media_set_id AND f.family_sequence_number = 1 \
        WHERE b.database_name = @P1 AND b.type IN ('D', 'L') AND b.backup_set_id >= @P2 \
        AND (b.server_name = @@SERVERNAME OR EXISTS (SELECT 1 FROM msdb.dbo.restorehistory h \
        WHERE h.backup_set_id = b.backup_set_id AND h.destination_database_name = @P1 AND h.restore_type <> 'V')) \
        ORDER BY b.backup_set_id DESC"
    );
    let rows = connection.rows("reading the history of backups", &statement, &[&database, &seeded]).await?;
    let mut sets = Vec::with_capacity(rows.len());
    for row in rows.iter().rev() {
        let (Some(first_lsn), Some(last_lsn)) = (row.lsn("first_lsn")?, row.lsn("last_lsn")?) else { continue };
        let last_fork_id = row.uuid("last_recovery_fork_guid")?.unwrap_or_default();
        sets.push(HistorySet {
            backup_type: row.text("backup_type")?.unwrap_or_default(),
            family_id: row.uuid("family_guid")?.unwrap_or_default(),
            first_lsn,
            last_lsn,
            first_fork_id: row.uuid("first_recovery_fork_guid")?.unwrap_or(last_fork_id),
            last_fork_id,
            fork_point_lsn: row.lsn("fork_point_lsn")?,
            is_copy_only: row.flag("is_copy_only")?.unwrap_or_default(),
            is_own: row.need_int("is_own")? == 1,
            finished_at: row.time("backup_finish_date")?,
            path: row.path("physical_device_name")?.map(renamed),
        });
    }
    Ok(sets)
}

/// Log shipping's own job backs up under a working name, which msdb keeps, and renames the file once it is verified.
///
/// # Source
/// Message 32029.
fn renamed(path: ServerPath) -> ServerPath {
    match path.as_str().len().checked_sub(4).map(|at| path.as_str().split_at_checked(at)) {
        Some(Some((stem, ending))) if ending.eq_ignore_ascii_case(".wrk") => ServerPath::new(format!("{stem}.trn")),
        _ => path,
    }
}

/// The identity of an online database.
///
/// # Source
/// `sys.database_recovery_status`; NULL while it is not online.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnlineIdentity {
    pub family_id: uuid::Uuid,
    pub fork_id: uuid::Uuid,
    /// Where the next log backup begins; `None` where none is possible yet.
    pub last_log_backup_lsn: Option<crate::names::Lsn>,
}

/// Reads [`OnlineIdentity`]; `None` where the database is not online.
pub async fn identity(connection: &mut Connection, database: &str) -> Result<Option<OnlineIdentity>> {
    let statement = "SELECT s.family_guid, s.recovery_fork_guid, s.last_log_backup_lsn \
        FROM master.sys.database_recovery_status s JOIN master.sys.databases d ON d.database_id = s.database_id \
        WHERE d.name = @P1";
    let row = connection.row("reading the identity of the database", statement, &[&database]).await?;
    let Some(row) = row else { return Ok(None) };
    let (Some(family_id), Some(fork_id)) = (row.uuid("family_guid")?, row.uuid("recovery_fork_guid")?) else {
        return Ok(None);
    };
    Ok(Some(OnlineIdentity { family_id, fork_id, last_log_backup_lsn: row.lsn("last_log_backup_lsn")? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_working_name_is_that_of_the_finished_file() {
        let path = |text: &str| renamed(ServerPath::new(text)).to_string();
        assert_eq!(path(r"\\fs1\LogShip\mgc_1.WRK"), r"\\fs1\LogShip\mgc_1.trn");
        assert_eq!(path(r"E:\mgc_1.trn"), r"E:\mgc_1.trn");
        assert_eq!(path("é"), "é");
    }
}
