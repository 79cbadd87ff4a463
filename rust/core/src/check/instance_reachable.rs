//! The backup instance answers.

use super::Subject;
use crate::document::CheckResult;

/// Always passed where there is evidence at all: an instance that does not answer is an error of its own before.
pub(super) fn check(subject: &Subject<'_>) -> CheckResult {
    let facts = &subject.evidence.instance;
    let value = format!("{} answers, version {}", facts.server_name, facts.product_version);
    subject.passed("InstanceReachable", value, "answers a login")
}
