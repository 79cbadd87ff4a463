//! The plan of a failback as data: a pure function of the evidence and the request.

mod home;
mod steps;

use super::check;
use super::decision::{Decision, Way};
use super::evidence::Evidence;
use crate::baseline::InstanceRole;
use crate::check::blocks;
use crate::document::{CheckResult, FailbackRequest, Loss, Plan, PlanRequest, DOCUMENT_VERSION};
use crate::error::Result;
use crate::evidence::utc_text;
use crate::run::facts::{digest, Facts};

/// The stable names of the steps.
pub mod step_name {
    /// Our log backup job writes to the share.
    pub const LOG_BACKUPS_TO_SHARE: &str = "log_backups_to_share";
    /// Records and backup jobs of the old primary and its mirror are removed.
    pub const OLD_LOG_SHIPPING: &str = "old_log_shipping";
    /// What the guard wants of the copies at home.
    pub const SAVE_COPIES: &str = "save_copies";
    /// Full backup, verified, restored on the primary.
    pub const SEED: &str = "seed";
    /// Log backups until the primary is close.
    pub const CATCH_UP: &str = "catch_up";
    /// Everything up to the tail is restored on the primary.
    pub const RESTORE_TAIL: &str = "restore_tail";
    /// The point of no return.
    pub const RECOVER: &str = "recover";
    pub use crate::failover::plan::step_name::{ACTIVE_SERVERS, POOL_STATE, TEST_MESSAGE};
    pub use crate::switch::step::name::*;

    /// Nobody writes any more, and a full backup is taken: the documented order.
    pub const FULL_BACKUP_ALONE: &str = "full_backup_alone";
    /// That full backup is restored on the primary.
    pub const RESTORE_FULL: &str = "restore_full";
    /// The backup is restored from a full backup of the primary.
    pub const RESEED_BACKUP: &str = "reseed_backup";
    pub const OPTIONS: &str = "options";
    pub const MIRROR: &str = "mirror";
    /// What the primary's mirror set-up backed up is restored on the backup.
    pub const SECONDARY_LOGS: &str = "secondary_logs";
    /// Old log backups are moved out of the way.
    pub const ARCHIVE: &str = "archive";
    pub const LOG_SHIPPING: &str = "log_shipping";
    pub const MIRROR_LOG_SHIPPING: &str = "mirror_log_shipping";
    pub const TIDY: &str = "tidy";
    pub const VERIFY: &str = "verify";
    pub const REPORT: &str = "report";
}

/// Makes the plan. A plan is made though checks fail, so that all of them can be seen; `can_run` tells.
///
/// # Errors
/// `InvalidValue` (1002) for a name or path that no statement can hold.
pub(crate) fn make(evidence: &Evidence, request: &FailbackRequest) -> Result<Plan> {
    let decision = Decision::of(evidence, request);
    let checks = check::all(&check::Subject { evidence, request, decision: &decision });
    let facts = facts(evidence, request, &decision);
    let digest = digest(&facts.0);
    let can_run = !checks.iter().any(blocks);
    let steps = steps::all(&steps::Parts { evidence, request, decision: &decision })?;
    Ok(Plan {
        version: DOCUMENT_VERSION,
        plan_id: format!("{}-{}", evidence.gathered_at_utc.format("%Y%m%dT%H%M%SZ"), &digest[..8]),
        kind: "failback".to_string(),
        created_at_utc: utc_text(evidence.gathered_at_utc),
        sql_instance: evidence.sql_instance.clone(),
        database: evidence.database.clone(),
        pool_fqdn: evidence.pool.pool_fqdn.clone(),
        digest,
        decision_facts: facts.0,
        can_run,
        checks,
        loss: Loss {
            text: loss_text(decision.way == Way::Documented, decision.guard.in_order().iter().any(|copy| copy.saves())),
            ..Loss::default()
        },
        expected_seconds: steps.iter().map(|step| step.expected_seconds).sum(),
        steps,
        request: PlanRequest::Failback(Box::new(request.clone())),
    })
}

/// What comes home and what does not: what the failover lost stays lost to the database.
fn loss_text(is_documented: bool, saves: bool) -> String {
    let taken = match is_documented {
        true => "a full backup with nobody inside, and the log behind it, are restored on the primary",
        false => "its log is restored on the primary to the end",
    };
    let beside = match saves {
        true => {
            " What the old copies at home have beside it is saved to files and does not come back into the database."
        }
        false => "",
    };
    format!("Nothing that the backup holds is lost: {taken}.{beside}")
}

/// The checks alone.
pub(crate) fn checks(evidence: &Evidence, request: &FailbackRequest) -> Vec<CheckResult> {
    check::all(&check::Subject { evidence, request, decision: &Decision::of(evidence, request) })
}

/// What the decision rests on: who is who, what lies at home, which way. What the jobs get done meanwhile is not among it.
fn facts(evidence: &Evidence, request: &FailbackRequest, decision: &Decision) -> Facts {
    let mut facts = Facts::default();
    for role in InstanceRole::ALL {
        facts.add(role.as_text(), evidence.name(role));
    }
    let serving = evidence.instance(InstanceRole::Backup).and_then(|backup| backup.database());
    facts.add("database", evidence.database.as_str());
    facts.add("database_state", serving.map_or("unknown", |found| found.facts.state.as_text()));
    facts.add("family", evidence.backup.known().map_or("unknown".to_string(), |copy| copy.family_id.to_string()));
    facts.add("fork", evidence.backup.known().map_or("unknown".to_string(), |copy| copy.fork_id.to_string()));
    facts.add("lab", evidence.lab_id().unwrap_or("none"));
    facts.add("copy_on_primary", decision.guard.primary.found.as_str());
    facts.add("copy_on_mirror", decision.guard.mirror.as_ref().map_or("not looked at", |found| found.found.as_str()));
    facts.add("recover_and_save", sorted(&request.recover_and_save));
    facts.add("way", decision.way.as_str());
    facts.add("share", decision.wanted.share.as_ref().map_or("unknown", |share| share.as_str()));
    facts.add("mirror_file_share", request.mirror_file_share.as_deref().unwrap_or("none"));
    facts.add("pool", evidence.pool.pool_fqdn.as_deref().unwrap_or("none"));
    facts.add("pool_state", evidence.pool.state.known().map_or("unknown", |state| state.state.as_str()));
    facts.add("active_servers_now", evidence.pool.active_servers().map_or("unknown".to_string(), sorted));
    facts.add("active_servers_wanted", sorted(&decision.wanted.active_servers));
    facts.add("command_module", evidence.pool.module_of("Set-CsPersistentChatState").unwrap_or("unknown"));
    let saved = request.baseline.as_ref().map(|baseline| utc_text(baseline.saved_at_utc));
    facts.add("baseline", saved.unwrap_or_else(|| "none".to_string()));
    facts.add("compliance_drained", yes_no(request.compliance_drained));
    facts.add_journal(&request.journal);
    facts
}

fn yes_no(value: bool) -> &'static str {
    if value {
        "yes"
    } else {
        "no"
    }
}

fn sorted(names: &[String]) -> String {
    let mut names: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
    names.sort();
    names.join(", ")
}
