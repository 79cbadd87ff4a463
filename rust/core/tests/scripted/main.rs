//! The public interface of `sql` and `files` against a scripted server.
#![cfg(not(windows))]

mod connecting;
mod database;
mod folder;
mod locks;
mod restoring;
mod server;
