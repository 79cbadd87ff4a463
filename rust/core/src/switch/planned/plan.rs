//! The plan of a planned switch: a pure function of what was read.

use super::check;
use super::evidence::{Home, HomeInstance};
use crate::check::blocks;
use crate::document::{Loss, Plan, PlanRequest, PlannedStep, PlannedSwitchRequest, DOCUMENT_VERSION};
use crate::error::Result;
use crate::evidence::{utc_text, Evidence};
use crate::failover::plan::{decision_facts, digest, on_secondary, Decision, Way};
use crate::host::NativeCommand;
use crate::names::{Lsn, ServerPath};
use crate::pool;
use crate::run::facts::sorted;
use crate::sql::compliance::COMPLIANCE_DATABASE;
use crate::sql::log_backup_job::TIME_OF_BACKUP;
use crate::sql::primary_removal::remove_primary_statements;
use crate::sql::restore::{restore_log_statement, LogRestore};
use crate::sql::{job, mirror};
use crate::switch::step::{name, planned_salvage, planned_tail};

/// The step that removes the log shipping records of the old primary and its mirror.
pub(super) const REMOVE_RECORDS: &str = "remove_primary_records";

const GIVEN_BACK: &str = "Services, active servers and jobs are put back as they were; users are in again.";
const BROUGHT_BACK: &str =
    "The source is recovered again, its mirror set up, services, active servers and jobs put back as they were.";

/// What the plan is made of.
pub(super) struct Parts<'a> {
    pub evidence: &'a Evidence,
    pub home: &'a Home,
    pub request: &'a PlannedSwitchRequest,
}

impl<'a> Parts<'a> {
    /// The instance that the database leaves.
    fn source(&self) -> Option<&'a HomeInstance> {
        self.home.source(self.request.salvage_tail)
    }

    /// Its partner.
    fn partner(&self) -> Option<&'a HomeInstance> {
        self.home.partner(self.request.salvage_tail)
    }
}

/// Makes the plan. A plan is made though checks fail, so that all of them can be seen.
///
/// # Errors
/// `InvalidValue` (1002) for a name or path that no statement can hold.
pub(super) fn make(parts: &Parts<'_>) -> Result<Plan> {
    let Parts { evidence, home, request } = parts;
    let decision = Decision::of(evidence, &request.failover);
    let checks = check::all(evidence, home, request, &decision);
    let facts = facts(parts, &decision);
    let digest = digest(&facts);
    let steps = steps(parts, &decision)?;
    Ok(Plan {
        version: DOCUMENT_VERSION,
        plan_id: format!("{}-{}", evidence.gathered_at_utc.format("%Y%m%dT%H%M%SZ"), &digest[..8]),
        kind: "planned_switch".to_string(),
        created_at_utc: utc_text(evidence.gathered_at_utc),
        sql_instance: evidence.sql_instance.clone(),
        database: evidence.database.clone(),
        pool_fqdn: evidence.pool.pool_fqdn.clone(),
        digest,
        decision_facts: facts,
        can_run: !checks.iter().any(blocks),
        checks,
        loss: loss(request.salvage_tail),
        expected_seconds: steps.iter().map(|step| step.expected_seconds).sum(),
        steps,
        request: PlanRequest::PlannedSwitch((*request).clone()),
    })
}

/// The loss of a planned switch: none, unless a damaged log could not give everything.
pub(super) fn loss(salvage: bool) -> Loss {
    let text = match salvage {
        false => "Nothing is lost: the tail of the log moves with the database.",
        true => "What the damaged database's log still holds is saved and moves; what it cannot give is lost.",
    };
    Loss { text: text.to_string(), ..Loss::default() }
}

/// Those of a failover that hold for both, without what a living primary changes all the time; and who serves.
fn facts(parts: &Parts<'_>, decision: &Decision) -> std::collections::BTreeMap<String, String> {
    let Parts { evidence, home, request } = parts;
    let mut facts = decision_facts(evidence, &request.failover, decision);
    let of_a_disaster = [
        "primary",
        "primary_verdict",
        "recovered_to",
        "loss_to_accept",
        "loss_accepted",
        "chain_verdict",
        "ignore_witness",
    ];
    facts.retain(|name, _| !of_a_disaster.contains(&name.as_str()) && !name.starts_with("witness_"));
    let mut add = |name: &str, value: String| facts.insert(name.to_string(), value);
    let server = |home: Option<&HomeInstance>| home.map_or("none".to_string(), |home| home.facts.server_name.clone());
    add("source", server(parts.source()));
    add("source_mirror", server(parts.partner()));
    let mirrored = parts.source().is_some_and(|source| source.mirroring.is_some());
    add("source_is_mirrored", if mirrored { "yes" } else { "no" }.to_string());
    add("tail_folder", tail_folder(parts).map_or("unknown".to_string(), |folder| folder.to_string()));
    let servers: Vec<String> = home.services.iter().map(|services| services.server.clone()).collect();
    add("servers", sorted(&servers));
    add("salvage_tail", if request.salvage_tail { "yes" } else { "no" }.to_string());
    add("compliance_drained", if request.compliance_drained { "said" } else { "waited for" }.to_string());
    facts
}

/// The folder of the source's log backups, else the share that was named.
pub(super) fn tail_folder(parts: &Parts<'_>) -> Option<ServerPath> {
    let record = parts.source().and_then(|source| source.record.as_ref());
    let named = || parts.request.failover.folders.log_backup_share.as_deref().map(ServerPath::new);
    record.map(|record| record.backup_directory.clone()).or_else(named)
}

fn steps(parts: &Parts<'_>, decision: &Decision) -> Result<Vec<PlannedStep>> {
    let Parts { evidence, request, .. } = parts;
    let mut secondary = on_secondary(evidence, &request.failover, decision)?;
    for step in [&mut secondary.copy_and_restore, &mut secondary.gate] {
        step.on_failure = BROUGHT_BACK.to_string();
    }
    if let Some(folder) = restored_from(parts, &decision.way) {
        secondary.copy_and_restore.statements.push(restore_log_statement(&LogRestore {
            database: evidence.database.as_str().into(),
            paths: vec![folder.join(&format!("{}_{TIME_OF_BACKUP}.trn", parts.evidence.primary.database_name))],
            position: 1,
            last_lsn: Lsn::ZERO,
        })?);
    }
    secondary.copy_and_restore.title = "Copy and restore the log backups, the tail among them".to_string();
    secondary.gate.title = match request.salvage_tail {
        false => "Prove that both sides stand at the same LSN",
        true => "Prove that everything that was saved is restored",
    }
    .to_string();
    if let Some(step) = &mut secondary.remove_log_shipping {
        step.on_failure = "The backup serves; its record as a secondary is removed later.".to_string();
    }
    let mut steps = vec![stop(parts, false)];
    if super::evidence::has_compliance(evidence) {
        steps.push(drain(parts));
    }
    steps.push(clear_list(parts));
    if super::evidence::has_compliance(evidence) {
        steps.push(stop(parts, true));
    }
    steps.push(sessions_gone(parts));
    steps.push(quiet_jobs(parts)?);
    match request.salvage_tail {
        true => steps.push(salvage(parts)?),
        false => {
            steps.extend(mirroring_off(parts)?);
            steps.push(take_tail(parts)?);
        }
    }
    steps.extend(secondary.lock_out);
    steps.extend([secondary.copy_and_restore, secondary.gate, secondary.recover]);
    steps.extend(secondary.remove_log_shipping);
    steps.push(remove_records(parts)?);
    steps.push(secondary.pool_state);
    match request.failover.mirror_after_active_servers {
        false => steps.extend([secondary.mirror, start(parts), secondary.active_servers]),
        true => steps.extend([start(parts), secondary.active_servers, secondary.mirror, restart(parts)]),
    }
    steps.extend(secondary.test_message);
    steps.extend(secondary.log_backups);
    steps.push(secondary.report);
    for (number, step) in (1..).zip(&mut steps) {
        step.number = number;
    }
    Ok(steps)
}

/// Where the tail is restored from, once it is there.
fn restored_from(parts: &Parts<'_>, way: &Way) -> Option<ServerPath> {
    let record = parts.evidence.log_shipping.record.as_ref();
    match way {
        Way::CopyByUs { folder, .. } => Some(folder.clone()),
        Way::StraightFromShare => tail_folder(parts),
        _ => record.map(|record| record.backup_destination_directory.clone()).or_else(|| tail_folder(parts)),
    }
}

fn pool_name<'a>(parts: &Parts<'a>) -> &'a str {
    parts.evidence.pool.pool_fqdn.as_deref().unwrap_or_default()
}

fn source_name<'a>(parts: &Parts<'a>) -> &'a str {
    parts.source().map_or("the instance that serves", |source| source.sql_instance.as_str())
}

fn text(parts: &Parts<'_>, command: &NativeCommand) -> String {
    pool::plan_text(command, parts.evidence.pool.module_of(&command.name))
}

fn stop(parts: &Parts<'_>, compliance: bool) -> PlannedStep {
    let (step, title) = match compliance {
        false => (name::STOP_SERVICES, "Stop the Persistent Chat services of the pool's servers"),
        true => (name::STOP_COMPLIANCE, "Stop the compliance services"),
    };
    let mut planned = PlannedStep::new(step, title, pool_name(parts), GIVEN_BACK);
    for server in &parts.home.services {
        for service in server.services.known().into_iter().flatten().filter(|service| !service.is_stopped()) {
            let is_meant = if compliance { service.is_compliance() } else { service.is_persistent_chat() };
            if is_meant {
                planned.native_commands.push(text(parts, &pool::stop_windows_service(&server.server, &service.name)));
            }
        }
    }
    planned.expected_seconds = Some(30);
    planned
}

fn drain(parts: &Parts<'_>) -> PlannedStep {
    let title = "Wait until the compliance adapter has processed everything";
    let mut planned = PlannedStep::new(name::DRAIN, title, source_name(parts), GIVEN_BACK);
    planned.expected_seconds = Some(60);
    planned
}

fn clear_list(parts: &Parts<'_>) -> PlannedStep {
    let title = "Save the list of active servers and clear it";
    let mut planned = PlannedStep::new(name::CLEAR_ACTIVE_LIST, title, pool_name(parts), GIVEN_BACK);
    let pool = &parts.evidence.pool;
    if pool.active_servers().is_none_or(|servers| !servers.is_empty()) {
        let identity = pool.active_list_right.known().map_or("global", String::as_str);
        planned.native_commands.push(text(parts, &pool::clear_active_servers(identity)));
        planned.native_commands.push(text(parts, &pool::get_replication()));
    }
    planned.expected_seconds = Some(30);
    planned
}

fn sessions_gone(parts: &Parts<'_>) -> PlannedStep {
    let title = "Wait until no server of the pool has a session in the database";
    let mut planned = PlannedStep::new(name::SESSIONS_GONE, title, source_name(parts), GIVEN_BACK);
    planned.expected_seconds = Some(5);
    planned
}

fn quiet_jobs(parts: &Parts<'_>) -> Result<PlannedStep> {
    let title = "Disable the log shipping jobs of both sides and wait for running ones to end";
    let mut planned = PlannedStep::new(name::QUIET_JOBS, title, source_name(parts), GIVEN_BACK);
    let home = [parts.source(), parts.partner()];
    let backup_jobs = home.into_iter().flatten().filter_map(|home| home.backup_job.as_ref());
    for job in backup_jobs.chain(parts.evidence.log_shipping.jobs()).filter(|job| job.is_enabled) {
        planned.statements.push(job::set_enabled_statement(job.job_id, false)?);
    }
    planned.expected_seconds = Some(15);
    Ok(planned)
}

/// The databases that are mirrored on the source: the chat, and the compliance database on the same instance.
pub(super) fn mirrored(source: &HomeInstance, database: &str) -> Vec<String> {
    let chat = source.mirroring.as_ref().map(|_| database.to_string());
    let compliance = source.compliance_mirroring.as_ref().map(|_| COMPLIANCE_DATABASE.to_string());
    chat.into_iter().chain(compliance).collect()
}

fn mirroring_off(parts: &Parts<'_>) -> Result<Option<PlannedStep>> {
    let Some(source) = parts.source() else { return Ok(None) };
    let databases = mirrored(source, &parts.evidence.primary.database_name);
    if databases.is_empty() {
        return Ok(None);
    }
    let title = "End mirroring on the source; the copy on its partner stays RESTORING";
    let mut planned = PlannedStep::new(name::MIRRORING_OFF, title, &source.sql_instance, BROUGHT_BACK);
    planned.statements =
        databases.iter().map(|database| mirror::partner_off_statement(database)).collect::<Result<_>>()?;
    planned.expected_seconds = Some(5);
    Ok(Some(planned))
}

fn take_tail(parts: &Parts<'_>) -> Result<PlannedStep> {
    let title = "End every session and take the tail of the log: the source is RESTORING";
    let mut planned = PlannedStep::new(name::TAIL, title, source_name(parts), BROUGHT_BACK);
    if let Some(folder) = tail_folder(parts) {
        let database = &parts.evidence.primary.database_name;
        planned.statements.push(planned_tail(&folder, database)?);
    }
    planned.expected_seconds = Some(10);
    Ok(planned)
}

fn salvage(parts: &Parts<'_>) -> Result<PlannedStep> {
    let title = "Save what the log of the damaged database still holds";
    let mut planned = PlannedStep::new(name::SALVAGE, title, source_name(parts), GIVEN_BACK);
    if let Some(folder) = tail_folder(parts) {
        planned.statements.push(planned_salvage(&folder, &parts.evidence.primary.database_name)?);
    }
    planned.expected_seconds = Some(10);
    Ok(planned)
}

fn remove_records(parts: &Parts<'_>) -> Result<PlannedStep> {
    let mut planned = PlannedStep::new(
        REMOVE_RECORDS,
        "Remove the log shipping records of the old primary and its mirror, with their backup jobs",
        source_name(parts),
        "The backup serves; the old records only raise alerts, and are removed later.",
    );
    for home in [parts.source(), parts.partner()].into_iter().flatten() {
        if let Some(record) = &home.record {
            planned.statements.extend(remove_primary_statements(record)?);
        }
    }
    planned.expected_seconds = Some(5);
    Ok(planned)
}

fn start(parts: &Parts<'_>) -> PlannedStep {
    let mut planned = PlannedStep::new(
        name::START_SERVICES,
        "Start the services again, those of the servers to be active first",
        pool_name(parts),
        "The database is online on the backup; users get in when the services of the active servers run.",
    );
    for server in &parts.home.services {
        for service in server.services.known().into_iter().flatten().filter(|service| service.is_running()) {
            planned.native_commands.push(text(parts, &pool::start_windows_service(&server.server, &service.name)));
        }
    }
    planned.expected_seconds = Some(60);
    planned
}

fn restart(parts: &Parts<'_>) -> PlannedStep {
    let mut planned = PlannedStep::new(
        name::RESTART_SERVICES,
        "Start the services anew, one server at a time: they came up before the mirror stood",
        pool_name(parts),
        "Users are in; a service that was not started anew does not follow a role swap of the mirror.",
    );
    planned.expected_seconds = Some(120);
    planned
}
