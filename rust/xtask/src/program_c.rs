//! A program in C, compiled against the committed header, that carries out a whole failover of the lab.

use crate::artifact::Artifacts;
use crate::process::{command, found, root, run, target, Result, Stop};

/// Compiles and runs it; says so in one line where there is no C compiler.
pub fn test(artifacts: &Artifacts) -> Result {
    let Some(cc) = found("cc").or_else(|| found("gcc")) else {
        println!("c: not run, there is no C compiler");
        return Ok(());
    };
    let folder = target().join("c");
    std::fs::create_dir_all(&folder).map_err(|source| Stop::File { path: folder.display().to_string(), source })?;
    let program = folder.join("failover");
    run(command(cc)
        .args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-O1", "-o"])
        .arg(&program)
        .arg(root().join("tests/c/failover.c"))
        .arg(root().join("tests/c/json.c"))
        .arg(format!("-I{}", root().join("rust/ffi/include").display()))
        .args(["-ldl", "-lpthread"]))?;
    run(command(&program).arg(&artifacts.library).arg(&artifacts.lab))
}
