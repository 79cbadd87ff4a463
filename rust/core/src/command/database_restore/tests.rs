//! What a full backup may be restored over, and what is sent for it.

use uuid::Uuid;

use super::guard::CUT_OFF;
use super::*;
use crate::document::{JournalPlace, Target};
use crate::evidence::sample::{database, facts, header, lsn, mirror, FAMILY, FORK};
use crate::log_chain::BackupType;
use crate::sql::mirror::{MirrorRole, MirrorState};

const OTHER: Uuid = Uuid::from_u128(0xBAD);

fn request(replace_copy_at: Option<&str>) -> DatabaseRestoreRequest {
    DatabaseRestoreRequest {
        version: 1,
        target: Target { sql_instance: r"B\RTC".into(), database: "mgc".into(), pool_fqdn: None },
        journal: JournalPlace::default(),
        backup_file: r"\\fs1\LogShip\mgc_full.bak".into(),
        position: 1,
        replace_copy_at: replace_copy_at.map(str::to_string),
        plan_only: true,
        approved_digest: None,
    }
}

/// A full backup that ends at LSN 2000.
fn full() -> Header {
    Header { backup_type: BackupType::Database, ..header(1) }
}

fn found(copy: Option<Copy>) -> Found {
    let moves = vec![("mgc".to_string(), ServerPath::new(r"E:\Data\mgc.mdf"))];
    Found { instance: facts(), header: full(), moves, copy }
}

fn copy(state: DatabaseState) -> Copy {
    Copy { facts: database(state), mirror: None, redo: None, identity: None, rows: None }
}

fn restoring(at: u128, fork_id: Uuid, family_id: Option<Uuid>) -> Copy {
    let redo = RedoPoint { lsn: lsn(at), fork_id, family_id, finished_at: None, file_name: None, came_from: None };
    Copy { redo: Some(redo), ..copy(DatabaseState::Restoring) }
}

fn online(family_id: Uuid, rows: Option<u64>) -> Copy {
    let identity = OnlineIdentity { family_id, fork_id: FORK, last_log_backup_lsn: None };
    Copy { identity: Some(identity), rows, ..copy(DatabaseState::Online) }
}

fn planned(found: &Found, replace_copy_at: Option<&str>) -> (Option<FullRestore>, Planned) {
    plan(&request(replace_copy_at), found).unwrap()
}

fn refusal(found: &Found) -> Error {
    planned(found, None).1.refusal.expect("a refusal")
}

#[test]
fn nothing_there_is_restored_without_replace_and_never_recovered() {
    let (restore, plan) = planned(&found(None), None);
    assert!(!restore.unwrap().replace);
    let statements: Vec<&str> = plan.actions.iter().map(|action| action.statement.as_str()).collect();
    assert_eq!(
        statements,
        [
            r"RESTORE VERIFYONLY FROM DISK = N'\\fs1\LogShip\mgc_full.bak' WITH FILE = 1, CHECKSUM",
            r"RESTORE DATABASE [mgc] FROM DISK = N'\\fs1\LogShip\mgc_full.bak' WITH FILE = 1, NORECOVERY, MOVE N'mgc' TO N'E:\Data\mgc.mdf'",
        ]
    );
}

#[test]
fn a_copy_whose_content_is_in_the_backup_is_replaced() {
    for family in [None, Some(FAMILY)] {
        let (restore, plan) = planned(&found(Some(restoring(2000, FORK, family))), None);
        assert!(restore.unwrap().replace);
        assert!(plan.actions[1].statement.contains("NORECOVERY, REPLACE, MOVE"), "{}", plan.actions[1].statement);
    }
}

#[test]
fn a_restoring_copy_that_may_hold_more_is_replaced_only_by_its_name() {
    for risky in [restoring(2001, FORK, None), restoring(1500, OTHER, None), restoring(1500, FORK, Some(OTHER))] {
        let name = risky.redo.as_ref().unwrap().lsn.to_string();
        let found = found(Some(risky));
        let refused = refusal(&found);
        assert!(refused.kind == ErrorKind::OldCopyAtRisk && refused.next.ends_with(&name), "{refused}");
        assert!(planned(&found, Some("1")).1.refusal.is_some(), "another name does not open it");
        assert!(planned(&found, Some(&format!(" {name} "))).0.unwrap().replace);
    }
    let cut_off = found(Some(copy(DatabaseState::Restoring)));
    assert!(refusal(&cut_off).next.ends_with(CUT_OFF));
    assert!(planned(&cut_off, Some(CUT_OFF)).0.is_some());
}

#[test]
fn a_copy_that_is_online_goes_only_where_it_is_new_and_empty() {
    let (restore, plan) = planned(&found(Some(online(OTHER, Some(0)))), None);
    assert!(restore.unwrap().replace);
    let sent = &plan.actions[1].statement;
    assert!(
        sent.contains("SET SINGLE_USER WITH ROLLBACK IMMEDIATE; USE [master]; RESTORE DATABASE"),
        "as it is sent: {sent}"
    );
    for full in [online(OTHER, Some(1)), online(FAMILY, Some(0)), online(OTHER, None)] {
        let found = found(Some(full));
        assert_eq!(refusal(&found).kind, ErrorKind::OldCopyAtRisk);
        assert!(planned(&found, Some("2000")).0.is_none(), "no name opens it");
    }
}

#[test]
fn what_sql_server_would_refuse_is_refused_before() {
    let mut mirrored = restoring(1500, FORK, None);
    mirrored.mirror = Some(mirror(MirrorRole::Mirror, MirrorState::Synchronized));
    assert!(refusal(&found(Some(mirrored))).next.contains("Remove-PChatMirror"));
    for state in [DatabaseState::Standby, DatabaseState::Offline, DatabaseState::Suspect] {
        assert_eq!(refusal(&found(Some(copy(state)))).kind, ErrorKind::DatabaseStateUnsuited, "{state:?}");
    }
}

#[test]
fn a_file_that_cannot_be_meant_is_refused() {
    let with = |change: fn(&mut Header)| {
        let mut found = found(None);
        change(&mut found.header);
        refusal(&found).kind
    };
    assert_eq!(with(|header| header.backup_type = BackupType::Log), ErrorKind::InvalidValue);
    assert_eq!(with(|header| header.database_name = "other".into()), ErrorKind::InvalidValue);
    assert_eq!(with(|header| header.is_damaged = true), ErrorKind::BackupNotVerified);
    assert_eq!(with(|header| header.software_major = 13), ErrorKind::ChecksFailed);
}
