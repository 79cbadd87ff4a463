//! Order, content and digest of plans made on hand-made evidence.

use super::*;
use crate::document::RunStartRequest;
use crate::evidence::{sample, EndpointAnswer, LaterFile, LogShippingSource, Reading};
use crate::log_chain::{PlaceId, Trouble};
use crate::names::Lsn;
use crate::sql::database::DatabaseState;
use crate::sql::log_backup_job;

fn plan_with(change: impl FnOnce(&mut Evidence, &mut FailoverRequest)) -> Plan {
    let (mut evidence, mut request) = (sample::evidence(), sample::request());
    change(&mut evidence, &mut request);
    make(&evidence, &request).expect("a plan")
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.steps.iter().map(|step| step.name.as_str()).collect()
}

fn standby(e: &mut Evidence) {
    if let Some(database) = &mut e.state {
        database.facts = sample::database(DatabaseState::Standby);
    }
}

#[test]
fn the_steps_come_in_the_order_of_the_workflow() {
    let plan = plan_with(|_, _| {});
    let order = [
        "quiesce_jobs",
        "copy_and_restore",
        "gate",
        "remove_log_shipping",
        "end_connections",
        "recover",
        "pool_state",
        "mirror",
        "active_servers",
        "log_backups",
        "report",
    ];
    assert_eq!(names(&plan), order);
    let numbers: Vec<u32> = plan.steps.iter().map(|step| step.number).collect();
    assert_eq!(numbers, (1..=11).collect::<Vec<u32>>());
    assert!(plan.can_run);
    assert!(plan.steps.iter().all(|step| !step.title.is_empty() && !step.on_failure.is_empty()));
    assert_eq!(plan.expected_seconds, plan.steps.iter().map(|step| step.expected_seconds).sum());
}

#[test]
fn a_standby_copy_is_locked_out_before_the_first_restore() {
    let plan = plan_with(|e, _| standby(e));
    assert_eq!(names(&plan)[..3], ["quiesce_jobs", "lock_out", "copy_and_restore"]);
    assert_eq!(plan.steps[1].statements.len(), 3);
    assert!(plan.steps[1].statements.iter().any(|text| text == "KILL <session>"));
    assert!(plan.steps[1].statements.iter().any(|text| text.contains("SET SINGLE_USER WITH ROLLBACK IMMEDIATE")));
}

#[test]
fn the_mirror_comes_after_the_servers_where_asked() {
    let plan = plan_with(|_, r| r.mirror_after_active_servers = true);
    assert_eq!(names(&plan)[6..9], ["pool_state", "active_servers", "mirror"]);
}

#[test]
fn what_has_nothing_to_do_is_left_out() {
    let plan = plan_with(|e, r| {
        e.log_shipping.source = LogShippingSource::Journal { run_id: "r1".into() };
        e.log_shipping.copy_job = None;
        e.log_shipping.restore_job = None;
        r.no_log_backup = true;
    });
    assert_eq!(names(&plan)[0], "copy_and_restore");
    assert!(!names(&plan).contains(&"remove_log_shipping"));
    assert!(!names(&plan).contains(&"log_backups"));
}

#[test]
fn a_step_shows_its_statements_files_and_commands_word_for_word() {
    let plan = plan_with(|_, _| {});
    let text = |name: &str| {
        plan.steps.iter().find(|step| step.name == name).map(|s| s.statements.iter().collect::<Vec<_>>().join("\n"))
    };
    assert_eq!(
        text("copy_and_restore").as_deref(),
        Some(
            "RESTORE LOG [mgc] FROM DISK = N'E:\\LSCopy\\mgc_20260314021500.trn' WITH FILE = 1, NORECOVERY\n\
             RESTORE LOG [mgc] FROM DISK = N'E:\\LSCopy\\mgc_20260314023000.trn' WITH FILE = 1, NORECOVERY\n\
             RESTORE LOG [mgc] FROM DISK = N'E:\\LSCopy\\mgc_20260314024500.trn' WITH FILE = 1, NORECOVERY"
        )
    );
    assert_eq!(
        text("recover").as_deref(),
        Some(
            "RESTORE DATABASE [mgc] WITH RECOVERY\n-- Where it is not open to all users:\n\
             ALTER DATABASE [mgc] SET MULTI_USER\n\
             -- Where a client took its only seat: each session inside is ended with it, until it is open:\n\
             KILL <session>; ALTER DATABASE [mgc] SET MULTI_USER"
        )
    );
    assert!(text("quiesce_jobs").is_some_and(|text| text.matches("@enabled = 0").count() == 2));
    assert!(text("remove_log_shipping").is_some_and(|text| !text.contains("ignoreremotemonitor")));
    let log_backups = text("log_backups").expect("log backups from then on");
    let time = log_backup_job::TIME_OF_BACKUP;
    assert!(
        log_backups.contains(&format!(r"BACKUP DATABASE [mgc] TO DISK = N'E:\Backup\mgc_{time}.bak' WITH CHECKSUM"))
    );
    let id = "<job_id of PersistentChatFailover log backup mgc>";
    assert!(log_backups.contains(&format!("sp_update_job @job_id = N'{id}', @enabled = 1")), "{log_backups}");

    let files = &plan.steps[1].files;
    let shown: Vec<String> = files
        .iter()
        .map(|f| format!("{} {} {}-{} {} > {}", f.action, f.name, f.first_lsn, f.last_lsn, f.from, f.to))
        .collect();
    assert_eq!(
        shown[1..],
        [
            r"restore mgc_20260314023000.trn 3000-4000 E:\LSCopy\mgc_20260314023000.trn > E:\LSCopy\mgc_20260314023000.trn",
            r"copy and restore mgc_20260314024500.trn 4000-5000 \\fs1\LogShip\mgc_20260314024500.trn > E:\LSCopy\mgc_20260314024500.trn",
        ]
    );

    let commands: Vec<&str> =
        plan.steps.iter().flat_map(|step| step.native_commands.iter().map(String::as_str)).collect();
    assert_eq!(
        commands,
        [
            r"Lync\Set-CsPersistentChatActiveServer -Identity 'global' -ActiveServers $null -Confirm:$false",
            r"Lync\Set-CsPersistentChatState -Identity 'PersistentChatServer:pchat.contoso.com' -PoolState 'FailedOver' -Confirm:$false",
            r"Lync\Get-CsPersistentChatState",
            r"Lync\Get-CsManagementStoreReplicationStatus",
            r"Lync\Install-CsMirrorDatabase -DatabaseType 'PersistentChat' -FileShare '\\fs2\mirror' -SqlServerFqdn 'b.contoso.com' -SqlInstanceName 'RTC' -Confirm:$false",
            r"Lync\Set-CsPersistentChatActiveServer -Identity 'global' -ActiveServers @{Add='s3.contoso.com','s4.contoso.com'} -Confirm:$false",
            r"Lync\Get-CsManagementStoreReplicationStatus",
            r"Lync\Get-CsWindowsService -ComputerName 's3.contoso.com'",
            r"Lync\Get-CsWindowsService -ComputerName 's4.contoso.com'",
        ]
    );
}

#[test]
fn a_test_message_is_planned_where_a_pool_has_test_users() {
    let without = plan_with(|_, _| {});
    assert!(without.steps.iter().all(|step| step.name != "test_message"));
    let plan = plan_with(|e, _| e.pool.test_pools = Reading::Known(vec!["pool2.contoso.com".to_string()]));
    let place = plan.steps.iter().position(|step| step.name == "test_message").expect("the step");
    assert_eq!(plan.steps[place - 1].name, "active_servers");
    assert_eq!(
        plan.steps[place].native_commands,
        [r"Lync\Test-CsPersistentChatMessage -TargetFqdn 'pool2.contoso.com'"]
    );
}

#[test]
fn a_restore_straight_from_the_share_copies_nothing() {
    let plan = plan_with(|e, _| {
        e.files.places[0].is_candidate = false;
        e.log_shipping.copy_job = None;
    });
    let last = plan.steps[1].files.last().expect("a file");
    assert_eq!((last.action.as_str(), last.to.as_str()), ("restore", r"\\fs1\LogShip\mgc_20260314024500.trn"));
    assert_eq!(plan.decision_facts["way_of_files"], "restored straight from the share");
}

#[test]
fn the_copy_job_is_started_where_it_is_the_way() {
    let plan = plan_with(|e, _| {
        e.files.places[0].is_candidate = false;
    });
    assert!(plan.steps[1].statements.iter().any(|text| text.contains("msdb.dbo.sp_start_job")));
    assert_eq!(plan.steps[1].files.last().map(|f| f.action.as_str()), Some("copy and restore"));
}

#[test]
fn a_copy_job_that_failed_last_is_not_asked_again_where_the_instance_reads_the_share() {
    let plan = plan_with(|e, _| {
        e.files.places[0].is_candidate = false;
        e.log_shipping.copy_job_failed = true;
    });
    assert_eq!(plan.decision_facts["way_of_files"], "restored straight from the share");
    assert_eq!(plan.steps[1].files.last().map(|f| f.action.as_str()), Some("restore"));
}

#[test]
fn a_file_that_is_read_once_copied_is_shown_without_its_range() {
    let plan = plan_with(|e, _| {
        let name = sample::file_name(4);
        e.files.listing.candidates.retain(|candidate| *candidate.name != *name);
        let trouble = Trouble::Unreadable("operating system error 5".into());
        e.files.listing.unread.push(sample::unread(4, PlaceId::SHARE, trouble));
    });
    assert!(plan.can_run);
    let last = plan.steps[1].files.last().expect("a file");
    assert_eq!((last.first_lsn, last.action.as_str()), (Lsn::ZERO, "copy and restore"));
    assert_eq!(plan.decision_facts["recovered_to"], sample::file_name(4));
}

#[test]
fn a_dead_monitor_is_left_alone_where_the_procedure_can() {
    let text = |alive: bool, can: bool| {
        let plan = plan_with(|e, _| {
            e.log_shipping.can_ignore_monitor = can;
            if let Some(record) = &mut e.log_shipping.record {
                record.monitor_server = "MON".into();
            }
            e.primary.monitor.answer =
                if alive { EndpointAnswer::LoggedIn } else { EndpointAnswer::Unreachable { why: "dark".into() } };
        });
        plan.steps.iter().any(|step| step.statements.iter().any(|text| text.contains("@ignoreremotemonitor = 1")))
    };
    assert_eq!([text(false, true), text(true, true), text(false, false)], [true, false, false]);
}

#[test]
fn equal_evidence_gives_equal_plans() {
    assert_eq!(plan_with(|_, _| {}), plan_with(|_, _| {}));
}

#[test]
fn what_the_normal_jobs_get_done_changes_no_digest() {
    let before = plan_with(|_, _| {});
    let copied = plan_with(|e, _| {
        e.files.listing.candidates.push(sample::candidate(4, PlaceId::COPY_FOLDER));
        e.files.places[0] = sample::place(PlaceId::COPY_FOLDER, e.files.places[0].role, &[1, 2, 3, 4]);
        if let Some(job) = &mut e.log_shipping.restore_job {
            job.is_running = true;
        }
    });
    assert_eq!(copied.digest, before.digest);
    let restored = plan_with(|e, _| {
        if let Reading::Known(redo) = &mut e.files.redo {
            redo.lsn = sample::lsn(5000);
        }
        e.gathered_at_utc = sample::utc(3, 5);
    });
    assert_eq!(restored.digest, before.digest);
    assert!(restored.steps.iter().all(|step| step.name != "copy_and_restore" || step.files.is_empty()));
    assert_ne!(restored.plan_id, before.plan_id);
}

#[test]
fn a_changed_fact_is_named() {
    let plan = plan_with(|_, _| {});
    let changed = |change: fn(&mut Evidence, &mut FailoverRequest)| -> Vec<String> {
        let found = plan_with(change);
        let differences = compare(&plan, &found.decision_facts);
        assert_eq!(differences.is_empty(), plan.digest == found.digest);
        differences.iter().map(Difference::to_string).collect()
    };
    assert!(changed(|_, _| {}).is_empty());
    assert_eq!(
        changed(|e, _| e.primary.answer = EndpointAnswer::LoggedIn),
        ["primary verdict was `down` and is `alive`"]
    );
    assert!(changed(|e, _| e.primary.answer = EndpointAnswer::Refused { port_is_certain: true }).is_empty());
    assert_eq!(
        changed(|e, _| {
            let file = LaterFile { name: "x.trn".into(), how: "appeared".into() };
            e.primary.later_files = Reading::Known(vec![file]);
        }),
        ["witness share files was `silent` and is `against`"]
    );
    assert_eq!(
        changed(|e, _| e.files.listing.candidates.retain(|c| *c.name != *sample::file_name(3))),
        [
            "chain verdict was `complete` and is `gap`",
            "loss to accept was `none` and is `3000`",
            "recovered to was `mgc_20260314024500.trn` and is `mgc_20260314021500.trn`",
        ]
        .into_iter()
        .chain(["loss accepted was `yes` and is `no`"])
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .map(str::to_string)
        .collect::<Vec<_>>()
    );
    assert_eq!(changed(|e, _| standby(e)), ["database state was `restoring` and is `standby`"]);
    assert_eq!(
        changed(|e, _| {
            if let Reading::Known(state) = &mut e.pool.state {
                state.state = "FailedOver".into();
            }
        }),
        ["pool state was `Normal` and is `FailedOver`"]
    );
}

#[test]
fn a_plan_survives_its_way_over_the_boundary() {
    let plan = plan_with(|_, _| {});
    let text = serde_json::to_vec(&plan).expect("written");
    assert_eq!(crate::document::read::<Plan>(&text).expect("read"), plan);
}

#[test]
fn a_plan_that_comes_back_for_its_run_is_read_strictly_and_its_files_are_not_kept() {
    let plan = plan_with(|_, _| {});
    let document = serde_json::json!({"version": 1, "plan": plan});
    let read = |document: &serde_json::Value| crate::document::read::<RunStartRequest>(document.to_string().as_bytes());
    let mut outline = read(&document).expect("read").plan;
    let step = &outline.steps[1];
    assert_eq!((step.outlined.restores.len(), step.outlined.files.len()), (3, 3));
    assert!(step.files.is_empty() && step.statements.is_empty(), "the restores are digests");
    assert_eq!(outline.steps[5].statements, plan.steps[5].statements);
    let mut whole = plan.clone();
    outline.drop_details();
    whole.drop_details();
    assert_eq!(outline, whole);
    for (pointer, value) in [
        ("/plan/steps/1/files/0/size_bytes", serde_json::json!("large")),
        ("/plan/steps/1/statements/0", serde_json::json!(5)),
        ("/plan/steps/1/statements", serde_json::json!(null)),
        ("/plan/steps/1/files/0", serde_json::json!({"name": "a.trn"})),
    ] {
        let mut wrong = document.clone();
        *wrong.pointer_mut(pointer).expect(pointer) = value;
        assert_eq!(read(&wrong).expect_err(pointer).kind, crate::error::ErrorKind::InvalidRequest, "{pointer}");
    }
}

#[test]
fn a_failed_check_keeps_the_plan_from_being_run() {
    let plan = plan_with(|e, _| e.primary.answer = EndpointAnswer::LoggedIn);
    assert!(!plan.can_run);
    assert!(!plan.steps.is_empty());
}
