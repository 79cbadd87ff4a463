//! The Application log of Windows.

use std::ffi::c_void;
use std::io;

use super::{Entry, Severity, SOURCE};

#[link(name = "advapi32")]
extern "system" {
    fn RegisterEventSourceW(server: *const u16, source: *const u16) -> *mut c_void;
    fn ReportEventW(
        log: *mut c_void,
        kind: u16,
        category: u16,
        id: u32,
        user: *const c_void,
        count: u16,
        size: u32,
        strings: *const *const u16,
        data: *const c_void,
    ) -> i32;
    fn DeregisterEventSource(log: *mut c_void) -> i32;
}

/// Reports an entry. A source that the machine does not know is taken all the same; its text then stands below a remark
/// that the description is missing.
///
/// # Source
/// "ReportEventW function": kinds 1 error, 2 warning, 4 information.
pub(super) fn write(entry: &Entry) -> io::Result<()> {
    let wide = |text: &str| text.encode_utf16().chain([0]).collect::<Vec<u16>>();
    let (source, text) = (wide(SOURCE), wide(&entry.text));
    let kind = match entry.severity {
        Severity::Error => 1,
        Severity::Warning => 2,
        Severity::Information => 4,
    };
    // SAFETY: the source ends with a zero and outlives the call; a null server is this machine.
    let log = unsafe { RegisterEventSourceW(std::ptr::null(), source.as_ptr()) };
    if log.is_null() {
        return Err(io::Error::last_os_error());
    }
    let strings = [text.as_ptr()];
    // SAFETY: the handle was just made; one string is announced and one is given, ending with a zero, alive through the
    // call; user and data are null with sizes of 0.
    let reported = unsafe {
        ReportEventW(log, kind, 0, u32::from(entry.id), std::ptr::null(), 1, 0, strings.as_ptr(), std::ptr::null())
    };
    let outcome = if reported == 0 { Err(io::Error::last_os_error()) } else { Ok(()) };
    // SAFETY: the handle is open and not used afterwards.
    unsafe { DeregisterEventSource(log) };
    outcome
}
