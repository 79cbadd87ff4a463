//! A second host for the library, beside PowerShell: it loads the built library, drives it through the C ABI as any
//! program would, and carries out native commands on the lab's pool.
//!
//! [`library`] binds the exports, [`drive`] is the loop of an operation, [`lab`] the lab's program and its control door.

pub mod drive;
pub mod lab;
pub mod library;
pub mod request;
