//! The crates that are inside what ships, as cargo knows them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::Value;

use super::Platform;
use crate::process::{command, root, run_quietly, told, Result, Stop};

/// One crate of one version.
#[derive(Debug, Clone, Default)]
pub struct Crate {
    pub name: String,
    pub version: String,
    /// The SPDX expression, as its manifest has it.
    pub licence: String,
    pub authors: Vec<String>,
    pub repository: String,
    /// Where its source lies on this machine.
    pub folder: PathBuf,
    /// SHA-256 of its package; empty for our own.
    pub checksum: String,
    /// Platforms whose files hold it.
    pub platforms: BTreeSet<&'static str>,
}

impl Crate {
    /// True for the project's own.
    pub fn is_ours(&self) -> bool {
        self.folder.starts_with(root())
    }
}

/// Every crate that is linked into library or lab, by name and version.
pub fn shipped(platforms: &[Platform]) -> Result<Vec<Crate>> {
    let known = known()?;
    let checksums = checksums()?;
    let mut out = BTreeMap::<(String, String), Crate>::new();
    for platform in platforms {
        for package in ["pchat-ffi", "pchat-lab"] {
            let mut tree = command("cargo");
            tree.args(["tree", "--quiet", "--locked", "--edges", "normal,no-proc-macro", "--prefix", "none"]);
            tree.args(["--no-dedupe", "--format", "{p}", "--target", platform.target, "--package", package]);
            for line in run_quietly(&mut tree)?.lines() {
                let mut words = line.split_whitespace();
                let (Some(name), Some(version)) = (words.next(), words.next().map(|v| v.trim_start_matches('v')))
                else {
                    continue;
                };
                let key = (name.to_string(), version.to_string());
                let Some(about) = known.get(&key) else {
                    return told(format!("cargo does not know {name} {version}, which is linked in"));
                };
                let entry = out.entry(key.clone()).or_insert_with(|| Crate {
                    checksum: checksums.get(&key).cloned().unwrap_or_default(),
                    ..about.clone()
                });
                entry.platforms.insert(platform.folder);
            }
        }
    }
    Ok(out.into_values().collect())
}

fn known() -> Result<BTreeMap<(String, String), Crate>> {
    let text = run_quietly(command("cargo").args(["metadata", "--quiet", "--locked", "--format-version", "1"]))?;
    let all: Value = serde_json::from_str(&text).map_err(|e| Stop::Told(format!("cargo metadata: {e}")))?;
    let packages = all["packages"].as_array().cloned().unwrap_or_default();
    Ok(packages.iter().map(|package| (key(package), about(package))).collect())
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_string()
}

fn key(package: &Value) -> (String, String) {
    (word(&package["name"]), word(&package["version"]))
}

fn about(package: &Value) -> Crate {
    let authors = package["authors"].as_array().into_iter().flatten().map(word).collect();
    Crate {
        name: word(&package["name"]),
        version: word(&package["version"]),
        // An old way to write a choice.
        licence: word(&package["license"]).replace('/', " OR "),
        authors,
        repository: word(&package["repository"]),
        folder: PathBuf::from(word(&package["manifest_path"])).parent().map(PathBuf::from).unwrap_or_default(),
        ..Crate::default()
    }
}

/// Checksums out of Cargo.lock.
fn checksums() -> Result<BTreeMap<(String, String), String>> {
    let path = root().join("Cargo.lock");
    let text =
        std::fs::read_to_string(&path).map_err(|source| Stop::File { path: path.display().to_string(), source })?;
    Ok(text
        .split("[[package]]")
        .filter_map(|entry| {
            let value = |name: &str| {
                entry.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = \"")?.strip_suffix('"'))
            };
            Some(((value("name")?.to_string(), value("version")?.to_string()), value("checksum")?.to_string()))
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_file_gives_checksums() {
        let all = checksums().unwrap();
        assert!(all.len() > 100);
        assert!(all.values().all(|sum| sum.len() == 64));
        assert!(all.keys().any(|(name, version)| name == "native-tls" && version == "0.2.14"));
    }
}
