//! SQL Server Agent runs on the backup instance.

use super::Subject;
use crate::document::CheckResult;
use crate::error::ErrorKind;

use crate::failover::plan::Way;
use crate::sql::instance::AgentState;

/// Needed by the copy job, where that is the way for the files, and by the log backups after the failover.
pub(super) fn check(subject: &Subject<'_>) -> CheckResult {
    let agent = subject.evidence.instance.agent;
    let (name, value, wanted) = ("AgentRunning", agent.as_text(), "running");
    if agent == AgentState::Running {
        return subject.passed(name, value, wanted);
    }
    let needed_for = match (&subject.decision.way, subject.request.no_log_backup) {
        (Way::CopyJob { .. }, _) => "the copy job brings the log backups",
        (_, false) => "the log backups after the failover are a job of it",
        (_, true) => {
            return subject.warning(
                name,
                value,
                wanted,
                "Nothing in this plan needs it; the old jobs do not run meanwhile.",
            );
        }
    };
    let message = format!(
        "Start SQL Server Agent on {}: {needed_for}. `-NoLogBackup` declines the log backups by name.",
        subject.instance()
    );
    match agent {
        AgentState::Unknown => subject.warning(name, value, wanted, message),
        _ => subject.failed(name, value, wanted, message, ErrorKind::AgentNotRunning),
    }
}
