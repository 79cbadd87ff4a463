//! The instance that becomes the new primary's mirror answers.

use super::Subject;
use crate::document::CheckResult;
use crate::evidence::EndpointAnswer;

/// A warning only: users get in without a mirror.
pub(super) fn check(subject: &Subject<'_>) -> CheckResult {
    let (name, wanted) = ("BackupMirror", "answers");
    let mirror = &subject.evidence.backup_mirror;
    let instance = mirror.name.as_deref().unwrap_or_default();
    let advice = "The failover goes on without it and ends incomplete: the mirror is then set up later.";
    match &mirror.answer {
        EndpointAnswer::LoggedIn => match mirror.database.known().and_then(|database| database.state.as_deref()) {
            Some(state) => subject.warning(
                name,
                format!("{instance} answers; it has a database {} that is {}", subject.database(), state.to_uppercase()),
                wanted,
                "The set-up of the mirror refuses to overwrite it. Drop it there, or let the set-up do so by hand with \
                 `-DropExistingDatabasesOnMirror`.",
            ),
            None => subject.passed(name, format!("{instance} answers"), wanted),
        },
        EndpointAnswer::Answers { why } => {
            subject.warning(name, format!("{instance} answers, but cannot be asked: {why}"), wanted, advice)
        }
        EndpointAnswer::Refused { .. } => subject.warning(name, format!("{instance} refuses connections"), wanted, advice),
        EndpointAnswer::Unreachable { why } => {
            subject.warning(name, format!("{instance} is silent: {}", why.trim_end_matches('.')), wanted, advice)
        }
        EndpointAnswer::NotTried { why } => {
            subject.warning(name, format!("{instance} could not be asked: {why}"), wanted, advice)
        }
        EndpointAnswer::NotNamed => subject.unknown(
            name,
            "not named, and the topology does not tell it",
            wanted,
            "`-BackupMirrorSqlInstance` names it.",
            None,
        ),
    }
}
