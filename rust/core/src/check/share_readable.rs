//! The share of the log backups can be listed.

use super::Subject;
use crate::document::CheckResult;
use crate::error::ErrorKind;
use crate::evidence::count;

/// By this machine or by the instance. With the loss accepted by name it is a warning.
pub(super) fn check(subject: &Subject<'_>) -> CheckResult {
    let (name, wanted) = ("ShareReadable", "can be listed by this machine or by the instance");
    let Some(share) = subject.evidence.files.share() else {
        return absent(subject, name, wanted);
    };
    if let Some(files) = share.by_client.known() {
        let value = format!("{}: {}", share.path, count(files.len(), "file", "files"));
        return subject.passed(name, value, wanted);
    }
    if let Some(names) = share.by_server.known() {
        let value = format!("{}: {}, seen by the instance", share.path, count(names.len(), "file", "files"));
        return subject.passed(name, value, wanted);
    }
    let why = share.by_client.why().or(share.by_server.why()).unwrap_or_default();
    refuse(subject, name, format!("{} cannot be listed: {why}", share.path), wanted)
}

fn absent(subject: &Subject<'_>, name: &str, wanted: &str) -> CheckResult {
    refuse(subject, name, "no share is known".to_string(), wanted)
}

fn refuse(subject: &Subject<'_>, name: &str, value: String, wanted: &str) -> CheckResult {
    let loss = &subject.decision.loss;
    if subject.decision.loss_is_accepted {
        return subject.warning(name, value, wanted, "Goes on with the files at hand: the loss is accepted by name.");
    }
    let accept = loss
        .accept_value
        .as_deref()
        .map_or(String::new(), |value| format!(" To go on without it: `-AcceptDataLoss {value}`."));
    let message = format!(
        "Log backups that lie only there would be lost. Make it readable, or tell where this machine sees it with `-PathMap`, \
         or where else its files are with `-AdditionalLogBackupFolder`.{accept}"
    );
    subject.failed(name, value, wanted, message, ErrorKind::ShareUnreachable)
}
