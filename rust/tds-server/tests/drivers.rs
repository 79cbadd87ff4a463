//! Other people's clients: tiberius and tds-driver, in every encryption mode they have.
#![cfg(not(windows))]

mod common;

use std::sync::Arc;

use common::{start, LSN};
use tds_server::{Encryption, ServerConfig, TlsIdentity};
use tiberius::time::chrono::{NaiveDate, NaiveDateTime};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt};

type Tiberius = tiberius::Client<Compat<TcpStream>>;

fn with_tls(encryption: Encryption) -> ServerConfig {
    let identity = TlsIdentity::self_signed(&["localhost", "127.0.0.1"]).unwrap();
    ServerConfig { encryption, tls: Some(Arc::new(identity)), ..ServerConfig::default() }
}

async fn tiberius(port: u16, encryption: tiberius::EncryptionLevel) -> tiberius::Result<Tiberius> {
    connect_tiberius(port, encryption, "secret", None).await
}

async fn connect_tiberius(
    port: u16,
    encryption: tiberius::EncryptionLevel,
    password: &str,
    database: Option<&str>,
) -> tiberius::Result<Tiberius> {
    let mut config = tiberius::Config::new();
    config.host("localhost");
    config.port(port);
    config.authentication(tiberius::AuthMethod::sql_server("sa", password));
    config.application_name("tds-server tests");
    config.encryption(encryption);
    config.trust_cert();
    if let Some(database) = database {
        config.database(database);
    }
    let tcp = TcpStream::connect(("127.0.0.1", port)).await?;
    tcp.set_nodelay(true)?;
    tiberius::Client::connect(config, tcp.compat_write()).await
}

async fn tds_driver(
    port: u16,
    encryption: tds_driver::EncryptionLevel,
) -> tds_driver::Result<tds_driver::Client<Compat<TcpStream>>> {
    let mut config = tds_driver::Config::new();
    config.host("localhost");
    config.port(port);
    config.authentication(tds_driver::AuthMethod::sql_server("sa", "secret"));
    config.encryption(encryption);
    config.trust_cert();
    let tcp = TcpStream::connect(("127.0.0.1", port)).await?;
    tds_driver::Client::connect(config, tcp.compat_write()).await
}

/// What the server saw: whether the whole connection is encrypted. `None` if the client gave up.
async fn tiberius_meets(config: ServerConfig, encryption: tiberius::EncryptionLevel) -> Option<bool> {
    let (server, fake) = start(config).await;
    let mut client = tiberius(server.local_addr().port(), encryption).await.ok()?;
    let row = client.simple_query("length").await.unwrap().into_row().await.unwrap().unwrap();
    assert_eq!(row.get::<i32, _>(0), Some(6));
    let encrypted = fake.logins.lock().unwrap()[0].encrypted;
    Some(encrypted)
}

async fn tds_driver_meets(config: ServerConfig, encryption: tds_driver::EncryptionLevel) -> Option<bool> {
    let (server, fake) = start(config).await;
    let mut client = tds_driver(server.local_addr().port(), encryption).await.ok()?;
    let row = client.simple_query("length").await.unwrap().into_row().await.unwrap().unwrap();
    assert_eq!(row.get::<i32, _>(0), Some(6));
    let encrypted = fake.logins.lock().unwrap()[0].encrypted;
    Some(encrypted)
}

macro_rules! encryption_table {
    ($($name:ident: $meets:ident $driver:ident $client:ident, $none:expr, $off:expr, $forced:expr;)*) => {$(
        #[tokio::test]
        async fn $name() {
            let client = $driver::EncryptionLevel::$client;
            assert_eq!($meets(ServerConfig::default(), client).await, $none, "server without TLS");
            assert_eq!($meets(with_tls(Encryption::Off), client).await, $off, "server that leaves the choice");
            assert_eq!($meets(with_tls(Encryption::Forced), client).await, $forced, "server that forces encryption");
        }
    )*};
}

encryption_table! {
    tiberius_without_tls: tiberius_meets tiberius NotSupported, Some(false), Some(false), Some(true);
    tiberius_with_tls_for_the_login: tiberius_meets tiberius Off, None, Some(false), Some(true);
    tiberius_with_tls: tiberius_meets tiberius On, None, Some(true), Some(true);
    tiberius_with_required_tls: tiberius_meets tiberius Required, None, Some(true), Some(true);
    tiberius_strict: tiberius_meets tiberius Strict, None, Some(true), Some(true);
    tds_driver_without_tls: tds_driver_meets tds_driver NotSupported, Some(false), Some(false), None;
    tds_driver_with_tls_for_the_login: tds_driver_meets tds_driver Off, None, Some(false), Some(true);
    tds_driver_with_tls: tds_driver_meets tds_driver On, None, Some(true), Some(true);
    tds_driver_with_required_tls: tds_driver_meets tds_driver Required, None, Some(true), Some(true);
}

#[tokio::test]
async fn a_client_that_verifies_accepts_the_certificate_it_was_given() {
    let identity = Arc::new(TlsIdentity::self_signed(&["localhost"]).unwrap());
    assert_eq!((identity.thumbprint_sha1().len(), identity.thumbprint_sha256().len()), (40, 64));
    let tls = Some(Arc::clone(&identity));
    let (server, _fake) = start(ServerConfig { encryption: Encryption::Forced, tls, ..ServerConfig::default() }).await;
    let port = server.local_addr().port();
    let mut config = tiberius::Config::new();
    config.host("localhost");
    config.authentication(tiberius::AuthMethod::sql_server("sa", "secret"));
    config.trust_cert_ca_bundle(identity.certificate_pem());
    let tcp = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    tiberius::Client::connect(config, tcp.compat_write()).await.unwrap();
}

#[tokio::test]
async fn tiberius_reads_every_type_and_its_null() {
    use tiberius::numeric::Numeric;
    let (server, _fake) = start(ServerConfig::default()).await;
    let mut client = tiberius(server.local_addr().port(), tiberius::EncryptionLevel::NotSupported).await.unwrap();
    let rows = client.simple_query("typed").await.unwrap().into_first_result().await.unwrap();
    let row = &rows[0];
    assert_eq!(row.get::<u8, _>(0), Some(200));
    assert_eq!(row.get::<i16, _>(1), Some(-2));
    assert_eq!(row.get::<i32, _>(2), Some(-70_000));
    assert_eq!(row.get::<i64, _>(3), Some(i64::MIN));
    assert_eq!(row.get::<bool, _>(4), Some(true));
    assert_eq!(row.get::<Numeric, _>(5).map(|n| n.value()), Some(LSN));
    assert_eq!(row.get::<Numeric, _>(6), Some(Numeric::new_with_scale(-12345, 2)));
    assert_eq!(row.get::<f32, _>(7), Some(1.5));
    assert_eq!(row.get::<f64, _>(8), Some(-2.25));
    let datetime = row.get::<NaiveDateTime, _>(9).unwrap();
    assert!(datetime.to_string().starts_with("2026-03-14 02:15:59.12"), "{datetime}");
    let datetime2 = row.get::<NaiveDateTime, _>(10).unwrap();
    assert_eq!(datetime2.to_string(), "2026-03-14 02:15:59.123");
    let date = row.get::<NaiveDate, _>(11).unwrap();
    assert_eq!(date.to_string(), "2026-02-28");
    let guid = row.get::<uuid::Uuid, _>(12).unwrap();
    assert_eq!(guid.to_string(), "00112233-4455-6677-8899-aabbccddeeff");
    for (column, text) in [(13, "Grüße 😀"), (14, "max"), (15, "ab   "), (16, "café €"), (17, "x  ")] {
        assert_eq!(row.get::<&str, _>(column), Some(text));
    }
    assert_eq!(row.get::<&[u8], _>(18), Some(&[1, 2, 255][..]));
    assert_eq!(row.get::<&[u8], _>(19).map(<[u8]>::len), Some(9000));
    assert_eq!(row.get::<&[u8], _>(20), Some(&[7, 0, 0, 0][..]));
    assert_eq!(row.get::<&str, _>(21), Some("10.50.6000.34"));
    assert_eq!(row.get::<i32, _>(22), Some(1));
    assert!(rows[1].cells().all(|(_, data)| format!("{data:?}").ends_with("(None)")), "{:?}", rows[1]);
}

#[tokio::test]
async fn tiberius_keeps_the_first_error_and_tds_driver_all_of_them() {
    let (server, _fake) = start(ServerConfig::default()).await;
    let port = server.local_addr().port();
    let mut client = tiberius(port, tiberius::EncryptionLevel::NotSupported).await.unwrap();
    let error = match client.simple_query("errors").await {
        Ok(stream) => stream.into_results().await.unwrap_err(),
        Err(error) => error,
    };
    assert_eq!(error.code(), Some(4305));
    let row = client.simple_query("length").await.unwrap().into_row().await.unwrap();
    assert!(row.is_some(), "the session goes on");

    let mut client = tds_driver(port, tds_driver::EncryptionLevel::NotSupported).await.unwrap();
    let error = match client.simple_query("errors").await {
        Ok(stream) => stream.into_results().await.unwrap_err(),
        Err(error) => error,
    };
    let shown = format!("{error:?}");
    assert!(shown.contains("4305") && shown.contains("3013"), "{shown}");
}

#[tokio::test]
async fn refused_logins_reach_the_user() {
    let (server, _fake) = start(with_tls(Encryption::Off)).await;
    let port = server.local_addr().port();
    for encryption in [tiberius::EncryptionLevel::Off, tiberius::EncryptionLevel::On] {
        let error = connect_tiberius(port, encryption, "wrong", None).await.unwrap_err();
        assert_eq!(error.code(), Some(18456), "{error:?}");
        let error = connect_tiberius(port, encryption, "secret", Some("mgc")).await.unwrap_err();
        assert_eq!(error.code(), Some(4060), "{error:?}");
    }
}

#[tokio::test]
async fn parameters_reach_the_handler_by_name() {
    let (server, _fake) = start(ServerConfig::default()).await;
    let mut client = tiberius(server.local_addr().port(), tiberius::EncryptionLevel::NotSupported).await.unwrap();
    let nothing: Option<&str> = None;
    let lsn = tiberius::numeric::Numeric::new_with_scale(LSN, 0);
    let long = "y".repeat(10_000);
    let rows = client
        .query("SELECT it", &[&1i32, &"text", &nothing, &lsn, &true, &2.5f64, &&[1u8, 2][..], &long.as_str()])
        .await
        .unwrap()
        .into_first_result()
        .await
        .unwrap();
    let seen: Vec<(&str, &str, &str)> =
        rows.iter().take(7).map(|row| (row.get(1).unwrap(), row.get(2).unwrap(), row.get(3).unwrap())).collect();
    assert!(rows.iter().all(|row| row.get::<&str, _>(0) == Some("SELECT it")));
    assert_eq!(seen[0], ("@P1", "int", "Int(1)"));
    assert_eq!(seen[1], ("@P2", "nvarchar", "String(\"text\")"));
    assert_eq!((seen[2].0, seen[2].2), ("@P3", "Null"));
    assert_eq!(seen[3].2, format!("Numeric(Numeric {{ value: {LSN}, scale: 0 }})"));
    assert_eq!(seen[4].2, "Bit(true)");
    assert_eq!(seen[5].2, "Float(2.5)");
    assert_eq!(seen[6].2, "Binary([1, 2])");
}

#[tokio::test]
async fn large_answers_arrive_whole_in_every_mode() {
    let (server, _fake) = start(with_tls(Encryption::Off)).await;
    let port = server.local_addr().port();
    use tiberius::EncryptionLevel::{NotSupported, Off, On, Strict};
    for encryption in [NotSupported, Off, On, Strict] {
        let mut client = tiberius(port, encryption).await.unwrap();
        let rows = client.simple_query("rows 3000").await.unwrap().into_first_result().await.unwrap();
        assert_eq!(rows.len(), 3000);
        assert_eq!(rows[2999].get::<i32, _>(0), Some(2999));
        let row = client.simple_query("text").await.unwrap().into_row().await.unwrap().unwrap();
        assert_eq!(row.get::<&str, _>(0).map(|text| text.chars().count()), Some(80_000));
        let sql = format!("length {}", "z".repeat(200_000));
        let row = client.simple_query(sql).await.unwrap().into_row().await.unwrap().unwrap();
        assert_eq!(row.get::<i32, _>(0), Some(200_007));
    }
}

#[tokio::test]
async fn tds_driver_cancels_and_uses_the_connection_again() {
    for encryption in [tds_driver::EncryptionLevel::NotSupported, tds_driver::EncryptionLevel::On] {
        let (server, fake) = start(with_tls(Encryption::Off)).await;
        let mut client = tds_driver(server.local_addr().port(), encryption).await.unwrap();
        for _ in 0..3 {
            {
                let stream = client.simple_query("wait").await.unwrap();
                fake.started.notified().await;
                drop(stream);
            }
            client.cancel_query().await.unwrap();
            let row = client.simple_query("length").await.unwrap().into_row().await.unwrap().unwrap();
            assert_eq!(row.get::<i32, _>(0), Some(6));
        }
    }
}

#[tokio::test]
async fn tds_driver_begins_and_commits_transactions() {
    let (server, _fake) = start(ServerConfig::default()).await;
    let mut client = tds_driver(server.local_addr().port(), tds_driver::EncryptionLevel::NotSupported).await.unwrap();
    client.begin_transaction().await.unwrap();
    assert!(client.in_transaction());
    client.commit_transaction().await.unwrap();
    assert!(!client.in_transaction());
}
