//! Waiting for the backup service through the built library: believed only when the lab's content is really there.

use serde_json::{json, Value};

use crate::shell::{Ended, Shell};

const SURVIVOR: &str = "pool2.contoso.com";
const DAMAGED: &str = "pool1.contoso.com";

fn sync(shell: &Shell, pool: &str) {
    let call = json!({"command": "native", "name": "Invoke-CsBackupServiceSync",
                      "parameters": {"PoolFqdn": pool, "BackupModule": "ConfServices.DataConf"}});
    assert_eq!(shell.lab.control(&call).expect("the lab answers")["outcome"], "completed");
}

fn wait(shell: &Shell, more: Value) -> Ended {
    let mut request = json!({
        "version": 1, "pool_fqdn": SURVIVOR, "damaged_pool_fqdn": null, "backup_modules": [], "health_check": false,
        "sync_interval_seconds": null, "backup_service_timeout_seconds": 60,
    });
    if let (Value::Object(request), Value::Object(more)) = (&mut request, more) {
        request.extend(more);
    }
    shell.operate("pchat_backup_service_wait", &request, true, &mut || false)
}

/// Meetings of the damaged pool whose content is there.
fn present(shell: &Shell) -> u64 {
    let content = shell.ask("state")["pool"]["conference_content"].clone();
    let pool = content.as_array().into_iter().flatten().find(|pool| pool["pool_fqdn"] == DAMAGED).cloned();
    pool.and_then(|pool| pool["present"].as_u64()).unwrap_or_else(|| panic!("no content of {DAMAGED}: {content}"))
}

#[test]
fn a_stale_first_snapshot_is_not_believed_and_the_content_is_there_at_the_end() {
    let shell = Shell::start("conference-stale");
    sync(&shell, SURVIVOR);
    let before = shell.effects();
    let ended = wait(&shell, json!({}));
    assert_eq!(ended.document["count"], json!(2), "{:#}", ended.document);
    assert_eq!(present(&shell), 250);
    let seen: Vec<&str> = ended.items[0]["seen"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|reading| reading["export_status"].as_str())
        .collect();
    assert_eq!(seen[..2], ["FinalState", "NonSteadyState"], "the state from before the call was seen first");
    assert_eq!(shell.effects(), before, "a wait changes nothing");
}

#[test]
fn an_export_that_ends_in_error_fails_with_its_text() {
    let shell = Shell::start("conference-error");
    sync(&shell, SURVIVOR);
    let ended = wait(&shell, json!({}));
    ended.expect(1);
    assert_eq!(ended.error_code(), 6007);
    assert!(ended.message().contains("the export of ConfServices.DataConf has been ErrorState"), "{}", ended.message());
    assert_eq!(ended.items[0]["state"], "failed");
    assert_eq!(present(&shell), 0);
}

#[test]
fn the_way_back_that_never_settles_holds_a_health_check_and_not_a_restore() {
    let shell = Shell::start("conference-one-way");
    sync(&shell, SURVIVOR);
    let ended = wait(&shell, json!({"damaged_pool_fqdn": DAMAGED}));
    assert_eq!(ended.document["count"], json!(2), "{:#}", ended.document);
    assert_eq!(ended.items[1]["export_status"], "NonSteadyState");
    assert_eq!(present(&shell), 250);
    let ended = wait(&shell, json!({"health_check": true, "backup_service_timeout_seconds": 4}));
    ended.expect(4);
    assert_eq!(ended.error_code(), 6008);
    assert!(ended.message().contains("pool1.contoso.com: the export of ConfServices.DataConf is NonSteadyState"));
}

#[test]
fn two_pools_that_are_no_partners_are_refused_and_unknown_partners_are_the_callers_word() {
    let shell = Shell::start("conference-lost");
    let ended = wait(&shell, json!({"damaged_pool_fqdn": "pchat.contoso.com"}));
    ended.expect(3);
    assert_eq!(ended.error_code(), 6009);
    assert!(
        ended.message().contains("is paired with pool1.contoso.com, not with pchat.contoso.com"),
        "{}",
        ended.message()
    );
    assert!(ended.items.is_empty());
}

#[test]
fn a_dead_pool_is_told_and_its_import_never_taken_for_good() {
    let shell = Shell::start("conference-lost");
    shell.ask("primary_site_lost");
    let ended = wait(&shell, json!({"backup_service_timeout_seconds": 4}));
    ended.expect(4);
    assert!(ended.message().contains("pool1.contoso.com: the import"), "{}", ended.message());
}
