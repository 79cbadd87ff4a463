//! Corners: what seldom happens, and must end well all the same.

use std::path::Path;

use serde_json::{json, Value};

use crate::harness::{folder, started, Situation};

#[test]
fn a_monitor_that_dies_in_mid_run_does_not_hold_the_removal_up() {
    let situation = Situation::start("small");
    let run = started(&situation);
    situation.fault("monitor_dead", json!({"stall_milliseconds": 200}));
    let output = run.wait_with_output().expect("it ends");
    let text = String::from_utf8_lossy(&output.stdout);
    let ended: Value = text.lines().last().and_then(|line| serde_json::from_str(line).ok()).expect("a result");
    assert_eq!(ended["outcome"], "done", "{ended:#}");
    situation.assert_failed_over();
}

#[test]
fn a_slow_rollback_of_a_reader_is_waited_for() {
    let situation = Situation::start("standby-200-readers");
    situation.ask("primary_site_lost");
    situation.fault("slow_rollback", json!({"instance": "B\\RTC", "milliseconds": 3000}));
    situation.run("failover", &[]).expect(0);
    situation.assert_failed_over();
}

#[test]
fn a_disk_that_is_full_in_mid_restore_stops_the_run_and_room_lets_it_go_on() {
    let situation = Situation::start("small");
    let run = started(&situation);
    let full = json!({"host": "B", "drive": "E", "free_bytes": 1000});
    situation.fault("no_space", full.clone());
    let output = run.wait_with_output().expect("it ends");
    let failed = output.status.code() != Some(0);
    let off = json!({"command": "fault", "name": "no_space", "on": false, "args": full});
    situation.lab.control(&off).expect("there is room again");
    if failed {
        let effects = situation.effects();
        assert_eq!(situation.ask("truth")["destructive"].get("database_state"), None, "{effects:#?}");
        let resumed = situation.run("resume", &[]);
        if resumed.code != Some(0) {
            situation.run("failover", &[]).expect(0);
        }
    }
    situation.assert_failed_over();
}

/// A scenario like `small` whose backup is a default instance.
fn with_default_instance(place: &Path) -> String {
    let named = |role: &str, host: &str| json!({"role": role, "host": host, "name": "RTC"});
    let scenario = json!({
        "name": "default-instance",
        "primary_site_lost": true,
        "log_shipping": {"log_backups": 3, "not_copied": 1, "not_restored": 2},
        "instances": [
            named("primary", "P"),
            named("primary_mirror", "PM"),
            {"role": "backup", "host": "B"},
            {"role": "backup_mirror", "host": "BM"},
            {"role": "monitor", "host": "MON"},
        ],
        "pool": {"stores": {
            "backup": {"fqdn": "b.contoso.com", "instance": "B"},
            "backup_mirror": {"fqdn": "bm.contoso.com", "instance": "BM"},
        }},
    });
    let file = place.join("scenario.json");
    std::fs::write(&file, scenario.to_string()).expect("the scenario");
    file.display().to_string()
}

#[test]
fn a_default_instance_is_failed_over_to() {
    let place = tempfile::tempdir().expect("a folder");
    let situation = Situation::start(&with_default_instance(place.path()));
    let set = [("/target/sql_instance", json!("B")), ("/backup_mirror_sql_instance", json!("BM"))];
    situation.run("failover", &set).expect(0);
    assert_eq!(situation.state_of("B"), "ONLINE");
    assert_eq!(situation.ask("state")["pool"]["pool_state"], "FailedOver");
    assert_eq!(situation.ask("unknown_statements"), json!([]));
}

/// The share as this machine sees it, without its newest log backup.
fn stale_map(situation: &Situation, place: &Path) -> Value {
    let stale = place.join("stale");
    std::fs::create_dir(&stale).expect("a folder");
    let share = folder(situation, "\\\\FS1\\LogShip");
    let mut files: Vec<_> = std::fs::read_dir(share).expect("the share").flatten().map(|e| e.path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "trn"));
    files.sort();
    for file in &files[..files.len() - 1] {
        std::fs::copy(file, stale.join(file.file_name().expect("a name"))).expect("an old copy");
    }
    json!([
        {"from": "\\\\FS1\\LogShip", "to": stale.display().to_string()},
        {"from": "\\\\FS2\\mirror", "to": folder(situation, "\\\\FS2\\mirror").display().to_string()},
        {"from": "E:\\LSCopy", "to": folder(situation, "E:\\LSCopy").display().to_string()},
    ])
}

#[test]
fn a_stale_folder_for_the_share_does_not_pass_as_complete_where_the_monitor_knows_more() {
    let place = tempfile::tempdir().expect("a folder");
    let situation = Situation::start("small");
    situation.ask("primary_site_lost");
    situation.fault("share_denied", json!({"share": "\\\\FS1\\LogShip", "account": "service"}));
    let map = stale_map(&situation, place.path());
    let ended = situation.run("failover", &[("/folders/path_map", map)]);
    ended.expect(3);
    assert!(ended.message().contains("LogChain"), "{}", ended.message());
    assert_eq!(situation.state_of("B\\RTC"), "RESTORING");
}

#[test]
fn a_stale_folder_for_the_share_counts_as_no_share_where_nobody_proves_it() {
    let place = tempfile::tempdir().expect("a folder");
    let situation = Situation::start("small");
    situation.ask("primary_site_lost");
    situation.fault("share_denied", json!({"share": "\\\\FS1\\LogShip", "account": "service"}));
    situation.fault("blackhole", json!({"instance": "MON"}));
    let map = [("/folders/path_map", stale_map(&situation, place.path()))];
    let ended = situation.run("failover", &map);
    ended.expect(3);
    assert_eq!(ended.error_code(), 4004, "{}", ended.message());
    assert!(ended.message().contains("-PathMap"), "{}", ended.message());
    assert_eq!(situation.effects(), Vec::<String>::new());
    // What may be lost is accepted by name; what the folder holds is restored all the same.
    let plan = situation.run("plan", &map).document;
    let accepted = ("/accept_data_loss", plan["loss"]["accept_value"].clone());
    situation.run("failover", &[map[0].clone(), accepted]).expect(0);
    situation.assert_failed_over();
}

#[test]
fn the_value_that_an_unproved_share_shows_is_taken_though_its_files_reach_further() {
    let situation = Situation::start("small");
    situation.ask("primary_site_lost");
    situation.fault("share_denied", json!({"share": "\\\\FS1\\LogShip", "account": "service"}));
    situation.fault("refuse", json!({"instance": "MON"}));
    let ended = situation.run("failover", &[]);
    ended.expect(3);
    assert_eq!(ended.error_code(), 4004, "{}", ended.message());
    let loss = situation.run("plan", &[]).document["loss"].clone();
    let done = situation.run("failover", &[("/accept_data_loss", loss["accept_value"].clone())]);
    done.expect(0);
    situation.assert_failed_over();
    let reached = done.document["loss"]["recovered_to_lsn"].to_string();
    let planned = loss["recovered_to_lsn"].to_string();
    assert!(reached > planned, "{:#} after {loss:#}", done.document["loss"]);
}

#[test]
fn a_folder_that_shows_the_monitors_newest_log_backup_is_the_share() {
    let situation = Situation::start("small");
    situation.ask("primary_site_lost");
    situation.fault("share_denied", json!({"share": "\\\\FS1\\LogShip", "account": "service"}));
    situation.run("failover", &[]).expect(0);
    situation.assert_failed_over();
}

#[test]
fn a_stale_folder_for_the_share_loses_nothing_where_the_instance_sees_the_share_itself() {
    let place = tempfile::tempdir().expect("a folder");
    let situation = Situation::start("small");
    situation.ask("primary_site_lost");
    let map = stale_map(&situation, place.path());
    let ended = situation.run("failover", &[("/folders/path_map", map)]);
    if ended.code == Some(0) {
        situation.assert_failed_over();
        let whole = Situation::start("small");
        whole.ask("primary_site_lost");
        whole.run("failover", &[]).expect(0);
        let kept = |situation: &Situation| situation.ask("truth")["copies"]["B\\RTC"]["count"].clone();
        assert_eq!(kept(&situation), kept(&whole));
    } else {
        ended.expect(3);
        assert_eq!(situation.state_of("B\\RTC"), "RESTORING");
    }
}
