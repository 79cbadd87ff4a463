//! Holes, dead shares and unfinished files on the way of the single commands: the gate holds there as well.

use serde_json::json;

use crate::shell::Shell;

#[test]
fn a_gap_is_restored_up_to_and_recovery_wants_the_loss_by_name() {
    let shell = Shell::start("gap-in-chain");
    let listed = shell.list();
    assert_eq!(listed.document["verdict"], json!("gap"));
    assert_eq!(listed.count("gap"), 1, "{:#?}", listed.items);
    let hole = listed.items.iter().find(|item| item["status"] == json!("gap")).cloned().unwrap_or_default();
    assert!(hole["first_lsn"].is_string() && hole["last_lsn"].is_string(), "{hole:#}");

    let restored = shell.change("pchat_log_backup_restore");
    restored.expect(3);
    assert_eq!(restored.error_code(), 4002);
    assert!(!restored.items.is_empty(), "what lies before the gap is restored");
    let first = hole["first_lsn"].as_str().unwrap_or("?");
    assert!(restored.message().contains(first), "{} names {first}", restored.message());
    let again = shell.change("pchat_log_backup_restore");
    again.expect(3);
    assert_eq!((again.error_code(), again.items.len()), (4002, 0));

    let refused = shell.change("pchat_database_recover");
    refused.expect(3);
    assert_eq!(refused.error_code(), 4002, "{}", refused.message());
    assert_eq!(shell.state(), "RESTORING");
    let mut wrong = shell.change_request("pchat_database_recover");
    wrong["accept_data_loss"] = json!("42000000000000001");
    let wrong = shell.change_as("pchat_database_recover", wrong);
    wrong.expect(3);
    assert_eq!(wrong.error_code(), 5006, "{}", wrong.message());
    let accept = refused.document["loss"]["accept_value"].clone();
    let mut accepting = shell.change_request("pchat_database_recover");
    accepting["accept_data_loss"] = accept.clone();
    let done = shell.change_as("pchat_database_recover", accepting);
    done.expect(0);
    assert_eq!(done.document["loss"]["recovered_to_lsn"], accept);
    assert_eq!(shell.state(), "ONLINE");
    shell.assert_understood();
}

#[test]
fn with_the_share_dead_what_is_copied_is_restored_and_recovery_wants_the_loss_by_name() {
    let shell = Shell::start("share-lost");
    let listed = shell.list();
    assert_eq!(listed.document["verdict"], json!("complete_share_unreachable"), "{:#}", listed.document);
    shell.change("pchat_log_backup_restore").expect(0);
    let refused = shell.change("pchat_database_recover");
    refused.expect(3);
    assert_eq!(refused.error_code(), 4004, "{}", refused.message());
    let mut accepting = shell.change_request("pchat_database_recover");
    accepting["accept_data_loss"] = refused.document["loss"]["accept_value"].clone();
    shell.change_as("pchat_database_recover", accepting).expect(0);
    assert_eq!(shell.state(), "ONLINE");
    shell.assert_understood();
}

#[test]
fn an_unfinished_newest_file_is_told_apart_from_a_gap_and_needs_no_acceptance() {
    let shell = Shell::start("primary-lost");
    let listed = shell.list();
    assert_eq!(listed.document["verdict"], json!("unfinished"), "{:#}", listed.document);
    assert_eq!((listed.count("unfinished"), listed.count("gap")), (1, 0));
    assert!(listed.items.len() >= 40, "every known file has a row: {}", listed.items.len());
    shell.change("pchat_log_backup_copy").expect(0);
    let restored = shell.change("pchat_log_backup_restore");
    restored.expect(0);
    assert!(restored.text().contains("never finished"), "{}", restored.text());
    let done = shell.change("pchat_database_recover");
    done.expect(0);
    let text = done.document["loss"]["text"].as_str().unwrap_or_default().to_string();
    assert!(text.contains("never finished"), "{text}");
    shell.assert_understood();
}
