//! Candidates gathered into sets: the copies of one set at several places, and the stripes of one.

use std::collections::HashMap;

use uuid::Uuid;

use super::{Candidate, Header, Stripe};
use crate::names::Lsn;

/// One backup set with everything that holds it.
pub(super) struct Set<'a> {
    pub header: &'a Header,
    /// The first candidate's index; its header stands for all.
    pub first: usize,
    /// Every candidate, whole or not.
    pub members: Vec<usize>,
    pub state: SetState,
}

/// Whether a set can be restored from what is there.
pub(super) enum SetState {
    Whole(Vec<Stripe>),
    Damaged(String),
    StripeMissing { present: Vec<u32>, count: u32 },
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

/// Gathers the candidates of the given indexes.
pub(super) fn gather<'a>(candidates: &'a [Candidate], indexes: impl Iterator<Item = usize>) -> Vec<Set<'a>> {
    let mut numbers: HashMap<Key, usize> = HashMap::new();
    let mut sets: Vec<Set<'a>> = Vec::new();
    for index in indexes {
        let header: &Header = &candidates[index].header;
        let number = *numbers.entry(Key::of(header)).or_insert_with(|| {
            sets.push(Set { header, first: index, members: Vec::new(), state: SetState::Damaged(String::new()) });
            sets.len() - 1
        });
        sets[number].members.push(index);
    }
    for set in &mut sets {
        set.state = state_of(candidates, set.header, &set.members);
    }
    sets
}

fn state_of(candidates: &[Candidate], header: &Header, members: &[usize]) -> SetState {
    if header.is_damaged {
        return SetState::Damaged("its writer met damage and went on".to_string());
    }
    let count = header.family_count.max(1);
    let mut stripes: Vec<Stripe> = Vec::new();
    let mut trouble = None;
    for &index in members {
        let candidate = &candidates[index];
        let number = if count == 1 { 1 } else { candidate.header.family_number };
        if number == 0 || number > count {
            continue;
        }
        if let Some(met) = &candidate.trouble {
            trouble = trouble.or(Some(met.why()));
            continue;
        }
        match stripes.iter_mut().find(|stripe| stripe.number == number) {
            Some(stripe) => stripe.sources.push(index),
            None => stripes.push(Stripe { number, sources: vec![index] }),
        }
    }
    stripes.sort_by_key(|stripe| stripe.number);
    for stripe in &mut stripes {
        stripe.sources.sort_by(|a, b| {
            let (a, b) = (&candidates[*a], &candidates[*b]);
            (a.place, a.header.position, a.path.as_str()).cmp(&(b.place, b.header.position, b.path.as_str()))
        });
    }
    if stripes.len() == count as usize {
        return SetState::Whole(stripes);
    }
    match trouble {
        Some(why) => SetState::Damaged(why.to_string()),
        None => SetState::StripeMissing { present: stripes.iter().map(|stripe| stripe.number).collect(), count },
    }
}
