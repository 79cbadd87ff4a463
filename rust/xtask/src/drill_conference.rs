//! The drill's act on conference content: lost in one pool, brought back from its partner, and believed only when it is
//! true. Three harder cases run beside it, each on a lab of its own.

use std::process::Output;
use std::thread;

use serde_json::{json, Value};

use crate::artifact::Artifacts;
use crate::drill::Lab;
use crate::process::{command, told, Result, Stop};

const DAMAGED: &str = "pool1.contoso.com";

/// What a case must end as: exit code, and whether the content is there.
struct Case {
    scenario: &'static str,
    title: &'static str,
    exit_code: i32,
    is_restored: bool,
}

const MAIN: Case = Case {
    scenario: "conference-lost",
    title: "conference content lost in pool1, restored from pool2",
    exit_code: 0,
    is_restored: true,
};

const BESIDE: &[Case] = &[
    Case {
        scenario: "conference-stale",
        title: "the first readings after the sync are those from before it",
        exit_code: 0,
        is_restored: true,
    },
    Case { scenario: "conference-error", title: "the export ends in ErrorState", exit_code: 4, is_restored: false },
    Case {
        scenario: "conference-one-way",
        title: "the way back never settles, and the restore is done all the same",
        exit_code: 0,
        is_restored: true,
    },
];

/// Carries all cases out; the first is shown as it goes on.
pub fn run(artifacts: &Artifacts) -> Result {
    println!("  {}:", MAIN.title);
    let lab = Lab::start(artifacts, MAIN.scenario)?;
    println!("  {}", content_text(&content(&lab)?));
    let journal = tempfile::tempdir().map_err(no_folder)?;
    let status = host(artifacts, &lab, journal.path())
        .status()
        .map_err(|source| Stop::NotStarted { program: "pchat-host".to_string(), source })?;
    judge(&MAIN, status.code(), &lab)?;
    thread::scope(|scope| {
        let under_way: Vec<_> =
            BESIDE.iter().map(|case| (case, scope.spawn(move || carried_out(artifacts, case)))).collect();
        for (case, thread) in under_way {
            let (output, lab) =
                thread.join().unwrap_or_else(|_| told(format!("the case {} ended with a panic", case.scenario)))?;
            println!("\n  {}:", case.title);
            let text = String::from_utf8_lossy(&output.stdout);
            for line in text.lines().filter(|line| !line.trim_start().starts_with('[')) {
                println!("  {line}");
            }
            judge(case, output.status.code(), &lab)?;
        }
        Ok(())
    })
}

fn carried_out(artifacts: &Artifacts, case: &Case) -> Result<(Output, Lab)> {
    let lab = Lab::start(artifacts, case.scenario)?;
    let journal = tempfile::tempdir().map_err(no_folder)?;
    let output = host(artifacts, &lab, journal.path())
        .output()
        .map_err(|source| Stop::NotStarted { program: "pchat-host".to_string(), source })?;
    Ok((output, lab))
}

fn no_folder(source: std::io::Error) -> Stop {
    Stop::File { path: "a temporary folder".to_string(), source }
}

fn host(artifacts: &Artifacts, lab: &Lab, journal: &std::path::Path) -> std::process::Command {
    let mut host = command(&artifacts.host);
    host.arg("--library")
        .arg(&artifacts.library)
        .args(["--lab", lab.control(), "conference", "--journal"])
        .arg(journal);
    host
}

fn content(lab: &Lab) -> Result<Value> {
    let state = lab.ask(&json!({"command": "state"}))?;
    let pools = state["pool"]["conference_content"].as_array().cloned().unwrap_or_default();
    Ok(pools.into_iter().find(|pool| pool["pool_fqdn"] == DAMAGED).unwrap_or_default())
}

fn content_text(content: &Value) -> String {
    format!("{DAMAGED} has the content of {} of its {} meetings", content["present"], content["meetings"])
}

/// A run that says done while the content is not there has failed the drill, and so has one that gave up on content that is.
fn judge(case: &Case, code: Option<i32>, lab: &Lab) -> Result {
    let content = content(lab)?;
    println!("  The lab's own truth: {}.", content_text(&content));
    let is_restored = content["present"] == content["meetings"];
    if code != Some(case.exit_code) || is_restored != case.is_restored {
        return told(format!(
            "{}: the run ended with {code:?} instead of {}, and {}",
            case.scenario,
            case.exit_code,
            content_text(&content)
        ));
    }
    Ok(())
}
