//! The plan that was confirmed is the plan that runs: edited by hand or overtaken by the world, it is refused.

use pchat_tests::request::{failover_request, journal_place};
use serde_json::{json, Value};

use crate::shell::{Ended, Shell};

fn planned(shell: &Shell) -> Value {
    let journal = journal_place(&shell.journal.path().display().to_string());
    let request = failover_request(&shell.lab.about, journal);
    let planned = shell.operate("pchat_failover_plan", &request, true, &mut || false);
    assert_eq!(planned.document["can_run"], json!(true), "{:#}", planned.document["checks"]);
    planned.document
}

/// Starts the plan with one member replaced.
fn start_edited(shell: &Shell, plan: &Value, pointer: &str, value: Value) -> Ended {
    let mut plan = plan.clone();
    *plan.pointer_mut(pointer).unwrap_or_else(|| panic!("a plan has {pointer}")) = value;
    shell.operate("pchat_run_start", &json!({"version": 1, "plan": plan}), true, &mut || false)
}

#[test]
fn a_plan_whose_facts_target_or_digest_were_edited_is_no_plan() {
    let shell = Shell::start("small");
    shell.ask("primary_site_lost");
    let plan = planned(&shell);
    for (pointer, value) in [
        ("/decision_facts/primary_verdict", json!("alive")),
        ("/decision_facts/ignored_witnesses", json!("monitor")),
        ("/digest", json!("0")),
        ("/sql_instance", json!("X\\RTC")),
        ("/request/target/database", json!("mgccomp")),
    ] {
        let refused = start_edited(&shell, &plan, pointer, value);
        refused.expect(2);
        assert_eq!(refused.error_code(), 1001, "{pointer}: {}", refused.message());
    }
    assert_eq!(shell.effects(), Vec::<Value>::new());
    assert_eq!(shell.state(), "RESTORING");
}

#[test]
fn a_plan_whose_request_was_edited_is_outdated_and_the_fact_is_named() {
    let shell = Shell::start("small");
    shell.ask("primary_site_lost");
    let plan = planned(&shell);
    let elsewhere = json!(shell.journal.path().join("elsewhere").display().to_string());
    for (pointer, value, fact) in [
        ("/request/journal/journal_path", elsewhere.clone(), "journal was"),
        ("/request/journal/journal_copy_path", elsewhere, "journal copy was `kept`"),
        ("/request/ignore_witness", json!(["Monitor"]), "ignored witnesses was `` and is `monitor`"),
        ("/request/journal/no_journal_copy", json!(true), "journal copy was `kept` and is `declined`"),
        ("/request/mirror_file_share", json!("\\\\fs1\\LogShip"), "mirror file share was"),
        ("/request/active_servers", json!(["s3.contoso.com"]), "active servers wanted was"),
    ] {
        let refused = start_edited(&shell, &plan, pointer, value);
        refused.expect(3);
        assert_eq!(refused.error_code(), 5005, "{pointer}: {}", refused.message());
        assert!(refused.message().contains(fact), "{pointer}: {}", refused.message());
    }
    assert_eq!(shell.effects(), Vec::<Value>::new());
    assert_eq!(shell.state(), "RESTORING");
}

#[test]
fn a_plan_whose_shown_steps_were_edited_is_refused_with_the_step() {
    let shell = Shell::start("small");
    shell.ask("primary_site_lost");
    let plan = planned(&shell);
    for (step, member, value) in [
        ("recover", "statements/0", "RESTORE DATABASE [mgc] WITH NORECOVERY"),
        ("copy_and_restore", "statements/0", "RESTORE LOG [mgc] FROM DISK = N'E:\\x.trn' WITH FILE = 1, NORECOVERY"),
        ("copy_and_restore", "files/0/name", "x.trn"),
        ("pool_state", "native_commands/0", "Set-CsPersistentChatState -PoolState Normal"),
        ("mirror", "title", "Nothing"),
    ] {
        let at = plan["steps"].as_array().into_iter().flatten().position(|found| found["name"] == json!(step));
        let pointer = format!("/steps/{}/{member}", at.unwrap_or_else(|| panic!("a plan has {step}")));
        let refused = start_edited(&shell, &plan, &pointer, json!(value));
        refused.expect(3);
        assert_eq!(refused.error_code(), 5005, "{pointer}: {}", refused.message());
        assert!(refused.message().contains(&format!("`{step}`")), "{pointer}: {}", refused.message());
    }
    assert_eq!(shell.effects(), Vec::<Value>::new());
    assert_eq!(shell.state(), "RESTORING");
}

#[test]
fn servers_without_their_domain_are_those_of_the_pool() {
    let shell = Shell::start("small");
    let journal = journal_place(&shell.journal.path().display().to_string());
    let mut request = failover_request(&shell.lab.about, journal);
    request["active_servers"] = json!(["S3", "s4"]);
    let plan = shell.operate("pchat_failover_plan", &request, true, &mut || false).document;
    assert_eq!(plan["can_run"], json!(true), "{:#}", plan["checks"]);
    assert_eq!(plan["request"]["active_servers"], json!(["s3.contoso.com", "s4.contoso.com"]));
    request["active_servers"] = json!(["s3", "s4", "s1", "s2", "x5"]);
    let plan = shell.operate("pchat_failover_plan", &request, true, &mut || false).document;
    let checks = plan["checks"].as_array().cloned().unwrap_or_default();
    let check = checks.iter().find(|check| check["name"] == json!("ActiveServers")).cloned().unwrap_or_default();
    let message = check["message"].as_str().unwrap_or_default();
    assert!(message.contains("at most 4") && message.contains("No member of the pool: x5"), "{check:#}");
}

#[test]
fn a_cancel_while_log_shipping_is_removed_is_told_and_the_run_is_finished_later() {
    let shell = Shell::start("small");
    shell.ask("primary_site_lost");
    let plan = planned(&shell);
    let start = json!({"version": 1, "plan": plan});
    let mut is_removed = || {
        shell
            .effects()
            .iter()
            .any(|effect| effect["kind"] == json!("job_deleted") && effect["instance"] == json!("B\\RTC"))
    };
    let cancelled = shell.operate("pchat_run_start", &start, true, &mut is_removed);
    if cancelled.document["exit_code"] != json!(0) {
        cancelled.expect(5);
        assert!(format!("{:#}", cancelled.document).contains("Resume-PChatRun"), "{:#}", cancelled.document);
        let journal = journal_place(&shell.journal.path().display().to_string());
        let resume = json!({"version": 1, "journal": journal, "run_id": null, "path_map": shell.path_map.clone(),
                            "plan_only": false, "accept_data_loss": null,
                                    "active_servers": null});
        shell.operate("pchat_run_resume", &resume, true, &mut || false).expect(0);
    }
    assert_eq!(shell.state(), "ONLINE");
    assert_eq!(shell.ask("truth")["destructive"]["log_shipping"], json!(1));
    shell.assert_understood();
}
