//! The log backups fit onto the disk of the copy folder.

use super::Subject;
use crate::document::CheckResult;
use crate::error::ErrorKind;
use crate::failover::plan::Way;

const MEGABYTE: u64 = 1024 * 1024;
/// Room that stays free beside the files: the instance needs its disk too.
const RESERVE_BYTES: u64 = 64 * MEGABYTE;

/// Asked of the instance, or of the client path where that is the same folder.
pub(super) fn check(subject: &Subject<'_>) -> CheckResult {
    let name = "FreeSpace";
    let decision = subject.decision;
    let needed: u64 = match decision.way {
        Way::CopyByUs { .. } | Way::CopyJob { .. } => decision.missing.iter().map(|file| file.size_bytes).sum(),
        _ => return subject.passed(name, "nothing is copied", "room for the log backups that are copied"),
    };
    let wanted_bytes = needed + RESERVE_BYTES;
    let wanted = format!("{} MB", wanted_bytes.div_ceil(MEGABYTE));
    match subject.evidence.files.free_bytes.known() {
        None => subject.unknown(
            name,
            "unknown",
            &wanted,
            "Neither the instance nor this machine tells the free space of the copy folder's disk; look at it yourself.",
            None,
        ),
        Some(&free) if free >= wanted_bytes => subject.passed(name, format!("{} MB", free / MEGABYTE), &wanted),
        Some(&free) => subject.failed(
            name,
            format!("{} MB", free / MEGABYTE),
            &wanted,
            format!(
                "The log backups that are not copied yet do not fit onto the disk of the copy folder on {}. Free some space \
                 there.",
                subject.instance()
            ),
            ErrorKind::SpaceTooLow,
        ),
    }
}
