//! Killed at a named point, finished by another process: the same end, and nothing destructive twice.

use serde_json::json;

use crate::harness::{cut_off_at, Situation};

/// Cuts a run off at a point, then resumes it.
fn cut_off_and_resumed(point: &str) {
    // Recovery must last long enough to be cut off in: the drill's database is large enough for that.
    let situation = Situation::start(if point == "recover.sent" { "primary-lost" } else { "small" });
    situation.ask("primary_site_lost");
    // The points lie where the instance shows the statement at work, so it must last longer than the pause between two looks.
    let slow = json!({"instance": "B\\RTC", "bytes_per_second": 8_000});
    let is_slow = matches!(point, "restore.sent" | "restore.middle");
    if is_slow {
        situation.fault("slow_restore", slow.clone());
    }
    let cut = situation.run_cut_off_at(point, &[]);
    assert_ne!(cut.code, Some(0), "{point} was not reached: {:#}", cut.document);
    assert!(cut.document.get("outcome").is_none(), "{point}: the process ended by itself: {:#}", cut.document);
    if is_slow {
        situation.control(json!({"command": "fault", "name": "slow_restore", "on": false, "args": slow}));
    }
    let resumed = situation.run("resume", &[]);
    assert_eq!(resumed.code, Some(0), "{point}: {:#}", resumed.document);
    situation.assert_failed_over();
    let truth = situation.ask("truth");
    let effects = situation.effects();
    // Recovery starts a new fork: it happened once, however often the run was cut off.
    let recoveries = effects.iter().filter(|e| e.starts_with("B\\RTC database_state") && e.contains("Online")).count();
    assert!(recoveries <= 1, "{point}: {effects:#?}");
    assert_eq!(truth["users"]["in"], json!(true), "{point}: {truth:#}");
    // The run is closed: there is nothing left to resume.
    let again = situation.run("resume", &[]);
    assert!(matches!(again.code, Some(2 | 7)), "{point}: {:#}", again.document);
}

cut_off_at! {
    after_the_jobs_were_disabled: "jobs_disabled";
    in_mid_copy: "copy.middle";
    with_a_restore_sent: "restore.sent";
    in_mid_restore: "restore.middle";
    between_two_restores: "restore.done";
    after_log_shipping_was_removed: "log_shipping.removed";
    between_end_of_connections_and_recovery: "connections.ended";
    with_recovery_sent: "recover.sent";
    after_recovery: "recover.done";
    between_pool_state_and_active_servers: "pool_state.set";
    after_the_mirror: "mirror.installed";
    after_the_active_servers: "active_servers.set";
    after_the_log_backup_job: "log_backup_job.created";
    in_a_journal_write: "journal.append.torn:5";
}

#[test]
fn resumed_from_the_second_copy_alone() {
    let situation = Situation::start("small");
    situation.ask("primary_site_lost");
    let second = tempfile::tempdir().expect("a folder");
    let copy = json!(second.path().display().to_string());
    situation.run_cut_off_at("log_shipping.removed", &[("/journal/journal_copy_path", copy.clone())]);
    std::fs::remove_dir_all(situation.journal.path()).expect("the first copy is lost with its machine");
    let resumed =
        situation.run("resume", &[("/journal/journal_path", copy), ("/journal/no_journal_copy", json!(true))]);
    resumed.expect(0);
    situation.assert_failed_over();
}

#[test]
fn given_up_before_log_shipping_is_removed_everything_is_as_it_was() {
    let situation = Situation::start("small");
    situation.ask("primary_site_lost");
    let jobs = situation.ask("state")["instances"]["B\\RTC"]["jobs"].clone();
    situation.run_cut_off_at("restore.done", &[]);
    let undone = situation.run("undo", &[]);
    undone.expect(0);
    assert_eq!(situation.state_of("B\\RTC"), "RESTORING");
    let enabled = |jobs: &serde_json::Value| -> Vec<(String, String)> {
        jobs.as_array().into_iter().flatten().map(|job| (job["name"].to_string(), job["enabled"].to_string())).collect()
    };
    let after = situation.ask("state")["instances"]["B\\RTC"]["jobs"].clone();
    assert!(!enabled(&jobs).is_empty(), "{jobs}");
    assert_eq!(enabled(&after), enabled(&jobs));
    assert_eq!(situation.ask("truth")["destructive"].get("log_shipping"), None);
}

#[test]
fn given_up_after_log_shipping_was_removed_is_refused() {
    let situation = Situation::start("small");
    situation.ask("primary_site_lost");
    situation.run_cut_off_at("log_shipping.removed", &[]);
    let undone = situation.run("undo", &[]);
    undone.expect(3);
    assert_eq!(undone.error_code(), 5014);
    situation.run("resume", &[]).expect(0);
    situation.assert_failed_over();
}
