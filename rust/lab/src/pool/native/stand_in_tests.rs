//! The PowerShell stand-ins and the door say the same about every command.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::catalog::COMMANDS;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../module/lab/PChatLab.Lync")
}

/// Text of every function of the module, by name.
fn functions() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "ps1") {
            let text = std::fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
            for part in format!("\n{text}").split("\nfunction ").skip(1) {
                let name = part.split_whitespace().next().unwrap();
                found.push((name.to_string(), part.to_string()));
            }
        }
    }
    found
}

/// Names of the parameters that a function declares: lines that end in `] $Name`.
fn parameters(text: &str) -> BTreeSet<String> {
    let head = text.split("\n    )").next().unwrap();
    head.lines()
        .filter_map(|line| line.trim().trim_end_matches(',').rsplit_once("] $"))
        .map(|(_, name)| name.to_string())
        .collect()
}

#[test]
fn every_command_is_a_function_with_the_same_parameters() {
    let functions = functions();
    for command in COMMANDS {
        let (_, text) = functions
            .iter()
            .find(|(name, _)| name == command.name)
            .unwrap_or_else(|| panic!("{} has no stand-in", command.name));
        let all = || command.sets.iter().flat_map(|s| s.parameters);
        let always: BTreeSet<String> = all().filter(|p| p.dialect.is_none()).map(|p| p.name.to_string()).collect();
        assert_eq!(parameters(text), always, "{}", command.name);
        for later in all().filter(|p| p.dialect.is_some()) {
            assert!(text.contains(&format!("'{}'", later.name)), "{} -{}", command.name, later.name);
        }
        assert_eq!(text.contains("SupportsShouldProcess = $true"), command.should_process, "{}", command.name);
        assert_eq!(text.contains("ConfirmImpact = 'High'"), command.asks, "{}", command.name);
        if command.sets.len() > 1 {
            let default = format!("DefaultParameterSetName = '{}'", command.sets[0].name);
            assert!(text.contains(&default), "{}: {default}", command.name);
        }
    }
}

#[test]
fn the_manifest_exports_them_one_by_one_and_carries_the_mark() {
    let manifest = std::fs::read_to_string(folder().join("PChatLab.Lync.psd1")).unwrap();
    let exported: BTreeSet<&str> = manifest.split('\'').filter(|t| t.contains("-Cs") || t.contains("-PChat")).collect();
    let mut wanted: BTreeSet<&str> = COMMANDS.iter().map(|c| c.name).collect();
    wanted.insert("Connect-PChatLabLync");
    assert_eq!(exported, wanted);
    assert!(manifest.contains("PChatStandIn = $true"));
}
