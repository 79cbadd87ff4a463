//! What a failover says of itself when it ends.

use super::plan::step_name;
use super::step::recover::ORPHANED_USERS;
use super::Run;
use crate::sql::fencing;

/// A failover that was carried out.
pub(super) fn done(run: &Run) -> String {
    let loss = run.view.loss_text();
    format!("{} is served by {}. {loss}", run.database(), run.work.instance).trim_end().to_string()
}

/// A failover that was given up.
pub(super) fn put_back(run: &Run) -> String {
    format!("Jobs and state of {} are as they were; restored log backups stay restored.", run.database())
}

/// How far a run came that is not done.
pub(super) fn reached(run: &Run) -> String {
    let (database, instance) = (run.database(), &run.work.instance);
    if run.view.has_done(step_name::ACTIVE_SERVERS) {
        return format!("{database} is online on {instance} and users get in.");
    }
    if run.view.has_done(step_name::RECOVER) {
        return format!("{database} is online on {instance}; users do not get in yet.");
    }
    if run.view.has_done(step_name::REMOVE_LOG_SHIPPING) {
        return format!("Log shipping of {database} is removed and the database is not recovered yet.");
    }
    format!(
        "{database} on {instance} is not recovered, and log shipping is still configured; its jobs may be disabled, which \
         Undo-PChatRun puts back."
    )
}

/// What is left to do once the database is recovered, in order.
pub(super) fn next_actions(run: &Run) -> Vec<String> {
    if !run.view.has_done(step_name::RECOVER) {
        return Vec::new();
    }
    let mut next = Vec::new();
    let orphans: Vec<String> = run.book.fact(ORPHANED_USERS).unwrap_or_default();
    if !orphans.is_empty() {
        next.push(format!(
            "Create the missing logins on {} for these users of {}: {}.",
            run.work.instance,
            run.database(),
            orphans.join(", ")
        ));
    }
    next.push(compliance(run));
    next.push(fencing(run));
    next.push(
        "Later, when the old site is back: `Invoke-PChatFailback`; until then nothing is shipped to it.".to_string(),
    );
    next
}

/// mgccomp is not failed over: its rows are transient, and what waited there lies in the dead site.
fn compliance(run: &Run) -> String {
    let service = run.work.evidence.pool.service().or_else(|| run.capture.pool.service());
    let is_on = service.is_some_and(|service| service.compliance_store.is_some());
    let condition = if is_on { "Compliance" } else { "Where compliance is on" };
    format!(
        "{condition}: mgccomp is not failed over. Events that its adapter had not processed stay in the old site; keep the \
         adapter's output, and check that the compliance service of the active servers works with the backup's mgccomp."
    )
}

/// The old site must not wake up as a second primary. The script is printed, never run.
fn fencing(run: &Run) -> String {
    let record = run.capture.log_shipping.record.as_ref();
    let database = record.map_or(run.database(), |record| record.primary_database.as_str());
    let primary = run.work.evidence.primary.name.as_deref().or(record.map(|r| r.primary_server.as_str()));
    let script = fencing::script(database, fencing::Parts::ALL).unwrap_or_default();
    format!(
        "Fence the old site before its servers are powered on: disable the Persistent Chat services there. On its return run this \
         on {} and on its mirror: {script}",
        primary.unwrap_or("the old primary")
    )
}
