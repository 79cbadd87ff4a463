//! When log shipping is set up, how, and where it would never ship.

use uuid::Uuid;

use super::*;
use crate::baseline::sample::{baseline, primary_record, secondary_record};
use crate::command::log_shipping_settings::settings;
use crate::document::{JournalPlace, Target};
use crate::evidence::sample::{database, facts, lsn, mirror, FAMILY, FORK};
use crate::sql::mirror::MirrorState;

fn request(secondary: Option<&str>, reverse: bool) -> LogShippingAddRequest {
    LogShippingAddRequest {
        version: 1,
        target: Target { sql_instance: r"P\RTC".into(), database: "mgc".into(), pool_fqdn: None },
        journal: JournalPlace::default(),
        secondary_sql_instance: secondary.map(str::to_string),
        mirror_sql_instance: None,
        baseline_path: None,
        reverse,
        log_backup_share: None,
        copy_folder: None,
        interval_minutes: 15,
        plan_only: true,
        approved_digest: None,
    }
}

fn half(server: &str, state: DatabaseState) -> Half {
    let redo = RedoPoint {
        lsn: lsn(2000),
        fork_id: FORK,
        family_id: None,
        finished_at: None,
        file_name: None,
        came_from: None,
    };
    Half {
        facts: InstanceFacts { server_name: server.to_string(), ..facts() },
        database: database(state),
        mirror: None,
        primary: None,
        backup_job: None,
        secondary: None,
        redo: (state == DatabaseState::Restoring).then_some(redo),
        own_job: None,
    }
}

fn set(backup_type: &str, first: u128, last: u128, path: &str) -> HistorySet {
    HistorySet {
        backup_type: backup_type.to_string(),
        family_id: FAMILY,
        first_lsn: lsn(first),
        last_lsn: lsn(last),
        first_fork_id: FORK,
        last_fork_id: FORK,
        fork_point_lsn: None,
        is_copy_only: false,
        is_own: true,
        finished_at: None,
        path: Some(ServerPath::new(path)),
    }
}

/// The secondary is seeded from a full backup that ends at its redo point.
fn found() -> Found {
    Found {
        primary: half(r"P\RTC", DatabaseState::Online),
        partner: None,
        secondary: Some((r"B\RTC".to_string(), half(r"B\RTC", DatabaseState::Restoring))),
        history: vec![set("D", 1000, 2000, r"\\fs1\LogShip\mgc.bak")],
        fresh_folder: None,
    }
}

fn planned(request: &LogShippingAddRequest, found: &Found) -> Planned {
    let baseline = baseline();
    let settings = settings(request, Some(&baseline), found).unwrap();
    plan(request, &settings, found).unwrap()
}

fn actions(planned: &Planned) -> Vec<&'static str> {
    assert!(planned.refusal.is_none(), "{:?}", planned.refusal);
    planned.actions.iter().map(|action| action.action).collect()
}

fn refusal(found: &Found) -> Error {
    planned(&request(Some(r"B\RTC"), false), found).refusal.expect("a refusal")
}

#[test]
fn both_halves_are_made_as_the_baseline_has_them_and_what_is_there_stays() {
    let request = request(Some(r"B\RTC"), false);
    let mut found = found();
    let plan = planned(&request, &found);
    let all = actions(&plan);
    assert_eq!((all[0], all.last()), ("add_primary", Some(&"add_schedule")));
    for needed in ["add_primary_secondary", "create_folder", "add_secondary", "add_secondary_database"] {
        assert!(all.contains(&needed), "{needed}: {all:?}");
    }
    found.primary.primary =
        Some(PrimaryRecord { secondaries: vec![(r"b\rtc".to_string(), "mgc".to_string())], ..primary_record() });
    assert!(!actions(&planned(&request, &found)).contains(&"add_primary"));
    if let Some((_, half)) = &mut found.secondary {
        half.secondary = Some(secondary_record());
    }
    let done = planned(&request, &found);
    assert!(actions(&done).is_empty() && done.text.contains("already"), "{}", done.text);
}

#[test]
fn the_other_way_round_names_follow_the_primary_and_the_failover_s_job_gives_way() {
    let mut request = request(Some(r"P\RTC"), true);
    request.target.sql_instance = r"B\RTC".to_string();
    request.copy_folder = Some(r"E:\Reverse".to_string());
    let own = Job {
        job_id: Uuid::from_u128(7),
        name: "own".to_string(),
        is_enabled: true,
        is_running: false,
        description: None,
        owner: None,
        schedules: Vec::new(),
    };
    let mut found = Found {
        primary: Half { own_job: Some(own.clone()), ..half(r"B\RTC", DatabaseState::Online) },
        partner: Some((
            r"BM\RTC".to_string(),
            Half { own_job: Some(own), ..half(r"BM\RTC", DatabaseState::Restoring) },
        )),
        secondary: Some((r"P\RTC".to_string(), half(r"P\RTC", DatabaseState::Restoring))),
        ..found()
    };
    found.fresh_folder = Some("reverse".to_string());
    let plan = planned(&request, &found);
    assert_eq!(actions(&plan).iter().filter(|action| **action == "delete_job").count(), 2);
    let all: String = plan.actions.iter().map(|action| action.statement.as_str()).collect();
    for part in [
        r"N'LSCopy_B\RTC_mgc'",
        r"N'LSRestore_B\RTC_mgc'",
        r"\reverse'",
        r"@backup_destination_directory = N'E:\Reverse'",
    ] {
        assert!(all.contains(part), "{part}: {all}");
    }
    assert!(plan.next[0].contains(r"New-PChatLogShipping BM\RTC"), "{:?}", plan.next);
    request.copy_folder = None;
    let error = settings(&request, Some(&baseline()), &found).unwrap_err();
    assert!(error.kind == ErrorKind::InvalidValue && error.message.contains("-CopyFolder"), "{error}");
}

#[test]
fn the_second_partner_becomes_a_primary_as_the_first_one_is() {
    let mut found = Found { secondary: None, ..found() };
    let request = request(None, false);
    let unknown = settings(&request, None, &found).unwrap_err();
    assert_eq!(unknown.kind, ErrorKind::LogShippingNotFound, "{unknown}");
    let first = Half {
        primary: Some(PrimaryRecord { secondaries: vec![("B".to_string(), "mgc".to_string())], ..primary_record() }),
        backup_job: baseline()
            .instances
            .iter()
            .find_map(|found| found.job(crate::baseline::JobPurpose::Backup))
            .cloned(),
        ..half(r"PM\RTC", DatabaseState::Restoring)
    };
    found.partner = Some((r"PM\RTC".to_string(), first));
    let all = actions(&planned(&request, &found));
    assert!(all.contains(&"add_primary") && all.contains(&"add_primary_secondary"), "{all:?}");
    assert!(!all.contains(&"add_secondary"), "{all:?}");
}

#[test]
fn a_secondary_that_would_never_follow_is_refused() {
    let with = |change: fn(&mut Half)| {
        let mut found = found();
        change(&mut found.secondary.as_mut().unwrap().1);
        refusal(&found)
    };
    let other_fork = with(|half| half.redo.as_mut().unwrap().fork_id = Uuid::from_u128(0xBAD));
    assert!(
        other_fork.kind == ErrorKind::DatabaseStateUnsuited && other_fork.next.contains("-BackupFile"),
        "{other_fork}"
    );
    assert!(with(|half| half.redo = None).message.contains("cut off"));
    assert!(with(|half| half.database.state = DatabaseState::Online).message.contains("takes no log backups"));
    let mirrored = with(|half| half.mirror = Some(mirror(MirrorRole::Mirror, MirrorState::Synchronized)));
    assert!(mirrored.next.contains("Remove-PChatMirror"), "{mirrored}");
    let mut elsewhere = found();
    elsewhere.history.push(set("L", 2000, 3000, r"E:\Backup\mgc_1.trn"));
    assert!(refusal(&elsewhere).message.contains(r"E:\Backup\mgc_1.trn"));
    elsewhere.history.pop();
    elsewhere.history.push(set("L", 2000, 3000, r"\\fs1\LogShip\mgc_1.trn"));
    assert!(planned(&request(Some(r"B\RTC"), false), &elsewhere).refusal.is_none());
}

#[test]
fn a_primary_that_cannot_ship_is_refused() {
    let with = |change: fn(&mut Half)| {
        let mut found = found();
        change(&mut found.primary);
        refusal(&found).message
    };
    assert!(with(|half| half.database.state = DatabaseState::Restoring).contains("must be online"));
    assert!(with(|half| half.database.recovery_model = SIMPLE).contains("simple recovery model"));
    assert!(with(|half| half.mirror = Some(mirror(MirrorRole::Mirror, MirrorState::Synchronized)))
        .contains("is the mirror"));
    assert!(with(|half| half.facts.server_name = r"B\RTC".to_string()).contains("both primary and secondary"));
}

#[test]
fn without_a_baseline_the_command_tells_folders_and_interval() {
    let mut request = request(Some(r"B\RTC"), false);
    let found = found();
    assert!(settings(&request, None, &found).unwrap_err().message.contains("-LogBackupShare"));
    request.log_backup_share = Some(r"\\fs1\LogShip".to_string());
    request.copy_folder = Some(r"E:\LSCopy".to_string());
    request.interval_minutes = 30;
    let made = settings(&request, None, &found).unwrap();
    let schedule = &made.primary.job.schedules[0];
    assert_eq!((schedule.freq_subday_type, schedule.freq_subday_interval), (4, 30));
    assert_eq!(made.secondaries, [(r"B\RTC".to_string(), "mgc".to_string())]);
    request.interval_minutes = 0;
    assert!(settings(&request, None, &found).is_err());
}
