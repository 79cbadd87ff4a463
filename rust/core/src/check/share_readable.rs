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
    if let Some(why) = &share.unproved {
        return refuse_unproved(subject, name, why, wanted);
    }
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
    let advice =
        "Log backups that lie only there would be lost. Make it readable, or tell where this machine sees it with \
                  `-PathMap`, or where else its files are with `-AdditionalLogBackupFolder`.";
    refuse_with(subject, name, value, wanted, advice)
}

/// A folder that the path map puts in the share's place proves nothing about the share's newest log backups.
fn refuse_unproved(subject: &Subject<'_>, name: &str, why: &str, wanted: &str) -> CheckResult {
    let advice = "Log backups that lie on the share and not in that folder would be lost. Let this machine open the share under \
                  its own path, or let the instance's service account list it, so that both can be compared. The folder's \
                  files are used all the same, as those of an `-AdditionalLogBackupFolder` are.";
    refuse_with(subject, name, why.to_string(), wanted, advice)
}

fn refuse_with(subject: &Subject<'_>, name: &str, value: String, wanted: &str, advice: &str) -> CheckResult {
    if subject.decision.loss_is_accepted {
        return subject.warning(name, value, wanted, "Goes on with the files at hand: the loss is accepted by name.");
    }
    let accept = subject.decision.loss.accept_value.as_deref();
    let accept = accept.map_or(String::new(), |value| format!(" To go on without it: `-AcceptDataLoss {value}`."));
    subject.failed(name, value, wanted, format!("{advice}{accept}"), ErrorKind::ShareUnreachable)
}
