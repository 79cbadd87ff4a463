//! Benchmarks: overlapped copy and restore against the plain sequence, memory by file size and number, and the import.

use crate::artifact::{build, lay_out, Artifacts};
use crate::process::{command, found, root, run as run_command, Result};

/// The one that a shell runs; the others are `figures` of the tests' package.
const IMPORT: &str = "import";

/// The verb. Names choose among the benchmarks; all of them without one.
pub fn run(arguments: &[&str]) -> Result {
    let artifacts = build()?;
    let figures: Vec<&str> = arguments.iter().copied().filter(|name| *name != IMPORT).collect();
    if arguments.is_empty() || !figures.is_empty() {
        run_figures(&artifacts, &figures)?;
    }
    if arguments.is_empty() || arguments.contains(&IMPORT) {
        import(&artifacts)?;
    }
    Ok(())
}

/// How long `Import-Module` takes, where there is a shell.
fn import(artifacts: &Artifacts) -> Result {
    let Some(shell) = found("pwsh") else {
        println!("import: not measured, there is no pwsh on PATH");
        return Ok(());
    };
    lay_out(artifacts)?;
    run_command(
        command(shell)
            .args(["-NoLogo", "-NoProfile", "-NonInteractive", "-File"])
            .arg(root().join("tests/benches/Measure-Import.ps1"))
            .env("NO_COLOR", "1"),
    )
}

fn run_figures(artifacts: &Artifacts, names: &[&str]) -> Result {
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
            .args(names)
            .env("PCHAT_TEST_LIBRARY", &artifacts.library)
            .env("PCHAT_TEST_LAB", &artifacts.lab)
            .env("PCHAT_TEST_HOST", &artifacts.host),
    )
}
