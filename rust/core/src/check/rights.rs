//! The login may do on the backup instance what the run does.

use super::Subject;
use crate::document::CheckResult;
use crate::error::ErrorKind;

/// sysadmin: the log shipping procedures demand it, and db_owner may not restore.
pub(super) fn check(subject: &Subject<'_>) -> CheckResult {
    let facts = &subject.evidence.instance;
    let wanted = "member of sysadmin";
    if facts.is_sysadmin {
        return subject.passed("Rights", format!("{} is a member of sysadmin", facts.login), wanted);
    }
    subject.failed(
        "Rights",
        format!("{} is no member of sysadmin", facts.login),
        wanted,
        format!(
            "Log shipping can be removed, and sessions are seen, only by a member of sysadmin on {}. Use such a login, or \
             `-SqlCredential`.",
            subject.instance()
        ),
        ErrorKind::PermissionMissing,
    )
}
