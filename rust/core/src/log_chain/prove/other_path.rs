//! When sets were finished, and which of those on another recovery path are dead.

use std::collections::HashMap;

use chrono::{Duration, NaiveDateTime};

use super::super::fork::Forks;
use super::super::set::Set;
use super::super::{listing, SetStatus, Verdict};
use super::Proof;
use crate::names::Lsn;

/// How much older than the path's newest set one of an unconnected fork must be to count as a dead path, where both
/// times are known as UTC or come from one clock: an hour of daylight saving and an hour of care.
const OTHER_PATH_AGE: Duration = Duration::hours(2);
/// The same where the two clocks may be in any two time zones.
pub(super) const OTHER_PATH_AGE_ANY_ZONE: Duration = Duration::hours(28);

/// A finish time that can be compared: UTC where the file's name tells the writer's offset.
#[derive(Clone, Copy)]
pub(super) struct Finish<'a> {
    pub at: NaiveDateTime,
    pub is_utc: bool,
    pub writer: &'a str,
}

impl<'a> Proof<'a> {
    pub(super) fn finish(&self, set: &Set<'a>) -> Finish<'a> {
        let header = set.header;
        let writer = &*header.server_name;
        let own = listing::utc_offset_minutes(&self.candidate(set).name, header);
        let minutes = own.or_else(|| nearest_offset(self.offsets.get(writer)?, header.finished_at));
        let at = header.finished_at - Duration::minutes(i64::from(minutes.unwrap_or(0)));
        Finish { at, is_utc: minutes.is_some(), writer }
    }

    /// The best guess at when a set was finished. A wrong one costs a doubt, never a set: what is left aside is judged
    /// with care.
    pub(super) fn likely_time(&self, set: &Set<'a>) -> NaiveDateTime {
        let finish = self.finish(set);
        let modified = set.members().filter_map(|index| self.listing.candidates[index].modified_at).min();
        if finish.is_utc {
            finish.at
        } else {
            modified.unwrap_or(finish.at)
        }
    }

    /// Tells dead paths from one that may be the living one. Returns the newest set that may be.
    pub(super) fn judge_others(
        &mut self,
        off: &[usize],
        known: &[usize],
        forks: &Forks,
        at_lsn: Lsn,
    ) -> Option<Verdict> {
        let connected = forks.connected_with(self.redo.fork_id);
        let ours: Vec<Finish> = known.iter().map(|number| self.finish(&self.sets[*number])).collect();
        let newest_utc = ours.iter().filter(|finish| finish.is_utc).map(|finish| finish.at).max();
        let mut newest_of: HashMap<&str, NaiveDateTime> = HashMap::new();
        for (&number, finish) in known.iter().zip(&ours) {
            let at = self.sets[number].header.finished_at;
            newest_of.entry(finish.writer).and_modify(|newest| *newest = at.max(*newest)).or_insert(at);
        }
        let newest_local = newest_of.values().copied().chain(self.redo.finished_at).max();

        let mut living: Option<usize> = None;
        for &number in off {
            let header = self.sets[number].header;
            let finish = self.finish(&self.sets[number]);
            let is_connected = connected.contains(&header.first_fork_id) || connected.contains(&header.last_fork_id);
            let care = if is_connected { Duration::zero() } else { OTHER_PATH_AGE };
            // Any one of these shows that a set of ours is newer.
            let by_utc = finish.is_utc && newest_utc.is_some_and(|newest| finish.at + care <= newest);
            let clock = newest_of.get(&*header.server_name);
            let by_clock = clock.is_some_and(|newest| header.finished_at + care <= *newest);
            let by_any_zone = newest_local.is_some_and(|newest| header.finished_at + OTHER_PATH_AGE_ANY_ZONE <= newest);
            let is_dead = by_utc || by_clock || by_any_zone;
            self.mark(number, if is_dead { SetStatus::DeadPath } else { SetStatus::OtherPath });
            let newer = |old: usize| self.finish(&self.sets[old]).at < finish.at;
            if !is_dead && living.is_none_or(newer) {
                living = Some(number);
            }
        }
        living.map(|number| {
            let header = self.sets[number].header;
            let (first_lsn, last_lsn) = (header.first_lsn, header.last_lsn);
            Verdict::RecoveryPathDiffers { at_lsn, file: self.file_name(number), first_lsn, last_lsn }
        })
    }
}

/// The offset at the known time next to this one.
fn nearest_offset(known: &[(NaiveDateTime, i32)], at: NaiveDateTime) -> Option<i32> {
    let behind = known.partition_point(|(time, _)| *time < at);
    let near = [behind.checked_sub(1), Some(behind)].into_iter().flatten().filter_map(|index| known.get(index));
    near.min_by_key(|(time, _)| (*time - at).abs()).map(|(_, minutes)| *minutes)
}
