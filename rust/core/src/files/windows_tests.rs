//! What files are like on Windows: drives and shares, files that others hold, attributes, reserved names, case, long paths.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::windows::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::*;
use crate::error::ErrorKind;
use crate::host::Cancel;
use crate::names::{is_plain_file_name, ClientPath};

const NAME: &str = "mgc_20260314021500.trn";

/// "File Access Rights Constants", `dwShareMode` of `CreateFileW`.
const FILE_SHARE_READ: u32 = 1;
const FILE_SHARE_WRITE: u32 = 2;
/// "System Error Codes".
const ERROR_SHARING_VIOLATION: i32 = 32;

fn client(path: impl Into<PathBuf>) -> ClientPath {
    ClientPath::new(path)
}

/// A folder on a drive, with a share and a copy folder in it.
fn ground() -> (tempfile::TempDir, ClientPath, ClientPath) {
    let folder = tempfile::tempdir().unwrap();
    let (share, copy) = (folder.path().join("share"), folder.path().join("copy"));
    fs::create_dir(&share).unwrap();
    fs::create_dir(&copy).unwrap();
    (folder, client(share), client(copy))
}

async fn copy(from: &ClientPath, to: &ClientPath) -> crate::Result<Copied> {
    let copier = Copier::new(Arc::new(LocalFileSystem), CopySettings::default());
    let request =
        CopyRequest { from_folder: from.clone(), to_folder: to.clone(), name: NAME.into(), expected_size: None };
    copier.copy(&request, &Cancel::new(), &|_| {}).await
}

fn names(folder: &ClientPath) -> Vec<String> {
    fs::read_dir(folder.as_path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn drive_letter_separator_and_case_name_the_same_file() {
    let (_folder, share, copy_folder) = ground();
    fs::write(share.join(NAME).as_path(), b"backup").unwrap();
    let plain = share.as_path().to_str().unwrap();
    assert_eq!(&plain[1..3], ":\\", "a folder on a drive: {plain}");
    for other in [plain.replace('\\', "/"), plain.to_uppercase(), plain.to_lowercase(), format!("{plain}\\")] {
        let seen = LocalFileSystem.look(&client(&other).join(&NAME.to_uppercase())).await.unwrap();
        assert_eq!(seen.map(|entry| entry.size_bytes), Some(6), "{other}");
        assert_eq!(LocalFileSystem.list(&client(&other)).await.unwrap()[0].name, NAME, "{other}");
    }
    // What is there in another case is there.
    fs::write(copy_folder.join(&NAME.to_uppercase()).as_path(), b"backup").unwrap();
    assert_eq!(copy(&share, &copy_folder).await.unwrap().state, CopyState::AlreadyThere);
    assert_eq!(names(&copy_folder), [NAME.to_uppercase()]);
}

#[tokio::test]
async fn a_name_taken_in_another_case_is_never_overwritten() {
    let (_folder, _, folder) = ground();
    let (new, old) = (folder.join("new"), folder.join("Old.trn"));
    for read_only in [false, true] {
        fs::write(new.as_path(), b"new").unwrap();
        fs::write(old.as_path(), b"old").unwrap();
        set_read_only(old.as_path(), read_only);
        let error = LocalFileSystem.rename_new(&new, &folder.join("OLD.TRN")).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        let error = LocalFileSystem.create(&folder.join("oLD.trn")).await.err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(old.as_path()).unwrap(), b"old");
        set_read_only(old.as_path(), false);
    }
}

/// Where this library does replace a file it uses the standard rename, which takes the place of what is there.
#[test]
fn a_rename_over_a_file_replaces_it_whole() {
    let (_folder, _, folder) = ground();
    let (new, old) = (folder.join("new"), folder.join("old"));
    fs::write(new.as_path(), b"new").unwrap();
    fs::write(old.as_path(), b"old and longer").unwrap();
    fs::rename(new.as_path(), old.as_path()).unwrap();
    assert_eq!(fs::read(old.as_path()).unwrap(), b"new");
    assert_eq!(names(&folder), ["old"]);
}

#[tokio::test]
async fn a_file_that_another_program_keeps_to_itself_is_told_and_copied_once_it_is_free() {
    let (_folder, share, copy_folder) = ground();
    fs::write(share.join(NAME).as_path(), b"backup").unwrap();
    let holder = OpenOptions::new().read(true).share_mode(0).open(share.join(NAME).as_path()).unwrap();
    let refused = LocalFileSystem.open(&share.join(NAME)).await.err().unwrap();
    assert_eq!(refused.raw_os_error(), Some(ERROR_SHARING_VIOLATION));
    let error = copy(&share, &copy_folder).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::CopyFailed);
    assert!(error.message.contains("os error 32"), "{}", error.message);
    assert_eq!(names(&copy_folder), Vec::<String>::new());
    drop(holder);
    assert_eq!(copy(&share, &copy_folder).await.unwrap().state, CopyState::Copied);
}

#[tokio::test]
async fn a_file_that_is_open_elsewhere_is_read_beside_its_writer() {
    let (_folder, share, copy_folder) = ground();
    fs::write(share.join(NAME).as_path(), b"backup").unwrap();
    let mut sharing = OpenOptions::new();
    let _writer =
        sharing.write(true).share_mode(FILE_SHARE_READ | FILE_SHARE_WRITE).open(share.join(NAME).as_path()).unwrap();
    assert_eq!(copy(&share, &copy_folder).await.unwrap().state, CopyState::Copied);
    // A name that is in use cannot be given away: the file stays, and the error says so.
    let moved = LocalFileSystem.rename_new(&share.join(NAME), &share.join("archived.trn")).await;
    assert_eq!(moved.unwrap_err().raw_os_error(), Some(ERROR_SHARING_VIOLATION));
    assert_eq!(names(&share), [NAME]);
}

fn set_read_only(path: &Path, read_only: bool) {
    let mut rights = fs::metadata(path).unwrap().permissions();
    rights.set_readonly(read_only);
    fs::set_permissions(path, rights).unwrap();
}

#[tokio::test]
async fn a_read_only_file_is_copied_and_left_as_it_is() {
    let (_folder, share, copy_folder) = ground();
    let source = share.join(NAME);
    fs::write(source.as_path(), b"backup").unwrap();
    set_read_only(source.as_path(), true);
    assert_eq!(copy(&share, &copy_folder).await.unwrap().state, CopyState::Copied);
    assert_eq!(copy(&share, &copy_folder).await.unwrap().state, CopyState::AlreadyThere);
    assert_eq!(fs::read(source.as_path()).unwrap(), b"backup");
    assert!(fs::metadata(source.as_path()).unwrap().permissions().readonly());
    set_read_only(source.as_path(), false);
}

#[tokio::test]
async fn what_is_written_is_flushed_through_every_way_of_opening() {
    let (_folder, _, folder) = ground();
    let path = folder.join(NAME);
    let mut file = LocalFileSystem.create(&path).await.unwrap();
    file.append(b"0123456789".to_vec()).await.unwrap();
    file.sync().await.unwrap();
    // Seen by others before it is closed.
    assert_eq!(fs::read(path.as_path()).unwrap(), b"0123456789");
    drop(file);
    let mut file = LocalFileSystem.reopen(&path, 3).await.unwrap();
    file.sync().await.unwrap();
    assert_eq!(fs::read(path.as_path()).unwrap(), b"012");
    drop(file);
    LocalFileSystem.sync_folder(&folder).await.unwrap();
}

#[tokio::test]
async fn a_path_beyond_the_old_limit_is_a_path_like_others() {
    let (_folder, share, _) = ground();
    let mut deep = share.clone();
    while deep.as_path().as_os_str().len() < 300 {
        deep = deep.join("a folder of a server with a long name");
    }
    fs::create_dir_all(format!("\\\\?\\{deep}")).unwrap();
    fs::write(share.join(NAME).as_path(), b"backup").unwrap();
    let copied = copy(&share, &deep).await.unwrap();
    assert_eq!(copied.state, CopyState::Copied);
    assert_eq!(LocalFileSystem.list(&deep).await.unwrap()[0].name, NAME);
    LocalFileSystem.remove(&copied.path).await.unwrap();
}

/// No such name reaches the file system, where it would be a device in every folder.
#[tokio::test]
async fn a_name_that_windows_reserves_is_no_file_name() {
    let (_folder, share, copy_folder) = ground();
    let copier = Copier::new(Arc::new(LocalFileSystem), CopySettings::default());
    for name in ["NUL", "nul.trn", "con.trn", "Aux.bak", "PRN", "com1.trn", "LPT9.trn", "x.trn.", "x.trn ", "x:y"] {
        assert!(!is_plain_file_name(name), "{name}");
        let request = CopyRequest {
            from_folder: share.clone(),
            to_folder: copy_folder.clone(),
            name: name.into(),
            expected_size: None,
        };
        let error = copier.copy(&request, &Cancel::new(), &|_| {}).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidValue, "{name}");
    }
    // Reserved words inside a name are none.
    for name in ["console.trn", "nul_20260314021500.trn", "com10.trn", "auxiliary.bak"] {
        fs::write(share.join(name).as_path(), name).unwrap();
        let request = CopyRequest {
            from_folder: share.clone(),
            to_folder: copy_folder.clone(),
            name: name.into(),
            expected_size: None,
        };
        assert_eq!(copier.copy(&request, &Cancel::new(), &|_| {}).await.unwrap().state, CopyState::Copied, "{name}");
        assert_eq!(fs::read(copy_folder.join(name).as_path()).unwrap(), name.as_bytes());
    }
}

/// `PCHAT_TEST_SHARE` names an empty share that can be written to, as `\\server\share`; the test command gives one.
#[tokio::test]
async fn a_share_is_reached_by_its_name() {
    let Some(name) = std::env::var("PCHAT_TEST_SHARE").ok().filter(|name| !name.is_empty()) else { return };
    assert!(name.starts_with("\\\\"), "{name}");
    let (share, (_folder, local, _)) = (client(&name), ground());
    fs::write(local.join(NAME).as_path(), b"backup").unwrap();
    let copied = copy(&local, &share).await.unwrap();
    assert_eq!(copied.path.to_string(), format!("{name}\\{NAME}"));
    assert_eq!(LocalFileSystem.list(&client(name.replace('\\', "/"))).await.unwrap()[0].name, NAME);
    assert!(LocalFileSystem.free_space(&share).await.unwrap().is_some_and(|free| free > 0));
    LocalFileSystem.remove(&share.join(NAME)).await.unwrap();
}
