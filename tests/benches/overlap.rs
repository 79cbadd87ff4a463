//! Overlapped copy and restore against the plain sequence, at equal rates of copying and restoring.

use std::error::Error;
use std::time::{Duration, Instant};

use pchat_tests::drive::{operate, Collected};
use pchat_tests::library::Pchat;
use pchat_tests::request::{login, session_settings};
use serde_json::{json, Value};

use crate::situation::{library, LogBackups, Situation};
use crate::Verdict;

/// The rate of copying and of restoring. Well below what two cores and an ordinary disk do, so that the rates decide and
/// not the machine.
const MEGABYTES_PER_SECOND: u64 = 100;
const FILES: LogBackups = LogBackups {
    number: 100,
    kilobytes: 16 * 1024,
    restore_bytes_per_second: Some(MEGABYTES_PER_SECOND * 1024 * 1024),
};
/// How much longer the overlapped step may take than the slower of its two halves alone.
const TARGET: f64 = 1.1;

/// Measures the single commands one after the other, then the step of a whole run, each on a fresh lab.
pub fn run() -> Verdict {
    let pchat = Pchat::load(&library()?)?;
    let bytes = FILES.bytes();
    println!(
        "\nOverlap: {} log backups of {} MiB, none copied; copying and restoring at {MEGABYTES_PER_SECOND} MiB/s each.",
        FILES.number,
        FILES.kilobytes / 1024
    );
    let (copying, restoring) = in_sequence(&pchat)?;
    let overlapped = overlapped(&pchat)?;
    let ideal = Duration::from_secs_f64(bytes as f64 / (MEGABYTES_PER_SECOND * 1024 * 1024) as f64);
    let rows = [
        ("the bytes at that rate, nothing else", ideal),
        ("a  copying alone (pchat_log_backup_copy)", copying),
        ("b  restoring alone (pchat_log_backup_restore)", restoring),
        ("c  the plain sequence, a then b", copying + restoring),
        ("d  the step copy_and_restore of a run", overlapped),
    ];
    for (what, time) in rows {
        println!("  {what:<48} {:>7.2} s", time.as_secs_f64());
    }
    let ratio = overlapped.as_secs_f64() / copying.max(restoring).as_secs_f64();
    let holds = ratio <= TARGET;
    println!("  c / d = {:.2}", (copying + restoring).as_secs_f64() / overlapped.as_secs_f64());
    println!(
        "  d / max(a, b) = {ratio:.3}, at most {TARGET}: {}",
        if holds { "the target holds" } else { "THE TARGET IS MISSED" }
    );
    Ok(holds)
}

/// Each command from its call to its terminal event.
fn in_sequence(pchat: &Pchat) -> Result<(Duration, Duration), Box<dyn Error>> {
    let situation = Situation::start(&FILES)?;
    let mut copy = situation.command();
    copy["names"] = Value::Null;
    copy["max_megabytes_per_second"] = json!(MEGABYTES_PER_SECOND);
    let begun = Instant::now();
    let copied = carried_out(pchat, &situation, &[("pchat_log_backup_copy", copy)])?;
    let copying = begun.elapsed();
    expect(&copied, "100 log backups copied")?;
    let begun = Instant::now();
    let restored = carried_out(pchat, &situation, &[("pchat_log_backup_restore", situation.command())])?;
    let restoring = begun.elapsed();
    expect(&restored, "100 log backups restored")?;
    Ok((copying, restoring))
}

/// The whole step as the run itself times it: looks before and after, journal, locks and all.
fn overlapped(pchat: &Pchat) -> Result<Duration, Box<dyn Error>> {
    let situation = Situation::start(&FILES)?;
    let request = situation.failover(Some(MEGABYTES_PER_SECOND));
    let done = carried_out(pchat, &situation, &[("pchat_failover_plan", request), ("pchat_run_start", Value::Null)])?;
    let steps = done["steps"].as_array().map(Vec::as_slice).unwrap_or_default();
    let step = steps.iter().find(|step| step["name"] == "copy_and_restore").ok_or("the run has no such step")?;
    expect(step, "100 log backups copied, 100 log backups restored")?;
    Ok(Duration::from_millis(step["milliseconds"].as_u64().unwrap_or_default()))
}

/// Carries operations out one after the other and gives the last result. A run is started with the plan before it.
fn carried_out(pchat: &Pchat, situation: &Situation, calls: &[(&str, Value)]) -> Result<Value, Box<dyn Error>> {
    let about = &situation.lab.about;
    let session = pchat.open(&session_settings(about))?;
    let (user, secret) = login(about);
    pchat.add_login(session, None, &user, &secret)?;
    let mut last = Value::Null;
    for (export, request) in calls {
        let request = if request.is_null() { json!({"version": 1, "plan": last}) } else { request.clone() };
        let control = situation.lab.control_address();
        let ended = operate(pchat, session, export, &request, &control, &mut Collected::default())?;
        last = ended.map_err(|error| format!("{export}: {}", error["message"]))?.1;
    }
    pchat.on_handle("pchat_session_close", session)?;
    Ok(last)
}

fn expect(document: &Value, text: &str) -> Result<(), Box<dyn Error>> {
    let said = document["text"].as_str().unwrap_or_default();
    if said.contains(text) {
        return Ok(());
    }
    Err(format!("instead of `{text}`: {said} {}", document["error"]["message"]).into())
}
