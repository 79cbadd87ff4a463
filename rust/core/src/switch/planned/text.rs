//! What a planned switch says of itself when it ends.

use super::plan::REMOVE_RECORDS;
use super::Run;
use crate::failover::plan::step_name;
use crate::failover::step::recover::ORPHANED_USERS;
use crate::switch::step::{name, tail_file};

/// A switch that was carried out.
pub(super) fn done(run: &Run) -> String {
    if run.work.is_salvage() {
        let loss = run.view.loss_text();
        return format!("{} is served by {}. {loss}", run.database(), run.work.target().instance);
    }
    format!(
        "{} is served by {}. Nothing is lost: the tail of the log moved with it. {} is RESTORING, ready for the way back.",
        run.database(),
        run.work.target().instance,
        run.work.source_name()
    )
}

/// A switch that was given up.
pub(super) fn put_back(run: &Run) -> String {
    if run.work.is_salvage() {
        return format!(
            "{} on {} is damaged as before; nothing else was moved.",
            run.database(),
            run.work.source_name()
        );
    }
    format!("{} is served by {} as before; restored log backups stay restored.", run.database(), run.work.source_name())
}

/// How far a switch came that is not done.
pub(super) fn reached(run: &Run) -> String {
    let (database, target, source) = (run.database(), &run.work.target().instance, run.work.source_name());
    let has = |step: &str| run.view.has_done(step);
    if has(step_name::ACTIVE_SERVERS) {
        return format!("{database} is online on {target} and users get in.");
    }
    if has(step_name::RECOVER) {
        return format!("{database} is online on {target}; users do not get in yet.");
    }
    if has(name::TAIL) {
        return format!(
            "{database} is online nowhere: the tail was taken on {source}, and {target} is not recovered yet. \
             Resume-PChatRun goes on, Undo-PChatRun brings users back to {source}."
        );
    }
    format!(
        "{database} is still online on {source}; services may be stopped and jobs disabled, which Undo-PChatRun puts back."
    )
}

/// What is left to do once the backup is recovered, in order.
pub(super) fn next_actions(run: &Run) -> Vec<String> {
    if !run.view.has_done(step_name::RECOVER) {
        return Vec::new();
    }
    let mut next = Vec::new();
    let orphans: Vec<String> = run.book.fact(ORPHANED_USERS).unwrap_or_default();
    if !orphans.is_empty() {
        next.push(format!(
            "Create the missing logins on {} for these users of {}: {}.",
            run.work.target().instance,
            run.database(),
            orphans.join(", ")
        ));
    }
    if !run.view.has_done(REMOVE_RECORDS) {
        next.push(format!(
            "Remove the log shipping records of {} and its mirror; their backup jobs raise alerts until then.",
            run.work.source_name()
        ));
    }
    let unread: Vec<&str> =
        run.capture.services.iter().filter(|s| s.services.known().is_none()).map(|s| s.server.as_str()).collect();
    if !unread.is_empty() {
        next.push(format!("Start the Persistent Chat services of {} there; this run could not.", unread.join(", ")));
    }
    if run.work.is_salvage() {
        next.push(format!(
            "The damaged copy on {} may hold more than its log gave: keep it, and keep it from serving (its services are in \
             the pool's FailedOver state).",
            run.work.source_name()
        ));
        return next;
    }
    let tail = tail_file(run).map_or_else(String::new, |file| format!(", from {file} on"));
    next.push(format!(
        "Keep the log backups since the switch{tail}, those of the mirror's set-up included: with them {} follows without \
         seeding when you fail back.",
        run.work.source_name()
    ));
    if let Some(partner) = &run.capture.source_mirror {
        next.push(format!(
            "The copy of {} on {} was its mirror and stays RESTORING; it is dropped when the mirror is set up again.",
            run.database(),
            partner.sql_instance
        ));
    }
    next
}
