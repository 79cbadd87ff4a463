//! Memory that is no longer needed goes back to the system.

/// Gives freed memory back, where the allocator keeps it: glibc does, in an arena a thread, and after a look at ten thousand
/// log backups that is most of what the process holds. Takes a few milliseconds; called when something large has ended.
pub(crate) fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: it looks at free memory alone and may be called from any thread at any time.
    unsafe {
        libc::malloc_trim(0);
    }
}
