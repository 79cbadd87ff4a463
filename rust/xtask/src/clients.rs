//! Other people's TDS clients against the lab: what they accept, the product's driver did not just agree to by itself.

use std::path::{Path, PathBuf};

use crate::artifact::Artifacts;
use crate::process::{command, found, install_debian, root, run, run_quietly, target, Result};

/// Runs every client that can be had; names the others in one line each.
pub fn test(artifacts: &Artifacts) -> Result {
    let Some(python) = found("python3") else {
        println!("clients: not run, there is no python3 to drive them");
        return Ok(());
    };
    if found("tsql").is_none() {
        install_debian(&["freetds-bin"], "tsql as a TDS client");
    }
    let environment = python_packages(&python);
    let node = node_packages();
    let mut driver = command(environment.as_deref().unwrap_or(&python));
    driver.arg(root().join("tests/clients/run.py")).arg(&artifacts.lab);
    if let Some(node) = node {
        driver.arg("--node-modules").arg(node);
    }
    run(&mut driver)
}

/// A virtual environment with `python-tds` and `mssql-python`; `None` where it cannot be made.
fn python_packages(python: &Path) -> Option<PathBuf> {
    let folder = target().join("clients/python");
    let inside = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let done = folder.join("installed");
    if !done.is_file() {
        let environment = || run_quietly(command(python).args(["-m", "venv"]).arg(&folder));
        if environment().is_err() {
            // Debian keeps what a virtual environment needs in a package of its own.
            install_debian(&["python3-venv"], "Python's TDS clients");
            environment().ok()?;
        }
        let mut install = command(&inside);
        install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]);
        run_quietly(install.arg(root().join("tests/clients/requirements.txt"))).ok()?;
        std::fs::write(&done, "").ok()?;
    }
    Some(inside)
}

/// A folder with `tedious`; `None` where it cannot be had.
fn node_packages() -> Option<PathBuf> {
    let npm = found("npm")?;
    let folder = target().join("clients/node");
    if !folder.join("node_modules/tedious").is_dir() {
        std::fs::create_dir_all(&folder).ok()?;
        std::fs::copy(root().join("tests/clients/package.json"), folder.join("package.json")).ok()?;
        run_quietly(command(npm).args(["install", "--silent", "--no-audit", "--no-fund"]).current_dir(&folder)).ok()?;
    }
    Some(folder.join("node_modules"))
}
