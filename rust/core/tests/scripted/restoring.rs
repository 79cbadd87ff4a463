//! Restores are settled by the redo point, not by what a call answered.

use std::time::Duration;

use pchat_core::log_chain::{gate, Listing, Place, PlaceId, PlaceState, RedoPoint};
use pchat_core::names::{Lsn, ServerPath};
use pchat_core::sql::database::{self, Recovered};
use pchat_core::sql::restore::{LogRestore, Restorer};
use pchat_core::ErrorKind;

use crate::server::{instance, Ground, Next, FORK};

const BEFORE: u128 = 9_999_000_000_000_000_100_001;
const AFTER: u128 = 9_999_000_000_000_000_200_001;

fn log() -> LogRestore {
    LogRestore {
        database: "mgc".into(),
        paths: vec![ServerPath::new("E:\\LSCopy\\mgc_20260314021500.trn")],
        position: 1,
        last_lsn: Lsn::new(AFTER).unwrap(),
    }
}

async fn restored(script: &[Next]) -> (pchat_core::Result<(u128, bool)>, Ground) {
    let ground = Ground::start().await;
    ground.script.state().next.extend(script.iter().cloned());
    let connector = ground.connector(|_| {});
    let answer = Restorer::new(&connector, &instance()).log(&log(), &mut |_| {}).await;
    (answer.map(|done| (done.redo_after.value(), done.already)), ground)
}

#[tokio::test]
async fn a_log_backup_is_restored_once() {
    let (answer, ground) = restored(&[Next::To(AFTER)]).await;
    assert_eq!(answer.unwrap(), (AFTER, false));
    assert_eq!(
        ground
            .script
            .sent("RESTORE LOG [mgc] FROM DISK = N'E:\\LSCopy\\mgc_20260314021500.trn' WITH FILE = 1, NORECOVERY"),
        1
    );
}

#[tokio::test]
async fn what_is_past_is_not_sent() {
    let ground = Ground::start().await;
    ground.script.state().redo = AFTER;
    let connector = ground.connector(|_| {});
    let done = Restorer::new(&connector, &instance()).log(&log(), &mut |_| {}).await.unwrap();
    assert!(done.already);
    assert_eq!(ground.script.sent("RESTORE LOG"), 0);
}

#[tokio::test]
async fn a_restore_that_was_cut_off_is_repeated_with_the_same_file() {
    let (answer, ground) = restored(&[Next::Error(4319), Next::Error(1222), Next::To(AFTER)]).await;
    assert_eq!(answer.unwrap(), (AFTER, false));
    assert_eq!(ground.script.sent("RESTORE LOG"), 3);
}

#[tokio::test]
async fn an_error_after_the_fact_is_no_failure() {
    let (answer, ground) = restored(&[Next::Lost(Some(AFTER))]).await;
    assert_eq!(answer.unwrap(), (AFTER, false));
    assert_eq!(ground.script.sent("RESTORE LOG"), 1, "it was not repeated");
}

#[tokio::test]
async fn a_lost_restore_that_did_nothing_is_sent_again() {
    let (answer, ground) = restored(&[Next::Lost(None), Next::To(AFTER)]).await;
    assert_eq!(answer.unwrap(), (AFTER, false));
    assert_eq!(ground.script.sent("RESTORE LOG"), 2);
}

#[tokio::test]
async fn refusals_keep_their_meaning_and_are_not_repeated() {
    for (number, kind) in [
        (3101, ErrorKind::DatabaseInUse),
        (4305, ErrorKind::LogBackupMissing),
        (4330, ErrorKind::RecoveryPathDiffers),
        (3241, ErrorKind::LogBackupDamaged),
        (3110, ErrorKind::PermissionMissing),
    ] {
        let (answer, ground) = restored(&[Next::Error(number)]).await;
        let error = answer.unwrap_err();
        assert_eq!((error.kind, error.sql_number()), (kind, Some(number)), "{error}");
        assert!(error.unchanged.contains(&BEFORE.to_string()), "{error}");
        assert_eq!(ground.script.sent("RESTORE LOG"), 1, "{number}");
    }
}

#[tokio::test]
async fn success_without_a_moved_redo_point_is_not_believed() {
    let (answer, _ground) = restored(&[Next::To(BEFORE)]).await;
    assert_eq!(answer.unwrap_err().kind, ErrorKind::StepNotVerified);
}

#[tokio::test]
async fn a_slow_restore_shows_progress_and_outlives_a_dropped_future() {
    let ground = Ground::start().await;
    ground.script.state().next.push_back(Next::Slow(Duration::from_millis(2500), AFTER));
    let connector = ground.connector(|_| {});
    let (told, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let mut restorer = Restorer::new(&connector, &instance());
    let mut note = |progress: pchat_core::sql::restore::RestoreProgress| {
        let _ = told.send((progress.percent, progress.seconds_remaining));
    };
    let log = log();
    let first = tokio::select! {
        ended = restorer.log(&log, &mut note) => panic!("it ended first: {ended:?}"),
        first = seen.recv() => first,
    };
    drop(restorer);
    assert_eq!(first, Some((37.5, Some(8))));
    for _ in 0..1000 {
        if ground.script.state().redo == AFTER {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the restore was cut off");
}

fn permit(ground: &Ground) -> gate::RecoveryPermit {
    let redo = RedoPoint::new(Lsn::new(ground.script.state().redo).unwrap(), FORK);
    let share = Place { id: PlaceId::SHARE, path: ServerPath::new("\\\\fs1\\LogShip"), state: PlaceState::Listed };
    let listing = Listing { places: vec![share], ..Listing::default() };
    gate::open("B\\RTC", "mgc", &redo, &listing, None).unwrap()
}

#[tokio::test]
async fn recovery_ends_with_an_online_database_whatever_was_answered() {
    for next in [Next::To(BEFORE), Next::Lost(Some(BEFORE))] {
        let ground = Ground::start().await;
        ground.script.state().next.push_back(next);
        let connector = ground.connector(|_| {});
        let permit = permit(&ground);
        let done = database::recover(&connector, &instance(), permit, &mut |_| {}).await.unwrap();
        assert_eq!(done, Recovered::Now);
        assert_eq!(ground.script.sent("RESTORE DATABASE [mgc] WITH RECOVERY"), 1);
    }
}

#[tokio::test]
async fn a_permit_for_another_redo_point_or_instance_recovers_nothing() {
    let ground = Ground::start().await;
    let connector = ground.connector(|settings| {
        let address = settings.address_map[0].address.clone();
        settings.address_map.push(pchat_core::document::AddressMapEntry { name: "C".into(), address });
    });
    let permit_before = permit(&ground);
    ground.script.state().redo = AFTER;
    let error = database::recover(&connector, &instance(), permit_before, &mut |_| {}).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::PlanOutdated, "{error}");
    let error = database::recover(&connector, &"C".parse().unwrap(), permit(&ground), &mut |_| {}).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::PlanOutdated, "{error}");
    assert_eq!(ground.script.sent("WITH RECOVERY"), 0);
}

#[tokio::test]
async fn an_online_database_is_not_recovered_again_and_a_standby_copy_not_with_readers() {
    let ground = Ground::start().await;
    let connector = ground.connector(|_| {});
    ground.script.state().state_number = 0;
    let done = database::recover(&connector, &instance(), permit(&ground), &mut |_| {}).await.unwrap();
    assert_eq!(done, Recovered::Already);
    ground.script.state().is_standby = true;
    let error = database::recover(&connector, &instance(), permit(&ground), &mut |_| {}).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::DatabaseInUse, "{error}");
    assert_eq!(ground.script.sent("WITH RECOVERY"), 0);
}
