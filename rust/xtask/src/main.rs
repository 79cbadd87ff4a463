//! The one door of the project: `cargo xtask drill | test | lint | bench | package | module | header | help`.

mod artifact;
mod bench;
mod clients;
mod drill;
mod drill_conference;
mod drill_round_trip;
mod gates;
mod header;
mod help;
mod identity;
mod imports;
mod lint;
mod managed;
mod package;
mod process;
mod program_c;
mod suite;
mod win7;
mod windows;
mod wine;

use std::process::ExitCode;

const USAGE: &str = "cargo xtask VERB

  drill              build everything; on labs: fail over, come home, switch there and back, restore conference content
  test [PART...]     every test, or some parts: lint, header, rust, c, module, gates, pester, package, clients,
                     windows
  lint               formatting and clippy
  bench              the benchmarks
  package            the zip of the module, in target/package; --windows: not without the files for Windows;
                     --check: two builds, which must give the same bytes
  module             build the library, the lab and the assembly, ready to import
  header [--write]   compare rust/ffi/include/pchat.h with the exports, or write it anew
  help [--write]     compare the shell's help with docs/commands, or write it anew";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rest: Vec<&str> = arguments.iter().skip(1).map(String::as_str).collect();
    let outcome = match arguments.first().map(String::as_str) {
        Some("drill") => drill::run(&rest),
        Some("test") => suite::run(&rest),
        Some("lint") => lint::run_lint(),
        Some("bench") => bench::run(&rest),
        Some("package") => package::run(&rest),
        Some("module") => artifact::build_module().map(drop),
        Some("header") => header::run(rest.contains(&"--write")),
        Some("help") => help::run(rest.contains(&"--write")),
        _ => {
            println!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("xtask: {why}");
            ExitCode::FAILURE
        }
    }
}
