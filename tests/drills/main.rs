//! The drills: one folder a situation, its steps as numbered transcripts, carried out by the built library on the lab.
//!
//! A step is a text file: a line `$ …` is a command, the lines under it are what it prints. `stage.rs` tells the commands;
//! times, ids, paths and LSNs are replaced as in `plain.rs`. With `PCHAT_DRILLS_WRITE` set, the files are written anew from
//! what happened; read the difference before it is committed.

mod journey;
mod plain;
mod stage;
mod transcript;

use std::path::{Path, PathBuf};

use stage::Stage;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("drills")
}

/// The numbered steps of a drill, in order.
fn steps(drill: &Path) -> Vec<PathBuf> {
    let mut steps: Vec<PathBuf> =
        std::fs::read_dir(drill).expect("the drill's folder").flatten().map(|entry| entry.path()).collect();
    steps.sort();
    steps
}

fn carry_out(name: &str) {
    let drill = folder().join(name);
    let mut stage = Stage::default();
    for step in steps(&drill) {
        let wanted = std::fs::read_to_string(&step).expect("the step").replace("\r\n", "\n");
        let found = transcript::play(&wanted, &mut |command| stage.carry_out(command));
        if std::env::var_os("PCHAT_DRILLS_WRITE").is_some() {
            std::fs::write(&step, &found).expect("the step is written");
        } else if found != wanted {
            let at = transcript::first_difference(&wanted, &found);
            panic!("{}\n{at}\n== wanted\n{wanted}\n== found\n{found}", step.display());
        }
    }
}

/// One test a drill, named like its folder.
macro_rules! drills {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            carry_out(&stringify!($name).replace('_', "-"));
        })*

        #[test]
        fn every_folder_is_a_drill_and_its_steps_are_numbered() {
            let mut listed: Vec<String> = [$(stringify!($name)),*].map(|name| name.replace('_', "-")).to_vec();
            listed.sort();
            let mut found = Vec::new();
            for entry in std::fs::read_dir(folder()).expect("the drills").flatten().filter(|e| e.path().is_dir()) {
                found.push(entry.file_name().to_string_lossy().into_owned());
                for (number, step) in (1..).zip(steps(&entry.path())) {
                    let file = step.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                    assert!(file.starts_with(&format!("{number}-")) && file.ends_with(".txt"), "{}", step.display());
                }
            }
            found.sort();
            assert_eq!(found, listed);
        }
    };
}

drills! {
    there_and_back_after_a_disaster_leaves_out_only_what_was_lost
    there_and_back_as_planned_loses_and_doubles_no_message
    primary_lost_files_not_copied_and_not_restored_ends_with_users_served
    primary_lost_one_log_backup_not_copied_stops_before_recovery
    primary_alive_for_its_mirror_is_refused_until_the_witness_is_named
    gap_in_the_chain_is_refused_with_file_and_range
    share_lost_is_refused_until_the_loss_is_accepted_by_name
    killed_in_mid_restore_is_finished_by_another_process
    killed_before_the_removal_is_given_up_and_leaves_the_jobs_as_they_were
    killed_after_the_removal_can_only_be_finished
    mirror_set_up_fails_and_users_get_in_all_the_same
    second_operator_is_locked_out_and_told_by_whom
    failed_over_already_is_refused_and_changes_nothing
}
