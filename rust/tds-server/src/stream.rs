//! The socket, and the TLS handshake that runs inside TDS packets.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{ready, Context, Poll};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::packet::{kind, put_header, status, HEADER};

/// A TCP connection whose halves can be read and written by different tasks, and
/// which can return to clear text after TLS. It closes with its last clone.
#[derive(Debug, Clone)]
pub(crate) struct Tcp(Arc<TcpStream>);

impl Tcp {
    pub fn new(stream: TcpStream) -> Self {
        // Answers are written packet by packet; a client that reads slowly is no reason to wait.
        let _ = stream.set_nodelay(true);
        Self(Arc::new(stream))
    }

    /// The next byte, left where it is; `None` when the client is gone.
    pub async fn peek(&self) -> Option<u8> {
        let mut byte = [0];
        match self.0.peek(&mut byte).await {
            Ok(1) => Some(byte[0]),
            _ => None,
        }
    }

    /// Makes the close a reset.
    pub fn reset_on_close(&self) {
        // A socket that is gone already needs no reset.
        let _ = self.0.set_zero_linger();
    }

    /// Returns when the client has closed its side. Pends while it is there.
    pub async fn gone(&self) {
        if self.peek().await.is_some() {
            std::future::pending::<()>().await;
        }
    }
}

impl AsyncRead for Tcp {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.0.poll_read_ready(cx))?;
            match self.0.try_read(buf.initialize_unfilled()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => {
                    buf.advance(result?);
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }
}

impl AsyncWrite for Tcp {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.0.poll_write_ready(cx))?;
            match self.0.try_write(data) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Nothing to do: the connection closes when its last clone is dropped.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// The transport below TLS: records travel in packets of type 0x12 until the
/// handshake is over, then bare.
#[derive(Debug)]
pub(crate) struct Wrapped {
    tcp: Tcp,
    wrapping: bool,
    header: [u8; HEADER],
    header_read: usize,
    packet_left: usize,
    written: BytesMut,
    sending: BytesMut,
}

/// Before login, packets have the default size.
const HANDSHAKE_PACKET: usize = 4096;

impl Wrapped {
    /// For a handshake inside TDS packets.
    pub fn inside_tds(tcp: Tcp) -> Self {
        Self {
            tcp,
            wrapping: true,
            header: [0; HEADER],
            header_read: 0,
            packet_left: 0,
            written: BytesMut::new(),
            sending: BytesMut::new(),
        }
    }

    /// For TDS 8.0, where nothing is wrapped.
    pub fn bare(tcp: Tcp) -> Self {
        Self { wrapping: false, ..Self::inside_tds(tcp) }
    }

    /// The handshake is over.
    pub fn unwrap_from_now(&mut self) {
        self.wrapping = false;
    }

    fn read_header(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.header_read < HEADER {
            let mut buf = ReadBuf::new(&mut self.header[self.header_read..]);
            ready!(Pin::new(&mut self.tcp).poll_read(cx, &mut buf))?;
            match buf.filled().len() {
                0 => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
                read => self.header_read += read,
            }
        }
        let [packet_kind, _, high, low, ..] = self.header;
        let length = usize::from(u16::from_be_bytes([high, low]));
        self.header_read = 0;
        match length.checked_sub(HEADER) {
            Some(body) if packet_kind == kind::PRELOGIN => {
                self.packet_left = body;
                Poll::Ready(Ok(()))
            }
            _ => Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, "not a handshake packet"))),
        }
    }
}

impl AsyncRead for Wrapped {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.wrapping {
            return Pin::new(&mut this.tcp).poll_read(cx, buf);
        }
        while this.packet_left == 0 {
            ready!(this.read_header(cx))?;
        }
        let room = buf.remaining().min(this.packet_left);
        let mut part = ReadBuf::new(buf.initialize_unfilled_to(room));
        ready!(Pin::new(&mut this.tcp).poll_read(cx, &mut part))?;
        let read = part.filled().len();
        this.packet_left -= read;
        buf.advance(read);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wrapped {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if !this.wrapping {
            return Pin::new(&mut this.tcp).poll_write(cx, data);
        }
        this.written.extend_from_slice(data);
        Poll::Ready(Ok(data.len()))
    }

    /// One flight of the handshake becomes one message.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while !this.written.is_empty() {
            let body = this.written.split_to(this.written.len().min(HANDSHAKE_PACKET - HEADER));
            let bits = if this.written.is_empty() { status::LAST } else { 0 };
            put_header(&mut this.sending, kind::PRELOGIN, bits, body.len(), 0, 0);
            this.sending.extend_from_slice(&body);
        }
        while !this.sending.is_empty() {
            let sent = ready!(Pin::new(&mut this.tcp).poll_write(cx, &this.sending))?;
            this.sending.advance(sent);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}
