//! The single commands of the built library against the lab's program: a failover step by step.

mod baselines;
mod chain;
mod conference;
mod files;
mod given_up;
mod hands;
mod instance_steps;
mod log_shipping;
mod plans;
mod readers;
mod shell;
mod step_by_step;
