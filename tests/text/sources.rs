//! What no source of ours may hold.

use crate::{files, read};

const SOURCES: [&str; 8] = [".rs", ".cs", ".ps1", ".psm1", ".psd1", ".py", ".js", ".c"];

fn all() -> Vec<String> {
    let folders = ["rust", "module", "tests", "docs"];
    let endings: Vec<&str> = SOURCES.into_iter().chain([".md", ".toml", ".json", ".h"]).collect();
    let mut paths: Vec<String> = folders.iter().flat_map(|folder| files(folder, &endings)).collect();
    paths.extend(["README.md", "CHANGELOG.md", "build.ps1", "PersistentChatFailover.psd1"].map(str::to_string));
    paths
}

#[test]
fn nothing_is_left_open_and_nothing_is_of_one_machine() {
    // In parts, so that this file does not find itself.
    let banned = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("#[", "ignore"),
        concat!("/wo", "rk/"),
        concat!("/ho", "me/"),
        concat!("/ro", "ot/"),
        concat!("C:\\", "Users\\"),
    ];
    for path in all() {
        let text = read(&path);
        for word in banned {
            assert!(!text.contains(word), "{path} holds `{word}`");
        }
    }
}

#[test]
fn no_source_is_longer_than_six_hundred_lines() {
    for path in all().iter().filter(|path| SOURCES.iter().any(|ending| path.ends_with(ending))) {
        let lines = read(path).lines().count();
        assert!(lines <= 600, "{path} has {lines} lines");
    }
}

#[test]
fn every_unsafe_block_says_what_it_relies_on() {
    for path in files("rust", &[".rs"]).iter().chain(&files("tests", &[".rs"])) {
        let text = read(path);
        let lines: Vec<&str> = text.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            if line.trim_start().starts_with("//") || !line.contains(concat!("unsafe", " {")) {
                continue;
            }
            let above = &lines[number.saturating_sub(4)..=number];
            assert!(above.iter().any(|line| line.contains("SAFETY:")), "{path}:{}", number + 1);
        }
    }
}
