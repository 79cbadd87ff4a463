//! The steps that follow once the primary serves: the pool, the mirror, log shipping, and what is left over.

use super::super::decision::Way;
use super::step_name;
use super::steps::{compliance_is_mirrored, full_restore_of, order, Parts, HOME};
use crate::baseline::{InstanceBaseline, InstanceRole};
use crate::document::PlannedStep;
use crate::error::Result;
use crate::failover::plan::test_message;
use crate::names::{PoolState, ServerPath};
use crate::pool::{self, NewPrincipal};
use crate::sql::backup::{self, BackupWhat};
use crate::sql::compliance::COMPLIANCE_DATABASE;
use crate::sql::job::of_new_job;
use crate::sql::log_backup_job::TIME_OF_BACKUP;
use crate::sql::log_shipping_set_up::{
    alert_job_statement, primary_secondary_statement, schedule_statement, PrimarySetUp, SecondarySetUp,
};
use crate::sql::primary_removal::remove_primary_statements;
use crate::sql::{backup_file, database_restore_options, drop_database, file, full_restore, job, log_shipping};

/// What follows once the primary serves.
pub(super) fn after(parts: &Parts<'_>) -> Result<Vec<PlannedStep>> {
    let primary = parts.name(InstanceRole::Primary);
    let wanted = &parts.decision.wanted;
    let pool_evidence = &parts.evidence.pool;
    let pool_name = pool_evidence.pool_fqdn.clone().unwrap_or_default();
    let mut steps = vec![options(parts)?];

    let mut state = PlannedStep::new(
        step_name::POOL_STATE,
        "Set the pool to Normal and wait for replication",
        &pool_name,
        "The primary is online; users stay out until the pool follows. `Resume-PChatRun` goes on here.",
    );
    let shown = || pool_evidence.state.known().map_or(String::new(), |state| state.identity.clone());
    let identity = pool_evidence.state_right.known().cloned().unwrap_or_else(shown);
    state.native_commands.push(parts.text(&pool::set_pool_state(&identity, PoolState::Normal)));
    state.native_commands.push(parts.text(&pool::get_replication()));
    state.expected_seconds = Some(120);
    steps.push(state);

    let mut start = PlannedStep::new(step_name::START_SERVICES, "Start the stopped services", &pool_name, HOME);
    start.native_commands = parts.service_commands(pool::start_windows_service, |service| service.is_running());
    start.expected_seconds = Some(60);
    steps.push(start);

    let mut active = PlannedStep::new(
        step_name::ACTIVE_SERVERS,
        "Activate the servers and see their sessions in the database",
        &pool_name,
        "The pool is Normal with an empty active list; the list of before is in the journal.",
    );
    let list = pool_evidence.active_list_right.known().map_or("global", String::as_str);
    active.native_commands.push(parts.text(&pool::add_active_servers(list, &wanted.active_servers)));
    active.expected_seconds = Some(60);
    steps.push(active);

    if wanted.is_mirrored {
        steps.push(install_mirror(parts));
        steps.push(PlannedStep {
            expected_seconds: Some(60),
            ..PlannedStep::new(
                step_name::RESTART_SERVICES,
                "Start the services anew, one server at a time, so that they know the mirror",
                &pool_name,
                HOME,
            )
        });
    }
    if parts.decision.way == Way::Documented {
        let mut reseed = PlannedStep::new(
            step_name::RESEED_BACKUP,
            "Restore the backup from a full backup of the primary",
            &parts.name(InstanceRole::Backup),
            HOME,
        );
        let file = parts.file("bak");
        reseed.statements.push(backup::backup_statement(&order(parts, BackupWhat::Database, file.clone()))?);
        reseed.statements.push(backup_file::verify_statement(std::slice::from_ref(&file), 1, true)?);
        let restore = full_restore_of(parts, file, InstanceRole::Primary, InstanceRole::Backup);
        reseed.statements.push(full_restore::restore_statement(&restore)?);
        reseed.expected_seconds = Some(10 + parts.seconds(100) + 2 * parts.seconds(50));
        steps.push(reseed);
    }
    let mut follow = PlannedStep::new(
        step_name::SECONDARY_LOGS,
        "Restore on the backup what the primary's mirror set-up backed up of its log",
        &parts.name(InstanceRole::Backup),
        HOME,
    );
    follow.statements.push("-- Where the primary took log backups since its recovery, each in its turn:".to_string());
    follow.statements.push(parts.log_restore(ServerPath::new("<log backup of the primary>"))?);
    follow.expected_seconds = Some(10);
    steps.push(follow);
    steps.push(archive(parts)?);
    steps.push(log_shipping(parts)?);
    if wanted.is_mirrored && wanted.mirror.is_some() {
        steps.push(mirror_log_shipping(parts)?);
    }
    steps.push(tidy(parts)?);
    steps.extend(test_message(pool_evidence));
    for (name, title) in [
        (step_name::VERIFY, "Compare what was reached with the baseline"),
        (step_name::REPORT, "Report the state reached and what is left to do"),
    ] {
        steps.push(PlannedStep {
            expected_seconds: Some(2),
            ..PlannedStep::new(name, title, &primary, "Everything is done; only the report is missing.")
        });
    }
    Ok(steps)
}

fn archive(parts: &Parts<'_>) -> Result<PlannedStep> {
    let mut planned = PlannedStep::new(
        step_name::ARCHIVE,
        "Move the old log backups out of the way of log shipping",
        &parts.share().to_string(),
        HOME,
    );
    let copy_folder =
        parts.decision.wanted.secondary.as_ref().map(|record| record.backup_destination_directory.clone());
    for folder in [Some(parts.share()), copy_folder].into_iter().flatten() {
        planned.statements.push(format!("-- Where {folder} is not there yet:"));
        planned.statements.push(file::create_folder_statement(&folder)?);
        planned
            .statements
            .push(format!("-- Where log backups of an earlier time lie in {folder}, which are moved there:"));
        planned.statements.push(file::create_folder_statement(&folder.join(&format!("archive_{TIME_OF_BACKUP}")))?);
        planned.statements.push(
            "-- Where this machine is not proved to see that folder, for the log backups from now on:".to_string(),
        );
        planned.statements.push(file::create_folder_statement(&folder.join(&format!("since_{TIME_OF_BACKUP}")))?);
    }
    planned.expected_seconds = Some(10);
    Ok(planned)
}

fn options(parts: &Parts<'_>) -> Result<PlannedStep> {
    let mut planned = PlannedStep::new(
        step_name::OPTIONS,
        "Give the database the options of the baseline",
        &parts.name(InstanceRole::Primary),
        "The primary is online; some options differ from the baseline.",
    );
    let of = |instance: Option<&InstanceBaseline>| instance.and_then(|found| found.database()).cloned();
    let wanted = of(parts.request.baseline.as_deref().and_then(|found| found.instance(InstanceRole::Primary)));
    if let (Some(wanted), Some(now)) = (wanted, of(parts.evidence.instance(InstanceRole::Backup))) {
        let options = |found: &crate::baseline::DatabaseBaseline| found.options.known().and_then(Clone::clone);
        let list = database_restore_options::statements(
            parts.database(),
            (&wanted.facts, options(&wanted).as_ref()),
            (&now.facts, options(&now).as_ref()),
        )?;
        for statement in list {
            planned.statements.push("-- Where the recovery did not leave it so:".to_string());
            planned.statements.push(statement);
        }
    }
    planned.expected_seconds = Some(2);
    Ok(planned)
}

fn install_mirror(parts: &Parts<'_>) -> PlannedStep {
    let mut planned = PlannedStep::new(
        step_name::MIRROR,
        "Set up the mirror of the primary",
        &parts.name(InstanceRole::PrimaryMirror),
        HOME,
    );
    let share = parts.request.mirror_file_share.as_deref().unwrap_or_default();
    let store = parts.evidence.pool.service().and_then(|service| service.primary_store.clone());
    let named: Option<crate::names::InstanceName> = parts.evidence.name(InstanceRole::Primary).parse().ok();
    let host = store.or_else(|| named.as_ref().map(|name| name.host.clone())).unwrap_or_default();
    let instance = named.and_then(|name| name.instance);
    let command = pool::install_mirror(pool::CHAT_DATABASE, &host, instance.as_deref(), share);
    let there = parts.evidence.instance(InstanceRole::PrimaryMirror).and_then(|found| found.database()).is_some();
    let command = if there { pool::over_existing(command) } else { command };
    planned.native_commands.push(parts.text(&command));
    planned.expected_seconds = Some(60 + 2 * parts.seconds(50));
    planned
}

fn log_shipping(parts: &Parts<'_>) -> Result<PlannedStep> {
    let mut planned = PlannedStep::new(
        step_name::LOG_SHIPPING,
        "Set up log shipping as in the baseline: the primary, and the backup as its secondary",
        &format!("{}, {}", parts.name(InstanceRole::Primary), parts.name(InstanceRole::Backup)),
        HOME,
    );
    let wanted = &parts.decision.wanted;
    if let (Some(record), Some(job)) = (&wanted.primary, &wanted.primary_job) {
        planned.statements.push(format!("-- on {}", parts.name(InstanceRole::Primary)));
        planned.statements.extend(primary_statements(parts, record, job)?);
    }
    if let (Some(record), Some(copy_job), Some(restore_job)) =
        (&wanted.secondary, &wanted.copy_job, &wanted.restore_job)
    {
        let set_up = SecondarySetUp {
            source: parts.share(),
            destination: record.backup_destination_directory.clone(),
            record: record.clone(),
            copy_job: copy_job.clone(),
            restore_job: restore_job.clone(),
        };
        planned.statements.push(format!("-- on {}", parts.name(InstanceRole::Backup)));
        planned.statements.push(set_up.shown_primary_statement(None)?);
        planned.statements.push(set_up.database_statement()?);
        for job in [copy_job, restore_job] {
            for schedule in &job.schedules {
                planned.statements.push(of_new_job(&job.name, |id| schedule_statement(id, schedule))?);
            }
        }
    }
    let jobs = [
        (InstanceRole::Primary, &wanted.primary_job),
        (InstanceRole::Backup, &wanted.copy_job),
        (InstanceRole::Backup, &wanted.restore_job),
    ];
    for (role, job) in jobs {
        if let Some(job) = job.as_ref().filter(|job| job.is_enabled) {
            planned.statements.push(format!("-- on {}", parts.name(role)));
            planned.statements.push(job::planned_enable_statement(&job.name)?);
        }
    }
    planned.statements.push("-- Where the monitor has no alert job any more:".to_string());
    planned.statements.push(alert_job_statement());
    planned.expected_seconds = Some(10);
    Ok(planned)
}

fn primary_statements(
    parts: &Parts<'_>,
    record: &crate::sql::log_shipping_primary::PrimaryRecord,
    job: &job::Job,
) -> Result<Vec<String>> {
    let set_up = PrimarySetUp {
        database: parts.database().to_string(),
        directory: record.backup_directory.clone(),
        share: parts.share(),
        record: record.clone(),
        job: job.clone(),
    };
    let mut statements = vec![set_up.shown_statement(None)?];
    for schedule in &job.schedules {
        statements.push(of_new_job(&job.name, |id| schedule_statement(id, schedule))?);
    }
    for (server, database) in &record.secondaries {
        statements.push(primary_secondary_statement(parts.database(), server, database)?);
    }
    Ok(statements)
}

fn mirror_log_shipping(parts: &Parts<'_>) -> Result<PlannedStep> {
    let mut planned = PlannedStep::new(
        step_name::MIRROR_LOG_SHIPPING,
        "Set up log shipping on the primary's mirror, which is made principal for it and back",
        &parts.name(InstanceRole::PrimaryMirror),
        HOME,
    );
    let pool_name = parts.evidence.pool.pool_fqdn.clone().unwrap_or_default();
    for new in [NewPrincipal::Mirror, NewPrincipal::Primary] {
        let command = pool::fail_over_database(&pool_name, pool::CHAT_DATABASE, new);
        planned.native_commands.push(parts.text(&command));
    }
    let wanted = &parts.decision.wanted;
    let job = wanted.mirror_job.as_ref().or(wanted.primary_job.as_ref());
    if let (Some(record), Some(job)) = (&wanted.mirror, job) {
        planned.statements.extend(primary_statements(parts, record, job)?);
        if job.is_enabled {
            planned.statements.push(job::planned_enable_statement(&job.name)?);
        }
    }
    planned.expected_seconds = Some(60);
    Ok(planned)
}

fn tidy(parts: &Parts<'_>) -> Result<PlannedStep> {
    let mut planned = PlannedStep::new(
        step_name::TIDY,
        "Remove what served only meanwhile: our log backup jobs, reverse log shipping, the former mirror copy of the backup",
        &parts.name(InstanceRole::Backup),
        HOME,
    );
    if parts.makes_log_backup_job() {
        planned.statements.push(of_new_job(&parts.log_backup_job().name(), job::delete_statement)?);
    }
    for seen in &parts.evidence.log_backup_jobs {
        planned.statements.push(format!("-- on {}", seen.sql_instance));
        planned.statements.push(job::delete_statement(seen.job_id)?);
    }
    for role in [InstanceRole::Backup, InstanceRole::BackupMirror] {
        let Some(instance) = parts.evidence.instance(role) else { continue };
        let Some(record) = instance.primary_record() else { continue };
        planned.statements.push(format!("-- on {}", instance.sql_instance));
        planned.statements.extend(remove_primary_statements(record)?);
    }
    if parts.evidence.instance(InstanceRole::Primary).and_then(|found| found.secondary_record()).is_some() {
        planned.statements.push(format!("-- on {}", parts.name(InstanceRole::Primary)));
        planned.statements.push(log_shipping::remove_statement(parts.database(), false)?);
    }
    let mirrored = parts.evidence.instance(InstanceRole::Backup).and_then(|found| found.mirroring()).is_some();
    if mirrored {
        planned.statements.push(format!("-- on {}", parts.name(InstanceRole::BackupMirror)));
        planned.statements.push(drop_database::statement(parts.database())?);
    }
    if compliance_is_mirrored(parts) {
        planned.statements.push(drop_database::statement(COMPLIANCE_DATABASE)?);
    }
    planned.expected_seconds = Some(5);
    Ok(planned)
}
