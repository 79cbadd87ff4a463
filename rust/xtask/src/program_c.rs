//! A program in C, compiled against the committed header, that carries out a whole failover of the lab.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::artifact::Artifacts;
use crate::process::{command, found, root, run, target, Result, Stop};

/// How it is run: to the end, with a cancel in the middle, with a fault planted in the library.
pub const WAYS: [&str; 3] = ["whole", "cancel", "panic"];

/// Compiles and runs it; says so in one line where there is no C compiler.
pub fn test(artifacts: &Artifacts) -> Result {
    let Some(compiler) = found("cc").or_else(|| found("gcc")) else {
        println!("c: not run, there is no C compiler");
        return Ok(());
    };
    let program = compile(&compiler, "failover", &["-ldl", "-lpthread"])?;
    for way in WAYS {
        let place = place()?;
        run(command(&program).arg(&artifacts.library).arg(&artifacts.lab).arg(place.path()).arg(way))?;
    }
    Ok(())
}

/// Compiles it with every warning an error, into `target/c/`.
pub fn compile(compiler: &Path, name: &str, libraries: &[&str]) -> Result<PathBuf> {
    let folder = target().join("c");
    std::fs::create_dir_all(&folder).map_err(|source| Stop::File { path: folder.display().to_string(), source })?;
    let program = folder.join(name);
    let mut compile: Command = command(compiler);
    compile.args(["-std=gnu99", "-Wall", "-Wextra", "-Werror", "-O1", "-o"]).arg(&program);
    compile.args(["failover.c", "json.c"].map(|source| root().join("tests/c").join(source)));
    compile.arg(format!("-I{}", root().join("rust/ffi/include").display())).args(libraries);
    run(&mut compile)?;
    Ok(program)
}

/// A folder for its lab and its journal.
pub fn place() -> Result<tempfile::TempDir> {
    tempfile::tempdir().map_err(|source| Stop::File { path: "a temporary folder".to_string(), source })
}
