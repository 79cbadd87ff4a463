use super::*;

#[test]
fn every_named_scenario_is_valid_and_carries_its_own_name() {
    for found in NAMED {
        let scenario = Scenario::named(found.name).unwrap();
        assert_eq!(scenario.name, found.name);
        assert!(!scenario.summary.is_empty() && !scenario.summary.contains('\n'), "{}", found.name);
    }
}

#[test]
fn the_files_in_the_folder_are_the_ones_built_in() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    let mut built_in: Vec<String> = NAMED.iter().map(|s| s.name.to_string()).collect();
    files.sort();
    built_in.sort();
    assert_eq!(files, built_in);
}

#[test]
fn the_drill_has_the_promised_numbers() {
    let drill = Scenario::named("primary-lost").unwrap();
    let shipping = &drill.log_shipping;
    assert!(shipping.log_backups >= 40);
    assert_eq!((shipping.not_copied, shipping.not_restored), (12, 19));
    assert_ne!(shipping.unfinished_newest, UnfinishedFile::None);
    let dead: Vec<&str> = drill.dead_hosts().iter().map(|h| h.name.as_str()).collect();
    assert_eq!(dead, ["P", "PM", "s1", "s2", "fe1"]);
}

#[test]
fn a_misspelt_member_is_refused() {
    let error = Scenario::parse(r#"{"name": "x", "log_shiping": {}}"#, "x").unwrap_err();
    assert!(error.to_string().contains("log_shiping"), "{error}");
}

#[test]
fn more_uncopied_than_unrestored_is_refused() {
    let text = r#"{"log_shipping": {"log_backups": 3, "not_restored": 1, "not_copied": 2}}"#;
    assert!(matches!(Scenario::parse(text, "x"), Err(ScenarioError::Inconsistent(..))));
}

#[test]
fn a_scenario_survives_being_written_and_read() {
    let text = serde_json::to_string(&Scenario::default()).unwrap();
    let again = Scenario::parse(&text, "again").unwrap();
    assert_eq!(serde_json::to_string(&again).unwrap(), text);
}

#[test]
fn an_unknown_name_is_told_where_to_look() {
    let error = Scenario::load("no-such-scenario").unwrap_err();
    assert!(error.to_string().contains("pchat-lab scenarios"), "{error}");
}
