//! The version is written once, in Cargo.toml; one TLS back end a platform, with its pin.

use crate::read;

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
    let cmdlets = manifest.split("CmdletsToExport").nth(1).and_then(|rest| rest.split(')').next()).expect("a list");
    let listed: Vec<&str> = cmdlets.split('\'').filter(|part| part.contains("-PChat")).collect();
    for (page, name) in listed.iter().map(|name| (format!("docs/commands/{name}.md"), name)) {
        assert!(read(&page).starts_with(&format!("# {name}\n")), "{page} has the command's name as its title");
    }
    assert!(!listed.is_empty());
}
