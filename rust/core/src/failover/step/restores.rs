//! The log backups that are to be restored, in order, made as they are needed.

use std::collections::VecDeque;

use crate::evidence::Evidence;
use crate::failover::plan::{log_restores, Decision};
use crate::sql::restore::LogRestore;

/// A log backup to restore, and further files of the same set.
pub(super) struct Wanted<'a> {
    pub restore: LogRestore,
    /// Candidates of the listing; none for a striped set.
    pub spares: &'a [u32],
}

/// Everything to restore, in order.
pub(super) fn wanted<'a>(
    evidence: &'a Evidence,
    decision: &'a Decision,
) -> impl Iterator<Item = Wanted<'a>> + Send + 'a {
    let links = decision.chain.iter().flat_map(|chain| &chain.restore);
    let spares = links.map(|link| match &link.stripes[..] {
        [one] => one.sources.get(1..).unwrap_or_default(),
        _ => &[][..],
    });
    let restores = log_restores(evidence, decision).map(|(restore, _)| restore);
    restores.zip(spares).map(|(restore, spares)| Wanted { restore, spares })
}

/// What is to be restored, in order. Only the next two are made: all of ten thousand would take their room.
pub(super) struct Restores<'a> {
    near: VecDeque<Wanted<'a>>,
    rest: Box<dyn Iterator<Item = Wanted<'a>> + Send + 'a>,
    total: usize,
    done: usize,
}

impl<'a> Restores<'a> {
    pub fn new(total: usize, rest: impl Iterator<Item = Wanted<'a>> + Send + 'a) -> Restores<'a> {
        let mut restores = Restores { near: VecDeque::new(), rest: Box::new(rest), total, done: 0 };
        restores.fill();
        restores
    }

    /// The one to restore now.
    pub fn current(&self) -> Option<&Wanted<'a>> {
        self.near.front()
    }

    /// The one behind it.
    pub fn after_next(&self) -> Option<&Wanted<'a>> {
        self.near.get(1)
    }

    /// How many are done, of how many.
    pub fn done_of_all(&self) -> (usize, usize) {
        (self.done, self.total)
    }

    /// The one to restore now, which is done with.
    pub fn pop_front(&mut self) -> Option<Wanted<'a>> {
        let first = self.near.pop_front()?;
        self.done += 1;
        self.fill();
        Some(first)
    }

    fn fill(&mut self) {
        let lack = 2_usize.saturating_sub(self.near.len());
        self.near.extend(self.rest.by_ref().take(lack));
    }
}
