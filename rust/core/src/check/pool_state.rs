//! The pool still uses its primary databases.

use super::Subject;
use crate::document::CheckResult;
use crate::error::ErrorKind;

/// `FailedOver` already is a warning: the step finds it so and leaves it.
pub(super) fn check(subject: &Subject<'_>) -> CheckResult {
    let (name, wanted) = ("PoolState", "Normal");
    let pool = &subject.evidence.pool;
    match pool.state.known() {
        Some(state) if state.state.eq_ignore_ascii_case("Normal") => subject.passed(name, state.state.clone(), wanted),
        Some(state) if state.state.eq_ignore_ascii_case("FailedOver") => subject.warning(
            name,
            state.state.clone(),
            wanted,
            "The pool is failed over already; the step leaves it so. Make sure that no other failover is under way.",
        ),
        Some(state) => subject.failed(
            name,
            state.state.clone(),
            wanted,
            "This state is not known to this version.",
            ErrorKind::NativeCommandFailed,
        ),
        None => subject.failed(
            name,
            pool.state.why().unwrap_or_default(),
            wanted,
            "Without the state nobody can tell afterwards whether it was set. See what `Get-CsPersistentChatState` says.",
            ErrorKind::NativeCommandFailed,
        ),
    }
}
