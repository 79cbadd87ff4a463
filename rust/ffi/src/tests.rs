//! Each export: success, NULL, wrong and closed handle. The library built from these is driven by the tests package.

use std::ptr;

use serde_json::{json, Value};

use crate::document::PchatDocument;
use crate::exports::*;
use crate::guard::{guard, ErrorOut, PCHAT_END, PCHAT_ERROR, PCHAT_OK};

fn taken(document: *mut PchatDocument) -> Value {
    assert!(!document.is_null());
    let (mut data, mut length) = (ptr::null(), 0);
    // SAFETY: the document is live and freed once, after its bytes were read.
    unsafe {
        assert_eq!(pchat_document_data(document, &mut data, &mut length, ptr::null_mut()), PCHAT_OK);
        let value = serde_json::from_slice(std::slice::from_raw_parts(data, length)).expect("JSON");
        pchat_document_free(document);
        value
    }
}

fn code(document: *mut PchatDocument) -> u64 {
    taken(document)["code"].as_u64().expect("a code")
}

fn settings() -> String {
    json!({"version": 1, "encrypt": "Mandatory", "trust_server_certificate": false, "connect_timeout_seconds": 5,
           "address_map": []})
    .to_string()
}

fn open_session() -> u64 {
    let (text, mut session, mut error) = (settings(), 0, ptr::null_mut());
    // SAFETY: pointer and length belong together; places on this stack.
    let status = unsafe { pchat_session_open(text.as_ptr(), text.len(), &mut session, &mut error) };
    assert_eq!(status, PCHAT_OK);
    session
}

type Start = unsafe extern "C" fn(u64, *const u8, usize, *mut u64, *mut *mut PchatDocument) -> i32;

const STARTS: [Start; 28] = [
    pchat_log_shipping_get,
    pchat_log_shipping_remove,
    pchat_log_backup_list,
    pchat_log_backup_copy,
    pchat_log_backup_restore,
    pchat_connection_list,
    pchat_connection_end,
    pchat_database_state,
    pchat_database_recover,
    pchat_database_backup,
    pchat_database_restore,
    pchat_log_shipping_add,
    pchat_mirror_get,
    pchat_mirror_remove,
    pchat_primary_disable,
    pchat_baseline_save,
    pchat_baseline_get,
    pchat_failover_check,
    pchat_failover_plan,
    pchat_planned_switch_plan,
    pchat_failback_plan,
    pchat_run_start,
    pchat_run_resume,
    pchat_run_undo,
    pchat_run_list,
    pchat_backup_service_wait,
    pchat_pool_find,
    pchat_conference_plan,
];

#[test]
fn every_start_refuses_null_bad_text_bad_json_unknown_members_and_wrong_handles() {
    let session = open_session();
    for start in STARTS {
        let (mut operation, mut error) = (7, ptr::null_mut());
        // SAFETY: NULL is allowed for each pointer and must be refused as an ordinary error.
        unsafe {
            assert_eq!(start(session, ptr::null(), 0, &mut operation, &mut error), PCHAT_ERROR);
            assert_eq!((operation, code(error)), (0, 1001));
            assert_eq!(start(session, b"{}".as_ptr(), 2, ptr::null_mut(), &mut error), PCHAT_ERROR);
            assert_eq!(code(error), 1001);
            assert_eq!(start(session, b"\xff\xfe".as_ptr(), 2, &mut operation, &mut error), PCHAT_ERROR);
            assert_eq!(code(error), 1001);
            let unknown = b"{\"version\":1,\"surprise\":true}";
            assert_eq!(start(session, unknown.as_ptr(), unknown.len(), &mut operation, &mut error), PCHAT_ERROR);
            assert_eq!(code(error), 1001);
            let newer = b"{\"version\":2}";
            assert_eq!(start(session, newer.as_ptr(), newer.len(), &mut operation, &mut error), PCHAT_ERROR);
            assert_eq!(code(error), 1003);
            assert_eq!(start(u64::MAX, b"{}".as_ptr(), 2, &mut operation, &mut error), PCHAT_ERROR);
            assert_eq!(code(error), 1004);
            assert_eq!(start(session, b"{}".as_ptr(), 2, &mut operation, ptr::null_mut()), PCHAT_ERROR);
        }
    }
    // SAFETY: a live handle, closed twice: the second is an ordinary error.
    unsafe {
        let mut error = ptr::null_mut();
        assert_eq!(pchat_session_close(session, &mut error), PCHAT_OK);
        assert_eq!(pchat_session_close(session, &mut error), PCHAT_ERROR);
        assert_eq!(code(error), 1004);
        let mut operation = 0;
        assert_eq!(pchat_run_list(session, b"{}".as_ptr(), 2, &mut operation, &mut error), PCHAT_ERROR);
        assert_eq!(code(error), 1004);
    }
}

fn run_list(folder: &str) -> String {
    json!({"version": 1, "journal": {"journal_path": folder, "journal_copy_path": null, "no_journal_copy": true},
           "run_id": null, "open_only": false})
    .to_string()
}

#[test]
fn an_operation_ends_with_one_terminal_event_and_then_the_end() {
    let session = open_session();
    let folder = std::env::temp_dir().join(format!("pchat-ffi-{}", std::process::id()));
    let request = run_list(&folder.display().to_string());
    let (mut operation, mut event, mut error) = (0, ptr::null_mut(), ptr::null_mut());
    // SAFETY: live handles, pointer and length belong together, places on this stack.
    unsafe {
        assert_eq!(pchat_run_list(session, request.as_ptr(), request.len(), &mut operation, &mut error), PCHAT_OK,);
        let mut terminal = 0;
        loop {
            match pchat_operation_next(operation, 5_000, &mut event, &mut error) {
                PCHAT_OK => {
                    let event = taken(event);
                    if matches!(event["event"].as_str(), Some("result" | "failure")) {
                        terminal += 1;
                    }
                }
                PCHAT_END => break,
                other => panic!("status {other}"),
            }
        }
        assert_eq!(terminal, 1);
        assert_eq!(pchat_operation_next(operation, 0, &mut event, &mut error), PCHAT_END);
        assert!(event.is_null());
        let answer = b"{\"id\":1,\"kind\":\"confirm\",\"yes\":true}";
        assert_eq!(pchat_operation_answer(operation, answer.as_ptr(), answer.len(), &mut error), PCHAT_ERROR);
        assert_eq!(code(error), 1005);
        assert_eq!(pchat_operation_answer(operation, b"{".as_ptr(), 1, &mut error), PCHAT_ERROR);
        assert_eq!(code(error), 1001);
        assert_eq!(pchat_operation_cancel(operation, &mut error), PCHAT_OK);
        assert_eq!(pchat_operation_close(operation, &mut error), PCHAT_OK);
        assert_eq!(pchat_operation_close(operation, &mut error), PCHAT_ERROR);
        assert_eq!(code(error), 1004);
        assert_eq!(pchat_operation_cancel(operation, &mut error), PCHAT_ERROR);
        assert_eq!(code(error), 1004);
        assert_eq!(pchat_operation_next(operation, 0, &mut event, &mut error), PCHAT_ERROR);
        assert_eq!(code(error), 1004);
        assert_eq!(pchat_session_close(session, &mut error), PCHAT_OK);
    }
}

#[test]
fn settings_are_strict_and_a_login_needs_its_session() {
    let (mut session, mut error) = (0, ptr::null_mut());
    let short = b"{\"version\":1,\"encrypt\":\"Mandatory\"}";
    // SAFETY: pointer and length belong together; places on this stack.
    unsafe {
        assert_eq!(pchat_session_open(short.as_ptr(), short.len(), &mut session, &mut error), PCHAT_ERROR);
        assert_eq!((session, code(error)), (0, 1001));
        assert_eq!(pchat_session_open(short.as_ptr(), short.len(), ptr::null_mut(), &mut error), PCHAT_ERROR);
        assert_eq!(code(error), 1001);
        let (user, secret) = (b"sa", b"x");
        let status = pchat_session_login_add(
            0,
            ptr::null(),
            0,
            user.as_ptr(),
            user.len(),
            secret.as_ptr(),
            secret.len(),
            &mut error,
        );
        assert_eq!((status, code(error)), (PCHAT_ERROR, 1004));
        let live = open_session();
        let status = pchat_session_login_add(live, ptr::null(), 0, user.as_ptr(), 2, ptr::null(), 0, &mut error);
        assert_eq!((status, code(error)), (PCHAT_ERROR, 1001));
        let status = pchat_session_login_add(
            live,
            ptr::null(),
            0,
            user.as_ptr(),
            user.len(),
            secret.as_ptr(),
            secret.len(),
            &mut error,
        );
        assert_eq!(status, PCHAT_OK);
        assert_eq!(pchat_session_close(live, &mut error), PCHAT_OK);
    }
}

#[test]
fn versions_are_told_and_another_release_is_refused() {
    assert_eq!(pchat_abi_version(), PCHAT_ABI_VERSION);
    let (mut document, mut error) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: places on this stack, texts with their lengths.
    unsafe {
        assert_eq!(pchat_library_version(&mut document, &mut error), PCHAT_OK);
        assert_eq!(taken(document)["library"], env!("CARGO_PKG_VERSION"));
        assert_eq!(pchat_library_version(ptr::null_mut(), &mut error), PCHAT_ERROR);
        assert_eq!(code(error), 1001);
        let ours = env!("CARGO_PKG_VERSION");
        assert_eq!(pchat_handshake(ours.as_ptr(), ours.len(), &mut error), PCHAT_OK);
        assert_eq!(pchat_handshake(b"0.0.0".as_ptr(), 5, &mut error), PCHAT_ERROR);
        assert_eq!(code(error), 1006);
        assert_eq!(pchat_document_data(ptr::null(), &mut ptr::null(), &mut 0, &mut error), PCHAT_ERROR);
        assert_eq!(code(error), 1001);
        pchat_document_free(ptr::null_mut());
    }
}

#[test]
fn a_panic_in_a_body_becomes_error_9001() {
    let mut error = ptr::null_mut();
    // SAFETY: a place on this stack.
    let status = guard(unsafe { ErrorOut::new(&mut error) }, || panic!("planted in a body"));
    assert_eq!(status, PCHAT_ERROR);
    let document = taken(error);
    assert_eq!(document["code"], 9001);
    assert!(document["message"].as_str().expect("text").contains("planted in a body"));
}
