//! The drill's act on the way home: a healthy configuration kept as a baseline, a disaster, days on the backup, and home
//! again; then both ways once more, as planned. What is reached is compared with the baseline and with the lab's truth.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{json, Value};

use crate::artifact::Artifacts;
use crate::drill::Lab;
use crate::process::{command, told, Result, Stop};

const DAY: u64 = 86_400;

/// One lab with its journal and its baselines.
struct Ground<'a> {
    artifacts: &'a Artifacts,
    lab: Lab,
    place: tempfile::TempDir,
}

/// Carries both journeys out.
pub fn run(artifacts: &Artifacts) -> Result {
    after_a_disaster(artifacts)?;
    as_planned(artifacts)
}

fn after_a_disaster(artifacts: &Artifacts) -> Result {
    let ground = Ground::new(artifacts)?;
    println!("  A healthy configuration is kept as a baseline, and the primary site is lost.");
    ground.save_baseline()?;
    ground.write(30)?;
    ground.lab.ask(&json!({"command": "primary_site_lost"}))?;
    ground.silently("failover")?;
    let lost = ground.copy(r"B\RTC")?["missing"].clone();
    println!("  Failed over to B\\RTC; lost: {} messages (numbers {}).", lost["count"], lost["messages"]);
    println!("  Two days of messages later the site is back. The way home:");
    ground.write(40)?;
    ground.pass(2 * DAY)?;
    ground.lab.ask(&json!({"command": "primary_site_back"}))?;
    ground.shown("failback")?;
    ground.judge(&lost)
}

fn as_planned(artifacts: &Artifacts) -> Result {
    let ground = Ground::new(artifacts)?;
    println!("\n  As planned, while both sites live: there");
    ground.save_baseline()?;
    ground.write(30)?;
    ground.shown("switch")?;
    println!("\n  and back, without seeding:");
    ground.write(40)?;
    ground.pass(DAY / 12)?;
    ground.shown("failback")?;
    ground.judge(&json!({"count": 0, "messages": ""}))
}

impl Ground<'_> {
    fn new(artifacts: &Artifacts) -> Result<Ground<'_>> {
        let place =
            tempfile::tempdir().map_err(|source| Stop::File { path: "a temporary folder".to_string(), source })?;
        Ok(Ground { artifacts, lab: Lab::start(artifacts, "healthy")?, place })
    }

    fn host(&self, verb: &str) -> Command {
        let at = |folder: &str| -> std::path::PathBuf { Path::new(self.place.path()).join(folder) };
        let mut host = command(&self.artifacts.host);
        host.arg("--library").arg(&self.artifacts.library).args(["--lab", self.lab.control(), verb]);
        host.arg("--journal").arg(at("journal")).arg("--baseline").arg(at("baseline"));
        host
    }

    /// A run whose steps are shown as they come.
    fn shown(&self, verb: &str) -> Result {
        let status = self.host(verb).status().map_err(not_started)?;
        if status.success() {
            return Ok(());
        }
        told(format!("the {verb} ended with {status}"))
    }

    /// The document in which a verb ended.
    fn silently(&self, verb: &str) -> Result<Value> {
        let output = self.host(verb).arg("--json").stderr(Stdio::inherit()).output().map_err(not_started)?;
        if !output.status.success() {
            return told(format!(
                "the {verb} ended with {}: {}",
                output.status,
                String::from_utf8_lossy(&output.stdout)
            ));
        }
        Ok(serde_json::from_slice(&output.stdout).unwrap_or_default())
    }

    fn save_baseline(&self) -> Result {
        let saved = self.silently("baseline")?;
        if saved["is_complete"] != json!(true) {
            return told(format!("the baseline is not complete: {}", saved["unread"]));
        }
        // From here on few messages a second, so that days may pass.
        self.lab.ask(&json!({"command": "messages", "per_second": 0.01})).map(drop)
    }

    fn write(&self, count: u64) -> Result {
        self.lab.ask(&json!({"command": "messages", "write": count})).map(drop)
    }

    fn pass(&self, seconds: u64) -> Result {
        self.lab.ask(&json!({"command": "clock", "pass_seconds": seconds})).map(drop)
    }

    fn copy(&self, instance: &str) -> Result<Value> {
        Ok(self.lab.ask(&json!({"command": "truth"}))?["copies"][instance].clone())
    }

    /// Home: the configuration of the baseline, and no message missing but those that were lost before.
    fn judge(&self, lost: &Value) -> Result {
        let now = self.silently("baseline")?;
        let home = self.copy(r"P\RTC")?;
        let truth = self.lab.ask(&json!({"command": "truth"}))?;
        println!(
            "  The lab's own truth: {} messages on P\\RTC; missing: {} ({}); doubled: {}. Differences from the baseline: {}.",
            home["count"],
            home["missing"]["count"],
            home["missing"]["messages"].as_str().filter(|numbers| !numbers.is_empty()).unwrap_or("none"),
            home["doubled"]["count"],
            now["drift"].as_array().map_or(0, Vec::len)
        );
        if truth["unknown_statements"] != json!(0) {
            return told("the lab met T-SQL that it does not know");
        }
        if now["drift"] != json!([]) {
            return told(format!("the configuration is not that of the baseline: {}", now["drift"]));
        }
        if home["state"] != json!("ONLINE") || &home["missing"] != lost || home["doubled"]["count"] != json!(0) {
            return told(format!("P\\RTC is not as it should be: {home}"));
        }
        Ok(())
    }
}

fn not_started(source: std::io::Error) -> Stop {
    Stop::NotStarted { program: "pchat-host".to_string(), source }
}
