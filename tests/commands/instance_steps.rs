//! One step on one instance: backups, mirrors, and an old primary that comes back.

use serde_json::{json, Value};

use crate::shell::{Ended, Shell};

const PRIMARY: &str = "P\\RTC";
const MIRROR: &str = "PM\\RTC";

fn request(shell: &Shell, instance: &str, more: Value) -> Value {
    let folder = shell.journal.path().display().to_string();
    let mut request = json!({
        "version": 1,
        "target": {"sql_instance": instance, "database": "mgc", "pool_fqdn": null},
        "journal": {"journal_path": folder, "journal_copy_path": null, "no_journal_copy": true},
        "plan_only": true,
        "approved_digest": null,
    });
    if let (Value::Object(request), Value::Object(more)) = (&mut request, more) {
        request.extend(more);
    }
    request
}

fn backup_request(shell: &Shell, instance: &str, backup_type: &str) -> Value {
    request(shell, instance, json!({"backup_type": backup_type, "folder": null, "limit_seconds": 60}))
}

/// Plans, then carries out; a backup is named by the second, so that its statements are compared without the name.
fn back_up(shell: &Shell, request: Value) -> (Ended, Ended) {
    let export = "pchat_database_backup";
    let planned = shell.plan(export, &request);
    planned.expect(0);
    let done = shell.approve(export, request, &planned, true);
    (planned, done)
}

fn mirror(shell: &Shell, instance: &str) -> Value {
    let request = json!({"version": 1, "target": {"sql_instance": instance, "database": "mgc", "pool_fqdn": null}});
    let read = shell.operate("pchat_mirror_get", &request, true, &mut || false);
    assert_eq!(read.document["count"], json!(1), "{:#}", read.document);
    read.items[0].clone()
}

fn state_on(shell: &Shell, instance: &str) -> String {
    shell.ask("truth")["copies"][instance]["state"].as_str().unwrap_or("absent").to_string()
}

#[test]
fn backups_go_where_they_belong_and_log_shipping_goes_on_over_them() {
    let shell = Shell::start("healthy");
    let (planned, full) = back_up(&shell, backup_request(&shell, PRIMARY, "full"));
    full.expect(0);
    assert!(planned.items[0]["statement"].as_str().unwrap().contains("COPY_ONLY, CHECKSUM"), "{:#?}", planned.items);
    let backup = &full.items[0];
    assert_eq!((&backup["is_copy_only"], &backup["is_verified"]), (&json!(true), &json!(true)), "{backup:#}");
    assert!(backup["backup_file"].as_str().unwrap().ends_with(".bak"), "{backup:#}");

    let (_, log) = back_up(&shell, backup_request(&shell, PRIMARY, "log"));
    log.expect(0);
    let file = log.items[0]["backup_file"].as_str().unwrap().to_string();
    assert!(file.starts_with(r"\\fs1\LogShip\mgc_") && file.ends_with(".trn"), "{file}");
    assert_eq!(log.items[0]["is_copy_only"], json!(false));
    let name = file.rsplit('\\').next().unwrap();
    let listed = shell.list();
    assert_eq!(listed.document["verdict"], json!("complete"), "{:#}", listed.document);
    assert!(listed.items.iter().any(|item| item["name"] == json!(name)), "{name} is part of the chain");

    let elsewhere =
        request(&shell, PRIMARY, json!({"backup_type": "log", "folder": "E:\\Elsewhere", "limit_seconds": 60}));
    let planned = shell.plan("pchat_database_backup", &elsewhere);
    assert!(
        planned.items[0]["statement"].as_str().unwrap().contains("WITH COPY_ONLY, CHECKSUM"),
        "{:#?}",
        planned.items
    );
    shell.assert_understood();
}

#[test]
fn a_mirrored_database_gives_no_tail_and_without_its_mirror_it_does() {
    let shell = Shell::start("healthy");
    let principal = mirror(&shell, PRIMARY);
    assert_eq!(
        (&principal["role"], &principal["state"]),
        (&json!("principal"), &json!("synchronized")),
        "{principal:#}"
    );
    assert_eq!(mirror(&shell, MIRROR)["role"], json!("mirror"));
    let refused = shell.plan("pchat_database_backup", &backup_request(&shell, PRIMARY, "tail"));
    refused.expect(3);
    assert_eq!(refused.error_code(), 5020, "{}", refused.message());
    let on_mirror = shell.plan("pchat_database_backup", &backup_request(&shell, MIRROR, "full"));
    assert_eq!(on_mirror.error_code(), 5020, "{}", on_mirror.message());

    let removed = shell.change_as("pchat_mirror_remove", request(&shell, PRIMARY, json!({})));
    removed.expect(0);
    assert_eq!(removed.statements(), ["ALTER DATABASE [mgc] SET PARTNER OFF"]);
    assert!(
        removed.document["next_actions"].to_string().contains("Install-CsMirrorDatabase"),
        "{:#}",
        removed.document
    );
    assert_eq!(mirror(&shell, PRIMARY)["is_mirrored"], json!(false));
    let orphan = mirror(&shell, MIRROR);
    assert_eq!((&orphan["is_mirrored"], &orphan["is_orphan"]), (&json!(false), &json!(true)), "{orphan:#}");
    shell.change_as("pchat_mirror_remove", request(&shell, PRIMARY, json!({}))).expect(7);

    let (planned, tail) = back_up(&shell, backup_request(&shell, PRIMARY, "tail"));
    assert!(planned.items[0]["statement"].as_str().unwrap().ends_with("CHECKSUM, NORECOVERY"), "{:#?}", planned.items);
    tail.expect(0);
    assert_eq!(state_on(&shell, PRIMARY), "RESTORING");
    assert_eq!(tail.items[0]["backup_type"], json!("tail"));
    let again = shell.plan("pchat_database_backup", &backup_request(&shell, PRIMARY, "tail"));
    assert_eq!(again.error_code(), 5020, "{}", again.message());
    shell.assert_understood();
}

fn restore_request(shell: &Shell, instance: &str, file: &str) -> Value {
    request(shell, instance, json!({"backup_file": file, "position": 1, "replace_copy_at": null}))
}

#[test]
fn a_full_backup_goes_over_a_copy_only_where_nothing_is_lost() {
    let export = "pchat_database_restore";
    let shell = Shell::start("healthy");
    let mut full = backup_request(&shell, PRIMARY, "full");
    full["folder"] = json!("\\\\fs1\\LogShip");
    let (_, full) = back_up(&shell, full);
    full.expect(0);
    let file = full.items[0]["backup_file"].as_str().unwrap().to_string();

    let at_home = shell.plan(export, &restore_request(&shell, PRIMARY, &file));
    at_home.expect(3);
    assert_eq!(at_home.error_code(), 5020, "it is mirrored: {}", at_home.message());
    let seeded = shell.change_as(export, restore_request(&shell, crate::shell::BACKUP, &file));
    seeded.expect(0);
    let statements = seeded.statements();
    assert!(statements[0].starts_with("RESTORE VERIFYONLY"), "{statements:?}");
    assert!(statements[1].contains("WITH FILE = 1, NORECOVERY, REPLACE, MOVE N'"), "{statements:?}");
    assert_eq!(shell.state(), "RESTORING");

    shell.change_as("pchat_mirror_remove", request(&shell, PRIMARY, json!({}))).expect(0);
    let online = shell.plan(export, &restore_request(&shell, PRIMARY, &file));
    assert_eq!(online.error_code(), 5016, "it serves: {}", online.message());
    back_up(&shell, backup_request(&shell, PRIMARY, "tail")).1.expect(0);
    let mut tail_is_not_in_it = restore_request(&shell, PRIMARY, &file);
    let refused = shell.plan(export, &tail_is_not_in_it);
    assert_eq!(refused.error_code(), 5016, "its tail is not in the backup: {}", refused.message());
    let advice = refused.document["error"]["recommended_action"].as_str().unwrap_or_default().to_string();
    tail_is_not_in_it["replace_copy_at"] = json!(advice.rsplit(' ').next());
    shell.change_as(export, tail_is_not_in_it).expect(0);
    assert_eq!(state_on(&shell, PRIMARY), "RESTORING");
    shell.assert_understood();
}

#[test]
fn a_file_that_is_no_full_backup_is_refused() {
    let shell = Shell::start("healthy");
    let (_, log) = back_up(&shell, backup_request(&shell, PRIMARY, "log"));
    let file = log.items[0]["backup_file"].as_str().unwrap().to_string();
    let refused = shell.plan("pchat_database_restore", &restore_request(&shell, crate::shell::BACKUP, &file));
    assert_eq!(refused.error_code(), 1002, "{}", refused.message());
    let nowhere = restore_request(&shell, crate::shell::BACKUP, "\\\\fs1\\LogShip\\nowhere.bak");
    let refused = shell.plan("pchat_database_restore", &nowhere);
    assert_ne!(refused.document["exit_code"], json!(0), "{:#}", refused.document);
    assert_eq!(shell.state(), "RESTORING");
}

fn fence(shell: &Shell, parts: &[&str]) -> Value {
    let mut request = request(
        shell,
        PRIMARY,
        json!({"primary_mirror_sql_instance": MIRROR, "backup_sql_instance": crate::shell::BACKUP,
               "remove_mirroring": false, "take_offline": false, "disable_jobs": false}),
    );
    for part in parts {
        request[*part] = json!(true);
    }
    request
}

const ALL: [&str; 3] = ["remove_mirroring", "take_offline", "disable_jobs"];

#[test]
fn a_primary_that_serves_is_not_fenced() {
    let shell = Shell::start("healthy");
    let refused = shell.plan("pchat_primary_disable", &fence(&shell, &ALL));
    refused.expect(3);
    assert_eq!(refused.error_code(), 5002, "{}", refused.message());
    let nothing = shell.plan("pchat_primary_disable", &fence(&shell, &[]));
    assert_eq!(nothing.error_code(), 1002, "{}", nothing.message());
    assert_eq!(state_on(&shell, PRIMARY), "ONLINE");
}

#[test]
fn an_old_primary_is_fenced_by_hand_while_it_is_away_and_by_us_once_it_is_back() {
    let shell = Shell::start("primary-returns");
    shell.change("pchat_log_backup_copy").expect(0);
    shell.change("pchat_log_backup_restore").expect(0);
    let mut accepting = shell.change_request("pchat_database_recover");
    let refused = shell.plan("pchat_database_recover", &accepting);
    accepting["accept_data_loss"] = refused.document["loss"]["accept_value"].clone();
    shell.change_as("pchat_database_recover", accepting).expect(0);

    let export = "pchat_primary_disable";
    let away = fence(&shell, &ALL);
    let planned = shell.plan(export, &away);
    planned.expect(0);
    let by_hand: Vec<_> = planned.items.iter().map(|item| item["action"].clone()).collect();
    assert_eq!(by_hand, ["run_by_hand", "run_by_hand"]);
    let script = |planned: &Ended| planned.items[0]["statement"].as_str().unwrap().to_string();
    let of_all = script(&planned);
    let places = ["@enabled = 0", "SET PARTNER OFF", "SET OFFLINE"].map(|part| of_all.find(part).expect(part));
    assert!(places.is_sorted(), "the order of the command: {of_all}");
    let of_jobs = script(&shell.plan(export, &fence(&shell, &["disable_jobs"])));
    assert!(of_jobs.contains("@enabled = 0") && !of_jobs.contains("ALTER DATABASE"), "what was asked for: {of_jobs}");
    let done = shell.approve(export, away, &planned, true);
    done.expect(4);
    assert_eq!(done.error_code(), 5015, "{}", done.message());

    shell.ask("primary_site_back");
    let mirrored = shell.plan(export, &fence(&shell, &["take_offline", "disable_jobs"]));
    mirrored.expect(3);
    assert_eq!(mirrored.error_code(), 5020, "{}", mirrored.message());
    assert!(mirrored.message().contains("is mirrored"), "{}", mirrored.message());
    let back = fence(&shell, &ALL);
    let planned = shell.plan(export, &back);
    planned.expect(0);
    let actions: Vec<_> = planned.items.iter().filter_map(|item| item["action"].as_str()).collect();
    assert!(actions.contains(&"disable_job") && actions.contains(&"partner_off"), "{actions:?}");
    let done = shell.approve(export, back, &planned, true);
    done.expect(0);
    assert_eq!(state_on(&shell, PRIMARY), "OFFLINE");
    assert_eq!(mirror(&shell, MIRROR)["is_mirrored"], json!(false));
    let again = shell.plan(export, &fence(&shell, &ALL));
    again.expect(7);
    assert_eq!(shell.state(), "ONLINE", "the serving side is as it was");
    shell.assert_understood();
}
