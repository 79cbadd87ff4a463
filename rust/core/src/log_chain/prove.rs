//! The proof: contiguous from the redo point to the newest log backup that is known.

mod doubts;
mod other_path;
mod seen;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::NaiveDateTime;
use uuid::Uuid;

use self::other_path::OTHER_PATH_AGE_ANY_ZONE;
use self::seen::{is_known_elsewhere, known_sizes, Seen};
use super::fork::{self, Forks, Segment};
use super::set::{self, Set, SetState};
use super::{
    listing, BackupType, Candidate, Chain, ChainLink, Doubt, Header, Listing, RedoPoint, SetStatus, Trouble,
    UnfinishedFile, UnreadStatus, Verdict,
};
use crate::names::Lsn;

/// Works out which log backups are to be restored and whether they reach the newest one known. Reads nothing.
///
/// Order and fit come from LSNs and fork ids alone. Times decide one thing only: where the headers show two recovery
/// paths, the one with the newest set is followed, and the other must be older to count as dead; otherwise the chain
/// carries a doubt.
///
/// # Source
/// "Recovery Paths"; "Log Sequence Numbers and Restore Planning"; `RESTORE HEADERONLY`.
pub fn prove(redo: &RedoPoint, listing: &Listing) -> Chain {
    Proof::new(redo, listing).run(true)
}

/// The verdict alone.
pub(super) fn verdict(redo: &RedoPoint, listing: &Listing) -> Verdict {
    Proof::new(redo, listing).run(false).verdict
}

struct Proof<'a> {
    redo: &'a RedoPoint,
    listing: &'a Listing,
    /// Sets of log backups of this database.
    sets: Vec<Set<'a>>,
    /// The files of these sets, and those of which no header is known at any place; empty where every file is whole.
    files: Vec<Seen<'a>>,
    /// The size of the largest file of each name whose header is known; empty where nothing asks for it.
    known_sizes: HashMap<String, u64>,
    /// Of each writer: how far its clock was from UTC at what local time, as stamped names tell, in order.
    offsets: HashMap<&'a str, Vec<(NaiveDateTime, i32)>>,
    status: Vec<SetStatus>,
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
        let known_sizes = known_sizes(listing);
        let lost = listing.unread.iter().filter(|file| !is_known_elsewhere(&known_sizes, file));
        let is_asked = !listing.unread.is_empty() || listing.candidates.iter().any(|c| c.trouble.is_some());
        let files = ours.iter().filter(|_| is_asked).map(|index| Seen::of(&listing.candidates[*index]));
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

    fn run(mut self, with_links: bool) -> Chain {
        let redo = self.redo;
        let unfinished = self.unfinished_sets();
        let mut forks = Forks::new(self.live(&unfinished).map(|(_, set)| set.header));
        if let Some((parent, point)) = redo.came_from {
            forks.connect(parent, point, redo.fork_id);
        }
        let ancestors = forks.ancestors_of(redo.lsn, redo.fork_id);
        let ways = forks.ways_from(redo.lsn, redo.fork_id);
        let is_restored = |header: &Header| {
            let pure_or_ours = header.last_fork_id == redo.fork_id && header.last_lsn <= redo.lsn;
            let left_behind = ancestors.get(&header.last_fork_id).is_some_and(|left| header.last_lsn <= *left);
            let fork_known = !header.spans_fork() || header.fork_point_lsn.is_some();
            fork_known && (pure_or_ours || left_behind)
        };

        // Follow the path of the newest set that can be reached at all.
        let ahead = self.live(&unfinished).filter(|(_, set)| !is_restored(set.header));
        let mut ahead: Vec<&Set> = ahead.map(|(_, set)| set).collect();
        ahead.sort_by_cached_key(|set| {
            std::cmp::Reverse((self.likely_time(set), set.header.position, set.header.last_lsn))
        });
        let path = ahead.into_iter().find_map(|set| {
            let path = ways.path_to(set.header.last_fork_id)?;
            fork::is_on_path(set.header, &path, redo.lsn).then_some(path)
        });
        let path = path.unwrap_or_else(|| vec![Segment { fork: redo.fork_id, until: Lsn::MAX }]);

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
        let links = match with_links {
            true => self.links(&walk),
            false => Vec::new(),
        };
        self.chain(walk, links, verdict, other, &restored, &unfinished)
    }

    fn live<'s>(&'s self, unfinished: &'s HashSet<usize>) -> impl Iterator<Item = (usize, &'s Set<'a>)> + 's {
        self.sets.iter().enumerate().filter(|(number, _)| !unfinished.contains(number))
    }

    fn candidate(&self, set: &Set<'a>) -> &'a Candidate {
        &self.listing.candidates[set.first]
    }

    /// Sets whose header could be read although the file was never finished.
    fn unfinished_sets(&self) -> HashSet<usize> {
        let cut = |index: usize| {
            let trouble = &self.listing.candidates[index].trouble;
            matches!(trouble, Some(Trouble::Unfinished(_) | Trouble::Growing(_)))
        };
        let broken = |set: &Set| matches!(set.state, SetState::Damaged(_)) && set.members().all(cut);
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
                if matches!(self.sets[number].state, SetState::Whole) {
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
            SetState::Whole => {
                let stripes = set.stripes(&self.listing.candidates);
                let places = stripes.iter().filter_map(|stripe| stripe.sources.first());
                places.map(|index| self.listing.candidates[*index as usize].place.0).max().unwrap_or(u32::MAX)
            }
            _ => u32::MAX,
        }
    }

    fn mark(&mut self, number: usize, status: SetStatus) {
        for member in self.sets[number].members() {
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
                SetState::Whole if used.contains(&number) => SetStatus::SpareCopy,
                SetState::Whole if last <= walk.end_lsn => SetStatus::Covered,
                SetState::Whole => SetStatus::BehindGap,
                SetState::Damaged(_) => SetStatus::Damaged,
                SetState::StripeMissing { .. } => SetStatus::StripeMissing,
            };
            self.mark(number, status);
            if status == SetStatus::SpareCopy {
                for stripe in self.sets[number].stripes(&self.listing.candidates) {
                    if let Some(best) = stripe.sources.first() {
                        self.status[*best as usize] = SetStatus::Needed;
                    }
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
                    return Verdict::Damaged { after_lsn, after_file, file, first_lsn, last_lsn, why: why.to_string() };
                }
                SetState::StripeMissing { present, count } => {
                    let (present, count) = (present.to_vec(), *count);
                    return Verdict::StripeMissing { after_lsn, after_file, file, present, count };
                }
                SetState::Whole => {}
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

    fn links(&self, walk: &Walk) -> Vec<ChainLink> {
        let link = |number: &usize| {
            let set = &self.sets[*number];
            ChainLink {
                header: Arc::clone(&self.listing.candidates[set.first].header),
                stripes: set.stripes(&self.listing.candidates).into(),
            }
        };
        walk.used.iter().map(link).collect()
    }

    fn chain(
        self,
        walk: Walk,
        restore: Vec<ChainLink>,
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
        let is_asked = !self.listing.unread.is_empty();
        let passed = self.status.iter().zip(&self.listing.candidates).filter(|(status, _)| {
            let is_ours =
                matches!(status, SetStatus::Restored | SetStatus::Needed | SetStatus::SpareCopy | SetStatus::Covered);
            is_asked && (is_ours || **status == SetStatus::DeadPath)
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
            let trouble = set.members().find_map(|index| self.listing.candidates[index].trouble.as_ref());
            let (file, why) = (self.file_name(number), trouble.map_or("", Trouble::why).to_string());
            if matches!(trouble, Some(Trouble::Growing(_))) {
                doubts.push(Doubt::StillGrowing { file: file.clone(), why: why.clone() });
            }
            unfinished = Some(UnfinishedFile { name: file, why, is_certain: true });
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
                    // No header tells; a monitor that knows a last log backup tells that this is none.
                    let is_certain = !matches!(trouble, Trouble::Malformed(_))
                        || self.listing.known_end.as_ref().is_some_and(|end| end.is_newest);
                    unfinished = Some(UnfinishedFile { name, why, is_certain });
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
        self.witness_doubt(&unread_status, &mut doubts);

        Chain {
            restore,
            end: RedoPoint {
                lsn: walk.end_lsn,
                fork_id: walk.end_fork,
                family_id: self.redo.family_id,
                finished_at: end_finished_at,
                file_name: end_name.clone(),
                came_from: self.redo.came_from.filter(|_| walk.end_fork == self.redo.fork_id),
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
}

/// How far the applied sets lead.
struct Walk {
    used: Vec<usize>,
    end_lsn: Lsn,
    end_fork: Uuid,
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
