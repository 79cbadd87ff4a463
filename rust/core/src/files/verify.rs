//! Reading back what was written.

use std::io;

use sha2::{Digest, Sha256};

use crate::error::Result;
use crate::files::copier::Step;
use crate::files::system::ReadFile;

/// SHA-256 of a file from `begin` to `end`, read in chunks; `None` where the file is shorter.
pub(super) async fn hash_of(
    step: &Step<'_>,
    file: &mut dyn ReadFile,
    begin: u64,
    end: u64,
    chunk: usize,
) -> Result<Option<[u8; 32]>> {
    let mut hash = Sha256::new();
    let mut at = begin;
    let mut buffer = step.chunk();
    while at < end {
        let wanted = chunk.min(usize::try_from(end - at).unwrap_or(chunk));
        buffer = step.io(file.read_at(at, wanted, std::mem::take(&mut buffer))).await?;
        if buffer.is_empty() {
            return Ok(None);
        }
        hash.update(&buffer);
        at += buffer.len() as u64;
    }
    step.keep_chunk(buffer);
    Ok(Some(hash.finalize().into()))
}

/// True where two files have the same bytes up to `size`, read in step.
pub(super) async fn same_content(
    step: &Step<'_>,
    a: &mut dyn ReadFile,
    b: &mut dyn ReadFile,
    size: u64,
    chunk: usize,
) -> Result<bool> {
    let mut at = 0;
    let (mut left, mut right) = (Vec::new(), Vec::new());
    while at < size {
        let wanted = chunk.min(usize::try_from(size - at).unwrap_or(chunk));
        left = step.io(a.read_at(at, wanted, std::mem::take(&mut left))).await?;
        step.pay(wanted as u64).await?;
        right = step.io(b.read_at(at, wanted, std::mem::take(&mut right))).await?;
        if left != right || left.is_empty() {
            return Ok(false);
        }
        at += left.len() as u64;
    }
    Ok(true)
}

/// The error for a file that changed its size under our hands.
pub(super) fn changed() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the file changed its size while it was read")
}
