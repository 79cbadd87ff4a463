//! Conference content restored through the built library, and believed only when the lab's content is really there.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{json, Value};

use crate::harness::{ended, Ended, Situation};

const DAMAGED: &str = "pool1.contoso.com";

fn restore(situation: &Situation, set: &[(&str, Value)]) -> Ended {
    situation.run("conference", set)
}

/// Meetings of the damaged pool whose content is there.
fn present(situation: &Situation) -> u64 {
    let content = situation.ask("state")["pool"]["conference_content"].clone();
    let pool = content.as_array().into_iter().flatten().find(|pool| pool["pool_fqdn"] == DAMAGED).cloned();
    pool.and_then(|pool| pool["present"].as_u64()).unwrap_or_else(|| panic!("no content of {DAMAGED}: {content}"))
}

/// The syncs that were started, by pool.
fn syncs(situation: &Situation) -> Vec<String> {
    let all = situation.effects();
    all.into_iter().filter(|effect| effect.contains("Invoke-CsBackupServiceSync")).collect()
}

fn native_fault(situation: &Situation, name: &str, command: &str, on: bool) {
    let fault = json!({"command": "fault", "name": name, "on": on, "args": {"command": command}});
    situation.lab.control(&fault).unwrap_or_else(|e| panic!("the fault {name}: {e}"));
}

fn crash(situation: &Situation, point: &str) {
    let mut command: Command = situation.command("conference", &[]);
    let output = command.env("PCHAT_CRASH_AT", point).output().expect("the host runs");
    assert!(!output.status.success(), "cut off at {point}");
}

#[test]
fn content_lost_in_one_pool_comes_back_from_its_partner() {
    let situation = Situation::start("conference-lost");
    assert_eq!(present(&situation), 0);
    let done = restore(&situation, &[]);
    done.expect(0);
    assert_eq!(present(&situation), 250);
    let syncs = syncs(&situation);
    assert_eq!(syncs.len(), 1, "{syncs:?}");
    let steps: Vec<&str> =
        done.document["steps"].as_array().into_iter().flatten().filter_map(|step| step["name"].as_str()).collect();
    assert_eq!(steps, ["start_sync", "wait_for_backup_service", "compare_stores", "report"]);
    assert_eq!(done.document["pool_fqdn"], "pool2.contoso.com");
    assert_eq!(done.document["damaged_pool_fqdn"], DAMAGED);
    let text = done.document["text"].as_str().unwrap_or_default();
    assert!(text.contains("No difference found between pool2.contoso.com and its backup pool."), "{text}");
}

#[test]
fn a_plan_changes_nothing_and_shows_the_sync_on_the_survivor() {
    let situation = Situation::start("conference-lost");
    let before = situation.effects();
    let plan = situation.run("plan-conference", &[]);
    assert_eq!(situation.effects(), before);
    assert_eq!(plan.document["can_run"], json!(true), "{:#}", plan.document["checks"]);
    let command = &plan.document["steps"][0]["native_commands"][0];
    assert_eq!(
        command,
        "PChatLab.Lync\\Invoke-CsBackupServiceSync -PoolFqdn 'pool2.contoso.com' -BackupModule 'ConfServices.DataConf'"
    );
    let names: Vec<&str> =
        plan.document["checks"].as_array().into_iter().flatten().filter_map(|check| check["name"].as_str()).collect();
    for name in ["SurvivorStatus", "DamagedBackupService", "SurvivorFileShare", "DamagedFileShare", "PoolsArePartners"]
    {
        assert!(names.contains(&name), "{names:?}");
    }
    let failed = plan.document["checks"].as_array().into_iter().flatten().filter(|check| check["state"] != "passed");
    assert_eq!(failed.count(), 0, "{:#}", plan.document["checks"]);
}

#[test]
fn a_stale_first_snapshot_is_waited_out() {
    let situation = Situation::start("conference-stale");
    restore(&situation, &[]).expect(0);
    assert_eq!(present(&situation), 250);
}

#[test]
fn a_way_back_that_never_settles_does_not_hold_the_restore() {
    let situation = Situation::start("conference-one-way");
    restore(&situation, &[]).expect(0);
    assert_eq!(present(&situation), 250);
}

#[test]
fn an_error_that_holds_leaves_the_run_open_and_a_resume_starts_the_sync_again() {
    let situation = Situation::start("conference-error");
    let stopped = restore(&situation, &[]);
    stopped.expect(4);
    assert_eq!(stopped.error_code(), 6007);
    assert_eq!(present(&situation), 0);
    assert_eq!(syncs(&situation).len(), 1);
    situation.run("resume", &[]).expect(4);
    assert_eq!(syncs(&situation).len(), 2);
}

#[test]
fn a_run_that_was_killed_is_finished_by_another_process() {
    for (point, calls) in [("conference.sync", 2), ("conference.settled", 1)] {
        let situation = Situation::start("conference-lost");
        crash(&situation, point);
        situation.run("resume", &[]).expect(0);
        assert_eq!(present(&situation), 250, "{point}");
        assert_eq!(syncs(&situation).len(), calls, "{point}: a call whose end is unknown is made again, no other");
    }
}

#[test]
fn what_was_seen_before_a_run_was_cut_off_counts_for_the_process_that_finishes_it() {
    // The pair ends in the states that it had before the call: only the first process sees others.
    let situation = Situation::own(&json!({
        "name": "conference-back-to-final",
        "log_shipping": {"log_backups": 3, "not_copied": 0, "not_restored": 1},
        "pool": {"backup_service": {
            "sync_interval_seconds": 1,
            "content_lost_on": DAMAGED,
            "after_sync": [
                {"after_seconds": 0.2, "export": "NonSteadyState", "import": "NormalState"},
                {"after_seconds": 2.0, "export": "FinalState", "import": "NormalState"}
            ]
        }}
    }));
    crash(&situation, "conference.moved");
    let limit = Instant::now() + Duration::from_secs(30);
    while present(&situation) < 250 {
        assert!(Instant::now() < limit, "the content does not come");
        std::thread::sleep(Duration::from_millis(50));
    }
    situation.run("resume", &[]).expect(0);
    assert_eq!(syncs(&situation).len(), 1);
}

#[test]
fn giving_up_closes_the_run_and_says_that_the_sync_goes_on() {
    let situation = Situation::start("conference-lost");
    crash(&situation, "conference.sync");
    let undone = situation.run("undo", &[]);
    undone.expect(0);
    let text = undone.document["text"].as_str().unwrap_or_default();
    assert!(text.contains("the run is closed; it called the sync, and where that began it goes on"), "{text}");
    situation.run("resume", &[]).expect(2);
}

#[test]
fn native_commands_that_throw_leave_an_open_run_and_the_next_process_asks_again() {
    for fault in ["native_throws", "native_throws_afterwards"] {
        let situation = Situation::start("conference-lost");
        native_fault(&situation, fault, "Invoke-CsBackupServiceSync", true);
        let stopped = restore(&situation, &[]);
        stopped.expect(4);
        assert_eq!(stopped.error_code(), 6002, "{fault}");
        let text = stopped.document["text"].as_str().unwrap_or_default();
        assert!(text.contains("was called, and the call did not end well"), "{text}");
        native_fault(&situation, fault, "Invoke-CsBackupServiceSync", false);
        situation.run("resume", &[]).expect(0);
        assert_eq!(present(&situation), 250, "{fault}");
    }
}

#[test]
fn a_sync_that_prompts_is_one_that_failed_and_one_that_hangs_can_be_killed() {
    let situation = Situation::start("conference-lost");
    native_fault(&situation, "native_prompts", "Invoke-CsBackupServiceSync", true);
    let stopped = restore(&situation, &[]);
    stopped.expect(4);
    assert_eq!(stopped.error_code(), 6002);
    assert_eq!(syncs(&situation).len(), 0);
    native_fault(&situation, "native_prompts", "Invoke-CsBackupServiceSync", false);
    situation.run("resume", &[]).expect(0);
    assert_eq!(present(&situation), 250);

    let situation = Situation::start("conference-lost");
    native_fault(&situation, "native_hangs", "Invoke-CsBackupServiceSync", true);
    let mut run = situation.command("conference", &[]).spawn().expect("the host runs");
    let calls = || situation.ask("truth")["native_calls"].as_array().map_or(0, Vec::len);
    let (mut seen, mut quiet) = (0, 0);
    while seen < 5 || quiet < 8 {
        std::thread::sleep(Duration::from_millis(100));
        let now = calls();
        quiet = if now == seen { quiet + 1 } else { 0 };
        seen = now;
    }
    run.kill().expect("killed");
    run.wait().expect("gone");
    assert_eq!(syncs(&situation).len(), 0);
    native_fault(&situation, "native_hangs", "Invoke-CsBackupServiceSync", false);
    situation.run("resume", &[]).expect(0);
    assert_eq!(present(&situation), 250);
}

#[test]
fn a_status_that_says_nothing_is_not_good() {
    // Under way for more readings than a second process takes before its wait.
    let course: Vec<Value> = (2..8)
        .map(|tenth| json!({"after_seconds": f64::from(tenth) / 10.0, "export": "NonSteadyState"}))
        .chain([json!({"after_seconds": 0.9, "export": "SteadyState"})])
        .collect();
    let situation = pair("ConfServices.DataConf", "FinalState", json!(course));
    native_fault(&situation, "native_silent", "Get-CsBackupServiceStatus", true);
    let refused = restore(&situation, &[]);
    refused.expect(3);
    assert!(refused.message().contains("SurvivorStatus"), "{}", refused.message());
    native_fault(&situation, "native_silent", "Get-CsBackupServiceStatus", false);

    let run = situation
        .command("conference", &[("/backup_service_timeout_seconds", json!(6))])
        .spawn()
        .expect("the host runs");
    let limit = Instant::now() + Duration::from_secs(60);
    while syncs(&situation).is_empty() {
        assert!(Instant::now() < limit, "the run starts its sync");
        std::thread::sleep(Duration::from_millis(20));
    }
    native_fault(&situation, "native_silent", "Get-CsBackupServiceStatus", true);
    let stopped = ended(&run.wait_with_output().expect("the run ends"));
    stopped.expect(4);
    assert_eq!(stopped.error_code(), 6008);
    native_fault(&situation, "native_silent", "Get-CsBackupServiceStatus", false);
    situation.run("resume", &[]).expect(0);
    assert_eq!(syncs(&situation).len(), 1, "the sync was started once");
}

#[test]
fn a_sync_that_lies_is_never_called_done() {
    let situation = Situation::start("conference-lost");
    native_fault(&situation, "native_lies", "Invoke-CsBackupServiceSync", true);
    let stopped = restore(&situation, &[]);
    stopped.expect(4);
    assert_eq!(stopped.error_code(), 6011);
    assert_eq!(present(&situation), 0);
    assert!(
        stopped.message().contains("nothing shows that the sync of ConfServices.DataConf began"),
        "{}",
        stopped.message()
    );
    // A second process calls the sync again, and ends as the first one did while the command goes on lying.
    let again = situation.run("resume", &[]);
    again.expect(4);
    assert_eq!(again.error_code(), 6011);
    native_fault(&situation, "native_lies", "Invoke-CsBackupServiceSync", false);
    situation.run("resume", &[]).expect(0);
    assert_eq!(present(&situation), 250);
    assert_eq!(syncs(&situation).len(), 1);
}

#[test]
fn a_run_whose_sync_was_not_seen_is_closed_by_whoever_looked_at_the_meetings() {
    let situation = Situation::start("conference-lost");
    native_fault(&situation, "native_lies", "Invoke-CsBackupServiceSync", true);
    restore(&situation, &[]).expect(4);
    // The pair is taken until then, under its names; another pair is not.
    let refused = restore(&situation, &[]);
    refused.expect(3);
    assert_eq!(refused.error_code(), 7010);
    assert!(
        refused.message().contains("on pool1.contoso.com and pool2.contoso.com is neither"),
        "{}",
        refused.message()
    );
    situation.run("undo", &[]).expect(0);
    native_fault(&situation, "native_lies", "Invoke-CsBackupServiceSync", false);
    restore(&situation, &[]).expect(0);
    assert_eq!(present(&situation), 250);
}

/// A pair with the course of one module on the survivor as given; other modules follow the general one.
fn pair(module: &str, export: &str, course: Value) -> Situation {
    Situation::own(&json!({
        "name": "conference-course",
        "log_shipping": {"log_backups": 3, "not_copied": 0, "not_restored": 1},
        "pool": {"backup_service": {
            "sync_interval_seconds": 1,
            "content_lost_on": DAMAGED,
            "after_sync": [
                {"after_seconds": 0.2, "export": "NonSteadyState", "import": "NormalState"},
                {"after_seconds": 0.9, "export": "SteadyState", "import": "NormalState"}
            ],
            "modules": [{"pool_fqdn": "pool2.contoso.com", "module": module, "export": export, "import": "NormalState",
                         "after_sync": course}]
        }}
    }))
}

#[test]
fn a_drift_between_good_states_or_an_error_that_passes_is_no_sync() {
    for (export, course) in [
        ("SteadyState", json!([{"after_seconds": 0.3, "export": "FinalState"}])),
        (
            "FinalState",
            json!([{"after_seconds": 0.3, "export": "ErrorState"}, {"after_seconds": 0.4, "export": "FinalState"}]),
        ),
    ] {
        let stopped = restore(&pair("ConfServices.DataConf", export, course.clone()), &[]);
        stopped.expect(4);
        assert_eq!(stopped.error_code(), 6011, "{export} {course}: {}", stopped.message());
    }
}

/// What fits one batch never comes to `NonSteadyState`, and what was left behind before the call is seen to go.
#[test]
fn little_content_and_a_backlog_of_before_are_seen_too() {
    let pairs = [
        (
            "FinalState",
            json!([{"after_seconds": 0.3, "export": "SteadyState"}, {"after_seconds": 0.6, "export": "FinalState"}]),
        ),
        ("NonSteadyState", json!([{"after_seconds": 0.5, "export": "SteadyState"}])),
    ];
    for (export, course) in pairs {
        let situation = pair("ConfServices.DataConf", export, course);
        restore(&situation, &[]).expect(0);
        assert_eq!(present(&situation), 250, "{export}");
    }
}

#[test]
fn all_modules_are_done_where_the_meetings_were_seen_and_the_rest_had_nothing_to_bring() {
    let situation = pair("UserServices.PresenceFocus", "FinalState", json!([]));
    for modules in [json!(["All"]), json!(["PresenceFocus", "DataConf"])] {
        let done = restore(&situation, &[("/backup_modules", modules)]);
        done.expect(0);
        let text = done.document.to_string();
        assert!(text.contains("at rest all the while, with nothing to bring: UserServices.PresenceFocus"), "{text}");
    }
}

#[test]
fn a_sync_that_is_over_before_any_reading_is_told_as_one_of_two_things() {
    let course = json!([
        {"after_seconds": 0.0, "export": "NonSteadyState", "brief": true}, {"after_seconds": 0.0, "export": "FinalState"}
    ]);
    let stopped = restore(&pair("ConfServices.DataConf", "FinalState", course), &[]);
    stopped.expect(4);
    assert_eq!(stopped.error_code(), 6011);
    for part in [
        "Either nothing was missing, or so little that it was through between two readings",
        "or the call did nothing.",
    ] {
        assert!(stopped.message().contains(part), "{}", stopped.message());
    }
}

#[test]
fn one_module_does_not_vouch_for_another_and_the_next_call_is_for_that_one_alone() {
    let all = [("/backup_modules", json!(["All"]))];
    let situation = pair("ConfServices.DataConf", "FinalState", json!([]));
    let stopped = restore(&situation, &all);
    assert_eq!(stopped.error_code(), 6011, "{:#}", stopped.document);
    let text = stopped.message();
    assert!(text.contains("the sync of ConfServices.DataConf began"), "{text}");

    let both = [("/backup_modules", json!(["PresenceFocus", "DataConf"]))];
    let situation = pair("ConfServices.DataConf", "FinalState", json!([]));
    let stopped = restore(&situation, &both);
    assert_eq!(stopped.error_code(), 6011, "{:#}", stopped.document);
    assert!(stopped.message().contains("the sync of ConfServices.DataConf began"), "{}", stopped.message());
    assert_eq!(syncs(&situation).len(), 2);
    assert_eq!(situation.run("resume", &[]).error_code(), 6011);
    let syncs = syncs(&situation);
    assert_eq!(syncs.len(), 3, "{syncs:?}");
    assert!(syncs[2].contains("ConfServices.DataConf"), "{syncs:?}");

    restore(&Situation::start("conference-lost"), &all).expect(0);
}

#[test]
fn a_comparison_that_hangs_is_a_warning_and_decides_nothing() {
    let situation = Situation::start("conference-lost");
    native_fault(&situation, "native_hangs", "Debug-CsInterPoolReplication", true);
    let done = restore(&situation, &[("/comparison_timeout_seconds", json!(1))]);
    done.expect(0);
    let text = done.document["text"].as_str().unwrap_or_default();
    assert!(text.contains("The stores were not compared: `Debug-CsInterPoolReplication"), "{text}");
    assert!(text.contains("did not end within 1 seconds"), "{text}");
    assert_eq!(present(&situation), 250);
}

#[test]
fn what_cannot_be_waited_for_is_refused_before_anything_is_started() {
    let situation = Situation::start("conference-lost");
    for (set, code, text) in [
        (("/comparison_timeout_seconds", json!(0)), 1002, "nor a limit may be 0 seconds"),
        (("/backup_service_timeout_seconds", json!(3)), 1002, "a limit of 3 seconds passes before"),
        (("/backup_modules", json!(["DataCnf"])), 1002, "shows no module DataCnf"),
        (("/damaged_pool_fqdn", json!("pool7.contoso.com")), 6004, "lists no pool pool7.contoso.com"),
    ] {
        let refused = restore(&situation, &[set]);
        assert_eq!(refused.error_code(), code, "{}", refused.message());
        assert!(refused.message().contains(text), "{}", refused.message());
    }
    assert_eq!(syncs(&situation).len(), 0);
}

#[test]
fn the_last_look_decides_nothing_and_only_a_throw_makes_the_run_incomplete() {
    let situation = Situation::start("conference-lost");
    native_fault(&situation, "native_missing", "Debug-CsInterPoolReplication", true);
    let done = restore(&situation, &[]);
    done.expect(0);
    assert!(done.document["text"].to_string().contains("not compared"), "{:#}", done.document);

    let situation = Situation::start("conference-lost");
    native_fault(&situation, "native_throws", "Debug-CsInterPoolReplication", true);
    let stopped = restore(&situation, &[]);
    stopped.expect(4);
    assert_eq!(present(&situation), 250);
    native_fault(&situation, "native_throws", "Debug-CsInterPoolReplication", false);
    situation.run("resume", &[]).expect(0);
    assert_eq!(syncs(&situation).len(), 1);
}

#[test]
fn without_the_partner_the_survivor_must_be_named_and_is_never_the_damaged_one() {
    let situation = Situation::start("conference-lost");
    let wrong = restore(&situation, &[("/pool_fqdn", json!("POOL1.contoso.com"))]);
    wrong.expect(3);
    assert_eq!(wrong.error_code(), 6010);
    native_fault(&situation, "native_missing", "Get-CsPoolBackupRelationship", true);
    let refused = restore(&situation, &[]);
    refused.expect(3);
    assert_eq!(refused.error_code(), 6009);
    assert_eq!(syncs(&situation).len(), 0);
    restore(&situation, &[("/pool_fqdn", json!("pool2.contoso.com"))]).expect(0);
    assert_eq!(present(&situation), 250);
}

#[test]
fn what_a_restore_needs_is_checked_before_it_starts() {
    let situation = Situation::start("conference-lost");
    native_fault(&situation, "native_missing", "Invoke-CsBackupServiceSync", true);
    let refused = restore(&situation, &[]);
    refused.expect(3);
    assert!(refused.message().contains("SyncCommand"), "{}", refused.message());
    native_fault(&situation, "native_missing", "Invoke-CsBackupServiceSync", false);

    situation.fault("share_lost", json!({"share": "\\\\fs1\\LyncPool1"}));
    let refused = restore(&situation, &[]);
    refused.expect(3);
    assert!(refused.message().contains("DamagedFileShare"), "{}", refused.message());

    situation.ask("primary_site_lost");
    let refused = restore(&situation, &[]);
    refused.expect(3);
    assert!(refused.message().contains("DamagedStatus"), "{}", refused.message());
    assert_eq!(syncs(&situation).len(), 0);
}

#[test]
fn a_second_run_on_the_pair_is_locked_out() {
    let situation = Situation::start("conference-lost");
    let limit = Instant::now() + Duration::from_secs(60);
    let first = situation.command("conference", &[]).spawn().expect("the host runs");
    while syncs(&situation).is_empty() {
        assert!(Instant::now() < limit, "the first run starts its sync");
        std::thread::sleep(Duration::from_millis(20));
    }
    restore(&situation, &[]).expect(6);
    ended(&first.wait_with_output().expect("the first run ends")).expect(0);
    assert_eq!(syncs(&situation).len(), 1);
}
