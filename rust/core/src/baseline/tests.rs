//! What is drift and what is not; files that are whole or not there.

use std::path::PathBuf;

use serde_json::json;

use super::sample::baseline;
use super::*;
use crate::document::Drift;
use crate::error::ErrorKind;
use crate::evidence::Reading;
use crate::sql::database::DatabaseState;
use crate::sql::principal::ServerLogin;

fn parts(drift: &[Drift]) -> Vec<String> {
    drift.iter().map(|d| format!("{} {} {}", d.role, d.kind, d.part)).collect()
}

fn of(baseline: &mut Baseline, role: InstanceRole) -> &mut InstanceBaseline {
    baseline.instances.iter_mut().find(|instance| instance.role == role).unwrap()
}

#[test]
fn progress_ids_and_times_are_no_drift() {
    let (earlier, mut now) = (baseline(), baseline());
    now.saved_at_utc = crate::evidence::sample::utc(9, 0);
    let primary = of(&mut now, InstanceRole::Primary);
    if let Reading::Known(Some(record)) = &mut primary.log_shipping_primary {
        record.primary_id = uuid::Uuid::from_u128(1);
        record.backup_job_id = uuid::Uuid::from_u128(2);
        record.last_backup_file = None;
    }
    if let Reading::Known(jobs) = &mut primary.jobs {
        jobs[0].job.job_id = uuid::Uuid::from_u128(2);
        jobs[0].job.is_running = true;
        jobs[0].job.schedules[0].schedule_id = 99;
    }
    if let Reading::Known(Some(database)) = &mut primary.database {
        database.facts.created_at = crate::evidence::sample::at(8, 0);
        if let Reading::Known(Some(mirror)) = &mut database.mirroring {
            mirror.role_sequence = Some(44);
        }
    }
    assert_eq!(compare(&earlier, &now), []);
}

#[test]
fn options_schedules_and_active_servers_are_drift_with_both_values() {
    let (earlier, mut now) = (baseline(), baseline());
    if let Reading::Known(Some(service)) = &mut now.pool.service {
        service.active_servers = Some(vec!["s3.contoso.com".to_string()]);
    }
    if let Reading::Known(Some(database)) = &mut of(&mut now, InstanceRole::Primary).database {
        database.facts.is_trustworthy = !database.facts.is_trustworthy;
    }
    if let Reading::Known(jobs) = &mut of(&mut now, InstanceRole::Backup).jobs {
        jobs[1].job.schedules[0].freq_subday_interval = 30;
        jobs[0].job.is_enabled = false;
    }
    let drift = compare(&earlier, &now);
    assert_eq!(
        parts(&drift),
        [
            "pool changed service.active_servers",
            "primary changed database.facts.is_trustworthy",
            "backup changed jobs[copy].job.is_enabled",
            "backup changed jobs[restore].job.schedules[every 15 minutes].freq_subday_interval",
        ]
    );
    assert_eq!((drift[3].earlier.as_deref(), drift[3].now.as_deref()), (Some("15"), Some("30")));
    assert_eq!(drift[0].subject, "pchat.contoso.com");
}

#[test]
fn a_part_that_one_could_not_read_is_told_once_and_hides_what_is_below() {
    let (earlier, mut now) = (baseline(), baseline());
    of(&mut now, InstanceRole::Backup).database = Reading::Unknown("PCHAT2003".to_string());
    let drift = compare(&earlier, &now);
    assert_eq!(parts(&drift), ["backup unread database"]);
    assert_eq!(drift[0].now.as_deref(), Some("unread: PCHAT2003"));
    assert_eq!(compare(&now, &now), []);
}

#[test]
fn an_instance_or_a_record_that_came_or_went_is_told() {
    let (earlier, mut now) = (baseline(), baseline());
    now.instances.pop();
    of(&mut now, InstanceRole::PrimaryMirror).log_shipping_primary = Reading::Known(None);
    let found = parts(&compare(&earlier, &now));
    assert!(found.contains(&"backup_mirror gone instance".to_string()), "{found:?}");
    assert!(found.contains(&"primary_mirror gone log_shipping_primary".to_string()), "{found:?}");
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn a_job_that_went_is_told_once_with_all_its_schedules() {
    let (earlier, mut now) = (baseline(), baseline());
    if let Reading::Known(jobs) = &mut of(&mut now, InstanceRole::Backup).jobs {
        jobs.clear();
    }
    of(&mut now, InstanceRole::Primary).sql_instance = r"p.contoso.com\RTC".to_string();
    assert_eq!(parts(&compare(&earlier, &now)), ["backup gone jobs[copy]", "backup gone jobs[restore]"]);
    assert_eq!(parts(&compare(&now, &earlier)), ["backup added jobs[copy]", "backup added jobs[restore]"]);
}

#[test]
fn a_saved_baseline_reads_back_and_an_unknown_member_at_any_depth_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let (path, warnings) = save(folder.path(), &baseline(), 5).unwrap();
    assert_eq!((warnings, path.file_name().unwrap().to_str().unwrap()), (vec![], "mgc_20260314010000.baseline.json"));
    assert_eq!(read_file(&path).unwrap(), baseline());
    let text = std::fs::read_to_string(&path).unwrap();
    let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
    value["instances"][0]["facts"]["known"]["colour"] = json!("red");
    std::fs::write(&path, value.to_string()).unwrap();
    let error = read_file(&path).unwrap_err();
    assert_eq!(error.kind, ErrorKind::BaselineUnreadable);
    assert!(error.message.contains("`instances.facts.known.colour` is unknown or missing"), "{}", error.message);
    value["version"] = json!(2);
    std::fs::write(&path, value.to_string()).unwrap();
    assert!(read_file(&path).unwrap_err().message.contains("version 2"));
    std::fs::write(&path, &text[..text.len() / 2]).unwrap();
    assert_eq!(read_file(&path).unwrap_err().kind, ErrorKind::BaselineUnreadable);
}

#[test]
fn the_newest_are_kept_and_the_newest_complete_one_always() {
    let folder = tempfile::tempdir().unwrap();
    let mut one = baseline();
    let complete = save(folder.path(), &one, 2).unwrap().0;
    one.unread.push(Unread { subject: "x".into(), part: "y".into(), why: "z".into() });
    let saved: Vec<PathBuf> = (0..4).map(|_| save(folder.path(), &one, 2).unwrap().0).collect();
    // Of one second each: the names go on by seconds.
    assert!(saved[3].ends_with("mgc_20260314010004.baseline.json"), "{saved:?}");
    let left = list(folder.path(), Some("mgc")).unwrap();
    assert_eq!(left, [saved[3].clone(), saved[2].clone(), complete]);
    assert_eq!(newest(folder.path(), None).unwrap().path, saved[3]);
    assert_eq!(list(folder.path(), Some("other")).unwrap(), Vec::<PathBuf>::new());
    assert_eq!(newest(folder.path(), Some("other")).unwrap_err().kind, ErrorKind::BaselineNotFound);
}

#[test]
fn a_way_home_takes_the_newest_that_shows_log_shipping_and_it_is_never_removed() {
    let folder = tempfile::tempdir().unwrap();
    let healthy = baseline();
    assert!(healthy.shows_shipping());
    let mut served = baseline();
    for instance in served.instances.iter_mut().filter(|instance| instance.role == InstanceRole::Backup) {
        if let Reading::Known(Some(found)) = &mut instance.database {
            found.facts.state = DatabaseState::Online;
        }
    }
    assert!(!served.shows_shipping() && served.is_complete());
    save(folder.path(), &healthy, 2).unwrap();
    let wanted = save(folder.path(), &healthy, 2).unwrap().0;
    let later: Vec<PathBuf> = (0..4).map(|_| save(folder.path(), &served, 2).unwrap().0).collect();
    assert_eq!(list(folder.path(), None).unwrap(), [later[3].clone(), later[2].clone(), wanted.clone()]);
    let (found, passed) = newest_shipping(folder.path(), Some("mgc")).unwrap();
    assert_eq!((&found.path, passed), (&wanted, 2));
    // A file is the operator's word, and where none shows it the newest is.
    assert_eq!(newest_shipping(&later[3], None).unwrap().0.path, later[3]);
    std::fs::remove_file(&wanted).unwrap();
    assert_eq!(newest_shipping(folder.path(), None).unwrap().0.path, later[3]);
}

#[test]
fn a_file_that_a_cut_off_save_left_is_never_taken_for_a_baseline() {
    let folder = tempfile::tempdir().unwrap();
    let partial = folder.path().join("mgc_20260314010000.baseline.json.pchat-partial");
    std::fs::write(&partial, "{").unwrap();
    let (path, _) = save(folder.path(), &baseline(), 1).unwrap();
    assert!(path.ends_with("mgc_20260314010001.baseline.json"));
    assert_eq!(list(folder.path(), None).unwrap(), [path]);
}

#[test]
fn names_that_nobody_gave_come_from_the_topology() {
    let mut names = Instances { backup: Some(r"B\RTC".parse().unwrap()), ..Instances::default() };
    names.complete_from(&baseline().pool);
    let text = |role| names.of(role).map(ToString::to_string);
    assert_eq!(text(InstanceRole::Primary).as_deref(), Some(r"p.contoso.com\RTC"));
    assert_eq!(text(InstanceRole::Backup).as_deref(), Some(r"B\RTC"));
    assert_eq!(text(InstanceRole::BackupMirror).as_deref(), Some(r"bm.contoso.com\RTC"));
}

#[test]
fn the_logins_behind_the_users_of_both_databases_are_kept_and_no_others() {
    let mut baseline = baseline();
    let primary = of(&mut baseline, InstanceRole::Primary);
    let mut compliance = primary.database().cloned();
    if let Some(Reading::Known(users)) = compliance.as_mut().map(|database| &mut database.users) {
        users[0].sid = "0x0C".to_string();
    }
    primary.compliance = Reading::Known(compliance);
    for instance in &mut baseline.instances {
        let Reading::Known(logins) = &mut instance.logins else { continue };
        for (name, sid) in [("compliance", "0x0C"), ("somebody", "0x0D")] {
            let more = ServerLogin { name: name.to_string(), sid: sid.to_string(), ..logins[0].clone() };
            logins.push(more);
        }
    }
    super::read::keep_logins_of_users(&mut baseline.instances);
    for instance in &baseline.instances {
        let logins = instance.logins.known().unwrap();
        let names: Vec<&str> = logins.iter().map(|login| login.name.as_str()).collect();
        assert_eq!(names, [r"CONTOSO\RTCServices", "compliance"], "{}", instance.sql_instance);
    }
}
