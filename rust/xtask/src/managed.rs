//! The C# half: the reference assembly that it is compiled against, the module's assembly, and its run under mono.

use std::path::{Path, PathBuf};

use crate::artifact::{lay_out, library_name, platform, program_name, Artifacts};
use crate::identity;
use crate::process::{command, copy, files, found, install_debian, root, run, run_quietly, target, told, Result, Stop};

/// Builds `module/PersistentChatFailover.dll`: with the .NET SDK where it can restore the reference assemblies of
/// .NET Framework 4.5, else with Debian's `mcs`.
pub fn build() -> Result {
    let out = root().join("module/PersistentChatFailover.dll");
    let sources = sources();
    let list = source_list(&sources);
    let stamp = target().join("managed/sources.txt");
    // The list tells of a file that is gone, which no time does.
    let same_files = std::fs::read_to_string(&stamp).is_ok_and(|built| built == list);
    if same_files && newest(&sources) < newest(std::slice::from_ref(&out)) && out.is_file() {
        return Ok(());
    }
    let built = match with_sdk() {
        Ok(Some(built)) => built,
        Ok(None) => with_mcs()?,
        Err(why) => {
            println!("xtask: the .NET SDK could not build the assembly ({why}); using mcs");
            with_mcs()?
        }
    };
    copy(&built, &out)?;
    std::fs::write(&stamp, list).map_err(|source| Stop::File { path: stamp.display().to_string(), source })
}

/// The sources of an assembly by name, one a line.
fn source_list(sources: &[PathBuf]) -> String {
    sources.iter().map(|source| format!("{}\n", source.display())).collect()
}

fn sources() -> Vec<PathBuf> {
    let mut sources = files(&root().join("module"), "cs");
    sources.extend(files(&root().join("module"), "csproj"));
    sources.extend(files(&root().join("module"), "props"));
    sources.push(root().join("Cargo.toml"));
    sources
}

fn newest(files: &[PathBuf]) -> Option<std::time::SystemTime> {
    files.iter().filter_map(|f| f.metadata().and_then(|m| m.modified()).ok()).max()
}

/// `None` where there is no SDK.
fn with_sdk() -> Result<Option<PathBuf>> {
    if found("dotnet").is_none() {
        return Ok(None);
    }
    let out = target().join("managed/sdk");
    let mut build = command("dotnet");
    build
        .args(["build", "module/PersistentChatFailover.csproj", "--nologo", "-v", "quiet", "-c", "Release", "-o"])
        .arg(&out);
    if let Some(config) = std::env::var_os("PCHAT_NUGET_CONFIG") {
        build.arg(format!("-p:RestoreConfigFile={}", config.to_string_lossy()));
    }
    build.env("DOTNET_CLI_TELEMETRY_OPTOUT", "1").env("DOTNET_NOLOGO", "1");
    run_quietly(&mut build)?;
    Ok(Some(out.join("PersistentChatFailover.dll")))
}

/// The mono compiler, installed where that is allowed.
fn mcs() -> Result<PathBuf> {
    if let Some(mcs) = found("mcs") {
        return Ok(mcs);
    }
    install_debian(&["mono-mcs", "mono-runtime", "libmono-system-runtime-serialization4.0-cil"], "the C# half");
    found("mcs").map_or_else(
        || told("no C# compiler: install the .NET SDK, or Debian's mono-mcs, mono-runtime and libmono-system-runtime-serialization4.0-cil"),
        Ok,
    )
}

/// What runs an assembly here, installed where that is allowed.
pub fn mono() -> Result<PathBuf> {
    if let Some(mono) = found("mono") {
        return Ok(mono);
    }
    mcs()?;
    found("mono").map_or_else(|| told("mono is not installed: install Debian's mono-runtime"), Ok)
}

pub fn compile(out: &Path, sources: &[PathBuf], references: &[PathBuf], more: &[String]) -> Result {
    if let Some(folder) = out.parent() {
        std::fs::create_dir_all(folder).map_err(|source| Stop::File { path: folder.display().to_string(), source })?;
    }
    let mut compiler = command(mcs()?);
    compiler.args(["-nologo", "-langversion:6", "-warnaserror+", "-nowarn:1591", "-optimize+"]).args(more);
    compiler.args(["-r:System.Runtime.Serialization.dll", "-r:System.Xml.dll", "-r:System.Core.dll"]);
    compiler.args(references.iter().map(|r| format!("-r:{}", r.display())));
    compiler.arg(format!("-out:{}", out.display())).args(sources);
    run(&mut compiler)
}

pub fn reference() -> PathBuf {
    target().join("managed/reference/System.Management.Automation.dll")
}

fn with_mcs() -> Result<PathBuf> {
    compile_reference()?;
    let mut sources = module_sources();
    sources.push(version_source()?);
    let out = target().join("managed/mcs/PersistentChatFailover.dll");
    compile(&out, &sources, &[reference()], &["-target:library".to_string()])?;
    identity::settle(&out)?;
    Ok(out)
}

/// Our own sources, without those of the reference assembly.
fn module_sources() -> Vec<PathBuf> {
    ["Commands", "Documents", "Interop"]
        .iter()
        .flat_map(|part| files(&root().join("module").join(part), "cs"))
        .collect()
}

pub fn compile_reference() -> Result {
    let key = root().join("tools/powershell-public-key.snk");
    let options = ["-target:library".to_string(), "-delaysign+".to_string(), format!("-keyfile:{}", key.display())];
    compile(&reference(), &files(&root().join("module/reference"), "cs"), &[], &options)
}

/// The version is written once, in Cargo.toml; the assembly takes it from there.
fn version_source() -> Result<PathBuf> {
    let path = target().join("managed/Version.cs");
    let version = env!("CARGO_PKG_VERSION");
    let text = format!(
        "[assembly: System.Reflection.AssemblyVersion(\"{version}.0\")]\n\
         [assembly: System.Reflection.AssemblyInformationalVersion(\"{version}\")]\n\
         [assembly: System.Reflection.AssemblyTitle(\"PersistentChatFailover\")]\n"
    );
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|source| Stop::File { path: folder.display().to_string(), source })?;
    }
    std::fs::write(&path, text).map_err(|source| Stop::File { path: path.display().to_string(), source })?;
    Ok(path)
}

/// Runs our cmdlets under mono, their properties set by the tests, against the real library and the lab. On Windows, where
/// mono is rare and the Pester suite runs the same cmdlets in the real engine, a missing mono is told and no failure.
pub fn test(artifacts: &Artifacts) -> Result {
    if cfg!(windows) && (found("mono").is_none() || found("mcs").is_none()) {
        println!("module: not run, mono and mcs are not on PATH; the Pester suite runs the cmdlets");
        return Ok(());
    }
    lay_out(artifacts)?;
    let mono = mono()?;
    compile_reference()?;
    let folder = target().join("managed/tests");
    let out = folder.join("PersistentChatFailover.Tests.exe");
    // One assembly of both, so that the tests reach what is internal.
    let mut sources = module_sources();
    sources.push(version_source()?);
    sources.extend(files(&root().join("tests/mono"), "cs"));
    compile(&out, &sources, &[reference()], &["-target:exe".to_string()])?;
    copy(&reference(), &folder.join("System.Management.Automation.dll"))?;
    let native = folder.join("native").join(platform());
    copy(&artifacts.library, &native.join(library_name()))?;
    copy(&artifacts.lab, &native.join(program_name("pchat-lab")))?;
    run(command(mono).arg("--debug").arg(&out))
}
