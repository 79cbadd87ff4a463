//! What follows from the evidence before any step is written: the guard's word, and the way home.

use super::evidence::Evidence;
use super::guard::{guard, Guard, Then};
use super::versions::{obstacles, Version};
use super::wanted::Wanted;
use crate::baseline::{InstanceBaseline, InstanceRole};
use crate::document::FailbackRequest;
use crate::failback::history::{log_backups_behind, HistorySet};

/// How the primary gets its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// From a full backup that is taken while users are served, then log backups and the tail.
    Seeded,
    /// Its copy is gone on from: the log backups reach it.
    Unseeded,
    /// From a full backup that is taken once nobody writes any more, in the order of the published page.
    Documented,
}

impl Way {
    /// For facts: `seeded`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Way::Seeded => "seeded",
            Way::Unseeded => "unseeded",
            Way::Documented => "documented",
        }
    }
}

/// Everything that checks and steps share. Pure: made of evidence and request alone.
#[derive(Debug, Clone)]
pub struct Decision {
    pub wanted: Wanted,
    pub guard: Guard,
    pub way: Way,
    /// Why a copy that could be gone on from is seeded all the same.
    pub why_seeded: Option<String>,
    /// Log backups that somebody else takes of the serving database, beside our job.
    pub foreign: Vec<HistorySet>,
    pub obstacles: Vec<String>,
}

impl Decision {
    /// Works it out.
    pub fn of(evidence: &Evidence, request: &FailbackRequest) -> Decision {
        let wanted = Wanted::of(request, &evidence.now);
        let guard = guard(&evidence.primary, evidence.primary_mirror.as_ref(), &request.recover_and_save);
        let (way, why_seeded) = way(evidence, request, &guard);
        let foreign = foreign(evidence, wanted.share.as_ref());
        Decision { foreign, obstacles: version_obstacles(evidence), wanted, guard, way, why_seeded }
    }
}

fn way(evidence: &Evidence, request: &FailbackRequest, guard: &Guard) -> (Way, Option<String>) {
    if request.documented {
        return (Way::Documented, None);
    }
    if guard.primary.then != Then::GoOn {
        return (Way::Seeded, None);
    }
    match gap(evidence) {
        None => (Way::Unseeded, None),
        Some(why) => (Way::Seeded, Some(why)),
    }
}

/// Why the log backups do not lead from the primary's redo point to where the next one begins; `None` where they do.
fn gap(evidence: &Evidence) -> Option<String> {
    let Some(following) = evidence.following.known() else {
        return Some(evidence.following.why().unwrap_or_default().to_string());
    };
    let super::guard::CopySeen::Present(copy) = &evidence.primary.seen else { return None };
    let Some(stand) = copy.stand else { return Some("its redo point is unknown".to_string()) };
    let mut at = stand.lsn;
    for log in following {
        if let Some(trouble) = &log.trouble {
            return Some(trouble.clone());
        }
        if log.set.first_lsn > at {
            return Some(format!("no log backup from LSN {at} to {} is known", log.set.first_lsn));
        }
        at = at.max(log.set.last_lsn);
    }
    let next = evidence.backup.known().and_then(|copy| copy.last_log_backup_lsn);
    match next {
        Some(next) if next <= at => None,
        Some(next) => Some(format!("no log backup from LSN {at} to {next} is known")),
        None => Some("the backup does not tell where its next log backup begins".to_string()),
    }
}

/// Log backups of the serving database that neither our job nor a mirror set-up wrote to a share. They belong to the chain,
/// and another tool that goes on taking them would tear it.
fn foreign(evidence: &Evidence, share: Option<&crate::names::ServerPath>) -> Vec<HistorySet> {
    let Some(history) = evidence.history.known() else { return Vec::new() };
    let from = evidence.backup.known().and_then(|copy| copy.last_log_backup_lsn);
    // Only what came last tells that somebody is at work now.
    let Some(newest) = from.and_then(|_| log_backups_behind(history, crate::names::Lsn::ZERO).pop()) else {
        return Vec::new();
    };
    let is_ours = |set: &HistorySet| {
        let Some(path) = &set.path else { return false };
        let by_job =
            evidence.log_backup_jobs.iter().any(|job| path.parent().is_some_and(|f| job.command.contains(f.as_str())));
        by_job || path.is_unc() || share.is_some_and(|share| path.strip_prefix(share).is_some())
    };
    let is_recent = newest.finished_at;
    log_backups_behind(history, crate::names::Lsn::ZERO)
        .into_iter()
        .filter(|set| !is_ours(set) && (is_recent.is_none() || set.finished_at == is_recent))
        .cloned()
        .collect()
}

fn version_obstacles(evidence: &Evidence) -> Vec<String> {
    let of = |role: InstanceRole| evidence.instance(role).and_then(version);
    match (of(InstanceRole::Backup), of(InstanceRole::Primary)) {
        (Some(backup), Some(primary)) => {
            let (home, other) = (of(InstanceRole::PrimaryMirror), of(InstanceRole::BackupMirror));
            obstacles(&backup, &primary, home.as_ref(), other.as_ref())
        }
        _ => Vec::new(),
    }
}

fn version(instance: &InstanceBaseline) -> Option<Version> {
    let facts = instance.facts.known()?;
    Some(Version {
        instance: instance.sql_instance.clone(),
        major: facts.major_version,
        minor: facts.minor_version,
        release: facts.release().to_string(),
    })
}
