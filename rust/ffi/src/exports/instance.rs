//! The exports of the commands that take one step on an instance, and of baselines.

use pchat_core::operation::Request;

use super::start;
use crate::document::PchatDocument;

/// Takes a full, log or tail backup into a new file and verifies it. Items `action` and `backup`; result `run`.
///
/// # Safety
/// `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
#[no_mangle]
pub unsafe extern "C" fn pchat_database_backup(
    session: u64,
    request: *const u8,
    length: usize,
    operation: *mut u64,
    error: *mut *mut PchatDocument,
) -> i32 {
    // SAFETY: the caller's promises are passed on.
    unsafe { start(session, request, length, operation, error, Request::DatabaseBackup) }
}

/// Verifies a full backup and restores it WITH NORECOVERY, never over what only the copy there holds. Items `action`; result
/// `run`.
///
/// # Safety
/// `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
#[no_mangle]
pub unsafe extern "C" fn pchat_database_restore(
    session: u64,
    request: *const u8,
    length: usize,
    operation: *mut u64,
    error: *mut *mut PchatDocument,
) -> i32 {
    // SAFETY: the caller's promises are passed on.
    unsafe { start(session, request, length, operation, error, Request::DatabaseRestore) }
}

/// Sets log shipping up between two instances whose databases fit already. Items `action`; result `run`.
///
/// # Safety
/// `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
#[no_mangle]
pub unsafe extern "C" fn pchat_log_shipping_add(
    session: u64,
    request: *const u8,
    length: usize,
    operation: *mut u64,
    error: *mut *mut PchatDocument,
) -> i32 {
    // SAFETY: the caller's promises are passed on.
    unsafe { start(session, request, length, operation, error, Request::LogShippingAdd) }
}

/// Reads database mirroring as one partner sees it. Items `mirror`; result `count`. Reads only.
///
/// # Safety
/// `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
#[no_mangle]
pub unsafe extern "C" fn pchat_mirror_get(
    session: u64,
    request: *const u8,
    length: usize,
    operation: *mut u64,
    error: *mut *mut PchatDocument,
) -> i32 {
    // SAFETY: the caller's promises are passed on.
    unsafe { start(session, request, length, operation, error, Request::MirrorGet) }
}

/// Ends mirroring of a database on one partner. Items `action`; result `run`.
///
/// # Safety
/// `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
#[no_mangle]
pub unsafe extern "C" fn pchat_mirror_remove(
    session: u64,
    request: *const u8,
    length: usize,
    operation: *mut u64,
    error: *mut *mut PchatDocument,
) -> i32 {
    // SAFETY: the caller's promises are passed on.
    unsafe { start(session, request, length, operation, error, Request::MirrorRemove) }
}

/// Keeps an old primary and its mirror from waking up as a second one. Items `action`; result `run`.
///
/// # Safety
/// `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
#[no_mangle]
pub unsafe extern "C" fn pchat_primary_disable(
    session: u64,
    request: *const u8,
    length: usize,
    operation: *mut u64,
    error: *mut *mut PchatDocument,
) -> i32 {
    // SAFETY: the caller's promises are passed on.
    unsafe { start(session, request, length, operation, error, Request::PrimaryDisable) }
}

/// Saves the configuration of all four instances and the pool as a file. Items `baseline`; result `count`. Changes no
/// instance.
///
/// # Safety
/// `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
#[no_mangle]
pub unsafe extern "C" fn pchat_baseline_save(
    session: u64,
    request: *const u8,
    length: usize,
    operation: *mut u64,
    error: *mut *mut PchatDocument,
) -> i32 {
    // SAFETY: the caller's promises are passed on.
    unsafe { start(session, request, length, operation, error, Request::BaselineSave) }
}

/// Reads baselines from files and compares them. Items `baseline`; result `count`. Reads only.
///
/// # Safety
/// `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
#[no_mangle]
pub unsafe extern "C" fn pchat_baseline_get(
    session: u64,
    request: *const u8,
    length: usize,
    operation: *mut u64,
    error: *mut *mut PchatDocument,
) -> i32 {
    // SAFETY: the caller's promises are passed on.
    unsafe { start(session, request, length, operation, error, Request::BaselineGet) }
}
