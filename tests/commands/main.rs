//! The single commands of the built library against the lab's program: a failover step by step.

mod chain;
mod files;
mod hands;
mod plans;
mod readers;
mod shell;
mod step_by_step;
