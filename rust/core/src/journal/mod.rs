//! The record of a run. A later process, on this machine or another, finishes or undoes the run from it.
//!
//! One file a run, `<run id>.journal`, one JSON line a record. Each line carries its number, its time and a SHA-256 over
//! the hash before it and its own text. A record is written and flushed in the first folder before the change that it
//! announces goes on, then in the second, which only warns. Nothing secret is kept: members named like a password are
//! blanked before they are written.
//!
//! All of it blocks on disks and shares; async code uses [`Journal::record`].

mod account;
mod claim;
pub mod crash_points;
mod folder;
mod formatter;
mod lock;
mod reader;
mod record;
mod run_id;
mod runs;
mod second;
#[cfg(test)]
mod tests;
#[cfg(windows)]
mod windows_folder;
mod writer;

pub use claim::Claim;
pub(crate) use folder::refusal;
pub use folder::{default_folder, this_machine, this_operator};
pub use record::{Entry, Record, RunHead};
pub use run_id::{is_run_id, new_run_id};
pub use runs::{list, newest_capture, read, CaptureFound, RunView};
pub(crate) use writer::refuse_ended;
pub use writer::Journal;
