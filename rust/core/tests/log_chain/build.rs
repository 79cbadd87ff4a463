//! Small pieces to build listings by hand.

use std::sync::Arc;

use chrono::{Duration, NaiveDate, NaiveDateTime};
use pchat_core::log_chain::{
    BackupType, Candidate, Header, Listing, Place, PlaceId, PlaceState, RedoPoint, SeenFile, Trouble, UnreadFile,
};
use pchat_core::names::{Lsn, ServerPath};
use uuid::Uuid;

pub const FAMILY: Uuid = Uuid::from_u128(7);

/// LSNs beyond 63 bits.
pub fn lsn(value: u64) -> Lsn {
    Lsn::new(42_000_000_001_700_000_000 + u128::from(value)).unwrap()
}

pub fn fork(letter: char) -> Uuid {
    Uuid::from_u128(u128::from(u32::from(letter)))
}

/// A moment of the day, UTC.
pub fn at(minutes: i64) -> NaiveDateTime {
    NaiveDate::from_ymd_opt(2026, 3, 14).unwrap().and_hms_opt(0, 0, 0).unwrap() + Duration::minutes(minutes)
}

/// `mgc_20260314000500.trn` for minute 5.
pub fn file_name(minutes: i64) -> String {
    format!("mgc_{}.trn", at(minutes).format("%Y%m%d%H%M%S"))
}

/// A log backup on fork A, taken in that minute by a writer an hour ahead of UTC.
pub fn header(minutes: i64, first: u64, last: u64) -> Header {
    let local = at(minutes) + Duration::hours(1);
    Header {
        backup_type: BackupType::Log,
        database_name: "mgc".into(),
        family_id: FAMILY,
        first_lsn: lsn(first),
        last_lsn: lsn(last),
        first_fork_id: fork('A'),
        last_fork_id: fork('A'),
        fork_point_lsn: None,
        backup_set_id: Uuid::from_u128(u128::from(first) << 64 | u128::from(last) << 32 | minutes as u128),
        media_set_id: Uuid::nil(),
        family_count: 1,
        family_number: 1,
        position: 1,
        size_bytes: 1000,
        started_at: local,
        finished_at: local + Duration::seconds(20),
        server_name: r"P\RTC".into(),
        has_checksums: true,
        is_damaged: false,
        is_copy_only: false,
        is_tail: false,
        begins_log_chain: false,
        software_major: 11,
    }
}

/// The same on another fork.
pub fn on_fork(letter: char, header: Header) -> Header {
    Header { first_fork_id: fork(letter), last_fork_id: fork(letter), ..header }
}

/// The same spanning a fork point.
pub fn spanning(from: char, to: char, point: u64, header: Header) -> Header {
    Header { first_fork_id: fork(from), last_fork_id: fork(to), fork_point_lsn: Some(lsn(point)), ..header }
}

pub fn folder(place: PlaceId) -> ServerPath {
    ServerPath::new(match place.0 {
        0 => r"E:\LSCopy".to_string(),
        1 => r"\\fs1\LogShip".to_string(),
        more => format!(r"E:\Extra{more}"),
    })
}

pub fn candidate(place: PlaceId, minutes: i64, header: Header) -> Candidate {
    let name = file_name(minutes);
    Candidate {
        path: folder(place).join(&name),
        name: name.into(),
        place,
        header: Arc::new(header),
        file_bytes: 4096,
        modified_at: Some(at(minutes) + Duration::seconds(20)),
        trouble: None,
    }
}

pub fn unread(place: PlaceId, minutes: i64, trouble: Trouble) -> UnreadFile {
    let name = file_name(minutes);
    UnreadFile {
        path: folder(place).join(&name),
        name: name.into(),
        place,
        file_bytes: 4096,
        modified_at: Some(at(minutes)),
        trouble,
    }
}

pub fn seen(place: PlaceId, minutes: i64) -> SeenFile {
    let name = file_name(minutes);
    SeenFile {
        path: folder(place).join(&name),
        name: name.into(),
        place,
        size_bytes: 4096,
        modified_at: Some(at(minutes) + Duration::seconds(20)),
    }
}

pub fn listed(places: &[PlaceId]) -> Vec<Place> {
    places.iter().map(|id| Place { id: *id, path: folder(*id), state: PlaceState::Listed }).collect()
}

/// Files on a share and in a copy folder that can both be listed.
pub fn listing(candidates: Vec<Candidate>) -> Listing {
    Listing {
        places: listed(&[PlaceId::COPY_FOLDER, PlaceId::SHARE]),
        candidates,
        writer_offset_minutes: Some(60),
        ..Listing::default()
    }
}

/// A redo point on fork A whose family is known.
pub fn redo(value: u64) -> RedoPoint {
    RedoPoint { family_id: Some(FAMILY), ..RedoPoint::new(lsn(value), fork('A')) }
}

pub fn malformed() -> Trouble {
    Trouble::Malformed("error 3241".into())
}
