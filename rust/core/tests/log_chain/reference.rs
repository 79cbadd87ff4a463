//! A tiny restorer, written from the documented rules alone: it tries the sets in every order that SQL Server would
//! accept and says which states a database can get to.

use std::collections::HashSet;

/// One log backup: LSNs as plain numbers, forks as numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Tape {
    pub first: u64,
    pub last: u64,
    pub fork_at_first: u32,
    pub fork_at_last: u32,
    pub fork_point: Option<u64>,
}

/// What RESTORE LOG would do to a database at this state: the new state, or `None` for a refusal.
pub fn restore_log(state: (u64, u32), tape: &Tape) -> Option<(u64, u32)> {
    let (lsn, fork) = state;
    if tape.last <= lsn || tape.first > lsn {
        return None;
    }
    let accepted = match tape.fork_point {
        None => tape.fork_at_first == fork,
        Some(point) if lsn < point => tape.fork_at_first == fork,
        Some(point) if lsn > point => tape.fork_at_last == fork,
        Some(_) => tape.fork_at_first == fork || tape.fork_at_last == fork,
    };
    accepted.then_some((tape.last, tape.fork_at_last))
}

/// Every state that restoring any of the tapes in any order can bring, the first one included.
pub fn reachable(start: (u64, u32), tapes: &[Tape]) -> HashSet<(u64, u32)> {
    let mut seen = HashSet::from([start]);
    let mut open = vec![start];
    while let Some(state) = open.pop() {
        for tape in tapes {
            if let Some(next) = restore_log(state, tape) {
                if seen.insert(next) {
                    open.push(next);
                }
            }
        }
    }
    seen
}
