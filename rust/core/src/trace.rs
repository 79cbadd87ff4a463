//! What a support engineer reads: each statement with its time and outcome, in the debug stream of the operation under way
//! and in the trace file that the environment variable `PCHAT_LOG` names.
//!
//! Secrets are in neither: logins never become part of a statement or a document, and nothing else is written.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use chrono::Utc;

use crate::host::{Host, Level};

/// The variable that names the trace file. It is read once, at the first line.
pub const VARIABLE: &str = "PCHAT_LOG";

/// The longest line, in bytes; what is longer is cut and says so.
const LONGEST: usize = 8192;

/// Where a session's details go.
#[derive(Clone, Default)]
pub struct Trace {
    listener: Arc<Mutex<Option<Weak<dyn Host>>>>,
}

impl Trace {
    /// From now on the debug stream of this host hears them.
    pub fn listen(&self, host: &Arc<dyn Host>) {
        *self.listener.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::downgrade(host));
    }

    /// One line to the debug stream and the file.
    pub fn line(&self, area: &str, text: &str) {
        write(area, || text.to_string());
        let listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(host) = listener.and_then(|listener| listener.upgrade()) {
            host.message(Level::Debug, cut(&format!("{area}: {text}")).to_string());
        }
    }
}

/// One line to the file alone; its text is made only where there is a file.
pub fn write(area: &str, text: impl FnOnce() -> String) {
    static FILE: OnceLock<Option<Mutex<File>>> = OnceLock::new();
    let file = FILE.get_or_init(|| {
        let path = std::env::var_os(VARIABLE).filter(|path| !path.is_empty())?;
        // A trace that cannot be written is no reason to stop a failover.
        open(Path::new(&path)).ok().map(Mutex::new)
    });
    if let Some(file) = file {
        let line = line(area, &text());
        let _ = file.lock().unwrap_or_else(PoisonError::into_inner).write_all(line.as_bytes());
    }
}

fn open(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let about = format!("PersistentChatFailover {} for {}", env!("CARGO_PKG_VERSION"), std::env::consts::OS);
    file.write_all(line("begin", &about).as_bytes())?;
    Ok(file)
}

/// Time (UTC), process, area and text in one line: breaks within the text become spaces.
fn line(area: &str, text: &str) -> String {
    let now = Utc::now().format("%Y-%m-%dT%H:%M:%S%.3fZ");
    let text: String = cut(text).split(['\r', '\n']).map(str::trim).collect::<Vec<_>>().join(" ");
    format!("{now} {} {area}: {text}\n", std::process::id())
}

fn cut(text: &str) -> std::borrow::Cow<'_, str> {
    if text.len() <= LONGEST {
        return text.into();
    }
    let end = (0..=LONGEST).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    format!("{}… ({} bytes in all)", &text[..end], text.len()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_with_its_time() {
        let text = line("B\\RTC#53", "reading: SELECT 1\r\n  FROM x -> 1 row");
        assert!(text.ends_with(" B\\RTC#53: reading: SELECT 1  FROM x -> 1 row\n"), "{text}");
        assert_eq!(text.matches('\n').count(), 1);
        assert!(text.as_bytes()[4] == b'-' && text.contains("Z "), "{text}");
    }

    #[test]
    fn a_long_text_is_cut_between_letters() {
        let text = "ä".repeat(LONGEST);
        let cut = cut(&text);
        assert!(cut.len() < LONGEST + 64 && cut.ends_with(&format!("({} bytes in all)", 2 * LONGEST)));
    }

    #[test]
    fn a_file_begins_with_the_release_and_grows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trace.log");
        drop(open(&path).unwrap());
        drop(open(&path).unwrap());
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 2);
        assert!(text.contains("begin: PersistentChatFailover"), "{text}");
    }
}
