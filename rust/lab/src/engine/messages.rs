//! SQL Server's messages, one place for number, severity, state and text.

use super::backup_file::Fault;
use super::disk::OsError;
use super::error::SqlMessage;
use super::lsn::Lsn;

fn user(number: i32, text: impl Into<String>) -> SqlMessage {
    SqlMessage::new(number, 16, 1, text)
}

/// 3013, the closing message of a failed BACKUP or RESTORE.
pub fn terminating(command: &str) -> SqlMessage {
    user(3013, format!("{command} is terminating abnormally."))
}

/// 3201.
pub fn cannot_open_device(path: &str, error: OsError, state: u8) -> SqlMessage {
    let mut message =
        user(3201, format!("Cannot open backup device '{path}'. Operating system error {}.", error.text()));
    message.state = state;
    message
}

/// What a file that cannot be read as a backup is answered with.
pub fn bad_file(path: &str, fault: Fault, database: &str) -> SqlMessage {
    match fault {
        Fault::Empty => user(3254, format!("The volume on device '{path}' is empty.")),
        Fault::Malformed => SqlMessage::new(
            3241,
            16,
            0,
            format!(
                "The media family on device '{path}' is incorrectly formed. SQL Server cannot process this media family."
            ),
        ),
        Fault::Cut => user(3203, format!("Read on \"{path}\" failed: {}", OsError(38).text())),
        Fault::Unfinished => user(
            3256,
            format!(
                "The backup set on device '{path}' was terminated while it was being created and is incomplete. RESTORE sequence is terminated abnormally."
            ),
        ),
        Fault::Damaged => user(
            3183,
            format!("RESTORE detected an error on page (1:213) in database \"{database}\" as read from the backup set."),
        ),
        Fault::Os(error) if matches!(error.0, 2 | 3 | 5 | 32 | 53 | 67) => cannot_open_device(path, error, 2),
        Fault::Os(error) => user(3203, format!("Read on \"{path}\" failed: {}", error.text())),
    }
}

/// 3101.
pub fn in_use() -> SqlMessage {
    user(3101, "Exclusive access could not be obtained because the database is in use.")
}

/// 3102.
pub fn in_use_by_this_session(command: &str, database: &str) -> SqlMessage {
    user(
        3102,
        format!(
            "{command} cannot process database '{database}' because it is in use by this session. It is recommended that the master database be used when performing this operation."
        ),
    )
}

/// 3104; older servers name mirroring only.
pub fn mirrored(database: &str, major: u8) -> SqlMessage {
    let text = if major < 11 {
        format!(
            "RESTORE cannot operate on database '{database}' because it is configured for database mirroring. Use ALTER DATABASE to remove mirroring if you intend to restore the database."
        )
    } else {
        format!(
            "RESTORE cannot operate on database '{database}' because it is configured for database mirroring or has joined an availability group. If you intend to restore the database, use ALTER DATABASE to remove mirroring or to remove the database from its availability group."
        )
    };
    user(3104, text)
}

/// 3117.
pub fn nothing_to_roll_forward() -> SqlMessage {
    SqlMessage::new(
        3117,
        16,
        1,
        "The log or differential backup cannot be restored because no files are ready to rollforward.",
    )
}

/// 3118.
pub fn no_such_database_to_restore(database: &str) -> SqlMessage {
    user(
        3118,
        format!(
            "The database \"{database}\" does not exist. RESTORE can only create a database when restoring either a full backup or a file backup of the primary file."
        ),
    )
}

/// 3153.
pub fn already_recovered() -> SqlMessage {
    SqlMessage::new(3153, 16, 2, "The database is already fully recovered.")
}

/// 4305.
pub fn too_recent(first: Lsn, redo: Lsn) -> SqlMessage {
    user(
        4305,
        format!(
            "The log in this backup set begins at LSN {first}, which is too recent to apply to the database. An earlier log backup that includes LSN {redo} can be restored."
        ),
    )
}

/// 4326.
pub fn too_early(last: Lsn, redo: Lsn) -> SqlMessage {
    user(
        4326,
        format!(
            "The log in this backup set terminates at LSN {last}, which is too early to apply to the database. A more recent log backup that includes LSN {redo} can be restored."
        ),
    )
}

/// 4330.
pub fn other_recovery_path() -> SqlMessage {
    user(
        4330,
        "This backup set cannot be applied because it is on a recovery path that is inconsistent with the database. The recovery path is the sequence of data and log backups that have brought the database to a particular recovery point. Find a compatible backup to restore, or restore the rest of the database to match a recovery point within this backup set, which will restore the database to a different point in time.  For more information about recovery paths, see SQL Server Books Online.",
    )
}

/// 4319.
pub fn interrupted(file: &str) -> SqlMessage {
    user(
        4319,
        format!(
            "A previous restore operation was interrupted and did not complete processing on file '{file}'. Either restore the backup set that was interrupted or restart the restore sequence."
        ),
    )
}

/// 3154.
pub fn other_database(database: &str) -> SqlMessage {
    SqlMessage::new(
        3154,
        16,
        4,
        format!("The backup set holds a backup of a database other than the existing '{database}' database."),
    )
}

/// 3159.
pub fn tail_not_backed_up(database: &str) -> SqlMessage {
    user(
        3159,
        format!(
            "The tail of the log for the database \"{database}\" has not been backed up. Use BACKUP LOG WITH NORECOVERY to backup the log if it contains work you do not want to lose. Use the WITH REPLACE or WITH STOPAT clause of the RESTORE statement to just overwrite the contents of the log."
        ),
    )
}

/// 3135.
pub fn wrong_backup_type(path: &str, made_by: &str) -> SqlMessage {
    user(
        3135,
        format!(
            "The backup set in file '{path}' was created by {made_by} and cannot be used for this restore operation."
        ),
    )
}

/// 3169.
pub fn newer_version(backup: &str, server: &str) -> SqlMessage {
    user(
        3169,
        format!(
            "The database was backed up on a server running version {backup}. That version is incompatible with this server, which is running version {server}. Either restore the database on a server that supports the backup, or use a backup that is compatible with this server."
        ),
    )
}

/// 911.
pub fn no_such_database(database: &str) -> SqlMessage {
    user(911, format!("Database '{database}' does not exist. Make sure that the name is entered correctly."))
}

/// 5069, the closing message of a failed ALTER DATABASE.
pub fn alter_failed() -> SqlMessage {
    user(5069, "ALTER DATABASE statement failed.")
}

/// 1468.
pub fn mirroring_forbids(database: &str) -> SqlMessage {
    user(
        1468,
        format!(
            "The operation cannot be performed on database \"{database}\" because it is involved in a database mirroring session or an availability group. Some operations are not allowed on a database that is participating in a database mirroring session or in an availability group."
        ),
    )
}

/// 3014, the closing message of a BACKUP or RESTORE that succeeded.
pub fn processed(command: &str, pages: u64, milliseconds: u64) -> SqlMessage {
    let seconds = milliseconds.max(1) as f64 / 1000.0;
    let rate = pages as f64 * 8.0 / 1024.0 / seconds;
    SqlMessage::new(
        3014,
        0,
        1,
        format!("{command} successfully processed {pages} pages in {seconds:.3} seconds ({rate:.3} MB/sec)."),
    )
}

/// 4035.
pub fn file_processed(pages: u64, database: &str, file: &str, position: i16) -> SqlMessage {
    SqlMessage::new(
        4035,
        0,
        1,
        format!("Processed {pages} pages for database '{database}', file '{file}' on file {position}."),
    )
}

/// 3211.
pub fn percent(percent: u32) -> SqlMessage {
    SqlMessage::new(3211, 0, 1, format!("{percent} percent processed."))
}
