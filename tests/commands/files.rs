//! The ways of the files: copied by this machine, by the copy job, restored straight from the share, or none.

use serde_json::{json, Value};

use crate::shell::Shell;

#[test]
fn names_narrow_a_copy_and_the_rest_stays_where_it_is() {
    let shell = Shell::start("primary-lost");
    let listed = shell.list();
    let missing: Vec<Value> =
        listed.items.iter().filter(|item| item["status"] == "not_copied").map(|item| item["name"].clone()).collect();
    assert!(missing.len() > 2, "{missing:?}");
    let mut two = shell.change_request("pchat_log_backup_copy");
    two["names"] = json!([missing[0], missing[1], listed.items[0]["name"], "nowhere.trn"]);
    two["max_megabytes_per_second"] = json!(200);
    let copied = shell.change_as("pchat_log_backup_copy", two);
    copied.expect(0);
    let objects: Vec<&Value> = copied.items.iter().map(|item| &item["object"]).collect();
    assert_eq!(objects, [&missing[0], &missing[1]]);
    assert!(copied.messages.iter().any(|text| text.contains("nowhere.trn")), "{:?}", copied.messages);
    assert_eq!(shell.list().count("not_copied"), missing.len() - 2);
}

#[test]
fn without_a_path_of_this_machine_the_copy_job_is_run_and_awaited() {
    let mut shell = Shell::start("small");
    shell.path_map = json!(null);
    let planned = shell.plan("pchat_log_backup_copy", &shell.change_request("pchat_log_backup_copy"));
    planned.expect(0);
    assert_eq!(planned.items[0]["action"], json!("start_job"));
    shell.change("pchat_log_backup_copy").expect(0);
    assert_eq!(shell.list().count("not_copied"), 0);
    shell.assert_understood();
}

#[test]
fn without_an_agent_nothing_is_copied_and_the_instance_restores_straight_from_the_share() {
    let mut shell = Shell::start("agent-stopped");
    shell.path_map = json!(null);
    let copy = shell.change("pchat_log_backup_copy");
    copy.expect(7);
    assert!(copy.text().contains("straight from where they lie"), "{}", copy.text());
    let restored = shell.change("pchat_log_backup_restore");
    restored.expect(0);
    assert!(restored.statements().iter().any(|statement| statement.to_lowercase().contains("\\\\fs1\\logship")));
    shell.change("pchat_database_recover").expect(0);
    assert_eq!(shell.state(), "ONLINE");
}

#[test]
fn where_no_way_is_left_a_copy_is_refused() {
    let mut shell = Shell::start("agent-stopped");
    let share = |entry: &Value| entry["from"].as_str().is_some_and(|from| from.starts_with("\\\\"));
    shell.path_map = shell.path_map.as_array().into_iter().flatten().filter(|entry| share(entry)).cloned().collect();
    shell.fault("share_denied", json!({"share": "\\\\FS1\\LogShip", "account": "service"}));
    let refused = shell.change("pchat_log_backup_copy");
    refused.expect(3);
    assert_eq!(refused.error_code(), 5007, "{:#}", refused.document);
    assert!(refused.message().contains("the copy job cannot"), "{}", refused.message());
    assert_eq!(shell.state(), "RESTORING");
}

#[test]
fn with_the_share_out_of_reach_a_copy_does_not_say_that_there_is_nothing_to_do() {
    let shell = Shell::start("share-lost");
    let refused = shell.change("pchat_log_backup_copy");
    refused.expect(3);
    assert_eq!(refused.error_code(), 4004, "{:#}", refused.document);
}

#[test]
fn too_little_room_is_told_before_a_byte_is_copied() {
    let shell = Shell::start("small");
    shell.fault("no_space", json!({"host": "B", "drive": "E", "free_bytes": 1000}));
    let refused = shell.change("pchat_log_backup_copy");
    refused.expect(3);
    assert_eq!(refused.error_code(), 5009, "{:#}", refused.document);
}

#[test]
fn a_folder_of_the_same_name_on_another_disk_is_not_taken_for_the_servers() {
    let mut shell = Shell::start("small");
    let wrong = tempfile::TempDir::new().expect("a folder");
    shell.path_map = json!([{"from": "E:\\LSCopy", "to": wrong.path().display().to_string()}]);
    let copied = shell.change("pchat_log_backup_copy");
    copied.expect(0);
    assert_eq!(copied.items[0]["action"], json!("start_job"), "the copy job is the way that is left");
    assert_eq!(std::fs::read_dir(wrong.path()).map_or(1, Iterator::count), 0, "nothing was written there");
}
