//! Benchmarks: overlapped copy and restore against the plain sequence, and memory by file size and number.

use crate::artifact::build;
use crate::process::{command, run as run_command, Result};

/// The verb. Names choose among the benchmarks; all of them without one.
pub fn run(arguments: &[&str]) -> Result {
    let artifacts = build()?;
    run_command(
        command("cargo")
            .args([
                "bench",
                "--quiet",
                "--locked",
                "--profile",
                "drill",
                "-p",
                "pchat-tests",
                "--bench",
                "figures",
                "--",
            ])
            .args(arguments)
            .env("PCHAT_TEST_LIBRARY", &artifacts.library)
            .env("PCHAT_TEST_LAB", &artifacts.lab)
            .env("PCHAT_TEST_HOST", &artifacts.host),
    )
}
