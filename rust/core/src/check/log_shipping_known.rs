//! It is known where the log backups are.

use super::Subject;
use crate::document::CheckResult;
use crate::error::ErrorKind;
use crate::evidence::LogShippingSource;

/// From the record, a capture in the journal, or the request.
pub(super) fn check(subject: &Subject<'_>) -> CheckResult {
    let (name, wanted) = ("LogShippingKnown", "a record of log shipping, or its folders by name");
    let log_shipping = &subject.evidence.log_shipping;
    let database = subject.database();
    match &log_shipping.source {
        LogShippingSource::Record => {
            let primary = log_shipping.record.as_ref().map(|r| r.primary_server.as_str()).unwrap_or_default();
            subject.passed(name, format!("secondary of {primary}"), wanted)
        }
        LogShippingSource::Journal { run_id } => subject.passed(name, format!("removed; captured by run {run_id}"), wanted),
        LogShippingSource::Request => subject.passed(name, "removed; folders named in the request", wanted),
        LogShippingSource::History => {
            let folders: Vec<&str> = log_shipping.history_folders.iter().map(|folder| folder.as_str()).collect();
            subject.failed(
                name,
                format!("removed; restored from {} until now", folders.join(", ")),
                wanted,
                format!(
                    "Log shipping of {database} was removed by hand. Name its folders with `-LogBackupShare` and \
                     `-CopyFolder`; the restore history suggests {}.",
                    folders.join(", ")
                ),
                ErrorKind::LogShippingNotFound,
            )
        }
        LogShippingSource::None => subject.failed(
            name,
            "none",
            wanted,
            format!(
                "{database} on {} is no log shipping secondary, and no run in the journal captured one. Name the folders \
                 with `-LogBackupShare` and `-CopyFolder`.",
                subject.instance()
            ),
            ErrorKind::LogShippingNotFound,
        ),
    }
}
