//! The journal against cut files, flipped bytes, lost copies, two writers, and the end of the process at any point.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use chrono::{TimeZone, Utc};
use serde_json::{json, Value};
use tempfile::TempDir;

use super::reader::{read_bytes, Tail};
use super::writer::journal_path;
use super::*;
use crate::error::{ErrorKind, Outcome};

fn head(run_id: &str) -> RunHead {
    RunHead {
        run_id: run_id.to_string(),
        kind: "failover".into(),
        sql_instance: r"B\RTC".into(),
        database: "mgc".into(),
        pool_fqdn: Some("pchat.contoso.com".into()),
        operator: "CONTOSO\\ada".into(),
        machine: "LYNC2".into(),
        process_id: 42,
        product_version: "0.1.0".into(),
        started_at_utc: "2026-03-14T02:15:00Z".into(),
        plan: json!({"steps": ["a", "b"]}),
        capture: json!({"log_shipping": {"log_backup_share": r"\\fs1\LogShip"}}),
        copy_folder: None,
    }
}

fn step(number: u32) -> Record {
    Record::StepBegun { number, step: format!("step_{number}"), intent: json!({"files": [number, "ä\n\"}"]}) }
}

fn ended() -> Record {
    Record::Ended { outcome: Outcome::Done, text: "mgc is online".into() }
}

struct Place {
    _root: TempDir,
    first: PathBuf,
    second: PathBuf,
    run_id: String,
}

/// Two folders that do not exist yet.
fn place() -> Place {
    let root = tempfile::tempdir().unwrap();
    let (first, second) = (root.path().join("a").join("runs"), root.path().join("b"));
    Place { _root: root, first, second, run_id: new_run_id(Utc::now()) }
}

impl Place {
    fn create(&self) -> Journal {
        Journal::create(&self.first, Some(&self.second), &head(&self.run_id)).unwrap()
    }

    fn open(&self) -> crate::error::Result<(Journal, Vec<Entry>)> {
        Journal::open_best(&self.first, Some(&self.second), &self.run_id, "resume")
    }

    fn bytes(&self, folder: &Path) -> Vec<u8> {
        fs::read(journal_path(folder, &self.run_id)).unwrap()
    }

    fn write(&self, folder: &Path, bytes: &[u8]) {
        fs::create_dir_all(folder).unwrap();
        fs::write(journal_path(folder, &self.run_id), bytes).unwrap();
    }
}

/// A journal with four records, in both folders.
fn filled() -> Place {
    let place = place();
    let journal = place.create();
    for number in 1..=3 {
        journal.append(step(number)).unwrap();
    }
    assert_eq!(journal.take_warnings(), Vec::<String>::new());
    place
}

#[test]
fn run_ids_sort_by_time_and_are_told_from_anything_else() {
    let time = |second| Utc.with_ymd_and_hms(2026, 3, 14, 2, 15, second).unwrap();
    let (old, new) = (new_run_id(time(1)), new_run_id(time(2)));
    assert!(old < new && old.starts_with("20260314T021501Z-"), "{old}");
    assert_ne!(new_run_id(time(1)), old);
    assert!(is_run_id(&old));
    let long = format!("{old}0");
    for text in
        ["", "..", "../20260314T021501Z-00000000", "20260314T021501Z-0000000G", "20260314T021501Z-0000000/", &long]
    {
        assert!(!is_run_id(text), "{text}");
        let error = Journal::open_best(Path::new("x"), None, text, "resume").expect_err("refused");
        assert_eq!(error.kind, ErrorKind::InvalidValue);
    }
}

#[test]
fn both_copies_hold_every_record() {
    let place = filled();
    assert_eq!(place.bytes(&place.first), place.bytes(&place.second));
    let view = read(&place.first, None, &place.run_id).unwrap();
    assert_eq!(view.entries.iter().map(|entry| entry.sequence).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(view.entries[2].record, step(2));
    assert_eq!(view.head.as_ref(), Some(&head(&place.run_id)));
    assert_eq!((view.is_open, view.is_held, view.last_step.as_deref()), (true, false, Some("step_3")));
}

#[cfg(unix)]
#[test]
fn folder_and_files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let place = filled();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&place.first), 0o700);
    assert_eq!(mode(&journal_path(&place.first, &place.run_id)), 0o600);
    fs::set_permissions(&place.first, fs::Permissions::from_mode(0o777)).unwrap();
    let (journal, _) = place.open().unwrap();
    assert!(journal.take_warnings()[0].contains("can be written by others"));
}

#[test]
fn nothing_secret_reaches_the_file() {
    let place = place();
    let journal = place.create();
    let data = json!({"user": "sa", "Password": "hunter2", "list": [{"monitor_server_secret": "hunter2"}], "pwd": 5});
    journal.append(Record::Evidence { name: "login".into(), data }).unwrap();
    let text = String::from_utf8(place.bytes(&place.first)).unwrap();
    assert!(!text.contains("hunter2") && text.contains("\"user\":\"sa\""), "{text}");
}

#[test]
fn nothing_secret_of_a_plan_reaches_either_copy() {
    let place = place();
    let mut head = head(&place.run_id);
    head.plan = json!({"login_password": "hun\"ter2", "PWD": "hunter2", "of_secrets": "kept", "secret": ["kept too"]});
    drop(Journal::create(&place.first, Some(&place.second), &head).unwrap());
    for folder in [&place.first, &place.second] {
        let text = String::from_utf8(place.bytes(folder)).unwrap();
        assert!(!text.contains("ter2") && text.contains("\"of_secrets\":\"kept\",\"secret\":[\"kept too\"]"), "{text}");
        assert!(text.contains("{\"login_password\":\"***\",\"PWD\":\"***\""), "{text}");
    }
}

#[test]
fn a_file_cut_at_any_byte_gives_the_records_before_the_cut() {
    let place = filled();
    let whole = place.bytes(&place.first);
    let ends: Vec<usize> = whole.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect();
    for cut in 0..whole.len() {
        let chain = read_bytes(whole[..cut].to_vec(), &place.run_id);
        let wanted = ends.iter().filter(|end| **end <= cut).count();
        assert_eq!(chain.entries.len(), wanted, "cut at {cut}");
        let is_clean = cut == 0 || ends.contains(&cut);
        assert_eq!(chain.tail, if is_clean { Tail::Nothing } else { Tail::Torn }, "cut at {cut}");
    }
}

#[test]
fn a_flipped_bit_anywhere_ends_the_chain_before_its_record() {
    let place = filled();
    let whole = place.bytes(&place.first);
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        let record = whole[..at].iter().filter(|byte| **byte == b'\n').count();
        let chain = read_bytes(bytes, &place.run_id);
        assert_eq!(chain.entries.len(), record, "bit in byte {at}");
        assert_ne!(chain.tail, Tail::Nothing, "bit in byte {at}");
    }
}

#[test]
fn records_cannot_be_taken_out_swapped_or_moved_to_another_run() {
    let place = filled();
    let text = String::from_utf8(place.bytes(&place.first)).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let count = |lines: &[&str]| read_bytes((lines.join("\n") + "\n").into_bytes(), &place.run_id).entries.len();
    assert_eq!(count(&[lines[0], lines[2], lines[3]]), 1);
    assert_eq!(count(&[lines[0], lines[2], lines[1], lines[3]]), 1);
    assert_eq!(count(&[lines[0], lines[1], lines[1]]), 2);
    assert_eq!(count(&[lines[1], lines[2]]), 0);
    assert_eq!(read_bytes(text.into_bytes(), &new_run_id(Utc::now())).entries.len(), 0);
}

#[test]
fn a_torn_last_line_is_dropped_and_writing_goes_on() {
    let place = filled();
    let mut bytes = place.bytes(&place.first);
    bytes.extend_from_slice(b"{\"sequence\":5,\"at_u");
    place.write(&place.first, &bytes);
    let (journal, entries) = place.open().unwrap();
    assert_eq!((entries.len(), journal.take_warnings().len()), (4, 0));
    journal.append(step(9)).unwrap();
    drop(journal);
    let view = read(&place.first, None, &place.run_id).unwrap();
    assert!(matches!(view.entries[4].record, Record::Opened { .. }));
    assert_eq!((view.entries.len(), &view.entries[5].record, view.damage), (6, &step(9), None));
    assert_eq!(place.bytes(&place.first), place.bytes(&place.second));
}

#[test]
fn the_longer_copy_wins_whichever_it_is_and_the_other_follows() {
    for cut_first in [true, false] {
        for keep in 0..=3 {
            let place = filled();
            let whole = place.bytes(&place.first);
            let ends: Vec<usize> =
                whole.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(at, _)| at + 1).collect();
            let shorter = if cut_first { &place.first } else { &place.second };
            // A few bytes of the next record stay.
            place.write(shorter, &whole[..if keep == 0 { 0 } else { ends[keep - 1] + 7 }]);
            let (journal, entries) = place.open().unwrap();
            assert_eq!(entries.len(), 4);
            drop(journal);
            assert_eq!(place.bytes(&place.first), place.bytes(&place.second));
            assert!(place.bytes(&place.first).starts_with(&whole));
        }
    }
}

#[test]
fn either_copy_alone_is_enough() {
    for lost in [true, false] {
        let place = filled();
        let whole = place.bytes(&place.first);
        fs::remove_dir_all(if lost { &place.first } else { &place.second }).unwrap();
        let (journal, entries) = place.open().unwrap();
        assert_eq!(entries.len(), 4);
        drop(journal);
        assert!(place.bytes(&place.first).starts_with(&whole));
        assert_eq!(place.bytes(&place.first), place.bytes(&place.second));
    }
    // From the second one's folder, as a colleague on another machine would.
    let place = filled();
    let (_journal, entries) = Journal::open_best(&place.second, None, &place.run_id, "resume").unwrap();
    assert_eq!(entries.len(), 4);
}

#[test]
fn a_damaged_copy_is_kept_beside_and_told() {
    let place = filled();
    let mut bytes = place.bytes(&place.first);
    let at = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 20;
    bytes[at] ^= 4;
    place.write(&place.first, &bytes);
    let (journal, entries) = place.open().unwrap();
    assert_eq!(entries.len(), 4, "the second copy has them all");
    assert!(journal.take_warnings()[0].contains("damaged behind record 1"));
    let kept = place.first.join(format!("{}.journal.kept-1", place.run_id));
    assert_eq!(fs::read(kept).unwrap(), bytes);

    let place = filled();
    for folder in [&place.first, &place.second] {
        let mut bytes = place.bytes(folder);
        bytes[5] ^= 1;
        place.write(folder, &bytes);
    }
    assert_eq!(place.open().expect_err("no head").kind, ErrorKind::JournalDamaged);
    assert!(list(&place.first)[0].damage.as_ref().is_some_and(|damage| damage.contains("no valid first record")));
}

#[test]
fn copies_that_went_apart_are_told_and_the_shorter_one_is_kept() {
    let place = filled();
    let (journal, _) = Journal::open_best(&place.second, None, &place.run_id, "resume").unwrap();
    journal.append(Record::Note { text: "elsewhere".into() }).unwrap();
    drop(journal);
    let (journal, _) = Journal::open_best(&place.first, None, &place.run_id, "resume").unwrap();
    for number in 5..=7 {
        journal.append(step(number)).unwrap();
    }
    drop(journal);
    let (journal, entries) = place.open().unwrap();
    assert_eq!(entries.last().map(|entry| &entry.record), Some(&step(7)));
    assert!(journal.take_warnings().iter().any(|warning| warning.contains("disagree")));
    assert!(place.second.join(format!("{}.journal.kept-1", place.run_id)).exists());
    drop(journal);
    assert_eq!(place.bytes(&place.first), place.bytes(&place.second));
}

#[test]
fn a_second_copy_that_fails_warns_and_catches_up() {
    let place = place();
    // Its folder is a file.
    fs::create_dir_all(place.second.parent().unwrap()).unwrap();
    fs::write(&place.second, "").unwrap();
    let journal = place.create();
    journal.append(step(1)).unwrap();
    assert!(journal.take_warnings().iter().any(|warning| warning.contains("is behind")));
    fs::remove_file(&place.second).unwrap();
    fs::create_dir(&place.second).unwrap();
    journal.append(step(2)).unwrap();
    assert_eq!(journal.take_warnings(), Vec::<String>::new());
    drop(journal);
    assert_eq!(place.bytes(&place.first), place.bytes(&place.second));
}

#[test]
fn the_first_copy_that_cannot_be_made_refuses() {
    let place = place();
    fs::create_dir_all(place.first.parent().unwrap()).unwrap();
    fs::write(&place.first, "").unwrap();
    let error = Journal::create(&place.first, None, &head(&place.run_id)).expect_err("refused");
    assert_eq!(error.kind, ErrorKind::JournalFolderInvalid);
    let place = filled();
    let error = Journal::create(&place.first, None, &head(&place.run_id)).expect_err("it exists");
    assert_eq!(error.kind, ErrorKind::JournalFolderInvalid);
    let place = self::place();
    fs::create_dir_all(place.first.join(format!("{}.lock", place.run_id))).unwrap();
    let error = Journal::create(&place.first, None, &head(&place.run_id)).expect_err("nothing can be written there");
    assert_eq!(error.kind, ErrorKind::JournalFolderInvalid);
    assert_eq!(error.unchanged, "Nothing was started.");
    assert!(!error.next.contains("Resume"), "{}", error.next);
}

#[test]
fn one_process_at_a_time() {
    let place = place();
    let journal = place.create();
    let error = place.open().expect_err("held");
    assert_eq!(error.kind, ErrorKind::Locked);
    assert!(error.message.contains("CONTOSO\\ada on LYNC2, process 42"), "{error}");
    // From the second copy's folder too.
    let error = Journal::open_best(&place.second, None, &place.run_id, "resume").expect_err("held");
    assert_eq!(error.kind, ErrorKind::Locked);
    // And where only the second copy is shared with whoever holds it.
    let third = place.second.with_file_name("c");
    let error = Journal::open_best(&third, Some(&place.second), &place.run_id, "resume").expect_err("held");
    assert_eq!(error.kind, ErrorKind::Locked);
    assert!(list(&place.first)[0].is_held);
    drop(journal);
    assert!(!list(&place.first)[0].is_held);
    place.open().unwrap();
}

#[test]
fn a_run_that_ended_or_does_not_exist_is_not_opened() {
    let place = place();
    let error = place.open().expect_err("nothing there");
    assert_eq!(error.kind, ErrorKind::RunNotFound);
    assert!(!place.first.exists(), "a wrong name leaves no trace");
    for last in [ended(), Record::Undone { text: "as before".into() }] {
        let place = filled();
        place.open().unwrap().0.append(last).unwrap();
        assert_eq!(place.open().expect_err("ended").kind, ErrorKind::RunEnded);
    }
    let place = filled();
    let stopped = Record::Stopped { outcome: Outcome::Cancelled, text: "Ctrl+C".into() };
    place.open().unwrap().0.append(stopped).unwrap();
    let view = read(&place.first, None, &place.run_id).unwrap();
    assert_eq!((view.is_open, view.outcome), (true, Some(Outcome::Cancelled)));
    place.open().unwrap();
}

#[test]
fn the_list_shows_the_newest_first_and_captures_are_found() {
    let root = tempfile::tempdir().unwrap();
    let id = |hour| new_run_id(Utc.with_ymd_and_hms(2026, 3, 14, hour, 0, 0).unwrap());
    let with = |hour: u32, instance: &str, database: &str, capture: Value| {
        let head = RunHead { sql_instance: instance.into(), database: database.into(), capture, ..head(&id(hour)) };
        let run_id = head.run_id.clone();
        (Journal::create(root.path(), None, &head).unwrap(), run_id)
    };
    let (_, wanted) = with(1, r"b\rtc", "mgc", json!({"share": 1}));
    with(2, r"B\RTC", "MGC", json!({"share": 2}));
    with(3, r"C\RTC", "mgc", json!({"share": 3}));
    let (last, newest) = with(4, r"B\RTC", "mgc", json!({"share": null}));
    fs::write(root.path().join("notes.journal"), "not ours").unwrap();
    let ids: Vec<String> = list(root.path()).into_iter().map(|view| view.run_id).collect();
    assert_eq!((ids.len(), ids.first(), ids.last()), (4, Some(&newest), Some(&wanted)));

    let folders = [root.path().join("none"), root.path().to_path_buf()];
    let has_share = |capture: &Value| !capture["share"].is_null();
    let found = newest_capture(&folders, r"B\RTC", "mgc", has_share).unwrap();
    assert_eq!((found.run_id, found.capture), (wanted, json!({"share": 1})));
    // A capture made later in a run counts in its place.
    last.append(Record::Capture { data: json!({"share": 9}) }).unwrap();
    assert_eq!(newest_capture(&folders, r"B\RTC", "mgc", has_share).unwrap().run_id, newest);
    assert!(newest_capture(&folders, r"D\RTC", "mgc", has_share).is_none());
}

#[test]
fn a_record_of_a_later_release_is_carried_along() {
    let value: Record = serde_json::from_value(json!({"type": "not_yet_known", "data": 1})).unwrap();
    assert_eq!(value, Record::Unknown);
}

/// The run of a child process: five records, the run id fixed so that the parent finds it.
const CHILD_ID: &str = "20260314T021500Z-0123abcd";

/// Not a test of its own: what the tests below start in a process that is to be cut off.
#[test]
fn child_writes_a_journal() {
    let Some(root) = std::env::var_os("PCHAT_TEST_JOURNAL").map(PathBuf::from) else { return };
    let (first, second) = (root.join("a"), root.join("b"));
    let journal = match Journal::create(&first, Some(&second), &head(CHILD_ID)) {
        Ok(journal) => journal,
        Err(error) => panic!("{error}"),
    };
    for number in 1..=4 {
        // The change that follows a record is stood in for by a file.
        match journal.append(step(number)) {
            Ok(()) => fs::write(root.join(format!("change-{number}")), "").unwrap(),
            Err(error) => assert_eq!(error.kind, ErrorKind::JournalWriteFailed),
        }
    }
}

fn run_child(root: &Path, variable: &str, value: &str) -> bool {
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new(program);
    command.args(["--exact", "journal::tests::child_writes_a_journal", "--nocapture"]);
    command.env("PCHAT_TEST_JOURNAL", root).env(variable, value).env("RUST_BACKTRACE", "0");
    command.output().unwrap().status.success()
}

fn changes(root: &Path) -> usize {
    (1..=4).filter(|number| root.join(format!("change-{number}")).exists()).count()
}

#[test]
fn a_process_cut_off_at_any_point_leaves_a_journal_to_go_on_from() {
    let points =
        ["journal.append.before", "journal.append.torn", "journal.append.between", "journal.append.after"].into_iter();
    for (point, number) in points.flat_map(|point| (1..=5).map(move |number| (point, number))) {
        let root = tempfile::tempdir().unwrap();
        let named = format!("{point}:{number}");
        assert!(!run_child(root.path(), "PCHAT_CRASH_AT", &named), "{named} was not reached");
        let (first, second) = (root.path().join("a"), root.path().join("b"));
        let written = if point.ends_with("before") || point.ends_with("torn") { number - 1 } else { number };
        if written == 0 {
            assert!(read(&first, Some(&second), CHILD_ID).is_err(), "{named}");
            continue;
        }
        let view = read(&first, Some(&second), CHILD_ID).unwrap();
        assert_eq!((view.entries.len(), view.damage, view.is_held), (written, None, false), "{named}");
        // No change without its record, and none after the cut.
        assert_eq!(changes(root.path()), (number - 1).saturating_sub(1), "{named}");
        let (_journal, entries) = Journal::open_best(&first, Some(&second), CHILD_ID, "resume").unwrap();
        assert_eq!(entries.len(), written, "{named}");
    }
}

#[test]
fn a_write_that_fails_stops_everything_behind_it() {
    let root = tempfile::tempdir().unwrap();
    assert!(run_child(root.path(), "PCHAT_FAIL_AT", "journal.append:3"));
    assert_eq!(changes(root.path()), 1, "no change behind the record that failed");
    assert_eq!(read(&root.path().join("a"), None, CHILD_ID).unwrap().entries.len(), 2);

    // The second copy only warns.
    let root = tempfile::tempdir().unwrap();
    assert!(run_child(root.path(), "PCHAT_FAIL_AT", "journal.second:3"));
    assert_eq!(changes(root.path()), 4);
    assert_eq!(read(&root.path().join("b"), None, CHILD_ID).unwrap().entries.len(), 5, "it caught up");
}

#[cfg(unix)]
#[test]
fn a_journal_that_was_deleted_takes_no_further_record() {
    let root = tempfile::tempdir().unwrap();
    let journal = Journal::create(&root.path().join("a"), Some(&root.path().join("b")), &head(CHILD_ID)).unwrap();
    journal.append(step(1)).unwrap();
    fs::remove_dir_all(root.path().join("a")).unwrap();
    assert_eq!(journal.append(step(2)).unwrap_err().kind, ErrorKind::JournalWriteFailed);
    assert_eq!(journal.append(step(3)).unwrap_err().kind, ErrorKind::JournalWriteFailed);
    assert_eq!(read(&root.path().join("b"), None, CHILD_ID).unwrap().entries.len(), 2);
}
