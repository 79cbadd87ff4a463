//! What the pages name is there: commands, parameters, steps, scenarios, faults, exit codes.

use std::collections::BTreeSet;

use crate::{cmdlets, files, read};

/// Words that begin where a letter follows `mark`, as far as letters, digits and `more` go.
fn words_after<'a>(text: &'a str, mark: &str, more: &[char]) -> Vec<&'a str> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || more.contains(&letter);
    text.split(mark)
        .skip(1)
        .map(|rest| &rest[..rest.find(|letter| !is_part(letter)).unwrap_or(rest.len())])
        .filter(|word| word.starts_with(|letter: char| letter.is_ascii_uppercase()))
        .collect()
}

/// Pages for people and sources whose messages name commands.
fn texts() -> Vec<String> {
    let mut paths = vec!["README.md".to_string(), "CHANGELOG.md".to_string(), "rust/lab/README.md".to_string()];
    paths.extend(files("docs", &[".md"]));
    paths.extend(files("rust/core/src", &[".rs"]));
    paths.extend(files("module/Commands", &[".cs"]));
    paths
}

#[test]
fn only_commands_that_exist_are_named() {
    let mut known = cmdlets();
    known.push("Connect-PChatLabLync".to_string());
    for path in texts() {
        for (before, after) in read(&path).split("-PChat").collect::<Vec<_>>().windows(2).map(|pair| (pair[0], pair[1]))
        {
            let verb = before.rsplit(|letter: char| !letter.is_ascii_alphabetic()).next().unwrap_or_default();
            let noun = &after[..after.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(after.len())];
            if verb.is_empty() || noun.is_empty() {
                continue;
            }
            let name = format!("{verb}-PChat{noun}");
            assert!(known.contains(&name), "{path} names {name}, which the manifest does not export");
        }
    }
}

#[test]
fn only_parameters_that_exist_are_named() {
    let pages = files("docs/commands", &[".md"]);
    let mut known: BTreeSet<String> = pages
        .iter()
        .flat_map(|page| words_after(&read(page), "### -", &[]).into_iter().map(str::to_string).collect::<Vec<_>>())
        .collect();
    // Of the shell, of native commands, and of `build.ps1`.
    known.extend(
        [
            "Confirm",
            "WhatIf",
            "Verbose",
            "File",
            "ErrorAction",
            "PoolState",
            "DisasterMode",
            "FileShare",
            "DatabaseType",
            "SqlServerFqdn",
            "SqlInstanceName",
            "DropExistingDatabasesOnMirror",
            "Drill",
            "Test",
            "Package",
            "Module",
        ]
        .map(str::to_string),
    );
    for path in texts() {
        let text = read(&path);
        for word in words_after(&text, "`-", &[]) {
            assert!(known.contains(word), "{path} names -{word}, which no command has");
        }
    }
}

#[test]
fn the_runbook_has_every_step_in_the_order_of_the_plan() {
    let source = read("rust/core/src/failover/plan/steps.rs");
    let steps: Vec<&str> =
        source.lines().filter_map(|line| line.trim().strip_prefix("pub const ")?.split('"').nth(1)).collect();
    let runbook = read("docs/runbooks/failover.md");
    let run = runbook.split("\n## The run\n").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("a section");
    let told: Vec<&str> =
        run.lines().filter_map(|line| line.strip_prefix("| `")).filter_map(|line| line.split('`').next()).collect();
    assert_eq!(told, steps);
}

#[test]
fn the_labs_page_has_every_scenario_and_every_fault() {
    let page = read("rust/lab/README.md");
    let table = |head: &str| -> BTreeSet<String> {
        let body = page.split(head).nth(1).and_then(|rest| rest.split("\n\n").next()).expect("a table");
        let cells = body.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
        cells.flat_map(|cell| cell.split(", ")).map(|name| name.trim_matches('`').to_string()).collect()
    };
    let scenarios: BTreeSet<String> = files("rust/lab/scenarios", &[".json"])
        .iter()
        .filter_map(|path| path.rsplit('/').next()?.strip_suffix(".json").map(str::to_string))
        .collect();
    assert_eq!(table("| name | situation |"), scenarios);
    let source = read("rust/lab/src/faults.rs");
    let faults: BTreeSet<String> = source
        .split("pub enum Fault {")
        .nth(1)
        .and_then(|rest| rest.split("\n}").next())
        .expect("the enum")
        .lines()
        .filter_map(|line| line.strip_prefix("    ").filter(|line| line.starts_with(|l: char| l.is_ascii_uppercase())))
        .map(|line| snake(line.split([' ', '{', ',']).next().unwrap_or_default()))
        .collect();
    assert_eq!(table("`src/faults.rs`:\n\n| name | effect |"), faults);
}

/// `NoSpace` as `no_space`.
fn snake(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

#[test]
fn exit_codes_are_told_alike_everywhere() {
    let table = read("docs/errors.md");
    let rows: Vec<(String, String)> = table
        .lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            (cells.len() == 3 && cells[0].len() == 1).then(|| (cells[0].to_string(), cells[1].replace('_', " ")))
        })
        .collect();
    assert_eq!(rows.len(), 8);
    for path in ["README.md", "docs/about/about_PersistentChatFailover.md"] {
        let text = read(path).replace('\n', " ");
        for (code, word) in &rows {
            assert!(text.contains(&format!("{code} {word}")), "{path} says {code} {word}");
        }
    }
}

/// Every contradiction that is told has a test that runs it in both variants.
#[test]
fn each_row_of_the_documentation_truth_has_a_test() {
    let page = read("docs/about/about_PChatDocumentationTruth.md");
    let source = read("tests/runs/documentation_truth.rs");
    let rows: BTreeSet<String> = page
        .lines()
        .filter(|line| line.contains('-') && line.chars().all(|c| c.is_ascii_lowercase() || c == '-'))
        .map(|line| line.replace('-', "_"))
        .collect();
    let tests: BTreeSet<String> = source
        .split("#[test]\nfn ")
        .skip(1)
        .map(|rest| rest.split('(').next().unwrap_or_default().to_string())
        .collect();
    assert_eq!(rows, tests);
}
