//! The gate: what opens it, what keeps it shut, and in which words.

use chrono::Duration;
use pchat_core::log_chain::{gate, AcceptedLoss, Listing, PlaceId, PlaceState};
use pchat_core::{Error, ErrorKind};

use crate::build::*;

const SHARE: PlaceId = PlaceId::SHARE;

fn share_lost() -> Listing {
    let mut listing = listing(vec![candidate(PlaceId::COPY_FOLDER, 10, header(10, 100, 200))]);
    listing.places[1].state = PlaceState::Unreachable("the network path was not found".into());
    listing
}

fn refusal(redo_lsn: u64, listing: &Listing, accepted: Option<&str>) -> Error {
    let accepted = accepted.map(AcceptedLoss::new);
    gate::open(r"B\RTC", "mgc", &redo(redo_lsn), listing, accepted.as_ref()).expect_err("shut")
}

#[test]
fn opens_over_a_proved_end_and_remembers_for_what() {
    let listing = listing(vec![candidate(SHARE, 10, header(10, 100, 200))]);
    let permit = gate::open(r"B\RTC", "mgc", &redo(200), &listing, None).unwrap();
    assert_eq!((permit.sql_instance(), permit.database(), permit.redo_lsn()), (r"B\RTC", "mgc", lsn(200)));
    assert_eq!(permit.accepted_loss(), None);
}

#[test]
fn stays_shut_without_any_look_at_a_share() {
    assert_eq!(refusal(200, &Listing::default(), None).kind, ErrorKind::ShareUnreachable);
}

#[test]
fn a_log_backup_that_was_not_restored_keeps_it_shut() {
    let listing = listing(vec![candidate(SHARE, 10, header(10, 100, 200)), candidate(SHARE, 20, header(20, 200, 300))]);
    let error = refusal(200, &listing, None);
    assert_eq!(error.kind, ErrorKind::DataLossNotAccepted);
    assert!(error.message.contains("`mgc_20260314002000.trn` fits and has not been restored"), "{error}");
    assert!(error.next.contains("-AcceptDataLoss 42000000001700000200"), "{error}");
    // The end that the files would reach is not the end that recovery would bring.
    assert_eq!(refusal(200, &listing, Some(&lsn(300).to_string())).kind, ErrorKind::DataLossNotAccepted);
    let accepted = AcceptedLoss::new(lsn(200).to_string());
    assert!(gate::open(r"B\RTC", "mgc", &redo(200), &listing, Some(&accepted)).is_ok());
}

#[test]
fn a_lost_share_is_told_with_time_lsn_and_the_value_to_give() {
    assert_eq!(
        refusal(200, &share_lost(), None).to_string(),
        "PCHAT4004: `mgc` would be recovered to LSN 42000000001700000200 (last recovered log backup finished \
         2026-03-14T00:10:20Z). `\\\\fs1\\LogShip` cannot be read (the network path was not found): later log backups may lie \
         there. `mgc` was not recovered and still takes log backups. Make the share readable; then run the command again. To \
         lose everything after LSN 42000000001700000200, give `-AcceptDataLoss 42000000001700000200` or \
         `2026-03-14T00:10:20Z`."
    );
}

#[test]
fn the_loss_is_accepted_by_lsn_in_either_notation_or_by_time() {
    for value in
        [lsn(200).to_string(), lsn(200).parts(), "2026-03-14T00:10:20Z".into(), " 2026-03-14t00:10:20z ".into()]
    {
        let accepted = AcceptedLoss::new(value.as_str());
        let permit = gate::open(r"B\RTC", "mgc", &redo(200), &share_lost(), Some(&accepted)).expect(&value);
        assert!(permit.accepted_loss().is_some_and(|text| text.contains("later log backups may lie there")));
    }
}

#[test]
fn anything_else_is_refused_with_the_value_to_give() {
    for value in ["", "true", "*", "200", "2026-03-14T00:10:21Z", "2026-03-14", "2026-03-14T01:10:20", "x\u{7}"] {
        let error = refusal(200, &share_lost(), Some(value));
        assert_eq!(error.kind, ErrorKind::DataLossNotAccepted, "{value}");
        assert!(error.next.contains("-AcceptDataLoss 42000000001700000200"), "{error}");
        assert!(!error.message.contains('\u{7}'));
    }
}

#[test]
fn without_a_known_offset_the_writers_own_time_is_shown_and_taken() {
    let mut listing = share_lost();
    listing.writer_offset_minutes = None;
    let error = refusal(200, &listing, None);
    assert!(error.message.contains("finished 2026-03-14T01:10:20, its writer's time"), "{error}");
    assert_eq!(refusal(200, &listing, Some("2026-03-14T00:10:20Z")).kind, ErrorKind::DataLossNotAccepted);
    let accepted = AcceptedLoss::new("2026-03-14T01:10:20");
    assert!(gate::open(r"B\RTC", "mgc", &redo(200), &listing, Some(&accepted)).is_ok());
}

#[test]
fn an_unfinished_newest_file_needs_no_acceptance() {
    let mut listing = listing(vec![candidate(SHARE, 10, header(10, 100, 200))]);
    listing.unread = vec![unread(SHARE, 20, malformed())];
    assert!(gate::open(r"B\RTC", "mgc", &redo(200), &listing, None).is_ok());
    // Two of them: the older one was finished, or its writer would not have gone on.
    listing.unread.push(unread(SHARE, 30, malformed()));
    assert_eq!(refusal(200, &listing, None).kind, ErrorKind::LogBackupUnreadable);
}

#[test]
fn history_alone_tells_the_time_where_no_file_does() {
    let mut listing = share_lost();
    listing.candidates.clear();
    let mut redo = redo(200);
    redo.finished_at = Some(at(70) + Duration::seconds(20));
    let error = gate::open(r"B\RTC", "mgc", &redo, &listing, None).expect_err("shut");
    assert!(error.message.contains("2026-03-14T00:10:20Z"), "{error}");
}
