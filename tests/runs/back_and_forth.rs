//! Planned there and back while both sites live: the way home needs no seeding, and not one message is lost or doubled.

use serde_json::json;

use crate::roundtrip::{assert_as_the_baseline, assert_home, nothing, wait_for_users, with_baseline};

#[test]
fn what_serves_is_never_taken_for_what_is_restored() {
    let situation = with_baseline();
    assert_eq!(situation.run("switch", &[]).code, Some(0));
    wait_for_users(&situation);
    let before = situation.effects();
    for name in ["/primary_sql_instance", "/primary_mirror_sql_instance"] {
        for own in ["B\\RTC", "b.contoso.com\\rtc"] {
            let refused = situation.run("failback", &[(name, json!(own))]);
            refused.expect(2);
            assert_eq!(refused.error_code(), 1002, "{name} {own}: {}", refused.message());
            assert!(refused.message().contains("both are one instance"), "{}", refused.message());
        }
    }
    assert_eq!(situation.effects(), before, "nothing was changed");
}

#[test]
fn planned_there_and_back_ten_times_without_seeding_and_without_loss() {
    let situation = with_baseline();
    for round in 0..10 {
        let there = situation.run("switch", &[]);
        assert_eq!(there.code, Some(0), "{round}: {:#}", there.document);
        wait_for_users(&situation);
        let copy = situation.ask("truth")["copies"]["B\\RTC"].clone();
        assert_eq!((&copy["missing"]["count"], &copy["doubled"]["count"]), (&json!(0), &json!(0)), "{round}: {copy}");
        situation.control(json!({"command": "messages", "write": 10}));
        situation.control(json!({"command": "clock", "pass_seconds": 3600}));
        let back = situation.run("failback", &[]);
        assert_eq!(back.code, Some(0), "{round}: {:#}", back.document);
        let steps = back.document["steps"].to_string();
        assert!(!steps.contains("\"seed\""), "{round}: {steps}");
        assert_home(&situation, &nothing());
        situation.control(json!({"command": "messages", "write": 10}));
        situation.control(json!({"command": "clock", "pass_seconds": 3600}));
    }
    assert_as_the_baseline(&situation);
}
