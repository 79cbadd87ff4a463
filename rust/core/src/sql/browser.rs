//! Asking the browser service for the port of a named instance.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::{timeout_at, Instant};

use crate::error::{Error, ErrorKind, Result};
use crate::names::InstanceName;

/// The port of the browser service.
pub(super) const BROWSER_PORT: u16 = 1434;

/// How long one datagram may stay unanswered before it is sent again; either way can lose one.
const RETRY: Duration = Duration::from_millis(700);

/// The TCP port of a named instance on a host.
///
/// # Errors
/// `InstanceNotFound` (2004): the service stays silent when it does not run, is behind a firewall, or does not know the
/// instance, and these cannot be told apart.
///
/// # Source
/// MC-SQLR 2.2.3 and 2.2.5: CLNT_UCAST_INST (0x04, name, NUL), SVR_RESP (0x05, size, text).
pub(super) async fn port_of(name: &InstanceName, host: IpAddr, limit: Duration) -> Result<u16> {
    let wanted = name.instance.as_deref().unwrap_or_default();
    ask(wanted, SocketAddr::new(host, BROWSER_PORT), limit).await.map_err(|why| {
        Error::new(ErrorKind::InstanceNotFound, format!("{name}: the port of the instance is not known: {why}."))
            .with_unchanged("Nothing was changed.")
            .with_next(format!(
                "Check the name and that the SQL Server Browser runs and UDP {BROWSER_PORT} is open, or give the port: `{},port`, or `-AddressMap` with `address:port`.",
                name.host
            ))
            .with_target(name.to_string())
    })
}

async fn ask(instance: &str, browser: SocketAddr, limit: Duration) -> std::result::Result<u16, String> {
    let local = match browser.ip() {
        IpAddr::V4(_) => SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0),
        IpAddr::V6(_) => SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), 0),
    };
    let socket = UdpSocket::bind(local).await.map_err(|e| format!("no local UDP socket ({e})"))?;
    socket.connect(browser).await.map_err(|e| format!("{browser} cannot be addressed ({e})"))?;
    let request = [&[0x04], instance.as_bytes(), &[0]].concat();
    let end = Instant::now() + limit;
    let mut answer = vec![0u8; 65_535];
    let mut why = format!("the browser service at {browser} did not answer");
    while Instant::now() < end {
        // A refused port shows up as an error of the next call; the service may be starting, so the limit decides.
        if let Err(e) = socket.send(&request).await {
            why = format!("the browser service at {browser} cannot be reached ({e})");
        }
        let patience = end.min(Instant::now() + RETRY);
        match timeout_at(patience, socket.recv(&mut answer)).await {
            Ok(Ok(size)) => return parse(&answer[..size], instance),
            Ok(Err(e)) => {
                why = format!("the browser service at {browser} cannot be reached ({e})");
                tokio::time::sleep_until(patience).await;
            }
            Err(_) => {}
        }
    }
    Err(why)
}

/// Reads `ServerName;B;InstanceName;RTC;…;tcp;49321;;`.
fn parse(answer: &[u8], instance: &str) -> std::result::Result<u16, String> {
    let text = match answer {
        [0x05, _, _, text @ ..] => String::from_utf8_lossy(text).into_owned(),
        _ => return Err("the browser service answered in an unknown form".to_string()),
    };
    for entry in text.split(";;") {
        let fields: Vec<&str> = entry.split(';').collect();
        let value = |key: &str| {
            fields.chunks(2).find(|pair| pair[0].eq_ignore_ascii_case(key)).and_then(|pair| pair.get(1).copied())
        };
        if !value("InstanceName").is_some_and(|name| name.eq_ignore_ascii_case(instance)) {
            continue;
        }
        return match value("tcp").map(str::parse) {
            Some(Ok(port)) if port != 0 => Ok(port),
            _ => Err("the instance does not listen on TCP".to_string()),
        };
    }
    Err("the browser service answered for another instance".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str) -> Vec<u8> {
        [&[0x05, text.len() as u8, 0], text.as_bytes()].concat()
    }

    #[test]
    fn the_port_is_read_from_its_own_field() {
        let text = "ServerName;tcp;InstanceName;RTC;IsClustered;No;Version;10.50.6000.34;tcp;49321;np;\\\\B\\pipe\\MSSQL$RTC\\sql\\query;;";
        assert_eq!(parse(&answer(text), "rtc"), Ok(49321));
        let two = "ServerName;B;InstanceName;X;tcp;1;;ServerName;B;InstanceName;RTC;tcp;2;;";
        assert_eq!(parse(&answer(two), "RTC"), Ok(2));
    }

    #[test]
    fn an_answer_without_the_port_is_an_error() {
        for bytes in [
            vec![],
            vec![5],
            vec![5, 0, 0],
            answer("InstanceName;RTC;np;x;;"),
            answer("InstanceName;OTHER;tcp;1;;"),
            answer("InstanceName;RTC;tcp;99999;;"),
        ] {
            assert!(parse(&bytes, "RTC").is_err(), "{bytes:?}");
        }
    }

    #[tokio::test]
    async fn a_lost_datagram_is_sent_again() {
        let service = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = service.local_addr().unwrap();
        let task = tokio::spawn(async move {
            let mut buffer = [0u8; 64];
            service.recv_from(&mut buffer).await.unwrap();
            let (size, client) = service.recv_from(&mut buffer).await.unwrap();
            assert_eq!(&buffer[..size], b"\x04RTC\0");
            service.send_to(&answer("ServerName;B;InstanceName;RTC;tcp;7;;"), client).await.unwrap();
        });
        assert_eq!(ask("RTC", address, Duration::from_secs(20)).await, Ok(7));
        task.await.unwrap();
    }

    #[tokio::test]
    async fn silence_ends_within_the_limit() {
        let service = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let begun = Instant::now();
        let why = ask("RTC", service.local_addr().unwrap(), Duration::from_millis(200)).await.unwrap_err();
        assert!(why.contains("did not answer"), "{why}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }
}
