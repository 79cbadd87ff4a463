//! The package: the module's folder as PowerShell wants it.

use std::path::{Path, PathBuf};

use crate::artifact::{library_name, platform, program_name};
use crate::managed;
use crate::process::{command, copy, files, root, run as run_command, target, Result, Stop};

/// The verb: builds release code without crash points and lays the module out in `target/package/`.
pub fn run(_arguments: &[&str]) -> Result {
    run_command(command("cargo").args(["build", "--locked", "--release", "-p", "pchat-ffi", "-p", "pchat-lab"]))?;
    managed::build()?;
    let folder = target().join("package/PersistentChatFailover");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(|source| Stop::File { path: folder.display().to_string(), source })?;
    }
    for file in module_files() {
        copy(&root().join(&file), &folder.join(&file))?;
    }
    let native = Path::new("module/native").join(platform());
    copy(&target().join("release").join(library_name()), &folder.join(&native).join(library_name()))?;
    let lab = program_name("pchat-lab");
    copy(&target().join("release").join(&lab), &folder.join(&native).join(&lab))?;
    println!("package: {}", folder.display());
    Ok(())
}

/// What ships beside the native files, relative to the project.
fn module_files() -> Vec<PathBuf> {
    let mut out =
        vec![PathBuf::from("PersistentChatFailover.psd1"), PathBuf::from("module/PersistentChatFailover.dll")];
    for (folder, extension) in [
        ("en-US", "xml"),
        ("en-US", "txt"),
        ("module", "ps1xml"),
        ("module/lab", "psd1"),
        ("module/lab", "psm1"),
        ("module/lab", "ps1"),
    ] {
        out.extend(
            files(&root().join(folder), extension)
                .iter()
                .filter_map(|f| f.strip_prefix(root()).ok().map(Path::to_path_buf)),
        );
    }
    out
}
