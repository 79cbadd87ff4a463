//! The journal can be written.

use super::Subject;
use crate::document::CheckResult;
use crate::error::ErrorKind;

/// A run without a journal could not be finished by anybody.
pub(super) fn check(subject: &Subject<'_>) -> CheckResult {
    let (name, wanted) = ("JournalPlace", "a folder that can be written");
    let journal = &subject.evidence.journal;
    match &journal.folder_problem {
        None => subject.passed(name, journal.folder.clone(), wanted),
        Some(why) => subject.failed(
            name,
            format!("{}: {why}", journal.folder),
            wanted,
            "Start the shell as administrator, or choose another folder with `-JournalPath`.",
            ErrorKind::JournalFolderInvalid,
        ),
    }
}
