//! The steps up to the recovery. Until log shipping is removed, giving up puts everything back.

use super::{rate, step_name, Parts};
use crate::document::{PlannedFile, PlannedStep};
use crate::error::Result;
use crate::evidence::Evidence;
use crate::failover::plan::way::{self, MissingCopy, Way};
use crate::failover::plan::Decision;
use crate::log_chain::PlaceId;
use crate::names::{Lsn, Text};
use crate::sql::restore::LogRestore;
use crate::sql::{connection, database, job, log_shipping};

const NOTHING_HAPPENED: &str = "The jobs are enabled again as they were, and log shipping goes on.";

pub(super) fn quiesce_jobs(parts: &Parts<'_>) -> Result<Option<PlannedStep>> {
    let log_shipping = &parts.evidence.log_shipping;
    if !log_shipping.is_configured() || log_shipping.jobs().next().is_none() {
        return Ok(None);
    }
    let mut planned = PlannedStep::new(
        step_name::QUIESCE_JOBS,
        "Disable the copy and the restore job and wait for a running one to end",
        &parts.evidence.sql_instance,
        NOTHING_HAPPENED,
    );
    for job in log_shipping.jobs().filter(|job| job.is_enabled) {
        planned.statements.push(job::set_enabled_statement(job.job_id, false)?);
    }
    // A copy can be run again; a RESTORE that is stopped leaves the database interrupted (4319), so it is waited for.
    if let Some(job) = log_shipping.copy_job.as_ref().filter(|job| job.is_running) {
        planned.statements.push(job::stop_statement(job.job_id)?);
    }
    let is_running = log_shipping.jobs().any(|job| job.is_running);
    planned.expected_seconds = Some(if is_running { 60 } else { 5 });
    Ok(Some(planned))
}

/// Before the first RESTORE LOG, which readers would keep from running (3101).
pub(super) fn lock_out(parts: &Parts<'_>) -> Result<Option<PlannedStep>> {
    if !parts.evidence.state.as_ref().is_some_and(|state| state.is_standby()) {
        return Ok(None);
    }
    let mut planned = PlannedStep::new(
        step_name::LOCK_OUT,
        "End the readers of the STANDBY database and keep them out",
        &parts.evidence.sql_instance,
        "The database returns to STANDBY and MULTI_USER, and the jobs are enabled again.",
    );
    planned.statements.push(database::lock_out_statement(&parts.evidence.database)?);
    planned
        .statements
        .push("-- Where readers come back in between: each of them, and the statement above again:".to_string());
    planned.statements.push(connection::planned_kill_statement());
    planned.expected_seconds = Some(15);
    Ok(Some(planned))
}

pub(super) fn copy_and_restore(parts: &Parts<'_>) -> Result<PlannedStep> {
    let (evidence, decision) = (parts.evidence, parts.decision);
    let mut planned = PlannedStep::new(
        step_name::COPY_AND_RESTORE,
        "Copy and restore the log backups",
        &evidence.sql_instance,
        "The database stays RESTORING with what was restored; no file is left half written under its name.",
    );
    if let Way::CopyJob { job_id, .. } = &decision.way {
        planned.statements.push(job::start_statement(*job_id)?);
    }
    let number = decision.chain.as_ref().map_or(0, |chain| chain.restore.len());
    planned.files.reserve_exact(number);
    planned.statements.reserve_exact(number);
    for (restore, files) in log_restores(evidence, decision) {
        planned.statements.push_restore(restore)?;
        planned.files.extend(files);
    }
    planned.files.extend(read_after_copy(evidence, decision));
    let copied: u64 = planned.files.iter().filter(|f| f.action != "restore").map(|f| f.size_bytes).sum();
    let restored: u64 = planned.files.iter().filter(|f| f.action != "copy").map(|f| f.size_bytes).sum();
    let copy = rate::seconds(copied, rate::allowed(parts.request.max_megabytes_per_second));
    let restore = rate::seconds(restored, rate::RESTORE_BYTES_PER_SECOND);
    planned.expected_seconds =
        Some(copy.max(restore) + rate::seconds(planned.files.len() as u64, rate::FILES_PER_SECOND));
    Ok(planned)
}

/// What is restored, in order: each set as the instance is asked to restore it, and its files as the plan shows them. One
/// at a time: all of ten thousand are not wanted at once.
pub fn log_restores<'a>(
    evidence: &'a Evidence,
    decision: &'a Decision,
) -> impl Iterator<Item = (LogRestore, Vec<PlannedFile>)> + Send + 'a {
    let listing = &evidence.files.listing;
    let database = Text::from(evidence.database.as_str());
    let [restored, copied] = ["restore", "copy and restore"].map(Text::from);
    let mut missing = Missing { files: &decision.missing, next: 0 };
    let links = decision.chain.iter().flat_map(|chain| &chain.restore);
    links.map(move |link| {
        let mut files = Vec::with_capacity(link.stripes.len());
        let mut paths = Vec::with_capacity(link.stripes.len());
        for candidate in link.files(listing) {
            let missing = missing.find(&candidate.name, candidate.place);
            let to = missing.map_or(candidate.path.clone(), |m| way::restored_from(evidence, &decision.way, m));
            files.push(PlannedFile {
                name: candidate.name.clone(),
                first_lsn: link.header.first_lsn,
                last_lsn: link.header.last_lsn,
                size_bytes: evidence.files.size_of(candidate),
                action: if to == candidate.path { &restored } else { &copied }.clone(),
                from: candidate.path.text(),
                to: to.text(),
            });
            paths.push(to);
        }
        let (position, last_lsn) = (link.header.position, link.header.last_lsn);
        (LogRestore { database: database.clone(), paths, position, last_lsn }, files)
    })
}

/// Missing files, asked for in about the order that they are in.
struct Missing<'a> {
    files: &'a [MissingCopy],
    next: usize,
}

impl<'a> Missing<'a> {
    fn find(&mut self, name: &Text, place: PlaceId) -> Option<&'a MissingCopy> {
        let is_it = |file: &MissingCopy| file.place == place && file.name == *name;
        let (before, behind) = self.files.split_at(self.next.min(self.files.len()));
        let ahead = behind.iter().position(is_it).map(|at| self.next + at);
        let at = ahead.or_else(|| before.iter().position(is_it))?;
        self.next = at + 1;
        self.files.get(at)
    }
}

/// Files whose LSNs nobody can read before they are copied; shown with LSN 0.
fn read_after_copy<'a>(evidence: &'a Evidence, decision: &'a Decision) -> impl Iterator<Item = PlannedFile> + 'a {
    let is_closed = |file: &&MissingCopy| decision.read_after_copy.iter().any(|name| file.name == *name);
    decision.missing.iter().filter(is_closed).map(|file| PlannedFile {
        name: file.name.clone(),
        first_lsn: Lsn::ZERO,
        last_lsn: Lsn::ZERO,
        size_bytes: file.size_bytes,
        action: "copy and restore".into(),
        from: file.path.text(),
        to: way::restored_from(evidence, &decision.way, file).text(),
    })
}

pub(super) fn gate(parts: &Parts<'_>) -> PlannedStep {
    let mut planned = PlannedStep::new(
        step_name::GATE,
        "Prove that every known log backup is restored, or that the loss is accepted by name",
        &parts.evidence.sql_instance,
        "Nothing is recovered or removed; the database still takes log backups.",
    );
    planned.expected_seconds = Some(5);
    planned
}

pub(super) fn remove_log_shipping(parts: &Parts<'_>) -> Result<Option<PlannedStep>> {
    if !parts.evidence.log_shipping.is_configured() {
        return Ok(None);
    }
    let mut planned = PlannedStep::new(
        step_name::REMOVE_LOG_SHIPPING,
        "Remove log shipping; its record is in the journal",
        &parts.evidence.sql_instance,
        "The database is still RESTORING. From here on the run is finished with `Resume-PChatRun`, not undone.",
    );
    let ignore = ignores_monitor(parts.evidence);
    planned.statements.push(log_shipping::remove_statement(&parts.evidence.database, ignore)?);
    planned.expected_seconds = Some(5);
    Ok(Some(planned))
}

/// True where the removal leaves a dead remote monitor alone, which it would otherwise wait for.
pub fn ignores_monitor(evidence: &Evidence) -> bool {
    may_ignore_monitor(evidence) && !evidence.primary.monitor.answer.is_alive()
}

/// True where there is a remote monitor and the removal can leave it alone.
pub fn may_ignore_monitor(evidence: &Evidence) -> bool {
    let Some(record) = &evidence.log_shipping.record else { return false };
    let is_remote = !record.monitor_server.is_empty()
        && !record.monitor_server.eq_ignore_ascii_case(&evidence.instance.server_name);
    is_remote && evidence.log_shipping.can_ignore_monitor
}

pub(super) fn end_connections(parts: &Parts<'_>) -> PlannedStep {
    let mut planned = PlannedStep::new(
        step_name::END_CONNECTIONS,
        "Make sure that no session is left in the database",
        &parts.evidence.sql_instance,
        "The database is still RESTORING; nobody can enter it.",
    );
    planned.expected_seconds = Some(1);
    planned
}

pub(super) fn recover(parts: &Parts<'_>) -> Result<PlannedStep> {
    let database = &parts.evidence.database;
    let mut planned = PlannedStep::new(
        step_name::RECOVER,
        "Recover the database: the point of no return",
        &parts.evidence.sql_instance,
        "A recovery that was sent goes on by itself; `Resume-PChatRun` waits for it, or sends it, and goes on.",
    );
    planned.statements.push(database::recover_statement(database)?);
    planned.statements.push("-- Where it is not open to all users:".to_string());
    let multi_user = database::multi_user_statement(database)?;
    planned.statements.push(multi_user.clone());
    planned.statements.push(
        "-- Where a client took its only seat: each session inside is ended with it, until it is open:".to_string(),
    );
    planned.statements.push(format!("{}; {multi_user}", connection::planned_kill_statement()));
    planned.expected_seconds = Some(60);
    Ok(planned)
}
