//! Candidates gathered into sets: the copies of one set at several places, and the stripes of one.

use std::collections::hash_map::{Entry, HashMap};
use std::hash::{Hash, Hasher};

use uuid::Uuid;

use super::{Candidate, Header, Stripe};
use crate::names::Lsn;

/// One backup set with everything that holds it.
pub(super) struct Set<'a> {
    pub header: &'a Header,
    /// The first candidate's index; its header stands for all.
    pub first: usize,
    /// The other candidates, whole or not: copies and stripes.
    others: Vec<u32>,
    pub state: SetState,
}

impl Set<'_> {
    /// Every candidate, whole or not.
    pub fn members(&self) -> impl Iterator<Item = usize> + '_ {
        std::iter::once(self.first).chain(self.others.iter().map(|index| *index as usize))
    }

    /// Its whole files, by stripe.
    pub fn stripes(&self, candidates: &[Candidate]) -> Vec<Stripe> {
        let mut found: Vec<(u32, Vec<u32>)> = Vec::with_capacity(self.header.family_count.clamp(1, 64) as usize);
        for index in self.members().filter(|index| candidates[*index].trouble.is_none()) {
            let Some(number) = stripe_number(self.header, &candidates[index]) else { continue };
            match found.iter_mut().find(|(known, _)| *known == number) {
                Some((_, sources)) => sources.push(index as u32),
                None => found.push((number, vec![index as u32])),
            }
        }
        found.sort_by_key(|(number, _)| *number);
        for (_, sources) in &mut found {
            sources.sort_by(|a, b| {
                let (a, b) = (&candidates[*a as usize], &candidates[*b as usize]);
                (a.place, a.header.position, a.path.as_str()).cmp(&(b.place, b.header.position, b.path.as_str()))
            });
        }
        found.into_iter().map(|(number, sources)| Stripe { number, sources: sources.into() }).collect()
    }
}

/// Whether a set can be restored from what is there.
pub(super) enum SetState {
    Whole,
    Damaged(Box<str>),
    StripeMissing { present: Box<[u32]>, count: u32 },
}

/// What tells two sets apart. Two files that agree in all of it hold the same set, or stripes of it.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    backup_set_id: Uuid,
    media_set_id: Uuid,
    family_count: u32,
    family_id: Uuid,
    first_lsn: Lsn,
    last_lsn: Lsn,
    forks: (Uuid, Uuid, Option<Lsn>),
    times: (chrono::NaiveDateTime, chrono::NaiveDateTime),
}

impl Key {
    fn of(header: &Header) -> Key {
        Key {
            backup_set_id: header.backup_set_id,
            media_set_id: if header.family_count > 1 { header.media_set_id } else { Uuid::nil() },
            family_count: header.family_count.max(1),
            family_id: header.family_id,
            first_lsn: header.first_lsn,
            last_lsn: header.last_lsn,
            forks: (header.first_fork_id, header.last_fork_id, header.fork_point_lsn),
            times: (header.started_at, header.finished_at),
        }
    }
}

/// A header by what tells its set from others.
struct ByKey<'a>(&'a Header);

impl PartialEq for ByKey<'_> {
    fn eq(&self, other: &Self) -> bool {
        Key::of(self.0) == Key::of(other.0)
    }
}

impl Eq for ByKey<'_> {}

impl Hash for ByKey<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Key::of(self.0).hash(state);
    }
}

/// Gathers the candidates of the given indexes.
pub(super) fn gather<'a>(candidates: &'a [Candidate], indexes: impl Iterator<Item = usize>) -> Vec<Set<'a>> {
    let mut numbers: HashMap<ByKey<'a>, u32> = HashMap::new();
    let mut sets: Vec<Set<'a>> = Vec::new();
    for index in indexes {
        let header: &Header = &candidates[index].header;
        match numbers.entry(ByKey(header)) {
            Entry::Occupied(known) => sets[*known.get() as usize].others.push(index as u32),
            Entry::Vacant(new) => {
                new.insert(sets.len() as u32);
                sets.push(Set { header, first: index, others: Vec::new(), state: SetState::Whole });
            }
        }
    }
    sets.shrink_to_fit();
    for set in &mut sets {
        set.state = state_of(candidates, set);
    }
    sets
}

/// Which stripe a candidate is; `None` for a number that its set has not.
fn stripe_number(header: &Header, candidate: &Candidate) -> Option<u32> {
    let count = header.family_count.max(1);
    let number = if count == 1 { 1 } else { candidate.header.family_number };
    (1..=count).contains(&number).then_some(number)
}

fn state_of(candidates: &[Candidate], set: &Set) -> SetState {
    if set.header.is_damaged {
        return SetState::Damaged("its writer met damage and went on".into());
    }
    let count = set.header.family_count.max(1);
    let stripes = set.stripes(candidates);
    if stripes.len() == count as usize {
        return SetState::Whole;
    }
    let mut striped = set.members().filter(|index| stripe_number(set.header, &candidates[*index]).is_some());
    match striped.find_map(|index| candidates[index].trouble.as_ref()) {
        Some(met) => SetState::Damaged(met.why().into()),
        None => SetState::StripeMissing { present: stripes.iter().map(|stripe| stripe.number).collect(), count },
    }
}
