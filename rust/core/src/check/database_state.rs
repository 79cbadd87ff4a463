//! The database can be failed over to.

use super::Subject;
use crate::document::CheckResult;
use crate::error::ErrorKind;
use crate::sql::database::DatabaseState;

/// RESTORING or STANDBY, and no mirror copy, which is RESTORING too.
pub(super) fn check(subject: &Subject<'_>) -> CheckResult {
    let (name, wanted) = ("DatabaseState", "RESTORING or STANDBY");
    let (database, instance) = (subject.database(), subject.instance());
    let Some(state) = &subject.evidence.state else {
        return subject.failed(
            name,
            "absent",
            wanted,
            format!("There is no database {database} on {instance}. Name the instance that holds the log shipping secondary."),
            ErrorKind::DatabaseNotFound,
        );
    };
    let value = state.facts.state.as_text().to_uppercase();
    if state.mirroring.is_some() {
        return subject.failed(
            name,
            format!("{value}, mirrored"),
            wanted,
            format!("{database} on {instance} is a partner of database mirroring and no log shipping secondary."),
            ErrorKind::DatabaseNotSecondary,
        );
    }
    if state.facts.state.is_secondary() {
        return subject.passed(name, value, wanted);
    }
    let message = match state.facts.state {
        DatabaseState::Online => format!(
            "{database} on {instance} is recovered already, so no further log backup fits. An open run is finished with \
             `Resume-PChatRun`; otherwise this is not the secondary."
        ),
        DatabaseState::Recovering => {
            format!("{database} on {instance} is being recovered right now; wait for it and look again.")
        }
        _ => format!("{database} on {instance} must be repaired or restored before it can be failed over to."),
    };
    subject.failed(name, value, wanted, message, ErrorKind::DatabaseNotSecondary)
}
