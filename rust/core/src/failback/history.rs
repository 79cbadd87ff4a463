//! What the history of the backup's database holds: the backups that it took or was restored from, with their forks.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::names::{Lsn, ServerPath};

/// A backup set as msdb of the backup remembers it.
///
/// # Source
/// msdb `backupset`, `backupmediafamily`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistorySet {
    /// `D` full, `L` log.
    pub backup_type: String,
    pub family_id: Uuid,
    pub first_lsn: Lsn,
    /// An exclusive end.
    pub last_lsn: Lsn,
    pub first_fork_id: Uuid,
    pub last_fork_id: Uuid,
    pub fork_point_lsn: Option<Lsn>,
    pub is_copy_only: bool,
    /// True where the instance took it itself; a restored one came from elsewhere.
    pub is_own: bool,
    /// In its writer's local time.
    pub finished_at: Option<chrono::NaiveDateTime>,
    /// The first stripe.
    pub path: Option<ServerPath>,
}

/// Where a copy stands: the next LSN that it wants, and the fork of that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stand {
    pub lsn: Lsn,
    pub fork_id: Uuid,
}

/// How a copy stands to the history of the backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Everything that it holds is in the backup's database too: there is nothing to salvage.
    OnHistory,
    /// It may hold what the backup never got.
    OffHistory { why: String },
}

/// Whether everything up to a stand is in the history. Pure.
///
/// Within one fork LSNs are one line, so a set that ends at or behind the stand on the stand's fork holds everything
/// before it. A set that spans a fork point belongs to its first fork up to that point and to its last fork behind it.
pub fn standing(history: &[HistorySet], stand: Stand) -> Standing {
    let holds = |set: &HistorySet| {
        let on_last = set.last_fork_id == stand.fork_id && stand.lsn <= set.last_lsn;
        let first_ends = set.fork_point_lsn.unwrap_or(set.last_lsn);
        let on_first = set.first_fork_id == stand.fork_id && stand.lsn <= first_ends;
        on_last || on_first
    };
    if history.iter().any(holds) {
        return Standing::OnHistory;
    }
    let known = history.iter().any(|set| set.first_fork_id == stand.fork_id || set.last_fork_id == stand.fork_id);
    let why = match known {
        true => format!("it stands at LSN {}, behind what the backup has of that recovery fork", stand.lsn),
        false => "its recovery fork is none of the backup's".to_string(),
    };
    Standing::OffHistory { why }
}

/// The log backups that the instance itself took behind an LSN, oldest first, without copies that leave the chain alone:
/// each is needed by whoever follows from there, whatever tool took it.
pub fn log_backups_behind(history: &[HistorySet], lsn: Lsn) -> Vec<&HistorySet> {
    let mut sets: Vec<&HistorySet> = history
        .iter()
        .filter(|set| set.backup_type == "L" && set.is_own && !set.is_copy_only && set.last_lsn > lsn)
        .collect();
    sets.sort_by_key(|set| (set.first_lsn, set.last_lsn));
    sets
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lsn(number: u128) -> Lsn {
        Lsn::new(number).unwrap()
    }

    const OLD: Uuid = Uuid::from_u128(1);
    const NEW: Uuid = Uuid::from_u128(2);
    const OTHER: Uuid = Uuid::from_u128(3);

    fn set(first: u128, last: u128, forks: (Uuid, Uuid), point: Option<u128>) -> HistorySet {
        HistorySet {
            backup_type: "L".into(),
            family_id: Uuid::nil(),
            first_lsn: lsn(first),
            last_lsn: lsn(last),
            first_fork_id: forks.0,
            last_fork_id: forks.1,
            fork_point_lsn: point.map(lsn),
            is_copy_only: false,
            is_own: true,
            finished_at: None,
            path: None,
        }
    }

    fn stands(history: &[HistorySet], at: u128, fork: Uuid) -> bool {
        standing(history, Stand { lsn: lsn(at), fork_id: fork }) == Standing::OnHistory
    }

    #[test]
    fn a_copy_that_stopped_at_or_before_the_fork_point_is_on_the_history() {
        let history = [set(100, 200, (OLD, OLD), None), set(200, 300, (OLD, NEW), Some(220))];
        for (at, fork, wanted) in [
            (50, OLD, true),
            (200, OLD, true),
            (220, OLD, true),
            (221, OLD, false),
            (220, NEW, true),
            (300, NEW, true),
            (301, NEW, false),
            (100, OTHER, false),
        ] {
            assert_eq!(stands(&history, at, fork), wanted, "{at}");
        }
    }

    #[test]
    fn the_dead_fork_s_tail_is_not_and_the_reason_tells_which_kind_it_is() {
        let history = [set(200, 300, (OLD, NEW), Some(220))];
        let why = |at, fork| match standing(&history, Stand { lsn: lsn(at), fork_id: fork }) {
            Standing::OffHistory { why } => why,
            Standing::OnHistory => String::new(),
        };
        assert!(why(250, OLD).contains("behind what the backup has"), "{}", why(250, OLD));
        assert!(why(250, OTHER).contains("none of the backup's"));
        assert!(!stands(&[], 1, OLD), "an empty history proves nothing");
    }

    #[test]
    fn log_backups_behind_an_lsn_are_those_that_move_the_chain() {
        let copy_only = HistorySet { is_copy_only: true, ..set(300, 350, (NEW, NEW), None) };
        let restored = HistorySet { is_own: false, ..set(90, 400, (OLD, OLD), None) };
        let full = HistorySet { backup_type: "D".into(), ..set(300, 360, (NEW, NEW), None) };
        let history =
            [set(300, 400, (NEW, NEW), None), set(200, 300, (OLD, NEW), Some(220)), copy_only, restored, full];
        let behind: Vec<u128> =
            log_backups_behind(&history, lsn(250)).iter().map(|set| set.first_lsn.value()).collect();
        assert_eq!(behind, [200, 300]);
        assert!(log_backups_behind(&history, lsn(400)).is_empty());
    }
}
