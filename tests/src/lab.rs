//! The lab's program as a child process, and its control door.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use serde_json::{json, Value};

/// A running lab; it ends with this value.
pub struct LabProcess {
    child: Child,
    _stdin: Option<ChildStdin>,
    /// What the lab says of itself: addresses, path map, logins, instances, control.
    pub about: Value,
}

impl LabProcess {
    /// Starts `pchat-lab serve` with a scenario and waits until it is ready.
    pub fn start(program: &Path, scenario: &str) -> std::io::Result<LabProcess> {
        let mut child = Command::new(program)
            .args(["serve", "--scenario", scenario, "--until-stdin-closes"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdin = child.stdin.take();
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            let mut reader = BufReader::new(out);
            reader.read_line(&mut line)?;
            // Whatever the lab prints later is read away, so that it never blocks on a full pipe.
            std::thread::spawn(move || std::io::copy(&mut reader, &mut std::io::sink()));
        }
        let about: Value = serde_json::from_str(&line).map_err(|e| {
            let _ = child.kill();
            std::io::Error::other(format!("the lab did not say that it is ready: {e}: {line}"))
        })?;
        let about = about.get("result").cloned().unwrap_or(about);
        Ok(LabProcess { child, _stdin: stdin, about })
    }

    /// The address of the control door.
    pub fn control_address(&self) -> String {
        self.about["control"].as_str().unwrap_or_default().to_string()
    }

    /// Sends one command to the control door.
    pub fn control(&self, command: &Value) -> std::io::Result<Value> {
        control(&self.control_address(), command)
    }
}

impl Drop for LabProcess {
    fn drop(&mut self) {
        let _ = self.control(&json!({"command": "stop"}));
        drop(self._stdin.take());
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

/// Sends one command to a lab's control door and gives its result.
pub fn control(address: &str, command: &Value) -> std::io::Result<Value> {
    control_within(address, command, Duration::from_secs(120))
}

/// The same with a limit on the lab's silence.
pub fn control_within(address: &str, command: &Value, limit: Duration) -> std::io::Result<Value> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(limit))?;
    writeln!(stream, "{command}")?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    let reply: Value = serde_json::from_str(&line)?;
    if reply["ok"] == json!(true) {
        Ok(reply["result"].clone())
    } else {
        Err(std::io::Error::other(format!("the lab refused {command}: {}", reply["error"])))
    }
}
