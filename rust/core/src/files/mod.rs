//! Files as this process opens them: one trait, its real implementation, copying, and the proof that a folder here is the
//! server's folder.
//!
//! Nothing else in this library opens a log backup. Tests and drills put a [`FileSystem`] of their own in its place, with
//! faults and a link rate.

mod candidate;
mod copier;
mod local;
mod partial;
mod proof;
mod rate;
mod system;
mod verify;

#[cfg(any(test, feature = "faults"))]
pub mod faulty;

pub use candidate::client_candidates;
pub use copier::{Copied, Copier, CopyProgress, CopyRequest, CopySettings, CopyState};
pub use local::LocalFileSystem;
pub use partial::PARTIAL_ENDING;
pub use proof::{candidate_look, not_proved, prove_folder, CandidateLook, ProvedFolder};
pub use rate::RateLimit;
pub use system::{Entry, FileSystem, ReadFile, WriteFile};

#[cfg(test)]
mod copier_tests;
#[cfg(all(test, windows))]
mod windows_tests;
