//! Clients that send nonsense lose their connection; the server stays.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{BufMut, BytesMut};
use common::raw::{batch_body, put_headers, Raw};
use common::{start, SOON};
use tds_protocol::login7::Login7;
use tds_server::ServerConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

static PANICS: AtomicUsize = AtomicUsize::new(0);

/// tokio keeps a panic inside its task, so it is counted here.
fn watch_for_panics() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        PANICS.fetch_add(1, Ordering::SeqCst);
        hook(info);
    }));
}

fn assert_no_panic() {
    assert_eq!(PANICS.load(Ordering::SeqCst), 0, "a task of the server panicked");
}

/// A small generator, so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self, most: u64) -> Vec<u8> {
        let length = self.next() % most;
        (0..length).map(|_| self.next() as u8).collect()
    }
}

fn packet(kind: u8, body: &[u8]) -> BytesMut {
    let mut packet = BytesMut::new();
    packet.put_slice(&[kind, 1]);
    packet.put_u16(body.len() as u16 + 8);
    packet.put_slice(&[0, 0, 1, 0]);
    packet.put_slice(body);
    packet
}

/// Sends bytes, closes the sending side and reads until the server closes too.
async fn throw(mut raw: Raw, bytes: &[u8]) {
    // The server may be gone before all is written.
    let _ = raw.tcp.write_all(bytes).await;
    let _ = raw.tcp.shutdown().await;
    let mut rest = Vec::new();
    let _ = timeout(SOON, raw.tcp.read_to_end(&mut rest)).await.expect("the server keeps the connection");
}

#[tokio::test]
async fn noise_before_the_login() {
    watch_for_panics();
    let (server, _fake) = start(ServerConfig::default()).await;
    let mut random = Random(0x5EED);
    for round in 0..150 {
        let noise = random.bytes(600);
        let bytes = match round % 3 {
            0 => noise.as_slice().into(),
            1 => packet(0x12, &noise),
            _ => packet(0x10, &noise),
        };
        throw(Raw::connect(server.local_addr()).await, &bytes).await;
    }
    Raw::log_in(server.local_addr()).await;
    assert_no_panic();
}

#[tokio::test]
async fn truncated_and_damaged_logins() {
    watch_for_panics();
    let (server, _fake) = start(ServerConfig::default()).await;
    let login = Login7::new().with_sql_auth("sa", "wrong").with_app_name("raw").encode();
    let prelogin = tds_protocol::prelogin::PreLogin::new()
        .with_encryption(tds_protocol::prelogin::EncryptionLevel::NotSupported)
        .encode();
    let mut random = Random(42);
    for round in 0..120 {
        let mut bytes = packet(0x12, &prelogin);
        let mut damaged = login.to_vec();
        if round % 2 == 0 {
            damaged.truncate(round * damaged.len() / 120);
        } else {
            for _ in 0..4 {
                let at = random.next() as usize % damaged.len();
                damaged[at] = random.next() as u8;
            }
        }
        bytes.put_slice(&packet(0x10, &damaged));
        throw(Raw::connect(server.local_addr()).await, &bytes).await;
    }
    Raw::log_in(server.local_addr()).await;
    assert_no_panic();
}

#[tokio::test]
async fn noise_after_the_login() {
    watch_for_panics();
    let (server, fake) = start(ServerConfig::default()).await;
    let mut random = Random(7);
    let mut sessions = 0;
    for kind in [0x01, 0x03, 0x06, 0x07, 0x0E, 0x0E, 0x10, 0x12, 0x99] {
        for _ in 0..8 {
            let mut body = BytesMut::new();
            put_headers(&mut body);
            body.put_slice(&random.bytes(300));
            let raw = Raw::log_in(server.local_addr()).await;
            throw(raw, &packet(kind, &body)).await;
            sessions += 1;
        }
    }
    let mut raw = Raw::log_in(server.local_addr()).await;
    raw.tcp.write_all(&[0x01, 0x01, 0x00, 0x07, 0, 0, 1, 0]).await.unwrap();
    assert!(raw.packet().await.is_none(), "a packet shorter than its header");
    let mut raw = Raw::log_in(server.local_addr()).await;
    raw.send(0x01, 0, &batch_body("length")).await;
    raw.send(0x03, 1, &batch_body("length")).await;
    assert!(raw.packet().await.is_none(), "a message of two types");
    fake.wait_closed(sessions + 2).await;
    assert_no_panic();
}

#[tokio::test]
async fn calls_cut_at_every_byte() {
    watch_for_panics();
    use tds_protocol::rpc::{RpcParam, RpcRequest};
    let (server, fake) = start(ServerConfig::default()).await;
    let params = vec![
        RpcParam::int("@a", 1),
        RpcParam::nvarchar("@b", "text"),
        RpcParam::null("@c", tds_protocol::rpc::TypeInfo::decimal(25, 0)),
    ];
    let call = RpcRequest::execute_sql("SELECT @a, @b, @c", params).encode();
    let whole = Raw::log_in(server.local_addr()).await;
    throw(whole, &packet(0x03, &call)).await;
    for end in 0..call.len() {
        throw(Raw::log_in(server.local_addr()).await, &packet(0x03, &call[..end])).await;
    }
    fake.wait_closed(call.len() + 1).await;
    assert_no_panic();
}
