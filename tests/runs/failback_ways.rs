//! Other ways home: in the order of the published page, over a planned switch, over a damaged copy.

use serde_json::json;

use crate::harness::Situation;
use crate::roundtrip::{assert_as_the_baseline, assert_home, failed_over, There};

#[test]
fn in_the_documented_order_only_the_reported_loss_is_missing() {
    let There { situation, lost } = failed_over(7200);
    let back = situation.run("failback", &[("/documented", json!(true))]);
    back.expect(0);
    assert_home(&situation, &lost);
    assert_as_the_baseline(&situation);
}

#[test]
fn cut_off_in_the_documented_order_it_is_resumed_to_the_same_end() {
    for point in ["full_backup_alone.old_copy_closed", "full_backup_alone.taken", "seed.restore.done"] {
        let There { situation, lost } = failed_over(7200);
        let cut = situation.cut_off("failback", point, &[("/documented", json!(true))]);
        assert!(cut.document.get("outcome").is_none(), "{point}: {:#}", cut.document);
        let resumed = situation.run("resume", &[]);
        assert_eq!(resumed.code, Some(0), "{point}: {:#}", resumed.document);
        assert_home(&situation, &lost);
    }
}

#[test]
fn given_up_in_the_documented_order_the_backup_serves_again() {
    let There { situation, lost } = failed_over(7200);
    let cut = situation.cut_off("failback", "full_backup_alone.taken", &[("/documented", json!(true))]);
    assert!(cut.document.get("outcome").is_none(), "{:#}", cut.document);
    situation.run("undo", &[]).expect(0);
    assert_eq!(situation.state_of("B\\RTC"), "ONLINE");
    assert_ne!(situation.state_of("P\\RTC"), "ONLINE");
    let copies = situation.ask("truth")["copies"].clone();
    assert_eq!(copies["B\\RTC"]["missing"], lost, "{copies:#}");
}

#[test]
fn a_message_between_test_users_is_the_last_proof_at_home() {
    let pool = |name: &str, site: &str, server: &str, partner: &str| {
        json!({
            "fqdn": format!("{name}.contoso.com"), "site": site, "servers": [format!("{server}.contoso.com")],
            "partner": format!("{partner}.contoso.com"), "test_users": true,
        })
    };
    let situation = Situation::own(&json!({
        "name": "test-users-at-home",
        "summary": "Both sites live; both Front End pools have test users",
        "log_shipping": {"log_backups": 6, "not_copied": 0, "not_restored": 1},
        "pool": {"compliance": {"run_interval_seconds": 2}, "front_end_pools": [pool("pool1", "home", "fe1", "pool2"), pool("pool2", "other", "fe2", "pool1")]},
    }));
    situation.run("baseline", &[]).expect(0);
    situation.control(json!({"command": "messages", "write": 30, "per_second": 0.01}));
    situation.ask("primary_site_lost");
    situation.run("failover", &[]).expect(0);
    let lost = situation.ask("truth")["copies"]["B\\RTC"]["missing"].clone();
    situation.ask("primary_site_back");
    let back = situation.run("failback", &[]);
    back.expect(0);
    let steps = back.document["steps"].as_array().cloned().unwrap_or_default();
    let place = steps.iter().position(|step| step["name"] == "test_message").expect("the step");
    assert!(steps[place]["text"].to_string().contains("Success"), "{}", steps[place]);
    assert_eq!(steps[place + 1]["name"], "verify");
    assert_home(&situation, &lost);
}
