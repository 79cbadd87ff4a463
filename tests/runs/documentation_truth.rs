//! Where pages contradict each other: each row of `about_PChatDocumentationTruth` in both variants of the lab's commands.

use serde_json::{json, Value};

use crate::harness::Situation;

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
    let situation = lab(json!({}));
    situation.run("failover", &[]).expect(0);
    let calls = calls(&situation);
    assert!(calls.contains("Get-CsService") && !calls.contains("Get-CsPersistentChatActiveServer"));
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

/// The Front End pools of a lab whose pool1 lost its meeting content.
fn conference(native: Value, after_sync: Value) -> Situation {
    Situation::own(&json!({
        "name": "documentation-truth-conference",
        "summary": "Meeting content lost in pool1, with commands that follow one of two pages",
        "log_shipping": {"log_backups": 3, "not_copied": 0, "not_restored": 1},
        "pool": {
            "native": native,
            "backup_service": {
                "sync_interval_seconds": 1, "content_lost_on": "pool1.contoso.com", "after_sync": after_sync,
            },
        },
    }))
}

fn settles(last: &str) -> Value {
    json!([
        {"after_seconds": 0.2, "export": "NonSteadyState", "import": "NormalState"},
        {"after_seconds": 0.9, "export": last, "import": "NormalState"},
    ])
}

#[test]
fn status_parameter() {
    for strict in [true, false] {
        let situation = conference(json!({"strict": strict}), settles("SteadyState"));
        situation.run("conference", &[]).expect(0);
        let calls = situation.ask("truth")["native_calls"].clone();
        let status =
            calls.as_array().into_iter().flatten().filter(|c| c["call"]["name"] == "Get-CsBackupServiceStatus");
        for call in status {
            let names: Vec<&String> =
                call["call"]["parameters"].as_object().into_iter().flat_map(|p| p.keys()).collect();
            assert_eq!(names, ["PoolFqdn"], "{call}");
        }
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
    for last in ["SteadyState", "FinalState"] {
        conference(json!({}), settles(last)).run("conference", &[]).expect(0);
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
