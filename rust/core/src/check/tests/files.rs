use super::{check_with, line};
use crate::document::FailoverRequest;
use crate::evidence::{sample, Evidence, LogShippingSource, Reading};
use crate::log_chain::{KnownEnd, PlaceId, PlaceState, Trouble};

/// The third log backup is nowhere.
fn without_the_third(e: &mut Evidence) {
    let name = sample::file_name(3);
    e.files.listing.candidates.retain(|candidate| *candidate.name != *name);
}

/// Nobody reads the share.
fn share_dead(e: &mut Evidence) {
    e.files.listing.candidates.retain(|candidate| candidate.place != PlaceId::SHARE);
    e.files.listing.places[1].state = PlaceState::Unreachable("network path not found".into());
    e.files.places[1].by_client = Reading::Unknown("network path not found".into());
    e.files.places[1].by_server = Reading::Unknown("network path not found".into());
}

/// The instance may not open the fourth log backup on the share.
fn fourth_closed(e: &mut Evidence) {
    let name = sample::file_name(4);
    e.files.listing.candidates.retain(|candidate| *candidate.name != *name);
    let trouble = Trouble::Unreadable("operating system error 5".into());
    e.files.listing.unread.push(sample::unread(4, PlaceId::SHARE, trouble));
}

/// This machine knows no way into the copy folder.
fn no_client_way(e: &mut Evidence) {
    e.files.places[0].client_path = None;
    e.files.places[0].is_candidate = false;
    e.files.places[0].by_client = Reading::NotAsked("no path is known".into());
}

#[test]
fn a_gap_names_files_and_range_and_what_would_be_lost() {
    let result = check_with("LogChain", |e, _| without_the_third(e));
    assert_eq!(line(&result), "failed 4002 gap: 1 log backup to restore, up to LSN 3000");
    for part in [
        "A log backup is missing after LSN 3000, where `mgc_20260314021500.trn` ends",
        "`mgc_20260314024500.trn`, begins at LSN 4000",
        "Everything after LSN 3000 would be lost.",
        "`-AdditionalLogBackupFolder`",
    ] {
        assert!(result.message.contains(part), "{part} in {}", result.message);
    }
}

#[test]
fn a_gap_goes_on_only_with_exactly_this_loss_accepted() {
    let with = |name: &str, value: Option<&str>| {
        check_with(name, |e: &mut Evidence, r: &mut FailoverRequest| {
            without_the_third(e);
            r.accept_data_loss = value.map(str::to_string);
        })
    };
    let asked = with("DataLoss", None);
    assert_eq!(line(&asked), "failed 5006 recovered to LSN 3000, 2026-03-14T02:16:00Z");
    assert!(asked.message.contains("give `-AcceptDataLoss 3000` or `2026-03-14T02:16:00Z`."), "{}", asked.message);
    let other = with("DataLoss", Some("4000"));
    assert_eq!(other.state, "failed");
    assert!(other.message.starts_with("`-AcceptDataLoss 4000` names another loss."));
    for value in ["3000", "0:0:3000", "2026-03-14T02:16:00Z"] {
        assert_eq!(with("DataLoss", Some(value)).state, "warning", "{value}");
        assert_eq!(with("LogChain", Some(value)).state, "warning", "{value}");
    }
}

#[test]
fn a_dead_share_is_refused_until_the_loss_is_accepted() {
    let with = |name: &str, value: Option<&str>| {
        check_with(name, |e, r| {
            share_dead(e);
            r.accept_data_loss = value.map(str::to_string);
        })
    };
    let result = with("ShareReadable", None);
    assert_eq!(line(&result), r"failed 4004 \\fs1\LogShip cannot be listed: network path not found");
    assert!(result.message.ends_with("To go on without it: `-AcceptDataLoss 4000`."), "{}", result.message);
    assert_eq!(line(&with("LogChain", None)), "passed - complete: 2 log backups to restore, LSN 2000 to 4000");
    assert_eq!(line(&with("DataLoss", None)), "failed 5006 recovered to LSN 4000, 2026-03-14T02:31:00Z");
    assert_eq!(with("ShareReadable", Some("4000")).state, "warning");
    assert_eq!(
        line(&with("DataLoss", Some("4000"))),
        "warning - recovered to LSN 4000, 2026-03-14T02:31:00Z, accepted by name"
    );
    assert_eq!(line(&with("CopyWay", None)), "passed - everything needed is in the copy folder");
}

#[test]
fn an_unfinished_newest_file_is_no_gap() {
    let result = check_with("LogChain", |e, _| {
        let trouble = Trouble::Unfinished("unexpected end of file".into());
        e.files.listing.unread.push(sample::unread(4, PlaceId::SHARE, trouble));
        e.files.listing.candidates.retain(|candidate| *candidate.name != *sample::file_name(4));
    });
    assert_eq!(
        line(&result),
        "passed - complete: 2 log backups to restore, LSN 2000 to 4000; newest file mgc_20260314024500.trn unfinished"
    );
}

#[test]
fn a_later_log_backup_that_the_monitor_knows_is_not_forgotten() {
    let result = check_with("LogChain", |e, _| {
        let file_name = "mgc_20260314030000.trn".to_string();
        e.files.listing.known_end = Some(KnownEnd { file_name, witness: "MON".into(), is_newest: true });
    });
    assert_eq!(
        line(&result),
        "failed 4002 complete, a later log backup is known: 3 log backups to restore, up to LSN 5000"
    );
}

#[test]
fn files_that_only_a_copy_opens_are_read_once_copied() {
    let result = check_with("LogChain", |e, _| fourth_closed(e));
    assert_eq!(
        line(&result),
        "passed - complete: 2 log backups to restore, LSN 2000 to 4000; 1 to be read once copied"
    );
    let loss = check_with("DataLoss", |e, _| fourth_closed(e));
    assert_eq!(loss.state, "passed");
    assert!(loss.message.contains("can be read only once copied"), "{}", loss.message);
}

#[test]
fn the_ways_for_the_files_come_in_their_order() {
    let way = |change: fn(&mut Evidence)| line(&check_with("CopyWay", |e, _| change(e)));
    assert_eq!(way(|_| {}), r"passed - 1 log backup copied to E:\LSCopy through /mnt/LSCopy");
    assert_eq!(way(no_client_way), "passed - 1 log backup copied by the job LSCopy_P_mgc");
    assert_eq!(
        way(|e| {
            no_client_way(e);
            e.log_shipping.source = LogShippingSource::Request;
        }),
        "passed - 1 log backup restored where they lie"
    );
}

#[test]
fn without_any_way_the_folder_is_not_proved() {
    let result = check_with("CopyWay", |e, _| {
        no_client_way(e);
        fourth_closed(e);
        e.log_shipping.source = LogShippingSource::Request;
    });
    assert_eq!(line(&result), "failed 5007 none");
    assert_eq!(
        result.message,
        "This machine cannot copy: it does not know how to open E:\\LSCopy of B\\RTC; `-PathMap` tells it; the copy job \
         cannot: log shipping is no longer configured; the instance cannot read mgc_20260314024500.trn on the share. \
         `-PathMap` tells where this machine sees the copy folder and the share."
    );
    let wrong_disk = check_with("CopyWay", |e, _| {
        fourth_closed(e);
        e.files.places[0].is_candidate = false;
        e.log_shipping.copy_job = None;
    });
    assert_eq!(line(&wrong_disk), "failed 5007 none");
    assert!(wrong_disk.message.contains(r"/mnt/LSCopy and E:\LSCopy of B\RTC do not show the same files"));
}
