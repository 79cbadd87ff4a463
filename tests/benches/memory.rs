//! Peak memory of a process that plans, copies and restores: by the size of log backups, and by their number.

use std::error::Error;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use pchat_tests::lab::control;
use pchat_tests::library::Pchat;
use pchat_tests::request::{login, session_settings};
use serde_json::{json, Value};

use crate::lean::{After, Lean};
use crate::situation::{library, LogBackups, Situation};
use crate::Verdict;

/// The first argument of the process that is measured.
pub const CHILD: &str = "measured";

const SMALL: LogBackups = LogBackups { number: 24, kilobytes: 1024, restore_bytes_per_second: None };
const LARGE: LogBackups = LogBackups { number: 24, kilobytes: 16 * 1024, restore_bytes_per_second: None };
const FEW: LogBackups = LogBackups { number: 100, kilobytes: 1, restore_bytes_per_second: None };
const MANY: LogBackups = LogBackups { number: 10_000, kilobytes: 1, restore_bytes_per_second: None };

/// A copy holds a chunk of a file at a time: what more a file of 16 MiB may cost than one of 1 MiB, in KiB. Equal runs
/// differ by about as much.
const FLAT_KIB: u64 = 4 * 1024;
/// Growth by number, in bytes a file.
const BYTES_A_FILE: f64 = 1024.0;

/// Peaks of one process, in KiB, each up to a moment.
struct Peaks {
    nothing: u64,
    planned: u64,
    restored: u64,
}

/// Runs the four measurements and prints the table.
pub fn run() -> Verdict {
    if !cfg!(target_os = "linux") {
        println!("\nMemory: not measured here; peak memory is read from /proc, which only Linux has.");
        return Ok(true);
    }
    println!("\nMemory: peak resident KiB of a host process (VmHWM) up to each moment.");
    println!("  {:<28} {:>14} {:>10} {:>20}", "log backups", "session open", "planned", "copied and restored");
    let mut measured = Vec::new();
    for files in [&SMALL, &LARGE, &FEW, &MANY] {
        let peaks = measure(files)?;
        println!(
            "  {:<28} {:>14} {:>10} {:>20}",
            format!("{:>6} of {:>5} KiB", files.number, files.kilobytes),
            peaks.nothing,
            peaks.planned,
            peaks.restored
        );
        measured.push(peaks);
    }
    let [small, large, few, many] = &measured[..] else { return Err("four measurements were expected".into()) };
    let by_size = large.restored.saturating_sub(small.restored);
    let is_flat = by_size <= FLAT_KIB;
    println!(
        "  by size: 16 MiB files take {by_size} KiB more than 1 MiB files, at most {FLAT_KIB}: {}",
        if is_flat { "flat, the target holds" } else { "THE TARGET IS MISSED" }
    );
    let a_file = |few: u64, many: u64| many.saturating_sub(few) as f64 * 1024.0 / f64::from(MANY.number - FEW.number);
    let (planning, all) = (a_file(few.planned, many.planned), a_file(few.restored, many.restored));
    let is_small = all <= BYTES_A_FILE;
    println!(
        "  by number: {planning:.0} bytes a file to plan, {all:.0} for the whole, at most {BYTES_A_FILE}: {}",
        if is_small { "the target holds" } else { "THE TARGET IS MISSED" }
    );
    Ok(is_flat && is_small)
}

fn measure(files: &LogBackups) -> Result<Peaks, Box<dyn Error>> {
    let situation = Situation::start(files)?;
    let output = Command::new(std::env::current_exe()?)
        .arg(CHILD)
        .arg(library()?)
        .arg(situation.lab.control_address())
        .arg(situation.failover(None).to_string())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    let said: Value = serde_json::from_slice(&output.stdout)
        .map_err(|_| format!("the measured process said: {}", String::from_utf8_lossy(&output.stdout)))?;
    let restored = format!("{0} log backups copied, {0} log backups restored", files.number);
    if said["text"] != json!(restored) {
        return Err(format!("instead of `{restored}`: {said}").into());
    }
    let of = |name: &str| said[name].as_u64().ok_or_else(|| format!("no figure `{name}`: {said}"));
    Ok(Peaks { nothing: of("nothing")?, planned: of("planned")?, restored: of("restored")? })
}

/// The process that is measured: library, control door, request. Plans, runs the plan until log backups are copied and
/// restored, then cancels; prints its figures as JSON.
pub fn child(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let [library, lab, request] = arguments else { return Err("library, lab and request are wanted".into()) };
    let library = PathBuf::from(library);
    let session = {
        let about = control(lab, &json!({"command": "describe"}))?;
        let pchat = Pchat::load(&library)?;
        let session = pchat.open(&session_settings(&about))?;
        let (user, secret) = login(&about);
        pchat.add_login(session, None, &user, &secret)?;
        // Loaded for good: the session lives in it.
        std::mem::forget(pchat);
        session
    };
    let host = Lean::load(&library)?;
    let nothing = peak_kib()?;
    let mut failed = None;
    let mut listen = |event: &Value| {
        if event["event"] == "failure" {
            failed = Some(event["error"]["message"].to_string());
        }
        After::GoOn
    };
    let request = request.clone().into_bytes();
    let plan = host.operate(session, "pchat_failover_plan", request, lab, &mut listen)?;
    let planned = peak_kib()?;
    let Some(plan) = plan else { return Err(failed.unwrap_or_else(|| "there is no plan".to_string()).into()) };
    let mut start = br#"{"version":1,"plan":"#.to_vec();
    start.extend_from_slice(plan.text().unwrap_or_default());
    start.push(b'}');
    drop(plan);
    let (mut text, mut restored) = (Value::Null, 0);
    let mut listen = |event: &Value| match event["event"].as_str() {
        Some("item") if event["item"]["name"] == "copy_and_restore" => {
            text = event["item"]["text"].clone();
            restored = peak_kib().unwrap_or_default();
            After::Cancel
        }
        Some("failure" | "result") if text.is_null() => {
            text = event["error"]["message"].clone();
            if text.is_null() {
                text = event["result"]["error"]["message"].clone();
            }
            After::GoOn
        }
        _ => After::GoOn,
    };
    host.operate(session, "pchat_run_start", start, lab, &mut listen)?;
    println!("{}", json!({"nothing": nothing, "planned": planned, "restored": restored, "text": text}));
    Ok(())
}

/// The peak of this process so far, in KiB.
fn peak_kib() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM in /proc/self/status")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}
