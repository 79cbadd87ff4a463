//! When log shipping is set up, how, and where it would never ship.

use uuid::Uuid;

use super::*;
use crate::baseline::sample::{baseline, primary_record, secondary_record};
use crate::baseline::JobPurpose;
use crate::command::log_shipping_refusal::SIMPLE;
use crate::command::log_shipping_settings::settings;
use crate::document::{JournalPlace, Target};
use crate::error::{Error, ErrorKind};
use crate::evidence::sample::{database, facts, lsn, mirror, FAMILY, FORK};
use crate::failback::history::HistorySet;
use crate::names::ServerPath;
use crate::sql::database::DatabaseState;
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
        copy_job: None,
        restore_job: None,
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
        lacks_copy_folder: true,
        roles_module: None,
    }
}

fn planned(request: &LogShippingAddRequest, found: &Found) -> Planned {
    let baseline = baseline();
    let settings = settings(request, Some(&baseline), found).unwrap();
    plan(request, &settings, found).unwrap()
}

/// A job of the baseline, enabled.
fn job(purpose: JobPurpose) -> Option<Job> {
    let job = baseline().instances.iter().find_map(|found| found.job(purpose).cloned());
    job.map(|job| Job { is_enabled: true, ..job })
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
    assert_eq!((all[0], all.last()), ("add_primary", Some(&"enable_job")));
    assert_eq!(all.iter().filter(|action| **action == "enable_job").count(), 3);
    for needed in ["add_primary_secondary", "create_folder", "add_secondary", "add_secondary_database"] {
        assert!(all.contains(&needed), "{needed}: {all:?}");
    }
    found.primary.primary =
        Some(PrimaryRecord { secondaries: vec![(r"b\rtc".to_string(), "mgc".to_string())], ..primary_record() });
    found.primary.backup_job = job(JobPurpose::Backup);
    found.lacks_copy_folder = false;
    let rest = actions(&planned(&request, &found));
    assert!(!rest.contains(&"add_primary") && !rest.contains(&"create_folder"), "{rest:?}");
    if let Some((_, half)) = &mut found.secondary {
        half.secondary = Some(secondary_record());
        half.copy_job = job(JobPurpose::Copy);
        half.restore_job = job(JobPurpose::Restore).map(|job| Job { is_enabled: false, ..job });
    }
    let last = planned(&request, &found);
    assert_eq!(actions(&last), ["enable_job"], "whoever was cut off left it disabled");
    if let Some((_, half)) = &mut found.secondary {
        half.restore_job = job(JobPurpose::Restore);
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
    let order = actions(&plan);
    let first_of =
        |name: &str| order.iter().position(|action| *action == name).unwrap_or_else(|| panic!("{name}: {order:?}"));
    assert_eq!(&order[..2], ["disable_job", "disable_job"], "no log backup is taken while the others are made");
    assert!(first_of("add_secondary_database") < first_of("delete_job"), "{order:?}");
    assert!(first_of("delete_job") < first_of("enable_job"), "{order:?}");
    assert_eq!(order.iter().filter(|action| **action == "delete_job").count(), 2);
    let all: String = plan.actions.iter().map(|action| action.statement.as_str()).collect();
    for part in [
        r"N'LSCopy_B\RTC_mgc'",
        r"N'LSRestore_B\RTC_mgc'",
        r"\reverse'",
        r"@backup_destination_directory = N'E:\Reverse'",
    ] {
        assert!(all.contains(part), "{part}: {all}");
    }
    assert!(plan.next[0].contains(r"-MirrorSqlInstance 'BM\RTC'"), "{:?}", plan.next);
    request.copy_folder = None;
    let error = settings(&request, Some(&baseline()), &found).unwrap_err();
    assert!(error.kind == ErrorKind::InvalidValue && error.message.contains("-CopyFolder"), "{error}");
}

/// A backup that serves, mirrored, and the old primary that is to follow it.
fn mirrored() -> (LogShippingAddRequest, Found) {
    let mut request = request(Some(r"P\RTC"), true);
    request.target = Target { sql_instance: r"B\RTC".into(), database: "mgc".into(), pool_fqdn: Some("pool".into()) };
    request.mirror_sql_instance = Some(r"BM\RTC".to_string());
    request.copy_folder = Some(r"E:\Reverse".to_string());
    let with = |half: Half, role| Half { mirror: Some(mirror(role, MirrorState::Synchronized)), ..half };
    let found = Found {
        primary: with(half(r"B\RTC", DatabaseState::Online), MirrorRole::Principal),
        partner: Some((r"BM\RTC".to_string(), with(half(r"BM\RTC", DatabaseState::Restoring), MirrorRole::Mirror))),
        secondary: Some((r"P\RTC".to_string(), half(r"P\RTC", DatabaseState::Restoring))),
        ..found()
    };
    (request, found)
}

#[test]
fn both_partners_become_primaries_between_two_changes_of_roles() {
    let (request, found) = mirrored();
    let plan = planned(&request, &found);
    let order = actions(&plan);
    let turns: Vec<usize> =
        order.iter().enumerate().filter(|(_, action)| **action == "change_roles").map(|(at, _)| at).collect();
    let [there, back] = turns[..] else { panic!("{order:?}") };
    assert!(order[..there].contains(&"add_secondary_database"), "{order:?}");
    assert!(order[there..back].contains(&"add_primary") && order[there..back].contains(&"add_primary_secondary"));
    assert_eq!(order[back + 1..], ["enable_job"; 4], "nothing fires before the roles are changed back");
    assert!(plan.actions[there].statement.contains("-NewPrincipal 'Mirror'"), "{:?}", plan.actions[there]);
    assert!(plan.actions[back].statement.contains("-NewPrincipal 'Primary'"), "{:?}", plan.actions[back]);
    assert!(plan.next.is_empty(), "{:?}", plan.next);
}

#[test]
fn cut_off_between_the_changes_of_roles_the_same_command_goes_on() {
    let (request, mut found) = mirrored();
    let secondaries = vec![(r"P\RTC".to_string(), "mgc".to_string())];
    let record = PrimaryRecord { secondaries, ..primary_record() };
    let disabled = |purpose| job(purpose).map(|job| Job { is_enabled: false, ..job });
    found.primary.primary = Some(record.clone());
    found.primary.backup_job = disabled(JobPurpose::Backup);
    found.primary.database = database(DatabaseState::Restoring);
    found.primary.mirror = Some(mirror(MirrorRole::Mirror, MirrorState::Synchronized));
    if let Some((_, half)) = &mut found.secondary {
        half.secondary = Some(SecondaryRecord { primary_server: r"B\RTC".to_string(), ..secondary_record() });
        half.copy_job = disabled(JobPurpose::Copy);
        half.restore_job = disabled(JobPurpose::Restore);
    }
    found.lacks_copy_folder = false;
    if let Some((_, half)) = &mut found.partner {
        half.mirror = Some(mirror(MirrorRole::Principal, MirrorState::Synchronized));
    }
    let order = actions(&planned(&request, &found));
    assert_eq!(order.iter().filter(|action| **action == "change_roles").count(), 1, "{order:?}");
    assert_eq!(order[0], "add_primary", "{order:?}");
    if let Some((_, half)) = &mut found.partner {
        half.primary = Some(record);
        half.backup_job = disabled(JobPurpose::Backup);
    }
    assert_eq!(actions(&planned(&request, &found))[0], "change_roles", "only the way back and the jobs are left");
    // Roles that somebody else changed, with nothing left to do, stay.
    let jobs = [&mut found.primary.backup_job, &mut found.partner.as_mut().unwrap().1.backup_job];
    jobs.into_iter().flatten().for_each(|job| job.is_enabled = true);
    let half = &mut found.secondary.as_mut().unwrap().1;
    [&mut half.copy_job, &mut half.restore_job].into_iter().flatten().for_each(|job| job.is_enabled = true);
    assert!(actions(&planned(&request, &found)).is_empty());
}

#[test]
fn changing_roles_needs_the_pool_and_partners_that_are_together() {
    let (mut request, mut found) = mirrored();
    request.target.pool_fqdn = None;
    let error = settings(&request, Some(&baseline()), &found).unwrap_err();
    assert!(error.kind == ErrorKind::InvalidValue && error.next.contains("-PoolFqdn"), "{error}");
    request.target.pool_fqdn = Some("pool".to_string());
    found.primary.mirror = Some(mirror(MirrorRole::Principal, MirrorState::Disconnected));
    let apart = planned(&request, &found).refusal.expect("a refusal");
    assert!(apart.message.contains("disconnected"), "{apart}");
    found.partner.as_mut().unwrap().1.mirror = None;
    let stranger = planned(&request, &found).refusal.expect("a refusal");
    assert!(stranger.message.contains("not the partner"), "{stranger}");
}

#[test]
fn an_old_primary_that_still_serves_is_told_every_command_that_seeds_it() {
    let (request, mut found) = mirrored();
    let half = &mut found.secondary.as_mut().unwrap().1;
    half.database = database(DatabaseState::Online);
    half.mirror = Some(mirror(MirrorRole::Principal, MirrorState::Disconnected));
    let refused = planned(&request, &found).refusal.expect("a refusal");
    let wanted = [
        r"Remove-PChatMirror 'P\RTC'",
        r"Backup-PChatDatabase 'P\RTC' -Type Tail",
        r"Backup-PChatDatabase 'B\RTC' -BackupPath '\\",
        r"Restore-PChatDatabase 'P\RTC' -BackupFile",
    ];
    let places: Vec<Option<usize>> = wanted.iter().map(|part| refused.next.find(part)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?} {}", refused.next);
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
