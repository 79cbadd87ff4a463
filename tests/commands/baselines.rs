//! Baselines of a healthy topology, of one that changed, and of a disaster.

use serde_json::{json, Value};
use tempfile::TempDir;

use crate::shell::{Ended, Shell, BACKUP};

fn save(shell: &Shell, folder: &TempDir) -> Ended {
    let request = json!({
        "version": 1,
        "target": {"sql_instance": BACKUP, "database": "mgc", "pool_fqdn": "pchat.contoso.com"},
        "primary_sql_instance": null,
        "primary_mirror_sql_instance": "PM\\RTC",
        "backup_mirror_sql_instance": "BM\\RTC",
        "compliance_database": "mgccomp",
        "folder": folder.path().display().to_string(),
        "keep": 2,
    });
    let before = shell.effects();
    let saved = shell.operate("pchat_baseline_save", &request, true, &mut || false);
    let kinds =
        |effects: Vec<Value>| effects.into_iter().filter(|e| e["by"] == json!("PersistentChatFailover")).count();
    assert_eq!(kinds(shell.effects()), kinds(before), "a baseline changes no instance");
    saved
}

fn get(shell: &Shell, path: &str, reference: Option<&str>, all: bool) -> Ended {
    let request = json!({"version": 1, "path": path, "database": null, "all": all, "reference_path": reference});
    shell.operate("pchat_baseline_get", &request, true, &mut || false)
}

#[test]
fn a_healthy_topology_is_read_whole_and_what_changes_is_drift() {
    let shell = Shell::start("healthy");
    let folder = TempDir::new().expect("a folder");
    let first = save(&shell, &folder);
    assert_eq!(first.document["count"], json!(1), "{:#}", first.document);
    let baseline = &first.items[0];
    assert_eq!(baseline["unread"], json!([]), "{baseline:#}");
    assert_eq!(baseline["is_complete"], json!(true));
    assert_eq!(baseline["primary_sql_instance"], json!("P\\RTC"), "log shipping names it");
    assert_eq!(baseline["log_backup_share"], json!("\\\\fs1\\LogShip"));
    assert_eq!(baseline["active_servers"], json!(["s1.contoso.com", "s2.contoso.com"]));
    let path = baseline["path"].as_str().unwrap().to_string();
    let document: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(document["instances"].as_array().map(Vec::len), Some(4));
    let text = document.to_string().to_lowercase();
    assert!(!text.contains("lab-passw0rd"), "nothing secret is written");

    let second = save(&shell, &folder);
    assert_eq!(second.items[0]["drift"], json!([]), "{:#}", second.items[0]);
    assert_eq!(second.items[0]["reference_path"], json!(path));

    shell.change("pchat_log_shipping_remove").expect(0);
    let third = save(&shell, &folder);
    let drift = third.items[0]["drift"].as_array().cloned().unwrap_or_default();
    let parts: Vec<&str> = drift.iter().filter_map(|drift| drift["part"].as_str()).collect();
    assert!(parts.contains(&"log_shipping_secondary"), "{drift:#?}");
    assert!(drift.iter().all(|drift| drift["role"] == json!("backup")), "{drift:#?}");

    let newest = get(&shell, &folder.path().display().to_string(), None, false);
    assert_eq!(newest.items[0]["path"], third.items[0]["path"]);
    let all = get(&shell, &folder.path().display().to_string(), None, true);
    assert_eq!(all.items.len(), 2, "two are kept");
    let second_path = second.items[0]["path"].as_str();
    let compared = get(&shell, third.items[0]["path"].as_str().unwrap(), second_path, false);
    assert_eq!(compared.items[0]["drift"], third.items[0]["drift"]);
    let nowhere = get(&shell, &folder.path().join("none").display().to_string(), None, false);
    assert_eq!(nowhere.error_code(), 7007, "{}", nowhere.message());
    shell.assert_understood();
}

#[test]
fn in_a_disaster_the_baseline_says_what_it_could_not_read() {
    let shell = Shell::start("small");
    let folder = TempDir::new().expect("a folder");
    let saved = save(&shell, &folder);
    let baseline = &saved.items[0];
    assert_eq!(baseline["is_complete"], json!(false));
    let unread = baseline["unread"].as_array().cloned().unwrap_or_default();
    let of = |name: &str| unread.iter().any(|part| part["subject"] == json!(name) && part["part"] == json!("instance"));
    assert!(of("P\\RTC") && of("PM\\RTC") && !of("BM\\RTC"), "{unread:#?}");
    assert!(
        saved.messages.iter().any(|message| message.starts_with("warning: Not in the baseline")),
        "{:?}",
        saved.messages
    );
    shell.assert_understood();
}
