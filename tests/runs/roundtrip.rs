//! There and back: healthy with a baseline, disaster, failover, days of messages, failback. The configuration is that of the
//! baseline again, and every message is there but those that the failover reported as lost.

use std::time::Duration;

use serde_json::{json, Value};

use crate::harness::{Ended, Situation};

const DAY: u64 = 86_400;

/// A lab that had its disaster: its baseline, what the failover lost, days behind it, and the old primary back with its lost tail.
pub struct There {
    pub situation: Situation,
    pub lost: Value,
}

/// Healthy, with a baseline; few messages a second, so that days may pass.
pub fn with_baseline() -> Situation {
    let situation = Situation::start("healthy");
    situation.run("baseline", &[]).expect(0);
    situation.control(json!({"command": "messages", "write": 30, "per_second": 0.01}));
    situation
}

/// A disaster, a failover, and so many seconds on the other side.
pub fn failed_over(seconds: u64) -> There {
    let situation = with_baseline();
    situation.ask("primary_site_lost");
    let failover = situation.run("failover", &[]);
    failover.expect(0);
    let lost = situation.ask("truth")["copies"]["B\\RTC"]["missing"].clone();
    assert!(lost["count"].as_u64() >= Some(1), "the disaster took something: {lost}");
    situation.control(json!({"command": "messages", "write": 40}));
    situation.control(json!({"command": "clock", "pass_seconds": seconds}));
    situation.ask("primary_site_back");
    There { situation, lost }
}

/// What the failback must have brought, whatever happened on the way.
pub fn assert_home(situation: &Situation, missing: &Value) {
    assert_eq!(situation.state_of("P\\RTC"), "ONLINE");
    assert_eq!(situation.state_of("B\\RTC"), "RESTORING");
    let pool = situation.ask("state")["pool"].clone();
    assert_eq!(pool["pool_state"], "Normal", "{pool}");
    wait_for_users(situation);
    let truth = situation.ask("truth");
    assert_eq!(truth["unknown_statements"], json!(0), "{}", situation.ask("unknown_statements"));
    assert_eq!(&truth["copies"]["P\\RTC"]["missing"], missing, "{:#}", truth["copies"]);
    assert_eq!(truth["copies"]["P\\RTC"]["doubled"]["count"], json!(0), "{:#}", truth["copies"]);
}

/// The configuration is that of the baseline: what a fresh one says.
pub fn assert_as_the_baseline(situation: &Situation) {
    let now = situation.run("baseline", &[]);
    now.expect(0);
    assert_eq!(now.document["is_complete"], json!(true), "{:#}", now.document);
    assert_eq!(now.document["drift"], json!([]), "{:#}", now.document["drift"]);
}

/// A run that said that users are in is taken at its word.
pub fn assert_users_are_in(situation: &Situation) {
    let users = situation.ask("truth")["users"].clone();
    assert_eq!(users["in"], json!(true), "{users:#}");
}

pub fn wait_for_users(situation: &Situation) {
    let are_in = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        situation.ask("truth")["users"]["in"] == json!(true)
    });
    assert!(are_in, "{:#}", situation.ask("truth")["users"]);
}

/// Nothing is missing.
pub fn nothing() -> Value {
    json!({"count": 0, "messages": ""})
}

/// The step of a run's result.
fn step<'a>(ended: &'a Ended, name: &str) -> &'a Value {
    let steps = ended.document["steps"].as_array();
    steps
        .into_iter()
        .flatten()
        .find(|step| step["name"] == name)
        .unwrap_or_else(|| panic!("no {name}: {:#}", ended.document))
}

#[test]
fn there_and_back_after_a_disaster_only_the_reported_loss_is_missing() {
    let There { situation, lost } = failed_over(2 * DAY);
    let back = situation.run("failback", &[]);
    back.expect(0);
    assert_eq!(back.document["kind"], "failback");
    for name in
        ["save_copies", "seed", "tail", "recover", "active_servers", "mirror", "log_shipping", "mirror_log_shipping"]
    {
        assert_eq!(step(&back, name)["state"], "done", "{name}: {:#}", back.document);
    }
    assert_home(&situation, &lost);
    assert_as_the_baseline(&situation);
    // What the old primary held is kept in a file, and the operator is told of it.
    assert!(
        back.document["next_actions"].to_string().contains("mgc_saved_P-RTC_"),
        "{:#}",
        back.document["next_actions"]
    );
    assert!(matches!(situation.run("resume", &[]).code, Some(2 | 7)));
}

#[test]
fn a_plan_of_the_way_home_changes_nothing_and_names_every_statement() {
    let There { situation, .. } = failed_over(7200);
    let before = situation.effects().len();
    let plan = situation.run("plan-failback", &[]).document;
    assert_eq!((&plan["kind"], &plan["can_run"]), (&json!("failback"), &json!(true)), "{:#}", plan["checks"]);
    let text = plan["steps"].to_string();
    for part in [
        "BACKUP DATABASE",
        "VERIFYONLY",
        "REPLACE",
        "PARTNER OFF",
        "SINGLE_USER WITH ROLLBACK IMMEDIATE",
        "sp_add_log_shipping_primary_database",
        "sp_add_log_shipping_secondary_database",
        "Invoke-CsDatabaseFailover",
        "Install-CsMirrorDatabase",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let after: Vec<String> = situation.effects().split_off(before);
    let ours: Vec<&String> =
        after.iter().filter(|effect| !effect.contains("job") && !effect.contains("backup")).collect();
    assert!(ours.is_empty(), "{ours:#?}");
}

#[test]
fn a_home_site_that_was_built_anew_is_seeded() {
    let situation = with_baseline();
    situation.ask("primary_site_lost");
    situation.run("failover", &[]).expect(0);
    let lost = situation.ask("truth")["copies"]["B\\RTC"]["missing"].clone();
    situation.ask("primary_site_rebuilt");
    let back = situation.run("failback", &[]);
    back.expect(0);
    assert_home(&situation, &lost);
    // mgc came with its users; those of a compliance database that was installed anew are named, not made.
    let next = back.document["next_actions"].to_string();
    assert!(next.contains("compliance.users[CONTOSO") && !next.contains("database.users["), "{next}");
}

#[test]
fn a_week_after_the_way_home_no_restore_job_fails_whoever_is_principal() {
    let There { situation, lost } = failed_over(7200);
    situation.run("failback", &[]).expect(0);
    for day in 0..7 {
        situation.control(json!({"command": "clock", "pass_seconds": DAY}));
        change_roles(&situation, if day % 2 == 0 { "Mirror" } else { "Primary" });
    }
    change_roles(&situation, "Primary");
    situation.control(json!({"command": "messages", "per_second": 0.0}));
    situation.control(json!({"command": "clock", "pass_seconds": 3600}));
    let truth = situation.ask("truth");
    let failed: Vec<&Value> =
        truth["failed_jobs"].as_array().into_iter().flatten().filter(|run| run["job"] != "LSAlert_MON").collect();
    assert!(failed.is_empty(), "{failed:#?}");
    for copy in ["P\\RTC", "PM\\RTC", "B\\RTC"] {
        assert_eq!(truth["copies"][copy]["missing"], lost, "{copy}: {:#}", truth["copies"]);
    }
}

/// A role swap at home, awaited.
fn change_roles(situation: &Situation, new: &str) {
    wait_for_users(situation);
    let parameters = json!({"PoolFqdn": "pchat.contoso.com", "DatabaseType": "PersistentChat", "NewPrincipal": new, "Confirm": false});
    let swap = json!({"command": "native", "name": "Invoke-CsDatabaseFailover", "parameters": parameters});
    // Until the pair is synchronized the swap is refused.
    let changed = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        situation.control(swap.clone())["outcome"] == "completed"
    });
    assert!(changed, "{:#}", situation.control(swap));
    wait_for_users(situation);
}

#[test]
fn given_up_after_the_tail_users_are_back_where_they_were() {
    let There { situation, lost } = failed_over(7200);
    let cut = situation.cut_off("failback", "tail.taken", &[]);
    assert_ne!(cut.code, Some(0), "{:#}", cut.document);
    assert_eq!(situation.state_of("B\\RTC"), "RESTORING");
    situation.run("undo", &[]).expect(0);
    assert_eq!(situation.state_of("B\\RTC"), "ONLINE");
    wait_for_users(&situation);
    let pool = situation.ask("state")["pool"].clone();
    assert_eq!(pool["pool_state"], "FailedOver", "{pool}");
    let truth = situation.ask("truth");
    assert_eq!(truth["copies"]["B\\RTC"]["missing"], lost, "{:#}", truth["copies"]);
    // And the way home is open as before. What the old mirror holds was saved with its principal, which a new run cannot know.
    let unnamed = situation.run("failback", &[]);
    unnamed.expect(3);
    assert_eq!(unnamed.error_code(), 5016);
    situation.run("failback", &[("/recover_and_save", json!(["PM\\RTC"]))]).expect(0);
    assert_home(&situation, &lost);
    assert_as_the_baseline(&situation);
}
