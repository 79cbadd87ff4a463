//! There and back with reverse log shipping: while the backup serves, the old primary follows it, so that the way home needs no
//! seeding.

use serde_json::{json, Value};

use crate::harness::{cut_off_at, Ended, Situation};
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

fn reverse(situation: &Situation, pool: Value) -> Ended {
    let request = json!({
        "target": {"sql_instance": BACKUP, "database": "mgc", "pool_fqdn": pool},
        "secondary_sql_instance": PRIMARY,
        "mirror_sql_instance": MIRROR,
        "baseline_path": situation.baseline.path(),
        "reverse": true,
        "log_backup_share": null,
        "copy_folder": "E:\\Reverse",
        "interval_minutes": 15,
    });
    situation.step("pchat_log_shipping_add", BACKUP, request)
}

/// After a disaster: the old primary seeded, both partners of the backup shipping to it, and hours behind that.
pub fn shipping_in_reverse() -> There {
    let There { situation, lost } = failed_over(7200);
    let pool = json!("pchat.contoso.com");
    let unseeded = reverse(&situation, pool.clone());
    unseeded.expect(3);
    assert_eq!(unseeded.error_code(), 5020, "{}", unseeded.message());
    let advice = unseeded.document["error"]["recommended_action"].as_str().unwrap_or_default().to_string();
    for command in ["Remove-PChatMirror 'P\\RTC'", "Backup-PChatDatabase 'B\\RTC' -BackupPath", "-BackupFile"] {
        assert!(advice.contains(command), "{command}: {advice}");
    }
    seed(&situation);
    let without_pool = reverse(&situation, Value::Null);
    without_pool.expect(2);
    assert_eq!(without_pool.error_code(), 1002, "{}", without_pool.message());
    reverse(&situation, pool.clone()).expect(0);
    for partner in [BACKUP, MIRROR] {
        let jobs = situation.ask("state")["instances"][partner]["jobs"].clone();
        let jobs: Vec<&Value> =
            jobs.as_array().into_iter().flatten().filter(|job| job["enabled"] == json!(true)).collect();
        assert!(jobs.iter().any(|job| job["name"].to_string().contains("LSBackup_mgc")), "{partner}: {jobs:#?}");
        assert!(
            !jobs.iter().any(|job| job["name"].to_string().contains("PersistentChatFailover")),
            "{partner}: {jobs:#?}"
        );
    }
    assert_eq!(situation.state_of(BACKUP), "ONLINE", "the roles are changed back");
    wait_for_users(&situation);
    reverse(&situation, pool).expect(7);
    situation.control(json!({"command": "messages", "write": 30}));
    situation.control(json!({"command": "clock", "pass_seconds": 14_400}));
    assert_eq!(situation.state_of(PRIMARY), "RESTORING");
    let failed = situation.ask("truth")["failed_jobs"].clone();
    let of_reverse = |run: &&Value| run["job"].as_str().is_some_and(|job| job.contains("B\\RTC"));
    assert!(!failed.as_array().into_iter().flatten().any(|run| of_reverse(&run)), "{failed:#}");
    There { situation, lost }
}

/// The former mirror of the old primary was parted from it by hand, so that nobody knows it to be covered.
pub fn covered() -> [(&'static str, Value); 1] {
    [("/recover_and_save", json!(["PM\\RTC"]))]
}

#[test]
fn with_reverse_log_shipping_the_way_home_needs_no_seeding() {
    let There { situation, lost } = shipping_in_reverse();
    let back = situation.run("failback", &covered());
    back.expect(0);
    let steps: Vec<&str> =
        back.document["steps"].as_array().into_iter().flatten().filter_map(|step| step["name"].as_str()).collect();
    assert!(!steps.contains(&"seed"), "its copy is taken as seeded: {steps:?}");
    assert_home(&situation, &lost);
    assert_as_the_baseline(&situation);
}

fn cut_off_and_resumed(point: &str) {
    let There { situation, lost } = shipping_in_reverse();
    situation.cut_off_and_resume("failback", point, &covered());
    assert_home(&situation, &lost);
    assert_as_the_baseline(&situation);
}

cut_off_at! {
    with_half_of_the_reverse_jobs_disabled: "jobs.one_disabled";
    reverse_and_mirroring_removed: "mirroring.removed";
    reverse_and_the_tail_taken: "tail.taken";
    reverse_and_the_primary_recovered: "switch.recover.done";
    reverse_beside_the_new_log_shipping: "log_shipping.primary_added";
    reverse_removed_and_the_copy_dropped: "tidy.copy_dropped";
}

#[test]
fn given_up_after_the_tail_reverse_log_shipping_goes_on() {
    let There { situation, lost } = shipping_in_reverse();
    let cut = situation.cut_off("failback", "tail.taken", &covered());
    assert_ne!(cut.code, Some(0), "{:#}", cut.document);
    assert_eq!(situation.state_of(BACKUP), "RESTORING");
    situation.run("undo", &[]).expect(0);
    assert_eq!(situation.state_of(BACKUP), "ONLINE");
    wait_for_users(&situation);
    assert_eq!(situation.ask("truth")["copies"][BACKUP]["missing"], lost);
    for (instance, name) in [(BACKUP, "LSBackup_mgc"), (PRIMARY, "LSCopy_"), (PRIMARY, "LSRestore_")] {
        let jobs = situation.ask("state")["instances"][instance]["jobs"].clone();
        let is_on = |job: &Value| job["enabled"] == json!(true) && job["name"].to_string().contains(name);
        assert!(jobs.as_array().into_iter().flatten().any(is_on), "{name} on {instance}: {jobs:#}");
    }
    situation.control(json!({"command": "messages", "write": 10}));
    situation.control(json!({"command": "clock", "pass_seconds": 3600}));
    situation.run("failback", &covered()).expect(0);
    assert_home(&situation, &lost);
    assert_as_the_baseline(&situation);
}
