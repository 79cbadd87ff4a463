//! There is a way for the log backups to where they are restored from.

use super::Subject;
use crate::document::CheckResult;
use crate::error::ErrorKind;
use crate::evidence::count;
use crate::failover::plan::Way;

/// A copy by us, the copy job, or a restore straight from the share.
pub(super) fn check(subject: &Subject<'_>) -> CheckResult {
    let (name, wanted) = ("CopyWay", "a copy by this machine, the copy job, or a restore straight from the share");
    let files = count(subject.decision.missing.len(), "log backup", "log backups");
    match &subject.decision.way {
        Way::NothingToCopy => subject.passed(name, "everything needed is in the copy folder", wanted),
        Way::CopyByUs { folder, client_folder } => {
            let mut result =
                subject.passed(name, format!("{files} copied to {folder} through {client_folder}"), wanted);
            result.message =
                "That both are the same folder is to be proved at the start; if not, another plan is needed."
                    .to_string();
            result
        }
        Way::CopyJob { job_name, .. } => subject.passed(name, format!("{files} copied by the job {job_name}"), wanted),
        Way::StraightFromShare => subject.passed(name, format!("{files} restored where they lie"), wanted),
        Way::Refused { why } => subject.failed(
            name,
            "none",
            wanted,
            format!("{}. `-PathMap` tells where this machine sees the copy folder and the share.", sentence(why)),
            ErrorKind::CopyFolderNotProved,
        ),
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.trim_end_matches('.').chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
