//! What to do next, and whether it is safe: the failover of a log-shipped Persistent Chat database.
//!
//! Reading order: [`names`] (values), [`error`], [`document`] (what crosses the boundary), [`host`] (the one way out).

pub mod baseline;
pub mod check;
mod command;
pub mod conference;
pub mod document;
pub mod error;
pub mod evidence;
pub mod failback;
pub mod failover;
pub mod files;
pub mod host;
pub mod journal;
pub mod log_chain;
mod memory;
pub mod names;
pub mod operation;
pub mod pool;
mod run;
pub mod sql;
mod switch;
pub mod system_log;
pub mod trace;

pub use error::{Error, ErrorKind, Outcome, Result};
