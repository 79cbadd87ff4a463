//! Naming the certificate that was refused.
//!
//! The TLS libraries say that a certificate is not trusted, but not which one it was. Up to TLS 1.2, which is what TDS 7
//! uses, the server sends it in clear, so a tape of the first bytes received holds it, on every platform alike.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use sha1::{Digest, Sha1};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// As much of the beginning as is kept: certificate chains are far below.
const TAPE_LIMIT: usize = 64 * 1024;

/// The first bytes that came from the server, while the handshake lasts.
#[derive(Debug, Clone, Default)]
pub(super) struct Tape(Arc<Mutex<Option<Vec<u8>>>>);

impl Tape {
    pub(super) fn start() -> Tape {
        Tape(Arc::new(Mutex::new(Some(Vec::new()))))
    }

    fn add(&self, bytes: &[u8]) {
        if let Some(kept) = self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            let room = TAPE_LIMIT.saturating_sub(kept.len());
            kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
    }

    /// Stops recording and hands out what was kept.
    pub(super) fn stop(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default()
    }
}

/// A stream that writes what it receives on a tape.
pub(super) struct Recorded<S> {
    inner: S,
    tape: Tape,
}

impl<S> Recorded<S> {
    pub(super) fn new(inner: S, tape: Tape) -> Recorded<S> {
        Recorded { inner, tape }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Recorded<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, buf);
        if let Poll::Ready(Ok(())) = &polled {
            self.tape.add(&buf.filled()[before..]);
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Recorded<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// What the tape of a failed login tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// True where the peer answered the first packet as a SQL Server does.
    pub(super) answered: bool,
    /// SHA-1 of the server's own certificate in hexadecimal, as Windows shows a thumbprint.
    pub(super) thumbprint: Option<String>,
}

/// Reads a tape.
pub(super) fn read(tape: &[u8]) -> Seen {
    let (answered, records) = match tape.first() {
        Some(0x04) => (true, unwrap_packets(tape)),
        Some(0x15 | 0x16) => (true, tape.to_vec()),
        _ => (false, Vec::new()),
    };
    let thumbprint = first_certificate(&handshake_messages(&records))
        .map(|certificate| Sha1::digest(certificate).iter().map(|byte| format!("{byte:02X}")).collect::<String>());
    Seen { answered, thumbprint }
}

/// The payload of the packets behind the first message, which answers PRELOGIN.
fn unwrap_packets(mut tape: &[u8]) -> Vec<u8> {
    let mut records = Vec::new();
    let mut prelogin_over = false;
    while let [_, status, high, low, ..] = *tape {
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length < 8 {
            break;
        }
        let packet = &tape[..length.min(tape.len())];
        if prelogin_over {
            records.extend_from_slice(packet.get(8..).unwrap_or_default());
        }
        prelogin_over = prelogin_over || status & 1 == 1;
        tape = &tape[packet.len()..];
    }
    records
}

/// The handshake messages inside TLS records, up to the first record of another kind.
fn handshake_messages(mut records: &[u8]) -> Vec<u8> {
    let mut messages = Vec::new();
    while let [0x16, _, _, high, low, rest @ ..] = records {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
        messages.extend_from_slice(&rest[..length]);
        records = &rest[length..];
    }
    messages
}

/// The first entry of the Certificate message.
///
/// # Source
/// RFC 5246 section 7.4.2: type 11, length, length of the list, length of each certificate, all of three bytes.
fn first_certificate(mut messages: &[u8]) -> Option<&[u8]> {
    let length3 = |bytes: &[u8]| {
        Some(usize::from(*bytes.first()?) << 16 | usize::from(*bytes.get(1)?) << 8 | usize::from(*bytes.get(2)?))
    };
    while let [kind, rest @ ..] = messages {
        let length = length3(rest)?;
        let body = rest.get(3..3 + length)?;
        if *kind == 11 {
            let size = length3(body.get(3..)?)?;
            return body.get(6..6 + size).filter(|certificate| !certificate.is_empty());
        }
        messages = &rest[3 + length..];
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate_message(certificate: &[u8]) -> Vec<u8> {
        let size = certificate.len();
        let three = |n: usize| [(n >> 16) as u8, (n >> 8) as u8, n as u8];
        let mut message = vec![2, 0, 0, 4, 9, 9, 9, 9, 11];
        message.extend(three(size + 6));
        message.extend(three(size + 3));
        message.extend(three(size));
        message.extend(certificate);
        message
    }

    fn record(bytes: &[u8]) -> Vec<u8> {
        let mut record = vec![0x16, 3, 3];
        record.extend((bytes.len() as u16).to_be_bytes());
        record.extend(bytes);
        record
    }

    fn packet(kind: u8, last: bool, bytes: &[u8]) -> Vec<u8> {
        let mut packet = vec![kind, u8::from(last)];
        packet.extend((bytes.len() as u16 + 8).to_be_bytes());
        packet.extend([0, 0, 1, 0]);
        packet.extend(bytes);
        packet
    }

    // SHA-1 of "abc", from FIPS 180.
    const ABC: &str = "A9993E364706816ABA3E25717850C26C9CD0D89D";

    #[test]
    fn the_certificate_is_found_inside_split_records_and_packets() {
        let message = certificate_message(b"abc");
        let (first, second) = message.split_at(15);
        let records = [record(first), record(second)].concat();
        let (head, tail) = records.split_at(22);
        let tape = [packet(4, true, &[0xff]), packet(0x12, false, head), packet(0x12, true, tail)].concat();
        assert_eq!(read(&tape), Seen { answered: true, thumbprint: Some(ABC.into()) });
    }

    #[test]
    fn tls_first_needs_no_packets() {
        assert_eq!(read(&record(&certificate_message(b"abc"))).thumbprint.as_deref(), Some(ABC));
    }

    #[test]
    fn a_cut_or_foreign_tape_gives_no_thumbprint_and_no_panic() {
        let whole = [packet(4, true, &[0xff]), packet(0x12, true, &record(&certificate_message(b"abc")))].concat();
        for cut in 0..whole.len() {
            assert_eq!(read(&whole[..cut]).thumbprint, None, "cut at {cut}");
        }
        assert!(!read(b"HTTP/1.1 400 Bad Request\r\n").answered);
        assert_eq!(read(&[4, 1, 0, 0, 0, 0, 0, 0, 0]).thumbprint, None);
    }

    #[test]
    fn a_tape_stops_growing_and_stops_once_read() {
        let tape = Tape::start();
        tape.add(&vec![7; TAPE_LIMIT + 10]);
        assert_eq!(tape.stop().len(), TAPE_LIMIT);
        tape.add(b"more");
        assert!(tape.stop().is_empty());
    }
}
