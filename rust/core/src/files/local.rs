//! The file system of this machine, network shares included.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::files::system::{Entry, FileSystem, ReadFile, WriteFile};
use crate::names::ClientPath;

/// The standard library on threads that may block: a call on a dead share holds a thread, never the runtime.
#[derive(Debug, Clone, Copy, Default)]
pub struct LocalFileSystem;

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(io::Error::other("the file operation ended abnormally")))
}

#[async_trait]
impl FileSystem for LocalFileSystem {
    async fn list(&self, folder: &ClientPath) -> io::Result<Vec<Entry>> {
        let folder = native(folder);
        blocking(move || {
            let mut entries = Vec::new();
            for found in fs::read_dir(&folder)? {
                let found = found?;
                let Ok(name) = found.file_name().into_string() else { continue };
                // A file may vanish between the listing and the look: clean-up jobs delete.
                match found.path().metadata() {
                    Ok(metadata) => entries.push(entry(name, &metadata)),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(entries)
        })
        .await
    }

    async fn look(&self, path: &ClientPath) -> io::Result<Option<Entry>> {
        let path = native(path);
        blocking(move || match fs::metadata(&path) {
            Ok(metadata) => {
                let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                Ok(Some(entry(name, &metadata)))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        })
        .await
    }

    async fn open(&self, path: &ClientPath) -> io::Result<Box<dyn ReadFile>> {
        let path = native(path);
        let file = blocking(move || File::open(path)).await?;
        Ok(Box::new(LocalFile::new(file)))
    }

    async fn create(&self, path: &ClientPath) -> io::Result<Box<dyn WriteFile>> {
        let path = native(path);
        let file = blocking(move || OpenOptions::new().write(true).create_new(true).open(path)).await?;
        Ok(Box::new(LocalFile::new(file)))
    }

    async fn reopen(&self, path: &ClientPath, length: u64) -> io::Result<Box<dyn WriteFile>> {
        let path = native(path);
        let file = blocking(move || {
            let mut file = OpenOptions::new().write(true).open(path)?;
            file.set_len(length)?;
            file.seek(SeekFrom::End(0))?;
            Ok(file)
        })
        .await?;
        Ok(Box::new(LocalFile::new(file)))
    }

    async fn rename_new(&self, from: &ClientPath, to: &ClientPath) -> io::Result<()> {
        let (from, to) = (native(from), native(to));
        blocking(move || platform::rename_new(&from, &to)).await
    }

    async fn remove(&self, path: &ClientPath) -> io::Result<()> {
        let path = native(path);
        blocking(move || fs::remove_file(path)).await
    }

    async fn sync_folder(&self, folder: &ClientPath) -> io::Result<()> {
        let folder = native(folder);
        blocking(move || platform::sync_folder(&folder)).await
    }

    async fn free_space(&self, folder: &ClientPath) -> io::Result<Option<u64>> {
        let folder = native(folder);
        blocking(move || platform::free_space(&folder)).await
    }
}

fn entry(name: String, metadata: &fs::Metadata) -> Entry {
    Entry {
        name,
        is_folder: metadata.is_dir(),
        size_bytes: metadata.len(),
        modified_at: metadata.modified().ok().map(DateTime::<Utc>::from),
    }
}

/// The path as the system's calls take it: on Windows in the form that knows no length limit.
fn native(path: &ClientPath) -> PathBuf {
    platform::native(path.as_path())
}

/// One handle, used by one call at a time.
struct LocalFile(Arc<Mutex<File>>);

impl LocalFile {
    fn new(file: File) -> LocalFile {
        LocalFile(Arc::new(Mutex::new(file)))
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut File) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let file = self.0.clone();
        blocking(move || work(&mut file.lock().unwrap_or_else(PoisonError::into_inner))).await
    }
}

#[async_trait]
impl ReadFile for LocalFile {
    async fn read_at(&mut self, offset: u64, limit: usize, mut buffer: Vec<u8>) -> io::Result<Vec<u8>> {
        self.with(move |file| {
            file.seek(SeekFrom::Start(offset))?;
            buffer.clear();
            buffer.reserve(limit);
            file.take(limit as u64).read_to_end(&mut buffer)?;
            Ok(buffer)
        })
        .await
    }
}

#[async_trait]
impl WriteFile for LocalFile {
    async fn append(&mut self, bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        self.with(move |file| {
            file.write_all(&bytes)?;
            Ok(bytes)
        })
        .await
    }

    async fn sync(&mut self) -> io::Result<()> {
        self.with(|file| file.sync_all()).await
    }
}

#[cfg(unix)]
mod platform {
    use super::*;
    use std::os::unix::ffi::OsStrExt;

    pub(super) fn native(path: &Path) -> PathBuf {
        path.to_path_buf()
    }

    /// A second name and then the first one's removal: the second fails where the name is taken, which a plain rename
    /// does not. File systems without links get a look and a rename.
    pub(super) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
        match fs::hard_link(from, to) {
            Ok(()) => fs::remove_file(from),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists || error.kind() == io::ErrorKind::NotFound => {
                Err(error)
            }
            Err(_) => match fs::symlink_metadata(to) {
                Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
                Err(error) if error.kind() == io::ErrorKind::NotFound => fs::rename(from, to),
                Err(error) => Err(error),
            },
        }
    }

    pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }

    pub(super) fn free_space(folder: &Path) -> io::Result<Option<u64>> {
        let path = std::ffi::CString::new(folder.as_os_str().as_bytes())?;
        let mut stats = std::mem::MaybeUninit::<libc::statvfs>::uninit();
        // SAFETY: the path ends with NUL, and the pointer is to room for one statvfs.
        if unsafe { libc::statvfs(path.as_ptr(), stats.as_mut_ptr()) } != 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: statvfs returned 0, so it has filled the structure.
        let stats = unsafe { stats.assume_init() };
        #[allow(clippy::unnecessary_cast)] // The widths differ by platform.
        Ok(Some(stats.f_bavail as u64 * stats.f_frsize as u64))
    }
}

#[cfg(windows)]
mod platform {
    use super::*;
    use std::os::windows::ffi::OsStrExt;

    #[link(name = "kernel32")]
    extern "system" {
        fn MoveFileExW(from: *const u16, to: *const u16, flags: u32) -> i32;
        fn GetDiskFreeSpaceExW(folder: *const u16, free_to_caller: *mut u64, total: *mut u64, free: *mut u64) -> i32;
    }

    /// Return only when the change is on the disk.
    const MOVEFILE_WRITE_THROUGH: u32 = 8;

    pub(super) fn native(path: &Path) -> PathBuf {
        super::verbatim(path.as_os_str().to_str().unwrap_or_default()).map_or_else(|| path.to_path_buf(), PathBuf::from)
    }

    fn wide(path: &Path) -> Vec<u16> {
        path.as_os_str().encode_wide().chain([0]).collect()
    }

    pub(super) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
        let (from, to) = (wide(from), wide(to));
        // SAFETY: both are wide texts that end with NUL and outlive the call.
        match unsafe { MoveFileExW(from.as_ptr(), to.as_ptr(), MOVEFILE_WRITE_THROUGH) } {
            0 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        }
    }

    /// The rename was written through already.
    pub(super) fn sync_folder(_: &Path) -> io::Result<()> {
        Ok(())
    }

    pub(super) fn free_space(folder: &Path) -> io::Result<Option<u64>> {
        let folder = wide(folder);
        let mut free = 0u64;
        // SAFETY: the text ends with NUL, the first pointer is to a live u64, and the others may be null.
        match unsafe { GetDiskFreeSpaceExW(folder.as_ptr(), &mut free, std::ptr::null_mut(), std::ptr::null_mut()) } {
            0 => Err(io::Error::last_os_error()),
            _ => Ok(Some(free)),
        }
    }
}

/// The verbatim form of a long absolute Windows path; `None` where the path is short, relative or verbatim already.
///
/// # Source
/// "Maximum Path Length Limitation": `\\?\C:\…`, `\\?\UNC\server\share\…`; in it, only `\` separates and `.` is a name.
#[cfg_attr(not(windows), allow(dead_code))]
fn verbatim(path: &str) -> Option<String> {
    const SHORT: usize = 240;
    let plain = path.replace('/', "\\");
    if plain.encode_utf16().count() < SHORT || plain.starts_with("\\\\?\\") || plain.starts_with("\\\\.\\") {
        return None;
    }
    if plain.split('\\').any(|part| part == "." || part == "..") {
        return None;
    }
    let bytes = plain.as_bytes();
    if let Some(share) = plain.strip_prefix("\\\\") {
        Some(format!("\\\\?\\UNC\\{share}"))
    } else if bytes.len() > 2 && bytes[0].is_ascii_alphabetic() && &bytes[1..3] == b":\\" {
        Some(format!("\\\\?\\{plain}"))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(path: PathBuf) -> ClientPath {
        ClientPath::new(path)
    }

    #[test]
    fn long_windows_paths_become_verbatim() {
        let tail = "x".repeat(300);
        assert_eq!(verbatim(&format!("C:\\{tail}")), Some(format!("\\\\?\\C:\\{tail}")));
        assert_eq!(verbatim(&format!("\\\\fs1/share\\{tail}")), Some(format!("\\\\?\\UNC\\fs1\\share\\{tail}")));
        for path in [
            "C:\\short".to_string(),
            format!("{tail}\\relative"),
            format!("\\\\?\\C:\\{tail}"),
            format!("C:\\..\\{tail}"),
        ] {
            assert_eq!(verbatim(&path), None, "{path}");
        }
    }

    #[tokio::test]
    async fn files_are_written_read_renamed_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (client(folder.path().join("a")), client(folder.path().join("b")));
        let system = LocalFileSystem;
        let mut file = system.create(&first).await.unwrap();
        file.append(b"0123456789".to_vec()).await.unwrap();
        file.sync().await.unwrap();
        drop(file);
        let mut file = system.reopen(&first, 4).await.unwrap();
        file.append(b"xy".to_vec()).await.unwrap();
        drop(file);
        let read = system.open(&first).await.unwrap().read_at(2, 100, Vec::new()).await.unwrap();
        assert_eq!(read, b"23xy");
        system.rename_new(&first, &second).await.unwrap();
        system.sync_folder(&client(folder.path().to_path_buf())).await.unwrap();
        assert_eq!(system.look(&first).await.unwrap(), None);
        assert_eq!(system.look(&second).await.unwrap().map(|e| e.size_bytes), Some(6));
        assert!(system.free_space(&client(folder.path().to_path_buf())).await.unwrap().is_some_and(|free| free > 0));
        system.remove(&second).await.unwrap();
        assert!(system.list(&client(folder.path().to_path_buf())).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_name_that_is_taken_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (client(folder.path().join("a")), client(folder.path().join("b")));
        fs::write(first.as_path(), "new").unwrap();
        fs::write(second.as_path(), "old").unwrap();
        let error = LocalFileSystem.rename_new(&first, &second).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(second.as_path()).unwrap(), b"old");
        assert!(LocalFileSystem.create(&first).await.is_err());
    }

    #[tokio::test]
    async fn ten_thousand_files_are_listed() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..10_000 {
            fs::File::create(folder.path().join(format!("mgc_{number:014}.trn"))).unwrap();
        }
        let entries = LocalFileSystem.list(&client(folder.path().to_path_buf())).await.unwrap();
        assert_eq!(entries.len(), 10_000);
    }
}
