//! What can be read as text: manifest, header, error table and docs agree with the code.

mod errors;
mod versions;

use std::path::PathBuf;

/// A file of the project.
fn read(path: &str) -> String {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{path}: {e}")).replace("\r\n", "\n")
}
