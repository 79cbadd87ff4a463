//! The lock of a run.

use pchat_core::sql::lock;
use pchat_core::ErrorKind;

use crate::server::{instance, Ground};

#[tokio::test]
async fn a_lock_is_taken_checked_and_given_back() {
    let ground = Ground::start().await;
    let connector = ground.connector(|_| {});
    let mut held = lock::acquire(&connector, &instance(), "MGC").await.unwrap();
    assert_eq!(ground.script.sent("@Resource = N'PersistentChatFailover:mgc'"), 1, "the name's true case counts");
    held.check().await.unwrap();
    held.release().await;
    assert_eq!(ground.script.sent("sp_releaseapplock"), 1);
}

#[tokio::test]
async fn a_held_lock_names_its_holder() {
    let ground = Ground::start().await;
    ground.script.state().lock_code = -1;
    let connector = ground.connector(|_| {});
    let error = lock::acquire(&connector, &instance(), "mgc").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Locked);
    for part in ["contoso\\anna", "ADMIN2", "session 77", "2026-03-14 02:03:00"] {
        assert!(error.message.contains(part), "{error}");
    }
}

#[tokio::test]
async fn a_lost_connection_is_a_lost_lock() {
    let ground = Ground::start().await;
    let connector = ground.connector(|_| {});
    let mut held = lock::acquire_all(&connector, &[instance(), instance()], "mgc").await.unwrap();
    assert_eq!(held.len(), 1, "one instance has one lock");
    ground.server.control().close_all(None);
    let error = held[0].check().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::LockLost);
}
