//! A standby secondary whose readers come back every few milliseconds.

use serde_json::json;

use crate::harness::Situation;

#[test]
fn two_hundred_readers_never_get_in_between_restoring_and_recovered() {
    let situation = Situation::start("standby-200-readers");
    situation.ask("primary_site_lost");
    let done = situation.run("failover", &[]);
    done.expect(0);
    situation.assert_failed_over();
    let effects = situation.effects();
    let position = |what: &str| effects.iter().position(|e| e.starts_with("B\\RTC") && e.contains(what));
    let locked = position("user_access").or_else(|| position("database_state"));
    assert!(locked.is_some(), "{effects:#?}");
    let unknown = situation.ask("unknown_statements");
    assert_eq!(unknown, json!([]));
}

#[test]
fn killed_in_mid_restore_and_given_up_it_is_a_standby_copy_again() {
    let situation = Situation::own(&json!({
        "name": "standby",
        "primary_site_lost": true,
        "log_shipping": {"mode": "standby", "log_backups": 4, "not_copied": 1, "not_restored": 3},
    }));
    let slow = json!({"instance": "B\\RTC", "bytes_per_second": 8_000});
    situation.fault("slow_restore", slow.clone());
    let cut = situation.run_cut_off_at("restore.middle", &[]);
    assert!(cut.document.get("outcome").is_none(), "the process ended by itself: {:#}", cut.document);
    situation.control(json!({"command": "fault", "name": "slow_restore", "on": false, "args": slow}));
    assert_eq!(situation.state_of("B\\RTC"), "RESTORING");
    situation.run("undo", &[("/plan_only", json!(true))]).expect(0);
    situation.run("undo", &[]).expect(0);
    let state = situation.ask("state")["instances"]["B\\RTC"].clone();
    assert_eq!(situation.ask("truth")["copies"]["B\\RTC"]["standby"], json!(true), "{state:#}");
    let jobs = state["jobs"].as_array().cloned().unwrap_or_default();
    assert!(!jobs.is_empty() && jobs.iter().all(|job| job["enabled"] == json!(true)), "{state:#}");
    // Nothing has happened: the same database is failed over later.
    situation.run("failover", &[]).expect(0);
    situation.assert_failed_over();
}
