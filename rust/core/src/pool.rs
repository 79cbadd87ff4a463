//! The native commands of the Persistent Chat pool: how each is built, and how what comes back is read.
//!
//! Commands are bound by name and read by property name, so that no Lync assembly is needed. Members that a release does
//! not have are read as absent. The host adds `-WhatIf:$false -Confirm:$false -ErrorAction Stop` to what changes
//! something, where the command has these parameters; [`plan_text`] shows them so.

mod command;
mod reading;

pub use command::*;
pub use reading::*;

#[cfg(test)]
mod tests;
