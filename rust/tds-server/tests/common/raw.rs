//! A client that reads and writes packets itself; `tds-protocol` decodes the tokens.

use bytes::{BufMut, Bytes, BytesMut};
use tds_protocol::login7::Login7;
use tds_protocol::prelogin::{EncryptionLevel, PreLogin};
use tds_protocol::token::{ColMetaData, Token, TokenParser};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::SOON;

pub struct Raw {
    pub tcp: TcpStream,
}

impl Raw {
    pub async fn connect(address: std::net::SocketAddr) -> Self {
        Self { tcp: TcpStream::connect(address).await.unwrap() }
    }

    /// Connects and logs in, in clear text.
    pub async fn log_in(address: std::net::SocketAddr) -> Self {
        let mut raw = Self::connect(address).await;
        let (_, tokens) = raw.try_log_in("secret").await;
        assert!(tokens.iter().any(|token| matches!(token, Token::LoginAck(_))), "{tokens:?}");
        raw
    }

    pub async fn try_log_in(&mut self, password: &str) -> (Bytes, Vec<Token>) {
        let prelogin = PreLogin::new().with_encryption(EncryptionLevel::NotSupported).encode();
        self.send(0x12, 1, &prelogin).await;
        let reply = self.message().await.unwrap();
        let login = Login7::new().with_sql_auth("sa", password).with_app_name("raw").encode();
        self.send(0x10, 1, &login).await;
        let tokens = tokens(&self.message().await.unwrap());
        (reply, tokens)
    }

    /// Sends one packet.
    pub async fn send(&mut self, kind: u8, status: u8, body: &[u8]) {
        let mut packet = BytesMut::new();
        packet.put_slice(&[kind, status]);
        packet.put_u16(body.len() as u16 + 8);
        packet.put_slice(&[0, 0, 1, 0]);
        packet.put_slice(body);
        self.tcp.write_all(&packet).await.unwrap();
    }

    pub async fn batch(&mut self, sql: &str) {
        self.send(0x01, 1, &batch_body(sql)).await;
    }

    pub async fn attention(&mut self) {
        self.send(0x06, 1, &[]).await;
    }

    /// One packet: its status bits and its body. `None` at the end of the connection.
    pub async fn packet(&mut self) -> Option<(u8, Bytes)> {
        tokio::time::timeout(SOON, async {
            let mut header = [0; 8];
            self.tcp.read_exact(&mut header).await.ok()?;
            assert_eq!(header[0], 0x04, "packet type");
            let mut body = vec![0; usize::from(u16::from_be_bytes([header[2], header[3]])) - 8];
            self.tcp.read_exact(&mut body).await.ok()?;
            Some((header[1], body.into()))
        })
        .await
        .expect("the server says nothing")
    }

    /// One message, whatever its packets.
    pub async fn message(&mut self) -> Option<Bytes> {
        let mut message = BytesMut::new();
        loop {
            let (status, body) = self.packet().await?;
            message.put_slice(&body);
            if status & 1 != 0 {
                return Some(message.freeze());
            }
        }
    }

    pub async fn ask(&mut self, sql: &str) -> Vec<Token> {
        self.batch(sql).await;
        tokens(&self.message().await.expect("an answer"))
    }
}

pub fn batch_body(sql: &str) -> BytesMut {
    let mut body = BytesMut::new();
    put_headers(&mut body);
    sql.encode_utf16().for_each(|unit| body.put_u16_le(unit));
    body
}

pub fn put_headers(body: &mut BytesMut) {
    body.put_u32_le(22);
    body.put_u32_le(18);
    body.put_u16_le(2);
    body.put_u64_le(0);
    body.put_u32_le(1);
}

/// All tokens of a message, or of a part of one that ends between tokens.
pub fn tokens(message: &Bytes) -> Vec<Token> {
    let mut parser = TokenParser::new(message.clone());
    let mut columns: Option<ColMetaData> = None;
    let mut tokens = Vec::new();
    while let Some(token) = parser.next_token_with_metadata(columns.as_ref()).unwrap() {
        if let Token::ColMetaData(metadata) = &token {
            columns = Some(metadata.clone());
        }
        tokens.push(token);
    }
    tokens
}
