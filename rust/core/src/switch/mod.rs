//! The switch between two sites that both live: what leads a database from the side that serves to the other one.
//!
//! `work` says what its steps ask of their workflow; [`step`] has the steps, for both directions; [`planned`] is the way
//! from home to the backup.

pub(crate) mod planned;
pub(crate) mod step;
mod work;

pub(crate) use planned::PlannedSwitch;
pub(crate) use work::{read_services, PoolWork, ServerServices, SwitchJob, SwitchLimits, SwitchWork};
