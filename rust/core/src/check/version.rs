//! Whether the way back stays open.

use super::Subject;
use crate::document::CheckResult;

/// Recovery on a newer major version upgrades the database, and no older instance takes it back.
pub(super) fn check(subject: &Subject<'_>) -> CheckResult {
    let (name, wanted) = ("Version", "the same major version as the primary");
    let here = subject.evidence.instance.major_version;
    let listing = &subject.evidence.files.listing;
    let writer = listing.candidates.iter().max_by_key(|c| c.header.last_lsn).map(|c| &c.header);
    let Some(writer) = writer.filter(|header| header.software_major > 0) else {
        let value = format!("{here}; the primary's is unknown");
        return subject.unknown(name, value, wanted, "No header tells the primary's version.", None);
    };
    let value = format!("{here}; {} wrote with {}", writer.server_name, writer.software_major);
    if here <= writer.software_major {
        return subject.passed(name, value, wanted);
    }
    subject.warning(
        name,
        value,
        wanted,
        format!(
            "Recovery on {} upgrades {} for good: a failback by backup and restore to the older primary will not be possible.",
            subject.instance(),
            subject.database()
        ),
    )
}
