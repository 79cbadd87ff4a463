//! The table of the guard, row by row, on primary and mirror alike.

use uuid::Uuid;

use super::*;
use crate::names::Lsn;
use crate::sql::mirror::MirrorState;

const FORK: Uuid = Uuid::from_u128(7);

fn stand(lsn: u128) -> Option<Stand> {
    Some(Stand { lsn: Lsn::new(lsn).unwrap(), fork_id: FORK })
}

fn copy(state: DatabaseState) -> PresentCopy {
    PresentCopy { state, mirroring: None, is_same_family: Some(true), rows: Some(150), stand: None, standing: None }
}

fn restoring(standing: Standing, at: u128) -> PresentCopy {
    PresentCopy { rows: None, stand: stand(at), standing: Some(standing), ..copy(DatabaseState::Restoring) }
}

fn off() -> Standing {
    Standing::OffHistory { why: "its recovery fork is none of the backup's".into() }
}

fn mirrored(mut copy: PresentCopy, role: MirrorRole, role_sequence: i64) -> PresentCopy {
    copy.mirroring = Some(Mirror {
        database: "mgc".into(),
        mirroring_id: Uuid::from_u128(9),
        role,
        state: MirrorState::Disconnected,
        partner_name: None,
        partner_instance: None,
        witness_name: None,
        safety_level: Some(2),
        role_sequence: Some(role_sequence),
        timeout_seconds: Some(10),
    });
    copy
}

fn at(role: HomeRole, seen: CopySeen) -> HomeCopy {
    let instance = match role {
        HomeRole::Primary => r"P\RTC",
        HomeRole::Mirror => r"PM\RTC",
    };
    HomeCopy { role, instance: instance.into(), seen }
}

fn seen(copy: PresentCopy) -> CopySeen {
    CopySeen::Present(Box::new(copy))
}

fn both(primary: CopySeen, mirror: CopySeen, named: &[&str]) -> Guard {
    let named: Vec<String> = named.iter().map(|name| name.to_string()).collect();
    guard(&at(HomeRole::Primary, primary), Some(&at(HomeRole::Mirror, mirror)), &named)
}

use Measure::{AwaitOther, PartnerOff, Recover, SaveFull, SaveLog, SetOnline};

/// One row: what is found, what is done, what follows: `overwrite`, `go_on` or `refuse`.
fn rows() -> Vec<(&'static str, CopySeen, Vec<Measure>, &'static str)> {
    let fresh = PresentCopy { is_same_family: Some(false), rows: Some(0), ..copy(DatabaseState::Online) };
    let other_chat = PresentCopy { is_same_family: Some(false), rows: Some(3), ..copy(DatabaseState::Online) };
    let unread = PresentCopy { is_same_family: Some(false), rows: None, ..copy(DatabaseState::Online) };
    let family_unknown = PresentCopy { is_same_family: None, rows: Some(0), ..copy(DatabaseState::Online) };
    let standby = PresentCopy { state: DatabaseState::Standby, ..restoring(Standing::OnHistory, 100) };
    let no_redo = PresentCopy { standing: None, stand: None, ..restoring(off(), 100) };
    vec![
        ("absent", CopySeen::Absent, vec![], "overwrite"),
        ("unreachable", CopySeen::Unknown("no answer within 5 s".into()), vec![], "refuse"),
        ("freshly created", seen(fresh), vec![], "overwrite"),
        ("another family with content", seen(other_chat), vec![SaveFull], "overwrite"),
        ("another family, content unread", seen(unread), vec![SaveFull], "overwrite"),
        ("family unknown, empty", seen(family_unknown), vec![SaveFull], "overwrite"),
        ("restoring on the history", seen(restoring(Standing::OnHistory, 100)), vec![], "go_on"),
        ("standby on the history", seen(standby), vec![], "go_on"),
        ("restoring off the history", seen(restoring(off(), 100)), vec![], "refuse"),
        ("restoring, redo point unknown", seen(no_redo), vec![], "refuse"),
        ("online", seen(copy(DatabaseState::Online)), vec![SaveFull], "overwrite"),
        ("offline", seen(copy(DatabaseState::Offline)), vec![SetOnline, SaveFull], "overwrite"),
        ("suspect", seen(copy(DatabaseState::Suspect)), vec![SaveLog], "overwrite"),
        ("recovery pending", seen(copy(DatabaseState::RecoveryPending)), vec![SaveLog], "overwrite"),
        ("emergency", seen(copy(DatabaseState::Emergency)), vec![SaveLog], "overwrite"),
        ("recovering", seen(copy(DatabaseState::Recovering)), vec![], "refuse"),
        (
            "principal, online",
            seen(mirrored(copy(DatabaseState::Online), MirrorRole::Principal, 3)),
            vec![PartnerOff, SaveFull],
            "overwrite",
        ),
        (
            "principal, damaged",
            seen(mirrored(copy(DatabaseState::Suspect), MirrorRole::Principal, 3)),
            vec![PartnerOff, SaveLog],
            "overwrite",
        ),
        (
            "mirror without its principal",
            seen(mirrored(restoring(off(), 100), MirrorRole::Mirror, 3)),
            vec![PartnerOff],
            "refuse",
        ),
    ]
}

fn word(then: &Then) -> &'static str {
    match then {
        Then::Overwrite => "overwrite",
        Then::GoOn => "go_on",
        Then::Refuse { .. } => "refuse",
    }
}

#[test]
fn every_row_holds_on_the_primary_and_on_its_mirror() {
    for (name, found, measures, then) in rows() {
        let guard = both(found.clone(), CopySeen::Absent, &[]);
        assert_eq!((&guard.primary.measures, word(&guard.primary.then)), (&measures, then), "{name} on the primary");
        let guard = both(CopySeen::Absent, found, &[]);
        let mirror = guard.mirror.unwrap();
        assert_eq!((&mirror.measures, word(&mirror.then)), (&measures, then), "{name} on the mirror");
    }
}

#[test]
fn a_refusal_on_either_refuses_both_and_names_the_instance() {
    for (primary, mirror, wanted) in [
        (seen(restoring(off(), 100)), CopySeen::Absent, r"P\RTC"),
        (CopySeen::Absent, seen(restoring(off(), 100)), r"PM\RTC"),
        (CopySeen::Absent, CopySeen::Unknown("refused".into()), r"PM\RTC"),
    ] {
        let guard = both(primary, mirror, &[]);
        let (treatment, why, next) = guard.refusal().expect("a refusal");
        assert_eq!(treatment.instance, wanted);
        assert!(why.contains(wanted) && !next.is_empty(), "{why} {next}");
    }
}

#[test]
fn a_copy_off_the_history_is_recovered_and_saved_only_when_named() {
    let guard = both(seen(restoring(off(), 100)), CopySeen::Absent, &[r"p\rtc"]);
    assert_eq!(guard.primary.measures, [Recover, SaveFull]);
    assert_eq!(guard.primary.then, Then::Overwrite);
    assert!(guard.primary.saves());
    let guard = both(seen(restoring(off(), 100)), CopySeen::Absent, &[r"PM\RTC"]);
    assert!(guard.refusal().is_some(), "another name allows nothing");
    let alone = mirrored(restoring(off(), 100), MirrorRole::Mirror, 3);
    let guard = both(CopySeen::Absent, seen(alone), &[r"PM\RTC"]);
    assert_eq!(guard.mirror.unwrap().measures, [PartnerOff, Recover, SaveFull]);
}

#[test]
fn of_a_mirrored_pair_the_last_principal_is_saved_and_the_other_kept_until_then() {
    let principal = mirrored(copy(DatabaseState::Online), MirrorRole::Principal, 4);
    let mirror = mirrored(restoring(off(), 100), MirrorRole::Mirror, 4);
    let as_named = both(seen(principal.clone()), seen(mirror.clone()), &[]);
    let swapped = both(seen(mirror), seen(principal), &[]);
    for (saved, kept, guard) in [
        (as_named.primary.clone(), as_named.mirror.clone().unwrap(), &as_named),
        (swapped.mirror.clone().unwrap(), swapped.primary.clone(), &swapped),
    ] {
        assert_eq!(saved.measures, [PartnerOff, SaveFull]);
        assert_eq!(kept.measures, [PartnerOff, AwaitOther]);
        assert_eq!((saved.then, kept.then), (Then::Overwrite, Then::Overwrite));
        assert!(guard.in_order()[0].saves() && !guard.in_order()[1].saves(), "what saves comes first");
    }
}

#[test]
fn of_two_that_claim_to_be_principal_the_later_one_was_it() {
    let older = mirrored(copy(DatabaseState::Online), MirrorRole::Principal, 4);
    let newer = mirrored(copy(DatabaseState::Online), MirrorRole::Principal, 6);
    let guard = both(seen(older.clone()), seen(newer.clone()), &[]);
    assert_eq!(guard.primary.measures, [PartnerOff, AwaitOther]);
    assert_eq!(guard.mirror.unwrap().measures, [PartnerOff, SaveFull]);
    let guard = both(seen(newer), seen(older.clone()), &[]);
    assert_eq!(guard.primary.measures, [PartnerOff, SaveFull]);
    let guard = both(seen(older.clone()), seen(older), &[]);
    assert!(guard.primary.saves() && guard.mirror.unwrap().saves(), "in doubt both are saved");
}

#[test]
fn a_former_mirror_is_kept_until_the_copy_that_covers_it_is_safe() {
    let online = PresentCopy { stand: stand(200), ..copy(DatabaseState::Online) };
    let guard = both(seen(online), seen(restoring(off(), 150)), &[]);
    assert_eq!(guard.mirror.as_ref().unwrap().measures, [AwaitOther]);
    assert_eq!(guard.mirror.unwrap().found, Found::Covered);
    let guard = both(seen(restoring(Standing::OnHistory, 200)), seen(restoring(off(), 150)), &[]);
    assert_eq!(guard.primary.then, Then::GoOn);
    assert_eq!(guard.mirror.unwrap().found, Found::Covered);
    let closed = both(seen(copy(DatabaseState::Offline)), seen(restoring(off(), 150)), &[]);
    assert_eq!(closed.primary.measures, [SetOnline, SaveFull], "as a fence of ours leaves it");
    assert_eq!(closed.mirror.as_ref().unwrap().measures, [AwaitOther]);
    let unknown = PresentCopy { stand: None, standing: None, ..restoring(off(), 150) };
    let closed = both(seen(copy(DatabaseState::Offline)), seen(unknown), &[]);
    assert_eq!(closed.refusal().unwrap().0.instance, r"PM\RTC", "what has no redo point can be compared with nothing");
    let mut elsewhere = PresentCopy { stand: stand(200), ..copy(DatabaseState::Online) };
    elsewhere.stand.as_mut().unwrap().fork_id = Uuid::from_u128(8);
    let guard = both(seen(elsewhere), seen(restoring(off(), 150)), &[]);
    assert_eq!(guard.refusal().unwrap().0.instance, r"PM\RTC", "another fork covers nothing");
}
