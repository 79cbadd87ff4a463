//! The drill in three acts: the primary site is lost and the library fails over; there and back, after a disaster and as
//! planned; conference content. What happened is compared with the truth that the lab holds.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{json, Value};

use crate::artifact::{build, Artifacts};
use crate::process::{command, told, Result, Stop};
use crate::{drill_conference, drill_round_trip};

/// A lab that ends with this value.
pub(crate) struct Lab {
    child: Child,
    control: String,
}

impl Lab {
    pub(crate) fn start(artifacts: &Artifacts, scenario: &str) -> Result<Lab> {
        let mut child = command(&artifacts.lab)
            .args(["serve", "--scenario", scenario, "--until-stdin-closes"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|source| Stop::NotStarted { program: "pchat-lab".to_string(), source })?;
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            let mut reader = BufReader::new(out);
            let _ = reader.read_line(&mut line);
            std::thread::spawn(move || std::io::copy(&mut reader, &mut std::io::sink()));
        }
        let ready: Value = serde_json::from_str(&line).unwrap_or_default();
        match ready["control"].as_str().or_else(|| ready["result"]["control"].as_str()) {
            Some(control) => Ok(Lab { child, control: control.to_string() }),
            None => {
                let _ = child.kill();
                told(format!("the lab did not say that it is ready: {line}"))
            }
        }
    }

    /// The address of its control door.
    pub(crate) fn control(&self) -> &str {
        &self.control
    }

    pub(crate) fn ask(&self, command: &Value) -> Result<Value> {
        let wrong = |source| Stop::File { path: format!("the lab at {}", self.control), source };
        let mut stream = TcpStream::connect(&self.control).map_err(wrong)?;
        stream.set_read_timeout(Some(Duration::from_secs(60))).map_err(wrong)?;
        writeln!(stream, "{command}").map_err(wrong)?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).map_err(wrong)?;
        let reply: Value = serde_json::from_str(&line).unwrap_or_default();
        if reply["ok"] == json!(true) {
            Ok(reply["result"].clone())
        } else {
            told(format!("the lab refused {command}: {}", reply["error"]))
        }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = self.ask(&json!({"command": "stop"}));
        drop(self.child.stdin.take());
        for _ in 0..500 {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The verb. A name chooses another scenario of the first act than `primary-lost`.
pub fn run(arguments: &[&str]) -> Result {
    let scenario = arguments.iter().find(|a| !a.starts_with("--")).copied().unwrap_or("primary-lost");
    println!("Building the library, the lab and the host of the drill; the first time takes some minutes.");
    let artifacts = build()?;
    let started = Instant::now();
    println!("\nThe first act: a pool on a lab of simulated instances (scenario {scenario}).");
    let lab = Lab::start(&artifacts, scenario)?;
    let before = lab.ask(&json!({"command": "truth"}))?;
    println!("  {}", summary(&before));

    println!("\n  The primary site is lost.");
    lab.ask(&json!({"command": "primary_site_lost"}))?;
    println!("  P\\RTC and PM\\RTC no longer answer; B\\RTC holds the log-shipped copy of mgc.");

    println!("\n  Failover to B\\RTC:");
    let journal =
        tempfile::tempdir().map_err(|source| Stop::File { path: "a temporary folder".to_string(), source })?;
    let status = command(&artifacts.host)
        .arg("--library")
        .arg(&artifacts.library)
        .args(["--lab", &lab.control, "failover", "--journal"])
        .arg(journal.path())
        .status()
        .map_err(|source| Stop::NotStarted { program: "pchat-host".to_string(), source })?;

    println!("\n  The lab's own truth:");
    let truth = lab.ask(&json!({"command": "truth"}))?;
    println!("  {}", summary(&truth));
    for line in verdict(&truth) {
        println!("  {line}");
    }
    let unknown = lab.ask(&json!({"command": "unknown_statements"}))?;
    if unknown.as_array().is_some_and(|list| !list.is_empty()) {
        return told(format!("the lab met T-SQL that it does not know: {unknown}"));
    }
    if !status.success() {
        return told(format!("the failover ended with {status}"));
    }
    // So that its lab and the next act's do not stand side by side.
    drop(lab);
    println!("\nThe second act: there and back.");
    drill_round_trip::run(&artifacts)?;
    println!("\nThe third act: conference content.");
    drill_conference::run(&artifacts)?;
    println!("\nThe drill took {:.1} s.", started.elapsed().as_secs_f64());
    Ok(())
}

/// The messages in one line, as the lab knows them.
fn summary(truth: &Value) -> String {
    let mut parts = vec![format!("newest message written: {}", truth["newest_message"])];
    for (instance, copy) in truth["copies"].as_object().into_iter().flatten() {
        let state = copy["state"].as_str().unwrap_or("?");
        parts.push(format!("{instance} {state} with {} messages", copy["count"]));
    }
    parts.join("; ")
}

/// What was kept and what was lost, against the primary at its death.
fn verdict(truth: &Value) -> Vec<String> {
    let death = &truth["primary_at_death"];
    let lost = &truth["lost_on_backup"];
    vec![
        format!(
            "the primary held {} messages when it died at {}",
            death["count"],
            death["at_utc"].as_str().unwrap_or("?")
        ),
        format!("kept: {}; lost: {} (numbers {})", kept(truth), lost["count"], lost["messages"]),
        format!("destructive statements, each counted: {}", truth["destructive"]),
    ]
}

fn kept(truth: &Value) -> i64 {
    let count = |value: &Value| value.as_i64().unwrap_or(0);
    count(&truth["primary_at_death"]["count"]) - count(&truth["lost_on_backup"]["count"])
}
