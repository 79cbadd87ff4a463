//! Places where a test can cut the process off. Compiled away unless under test or with the feature `crash-points`.
//!
//! `PCHAT_CRASH_AT=name` or `name:n` ends the process at the n-th time that the place is reached, without unwinding and
//! without running anything else, as a power cut would. `PCHAT_FAIL_AT` makes a write fail in the same notation.
//!
//! Names of the journal: `journal.append.before`, `journal.append.torn` (half a line is written), `journal.append.between`
//! (between the two copies), `journal.append.after`. Steps have names of their own.

/// Ends the process here when the environment says so.
#[inline]
pub fn reach(name: &str) {
    #[cfg(any(test, feature = "crash-points"))]
    if active::is_due("PCHAT_CRASH_AT", name) {
        std::process::abort();
    }
    #[cfg(not(any(test, feature = "crash-points")))]
    let _ = name;
}

/// A place that is passed many times and reached once, such as a look at a statement that works.
pub(crate) struct Once {
    name: &'static str,
    is_reached: bool,
}

impl Once {
    pub(crate) fn new(name: &'static str) -> Once {
        Once { name, is_reached: false }
    }

    pub(crate) fn reach(&mut self) {
        if !std::mem::replace(&mut self.is_reached, true) {
            reach(self.name);
        }
    }
}

/// True when the process is to end here, for a place that leaves something half done first.
#[inline]
pub(crate) fn is_due(name: &str) -> bool {
    #[cfg(any(test, feature = "crash-points"))]
    return active::is_due("PCHAT_CRASH_AT", name);
    #[cfg(not(any(test, feature = "crash-points")))]
    {
        let _ = name;
        false
    }
}

/// An error where a write is to fail.
#[inline]
pub(crate) fn fail(name: &str) -> std::io::Result<()> {
    #[cfg(any(test, feature = "crash-points"))]
    if active::is_due("PCHAT_FAIL_AT", name) {
        return Err(std::io::Error::other("a failure planted by a test"));
    }
    #[cfg(not(any(test, feature = "crash-points")))]
    let _ = name;
    Ok(())
}

#[cfg(any(test, feature = "crash-points"))]
mod active {
    use std::collections::HashMap;
    use std::sync::Mutex;

    use once_cell::sync::Lazy;

    static REACHED: Lazy<Mutex<HashMap<(&'static str, String), u64>>> = Lazy::new(Mutex::default);

    pub fn is_due(variable: &'static str, name: &str) -> bool {
        let Ok(wanted) = std::env::var(variable) else { return false };
        let (place, number) = match wanted.rsplit_once(':') {
            Some((place, number)) => (place, number.parse().unwrap_or(1)),
            None => (wanted.as_str(), 1),
        };
        if place != name {
            return false;
        }
        let mut reached = REACHED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let count = reached.entry((variable, name.to_string())).or_default();
        *count += 1;
        *count == number
    }
}
