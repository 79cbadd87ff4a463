//! Read-only checks before a run, one file each. Each is a pure function of the evidence and tells its value, the wanted
//! one and what to do.
//!
//! A check that failed keeps the plan from being run. So does one that is `unknown` and carries a code: it guards data.

mod active_servers;
mod agent_running;
mod backup_mirror;
mod commands_are_real;
mod compliance;
mod connections;
mod copy_way;
mod data_loss;
mod database_state;
mod free_space;
mod instance_reachable;
mod journal_copy;
mod journal_place;
mod log_backups_after;
mod log_chain;
mod log_shipping_known;
mod logins_missing;
mod mirror_file_share;
mod no_other_run;
pub(crate) mod pool_reachable;
mod pool_rights;
mod pool_state;
pub(crate) mod primary_is_down;
mod rights;
mod share_readable;
mod site_services;
mod subject;
mod version;
mod witness;

pub(crate) use pool_rights::of_pool as pool_rights;
pub use subject::{CheckedEvidence, Subject};

use crate::document::{CheckResult, FailoverRequest};
use crate::evidence::Evidence;
use crate::failover::plan::Decision;

/// Every check of a failover, in the order in which an operator reads them. Pure: reads and changes nothing.
pub fn all(evidence: &Evidence, request: &FailoverRequest) -> Vec<CheckResult> {
    of_decision(evidence, request, &Decision::of(evidence, request))
}

/// The same for a decision that is worked out already.
pub fn of_decision(evidence: &Evidence, request: &FailoverRequest, decision: &Decision) -> Vec<CheckResult> {
    let subject = Subject { evidence, request, decision };
    let single: [fn(&Subject<'_>) -> CheckResult; 7] = [
        commands_are_real::check,
        instance_reachable::check,
        rights::check,
        agent_running::check,
        version::check,
        database_state::check,
        primary_is_down::check,
    ];
    let mut results: Vec<CheckResult> = single.iter().map(|check| check(&subject)).collect();
    results.extend(witness::checks(&subject));
    let single: [fn(&Subject<'_>) -> CheckResult; 19] = [
        log_shipping_known::check,
        share_readable::check,
        log_chain::check,
        data_loss::check,
        copy_way::check,
        free_space::check,
        connections::check,
        logins_missing::check,
        pool_reachable::check,
        pool_rights::check,
        pool_state::check,
        active_servers::check,
        active_servers::answers,
        mirror_file_share::check,
        backup_mirror::check,
        log_backups_after::check,
        journal_place::check,
        journal_copy::check,
        no_other_run::check,
    ];
    results.extend(single.iter().map(|check| check(&subject)));
    results.extend(site_services::checks(&subject));
    results.push(compliance::check(&subject));
    results.push(compliance::backlog(&subject));
    results
}

/// True where this result keeps a plan from being run.
pub fn blocks(result: &CheckResult) -> bool {
    result.state == "failed" || (result.state == "unknown" && result.code.is_some())
}

/// The results that keep a plan from being run, the most telling one first: what is wrong with the databases and their
/// log backups, then which world the commands belong to, then the pool, which cannot answer well in the wrong world.
pub fn blocking(results: &[CheckResult]) -> Vec<&CheckResult> {
    const OF_THE_POOL: [&str; 7] = [
        "PoolReachable",
        "PoolRights",
        "PoolState",
        "ActiveServers",
        "ActiveServersAnswer",
        "MirrorFileShare",
        "BackupMirror",
    ];
    let mut blocking: Vec<&CheckResult> = results.iter().filter(|result| blocks(result)).collect();
    blocking.sort_by_key(|result| match result.name.as_str() {
        "CommandsAreReal" => 1,
        name if OF_THE_POOL.contains(&name) => 2,
        _ => 0,
    });
    blocking
}

#[cfg(test)]
mod tests;
