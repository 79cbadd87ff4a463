//! The world moves while a run works: what was true at its start is asked again before anything is final.

use std::path::{Path, PathBuf};
use std::process::Child;

use serde_json::{json, Value};

use crate::harness::{folder, started, Ended, Situation};

fn newest(folder: &Path) -> PathBuf {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("the folder").filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "trn"));
    files.sort();
    files.pop().expect("a log backup")
}

/// A scenario file like `small` without a monitor, which would know every log backup.
fn without_monitor(folder: &Path) -> String {
    let scenario = json!({
        "name": "no-monitor",
        "primary_site_lost": true,
        "log_shipping": {"log_backups": 4, "not_copied": 1, "not_restored": 3, "monitor": null},
    });
    let file = folder.join("scenario.json");
    std::fs::write(&file, scenario.to_string()).expect("the scenario");
    file.display().to_string()
}

fn result(run: Child) -> Value {
    let output = run.wait_with_output().expect("it ends");
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().last().and_then(|line| serde_json::from_str(line).ok()).unwrap_or_else(|| panic!("no result: {text}"))
}

#[test]
fn a_primary_that_comes_back_during_the_restore_stops_the_run_before_recovery() {
    let situation = Situation::start("small");
    let run = started(&situation);
    situation.ask("primary_site_back");
    let ended = result(run);
    assert_eq!(ended["outcome"], "refused", "{ended:#}");
    assert!(ended["error"]["message"].as_str().is_some_and(|text| text.contains("PrimaryIsDown")), "{ended:#}");
    assert_eq!(situation.state_of("B\\RTC"), "RESTORING");
    assert_eq!(situation.ask("truth")["destructive"].get("log_shipping"), None);
    let jobs = situation.ask("state")["instances"]["B\\RTC"]["jobs"].clone();
    assert!(jobs.as_array().is_some_and(|jobs| jobs.iter().all(|job| job["enabled"] == json!(true))), "{jobs}");
}

#[test]
fn a_share_lost_during_the_restore_stops_the_run_before_recovery() {
    let situation = Situation::start("small");
    let run = started(&situation);
    situation.fault("share_lost", json!({"share": "\\\\FS1\\LogShip"}));
    let ended = result(run);
    assert_eq!(ended["error"]["code"], json!(4004), "{ended:#}");
    assert_eq!(situation.state_of("B\\RTC"), "RESTORING");
    assert_eq!(situation.ask("truth")["destructive"].get("log_shipping"), None);
}

/// A run that is cut off at the point, and whose resume is refused (5003) for a log backup that came to the share meanwhile.
fn stopped_by_a_late_log_backup(situation: &Situation, place: &Path, point: &str) -> Ended {
    let late = newest(&folder(situation, "\\\\FS1\\LogShip"));
    let aside = place.join("late");
    std::fs::copy(&late, &aside).expect("put aside");
    std::fs::remove_file(&late).expect("put aside");
    situation.run_cut_off_at(point, &[]);
    std::fs::copy(&aside, &late).expect("it appears");
    let resumed = situation.run("resume", &[]);
    resumed.expect(3);
    assert_eq!(resumed.error_code(), 5003, "{}", resumed.message());
    resumed
}

#[test]
fn a_log_backup_that_appears_after_the_removal_is_not_left_out() {
    let place = tempfile::tempdir().expect("a folder");
    let situation = Situation::start(&without_monitor(place.path()));
    let resumed = stopped_by_a_late_log_backup(&situation, place.path(), "log_shipping.removed");
    assert_eq!(situation.state_of("B\\RTC"), "RESTORING");
    // The way out that it names works, and the file is restored.
    assert!(resumed.message().contains("Invoke-PChatFailover"), "{}", resumed.message());
    let before = situation.ask("truth")["copies"]["B\\RTC"]["count"].as_u64();
    situation.run("failover", &[("/ignore_witness", json!(["ShareFiles"]))]).expect(0);
    situation.assert_failed_over();
    assert!(situation.ask("truth")["copies"]["B\\RTC"]["count"].as_u64() > before);
}

#[test]
fn a_wrong_folder_for_a_share_that_the_instance_cannot_see_does_not_pass_for_an_empty_one() {
    let place = tempfile::tempdir().expect("a folder");
    let situation = Situation::start(&without_monitor(place.path()));
    situation.fault("share_denied", json!({"share": "\\\\FS1\\LogShip", "account": "service"}));
    let elsewhere = place.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).expect("a folder");
    let map = json!([
        {"from": "\\\\FS1\\LogShip", "to": elsewhere.display().to_string()},
        {"from": "\\\\FS2\\mirror", "to": folder(&situation, "\\\\FS2\\mirror").display().to_string()},
        {"from": "E:\\LSCopy", "to": folder(&situation, "E:\\LSCopy").display().to_string()},
    ]);
    let ended = situation.run("failover", &[("/folders/path_map", map)]);
    ended.expect(3);
    assert!(ended.message().contains("ShareReadable"), "{}", ended.message());
    assert_eq!(situation.effects(), Vec::<String>::new());
}

#[test]
fn the_copy_folders_text_on_the_wrong_disk_is_refused_and_nothing_is_left_there() {
    let situation = Situation::start("small");
    let wrong = tempfile::tempdir().expect("a folder");
    let right = folder(&situation, "E:\\LSCopy");
    for entry in std::fs::read_dir(&right).expect("the copy folder").flatten() {
        std::fs::copy(entry.path(), wrong.path().join(entry.file_name())).expect("the same files");
    }
    let count = || std::fs::read_dir(wrong.path()).expect("the folder").count();
    let before = count();
    let map = json!([
        {"from": "\\\\FS1\\LogShip", "to": folder(&situation, "\\\\FS1\\LogShip").display().to_string()},
        {"from": "E:\\LSCopy", "to": wrong.path().display().to_string()},
    ]);
    let ended = situation.run("failover", &[("/folders/path_map", map)]);
    ended.expect(3);
    assert_eq!(ended.error_code(), 5007, "{}", ended.message());
    assert_eq!(count(), before, "no marker, no journal, no copy");
    assert_eq!(situation.effects(), Vec::<String>::new());
}

#[test]
fn a_resume_that_a_witness_stops_says_to_give_up_first_where_that_is_possible() {
    let place = tempfile::tempdir().expect("a folder");
    let situation = Situation::start(&without_monitor(place.path()));
    let resumed = stopped_by_a_late_log_backup(&situation, place.path(), "restore.done");
    assert!(resumed.message().contains("`Undo-PChatRun -RunId"), "{}", resumed.message());
    // The way that it names, in its order.
    let named = [("/ignore_witness", json!(["ShareFiles"]))];
    let beside = situation.run("failover", &named);
    assert_eq!(beside.error_code(), 7010, "{}", beside.message());
    situation.run("undo", &[]).expect(0);
    situation.run("failover", &named).expect(0);
    situation.assert_failed_over();
}
