//! What SQL Server's error numbers mean for a failover: named lists, a reason beside each number.
//!
//! Only the number decides. Texts come in the server's language and states are on no public list.
//!
//! # Source
//! "Database engine events and errors"; the numbers that public restore and log shipping tools act on.

use crate::error::ErrorKind;

/// What to do about an error of SQL Server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SqlErrorClass {
    /// What was asked for is so already; a query must confirm it.
    DoneAlready,
    /// Likely to pass: a few tries within a bound, the state read anew before each.
    Transient,
    /// Sessions stand in the way: end them, then again.
    EvictSessions,
    /// An interrupted restore or recovery: read state and redo point, then the named statement.
    Resume,
    /// A person has to act.
    NeedsOperator,
    /// The login or a right of it.
    PermissionMissing,
    /// The login was refused.
    LoginRefused,
    /// This file cannot be used; another copy of it may do.
    FileUnusable,
    /// The file cannot be opened. The operating system's reason stands only in the text.
    FileNotOpened,
    /// The file does not come next.
    Ordering,
    /// The plan cannot work on this database or instance.
    PlanImpossible,
    /// Not on a list.
    Unknown,
}

type Listed = &'static [(u32, &'static str)];

/// Already so.
pub const DONE_ALREADY: Listed = &[
    (1416, "SET PARTNER OFF: the database is not mirrored"),
    (3153, "RESTORE WITH RECOVERY: the database is recovered"),
    (6106, "KILL: no session has this id any more"),
    (32014, "the database is no log shipping secondary; to be confirmed in the tables"),
];

/// Worth another try.
pub const TRANSIENT: Listed = &[
    (701, "memory short in a resource pool"),
    (802, "memory short in the buffer pool"),
    (845, "time-out of a latch"),
    (921, "the database has not been recovered yet"),
    (922, "the database is being recovered"),
    (941, "the database is not started"),
    (952, "the database is in transition"),
    (1204, "no lock resource at the moment"),
    (1205, "chosen as deadlock victim"),
    (1222, "a lock was not granted in time"),
    (1404, "the mirror is busy"),
    (1413, "the partner broke off before mirroring had started"),
    (1421, "the partner did not answer in time"),
    (1438, "the partner refused for now"),
    (3023, "another backup or file operation is running"),
    (5059, "the database is in transition"),
    (5061, "a lock on the database could not be placed"),
    (8645, "no memory grant in time"),
    (8651, "no memory grant for the query"),
    (14258, "SQL Server Agent is starting"),
    (17187, "the instance is starting"),
    (18401, "the instance is upgrading its scripts"),
];

/// End the sessions, then again.
pub const EVICT_SESSIONS: Listed = &[
    (924, "single-user mode, and somebody is in"),
    (3101, "RESTORE: the database is in use"),
    (5030, "the database could not be locked exclusively"),
    (5064, "single-user mode, and somebody is in"),
    (5070, "ALTER DATABASE: others are using the database"),
];

/// Read the truth, then go on from it.
pub const RESUME: Listed = &[
    (4319, "a restore was cut off: the same file again"),
    (4347, "a recovery was cut off: RESTORE DATABASE WITH RECOVERY completes it"),
];

/// Somebody has to make room or repair.
pub const NEEDS_OPERATOR: Listed = &[
    (823, "input or output error of a disk"),
    (824, "a page with a wrong checksum"),
    (1105, "no room in a filegroup"),
    (3202, "a backup could not be written"),
    (3257, "no room on the volume for the restore"),
    (3271, "an unrecoverable input or output error"),
    (5120, "a file of the database cannot be opened"),
    (5123, "a file of the database cannot be created"),
    (9001, "the log of the database is not available"),
    (9002, "the log of the database is full"),
    (15404, "a Windows account cannot be looked up: its domain may be down"),
];

/// A right is missing.
pub const PERMISSION_MISSING: Listed = &[
    (229, "a right on an object was denied"),
    (262, "a right in the database was denied"),
    (297, "a right on the server was denied"),
    (300, "a right on the server was denied"),
    (916, "the login may not enter the database"),
    (3110, "RESTORE needs sysadmin, dbcreator or the owner"),
    (5011, "ALTER DATABASE was denied"),
    (6102, "KILL was denied"),
    (14525, "the job belongs to another login"),
    (15003, "only a server role may do this"),
    (15247, "the action was denied"),
    (21089, "only sysadmin may do this"),
];

/// The login itself was refused; the instance is alive.
pub const LOGIN_REFUSED: Listed = &[
    (4060, "the login's database cannot be opened"),
    (4064, "the login's default database cannot be opened"),
    (18451, "only administrators may connect now"),
    (18452, "a Windows login from an untrusted domain"),
    (18456, "user or password"),
    (18461, "single-user mode, taken"),
    (18470, "the login is disabled"),
    (18486, "the login is locked out"),
    (18487, "the password has expired"),
    (18488, "the password must be changed"),
];

/// The file is damaged, unfinished or foreign. A later log backup does not replace it.
pub const FILE_UNUSABLE: Listed = &[
    (3135, "made by another kind of backup"),
    (3143, "not a backup of SQL Server"),
    (3154, "a backup of another database"),
    (3183, "a damaged page inside"),
    (3186, "the set is damaged"),
    (3189, "the set is damaged"),
    (3203, "reading broke off: damaged or shorter than it says"),
    (3208, "ends where the set should begin"),
    (3241, "not well formed: damaged, half copied, or newer than the instance"),
    (3242, "no backup file"),
    (3243, "another version of the tape format"),
    (3254, "empty"),
    (3255, "of an incompatible version"),
    (3256, "its writer was cut off"),
    (3266, "its end is not well formed"),
    (4038, "no set at this position"),
    (3132, "a stripe of the media set is missing"),
];

/// The file could not be opened.
pub const FILE_NOT_OPENED: Listed = &[(3201, "cannot be opened: missing, denied, in use or out of reach")];

/// Another file comes first, or this one is past.
pub const ORDERING: Listed = &[
    (4305, "too recent: an earlier log backup is missing"),
    (4326, "too early: the database is past it"),
    (4349, "too recent: an earlier log backup is missing"),
];

/// Nothing that is repeated helps.
pub const PLAN_IMPOSSIBLE: Listed = &[
    (911, "no such database"),
    (926, "the database is suspect"),
    (945, "files of the database are out of reach"),
    (948, "the database is newer than the instance"),
    (3059, "not on a mirror copy"),
    (3102, "this session is in the database"),
    (3104, "the database is mirrored"),
    (3117, "nothing in the database is ready to roll forward"),
    (3118, "the database does not exist"),
    (3169, "the backup is newer than the instance"),
    (3180, "STANDBY is not possible across versions"),
    (4312, "the chain of log backups has a gap"),
    (4330, "on another recovery path"),
    (5052, "not in the state that the database is in"),
    (32017, "this edition has no log shipping"),
    (32018, "log shipping is not installed"),
];

/// The lists with their classes.
pub const LISTS: &[(SqlErrorClass, Listed)] = &[
    (SqlErrorClass::DoneAlready, DONE_ALREADY),
    (SqlErrorClass::Transient, TRANSIENT),
    (SqlErrorClass::EvictSessions, EVICT_SESSIONS),
    (SqlErrorClass::Resume, RESUME),
    (SqlErrorClass::NeedsOperator, NEEDS_OPERATOR),
    (SqlErrorClass::PermissionMissing, PERMISSION_MISSING),
    (SqlErrorClass::LoginRefused, LOGIN_REFUSED),
    (SqlErrorClass::FileUnusable, FILE_UNUSABLE),
    (SqlErrorClass::FileNotOpened, FILE_NOT_OPENED),
    (SqlErrorClass::Ordering, ORDERING),
    (SqlErrorClass::PlanImpossible, PLAN_IMPOSSIBLE),
];

/// The class of a number.
pub fn class_of(number: u32) -> SqlErrorClass {
    LISTS
        .iter()
        .find(|(_, list)| list.iter().any(|(listed, _)| *listed == number))
        .map_or(SqlErrorClass::Unknown, |(class, _)| *class)
}

/// The reason that the list gives for a number.
pub fn reason_of(number: u32) -> Option<&'static str> {
    LISTS.iter().flat_map(|(_, list)| list.iter()).find(|(listed, _)| *listed == number).map(|(_, reason)| *reason)
}

/// The kind of error that a number becomes.
pub fn kind_of(number: u32) -> ErrorKind {
    match (number, class_of(number)) {
        (911 | 3118, _) => ErrorKind::DatabaseNotFound,
        (4330 | 4312, _) => ErrorKind::RecoveryPathDiffers,
        (4305 | 4349, _) => ErrorKind::LogBackupMissing,
        (_, SqlErrorClass::PermissionMissing) => ErrorKind::PermissionMissing,
        (_, SqlErrorClass::LoginRefused) => ErrorKind::LoginFailed,
        (_, SqlErrorClass::EvictSessions) => ErrorKind::DatabaseInUse,
        (_, SqlErrorClass::FileUnusable) => ErrorKind::LogBackupDamaged,
        (_, SqlErrorClass::FileNotOpened) => ErrorKind::LogBackupUnreadable,
        _ => ErrorKind::SqlServerRefused,
    }
}

/// What to do next, as far as the number alone tells.
pub fn advice_of(number: u32) -> &'static str {
    match class_of(number) {
        SqlErrorClass::DoneAlready => "Read the state again: it is likely to be so already.",
        SqlErrorClass::Transient => "Try again in a moment.",
        SqlErrorClass::EvictSessions => "End the sessions in the database, then try again.",
        SqlErrorClass::Resume => "Resume the run: it reads the state and goes on from there.",
        SqlErrorClass::NeedsOperator => "Remove the cause on the instance, then resume.",
        SqlErrorClass::PermissionMissing => "Use a login that is a member of sysadmin on the instance.",
        SqlErrorClass::LoginRefused => "Check user and password of -SqlCredential for this instance.",
        SqlErrorClass::FileUnusable => "Look for another copy of this file, on the share or in the copy folder.",
        SqlErrorClass::FileNotOpened => {
            "Check that the file exists and that the service account of SQL Server may read it."
        }
        SqlErrorClass::Ordering => "List the log backups again: another one comes first.",
        SqlErrorClass::PlanImpossible => "Read the state of the database; what was asked does not fit it.",
        SqlErrorClass::Unknown => "Look up the number in SQL Server's documentation.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_number_stands_on_one_list_with_a_reason() {
        let mut seen = HashSet::new();
        for (number, reason) in LISTS.iter().flat_map(|(_, list)| list.iter()) {
            assert!(seen.insert(*number), "{number} stands on two lists");
            assert!(!reason.is_empty(), "{number} has no reason");
        }
    }

    #[test]
    fn the_numbers_that_steer_a_restore_have_their_classes() {
        for (number, class) in [
            (3101, SqlErrorClass::EvictSessions),
            (3153, SqlErrorClass::DoneAlready),
            (4305, SqlErrorClass::Ordering),
            (4319, SqlErrorClass::Resume),
            (3241, SqlErrorClass::FileUnusable),
            (18456, SqlErrorClass::LoginRefused),
            (50000, SqlErrorClass::Unknown),
        ] {
            assert_eq!(class_of(number), class, "{number}");
        }
    }

    #[test]
    fn a_time_out_is_on_no_list_that_repeats() {
        assert!(!TRANSIENT.iter().any(|(number, _)| *number == 3101 || *number == 4319));
    }
}
