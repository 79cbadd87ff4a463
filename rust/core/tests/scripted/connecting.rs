//! Ways in which a connection fails, each with its own error.

use std::time::{Duration, Instant};

use pchat_core::document::{AddressMapEntry, Encrypt};
use pchat_core::sql::{database, probe_endpoint, ProbeOutcome, Purpose, Secret, Silence};
use pchat_core::ErrorKind;

use crate::server::{instance, Ground};

const LIMIT: Duration = Duration::from_secs(5);

#[tokio::test]
async fn every_encryption_setting_logs_in() {
    let ground = Ground::start().await;
    for encrypt in [Encrypt::Mandatory, Encrypt::Optional, Encrypt::Strict] {
        let connector = ground.connector(|settings| settings.encrypt = encrypt);
        let connection = connector.connect(&instance(), Purpose::Catalog).await.unwrap();
        assert!(connection.spid() > 0, "{encrypt:?}");
        connection.close().await;
    }
}

#[tokio::test]
async fn an_untrusted_certificate_is_named_with_the_parameter_to_add() {
    let ground = Ground::start().await;
    for encrypt in [Encrypt::Mandatory, Encrypt::Optional] {
        let connector = ground.connector(|settings| {
            settings.encrypt = encrypt;
            settings.trust_server_certificate = false;
        });
        let error = connector.connect(&instance(), Purpose::Catalog).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::CertificateNotTrusted, "{error}");
        assert!(error.message.contains(&ground.identity.thumbprint_sha1().to_uppercase()), "{error}");
        assert!(error.next.contains("-TrustServerCertificate"), "{error}");
        let outcome = probe_endpoint(&connector, &instance(), LIMIT).await;
        assert!(matches!(outcome, ProbeOutcome::Answered(_)), "an instance with a certificate is alive: {outcome:?}");
    }
    assert_eq!(ground.script.state().logins, 0, "no password was sent");
}

#[tokio::test]
async fn a_wrong_password_is_a_refused_login_and_never_shown() {
    let ground = Ground::start().await;
    let connector = ground.connector(|_| {});
    connector.add_login(Some(instance()), "sa", Secret::new("hunter2"));
    let error = connector.connect(&instance(), Purpose::Catalog).await.unwrap_err();
    assert_eq!((error.kind, error.sql_number()), (ErrorKind::LoginFailed, Some(18456)));
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    assert!(matches!(probe_endpoint(&connector, &instance(), LIMIT).await, ProbeOutcome::LoginRefused(_)));
}

#[tokio::test]
async fn without_a_login_nothing_is_sent() {
    let ground = Ground::start().await;
    let settings = pchat_core::document::SessionSettings {
        version: 1,
        encrypt: Encrypt::Mandatory,
        trust_server_certificate: true,
        connect_timeout_seconds: 5,
        address_map: vec![AddressMapEntry { name: "B\\RTC".into(), address: ground.server.local_addr().to_string() }],
    };
    let connector = pchat_core::sql::Connector::new(&settings).unwrap();
    let error = connector.connect(&instance(), Purpose::Catalog).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidValue);
    assert!(error.message.contains("a SQL login is needed on this platform: -SqlCredential"), "{error}");
    assert!(matches!(probe_endpoint(&connector, &instance(), LIMIT).await, ProbeOutcome::NotTried(_)));
}

#[tokio::test]
async fn a_probe_tells_alive_refused_and_silent_apart() {
    let ground = Ground::start().await;
    let connector = ground.connector(|_| {});
    assert!(matches!(probe_endpoint(&connector, &instance(), LIMIT).await, ProbeOutcome::Alive));

    ground.script.state().stalled = true;
    let begun = Instant::now();
    let outcome = probe_endpoint(&connector, &instance(), Duration::from_millis(300)).await;
    assert!(
        matches!(outcome, ProbeOutcome::Unreachable { why: Silence::NoConnection | Silence::NoLogin, .. }),
        "{outcome:?}"
    );
    assert!(begun.elapsed() < LIMIT, "the limit of the call counts, {:?}", begun.elapsed());

    ground.server.stop_listening().await;
    let outcome = probe_endpoint(&connector, &instance(), LIMIT).await;
    assert!(matches!(outcome, ProbeOutcome::Refused { port_is_certain: true, .. }), "{outcome:?}");
    assert!(!outcome.is_alive());
}

#[tokio::test]
async fn a_name_without_an_address_and_a_silent_browser_are_unreachable() {
    let ground = Ground::start().await;
    let connector = ground.connector(|settings| {
        settings.address_map.push(AddressMapEntry { name: "C".into(), address: "127.91.7.3".into() });
    });
    let gone = "no-such-host.invalid".parse().unwrap();
    let outcome = probe_endpoint(&connector, &gone, LIMIT).await;
    assert!(matches!(outcome, ProbeOutcome::Unreachable { why: Silence::NameNotResolved, .. }), "{outcome:?}");
    let outcome = probe_endpoint(&connector, &"C\\RTC".parse().unwrap(), Duration::from_millis(500)).await;
    assert!(matches!(outcome, ProbeOutcome::Unreachable { why: Silence::BrowserSilent, .. }), "{outcome:?}");
    assert_eq!(outcome.error().map(|error| error.kind), Some(ErrorKind::InstanceNotFound));
}

#[tokio::test]
async fn a_connection_whose_future_was_dropped_is_never_used_again() {
    let ground = Ground::start().await;
    let connector = ground.connector(|_| {});
    let mut connection = connector.connect(&instance(), Purpose::Catalog).await.unwrap();
    ground.script.state().hang_on = Some("redo_start_lsn");
    let dropped = tokio::time::timeout(Duration::from_millis(200), database::redo_point(&mut connection, "mgc")).await;
    assert!(dropped.is_err());
    assert!(!connection.is_usable());
    let error = database::redo_point(&mut connection, "mgc").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::ConnectionLost);
    assert_eq!(ground.script.sent("redo_start_lsn"), 1, "the second one was not sent");
    for _ in 0..1000 {
        if ground.script.state().closed == 1 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the server was not told that the session is over");
}
