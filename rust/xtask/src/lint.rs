//! Formatting and clippy.

use crate::process::{command, run, Result};

/// Fails where the code is not formatted or clippy has something to say.
pub fn run_lint() -> Result {
    run(command("cargo").args(["fmt", "--all", "--check"]))?;
    run(command("cargo").args([
        "clippy",
        "--quiet",
        "--locked",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))
}
