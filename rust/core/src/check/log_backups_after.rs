//! Log backups go on after the failover.

use super::Subject;
use crate::document::CheckResult;
use crate::error::ErrorKind;
use crate::failover::plan::log_backup_folder;

/// mgc stays in the FULL model and its old jobs are gone: without log backups its log grows until error 9002.
pub(super) fn check(subject: &Subject<'_>) -> CheckResult {
    let (name, wanted) = ("LogBackups", "a folder for the log backups after the failover");
    if subject.request.no_log_backup {
        return subject.warning(
            name,
            "declined by name",
            wanted,
            format!(
                "Set up log backups of {} soon: its log grows until the disk is full (error 9002).",
                subject.database()
            ),
        );
    }
    match log_backup_folder(subject.evidence, subject.request) {
        Some(folder) => {
            let minutes = subject.request.log_backup_interval_minutes;
            subject.passed(name, format!("every {minutes} minutes to {folder}"), wanted)
        }
        None => subject.failed(
            name,
            "unknown",
            wanted,
            "The instance does not tell its backup folder; name one with `-LogBackupPath`, or decline by name with \
             `-NoLogBackup`.",
            ErrorKind::ChecksFailed,
        ),
    }
}
