//! Benchmarks: overlapped copy and restore against the plain sequence, and memory by file size and number.

use crate::artifact::build;
use crate::process::{command, root, run as run_command, told, Result};

/// The verb.
pub fn run(arguments: &[&str]) -> Result {
    let artifacts = build()?;
    if !root().join("tests/benches").is_dir() {
        return told("there are no benchmarks in tests/benches");
    }
    run_command(
        command("cargo")
            .args(["bench", "--locked", "-p", "pchat-tests", "--"])
            .args(arguments)
            .env("PCHAT_TEST_LIBRARY", &artifacts.library)
            .env("PCHAT_TEST_LAB", &artifacts.lab)
            .env("PCHAT_TEST_HOST", &artifacts.host),
    )
}
