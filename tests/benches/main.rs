//! Benchmarks over the built library and the lab: `cargo xtask bench`. Each prints a table and whether its target holds;
//! a target that is missed makes the exit code 1.
//!
//! `cargo xtask bench overlap` or `memory` runs one of them.

mod heap;
mod lean;
mod memory;
mod overlap;
mod situation;

use std::process::ExitCode;

/// What a benchmark says in the end: true where its target holds.
type Verdict = Result<bool, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if arguments.first().is_some_and(|first| first == memory::CHILD) {
        return ended(memory::child(&arguments[1..]).map(|()| true));
    }
    let wanted = |name: &str| arguments.is_empty() || arguments.iter().any(|argument| argument == name);
    if let Some(unknown) = arguments.iter().find(|name| !["overlap", "memory"].contains(&name.as_str())) {
        eprintln!("there is no benchmark `{unknown}`; there are overlap and memory");
        return ExitCode::from(2);
    }
    println!("{}", situation::machine());
    let mut holds = true;
    for (name, bench) in [("overlap", overlap::run as fn() -> Verdict), ("memory", memory::run)] {
        if wanted(name) {
            match bench() {
                Ok(held) => holds &= held,
                Err(why) => {
                    eprintln!("{name}: {why}");
                    holds = false;
                }
            }
        }
    }
    ended(Ok(holds))
}

fn ended(outcome: Verdict) -> ExitCode {
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
