//! What leaves the server, packet by packet and token by token.

mod common;

use std::sync::atomic::Ordering;

use bytes::{BufMut, BytesMut};
use common::raw::{batch_body, put_headers, tokens, Raw};
use common::{start, typed_columns};
use tds_protocol::token::{EnvChangeType, Token};
use tds_server::{CancelStyle, ServerConfig, ServerVersion};

#[tokio::test]
async fn prelogin_and_login_are_answered_as_sql_server_does() {
    let version = ServerVersion::SQL_2008_R2;
    let (server, fake) = start(ServerConfig { version, ..ServerConfig::default() }).await;
    let mut raw = Raw::connect(server.local_addr()).await;
    let (reply, tokens) = raw.try_log_in("secret").await;
    let version_at = usize::from(u16::from_be_bytes([reply[1], reply[2]]));
    assert_eq!(&reply[version_at..version_at + 4], [10, 50, 0x17, 0x70]);
    let kinds: Vec<String> = tokens
        .iter()
        .map(|token| match token {
            Token::EnvChange(change) => format!("env {:?}", change.env_type),
            Token::Info(info) => format!("info {} {}", info.number, info.message),
            // The parser reads this big-endian number the other way round.
            Token::LoginAck(ack) => format!("ack {:08X} {}", ack.tds_version.swap_bytes(), ack.prog_name),
            Token::Done(done) => format!("done {:?}", done.status.to_bits()),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "env Database",
            "info 5701 Changed database context to 'master'.",
            "env SqlCollation",
            "env Language",
            "info 5703 Changed language setting to us_english.",
            "ack 730B0003 Microsoft SQL Server",
            "env PacketSize",
            "done 0",
        ]
    );
    let login = fake.logins.lock().unwrap()[0].clone();
    assert_eq!((login.user.as_str(), login.password.as_str(), login.application.as_str()), ("sa", "secret", "raw"));
    assert!(!format!("{login:?}").contains("secret"));
}

#[tokio::test]
async fn a_refused_login_names_its_reason_and_ends_the_connection() {
    let (server, fake) = start(ServerConfig::default()).await;
    let mut raw = Raw::connect(server.local_addr()).await;
    let (_, tokens) = raw.try_log_in("wrong").await;
    let [Token::Error(error), Token::Done(done)] = tokens.as_slice() else { panic!("{tokens:?}") };
    assert_eq!((error.number, error.class, error.server.as_str()), (18456, 14, "SQL01"));
    assert!(done.status.error);
    assert!(raw.packet().await.is_none());
    assert!(fake.closed.lock().unwrap().is_empty(), "there never was a session");
}

#[tokio::test]
async fn every_type_is_decoded_by_an_independent_parser() {
    let (server, _fake) = start(ServerConfig::default()).await;
    let tokens = Raw::log_in(server.local_addr()).await.ask("typed").await;
    let [Token::ColMetaData(columns), Token::Row(_), Token::NbcRow(nulls), Token::Done(done)] = tokens.as_slice()
    else {
        panic!("{tokens:?}")
    };
    assert_eq!(columns.columns.len(), typed_columns().len());
    let lsn = &columns.columns[5];
    assert_eq!((lsn.col_type, lsn.type_info.precision, lsn.type_info.scale), (0x6C, Some(25), Some(0)));
    assert!((0..typed_columns().len()).all(|index| nulls.is_null(index)) && nulls.data.is_empty());
    assert_eq!((done.status.count, done.status.more, done.row_count), (true, false, 2));
}

#[tokio::test]
async fn several_errors_travel_in_order() {
    let (server, _fake) = start(ServerConfig::default()).await;
    let tokens = Raw::log_in(server.local_addr()).await.ask("errors").await;
    let [Token::Error(first), Token::Error(second), Token::Done(done)] = tokens.as_slice() else {
        panic!("{tokens:?}")
    };
    assert_eq!((first.number, first.line, second.number, second.line), (4305, 1, 3013, 3));
    assert!(done.status.error && !done.status.more);
}

#[tokio::test]
async fn progress_is_seen_before_the_batch_ends() {
    let (server, fake) = start(ServerConfig::default()).await;
    let mut raw = Raw::log_in(server.local_addr()).await;
    raw.batch("progress").await;
    let (status, body) = raw.packet().await.unwrap();
    let [Token::Info(info)] = &tokens(&body)[..] else { panic!() };
    assert_eq!((status & 1, info.number, info.class), (0, 3211, 0));
    fake.go_on.notify_one();
    let rest = tokens(&raw.message().await.unwrap());
    assert!(matches!(&rest[..], [Token::Info(info), Token::Done(_)] if info.number == 3014), "{rest:?}");
}

#[tokio::test]
async fn a_procedure_in_a_batch_ends_with_its_status() {
    let (server, _fake) = start(ServerConfig::default()).await;
    let tokens = Raw::log_in(server.local_addr()).await.ask("exec").await;
    let [.., Token::DoneInProc(rows), Token::DoneInProc(count), Token::ReturnStatus(5), Token::DoneProc(end)] =
        tokens.as_slice()
    else {
        panic!("{tokens:?}")
    };
    assert_eq!((rows.row_count, count.row_count), (1, 3));
    assert!(rows.status.more && count.status.more && !end.status.more);
}

#[tokio::test]
async fn a_value_that_does_not_fit_its_column_is_an_error_and_not_a_broken_stream() {
    let (server, _fake) = start(ServerConfig::default()).await;
    let tokens = Raw::log_in(server.local_addr()).await.ask("misfit").await;
    let [Token::ColMetaData(_), Token::Row(_), Token::Error(error), Token::Done(done)] = tokens.as_slice() else {
        panic!("{tokens:?}")
    };
    assert_eq!(error.number, 8115);
    assert!(done.status.error);
}

#[tokio::test]
async fn an_attention_cuts_the_answer_and_is_acknowledged_in_a_message_of_its_own() {
    let (server, fake) = start(ServerConfig::default()).await;
    let mut raw = Raw::log_in(server.local_addr()).await;
    raw.batch("wait").await;
    fake.started.notified().await;
    raw.attention().await;
    let cut = tokens(&raw.message().await.unwrap());
    let [.., Token::Done(rows), Token::Done(end)] = cut.as_slice() else { panic!("{cut:?}") };
    assert!(rows.status.more && end.status.error && !end.status.more && !end.status.attn);
    let acknowledged = tokens(&raw.message().await.unwrap());
    let [Token::Done(done)] = acknowledged.as_slice() else { panic!("{acknowledged:?}") };
    assert_eq!((done.status.attn, done.status.error, done.cur_cmd), (true, false, 0xFD));
    assert_eq!(fake.dropped.load(Ordering::SeqCst), 1);
    assert!(fake.token.lock().unwrap().as_ref().unwrap().is_cancelled());
    assert_eq!(raw.ask("length").await.len(), 3, "the session goes on");
}

#[tokio::test]
async fn an_attention_can_be_acknowledged_in_the_same_message() {
    let cancel_style = CancelStyle::OneMessage;
    let (server, fake) = start(ServerConfig { cancel_style, ..ServerConfig::default() }).await;
    let mut raw = Raw::log_in(server.local_addr()).await;
    raw.batch("wait").await;
    fake.started.notified().await;
    raw.attention().await;
    let answer = tokens(&raw.message().await.unwrap());
    assert!(matches!(answer.last(), Some(Token::Done(done)) if done.status.attn), "{answer:?}");
    assert_eq!(raw.ask("length").await.len(), 3);
}

#[tokio::test]
async fn an_idle_attention_is_acknowledged() {
    let (server, _fake) = start(ServerConfig::default()).await;
    let mut raw = Raw::log_in(server.local_addr()).await;
    raw.attention().await;
    let answer = tokens(&raw.message().await.unwrap());
    assert!(matches!(&answer[..], [Token::Done(done)] if done.status.attn), "{answer:?}");
}

#[tokio::test]
async fn a_held_section_runs_to_its_end_before_the_cut() {
    let (server, fake) = start(ServerConfig::default()).await;
    let mut raw = Raw::log_in(server.local_addr()).await;
    raw.batch("hold").await;
    fake.started.notified().await;
    raw.attention().await;
    let cut = tokens(&raw.message().await.unwrap());
    assert!(matches!(&cut[..], [Token::Done(done)] if done.status.error), "{cut:?}");
    assert!(fake.held_to_the_end.load(Ordering::SeqCst));
    assert_eq!(fake.dropped.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_request_of_many_packets_and_an_answer_over_64_kib() {
    let (server, _fake) = start(ServerConfig::default()).await;
    let mut raw = Raw::log_in(server.local_addr()).await;
    let sql = format!("length {}", "x".repeat(300_000));
    let body = batch_body(&sql);
    let packets: Vec<&[u8]> = body.chunks(4088).collect();
    let (last, others) = packets.split_last().unwrap();
    for packet in others {
        raw.send(0x01, 0, packet).await;
    }
    raw.send(0x01, 1, last).await;
    let answer = tokens(&raw.message().await.unwrap());
    let Token::Row(row) = &answer[1] else { panic!("{answer:?}") };
    assert_eq!(row.data[1..], (sql.len() as i32).to_le_bytes());

    raw.batch("rows 5000").await;
    let mut packets = 0;
    let mut message = BytesMut::new();
    loop {
        let (status, body) = raw.packet().await.unwrap();
        assert!(body.len() <= 4088 && !body.is_empty());
        message.put_slice(&body);
        packets += 1;
        if status & 1 != 0 {
            break;
        }
    }
    let answer = tokens(&message.freeze());
    assert!(packets > 200);
    assert_eq!(answer.iter().filter(|token| matches!(token, Token::Row(_))).count(), 5000);
}

#[tokio::test]
async fn an_unfinished_request_can_be_withdrawn() {
    let (server, _fake) = start(ServerConfig::default()).await;
    let mut raw = Raw::log_in(server.local_addr()).await;
    raw.send(0x01, 0, &batch_body("length")).await;
    raw.send(0x01, 0x03, &[]).await;
    let answer = tokens(&raw.message().await.unwrap());
    assert!(matches!(&answer[..], [Token::Done(done)] if done.status.error), "{answer:?}");

    raw.send(0x01, 0, &batch_body("length")).await;
    raw.attention().await;
    let answer = tokens(&raw.message().await.unwrap());
    assert!(matches!(&answer[..], [Token::Done(done)] if done.status.attn), "{answer:?}");
    assert_eq!(raw.ask("length").await.len(), 3);
}

#[tokio::test]
async fn the_reset_bit_restores_the_session() {
    let (server, fake) = start(ServerConfig::default()).await;
    let mut raw = Raw::log_in(server.local_addr()).await;
    let changed = raw.ask("use msdb").await;
    assert!(matches!(&changed[..], [Token::EnvChange(_), Token::Info(_), Token::Done(_)]), "{changed:?}");
    raw.send(0x01, 0x09, &batch_body("state")).await;
    let answer = tokens(&raw.message().await.unwrap());
    let kinds: Vec<_> = answer
        .iter()
        .filter_map(|token| match token {
            Token::EnvChange(change) => Some((change.env_type, change.new_database())),
            _ => None,
        })
        .collect();
    assert_eq!(kinds, [(EnvChangeType::ResetConnectionCompletionAck, None), (EnvChangeType::Database, Some("master"))]);
    assert_eq!(fake.resets.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn transaction_requests_are_answered_with_their_descriptors() {
    let (server, _fake) = start(ServerConfig::default()).await;
    let mut raw = Raw::log_in(server.local_addr()).await;
    let request = |kind: u16| {
        let mut body = BytesMut::new();
        put_headers(&mut body);
        body.put_u16_le(kind);
        body.put_slice(&[0, 0]);
        body
    };
    let (begin, commit) = (request(5), request(7));
    for (body, expected) in [(&begin, EnvChangeType::BeginTransaction), (&commit, EnvChangeType::CommitTransaction)] {
        raw.send(0x0E, 1, body).await;
        let answer = tokens(&raw.message().await.unwrap());
        let [Token::EnvChange(change), Token::Done(_)] = answer.as_slice() else { panic!("{answer:?}") };
        assert_eq!(change.env_type, expected);
    }
    raw.send(0x0E, 1, &commit).await;
    let answer = tokens(&raw.message().await.unwrap());
    assert!(matches!(&answer[..], [Token::Error(error), Token::Done(_)] if error.number == 3902), "{answer:?}");
}
