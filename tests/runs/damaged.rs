//! A copy of a log backup is damaged, and the share holds a whole one.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::harness::{folder, Situation};

/// The log backups of a folder, oldest first.
fn log_backups(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("the folder").flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "trn"));
    files.sort();
    files
}

/// The newest copy: copied, and not restored yet.
fn newest_copy(situation: &Situation) -> PathBuf {
    log_backups(&folder(situation, "E:\\LSCopy")).pop().expect("a copy")
}

#[test]
fn a_copy_that_was_cut_off_is_left_alone_and_the_whole_file_is_restored_from_the_share() {
    let situation = Situation::start("small");
    situation.ask("primary_site_lost");
    let copy = newest_copy(&situation);
    let whole = std::fs::read(&copy).expect("the copy");
    std::fs::write(&copy, &whole[..whole.len() / 2]).expect("cut off");
    situation.run("failover", &[]).expect(0);
    situation.assert_failed_over();
    assert_eq!(std::fs::read(&copy).expect("the copy").len(), whole.len() / 2, "nothing is written over it");
}

#[test]
fn a_copy_with_a_turned_bit_is_found_out_by_its_restore_and_the_share_serves() {
    let situation = Situation::start("small");
    situation.ask("primary_site_lost");
    situation.fault("damaged_file", json!({"instance": "B\\RTC", "folder": "E:\\LSCopy", "file": 0}));
    let done = situation.run("failover", &[]);
    done.expect(0);
    situation.assert_failed_over();
    // The same end as with a whole copy.
    let other = Situation::start("small");
    other.ask("primary_site_lost");
    other.run("failover", &[]).expect(0);
    let kept = |situation: &Situation| situation.ask("truth")["copies"]["B\\RTC"]["count"].clone();
    assert_eq!(kept(&situation), kept(&other));
}

#[test]
fn damaged_everywhere_it_stops_with_the_file_named_and_log_shipping_goes_on() {
    let situation = Situation::start("small");
    situation.ask("primary_site_lost");
    for at in ["E:\\LSCopy", "\\\\FS1\\LogShip"] {
        let name = newest_copy(&situation).file_name().expect("a name").to_string_lossy().into_owned();
        situation.fault("damaged_file", json!({"instance": "B\\RTC", "folder": at, "file": name}));
    }
    let stopped = situation.run("failover", &[]);
    assert_eq!(stopped.error_code(), 4003, "{:#}", stopped.document);
    assert!(stopped.message().contains(".trn"), "{}", stopped.message());
    assert_eq!(situation.state_of("B\\RTC"), "RESTORING");
    assert_eq!(situation.ask("truth")["destructive"].get("log_shipping"), None);
    let jobs = situation.ask("state")["instances"]["B\\RTC"]["jobs"].clone();
    assert!(jobs.as_array().is_some_and(|jobs| jobs.iter().all(|job| job["enabled"] == json!(true))), "{jobs}");
}
