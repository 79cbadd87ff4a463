//! A lab, a journal folder, and the host as a child process.

use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use pchat_tests::lab::LabProcess;
use serde_json::{json, Value};
use tempfile::TempDir;

/// One situation: a lab of its own and a journal of its own.
pub struct Situation {
    pub lab: LabProcess,
    pub journal: TempDir,
    /// Where baselines are kept, and the second copy of a failback's journal.
    pub baseline: TempDir,
}

/// How a host process ended.
pub struct Ended {
    /// `None` where it was killed.
    pub code: Option<i32>,
    /// The result document, or `{"error": …}`.
    pub document: Value,
}

/// An artifact: named by the environment, else where `cargo xtask module` builds it.
fn artifact(variable: &str, name: &str) -> PathBuf {
    let built = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/drill").join(name);
    let path = std::env::var_os(variable).map_or_else(built, PathBuf::from);
    assert!(path.is_file(), "{} is not built: run `cargo xtask module` first, or `cargo xtask test`", path.display());
    path
}

pub fn library() -> PathBuf {
    artifact("PCHAT_TEST_LIBRARY", if cfg!(windows) { "pchat.dll" } else { "libpchat.so" })
}

impl Situation {
    /// Starts the lab with a scenario.
    pub fn start(scenario: &str) -> Situation {
        let program = artifact("PCHAT_TEST_LAB", &format!("pchat-lab{}", std::env::consts::EXE_SUFFIX));
        let lab = LabProcess::start(&program, scenario).expect("the lab starts");
        let folder = || TempDir::new().expect("a temporary folder");
        Situation { lab, journal: folder(), baseline: folder() }
    }

    /// Starts the lab with a scenario of the test's own: what differs from the standard topology.
    pub fn own(scenario: &Value) -> Situation {
        let folder = TempDir::new().expect("a folder for the scenario");
        let file = folder.path().join("scenario.json");
        std::fs::write(&file, scenario.to_string()).expect("a scenario");
        Situation::start(&file.display().to_string())
    }

    /// The host's command line for one verb; `set` replaces values of the request by JSON pointer.
    pub fn command(&self, verb: &str, set: &[(&str, Value)]) -> Command {
        let program = artifact("PCHAT_TEST_HOST", &format!("pchat-host{}", std::env::consts::EXE_SUFFIX));
        let mut command = Command::new(program);
        command.arg("--library").arg(library());
        command.args(["--lab", &self.lab.control_address(), "--json", verb, "--journal"]).arg(self.journal.path());
        command.arg("--baseline").arg(self.baseline.path());
        for (pointer, value) in set {
            command.arg("--set").arg(format!("{pointer}={value}"));
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a verb to its end.
    pub fn run(&self, verb: &str, set: &[(&str, Value)]) -> Ended {
        ended(&self.command(verb, set).output().expect("the host runs"))
    }

    /// Runs a single command on an instance.
    pub fn step(&self, export: &str, instance: &str, more: Value) -> Ended {
        let mut request = json!({"target": {"sql_instance": instance, "database": "mgc", "pool_fqdn": null}});
        if let (Value::Object(request), Value::Object(more)) = (&mut request, more) {
            request.extend(more);
        }
        let mut command = self.command("command", &[]);
        command.arg("--export").arg(export).arg("--request").arg(request.to_string());
        ended(&command.output().expect("the host runs"))
    }

    /// Runs a failover that aborts at a named point.
    pub fn run_cut_off_at(&self, point: &str, set: &[(&str, Value)]) -> Ended {
        self.cut_off("failover", point, set)
    }

    /// Runs a verb that aborts at a named point.
    pub fn cut_off(&self, verb: &str, point: &str, set: &[(&str, Value)]) -> Ended {
        ended(&self.command(verb, set).env("PCHAT_CRASH_AT", point).output().expect("the host runs"))
    }

    /// Runs a verb that is killed at a named point, and finishes it in another process.
    pub fn cut_off_and_resume(&self, verb: &str, point: &str, set: &[(&str, Value)]) {
        let cut = self.cut_off(verb, point, set);
        assert_ne!(cut.code, Some(0), "{point} was not reached: {:#}", cut.document);
        assert!(cut.document.get("outcome").is_none(), "{point}: the process ended by itself: {:#}", cut.document);
        let resumed = self.run("resume", &[]);
        assert_eq!(resumed.code, Some(0), "{point}: {:#}", resumed.document);
    }

    /// Runs a native command on the lab's pool.
    pub fn native(&self, name: &str, parameters: Value) -> Value {
        let asked = json!({"command": "native", "name": name, "parameters": parameters});
        let answer = self.lab.control(&asked).expect("the lab answers");
        assert_eq!(answer["outcome"], "completed", "{name}: {answer:#}");
        answer
    }

    /// A command with its members.
    pub fn control(&self, command: Value) -> Value {
        self.lab.control(&command).unwrap_or_else(|e| panic!("{command}: {e}"))
    }

    pub fn ask(&self, command: &str) -> Value {
        self.lab.control(&json!({"command": command})).expect("the lab answers")
    }

    /// Switches a fault on.
    pub fn fault(&self, name: &str, args: Value) {
        self.lab
            .control(&json!({"command": "fault", "name": name, "on": true, "args": args}))
            .unwrap_or_else(|e| panic!("the fault {name}: {e}"));
    }

    /// Every change on the lab so far that the product caused, as `instance kind detail`.
    pub fn effects(&self) -> Vec<String> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
        self.ask("effects")
            .as_array()
            .into_iter()
            .flatten()
            .map(|e| format!("{} {} {}", text(&e["instance"]), text(&e["kind"]), text(&e["detail"])))
            .collect()
    }

    /// The state of mgc on an instance, as the lab knows it.
    pub fn state_of(&self, instance: &str) -> String {
        self.ask("truth")["copies"][instance]["state"].as_str().unwrap_or("absent").to_string()
    }

    /// The end that every finished failover has.
    pub fn assert_failed_over(&self) {
        assert_eq!(self.state_of("B\\RTC"), "ONLINE");
        let pool = self.ask("state")["pool"].clone();
        assert_eq!(pool["pool_state"], "FailedOver", "{pool}");
        let truth = self.ask("truth");
        assert_eq!(truth["destructive"]["log_shipping"], json!(1), "log shipping was removed once: {truth}");
        assert_eq!(truth["unknown_statements"], json!(0), "{}", self.ask("unknown_statements"));
    }
}

pub fn ended(output: &Output) -> Ended {
    let text = String::from_utf8_lossy(&output.stdout);
    let document = text
        .lines()
        .last()
        .and_then(|line| serde_json::from_str(line).ok())
        .unwrap_or_else(|| json!({"stdout": text, "stderr": String::from_utf8_lossy(&output.stderr)}));
    Ended { code: output.status.code(), document }
}

impl Ended {
    /// The code of the error inside, 0 where there is none.
    pub fn error_code(&self) -> u64 {
        self.document["error"]["code"].as_u64().unwrap_or(0)
    }

    pub fn message(&self) -> String {
        self.document["error"]["message"].as_str().unwrap_or_default().to_string()
    }

    pub fn expect(&self, code: i32) -> &Ended {
        assert_eq!(self.code, Some(code), "{:#}", self.document);
        self
    }
}

/// The folder of this computer behind a share or folder of the backup.
pub fn folder(situation: &Situation, server_path: &str) -> PathBuf {
    let entries = situation.lab.about["path_map"].as_array().cloned().unwrap_or_default();
    let found = entries
        .iter()
        .find(|entry| entry["from"].as_str().is_some_and(|from| from.eq_ignore_ascii_case(server_path)))
        .unwrap_or_else(|| panic!("{server_path} is not in {entries:?}"));
    PathBuf::from(found["to"].as_str().expect("a path"))
}

/// Starts a run and waits until it restores, which then takes some seconds.
pub fn started(situation: &Situation) -> Child {
    situation.fault("slow_restore", json!({"instance": "B\\RTC", "bytes_per_second": 40_000}));
    let run = situation.command("failover", &[]).spawn().expect("the host");
    let restores = (0..2400).any(|_| {
        std::thread::sleep(Duration::from_millis(25));
        situation.effects().iter().any(|effect| effect.contains("restore_started"))
    });
    assert!(restores, "the run restores");
    run
}

/// Tests that are cut off at a point each, in the way of the file's own `cut_off_and_resumed`.
macro_rules! cut_off_at {
    ($($name:ident: $point:literal;)+) => {
        $(#[test]
        fn $name() {
            cut_off_and_resumed($point);
        })+
    };
}
pub(crate) use cut_off_at;
