//! Peak memory of a process that plans, copies and restores: by the size of log backups, and by their number.

use std::error::Error;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use pchat_tests::lab::control;
use pchat_tests::library::Pchat;
use pchat_tests::request::{login, session_settings};
use serde_json::{json, Value};

use crate::heap::Watch;
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
/// Which of the two figures.
const IN_USE: usize = 0;
const RESIDENT: usize = 1;
/// Growth of the heap by number, in bytes a file.
const BYTES_A_FILE: f64 = 1024.0;

/// Peaks of one process, in KiB, each up to a moment: what was in use on its heap, and what of it was resident.
struct Peaks {
    nothing: [u64; 2],
    planned: [u64; 2],
    restored: [u64; 2],
}

impl Peaks {
    fn read(said: &Value) -> Result<Peaks, Box<dyn Error>> {
        let of = |name: &str| match [said[name][0].as_u64(), said[name][1].as_u64()] {
            [Some(in_use), Some(resident)] => Ok([in_use, resident]),
            _ => Err(format!("no figures `{name}`: {said}")),
        };
        Ok(Peaks { nothing: of("nothing")?, planned: of("planned")?, restored: of("restored")? })
    }
}

/// Runs the four measurements and prints the table.
pub fn run() -> Verdict {
    if !cfg!(all(target_os = "linux", target_env = "gnu")) {
        println!("\nMemory: not measured here; it is read from glibc's books and from /proc of Linux.");
        return Ok(true);
    }
    println!("\nMemory of a host process, peaks up to each moment in KiB: in use on its heap / resident (VmHWM).");
    println!("  {:<22} {:>18} {:>18} {:>20}", "log backups", "session open", "planned", "copied and restored");
    let mut measured = Vec::new();
    for files in [&SMALL, &LARGE, &FEW, &MANY] {
        let peaks = measure(files)?;
        let [nothing, planned, restored] =
            [peaks.nothing, peaks.planned, peaks.restored].map(|[in_use, resident]| format!("{in_use} / {resident}"));
        let files = format!("{:>6} of {:>5} KiB", files.number, files.kilobytes);
        println!("  {files:<22} {nothing:>18} {planned:>18} {restored:>20}");
        measured.push(peaks);
    }
    let [small, large, few, many] = &measured[..] else { return Err("four measurements were expected".into()) };
    let by_size = large.restored[RESIDENT].saturating_sub(small.restored[RESIDENT]);
    let is_flat = by_size <= FLAT_KIB;
    println!(
        "  by size: 16 MiB files take {by_size} KiB more than 1 MiB files, at most {FLAT_KIB}: {}",
        if is_flat { "flat, the target holds" } else { "THE TARGET IS MISSED" }
    );
    let a_file = |few: u64, many: u64| many.saturating_sub(few) as f64 * 1024.0 / f64::from(MANY.number - FEW.number);
    let in_use = a_file(few.restored[IN_USE], many.restored[IN_USE]);
    let is_small = in_use <= BYTES_A_FILE;
    println!(
        "  by number: {:.0} bytes a file in use to plan, {in_use:.0} for the whole, at most {BYTES_A_FILE}: {}",
        a_file(few.planned[IN_USE], many.planned[IN_USE]),
        if is_small { "the target holds" } else { "THE TARGET IS MISSED" }
    );
    println!(
        "  resident, with what the allocator keeps beside it: {:.0} bytes a file to plan, {:.0} for the whole",
        a_file(few.planned[RESIDENT], many.planned[RESIDENT]),
        a_file(few.restored[RESIDENT], many.restored[RESIDENT])
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
    Peaks::read(&said)
}

/// The process that is measured: library, control door, request. Plans, runs the plan until log backups are copied and
/// restored, then cancels; prints its figures as JSON.
pub fn child(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let [library, lab, request] = arguments else { return Err("library, lab and request are wanted".into()) };
    let library = PathBuf::from(library);
    let watch = Watch::start();
    let peaks = || Ok::<_, Box<dyn Error>>([watch.peak_kib(), peak_kib()?]);
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
    let nothing = peaks()?;
    let mut failed = None;
    let mut listen = |event: &Value| {
        if event["event"] == "failure" {
            failed = Some(event["error"]["message"].to_string());
        }
        After::GoOn
    };
    let request = request.clone().into_bytes();
    let plan = host.operate(session, "pchat_failover_plan", request, lab, &mut listen)?;
    let planned = peaks()?;
    let Some(plan) = plan else { return Err(failed.unwrap_or_else(|| "there is no plan".to_string()).into()) };
    let mut start = br#"{"version":1,"plan":"#.to_vec();
    start.extend_from_slice(plan.text().unwrap_or_default());
    start.push(b'}');
    drop(plan);
    let (mut text, mut restored) = (Value::Null, [0; 2]);
    let mut listen = |event: &Value| match event["event"].as_str() {
        Some("item") if event["item"]["name"] == "copy_and_restore" => {
            text = event["item"]["text"].clone();
            restored = peaks().unwrap_or_default();
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

/// What was resident of this process at most so far, in KiB.
fn peak_kib() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM in /proc/self/status")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}
