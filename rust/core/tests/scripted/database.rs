//! State, redo point, sessions and the lock-out of a standby copy.

use std::time::Duration;

use pchat_core::host::Cancel;
use pchat_core::sql::database::{self, DatabaseState};
use pchat_core::sql::{connection, Purpose};
use pchat_core::ErrorKind;

use crate::server::{instance, Ground, Next, FAMILY};

#[tokio::test]
async fn the_redo_point_comes_from_the_files_and_history_adds_to_it() {
    let ground = Ground::start().await;
    let connector = ground.connector(|_| {});
    let mut connection = connector.connect(&instance(), Purpose::Catalog).await.unwrap();
    let redo = database::redo_point(&mut connection, "mgc").await.unwrap();
    assert_eq!(redo.lsn.to_string(), "9999000000000000100001");
    assert_eq!((redo.family_id, redo.file_name), (None, None));

    ground.script.state().history = Some(9_999_000_000_000_000_100_001);
    let redo = database::redo_point(&mut connection, "mgc").await.unwrap();
    assert_eq!(redo.family_id, Some(FAMILY));
    assert_eq!(redo.file_name.as_deref(), Some("mgc_20260314021500.trn"));

    ground.script.state().history = Some(5);
    let redo = database::redo_point(&mut connection, "mgc").await.unwrap();
    assert_eq!(
        (redo.lsn.to_string().as_str(), redo.file_name),
        ("9999000000000000100001", None),
        "older history names no file"
    );

    ground.script.state().redo_is_shown = false;
    assert_eq!(database::redo_point(&mut connection, "mgc").await.unwrap().lsn.value(), 5);
    ground.script.state().history = None;
    let error = database::redo_point(&mut connection, "mgc").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::RedoPointUnknown);
}

#[tokio::test]
async fn standby_is_told_apart_from_online() {
    let ground = Ground::start().await;
    let connector = ground.connector(|_| {});
    let mut connection = connector.connect(&instance(), Purpose::Catalog).await.unwrap();
    for (number, standby, wanted) in [
        (0, false, DatabaseState::Online),
        (0, true, DatabaseState::Standby),
        (1, false, DatabaseState::Restoring),
        (4, false, DatabaseState::Suspect),
        (77, false, DatabaseState::Other),
    ] {
        ground.script.state().state_number = number;
        ground.script.state().is_standby = standby;
        assert_eq!(database::need(&mut connection, "mgc").await.unwrap().state, wanted);
    }
}

#[tokio::test]
async fn a_standby_copy_is_closed_after_readers_were_in_the_way() {
    let ground = Ground::start().await;
    {
        let mut state = ground.script.state();
        (state.state_number, state.is_standby) = (0, true);
        state.sessions = vec![(60, 1), (61, 2)];
        state.next.extend([Next::Error(5064), Next::Error(3101), Next::To(1)]);
    }
    let connector = ground.connector(|_| {});
    let done =
        database::end_standby(&connector, &instance(), "mgc", Duration::from_secs(10), &Cancel::new()).await.unwrap();
    assert_eq!((done.already, done.attempts, done.sessions_ended), (false, 3, 2));
    assert_eq!(ground.script.sent("KILL 60"), 1);
    assert_eq!(ground.script.state().state_number, 1);
}

#[tokio::test]
async fn a_lock_out_gives_up_within_its_bound_and_leaves_the_copy_as_it_was() {
    let ground = Ground::start().await;
    {
        let mut state = ground.script.state();
        (state.state_number, state.is_standby) = (0, true);
        state.next.extend(std::iter::repeat_n(Next::Error(3101), 100));
    }
    let connector = ground.connector(|_| {});
    let error = database::end_standby(&connector, &instance(), "mgc", Duration::from_millis(300), &Cancel::new())
        .await
        .unwrap_err();
    assert_eq!((error.kind, error.sql_number()), (ErrorKind::DatabaseInUse, Some(3101)));
    assert!(error.unchanged.contains("still a standby copy"), "{error}");

    let cancel = Cancel::new();
    cancel.cancel();
    let sent = ground.script.sent("SINGLE_USER");
    let error =
        database::end_standby(&connector, &instance(), "mgc", Duration::from_secs(5), &cancel).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Cancelled);
    assert_eq!(ground.script.sent("SINGLE_USER"), sent, "nothing was sent after the cancel");
}

#[tokio::test]
async fn a_session_whose_id_was_reused_is_spared() {
    let ground = Ground::start().await;
    ground.script.state().sessions = vec![(60, 1)];
    let connector = ground.connector(|_| {});
    let mut work = connector.connect(&instance(), Purpose::Catalog).await.unwrap();
    let listed = connection::list(&mut work, "mgc").await.unwrap();
    assert_eq!((listed.len(), listed[0].login.as_str()), (1, "login_name"));
    ground.script.state().sessions = vec![(60, 9)];
    assert!(!connection::kill(&mut work, &listed[0]).await.unwrap());
    assert_eq!(ground.script.sent("KILL"), 0);
}
