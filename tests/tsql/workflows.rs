//! The workflows, each against labs of one version: what they sent.

use std::path::PathBuf;

use pchat_tests::request::{failover_request, journal_place};
use serde_json::{json, Value};
use tempfile::TempDir;

use crate::shell::Shell;

type Workflow = fn(&str) -> Vec<Value>;

/// By the titles of their sections.
pub const ALL: &[(&str, Workflow)] = &[
    ("failover", failover),
    ("failover of a standby copy", failover_of_standby),
    ("single commands of a failover", single_commands),
    ("backups, mirrors, baselines", instance_steps),
    ("an old primary that comes back", fencing),
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
