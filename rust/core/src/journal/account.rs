//! The account that this process runs as: its name, and whether it may create files in a folder.

pub(super) use system::{may_create_in, name};

#[cfg(unix)]
mod system {
    use std::ffi::{CStr, CString};
    use std::io;
    use std::os::unix::ffi::OsStrExt;
    use std::path::Path;

    /// The name of the effective user in the system's own list; `None` where that has none.
    pub fn name() -> Option<String> {
        // SAFETY: `passwd` is plain data of integers and pointers, for which zeros are valid.
        let mut entry: libc::passwd = unsafe { std::mem::zeroed() };
        let mut texts = vec![0; 16 * 1024];
        let mut found = std::ptr::null_mut();
        // SAFETY: `geteuid` takes nothing and cannot fail. Entry, buffer of the given length, and place for the result are
        // valid through the call.
        let answer =
            unsafe { libc::getpwuid_r(libc::geteuid(), &mut entry, texts.as_mut_ptr(), texts.len(), &mut found) };
        if answer != 0 || found.is_null() || entry.pw_name.is_null() {
            return None;
        }
        // SAFETY: the call succeeded, so that the name is a text with an end, inside `texts`, which is still alive.
        let name = unsafe { CStr::from_ptr(entry.pw_name) };
        name.to_str().ok().filter(|name| !name.is_empty()).map(str::to_string)
    }

    /// Asks the system for the right to create files in a folder.
    pub fn may_create_in(folder: &Path) -> io::Result<()> {
        let path = CString::new(folder.as_os_str().as_bytes())?;
        // SAFETY: `path` ends with a zero and outlives the call.
        let answer =
            unsafe { libc::faccessat(libc::AT_FDCWD, path.as_ptr(), libc::W_OK | libc::X_OK, libc::AT_EACCESS) };
        match answer {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

#[cfg(windows)]
mod system {
    use std::fs::OpenOptions;
    use std::io;
    use std::os::windows::fs::OpenOptionsExt;
    use std::path::Path;

    const FILE_ADD_FILE: u32 = 0x2;
    const FILE_FLAG_BACKUP_SEMANTICS: u32 = 0x0200_0000;
    /// UNLEN and the zero behind it.
    const LONGEST_NAME: usize = 257;

    #[link(name = "advapi32")]
    extern "system" {
        fn GetUserNameW(buffer: *mut u16, length: *mut u32) -> i32;
    }

    /// The name of the account of this thread, without its domain.
    pub fn name() -> Option<String> {
        let mut text = [0u16; LONGEST_NAME];
        let mut length = LONGEST_NAME as u32;
        // SAFETY: the buffer has `length` places, and both are valid through the call.
        let found = unsafe { GetUserNameW(text.as_mut_ptr(), &mut length) };
        let name = text.get(..(length as usize).saturating_sub(1))?;
        (found != 0 && !name.is_empty()).then(|| String::from_utf16_lossy(name))
    }

    /// Opens the folder with the right to create files in it, which changes nothing.
    pub fn may_create_in(folder: &Path) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.access_mode(FILE_ADD_FILE).custom_flags(FILE_FLAG_BACKUP_SEMANTICS).open(folder).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_has_a_name_and_may_create_in_a_folder_of_its_own() {
        assert!(name().is_some_and(|name| !name.is_empty() && !name.contains('\0')));
        let folder = tempfile::tempdir().expect("a folder");
        assert!(may_create_in(folder.path()).is_ok());
        assert!(may_create_in(&folder.path().join("missing")).is_err());
    }
}
