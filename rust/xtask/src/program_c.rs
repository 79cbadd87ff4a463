//! A program in C, compiled against the committed header, that carries out a whole failover of the lab.

use crate::artifact::Artifacts;
use crate::process::{command, found, install_debian, root, run, run_quietly, target, Result, Stop};

/// Compiles and runs it, to the end and with a cancel; says so in one line where there is no C compiler or no cJSON.
pub fn test(artifacts: &Artifacts) -> Result {
    let Some(cc) = found("cc").or_else(|| found("gcc")) else {
        println!("c: not run, there is no C compiler");
        return Ok(());
    };
    let folder = target().join("c");
    std::fs::create_dir_all(&folder).map_err(|source| Stop::File { path: folder.display().to_string(), source })?;
    let program = folder.join("failover");
    let compile = || {
        let mut compiler = command(&cc);
        compiler.args(["-std=gnu99", "-Wall", "-Wextra", "-Werror", "-O1", "-o"]).arg(&program);
        compiler.arg(root().join("tests/c/failover.c")).arg(format!("-I{}", root().join("rust/ffi/include").display()));
        compiler.args(["-lcjson", "-ldl", "-lpthread"]);
        compiler
    };
    let has_cjson = || run_quietly(command(&cc).args(["-xc", "-E", "-include", "cjson/cJSON.h", "/dev/null"])).is_ok();
    if !has_cjson() {
        install_debian(&["libcjson-dev"], "the C program's JSON");
        if !has_cjson() {
            println!("c: not run, cJSON is not here (Debian: libcjson-dev)");
            return Ok(());
        }
    }
    run(&mut compile())?;
    for extra in [&[][..], &["cancel"][..]] {
        let place =
            tempfile::tempdir().map_err(|source| Stop::File { path: "a temporary folder".to_string(), source })?;
        run(command(&program).arg(&artifacts.library).arg(&artifacts.lab).arg(place.path()).args(extra))?;
    }
    Ok(())
}
