//! What ships, and the list of its hashes.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::process::{files, root, Result, Stop};

/// The module's name, which is its folder's.
pub const MODULE: &str = "PersistentChatFailover";

/// The list that `Test-PChatInstallation` reads.
pub const HASHES: &str = "SHA256SUMS.txt";

/// Files of the project and their places in the module, without the native ones.
pub fn files_of_module() -> Vec<(PathBuf, PathBuf)> {
    let mut out: Vec<(PathBuf, PathBuf)> = [
        ("PersistentChatFailover.psd1", "PersistentChatFailover.psd1"),
        ("module/PersistentChatFailover.dll", "module/PersistentChatFailover.dll"),
        ("CHANGELOG.md", "CHANGELOG.md"),
        ("LICENSE", "LICENSE"),
    ]
    .map(|(from, to)| (PathBuf::from(from), PathBuf::from(to)))
    .to_vec();
    for (folder, extension) in [
        ("en-US", "xml"),
        ("en-US", "txt"),
        ("module", "ps1xml"),
        ("module/lab", "psd1"),
        ("module/lab", "psm1"),
        ("module/lab", "ps1"),
        ("docs", "md"),
        ("docs", "ps1"),
        ("tests/real", "ps1"),
        ("tests/real", "md"),
    ] {
        let found = files(&root().join(folder), extension);
        let inside = found.iter().filter_map(|file| file.strip_prefix(root()).ok());
        out.extend(inside.map(|file| (file.to_path_buf(), file.to_path_buf())));
    }
    out.sort();
    out.dedup();
    out
}

/// All files below a folder, as slashed paths from it, sorted.
pub fn inside(folder: &Path) -> Vec<String> {
    let mut out = Vec::new();
    let mut waiting = vec![folder.to_path_buf()];
    while let Some(at) = waiting.pop() {
        for entry in std::fs::read_dir(&at).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                waiting.push(path);
            } else if let Ok(name) = path.strip_prefix(folder) {
                let parts: Vec<String> =
                    name.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
                out.push(parts.join("/"));
            }
        }
    }
    out.sort();
    out
}

/// One line a file: its SHA-256, two spaces, its path. The list itself is left out.
pub fn hashes(folder: &Path) -> Result<String> {
    let mut out = String::new();
    for name in inside(folder).into_iter().filter(|name| name != HASHES) {
        let path = folder.join(&name);
        let bytes = std::fs::read(&path).map_err(|source| Stop::File { path: path.display().to_string(), source })?;
        let _ = writeln!(out, "{}  {name}", sha256(&bytes));
    }
    Ok(out)
}

/// In lower-case hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_the_known_one_and_every_file_has_its_line() {
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("b")).unwrap();
        for name in ["z", "b/a", HASHES] {
            std::fs::write(folder.path().join(name), name).unwrap();
        }
        let list = hashes(folder.path()).unwrap();
        let names: Vec<&str> = list.lines().map(|line| &line[66..]).collect();
        assert_eq!(names, ["b/a", "z"]);
    }

    #[test]
    fn manifest_help_format_stand_ins_and_documents_ship() {
        let to: Vec<String> =
            files_of_module().iter().map(|(_, to)| to.display().to_string().replace('\\', "/")).collect();
        for wanted in [
            "PersistentChatFailover.psd1",
            "module/PersistentChatFailover.Format.ps1xml",
            "module/lab/PChatLab.Lync/PChatLab.Lync.psd1",
            "docs/errors.md",
            "en-US/about_PersistentChatFailover.help.txt",
        ] {
            assert!(to.iter().any(|name| name == wanted), "{wanted} is not in {to:?}");
        }
        assert!(!to.iter().any(|name| name.contains("native/") || name.ends_with(".cs")));
    }
}
