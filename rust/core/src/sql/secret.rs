//! A password in memory.

use std::fmt;
use std::sync::atomic::{compiler_fence, Ordering};

/// A secret that prints as nothing and is overwritten when it is dropped.
///
/// The TDS library keeps a copy of its own while a connection lives, so this narrows the time in memory and promises
/// no more than that.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Takes the text over; the caller's buffer is the caller's to clear.
    pub fn new(text: &str) -> Secret {
        Secret(text.as_bytes().to_vec())
    }

    /// The text itself, for the login alone.
    pub(crate) fn expose(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        for byte in &mut self.0 {
            // SAFETY: the pointer comes from a live, exclusive reference to an initialised byte.
            unsafe { std::ptr::write_volatile(byte, 0) };
        }
        compiler_fence(Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_nothing_of_itself() {
        let secret = Secret::new("p@ss'word");
        assert_eq!(secret.expose(), "p@ss'word");
        assert!(!format!("{secret:?}").contains("p@ss"));
    }
}
