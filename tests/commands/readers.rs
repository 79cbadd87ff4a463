//! STANDBY copies and online databases: who is in, and how they are ended.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::shell::Shell;

#[test]
fn a_restore_asks_before_it_ends_the_readers_of_a_standby_copy() {
    let shell = Shell::start("standby-200-readers");
    assert!(shell.read("pchat_connection_list").items.len() > 100);
    shell.change("pchat_log_backup_copy").expect(0);
    let export = "pchat_log_backup_restore";
    let request = shell.change_request(export);
    let planned = shell.plan(export, &request);
    planned.expect(0);
    assert_eq!(planned.items[0]["action"], json!("lock_out"));
    let declined = shell.approve(export, request.clone(), &planned, false);
    declined.expect(5);
    assert_eq!((declined.error_code(), declined.questions.len()), (1008, 1));
    assert_eq!(shell.read("pchat_database_state").items[0]["database_state"], json!("standby"));
    let done = shell.approve(export, request, &planned, true);
    done.expect(0);
    assert_eq!(shell.state(), "RESTORING");
    assert_eq!(shell.read("pchat_connection_list").items.len(), 0);
    shell.change("pchat_database_recover").expect(0);
    assert_eq!(shell.state(), "ONLINE");
    shell.assert_understood();
}

#[test]
fn ending_the_connections_of_a_standby_copy_keeps_its_readers_out() {
    let shell = Shell::start("standby-200-readers");
    let ended = shell.change("pchat_connection_end");
    ended.expect(0);
    assert_eq!(shell.state(), "RESTORING");
    shell.change("pchat_connection_end").expect(7);
    shell.assert_understood();
}

#[test]
fn a_recovery_that_the_gate_refuses_leaves_a_standby_copy_open() {
    let shell = Shell::start("standby-200-readers");
    let refused = shell.change("pchat_database_recover");
    refused.expect(3);
    assert_eq!(shell.read("pchat_database_state").items[0]["database_state"], json!("standby"));
}

#[test]
fn a_cancel_in_mid_restore_is_answered_at_once_and_the_restore_runs_to_its_end() {
    let shell = Shell::start("small");
    let export = "pchat_log_backup_restore";
    let mut request = shell.change_request(export);
    shell.fault("slow_restore", json!({"instance": "B\\RTC", "bytes_per_second": 30_000}));
    request["plan_only"] = json!(false);
    let mut asked = None;
    let mut begun = || {
        let is_restoring =
            shell.effects().iter().any(|effect| effect["kind"].as_str().is_some_and(|kind| kind.contains("restore")));
        if is_restoring {
            asked.get_or_insert_with(Instant::now);
        }
        is_restoring
    };
    let ended = shell.operate(export, &request, true, &mut begun);
    let waited = asked.map(|at| at.elapsed());
    ended.expect(5);
    assert!(waited.is_some_and(|waited| waited < Duration::from_millis(1500)), "{waited:?}");
    assert!(ended.text().contains("is not interrupted"), "{}", ended.text());
    let before = shell.list().document["redo_point_lsn"].clone();
    let moved = (0..240).any(|_| {
        std::thread::sleep(Duration::from_millis(250));
        shell.list().document["redo_point_lsn"] != before
    });
    assert!(moved, "the RESTORE that was sent ends by itself");
    assert_eq!(shell.state(), "RESTORING");
}

#[test]
fn in_an_online_database_sessions_are_ended_one_by_one_within_the_limit() {
    let shell = Shell::start("standby-200-readers");
    shell.change("pchat_log_backup_copy").expect(0);
    shell.change("pchat_log_backup_restore").expect(0);
    shell.change("pchat_database_recover").expect(0);
    let came_back = (0..400).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        shell.read("pchat_connection_list").items.len() > 50
    });
    assert!(came_back, "the readers come back once the database is online");
    let export = "pchat_connection_end";
    let mut request = shell.change_request(export);
    request["limit_seconds"] = json!(2);
    let planned = shell.plan(export, &request);
    planned.expect(0);
    assert!(planned.statements().iter().all(|statement| statement.starts_with("KILL ")), "{:?}", planned.statements());
    let begun = Instant::now();
    let ended = shell.approve(export, request, &planned, true);
    // They reconnect faster than anybody can end them; the limit holds, and the database is as it was.
    ended.expect(1);
    assert_eq!(ended.error_code(), 3004, "{}", ended.message());
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!(shell.state(), "ONLINE");
    shell.assert_understood();
}

#[test]
fn a_login_that_sees_too_little_is_refused_rather_than_told_that_nobody_is_in() {
    let shell = Shell::start("standby-200-readers");
    shell.log_in_as("reader");
    let listed = shell.read("pchat_connection_list");
    assert_eq!((listed.error_code(), listed.items.len()), (3002, 0), "{:#}", listed.document);
    let ended = shell.change("pchat_connection_end");
    ended.expect(3);
    assert_eq!(ended.error_code(), 3002, "{}", ended.message());
}
