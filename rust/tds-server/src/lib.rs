//! The server side of TDS, the protocol of SQL Server, for servers that are simulated.
//!
//! [`listen`] takes a socket, a [`ServerConfig`] and a [`Handler`]. The crate speaks
//! with the clients; the handler decides what a login, a batch or a call is answered.
//! In reading order:
//!
//! - [`Handler`] is asked, [`Answer`] takes what it replies, [`Session`] is whom it serves;
//! - [`RpcCall`], [`Value`] and [`SqlType`] are what requests and answers are made of;
//! - [`ServerConfig`] and [`TlsIdentity`] say how the server presents itself;
//! - [`ServerHandle`] and [`ServerControl`] stop, kill and count while it runs;
//! - [`browser`] answers clients that look for a named instance.
//!
//! Inside, `connection` follows one client from PRELOGIN to its login, `requests` from
//! there to its end and `running` through one request; `packet`, `prelogin`, `login`,
//! `rpc`, `decode`, `encode`, `rows` and `token` know the bytes. The
//! protocol is that of MS-TDS from 7.2 to 8.0 and MC-SQLR; MARS, bulk load, table
//! types and federated logins are not served, and Windows logins are not verified.

mod answer;
pub mod browser;
mod config;
mod connection;
mod decode;
mod encode;
mod error;
mod handler;
mod login;
mod message;
mod packet;
mod prelogin;
mod prepared;
mod requests;
#[cfg(test)]
mod roundtrip;
mod rows;
mod rpc;
mod running;
mod server;
mod session;
mod sspi;
mod stream;
mod tls;
mod token;
mod type_info;
mod value;
mod variant;
mod wire;

pub use answer::Answer;
pub use async_trait::async_trait;
pub use config::{CancelStyle, Encryption, ServerConfig, ServerVersion};
pub use error::{Error, Result};
pub use handler::{ConnectDecision, Flow, Handler, TransactionRequest};
pub use login::{Login, SessionInfo};
pub use message::{LoginError, ServerMessage};
pub use rows::Column;
pub use rpc::{RpcCall, RpcParam};
pub use server::{listen, Listener, ServerControl, ServerHandle};
pub use session::{CancelToken, HoldGuard, Session};
pub use tls::TlsIdentity;
pub use value::{Date, Length, Numeric, SqlType, Timestamp, Value};
