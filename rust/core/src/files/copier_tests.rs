//! Copying under faults: what is under a final name is whole, whatever goes wrong.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::Duration;

use super::faulty::{Fault, FaultyFileSystem};
use super::*;
use crate::error::ErrorKind;
use crate::host::Cancel;
use crate::names::ClientPath;

const NAME: &str = "mgc_20260314021500.trn";
const CHUNK: usize = 4096;
const SYNC: u64 = 5 * 4096;

struct Ground {
    _folder: tempfile::TempDir,
    share: ClientPath,
    copy: ClientPath,
    system: Arc<FaultyFileSystem<LocalFileSystem>>,
    copier: Arc<Copier>,
}

fn ground() -> Ground {
    ground_with(CopySettings {
        chunk_bytes: CHUNK,
        sync_every_bytes: SYNC,
        stall_limit: Duration::from_millis(300),
        ..Default::default()
    })
}

fn ground_with(settings: CopySettings) -> Ground {
    let folder = tempfile::tempdir().unwrap();
    let (share, copy) = (folder.path().join("share"), folder.path().join("copy"));
    std::fs::create_dir(&share).unwrap();
    std::fs::create_dir(&copy).unwrap();
    let system = Arc::new(FaultyFileSystem::new(LocalFileSystem, None));
    let copier = Arc::new(Copier::new(system.clone(), settings));
    Ground { _folder: folder, share: ClientPath::new(share), copy: ClientPath::new(copy), system, copier }
}

/// Bytes that differ everywhere, so that a shifted or mixed copy shows.
fn content(seed: u32, size: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761).max(1);
    (0..size)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state as u8
        })
        .collect()
}

impl Ground {
    fn put(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.share.join(name).as_path(), bytes).unwrap();
    }

    fn request(&self, name: &str) -> CopyRequest {
        CopyRequest {
            from_folder: self.share.clone(),
            to_folder: self.copy.clone(),
            name: name.into(),
            expected_size: None,
        }
    }

    async fn copy(&self, name: &str) -> crate::Result<Copied> {
        self.copier.copy(&self.request(name), &Cancel::new(), &|_| {}).await
    }

    fn final_bytes(&self) -> Option<Vec<u8>> {
        std::fs::read(self.copy.join(NAME).as_path()).ok()
    }

    fn partial_size(&self) -> Option<u64> {
        std::fs::metadata(self.copy.join(&format!("{NAME}{PARTIAL_ENDING}")).as_path()).ok().map(|m| m.len())
    }
}

#[tokio::test]
async fn a_file_is_copied_whole_and_verified() {
    let ground = ground();
    for size in [0, 1, CHUNK, CHUNK * 3 + 17, SYNC as usize * 2] {
        let name = format!("mgc_{size}.trn");
        let bytes = content(7, size);
        ground.put(&name, &bytes);
        let copied = ground.copy(&name).await.unwrap();
        assert_eq!((copied.state, copied.size_bytes), (CopyState::Copied, size as u64));
        assert_eq!(std::fs::read(copied.path.as_path()).unwrap(), bytes);
    }
    let names: Vec<_> = std::fs::read_dir(ground.copy.as_path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names.len(), 5, "no partial copy is left: {names:?}");
}

#[tokio::test]
async fn the_same_file_is_left_alone_and_another_is_never_overwritten() {
    let ground = ground();
    ground.put(NAME, &content(1, 9000));
    assert_eq!(ground.copy(NAME).await.unwrap().state, CopyState::Copied);
    assert_eq!(ground.copy(NAME).await.unwrap().state, CopyState::AlreadyThere);
    for other in [content(2, 9000), content(1, 8999), Vec::new()] {
        std::fs::write(ground.copy.join(NAME).as_path(), &other).unwrap();
        let error = ground.copy(NAME).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::CopyFailed);
        assert!(error.message.contains("another file of this name"), "{}", error.message);
        assert_eq!(ground.final_bytes(), Some(other));
    }
}

#[tokio::test]
async fn a_share_lost_in_mid_copy_leaves_a_partial_that_is_taken_up() {
    let ground = ground();
    let bytes = content(3, SYNC as usize * 4);
    ground.put(NAME, &bytes);
    ground.system.set("share", Fault::LostAfter(SYNC * 2 + CHUNK as u64));
    let error = ground.copy(NAME).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::CopyFailed);
    assert_eq!(ground.final_bytes(), None);
    assert!(ground.partial_size().unwrap() >= SYNC * 2);
    ground.system.heal();
    let copied = ground.copy(NAME).await.unwrap();
    assert_eq!(copied.resumed_at, SYNC * 2);
    assert_eq!(ground.final_bytes(), Some(bytes));
    assert_eq!(ground.partial_size(), None);
}

#[tokio::test]
async fn a_partial_of_another_file_or_with_garbage_is_started_anew() {
    let bytes = content(4, SYNC as usize * 3);
    let mut torn = bytes[..SYNC as usize * 2].to_vec();
    let end = torn.len() - 1;
    torn[end] ^= 0x80;
    for partial in [content(5, SYNC as usize * 2), torn, content(4, SYNC as usize * 5)] {
        let ground = ground();
        ground.put(NAME, &bytes);
        std::fs::write(ground.copy.join(&format!("{NAME}{PARTIAL_ENDING}")).as_path(), partial).unwrap();
        assert_eq!(ground.copy(NAME).await.unwrap().resumed_at, 0);
        assert_eq!(ground.final_bytes().as_ref(), Some(&bytes));
    }
}

#[tokio::test]
async fn bytes_behind_the_last_flush_are_not_trusted() {
    let ground = ground();
    let bytes = content(6, SYNC as usize * 3);
    ground.put(NAME, &bytes);
    let mut partial = bytes[..SYNC as usize + 3 * CHUNK].to_vec();
    partial[SYNC as usize + 10..].fill(0);
    std::fs::write(ground.copy.join(&format!("{NAME}{PARTIAL_ENDING}")).as_path(), partial).unwrap();
    assert_eq!(ground.copy(NAME).await.unwrap().resumed_at, SYNC);
    assert_eq!(ground.final_bytes(), Some(bytes));
}

#[tokio::test]
async fn what_does_not_read_back_the_same_gets_no_final_name() {
    let ground = ground();
    ground.put(NAME, &content(8, 20_000));
    ground.system.set("copy", Fault::BitRot);
    let error = ground.copy(NAME).await.unwrap_err();
    assert!(error.message.contains("does not read back"), "{}", error.message);
    assert_eq!((ground.final_bytes(), ground.partial_size()), (None, None));
}

#[tokio::test]
async fn denied_full_and_hung_end_in_an_error_within_the_limit() {
    for (part, fault) in [
        ("share", Fault::Denied),
        ("copy", Fault::Denied),
        ("share", Fault::Hung),
        ("copy", Fault::Hung),
        ("copy", Fault::FullAfter(8192)),
    ] {
        let ground = ground();
        ground.put(NAME, &content(9, 30_000));
        ground.system.set(part, fault);
        let begun = std::time::Instant::now();
        let error = ground.copy(NAME).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::CopyFailed, "{part} {fault:?}");
        assert!(begun.elapsed() < Duration::from_secs(20), "{part} {fault:?}");
        assert_eq!(ground.final_bytes(), None, "{part} {fault:?}");
    }
}

#[tokio::test]
async fn a_source_of_another_size_than_planned_is_refused() {
    let ground = ground();
    ground.put(NAME, &content(10, 5000));
    let request = CopyRequest { expected_size: Some(6000), ..ground.request(NAME) };
    let error = ground.copier.copy(&request, &Cancel::new(), &|_| {}).await.unwrap_err();
    assert!(error.message.contains("5000 bytes instead of 6000"), "{}", error.message);
    assert_eq!(ground.partial_size(), None);
}

#[tokio::test]
async fn a_source_that_grows_meanwhile_gets_no_final_name() {
    let ground = ground();
    ground.put(NAME, &content(11, 50_000));
    let path = ground.share.join(NAME);
    let grow = move |progress: CopyProgress| {
        if progress.done_bytes == 50_000 {
            std::fs::write(path.as_path(), content(11, 60_000)).unwrap();
        }
    };
    let error = ground.copier.copy(&ground.request(NAME), &Cancel::new(), &grow).await.unwrap_err();
    assert!(error.message.contains("changed its size"), "{}", error.message);
    assert_eq!(ground.final_bytes(), None);
}

#[tokio::test]
async fn a_cancel_ends_between_chunks_and_at_once_where_a_call_hangs() {
    let ground = ground();
    ground.put(NAME, &content(12, 80_000));
    let cancel = Cancel::new();
    let seen = AtomicU64::new(0);
    let stop = |progress: CopyProgress| {
        seen.store(progress.done_bytes, Ordering::SeqCst);
        if progress.done_bytes >= 20_000 {
            cancel.cancel();
        }
    };
    let error = ground.copier.copy(&ground.request(NAME), &cancel, &stop).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Cancelled);
    assert!(seen.load(Ordering::SeqCst) < 80_000);
    assert_eq!(ground.final_bytes(), None);

    let ground = ground_with(CopySettings { stall_limit: Duration::from_secs(60), ..Default::default() });
    ground.put(NAME, b"x");
    ground.system.set("share", Fault::Hung);
    let cancel = Cancel::new();
    let stopper = cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        stopper.cancel();
    });
    let begun = std::time::Instant::now();
    let error = ground.copier.copy(&ground.request(NAME), &cancel, &|_| {}).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Cancelled);
    assert!(begun.elapsed() < Duration::from_secs(30), "long before the limit of a hanging call");
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_is_bad_input() {
    let ground = ground();
    for name in
        ["..\\x.trn", "../x.trn", "C:x.trn", "a/b.trn", "", "x.trn:stream", "con.trn", "x.trn.pchat-partial", "x\0.trn"]
    {
        let error = ground.copy(name).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidValue, "{name:?}");
    }
    assert_eq!(std::fs::read_dir(ground.copy.as_path()).unwrap().count(), 0);
}

#[tokio::test]
async fn parallel_copies_keep_one_rate() {
    let settings = CopySettings { max_bytes_per_second: Some(400_000), chunk_bytes: CHUNK, ..Default::default() };
    let ground = ground_with(settings);
    for number in 0..4 {
        ground.put(&format!("mgc_{number}.trn"), &content(number, 60_000));
    }
    let begun = std::time::Instant::now();
    let copies = (0..4).map(|number| {
        let (copier, request) = (ground.copier.clone(), ground.request(&format!("mgc_{number}.trn")));
        async move { copier.copy(&request, &Cancel::new(), &|_| {}).await }
    });
    for copied in futures_util::future::join_all(copies).await {
        assert_eq!(copied.unwrap().state, CopyState::Copied);
    }
    let seconds = begun.elapsed().as_secs_f64();
    assert!(seconds > 0.35, "240 kB at 400 kB/s took {seconds} s");
}

#[tokio::test]
async fn a_file_that_another_copier_finished_first_is_taken_as_it_is() {
    let ground = ground();
    let bytes = content(13, 50_000);
    ground.put(NAME, &bytes);
    let path = ground.copy.join(NAME);
    let whole = bytes.clone();
    let intrude = move |progress: CopyProgress| {
        if progress.done_bytes == 50_000 {
            std::fs::write(path.as_path(), &whole).unwrap();
        }
    };
    let copied = ground.copier.copy(&ground.request(NAME), &Cancel::new(), &intrude).await.unwrap();
    assert_eq!(copied.state, CopyState::AlreadyThere);
    assert_eq!((ground.final_bytes(), ground.partial_size()), (Some(bytes), None));
    assert!(Path::new(ground.copy.as_path()).exists());
}
