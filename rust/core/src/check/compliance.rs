//! What becomes of compliance.

use super::Subject;
use crate::document::CheckResult;

/// mgccomp is not failed over: what it held in the lost site stays there until the site returns.
pub(super) fn check(subject: &Subject<'_>) -> CheckResult {
    let (name, wanted) = ("CompliancePlan", "known before the failover");
    let service = subject.evidence.pool.service();
    match service.and_then(|service| service.compliance_store.as_deref()) {
        None => subject.passed(name, "no compliance database in the topology", wanted),
        Some(store) => {
            let backup = service.and_then(|service| service.backup_compliance_store.as_deref());
            subject.warning(
                name,
                format!("mgccomp on {store}, for the backup on {}", backup.unwrap_or("no known instance")),
                wanted,
                "mgccomp is not failed over. Events that the adapter had not processed stay in the lost site; compliance goes \
                 on in the backup's own mgccomp, whose events must be drained before a failback.",
            )
        }
    }
}
