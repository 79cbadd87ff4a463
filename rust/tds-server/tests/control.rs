//! Faults, KILL and the listening socket, as the lab uses them.

mod common;

use std::sync::atomic::Ordering;
use std::time::Duration;

use common::raw::{tokens, Raw};
use common::{start, SOON};
use tds_protocol::token::Token;
use tds_server::{ConnectDecision, ServerConfig, ServerMessage};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

#[tokio::test]
async fn a_killed_session_reads_596_and_is_closed() {
    let (server, fake) = start(ServerConfig::default()).await;
    let mut busy = Raw::log_in(server.local_addr()).await;
    let mut other = Raw::log_in(server.local_addr()).await;
    assert_eq!(server.spids(), [51, 52]);
    busy.batch("wait").await;
    fake.started.notified().await;
    let killed = other.ask("kill 51").await;
    assert!(matches!(&killed[1], Token::Row(row) if row.data[..] == [1, 1]), "{killed:?}");
    let answer = tokens(&busy.message().await.unwrap());
    let [.., Token::Error(error), Token::Done(done)] = answer.as_slice() else { panic!("{answer:?}") };
    assert_eq!((error.number, error.class, done.status.srverror), (596, 21, true));
    assert!(busy.packet().await.is_none());
    fake.wait_closed(1).await;
    assert_eq!(*fake.closed.lock().unwrap(), [51]);
    assert_eq!(fake.dropped.load(Ordering::SeqCst), 1);
    assert!(!server.close_session(77, None));
}

#[tokio::test]
async fn an_idle_session_can_be_closed_without_a_word() {
    let (server, fake) = start(ServerConfig::default()).await;
    let mut raw = Raw::log_in(server.local_addr()).await;
    assert!(server.close_session(51, None));
    assert!(raw.packet().await.is_none());
    fake.wait_closed(1).await;
    timeout(SOON, async {
        while server.session_count() + server.connection_count() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn two_clients_have_sessions_of_their_own_and_ids_are_used_again() {
    let (server, fake) = start(ServerConfig::default()).await;
    let mut first = Raw::log_in(server.local_addr()).await;
    let mut second = Raw::log_in(server.local_addr()).await;
    for (client, times) in [(0, 1), (1, 1), (0, 2)] {
        let raw = if client == 0 { &mut first } else { &mut second };
        let answer = raw.ask("state").await;
        let Token::Row(row) = &answer[1] else { panic!("{answer:?}") };
        assert_eq!(row.data[4..8], i32::to_le_bytes(times));
    }
    drop(first);
    fake.wait_closed(1).await;
    timeout(SOON, async {
        while server.spids() != [52] {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    let _third = Raw::log_in(server.local_addr()).await;
    assert_eq!(server.spids(), [51, 52]);
}

#[tokio::test]
async fn a_client_that_leaves_drops_the_running_handler() {
    let (server, fake) = start(ServerConfig::default()).await;
    let mut raw = Raw::log_in(server.local_addr()).await;
    raw.batch("wait").await;
    fake.started.notified().await;
    drop(raw);
    fake.wait_closed(1).await;
    assert_eq!(fake.dropped.load(Ordering::SeqCst), 1);
    assert!(fake.token.lock().unwrap().as_ref().unwrap().is_cancelled());
}

#[tokio::test]
async fn an_answer_can_end_in_the_middle() {
    let (server, fake) = start(ServerConfig::default()).await;
    for (sql, reset) in [("cut", false), ("abort", true)] {
        let mut raw = Raw::log_in(server.local_addr()).await;
        raw.batch(sql).await;
        let (status, body) = raw.packet().await.unwrap();
        assert_eq!((status & 1, body[0]), (0, 0x81), "the answer has no end");
        let end = timeout(SOON, raw.tcp.read(&mut [0])).await.unwrap();
        assert_eq!(end.is_err(), reset, "{sql}: {end:?}");
    }
    fake.wait_closed(2).await;
}

#[tokio::test]
async fn an_answer_can_be_the_last_one() {
    let (server, fake) = start(ServerConfig::default()).await;
    let mut raw = Raw::log_in(server.local_addr()).await;
    assert_eq!(raw.ask("bye").await.len(), 3);
    assert!(raw.packet().await.is_none());
    fake.wait_closed(1).await;
}

#[tokio::test]
async fn a_panic_ends_one_session_only() {
    let (server, fake) = start(ServerConfig::default()).await;
    let mut other = Raw::log_in(server.local_addr()).await;
    let mut raw = Raw::log_in(server.local_addr()).await;
    let answer = raw.ask("panic").await;
    assert!(matches!(&answer[..], [Token::Error(error), Token::Done(_)] if error.class == 20), "{answer:?}");
    assert!(raw.packet().await.is_none());
    fake.wait_closed(1).await;
    assert_eq!(other.ask("length").await.len(), 3);
}

#[tokio::test]
async fn a_stopped_listener_refuses_and_comes_back_on_its_port() {
    let (server, _fake) = start(ServerConfig::default()).await;
    let mut raw = Raw::log_in(server.local_addr()).await;
    server.stop_listening().await;
    let refused = TcpStream::connect(server.local_addr()).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    assert_eq!(raw.ask("length").await.len(), 3, "sessions go on");
    server.start_listening().await.unwrap();
    server.start_listening().await.unwrap();
    Raw::log_in(server.local_addr()).await;
}

#[tokio::test]
async fn connections_can_be_refused_or_left_without_an_answer() {
    let (server, fake) = start(ServerConfig::default()).await;
    *fake.decision.lock().unwrap() = ConnectDecision::Refuse;
    let mut tcp = TcpStream::connect(server.local_addr()).await.unwrap();
    assert!(tcp.read(&mut [0]).await.is_err());

    *fake.decision.lock().unwrap() = ConnectDecision::Stall;
    let mut stalled = Raw::connect(server.local_addr()).await;
    *fake.decision.lock().unwrap() = ConnectDecision::Accept;
    server.blackhole(true);
    let mut swallowed = Raw::connect(server.local_addr()).await;
    for raw in [&mut stalled, &mut swallowed] {
        raw.send(0x12, 1, &[0xFF]).await;
        assert!(timeout(Duration::from_millis(100), raw.tcp.read(&mut [0])).await.is_err());
    }
    server.blackhole(false);
    Raw::log_in(server.local_addr()).await;
}

#[tokio::test]
async fn a_shutdown_tells_every_session() {
    let (server, fake) = start(ServerConfig::default()).await;
    let address = server.local_addr();
    let mut idle = Raw::log_in(address).await;
    let mut busy = Raw::log_in(address).await;
    busy.batch("wait").await;
    fake.started.notified().await;
    timeout(SOON, server.shutdown()).await.unwrap();
    let mut closed = fake.closed.lock().unwrap().clone();
    closed.sort_unstable();
    assert_eq!(closed, [51, 52]);
    assert!(idle.packet().await.is_none());
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_dropped_handle_closes_everything() {
    let (server, fake) = start(ServerConfig::default()).await;
    let mut raw = Raw::log_in(server.local_addr()).await;
    drop(server);
    assert!(raw.packet().await.is_none());
    fake.wait_closed(1).await;
}

#[tokio::test]
async fn all_sessions_can_be_ended_at_once() {
    let (server, fake) = start(ServerConfig::default()).await;
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(Raw::log_in(server.local_addr()).await);
    }
    server.close_all(Some(ServerMessage::new(6005, 10, "SHUTDOWN is in progress.")));
    for raw in &mut clients {
        let answer = tokens(&raw.message().await.unwrap());
        assert!(matches!(&answer[..], [Token::Error(error), Token::Done(_)] if error.number == 6005), "{answer:?}");
        assert!(raw.packet().await.is_none());
    }
    fake.wait_closed(3).await;
}
