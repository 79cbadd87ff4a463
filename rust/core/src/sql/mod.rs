//! The only T-SQL and the only TDS of this library, one file a task.
//!
//! Reading order: [`connector`] and [`client`] (how an instance is reached, and what ends a connection), `quote` and
//! `statement` (how a text is built), `row` and [`class`] (how an answer and an error are read), then the tasks.
//! Every statement runs from `master`, one to a batch; nothing here decides on a text of the server.

pub mod class;
pub mod client;
pub mod connector;
pub mod quote;
pub mod secret;

mod address;
mod browser;
mod certificate;
mod fault;
mod row;
mod statement;

pub use client::{Connection, Purpose};
pub use connector::Connector;
pub use row::Row;
pub use secret::Secret;
