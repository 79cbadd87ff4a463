//! Every test, in order of how quickly it tells something. Each part prints its runner's own closing lines.

use std::path::Path;
use std::time::Instant;

use crate::artifact::{self, Artifacts};
use crate::process::{command, found, root, run as run_command, run_quietly, told, Result};
use crate::wine::windows_path;
use crate::{clients, gates, header, help, lint, managed, package, program_c, windows};

const PARTS: [&str; 10] = ["lint", "header", "rust", "c", "module", "gates", "pester", "package", "clients", "windows"];

/// The verb: all parts, or the named ones.
pub fn run(arguments: &[&str]) -> Result {
    if let Some(unknown) = arguments.iter().find(|a| !PARTS.contains(a)) {
        return told(format!("there is no part `{unknown}`; there are {}", PARTS.join(", ")));
    }
    let wanted = |part: &str| arguments.is_empty() || arguments.contains(&part);
    let mut built: Option<Artifacts> = None;
    let mut failed = Vec::new();
    for part in PARTS.into_iter().filter(|part| wanted(part)) {
        println!("\n== {part}");
        let started = Instant::now();
        let outcome = match part {
            "lint" => lint::run_lint(),
            "header" => header::run(false).and_then(|()| help::run(false)),
            "gates" => gates::test(),
            "windows" => windows::test(),
            _ => artifacts(&mut built).and_then(|artifacts| with_artifacts(part, artifacts)),
        };
        match outcome {
            Ok(()) => println!("== {part}: passed in {:.0} s", started.elapsed().as_secs_f64()),
            Err(why) => {
                println!("== {part}: FAILED: {why}");
                failed.push(part);
            }
        }
    }
    if failed.is_empty() {
        println!("\nAll parts passed.");
        Ok(())
    } else {
        told(format!("these parts failed: {}", failed.join(", ")))
    }
}

fn artifacts(built: &mut Option<Artifacts>) -> Result<&Artifacts> {
    match built {
        Some(artifacts) => Ok(artifacts),
        None => Ok(built.insert(artifact::build()?)),
    }
}

fn with_artifacts(part: &str, artifacts: &Artifacts) -> Result {
    match part {
        "rust" => rust(artifacts),
        "c" => program_c::test(artifacts),
        // Only these want a C# compiler: the others run where none can be had.
        "module" => managed::test(artifacts),
        "pester" => pester(artifacts),
        "package" => package::test(artifacts),
        _ => clients::test(artifacts),
    }
}

/// `cargo test` of the workspace; the tests package finds the built library, lab and host through the environment.
fn rust(artifacts: &Artifacts) -> Result {
    let mut test = command("cargo");
    // A test that fails hides nothing of what comes after it.
    test.args(["test", "--locked", "--workspace", "--no-fail-fast"]);
    if cfg!(windows) {
        // A running program cannot be overwritten there.
        test.args(["--exclude", "xtask"]);
    }
    run_command(
        test.env("PCHAT_TEST_LIBRARY", &artifacts.library)
            .env("PCHAT_TEST_LAB", &artifacts.lab)
            .env("PCHAT_TEST_HOST", &artifacts.host)
            // Whole runs mostly wait, for time limits and for the lab's pool.
            .env("RUST_TEST_THREADS", "8"),
    )
}

/// The Pester suite in a real engine, where there is one.
fn pester(artifacts: &Artifacts) -> Result {
    let shell = found("pwsh").or_else(|| found("powershell"));
    let Some(shell) = shell else {
        println!("pester: not run, there is no PowerShell on PATH; binding, prompts, Ctrl+C and help were not tested");
        return Ok(());
    };
    artifact::lay_out(artifacts)?;
    run_command(
        command(shell)
            .args(["-NoLogo", "-NoProfile", "-NonInteractive", "-File"])
            .arg(root().join("tests/module/Invoke-Suite.ps1"))
            .env("NO_COLOR", "1"),
    )
}

/// The same in a PowerShell for Windows under wine. Its exit code says nothing without a console: the closing line decides.
pub fn pester_under_wine(shell: &Path) -> Result {
    let mut start = command(shell);
    start.arg("-File").arg(windows_path(&root().join("tests/module/Invoke-Suite.ps1"))).args(["-AtOnce", "2"]);
    let said = run_quietly(start.env("NO_COLOR", "1").env("PCHAT_TEST_ENCRYPT", "Optional"))?;
    print!("{said}");
    let closing = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("nothing was said");
    if closing.contains(" passed, 0 failed,") {
        Ok(())
    } else {
        told(format!("pester under wine: {closing}"))
    }
}
