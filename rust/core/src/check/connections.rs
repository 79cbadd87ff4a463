//! Who is in the database.

use super::Subject;
use crate::document::CheckResult;
use crate::evidence::count;

/// A RESTORING database has nobody in it; the readers of a STANDBY one are ended and locked out.
pub(super) fn check(subject: &Subject<'_>) -> CheckResult {
    let (name, wanted) = ("Connections", "none, or readers that may be ended");
    match subject.evidence.sessions.known() {
        None => {
            subject.unknown(name, "unknown", wanted, "The instance does not show its sessions to this login.", None)
        }
        Some(sessions) if sessions.is_empty() => subject.passed(name, "none", wanted),
        Some(sessions) => {
            let mut programs: Vec<&str> = sessions.iter().map(|session| session.program.as_str()).collect();
            programs.sort_unstable();
            programs.dedup();
            subject.warning(
                name,
                format!("{}: {}", count(sessions.len(), "session", "sessions"), programs.join(", ")),
                wanted,
                "They are ended and locked out before the first log backup is restored, and stay out until the database is \
                 recovered.",
            )
        }
    }
}
