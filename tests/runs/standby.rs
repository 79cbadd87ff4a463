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
