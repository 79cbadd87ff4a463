//! Requests against a lab, as the cmdlets would build them.

use serde_json::{json, Value};

/// Settings of a session that finds the lab's names.
pub fn session_settings(about: &Value) -> Value {
    json!({
        "version": 1,
        "encrypt": "Mandatory",
        "trust_server_certificate": true,
        "connect_timeout_seconds": 5,
        "address_map": about["address_map"],
    })
}

/// The SQL login that the lab offers to tests: user and password.
pub fn login(about: &Value) -> (String, String) {
    let login = about["logins"].get(0).cloned().unwrap_or_default();
    let text = |name: &str| login[name].as_str().unwrap_or_default().to_string();
    (text("name"), text("password"))
}

/// The lab's folders as a request names them: shares, and the folders of the instance acted on.
pub fn path_map(about: &Value) -> Value {
    about["path_map"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|entry| entry["server"].is_null() || entry["server"] == "B")
        .map(|entry| json!({"from": entry["from"], "to": entry["to"]}))
        .collect()
}

/// The baseline of the standard topology, into a folder.
pub fn baseline_request(folder: &str) -> Value {
    json!({
        "version": 1,
        "target": {"sql_instance": "B\\RTC", "database": "mgc", "pool_fqdn": "pchat.contoso.com"},
        "primary_sql_instance": "P\\RTC",
        "primary_mirror_sql_instance": "PM\\RTC",
        "backup_mirror_sql_instance": "BM\\RTC",
        "compliance_database": "mgccomp",
        "folder": folder,
        "keep": 10,
    })
}

/// The failback of the standard topology. The baseline's folder takes the journal's second copy.
pub fn failback_request(about: &Value, journal: Value, baseline: &str) -> Value {
    json!({
        "version": 1,
        "target": {"sql_instance": "B\\RTC", "database": "mgc", "pool_fqdn": "pchat.contoso.com"},
        "backup_mirror_sql_instance": "BM\\RTC",
        "primary_sql_instance": "P\\RTC",
        "primary_mirror_sql_instance": "PM\\RTC",
        "active_servers": ["s1.contoso.com", "s2.contoso.com"],
        "log_backup_share": null,
        "mirror_file_share": "\\\\fs2\\mirror",
        "baseline_path": baseline,
        "baseline": null,
        "path_map": path_map(about),
        "journal": journal,
        "documented": false,
        "recover_and_save": [],
        "compliance_drained": false,
        "drain_timeout_seconds": 60,
        "service_timeout_seconds": 60,
        "pool_timeout_seconds": 60,
        "spellings": {"pool_state_identity": null, "active_list_identity": null},
    })
}

/// A journal in one folder, its second copy left to the default.
pub fn journal_place(folder: &str) -> Value {
    json!({"journal_path": folder, "journal_copy_path": null, "no_journal_copy": false})
}

/// The failover of the standard topology.
pub fn failover_request(about: &Value, journal: Value) -> Value {
    json!({
        "version": 1,
        "target": {"sql_instance": "B\\RTC", "database": "mgc", "pool_fqdn": "pchat.contoso.com"},
        "folders": {
            "log_backup_share": null,
            "copy_folder": null,
            "additional_log_backup_folders": [],
            "path_map": path_map(about),
        },
        "journal": journal,
        "active_servers": ["s3.contoso.com", "s4.contoso.com"],
        "mirror_file_share": "\\\\fs2\\mirror",
        "primary_sql_instance": "P\\RTC",
        "primary_mirror_sql_instance": "PM\\RTC",
        "backup_mirror_sql_instance": "BM\\RTC",
        "monitor_sql_instance": null,
        "outage_utc": null,
        "accept_data_loss": null,
        "ignore_witness": [],
        "mirror_after_active_servers": false,
        "no_log_backup": false,
        "log_backup_path": null,
        "log_backup_interval_minutes": 15,
        "max_megabytes_per_second": null,
        "probe_timeout_seconds": 5,
        "pool_timeout_seconds": 60,
        "spellings": {"pool_state_identity": null, "active_list_identity": null},
    })
}

/// A planned switch of the lab's database without a baseline: the journal's second copy in a folder inside the first one's.
pub fn planned_switch_request(about: &Value, mut journal: Value) -> Value {
    if let Some(folder) = journal["journal_path"].as_str() {
        journal["journal_copy_path"] = json!(format!("{folder}{}copy", std::path::MAIN_SEPARATOR));
    }
    json!({
        "version": 1,
        "failover": failover_request(about, journal),
        "salvage_tail": false,
        "compliance_drained": false,
        "drain_timeout_seconds": 60,
        "service_timeout_seconds": 60,
        "baseline_path": null,
    })
}

/// The restore of conference content in the standard topology's Front End pools.
pub fn conference_request(about: &Value, journal: Value) -> Value {
    json!({
        "version": 1,
        "damaged_pool_fqdn": "pool1.contoso.com",
        "pool_fqdn": null,
        "backup_modules": [],
        "after_pool_failback": true,
        "sync_interval_seconds": null,
        "backup_service_timeout_seconds": 120,
        "comparison_timeout_seconds": 60,
        "path_map": path_map(about),
        "journal": journal,
    })
}
