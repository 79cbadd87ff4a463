//! syslog, through its socket.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use super::{Entry, Severity, SOURCE};

const SOCKETS: [&str; 2] = ["/dev/log", "/var/run/syslog"];

/// Facility `user`.
const FACILITY: u8 = 1 << 3;

/// Sends an entry to the first socket that takes it. Never waits.
pub(super) fn write(entry: &Entry) -> io::Result<()> {
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for socket in SOCKETS {
        match send(Path::new(socket), entry) {
            Ok(()) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn send(socket: &Path, entry: &Entry) -> io::Result<()> {
    let sender = UnixDatagram::unbound()?;
    sender.set_nonblocking(true)?;
    sender.send_to(line(entry).as_bytes(), socket).map(drop)
}

/// # Source
/// RFC 3164, 4.1: priority, tag and content; the daemon adds time and host.
fn line(entry: &Entry) -> String {
    let severity = match entry.severity {
        Severity::Information => 6,
        Severity::Warning => 4,
        Severity::Error => 3,
    };
    format!("<{}>{SOURCE}[{}]: {} {}", FACILITY | severity, std::process::id(), entry.id, entry.text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemon_gets_priority_tag_id_and_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let daemon = UnixDatagram::bind(&path).unwrap();
        let entry = Entry { id: 1004, severity: Severity::Error, text: "failover failed".to_string() };
        send(&path, &entry).unwrap();
        let mut buffer = [0; 256];
        let length = daemon.recv(&mut buffer).unwrap();
        let wanted = format!("<11>PersistentChatFailover[{}]: 1004 failover failed", std::process::id());
        assert_eq!(String::from_utf8_lossy(&buffer[..length]), wanted);
    }

    #[test]
    fn no_daemon_is_an_error_and_no_wait() {
        let folder = tempfile::tempdir().unwrap();
        let entry = Entry { id: 1000, severity: Severity::Information, text: String::new() };
        assert!(send(&folder.path().join("none"), &entry).is_err());
    }
}
