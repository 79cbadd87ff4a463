//! A second copy of the journal lies at the backup site.

use super::Subject;
use crate::document::CheckResult;
use crate::error::ErrorKind;

/// So that a colleague on another server can resume. Declined by name only.
pub(super) fn check(subject: &Subject<'_>) -> CheckResult {
    let (name, wanted) = ("JournalCopy", "a folder at the backup site");
    let journal = &subject.evidence.journal;
    if subject.request.journal.no_journal_copy {
        return subject.warning(name, "declined by name", wanted, "Only this machine can resume the run.");
    }
    match (&journal.copy_folder, &journal.copy_problem) {
        (Some(folder), None) => subject.passed(name, folder.clone(), wanted),
        (folder, problem) => {
            let value = match (folder, problem) {
                (Some(folder), Some(why)) => format!("{folder}: {why}"),
                _ => "no folder is known".to_string(),
            };
            subject.failed(
                name,
                value,
                wanted,
                "This machine does not see the copy folder, which holds it otherwise. Name a folder with \
                 `-JournalCopyPath`, or tell where the copy folder is with `-PathMap`, or decline with `-NoJournalCopy`.",
                ErrorKind::JournalCopyMissing,
            )
        }
    }
}
