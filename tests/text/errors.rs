//! The table of errors and the one enum.

use pchat_core::error::{ErrorKind, Outcome};

use crate::read;

fn rows() -> Vec<Vec<String>> {
    read("docs/errors.md")
        .lines()
        .filter(|line| line.starts_with("| ") && line.as_bytes()[2].is_ascii_digit())
        .map(|line| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_string()).collect())
        .collect()
}

#[test]
fn every_error_has_its_row_and_every_row_its_error() {
    let table: Vec<Vec<String>> = rows().into_iter().filter(|row| row.len() == 5).collect();
    let wanted: Vec<Vec<String>> = ErrorKind::ALL
        .iter()
        .map(|kind| {
            let exit = kind.outcome().exit_code().to_string();
            vec![kind.code().to_string(), kind.id().to_string(), exit, kind.meaning().to_string()]
        })
        .collect();
    let found: Vec<Vec<String>> = table.iter().map(|row| row[..4].to_vec()).collect();
    assert_eq!(found, wanted);
    assert!(table.iter().all(|row| !row[4].is_empty()), "each row says what to do");
}

#[test]
fn codes_are_unique_and_in_their_group() {
    let mut codes: Vec<u32> = ErrorKind::ALL.iter().map(|kind| kind.code()).collect();
    assert!(codes.windows(2).all(|pair| pair[0] < pair[1]), "in ascending order: {codes:?}");
    codes.dedup();
    assert_eq!(codes.len(), ErrorKind::ALL.len());
    assert!(codes.iter().all(|code| matches!(code / 1000, 1..=7 | 9)));
}

#[test]
fn the_exit_codes_are_the_documented_ones_and_only_done_is_zero() {
    let all = [
        (Outcome::Done, "done"),
        (Outcome::Failed, "failed"),
        (Outcome::BadInput, "bad_input"),
        (Outcome::Refused, "refused"),
        (Outcome::Incomplete, "incomplete"),
        (Outcome::Cancelled, "cancelled"),
        (Outcome::Locked, "locked"),
        (Outcome::NothingToDo, "nothing_to_do"),
    ];
    let documented: Vec<(String, String)> =
        rows().into_iter().filter(|row| row.len() == 3).map(|row| (row[0].clone(), row[1].clone())).collect();
    let wanted: Vec<(String, String)> =
        all.iter().map(|(outcome, name)| (outcome.exit_code().to_string(), name.to_string())).collect();
    assert_eq!(documented, wanted);
    assert!(ErrorKind::ALL.iter().all(|kind| kind.outcome().exit_code() != 0));
}

#[test]
fn every_id_of_the_systems_log_has_its_row_and_every_row_its_id() {
    let ids = |text: &str, mark: &str| -> Vec<String> {
        let mut ids: Vec<String> =
            text.split(mark).skip(1).filter_map(|rest| rest.get(..4)).map(str::to_string).collect();
        ids.retain(|id| id.starts_with("10") && id.bytes().all(|digit| digit.is_ascii_digit()));
        ids.sort();
        ids
    };
    let source = read("rust/core/src/system_log/mod.rs");
    let source = source.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let mut written = ids(source, "(");
    written.extend(ids(source, "id: "));
    written.sort();
    assert_eq!(ids(&read("docs/event-log.md"), "\n| "), written);
}
