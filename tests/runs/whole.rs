//! The failover from its first check to users being served.

use serde_json::json;

use crate::harness::Situation;

#[test]
fn primary_lost_with_files_not_copied_and_not_restored_ends_with_users_served() {
    let situation = Situation::start("primary-lost");
    let done = situation.run("failover", &[]);
    done.expect(0);
    assert_eq!(done.document["outcome"], "done");
    situation.assert_failed_over();
    let steps: Vec<&str> =
        done.document["steps"].as_array().into_iter().flatten().filter_map(|step| step["name"].as_str()).collect();
    let order = [
        "quiesce_jobs",
        "copy_and_restore",
        "gate",
        "remove_log_shipping",
        "recover",
        "pool_state",
        "mirror",
        "active_servers",
        "log_backups",
    ];
    let found: Vec<&str> = steps.iter().copied().filter(|name| order.contains(name)).collect();
    assert_eq!(found, order, "{steps:?}");
    // What the run reported as the end of the data is what the lab's truth says.
    let truth = situation.ask("truth");
    let lost = truth["lost_on_backup"]["count"].as_u64().expect("a count");
    assert!(lost > 0, "the unfinished newest file and the tail are lost: {truth}");
    assert!(done.document["loss"]["recovered_to_lsn"].is_string());
    // A second call finds nothing to do, or refuses: the database is online. It never runs twice.
    let again = situation.run("failover", &[]);
    assert!(matches!(again.code, Some(3 | 7)), "{:#}", again.document);
    situation.assert_failed_over();
}

#[test]
fn a_read_only_call_changes_nothing_on_the_lab() {
    let situation = Situation::start("small");
    situation.ask("primary_site_lost");
    let before = situation.effects();
    situation.run("plan", &[]).expect(0);
    situation.run("check", &[]).expect(0);
    assert_eq!(situation.effects(), before);
    assert!(std::fs::read_dir(situation.journal.path()).map_or(true, |mut d| d.next().is_none()), "no journal either");
}

#[test]
fn mirror_set_up_fails_and_users_get_in_all_the_same() {
    let situation = Situation::start("mirror-setup-fails");
    let ended = situation.run("failover", &[]);
    ended.expect(4);
    assert_eq!(ended.document["outcome"], "incomplete");
    assert_eq!(ended.error_code(), 6006, "{}", ended.message());
    situation.assert_failed_over();
    let users = situation.ask("truth")["users"]["in"].clone();
    assert_eq!(users, json!(true));
}

#[test]
fn a_second_operator_is_refused_and_told_who_holds_the_run() {
    let situation = Situation::start("small");
    situation.ask("primary_site_lost");
    situation.fault("slow_restore", json!({"instance": "B\\RTC", "bytes_per_second": 20_000}));
    let mut first = situation.command("failover", &[]).spawn().expect("the first operator");
    let held = (0..1200).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        situation.effects().iter().any(|effect| effect.contains("restore_started") || effect.contains("job_"))
    });
    assert!(held, "the first run has begun");
    let second = situation.run("failover", &[]);
    second.expect(6);
    assert_eq!(second.error_code(), 5008);
    assert!(second.message().contains("PersistentChatFailover"), "{}", second.message());
    first.kill().expect("the first operator's shell dies");
    first.wait().expect("it ended");
}

/// How often the set-up of the mirror was sent with the switch that replaces a database there.
fn replacements(situation: &Situation) -> usize {
    let truth = situation.ask("truth");
    let calls = truth["native_calls"].as_array().cloned().unwrap_or_default();
    let replaces = |call: &serde_json::Value| {
        call["call"]["name"] == "Install-CsMirrorDatabase"
            && call["call"]["parameters"]["DropExistingDatabasesOnMirror"] == json!(true)
    };
    calls.iter().filter(|call| replaces(call)).count()
}

#[test]
fn a_mirror_that_the_run_itself_left_half_way_is_replaced_when_it_is_resumed() {
    let situation = Situation::start("mirror-setup-fails");
    situation.run("failover", &[]).expect(4);
    assert_eq!(situation.state_of("BM\\RTC"), "RESTORING", "the failed try left a copy");
    assert_eq!(replacements(&situation), 0);
    situation
        .lab
        .control(&json!({"command": "fault", "name": "mirror_setup_fails", "on": false}))
        .expect("the cause is removed");
    let resumed = situation.run("resume", &[]);
    resumed.expect(0);
    assert_eq!(replacements(&situation), 1);
    situation.assert_failed_over();
    let mirror = situation.ask("state")["instances"]["B\\RTC"]["databases"][0]["mirroring"].clone();
    assert_eq!(mirror["state"], "SYNCHRONIZED", "{mirror}");
}
