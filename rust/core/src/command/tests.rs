//! What the commands plan, and the rows of log backups, on hand-made evidence.

use super::log_backup_row::{rows, summary};
use super::{database_recover, log_backup_copy, log_backup_restore, log_shipping_remove};
use crate::document::{LogBackup, Target};
use crate::error::ErrorKind;
use crate::evidence::sample::{candidate, database, evidence, file_name, lsn, place, request, seen, unread};
use crate::evidence::{EndpointAnswer, Evidence, LogShippingSource, PlaceRole, Reading};
use crate::failover::plan::Decision;
use crate::log_chain::{PlaceId, Trouble};
use crate::sql::database::{DatabaseState, UserAccess};

fn target() -> Target {
    Target { sql_instance: r"B\RTC".into(), database: "mgc".into(), pool_fqdn: None }
}

fn with(change: impl FnOnce(&mut Evidence)) -> Evidence {
    let mut found = evidence();
    change(&mut found);
    found
}

fn in_state(state: DatabaseState) -> Evidence {
    with(|found| {
        if let Some(evidence) = &mut found.state {
            evidence.facts = database(state);
        }
    })
}

/// The third is nowhere.
fn with_gap() -> Evidence {
    with(|found| {
        found.files.listing.candidates.retain(|file| *file.name != *file_name(3));
        found.files.places[0] = place(PlaceId::COPY_FOLDER, PlaceRole::CopyFolder, &[1, 2]);
        found.files.places[1] = place(PlaceId::SHARE, PlaceRole::Share, &[1, 2, 4]);
    })
}

fn restored_up_to(found: &mut Evidence, end: u128) {
    if let Reading::Known(redo) = &mut found.files.redo {
        redo.lsn = lsn(end);
    }
}

fn table(found: &Evidence) -> Vec<LogBackup> {
    rows(found, &Decision::of(found, &request()), &target())
}

fn statuses(found: &Evidence) -> Vec<(String, String)> {
    table(found).into_iter().map(|row| (row.name, row.status)).collect()
}

fn named(pairs: &[(u32, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(number, status)| (file_name(*number), status.to_string())).collect()
}

#[test]
fn each_file_has_one_row_in_the_order_of_lsns_with_all_its_places() {
    let found = evidence();
    let wanted = named(&[(1, "restored"), (2, "needed"), (3, "needed"), (4, "not_copied")]);
    assert_eq!(statuses(&found), wanted);
    let rows = table(&found);
    assert!(rows[1].on_share && rows[1].in_copy_folder && rows[3].on_share && !rows[3].in_copy_folder);
    assert_eq!(rows[1].path.as_deref(), Some(r"E:\LSCopy\mgc_20260314021500.trn"));
    assert_eq!(rows[3].finished_at_utc.as_deref(), Some("2026-03-14T02:46:00Z"));
    let summary = summary(&found, &Decision::of(&found, &request()), &target());
    assert_eq!((summary.verdict.as_str(), summary.needed, summary.not_copied), ("complete", 3, 1));
    assert_eq!((summary.redo_point_lsn, summary.end_lsn), (Some(lsn(2000)), Some(lsn(5000))));
}

#[test]
fn a_gap_is_a_row_with_its_range_and_what_lies_behind_it_says_so() {
    let rows = table(&with_gap());
    let wanted = [
        (file_name(1), "restored"),
        (file_name(2), "needed"),
        ("(missing)".into(), "gap"),
        (file_name(4), "not_copied"),
    ];
    let found: Vec<(String, &str)> = rows.iter().map(|row| (row.name.clone(), row.status.as_str())).collect();
    assert_eq!(found, wanted);
    assert_eq!((rows[2].first_lsn, rows[2].last_lsn), (Some(lsn(3000)), Some(lsn(4000))));
    assert!(rows[3].detail.contains("behind the gap"), "{}", rows[3].detail);
    let mut found = with_gap();
    found.files.places[0] = place(PlaceId::COPY_FOLDER, PlaceRole::CopyFolder, &[1, 2, 3]);
    assert!(statuses(&found).contains(&(file_name(3), "unreadable".into())), "nobody knows what it holds");
    let summary = summary(&found, &Decision::of(&found, &request()), &target());
    assert_eq!((summary.verdict.as_str(), summary.needed), ("gap", 1));
}

#[test]
fn an_unfinished_newest_file_is_told_apart_and_a_file_that_nobody_read_has_a_row_too() {
    let cut_off = || Trouble::Malformed("cut off".to_string());
    let found = with(|found| {
        found.files.listing.candidates.retain(|file| *file.name != *file_name(4));
        found.files.listing.unread.push(unread(4, PlaceId::SHARE, cut_off()));
        found.files.listing.candidates.retain(|file| *file.name != *file_name(1));
        found.files.places[0].by_client = Reading::Known(seen(&[1, 2, 3]));
    });
    let wanted = named(&[(1, "restored"), (2, "needed"), (3, "needed"), (4, "unfinished")]);
    assert_eq!(statuses(&found), wanted);
    assert!(table(&found)[0].detail.contains("not read") && table(&found)[0].on_share);
    let summary = summary(&found, &Decision::of(&found, &request()), &target());
    assert_eq!(summary.verdict, "unfinished");
    assert!(summary.text.contains("never finished. Nobody confirms that"), "{}", summary.text);
}

#[test]
fn without_a_redo_point_nothing_is_called_restored() {
    let found = with(|found| found.files.redo = Reading::NotAsked("the database is ONLINE".to_string()));
    assert!(table(&found).iter().all(|row| row.status == "unreadable"), "{:?}", statuses(&found));
    let decision = Decision::of(&found, &request());
    assert_eq!(summary(&found, &decision, &target()).verdict, "unknown");
}

#[test]
fn a_restore_is_planned_statement_by_statement_and_straight_from_the_share_where_no_copy_lies() {
    let found = evidence();
    let planned = log_backup_restore::plan(&found, &request(), &Decision::of(&found, &request())).unwrap();
    assert!(planned.refusal.is_none());
    let statements: Vec<&str> = planned.actions.iter().map(|action| action.statement.as_str()).collect();
    assert_eq!(
        statements,
        [
            r"RESTORE LOG [mgc] FROM DISK = N'E:\LSCopy\mgc_20260314021500.trn' WITH FILE = 1, NORECOVERY",
            r"RESTORE LOG [mgc] FROM DISK = N'E:\LSCopy\mgc_20260314023000.trn' WITH FILE = 1, NORECOVERY",
            r"RESTORE LOG [mgc] FROM DISK = N'\\fs1\LogShip\mgc_20260314024500.trn' WITH FILE = 1, NORECOVERY",
        ]
    );
}

#[test]
fn a_restore_goes_up_to_the_gap_and_refuses_only_there() {
    let mut found = with_gap();
    let planned = log_backup_restore::plan(&found, &request(), &Decision::of(&found, &request())).unwrap();
    assert!(planned.refusal.is_none() && planned.actions.len() == 1);
    assert!(planned.text.contains("There it stops"), "{}", planned.text);
    restored_up_to(&mut found, 3000);
    let planned = log_backup_restore::plan(&found, &request(), &Decision::of(&found, &request())).unwrap();
    let refusal = planned.refusal.expect("a gap right here");
    assert_eq!(refusal.kind, ErrorKind::LogBackupMissing);
    assert!(refusal.message.contains("3000") && refusal.message.contains("4000"), "{}", refusal.message);
}

#[test]
fn a_standby_copy_is_locked_out_before_the_first_restore() {
    let found = in_state(DatabaseState::Standby);
    let planned = log_backup_restore::plan(&found, &request(), &Decision::of(&found, &request())).unwrap();
    let first = planned.actions.first().expect("an action");
    assert_eq!(first.action, "lock_out");
    assert!(first.statement.starts_with("USE [mgc]; ALTER DATABASE [mgc] SET SINGLE_USER"));
}

#[test]
fn progress_of_the_jobs_leaves_the_digest_as_it_is_and_a_gap_changes_it() {
    let facts =
        |found: &Evidence| log_backup_restore::plan(found, &request(), &Decision::of(found, &request())).unwrap().facts;
    let before = facts(&evidence());
    let copied = with(|found| {
        restored_up_to(found, 3000);
        found.files.listing.candidates.push(candidate(4, PlaceId::COPY_FOLDER));
    });
    assert_eq!(facts(&copied), before);
    assert_ne!(facts(&with_gap()), before);
}

#[test]
fn recovery_is_refused_while_a_log_backup_that_fits_is_not_restored() {
    let planned = database_recover::plan(&evidence(), &request()).unwrap();
    let refusal = planned.refusal.expect("three are left");
    assert_eq!(refusal.kind, ErrorKind::DataLossNotAccepted);
    assert!(refusal.message.contains("3 log backups"), "{}", refusal.message);
    let accepting = crate::document::FailoverRequest { accept_data_loss: Some("2000".into()), ..request() };
    assert!(database_recover::plan(&evidence(), &accepting).unwrap().refusal.is_none());
}

#[test]
fn recovery_is_planned_once_everything_is_restored() {
    let found = with(|found| restored_up_to(found, 5000));
    let planned = database_recover::plan(&found, &request()).unwrap();
    assert!(planned.refusal.is_none(), "{:?}", planned.refusal);
    let statements: Vec<&str> = planned.actions.iter().map(|action| action.statement.as_str()).collect();
    assert_eq!(statements, ["RESTORE DATABASE [mgc] WITH RECOVERY", "ALTER DATABASE [mgc] SET MULTI_USER"]);
    let found = with(|found| {
        restored_up_to(found, 5000);
        found.primary.answer = EndpointAnswer::LoggedIn;
    });
    let planned = database_recover::plan(&found, &request()).unwrap();
    assert_eq!(planned.refusal.expect("both would take changes").kind, ErrorKind::PrimaryAlive);
    assert!(planned.actions.is_empty());
    let ignoring = crate::document::FailoverRequest { ignore_witness: vec!["primary".into()], ..request() };
    let planned = database_recover::plan(&found, &ignoring).unwrap();
    assert!(planned.refusal.is_none(), "{:?}", planned.refusal);
    assert!(planned.text.contains("answers"));
}

#[test]
fn recovery_is_refused_where_a_witness_speaks_for_the_primary() {
    let found = with(|found| {
        restored_up_to(found, 5000);
        found.primary.mirror.answer = EndpointAnswer::Answers { why: "no login".into() };
    });
    let planned = database_recover::plan(&found, &request()).unwrap();
    assert_eq!(planned.refusal.expect("nobody can tell").kind, ErrorKind::WitnessAgainst);
    let ignoring = crate::document::FailoverRequest { ignore_witness: vec!["PrimaryMirror".into()], ..request() };
    assert!(database_recover::plan(&found, &ignoring).unwrap().refusal.is_none());
}

#[test]
fn recovery_is_refused_where_nobody_tells_who_the_primary_is() {
    for answer in [EndpointAnswer::NotNamed, EndpointAnswer::NotTried { why: "no login".into() }] {
        let found = with(|found| {
            restored_up_to(found, 5000);
            found.primary.answer = answer;
        });
        let refusal = database_recover::plan(&found, &request()).unwrap().refusal.expect("nobody can tell");
        assert_eq!(refusal.kind, ErrorKind::PrimaryAlive);
        assert!(refusal.message.contains("PrimaryIsDown"), "{}", refusal.message);
        assert!(refusal.next.contains("-PrimarySql") && refusal.next.contains("-IgnoreWitness Primary"));
        let ignoring = crate::document::FailoverRequest { ignore_witness: vec!["Primary".into()], ..request() };
        assert!(database_recover::plan(&found, &ignoring).unwrap().refusal.is_none());
    }
}

#[test]
fn an_online_database_has_nothing_to_recover_unless_it_is_closed_to_users() {
    let found = in_state(DatabaseState::Online);
    assert!(database_recover::plan(&found, &request()).unwrap().actions.is_empty());
    let closed = with(|found| {
        if let Some(state) = &mut found.state {
            state.facts = database(DatabaseState::Online);
            state.facts.user_access = UserAccess::SingleUser;
        }
    });
    let planned = database_recover::plan(&closed, &request()).unwrap();
    assert_eq!(planned.actions.len(), 1);
    assert_eq!(planned.actions[0].action, "multi_user");
    let offline = in_state(DatabaseState::Offline);
    assert_eq!(database_recover::plan(&offline, &request()).unwrap_err().kind, ErrorKind::DatabaseNotSecondary);
}

#[test]
fn a_removal_disables_enabled_jobs_and_is_nothing_once_it_is_done() {
    let journal = request().journal;
    let planned = log_shipping_remove::plan(&evidence(), &journal).unwrap();
    assert!(planned.refusal.is_none());
    let refused = |change: fn(&mut Evidence)| {
        let refusal = log_shipping_remove::plan(&with(change), &journal).unwrap().refusal;
        refusal.map(|error| error.kind)
    };
    assert_eq!(refused(|found| found.journal.copy_folder = None), Some(ErrorKind::JournalCopyMissing));
    assert_eq!(refused(|found| found.instance.is_sysadmin = false), Some(ErrorKind::PermissionMissing));
    let declined = crate::document::JournalPlace { no_journal_copy: true, ..journal.clone() };
    let alone = with(|found| found.journal.copy_folder = None);
    assert!(log_shipping_remove::plan(&alone, &declined).unwrap().refusal.is_none());
    let actions: Vec<&str> = planned.actions.iter().map(|action| action.action).collect();
    assert_eq!(actions, ["disable_job", "disable_job", "remove_log_shipping"]);
    let removed = with(|found| found.log_shipping.source = LogShippingSource::Journal { run_id: "r".into() });
    let planned = log_shipping_remove::plan(&removed, &journal).unwrap();
    assert!(planned.actions.is_empty() && planned.text.contains("removed already"), "{}", planned.text);
}

#[test]
fn a_copy_is_narrowed_by_names_and_needs_room() {
    let plan = |found: &Evidence, names: Option<&[String]>| {
        let decision = Decision::of(found, &request());
        let (missing, way) = log_backup_copy::narrowed(found, &decision, names);
        log_backup_copy::plan(found, &request(), &decision, &missing, &way, names).unwrap()
    };
    let planned = plan(&evidence(), None);
    assert_eq!(planned.actions.len(), 1);
    let statement = r"copy \\fs1\LogShip\mgc_20260314024500.trn to E:\LSCopy\mgc_20260314024500.trn";
    assert_eq!(planned.actions[0].statement, statement);
    assert!(plan(&evidence(), Some(&[file_name(2)])).actions.is_empty());
    assert_eq!(plan(&evidence(), Some(&[file_name(4).to_uppercase(), "(missing)".into()])).actions.len(), 1);
    let full = with(|found| found.files.free_bytes = Reading::Known(1000));
    assert_eq!(plan(&full, None).refusal.map(|error| error.kind), Some(ErrorKind::SpaceTooLow));
}

#[test]
fn a_folder_that_is_not_the_instances_leaves_the_copy_job_or_the_share() {
    let plan = |found: &Evidence| {
        let decision = Decision::of(found, &request());
        let (missing, way) = log_backup_copy::narrowed(found, &decision, None);
        log_backup_copy::plan(found, &request(), &decision, &missing, &way, None).unwrap()
    };
    let mut found = with(|found| found.files.places[0].is_candidate = false);
    assert_eq!(plan(&found).actions.iter().map(|action| action.action).collect::<Vec<_>>(), ["start_job"]);
    found.log_shipping.copy_job = None;
    let planned = plan(&found);
    assert!(planned.actions.is_empty() && planned.refusal.is_none());
    assert!(planned.text.contains("straight from where they lie"), "{}", planned.text);
    let listing = &mut found.files.listing;
    listing.candidates.retain(|file| *file.name != *file_name(4));
    listing.unread.push(unread(4, PlaceId::SHARE, Trouble::Unreadable("access is denied".into())));
    assert_eq!(plan(&found).refusal.map(|error| error.kind), Some(ErrorKind::CopyFolderNotProved));
}
