//! Where pages contradict each other: each row of `about_PChatDocumentationTruth` in both variants of the lab's commands.

use serde_json::{json, Value};

use crate::harness::Situation;
use crate::roundtrip::{wait_for_users, with_baseline};

/// A lost primary site on a small lab, with the Lync side as given.
fn lab(pool: Value) -> Situation {
    Situation::own(&json!({
        "name": "documentation-truth",
        "summary": "A small lab whose commands follow one of two pages",
        "primary_site_lost": true,
        "log_shipping": {"log_backups": 3, "not_copied": 1, "not_restored": 1},
        "pool": pool,
    }))
}

/// The native commands of a plan's steps, as text.
fn planned(situation: &Situation) -> String {
    let plan = situation.run("plan", &[]);
    assert_eq!(plan.document["can_run"], json!(true), "{:#}", plan.document["checks"]);
    let steps = plan.document["steps"].as_array().cloned().unwrap_or_default();
    steps.iter().map(|step| step["native_commands"].to_string()).collect::<Vec<_>>().join(" ")
}

/// Every native call of the lab so far, as text.
fn calls(situation: &Situation) -> String {
    situation.ask("truth")["native_calls"].to_string()
}

/// The calls of one command so far.
fn calls_of(situation: &Situation, name: &str) -> Vec<Value> {
    let all = situation.ask("truth")["native_calls"].as_array().cloned().unwrap_or_default();
    all.into_iter().filter(|call| call["call"]["name"] == name).collect()
}

/// A command as an operator would call it, however it ends.
fn by_hand(situation: &Situation, name: &str, parameters: Value) -> Value {
    situation.control(json!({"command": "native", "name": name, "parameters": parameters}))
}

#[test]
fn pool_state_identity() {
    for prefix in ["service:", "service: ", "PersistentChatServer:", "service:PersistentChatServer:"] {
        let situation = lab(json!({"native": {"state_identity_prefixes": [prefix]}}));
        let commands = planned(&situation);
        assert!(commands.contains(&format!("-Identity '{prefix}pchat.contoso.com'")), "{prefix}: {commands}");
    }
    // The Get of the lab shows another spelling than this Set accepts; what was proved is what is used.
    let situation = lab(json!({"native": {"state_identity_prefixes": ["service: "]}}));
    situation.run("failover", &[]).expect(0);
    situation.assert_failed_over();
}

#[test]
fn set_without_what_if() {
    let sets = ["Set-CsPersistentChatState", "Set-CsPersistentChatActiveServer"];
    for dialect in ["Lync2013", "Sfb2015"] {
        let native = json!({
            "without_what_if": sets, "state_identity_prefixes": ["service:"], "active_list_identities": ["theList"],
        });
        let situation = lab(json!({"dialect": dialect, "native": native}));
        let before = situation.effects();
        let refused = situation.run("failover", &[]);
        refused.expect(3);
        for parameter in ["-PoolStateIdentity", "-ActiveListIdentity"] {
            assert!(refused.message().contains(parameter), "{dialect}: {}", refused.message());
        }
        assert_eq!(situation.effects(), before, "{dialect}");

        let said = [
            ("/spellings/pool_state_identity", json!("service:pchat.contoso.com")),
            ("/spellings/active_list_identity", json!("theList")),
        ];
        situation.run("failover", &said).expect(0);
        situation.assert_failed_over();
    }
}

#[test]
fn pool_state_given() {
    for dialect in ["Lync2013", "Sfb2015"] {
        let situation = lab(json!({"dialect": dialect}));
        situation.run("failover", &[]).expect(0);
        let calls = situation.ask("truth")["native_calls"].as_array().cloned().unwrap_or_default();
        let mut sets = calls.iter().filter(|call| call["call"]["name"] == "Set-CsPersistentChatState").peekable();
        assert!(sets.peek().is_some());
        assert!(sets.all(|call| call["call"]["parameters"]["PoolState"] == "FailedOver"), "{dialect}");
    }
}

#[test]
fn active_list_identity() {
    for (dialect, identity) in [("Lync2013", "global"), ("Sfb2015", "PChatServerCollection")] {
        let commands = planned(&lab(json!({"dialect": dialect})));
        assert!(commands.contains(&format!("Set-CsPersistentChatActiveServer -Identity '{identity}'")), "{commands}");
    }
    let turned = json!({"dialect": "Lync2013", "native": {"active_list_identities": ["PChatServerCollection"]}});
    assert!(planned(&lab(turned)).contains("-Identity 'PChatServerCollection'"));
}

#[test]
fn active_list_replace() {
    for (dialect, strict) in [("Lync2013", true), ("Sfb2015", true), ("Sfb2015", false)] {
        let situation = lab(json!({"dialect": dialect, "native": {"strict": strict}}));
        situation.run("failover", &[]).expect(0);
        situation.assert_failed_over();
        assert!(!calls(&situation).contains("Replace"), "{dialect}: documented forms alone");
    }
}

#[test]
fn active_list_get() {
    for forms in [json!([]), json!(["Get-CsPersistentChatActiveServer"])] {
        let situation = lab(json!({"native": {"page_forms": forms}}));
        let by_hand = by_hand(&situation, "Get-CsPersistentChatActiveServer", json!({}));
        assert_eq!(by_hand["outcome"], if forms == json!([]) { "failed" } else { "completed" }, "{by_hand}");
        situation.run("failover", &[]).expect(0);
        situation.assert_failed_over();
        let ours = calls_of(&situation, "Get-CsPersistentChatActiveServer").len();
        assert_eq!(ours, 1, "the one by hand: {}", calls(&situation));
        assert!(!calls_of(&situation, "Get-CsService").is_empty());
    }
}

#[test]
fn delisted_servers() {
    for disconnect in [true, false] {
        let situation = lab(json!({"services": {"delisted_servers_disconnect": disconnect}}));
        situation.run("failover", &[]).expect(0);
        situation.assert_failed_over();
    }
}

#[test]
fn mirror_status_member() {
    for member in ["MirroringStatusOnSecondary", "MirroringStatusOnMirror"] {
        let situation = lab(json!({"native": {"mirror_status_member": member}}));
        let done = situation.run("failover", &[]);
        done.expect(0);
        let shown = situation.native("Get-CsDatabaseMirrorState", json!({"PoolFqdn": "pchat.contoso.com"}));
        assert!(shown["objects"].to_string().contains(member), "{shown}");
        let steps = done.document["steps"].as_array().cloned().unwrap_or_default();
        let mirror = steps.iter().find(|step| step["name"] == "mirror").map(|step| step["text"].to_string());
        assert!(mirror.as_deref().is_some_and(|text| text.contains("SYNCHRONIZED")), "{mirror:?}");
    }
}

#[test]
fn mirror_drop_switch() {
    for dialect in ["Lync2013", "Sfb2015"] {
        let situation = Situation::own(&json!({
            "name": "documentation-truth-mirror",
            "summary": "The first set-up of the mirror fails half way",
            "primary_site_lost": true,
            "log_shipping": {"log_backups": 3, "not_copied": 1, "not_restored": 1},
            "faults": [{"name": "mirror_setup_fails"}],
            "pool": {"dialect": dialect},
        }));
        let misspelled = json!({"command": "native", "name": "Install-CsMirrorDatabase", "parameters": {
            "DatabaseType": "PersistentChat", "FileShare": "\\\\fs2\\mirror", "SqlServerFqdn": "b.contoso.com",
            "SqlInstanceName": "RTC", "DropExisitingDatabasesOnMirror": true, "Confirm": false,
        }});
        let answer = situation.lab.control(&misspelled).expect("the lab answers");
        assert_eq!(answer["outcome"], "failed", "{dialect}: {answer}");
        situation.run("failover", &[]).expect(4);
        let off = json!({"command": "fault", "name": "mirror_setup_fails", "on": false});
        situation.lab.control(&off).expect("the cause is removed");
        situation.run("resume", &[]).expect(0);
        assert!(calls(&situation).contains("DropExistingDatabasesOnMirror"), "{dialect}");
    }
}

#[test]
fn mirror_removal_host() {
    for dialect in ["Lync2013", "Sfb2015"] {
        let situation = Situation::own(&json!({
            "name": "documentation-truth-removal",
            "summary": "Both sites live",
            "log_shipping": {"log_backups": 3, "not_copied": 0, "not_restored": 1},
            "pool": {"dialect": dialect},
        }));
        // The page's example names the mirror's host.
        let example = json!({"DatabaseType": "PersistentChat", "SqlServerFqdn": "pm.contoso.com",
                             "SqlInstanceName": "RTC", "Confirm": false, "WhatIf": false});
        let example = by_hand(&situation, "Uninstall-CsMirrorDatabase", example);
        assert_eq!(example["outcome"], "failed", "{dialect}: {example}");
        situation.run("switch", &[]).expect(0);
        assert_eq!(calls_of(&situation, "Uninstall-CsMirrorDatabase").len(), 1, "the one by hand");
    }
}

#[test]
fn exclude_database() {
    for forms in [json!([]), json!(["Invoke-CsDatabaseFailover -ExcludeDatabase"])] {
        let situation = lab(json!({"native": {"page_forms": forms}}));
        let example = json!({"PoolFqdn": "pchat.contoso.com", "DatabaseType": "PersistentChat", "NewPrincipal": "Mirror",
                             "ExcludeDatabase": "mgccomp", "WhatIf": true});
        let answer = by_hand(&situation, "Invoke-CsDatabaseFailover", example);
        let is_unbound = answer["error"]["id"].as_str().is_some_and(|id| id.starts_with("NamedParameterNotFound"));
        assert_eq!(is_unbound, forms == json!([]), "{answer}");
        situation.run("failover", &[]).expect(0);
        let ours = calls_of(&situation, "Invoke-CsDatabaseFailover").split_off(1);
        assert!(ours.iter().all(|call| !call.to_string().contains("Exclude")), "{ours:?}");
    }
}

#[test]
fn database_types() {
    for (known, code) in [(true, 0), (false, 4)] {
        let situation = lab(json!({"native": {"chat_database_types": known}}));
        let ended = situation.run("failover", &[]);
        ended.expect(code);
        situation.assert_failed_over();
        let installs = calls_of(&situation, "Install-CsMirrorDatabase");
        assert_eq!(installs[0]["call"]["parameters"]["DatabaseType"], "PersistentChat");
        assert_eq!(situation.ask("truth")["users"]["in"], json!(true), "{known}: users are served all the same");
        if !known {
            assert_eq!(ended.error_code(), 6006, "{:#}", ended.document);
        }
    }
}

/// Where among the changes of the pool the state is set, and where a server is made active after that.
fn state_and_activation(calls: &[Value], state: &str) -> (Option<usize>, Option<usize>) {
    let changes: Vec<String> = calls
        .iter()
        .filter(|call| call["what_if"] == json!(false) && call["outcome"] == "completed")
        .filter(|call| call["call"]["name"].as_str().is_some_and(|name| name.starts_with("Set-")))
        .map(|call| call["call"].to_string())
        .collect();
    let place = |word: &str| changes.iter().rposition(|call| call.contains(word));
    (place(&format!("\"PoolState\":\"{state}\"")), place("\"Add\""))
}

#[test]
fn state_before_activation() {
    let all = |situation: &Situation| situation.ask("truth")["native_calls"].as_array().cloned().unwrap_or_default();
    let there_and_back = with_baseline();
    there_and_back.run("switch", &[]).expect(0);
    wait_for_users(&there_and_back);
    let there = all(&there_and_back);
    there_and_back.control(json!({"command": "clock", "pass_seconds": 3600}));
    there_and_back.run("failback", &[]).expect(0);
    let back = all(&there_and_back).split_off(there.len());
    let (state, active) = state_and_activation(&back, "Normal");
    assert!(state.is_some() && state < active, "the way back: {back:?}");
    for dialect in ["Lync2013", "Sfb2015"] {
        let situation = lab(json!({"dialect": dialect}));
        situation.run("failover", &[]).expect(0);
        let calls = all(&situation);
        let (state, active) = state_and_activation(&calls, "FailedOver");
        assert!(state.is_some() && state < active, "{dialect}: {calls:?}");
    }
}

/// The Front End pools of a lab whose pool1 lost its meeting content.
fn conference(native: Value, after_sync: Value) -> Situation {
    Situation::own(&conference_scenario(native, after_sync))
}

fn conference_scenario(native: Value, after_sync: Value) -> Value {
    json!({
        "name": "documentation-truth-conference",
        "summary": "Meeting content lost in pool1, with commands that follow one of two pages",
        "log_shipping": {"log_backups": 3, "not_copied": 0, "not_restored": 1},
        "pool": {
            "native": native,
            "backup_service": {
                "sync_interval_seconds": 1, "content_lost_on": "pool1.contoso.com", "after_sync": after_sync,
            },
        },
    })
}

fn settles(last: &str) -> Value {
    json!([
        {"after_seconds": 0.2, "export": "NonSteadyState", "import": "NormalState"},
        {"after_seconds": 0.9, "export": last, "import": "NormalState"},
    ])
}

#[test]
fn status_parameter() {
    for (strict, forms) in [(true, json!([])), (false, json!(["Get-CsBackupServiceStatus -BackupModule"]))] {
        let native = json!({"strict": strict, "page_forms": forms});
        let situation = conference(native, settles("SteadyState"));
        let printed = json!({"PoolFqdn": "pool2.contoso.com", "BackupModule": "ConfServices.DataConf"});
        let printed = by_hand(&situation, "Get-CsBackupServiceStatus", printed);
        assert_eq!(printed["outcome"], if strict { "failed" } else { "completed" }, "{printed}");
        situation.run("conference", &[]).expect(0);
        for call in calls_of(&situation, "Get-CsBackupServiceStatus").iter().skip(1) {
            let names: Vec<&String> =
                call["call"]["parameters"].as_object().into_iter().flat_map(|p| p.keys()).collect();
            assert_eq!(names, ["PoolFqdn"], "{call}");
        }
    }
}

#[test]
fn status_rights() {
    let pages = ["RTCUniversalServerAdmins", "Schema admins"];
    for reader in pages {
        for caller in pages {
            let native = json!({"status_readers": [reader], "caller_groups": [caller]});
            let situation = conference(native, settles("SteadyState"));
            let ended = situation.run("conference", &[]);
            ended.expect(if reader == caller { 0 } else { 3 });
            if reader != caller {
                for part in ["SurvivorStatus", "AuthorizedUniversalGroups"].iter().chain(&pages) {
                    assert!(ended.message().contains(part), "{reader}: {}", ended.message());
                }
                assert!(calls_of(&situation, "Invoke-CsBackupServiceSync").is_empty(), "{reader}: nothing was started");
            }
        }
    }
}

#[test]
fn sync_bypass_dual_write() {
    for forms in [json!([]), json!(["Invoke-CsBackupServiceSync -BypassDualWrite"])] {
        let situation = conference(json!({"page_forms": forms}), settles("SteadyState"));
        let printed = json!({"PoolFqdn": "pool2.contoso.com", "BackupModule": "UserServices.PresenceFocus", "BypassDualWrite": true});
        let printed = by_hand(&situation, "Invoke-CsBackupServiceSync", printed);
        assert_eq!(printed["outcome"], if forms == json!([]) { "failed" } else { "completed" }, "{printed}");
        situation.run("conference", &[]).expect(0);
        let ours = calls_of(&situation, "Invoke-CsBackupServiceSync").split_off(1);
        assert_eq!(ours.len(), 1, "{ours:?}");
        assert!(!ours[0].to_string().contains("BypassDualWrite"), "{ours:?}");
    }
}

#[test]
fn whole_pool_enabling() {
    for disables in [false, true] {
        let situation = lab(json!({"native": {"state_disables_servers": disables}}));
        situation.run("failover", &[]).expect(0);
        situation.assert_failed_over();
        let lists = calls_of(&situation, "Set-CsPersistentChatActiveServer");
        let is_set = |call: &&Value| call["what_if"] == json!(false) && call["call"].to_string().contains("\"Add\"");
        assert!(
            lists.iter().any(|call| is_set(&call)),
            "{disables}: servers are made active by the list's own command"
        );
    }
}

#[test]
fn compare_module_name() {
    for names in ["own", "dotted"] {
        let situation = conference(json!({"compare_module_names": names}), settles("SteadyState"));
        let done = situation.run("conference", &[]);
        done.expect(0);
        assert!(done.document["text"].to_string().contains("No difference found"), "{names}: {:#}", done.document);
        let compared = calls_of(&situation, "Debug-CsInterPoolReplication");
        assert_eq!(compared[0]["call"]["parameters"]["BackupModule"], "DataConf", "{names}");
        assert_eq!(compared.len(), if names == "own" { 1 } else { 2 }, "{names}: refused names are left out");
    }
}

#[test]
fn sync_module_name() {
    for names in ["dotted", "short", "any"] {
        let situation = conference(json!({"sync_module_names": names}), settles("SteadyState"));
        situation.run("conference", &[]).expect(0);
        let content = situation.ask("state")["pool"]["conference_content"][0].clone();
        assert_eq!(content["present"], content["meetings"], "{names}");
    }
}

#[test]
fn steady_or_final() {
    // Before the sync it shows the other one, so that what follows is seen to be of the sync.
    for (first, last) in [("FinalState", "SteadyState"), ("SteadyState", "FinalState")] {
        let mut scenario = conference_scenario(json!({}), settles(last));
        scenario["pool"]["backup_service"]["modules"] = json!([{
            "pool_fqdn": "pool2.contoso.com", "module": "ConfServices.DataConf", "export": first, "import": "NormalState",
        }]);
        Situation::own(&scenario).run("conference", &[]).expect(0);
    }
}

#[test]
fn stale_status() {
    for scenario in ["conference-lost", "conference-stale"] {
        let situation = Situation::start(scenario);
        situation.run("conference", &[]).expect(0);
        let content = situation.ask("state")["pool"]["conference_content"][0].clone();
        assert_eq!(content["present"], content["meetings"], "{scenario}");
    }
}
