//! The file system as a trait.

use std::io;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::names::ClientPath;

/// An entry of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    pub is_folder: bool,
    pub size_bytes: u64,
    pub modified_at: Option<DateTime<Utc>>,
}

/// What copying and proving need of a file system. Calls may hang as long as a dead share does; whoever calls sets the
/// limit and drops the future.
#[async_trait]
pub trait FileSystem: Send + Sync {
    /// The entries of a folder, in no order. Names that are no Unicode text are left out.
    async fn list(&self, folder: &ClientPath) -> io::Result<Vec<Entry>>;

    /// One path; `None` where there is nothing.
    async fn look(&self, path: &ClientPath) -> io::Result<Option<Entry>>;

    /// Opens a file for reading. Others may go on writing to it.
    async fn open(&self, path: &ClientPath) -> io::Result<Box<dyn ReadFile>>;

    /// Creates a file that must not exist.
    async fn create(&self, path: &ClientPath) -> io::Result<Box<dyn WriteFile>>;

    /// Opens a file that exists, cut or extended to `length`, to write behind that.
    async fn reopen(&self, path: &ClientPath, length: u64) -> io::Result<Box<dyn WriteFile>>;

    /// Gives a file its new name. `AlreadyExists` where something has that name; it is never overwritten.
    async fn rename_new(&self, from: &ClientPath, to: &ClientPath) -> io::Result<()>;

    /// Removes a file; one that is not there is an error of kind `NotFound`.
    async fn remove(&self, path: &ClientPath) -> io::Result<()>;

    /// Makes a rename in this folder outlast a power cut, where the system can.
    async fn sync_folder(&self, folder: &ClientPath) -> io::Result<()>;

    /// Free room for this process where the folder lies; `None` where the system does not tell.
    async fn free_space(&self, folder: &ClientPath) -> io::Result<Option<u64>>;
}

/// A file open for reading.
#[async_trait]
pub trait ReadFile: Send {
    /// Reads up to `limit` bytes at `offset`; fewer only at the end of the file. Takes a buffer to use again.
    async fn read_at(&mut self, offset: u64, limit: usize, buffer: Vec<u8>) -> io::Result<Vec<u8>>;
}

/// A file open for writing at its end.
#[async_trait]
pub trait WriteFile: Send {
    /// Writes all bytes; hands the buffer back.
    async fn append(&mut self, bytes: Vec<u8>) -> io::Result<Vec<u8>>;

    /// Returns once everything written is on the disk.
    async fn sync(&mut self) -> io::Result<()>;
}
