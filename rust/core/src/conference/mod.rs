//! Conference content: restored from the partner of a damaged pool by the backup service, and believed only when it is true.
//!
//! Reading order: [`state`] (what the service's words mean, as data), [`rule`] (when they are believed), [`status`] (reading
//! the shell's answer), [`pair`] (which two pools, and their sync interval), [`seen`] (what was seen of each module),
//! [`wait`] (the waiting itself), `door` (what is refused before it). The restore as a run: [`evidence`], `gather`, `check`,
//! `plan`, `work`, `step`, `moved` (whether its sync was seen to begin).

mod check;
pub(crate) mod door;
pub mod evidence;
mod gather;
mod moved;
pub mod pair;
mod plan;
mod preview;
pub mod rule;
pub mod seen;
pub mod state;
pub mod status;
mod step;
pub(crate) mod wait;
mod work;

pub(crate) use preview::preview;
pub(crate) use work::ConferenceRestore;

#[cfg(test)]
mod enumeration;
#[cfg(test)]
mod tests;
