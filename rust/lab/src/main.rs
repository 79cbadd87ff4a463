//! The lab as a program. `pchat-lab --help` says how.

#[path = "program/arguments.rs"]
mod arguments;
#[path = "program/owner.rs"]
mod owner;

use std::io::{Read, Write};
use std::path::Path;
use std::process::ExitCode;

use arguments::{Request, Serve, HELP};
use pchat_lab::scenario::{Scenario, NAMED};
use pchat_lab::Lab;
use serde_json::Value;

const FAILED: u8 = 1;
const MISUSED: u8 = 2;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments::parse(&arguments) {
        Err(problem) => {
            complain(&format!("{problem}\n\n{HELP}"));
            return ExitCode::from(MISUSED);
        }
        Ok(Request::Help) => say(HELP.trim_end()),
        Ok(Request::Version) => say(&format!("pchat-lab {}", env!("CARGO_PKG_VERSION"))),
        Ok(Request::Scenarios) => scenarios(),
        Ok(Request::Serve(how)) => run(serve(how)),
        Ok(Request::Control { address, line }) => run(control(address, line)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            complain(&format!("pchat-lab: {problem}\n"));
            ExitCode::from(FAILED)
        }
    }
}

fn run(work: impl std::future::Future<Output = Result<(), String>>) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .map_err(|e| format!("the runtime did not start: {e}"))?;
    let outcome = runtime.block_on(work);
    // Standard input may be blocked in a read that nothing can end.
    runtime.shutdown_background();
    outcome
}

/// Starts the lab, says that it is ready, and stays until one of the reasons to stop.
async fn serve(how: Serve) -> Result<(), String> {
    if how.until_stdin_closes || how.owner_pid.is_some() {
        owner::stand_apart();
    }
    let mut scenario = Scenario::load(&how.scenario).map_err(|e| e.to_string())?;
    if let Some(root) = &how.root {
        scenario.root = Some(std::path::absolute(root).map_err(|e| format!("{}: {e}", root.display()))?);
    }
    let temporary = scenario.root.is_none();
    let lab = Lab::start(scenario).await.map_err(|e| e.to_string())?;
    let root = lab.engine().root().to_path_buf();
    let described = lab.describe().to_string();
    if let Some(file) = &how.ready_file {
        write_whole(file, &described).map_err(|e| format!("{}: {e}", file.display()))?;
    }
    say(&described)?;

    let mut stopping = lab.door().stopping();
    tokio::select! {
        _ = stopping.wait_for(|stop| *stop) => {}
        () = stdin_closes(), if how.until_stdin_closes => {}
        () = owner_ends(how.owner_pid) => {}
    }
    lab.stop().await;
    if temporary {
        gone(&root).await;
    }
    Ok(())
}

/// Waits for a folder that goes when the last task of the lab has ended.
async fn gone(root: &Path) {
    for _ in 0..100 {
        if !root.exists() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

async fn owner_ends(pid: Option<u32>) {
    match pid {
        Some(pid) => owner::ended(pid).await,
        None => std::future::pending().await,
    }
}

/// Reads standard input to its end on a thread of its own; what comes is thrown away.
async fn stdin_closes() {
    let (tell, told) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut buffer = [0_u8; 1024];
        let mut input = std::io::stdin().lock();
        while matches!(input.read(&mut buffer), Ok(count) if count > 0) {}
        // The lab may have stopped for another reason meanwhile.
        let _ = tell.send(());
    });
    if told.await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn control(address: String, line: String) -> Result<(), String> {
    let request: Value = serde_json::from_str(&line).map_err(|e| format!("the request is no JSON: {e}"))?;
    let answer = pchat_lab::control::ask(&address, &request).await.map_err(|e| format!("{address}: {e}"))?;
    say(&answer.to_string())?;
    if answer["ok"] == true {
        Ok(())
    } else {
        Err("the lab refused the request".into())
    }
}

fn scenarios() -> Result<(), String> {
    for named in NAMED {
        let scenario = Scenario::named(named.name).map_err(|e| e.to_string())?;
        say(&format!("{:<22} {}", scenario.name, scenario.summary))?;
    }
    Ok(())
}

/// Writes a file that nobody ever sees half written.
fn write_whole(file: &Path, text: &str) -> std::io::Result<()> {
    let mut partial = file.as_os_str().to_owned();
    partial.push(".partial");
    std::fs::write(&partial, text)?;
    std::fs::rename(&partial, file)
}

fn say(text: &str) -> Result<(), String> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{text}").and_then(|()| output.flush()).map_err(|e| format!("standard output: {e}"))
}

fn complain(text: &str) {
    // Nobody is left to tell when standard error is closed.
    let _ = std::io::stderr().write_all(text.as_bytes());
}
