//! Other ways home: in the order of the published page, over a planned switch, over a damaged copy.

use serde_json::{json, Value};

use crate::harness::Situation;
use crate::roundtrip::{assert_as_the_baseline, assert_home, assert_users_are_in, failed_over, There};

#[test]
fn in_the_documented_order_only_the_reported_loss_is_missing() {
    let There { situation, lost } = failed_over(7200);
    let back = situation.run("failback", &[("/documented", json!(true))]);
    back.expect(0);
    assert_home(&situation, &lost);
    assert_as_the_baseline(&situation);
}

#[test]
fn what_came_behind_the_full_backup_of_the_documented_order_goes_home_too() {
    let There { situation, lost } = failed_over(7200);
    let plan = situation.run("plan-failback", &[("/documented", json!(true))]).document;
    let steps = plan["steps"].as_array().cloned().unwrap_or_default();
    let taken = steps.iter().find(|step| step["name"] == "full_backup_alone").expect("the step");
    let statements = taken["statements"].as_array().cloned().unwrap_or_default();
    let batch = statements.last().and_then(Value::as_str).expect("the batch");
    let places = ["SINGLE_USER WITH", "BACKUP DATABASE [mgc]", "BACKUP LOG [mgc]", "SET OFFLINE WITH"]
        .map(|part| batch.find(part).unwrap_or_else(|| panic!("{part}: {batch}")));
    assert!(places.is_sorted() && !batch.contains("USE [master]"), "the seat is kept: {batch}");
    let loss = plan["loss"]["text"].to_string();
    assert!(loss.contains("a full backup with nobody inside") && !loss.contains("last log backup"), "{loss}");
    let back = situation.run("failback", &[("/documented", json!(true))]);
    back.expect(0);
    let steps = back.document["steps"].as_array().cloned().unwrap_or_default();
    let restored = steps.iter().find(|step| step["name"] == "restore_full").expect("the step");
    assert!(restored["text"].to_string().contains("mgc_closing_"), "{restored}");
    assert_home(&situation, &lost);
}

#[test]
fn a_primary_that_we_fenced_needs_no_name_for_its_former_mirror() {
    let There { situation, lost } = failed_over(7200);
    let fence = json!({
        "primary_mirror_sql_instance": "PM\\RTC", "backup_sql_instance": "B\\RTC",
        "remove_mirroring": true, "take_offline": true, "disable_jobs": true,
    });
    situation.step("pchat_primary_disable", "P\\RTC", fence).expect(0);
    assert_eq!(situation.state_of("P\\RTC"), "OFFLINE");
    let back = situation.run("failback", &[]);
    back.expect(0);
    assert_home(&situation, &lost);
    assert_as_the_baseline(&situation);
}

#[test]
fn what_serves_and_its_mirror_are_never_fenced() {
    let There { situation, .. } = failed_over(600);
    let address = |name: &str| {
        let instances = situation.lab.about["instances"].as_array().cloned().unwrap_or_default();
        let found = instances.into_iter().find(|instance| instance["name"] == name).expect("the instance");
        format!("{},{}", found["address"].as_str().unwrap_or_default(), found["port"])
    };
    let before = situation.effects();
    for (primary, mirror, why) in [
        (r"b.contoso.com\RTC", r"PM\RTC", "as the primary: both are one instance"),
        (&address(r"B\RTC"), r"PM\RTC", "as the primary: both are one instance"),
        (r"P\RTC", r"b.contoso.com\RTC", "as the primary_mirror: both are one instance"),
        (r"P\RTC", r"p.contoso.com\RTC", "as the primary_mirror: both are one instance"),
        (r"P\RTC", r"BM\RTC", r"is the mirroring partner of B\RTC"),
        (r"P\RTC", &address(r"BM\RTC"), r"is the mirroring partner of B\RTC"),
        (r"BM\RTC", r"PM\RTC", r"is the mirroring partner of B\RTC"),
    ] {
        let fence = json!({
            "primary_mirror_sql_instance": mirror, "backup_sql_instance": r"B\RTC",
            "remove_mirroring": true, "take_offline": true, "disable_jobs": true, "plan_only": true,
        });
        let planned = situation.step("pchat_primary_disable", primary, fence.clone());
        planned.expect(2);
        assert_eq!(planned.error_code(), 1002, "{primary} {mirror}: {}", planned.message());
        assert!(planned.message().contains(why), "{primary} {mirror}: {}", planned.message());
        let mut at_once = fence;
        at_once["plan_only"] = json!(false);
        assert_ne!(situation.step("pchat_primary_disable", primary, at_once).code, Some(0), "{primary} {mirror}");
    }
    assert_eq!(situation.effects(), before, "nothing was changed");
    assert_eq!(situation.state_of(r"B\RTC"), "ONLINE");
}

#[test]
fn a_baseline_that_was_saved_while_the_backup_served_is_passed_over() {
    let There { situation, lost } = failed_over(7200);
    let named = |situation: &Situation| {
        let plan = situation.run("plan-failback", &[]).document;
        let checks = plan["checks"].as_array().cloned().unwrap_or_default();
        checks.into_iter().find(|check| check["name"] == "Baseline").expect("the check")["value"].clone()
    };
    let before = named(&situation);
    assert!(before.to_string().contains(".baseline.json"), "the file is named: {before}");
    situation.run("baseline", &[]).expect(0);
    assert_eq!(named(&situation), before, "the one from before the failover");
    situation.run("failback", &[]).expect(0);
    assert_home(&situation, &lost);
}

#[test]
fn new_mirrors_are_waited_for_before_they_are_compared() {
    let situation = Situation::own(&json!({
        "name": "slow-mirrors",
        "summary": "Mirrors take seconds to catch up",
        "log_shipping": {"log_backups": 6, "not_copied": 0, "not_restored": 1},
        "rates": {"mirror_catch_up_milliseconds": 4000},
    }));
    situation.run("baseline", &[]).expect(0);
    situation.ask("primary_site_lost");
    situation.run("failover", &[]).expect(0);
    situation.ask("primary_site_back");
    let back = situation.run("failback", &[]);
    back.expect(0);
    let next = back.document["next_actions"].to_string().to_lowercase();
    assert!(!next.contains("synchronizing"), "{next}");
}

#[test]
fn cut_off_in_the_documented_order_it_is_resumed_to_the_same_end() {
    for point in ["full_backup_alone.old_copy_closed", "full_backup_alone.taken", "seed.restore.done"] {
        let There { situation, lost } = failed_over(7200);
        situation.cut_off_and_resume("failback", point, &[("/documented", json!(true))]);
        assert_home(&situation, &lost);
    }
}

#[test]
fn given_up_in_the_documented_order_the_backup_serves_again() {
    let There { situation, lost } = failed_over(7200);
    let cut = situation.cut_off("failback", "full_backup_alone.taken", &[("/documented", json!(true))]);
    assert!(cut.document.get("outcome").is_none(), "{:#}", cut.document);
    assert_eq!(situation.state_of("B\\RTC"), "OFFLINE", "closed from the seat that took the backup");
    situation.run("undo", &[]).expect(0);
    assert_users_are_in(&situation);
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
