//! A copy of a log backup is damaged, and the share holds a whole one.

use std::path::{Path, PathBuf};

use serde_json::{json, Value};

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

/// The newest file was never finished, and nobody can ask the monitor which one was finished last.
fn unfinished_without_monitor() -> Situation {
    let situation = Situation::start("primary-lost");
    situation.fault("refuse", json!({"instance": "MON"}));
    situation
}

/// The copy job takes the unfinished file like any other, and the record names it as copied.
fn copied_by_the_job(situation: &Situation) {
    situation.control(json!({"command": "clock", "pass_seconds": 2700}));
    let on_share = log_backups(&folder(situation, "\\\\FS1\\LogShip")).pop().expect("the unfinished file");
    assert_eq!(newest_copy(situation).file_name(), on_share.file_name(), "the copy job copied it");
}

/// The warning that nobody tells whether the newest file was ever finished.
fn is_warned(document: &Value) -> bool {
    let checks = document["checks"].as_array().cloned().unwrap_or_default();
    checks.iter().any(|check| check["name"] == "LogChain" && check["state"] == "warning")
}

#[test]
fn an_unfinished_file_that_the_runs_own_copy_job_takes_along_does_not_stop_the_run() {
    let situation = unfinished_without_monitor();
    // This machine sees neither the share nor the copy folder.
    let mirror = folder(&situation, "\\\\FS2\\mirror").display().to_string();
    let map = json!([{"from": "\\\\FS2\\mirror", "to": mirror}]);
    let map = [("/folders/path_map", map), ("/journal/no_journal_copy", json!(true))];
    let plan = situation.run("plan", &map).document;
    assert_eq!(plan["can_run"], json!(true), "{:#}", plan["checks"]);
    assert!(is_warned(&plan), "{:#}", plan["checks"]);
    situation.run("failover", &map).expect(0);
    situation.assert_failed_over();
}

#[test]
fn an_unfinished_file_that_was_copied_before_the_run_does_not_stop_it() {
    let situation = unfinished_without_monitor();
    copied_by_the_job(&situation);
    let plan = situation.run("plan", &[]).document;
    assert_eq!(plan["can_run"], json!(true), "{:#}", plan["checks"]);
    assert!(is_warned(&plan), "{:#}", plan["checks"]);
    situation.run("failover", &[]).expect(0);
    situation.assert_failed_over();
}

#[test]
fn a_copied_file_that_the_share_no_longer_shows_may_have_been_whole() {
    let situation = unfinished_without_monitor();
    copied_by_the_job(&situation);
    let on_share = log_backups(&folder(&situation, "\\\\FS1\\LogShip")).pop().expect("the unfinished file");
    std::fs::remove_file(on_share).expect("removed");
    let before = situation.effects();
    let ended = situation.run("failover", &[]);
    ended.expect(3);
    assert_eq!(ended.error_code(), 4002, "{}", ended.message());
    assert_eq!(situation.effects(), before);
}
