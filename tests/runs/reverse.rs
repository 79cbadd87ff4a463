//! There and back with reverse log shipping: while the backup serves, the old primary follows it, so that the way home needs no
//! seeding.

use std::time::Duration;

use serde_json::{json, Value};

use crate::harness::{Ended, Situation};
use crate::roundtrip::{assert_as_the_baseline, assert_home, failed_over, wait_for_users, There};

const PRIMARY: &str = "P\\RTC";
const BACKUP: &str = "B\\RTC";
const MIRROR: &str = "BM\\RTC";
const SHARE: &str = "\\\\fs1\\LogShip";

fn back_up(situation: &Situation, instance: &str, kind: &str, folder: Value) -> Value {
    let request = json!({"backup_type": kind, "folder": folder, "limit_seconds": 60});
    let taken = situation.step("pchat_database_backup", instance, request);
    taken.expect(0);
    taken.document["backup_file"].clone()
}

/// What the old primary holds is saved, and a full backup of the serving database restored over it.
fn seed(situation: &Situation) {
    situation.step("pchat_mirror_remove", PRIMARY, json!({})).expect(0);
    back_up(situation, PRIMARY, "full", Value::Null);
    back_up(situation, PRIMARY, "tail", Value::Null);
    let file = back_up(situation, BACKUP, "full", json!(SHARE));
    let restore = |named: Value| {
        let request = json!({"backup_file": file, "position": 1, "replace_copy_at": named});
        situation.step("pchat_database_restore", PRIMARY, request)
    };
    let refused = restore(Value::Null);
    refused.expect(3);
    assert_eq!(refused.error_code(), 5016, "its fork is not the backup's: {}", refused.message());
    let advice = refused.document["error"]["recommended_action"].as_str().unwrap_or_default().to_string();
    restore(json!(advice.rsplit(' ').next())).expect(0);
}

fn reverse(situation: &Situation, instance: &str, secondary: Value, mirror: Value) -> Ended {
    let request = json!({
        "secondary_sql_instance": secondary,
        "mirror_sql_instance": mirror,
        "baseline_path": situation.baseline.path(),
        "reverse": true,
        "log_backup_share": null,
        "copy_folder": "E:\\Reverse",
        "interval_minutes": 15,
    });
    situation.step("pchat_log_shipping_add", instance, request)
}

/// A role swap of the pair that serves. Services that started before the mirror stood do not follow it, so that users are not
/// waited for in between.
fn change_roles(situation: &Situation, new: &str, principal: &str) {
    let parameters = json!({"PoolFqdn": "pchat.contoso.com", "DatabaseType": "PersistentChat", "NewPrincipal": new, "Confirm": false});
    let swap = json!({"command": "native", "name": "Invoke-CsDatabaseFailover", "parameters": parameters});
    // Until the pair is synchronized the swap is refused.
    let awaited = |is_so: &dyn Fn() -> bool| {
        (0..600).any(|_| {
            std::thread::sleep(Duration::from_millis(100));
            is_so()
        })
    };
    assert!(awaited(&|| situation.control(swap.clone())["outcome"] == "completed"), "{:#}", situation.control(swap));
    assert!(awaited(&|| situation.state_of(principal) == "ONLINE"), "{principal} serves");
}

#[test]
fn with_reverse_log_shipping_the_way_home_needs_no_seeding() {
    let There { situation, lost } = failed_over(7200);
    let unseeded = reverse(&situation, BACKUP, json!(PRIMARY), json!(MIRROR));
    unseeded.expect(3);
    assert_eq!(unseeded.error_code(), 5020, "{}", unseeded.message());
    seed(&situation);
    reverse(&situation, BACKUP, json!(PRIMARY), json!(MIRROR)).expect(0);
    change_roles(&situation, "Mirror", MIRROR);
    reverse(&situation, MIRROR, Value::Null, Value::Null).expect(0);
    change_roles(&situation, "Primary", BACKUP);
    wait_for_users(&situation);
    reverse(&situation, BACKUP, json!(PRIMARY), json!(MIRROR)).expect(7);

    situation.control(json!({"command": "messages", "write": 30}));
    situation.control(json!({"command": "clock", "pass_seconds": 14_400}));
    assert_eq!(situation.state_of(PRIMARY), "RESTORING");
    let failed = situation.ask("truth")["failed_jobs"].clone();
    let of_reverse = |run: &&Value| run["job"].as_str().is_some_and(|job| job.contains("B\\RTC"));
    assert!(!failed.as_array().into_iter().flatten().any(|run| of_reverse(&run)), "{failed:#}");

    // The former mirror of the old primary was parted from it by hand, so that nobody knows it to be covered.
    let back = situation.run("failback", &[("/recover_and_save", json!(["PM\\RTC"]))]);
    back.expect(0);
    let steps: Vec<&str> =
        back.document["steps"].as_array().into_iter().flatten().filter_map(|step| step["name"].as_str()).collect();
    assert!(!steps.contains(&"seed"), "its copy is taken as seeded: {steps:?}");
    assert_home(&situation, &lost);
    assert_as_the_baseline(&situation);
}
