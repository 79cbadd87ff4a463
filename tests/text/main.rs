//! What can be read as text: manifest, header, error table and docs agree with the code.

mod contract;
mod docs;
mod errors;
mod sources;
mod versions;

use std::path::{Path, PathBuf};

/// A file of the project.
fn read(path: &str) -> String {
    let file = root().join(path);
    std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{path}: {e}")).replace("\r\n", "\n")
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The files below a folder of the project that end so, as paths from the project's folder; what is built is left out.
fn files(folder: &str, endings: &[&str]) -> Vec<String> {
    let mut out = Vec::new();
    let mut waiting = vec![root().join(folder)];
    while let Some(at) = waiting.pop() {
        for entry in std::fs::read_dir(&at).unwrap_or_else(|e| panic!("{}: {e}", at.display())) {
            let path = entry.expect("an entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && !["target", "native", "bin", "obj"].contains(&name.as_str()) {
                waiting.push(path);
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                out.push(slashed(path.strip_prefix(root()).expect("below the project")));
            }
        }
    }
    out.sort();
    assert!(!out.is_empty(), "{folder} has files");
    out
}

fn slashed(path: &Path) -> String {
    path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// The cmdlets that the manifest exports.
fn cmdlets() -> Vec<String> {
    let manifest = read("PersistentChatFailover.psd1");
    let list = manifest.split("CmdletsToExport").nth(1).and_then(|rest| rest.split(')').next()).expect("a list");
    let names: Vec<String> = list.split('\'').filter(|part| part.contains("-PChat")).map(str::to_string).collect();
    assert!(!names.is_empty());
    names
}
