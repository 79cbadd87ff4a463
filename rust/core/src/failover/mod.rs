//! The failover: what it rests on, its plan as data, and the run that carries the plan out.

pub mod plan;
