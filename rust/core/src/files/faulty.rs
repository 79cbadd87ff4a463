//! A file system with faults and a link rate, for tests and drills.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::files::rate::RateLimit;
use crate::files::system::{Entry, FileSystem, ReadFile, WriteFile};
use crate::names::ClientPath;

/// What goes wrong, and for which paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Every access is denied.
    Denied,
    /// Every access hangs for ever.
    Hung,
    /// The network name is gone once so many bytes were read or written under such a path.
    LostAfter(u64),
    /// Writing fails for want of room once so many bytes were written.
    FullAfter(u64),
    /// What is written reads back with one bit changed.
    BitRot,
}

struct Rule {
    part: String,
    fault: Fault,
    moved: Arc<AtomicU64>,
}

/// Wraps a file system. A rule holds for paths that contain its text; the first that fits counts.
pub struct FaultyFileSystem<F> {
    inner: F,
    rules: Mutex<Vec<Rule>>,
    link: Option<Arc<RateLimit>>,
}

impl<F: FileSystem> FaultyFileSystem<F> {
    /// `link_bytes_per_second`: how fast files are read; `None` for no limit.
    pub fn new(inner: F, link_bytes_per_second: Option<u64>) -> Self {
        FaultyFileSystem {
            inner,
            rules: Mutex::new(Vec::new()),
            link: RateLimit::new(link_bytes_per_second).map(Arc::new),
        }
    }

    /// Switches a fault on.
    pub fn set(&self, part: &str, fault: Fault) {
        self.rules().push(Rule { part: part.to_string(), fault, moved: Arc::default() });
    }

    /// Switches all faults off.
    pub fn heal(&self) {
        self.rules().clear();
    }

    fn rules(&self) -> std::sync::MutexGuard<'_, Vec<Rule>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fault(&self, path: &ClientPath) -> Option<(Fault, Arc<AtomicU64>)> {
        let text = path.to_string();
        self.rules().iter().find(|rule| text.contains(&rule.part)).map(|rule| (rule.fault, rule.moved.clone()))
    }

    async fn gate(&self, path: &ClientPath) -> io::Result<Option<(Fault, Arc<AtomicU64>)>> {
        let found = self.fault(path);
        match &found {
            Some((Fault::Denied, _)) => Err(io::ErrorKind::PermissionDenied.into()),
            Some((Fault::Hung, _)) => std::future::pending().await,
            Some((Fault::LostAfter(limit), moved)) if moved.load(Ordering::SeqCst) >= *limit => Err(lost()),
            _ => Ok(found),
        }
    }
}

fn lost() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "the specified network name is no longer available")
}

#[async_trait]
impl<F: FileSystem> FileSystem for FaultyFileSystem<F> {
    async fn list(&self, folder: &ClientPath) -> io::Result<Vec<Entry>> {
        self.gate(folder).await?;
        self.inner.list(folder).await
    }

    async fn look(&self, path: &ClientPath) -> io::Result<Option<Entry>> {
        self.gate(path).await?;
        self.inner.look(path).await
    }

    async fn open(&self, path: &ClientPath) -> io::Result<Box<dyn ReadFile>> {
        let fault = self.gate(path).await?;
        Ok(Box::new(FaultyRead { inner: self.inner.open(path).await?, fault, link: self.link.clone() }))
    }

    async fn create(&self, path: &ClientPath) -> io::Result<Box<dyn WriteFile>> {
        let fault = self.gate(path).await?;
        Ok(Box::new(FaultyWrite { inner: self.inner.create(path).await?, fault }))
    }

    async fn reopen(&self, path: &ClientPath, length: u64) -> io::Result<Box<dyn WriteFile>> {
        let fault = self.gate(path).await?;
        Ok(Box::new(FaultyWrite { inner: self.inner.reopen(path, length).await?, fault }))
    }

    async fn rename_new(&self, from: &ClientPath, to: &ClientPath) -> io::Result<()> {
        self.gate(from).await?;
        self.inner.rename_new(from, to).await
    }

    async fn remove(&self, path: &ClientPath) -> io::Result<()> {
        self.gate(path).await?;
        self.inner.remove(path).await
    }

    async fn sync_folder(&self, folder: &ClientPath) -> io::Result<()> {
        self.gate(folder).await?;
        self.inner.sync_folder(folder).await
    }

    async fn free_space(&self, folder: &ClientPath) -> io::Result<Option<u64>> {
        self.gate(folder).await?;
        self.inner.free_space(folder).await
    }
}

struct FaultyRead {
    inner: Box<dyn ReadFile>,
    fault: Option<(Fault, Arc<AtomicU64>)>,
    link: Option<Arc<RateLimit>>,
}

#[async_trait]
impl ReadFile for FaultyRead {
    async fn read_at(&mut self, offset: u64, limit: usize, buffer: Vec<u8>) -> io::Result<Vec<u8>> {
        if let Some((Fault::LostAfter(allowed), moved)) = &self.fault {
            if moved.load(Ordering::SeqCst) >= *allowed {
                return Err(lost());
            }
        }
        let mut bytes = self.inner.read_at(offset, limit, buffer).await?;
        match &self.fault {
            Some((Fault::LostAfter(_), moved)) => {
                moved.fetch_add(bytes.len() as u64, Ordering::SeqCst);
            }
            Some((Fault::BitRot, _)) => {
                if let Some(byte) = bytes.last_mut() {
                    *byte ^= 1;
                }
            }
            _ => {}
        }
        if let Some(link) = &self.link {
            link.acquire(bytes.len() as u64).await;
        }
        Ok(bytes)
    }
}

struct FaultyWrite {
    inner: Box<dyn WriteFile>,
    fault: Option<(Fault, Arc<AtomicU64>)>,
}

#[async_trait]
impl WriteFile for FaultyWrite {
    async fn append(&mut self, bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        if let Some((fault, moved)) = &self.fault {
            let total = moved.fetch_add(bytes.len() as u64, Ordering::SeqCst) + bytes.len() as u64;
            match fault {
                Fault::LostAfter(limit) if total > *limit => return Err(lost()),
                Fault::FullAfter(limit) if total > *limit => return Err(io::ErrorKind::StorageFull.into()),
                _ => {}
            }
        }
        self.inner.append(bytes).await
    }

    async fn sync(&mut self) -> io::Result<()> {
        self.inner.sync().await
    }
}
