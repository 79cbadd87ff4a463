//! Where a backup goes, what it is called, and when it is refused.

use super::*;
use crate::baseline::sample::primary_record;
use crate::document::{JournalPlace, Target};
use crate::evidence::sample::{at, database, facts, mirror};
use crate::sql::mirror::MirrorState;

fn request(backup_type: BackupType, folder: Option<&str>) -> DatabaseBackupRequest {
    DatabaseBackupRequest {
        version: 1,
        target: Target { sql_instance: r"P\RTC".into(), database: "mgc".into(), pool_fqdn: None },
        journal: JournalPlace::default(),
        backup_type,
        folder: folder.map(str::to_string),
        limit_seconds: 60,
        plan_only: true,
        approved_digest: None,
    }
}

fn found(state: DatabaseState, ships: bool) -> Found {
    Found {
        instance: facts(),
        database: database(state),
        mirror: None,
        shipping: ships.then(primary_record),
        default_folder: Some(ServerPath::new(r"E:\Backup")),
    }
}

fn planned(request: &DatabaseBackupRequest, found: &Found) -> (Option<Goal>, Planned) {
    plan(request, found, at(2, 15)).unwrap()
}

#[test]
fn log_and_tail_of_a_shipping_database_go_to_its_share_under_its_names() {
    let found = found(DatabaseState::Online, true);
    let (goal, plan) = planned(&request(BackupType::Log, None), &found);
    assert_eq!(
        goal.unwrap(),
        Goal { what: BackupWhat::Log, folder: ServerPath::new(r"\\fs1\LogShip"), copy_only: false }
    );
    assert_eq!(
        plan.actions[0].statement,
        r"BACKUP LOG [mgc] TO DISK = N'\\fs1\LogShip\mgc_20260314021500.trn' WITH CHECKSUM"
    );
    assert_eq!(
        plan.actions[1].statement,
        r"RESTORE VERIFYONLY FROM DISK = N'\\fs1\LogShip\mgc_20260314021500.trn' WITH FILE = 1, CHECKSUM"
    );
    let (_, plan) = planned(&request(BackupType::Tail, None), &found);
    assert!(plan.actions[0].statement.ends_with(r"mgc_20260314021500.trn' WITH CHECKSUM, NORECOVERY"));
    assert!(plan.actions[0].statement.contains("SET SINGLE_USER WITH ROLLBACK IMMEDIATE; USE [master]; BACKUP LOG"));
}

#[test]
fn anything_else_is_copy_only() {
    for (kind, folder, ships) in [
        (BackupType::Full, None, true),
        (BackupType::Log, None, false),
        (BackupType::Log, Some(r"F:\Elsewhere"), true),
        (BackupType::Tail, None, false),
    ] {
        let (goal, _) = planned(&request(kind, folder), &found(DatabaseState::Online, ships));
        assert!(goal.unwrap().copy_only, "{kind:?} {folder:?} {ships}");
    }
    let (goal, _) = planned(&request(BackupType::Log, Some(r"\\FS1\logship\")), &found(DatabaseState::Online, true));
    assert!(!goal.unwrap().copy_only, "the share by another spelling");
}

#[test]
fn what_sql_server_would_refuse_is_refused_before() {
    let refused = |kind, found: &Found| planned(&request(kind, None), found).1.refusal.map(|error| error.to_string());
    let mut mirrored = found(DatabaseState::Online, true);
    mirrored.mirror = Some(mirror(MirrorRole::Principal, MirrorState::Synchronized));
    let tail = refused(BackupType::Tail, &mirrored).unwrap();
    assert!(tail.contains("PCHAT5020") && tail.contains("Remove-PChatMirror"), "{tail}");
    assert!(refused(BackupType::Log, &mirrored).is_none());
    let mut copy = found(DatabaseState::Restoring, true);
    copy.mirror = Some(mirror(MirrorRole::Mirror, MirrorState::Synchronized));
    assert!(refused(BackupType::Full, &copy).unwrap().contains("is the mirror here"));
    for state in [DatabaseState::Restoring, DatabaseState::Standby, DatabaseState::Offline, DatabaseState::Suspect] {
        assert!(refused(BackupType::Full, &found(state, false)).is_some(), "{state:?}");
    }
    assert!(refused(BackupType::Salvage, &found(DatabaseState::Suspect, false)).is_none());
    let mut simple = found(DatabaseState::Online, false);
    simple.database.recovery_model = 3;
    assert!(refused(BackupType::Log, &simple).unwrap().contains("simple recovery model"));
    assert!(refused(BackupType::Full, &simple).is_none());
}

#[test]
fn without_any_folder_the_parameter_is_named() {
    let mut found = found(DatabaseState::Online, false);
    found.default_folder = None;
    let error = plan(&request(BackupType::Full, None), &found, at(2, 15)).unwrap_err();
    assert!(error.kind == ErrorKind::InvalidValue && error.next.contains("-Path"), "{error}");
}
