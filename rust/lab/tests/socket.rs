//! The same instances over TDS, as a client of the product's kind sees them.
#![cfg(not(windows))] // The client is built with the TLS library of that target only.

mod common;

use common::*;
use pchat_lab::engine::Engine;
use serde_json::json;
use std::net::SocketAddr;
use std::time::Duration;
use tiberius::{AuthMethod, Client, Config, EncryptionLevel, Row};
use tokio::net::{TcpStream, UdpSocket};
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt};

type Connected = Client<Compat<TcpStream>>;

/// Asks the browser of an instance's host for its port, as clients of named instances do.
async fn browse(engine: &Engine, instance: &str) -> SocketAddr {
    let (host, short) = instance.split_once('\\').unwrap_or((instance, "MSSQLSERVER"));
    let address = {
        let world = engine.world();
        world.hosts[world.find_host(host).expect("host")].address
    };
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("socket");
    let mut request = vec![4u8];
    request.extend_from_slice(short.as_bytes());
    socket.send_to(&request, (address, 1434)).await.expect("sent");
    let mut reply = [0u8; 1024];
    let answer = tokio::time::timeout(Duration::from_secs(20), socket.recv_from(&mut reply)).await;
    let (length, _) = answer.expect("the browser answers").expect("received");
    let text = String::from_utf8_lossy(&reply[3..length]).into_owned();
    let port = text.split("tcp;").nth(1).and_then(|t| t.split(';').next()).expect("port").parse().expect("number");
    SocketAddr::from((address, port))
}

async fn connect_as(
    engine: &Engine,
    instance: &str,
    user: &str,
    password: &str,
    database: &str,
) -> Result<Connected, tiberius::error::Error> {
    let address = browse(engine, instance).await;
    let mut config = Config::new();
    config.host(address.ip());
    config.port(address.port());
    config.authentication(AuthMethod::sql_server(user, password));
    config.application_name("socket test");
    config.encryption(EncryptionLevel::Required);
    config.trust_cert();
    if !database.is_empty() {
        config.database(database);
    }
    let tcp = TcpStream::connect(address).await?;
    tcp.set_nodelay(true)?;
    Client::connect(config, tcp.compat_write()).await
}

async fn connect(engine: &Engine, instance: &str) -> Connected {
    connect_as(engine, instance, "sa", "Lab-passw0rd", "").await.expect("login")
}

async fn rows(client: &mut Connected, text: &str) -> Vec<Row> {
    client.simple_query(text).await.expect("sent").into_first_result().await.unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn code(error: &tiberius::error::Error) -> u32 {
    match error {
        tiberius::error::Error::Server(token) => token.code(),
        other => panic!("no answer of the server: {other}"),
    }
}

async fn code_of(client: &mut Connected, text: &str) -> u32 {
    match client.simple_query(text).await {
        Ok(stream) => code(&stream.into_results().await.expect_err("it has to be refused")),
        Err(error) => code(&error),
    }
}

#[tokio::test]
async fn two_labs_have_an_instance_of_the_same_name_side_by_side() {
    let left = lost(json!({ "log_backups": 3, "not_copied": 0, "not_restored": 1 })).await;
    let right = lost(json!({ "log_backups": 5, "not_copied": 0, "not_restored": 1 })).await;
    assert_ne!(browse(&left, B).await.ip(), browse(&right, B).await.ip());
    for (engine, expected) in [(&left, 3), (&right, 5)] {
        let mut client = connect(engine, B).await;
        let found = rows(&mut client, r"EXEC master.sys.xp_dirtree 'E:\LSCopy', 1, 1").await;
        assert_eq!(found.len(), expected);
        let name = rows(&mut client, "SELECT @@SERVERNAME").await;
        assert_eq!(name[0].get::<&str, _>(0), Some(B));
    }
    left.stop().await;
    right.stop().await;
}

#[tokio::test]
async fn logins_are_refused_with_the_servers_numbers() {
    let engine = lost(json!({})).await;
    let wrong = connect_as(&engine, B, "sa", "guess", "").await.expect_err("refused");
    assert_eq!(code(&wrong), 18456);
    let unknown = connect_as(&engine, B, "nobody", "x", "").await.expect_err("refused");
    assert_eq!(code(&unknown), 18456);
    let restoring = connect_as(&engine, B, "sa", "Lab-passw0rd", "mgc").await.expect_err("refused");
    assert_eq!(code(&restoring), 4060);
    let french = connect_as(&engine, BM, "sa", "guess", "").await.expect_err("refused");
    assert!(french.to_string().contains("chec de l"), "{french}");
    let dead = {
        let world = engine.world();
        let instance = &world.instances[world.find_instance(P).expect("instance")];
        SocketAddr::from((world.hosts[instance.host].address, instance.port))
    };
    let error = TcpStream::connect(dead).await.expect_err("the primary is dead");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
    engine.stop().await;
}

#[tokio::test]
async fn values_arrive_with_the_types_of_the_catalog() {
    let engine = lost(json!({})).await;
    let mut client = connect(&engine, B).await;
    let files = files(&engine, B, r"E:\LSCopy").await;
    let header = rows(&mut client, &format!("RESTORE HEADERONLY FROM DISK = N'{}'", files[0])).await;
    let first: tiberius::numeric::Numeric = header[0].get("FirstLSN").expect("numeric");
    assert!(first.value() > i128::from(i64::MAX), "{}", first.value());
    assert_eq!(header[0].get::<i16, _>("BackupType"), Some(2));
    assert_eq!(header[0].get::<i32, _>("SoftwareVersionMajor"), Some(11));
    assert!(header[0].get::<tiberius::Uuid, _>("FamilyGUID").is_some());
    assert_eq!(header[0].get::<bool, _>("IsCopyOnly"), Some(false));
    let redo = client
        .query(
            "SELECT MAX(mf.redo_start_lsn) AS redo, CAST(SERVERPROPERTY('Edition') AS nvarchar(128)) AS edition FROM sys.master_files AS mf JOIN sys.databases AS d ON d.database_id = mf.database_id WHERE d.name = @P1",
            &[&"mgc"],
        )
        .await
        .expect("sent")
        .into_first_result()
        .await
        .expect("rows");
    let redo_lsn: tiberius::numeric::Numeric = redo[0].get("redo").expect("numeric");
    assert_eq!(redo_lsn.scale(), 0);
    assert!(redo_lsn.value() > first.value());
    assert!(redo[0].get::<&str, _>("edition").is_some_and(|e| e.contains("Standard")));
    let rc =
        rows(&mut client, "DECLARE @rc int; EXEC @rc = sp_getapplock 'x', 'Exclusive', 'Session', 0; SELECT @rc AS rc")
            .await;
    assert_eq!(rc[0].get::<i32, _>("rc"), Some(0));
    let who = rows(&mut client, "EXEC sp_who2").await;
    assert_eq!(who[0].columns().len(), 13);
    engine.stop().await;
}

#[tokio::test]
async fn the_first_error_of_a_failed_restore_is_the_cause() {
    let engine = lost(json!({})).await;
    let mut client = connect(&engine, B).await;
    let share = files(&engine, B, r"\\fs1\LogShip").await;
    let late = format!("RESTORE LOG mgc FROM DISK = N'{}' WITH NORECOVERY", share[4]);
    assert_eq!(code_of(&mut client, &late).await, 4305);
    assert_eq!(code_of(&mut client, "ALTER DATABASE mgc SET MULTI_USER").await, 5052);
    assert_eq!(code_of(&mut client, "USE mgc").await, 927);
    assert_eq!(code_of(&mut client, "SELECT nothing FROM sys.databases").await, 207);
    assert_eq!(code_of(&mut client, "SELECT * FROM nothing").await, 208);
    assert_eq!(code_of(&mut client, "EXEC sp_delete_log_shipping_secondary_database none").await, 32014);
    engine.stop().await;
}

#[tokio::test]
async fn a_client_that_drops_its_connection_interrupts_its_restore() {
    let engine = lost(json!({})).await;
    let slow = pchat_lab::faults::Fault::SlowRestore { instance: B.into(), bytes_per_second: 40_000 };
    engine.set_fault(slow, true).await.expect("fault");
    let copy = files(&engine, B, r"E:\LSCopy").await;
    let statement = format!("RESTORE LOG mgc FROM DISK = N'{}' WITH NORECOVERY", copy[2]);
    let mut client = connect(&engine, B).await;
    let text = statement.clone();
    let task = tokio::spawn(async move {
        let _ = client.simple_query(text).await.expect("sent").into_results().await;
    });
    for _ in 0..1000 {
        if engine.effects().iter().any(|effect| effect.kind == "restore_started") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    task.abort();
    let _ = task.await;
    let mut other = connect(&engine, B).await;
    for _ in 0..1000 {
        if code_of(&mut other, "RESTORE DATABASE mgc WITH RECOVERY").await == 4319 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(code_of(&mut other, "RESTORE DATABASE mgc WITH RECOVERY").await, 4319);
    let fast = pchat_lab::faults::Fault::SlowRestore { instance: B.into(), bytes_per_second: 40_000 };
    engine.set_fault(fast, false).await.expect("fault");
    other.simple_query(statement).await.expect("sent").into_results().await.expect("the same file repairs it");
    engine.stop().await;
}

#[tokio::test]
async fn killing_a_session_closes_its_connection() {
    let engine = lost(json!({ "mode": "standby" })).await;
    let mut victim = connect_as(&engine, B, "sa", "Lab-passw0rd", "mgc").await.expect("a readable copy");
    let id = rows(&mut victim, "SELECT CAST(@@SPID AS int)").await[0].get::<i32, _>(0).expect("id");
    let mut admin = connect(&engine, B).await;
    let seen = rows(
        &mut admin,
        &format!("SELECT RTRIM(program_name) FROM sys.sysprocesses WHERE spid = {id} AND dbid = DB_ID('mgc')"),
    )
    .await;
    assert_eq!(seen[0].get::<&str, _>(0), Some("socket test"));
    admin.simple_query(format!("KILL {id}")).await.expect("sent").into_results().await.expect("killed");
    let gone = match victim.simple_query("SELECT 1").await {
        Ok(stream) => stream.into_results().await.is_err(),
        Err(_) => true,
    };
    assert!(gone);
    engine.stop().await;
}
