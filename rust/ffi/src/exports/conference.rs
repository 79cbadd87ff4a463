//! The exports about conference content, the backup service and the pool's own object.

use pchat_core::operation::Request;

use super::start;
use crate::document::PchatDocument;

/// Waits until the backup service of two paired pools has settled, as far as its words can be believed. Items
/// `backup_service_module`; result `count`. Reads only.
///
/// # Safety
/// `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
#[no_mangle]
pub unsafe extern "C" fn pchat_backup_service_wait(
    session: u64,
    request: *const u8,
    length: usize,
    operation: *mut u64,
    error: *mut *mut PchatDocument,
) -> i32 {
    // SAFETY: the caller's promises are passed on.
    unsafe { start(session, request, length, operation, error, Request::BackupServiceWait) }
}

/// Finds what a failover needs to know of a pool out of the pool's own object. Result `pool_topology`. Reads only.
///
/// # Safety
/// `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
#[no_mangle]
pub unsafe extern "C" fn pchat_pool_find(
    session: u64,
    request: *const u8,
    length: usize,
    operation: *mut u64,
    error: *mut *mut PchatDocument,
) -> i32 {
    // SAFETY: the caller's promises are passed on.
    unsafe { start(session, request, length, operation, error, Request::PoolFind) }
}

/// Makes the plan of a restore of conference content. Result `plan`. Reads only.
///
/// # Safety
/// `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
#[no_mangle]
pub unsafe extern "C" fn pchat_conference_plan(
    session: u64,
    request: *const u8,
    length: usize,
    operation: *mut u64,
    error: *mut *mut PchatDocument,
) -> i32 {
    // SAFETY: the caller's promises are passed on.
    unsafe { start(session, request, length, operation, error, Request::ConferencePlan) }
}
