//! The only T-SQL and the only TDS of this library, one file a task.
//!
//! Reading order: [`connector`] and [`client`] (how an instance is reached, and what ends a connection), `quote` and
//! `statement` (how a text is built), `row` and [`class`] (how an answer and an error are read), then the tasks.
//! Every statement runs from `master`, one to a batch; nothing here decides on a text of the server.

pub mod backup;
pub mod backup_file;
pub mod backup_history;
pub mod class;
pub mod client;
pub mod compliance;
pub mod connection;
pub mod connector;
pub mod database;
pub mod database_options;
pub mod database_restore_options;
pub mod drop_database;
pub mod fencing;
pub mod file;
pub mod full_restore;
pub mod instance;
pub mod job;
pub mod lock;
pub mod log_backup_job;
pub mod log_shipping;
pub mod log_shipping_primary;
pub mod log_shipping_set_up;
pub mod mirror;
pub mod monitor;
pub mod offline;
pub mod open_up;
pub mod primary_removal;
pub mod principal;
pub mod probe;
pub mod quote;
pub mod restore;
pub mod salvage;
pub mod secret;

mod address;
mod browser;
mod certificate;
mod fault;
mod lock_out;
mod recover;
mod row;
mod statement;

pub use client::{Connection, Purpose};
pub use connector::{machine_name, Connector};
pub use probe::{probe_endpoint, ProbeOutcome, Silence};
pub use row::Row;
pub use secret::Secret;

use crate::error::{Error, ErrorKind, Result};

/// The numbers of a view, column or procedure that this version of SQL Server does not have.
const NOT_THERE: &[(u32, &str)] =
    &[(207, "no such column"), (208, "no such object"), (2812, "no such procedure"), (195, "no such function")];

/// True where the statement names something that this version does not have.
fn not_there(error: &Error) -> bool {
    error.sql_number().is_some_and(|number| NOT_THERE.iter().any(|(listed, _)| *listed == number))
}

/// `None` where the statement names something that this version does not have.
fn if_it_exists<T>(answer: Result<T>) -> Result<Option<T>> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if not_there(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A statement that always gives a row gave none.
fn no_answer(connection: &Connection, doing: &str) -> Error {
    Error::new(ErrorKind::UnexpectedAnswer, format!("{}: {doing} gave no row.", connection.instance()))
        .with_target(connection.instance().to_string())
}
