//! How many headers are read, and what the reader remembers.

use pchat_core::log_chain::{
    is_log_backup_name, name_stamp, prove, search, utc_offset_minutes, HeaderBook, KnownEnd, PlaceId, SeenFile,
    SetStatus,
};

use crate::build::*;

const COPY: PlaceId = PlaceId::COPY_FOLDER;
const SHARE: PlaceId = PlaceId::SHARE;

/// One file a minute, each with a hundred LSNs.
fn header_of(minutes: i64) -> pchat_core::log_chain::Header {
    header(minutes, minutes as u64 * 100, minutes as u64 * 100 + 100)
}

/// Reads until enough is known; returns how many headers that took.
fn read_all(redo_lsn: u64, files: &[SeenFile], minutes: &[i64], book: &mut HeaderBook) -> usize {
    let mut count = 0;
    loop {
        let next = search::next_to_read(&redo(redo_lsn), files, book, None, 16);
        if next.is_empty() {
            return count;
        }
        for index in next {
            count += 1;
            book.insert(&files[index], Ok(vec![header_of(minutes[index])]));
        }
    }
}

#[test]
fn ten_thousand_files_need_few_headers() {
    let minutes: Vec<i64> = (0..10_000).collect();
    let files: Vec<SeenFile> = minutes.iter().map(|minute| seen(SHARE, *minute)).collect();
    let mut book = HeaderBook::default();
    let count = read_all(999_050, &files, &minutes, &mut book);
    assert!((11..=32).contains(&count), "{count} headers for ten files");
    let listing = book.listing(&files, listed(&[COPY, SHARE]), None);
    let chain = prove(&redo(999_050), &listing);
    assert_eq!((chain.restore.len(), chain.end.lsn, chain.is_proved()), (10, lsn(1_000_000), true));
    assert_eq!(listing.not_read_count, 10_000 - count);
    assert_eq!(listing.writer_offset_minutes, Some(60));

    // A later look with one new file reads that one.
    let (mut files, mut minutes) = (files, minutes);
    files.push(seen(SHARE, 10_000));
    minutes.push(10_000);
    assert_eq!(read_all(999_050, &files, &minutes, &mut book), 1);
}

#[test]
fn a_gap_is_told_only_after_everything_was_read() {
    let minutes: Vec<i64> = (0..200).filter(|minute| *minute != 195).collect();
    let files: Vec<SeenFile> = minutes.iter().map(|minute| seen(SHARE, *minute)).collect();
    let mut book = HeaderBook::default();
    assert_eq!(read_all(19_050, &files, &minutes, &mut book), 199);
}

#[test]
fn a_name_that_lies_is_found_by_its_time() {
    // The newest file carries an old name; the newest name an old time.
    let minutes: Vec<i64> = (0..100).collect();
    let mut files: Vec<SeenFile> = minutes.iter().map(|minute| seen(SHARE, *minute)).collect();
    files[99].name = "mgc_20200101000000.trn".into();
    files[98].modified_at = Some(at(1));
    let mut book = HeaderBook::default();
    read_all(9_750, &files, &minutes, &mut book);
    let chain = prove(&redo(9_750), &book.listing(&files, listed(&[SHARE]), None));
    assert_eq!((chain.end.lsn, chain.is_proved()), (lsn(10_000), true));
}

#[test]
fn one_reading_serves_all_copies_and_marks_stay_with_theirs() {
    let files = [seen(COPY, 0), seen(SHARE, 0)];
    let mut book = HeaderBook::default();
    assert_eq!(read_all(0, &files, &[0, 0], &mut book), 2, "one batch asks for both");
    let mut book = HeaderBook::default();
    book.insert(&files[1], Ok(vec![header_of(0)]));
    assert!(search::next_to_read(&redo(0), &files, &book, None, 16).is_empty());
    book.mark(&files[0], malformed());
    let listing = book.listing(&files, listed(&[COPY, SHARE]), None);
    assert_eq!(prove(&redo(0), &listing).status, [SetStatus::Damaged, SetStatus::Needed]);
    // Read anew and found whole.
    book.insert(&files[0], Ok(vec![header_of(0)]));
    let listing = book.listing(&files, listed(&[COPY, SHARE]), None);
    assert_eq!(prove(&redo(0), &listing).status, [SetStatus::Needed, SetStatus::SpareCopy]);
    // A copy that was replaced is another file.
    let replaced = SeenFile { size_bytes: 5000, ..files[0].clone() };
    assert!(book.headers(&replaced).is_none());
}

#[test]
fn the_file_that_a_witness_names_is_read_however_old_it_looks() {
    let minutes: Vec<i64> = (0..100).collect();
    let files: Vec<SeenFile> = minutes.iter().map(|minute| seen(SHARE, *minute)).collect();
    let known = KnownEnd { file_name: file_name(3).to_uppercase(), witness: "MON".into(), is_newest: true };
    let next = search::next_to_read(&redo(9_950), &files, &HeaderBook::default(), Some(&known), 4);
    assert_eq!(next, [3, 99, 98, 97]);
}

#[test]
fn names_and_stamps() {
    for name in ["mgc_20260314021500.trn", "a b.TRN", "mgc.bak"] {
        assert!(is_log_backup_name(name), "{name}");
    }
    for name in ["mgc_20260314021500.wrk", "mgc_20260314021500.trn.PCHAT-partial", ".hidden", "mgc.tuf"] {
        assert!(!is_log_backup_name(name), "{name}");
    }
    assert_eq!(name_stamp("mgc_20260314001000.trn"), Some(at(10)));
    assert_eq!(name_stamp("mgc_20261399001000.trn"), None);
    assert_eq!(name_stamp("mgc_120260314001000.trn"), None, "fifteen digits");
    assert_eq!(name_stamp("mgc.trn"), None);
    assert_eq!(utc_offset_minutes(&file_name(10), &header(10, 1, 2)), Some(60));
    assert_eq!(utc_offset_minutes(&file_name(17), &header(10, 1, 2)), None, "no quarter of an hour");
    let mut appended = header(10, 1, 2);
    appended.position = 2;
    assert_eq!(utc_offset_minutes(&file_name(10), &appended), None);
}
