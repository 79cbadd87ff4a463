//! Backups after a failover: a full backup once, then a job that takes log backups, so that the log does not fill up.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Error, ErrorKind, Result};
use crate::names::ServerPath;
use crate::sql::quote::{quote_literal, quote_name, quote_path};
use crate::sql::statement::call;
use crate::sql::{job, Connection};

/// Stands in a plan for the time in a backup file's name, which is known when the backup is taken.
pub const TIME_OF_BACKUP: &str = "<yyyymmddhhmmss>";

/// A job that takes log backups of one database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogBackupJob {
    pub database: String,
    pub folder: ServerPath,
    pub interval_minutes: u32,
}

impl LogBackupJob {
    /// The job's name: `PersistentChatFailover log backup mgc`.
    pub fn name(&self) -> String {
        format!("PersistentChatFailover log backup {}", self.database)
    }

    /// What the job's step runs. The name of each file has the time in UTC; on a copy that is not online, such as a mirror,
    /// it does nothing, as SQL Server's own job does.
    pub fn step_text(&self) -> Result<String> {
        let begin = quote_path(&self.folder.join(&format!("{}_", self.database)))?;
        let stamp =
            "REPLACE(REPLACE(REPLACE(CONVERT(nvarchar(19), GETUTCDATE(), 120), N'-', N''), N' ', N''), N':', N'')";
        Ok(format!(
            "IF EXISTS (SELECT 1 FROM master.sys.databases WHERE name = {} AND state = 0 AND is_in_standby = 0) \
            BEGIN DECLARE @file nvarchar(260); SET @file = {begin} + {stamp} + N'.trn'; \
            BACKUP LOG {} TO DISK = @file WITH CHECKSUM; END",
            quote_literal(&self.database)?,
            quote_name(&self.database)?
        ))
    }

    /// The statements that create the job, disabled, in their order.
    ///
    /// # Errors
    /// `InvalidValue` (1002) for an interval outside 1 to 1440 minutes, or names that cannot be quoted.
    pub fn create_statements(&self) -> Result<Vec<String>> {
        let (subday_type, every) = subday(self.interval_minutes)?;
        let name = ("job_name", quote_literal(&self.name())?);
        Ok(vec![
            call(
                "msdb.dbo.sp_add_job",
                &[
                    name.clone(),
                    ("enabled", "0".into()),
                    ("description", quote_literal("Log backups since the failover. Made by PersistentChatFailover; delete it when log shipping is set up again.")?),
                ],
            ),
            call(
                "msdb.dbo.sp_add_jobstep",
                &[
                    name.clone(),
                    ("step_name", quote_literal("log backup")?),
                    ("subsystem", "N'TSQL'".into()),
                    ("database_name", "N'master'".into()),
                    ("command", quote_literal(&self.step_text()?)?),
                ],
            ),
            call(
                "msdb.dbo.sp_add_jobschedule",
                &[
                    name.clone(),
                    ("name", quote_literal(&format!("every {} minutes", self.interval_minutes))?),
                    ("enabled", "1".into()),
                    ("freq_type", "4".into()),
                    ("freq_interval", "1".into()),
                    ("freq_subday_type", subday_type.to_string()),
                    ("freq_subday_interval", every.to_string()),
                    ("active_start_time", "0".into()),
                ],
            ),
            call("msdb.dbo.sp_add_jobserver", &[name, ("server_name", "N'(local)'".into())]),
        ])
    }
}

/// `freq_subday_type` and `freq_subday_interval` of a daily schedule that comes every so many minutes.
///
/// # Errors
/// `InvalidValue` (1002) for an interval outside 1 to 1440 minutes.
pub fn subday(minutes: u32) -> Result<(u32, u32)> {
    // Type 4: every so many minutes. 8: every so many hours.
    Ok(match minutes {
        0 | 1441.. => {
            return Err(Error::new(
                ErrorKind::InvalidValue,
                format!("{minutes} minutes are no interval for log backups."),
            )
            .with_next("Give 1 to 1440 minutes."))
        }
        minutes if minutes % 60 == 0 && minutes < 1440 => (8, minutes / 60),
        minutes if minutes < 60 => (4, minutes),
        // A day is one run; what is no whole number of hours becomes the next shorter one.
        1440 => (1, 0),
        minutes => (8, minutes / 60),
    })
}

/// The statements that create the job and enable it, for a plan: its id is given by the instance.
///
/// # Errors
/// As [`LogBackupJob::create_statements`].
pub fn planned_statements(wanted: &LogBackupJob) -> Result<Vec<String>> {
    let mut statements = wanted.create_statements()?;
    statements.push(job::planned_enable_statement(&wanted.name())?);
    Ok(statements)
}

/// Creates the job, disabled, unless it is there; its id. A half-made one from a run that was cut off is made anew.
///
/// # Errors
/// `StepNotVerified` (5015) where the job is not found afterwards.
pub async fn create(connection: &mut Connection, wanted: &LogBackupJob) -> Result<Uuid> {
    if let Some(id) = job::find(connection, &wanted.name()).await? {
        if is_whole(connection, id).await? {
            return Ok(id);
        }
        connection.call("deleting a half-made job", &job::delete_statement(id)?).await?;
    }
    for statement in wanted.create_statements()? {
        connection.call("creating the log backup job", &statement).await?;
    }
    job::find(connection, &wanted.name()).await?.ok_or_else(|| {
        Error::new(
            ErrorKind::StepNotVerified,
            format!("{}: the job `{}` is not there after its creation.", connection.instance(), wanted.name()),
        )
        .with_target(wanted.name())
    })
}

/// The last statement of the creation gives the job its server.
async fn is_whole(connection: &mut Connection, id: Uuid) -> Result<bool> {
    let statement = "SELECT CAST(COUNT(*) AS int) AS found FROM msdb.dbo.sysjobservers s WHERE s.job_id = @P1";
    let row = connection.row("looking whether a job is complete", statement, &[&id]).await?;
    Ok(row.map(|row| row.need_int("found")).transpose()?.unwrap_or_default() > 0)
}

/// A full backup into a new file; `COPY_ONLY` leaves the differential base alone.
pub fn full_backup_statement(database: &str, file: &ServerPath, copy_only: bool) -> Result<String> {
    let copy_only = if copy_only { "COPY_ONLY, " } else { "" };
    Ok(format!("BACKUP DATABASE {} TO DISK = {} WITH {copy_only}CHECKSUM", quote_name(database)?, quote_path(file)?))
}

/// A log backup into a new file.
pub fn log_backup_statement(database: &str, file: &ServerPath) -> Result<String> {
    Ok(format!("BACKUP LOG {} TO DISK = {} WITH CHECKSUM", quote_name(database)?, quote_path(file)?))
}

/// The name of a backup file: `mgc_20260314021500.bak`.
pub fn file_name(database: &str, taken_at_utc: chrono::NaiveDateTime, extension: &str) -> String {
    format!("{database}_{}.{extension}", taken_at_utc.format("%Y%m%d%H%M%S"))
}

/// Takes a backup on a [`super::Purpose::Work`] connection. The file must be a new one: backups append to one that exists.
///
/// # Errors
/// `SqlServerRefused` (3001); the file's own state settles a call that was lost.
pub async fn back_up(work: &mut Connection, statement: &str) -> Result<()> {
    work.batch("taking a backup", statement).await.map(|_| ())
}

/// The newest backup of a database that this instance took itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenBackup {
    /// `D` full, `L` log, `I` differential.
    pub backup_type: String,
    /// In the instance's local time.
    pub finished_at: chrono::NaiveDateTime,
    pub path: Option<ServerPath>,
    pub is_copy_only: bool,
}

/// Backups of a database that this server took, newest first, at most `count`.
///
/// # Source
/// msdb `backupset`, `backupmediafamily`; restored foreign sets have another server_name.
pub async fn taken(connection: &mut Connection, database: &str, count: u16) -> Result<Vec<TakenBackup>> {
    let statement = format!(
        "SELECT TOP ({count}) CAST(b.type AS nvarchar(1)) AS backup_type, b.backup_finish_date, f.physical_device_name, \
        CAST(b.is_copy_only AS int) AS is_copy_only FROM msdb.dbo.backupset b \
        JOIN msdb.dbo.backupmediafamily f ON f.media_set_id = b.media_set_id \
        WHERE b.database_name = @P1 AND b.server_name = @@SERVERNAME AND f.family_sequence_number = 1 \
        ORDER BY b.backup_finish_date DESC, b.backup_set_id DESC"
    );
    let rows = connection.rows("reading the instance's own backups", &statement, &[&database]).await?;
    rows.iter()
        .map(|row| {
            Ok(TakenBackup {
                backup_type: row.text("backup_type")?.unwrap_or_default(),
                finished_at: row.need_time("backup_finish_date")?,
                path: row.path("physical_device_name")?,
                is_copy_only: row.flag("is_copy_only")?.unwrap_or_default(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(interval_minutes: u32) -> LogBackupJob {
        LogBackupJob { database: "m'gc]".into(), folder: ServerPath::new("F:\\Backup"), interval_minutes }
    }

    #[test]
    fn the_step_is_quoted_inside_and_the_step_as_a_whole_outside() {
        let step = wanted(15).step_text().unwrap();
        assert!(step.contains("WHERE name = N'm''gc]'"), "{step}");
        assert!(step.contains("N'F:\\Backup\\m''gc]_' + "), "{step}");
        assert!(step.contains("BACKUP LOG [m'gc]]] TO DISK = @file WITH CHECKSUM"), "{step}");
        let statements = wanted(15).create_statements().unwrap();
        assert!(statements[1].contains("N''m''''gc]''"), "{}", statements[1]);
    }

    #[test]
    fn an_interval_becomes_minutes_or_hours() {
        let schedule = |minutes| wanted(minutes).create_statements().unwrap()[2].clone();
        assert!(schedule(15).contains("@freq_subday_type = 4, @freq_subday_interval = 15"));
        assert!(schedule(120).contains("@freq_subday_type = 8, @freq_subday_interval = 2"));
        assert!(schedule(1440).contains("@freq_subday_type = 1, @freq_subday_interval = 0"));
        assert!(wanted(0).create_statements().is_err());
    }

    #[test]
    fn backups_go_to_new_files_and_never_overwrite() {
        let at = chrono::NaiveDateTime::parse_from_str("2026-03-14T02:15:09", "%Y-%m-%dT%H:%M:%S").unwrap();
        assert_eq!(file_name("mgc", at, "bak"), "mgc_20260314021509.bak");
        let file = ServerPath::new("F:\\Backup\\mgc_20260314021509.bak");
        assert_eq!(
            full_backup_statement("mgc", &file, false).unwrap(),
            "BACKUP DATABASE [mgc] TO DISK = N'F:\\Backup\\mgc_20260314021509.bak' WITH CHECKSUM"
        );
        assert!(full_backup_statement("mgc", &file, true).unwrap().ends_with("WITH COPY_ONLY, CHECKSUM"));
    }
}
