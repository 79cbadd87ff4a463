//! The planned switch: from the home site to the backup while both live, without losing a message.

mod check;
mod evidence;
mod follow;
mod gate;
mod plan;
mod preview;
mod put_back;
mod remove_records;
mod request;
mod shared;
mod text;
mod units;
mod work;

pub(crate) use preview::preview;
pub(crate) use work::PlannedSwitch;

/// A planned switch under way.
pub(crate) type Run = crate::run::Run<PlannedSwitch>;
