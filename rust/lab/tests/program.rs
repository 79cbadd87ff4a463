//! The program: ready line, ready file, and every way in which it ends.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_pchat-lab");

struct Running {
    child: Child,
    described: Value,
}

fn start(arguments: &[&str]) -> Running {
    let mut child = Command::new(PROGRAM)
        .args(["serve", "--scenario", "small"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    Running { child, described: serde_json::from_str(&line).unwrap() }
}

impl Running {
    fn root(&self) -> PathBuf {
        self.described["root"].as_str().unwrap().into()
    }

    /// Waits for the end; a lab that stays is killed and fails the test.
    fn ends_well(mut self) -> PathBuf {
        let root = self.root();
        let until = Instant::now() + Duration::from_secs(20);
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert!(status.success(), "{status}");
                return root;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        panic!("the lab did not end");
    }
}

fn control(address: &str, line: &str) -> (bool, String) {
    let output = Command::new(PROGRAM).args(["control", address, line]).output().unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn it_serves_until_it_is_told_to_stop() {
    let folder = tempfile::tempdir().unwrap();
    let ready = folder.path().join("ready.json");
    let root = folder.path().join("lab files");
    let running = start(&["--ready-file", ready.to_str().unwrap(), "--root", root.to_str().unwrap()]);
    let written: Value = serde_json::from_str(&std::fs::read_to_string(&ready).unwrap()).unwrap();
    assert_eq!(written, running.described);
    assert_eq!(running.root(), root);

    let address = running.described["control"].as_str().unwrap();
    let (well, answer) = control(address, r#"{"command":"state"}"#);
    assert!(well && answer.contains("pool_state"), "{answer}");
    let (well, answer) = control(address, r#"{"command":"dance"}"#);
    assert!(!well && answer.contains("there is no command dance"), "{answer}");
    assert!(control(address, r#"{"command":"stop"}"#).0);
    running.ends_well();
    assert!(Path::new(&root).is_dir(), "a folder that was named stays");
}

#[test]
fn it_ends_with_its_input_and_takes_its_folder_along() {
    let mut running = start(&["--until-stdin-closes"]);
    assert!(running.root().is_dir());
    drop(running.child.stdin.take());
    let root = running.ends_well();
    assert!(!root.exists(), "{} was left behind", root.display());
}

#[test]
fn it_ends_with_its_owner() {
    // Another lab plays the owner: it ends when its own input does.
    let mut owner = start(&["--until-stdin-closes"]);
    let running = start(&["--owner-pid", &owner.child.id().to_string()]);
    drop(owner.child.stdin.take());
    owner.ends_well();
    let root = running.ends_well();
    assert!(!root.exists(), "{} was left behind", root.display());
}

#[test]
fn wrong_use_is_told_and_starts_nothing() {
    let code = |arguments: &[&str]| {
        let output = Command::new(PROGRAM).args(arguments).stdin(Stdio::null()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(code(&["serve"]).0, Some(2));
    assert_eq!(code(&["dance"]).0, Some(2));
    let (status, text) = code(&["serve", "--scenario", "no-such-scenario"]);
    assert!(status == Some(1) && text.contains("no scenario named no-such-scenario"), "{text}");
    let listed = Command::new(PROGRAM).arg("scenarios").output().unwrap();
    assert_eq!(String::from_utf8(listed.stdout).unwrap().lines().count(), pchat_lab::scenario::NAMED.len());
}
