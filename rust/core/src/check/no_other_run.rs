//! Nobody else works on the database.

use super::Subject;
use crate::document::CheckResult;
use crate::error::ErrorKind;

/// The lock that every command takes; its holder is told.
pub(super) fn check(subject: &Subject<'_>) -> CheckResult {
    let (name, wanted) = ("NoOtherRun", "nobody holds the lock");
    match subject.evidence.lock_holder.known() {
        Some(None) => subject.passed(name, "nobody", wanted),
        Some(Some(holder)) => subject.failed(
            name,
            holder.clone(),
            wanted,
            format!("Another run works on {}. Wait for it, or look at it with `Get-PChatRun`.", subject.database()),
            ErrorKind::Locked,
        ),
        None => {
            let why = subject.evidence.lock_holder.why().unwrap_or_default();
            subject.unknown(
                name,
                format!("unknown: {why}"),
                wanted,
                "The run takes the lock at its start, or refuses.",
                None,
            )
        }
    }
}
