use super::{check_with, line};
use crate::evidence::{
    sample, EndpointAnswer, Evidence, LaterFile, MirrorInstanceEvidence, MonitoredBackup, NamedElsewhere, Reading,
    RemoteDatabase,
};
use crate::sql::mirror::{MirrorRole, MirrorState};

fn answered(e: &mut Evidence, database: Reading<RemoteDatabase>) {
    e.primary.mirror.answer = EndpointAnswer::LoggedIn;
    e.primary.mirror.database = database;
}

#[test]
fn the_primarys_own_answer_decides_by_the_table() {
    let with = |answer: EndpointAnswer| check_with("PrimaryIsDown", |e, _| e.primary.answer = answer);
    let refused = with(EndpointAnswer::Refused { port_is_certain: true });
    assert_eq!(line(&refused), r"passed - P\RTC refuses connections");
    let guessed = with(EndpointAnswer::Refused { port_is_certain: false });
    assert_eq!(line(&guessed), r"passed - P\RTC is silent: it refuses connections on a port that is only guessed");
    let alive = with(EndpointAnswer::LoggedIn);
    assert_eq!(line(&alive), r"failed 5002 P\RTC answers a login");
    assert_eq!(
        alive.message,
        r"The primary is alive, so a disaster failover would lose what users write there. A planned switch loses nothing: `Invoke-PChatFailover -Planned`. If P\RTC must not serve, stop it."
    );
    let locked = with(EndpointAnswer::Answers { why: "wrong password".into() });
    assert_eq!(line(&locked), r"failed 5002 P\RTC answers, though no login works: wrong password");
    let untried = with(EndpointAnswer::NotTried { why: "no SQL login is given.".into() });
    assert_eq!(line(&untried), r"unknown 5002 P\RTC could not be asked: no SQL login is given");
    let unnamed = with(EndpointAnswer::NotNamed);
    assert_eq!(line(&unnamed), "unknown 5002 no primary is named");
}

/// The request names X, and the record P.
fn named_elsewhere(e: &mut Evidence, answer: EndpointAnswer, is_explained: bool) {
    let silent = e.primary.name.replace(r"X\RTC".into());
    e.primary.elsewhere.push(NamedElsewhere {
        by: "the log shipping record".into(),
        as_mirror: false,
        is_explained,
        instance: MirrorInstanceEvidence { name: silent, answer, database: Reading::Unknown("silent".into()) },
    });
}

#[test]
fn a_primary_that_the_record_names_speaks_beside_the_one_of_the_request() {
    let with = |answer: EndpointAnswer, is_explained: bool| {
        check_with("PrimaryIsDown", |e, _| named_elsewhere(e, answer, is_explained))
    };
    let alive = with(EndpointAnswer::LoggedIn, false);
    let expected = r"failed 5002 P\RTC (the log shipping record names it; the request names X\RTC) answers a login";
    assert_eq!(line(&alive), expected);
    assert!(alive.message.ends_with(r"`-PrimaryMirrorSqlInstance P\RTC`."), "{}", alive.message);
    assert_eq!(line(&with(EndpointAnswer::LoggedIn, true)), expected, "under another name it lives no less");
    let untried = with(EndpointAnswer::NotTried { why: "no SQL login is given.".into() }, false);
    assert!(line(&untried).starts_with("unknown 5002"), "{}", line(&untried));
    let dark = || EndpointAnswer::Unreachable { why: "dark".into() };
    let value = r"X\RTC is silent: no answer within 5 s";
    let dead = with(dark(), false);
    assert_eq!(line(&dead), format!(r"warning - {value}; P\RTC, which the log shipping record names, is down too"));
    assert!(dead.message.contains("`-AddressMap`"), "{}", dead.message);
    assert_eq!(line(&with(dark(), true)), format!("passed - {value}"));
}

#[test]
fn a_mirror_that_was_read_speaks_beside_the_one_of_the_request() {
    let result = check_with("WitnessPrimaryMirror", |e, _| {
        named_elsewhere(e, EndpointAnswer::LoggedIn, false);
        let other = &mut e.primary.elsewhere[0];
        (other.as_mirror, other.by) = (true, "the topology".into());
        let mirroring = Some(sample::mirror(MirrorRole::Principal, MirrorState::Disconnected));
        other.instance.database =
            Reading::Known(RemoteDatabase { state: Some("online".into()), mirroring, ..RemoteDatabase::default() });
    });
    assert_eq!(line(&result), r"failed 5003 P\RTC is the principal of mgc; the topology names it");
}

#[test]
fn a_damaged_primary_offers_its_tail_and_is_ignored_by_name() {
    let damaged = |ignore: &[&str]| {
        check_with("PrimaryIsDown", |e, r| {
            e.primary.answer = EndpointAnswer::LoggedIn;
            e.primary.database =
                Reading::Known(RemoteDatabase { state: Some("suspect".into()), ..RemoteDatabase::default() });
            r.ignore_witness = ignore.iter().map(|name| name.to_string()).collect();
        })
    };
    let result = damaged(&[]);
    assert_eq!(line(&result), r"failed 5002 P\RTC answers, mgc there is damaged");
    assert!(result.message.contains("WITH NO_TRUNCATE"));
    assert!(result.message.ends_with("Then start again with `-IgnoreWitness PrimaryDamaged`."));
    assert_eq!(line(&damaged(&["primarydamaged"])), r"warning - P\RTC answers, mgc there is damaged");
}

#[test]
fn the_primarys_mirror_speaks_against_its_death_unless_disconnected() {
    let with =
        |database: RemoteDatabase| check_with("WitnessPrimaryMirror", |e, _| answered(e, Reading::Known(database)));
    let mirrored = |role, state| {
        let mirroring = Some(sample::mirror(role, state));
        with(RemoteDatabase { state: Some("restoring".into()), mirroring, ..RemoteDatabase::default() })
    };
    let synchronized = mirrored(MirrorRole::Mirror, MirrorState::Synchronized);
    assert_eq!(line(&synchronized), r"failed 5003 PM\RTC is the mirror of mgc and in state SYNCHRONIZED");
    assert!(synchronized.message.ends_with("To go on all the same: `-IgnoreWitness PrimaryMirror`."));
    let principal = mirrored(MirrorRole::Principal, MirrorState::Disconnected);
    assert_eq!(line(&principal), r"failed 5003 PM\RTC is the principal of mgc");
    assert!(principal.message.contains("`Invoke-CsDatabaseFailover`"));
    let lost = mirrored(MirrorRole::Mirror, MirrorState::Disconnected);
    assert_eq!(line(&lost), r"passed - PM\RTC has lost its partner (DISCONNECTED)");
    let online = with(RemoteDatabase { state: Some("online".into()), ..RemoteDatabase::default() });
    assert_eq!(line(&online), r"failed 5003 mgc is ONLINE on PM\RTC, without mirroring");
    assert_eq!(line(&with(RemoteDatabase::default())), r"passed - PM\RTC answers; mgc there is ABSENT");
}

#[test]
fn a_mirror_that_cannot_be_asked_counts_as_against() {
    let refused = check_with("WitnessPrimaryMirror", |e, _| {
        e.primary.mirror.answer = EndpointAnswer::Answers { why: "wrong password".into() };
    });
    assert_eq!(line(&refused), r"unknown 5003 PM\RTC answers, but cannot be asked: wrong password");
    let blind = check_with("WitnessPrimaryMirror", |e, _| answered(e, Reading::Unknown("no rights".into())));
    assert_eq!(line(&blind), r"unknown 5003 PM\RTC answers, but does not tell the mirroring state of mgc");
}

#[test]
fn a_witness_is_ignored_by_its_name_alone() {
    let with = |name: &str| {
        line(&check_with("WitnessShareFiles", |e, r| {
            let file = LaterFile { name: "mgc_20260314030000.trn".into(), how: "appeared".into() };
            e.primary.later_files = Reading::Known(vec![file]);
            r.ignore_witness = vec![name.to_string()];
        }))
    };
    let value = "1 file after the primary fell silent: mgc_20260314030000.trn appeared";
    assert_eq!(with("PrimaryMirror"), format!("failed 5003 {value}"));
    assert_eq!(with("ShareFiles"), format!("warning - {value}"));
    assert_eq!(with("WitnessShareFiles"), format!("warning - {value}"));
}

#[test]
fn the_monitor_counts_only_with_a_backup_after_the_first_failed_probe() {
    let with = |hour, minute| {
        line(&check_with("WitnessMonitor", |e, _| {
            e.primary.monitor.name = Some("MON".into());
            e.primary.monitor.answer = EndpointAnswer::LoggedIn;
            e.primary.monitor.last_backup = Reading::Known(Some(MonitoredBackup {
                file: Some(sample::file_name(4)),
                at_utc: Some(sample::utc(hour + 1, minute)),
                at_our_clock_utc: Some(sample::utc(hour, minute)),
            }));
        }))
    };
    assert_eq!(with(2, 46), "passed - MON: last log backup at 2026-03-14T03:46:00Z");
    assert_eq!(
        with(3, 0),
        "failed 5003 MON knows of a log backup at 2026-03-14T04:00:00Z, 60 seconds after the first failed probe"
    );
    let silent = check_with("WitnessMonitor", |e, _| {
        e.primary.monitor.name = Some("MON".into());
        e.primary.monitor.answer = EndpointAnswer::Unreachable { why: "dark".into() };
        e.primary.monitor.last_backup = Reading::Unknown("dark".into());
    });
    assert_eq!(line(&silent), "passed - MON could not be asked: dark");
}

#[test]
fn files_that_come_grow_or_change_after_the_probe_are_later_ones() {
    use crate::evidence::later_files;
    let before = sample::seen(&[1, 2, 3]);
    let mut after = sample::seen(&[1, 2, 3, 4]);
    after[1].size_bytes += 1;
    after[2].modified_at_utc = Some(sample::utc(3, 1));
    let found: Vec<String> =
        later_files(&before, &after).into_iter().map(|file| format!("{} {}", file.name, file.how)).collect();
    let expected: Vec<String> =
        [(2, "grew"), (3, "changed"), (4, "appeared")].map(|(n, how)| format!("{} {how}", sample::file_name(n))).into();
    assert_eq!(found, expected);
    assert!(later_files(&before, &before).is_empty());
}
