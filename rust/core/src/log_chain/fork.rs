//! Recovery forks: which sets fit a redo point, and which way leads from one fork to another.

use std::collections::{HashMap, HashSet, VecDeque};

use uuid::Uuid;

use super::Header;
use crate::names::Lsn;

/// Whether a log backup is on the recovery path of a redo point, its LSN range left aside.
///
/// # Source
/// "Recovery Paths": without a fork point the forks must be equal; below it the first one counts, above it the last one,
/// at it either.
pub(super) fn fits(header: &Header, lsn: Lsn, fork: Uuid) -> bool {
    match header.fork_point_lsn {
        Some(point) if header.spans_fork() => {
            (lsn <= point && header.first_fork_id == fork) || (lsn >= point && header.last_fork_id == fork)
        }
        _ => header.first_fork_id == fork && header.last_fork_id == fork,
    }
}

/// The forks as the headers connect them.
pub(super) struct Forks {
    /// From a fork to those that begin on it, with the LSN at which they do.
    children: HashMap<Uuid, Vec<(Lsn, Uuid)>>,
    parents: HashMap<Uuid, Vec<(Lsn, Uuid)>>,
}

/// The ways from a redo point to the forks that it can reach.
pub(super) struct Ways {
    start: Uuid,
    /// Of each fork but the first: the one before it, and where that is left.
    before: HashMap<Uuid, (Uuid, Lsn)>,
}

impl Ways {
    /// The path to a fork; `None` where none leads there.
    pub fn path_to(&self, fork: Uuid) -> Option<Vec<Segment>> {
        let mut path = vec![Segment { fork, until: Lsn::MAX }];
        let mut at = fork;
        while at != self.start {
            let &(from, point) = self.before.get(&at)?;
            path.push(Segment { fork: from, until: point });
            at = from;
        }
        path.reverse();
        Some(path)
    }
}

/// A stretch of a recovery path.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment {
    pub fork: Uuid,
    /// Where the path leaves the fork; `Lsn::MAX` on the last one.
    pub until: Lsn,
}

impl Forks {
    pub fn new<'a>(headers: impl Iterator<Item = &'a Header>) -> Forks {
        let mut children: HashMap<Uuid, Vec<(Lsn, Uuid)>> = HashMap::new();
        let mut parents: HashMap<Uuid, Vec<(Lsn, Uuid)>> = HashMap::new();
        for header in headers {
            if let (true, Some(point)) = (header.spans_fork(), header.fork_point_lsn) {
                children.entry(header.first_fork_id).or_default().push((point, header.last_fork_id));
                parents.entry(header.last_fork_id).or_default().push((point, header.first_fork_id));
            }
        }
        for edges in children.values_mut().chain(parents.values_mut()) {
            edges.sort_unstable();
            edges.dedup();
        }
        Forks { children, parents }
    }

    /// Adds what is known without a header: a fork began on another one.
    pub fn connect(&mut self, parent: Uuid, point: Lsn, child: Uuid) {
        for (edges, end) in [(self.children.entry(parent), child), (self.parents.entry(child), parent)] {
            let edges = edges.or_default();
            if let Err(place) = edges.binary_search(&(point, end)) {
                edges.insert(place, (point, end));
            }
        }
    }

    /// Every fork that can be reached from a redo point, with the step that leads to it.
    pub fn ways_from(&self, lsn: Lsn, fork: Uuid) -> Ways {
        let mut before: HashMap<Uuid, (Uuid, Lsn)> = HashMap::new();
        let mut open = VecDeque::from([(fork, lsn)]);
        while let Some((from, entered)) = open.pop_front() {
            for &(point, to) in self.children.get(&from).into_iter().flatten() {
                if point >= entered && to != fork && !before.contains_key(&to) {
                    before.insert(to, (from, point));
                    open.push_back((to, point));
                }
            }
        }
        Ways { start: fork, before }
    }

    /// The forks that a redo point comes from, with the LSN at which each was left.
    pub fn ancestors_of(&self, lsn: Lsn, fork: Uuid) -> HashMap<Uuid, Lsn> {
        let mut left: HashMap<Uuid, Lsn> = HashMap::new();
        let mut open = VecDeque::from([(fork, lsn)]);
        while let Some((child, below)) = open.pop_front() {
            for &(point, parent) in self.parents.get(&child).into_iter().flatten().rev() {
                if point <= below && parent != fork && !left.contains_key(&parent) {
                    left.insert(parent, point);
                    open.push_back((parent, point));
                }
            }
        }
        left
    }

    /// Every fork that headers connect with this one, by whatever way.
    pub fn connected_with(&self, fork: Uuid) -> HashSet<Uuid> {
        let mut seen = HashSet::from([fork]);
        let mut open = vec![fork];
        while let Some(at) = open.pop() {
            let near = self.children.get(&at).into_iter().chain(self.parents.get(&at)).flatten();
            for &(_, other) in near {
                if seen.insert(other) {
                    open.push(other);
                }
            }
        }
        seen
    }
}

/// Whether a set lies on a path that begins at a redo point.
pub(super) fn is_on_path(header: &Header, path: &[Segment], redo: Lsn) -> bool {
    let number = |fork: Uuid| path.iter().position(|segment| segment.fork == fork);
    let Some(last) = number(header.last_fork_id) else { return false };
    if header.last_lsn > path[last].until {
        return false;
    }
    if !header.spans_fork() {
        return true;
    }
    let Some(point) = header.fork_point_lsn else { return false };
    match number(header.first_fork_id) {
        Some(first) => first < last && path[first].until <= point && point <= path[last - 1].until,
        // It comes from a fork that the redo point has left behind.
        None => last == 0 && point <= redo,
    }
}

#[cfg(test)]
mod tests {
    use super::super::BackupType;
    use super::*;

    fn header(first: u128, last: u128, point: Option<u128>) -> Header {
        let time = chrono::NaiveDateTime::default();
        Header {
            backup_type: BackupType::Log,
            database_name: "".into(),
            family_id: Uuid::nil(),
            first_lsn: Lsn::ZERO,
            last_lsn: Lsn::MAX,
            first_fork_id: Uuid::from_u128(first),
            last_fork_id: Uuid::from_u128(last),
            fork_point_lsn: point.and_then(Lsn::new),
            backup_set_id: Uuid::nil(),
            media_set_id: Uuid::nil(),
            family_count: 1,
            family_number: 1,
            position: 1,
            size_bytes: 0,
            started_at: time,
            finished_at: time,
            server_name: "".into(),
            has_checksums: false,
            is_damaged: false,
            is_copy_only: false,
            is_tail: false,
            begins_log_chain: false,
            software_major: 11,
        }
    }

    #[test]
    fn a_set_fits_by_its_fork_or_by_the_side_of_its_fork_point() {
        let fits = |header: &Header, lsn: u128, fork: u128| {
            Lsn::new(lsn).is_some_and(|lsn| super::fits(header, lsn, Uuid::from_u128(fork)))
        };
        let plain = header(1, 1, None);
        assert!(fits(&plain, 50, 1) && !fits(&plain, 50, 2));
        let spanning = header(1, 2, Some(50));
        let wanted = [(49, 1, true), (49, 2, false), (50, 1, true), (50, 2, true), (51, 1, false), (51, 2, true)];
        for (lsn, fork, fit) in wanted {
            assert_eq!(fits(&spanning, lsn, fork), fit, "LSN {lsn} on fork {fork}");
        }
        // Two forks and no word on where one became the other: it fits nowhere.
        let odd = header(1, 2, None);
        assert!(!fits(&odd, 50, 1) && !fits(&odd, 50, 2));
    }
}
