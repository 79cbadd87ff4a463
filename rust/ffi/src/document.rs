//! Documents: UTF-8 JSON, in as pointer and length, out as an opaque owner that the caller frees.

use pchat_core::{Error, ErrorKind, Result};
use serde_json::{json, Value};

/// A document handed out. Read it with `pchat_document_data`, free it with `pchat_document_free`.
pub struct PchatDocument {
    pub(crate) bytes: Vec<u8>,
}

/// A document on the heap, owned by whoever holds the pointer.
pub fn boxed(bytes: Vec<u8>) -> *mut PchatDocument {
    Box::into_raw(Box::new(PchatDocument { bytes }))
}

/// The longest document that is read, in bytes.
pub const PCHAT_MAX_DOCUMENT_BYTES: usize = 64 * 1024 * 1024;

/// The caller's bytes.
///
/// # Errors
/// `InvalidRequest` (1001) for NULL or a length that no document has.
///
/// # Safety
/// A non-NULL `data` points to `length` readable bytes that stay as they are during the call.
pub unsafe fn bytes<'a>(data: *const u8, length: usize, what: &str) -> Result<&'a [u8]> {
    if data.is_null() {
        return Err(bad(format!("{what} is NULL")));
    }
    if length > PCHAT_MAX_DOCUMENT_BYTES {
        return Err(bad(format!("{what} is longer than {PCHAT_MAX_DOCUMENT_BYTES} bytes")));
    }
    // SAFETY: not NULL, and the caller promises `length` readable bytes.
    Ok(unsafe { std::slice::from_raw_parts(data, length) })
}

/// The caller's bytes as text.
///
/// # Errors
/// `InvalidRequest` (1001) for NULL or bytes that are not UTF-8.
///
/// # Safety
/// As for [`bytes`].
pub unsafe fn text<'a>(data: *const u8, length: usize, what: &str) -> Result<&'a str> {
    // SAFETY: the caller's promise is passed on.
    let bytes = unsafe { bytes(data, length, what) }?;
    std::str::from_utf8(bytes).map_err(|_| bad(format!("{what} is not UTF-8")))
}

/// A call that cannot be understood.
pub fn bad(why: String) -> Error {
    Error::new(ErrorKind::InvalidRequest, format!("the call cannot be understood: {why}."))
        .with_unchanged("Nothing was started.")
        .with_next("Call as the head of pchat.h describes.")
}

/// An out-parameter that was NULL.
pub fn missing_output(what: &str) -> Error {
    bad(format!("the out-parameter `{what}` is NULL"))
}

/// An error as a document. Falls back to a fixed text, since this is the last line of reporting.
pub fn error_bytes(error: &Error) -> Vec<u8> {
    to_bytes(&serde_json::to_value(error.to_document()).unwrap_or_else(|_| json!({"code": error.kind.code()})))
}

/// A value as bytes.
pub fn to_bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}
