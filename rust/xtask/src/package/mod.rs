//! The package: one zip that holds the module as PowerShell wants it, for Windows and Linux.

mod archive;
mod bill;
mod contents;
mod crates;
mod licences;
mod tried;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::artifact::{library_name, program_name, Artifacts};
use crate::managed;
use crate::process::{command, copy, root, run as run_command, run_quietly, target, told, Result, Stop};
use crate::win7;
use crate::windows::check_imports;

pub use contents::MODULE;
pub use tried::{test, test_under_wine};

/// The native files of one platform.
pub struct Platform {
    /// `win-x64` or `linux-x64`, the folder's name in the module.
    pub folder: &'static str,
    /// The compiler's name for it.
    pub target: &'static str,
    pub artifacts: Artifacts,
    pub compiler: String,
}

/// The verb. `--windows` wants the Windows files and fails without them; `--check` builds all of it twice and compares.
pub fn run(arguments: &[&str]) -> Result {
    if let Some(unknown) = arguments.iter().find(|a| !["--windows", "--check"].contains(a)) {
        return told(format!("package knows --windows and --check, not {unknown}"));
    }
    let insist = arguments.contains(&"--windows");
    let first = whole(insist, &target().join("package"))?;
    if arguments.contains(&"--check") {
        twice(insist, &first)?;
    }
    Ok(())
}

/// Builds release code without crash points for every platform that can be built here, and the zip of it.
fn whole(insist: bool, out: &Path) -> Result<PathBuf> {
    let mut platforms = Vec::new();
    match win7::toolchain() {
        Ok(toolchain) => {
            let artifacts = toolchain.build("release", &["pchat-ffi", "pchat-lab"], &[])?;
            check_imports(&artifacts, &toolchain)?;
            let compiler = toolchain.version.clone();
            platforms.push(Platform { folder: "win-x64", target: win7::TARGET, artifacts, compiler });
        }
        Err(why) if insist => return told(format!("the package for Windows cannot be built here: {why}")),
        Err(why) => println!("package: without the files for Windows: {why}"),
    }
    if cfg!(target_os = "linux") {
        platforms.insert(0, linux()?);
    }
    managed::build()?;
    let zip = assemble(&platforms, out)?;
    println!("package: {}", zip.display());
    Ok(zip)
}

fn linux() -> Result<Platform> {
    let sysroot = PathBuf::from(run_quietly(command("rustc").args(["--print", "sysroot"]))?.trim());
    let mut cargo = command("cargo");
    cargo.args(["build", "--quiet", "--locked", "--release", "-p", "pchat-ffi", "-p", "pchat-lab", "--target-dir"]);
    // A folder of its own: with flags for all crates, nothing else could be kept there.
    let folder = target().join("linux");
    run_command(
        cargo
            .arg(&folder)
            .env("CARGO_ENCODED_RUSTFLAGS", win7::remapped(&sysroot).join("\u{1f}"))
            .env("CFLAGS", format!("-ffile-prefix-map={}=/cargo", win7::cargo_home().display()))
            .env_remove("RUSTFLAGS"),
    )?;
    let compiler = run_quietly(command("rustc").arg("--version"))?.trim().to_string();
    Ok(native("linux-x64", "x86_64-unknown-linux-gnu", &folder.join("release"), compiler))
}

fn native(name: &'static str, triple: &'static str, folder: &Path, compiler: String) -> Platform {
    let artifacts = Artifacts {
        library: folder.join(library_name()),
        lab: folder.join(program_name("pchat-lab")),
        host: PathBuf::new(),
    };
    Platform { folder: name, target: triple, artifacts, compiler }
}

/// Lays the module's folder out below `out`, and packs it.
pub fn assemble(platforms: &[Platform], out: &Path) -> Result<PathBuf> {
    let wrong = |path: &Path| {
        let path = path.display().to_string();
        move |source| Stop::File { path, source }
    };
    let folder = out.join(MODULE);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(wrong(&folder))?;
    }
    for (from, to) in contents::files_of_module() {
        copy(&root().join(from), &folder.join(to))?;
    }
    for platform in platforms {
        let native = folder.join("module/native").join(platform.folder);
        for file in [&platform.artifacts.library, &platform.artifacts.lab] {
            copy(file, &native.join(file.file_name().unwrap_or_default()))?;
        }
    }
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(wrong(&path))
    };
    let crates = crates::shipped(platforms)?;
    write("THIRD-PARTY-LICENCES.txt", &licences::text(&crates, platforms)?)?;
    write("sbom.cdx.json", &bill::text(&crates, platforms))?;
    write(contents::HASHES, &contents::hashes(&folder)?)?;
    let zip = out.join(format!("{MODULE}-{}.zip", env!("CARGO_PKG_VERSION")));
    archive::pack(&folder, &zip)?;
    let hash = contents::sha256(&std::fs::read(&zip).map_err(wrong(&zip))?);
    let beside = zip.with_extension("zip.sha256");
    let name = zip.file_name().unwrap_or_default().to_string_lossy().into_owned();
    std::fs::write(&beside, format!("{hash}  {name}\n")).map_err(wrong(&beside))?;
    Ok(zip)
}

/// Builds again from nothing and names the files whose bytes differ.
fn twice(insist: bool, first: &Path) -> Result {
    let (kept, again) = (target().join("package"), target().join("package-again"));
    for folder in [win7::folder().join(win7::TARGET).join("release"), target().join("linux")] {
        if folder.exists() {
            std::fs::remove_dir_all(&folder)
                .map_err(|source| Stop::File { path: folder.display().to_string(), source })?;
        }
    }
    let _ = std::fs::remove_file(root().join("module/PersistentChatFailover.dll"));
    let second = whole(insist, &again)?;
    let read =
        |path: &Path| std::fs::read(path).map_err(|source| Stop::File { path: path.display().to_string(), source });
    if read(first)? == read(&second)? {
        println!("package: two builds gave the same bytes");
        return Ok(());
    }
    let hashes = |folder: &Path| -> Result<BTreeMap<String, String>> {
        let text = contents::hashes(&folder.join(MODULE))?;
        Ok(text.lines().filter_map(|l| l.split_once("  ")).map(|(h, n)| (n.to_string(), h.to_string())).collect())
    };
    let (one, two) = (hashes(&kept)?, hashes(&again)?);
    let differ: Vec<&String> = one.iter().filter(|(name, hash)| two.get(*name) != Some(hash)).map(|(n, _)| n).collect();
    told(format!("two builds differ in {differ:?}"))
}
