//! Log shipping removed by hand, so that no journal tells where the log backups are.

use serde_json::json;

use crate::shell::Shell;

/// Removed, and the journal that knows of it is out of reach.
fn removed_by_hand() -> Shell {
    removed_by_hand_in("small")
}

fn removed_by_hand_in(scenario: &str) -> Shell {
    let mut shell = Shell::start(scenario);
    shell.change("pchat_log_shipping_remove").expect(0);
    shell.journal = tempfile::TempDir::new().expect("another folder");
    // A second copy of the journal may lie in the copy folder.
    for entry in shell.path_map.as_array().into_iter().flatten() {
        let folder = entry["to"].as_str().unwrap_or_default();
        for file in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            if file.path().extension().is_some_and(|ending| ending == "journal" || ending == "lock") {
                std::fs::remove_file(file.path()).expect("a journal");
            }
        }
    }
    shell
}

#[test]
fn folders_that_are_named_lead_to_the_end() {
    let mut shell = removed_by_hand();
    shell.folders = json!({"log_backup_share": "\\\\FS1\\LogShip", "copy_folder": "E:\\LSCopy"});
    let listed = shell.list();
    assert_eq!(listed.document["verdict"], json!("complete"), "{:#}", listed.document);
    shell.change("pchat_log_backup_copy").expect(0);
    shell.change("pchat_log_backup_restore").expect(0);
    shell.change("pchat_database_recover").expect(0);
    assert_eq!(shell.state(), "ONLINE");
    shell.assert_understood();
}

#[test]
fn without_names_the_restore_history_leads_to_the_copy_folder_and_the_gate_stays_shut() {
    let shell = removed_by_hand();
    let listed = shell.list();
    assert!(listed.messages.iter().any(|text| text.contains("E:\\LSCopy")), "{:?}", listed.messages);
    assert_eq!(listed.document["verdict"], json!("complete_share_unreachable"), "{:#}", listed.document);
    shell.change("pchat_log_backup_restore").expect(0);
    let refused = shell.change("pchat_database_recover");
    refused.expect(3);
    assert_eq!(refused.error_code(), 4004, "{}", refused.message());
    assert!(refused.message().contains("-LogBackupShare"), "{}", refused.message());
    assert_eq!(shell.state(), "RESTORING");
}

#[test]
fn a_wrong_share_that_is_named_opens_no_gate_over_what_the_history_knows() {
    for copy_folder in [json!(null), json!("E:\\LSCopi")] {
        let mut shell = removed_by_hand();
        shell.folders = json!({"log_backup_share": "\\\\FS2\\mirror", "copy_folder": copy_folder});
        let refused = shell.change("pchat_database_recover");
        refused.expect(3);
        assert_eq!(shell.state(), "RESTORING");
    }
}

#[test]
fn where_the_monitor_is_silent_the_record_knows_what_was_copied() {
    let shell = Shell::start("small");
    shell.fault("refuse", json!({"instance": "MON"}));
    // What is not restored is gone from the share and from the copy folder.
    for entry in shell.path_map.as_array().into_iter().flatten() {
        let folder = entry["to"].as_str().unwrap_or_default();
        let files = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|file| file.path());
        let mut files: Vec<_> = files.filter(|file| file.extension().is_some_and(|ending| ending == "trn")).collect();
        files.sort();
        files.iter().skip(1).for_each(|file| std::fs::remove_file(file).expect("a log backup"));
    }
    let refused = shell.change("pchat_database_recover");
    refused.expect(3);
    assert_eq!(refused.error_code(), 4002, "{}", refused.message());
    assert!(refused.message().contains("B\\RTC knows of log backup"), "{}", refused.message());
    assert_eq!(shell.state(), "RESTORING");
}

/// Everything restored, log shipping removed by hand and no journal of it.
fn restored_by_hand_in(scenario: &str) -> Shell {
    let mut shell = removed_by_hand_in(scenario);
    shell.folders = json!({"log_backup_share": "\\\\FS1\\LogShip", "copy_folder": "E:\\LSCopy"});
    shell.change("pchat_log_backup_copy").expect(0);
    shell.change("pchat_log_backup_restore").expect(0);
    shell
}

#[test]
fn a_primary_that_lives_is_found_though_no_record_names_it() {
    let shell = restored_by_hand_in("small");
    shell.ask("primary_site_back");
    let refused = shell.change("pchat_database_recover");
    refused.expect(3);
    assert_eq!(refused.error_code(), 5002, "{}", refused.message());
    assert!(refused.message().contains("P\\RTC"), "restore history names it: {}", refused.message());
    assert_eq!(shell.state(), "RESTORING");
    shell.assert_understood();
}

#[test]
fn a_primary_that_lives_is_found_though_the_request_names_another() {
    let shell = restored_by_hand_in("small");
    shell.ask("primary_site_back");
    let mut request = shell.change_request("pchat_database_recover");
    request["primary_sql_instance"] = json!("nowhere.invalid\\RTC");
    // Restore history names it, and where that is purged, the headers of the log backups do.
    for by in ["restore history", "the header of the newest log backup"] {
        let refused = shell.change_as("pchat_database_recover", request.clone());
        refused.expect(3);
        assert_eq!(refused.error_code(), 5002, "{by}: {}", refused.message());
        assert!(refused.message().contains("P\\RTC answers"), "{by}: {}", refused.message());
        shell.fault("history_purged", json!({"instance": "B\\RTC"}));
    }
    assert_eq!(shell.state(), "RESTORING");
    shell.assert_understood();
}

#[test]
fn where_history_is_purged_the_headers_of_the_log_backups_name_the_primary() {
    let shell = restored_by_hand_in("small");
    shell.fault("history_purged", json!({"instance": "B\\RTC"}));
    shell.ask("primary_site_back");
    let refused = shell.change("pchat_database_recover");
    refused.expect(3);
    assert_eq!(refused.error_code(), 5002, "{}", refused.message());
    assert!(refused.message().contains("P\\RTC answers"), "{}", refused.message());
    shell.ask("primary_site_lost");
    shell.change("pchat_database_recover").expect(0);
    assert_eq!(shell.state(), "ONLINE");
    shell.assert_understood();
}

#[test]
fn a_mirror_that_is_named_speaks_against_the_death_of_its_primary() {
    let shell = restored_by_hand_in("witness-against");
    let export = "pchat_database_recover";
    let mut request = shell.change_request(export);
    request["primary_mirror_sql_instance"] = json!("PM\\RTC");
    let refused = shell.change_as(export, request.clone());
    refused.expect(3);
    assert_eq!(refused.error_code(), 5003, "{}", refused.message());
    assert_eq!(shell.state(), "RESTORING");
    request["ignore_witness"] = json!(["PrimaryMirror"]);
    shell.change_as(export, request).expect(0);
    assert_eq!(shell.state(), "ONLINE");
}

#[test]
fn a_share_that_lacks_what_its_retention_keeps_hides_later_log_backups() {
    let shell = Shell::start("small");
    for export in ["pchat_log_backup_copy", "pchat_log_backup_restore"] {
        shell.change(export).expect(0);
    }
    for entry in shell.path_map.as_array().into_iter().flatten() {
        if entry["from"].as_str().is_some_and(|from| from.to_lowercase().ends_with("logship")) {
            let folder = std::path::PathBuf::from(entry["to"].as_str().unwrap_or_default());
            let files = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|file| file.path());
            files.for_each(|file| std::fs::remove_file(file).expect("a log backup"));
        }
    }
    let refused = shell.change("pchat_database_recover");
    refused.expect(3);
    assert_eq!(refused.error_code(), 4004, "{}", refused.message());
    assert!(refused.message().contains("retention"), "{}", refused.message());
    assert_eq!(shell.state(), "RESTORING");
}

/// A folder that no Windows server serves may hold a name that is a path.
#[cfg(unix)]
#[test]
fn a_log_backup_whose_name_is_a_path_is_told_and_copied_nowhere() {
    let shell = Shell::start("small");
    let bad = "mgc_..\\..\\x.trn";
    let mut folders = Vec::new();
    for entry in shell.path_map.as_array().into_iter().flatten() {
        let folder = std::path::PathBuf::from(entry["to"].as_str().unwrap_or_default());
        if entry["from"].as_str().is_some_and(|from| from.to_lowercase().ends_with("logship")) {
            let files = std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|file| file.path());
            let real = files.filter(|file| file.extension().is_some_and(|ending| ending == "trn")).max();
            std::fs::copy(real.expect("a log backup"), folder.join(bad)).expect("a bad name");
        }
        folders.push(folder);
    }
    let listed = shell.list();
    let row = listed.items.iter().find(|item| item["name"] == json!(bad)).cloned().unwrap_or_default();
    assert!(row["detail"].as_str().is_some_and(|text| text.contains("PCHAT1002")), "{row:#}");
    shell.change("pchat_log_backup_copy").expect(0);
    for folder in &folders {
        for at in [Some(folder.as_path()), folder.parent(), folder.parent().and_then(|at| at.parent())] {
            assert!(!at.is_some_and(|at| at.join("x.trn").exists()), "{}", folder.display());
        }
    }
    let refused = shell.change("pchat_database_recover");
    refused.expect(3);
    assert_eq!(shell.state(), "RESTORING");
}
