//! Verdicts, order and places, case by case.

use pchat_core::log_chain::{
    prove, Chain, Doubt, KnownEnd, Listing, PlaceId, PlaceState, SetStatus, Trouble, UnreadStatus, Verdict,
};
use pchat_core::names::ServerPath;
use pchat_core::ErrorKind;
use uuid::Uuid;

use crate::build::*;

const COPY: PlaceId = PlaceId::COPY_FOLDER;
const SHARE: PlaceId = PlaceId::SHARE;

fn names(chain: &Chain, listing: &Listing) -> Vec<String> {
    chain.restore.iter().map(|link| link.name(listing).to_string()).collect()
}

#[test]
fn restores_in_lsn_order_from_the_redo_point() {
    // Names and times run against the LSNs.
    let listing = listing(vec![
        candidate(SHARE, 10, header(10, 300, 400)),
        candidate(SHARE, 20, header(20, 200, 300)),
        candidate(SHARE, 30, header(30, 100, 200)),
        candidate(SHARE, 5, header(5, 50, 100)),
    ]);
    let chain = prove(&redo(150), &listing);
    assert_eq!(names(&chain, &listing), [file_name(30), file_name(20), file_name(10)]);
    assert_eq!((chain.end.lsn, &chain.verdict, chain.is_proved()), (lsn(400), &Verdict::Complete, true));
    let wanted = [SetStatus::Needed, SetStatus::Needed, SetStatus::Needed, SetStatus::Restored];
    assert_eq!(chain.status, wanted);
}

#[test]
fn nothing_to_restore_is_complete() {
    let listing = listing(vec![candidate(SHARE, 10, header(10, 100, 200)), candidate(SHARE, 20, header(20, 200, 200))]);
    let chain = prove(&redo(200), &listing);
    assert!(chain.restore.is_empty() && chain.is_proved());
    assert_eq!(chain.status, [SetStatus::Restored, SetStatus::Restored]);
    assert_eq!(chain.end_file, Some(file_name(10)), "an empty log backup ends nothing");
}

#[test]
fn a_gap_names_files_and_lsns() {
    let listing = listing(vec![
        candidate(COPY, 10, header(10, 100, 200)),
        candidate(SHARE, 30, header(30, 300, 400)),
        candidate(SHARE, 40, header(40, 400, 500)),
    ]);
    let chain = prove(&redo(100), &listing);
    assert_eq!(chain.status, [SetStatus::Needed, SetStatus::BehindGap, SetStatus::BehindGap]);
    assert_eq!(chain.doubts.len(), 1);
    assert_eq!(chain.doubts[0].kind(), ErrorKind::LogBackupMissing);
    assert_eq!(
        chain.verdict.to_string(),
        "A log backup is missing after LSN 42000000001700000200, where `mgc_20260314001000.trn` ends: the next one known, \
         `mgc_20260314003000.trn`, begins at LSN 42000000001700000300 (started 2026-03-14 01:30:00, its writer's time). What \
         lies between, and everything behind it, cannot be restored. Another backup tool may hold the missing range."
    );
}

#[test]
fn an_empty_log_backup_behind_a_hole_shows_the_hole() {
    let listing = listing(vec![candidate(SHARE, 30, header(30, 300, 300))]);
    assert!(matches!(prove(&redo(100), &listing).verdict, Verdict::Gap { .. }));
}

#[test]
fn the_copy_folder_comes_first_and_the_share_stays_known() {
    let mut listing =
        listing(vec![candidate(SHARE, 10, header(10, 100, 200)), candidate(COPY, 10, header(10, 100, 200))]);
    listing.candidates[1].path = ServerPath::new(r"\\zz\copied");
    let chain = prove(&redo(100), &listing);
    assert_eq!(chain.restore[0].stripes[0].sources[..], [1, 0]);
    assert_eq!(chain.status, [SetStatus::SpareCopy, SetStatus::Needed]);

    // The copy turns out damaged: the share takes its place.
    listing.candidates[1].trouble = Some(malformed());
    let chain = prove(&redo(100), &listing);
    assert_eq!(chain.restore[0].stripes[0].sources[..], [0]);
    assert_eq!(chain.status, [SetStatus::Needed, SetStatus::Damaged]);
    assert!(chain.is_proved());

    // Both are: that is a loss, and no gap.
    listing.candidates[0].trouble = Some(malformed());
    let chain = prove(&redo(100), &listing);
    let Verdict::Damaged { file, first_lsn, .. } = &chain.verdict else { panic!("{:?}", chain.verdict) };
    assert_eq!((file.as_str(), *first_lsn), (file_name(10).as_str(), lsn(100)));
    assert_eq!(chain.doubts[0].kind(), ErrorKind::LogBackupDamaged);
}

#[test]
fn a_copy_only_backup_fills_in_and_is_covered_otherwise() {
    let mut copy_only = candidate(SHARE, 15, header(15, 100, 180));
    std::sync::Arc::make_mut(&mut copy_only.header).is_copy_only = true;
    let mut listing = listing(vec![copy_only, candidate(SHARE, 20, header(20, 100, 200))]);
    let chain = prove(&redo(100), &listing);
    assert_eq!(chain.status, [SetStatus::Covered, SetStatus::Needed]);

    listing.candidates[1].trouble = Some(malformed());
    let chain = prove(&redo(100), &listing);
    assert_eq!((chain.status[0], chain.end.lsn), (SetStatus::Needed, lsn(180)));
    assert!(matches!(chain.verdict, Verdict::Damaged { .. }));
}

#[test]
fn several_sets_in_a_file_keep_their_positions() {
    let mut second = header(10, 200, 300);
    second.position = 2;
    let listing = listing(vec![candidate(SHARE, 10, second), candidate(SHARE, 10, header(10, 100, 200))]);
    let chain = prove(&redo(100), &listing);
    let positions: Vec<u32> = chain.restore.iter().map(|link| link.header.position).collect();
    assert_eq!(positions, [1, 2]);
}

#[test]
fn stripes_are_gathered_over_places_and_counted() {
    let stripe = |number| {
        let mut header = header(10, 100, 200);
        (header.family_count, header.family_number, header.media_set_id) = (3, number, Uuid::from_u128(5));
        header
    };
    let mut listing = listing(vec![
        candidate(SHARE, 10, stripe(3)),
        candidate(COPY, 11, stripe(1)),
        candidate(SHARE, 12, stripe(2)),
        candidate(COPY, 13, stripe(3)),
    ]);
    let chain = prove(&redo(100), &listing);
    let files: Vec<u32> = chain.restore[0].stripes.iter().map(|stripe| stripe.sources[0]).collect();
    assert_eq!(files, [1, 2, 3]);
    assert!(chain.is_proved());

    listing.candidates.remove(2);
    let chain = prove(&redo(100), &listing);
    let Verdict::StripeMissing { present, count, .. } = &chain.verdict else { panic!("{:?}", chain.verdict) };
    assert_eq!((present.as_slice(), *count), ([1, 3].as_slice(), 3));
}

#[test]
fn a_file_that_spans_a_fork_point_leads_over_it() {
    // The primary was restored to 250 and went on from there; what it had written on the old path is dead.
    let listing = listing(vec![
        candidate(SHARE, 10, header(10, 100, 200)),
        candidate(SHARE, 20, header(20, 200, 300)),
        candidate(SHARE, 30, spanning('A', 'B', 250, header(30, 200, 290))),
        candidate(SHARE, 40, on_fork('B', header(40, 290, 350))),
    ]);
    let chain = prove(&redo(100), &listing);
    assert_eq!(names(&chain, &listing), [file_name(10), file_name(30), file_name(40)]);
    assert_eq!((chain.status[1], chain.end.fork_id, chain.is_proved()), (SetStatus::DeadPath, fork('B'), true));
}

#[test]
fn at_the_fork_point_either_fork_fits() {
    for letter in ['A', 'B'] {
        let listing = listing(vec![candidate(SHARE, 30, spanning('A', 'B', 250, header(30, 200, 290)))]);
        let mut redo = redo(250);
        redo.fork_id = fork(letter);
        assert_eq!(prove(&redo, &listing).end.lsn, lsn(290), "fork {letter}");
    }
}

#[test]
fn a_tail_before_the_fork_that_history_tells_is_restored_and_what_was_written_behind_it_is_not() {
    // A switch was given up: the tail ends at 300, the source was recovered there, and a mirror's set-up took the set that
    // spans the fork into a folder where nobody looks.
    let tail = listing(vec![candidate(SHARE, 30, header(30, 200, 300))]);
    let mut redo = redo(350);
    redo.fork_id = fork('B');
    assert!(!prove(&redo, &tail).is_proved(), "without history nobody knows");
    redo.came_from = Some((fork('A'), lsn(300)));
    let chain = prove(&redo, &tail);
    assert_eq!((chain.status[0], chain.is_proved()), (SetStatus::Restored, true));
    redo.came_from = Some((fork('A'), lsn(299)));
    assert!(!prove(&redo, &tail).is_proved(), "one record of it is in no copy");
}

#[test]
fn a_database_on_a_dead_path_is_told_so() {
    let listing = listing(vec![
        candidate(SHARE, 20, header(20, 200, 300)),
        candidate(SHARE, 30, spanning('A', 'B', 250, header(30, 200, 290))),
    ]);
    let chain = prove(&redo(300), &listing);
    assert_eq!(chain.status, [SetStatus::Restored, SetStatus::OtherPath]);
    assert_eq!(chain.doubts[0].kind(), ErrorKind::RecoveryPathDiffers);
}

#[test]
fn an_unconnected_path_counts_as_dead_by_its_age_alone() {
    let ours = || candidate(SHARE, 600, header(600, 300, 400));
    let other = |minutes| candidate(SHARE, minutes, on_fork('X', header(minutes, 900, 990)));
    assert!(prove(&redo(300), &listing(vec![ours(), other(400)])).is_proved(), "hours older");
    assert!(!prove(&redo(300), &listing(vec![ours(), other(550)])).is_proved(), "too near to tell");
    assert!(!prove(&redo(300), &listing(vec![ours(), other(700)])).is_proved(), "newer");
}

#[test]
fn other_databases_and_other_backups_are_passed_over() {
    let mut foreign = header(50, 100, 200);
    foreign.family_id = Uuid::from_u128(8);
    let mut full = header(60, 100, 200);
    full.backup_type = pchat_core::log_chain::BackupType::Database;
    let listing = listing(vec![candidate(SHARE, 50, foreign), candidate(SHARE, 60, full)]);
    let chain = prove(&redo(100), &listing);
    assert_eq!(chain.status, [SetStatus::OtherDatabase, SetStatus::NotLog]);
    assert!(chain.is_proved() && chain.restore.is_empty());
}

#[test]
fn the_newest_half_written_file_is_an_inherent_loss() {
    let mut listing = listing(vec![candidate(SHARE, 10, header(10, 100, 200))]);
    listing.unread = vec![unread(SHARE, 20, malformed())];
    let chain = prove(&redo(100), &listing);
    assert!(chain.is_proved());
    assert_eq!(chain.unread_status, [UnreadStatus::Unfinished]);
    assert!(chain.unfinished_text().contains("Nobody confirms that"), "{}", chain.unfinished_text());
    listing.known_end = known(10);
    let chain = prove(&redo(100), &listing);
    assert!(chain.is_proved());
    assert_eq!(
        chain.unfinished_text(),
        "The newest file, `mgc_20260314002000.trn`, was never finished (error 3241); what it was to hold is lost with the \
         primary."
    );
}

#[test]
fn half_a_file_in_the_middle_is_no_inherent_loss() {
    let mut listing =
        listing(vec![candidate(SHARE, 10, header(10, 100, 200)), candidate(SHARE, 30, header(30, 300, 400))]);
    listing.unread = vec![unread(SHARE, 20, malformed())];
    let chain = prove(&redo(100), &listing);
    assert_eq!(chain.unread_status, [UnreadStatus::Damaged]);
    assert!(matches!(chain.verdict, Verdict::Gap { .. }));
    assert!(chain.doubts.iter().any(|doubt| matches!(doubt, Doubt::UnreadableFile { .. })), "{:?}", chain.doubts);
    assert_eq!(chain.unfinished, None);
}

#[test]
fn an_unreadable_file_is_harmless_when_older_or_known_from_elsewhere() {
    let mut listing =
        listing(vec![candidate(COPY, 10, header(10, 100, 200)), candidate(SHARE, 20, header(20, 200, 300))]);
    listing.unread =
        vec![unread(SHARE, 10, malformed()), unread(SHARE, 5, Trouble::Unreadable("access denied".into()))];
    let chain = prove(&redo(100), &listing);
    assert_eq!(chain.unread_status, [UnreadStatus::Harmless, UnreadStatus::Harmless]);
    assert!(chain.is_proved());

    listing.unread = vec![unread(SHARE, 40, Trouble::Unreadable("access denied".into()))];
    let chain = prove(&redo(100), &listing);
    assert_eq!(chain.doubts[0].kind(), ErrorKind::LogBackupUnreadable);
}

#[test]
fn a_growing_file_says_that_somebody_is_alive() {
    let mut listing = listing(vec![candidate(SHARE, 10, header(10, 100, 200))]);
    listing.unread = vec![unread(SHARE, 20, Trouble::Growing("4096 bytes, then 8192".into()))];
    let chain = prove(&redo(100), &listing);
    assert_eq!(chain.doubts[0].kind(), ErrorKind::PrimaryAlive);
    assert!(chain.unfinished.is_some());
}

#[test]
fn a_header_of_an_unfinished_file_tells_a_whole_backup_from_half_a_one() {
    let mut listing =
        listing(vec![candidate(SHARE, 10, header(10, 100, 200)), candidate(SHARE, 20, header(20, 200, 300))]);
    listing.candidates[1].trouble = Some(Trouble::Unfinished("error 3256".into()));
    let chain = prove(&redo(100), &listing);
    assert_eq!((chain.is_proved(), chain.status[1]), (true, SetStatus::Unfinished));

    // Finished once, unreadable now: what it held existed.
    listing.candidates[1].trouble = Some(malformed());
    assert!(matches!(prove(&redo(100), &listing).verdict, Verdict::Damaged { .. }));
}

#[test]
fn a_share_that_cannot_be_listed_is_a_doubt_and_so_is_none() {
    let mut listing = listing(vec![candidate(COPY, 10, header(10, 100, 200))]);
    listing.places[1].state = PlaceState::Unreachable("the network path was not found".into());
    let chain = prove(&redo(100), &listing);
    assert_eq!((&chain.verdict, chain.doubts.len()), (&Verdict::Complete, 1));
    assert_eq!(chain.doubts[0].kind(), ErrorKind::ShareUnreachable);

    listing.places.remove(1);
    assert_eq!(prove(&redo(100), &listing).doubts, [Doubt::ShareUnknown]);

    // The copy folder holds nothing that the share did not.
    listing.places = listed(&[COPY, SHARE]);
    listing.places[0].state = PlaceState::Unreachable("denied".into());
    assert!(prove(&redo(100), &listing).is_proved());
}

fn known(minutes: i64) -> Option<KnownEnd> {
    Some(KnownEnd { file_name: file_name(minutes), witness: r"MON\RTC".into(), is_newest: true })
}

#[test]
fn a_witness_of_a_later_file_is_a_doubt_until_the_file_is_found() {
    let mut listing =
        listing(vec![candidate(SHARE, 10, header(10, 100, 200)), candidate(SHARE, 20, header(20, 200, 300))]);
    listing.known_end = known(30);
    let chain = prove(&redo(100), &listing);
    assert!(matches!(&chain.doubts[..], [Doubt::WitnessKnowsLater { file, .. }] if *file == file_name(30)));

    listing.known_end = known(20);
    assert!(prove(&redo(100), &listing).is_proved(), "there");
    listing.known_end = known(5);
    assert!(prove(&redo(100), &listing).is_proved(), "older than what is there, cleaned away");
    listing.known_end = known(30);
    listing.unread = vec![unread(SHARE, 30, malformed())];
    assert!(!prove(&redo(100), &listing).is_proved(), "finished as the witness says, and not whole");
}

#[test]
fn an_unfinished_file_that_was_copied_is_no_later_log_backup() {
    let mut listing = listing(vec![candidate(SHARE, 10, header(10, 100, 200))]);
    listing.known_end = known(20).map(|end| KnownEnd { is_newest: false, ..end });
    listing.unread = vec![unread(COPY, 20, malformed()), unread(SHARE, 20, malformed())];
    let chain = prove(&redo(100), &listing);
    assert!(chain.is_proved(), "{:?}", chain.doubts);
    assert!(chain.unfinished.is_some_and(|file| !file.is_certain), "told as what nobody confirms");

    // Copied in parts: the writer went on for a while.
    listing.unread[0].file_bytes = 1024;
    assert!(prove(&redo(100), &listing).is_proved());
    let doubted = |listing: &Listing, why: &str| {
        let chain = prove(&redo(100), listing);
        assert!(chain.doubts.iter().any(|doubt| matches!(doubt, Doubt::WitnessKnowsLater { .. })), "{why}");
    };
    listing.unread[0].file_bytes = 8192;
    doubted(&listing, "the share's own was longer once");
    listing.unread[0].file_bytes = 4096;

    let mut gone = listing.clone();
    gone.unread.remove(1);
    doubted(&gone, "what lay on the share may have been whole");
    let mut dead = listing.clone();
    dead.places[1].state = PlaceState::Unreachable("nothing proves that it is that folder".into());
    doubted(&dead, "the share is not proved");
    let mut denied = listing.clone();
    denied.unread[1].trouble = Trouble::Unreadable("access denied".into());
    doubted(&denied, "what lies on the share cannot be told");
    let mut damaged = listing.clone();
    damaged.candidates.push(candidate(COPY, 20, header(20, 200, 300)));
    damaged.candidates[1].trouble = Some(malformed());
    doubted(&damaged, "a header shows that it was finished once");
    listing.known_end = known(20);
    doubted(&listing, "the monitor names what was finished");

    // With a header that tells the same.
    let cut = |place: PlaceId| {
        let mut file = candidate(place, 20, header(20, 200, 300));
        file.trouble = Some(Trouble::Unfinished("error 3256".into()));
        file
    };
    listing.known_end = known(20).map(|end| KnownEnd { is_newest: false, ..end });
    listing.unread.clear();
    listing.candidates.extend([cut(COPY), cut(SHARE)]);
    assert!(prove(&redo(100), &listing).is_proved());
}

#[test]
fn the_family_is_found_out_where_history_is_silent() {
    let mut foreign = on_fork('X', header(50, 100, 200));
    foreign.family_id = Uuid::from_u128(8);
    let listing = listing(vec![candidate(SHARE, 50, foreign), candidate(SHARE, 10, header(10, 100, 200))]);
    let mut redo = redo(100);
    redo.family_id = None;
    assert!(prove(&redo, &listing).is_proved());
}
