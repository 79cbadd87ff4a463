use serde_json::{json, Map, Value};

use super::*;
use crate::host::{NativeOutcome, NativeState};
use crate::names::PoolState;

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

#[test]
fn every_printed_spelling_of_an_identity_names_its_pool() {
    for identity in [
        "service:pchat.contoso.com",
        "service: pchat.contoso.com",
        "PersistentChatServer:pchat.contoso.com",
        "service:PersistentChatServer:PCHAT.contoso.com",
    ] {
        let objects = [
            object(json!({"Identity": "PersistentChatServer:other.contoso.com", "PoolState": "FailedOver"})),
            object(json!({"Identity": identity, "PoolState": "Normal"})),
        ];
        let state = read_pool_state(&objects, "pchat.contoso.com").expect(identity);
        assert_eq!((state.identity.as_str(), state.state.as_str()), (identity, "Normal"));
    }
    assert!(!names_pool("service:xpchat.contoso.com", "pchat.contoso.com"));
}

#[test]
fn test_users_count_in_pairs_and_only_success_is_an_arrival() {
    let pools = read_test_pools(&[
        object(json!({"Identity": "pool1.contoso.com", "FirstTestUserSipUri": "sip:a@contoso.com"})),
        object(json!({
            "Identity": "pool2.contoso.com", "TargetFqdn": null,
            "FirstTestUserSipUri": "sip:a@contoso.com", "SecondTestUserSipUri": "sip:b@contoso.com"
        })),
    ]);
    assert_eq!(pools, ["pool2.contoso.com"]);
    let read = |value: Value| read_test_message(&[object(value)]);
    let arrived = read(json!({"Result": "Success", "Latency": "00:00:00.25"})).expect("a result");
    assert_eq!((arrived.arrived, arrived.text.as_str()), (true, "Success (00:00:00.25)"));
    let lost = read(json!({"Result": "Failure", "Error": "No answer.", "Diagnosis": ""})).expect("a result");
    assert_eq!((lost.arrived, lost.text.as_str()), (false, "Failure (No answer)"));
    assert_eq!(read(json!({})), None);
    assert_eq!(read_test_message(&[]), None, "silence is no success");
}

#[test]
fn a_pool_is_read_though_members_are_missing() {
    let services = read_services(&[object(json!({
        "Identity": "PersistentChatServer:pchat.contoso.com",
        "Version": "6",
        "Registrar": "Registrar:fe.contoso.com",
        "ActiveServers": ["s1.contoso.com", "s2.contoso.com"],
        "PersistentChatDatabase": "PersistentChatDatabase:p.contoso.com",
        "MirrorPersistentChatDatabase": null
    }))]);
    let service = find_service(&services, "PCHAT.contoso.com").expect("found by its identity alone");
    assert_eq!(service.pool_fqdn, "pchat.contoso.com");
    assert_eq!(service.version, Some(6));
    assert_eq!(service.registrar.as_deref(), Some("fe.contoso.com"));
    assert_eq!(service.primary_store.as_deref(), Some("p.contoso.com"));
    assert_eq!(service.primary_mirror_store, None);
    assert_eq!(service.backup_store, None);
    assert_eq!(service.active_servers.as_deref().map(<[String]>::len), Some(2));
    assert_eq!(service.inactive_servers, None);
}

#[test]
fn an_empty_active_list_is_not_an_unknown_one() {
    let services = read_services(&[object(json!({"Identity": "PersistentChatServer:p", "ActiveServers": []}))]);
    assert_eq!(services[0].active_servers.as_deref(), Some(&[][..]));
    let services = read_services(&[object(json!({"Identity": "PersistentChatServer:p", "ActiveServers": ""}))]);
    assert_eq!(services[0].active_servers.as_deref(), Some(&[][..]));
}

#[test]
fn commands_read_as_an_operator_would_type_them() {
    let servers = ["s3.contoso.com".to_string(), "s4.contoso.com".to_string()];
    let cases = [
        (
            plan_text(&set_pool_state("PersistentChatServer:pchat.contoso.com", PoolState::FailedOver), Some("Lync")),
            "Lync\\Set-CsPersistentChatState -Identity 'PersistentChatServer:pchat.contoso.com' -PoolState 'FailedOver' \
             -Confirm:$false",
        ),
        (
            plan_text(&clear_active_servers("global"), None),
            "Set-CsPersistentChatActiveServer -Identity 'global' -ActiveServers $null -Confirm:$false",
        ),
        (
            plan_text(&add_active_servers("global", &servers), None),
            "Set-CsPersistentChatActiveServer -Identity 'global' -ActiveServers @{Add='s3.contoso.com','s4.contoso.com'} \
             -Confirm:$false",
        ),
        (
            plan_text(&install_mirror(CHAT_DATABASE, "b.contoso.com", Some("RTC"), r"\\fs2\mirror"), Some("Lync")),
            "Lync\\Install-CsMirrorDatabase -DatabaseType 'PersistentChat' -FileShare '\\\\fs2\\mirror' -SqlServerFqdn \
             'b.contoso.com' -SqlInstanceName 'RTC' -Confirm:$false",
        ),
        (plan_text(&get_pool_state(), Some("Lync")), "Lync\\Get-CsPersistentChatState"),
    ];
    for (text, wanted) in cases {
        assert_eq!(text, wanted);
    }
}

#[test]
fn the_question_for_a_right_changes_nothing() {
    let asked = what_if(&set_pool_state("x", PoolState::FailedOver));
    assert!(asked.reads_only);
    assert!(asked.as_text().ends_with("-WhatIf"));
}

#[test]
fn the_way_from_one_active_list_to_another_is_the_difference() {
    let names = |list: &[&str]| list.iter().map(|s| s.to_string()).collect::<Vec<_>>();
    let texts = |current: &[&str], wanted: &[&str]| -> Vec<String> {
        active_server_commands("global", &names(current), &names(wanted)).iter().map(|c| c.as_text()).collect()
    };
    assert!(texts(&["S3", "s4"], &["s4", "s3"]).is_empty());
    assert_eq!(
        texts(&["s1", "s3"], &["s3", "s4"]),
        [
            "Set-CsPersistentChatActiveServer -Identity 'global' -ActiveServers @{Remove='s1'}",
            "Set-CsPersistentChatActiveServer -Identity 'global' -ActiveServers @{Add='s4'}"
        ]
    );
}

#[test]
fn a_command_that_did_not_complete_is_an_error_of_its_kind() {
    let outcome = |state| NativeOutcome {
        state,
        module: None,
        stand_in: false,
        objects: Vec::new(),
        error: Some("no rights".to_string()),
        error_id: None,
    };
    let code = |state| objects(&get_pool_state(), outcome(state)).map_err(|e| e.kind.code());
    assert_eq!(code(NativeState::Missing), Err(6001));
    assert_eq!(code(NativeState::Failed), Err(6002));
    assert_eq!(code(NativeState::Stopped), Err(6003));
    assert_eq!(code(NativeState::Completed), Ok(Vec::new()));
    let error = objects(&get_pool_state(), outcome(NativeState::Failed)).expect_err("failed");
    assert_eq!(
        error.to_string(),
        "PCHAT6002: `Get-CsPersistentChatState` failed. It said: no rights. Run the command by itself to see its whole error."
    );
}

#[test]
fn moments_are_read_in_the_forms_of_the_shell() {
    for text in ["2026-03-14T02:15:00Z", "03/14/2026 02:15:00", "3/14/2026 2:15:00 AM", "2026-03-14T02:15:00.000"] {
        let moment = read_moment(text).map(|m| m.to_rfc3339());
        assert_eq!(moment.as_deref(), Some("2026-03-14T02:15:00+00:00"), "{text}");
    }
    assert_eq!(read_moment("yesterday"), None);
}

#[test]
fn the_channel_service_is_told_from_the_compliance_service() {
    let services = read_windows_services(&[
        object(
            json!({"Name": "RTCCHAT", "DisplayName": "Lync Server Persistent Chat", "Status": "Running", "RoleName": null}),
        ),
        object(json!({"Name": "X", "DisplayName": "Lync Server Persistent Chat Compliance", "Status": "Stopped"})),
        object(json!({"Name": "Y", "DisplayName": "Front-End", "Status": "Stopped", "RoleName": ["PersistentChat"]})),
    ]);
    assert_eq!(services.iter().map(WindowsService::is_persistent_chat).collect::<Vec<_>>(), [true, false, true]);
    assert!(services[0].is_running() && !services[1].is_running());
}
