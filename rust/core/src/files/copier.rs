//! Copying one log backup: under a temporary name, verified, flushed, then renamed.

use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use crate::error::{Error, ErrorKind, Result};
use crate::files::partial::{resume_point, PARTIAL_ENDING};
use crate::files::rate::RateLimit;
use crate::files::system::{FileSystem, ReadFile, WriteFile};
use crate::files::verify::{changed, hash_of, same_content};
use crate::host::Cancel;
use crate::names::{is_plain_file_name, shown, ClientPath};

/// How copying is done.
#[derive(Debug, Clone)]
pub struct CopySettings {
    /// For all copies together; `None` for no limit.
    pub max_bytes_per_second: Option<u64>,
    /// Copies at the same time.
    pub parallel: usize,
    /// Memory of one copy.
    pub chunk_bytes: usize,
    /// After so many bytes a copy is flushed: what a resumed copy can rely on.
    pub sync_every_bytes: u64,
    /// How long one call of the file system may take before the share counts as hung.
    pub stall_limit: Duration,
}

impl Default for CopySettings {
    fn default() -> Self {
        CopySettings {
            max_bytes_per_second: None,
            parallel: 4,
            chunk_bytes: 1024 * 1024,
            sync_every_bytes: 32 * 1024 * 1024,
            stall_limit: Duration::from_secs(60),
        }
    }
}

/// One file to copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyRequest {
    pub from_folder: ClientPath,
    pub to_folder: ClientPath,
    /// A plain file name, the same on both sides.
    pub name: String,
    /// The size that the plan knows; another one refuses.
    pub expected_size: Option<u64>,
}

/// How far one copy is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyProgress {
    pub name: String,
    pub done_bytes: u64,
    pub total_bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyState {
    Copied,
    /// A file of this name with the same content was there.
    AlreadyThere,
}

/// What a copy brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    pub path: ClientPath,
    pub size_bytes: u64,
    pub state: CopyState,
    /// Bytes taken over from an earlier attempt: their ends were compared with the source, the rest was read anew.
    pub resumed_at: u64,
    /// SHA-256 of what this attempt read and read back, as hex; empty for a file that was there.
    pub sha256: String,
}

/// Copies files, several at a time, within one rate.
pub struct Copier {
    system: Arc<dyn FileSystem>,
    settings: CopySettings,
    rate: Option<RateLimit>,
    slots: Semaphore,
    /// Chunks that no copy uses now. Kept, so that memory does not depend on how an allocator gives them back.
    chunks: Mutex<Vec<Vec<u8>>>,
}

/// One copy's limits, applied to each call of the file system.
pub(super) struct Step<'a> {
    copier: &'a Copier,
    cancel: &'a Cancel,
    name: &'a str,
}

impl Step<'_> {
    /// Awaits one call within the stall limit. A cancel takes effect between calls, and at once where a call hangs.
    pub(super) async fn io<T>(&self, call: impl Future<Output = io::Result<T>>) -> Result<T> {
        self.cancel.check()?;
        tokio::select! {
            biased;
            ended = tokio::time::timeout(self.copier.settings.stall_limit, call) => match ended {
                Ok(Ok(value)) => Ok(value),
                Ok(Err(error)) => Err(self.failed(&error.to_string())),
                Err(_) => Err(self.failed(&format!("the file system did not answer for {} s", self.copier.settings.stall_limit.as_secs_f32()))),
            },
            () = self.cancel.cancelled() => Err(self.cancel.check().err().unwrap_or_else(|| self.failed("cancelled"))),
        }
    }

    /// Waits for its share of the rate.
    pub(super) async fn pay(&self, bytes: u64) -> Result<()> {
        let Some(rate) = &self.copier.rate else { return Ok(()) };
        tokio::select! {
            () = rate.acquire(bytes) => Ok(()),
            () = self.cancel.cancelled() => self.cancel.check(),
        }
    }

    pub(super) fn chunk(&self) -> Vec<u8> {
        self.copier.chunk()
    }

    pub(super) fn keep_chunk(&self, chunk: Vec<u8>) {
        self.copier.keep_chunk(chunk);
    }

    fn failed(&self, why: &str) -> Error {
        Error::new(ErrorKind::CopyFailed, format!("`{}` could not be copied: {why}.", self.name))
            .with_unchanged("No file under its final name was changed; a partial copy is kept for the next attempt.")
            .with_next("Check the share and the copy folder, then resume.")
            .with_target(self.name)
    }
}

impl Copier {
    pub fn new(system: Arc<dyn FileSystem>, settings: CopySettings) -> Copier {
        let settings = CopySettings {
            parallel: settings.parallel.max(1),
            chunk_bytes: settings.chunk_bytes.max(4096),
            sync_every_bytes: settings.sync_every_bytes.max(4096),
            ..settings
        };
        let rate = RateLimit::new(settings.max_bytes_per_second);
        let slots = Semaphore::new(settings.parallel);
        Copier { system, settings, rate, slots, chunks: Mutex::default() }
    }

    /// The file system that it works on.
    pub fn file_system(&self) -> &Arc<dyn FileSystem> {
        &self.system
    }

    /// Copies one file and verifies it; waits for a free slot first.
    ///
    /// The copy grows under a temporary name. It gets its final one only after it was flushed, read back and found equal
    /// to what was read, and the source still has the size it had. A file that has the final name already is compared and
    /// left alone.
    ///
    /// # Errors
    /// `InvalidValue` (1002) for a name that is no plain file name; `CopyFailed` (4007); `Cancelled` (1007). In all cases
    /// nothing under a final name has changed.
    pub async fn copy(
        &self,
        request: &CopyRequest,
        cancel: &Cancel,
        progress: &(dyn Fn(CopyProgress) + Send + Sync),
    ) -> Result<Copied> {
        let name = request.name.as_str();
        if !is_plain_file_name(name) || name.to_lowercase().ends_with(PARTIAL_ENDING) {
            return Err(Error::new(ErrorKind::InvalidValue, format!("`{}` is no name of a log backup.", shown(name)))
                .with_unchanged("Nothing was copied.")
                .with_next("Give plain file names, without folders.")
                .with_target(shown(name)));
        }
        let step = Step { copier: self, cancel, name };
        let _slot = tokio::select! {
            slot = self.slots.acquire() => slot.map_err(|_| step.failed("copying has ended"))?,
            () = cancel.cancelled() => return Err(cancel.check().err().unwrap_or_else(|| step.failed("cancelled"))),
        };
        let (from, to) = (request.from_folder.join(name), request.to_folder.join(name));
        let size = self.source_size(&step, &from, request.expected_size).await?;
        let mut source = step.io(self.system.open(&from)).await?;
        if let Some(there) = step.io(self.system.look(&to)).await? {
            return self.compare(&step, &mut *source, &to, size, there.size_bytes).await;
        }
        let partial = request.to_folder.join(&format!("{name}{PARTIAL_ENDING}"));
        let (mut file, resumed_at) = self.open_partial(&step, &partial, &mut *source, size).await?;
        let hash = self.transfer(&step, &mut *source, &mut *file, resumed_at, size, progress).await?;
        if self.source_size(&step, &from, None).await? != size {
            return Err(step.failed(&changed().to_string()));
        }
        step.io(file.sync()).await?;
        drop(file);
        let mut written = step.io(self.system.open(&partial)).await?;
        let read_back = hash_of(&step, &mut *written, resumed_at, size, self.settings.chunk_bytes).await?;
        let length = step.io(self.system.look(&partial)).await?.map(|entry| entry.size_bytes);
        drop(written);
        if read_back != Some(hash) || length != Some(size) {
            // What cannot be read back is worth nothing for a resume either.
            let _ = step.io(self.system.remove(&partial)).await;
            return Err(step.failed("what was written does not read back the same"));
        }
        match step.io(self.system.rename_new(&partial, &to)).await {
            Ok(()) => {}
            // Somebody, such as the copy job, was quicker: the same content is as good.
            Err(error) if error.kind == ErrorKind::CopyFailed => match step.io(self.system.look(&to)).await? {
                Some(there) => {
                    let copied = self.compare(&step, &mut *source, &to, size, there.size_bytes).await?;
                    let _ = step.io(self.system.remove(&partial)).await;
                    return Ok(copied);
                }
                None => return Err(error),
            },
            Err(error) => return Err(error),
        }
        step.io(self.system.sync_folder(&request.to_folder)).await?;
        let sha256 = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Copied { path: to, size_bytes: size, state: CopyState::Copied, resumed_at, sha256 })
    }

    fn chunk(&self) -> Vec<u8> {
        let kept = self.chunks.lock().unwrap_or_else(PoisonError::into_inner).pop();
        kept.unwrap_or_else(|| Vec::with_capacity(self.settings.chunk_bytes))
    }

    fn keep_chunk(&self, chunk: Vec<u8>) {
        self.chunks.lock().unwrap_or_else(PoisonError::into_inner).push(chunk);
    }

    async fn source_size(&self, step: &Step<'_>, from: &ClientPath, expected: Option<u64>) -> Result<u64> {
        let entry = step.io(self.system.look(from)).await?;
        let size = match entry {
            Some(entry) if !entry.is_folder => entry.size_bytes,
            _ => return Err(step.failed(&format!("`{from}` is not there"))),
        };
        match expected {
            Some(expected) if expected != size => Err(step
                .failed(&format!("`{from}` has {size} bytes instead of {expected}: it is unfinished or was replaced"))),
            _ => Ok(size),
        }
    }

    async fn compare(
        &self,
        step: &Step<'_>,
        source: &mut dyn ReadFile,
        to: &ClientPath,
        size: u64,
        there: u64,
    ) -> Result<Copied> {
        let mut ours = step.io(self.system.open(to)).await?;
        if there != size || !same_content(step, source, &mut *ours, size, self.settings.chunk_bytes).await? {
            return Err(step.failed(&format!("another file of this name is there already: `{to}`")));
        }
        Ok(Copied {
            path: to.clone(),
            size_bytes: size,
            state: CopyState::AlreadyThere,
            resumed_at: 0,
            sha256: String::new(),
        })
    }

    async fn open_partial(
        &self,
        step: &Step<'_>,
        partial: &ClientPath,
        source: &mut dyn ReadFile,
        size: u64,
    ) -> Result<(Box<dyn WriteFile>, u64)> {
        let Some(there) = step.io(self.system.look(partial)).await? else {
            return Ok((step.io(self.system.create(partial)).await?, 0));
        };
        let point =
            resume_point(&*self.system, partial, there.size_bytes, source, size, self.settings.sync_every_bytes);
        let point = step.io(point).await?;
        Ok((step.io(self.system.reopen(partial, point)).await?, point))
    }

    /// Moves the bytes; SHA-256 of those it moved.
    async fn transfer(
        &self,
        step: &Step<'_>,
        source: &mut dyn ReadFile,
        file: &mut dyn WriteFile,
        begin: u64,
        size: u64,
        progress: &(dyn Fn(CopyProgress) + Send + Sync),
    ) -> Result<[u8; 32]> {
        let tell = |done_bytes| progress(CopyProgress { name: step.name.to_string(), done_bytes, total_bytes: size });
        let mut hash = Sha256::new();
        let mut at = begin;
        let mut unflushed = 0u64;
        let mut buffer = self.chunk();
        tell(at);
        while at < size {
            let until_flush = self.settings.sync_every_bytes - unflushed;
            let wanted = (self.settings.chunk_bytes as u64).min(size - at).min(until_flush);
            step.pay(wanted).await?;
            buffer = step.io(source.read_at(at, wanted as usize, std::mem::take(&mut buffer))).await?;
            if buffer.is_empty() {
                return Err(step.failed(&changed().to_string()));
            }
            hash.update(&buffer);
            let moved = buffer.len() as u64;
            buffer = step.io(file.append(std::mem::take(&mut buffer))).await?;
            at += moved;
            unflushed += moved;
            if unflushed >= self.settings.sync_every_bytes {
                step.io(file.sync()).await?;
                unflushed = 0;
            }
            tell(at);
        }
        self.keep_chunk(buffer);
        Ok(hash.finalize().into())
    }
}
