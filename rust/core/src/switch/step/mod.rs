//! The steps of a switch, one file each, in their order. Until the other side is recovered, giving up brings users back.

mod active_list;
mod drain;
mod jobs;
mod mirroring_off;
mod salvage;
mod services;
mod sessions;
mod tail;

pub(crate) use active_list::{list_back, list_commands, ClearActiveList};
pub(crate) use drain::{forget_drained, Drain};
pub(crate) use jobs::{busy, jobs_back, quiet, to_enable, QuietJobs};
pub(crate) use mirroring_off::MirroringOff;
pub(crate) use salvage::{planned_salvage, saved_to, Salvage};
pub(crate) use services::{start_all, start_commands, RestartServices, StartServices, StopServices};
pub(crate) use sessions::SessionsGone;
pub(crate) use tail::{planned_tail, tail_file, Tail};

/// The stable names of the steps.
pub mod name {
    /// The channel services are stopped.
    pub const STOP_SERVICES: &str = "stop_services";
    /// Compliance has processed everything.
    pub const DRAIN: &str = "drain";
    /// The active list is saved and empty.
    pub const CLEAR_ACTIVE_LIST: &str = "clear_active_list";
    /// The compliance services are stopped.
    pub const STOP_COMPLIANCE: &str = "stop_compliance";
    /// No server of the pool has a session in the database.
    pub const SESSIONS_GONE: &str = "sessions_gone";
    /// No log shipping job of either side is enabled or running.
    pub const QUIET_JOBS: &str = "quiet_jobs";
    /// The database of the source is not mirrored any more.
    pub const MIRRORING_OFF: &str = "mirroring_off";
    /// The tail of the log is backed up, and the source is RESTORING.
    pub const TAIL: &str = "tail";
    /// What the log of a damaged database still holds is saved.
    pub const SALVAGE: &str = "salvage_tail";
    /// The services run again, those of the servers to be active first.
    pub const START_SERVICES: &str = "start_services";
    /// Services that started before the mirror stood are started anew, one server at a time.
    pub const RESTART_SERVICES: &str = "restart_services";
}

/// What a probe says of a step that belongs to the time before the recovery.
pub(crate) const HISTORY: &str = "the other side is recovered: this was done before";
