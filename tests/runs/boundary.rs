//! The built library under a fault of its own, and under a host that only reads.

use serde_json::json;

use crate::harness::Situation;

#[test]
fn a_panic_planted_in_a_task_becomes_error_9001_and_the_process_lives() {
    let situation = Situation::start("small");
    let output = situation.command("check", &[]).env("PCHAT_PLANT_PANIC", "task").output().expect("the host runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let document: serde_json::Value =
        serde_json::from_str(text.lines().last().unwrap_or_default()).expect("a document");
    assert_eq!(document["error"]["code"], json!(9001), "{document:#}");
    assert_eq!(output.status.code(), Some(1));
    assert!(document["error"]["message"].as_str().is_some_and(|m| m.contains("planted in a task")), "{document:#}");
    assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"), "nothing on the shell's screen");
    // The same lab serves the next call.
    situation.run("check", &[]).expect(0);
}

#[test]
fn the_password_is_in_no_file_and_no_output() {
    let situation = Situation::start("small");
    situation.ask("primary_site_lost");
    let done = situation.run("failover", &[]);
    done.expect(0);
    let password = situation.lab.about["logins"][0]["password"].as_str().expect("a password").to_string();
    assert!(!done.document.to_string().contains(&password));
    let mut waiting = vec![situation.journal.path().to_path_buf()];
    let mut read = 0;
    while let Some(at) = waiting.pop() {
        for entry in std::fs::read_dir(&at).expect("a folder").flatten() {
            if entry.path().is_dir() {
                waiting.push(entry.path());
            } else {
                let text = std::fs::read(entry.path()).expect("a file");
                assert!(!String::from_utf8_lossy(&text).contains(&password), "{}", entry.path().display());
                read += text.len();
            }
        }
    }
    assert!(read > 1_000, "the journal was read");
}
