//! The single commands: a failover step by step, in the operator's own order, one file a command.
//!
//! `change` is the way of all that change something: look, plan, compare with what was approved, lock, carry out. `look` reads
//! the evidence for one database without its pool.

mod backup_service_wait;
mod baseline_get;
mod baseline_save;
mod change;
mod connection_end;
mod connection_list;
mod database_backup;
mod database_recover;
mod database_restore;
mod database_state;
mod ledger;
mod log_backup_copy;
mod log_backup_list;
mod log_backup_restore;
mod log_backup_row;
mod log_shipping_add;
mod log_shipping_get;
mod log_shipping_look;
mod log_shipping_plan;
mod log_shipping_refusal;
mod log_shipping_remove;
mod log_shipping_settings;
mod look;
mod mirror_get;
mod mirror_remove;
mod pool_find;
mod primary_disable;

pub(crate) use backup_service_wait::{backup_service_wait, interval as sync_interval};
pub(crate) use baseline_get::baseline_get;
pub(crate) use baseline_save::baseline_save;
pub(crate) use connection_end::connection_end;
pub(crate) use connection_list::connection_list;
pub(crate) use database_backup::database_backup;
pub(crate) use database_recover::database_recover;
pub(crate) use database_restore::database_restore;
pub(crate) use database_state::database_state;
pub(crate) use log_backup_copy::log_backup_copy;
pub(crate) use log_backup_list::log_backup_list;
pub(crate) use log_backup_restore::log_backup_restore;
pub(crate) use log_shipping_add::log_shipping_add;
pub(crate) use log_shipping_get::log_shipping_get;
pub(crate) use log_shipping_remove::log_shipping_remove;
pub(crate) use mirror_get::mirror_get;
pub(crate) use mirror_remove::mirror_remove;
pub(crate) use pool_find::pool_find;
pub(crate) use primary_disable::primary_disable;

#[cfg(test)]
mod tests;
