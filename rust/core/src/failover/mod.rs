//! The failover: what it rests on, its plan as data, and the run that carries the plan out.

pub(crate) mod copies;
pub mod plan;
pub(crate) mod preview;
pub(crate) mod run;
pub(crate) mod step;
