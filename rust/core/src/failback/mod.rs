//! The way home: from the backup, which has served since the failover or the planned switch, to the primary.
//!
//! Reading order: `evidence` and `look` (what is read), [`guard`] (what must be saved of the copies at home before they are
//! overwritten), `decision`, `check`, `plan` (the steps as data), `work` (what a run works with), `step` (one file a step).
//! What it shares with the planned switch is in [`crate::switch`].

mod check;
mod decision;
pub mod evidence;
pub(crate) mod follow;
pub mod guard;
pub mod history;
pub(crate) mod look;
pub(crate) mod plan;
pub(crate) mod preview;
mod put_back;
pub(crate) mod stage;
pub(crate) mod step;
mod text;
pub mod versions;
mod wanted;
mod work;

pub(crate) use work::Failback;

/// A failback under way.
pub(crate) type Run = crate::run::Run<Failback>;
