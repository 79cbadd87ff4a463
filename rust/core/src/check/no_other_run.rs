//! Nobody else works on the database.

use super::Subject;
use crate::document::CheckResult;
use crate::error::ErrorKind;
use crate::run::open;

/// The lock that every command takes, whose holder is told, and the runs that the journals know of.
pub(super) fn check(subject: &Subject<'_>) -> CheckResult {
    let (name, wanted) = ("NoOtherRun", "nobody holds the lock, and no run is open");
    let left_open = subject.evidence.journal.open_run.as_deref();
    match subject.evidence.lock_holder.known() {
        Some(None) if left_open.is_some() => {
            let run_id = left_open.unwrap_or_default();
            subject.failed(
                name,
                format!("run {run_id} is open"),
                wanted,
                format!(
                    "What it changed would be taken for the state before, and could not be put back. {}",
                    open::advice(run_id)
                ),
                ErrorKind::RunOpen,
            )
        }
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
