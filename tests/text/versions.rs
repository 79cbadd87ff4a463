//! The version is written once, in Cargo.toml; one TLS back end a platform, with its pin.

use crate::{cmdlets, files, read};

#[test]
fn the_manifest_follows_the_version_of_cargo_toml() {
    let manifest = read("PersistentChatFailover.psd1");
    let line = manifest.lines().find(|line| line.trim_start().starts_with("ModuleVersion")).expect("ModuleVersion");
    assert!(line.contains(&format!("'{}'", env!("CARGO_PKG_VERSION"))), "{line}");
}

#[test]
fn native_tls_stays_at_the_last_version_that_offers_tls_1_0() {
    let lock = read("Cargo.lock");
    let versions: Vec<&str> = lock
        .split("[[package]]")
        .filter(|package| package.contains("name = \"native-tls\"\n"))
        .filter_map(|package| package.lines().find_map(|line| line.strip_prefix("version = ")))
        .collect();
    assert_eq!(versions, ["\"0.2.14\""]);
}

#[test]
fn the_manifest_lists_its_exports_one_by_one() {
    let manifest = read("PersistentChatFailover.psd1");
    assert!(!manifest.contains("'*'"), "a wildcard makes every import look into the assembly");
    let listed = cmdlets();
    for (page, name) in listed.iter().map(|name| (format!("docs/commands/{name}.md"), name)) {
        assert!(read(&page).starts_with(&format!("# {name}\n")), "{page} has the command's name as its title");
    }
    assert_eq!(files("docs/commands", &[".md"]).len(), listed.len(), "a page for each, and no other");
}

#[test]
fn the_stand_ins_follow_the_version_of_cargo_toml() {
    let manifest = read("module/lab/PChatLab.Lync/PChatLab.Lync.psd1");
    let line = manifest.lines().find(|line| line.trim_start().starts_with("ModuleVersion")).expect("ModuleVersion");
    assert!(line.contains(&format!("'{}'", env!("CARGO_PKG_VERSION"))), "{line}");
}
