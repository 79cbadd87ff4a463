//! The browser service over UDP.

use std::net::SocketAddr;
use std::time::Duration;

use tds_server::browser::{serve, BrowserHandle, InstanceEntry};
use tokio::net::UdpSocket;
use tokio::time::timeout;

const RTC: &str = "ServerName;SQL01;InstanceName;RTC;IsClustered;No;Version;10.50.6000.34;tcp;49321;\
                   np;\\\\SQL01\\pipe\\MSSQL$RTC\\sql\\query;;";

async fn browser() -> BrowserHandle {
    let mut rtc = InstanceEntry::new("SQL01", "RTC", "10.50.6000.34", 49321);
    rtc.dac_port = Some(0x1234);
    let mgc = InstanceEntry::new("SQL01", "MGC", "12.0.6024.0", 50000);
    serve(SocketAddr::from(([127, 0, 0, 1], 0)), vec![rtc, mgc]).await.unwrap()
}

/// The reply; a busy machine may take its time.
async fn ask(browser: &BrowserHandle, request: &[u8]) -> Option<Vec<u8>> {
    asked(browser, request, Duration::from_secs(20)).await
}

/// True for silence.
async fn silent(browser: &BrowserHandle, request: &[u8]) -> bool {
    asked(browser, request, Duration::from_millis(300)).await.is_none()
}

/// The reply, or `None` for silence.
async fn asked(browser: &BrowserHandle, request: &[u8], limit: Duration) -> Option<Vec<u8>> {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.send_to(request, browser.local_addr()).await.unwrap();
    let mut reply = vec![0; 4096];
    let length = timeout(limit, socket.recv(&mut reply)).await.ok()?.unwrap();
    reply.truncate(length);
    Some(reply)
}

#[tokio::test]
async fn an_instance_is_found_whatever_the_case_and_the_terminator() {
    let browser = browser().await;
    for request in [&b"\x04RTC\0"[..], b"\x04rtc"] {
        let reply = ask(&browser, request).await.unwrap();
        let size = usize::from(u16::from_le_bytes([reply[1], reply[2]]));
        assert_eq!((reply[0], size), (0x05, RTC.len()));
        assert_eq!(String::from_utf8_lossy(&reply[3..]), RTC);
    }
}

#[tokio::test]
async fn all_instances_are_listed() {
    let browser = browser().await;
    for request in [b"\x02", b"\x03"] {
        let reply = ask(&browser, request).await.unwrap();
        let text = String::from_utf8_lossy(&reply[3..]).into_owned();
        assert!(text.starts_with(RTC) && text.contains("InstanceName;MGC;"), "{text}");
    }
}

#[tokio::test]
async fn the_administrator_port_is_told() {
    let browser = browser().await;
    assert_eq!(ask(&browser, b"\x0F\x01RTC\0").await.unwrap(), [5, 6, 0, 1, 0x34, 0x12]);
}

#[tokio::test]
async fn what_is_unknown_is_met_with_silence() {
    let browser = browser().await;
    let (unknown, no_port, empty, noise) = tokio::join!(
        silent(&browser, b"\x04NONE\0"),
        silent(&browser, b"\x0F\x01MGC\0"),
        silent(&browser, b""),
        silent(&browser, &[0xEE; 600]),
    );
    assert_eq!((unknown, no_port, empty, noise), (true, true, true, true));
    browser.silent(true);
    assert!(silent(&browser, b"\x04RTC\0").await);
    browser.silent(false);
    assert!(ask(&browser, b"\x04RTC\0").await.is_some());
    browser.set_instances(Vec::new());
    assert!(silent(&browser, b"\x02").await);
}
