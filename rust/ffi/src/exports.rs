//! Every exported symbol and nothing else: pointers become references here, the work is done in safe functions.

use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use pchat_core::document::{read_request, SessionSettings};
use pchat_core::operation::{Request, Session};
use pchat_core::{Error, ErrorKind, Result};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::document::{self, PchatDocument};
use crate::guard::{guard, ErrorOut, PCHAT_END, PCHAT_OK, PCHAT_TIMEOUT};
use crate::handle::{OPERATIONS, SESSIONS};
use crate::operation::{Next, Operation};
use crate::session::SessionHandle;

mod instance;
#[cfg(test)]
pub use instance::*;
mod conference;
#[cfg(test)]
pub use conference::*;

/// The version of this ABI. A caller built for another one must not go on.
pub const PCHAT_ABI_VERSION: u32 = 1;

/// The version of the ABI, to be asked before anything else. Cannot fail.
#[no_mangle]
pub extern "C" fn pchat_abi_version() -> u32 {
    PCHAT_ABI_VERSION
}

/// Describes the library: release, ABI, target.
///
/// # Safety
/// `document` and `error` are NULL or point to a place for one pointer.
#[no_mangle]
pub unsafe extern "C" fn pchat_library_version(
    document: *mut *mut PchatDocument,
    error: *mut *mut PchatDocument,
) -> i32 {
    // SAFETY: the caller's promise for `error`.
    let error = unsafe { ErrorOut::new(error) };
    guard(error, || {
        // SAFETY: the caller's promise for `document` is passed on.
        let out = unsafe { output(document, ptr::null_mut(), "document") }?;
        let about = json!({
            "version": 1,
            "library": env!("CARGO_PKG_VERSION"),
            "abi": PCHAT_ABI_VERSION,
            "target": format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
            "crash_points": cfg!(feature = "crash-points"),
        });
        *out = document::boxed(document::to_bytes(&about));
        Ok(PCHAT_OK)
    })
}

/// Refuses a caller of another release.
///
/// # Errors
/// `LibraryMismatch` (1006).
///
/// # Safety
/// `assembly_version` points to `length` readable bytes; `error` is NULL or points to a place for one pointer.
#[no_mangle]
pub unsafe extern "C" fn pchat_handshake(
    assembly_version: *const u8,
    length: usize,
    error: *mut *mut PchatDocument,
) -> i32 {
    // SAFETY: the caller's promise for `error`.
    let error = unsafe { ErrorOut::new(error) };
    guard(error, || {
        // SAFETY: the caller promises `length` readable bytes.
        let theirs = unsafe { document::text(assembly_version, length, "the assembly's version") }?;
        let ours = env!("CARGO_PKG_VERSION");
        if theirs != ours {
            return Err(Error::new(
                ErrorKind::LibraryMismatch,
                format!("the module is of release {theirs}, its native library of release {ours}."),
            )
            .with_unchanged("Nothing was started.")
            .with_next("Install the module again, as one package, and open a new shell."));
        }
        Ok(PCHAT_OK)
    })
}

/// Opens a session from its settings. It connects to nothing yet. Close it with `pchat_session_close`.
///
/// # Safety
/// `settings` points to `length` readable bytes; `session` and `error` are NULL or point to a place for one value.
#[no_mangle]
pub unsafe extern "C" fn pchat_session_open(
    settings: *const u8,
    length: usize,
    session: *mut u64,
    error: *mut *mut PchatDocument,
) -> i32 {
    // SAFETY: the caller's promise for `error`.
    let error = unsafe { ErrorOut::new(error) };
    guard(error, || {
        // SAFETY: the caller promises a place for one number, or NULL.
        let out = unsafe { output(session, 0, "session") }?;
        // SAFETY: the caller promises `length` readable bytes.
        let settings: SessionSettings = read_request(unsafe { document::bytes(settings, length, "the settings") }?)?;
        *out = SESSIONS.insert(Arc::new(SessionHandle::new(Session::new(settings)?)?));
        Ok(PCHAT_OK)
    })
}

/// Adds a SQL login: for one instance, or with `instance` NULL for all that have none of their own. The secret is
/// copied; the caller wipes its own bytes.
///
/// # Safety
/// Each pointer but `instance` points to as many readable bytes as its length says; `error` as everywhere.
#[no_mangle]
pub unsafe extern "C" fn pchat_session_login_add(
    session: u64,
    instance: *const u8,
    instance_length: usize,
    user: *const u8,
    user_length: usize,
    secret: *const u8,
    secret_length: usize,
    error: *mut *mut PchatDocument,
) -> i32 {
    // SAFETY: the caller's promise for `error`.
    let error = unsafe { ErrorOut::new(error) };
    guard(error, || {
        let session = SESSIONS.get(session)?;
        let instance = if instance.is_null() {
            None
        } else {
            // SAFETY: not NULL, and the caller promises the bytes.
            Some(unsafe { document::text(instance, instance_length, "the instance") }?)
        };
        // SAFETY: the caller promises the bytes of both.
        let (user, secret) = unsafe {
            (document::text(user, user_length, "the user")?, document::text(secret, secret_length, "the secret")?)
        };
        session.session.add_login(instance, user, secret)?;
        Ok(PCHAT_OK)
    })
}

/// Closes a session. Operations that still run keep what they need and end by themselves.
///
/// # Safety
/// `error` is NULL or points to a place for one pointer.
#[no_mangle]
pub unsafe extern "C" fn pchat_session_close(session: u64, error: *mut *mut PchatDocument) -> i32 {
    // SAFETY: the caller's promise for `error`.
    let error = unsafe { ErrorOut::new(error) };
    guard(error, || SESSIONS.remove(session).map(|_| PCHAT_OK))
}

/// Reads the log shipping record, the database's state, its redo point and the jobs. Items `log_shipping`; result `count`.
///
/// # Safety
/// `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
#[no_mangle]
pub unsafe extern "C" fn pchat_log_shipping_get(
    session: u64,
    request: *const u8,
    length: usize,
    operation: *mut u64,
    error: *mut *mut PchatDocument,
) -> i32 {
    // SAFETY: the caller's promises are passed on.
    unsafe { start(session, request, length, operation, error, Request::LogShippingGet) }
}

/// Captures, stops the jobs and removes log shipping on the secondary. Items `action`; result `run`.
///
/// # Safety
/// `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
#[no_mangle]
pub unsafe extern "C" fn pchat_log_shipping_remove(
    session: u64,
    request: *const u8,
    length: usize,
    operation: *mut u64,
    error: *mut *mut PchatDocument,
) -> i32 {
    // SAFETY: the caller's promises are passed on.
    unsafe { start(session, request, length, operation, error, Request::LogShippingRemove) }
}

/// Lists every known log backup with its LSNs and status. Items `log_backup`; result `log_chain`. Reads only.
///
/// # Safety
/// `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
#[no_mangle]
pub unsafe extern "C" fn pchat_log_backup_list(
    session: u64,
    request: *const u8,
    length: usize,
    operation: *mut u64,
    error: *mut *mut PchatDocument,
) -> i32 {
    // SAFETY: the caller's promises are passed on.
    unsafe { start(session, request, length, operation, error, Request::LogBackupList) }
}

/// Copies the log backups that are missing in the copy folder. Items `action`; result `run`.
///
/// # Safety
/// `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
#[no_mangle]
pub unsafe extern "C" fn pchat_log_backup_copy(
    session: u64,
    request: *const u8,
    length: usize,
    operation: *mut u64,
    error: *mut *mut PchatDocument,
) -> i32 {
    // SAFETY: the caller's promises are passed on.
    unsafe { start(session, request, length, operation, error, Request::LogBackupCopy) }
}

/// Restores the log backups that are needed, in LSN order, `WITH NORECOVERY`. Items `action`; result `run`.
///
/// # Safety
/// `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
#[no_mangle]
pub unsafe extern "C" fn pchat_log_backup_restore(
    session: u64,
    request: *const u8,
    length: usize,
    operation: *mut u64,
    error: *mut *mut PchatDocument,
) -> i32 {
    // SAFETY: the caller's promises are passed on.
    unsafe { start(session, request, length, operation, error, Request::LogBackupRestore) }
}

/// Lists the sessions in the database. Items `connection`; result `count`. Reads only.
///
/// # Safety
/// `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
#[no_mangle]
pub unsafe extern "C" fn pchat_connection_list(
    session: u64,
    request: *const u8,
    length: usize,
    operation: *mut u64,
    error: *mut *mut PchatDocument,
) -> i32 {
    // SAFETY: the caller's promises are passed on.
    unsafe { start(session, request, length, operation, error, Request::ConnectionList) }
}

/// Ends the sessions in the database and bars new ones. Items `action`; result `run`.
///
/// # Safety
/// `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
#[no_mangle]
pub unsafe extern "C" fn pchat_connection_end(
    session: u64,
    request: *const u8,
    length: usize,
    operation: *mut u64,
    error: *mut *mut PchatDocument,
) -> i32 {
    // SAFETY: the caller's promises are passed on.
    unsafe { start(session, request, length, operation, error, Request::ConnectionEnd) }
}

/// Reads the database's state and redo point. Items `database_state`; result `count`. Reads only.
///
/// # Safety
/// `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
#[no_mangle]
pub unsafe extern "C" fn pchat_database_state(
    session: u64,
    request: *const u8,
    length: usize,
    operation: *mut u64,
    error: *mut *mut PchatDocument,
) -> i32 {
    // SAFETY: the caller's promises are passed on.
    unsafe { start(session, request, length, operation, error, Request::DatabaseState) }
}

/// The gate, then recovery: online for good. Items `action`; result `run`.
///
/// # Safety
/// `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
#[no_mangle]
pub unsafe extern "C" fn pchat_database_recover(
    session: u64,
    request: *const u8,
    length: usize,
    operation: *mut u64,
    error: *mut *mut PchatDocument,
) -> i32 {
    // SAFETY: the caller's promises are passed on.
    unsafe { start(session, request, length, operation, error, Request::DatabaseRecover) }
}

/// The preflight's named checks. Items `check`; result `plan`. Reads only.
///
/// # Safety
/// `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
#[no_mangle]
pub unsafe extern "C" fn pchat_failover_check(
    session: u64,
    request: *const u8,
    length: usize,
    operation: *mut u64,
    error: *mut *mut PchatDocument,
) -> i32 {
    // SAFETY: the caller's promises are passed on.
    unsafe { start(session, request, length, operation, error, Request::FailoverCheck) }
}

/// Makes the plan of a failover. Result `plan`. Reads only.
///
/// # Safety
/// `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
#[no_mangle]
pub unsafe extern "C" fn pchat_failover_plan(
    session: u64,
    request: *const u8,
    length: usize,
    operation: *mut u64,
    error: *mut *mut PchatDocument,
) -> i32 {
    // SAFETY: the caller's promises are passed on.
    unsafe { start(session, request, length, operation, error, Request::FailoverPlan) }
}

/// Makes the plan of a planned switch. Result `plan`. Reads only.
///
/// # Safety
/// `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
#[no_mangle]
pub unsafe extern "C" fn pchat_planned_switch_plan(
    session: u64,
    request: *const u8,
    length: usize,
    operation: *mut u64,
    error: *mut *mut PchatDocument,
) -> i32 {
    // SAFETY: the caller's promises are passed on.
    unsafe { start(session, request, length, operation, error, Request::PlannedSwitchPlan) }
}

/// Makes the plan of a failback. Result `plan`. Reads only.
///
/// # Safety
/// `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
#[no_mangle]
pub unsafe extern "C" fn pchat_failback_plan(
    session: u64,
    request: *const u8,
    length: usize,
    operation: *mut u64,
    error: *mut *mut PchatDocument,
) -> i32 {
    // SAFETY: the caller's promises are passed on.
    unsafe { start(session, request, length, operation, error, Request::FailbackPlan) }
}

/// Runs the plan that was shown and confirmed. Items `step`; result `run`.
///
/// # Safety
/// `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
#[no_mangle]
pub unsafe extern "C" fn pchat_run_start(
    session: u64,
    request: *const u8,
    length: usize,
    operation: *mut u64,
    error: *mut *mut PchatDocument,
) -> i32 {
    // SAFETY: the caller's promises are passed on.
    unsafe { start(session, request, length, operation, error, Request::RunStart) }
}

/// Finishes a run that was cut off. Items `step`; result `run`.
///
/// # Safety
/// `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
#[no_mangle]
pub unsafe extern "C" fn pchat_run_resume(
    session: u64,
    request: *const u8,
    length: usize,
    operation: *mut u64,
    error: *mut *mut PchatDocument,
) -> i32 {
    // SAFETY: the caller's promises are passed on.
    unsafe { start(session, request, length, operation, error, Request::RunResume) }
}

/// Gives up a run while log shipping is still there. Items `step`; result `run`.
///
/// # Safety
/// `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
#[no_mangle]
pub unsafe extern "C" fn pchat_run_undo(
    session: u64,
    request: *const u8,
    length: usize,
    operation: *mut u64,
    error: *mut *mut PchatDocument,
) -> i32 {
    // SAFETY: the caller's promises are passed on.
    unsafe { start(session, request, length, operation, error, Request::RunUndo) }
}

/// Lists the runs of a journal folder, or one with its steps. Items `run`; result `count`. Reads only.
///
/// # Safety
/// `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
#[no_mangle]
pub unsafe extern "C" fn pchat_run_list(
    session: u64,
    request: *const u8,
    length: usize,
    operation: *mut u64,
    error: *mut *mut PchatDocument,
) -> i32 {
    // SAFETY: the caller's promises are passed on.
    unsafe { start(session, request, length, operation, error, Request::RunList) }
}

/// Waits for the operation's next event: `PCHAT_OK` with an event, `PCHAT_TIMEOUT` without one, `PCHAT_END` after the
/// terminal one. One thread may wait at a time.
///
/// # Safety
/// `event` and `error` are NULL or point to a place for one pointer.
#[no_mangle]
pub unsafe extern "C" fn pchat_operation_next(
    operation: u64,
    timeout_ms: u32,
    event: *mut *mut PchatDocument,
    error: *mut *mut PchatDocument,
) -> i32 {
    // SAFETY: the caller's promise for `error`.
    let error = unsafe { ErrorOut::new(error) };
    guard(error, || {
        // SAFETY: the caller promises a place for one pointer, or NULL.
        let out = unsafe { output(event, ptr::null_mut(), "event") }?;
        match OPERATIONS.get(operation)?.next(Duration::from_millis(u64::from(timeout_ms)))? {
            Next::Event(bytes) => {
                *out = document::boxed(bytes);
                Ok(PCHAT_OK)
            }
            Next::TimedOut => Ok(PCHAT_TIMEOUT),
            Next::End => Ok(PCHAT_END),
        }
    })
}

/// Answers the question that is open.
///
/// # Safety
/// `answer` points to `length` readable bytes; `error` is NULL or points to a place for one pointer.
#[no_mangle]
pub unsafe extern "C" fn pchat_operation_answer(
    operation: u64,
    answer: *const u8,
    length: usize,
    error: *mut *mut PchatDocument,
) -> i32 {
    // SAFETY: the caller's promise for `error`.
    let error = unsafe { ErrorOut::new(error) };
    guard(error, || {
        let operation = OPERATIONS.get(operation)?;
        // SAFETY: the caller promises `length` readable bytes.
        operation.answer(unsafe { document::bytes(answer, length, "the answer") }?)?;
        Ok(PCHAT_OK)
    })
}

/// Asks the operation to stop: no new effect starts, and the events go on until the terminal one. From any thread.
///
/// # Safety
/// `error` is NULL or points to a place for one pointer.
#[no_mangle]
pub unsafe extern "C" fn pchat_operation_cancel(operation: u64, error: *mut *mut PchatDocument) -> i32 {
    // SAFETY: the caller's promise for `error`.
    let error = unsafe { ErrorOut::new(error) };
    guard(error, || {
        OPERATIONS.get(operation)?.stop();
        Ok(PCHAT_OK)
    })
}

/// Closes the operation. One that still runs is cancelled and detached; the call never blocks.
///
/// # Safety
/// `error` is NULL or points to a place for one pointer.
#[no_mangle]
pub unsafe extern "C" fn pchat_operation_close(operation: u64, error: *mut *mut PchatDocument) -> i32 {
    // SAFETY: the caller's promise for `error`.
    let error = unsafe { ErrorOut::new(error) };
    guard(error, || {
        OPERATIONS.remove(operation)?.close();
        Ok(PCHAT_OK)
    })
}

/// The bytes of a document: UTF-8 JSON without a closing NUL, valid until the document is freed.
///
/// # Safety
/// `document` came from this library and was not freed; `data`, `length` and `error` are NULL or point to a place for
/// one value.
#[no_mangle]
pub unsafe extern "C" fn pchat_document_data(
    document: *const PchatDocument,
    data: *mut *const u8,
    length: *mut usize,
    error: *mut *mut PchatDocument,
) -> i32 {
    // SAFETY: the caller's promise for `error`.
    let error = unsafe { ErrorOut::new(error) };
    guard(error, || {
        // SAFETY: the caller promises places for one value each, or NULL.
        let (data, length) = unsafe { (output(data, ptr::null(), "data")?, output(length, 0, "length")?) };
        // SAFETY: the caller promises a live document of this library, or NULL.
        let document = unsafe { document.as_ref() }.ok_or_else(|| document::bad("the document is NULL".to_string()))?;
        *data = document.bytes.as_ptr();
        *length = document.bytes.len();
        Ok(PCHAT_OK)
    })
}

/// Frees a document, an error document among them. NULL is fine.
///
/// # Safety
/// `document` is NULL, or came from this library and was not freed yet.
#[no_mangle]
pub unsafe extern "C" fn pchat_document_free(document: *mut PchatDocument) {
    if !document.is_null() {
        // SAFETY: not NULL, made by `Box::into_raw` in this library, and freed once by the caller's promise.
        drop(unsafe { Box::from_raw(document) });
    }
}

/// An out-parameter as a reference, set to its empty value.
///
/// # Safety
/// `place` is NULL or points to a place for one value.
unsafe fn output<'a, T>(place: *mut T, empty: T, what: &str) -> Result<&'a mut T> {
    // SAFETY: the caller's promise.
    let place = unsafe { place.as_mut() }.ok_or_else(|| document::missing_output(what))?;
    *place = empty;
    Ok(place)
}

/// Starts an operation: the shape that all of them share.
///
/// # Safety
/// As for the exports that call it.
unsafe fn start<T: DeserializeOwned>(
    session: u64,
    request: *const u8,
    length: usize,
    operation: *mut u64,
    error: *mut *mut PchatDocument,
    make: impl FnOnce(T) -> Request,
) -> i32 {
    // SAFETY: the caller's promise for `error`.
    let error = unsafe { ErrorOut::new(error) };
    guard(error, || {
        // SAFETY: the caller promises a place for one number, or NULL.
        let out = unsafe { output(operation, 0, "operation") }?;
        let session = SESSIONS.get(session)?;
        // SAFETY: the caller promises `length` readable bytes.
        let request: T = read_request(unsafe { document::bytes(request, length, "the request") }?)?;
        *out = OPERATIONS.insert(Operation::start(&session, make(request))?);
        Ok(PCHAT_OK)
    })
}
