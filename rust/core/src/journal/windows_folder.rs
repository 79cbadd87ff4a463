//! A folder on Windows that is born with its rights, so that there is no moment in which others could use it.

use std::ffi::c_void;
use std::io;
use std::os::windows::ffi::OsStrExt;
use std::path::Path;

/// Nothing inherited; administrators, the system and the owner have everything, for what is created inside too.
///
/// # Source
/// "Security Descriptor String Format", "ACE Strings", "SID Strings".
const RIGHTS: &str = "D:P(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)(A;OICI;FA;;;OW)";

/// Revision of the text form.
const SDDL_REVISION_1: u32 = 1;

#[repr(C)]
struct SecurityAttributes {
    length: u32,
    descriptor: *mut c_void,
    inherit_handle: i32,
}

#[link(name = "advapi32")]
extern "system" {
    fn ConvertStringSecurityDescriptorToSecurityDescriptorW(
        text: *const u16,
        revision: u32,
        descriptor: *mut *mut c_void,
        size: *mut u32,
    ) -> i32;
}

#[link(name = "kernel32")]
extern "system" {
    fn CreateDirectoryW(path: *const u16, attributes: *const SecurityAttributes) -> i32;
    fn LocalFree(memory: *mut c_void) -> *mut c_void;
}

/// Creates one folder; its parent must exist.
pub(super) fn create_restricted(folder: &Path) -> io::Result<()> {
    let path: Vec<u16> = folder.as_os_str().encode_wide().chain([0]).collect();
    if path[..path.len() - 1].contains(&0) {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    let text: Vec<u16> = RIGHTS.encode_utf16().chain([0]).collect();
    let mut descriptor = std::ptr::null_mut();
    // SAFETY: `text` ends with a zero and outlives the call; `descriptor` is a valid place for one pointer.
    let made = unsafe {
        ConvertStringSecurityDescriptorToSecurityDescriptorW(
            text.as_ptr(),
            SDDL_REVISION_1,
            &mut descriptor,
            std::ptr::null_mut(),
        )
    };
    if made == 0 {
        return Err(io::Error::last_os_error());
    }
    let length = std::mem::size_of::<SecurityAttributes>() as u32;
    let attributes = SecurityAttributes { length, descriptor, inherit_handle: 0 };
    // SAFETY: `path` ends with a zero; `attributes` and the descriptor that it points to live through the call.
    let created = unsafe { CreateDirectoryW(path.as_ptr(), &attributes) };
    let outcome = if created == 0 { Err(io::Error::last_os_error()) } else { Ok(()) };
    // SAFETY: the descriptor was allocated by the conversion above for this release, and is not used afterwards.
    unsafe { LocalFree(descriptor) };
    outcome
}
