//! A run that is cancelled and given up in one shell, where its worker has not reached its safe end yet.

use pchat_tests::request::{failover_request, journal_place};
use serde_json::json;

use crate::shell::{Shell, BACKUP};

#[test]
fn cancelled_in_mid_restore_a_run_is_given_up_by_the_same_shell_at_once() {
    let shell = Shell::start("small");
    shell.ask("primary_site_lost");
    shell.fault("slow_restore", json!({"instance": BACKUP, "bytes_per_second": 40_000}));
    let journal = journal_place(&shell.journal.path().display().to_string());
    let request = failover_request(&shell.lab.about, journal.clone());
    let plan = shell.operate("pchat_failover_plan", &request, true, &mut || false);
    let start = json!({"version": 1, "plan": plan.document});
    let mut restores = || shell.effects().iter().any(|effect| effect["kind"] == json!("restore_started"));
    let stopped = shell.operate("pchat_run_start", &start, true, &mut restores);
    // The restore that was sent is awaited behind the answer, with the locks.
    assert!(stopped.text().contains("awaited in the background"), "{:#}", stopped.document);
    let undo = json!({"version": 1, "journal": journal, "run_id": null, "path_map": shell.path_map, "plan_only": false,
                      "accept_data_loss": null, "active_servers": null});
    let undone = shell.operate("pchat_run_undo", &undo, true, &mut || false);
    undone.expect(0);
    assert!(undone.messages.iter().any(|text| text.contains("its safe end")), "{:?}", undone.messages);
    assert_eq!(shell.state(), "RESTORING");
    shell.assert_understood();
}
