//! Reasons not to start: each is named, and nothing is changed.

use serde_json::{json, Value};

use crate::harness::{Ended, Situation};

/// Fails over and wants a refusal that names the check, with nothing changed by the product.
fn refused(situation: &Situation, set: &[(&str, Value)], check: &str) -> Ended {
    let before: Vec<String> = changes(situation);
    let ended = situation.run("failover", set);
    ended.expect(3);
    let plan = situation.run("plan", set);
    let failed: Vec<&str> = plan.document["checks"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|c| c["state"] != "passed" && c["state"] != "warning")
        .filter_map(|c| c["name"].as_str())
        .collect();
    assert!(failed.iter().any(|name| name.starts_with(check)), "{check} is not among {failed:?}");
    assert_eq!(changes(situation), before, "nothing was changed");
    assert_eq!(situation.state_of("B\\RTC"), "RESTORING");
    ended
}

/// What the product changed; the lab's own jobs go on meanwhile.
fn changes(situation: &Situation) -> Vec<String> {
    let own = ["job_started", "job_ended", "file_written", "file_copied", "log_restored", "restore_started"];
    situation.effects().into_iter().filter(|effect| !own.iter().any(|kind| effect.contains(kind))).collect()
}

#[test]
fn primary_alive_is_refused() {
    let situation = Situation::start("primary-alive");
    refused(&situation, &[], "PrimaryIsDown");
}

#[test]
fn witness_against_the_primarys_death_is_refused_until_it_is_named() {
    let situation = Situation::start("witness-against");
    refused(&situation, &[], "Witness");
}

#[test]
fn a_gap_in_the_chain_names_file_and_range() {
    let situation = Situation::start("gap-in-chain");
    let ended = refused(&situation, &[], "LogChain");
    let plan = situation.run("plan", &[]);
    let chain = plan.document["checks"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|c| c["name"] == "LogChain")
        .cloned()
        .unwrap_or_default();
    let text = format!("{} {}", chain["value"], chain["message"]);
    assert!(text.contains(".trn") && text.bytes().filter(u8::is_ascii_digit).count() > 34, "{text}");
    assert!(!ended.message().is_empty());
}

#[test]
fn share_lost_is_refused_until_the_loss_is_accepted_by_name() {
    let situation = Situation::start("share-lost");
    refused(&situation, &[], "Share");
    let plan = situation.run("plan", &[]);
    let value = plan.document["loss"]["accept_value"].clone();
    assert!(value.is_string(), "{:#}", plan.document["loss"]);
    // A loss that was not the one shown is not accepted.
    situation.run("failover", &[("/accept_data_loss", json!("12345"))]).expect(3);
    let done = situation.run("failover", &[("/accept_data_loss", value)]);
    assert!(matches!(done.code, Some(0)), "{:#}", done.document);
    situation.assert_failed_over();
    assert!(done.document["loss"]["text"].as_str().is_some_and(|text| !text.is_empty()));
}

#[test]
fn agent_stopped_is_refused() {
    let situation = Situation::start("agent-stopped");
    refused(&situation, &[], "Agent");
}

#[test]
fn too_many_or_foreign_servers_are_refused() {
    let situation = Situation::start("small");
    situation.ask("primary_site_lost");
    let five: Vec<String> = (1..=5).map(|n| format!("s{n}.contoso.com")).collect();
    refused(&situation, &[("/active_servers", json!(five))], "ActiveServers");
    refused(&situation, &[("/active_servers", json!(["other.contoso.com"]))], "ActiveServers");
}

#[test]
fn missing_mirror_share_and_missing_rights_are_refused() {
    let situation = Situation::start("small");
    situation.ask("primary_site_lost");
    refused(&situation, &[("/mirror_file_share", json!("\\\\nowhere\\mirror"))], "Mirror");
    situation.fault("not_sysadmin", json!({"instance": "B\\RTC"}));
    refused(&situation, &[], "Rights");
}

#[test]
fn a_server_of_the_lost_site_is_refused_until_it_is_named_and_others_take_its_place() {
    let situation = Situation::start("small");
    let pool = situation.ask("state")["pool"].clone();
    let lost = pool["active_servers"][0].clone();
    assert!(lost.is_string(), "{pool:#}");
    situation.ask("primary_site_lost");
    let set = [("/active_servers", json!([lost]))];
    let refused = refused(&situation, &set, "ActiveServersAnswer");
    assert_eq!(refused.error_code(), 5011, "{:#}", refused.document);
    let named = situation.run("plan", &[set[0].clone(), ("/ignore_witness", json!([lost]))]).document;
    assert_eq!(named["can_run"], json!(true), "{:#}", named["checks"]);
    situation.run("failover", &[]).expect(0);
    situation.assert_failed_over();
}

#[test]
fn a_run_that_was_cut_off_is_resumed_with_other_servers() {
    let situation = Situation::start("small");
    situation.ask("primary_site_lost");
    situation.run_cut_off_at("recover.done", &[]);
    let other = situation.run("plan", &[]).document["request"]["active_servers"][0].clone();
    let strange = situation.run("resume", &[("/active_servers", json!(["nobody.contoso.com"]))]);
    assert_eq!((strange.code, strange.error_code()), (Some(3), 5011), "{:#}", strange.document);
    situation.run("resume", &[("/active_servers", json!([other]))]).expect(0);
    situation.assert_failed_over();
    assert_eq!(situation.ask("state")["pool"]["active_servers"], json!([other]));
}

#[test]
fn a_journal_folder_that_takes_no_file_is_told_before_anything_is_changed() {
    let situation = Situation::start("small");
    situation.ask("primary_site_lost");
    let before = changes(&situation);
    // A folder that is there, and in which nobody can create anything, root included.
    #[cfg(target_os = "linux")]
    let folder = "/proc/self";
    #[cfg(not(target_os = "linux"))]
    let folder = env!("CARGO_MANIFEST_PATH");
    let refused = situation.run("failover", &[("/journal/journal_path", json!(folder))]);
    refused.expect(2);
    assert_eq!(refused.error_code(), 7005, "{:#}", refused.document);
    assert!(!refused.message().contains("Resume-PChatRun"), "{}", refused.message());
    assert_eq!(changes(&situation), before);
}

#[test]
fn a_run_that_has_ended_is_neither_resumed_nor_given_up() {
    let situation = Situation::start("small");
    situation.ask("primary_site_lost");
    let done = situation.run("failover", &[]);
    done.expect(0);
    for verb in ["resume", "undo"] {
        for plan_only in [true, false] {
            let set = [("/run_id", done.document["run_id"].clone()), ("/plan_only", json!(plan_only))];
            let ended = situation.run(verb, &set);
            assert_eq!((ended.code, ended.error_code()), (Some(7), 7004), "{verb}: {:#}", ended.document);
        }
    }
}

#[test]
fn bad_input_is_told_with_its_code_and_changes_nothing() {
    let situation = Situation::start("small");
    situation.ask("primary_site_lost");
    let long = "x".repeat(1_000_000 / 16);
    let bad = [
        ("/target/sql_instance", json!("no such host!"), 1002),
        ("/target/sql_instance", json!("nowhere.invalid,1433"), 2001),
        ("/target/sql_instance", json!("B\\RTC'; DROP DATABASE mgc; --"), 1002),
        ("/target/database", json!(long), 1002),
        ("/target/database", json!("m\u{0}gc"), 1002),
        ("/ignore_witness", json!(["Nobody"]), 1002),
        ("/primary_sql_instance", json!("b.contoso.com\\RTC"), 1002),
        ("/primary_mirror_sql_instance", json!("B\\RTC"), 1002),
        ("/ignore_witness", json!(["Monitor", "Monitors"]), 1002),
    ];
    let before = changes(&situation);
    for (pointer, value, code) in bad {
        let ended = situation.run("failover", &[(pointer, value.clone())]);
        assert_ne!(ended.code, Some(0), "{pointer} {:.40}", value.to_string());
        let found = ended.error_code();
        assert!(found == code, "{pointer} {:.40}: {found}, wanted {code}: {:.300}", value.to_string(), ended.message());
    }
    assert_eq!(changes(&situation), before);
}

#[test]
fn a_name_with_quotes_and_brackets_is_a_name_and_nothing_else() {
    let situation = Situation::start("small");
    situation.ask("primary_site_lost");
    let before = changes(&situation);
    for name in ["mgc]; DROP DATABASE mgc; --", "mgc'; SHUTDOWN; --", "mg\nc", "[mgc]"] {
        let ended = situation.run("failover", &[("/target/database", json!(name))]);
        assert!(matches!(ended.code, Some(2 | 3)), "{name:?}: {:#}", ended.document);
    }
    assert_eq!(changes(&situation), before);
    assert_eq!(situation.ask("unknown_statements"), json!([]));
}

#[test]
fn a_run_beside_one_that_can_be_given_up_is_refused_and_named() {
    let situation = Situation::start("small");
    situation.run_cut_off_at("jobs_disabled", &[]);
    let ended = refused(&situation, &[], "NoOtherRun");
    assert_eq!(ended.error_code(), 7010, "{}", ended.message());
    situation.run("undo", &[]).expect(0);
    situation.run("failover", &[]).expect(0);
}

#[test]
fn a_named_share_that_holds_nothing_of_what_was_copied_hides_no_later_log_backup() {
    let situation = Situation::start("small");
    situation.fault("blackhole", json!({"instance": "MON"}));
    let ended = refused(&situation, &[("/folders/log_backup_share", json!("\\\\fs2\\mirror"))], "");
    assert!([4004, 5006].contains(&ended.error_code()), "{}", ended.message());
}

#[test]
fn a_slip_in_the_primarys_name_does_not_hide_the_primary_that_lives() {
    let situation = Situation::start("primary-alive");
    let slip = [("/primary_sql_instance", json!("nowhere.invalid\\RTC"))];
    let ended = refused(&situation, &slip, "PrimaryIsDown");
    assert_eq!(ended.error_code(), 5002, "{:#}", ended.document);
    for part in ["P\\RTC", "the log shipping record", "nowhere.invalid\\RTC"] {
        assert!(ended.message().contains(part), "{part}: {}", ended.message());
    }
}

#[test]
fn a_slip_in_the_mirrors_name_does_not_hide_the_mirror_that_speaks() {
    let situation = Situation::start("witness-against");
    let slip = [("/primary_mirror_sql_instance", json!("nowhere.invalid\\RTC"))];
    let ended = refused(&situation, &slip, "WitnessPrimaryMirror");
    assert_eq!(ended.error_code(), 5003, "{:#}", ended.document);
}

#[test]
fn another_name_for_a_primary_that_is_dead_is_told_and_an_alias_is_not() {
    let situation = Situation::start("small");
    situation.ask("primary_site_lost");
    let check = |name: &str| {
        let plan = situation.run("plan", &[("/primary_sql_instance", json!(name))]).document;
        assert_eq!(plan["can_run"], json!(true), "{:#}", plan["checks"]);
        let checks = plan["checks"].as_array().cloned().unwrap_or_default();
        checks.into_iter().find(|check| check["name"] == "PrimaryIsDown").expect("the check")
    };
    let other = check("nowhere.invalid\\RTC");
    assert_eq!(other["state"], "warning", "{other:#}");
    let value = other["value"].as_str().unwrap_or_default();
    assert!(value.contains("nowhere.invalid\\RTC") && value.contains("P\\RTC"), "{value}");
    assert_eq!(check("p.contoso.com\\RTC")["state"], "passed");
}
