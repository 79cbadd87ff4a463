//! Packets: eight bytes of header, and messages made of several of them.

use std::io;

use bytes::{BufMut, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::mpsc;

use crate::error::{Error, Result};

pub(crate) const HEADER: usize = 8;

/// Types of packets that clients send, and the one type a server answers with.
pub(crate) mod kind {
    pub const BATCH: u8 = 0x01;
    pub const RPC: u8 = 0x03;
    pub const ANSWER: u8 = 0x04;
    pub const ATTENTION: u8 = 0x06;
    pub const TRANSACTION: u8 = 0x0E;
    pub const LOGIN7: u8 = 0x10;
    pub const SSPI: u8 = 0x11;
    pub const PRELOGIN: u8 = 0x12;
}

/// Bits of the status byte.
pub(crate) mod status {
    pub const LAST: u8 = 0x01;
    /// The client gave up a request that it had not sent completely.
    pub const IGNORE: u8 = 0x02;
    pub const RESET: u8 = 0x08;
    pub const RESET_KEEP_TRANSACTION: u8 = 0x10;
}

/// No request needs more; a client that sends more loses its connection.
pub(crate) const MAX_MESSAGE: usize = 64 << 20;
/// PRELOGIN and LOGIN7 are far smaller.
pub(crate) const MAX_LOGIN_MESSAGE: usize = 128 << 10;

/// One message of a client, put together from its packets.
#[derive(Debug)]
pub(crate) struct Message {
    pub kind: u8,
    /// The status bits of its first packet, where the reset bit stands, and of its last.
    pub status: u8,
    pub body: Bytes,
}

/// Reads one message. An attention inside an unfinished message replaces it.
/// `None` when the client has closed the connection between two messages.
pub(crate) async fn read_message<R>(input: &mut R, limit: usize) -> Result<Option<Message>>
where
    R: AsyncRead + Unpin + ?Sized,
{
    let mut body = BytesMut::new();
    let mut message: Option<(u8, u8)> = None;
    loop {
        let mut header = [0; HEADER];
        match input.read_exact(&mut header[..1]).await {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && message.is_none() => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        input.read_exact(&mut header[1..]).await?;
        let [kind, bits, high, low, ..] = header;
        let length = usize::from(u16::from_be_bytes([high, low]))
            .checked_sub(HEADER)
            .ok_or(Error::Protocol("a packet shorter than its header"))?;
        let (first_kind, mut all_bits) = match message {
            _ if kind == kind::ATTENTION => {
                body.clear();
                (kind, 0)
            }
            Some((first, _)) if first != kind => return Err(Error::Protocol("a message of mixed packet types")),
            Some(message) => message,
            None => (kind, 0),
        };
        if body.len() + length > limit {
            return Err(Error::Protocol("a message that is too long"));
        }
        let at = body.len();
        body.resize(at + length, 0);
        input.read_exact(&mut body[at..]).await?;
        all_bits |= bits;
        if bits & status::LAST != 0 {
            return Ok(Some(Message { kind: first_kind, status: all_bits, body: body.freeze() }));
        }
        message = Some((first_kind, all_bits));
    }
}

/// Appends a header.
pub(crate) fn put_header(out: &mut BytesMut, kind: u8, bits: u8, body: usize, spid: u16, id: u8) {
    out.put_u8(kind);
    out.put_u8(bits);
    out.put_u16((body + HEADER) as u16);
    out.put_u16(spid);
    out.put_u8(id);
    out.put_u8(0);
}

/// Cuts the server's messages into packets and hands them to the writer task.
///
/// Its futures can be dropped at any await: a packet is taken out of the buffer only
/// when the writer has room for it. Without a client, everything is thrown away.
pub(crate) struct Outbox {
    packets: mpsc::Sender<Bytes>,
    pub buffer: BytesMut,
    spid: u16,
    packet_size: usize,
    next_id: u8,
}

impl Outbox {
    pub fn new(packets: mpsc::Sender<Bytes>, spid: u16, packet_size: u16) -> Self {
        Self { packets, buffer: BytesMut::new(), spid, packet_size: usize::from(packet_size), next_id: 1 }
    }

    /// For the login answer, which is the first to carry the session id.
    pub fn set_spid(&mut self, spid: u16) {
        self.spid = spid;
    }

    /// Takes effect with the next packet: after the message that announces it.
    pub fn set_packet_size(&mut self, packet_size: u16) {
        self.packet_size = usize::from(packet_size);
    }

    /// Sends what fills whole packets. Something always remains for the end of the message.
    pub async fn send_full(&mut self) {
        while self.buffer.len() > self.packet_size - HEADER {
            self.send(0).await;
        }
    }

    /// Sends all there is, without ending the message.
    pub async fn flush(&mut self) {
        while !self.buffer.is_empty() {
            self.send(0).await;
        }
    }

    /// Sends all there is and ends the message.
    pub async fn finish(&mut self) {
        self.send_full().await;
        self.send(status::LAST).await;
        self.next_id = 1;
    }

    async fn send(&mut self, bits: u8) {
        match self.packets.reserve().await {
            Ok(room) => {
                let body = self.buffer.split_to(self.buffer.len().min(self.packet_size - HEADER));
                let mut packet = BytesMut::with_capacity(HEADER + body.len());
                put_header(&mut packet, kind::ANSWER, bits, body.len(), self.spid, self.next_id);
                packet.put_slice(&body);
                self.next_id = self.next_id.wrapping_add(1);
                room.send(packet.freeze());
            }
            Err(_) => self.buffer.clear(),
        }
    }
}
