//! The share through which the mirror is set up is there.

use super::Subject;
use crate::document::CheckResult;
use crate::error::ErrorKind;

/// A UNC path that the instance, or else this machine, sees.
pub(super) fn check(subject: &Subject<'_>) -> CheckResult {
    let (name, wanted) = ("MirrorFileShare", "a share that the instances of the surviving site read and write");
    let advice =
        "Create a share that the service accounts of the backup and its mirror may read and write, and name it with \
                  `-MirrorFileShare`.";
    let Some(path) = &subject.request.mirror_file_share else {
        return subject.failed(name, "not named", wanted, advice, ErrorKind::ChecksFailed);
    };
    if !path.starts_with(r"\\") || path.trim_start_matches('\\').split('\\').filter(|part| !part.is_empty()).count() < 2
    {
        let message = format!("Write it as \\\\server\\share. {advice}");
        return subject.failed(name, path.clone(), wanted, message, ErrorKind::ChecksFailed);
    }
    let Some(share) = subject.evidence.mirror_file_share.known() else {
        let why = subject.evidence.mirror_file_share.why().unwrap_or_default();
        return nobody_looked(subject, wanted, &format!("{path}: {why}"));
    };
    match (share.seen_by_server, share.seen_by_client) {
        (Some(true), _) => subject.passed(name, format!("{path}, seen by {}", subject.instance()), wanted),
        (Some(false), Some(true)) => subject.warning(
            name,
            format!("{path}, seen by this machine but not by {}", subject.instance()),
            wanted,
            "Give the instance's service account read and write access, or the mirror cannot be set up.",
        ),
        (Some(false), _) | (None, Some(false)) => {
            subject.failed(name, format!("{path} is not there"), wanted, advice, ErrorKind::ChecksFailed)
        }
        (None, Some(true)) => subject.warning(
            name,
            format!("{path}, seen by this machine; {} could not look", subject.instance()),
            wanted,
            "Make sure that the instance's service account may read and write there, or the mirror cannot be set up.",
        ),
        (None, None) => nobody_looked(subject, wanted, &format!("{path}: nobody could look")),
    }
}

fn nobody_looked(subject: &Subject<'_>, wanted: &str, value: &str) -> CheckResult {
    let message = "Nobody has looked whether it is there: look yourself, or it is found out when the mirror is set up. Users get in all \
                   the same.";
    subject.warning("MirrorFileShare", value, wanted, message)
}
