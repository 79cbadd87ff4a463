//! Native commands that do not do as they should: what became of them is decided by the probe, never by what they said.

use std::process::Child;
use std::time::Duration;

use serde_json::{json, Value};

use crate::harness::{started, Ended, Situation};

const SET_STATE: &str = "Set-CsPersistentChatState";
const SET_LIST: &str = "Set-CsPersistentChatActiveServer";

fn switch(situation: &Situation, fault: &str, command: &str, on: bool) {
    let asked = json!({"command": "fault", "name": fault, "on": on, "args": {"command": command}});
    situation.lab.control(&asked).unwrap_or_else(|e| panic!("the fault {fault}: {e}"));
}

/// A run whose checks saw a shell in order, and whose command has this fault when its step comes.
fn run_into(fault: &str, command: &str) -> (Situation, Ended) {
    let situation = Situation::start("small");
    situation.run_cut_off_at("recover.done", &[]);
    switch(&situation, fault, command, true);
    let ended = situation.run("resume", &[]);
    switch(&situation, fault, command, false);
    (situation, ended)
}

/// Open with this code, users out; the next process finishes it.
fn finished_by_the_next(fault: &str, command: &str, code: u64) {
    let (situation, stopped) = run_into(fault, command);
    stopped.expect(4);
    assert_eq!(stopped.error_code(), code, "{fault} {command}: {:#}", stopped.document);
    assert_eq!(situation.state_of("B\\RTC"), "ONLINE", "{fault} {command}: what was done before stays done");
    situation.run("resume", &[]).expect(0);
    situation.assert_failed_over();
    assert_eq!(situation.ask("truth")["users"]["in"], json!(true));
}

#[test]
fn one_that_throws_leaves_an_open_run() {
    finished_by_the_next("native_throws", SET_STATE, 6002);
    finished_by_the_next("native_throws", SET_LIST, 6002);
}

#[test]
fn one_that_prompts_though_told_not_to_is_one_that_failed() {
    finished_by_the_next("native_prompts", SET_STATE, 6002);
}

#[test]
fn one_that_is_gone_in_mid_run_is_named() {
    finished_by_the_next("native_missing", SET_LIST, 6001);
}

#[test]
fn one_that_lies_is_found_out() {
    finished_by_the_next("native_lies", SET_STATE, 5015);
    finished_by_the_next("native_lies", SET_LIST, 5015);
}

#[test]
fn one_that_gives_back_nothing_proves_nothing() {
    finished_by_the_next("native_silent", "Get-CsPersistentChatState", 6004);
    finished_by_the_next("native_silent", "Get-CsService", 6004);
}

#[test]
fn one_that_throws_behind_its_work_has_done_its_work() {
    for command in [SET_STATE, SET_LIST, "Install-CsMirrorDatabase"] {
        let (situation, done) = run_into("native_throws_afterwards", command);
        done.expect(0);
        situation.assert_failed_over();
    }
}

#[test]
fn one_that_is_missing_or_throws_before_the_run_is_refused_and_nothing_is_changed() {
    for fault in ["native_missing", "native_throws"] {
        let situation = Situation::start("small");
        switch(&situation, fault, SET_STATE, true);
        let before = situation.effects();
        let refused = situation.run("failover", &[]);
        refused.expect(3);
        assert!(refused.message().contains("PoolRights"), "{}", refused.message());
        assert_eq!(situation.effects(), before, "{fault}");
    }
}

#[test]
fn without_the_status_of_replication_nothing_is_begun() {
    let situation = Situation::start("small");
    switch(&situation, "native_missing", "Get-CsManagementStoreReplicationStatus", true);
    let before = situation.effects();
    let refused = situation.run("failover", &[]);
    refused.expect(3);
    assert_eq!(refused.error_code(), 6001, "{:#}", refused.document);
    assert!(refused.message().contains("Get-CsManagementStoreReplicationStatus"), "{}", refused.message());
    assert_eq!(situation.effects(), before);
}

/// Waits until the database is recovered: the step on the pool is next.
fn recovered(situation: &Situation) {
    let is_online = (0..2400).any(|_| {
        std::thread::sleep(Duration::from_millis(25));
        situation.state_of("B\\RTC") == "ONLINE"
    });
    assert!(is_online, "the run recovers");
}

fn kill(mut run: Child) {
    run.kill().expect("killed");
    run.wait().expect("gone");
}

#[test]
fn killed_while_one_hangs_the_run_is_finished_by_the_next() {
    let situation = Situation::start("small");
    let run = started(&situation);
    switch(&situation, "native_hangs", SET_STATE, true);
    recovered(&situation);
    std::thread::sleep(Duration::from_millis(500));
    kill(run);
    assert_eq!(situation.ask("state")["pool"]["pool_state"], "Normal");
    switch(&situation, "native_hangs", SET_STATE, false);
    situation.run("resume", &[]).expect(0);
    situation.assert_failed_over();
}

/// A small lab whose Front End pools have test users.
fn with_test_users(native: Value) -> Situation {
    let pool = |name: &str, site: &str, server: &str, partner: &str| {
        json!({
            "fqdn": format!("{name}.contoso.com"), "site": site, "servers": [format!("{server}.contoso.com")],
            "partner": format!("{partner}.contoso.com"), "test_users": true,
        })
    };
    Situation::own(&json!({
        "name": "test-users",
        "summary": "A lost primary site; both Front End pools have test users",
        "primary_site_lost": true,
        "log_shipping": {"log_backups": 3, "not_copied": 1, "not_restored": 1},
        "pool": {
            "front_end_pools": [pool("pool1", "home", "fe1", "pool2"), pool("pool2", "other", "fe2", "pool1")],
            "faults": native,
        },
    }))
}

fn step<'a>(ended: &'a Ended, name: &str) -> &'a Value {
    let steps = ended.document["steps"].as_array().map(Vec::as_slice).unwrap_or_default();
    steps.iter().find(|step| step["name"] == name).unwrap_or_else(|| panic!("no step {name}: {:#}", ended.document))
}

#[test]
fn a_message_between_test_users_is_the_last_proof_and_one_pool_that_lives_is_enough() {
    let situation = with_test_users(json!([]));
    let done = situation.run("failover", &[]);
    done.expect(0);
    let said = step(&done, "test_message")["text"].to_string();
    assert!(said.contains("pool2.contoso.com: Success"), "{said}");
}

#[test]
fn a_message_that_does_not_arrive_leaves_the_run_incomplete_with_users_in() {
    for fault in ["native_silent", "native_throws"] {
        let situation = with_test_users(json!([{"name": fault, "command": "Test-CsPersistentChatMessage"}]));
        let stopped = situation.run("failover", &[]);
        stopped.expect(4);
        assert_eq!(stopped.error_code(), 5015);
        assert_eq!(situation.ask("truth")["users"]["in"], json!(true));
        switch(&situation, fault, "Test-CsPersistentChatMessage", false);
        situation.run("resume", &[]).expect(0);
    }
}

#[test]
fn replication_of_the_list_is_waited_for_and_sessions_decide_where_it_stays_behind() {
    let situation = Situation::own(&json!({
        "name": "list-stays-behind",
        "summary": "The list of active servers is slow to reach the servers",
        "primary_site_lost": true,
        "log_shipping": {"log_backups": 3, "not_copied": 1, "not_restored": 1},
        "pool": {"replication": {"stale_milliseconds": 300, "delay_milliseconds": 1500}},
    }));
    situation.run("failover", &[]).expect(0);
    let calls = situation.ask("truth")["native_calls"].as_array().cloned().unwrap_or_default();
    let of = |name: &str| calls.iter().rposition(|call| call["call"]["name"] == name);
    assert!(of("Get-CsManagementStoreReplicationStatus") > of(SET_LIST), "looked at behind the last Set");
}
