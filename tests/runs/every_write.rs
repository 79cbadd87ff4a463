//! Cut off at the writes of the journal, one after the other: whatever the moment, the end is that of a run left alone.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{json, Value};

use crate::harness::Situation;

/// Set to anything, every write is cut off, each in four ways; it takes many minutes.
const EVERY_WRITE: &str = "PCHAT_TEST_EVERY_WRITE";
const WAYS: [&str; 4] = ["before", "torn", "between", "after"];
/// Labs side by side; most of a run is waiting.
const AT_ONCE: usize = 8;

/// Everything that must not depend on where a run was cut off: states, jobs, pool, messages, and each effect with its count.
fn end_state(situation: &Situation) -> Value {
    let state = situation.ask("state");
    let truth = situation.ask("truth");
    let mut instances = BTreeMap::new();
    for (name, instance) in state["instances"].as_object().into_iter().flatten() {
        let pick = |list: &Value, members: &[&str]| -> Vec<Value> {
            let one = |item: &Value| members.iter().map(|member| item[*member].clone()).collect::<Value>();
            list.as_array().into_iter().flatten().map(one).collect()
        };
        let databases = pick(
            &instance["databases"],
            &["name", "state", "standby", "user_access", "recovery_model", "interrupted", "messages"],
        );
        let jobs = pick(&instance["jobs"], &["name", "enabled"]);
        let secondaries = instance["log_shipping"]["secondary"].as_array().map_or(0, Vec::len);
        instances.insert(name.clone(), json!([databases, jobs, secondaries]));
    }
    let mut effects: BTreeMap<String, usize> = BTreeMap::new();
    // A RESTORE that was cut off begins once more; what counts is that each log backup is restored once.
    let begun = |effect: &String| !effect.contains(" restore_started ") && !effect.contains(" restore_interrupted ");
    for effect in situation.effects().into_iter().filter(begun) {
        *effects.entry(without_digits(&effect)).or_default() += 1;
    }
    json!({
        "instances": instances,
        "pool": [state["pool"]["pool_state"], state["pool"]["active_servers"]],
        "destructive": truth["destructive"],
        "users": truth["users"]["in"],
        "effects": effects,
    })
}

/// Times, LSNs and numbers of schedules differ from lab to lab.
fn without_digits(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter.is_ascii_digit() {
            true if out.ends_with('#') => {}
            true => out.push('#'),
            false => out.push(letter),
        }
    }
    out
}

/// Cuts off at each point in turn, the resumed process at the next one, and finishes. `None` where the run was over before
/// the first point, or had not begun.
fn end_after(points: &[String]) -> Option<Value> {
    let situation = Situation::start("small");
    for (number, point) in points.iter().enumerate() {
        let verb = if number == 0 { "failover" } else { "resume" };
        let mut command = situation.command(verb, &[]);
        let output = command.env("PCHAT_CRASH_AT", point).output().expect("the host runs");
        if output.status.code() == Some(0) {
            break;
        }
    }
    let resumed = situation.run("resume", &[]);
    // The first record was never written, or the last one was.
    let nothing_open = resumed.code == Some(2) && resumed.error_code() == 7002;
    if nothing_open && situation.state_of("B\\RTC") == "RESTORING" {
        assert_eq!(situation.effects(), Vec::<String>::new(), "{points:?}: changes without a record");
        return None;
    }
    assert!(resumed.code == Some(0) || nothing_open, "{points:?}: {:#}", resumed.document);
    Some(end_state(&situation))
}

#[test]
fn cut_off_at_a_journal_write_and_resumed_the_end_is_that_of_a_run_left_alone() {
    let every = std::env::var_os(EVERY_WRITE).is_some();
    let last = 66;
    let mut cuts: Vec<Vec<String>> = Vec::new();
    for number in 1..=last {
        for (kind, way) in WAYS.iter().enumerate() {
            if every || (number % 11 == 2 && kind == (number / 11) % 4) {
                cuts.push(vec![format!("journal.append.{way}:{number}")]);
            }
        }
        // The process that resumes is cut off too.
        if (every && number % 3 == 0) || number == 30 {
            cuts.push(vec![
                format!("journal.append.after:{number}"),
                format!("journal.append.torn:{}", 3 + number % 7),
            ]);
        }
    }
    // The mirror's job comes last of all changes.
    cuts.push(vec!["log_backup_job.created".to_string()]);

    let next = AtomicUsize::new(0);
    let worker = || {
        let mut ends = Vec::new();
        while let Some(points) = cuts.get(next.fetch_add(1, Ordering::SeqCst)) {
            ends.extend(end_after(points).map(|end| (points, end)));
        }
        ends
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(worker)).collect();
        let undisturbed = Situation::start("small");
        undisturbed.run("failover", &[]).expect(0);
        let wanted = end_state(&undisturbed);
        for worker in workers {
            for (points, found) in worker.join().expect("every end can be told") {
                assert_eq!(found, wanted, "{points:?}: {found:#}\n{wanted:#}");
            }
        }
    });
}
