//! Every T-SQL text that the product sends, written out for reading: one file a version of SQL Server.
//!
//! Each workflow runs against a lab of that version, which takes down what comes in. The committed file is compared; with
//! `PCHAT_TSQL=write` it is written anew. A reviewer, or Microsoft's own parser, can check it without running anything.

#[path = "../commands/shell.rs"]
#[allow(dead_code, reason = "the single commands' tests use the rest of it")]
mod shell;

mod normal;
mod page;
mod workflows;

use page::Page;

/// The years by which the lab names versions, and the names of their files.
const VERSIONS: [(&str, &str); 6] = [
    ("2008R2", "sql-server-2008-r2"),
    ("2012", "sql-server-2012"),
    ("2014", "sql-server-2014"),
    ("2016", "sql-server-2016"),
    ("2019", "sql-server-2019"),
    ("2022", "sql-server-2022"),
];

fn compare(at: usize) {
    let (version, file) = VERSIONS[at];
    let mut page = Page::new(version);
    // They mostly wait, for the lab's pool and its time limits.
    for some in workflows::ALL.chunks(3) {
        let sent = std::thread::scope(|scope| {
            let runs: Vec<_> = some.iter().map(|(_, workflow)| scope.spawn(|| workflow(version))).collect();
            runs.into_iter().map(|run| run.join().expect("the workflow runs")).collect::<Vec<_>>()
        });
        for ((title, _), sent) in some.iter().zip(sent) {
            assert!(!sent.is_empty(), "{title}: the lab took nothing down");
            page.add(title, &sent);
        }
    }
    page.compare(&format!("{}/tsql/{file}.sql", env!("CARGO_MANIFEST_DIR")));
}

#[test]
fn sql_server_2008_r2() {
    compare(0);
}

#[test]
fn sql_server_2012() {
    compare(1);
}

#[test]
fn sql_server_2014() {
    compare(2);
}

#[test]
fn sql_server_2016() {
    compare(3);
}

#[test]
fn sql_server_2019() {
    compare(4);
}

#[test]
fn sql_server_2022() {
    compare(5);
}
