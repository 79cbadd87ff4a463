//! What becomes of compliance.

use super::Subject;
use crate::document::CheckResult;
use crate::evidence::{ComplianceEvidence, Reading};

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

/// What waits for the adapter, and for how long, on each instance that can tell.
pub(super) fn backlog(subject: &Subject<'_>) -> CheckResult {
    let (name, wanted) = ("ComplianceBacklog", "no unprocessed events");
    let seen = &subject.evidence.compliance;
    if seen.is_empty() {
        return match subject.evidence.pool.service() {
            Some(service) if service.compliance_store.is_none() => {
                subject.passed(name, "no compliance database in the topology", wanted)
            }
            _ => subject.unknown(name, "not read", wanted, "Whether compliance is on is not known.", None),
        };
    }
    let value = seen.iter().map(told).collect::<Vec<_>>().join("; ");
    let is_clear = |compliance: &ComplianceEvidence| match &compliance.backlog {
        Reading::Known(backlog) => backlog.is_none_or(|backlog| backlog.unprocessed == 0),
        _ => false,
    };
    if seen.iter().all(is_clear) {
        let message =
            "Nothing waits, so that it cannot be told when the adapter last ran: mgccomp has no record of its runs.";
        return CheckResult { message: message.to_string(), ..subject.passed(name, value, wanted) };
    }
    subject.warning(
        name,
        value,
        wanted,
        "The adapter runs every 15 minutes unless RunInterval says otherwise. What waits in a lost site is lost unless the site \
         comes back; what waits in the queues of the servers is shown by no database.",
    )
}

fn told(compliance: &ComplianceEvidence) -> String {
    let instance = &compliance.sql_instance;
    match &compliance.backlog {
        Reading::Known(None) => format!("{instance}: no mgccomp"),
        Reading::Known(Some(backlog)) => match backlog.oldest_seconds.filter(|_| backlog.unprocessed > 0) {
            None if backlog.unprocessed > 0 => {
                format!("{instance}: {} unprocessed, since when cannot be read", backlog.unprocessed)
            }
            None => format!("{instance}: 0 unprocessed"),
            Some(seconds) => {
                let (left, minutes) = (backlog.unprocessed, seconds / 60);
                format!("{instance}: {left} unprocessed, the oldest left by the adapter for {minutes} minutes")
            }
        },
        Reading::Unknown(why) | Reading::NotAsked(why) => format!("{instance}: cannot be read ({why})"),
    }
}
