//! Value types: LSN, instance, paths on a server and on the client, pool state.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{de, Deserialize, Deserializer, Serialize, Serializer};

mod text;

pub use text::Text;

use crate::error::{Error, ErrorKind, Result};

/// The largest value of numeric(25,0).
const MAX_VALUE: u128 = 9_999_999_999_999_999_999_999_999;

/// A log sequence number, SQL Server's numeric(25,0). Ordinary values pass 63 bits.
///
/// Travels as a string of digits in documents. `Display` prints the digits; `parts` prints `sequence:block:slot`.
///
/// # Source
/// "Recover to a Log Sequence Number": sequence * 10^15 + block * 10^5 + slot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Lsn {
    // The numeric value, high part first: 25 digits need 84 bits, and each log backup has several.
    high: u32,
    middle: u32,
    low: u32,
}

impl Lsn {
    /// The largest value of numeric(25,0).
    pub const MAX: Lsn = Lsn::of(MAX_VALUE);
    pub const ZERO: Lsn = Lsn::of(0);

    /// An LSN from its numeric value; `None` beyond 25 digits.
    pub fn new(value: u128) -> Option<Lsn> {
        (value <= MAX_VALUE).then_some(Lsn::of(value))
    }

    /// The numeric value.
    pub fn value(self) -> u128 {
        (u128::from(self.high) << 64) | (u128::from(self.middle) << 32) | u128::from(self.low)
    }

    const fn of(value: u128) -> Lsn {
        Lsn { high: (value >> 64) as u32, middle: (value >> 32) as u32, low: value as u32 }
    }

    /// The form with colons that SQL Server's error log uses: `38876:162309:1`.
    pub fn parts(self) -> String {
        let value = self.value();
        let sequence = value / 1_000_000_000_000_000;
        let block = value / 100_000 % 10_000_000_000;
        format!("{sequence}:{block}:{}", value % 100_000)
    }
}

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.value())
    }
}

impl fmt::Debug for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lsn({self})")
    }
}

impl FromStr for Lsn {
    type Err = Error;

    /// Reads digits, or the decimal form with colons.
    fn from_str(text: &str) -> Result<Lsn> {
        let bad = || Error::new(ErrorKind::InvalidValue, format!("`{text}` is not an LSN")).with_target(text);
        let digits = |s: &str| -> Result<u128> {
            if s.is_empty() || s.len() > 25 || !s.bytes().all(|b| b.is_ascii_digit()) {
                return Err(bad());
            }
            s.parse().map_err(|_| bad())
        };
        let value = match text.split(':').collect::<Vec<_>>()[..] {
            [whole] => digits(whole)?,
            [sequence, block, slot] => {
                let (sequence, block, slot) = (digits(sequence)?, digits(block)?, digits(slot)?);
                if sequence > 9_999_999_999 || block > 9_999_999_999 || slot > 99_999 {
                    return Err(bad());
                }
                sequence * 1_000_000_000_000_000 + block * 100_000 + slot
            }
            _ => return Err(bad()),
        };
        Lsn::new(value).ok_or_else(bad)
    }
}

impl Serialize for Lsn {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Lsn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Lsn, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(|e: Error| de::Error::custom(e.message))
    }
}

/// An instance as the operator writes it: `host`, `host\instance` or `host,port`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct InstanceName {
    pub host: String,
    pub instance: Option<String>,
    pub port: Option<u16>,
}

impl FromStr for InstanceName {
    type Err = Error;

    fn from_str(text: &str) -> Result<InstanceName> {
        let bad = |why: &str| {
            Error::new(ErrorKind::InvalidValue, format!("`{}` is not the name of an instance: {why}.", shown(text)))
                .with_next("Write `host`, `host\\instance` or `host,port`.")
                .with_target(shown(text))
        };
        if text.len() > 300 {
            return Err(bad("it is too long"));
        }
        let trimmed = text.trim();
        let trimmed = trimmed.strip_prefix("tcp:").unwrap_or(trimmed);
        let (rest, port) = match trimmed.split_once(',') {
            Some((rest, port)) => {
                let port: u16 = port.trim().parse().map_err(|_| bad("the port is not a number from 1 to 65535"))?;
                if port == 0 {
                    return Err(bad("the port is 0"));
                }
                (rest, Some(port))
            }
            None => (trimmed, None),
        };
        let (host, instance) = match rest.split_once('\\') {
            Some((host, instance)) => (host, Some(instance)),
            None => (rest, None),
        };
        let host_ok = |s: &str| !s.is_empty() && s.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'));
        if !host_ok(host) {
            return Err(bad("the host has a character that no host name has, or is empty"));
        }
        if let Some(name) = instance {
            let ok = !name.is_empty()
                && name.chars().count() <= 16
                && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | '#'));
            if !ok {
                return Err(bad("the instance part is empty, longer than 16 characters or has a character that no instance name has"));
            }
        }
        let instance = instance.filter(|name| !name.eq_ignore_ascii_case("MSSQLSERVER"));
        Ok(InstanceName { host: host.to_string(), instance: instance.map(str::to_string), port })
    }
}

impl fmt::Display for InstanceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.host)?;
        if let Some(instance) = &self.instance {
            write!(f, "\\{instance}")?;
        }
        if let Some(port) = self.port {
            write!(f, ",{port}")?;
        }
        Ok(())
    }
}

/// A text cut to a length that fits a message, with control characters made visible.
pub fn shown(text: &str) -> String {
    let mut out: String = text.chars().take(128).flat_map(char::escape_debug).collect();
    out = out.replace("\\\\", "\\").replace("\\'", "'");
    if text.chars().count() > 128 {
        out.push('…');
    }
    out
}

/// A path as a SQL Server host sees it: Windows rules on every platform, never opened by this process. A clone shares the
/// text: a log backup's path stands in the listing, the plan and the run.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ServerPath(Text);

impl ServerPath {
    /// Takes the text as it stands; trailing separators are dropped but for a drive's root.
    pub fn new(text: impl Into<String>) -> ServerPath {
        let mut text: String = text.into();
        text = text.replace('/', "\\");
        while text.len() > 3 && text.ends_with('\\') {
            text.pop();
        }
        ServerPath(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text itself, shared.
    pub fn text(&self) -> Text {
        self.0.clone()
    }

    /// The path of a file in this folder.
    pub fn join(&self, name: &str) -> ServerPath {
        if self.0.ends_with('\\') {
            ServerPath(format!("{}{name}", self.0).into())
        } else {
            ServerPath(format!("{}\\{name}", self.0).into())
        }
    }

    /// The part behind the last separator.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('\\').next().unwrap_or_default()
    }

    /// The folder, where there is one.
    pub fn parent(&self) -> Option<ServerPath> {
        let at = self.0.rfind('\\')?;
        let cut = if at == 2 && self.0.as_bytes().get(1) == Some(&b':') { 3 } else { at };
        (cut > 0 && cut < self.0.len()).then(|| ServerPath(self.0[..cut].into()))
    }

    /// True for `\\server\share\…`.
    pub fn is_unc(&self) -> bool {
        self.0.starts_with("\\\\")
    }

    /// Compares as Windows does, without regard to case.
    pub fn same_as(&self, other: &ServerPath) -> bool {
        self.0.to_lowercase() == other.0.to_lowercase()
    }

    /// What is left of this path behind a folder that contains it, without a leading separator.
    pub fn strip_prefix(&self, folder: &ServerPath) -> Option<String> {
        let (whole, prefix) = (self.0.to_lowercase(), folder.0.to_lowercase());
        let rest = whole.strip_prefix(&prefix)?;
        if !(rest.is_empty() || rest.starts_with('\\') || prefix.ends_with('\\')) {
            return None;
        }
        let kept: String = self.0.chars().skip(folder.0.chars().count()).collect();
        Some(kept.trim_start_matches('\\').to_string())
    }
}

impl fmt::Display for ServerPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for ServerPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ServerPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<ServerPath, D::Error> {
        Text::deserialize(deserializer).map(ServerPath)
    }
}

/// A path as this process opens it. A clone shares it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClientPath(Arc<std::path::Path>);

impl ClientPath {
    pub fn new(path: impl Into<std::path::PathBuf>) -> ClientPath {
        ClientPath(path.into().into())
    }

    pub fn as_path(&self) -> &std::path::Path {
        &self.0
    }

    pub fn join(&self, name: &str) -> ClientPath {
        ClientPath(self.0.join(name).into())
    }
}

impl fmt::Display for ClientPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.display())
    }
}

/// True for a plain file name: no separator, no drive, no parent, no name that Windows reserves.
pub fn is_plain_file_name(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().to_ascii_uppercase();
    let reserved = matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL")
        || (stem.len() == 4
            && (stem.starts_with("COM") || stem.starts_with("LPT"))
            && stem.as_bytes()[3].is_ascii_digit());
    !name.is_empty()
        && name.len() <= 255
        && name != "."
        && name != ".."
        && !reserved
        && !name.ends_with([' ', '.'])
        && !name.chars().any(|c| c.is_control() || matches!(c, '\\' | '/' | ':' | '*' | '?' | '"' | '<' | '>' | '|'))
}

/// The state of a Persistent Chat pool.
///
/// # Source
/// `Set-CsPersistentChatState -PoolState`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PoolState {
    Normal,
    FailedOver,
}

impl PoolState {
    /// As the shell prints it.
    pub fn as_str(self) -> &'static str {
        match self {
            PoolState::Normal => "Normal",
            PoolState::FailedOver => "FailedOver",
        }
    }
}
