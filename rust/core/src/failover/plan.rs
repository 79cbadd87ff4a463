//! The plan as data: a pure function of the evidence and the request.

mod decision;
mod facts;
pub(crate) mod loss;
mod steps;
mod way;

pub use decision::Decision;
pub use facts::{compare, decision_facts, digest, Difference};
pub use steps::{log_backup_folder, step_name};
pub use way::{missing_copies, restored_from, MissingCopy, Way};
