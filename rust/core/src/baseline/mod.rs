//! The healthy configuration of all four instances, of the pool and its topology, as a document that is kept at the
//! disaster site. Failback restores what it says, months later.
//!
//! Reading order: [`Baseline`] (what it holds), `read` (where it comes from), `compare` (what has drifted), `file` (how it
//! is kept).

mod compare;
mod document;
mod file;
mod flat;
mod read;
#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;

pub use compare::{compare, DriftKind};
pub use document::*;
pub(crate) use file::folder_of;
pub use file::{list, newest, newest_shipping, read_file, save, StoredBaseline};
pub(crate) use read::read_pool;
pub use read::{read_all, read_instance, Instances};
