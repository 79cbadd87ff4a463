//! The instance has a login for each user of the database.

use super::Subject;
use crate::document::CheckResult;
use crate::evidence::count;

/// Users of a RESTORING database cannot be read; they are looked at again after recovery.
pub(super) fn check(subject: &Subject<'_>) -> CheckResult {
    let (name, wanted) = ("LoginsMissing", "a login for each user of the database");
    let Some(users) = subject.evidence.users.known() else {
        let why = subject.evidence.users.why().unwrap_or_default();
        let message =
            "They are looked at after recovery; a user without a login is then named with the statement that helps.";
        return subject.unknown(name, format!("unknown: {why}"), wanted, message, None);
    };
    let missing: Vec<&str> = users.iter().filter(|user| !user.login_exists).map(|user| user.name.as_str()).collect();
    if missing.is_empty() {
        return subject.passed(name, format!("{}, each with its login", count(users.len(), "user", "users")), wanted);
    }
    subject.warning(
        name,
        missing.join(", "),
        wanted,
        format!(
            "Create these logins on {}: logins do not travel with log shipping, and the Persistent Chat servers could not \
             log in.",
            subject.instance()
        ),
    )
}
