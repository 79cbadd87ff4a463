//! The proof: contiguous from the redo point to the newest log backup that is known.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::{Duration, NaiveDateTime};
use uuid::Uuid;

use super::fork::{self, Forks, Segment};
use super::set::{self, Set, SetState};
use super::{
    listing, BackupType, Candidate, Chain, ChainLink, Doubt, Header, Listing, PlaceKind, PlaceState, RedoPoint,
    SetStatus, Trouble, UnfinishedFile, UnreadFile, UnreadStatus, Verdict,
};
use crate::names::Lsn;

/// How much older than the path's newest set one of an unconnected fork must be to count as a dead path, where both
/// times are known as UTC or come from one clock: an hour of daylight saving and an hour of care.
const OTHER_PATH_AGE: Duration = Duration::hours(2);
/// The same where the two clocks may be in any two time zones.
const OTHER_PATH_AGE_ANY_ZONE: Duration = Duration::hours(28);

/// Works out which log backups are to be restored and whether they reach the newest one known. Reads nothing.
///
/// Order and fit come from LSNs and fork ids alone. Times decide one thing only: where the headers show two recovery
/// paths, the one with the newest set is followed, and the other must be older to count as dead; otherwise the chain
/// carries a doubt.
///
/// # Source
/// "Recovery Paths"; "Log Sequence Numbers and Restore Planning"; `RESTORE HEADERONLY`.
pub fn prove(redo: &RedoPoint, listing: &Listing) -> Chain {
    Proof::new(redo, listing).run()
}

struct Proof<'a> {
    redo: &'a RedoPoint,
    listing: &'a Listing,
    /// Sets of log backups of this database.
    sets: Vec<Set<'a>>,
    /// The files of these sets, and those of which no header is known at any place.
    files: Vec<Seen<'a>>,
    /// The size of the largest file of each name whose header is known; empty where nothing asks for it.
    known_sizes: HashMap<String, u64>,
    /// Of each writer: how far its clock was from UTC at what local time, as stamped names tell, in order.
    offsets: HashMap<&'a str, Vec<(NaiveDateTime, i32)>>,
    status: Vec<SetStatus>,
}

/// A finish time that can be compared: UTC where the file's name tells the writer's offset.
#[derive(Clone, Copy)]
struct Finish<'a> {
    at: NaiveDateTime,
    is_utc: bool,
    writer: &'a str,
}

impl<'a> Proof<'a> {
    fn new(redo: &'a RedoPoint, listing: &'a Listing) -> Proof<'a> {
        let family = family_of(redo, &listing.candidates);
        let mut status = vec![SetStatus::NotLog; listing.candidates.len()];
        let mut ours = Vec::new();
        for (index, candidate) in listing.candidates.iter().enumerate() {
            if candidate.header.backup_type != BackupType::Log {
                continue;
            }
            if family.is_some_and(|family| candidate.header.family_id != family) {
                status[index] = SetStatus::OtherDatabase;
                continue;
            }
            ours.push(index);
        }
        let files = ours.iter().map(|index| Seen::of(&listing.candidates[*index]));
        let known_sizes = known_sizes(listing);
        let lost = listing.unread.iter().filter(|file| !is_known_elsewhere(&known_sizes, file));
        let files = files.chain(lost.map(Seen::of_unread)).collect();
        let sets = set::gather(&listing.candidates, ours.into_iter());
        let mut offsets: HashMap<&str, Vec<(NaiveDateTime, i32)>> = HashMap::new();
        for set in &sets {
            if let Some(minutes) = listing::utc_offset_minutes(&listing.candidates[set.first].name, set.header) {
                offsets.entry(&set.header.server_name).or_default().push((set.header.finished_at, minutes));
            }
        }
        offsets.values_mut().for_each(|known| known.sort_unstable());
        Proof { redo, listing, sets, status, files, known_sizes, offsets }
    }

    fn run(mut self) -> Chain {
        let redo = self.redo;
        let unfinished = self.unfinished_sets();
        let forks = Forks::new(self.live(&unfinished).map(|(_, set)| set.header));
        let ancestors = forks.ancestors_of(redo.lsn, redo.fork_id);
        let paths = forks.paths_from(redo.lsn, redo.fork_id);
        let is_restored = |header: &Header| {
            let pure_or_ours = header.last_fork_id == redo.fork_id && header.last_lsn <= redo.lsn;
            let left_behind = ancestors.get(&header.last_fork_id).is_some_and(|left| header.last_lsn <= *left);
            let fork_known = !header.spans_fork() || header.fork_point_lsn.is_some();
            fork_known && (pure_or_ours || left_behind)
        };

        // Follow the path of the newest set that can be reached at all.
        let path: Vec<Segment> = self
            .live(&unfinished)
            .filter(|(_, set)| !is_restored(set.header))
            .filter_map(|(_, set)| {
                let path = paths.get(&set.header.last_fork_id)?;
                fork::is_on_path(set.header, path, redo.lsn).then(|| (self.likely_time(set), set.header, path))
            })
            .max_by_key(|(time, header, _)| (*time, header.position, header.last_lsn))
            .map(|(_, _, path)| path.clone())
            .unwrap_or_else(|| vec![Segment { fork: redo.fork_id, until: Lsn::MAX }]);

        let mut on_path: Vec<usize> = Vec::new();
        let mut off_path: Vec<usize> = Vec::new();
        let mut restored: Vec<usize> = Vec::new();
        for (number, set) in self.live(&unfinished) {
            if is_restored(set.header) {
                restored.push(number);
            } else if fork::is_on_path(set.header, &path, redo.lsn) {
                on_path.push(number);
            } else {
                off_path.push(number);
            }
        }

        let walk = self.walk(&mut on_path, &path);
        self.mark_restored(&restored);
        self.mark_path(&on_path, &walk);
        for &number in &unfinished {
            self.mark(number, SetStatus::Unfinished);
        }
        let verdict = self.verdict(&on_path, &walk);
        let known: Vec<usize> = restored.iter().chain(&on_path).copied().collect();
        let other = self.judge_others(&off_path, &known, &forks, walk.end_lsn);
        self.chain(walk, verdict, other, &restored, &unfinished)
    }

    fn live<'s>(&'s self, unfinished: &'s HashSet<usize>) -> impl Iterator<Item = (usize, &'s Set<'a>)> + 's {
        self.sets.iter().enumerate().filter(|(number, _)| !unfinished.contains(number))
    }

    fn candidate(&self, set: &Set<'a>) -> &'a Candidate {
        &self.listing.candidates[set.first]
    }

    fn finish(&self, set: &Set<'a>) -> Finish<'a> {
        let header = set.header;
        let writer = header.server_name.as_str();
        let own = listing::utc_offset_minutes(&self.candidate(set).name, header);
        let minutes = own.or_else(|| nearest_offset(self.offsets.get(writer)?, header.finished_at));
        let at = header.finished_at - Duration::minutes(i64::from(minutes.unwrap_or(0)));
        Finish { at, is_utc: minutes.is_some(), writer }
    }

    /// The best guess at when a set was finished. A wrong one costs a doubt, never a set: what is left aside is judged
    /// with care.
    fn likely_time(&self, set: &Set<'a>) -> NaiveDateTime {
        let finish = self.finish(set);
        let modified = set.members.iter().filter_map(|index| self.listing.candidates[*index].modified_at).min();
        if finish.is_utc {
            finish.at
        } else {
            modified.unwrap_or(finish.at)
        }
    }

    /// Sets whose header could be read although the file was never finished.
    fn unfinished_sets(&self) -> HashSet<usize> {
        let cut = |index: &usize| {
            let trouble = &self.listing.candidates[*index].trouble;
            matches!(trouble, Some(Trouble::Unfinished(_) | Trouble::Growing(_)))
        };
        let broken = |set: &Set| matches!(set.state, SetState::Damaged(_)) && set.members.iter().all(cut);
        let all = self.sets.iter().enumerate().filter(|(_, set)| !set.header.is_damaged && broken(set));
        all.filter(|(_, set)| self.is_newest(&Seen::of(self.candidate(set)))).map(|(number, _)| number).collect()
    }

    /// True when no other file of this database, or without a header, is newer.
    fn is_newest(&self, file: &Seen) -> bool {
        self.files.iter().all(|other| !other.is_newer_than(file) || other.same_name(file))
    }

    /// Applies one set after the other, each time the one that reaches farthest.
    fn walk(&self, on_path: &mut [usize], path: &[Segment]) -> Walk {
        let depth = |fork: Uuid| path.iter().position(|segment| segment.fork == fork).unwrap_or(0);
        on_path.sort_by_key(|number| (self.sets[*number].header.first_lsn, self.sets[*number].header.last_lsn));
        let (mut lsn, mut fork_id) = (self.redo.lsn, self.redo.fork_id);
        let mut used = Vec::new();
        let mut waiting = on_path.iter().copied().peekable();
        let mut near: Vec<usize> = Vec::new();
        loop {
            while let Some(number) = waiting.next_if(|number| self.sets[*number].header.first_lsn <= lsn) {
                if matches!(self.sets[number].state, SetState::Whole(_)) {
                    near.push(number);
                }
            }
            near.retain(|number| self.sets[*number].header.last_lsn > lsn);
            let best =
                near.iter().copied().filter(|number| fork::fits(self.sets[*number].header, lsn, fork_id)).max_by_key(
                    |number| {
                        let set = &self.sets[*number];
                        let place = self.best_place(set);
                        let header = set.header;
                        (
                            header.last_lsn,
                            depth(header.last_fork_id),
                            std::cmp::Reverse((place, header.is_copy_only, *number)),
                        )
                    },
                );
            let Some(best) = best else { break };
            used.push(best);
            lsn = self.sets[best].header.last_lsn;
            fork_id = self.sets[best].header.last_fork_id;
        }
        Walk { used, end_lsn: lsn, end_fork: fork_id }
    }

    fn best_place(&self, set: &Set) -> u32 {
        match &set.state {
            SetState::Whole(stripes) => {
                let places = stripes.iter().filter_map(|stripe| stripe.sources.first());
                places.map(|index| self.listing.candidates[*index].place.0).max().unwrap_or(u32::MAX)
            }
            _ => u32::MAX,
        }
    }

    fn mark(&mut self, number: usize, status: SetStatus) {
        for index in 0..self.sets[number].members.len() {
            let member = self.sets[number].members[index];
            self.status[member] = status;
        }
    }

    fn mark_restored(&mut self, restored: &[usize]) {
        for &number in restored {
            self.mark(number, SetStatus::Restored);
        }
    }

    fn mark_path(&mut self, on_path: &[usize], walk: &Walk) {
        let used: HashSet<usize> = walk.used.iter().copied().collect();
        for &number in on_path {
            let last = self.sets[number].header.last_lsn;
            let status = match &self.sets[number].state {
                _ if last <= self.redo.lsn => SetStatus::Restored,
                SetState::Whole(_) if used.contains(&number) => SetStatus::SpareCopy,
                SetState::Whole(_) if last <= walk.end_lsn => SetStatus::Covered,
                SetState::Whole(_) => SetStatus::BehindGap,
                SetState::Damaged(_) => SetStatus::Damaged,
                SetState::StripeMissing { .. } => SetStatus::StripeMissing,
            };
            self.mark(number, status);
            if let (SetStatus::SpareCopy, SetState::Whole(stripes)) = (status, &self.sets[number].state) {
                let taken: Vec<usize> = stripes.iter().filter_map(|stripe| stripe.sources.first()).copied().collect();
                for index in taken {
                    self.status[index] = SetStatus::Needed;
                }
            }
        }
        for (index, candidate) in self.listing.candidates.iter().enumerate() {
            if candidate.trouble.is_some() && self.status[index] == SetStatus::SpareCopy {
                self.status[index] = SetStatus::Damaged;
            }
        }
    }

    fn file_name(&self, number: usize) -> String {
        self.candidate(&self.sets[number]).name.to_string()
    }

    fn verdict(&self, on_path: &[usize], walk: &Walk) -> Verdict {
        let after_lsn = walk.end_lsn;
        let after_file = walk.used.last().map(|number| self.file_name(*number)).or_else(|| self.redo.file_name.clone());
        let beyond: Vec<usize> =
            on_path.iter().copied().filter(|n| self.sets[*n].header.last_lsn > after_lsn).collect();
        let fitting = beyond.iter().copied().filter(|number| {
            let header = self.sets[*number].header;
            header.first_lsn <= after_lsn && fork::fits(header, after_lsn, walk.end_fork)
        });
        // What fits here and is not whole names the trouble better than the range behind it does.
        for number in fitting {
            let (header, file) = (self.sets[number].header, self.file_name(number));
            match &self.sets[number].state {
                SetState::Damaged(why) => {
                    let (first_lsn, last_lsn) = (header.first_lsn, header.last_lsn);
                    return Verdict::Damaged { after_lsn, after_file, file, first_lsn, last_lsn, why: why.clone() };
                }
                SetState::StripeMissing { present, count } => {
                    let (present, count) = (present.clone(), *count);
                    return Verdict::StripeMissing { after_lsn, after_file, file, present, count };
                }
                SetState::Whole(_) => {}
            }
        }
        let Some(&next) = beyond.iter().min_by_key(|number| self.sets[**number].header.first_lsn) else {
            return Verdict::Complete;
        };
        let header = self.sets[next].header;
        if header.first_lsn <= after_lsn {
            let (first_lsn, last_lsn) = (header.first_lsn, header.last_lsn);
            return Verdict::RecoveryPathDiffers { at_lsn: after_lsn, file: self.file_name(next), first_lsn, last_lsn };
        }
        Verdict::Gap {
            after_lsn,
            after_file,
            next_lsn: header.first_lsn,
            next_file: self.file_name(next),
            next_started_at: header.started_at,
        }
    }

    /// Tells dead paths from one that may be the living one. Returns the newest set that may be.
    fn judge_others(&mut self, off: &[usize], known: &[usize], forks: &Forks, at_lsn: Lsn) -> Option<Verdict> {
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
            let clock = newest_of.get(header.server_name.as_str());
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

    fn chain(
        self,
        walk: Walk,
        verdict: Verdict,
        other: Option<Verdict>,
        restored: &[usize],
        unfinished_sets: &HashSet<usize>,
    ) -> Chain {
        let last_restored = restored.iter().copied().filter(|number| {
            let header = self.sets[*number].header;
            header.last_lsn == self.redo.lsn && !header.is_empty()
        });
        let end_set =
            walk.used.last().copied().or_else(|| last_restored.max_by_key(|n| self.sets[*n].header.finished_at));
        let end_name = end_set.map(|number| self.file_name(number)).or_else(|| self.redo.file_name.clone());
        let end_finished_at = end_set.map(|number| self.sets[number].header.finished_at).or(self.redo.finished_at);
        let passed = self.status.iter().zip(&self.listing.candidates).filter(|(status, _)| {
            let is_ours =
                matches!(status, SetStatus::Restored | SetStatus::Needed | SetStatus::SpareCopy | SetStatus::Covered);
            is_ours || **status == SetStatus::DeadPath
        });
        let seeded = self.redo.finished_at.and_then(|at| at.checked_sub_signed(OTHER_PATH_AGE_ANY_ZONE));
        let passed = passed.map(|(_, candidate)| Seen::of(candidate));
        let passed = passed.chain(self.redo.file_name.as_deref().map(Seen::of_name));
        let passed: Vec<Seen> =
            passed.chain(seeded.map(|at| Seen { modified_at: Some(at), ..Seen::of_name("") })).collect();

        let verdict = match (verdict, other) {
            (Verdict::Complete, Some(other)) => other,
            (verdict, _) => verdict,
        };
        let mut doubts = Vec::new();
        if verdict != Verdict::Complete {
            doubts.push(Doubt::Chain(verdict.clone()));
        }
        let mut unfinished = None;
        for &number in unfinished_sets {
            let set = &self.sets[number];
            let trouble = set.members.iter().find_map(|index| self.listing.candidates[*index].trouble.as_ref());
            let (file, why) = (self.file_name(number), trouble.map_or("", Trouble::why).to_string());
            if matches!(trouble, Some(Trouble::Growing(_))) {
                doubts.push(Doubt::StillGrowing { file: file.clone(), why: why.clone() });
            }
            unfinished = Some(UnfinishedFile { name: file, why });
        }
        let mut unread_status = Vec::with_capacity(self.listing.unread.len());
        for file in &self.listing.unread {
            let status = self.unread_status(file, &passed);
            let (name, why) = (file.name.to_string(), file.trouble.why().to_string());
            match (status, &file.trouble) {
                (UnreadStatus::Harmless, _) => {}
                (UnreadStatus::Unfinished, trouble) => {
                    if matches!(trouble, Trouble::Growing(_)) {
                        doubts.push(Doubt::StillGrowing { file: name.clone(), why: why.clone() });
                    }
                    unfinished = Some(UnfinishedFile { name, why });
                }
                (UnreadStatus::Damaged | UnreadStatus::Unreadable, _) => {
                    let doubt = Doubt::UnreadableFile { file: name, why };
                    if !doubts.contains(&doubt) {
                        doubts.push(doubt);
                    }
                }
            }
            unread_status.push(status);
        }
        self.place_doubts(&mut doubts);
        self.witness_doubt(&mut doubts);

        let restore = walk.used.iter().filter_map(|number| match &self.sets[*number].state {
            SetState::Whole(stripes) => Some(ChainLink {
                header: Arc::clone(&self.listing.candidates[self.sets[*number].first].header),
                stripes: stripes.clone(),
            }),
            _ => None,
        });
        Chain {
            restore: restore.collect(),
            end: RedoPoint {
                lsn: walk.end_lsn,
                fork_id: walk.end_fork,
                family_id: self.redo.family_id,
                finished_at: end_finished_at,
                file_name: end_name.clone(),
            },
            status: self.status,
            unread_status,
            end_finished_at,
            end_file: end_name,
            verdict,
            doubts,
            unfinished,
            writer_offset_minutes: self.listing.writer_offset_minutes,
        }
    }

    fn unread_status(&self, file: &UnreadFile, passed: &[Seen]) -> UnreadStatus {
        let seen = Seen::of_unread(file);
        if is_known_elsewhere(&self.known_sizes, file) || passed.iter().any(|file| file.is_newer_than(&seen)) {
            return UnreadStatus::Harmless;
        }
        match file.trouble {
            Trouble::Unreadable(_) => UnreadStatus::Unreadable,
            _ if self.is_newest(&seen) => UnreadStatus::Unfinished,
            _ => UnreadStatus::Damaged,
        }
    }

    fn place_doubts(&self, doubts: &mut Vec<Doubt>) {
        let mut share_listed = false;
        let mut share_known = false;
        for place in &self.listing.places {
            let kind = place.id.kind();
            share_known |= kind == PlaceKind::Share;
            match &place.state {
                PlaceState::Listed => share_listed |= kind == PlaceKind::Share,
                // Whatever the copy folder holds came from the share.
                PlaceState::Unreachable(_) if kind == PlaceKind::CopyFolder => {}
                PlaceState::Unreachable(why) => {
                    doubts.push(Doubt::ShareUnreachable { path: place.path.to_string(), why: why.clone() });
                }
            }
        }
        if !share_listed && !share_known {
            doubts.push(Doubt::ShareUnknown);
        }
    }

    fn witness_doubt(&self, doubts: &mut Vec<Doubt>) {
        let Some(known) = &self.listing.known_end else { return };
        let wanted = Seen::of_name(&known.file_name);
        let has_it = |status: SetStatus| {
            !matches!(
                status,
                SetStatus::Unfinished | SetStatus::Damaged | SetStatus::StripeMissing | SetStatus::OtherDatabase
            )
        };
        let candidates = || self.listing.candidates.iter().zip(&self.status);
        let present = candidates().any(|(c, status)| has_it(*status) && Seen::of(c).same_name(&wanted));
        let was_restored = self.redo.file_name.as_deref().is_some_and(|name| {
            let last = Seen::of_name(name);
            last.same_name(&wanted) || last.is_newer_than(&wanted)
        });
        // Older than something of ours by the stamp in its name: restored long ago and cleaned away.
        let outlived = candidates().any(|(candidate, status)| {
            matches!(status, SetStatus::Restored | SetStatus::Needed | SetStatus::Covered)
                && listing::name_stamp(&candidate.name) > wanted.stamp
                && wanted.stamp.is_some()
        });
        if !present && !was_restored && !outlived {
            doubts.push(Doubt::WitnessKnowsLater { file: known.file_name.clone(), witness: known.witness.clone() });
        }
    }
}

/// How far the applied sets lead.
struct Walk {
    used: Vec<usize>,
    end_lsn: Lsn,
    end_fork: Uuid,
}

/// A file as far as its name and time tell.
struct Seen<'a> {
    name: &'a str,
    stamp: Option<NaiveDateTime>,
    modified_at: Option<NaiveDateTime>,
}

impl<'a> Seen<'a> {
    fn of(candidate: &'a Candidate) -> Seen<'a> {
        Seen { modified_at: candidate.modified_at, ..Seen::of_name(&candidate.name) }
    }

    fn of_unread(file: &'a UnreadFile) -> Seen<'a> {
        Seen { modified_at: file.modified_at, ..Seen::of_name(&file.name) }
    }

    fn of_name(name: &'a str) -> Seen<'a> {
        Seen { name, stamp: listing::name_stamp(name), modified_at: None }
    }

    fn same_name(&self, other: &Seen) -> bool {
        self.name.to_lowercase() == other.name.to_lowercase()
    }

    /// By the stamps in the names where both have one: a copy's time may be that of copying.
    fn is_newer_than(&self, other: &Seen) -> bool {
        match (self.stamp, other.stamp) {
            (Some(mine), Some(theirs)) => mine > theirs,
            _ => matches!((self.modified_at, other.modified_at), (Some(mine), Some(theirs)) if mine > theirs),
        }
    }
}

/// The size of the largest file of each name whose header is known; empty where nothing asks for it.
fn known_sizes(listing: &Listing) -> HashMap<String, u64> {
    let mut sizes = HashMap::new();
    if listing.unread.is_empty() {
        return sizes;
    }
    for candidate in &listing.candidates {
        let size: &mut u64 = sizes.entry(candidate.name.to_lowercase()).or_default();
        *size = candidate.file_bytes.max(*size);
    }
    sizes
}

/// Whether the header was read at another place, of a file that is no smaller: then nothing is hidden.
fn is_known_elsewhere(sizes: &HashMap<String, u64>, file: &UnreadFile) -> bool {
    sizes.get(&file.name.to_lowercase()).is_some_and(|size| *size >= file.file_bytes)
}

/// The offset at the known time next to this one.
fn nearest_offset(known: &[(NaiveDateTime, i32)], at: NaiveDateTime) -> Option<i32> {
    let behind = known.partition_point(|(time, _)| *time < at);
    let near = [behind.checked_sub(1), Some(behind)].into_iter().flatten().filter_map(|index| known.get(index));
    near.min_by_key(|(time, _)| (*time - at).abs()).map(|(_, minutes)| *minutes)
}

/// The database's family: as restore history tells it, else that of a log backup on the redo point's fork.
fn family_of(redo: &RedoPoint, candidates: &[Candidate]) -> Option<Uuid> {
    redo.family_id.or_else(|| {
        let on_fork = |header: &Header| header.last_fork_id == redo.fork_id || header.first_fork_id == redo.fork_id;
        candidates
            .iter()
            .find(|c| c.header.backup_type == BackupType::Log && on_fork(&c.header))
            .map(|c| c.header.family_id)
    })
}
