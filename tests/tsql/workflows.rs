//! The workflows, each against labs of one version: what they sent.

use std::path::PathBuf;

use pchat_tests::request::{
    baseline_request, failback_request, failover_request, journal_place, planned_switch_request,
};
use serde_json::{json, Value};
use tempfile::TempDir;

use crate::shell::{Ended, Shell};

type Workflow = fn(&str) -> Vec<Value>;

/// By the titles of their sections.
pub const ALL: &[(&str, Workflow)] = &[
    ("failover", failover),
    ("failover of a standby copy", failover_of_standby),
    ("single commands of a failover", single_commands),
    ("backups, mirrors, baselines", instance_steps),
    ("an old primary that comes back", fencing),
    ("planned switch", planned_switch),
    ("planned switch, given up after the tail", planned_switch_given_up),
    ("planned switch, the log of a damaged database saved", salvage),
    ("failback after a disaster", failback_seeded),
    ("failback after a planned switch", failback_unseeded),
    ("failback in the documented order", failback_documented),
    ("failback, given up after the tail", failback_given_up),
    ("log shipping set up anew", log_shipping_anew),
    ("reverse log shipping, its secondary seeded", reverse_log_shipping),
    ("failback with reverse log shipping", failback_reverse),
    ("a primary added on a mirrored pair", primary_added),
];

/// A lab of one version from a scenario of the lab's own, taking down what is sent.
fn lab(version: &str, scenario: &str, more: Value) -> Shell {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../rust/lab/scenarios/{scenario}.json"));
    let text = std::fs::read_to_string(&path).expect("a scenario of the lab");
    let mut document: Value = serde_json::from_str(&text).expect("a scenario is JSON");
    let instance = |role: &str, host: &str| json!({"role": role, "host": host, "name": "RTC", "version": version});
    document["instances"] = json!([
        instance("primary", "P"),
        instance("primary_mirror", "PM"),
        instance("backup", "B"),
        instance("backup_mirror", "BM"),
        {"role": "monitor", "host": "MON", "version": version},
    ]);
    if let (Value::Object(document), Value::Object(more)) = (&mut document, more) {
        document.extend(more);
    }
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("scenario.json");
    std::fs::write(&file, document.to_string()).expect("the scenario is written");
    let shell = Shell::start(&file.display().to_string());
    shell.lab.control(&json!({"command": "statements", "record": true})).expect("the lab takes down what is sent");
    shell
}

/// What came in from the product.
fn sent(shell: &Shell) -> Vec<Value> {
    shell.assert_understood();
    let all = shell.ask("statements");
    let ours = |text: &&Value| text["program"] == json!("PersistentChatFailover");
    all.as_array().into_iter().flatten().filter(ours).cloned().collect()
}

fn fail_over(shell: &Shell, set: &[(&str, Value)]) {
    let mut request = failover_request(&shell.lab.about, journal_place(&shell.journal.path().display().to_string()));
    for (name, value) in set {
        request[*name] = value.clone();
    }
    let plan = shell.operate("pchat_failover_plan", &request, true, &mut || false);
    let refused = shell.operate("pchat_run_start", &json!({"version": 1, "plan": plan.document}), true, &mut || false);
    refused.expect(0);
}

fn failover(version: &str) -> Vec<Value> {
    let shell = lab(version, "small", json!({}));
    fail_over(&shell, &[]);
    sent(&shell)
}

fn failover_of_standby(version: &str) -> Vec<Value> {
    let readers = json!({"readers": {"count": 3, "reconnect_milliseconds": 500}});
    let shell = lab(version, "standby-200-readers", readers);
    fail_over(&shell, &[]);
    sent(&shell)
}

fn single_commands(version: &str) -> Vec<Value> {
    let shell = lab(version, "small", json!({}));
    shell.read("pchat_log_shipping_get");
    shell.read("pchat_connection_list");
    shell.list();
    for export in
        ["pchat_log_backup_copy", "pchat_log_backup_restore", "pchat_log_shipping_remove", "pchat_database_recover"]
    {
        shell.change(export).expect(0);
    }
    sent(&shell)
}

fn on(shell: &Shell, instance: &str, more: Value) -> Value {
    let mut request = json!({
        "version": 1,
        "target": {"sql_instance": instance, "database": "mgc", "pool_fqdn": null},
        "journal": journal_place(&shell.journal.path().display().to_string()),
        "plan_only": false,
        "approved_digest": null,
    });
    if let (Value::Object(request), Value::Object(more)) = (&mut request, more) {
        request.extend(more);
    }
    request
}

fn carry_out(shell: &Shell, export: &str, request: &Value) {
    shell.operate(export, request, true, &mut || false).expect(0);
}

fn instance_steps(version: &str) -> Vec<Value> {
    let shell = lab(version, "healthy", json!({}));
    let folder = TempDir::new().expect("a folder");
    let baseline = json!({
        "version": 1,
        "target": {"sql_instance": "B\\RTC", "database": "mgc", "pool_fqdn": "pchat.contoso.com"},
        "primary_sql_instance": null,
        "primary_mirror_sql_instance": "PM\\RTC",
        "backup_mirror_sql_instance": "BM\\RTC",
        "compliance_database": "mgccomp",
        "folder": folder.path().display().to_string(),
        "keep": 1,
    });
    let saved = shell.operate("pchat_baseline_save", &baseline, true, &mut || false);
    assert_eq!(saved.document["count"], json!(1), "{:#}", saved.document);
    let mirror = json!({"version": 1, "target": {"sql_instance": "P\\RTC", "database": "mgc", "pool_fqdn": null}});
    shell.operate("pchat_mirror_get", &mirror, true, &mut || false);
    let back_up = |kind: &str| {
        let more = json!({"backup_type": kind, "folder": null, "limit_seconds": 60});
        carry_out(&shell, "pchat_database_backup", &on(&shell, "P\\RTC", more));
    };
    back_up("full");
    back_up("log");
    back_up("salvage");
    carry_out(&shell, "pchat_mirror_remove", &on(&shell, "P\\RTC", json!({})));
    back_up("tail");
    sent(&shell)
}

fn fencing(version: &str) -> Vec<Value> {
    let shell = lab(version, "small", json!({}));
    fail_over(&shell, &[("no_log_backup", json!(true))]);
    shell.ask("primary_site_back");
    shell.lab.control(&json!({"command": "statements", "record": true})).expect("from here on");
    let more = json!({"primary_mirror_sql_instance": "PM\\RTC", "backup_sql_instance": "B\\RTC",
                      "remove_mirroring": true, "take_offline": true, "disable_jobs": true});
    carry_out(&shell, "pchat_primary_disable", &on(&shell, "P\\RTC", more));
    sent(&shell)
}

/// A planned switch as far as it goes; `cancel` is asked between its events.
fn switch(shell: &Shell, salvage: bool, cancel: &mut dyn FnMut() -> bool) -> Ended {
    let journal = journal_place(&shell.journal.path().display().to_string());
    let mut request = planned_switch_request(&shell.lab.about, journal);
    request["salvage_tail"] = json!(salvage);
    let plan = shell.operate("pchat_planned_switch_plan", &request, true, &mut || false);
    shell.operate("pchat_run_start", &json!({"version": 1, "plan": plan.document}), true, cancel)
}

fn planned_switch(version: &str) -> Vec<Value> {
    let shell = lab(version, "healthy", json!({}));
    switch(&shell, false, &mut || false).expect(0);
    sent(&shell)
}

fn planned_switch_given_up(version: &str) -> Vec<Value> {
    let shell = lab(version, "healthy", json!({}));
    // The restore takes long enough for somebody to think better of it.
    shell.fault("slow_restore", json!({"instance": "B\\RTC", "bytes_per_second": 400_000}));
    let tail_is_taken = || shell.ask("truth")["copies"]["P\\RTC"]["state"] == json!("RESTORING");
    let stopped = switch(&shell, false, &mut { tail_is_taken });
    assert_ne!(stopped.document["exit_code"], json!(0), "{:#}", stopped.document);
    give_up(&shell);
    sent(&shell)
}

fn salvage(version: &str) -> Vec<Value> {
    let shell = lab(version, "healthy", json!({}));
    // No mirror that could take over: its session is broken.
    shell.fault("refuse", json!({"instance": "PM\\RTC"}));
    shell.fault("database_damaged", json!({"instance": "P\\RTC", "database": "mgc"}));
    switch(&shell, true, &mut || false).expect(0);
    sent(&shell)
}

/// Keeps a baseline, and gives its folder.
fn keep_baseline(shell: &Shell) -> String {
    let folder = shell.journal.path().join("baseline").display().to_string();
    shell.operate("pchat_baseline_save", &baseline_request(&folder), true, &mut || false);
    folder
}

/// The way home; what was sent before it is another section's. `cancel` is asked between its events.
fn fail_back(shell: &Shell, baseline: &str, documented: bool, cancel: &mut dyn FnMut() -> bool) -> Ended {
    fail_back_with(shell, baseline, &[("documented", json!(documented))], cancel)
}

fn fail_back_with(shell: &Shell, baseline: &str, set: &[(&str, Value)], cancel: &mut dyn FnMut() -> bool) -> Ended {
    shell.lab.control(&json!({"command": "statements", "record": true})).expect("from here on");
    let journal = journal_place(&shell.journal.path().display().to_string());
    let mut request = failback_request(&shell.lab.about, journal, baseline);
    for (name, value) in set {
        request[*name] = value.clone();
    }
    let plan = shell.operate("pchat_failback_plan", &request, true, &mut || false);
    shell.operate("pchat_run_start", &json!({"version": 1, "plan": plan.document}), true, cancel)
}

/// A lab that failed over after a disaster, its home site back; and the folder of its baseline.
fn home_site_is_back(version: &str) -> (Shell, String) {
    let shell = lab(version, "healthy", json!({}));
    let baseline = keep_baseline(&shell);
    shell.ask("primary_site_lost");
    fail_over(&shell, &[]);
    shell.ask("primary_site_back");
    (shell, baseline)
}

fn give_up(shell: &Shell) {
    let undo = json!({"version": 1, "journal": journal_place(&shell.journal.path().display().to_string()),
                      "run_id": null, "path_map": shell.path_map, "plan_only": false, "accept_data_loss": null,
                      "active_servers": null});
    shell.operate("pchat_run_undo", &undo, true, &mut || false).expect(0);
}

fn failback_seeded(version: &str) -> Vec<Value> {
    let (shell, baseline) = home_site_is_back(version);
    fail_back(&shell, &baseline, false, &mut || false).expect(0);
    sent(&shell)
}

fn failback_unseeded(version: &str) -> Vec<Value> {
    let shell = lab(version, "healthy", json!({}));
    let baseline = keep_baseline(&shell);
    switch(&shell, false, &mut || false).expect(0);
    fail_back(&shell, &baseline, false, &mut || false).expect(0);
    sent(&shell)
}

fn failback_documented(version: &str) -> Vec<Value> {
    let (shell, baseline) = home_site_is_back(version);
    fail_back(&shell, &baseline, true, &mut || false).expect(0);
    sent(&shell)
}

fn failback_given_up(version: &str) -> Vec<Value> {
    let (shell, baseline) = home_site_is_back(version);
    // Once the list is cleared the home site takes so long for a restore that somebody can think better of it.
    let mut is_slow = false;
    let mut tail_is_taken = || {
        let active = shell.ask("state")["pool"]["active_servers"].clone();
        if !is_slow && active == json!([]) {
            shell.fault("slow_restore", json!({"instance": "P\\RTC", "bytes_per_second": 2_000}));
            is_slow = true;
        }
        shell.ask("truth")["copies"]["B\\RTC"]["state"] == json!("RESTORING")
    };
    let stopped = fail_back(&shell, &baseline, false, &mut tail_is_taken);
    assert_ne!(stopped.document["exit_code"], json!(0), "{:#}", stopped.document);
    give_up(&shell);
    sent(&shell)
}

fn ship(shell: &Shell, primary: &str, secondary: &str, mirror: &str, more: Value) {
    let mut request = json!({
        "target": {"sql_instance": primary, "database": "mgc", "pool_fqdn": "pchat.contoso.com"},
        "secondary_sql_instance": secondary, "mirror_sql_instance": mirror, "baseline_path": null, "reverse": false,
        "log_backup_share": null, "copy_folder": null, "interval_minutes": 15,
    });
    if let (Value::Object(request), Value::Object(more)) = (&mut request, more) {
        request.extend(more);
    }
    carry_out(shell, "pchat_log_shipping_add", &on(shell, primary, request));
}

fn log_shipping_anew(version: &str) -> Vec<Value> {
    let shell = lab(version, "healthy", json!({}));
    let baseline = keep_baseline(&shell);
    shell.change("pchat_log_shipping_remove").expect(0);
    shell.lab.control(&json!({"command": "statements", "record": true})).expect("from here on");
    ship(&shell, "P\\RTC", "B\\RTC", "PM\\RTC", json!({"baseline_path": baseline}));
    sent(&shell)
}

/// A healthy mirrored pair without log shipping, and a secondary that was seeded.
fn primary_added(version: &str) -> Vec<Value> {
    let unshipped = json!({"configured": false, "log_backups": 6, "not_copied": 0, "not_restored": 0});
    let shell = lab(version, "healthy", json!({"log_shipping": unshipped}));
    let more = json!({"log_backup_share": "\\\\fs1\\LogShip", "copy_folder": "E:\\LSCopy"});
    ship(&shell, "P\\RTC", "B\\RTC", "PM\\RTC", more);
    sent(&shell)
}

fn reverse_log_shipping(version: &str) -> Vec<Value> {
    sent(&shipping_in_reverse(version).0)
}

fn failback_reverse(version: &str) -> Vec<Value> {
    let (shell, baseline) = shipping_in_reverse(version);
    // The former mirror of the old primary was parted from it by hand.
    let named = [("recover_and_save", json!(["PM\\RTC"]))];
    fail_back_with(&shell, &baseline, &named, &mut || false).expect(0);
    sent(&shell)
}

/// The old primary seeded by the single commands, and following the backup.
fn shipping_in_reverse(version: &str) -> (Shell, String) {
    let (shell, baseline) = home_site_is_back(version);
    shell.lab.control(&json!({"command": "statements", "record": true})).expect("from here on");
    carry_out(&shell, "pchat_mirror_remove", &on(&shell, "P\\RTC", json!({})));
    let back_up = |instance: &str, kind: &str, folder: Value| {
        let more = json!({"backup_type": kind, "folder": folder, "limit_seconds": 60});
        let taken = shell.operate("pchat_database_backup", &on(&shell, instance, more), true, &mut || false);
        taken.expect(0);
        let file = taken.items.iter().find_map(|item| item["backup_file"].as_str());
        json!(file.expect("the backup tells its file"))
    };
    back_up("P\\RTC", "full", Value::Null);
    back_up("P\\RTC", "tail", Value::Null);
    let file = back_up("B\\RTC", "full", json!("\\\\fs1\\LogShip"));
    let restore = |named: Value| {
        let more = json!({"backup_file": file, "position": 1, "replace_copy_at": named});
        shell.operate("pchat_database_restore", &on(&shell, "P\\RTC", more), true, &mut || false)
    };
    let refused = restore(Value::Null);
    refused.expect(3);
    let advice = refused.document["error"]["recommended_action"].as_str().unwrap_or_default().to_string();
    restore(json!(advice.rsplit(' ').next())).expect(0);
    let more = json!({"baseline_path": baseline, "reverse": true, "copy_folder": "E:\\Reverse"});
    ship(&shell, "B\\RTC", "P\\RTC", "BM\\RTC", more);
    (shell, baseline)
}
