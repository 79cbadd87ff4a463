//! RPC requests as clients send them, and their answers token by token.

mod common;

use bytes::{BufMut, Bytes, BytesMut};
use common::raw::{put_headers, tokens, Raw};
use common::start;
use tds_protocol::token::{ReturnValue, Token};
use tds_server::ServerConfig;

/// A call by procedure id or name, with parameters added one by one.
struct Call(BytesMut);

impl Call {
    fn id(id: u16) -> Self {
        let mut body = BytesMut::new();
        put_headers(&mut body);
        body.put_u16_le(u16::MAX);
        body.put_u16_le(id);
        body.put_u16_le(0);
        Self(body)
    }

    fn named(name: &str) -> Self {
        let mut body = BytesMut::new();
        put_headers(&mut body);
        body.put_u16_le(name.len() as u16);
        name.encode_utf16().for_each(|unit| body.put_u16_le(unit));
        body.put_u16_le(0);
        Self(body)
    }

    fn param(mut self, name: &str, status: u8) -> Self {
        self.0.put_u8(name.len() as u8);
        name.encode_utf16().for_each(|unit| self.0.put_u16_le(unit));
        self.0.put_u8(status);
        self
    }

    fn int(mut self, name: &str, value: i32) -> Self {
        self = self.param(name, 0);
        self.0.put_slice(&[0x26, 4, 4]);
        self.0.put_i32_le(value);
        self
    }

    fn out_int(mut self, name: &str) -> Self {
        self = self.param(name, 1);
        self.0.put_slice(&[0x26, 4, 0]);
        self
    }

    fn text(mut self, name: &str, value: &str) -> Self {
        self = self.param(name, 0);
        self.0.put_slice(&[0xE7, 0x40, 0x1F, 9, 4, 0xD0, 0, 0x34]);
        self.0.put_u16_le(value.len() as u16 * 2);
        value.encode_utf16().for_each(|unit| self.0.put_u16_le(unit));
        self
    }

    /// A further call in the same request.
    fn and(mut self, other: Self) -> Self {
        self.0.put_u8(0xFF);
        self.0.put_slice(&other.0[22..]);
        self
    }

    async fn ask(&self, raw: &mut Raw) -> Vec<Token> {
        raw.send(0x03, 1, &self.0).await;
        tokens(&raw.message().await.unwrap())
    }
}

/// The OUT value of four bytes behind its length.
fn int_of(value: &ReturnValue) -> i32 {
    let bytes: &Bytes = &value.value;
    i32::from_le_bytes(bytes[bytes.len() - 4..].try_into().unwrap())
}

#[tokio::test]
async fn a_procedure_returns_status_and_out_values() {
    let (server, _fake) = start(ServerConfig::default()).await;
    let mut raw = Raw::log_in(server.local_addr()).await;
    let call = Call::named("dbo.twice").int("@value", 21).out_int("@result").out_int("@unused");
    let answer = call.ask(&mut raw).await;
    let [Token::ReturnStatus(7), Token::ReturnValue(result), Token::ReturnValue(unused), Token::DoneProc(done)] =
        answer.as_slice()
    else {
        panic!("{answer:?}")
    };
    assert_eq!((result.param_name.as_str(), result.param_ordinal, int_of(result)), ("@result", 1, 42));
    assert_eq!((unused.param_name.as_str(), unused.param_ordinal), ("@unused", 2));
    assert!(!done.status.more && !done.status.error);
}

#[tokio::test]
async fn an_unknown_procedure_is_an_error_of_the_handler() {
    let (server, _fake) = start(ServerConfig::default()).await;
    let mut raw = Raw::log_in(server.local_addr()).await;
    let answer = Call::named("sp_describe_undeclared_parameters").text("@tsql", "SELECT 1").ask(&mut raw).await;
    let [Token::Error(error), Token::ReturnStatus(2812), Token::DoneProc(done)] = answer.as_slice() else {
        panic!("{answer:?}")
    };
    assert!(error.number == 2812 && done.status.error);
}

#[tokio::test]
async fn a_prepared_statement_is_executed_by_its_handle() {
    let (server, _fake) = start(ServerConfig::default()).await;
    let mut raw = Raw::log_in(server.local_addr()).await;
    let prepare =
        Call::id(13).out_int("").text("", "@a int, @b nvarchar(9)").text("", "SELECT @a").int("", 1).text("", "x");
    let answer = prepare.ask(&mut raw).await;
    let [Token::ColMetaData(_), Token::Row(a), Token::Row(_), Token::DoneInProc(_), Token::ReturnStatus(0), Token::ReturnValue(handle), Token::DoneProc(_)] =
        answer.as_slice()
    else {
        panic!("{answer:?}")
    };
    assert!(String::from_utf8_lossy(&a.data).contains("@\0a\0"), "values have their declared names");
    let handle = int_of(handle);
    let answer = Call::id(12).int("", handle).int("", 2).text("", "y").ask(&mut raw).await;
    assert!(matches!(&answer[..], [.., Token::ReturnStatus(0), Token::DoneProc(_)]), "{answer:?}");
    let answer = Call::id(15).int("", handle).ask(&mut raw).await;
    assert!(matches!(&answer[..], [Token::ReturnStatus(0), Token::DoneProc(_)]), "{answer:?}");
    let answer = Call::id(12).int("", handle).ask(&mut raw).await;
    assert!(matches!(&answer[0], Token::Error(error) if error.number == 8179), "{answer:?}");
}

#[tokio::test]
async fn several_calls_in_one_request_are_answered_in_one_message() {
    let (server, _fake) = start(ServerConfig::default()).await;
    let mut raw = Raw::log_in(server.local_addr()).await;
    let calls = Call::named("dbo.twice").int("@value", 1).and(Call::named("nothing")).and(Call::named("dbo.twice"));
    let answer = calls.ask(&mut raw).await;
    let ends: Vec<(bool, bool)> = answer
        .iter()
        .filter_map(|token| match token {
            Token::DoneProc(done) => Some((done.status.more, done.status.error)),
            _ => None,
        })
        .collect();
    assert_eq!(ends, [(true, false), (true, true), (false, false)]);
}
