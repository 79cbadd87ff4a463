//! Partial copies: where one may be taken up again.

use std::io;

use crate::files::system::{FileSystem, ReadFile};
use crate::names::ClientPath;

/// The ending of a copy under way. Neither the restore job nor anybody's `*.trn` takes such a file.
pub const PARTIAL_ENDING: &str = ".pchat-partial";

/// How much is compared at the beginning and before the end of a partial copy. The beginning of a backup file holds its
/// media set's id, which no two files share.
const SAMPLE: usize = 1024 * 1024;

/// From which byte a partial copy may go on; 0 where it has to start anew.
///
/// Only whole stretches of `sync_every` bytes count: those were flushed before more was written, so that neither a killed
/// process nor a power cut can have left garbage in them. Beginning and end of what counts are compared with the source.
pub(super) async fn resume_point(
    system: &dyn FileSystem,
    partial: &ClientPath,
    partial_size: u64,
    source: &mut dyn ReadFile,
    source_size: u64,
    sync_every: u64,
) -> io::Result<u64> {
    let flushed = partial_size.min(source_size) / sync_every * sync_every;
    if flushed == 0 || partial_size > source_size {
        return Ok(0);
    }
    let mut copy = system.open(partial).await?;
    let length = SAMPLE.min(usize::try_from(flushed).unwrap_or(SAMPLE));
    for offset in [0, flushed - length as u64] {
        let ours = copy.read_at(offset, length, Vec::new()).await?;
        let theirs = source.read_at(offset, length, Vec::new()).await?;
        if ours.len() != length || ours != theirs {
            return Ok(0);
        }
    }
    Ok(flushed)
}
