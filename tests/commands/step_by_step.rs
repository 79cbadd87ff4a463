//! Copy, restore, recover in the operator's own hand, and in the order of Microsoft's page.

use serde_json::json;

use crate::shell::Shell;

#[test]
fn copy_restore_recover_one_by_one_ends_with_the_database_online() {
    let shell = Shell::start("small");
    let about = shell.read("pchat_log_shipping_get");
    assert_eq!(about.document["count"], json!(1));
    let record = &about.items[0];
    assert_eq!((&record["source"], &record["database_state"]), (&json!("record"), &json!("restoring")), "{record:#}");
    assert_eq!(record["copy_folder"], json!("E:\\LSCopy"));
    assert!(record["redo_point_lsn"].is_string() && record["copy_job"]["name"].is_string(), "{record:#}");
    assert_eq!(shell.read("pchat_database_state").items[0], *record);

    let before = shell.list();
    assert_eq!(before.document["verdict"], json!("complete"), "{:#}", before.document);
    assert_eq!((before.count("needed"), before.count("not_copied")), (1, 1), "{:#?}", before.items);
    let early = shell.change("pchat_database_recover");
    early.expect(3);
    assert_eq!(early.error_code(), 5006, "what fits must be restored first: {}", early.message());

    let copied = shell.change("pchat_log_backup_copy");
    copied.expect(0);
    assert_eq!(copied.items.len(), 1, "{:#?}", copied.items);
    shell.change("pchat_log_backup_copy").expect(7);
    let after = shell.list();
    assert_eq!((after.count("needed"), after.count("not_copied")), (2, 0), "{:#?}", after.items);

    let restored = shell.change("pchat_log_backup_restore");
    restored.expect(0);
    assert!(restored.statements().iter().all(|s| s.contains("E:\\LSCopy") && s.ends_with("NORECOVERY")));
    assert_eq!(restored.items.len(), 2);
    shell.change("pchat_log_backup_restore").expect(7);
    let listed = shell.list();
    assert_eq!(listed.count("restored"), listed.items.len(), "{:#?}", listed.items);
    assert_eq!(shell.read("pchat_connection_list").document["count"], json!(0), "RESTORING has no session");
    shell.change("pchat_connection_end").expect(7);

    let recovered = shell.change("pchat_database_recover");
    recovered.expect(0);
    assert!(recovered.document["loss"]["recovered_to_lsn"].is_string(), "{:#}", recovered.document);
    assert_eq!(shell.state(), "ONLINE");
    shell.change("pchat_database_recover").expect(7);
    let late = shell.change("pchat_log_backup_restore");
    late.expect(3);
    assert_eq!(late.error_code(), 5004, "{}", late.message());
    shell.assert_understood();
}

#[test]
fn in_the_order_of_the_page_log_shipping_is_removed_first_and_its_capture_is_found() {
    let shell = Shell::start("small");
    let removed = shell.change("pchat_log_shipping_remove");
    removed.expect(0);
    assert!(removed.document["run_id"].is_string() && removed.document["journal_path"].is_string());
    let about = shell.read("pchat_log_shipping_get").items[0].clone();
    assert_eq!((&about["copy_job"], &about["source"]), (&json!(null), &json!("journal")), "{about:#}");
    let again = shell.change("pchat_log_shipping_remove");
    again.expect(7);
    assert!(again.text().contains(removed.document["run_id"].as_str().unwrap_or("?")), "{}", again.text());

    let listed = shell.list();
    assert_eq!(listed.document["verdict"], json!("complete"), "{:#}", listed.document);
    assert_eq!((listed.count("needed"), listed.count("not_copied")), (1, 1), "{:#?}", listed.items);
    shell.change("pchat_log_backup_copy").expect(0);
    shell.change("pchat_log_backup_restore").expect(0);
    shell.change("pchat_database_recover").expect(0);
    assert_eq!(shell.state(), "ONLINE");
    let truth = shell.ask("truth");
    assert_eq!(truth["destructive"]["log_shipping"], json!(1), "{truth}");
    shell.assert_understood();
}

#[test]
fn log_shipping_is_not_removed_while_one_journal_alone_would_know_of_it() {
    let shell = Shell::start("small");
    let export = "pchat_log_shipping_remove";
    let mut request = shell.change_request(export);
    request["journal"]["no_journal_copy"] = json!(false);
    let before = shell.effects();
    let refused = shell.change_as(export, request.clone());
    refused.expect(3);
    assert_eq!(refused.error_code(), 7006, "{}", refused.message());
    assert!(refused.message().contains("-JournalCopyPath"), "{}", refused.message());
    assert_eq!(shell.effects(), before);
    let second = tempfile::TempDir::new().expect("a folder for the second copy");
    request["journal"]["journal_copy_path"] = json!(second.path());
    let removed = shell.change_as(export, request);
    removed.expect(0);
    let journal = format!("{}.journal", removed.document["run_id"].as_str().unwrap_or("?"));
    assert!(second.path().join(journal).is_file(), "the second copy is there");
}

#[test]
fn without_the_rights_on_the_instance_every_step_is_refused_for_just_that() {
    let shell = Shell::start("standby-200-readers");
    shell.log_in_as("reader");
    let before = shell.ask("truth")["destructive"].clone();
    for export in
        ["pchat_log_backup_copy", "pchat_log_backup_restore", "pchat_log_shipping_remove", "pchat_database_recover"]
    {
        let refused = shell.change(export);
        assert_eq!(refused.error_code(), 3002, "{export}: {:#}", refused.document);
        refused.expect(3);
    }
    assert_eq!(shell.ask("truth")["destructive"], before);
    let listed = shell.list();
    listed.expect(3);
    assert_eq!(listed.document["error"]["code"], json!(3002), "{:#}", listed.document);
    assert!(listed.items.is_empty(), "{:#?}", listed.items);
}

#[test]
fn a_plan_that_the_world_has_left_behind_is_refused_and_says_what_changed() {
    let shell = Shell::start("small");
    let request = shell.change_request("pchat_log_backup_restore");
    let planned = shell.plan("pchat_log_backup_restore", &request);
    planned.expect(0);
    shell.fault("share_lost", json!({"share": "\\\\FS1\\LogShip"}));
    let outdated = shell.approve("pchat_log_backup_restore", request, &planned, true);
    outdated.expect(3);
    assert_eq!(outdated.error_code(), 5005, "{}", outdated.message());
    let message = outdated.message();
    assert!(message.contains("chain verdict was `complete` and is `complete, share unreachable`"), "{message}");
    assert_eq!(shell.ask("truth")["destructive"]["restore"].as_u64().unwrap_or(0), 0);
}

#[test]
fn two_operators_do_not_work_on_one_database() {
    let shell = Shell::start("small");
    shell.fault("slow_restore", json!({"instance": "B\\RTC", "bytes_per_second": 20_000}));
    let request = shell.change_request("pchat_log_backup_restore");
    let planned = shell.plan("pchat_log_backup_restore", &request);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| shell.approve("pchat_log_backup_restore", request, &planned, true));
        let begun = (0..1200).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(25));
            shell.effects().iter().any(|effect| effect["kind"].as_str().is_some_and(|kind| kind.contains("restore")))
        });
        assert!(begun, "{:#?}", shell.effects());
        let mut second = shell.change_request("pchat_log_backup_copy");
        second["plan_only"] = json!(false);
        let second = shell.operate("pchat_log_backup_copy", &second, true, &mut || false);
        second.expect(6);
        assert_eq!(second.error_code(), 5008);
        assert!(second.message().contains("PersistentChatFailover"), "the holder is told: {}", second.message());
        first.join().expect("the first operator").expect(0);
    });
}

#[test]
fn bad_input_is_an_error_of_its_own_and_changes_nothing() {
    let shell = Shell::start("small");
    let before = shell.effects();
    let mut climbing = shell.change_request("pchat_log_backup_copy");
    climbing["names"] = json!(["..\\..\\Windows\\x.trn"]);
    let refused = shell.change_as("pchat_log_backup_copy", climbing);
    refused.expect(2);
    assert_eq!(refused.error_code(), 1002);
    for database in ["no such", "m'g]c\n--", "x".repeat(4000).as_str()] {
        let mut request = shell.change_request("pchat_database_recover");
        request["target"]["database"] = json!(database);
        let refused = shell.change_as("pchat_database_recover", request);
        assert!(matches!(refused.error_code(), 3003 | 1002), "{database:.20}: {:#}", refused.document);
    }
    assert_eq!(shell.effects(), before);
    shell.assert_understood();
}
