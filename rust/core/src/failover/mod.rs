//! The failover: what it rests on, its plan as data, and its steps. [`Failover`] is what the run carries out.

pub(crate) mod copies;
pub(crate) mod look;
mod places;
pub mod plan;
pub(crate) mod preview;
pub(crate) mod put_back;
mod secondary;
pub(crate) mod single;
mod standing;
pub(crate) mod step;
#[cfg(test)]
mod tests;
mod text;
mod work;

pub(crate) use places::lock_mirror;
pub(crate) use secondary::SecondaryWork;
pub(crate) use standing::evidence_of;
pub(crate) use work::{Failover, GateProof};

/// A failover under way, or a single command on the same evidence.
pub(crate) type Run = crate::run::Run<Failover>;
