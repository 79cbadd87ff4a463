//! The facts that the decision rests on.

use std::collections::BTreeMap;

use super::way::usual_way;
use super::{log_backup_folder, Decision, Way};
use crate::document::FailoverRequest;
use crate::evidence::{primary_verdict, witnesses, Evidence, LogShippingSource, PrimaryVerdict, Testimony};
use crate::run::facts::{sorted, Facts};

/// The facts: targets, roles, states, verdict on the chain, loss, way of the files. What the normal jobs get done
/// meanwhile is not among them, so it changes no digest.
pub fn decision_facts(evidence: &Evidence, request: &FailoverRequest, decision: &Decision) -> BTreeMap<String, String> {
    let mut facts = Facts::default();
    facts.add("instance", evidence.instance.server_name.as_str());
    facts.add("database", evidence.database.as_str());
    facts.add("database_state", evidence.state.as_ref().map_or("absent", |state| state.facts.state.as_text()));
    facts.add("lab", evidence.instance.lab_id.as_deref().unwrap_or("none"));
    facts.add("primary", evidence.primary.name.as_deref().unwrap_or("unknown"));
    facts.add("primary_verdict", down_or(primary_verdict(&evidence.primary)));
    for witness in witnesses(&evidence.primary) {
        let word = match witness.testimony {
            Testimony::Silent => "silent",
            Testimony::Against => "against",
            Testimony::Unclear => "unclear",
        };
        facts.add(&format!("witness_{}", snake(witness.name)), word);
    }
    facts.add(
        "log_shipping",
        match evidence.log_shipping.source {
            LogShippingSource::Record => "configured",
            LogShippingSource::None => "none",
            _ => "removed",
        },
    );
    facts.add("share", evidence.files.share().map_or("unknown", |place| place.path.as_str()));
    facts.add("copy_folder", evidence.files.copy_folder().map_or("unknown", |place| place.path.as_str()));
    facts.add("chain_verdict", decision.verdict_word());
    facts.add("recovered_to", recovered_to(decision));
    facts.add("loss_to_accept", decision.loss.accept_value.as_deref().unwrap_or("none"));
    facts.add("loss_accepted", if decision.loss_is_accepted { "yes" } else { "no" });
    facts.add("ignored_witnesses", sorted(&request.ignore_witness));
    facts.add_journal(&request.journal);
    facts.add(
        "way_of_files",
        match decision.way {
            Way::NothingToCopy => usual_way(evidence),
            ref way => way.as_str(),
        },
    );
    pool_facts(&mut facts, evidence, request);
    facts.0
}

fn pool_facts(facts: &mut Facts, evidence: &Evidence, request: &FailoverRequest) {
    let pool = &evidence.pool;
    facts.add("pool", pool.pool_fqdn.as_deref().unwrap_or("none"));
    facts.add("pool_state", pool.state.known().map_or("unknown", |state| state.state.as_str()));
    facts.add("active_servers_now", pool.active_servers().map_or("unknown".to_string(), sorted));
    facts.add("active_servers_wanted", sorted(&request.active_servers));
    facts.add("command_module", pool.module_of("Set-CsPersistentChatState").unwrap_or("unknown"));
    facts.add("mirror_file_share", request.mirror_file_share.as_deref().unwrap_or("none"));
    facts.add("mirror_after_active_servers", if request.mirror_after_active_servers { "yes" } else { "no" });
    let log_backups = match log_backup_folder(evidence, request) {
        _ if request.no_log_backup => "declined".to_string(),
        Some(folder) => format!("every {} minutes to {folder}", request.log_backup_interval_minutes),
        None => "unknown folder".to_string(),
    };
    facts.add("log_backups", log_backups);
}

/// Refused and silent are one fact: both count as down.
fn down_or(verdict: PrimaryVerdict) -> &'static str {
    match verdict {
        PrimaryVerdict::Refused | PrimaryVerdict::Unreachable => "down",
        other => other.as_str(),
    }
}

/// The file that recovery ends with, by name: the same whether its header is read on the share, in the copy folder, or told
/// by the restore history.
fn recovered_to(decision: &Decision) -> String {
    let Some(chain) = &decision.chain else { return "unknown".to_string() };
    let last = decision.read_after_copy.last().or(chain.end_file.as_ref());
    last.map_or_else(|| chain.end.lsn.to_string(), |name| name.to_lowercase())
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.extend(letter.to_lowercase());
    }
    out
}
