//! How log backups get to where they are restored from, where this machine does not see the copy folder.

use serde_json::json;

use crate::harness::Situation;

const BLIND: [&str; 2] = ["/folders/path_map", "/journal/no_journal_copy"];

#[test]
fn without_a_path_to_the_copy_folder_the_copy_job_copies() {
    let situation = Situation::start("small");
    situation.ask("primary_site_lost");
    let done = situation.run("failover", &[(BLIND[0], json!([])), (BLIND[1], json!(true))]);
    done.expect(0);
    situation.assert_failed_over();
    assert!(situation.effects().iter().any(|e| e.contains("B\\RTC file_copied")), "{:#?}", situation.effects());
}

#[test]
fn after_a_copy_job_that_failed_the_next_plan_restores_straight_from_the_share() {
    let situation = Situation::start("small");
    situation.ask("primary_site_lost");
    situation.fault("share_denied", json!({"share": "\\\\fs1\\LogShip", "account": "agent", "instance": "B\\RTC"}));
    let set = [(BLIND[0], json!([])), (BLIND[1], json!(true))];
    let failed = situation.run("failover", &set);
    assert_eq!(failed.error_code(), 4007, "{:#}", failed.document);
    assert_eq!(situation.state_of("B\\RTC"), "RESTORING");
    situation.run("undo", &[]).expect(0);
    situation.run("failover", &set).expect(0);
    situation.assert_failed_over();
}

#[test]
fn with_no_way_at_all_it_is_refused() {
    let situation = Situation::start("small");
    situation.ask("primary_site_lost");
    for account in ["agent", "service"] {
        situation.fault("share_denied", json!({"share": "\\\\fs1\\LogShip", "account": account, "instance": "B\\RTC"}));
    }
    let refused = situation.run("failover", &[(BLIND[0], json!([])), (BLIND[1], json!(true))]);
    refused.expect(3);
    assert_eq!(situation.ask("truth")["destructive"], json!({}));
}
