//! The licences of everything inside that is not ours: a list first, then each text once.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::crates::Crate;
use super::Platform;
use crate::process::{told, Result};

/// What comes with the compilers rather than as a crate.
pub fn beside_crates(platforms: &[Platform]) -> Vec<(&'static str, String, &'static str, &'static str)> {
    let mut out = Vec::new();
    for platform in platforms {
        out.push((
            "Rust standard library",
            platform.compiler.clone(),
            "MIT OR Apache-2.0",
            "https://github.com/rust-lang/rust",
        ));
        if platform.folder == "win-x64" {
            let of = "as in Debian's mingw-w64".to_string();
            out.push(("mingw-w64 runtime", of.clone(), "ZPL-2.1 AND MIT", "https://www.mingw-w64.org"));
            let exception = "GPL-3.0-or-later WITH GCC-exception-3.1";
            out.push(("libgcc", of, exception, "https://gcc.gnu.org"));
        }
    }
    out.push(("SQLite (in the lab)", "as bundled by libsqlite3-sys".to_string(), "blessing", "https://sqlite.org"));
    out.sort();
    out.dedup();
    out
}

/// The whole text. A crate without a licence in its manifest is an error.
pub fn text(crates: &[Crate], platforms: &[Platform]) -> Result<String> {
    let theirs: Vec<&Crate> = crates.iter().filter(|one| !one.is_ours()).collect();
    let mut out = String::from(
        "PersistentChatFailover is under the MIT licence, see LICENSE. Its native files hold the work of others, listed\n\
         here with their licences as their packages state them; the texts follow below.\n\n",
    );
    for one in &theirs {
        if one.licence.is_empty() {
            return told(format!("{} {} states no licence", one.name, one.version));
        }
        let on: Vec<&str> = one.platforms.iter().copied().collect();
        let _ = writeln!(out, "{} {}: {} ({}) {}", one.name, one.version, one.licence, on.join(", "), one.repository);
    }
    for (name, version, licence, home) in beside_crates(platforms) {
        let _ = writeln!(out, "{name}, {version}: {licence} {home}");
    }
    for (text, names) in texts(&theirs) {
        let _ = write!(out, "\n{}\n{}\n\n{}\n", "-".repeat(78), names.join(", "), text.trim_end());
    }
    Ok(out)
}

/// Each licence text once, with the crates that bring it, in the order of their names.
fn texts(crates: &[&Crate]) -> Vec<(String, Vec<String>)> {
    let mut by_text = BTreeMap::<String, Vec<String>>::new();
    for one in crates {
        for file in licence_files(&one.folder) {
            let Ok(bytes) = std::fs::read(&file) else { continue };
            let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n").trim().to_string();
            by_text.entry(text).or_default().push(format!("{} {}", one.name, one.version));
        }
    }
    let mut out: Vec<(String, Vec<String>)> = by_text.into_iter().filter(|(text, _)| !text.is_empty()).collect();
    out.iter_mut().for_each(|(_, names)| names.dedup());
    out.sort_by(|a, b| a.1.cmp(&b.1).then_with(|| a.0.cmp(&b.0)));
    out
}

fn licence_files(folder: &Path) -> Vec<PathBuf> {
    let is_one = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
        path.is_file() && ["LICEN", "COPYING", "NOTICE", "UNLICENSE"].iter().any(|start| name.starts_with(start))
    };
    let mut out: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path()).filter(is_one).collect();
    out.sort();
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &str, licence: &str, folder: &Path) -> Crate {
        Crate {
            name: name.to_string(),
            version: "1.0.0".to_string(),
            licence: licence.to_string(),
            folder: folder.to_path_buf(),
            ..Crate::default()
        }
    }

    #[test]
    fn a_text_that_two_crates_bring_stands_there_once() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(first.path().join("LICENSE-MIT"), "do as you like\r\n").unwrap();
        std::fs::write(second.path().join("license.txt"), "do as you like\n").unwrap();
        let all = text(&[one("a", "MIT", first.path()), one("b", "MIT", second.path())], &[]).unwrap();
        assert_eq!(all.matches("do as you like").count(), 1);
        assert!(all.contains("a 1.0.0, b 1.0.0\n"), "{all}");
    }

    #[test]
    fn a_crate_without_a_licence_stops_the_package() {
        let folder = tempfile::tempdir().unwrap();
        assert!(text(&[one("a", "", folder.path())], &[]).is_err());
    }
}
