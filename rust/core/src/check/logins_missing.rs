//! The instance has a login for each user of the database.

use super::Subject;
use crate::document::CheckResult;

/// Users of a RESTORING database cannot be read; they are looked at again after recovery.
pub(super) fn check(subject: &Subject<'_>) -> CheckResult {
    let (name, wanted) = ("LoginsMissing", "a login for each user of the database");
    let Some(users) = subject.evidence.orphaned_users.known() else {
        let why = subject.evidence.orphaned_users.why().unwrap_or_default();
        let message = "They are looked at after recovery; a user without a login is then named.";
        return subject.unknown(name, format!("unknown: {why}"), wanted, message, None);
    };
    if users.is_empty() {
        return subject.passed(name, "each has its login", wanted);
    }
    let names: Vec<&str> = users.iter().map(|user| user.name.as_str()).collect();
    subject.warning(
        name,
        names.join(", "),
        wanted,
        format!(
            "Create these logins on {}: logins do not travel with log shipping, and the Persistent Chat servers could not log \
             in. A Windows user may still come in through a group.",
            subject.instance()
        ),
    )
}
