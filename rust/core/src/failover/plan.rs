//! The plan as data: a pure function of the evidence and the request.
//!
//! [`make`] works out the [`Decision`], runs every check and writes the steps down with their statements, files and
//! native commands. Its digest covers the facts that the decision rests on; [`compare`] names those that changed.

mod decision;
mod facts;
pub(crate) mod loss;
mod steps;
mod way;

pub use crate::run::facts::{compare, digest, Difference};
pub use decision::Decision;
pub use facts::decision_facts;
pub use steps::{
    backup_host, ignores_monitor, log_backup_folder, log_backup_job, log_restores, may_ignore_monitor, mirror_commands,
    step_name, StoreName,
};
pub(crate) use steps::{on_secondary, test_message};
pub use way::{find_way, missing_copies, restored_from, MissingCopy, Way};

use crate::check;
use crate::document::{FailoverRequest, Plan, PlanRequest, DOCUMENT_VERSION};
use crate::error::Result;
use crate::evidence::{utc_text, Evidence};

/// Makes the plan of a failover. Pure: equal evidence and request give equal plans.
///
/// A plan is made though checks fail, so that all of them can be seen; `can_run` tells.
///
/// # Errors
/// `InvalidValue` (1002) for a name or path that no statement can hold.
pub fn make(evidence: &Evidence, request: &FailoverRequest) -> Result<Plan> {
    let decision = Decision::of(evidence, request);
    let checks = check::of_decision(evidence, request, &decision);
    let facts = decision_facts(evidence, request, &decision);
    let digest = digest(&facts);
    let steps = steps::all(&steps::Parts { evidence, request, decision: &decision })?;
    Ok(Plan {
        version: DOCUMENT_VERSION,
        plan_id: format!("{}-{}", evidence.gathered_at_utc.format("%Y%m%dT%H%M%SZ"), &digest[..8]),
        kind: "failover".to_string(),
        created_at_utc: utc_text(evidence.gathered_at_utc),
        sql_instance: evidence.sql_instance.clone(),
        database: evidence.database.clone(),
        pool_fqdn: evidence.pool.pool_fqdn.clone(),
        digest,
        decision_facts: facts,
        can_run: !checks.iter().any(check::blocks),
        checks,
        loss: decision.loss.clone(),
        expected_seconds: steps.iter().map(|step| step.expected_seconds).sum(),
        steps,
        request: PlanRequest::Failover(request.clone()),
    })
}

#[cfg(test)]
mod tests;
