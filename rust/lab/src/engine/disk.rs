//! Whose disk a path is on, whether the asking account may open it, and what the operating system says if not.
//!
//! Paths follow Windows rules on every platform: case does not matter, both slashes separate, a drive letter belongs to
//! one host. Nothing here uses the standard library's ideas of a path until the real folder is known.

use super::model::World;
use crate::faults::Fault;
use crate::scenario::Account;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

/// A simulated machine.
pub struct Host {
    pub name: String,
    pub fqdn: String,
    pub site: String,
    pub address: Ipv4Addr,
    /// Real folder that holds its drives and shares.
    pub folder: PathBuf,
    pub drives: Vec<Drive>,
    /// Nothing on it answers.
    pub lost: bool,
}

/// A drive of a host.
#[derive(Clone, Debug)]
pub struct Drive {
    pub letter: char,
    pub total_bytes: u64,
    pub free_bytes: u64,
}

/// A Windows error code as messages carry it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OsError(pub u32);

impl OsError {
    /// `5(Access is denied.)`.
    pub fn text(self) -> String {
        let text = match self.0 {
            2 => "The system cannot find the file specified.",
            3 => "The system cannot find the path specified.",
            5 => "Access is denied.",
            13 => "The data is invalid.",
            23 => "Data error (cyclic redundancy check).",
            32 => "The process cannot access the file because it is being used by another process.",
            38 => "Reached the end of the file.",
            53 => "The network path was not found.",
            67 => "The network name cannot be found.",
            112 => "There is not enough space on the disk.",
            123 => "The filename, directory name, or volume label syntax is incorrect.",
            _ => "failed to retrieve text for this error. Reason: 15105",
        };
        format!("{}({text})", self.0)
    }

    /// What Windows would say of a real error on `path`.
    pub fn of(error: &std::io::Error, path: &Path) -> Self {
        match error.kind() {
            std::io::ErrorKind::NotFound => match path.parent() {
                Some(parent) if parent.is_dir() => OsError(2),
                _ => OsError(3),
            },
            std::io::ErrorKind::PermissionDenied => OsError(5),
            _ => OsError(1117),
        }
    }
}

/// Who opens a file.
#[derive(Clone, Copy, Debug)]
pub struct Who {
    pub instance: usize,
    pub account: Account,
}

/// A path split by Windows rules.
#[derive(Clone, Debug, PartialEq)]
pub enum WindowsPath {
    Drive { letter: char, parts: Vec<String> },
    Unc { server: String, share: String, parts: Vec<String> },
}

impl WindowsPath {
    /// Splits an absolute path. `..` is resolved as Windows does, without looking at the disk.
    ///
    /// # Errors
    /// 123 for characters that no file name has, 3 for anything not absolute.
    pub fn parse(path: &str) -> Result<Self, OsError> {
        let mut text = path.trim_end().replace('/', "\\");
        if let Some(rest) = text.strip_prefix("\\\\?\\UNC\\") {
            text = format!("\\\\{rest}");
        } else if let Some(rest) = text.strip_prefix("\\\\?\\") {
            text = rest.to_owned();
        }
        let (unc, rest) = match text.strip_prefix("\\\\") {
            Some(rest) => (true, rest),
            None => (false, text.as_str()),
        };
        let mut head: Vec<String> = Vec::new();
        let mut parts: Vec<String> = Vec::new();
        let head_length = if unc { 2 } else { 1 };
        for part in rest.split('\\').filter(|p| !p.is_empty()) {
            if head.len() < head_length {
                head.push(part.to_owned());
            } else if part == ".." {
                parts.pop();
            } else if part != "." {
                if part.chars().any(|c| c < ' ' || "<>:\"|?*".contains(c)) {
                    return Err(OsError(123));
                }
                parts.push(part.trim_end_matches(['.', ' ']).to_owned());
            }
        }
        match (unc, head.as_slice()) {
            (true, [server, share]) => Ok(WindowsPath::Unc { server: server.clone(), share: share.clone(), parts }),
            (true, _) => Err(OsError(67)),
            (false, [drive]) => {
                let mut letters = drive.chars();
                match (letters.next(), letters.next(), letters.next()) {
                    (Some(letter), Some(':'), None) if letter.is_ascii_alphabetic() => {
                        Ok(WindowsPath::Drive { letter: letter.to_ascii_uppercase(), parts })
                    }
                    _ => Err(OsError(3)),
                }
            }
            (false, _) => Err(OsError(3)),
        }
    }

    /// The path as Windows prints it.
    pub fn text(&self) -> String {
        match self {
            WindowsPath::Drive { letter, parts } => format!("{letter}:\\{}", parts.join("\\")),
            WindowsPath::Unc { server, share, parts } => {
                let tail: String = parts.iter().map(|p| format!("\\{p}")).collect();
                format!("\\\\{server}\\{share}{tail}")
            }
        }
    }

    /// True when `self` is `folder` or lies below it.
    fn below(&self, folder: &WindowsPath) -> bool {
        let starts = |inner: &[String], outer: &[String]| {
            inner.len() >= outer.len() && inner.iter().zip(outer).all(|(a, b)| a.eq_ignore_ascii_case(b))
        };
        match (self, folder) {
            (WindowsPath::Drive { letter: a, parts: p }, WindowsPath::Drive { letter: b, parts: q }) => {
                a == b && starts(p, q)
            }
            (WindowsPath::Unc { share: a, parts: p, .. }, WindowsPath::Unc { share: b, parts: q, .. }) => {
                a.eq_ignore_ascii_case(b) && starts(p, q)
            }
            _ => false,
        }
    }
}

/// Finds `parts` below `folder` whatever their case; parts that do not exist are taken as written.
fn descend(folder: &Path, parts: &[String]) -> PathBuf {
    let mut at = folder.to_path_buf();
    for part in parts {
        let direct = at.join(part);
        if direct.exists() {
            at = direct;
            continue;
        }
        let found = std::fs::read_dir(&at).ok().and_then(|entries| {
            entries.flatten().find(|e| e.file_name().to_string_lossy().eq_ignore_ascii_case(part)).map(|e| e.path())
        });
        at = found.unwrap_or(direct);
    }
    at
}

impl World {
    /// The real path behind a server path, as `who` opens it.
    ///
    /// # Errors
    /// 3 (no such drive), 53 (no such server, or it is dead), 67 (no such share), 5 (no right), 123.
    pub fn resolve(&self, who: Who, path: &str, write: bool) -> Result<PathBuf, OsError> {
        let parsed = WindowsPath::parse(path)?;
        let own_host = self.instances[who.instance].host;
        let (host, folder, parts) = match &parsed {
            WindowsPath::Drive { letter, parts } => {
                let host = &self.hosts[own_host];
                if !host.drives.iter().any(|d| d.letter == *letter) {
                    return Err(OsError(3));
                }
                (own_host, host.folder.join(letter.to_string()), parts)
            }
            WindowsPath::Unc { server, share, parts } => {
                let host = self.find_host(server).ok_or(OsError(53))?;
                if self.hosts[host].lost || self.share_fault(server, share, |f| matches!(f, Fault::ShareLost { .. })) {
                    return Err(OsError(53));
                }
                let denied = self.share_fault(server, share, |f| match f {
                    Fault::ShareDenied { account, instance, .. } => {
                        account.is_none_or(|a| a == who.account)
                            && instance.as_ref().is_none_or(|i| self.find_instance(i) == Some(who.instance))
                    }
                    _ => false,
                });
                if denied {
                    return Err(OsError(5));
                }
                (host, self.share_folder(host, share).ok_or(OsError(67))?, parts)
            }
        };
        let mut decided: Option<(usize, bool)> = None;
        for rule in &self.rights {
            let Ok(location) = WindowsPath::parse(&rule.path) else { continue };
            let same_place = match &location {
                WindowsPath::Drive { .. } => host == own_host,
                WindowsPath::Unc { server, .. } => self.find_host(server) == Some(host),
            };
            let same_account = rule.account == who.account
                && rule.instance.as_ref().is_none_or(|i| self.find_instance(i) == Some(who.instance));
            if same_place && same_account && parsed.below(&location) {
                let length = rule.path.len();
                if decided.is_none_or(|(longest, _)| length >= longest) {
                    decided = Some((length, if write { rule.write } else { rule.read }));
                }
            }
        }
        if decided.is_some_and(|(_, allowed)| !allowed) {
            return Err(OsError(5));
        }
        Ok(descend(&folder, parts))
    }

    /// Real folder of a share.
    pub fn share_folder(&self, host: usize, share: &str) -> Option<PathBuf> {
        let on = &self.hosts[host];
        let known =
            self.shares.iter().find(|s| self.find_host(&s.host) == Some(host) && s.name.eq_ignore_ascii_case(share))?;
        Some(on.folder.join(&known.name))
    }

    /// Real folder behind a UNC path or a drive path of `host`, as nobody in particular.
    pub fn real_path(&self, host: usize, path: &str) -> Option<PathBuf> {
        match WindowsPath::parse(path).ok()? {
            WindowsPath::Drive { letter, parts } => {
                Some(descend(&self.hosts[host].folder.join(letter.to_string()), &parts))
            }
            WindowsPath::Unc { server, share, parts } => {
                let on = self.find_host(&server)?;
                Some(descend(&self.share_folder(on, &share)?, &parts))
            }
        }
    }

    fn share_fault(&self, server: &str, share: &str, fits: impl Fn(&Fault) -> bool) -> bool {
        self.faults.iter().any(|fault| {
            let named = match fault {
                Fault::ShareLost { share } | Fault::ShareDenied { share, .. } => share,
                _ => return false,
            };
            let same = match WindowsPath::parse(named) {
                Ok(WindowsPath::Unc { server: s, share: n, .. }) => {
                    self.find_host(&s) == self.find_host(server) && n.eq_ignore_ascii_case(share)
                }
                _ => false,
            };
            same && fits(fault)
        })
    }

    /// Free bytes on the drive or share behind a path; shares have the space of their host's first drive.
    pub fn free_bytes(&self, instance: usize, path: &str) -> u64 {
        let (host, letter) = match WindowsPath::parse(path) {
            Ok(WindowsPath::Drive { letter, .. }) => (self.instances[instance].host, Some(letter)),
            Ok(WindowsPath::Unc { server, .. }) => match self.find_host(&server) {
                Some(host) => (host, None),
                None => return 0,
            },
            Err(_) => return 0,
        };
        let limit = self.faults.iter().find_map(|f| match f {
            Fault::NoSpace { host: on, drive, free_bytes } if self.find_host(on) == Some(host) => {
                let named = drive.chars().next().map(|c| c.to_ascii_uppercase());
                (letter.is_none() || named == letter).then_some(*free_bytes)
            }
            _ => None,
        });
        let drives = &self.hosts[host].drives;
        let drive = letter.map_or(drives.first(), |l| drives.iter().find(|d| d.letter == l));
        limit.unwrap_or_else(|| drive.map_or(0, |d| d.free_bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_follow_windows_rules() {
        let parse = |p: &str| WindowsPath::parse(p).map(|p| p.text());
        assert_eq!(parse("e:/LSCopy/../x.trn"), Ok("E:\\x.trn".into()));
        assert_eq!(parse("\\\\?\\UNC\\fs1\\LogShip\\a"), Ok("\\\\fs1\\LogShip\\a".into()));
        assert_eq!(parse("E:\\a|b"), Err(OsError(123)));
        assert_eq!(parse("LSCopy\\x"), Err(OsError(3)));
        assert_eq!(parse("\\\\fs1"), Err(OsError(67)));
    }
}
