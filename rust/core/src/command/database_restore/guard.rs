//! Whether a full backup may be restored where it is wanted, over whatever is there. Pure.

use super::{Copy, Found};
use crate::document::DatabaseRestoreRequest;
use crate::error::{Error, ErrorKind};
use crate::log_chain::{BackupType, Header};
use crate::names::Lsn;
use crate::sql::database::DatabaseState;

/// What names a copy that has no redo point.
pub(super) const CUT_OFF: &str = "cut_off";

pub(super) type Refusal = Box<Error>;

fn refused(kind: ErrorKind, target: &str, what: String, next: &str) -> Refusal {
    Box::new(Error::new(kind, what).with_unchanged("Nothing was restored.").with_next(next).with_target(target))
}

/// Why the file cannot be restored here, whatever is there.
pub(super) fn unusable(request: &DatabaseRestoreRequest, found: &Found) -> Option<Refusal> {
    let (header, file) = (&found.header, request.backup_file.as_str());
    if header.backup_type != BackupType::Database {
        let what = format!("`{file}` is no full backup.");
        return Some(refused(ErrorKind::InvalidValue, file, what, "Restore-PChatLogBackup takes log backups."));
    }
    if header.database_name != request.target.database {
        let what = format!("`{file}` is a backup of `{}`, not of `{}`.", header.database_name, request.target.database);
        return Some(refused(ErrorKind::InvalidValue, file, what, "Give the right file, or -Database."));
    }
    if header.is_damaged {
        let what = format!("`{file}` was taken over damaged pages.");
        return Some(refused(ErrorKind::BackupNotVerified, file, what, "Take another full backup."));
    }
    if header.software_major > found.instance.major_version {
        let what = format!(
            "version of the backup is `{}` instead of at most `{}` of {}.",
            header.software_major, found.instance.major_version, request.target.sql_instance
        );
        return Some(refused(ErrorKind::ChecksFailed, file, what, "A backup is never restored to an older version."));
    }
    None
}

/// Whether the copy that is there may be overwritten: `Ok(true)` with REPLACE, `Ok(false)` where there is none.
///
/// It may where all that it holds is in the backup, or where it holds nothing; a copy that is restoring off the backup's
/// path only where the operator names it by its redo point. One that is online is never overwritten: its tail comes first.
pub(super) fn guard(request: &DatabaseRestoreRequest, found: &Found) -> std::result::Result<bool, Refusal> {
    let Some(copy) = &found.copy else { return Ok(false) };
    let (database, instance) = (request.target.database.as_str(), request.target.sql_instance.as_str());
    let unsuited = |what: String, next: &str| Err(refused(ErrorKind::DatabaseStateUnsuited, database, what, next));
    if copy.mirror.is_some() {
        return unsuited(
            format!("`{database}` on {instance} is mirrored, and a mirrored database takes no restore."),
            "End mirroring first: Remove-PChatMirror, on both partners.",
        );
    }
    match copy.facts.state {
        DatabaseState::Restoring if is_contained(copy, &found.header) || is_named(copy, request) => Ok(true),
        DatabaseState::Restoring => {
            let (stands, name) = match &copy.redo {
                Some(redo) => (
                    format!("at LSN {}, which is not proved to be part of this backup", redo.lsn),
                    redo.lsn.to_string(),
                ),
                None => (
                    "behind a restore that was cut off, and nobody can tell what it held before".to_string(),
                    CUT_OFF.to_string(),
                ),
            };
            Err(refused(
                ErrorKind::OldCopyAtRisk,
                database,
                format!("`{database}` on {instance} is RESTORING {stands}."),
                &format!("Where it may be overwritten all the same, name it: -ReplaceCopyAt {name}"),
            ))
        }
        DatabaseState::Online if is_fresh(copy, &found.header) => Ok(true),
        DatabaseState::Online => Err(refused(
            ErrorKind::OldCopyAtRisk,
            database,
            format!("`{database}` on {instance} is ONLINE and holds messages that no other copy may have."),
            "Save it first: Backup-PChatDatabase -Type Full, then -Type Tail, which leaves it RESTORING.",
        )),
        DatabaseState::Standby => unsuited(
            format!("`{database}` on {instance} is a STANDBY copy with readers."),
            "Stop-PChatConnection takes it to RESTORING.",
        ),
        DatabaseState::Offline => unsuited(
            format!("`{database}` on {instance} is OFFLINE, and nobody can tell what it holds."),
            "Set it online (`ALTER DATABASE … SET ONLINE`), save it with Backup-PChatDatabase, then again.",
        ),
        other => unsuited(
            format!("`{database}` on {instance} is {}.", other.as_text().to_uppercase()),
            "Save what its log holds with Backup-PChatDatabase -Type Salvage, drop it, then again.",
        ),
    }
}

/// True where the copy ends on the backup's own path, before the backup's end.
fn is_contained(copy: &Copy, header: &Header) -> bool {
    copy.redo.as_ref().is_some_and(|redo| {
        redo.fork_id == header.last_fork_id
            && redo.family_id.is_none_or(|family| family == header.family_id)
            && redo.lsn <= header.last_lsn
    })
}

/// True where the operator gave exactly what the refusal shows.
fn is_named(copy: &Copy, request: &DatabaseRestoreRequest) -> bool {
    let Some(named) = request.replace_copy_at.as_deref().map(str::trim) else { return false };
    match &copy.redo {
        Some(redo) => named.parse::<Lsn>().is_ok_and(|lsn| lsn == redo.lsn),
        None => named.eq_ignore_ascii_case(CUT_OFF),
    }
}

/// As Topology Builder makes it: of another family, and without a message.
fn is_fresh(copy: &Copy, header: &Header) -> bool {
    copy.rows == Some(0) && copy.identity.is_some_and(|identity| identity.family_id != header.family_id)
}
