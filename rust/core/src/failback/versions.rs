//! Which way a backup can travel: never to an older version of SQL Server.

use serde::{Deserialize, Serialize};

/// The version of an instance, as far as restores ask for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Version {
    pub instance: String,
    /// 10 for 2008 and 2008 R2, 11 for 2012, …
    pub major: u16,
    /// 50 for 2008 R2.
    pub minor: u16,
    /// `2008 R2`, as people call it.
    pub release: String,
}

impl Version {
    fn number(&self) -> (u16, u16) {
        (self.major, if self.major == 10 { self.minor } else { 0 })
    }
}

/// What stands against a failback between these versions, one sentence each; empty where nothing does. Pure.
///
/// A backup restores on its own version or a newer one (3169 otherwise), and recovery on a newer one closes the way back: the
/// backup could not follow the primary as its secondary afterwards. A mirror needs the version of its principal.
pub fn obstacles(
    backup: &Version,
    primary: &Version,
    primary_mirror: Option<&Version>,
    backup_mirror: Option<&Version>,
) -> Vec<String> {
    let mut found = Vec::new();
    let shown = |version: &Version| format!("{} ({})", version.instance, version.release);
    if primary.number() < backup.number() {
        found.push(format!(
            "a backup of {} cannot be restored on the older {}; the way home is closed until that is upgraded",
            shown(backup),
            shown(primary)
        ));
    }
    if primary.number() > backup.number() {
        found.push(format!(
            "recovery on the newer {} would upgrade the database, and {} could not follow it as secondary any more",
            shown(primary),
            shown(backup)
        ));
    }
    for (principal, mirror) in [(primary, primary_mirror), (backup, backup_mirror)] {
        if let Some(mirror) = mirror.filter(|mirror| mirror.number() != principal.number()) {
            found.push(format!(
                "{} and its mirror {} are of different versions, which mirroring does not take",
                shown(principal),
                shown(mirror)
            ));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(instance: &str, major: u16, minor: u16) -> Version {
        Version { instance: instance.into(), major, minor, release: format!("{major}.{minor}") }
    }

    #[test]
    fn only_equal_versions_lead_home_and_back_again() {
        for (backup, primary, mirror, other_mirror, wanted) in [
            ((11, 0), (11, 0), Some((11, 0)), Some((11, 0)), 0),
            ((11, 0), (11, 0), None, None, 0),
            ((12, 0), (11, 0), Some((11, 0)), None, 1),
            ((11, 0), (12, 0), Some((12, 0)), None, 1),
            ((10, 50), (10, 0), None, None, 1),
            ((10, 0), (10, 50), None, None, 1),
            ((11, 0), (11, 0), Some((12, 0)), Some((11, 0)), 1),
            ((11, 0), (11, 0), Some((11, 0)), Some((12, 0)), 1),
            ((11, 0), (11, 0), None, Some((10, 50)), 1),
            ((12, 0), (11, 0), Some((12, 0)), Some((12, 0)), 2),
            ((13, 0), (13, 1), Some((13, 2)), Some((13, 3)), 0),
        ] {
            let of = |name: &str, (major, minor): (u16, u16)| version(name, major, minor);
            let found = obstacles(
                &of(r"B\RTC", backup),
                &of(r"P\RTC", primary),
                mirror.map(|found| of(r"PM\RTC", found)).as_ref(),
                other_mirror.map(|found| of(r"BM\RTC", found)).as_ref(),
            );
            assert_eq!(found.len(), wanted, "{backup:?} {primary:?} {mirror:?} {other_mirror:?}: {found:?}");
        }
    }
}
