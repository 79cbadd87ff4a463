//! Handles are numbers in a table: a closed, foreign or invented one is an ordinary error, never undefined behaviour.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use once_cell::sync::Lazy;
use pchat_core::{Error, ErrorKind, Result};

use crate::operation::Operation;
use crate::session::SessionHandle;

/// Numbers are never used twice, over all tables, so that a handle of the wrong kind is told from a closed one.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// One kind of handle.
pub struct Table<T> {
    kind: &'static str,
    entries: Mutex<HashMap<u64, Arc<T>>>,
}

pub static SESSIONS: Lazy<Table<SessionHandle>> = Lazy::new(|| Table::new("session"));
pub static OPERATIONS: Lazy<Table<Operation>> = Lazy::new(|| Table::new("operation"));

impl<T> Table<T> {
    fn new(kind: &'static str) -> Self {
        Table { kind, entries: Mutex::new(HashMap::new()) }
    }

    /// Takes the object in and gives its number.
    pub fn insert(&self, entry: Arc<T>) -> u64 {
        let handle = NEXT.fetch_add(1, Ordering::Relaxed);
        self.lock().insert(handle, entry);
        handle
    }

    /// The object behind a number.
    ///
    /// # Errors
    /// `InvalidHandle` (1004).
    pub fn get(&self, handle: u64) -> Result<Arc<T>> {
        self.lock().get(&handle).cloned().ok_or_else(|| self.unknown(handle))
    }

    /// Takes the object out; the number is dead from now on.
    ///
    /// # Errors
    /// `InvalidHandle` (1004).
    pub fn remove(&self, handle: u64) -> Result<Arc<T>> {
        self.lock().remove(&handle).ok_or_else(|| self.unknown(handle))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Arc<T>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unknown(&self, handle: u64) -> Error {
        Error::new(ErrorKind::InvalidHandle, format!("{handle} is no open {} handle.", self.kind))
            .with_unchanged("Nothing was done.")
            .with_next("Use a handle that an open or start function gave and that was not closed yet.")
    }
}
