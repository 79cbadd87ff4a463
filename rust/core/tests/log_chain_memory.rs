//! What the log chain keeps in memory a file: the list of files, their headers, the listing and the proof together.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{Duration, NaiveDate};
use pchat_core::log_chain::{prove, BackupType, Header, HeaderBook, Place, PlaceId, PlaceState, RedoPoint, SeenFile};
use pchat_core::names::{Lsn, ServerPath};
use uuid::Uuid;

struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is handed on unchanged to the system's allocator; only a number is kept beside.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(now, Ordering::Relaxed);
        // SAFETY: the caller's promise about the layout holds for the system's allocator too.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the pointer came from the system's allocator with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes a file at the highest point of a proof over that many files, with everything that goes into it held.
fn bytes_a_file(count: u64) -> usize {
    let lsn = |value: u64| Lsn::new(42_000_000_001_700_000_000 + u128::from(value)).expect("within 25 digits");
    let start = NaiveDate::from_ymd_opt(2026, 3, 14).and_then(|day| day.and_hms_opt(0, 0, 0)).expect("a time");
    let before = NOW.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    let mut book = HeaderBook::default();
    let mut files = Vec::new();
    for number in 0..count {
        let at = start + Duration::minutes(number as i64);
        let name = format!("mgc_{}.trn", at.format("%Y%m%d%H%M%S"));
        let path = ServerPath::new(r"\\fs1.contoso.com\LogShip\mgc").join(&name);
        let file =
            SeenFile { name: name.into(), place: PlaceId::SHARE, path, size_bytes: 1 << 24, modified_at: Some(at) };
        let header = Header {
            backup_type: BackupType::Log,
            database_name: "mgc".into(),
            family_id: Uuid::from_u128(7),
            first_lsn: lsn(number * 10),
            last_lsn: lsn(number * 10 + 10),
            first_fork_id: Uuid::from_u128(1),
            last_fork_id: Uuid::from_u128(1),
            fork_point_lsn: None,
            backup_set_id: Uuid::from_u128(u128::from(number) + 1),
            media_set_id: Uuid::from_u128(u128::from(number) + 1),
            family_count: 1,
            family_number: 1,
            position: 1,
            size_bytes: 1 << 24,
            started_at: at,
            finished_at: at,
            server_name: r"SQL01.contoso.com\RTC".into(),
            has_checksums: true,
            is_damaged: false,
            is_copy_only: false,
            is_tail: false,
            begins_log_chain: false,
            software_major: 11,
        };
        book.insert(&file, Ok(vec![header]));
        files.push(file);
    }
    let share = Place { id: PlaceId::SHARE, path: ServerPath::new(r"\\fs1\LogShip"), state: PlaceState::Listed };
    let listing = book.listing(&files, vec![share], None);
    let chain = prove(&RedoPoint::new(lsn(0), Uuid::from_u128(1)), &listing);
    assert!(chain.is_proved() && chain.restore.len() == count as usize);
    (MOST.load(Ordering::Relaxed) - before) / count as usize
}

/// One test alone in this program, so that nothing else allocates meanwhile.
#[test]
fn at_most_a_kilobyte_a_file_where_every_file_is_needed() {
    for count in [100, 10_000] {
        let bytes = bytes_a_file(count);
        println!("{count} files: {bytes} bytes a file");
        assert!(bytes <= 1024, "{count} files: {bytes} bytes a file");
    }
}
