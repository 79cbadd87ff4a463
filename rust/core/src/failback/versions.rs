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
pub fn obstacles(backup: &Version, primary: &Version, primary_mirror: Option<&Version>) -> Vec<String> {
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
    if let Some(mirror) = primary_mirror.filter(|mirror| mirror.number() != primary.number()) {
        found.push(format!(
            "{} and its mirror {} are of different versions, which mirroring does not take",
            shown(primary),
            shown(mirror)
        ));
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
        for (backup, primary, mirror, wanted) in [
            ((11, 0), (11, 0), Some((11, 0)), 0),
            ((11, 0), (11, 0), None, 0),
            ((12, 0), (11, 0), Some((11, 0)), 1),
            ((11, 0), (12, 0), Some((12, 0)), 1),
            ((10, 50), (10, 0), None, 1),
            ((10, 0), (10, 50), None, 1),
            ((11, 0), (11, 0), Some((12, 0)), 1),
            ((12, 0), (11, 0), Some((12, 0)), 2),
            ((13, 0), (13, 1), Some((13, 2)), 0),
        ] {
            let found = obstacles(
                &version(r"B\RTC", backup.0, backup.1),
                &version(r"P\RTC", primary.0, primary.1),
                mirror.map(|(major, minor)| version(r"PM\RTC", major, minor)).as_ref(),
            );
            assert_eq!(found.len(), wanted, "{backup:?} {primary:?} {mirror:?}: {found:?}");
        }
    }
}
