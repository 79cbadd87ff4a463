//! The commands of a drill, on a lab and a journal of its own.
//!
//! | command | what |
//! | --- | --- |
//! | `lab SCENARIO` | starts the lab; the first command of a drill. A name with `.json` is a file beside the drills |
//! | `site lost`, `site back` | the primary's site |
//! | `fault NAME JSON`, `fault off NAME JSON` | a fault of the lab |
//! | `put aside NAME`, `put back` | the newest log backup of the share, or the one of this number |
//! | `check`, `plan`, `failover`, `resume`, `undo` | the host, each in a process of its own; `--set POINTER=JSON`, where `{loss}` is the value that accepts the loss of a plan; `--cut-off-at POINT` |
//! | `failover`, `switch`, `failback` with `--steps` | the same, told by the titles of the steps |
//! | `baseline` | saves one, and tells how it differs from the one before |
//! | `messages COUNT` | users write so many |
//! | `pass COUNT days`, `pass COUNT hours` | the lab's time, from one scheduled job to the next |
//! | `begin failover`, `until EFFECT`, `kill` | a run in the background, until the lab shows an effect, killed |
//! | `truth` | what the lab knows |
//! | `truth of INSTANCE` | the same by the messages on one copy, once users are in |

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pchat_tests::lab::LabProcess;
use serde_json::{json, Value};
use tempfile::TempDir;

use crate::journey;
use crate::plain::Plain;

/// How long a state is awaited.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

#[derive(Default)]
pub struct Stage {
    ground: Option<Ground>,
    plain: Plain,
    behind: Option<Child>,
}

struct Ground {
    lab: LabProcess,
    place: TempDir,
    aside: Option<(PathBuf, PathBuf)>,
}

/// An artifact: named by the environment, else where `cargo xtask module` builds it.
fn artifact(variable: &str, name: &str) -> PathBuf {
    let built = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/drill").join(name);
    let path = std::env::var_os(variable).map_or_else(built, PathBuf::from);
    assert!(path.is_file(), "{} is not built: run `cargo xtask module` first, or `cargo xtask test`", path.display());
    path
}

fn program(variable: &str, name: &str) -> PathBuf {
    artifact(variable, &format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

impl Stage {
    /// Carries out one command and gives what it prints, with everything volatile replaced.
    pub fn carry_out(&mut self, command: &str) -> String {
        let words: Vec<&str> = command.split_whitespace().collect();
        let printed = match words.as_slice() {
            ["lab", scenario] => self.start(scenario),
            ["site", what @ ("lost" | "back")] => self.silent(&json!({"command": format!("primary_site_{what}")})),
            ["fault", "off", name, args] => self.fault(name, args, false),
            ["fault", name, args] => self.fault(name, args, true),
            ["put", "aside"] => self.put_aside(),
            ["put", "back"] => self.put_back(),
            ["begin", verb] => {
                let child = self.host(verb, &[]).stdout(Stdio::null()).spawn().expect("the host starts");
                self.behind = Some(child);
                String::new()
            }
            ["until", effect] => self.until(effect),
            ["kill"] => self.kill(),
            ["truth"] => self.truth(),
            ["truth", "of", instance] => journey::truth_of(self, instance),
            ["baseline"] => journey::baseline(self),
            ["messages", count] => self.silent(&json!({"command": "messages", "write": number(count)})),
            ["pass", count, unit @ ("days" | "hours")] => {
                let seconds = number(count) * if *unit == "days" { 86_400 } else { 3_600 };
                self.silent(&json!({"command": "clock", "pass_seconds": seconds}))
            }
            [verb @ ("failover" | "switch" | "failback"), "--steps"] => journey::steps(self, verb),
            [verb @ ("check" | "plan" | "failover" | "resume" | "undo"), options @ ..] => self.run(verb, options),
            _ => panic!("a drill has no command `{command}`"),
        };
        self.plain.of(&printed)
    }

    fn ground(&self) -> &Ground {
        self.ground.as_ref().expect("the drill begins with `lab SCENARIO`")
    }

    pub(crate) fn ask(&self, command: &Value) -> Value {
        self.ground().lab.control(command).unwrap_or_else(|e| panic!("{command}: {e}"))
    }

    fn silent(&self, command: &Value) -> String {
        self.ask(command);
        String::new()
    }

    fn start(&mut self, scenario: &str) -> String {
        let scenario = match scenario.ends_with(".json") {
            true => format!("{}/drills/{scenario}", env!("CARGO_MANIFEST_DIR")),
            false => scenario.to_string(),
        };
        let lab = LabProcess::start(&program("PCHAT_TEST_LAB", "pchat-lab"), &scenario).expect("the lab starts");
        let place = tempfile::tempdir().expect("a folder");
        self.plain.know(place.path().join("journal").display().to_string(), "<journal>");
        for entry in lab.about["path_map"].as_array().into_iter().flatten() {
            let folder = entry["to"].as_str().unwrap_or_default();
            self.plain.know(folder, &format!("<{} here>", entry["from"].as_str().unwrap_or_default()));
        }
        self.plain.know(machine(), "on <machine> (");
        // A mirror catches up in its own time.
        self.plain.know("SYNCHRONIZING", "SYNCHRONIZED");
        self.ground = Some(Ground { lab, place, aside: None });
        String::new()
    }

    fn fault(&self, name: &str, args: &str, on: bool) -> String {
        let args: Value = serde_json::from_str(args).expect("the fault's arguments are JSON");
        self.silent(&json!({"command": "fault", "name": name, "on": on, "args": args}))
    }

    fn share(&self) -> PathBuf {
        let map = self.ground().lab.about["path_map"].clone();
        let is_share = |from: &str| from.eq_ignore_ascii_case(r"\\fs1\LogShip");
        let entries = map.as_array().into_iter().flatten();
        let found = entries.into_iter().find(|entry| entry["from"].as_str().is_some_and(is_share));
        PathBuf::from(found.and_then(|entry| entry["to"].as_str()).expect("the share is mapped"))
    }

    fn put_aside(&mut self) -> String {
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(self.share()).expect("the share").flatten().map(|entry| entry.path()).collect();
        files.retain(|file| file.extension().is_some_and(|ending| ending == "trn"));
        files.sort();
        let newest = files.pop().expect("a log backup");
        let ground = self.ground.as_mut().expect("a lab");
        let aside = ground.place.path().join("aside");
        std::fs::copy(&newest, &aside).expect("put aside");
        std::fs::remove_file(&newest).expect("put aside");
        ground.aside = Some((newest, aside));
        String::new()
    }

    fn put_back(&mut self) -> String {
        let (file, aside) = self.ground.as_mut().and_then(|g| g.aside.take()).expect("a file was put aside");
        std::fs::copy(aside, file).expect("put back");
        String::new()
    }

    pub(crate) fn host(&self, verb: &str, set: &[String]) -> Command {
        let ground = self.ground();
        let library = if cfg!(windows) { "pchat.dll" } else { "libpchat.so" };
        let mut command = Command::new(program("PCHAT_TEST_HOST", "pchat-host"));
        command.arg("--library").arg(artifact("PCHAT_TEST_LIBRARY", library));
        command.args(["--lab", &ground.lab.control_address(), verb, "--journal"]);
        command.arg(ground.place.path().join("journal"));
        command.arg("--baseline").arg(ground.place.path().join("baseline"));
        for value in set {
            command.args(["--set", value]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&mut self, verb: &str, options: &[&str]) -> String {
        let (mut set, mut point) = (Vec::new(), None);
        for pair in options.chunks(2) {
            match pair {
                ["--set", value] => set.push(value.replace("{loss}", &self.loss_to_accept(value))),
                ["--cut-off-at", at] => point = Some(*at),
                other => panic!("a drill's {verb} has no option {other:?}"),
            }
        }
        let mut command = self.host(verb, &set);
        if let Some(point) = point {
            command.env("PCHAT_CRASH_AT", point);
        }
        let output = command.output().expect("the host runs");
        let ended = match output.status.code() {
            Some(code) if point.is_none() => format!("exit code {code}"),
            _ => "cut off".to_string(),
        };
        format!("{}{ended}\n", String::from_utf8_lossy(&output.stdout))
    }

    /// The value of a fresh plan that accepts its loss; asked only where it is wanted.
    fn loss_to_accept(&self, value: &str) -> String {
        if !value.contains("{loss}") {
            return String::new();
        }
        let output = self.host("plan", &[]).arg("--json").output().expect("the host runs");
        let plan: Value = serde_json::from_slice(&output.stdout).expect("a plan");
        plan["loss"]["accept_value"].to_string()
    }

    fn until(&self, effect: &str) -> String {
        let end = Instant::now() + LIMIT;
        while Instant::now() < end {
            let effects = self.ask(&json!({"command": "effects"}));
            if effects.as_array().into_iter().flatten().any(|e| e["kind"] == effect) {
                return String::new();
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        format!("{effect} was not seen within {} s\n", LIMIT.as_secs())
    }

    fn kill(&mut self) -> String {
        let mut child = self.behind.take().expect("a run was begun");
        child.kill().expect("it is killed");
        child.wait().expect("it has ended");
        String::new()
    }

    fn truth(&self) -> String {
        let (truth, state) = (self.ask(&json!({"command": "truth"})), self.ask(&json!({"command": "state"})));
        let copy = |instance: &str| truth["copies"][instance]["state"].as_str().unwrap_or("absent").to_string();
        let list = |value: &Value| -> String {
            let names: Vec<&str> = value.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            if names.is_empty() {
                "none".to_string()
            } else {
                names.join(", ")
            }
        };
        let backup = &state["instances"][r"B\RTC"];
        let jobs: Vec<String> = backup["jobs"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|job| {
                let word = if job["enabled"] == json!(true) { "enabled" } else { "disabled" };
                format!("{} {word}", job["name"].as_str().unwrap_or_default())
            })
            .collect();
        let shipping = backup["log_shipping"]["secondary"].as_array().map_or(0, Vec::len);
        let lost = &truth["lost_on_backup"];
        let lines = [
            format!(r"mgc on B\RTC: {}; on BM\RTC: {}", copy(r"B\RTC"), copy(r"BM\RTC")),
            format!(r"log shipping on B\RTC: {}", if shipping > 0 { "configured" } else { "removed" }),
            format!(r"jobs on B\RTC: {}", jobs.join(", ")),
            format!(
                "pool: {}; active servers: {}",
                state["pool"]["pool_state"].as_str().unwrap_or("?"),
                list(&state["pool"]["active_servers"])
            ),
            format!("users served by: {}", list(&truth["users"]["serving"])),
            format!(
                "messages that are not on the backup: {} ({})",
                lost["count"],
                lost["messages"].as_str().unwrap_or("none")
            ),
            format!("T-SQL that the lab does not know: {}", truth["unknown_statements"]),
        ];
        lines.map(|line| line + "\n").concat()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(mut child) = self.behind.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or_else(|_| panic!("`{text}` is no number"))
}

/// The name by which the instance's sessions show this machine.
fn machine() -> String {
    let from_file = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = from_file.or_else(|| std::env::var("COMPUTERNAME").ok()).unwrap_or_default();
    format!("on {} (", name.trim())
}
