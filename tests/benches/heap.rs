//! What a process has in use on its heap: what was allocated and not freed, whatever the allocator keeps beside it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// Often enough that nothing which takes a thousand files' time to build up is missed.
const EVERY: Duration = Duration::from_millis(2);

/// Watches the heap of this process until it ends.
pub struct Watch {
    peak: Arc<AtomicU64>,
}

impl Watch {
    /// Begins to watch, on a thread of its own.
    pub fn start() -> Watch {
        let peak = Arc::new(AtomicU64::new(0));
        let seen = Arc::downgrade(&peak);
        thread::spawn(move || {
            while let Some(peak) = seen.upgrade() {
                peak.fetch_max(in_use_bytes(), Ordering::Relaxed);
                thread::sleep(EVERY);
            }
        });
        Watch { peak }
    }

    /// The most that was in use so far, in KiB.
    pub fn peak_kib(&self) -> u64 {
        self.peak.fetch_max(in_use_bytes(), Ordering::Relaxed).max(in_use_bytes()) / 1024
    }
}

/// Bytes in use in all arenas, and those that were mapped alone.
fn in_use_bytes() -> u64 {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        // SAFETY: it reads the allocator's books under their locks and may be called from any thread at any time.
        let books = unsafe { libc::mallinfo2() };
        (books.uordblks + books.hblkhd) as u64
    }
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    0
}
