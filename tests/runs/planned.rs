//! The planned switch against the lab with both sites up: nothing is lost or doubled, and until the backup is recovered it
//! can be given up.

use std::time::Duration;

use serde_json::{json, Value};

use crate::harness::{Ended, Situation};

/// What a finished switch looks like: served by the backup, nothing missing, nobody else online.
pub fn assert_switched(situation: &Situation) {
    assert_eq!(situation.state_of("B\\RTC"), "ONLINE");
    assert_eq!(situation.state_of("P\\RTC"), "RESTORING");
    let state = situation.ask("state");
    assert_eq!(state["pool"]["pool_state"], "FailedOver", "{}", state["pool"]);
    let truth = situation.ask("truth");
    assert_eq!(truth["unknown_statements"], json!(0), "{}", situation.ask("unknown_statements"));
    assert_eq!(truth["users"]["in"], json!(true), "{truth:#}");
    assert_whole(situation, "B\\RTC");
    for instance in ["P\\RTC", "PM\\RTC"] {
        let shipping = &state["instances"][instance]["log_shipping"];
        assert!(!shipping.to_string().contains("\"primary\":{"), "{instance}: {shipping:#}");
    }
}

/// Every message that users wrote is on this instance, each once.
fn assert_whole(situation: &Situation, instance: &str) {
    let truth = situation.ask("truth");
    let copy = &truth["copies"][instance];
    assert_eq!(copy["missing"]["count"], json!(0), "{truth:#}");
    assert_eq!(copy["doubled"]["count"], json!(0), "{truth:#}");
}

/// What users had before is there again: the source serves, mirrored, with its jobs, services and active servers.
fn assert_as_before(situation: &Situation) {
    assert_eq!(situation.state_of("P\\RTC"), "ONLINE");
    assert_eq!(situation.state_of("B\\RTC"), "RESTORING");
    let state = situation.ask("state");
    assert_eq!(state["pool"]["pool_state"], "Normal", "{}", state["pool"]);
    for instance in ["P\\RTC", "PM\\RTC", "B\\RTC"] {
        for job in state["instances"][instance]["jobs"].as_array().into_iter().flatten() {
            assert_eq!(job["enabled"], json!(true), "{instance}: {job}");
        }
    }
    wait_for_users(situation);
    assert_whole(situation, "P\\RTC");
}

fn wait_for_users(situation: &Situation) {
    let are_in = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        situation.ask("truth")["users"]["in"] == json!(true)
    });
    assert!(are_in, "{:#}", situation.ask("truth"));
}

fn step<'a>(ended: &'a Ended, name: &str) -> &'a Value {
    let steps = ended.document["steps"].as_array();
    steps
        .into_iter()
        .flatten()
        .find(|step| step["name"] == name)
        .unwrap_or_else(|| panic!("no {name}: {:#}", ended.document))
}

#[test]
fn a_planned_switch_loses_no_message_and_doubles_none() {
    let situation = Situation::start("healthy");
    let ended = situation.run("switch", &[]);
    ended.expect(0);
    assert_switched(&situation);
    assert_eq!(ended.document["kind"], "planned_switch");
    assert!(ended.document["text"].as_str().unwrap_or_default().contains("Nothing is lost"), "{:#}", ended.document);
    for name in ["stop_services", "mirroring_off", "tail", "recover", "start_services", "active_servers"] {
        assert_eq!(step(&ended, name)["state"], "done", "{name}: {:#}", ended.document);
    }
    // It is over: there is nothing to resume and nothing to give up.
    assert!(matches!(situation.run("resume", &[]).code, Some(2 | 7)));
}

#[test]
fn the_plan_changes_nothing_and_names_every_statement() {
    let situation = Situation::start("healthy");
    let before = situation.effects().len();
    let plan = situation.run("plan-switch", &[]).document;
    assert_eq!(plan["kind"], "planned_switch");
    assert_eq!(plan["can_run"], json!(true), "{:#}", plan["checks"]);
    let text = plan["steps"].to_string();
    for part in [
        "PARTNER OFF",
        "SINGLE_USER WITH ROLLBACK IMMEDIATE",
        "NORECOVERY",
        "Stop-CsWindowsService",
        "Start-CsWindowsService",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let after: Vec<String> = situation.effects().split_off(before);
    let ours: Vec<&String> =
        after.iter().filter(|effect| !effect.contains("job") && !effect.contains("backup")).collect();
    assert!(ours.is_empty(), "{ours:#?}");
}

#[test]
fn the_source_is_found_by_its_role_after_a_swap_of_the_mirror() {
    let situation = Situation::start("healthy");
    situation.native(
        "Invoke-CsDatabaseFailover",
        json!({
            "PoolFqdn": "pchat.contoso.com", "DatabaseType": "PersistentChat", "NewPrincipal": "Mirror", "Confirm": false,
        }),
    );
    wait_for_users(&situation);
    // mgccomp stayed where it was, so that compliance is the operator's word.
    situation.run("switch", &[("/compliance_drained", json!(true))]).expect(0);
    assert_eq!(situation.state_of("B\\RTC"), "ONLINE");
    assert_eq!(situation.state_of("PM\\RTC"), "RESTORING");
    assert_whole(&situation, "B\\RTC");
}

#[test]
fn compliance_is_drained_before_its_service_stops() {
    let situation = Situation::start("compliance");
    situation.run("switch", &[("/drain_timeout_seconds", json!(120))]).expect(0);
    let compliance = situation.ask("truth")["compliance"].clone();
    assert_eq!(compliance["nowhere"]["count"], json!(0), "{compliance:#}");
    assert_eq!(compliance["processed_twice"]["count"], json!(0), "{compliance:#}");
    assert_eq!(compliance["unprocessed"]["P\\RTC"], json!(0), "{compliance:#}");
}

#[test]
fn compliance_that_does_not_drain_is_told_and_everything_is_put_back() {
    let situation = Situation::start("compliance");
    let ended = situation.run("switch", &[("/drain_timeout_seconds", json!(0))]);
    ended.expect(3);
    assert_eq!(ended.error_code(), 5017);
    assert_as_before(&situation);
}

#[test]
fn monitoring_that_comes_back_is_thrown_out_with_the_tail() {
    let situation = Situation::start("planned-readers");
    situation.run("switch", &[]).expect(0);
    assert_switched(&situation);
}

#[test]
fn a_tail_that_has_no_room_is_no_reason_to_keep_users_out() {
    let situation = Situation::start("planned-tail-blocked");
    let ended = situation.run("switch", &[]);
    assert_ne!(ended.code, Some(0), "{:#}", ended.document);
    assert_eq!(situation.state_of("P\\RTC"), "ONLINE");
    wait_for_users(&situation);
    assert_whole(&situation, "P\\RTC");
}

#[test]
fn given_up_after_the_tail_users_are_back_where_they_were() {
    let situation = Situation::start("healthy");
    let cut = situation.cut_off("switch", "tail.taken", &[]);
    assert!(cut.document.get("outcome").is_none(), "{:#}", cut.document);
    assert_eq!(situation.state_of("P\\RTC"), "RESTORING");
    let shown = situation.run("undo", &[("/plan_only", json!(true))]);
    shown.expect(0);
    assert_eq!(situation.state_of("P\\RTC"), "RESTORING", "a plan changes nothing");
    situation.run("undo", &[]).expect(0);
    assert_as_before(&situation);
    assert!(matches!(situation.run("resume", &[]).code, Some(2 | 7)), "the run is closed");
    // And the switch can be made after all: the secondary has what the mirror's set-up took for itself.
    situation.run("switch", &[]).expect(0);
    assert_switched(&situation);
}

#[test]
fn given_up_it_ends_once_the_servers_know_the_list_again_and_are_in() {
    let situation = Situation::own(&json!({
        "name": "slow-replication",
        "summary": "Both sites live; the servers learn of a change after three seconds",
        "log_shipping": {"log_backups": 6, "not_copied": 0, "not_restored": 1},
        "pool": {"replication": {"delay_milliseconds": 3000}},
    }));
    situation.cut_off("switch", "tail.taken", &[]);
    let undone = situation.run("undo", &[]);
    undone.expect(0);
    assert_eq!(situation.ask("truth")["users"]["in"], json!(true), "{:#}", undone.document);
    assert_as_before(&situation);
}

#[test]
fn one_instance_in_two_roles_is_refused_under_its_name_and_under_others() {
    let situation = Situation::start("healthy");
    // Compliance goes on by itself meanwhile.
    let changes = || situation.effects().into_iter().filter(|effect| !effect.contains("compliance_processed")).count();
    let before = changes();
    let instances = situation.lab.about["instances"].clone();
    let address = |name: &str| {
        let found = instances.as_array().into_iter().flatten().find(|instance| instance["name"] == name);
        let found = found.expect("the lab tells its address");
        json!(format!("{},{}", found["address"].as_str().unwrap_or_default(), found["port"]))
    };
    let roles = [
        ("/failover/primary_sql_instance", "P\\RTC"),
        ("/failover/primary_mirror_sql_instance", "PM\\RTC"),
        ("/failover/backup_mirror_sql_instance", "BM\\RTC"),
        ("/failover/target/sql_instance", "B\\RTC"),
    ];
    for (index, (one, name)) in roles.iter().enumerate() {
        for (other, _) in &roles[index + 1..] {
            // The role that is given the other's name is never the instance acted on: that one is found first.
            let (set, taken) = if other.contains("target") { (one, "B\\RTC") } else { (other, *name) };
            for alias in [json!(taken), address(taken)] {
                let refused = situation.run("switch", &[(set, alias.clone())]);
                refused.expect(2);
                assert_eq!(refused.error_code(), 1002, "{set} {alias}: {}", refused.message());
            }
        }
    }
    assert_eq!(changes(), before, "nothing was changed: {:#?}", situation.effects());
}

#[test]
fn given_up_after_the_recovery_is_refused() {
    let situation = Situation::start("healthy");
    situation.cut_off("switch", "recover.done", &[]);
    let undone = situation.run("undo", &[]);
    undone.expect(3);
    assert_eq!(undone.error_code(), 5014);
    situation.run("resume", &[]).expect(0);
    assert_switched(&situation);
}

#[test]
fn a_dead_primary_is_no_case_for_a_planned_switch() {
    let situation = Situation::start("small");
    situation.ask("primary_site_lost");
    let ended = situation.run("switch", &[]);
    ended.expect(3);
    assert!(ended.message().contains("SourceServes"), "{}", ended.message());
}

#[test]
fn the_second_copy_of_the_journal_lies_beside_the_baseline() {
    let situation = Situation::start("healthy");
    let no_copy = ("/failover/journal/journal_copy_path", json!(null));
    let refused = situation.run("switch", std::slice::from_ref(&no_copy));
    refused.expect(3);
    assert_eq!(refused.error_code(), 7006);
    assert!(refused.document.to_string().contains("-BaselinePath"), "{:#}", refused.document);
    assert_eq!(situation.state_of("P\\RTC"), "ONLINE");

    situation.run("baseline", &[]).expect(0);
    let baseline = situation.baseline.path();
    let set = [no_copy, ("/baseline_path", json!(baseline.display().to_string()))];
    situation.cut_off("switch", "tail.taken", &set);
    // The machine is gone with its own copy: a colleague's finds the other one.
    let journals = |folder: &std::path::Path| -> Vec<std::path::PathBuf> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "journal")).collect()
    };
    assert_eq!(journals(baseline).len(), 1, "the copy lies beside the baseline");
    for own in journals(situation.journal.path()) {
        std::fs::remove_file(own).expect("removed");
    }
    let copy = baseline.display().to_string();
    situation.run("resume", &[("/journal/journal_copy_path", json!(copy))]).expect(0);
    assert_switched(&situation);
}

#[test]
fn a_baseline_that_is_named_and_not_there_is_refused_before_anything_is_looked_at() {
    let situation = Situation::start("healthy");
    let folder = situation.baseline.path();
    // No folder, a folder without a baseline, and a file that is none.
    std::fs::write(folder.join("mgc_20260314021500.baseline.json"), "{}").expect("a file");
    let file = folder.join("mgc_20260314021500.baseline.json");
    for (named, code) in [(folder.join("none"), 7007), (situation.journal.path().to_path_buf(), 7007), (file, 7009)] {
        let refused = situation.run("switch", &[("/baseline_path", json!(named.display().to_string()))]);
        refused.expect(2);
        assert_eq!(refused.error_code(), code, "{:#}", refused.document);
        assert_eq!(situation.state_of("P\\RTC"), "ONLINE");
        assert!(!situation.journal.path().join("copy").exists(), "nothing was written");
    }
}

#[test]
fn what_belongs_to_a_disaster_is_refused() {
    let situation = Situation::start("healthy");
    let ended = situation.run("switch", &[("/failover/accept_data_loss", json!("1"))]);
    ended.expect(2);
    assert_eq!(ended.error_code(), 1002);
}

#[test]
fn the_log_of_a_damaged_database_is_saved_and_moves() {
    let situation = Situation::start("healthy");
    // No mirror that could take over: its session is broken.
    situation.fault("refuse", json!({"instance": "PM\\RTC"}));
    situation.fault("database_damaged", json!({"instance": "P\\RTC", "database": "mgc"}));
    let ended = situation.run("switch", &[("/salvage_tail", json!(true))]);
    ended.expect(0);
    assert_eq!(situation.state_of("B\\RTC"), "ONLINE");
    assert_whole(&situation, "B\\RTC");
}

#[test]
fn a_damaged_database_with_a_healthy_mirror_is_left_to_the_mirror() {
    let situation = Situation::start("healthy");
    situation.fault("database_damaged", json!({"instance": "P\\RTC", "database": "mgc"}));
    let ended = situation.run("switch", &[("/salvage_tail", json!(true))]);
    ended.expect(3);
    let text = ended.document.to_string();
    assert!(text.contains("Invoke-CsDatabaseFailover"), "{text}");
}
