//! The one panic guard. Every exported body runs in it: an unguarded panic would end the administrator's shell.

use std::cell::RefCell;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Once;

use pchat_core::{Error, ErrorKind, Result};

use crate::document::{self, PchatDocument};

/// The call did what its name says.
pub const PCHAT_OK: i32 = 0;
/// The call failed; the error document says how.
pub const PCHAT_ERROR: i32 = 1;
/// No event came within the limit. Not an error.
pub const PCHAT_TIMEOUT: i32 = 2;
/// The terminal event has been taken; no further one will come.
pub const PCHAT_END: i32 = 3;

thread_local! {
    static LAST_PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Where the error document goes; set to NULL on entry.
pub struct ErrorOut<'a>(Option<&'a mut *mut PchatDocument>);

impl ErrorOut<'_> {
    /// Takes the caller's out-parameter.
    ///
    /// # Safety
    /// `place` is NULL or points to a place for one pointer, for as long as the export runs.
    pub unsafe fn new(place: *mut *mut PchatDocument) -> Self {
        // SAFETY: the caller's promise.
        let mut place = unsafe { place.as_mut() };
        if let Some(place) = place.as_deref_mut() {
            *place = std::ptr::null_mut();
        }
        ErrorOut(place)
    }
}

/// Runs the body of an export; the error out-parameter is filled when the body fails or panics.
pub fn guard(error: ErrorOut<'_>, body: impl FnOnce() -> Result<i32>) -> i32 {
    install_quiet_hook();
    let outcome = catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| Err(panic_error(payload.as_ref())));
    match outcome {
        Ok(status) => status,
        Err(failure) => {
            if let ErrorOut(Some(place)) = error {
                *place = document::boxed(document::error_bytes(&failure));
            }
            PCHAT_ERROR
        }
    }
}

/// Turns a panic into error 9001, with what it said.
pub fn panic_error(payload: &(dyn std::any::Any + Send)) -> Error {
    let said = LAST_PANIC.with(|cell| cell.borrow_mut().take());
    let text = said.unwrap_or_else(|| payload_text(payload));
    Error::new(ErrorKind::InternalFault, format!("a fault in this library: {text}."))
        .with_unchanged("What was under way is in the journal; nothing further was started.")
        .with_next("Run Get-PChatRun to see the state, then Resume-PChatRun. Please report this message.")
}

fn payload_text(payload: &(dyn std::any::Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(|s| s.to_string())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no text".to_string())
}

/// Keeps panics off stderr, where they would land in the middle of the shell's screen.
fn install_quiet_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            let place = info.location().map(|l| format!(" ({}:{})", l.file(), l.line())).unwrap_or_default();
            let text = format!("{}{place}", payload_text(info.payload()));
            LAST_PANIC.with(|cell| *cell.borrow_mut() = Some(text));
        }));
    });
}
