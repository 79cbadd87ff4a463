//! The plan of a restore as data: a pure function of evidence and request.

use std::collections::BTreeMap;

use super::check;
use super::evidence::ConferenceEvidence;
use super::state::{CMS_MODULE, CONFERENCE_MODULE};
use super::status::get_status;
use crate::document::{ConferenceRestoreRequest, Loss, Plan, PlanRequest, PlannedStep, DOCUMENT_VERSION};
use crate::error::Result;
use crate::evidence::{utc_text, Reading};
use crate::host::NativeCommand;
use crate::pool::plan_text;
use crate::run::facts::{digest, Facts};

/// The steps' names, as they stand in plans and journals.
pub(crate) mod step_name {
    pub const START_SYNC: &str = "start_sync";
    pub const WAIT_FOR_BACKUP_SERVICE: &str = "wait_for_backup_service";
    pub const COMPARE_STORES: &str = "compare_stores";
    pub const REPORT: &str = "report";
}

/// Makes the plan of a restore. It is made though checks fail, so that all of them can be seen.
pub(crate) fn make(evidence: &ConferenceEvidence, request: &ConferenceRestoreRequest) -> Result<Plan> {
    let checks = check::all(evidence, request);
    let facts = decision_facts(evidence);
    let digest = digest(&facts);
    Ok(Plan {
        version: DOCUMENT_VERSION,
        plan_id: format!("{}-{}", evidence.gathered_at_utc.format("%Y%m%dT%H%M%SZ"), &digest[..8]),
        kind: "conference_restore".to_string(),
        created_at_utc: utc_text(evidence.gathered_at_utc),
        sql_instance: String::new(),
        database: String::new(),
        pool_fqdn: Some(evidence.pair.survivor.clone()),
        digest,
        decision_facts: facts,
        can_run: !checks.iter().any(crate::check::blocks),
        checks,
        loss: Loss {
            text: format!("Nothing is taken from {}: a sync copies only what is missing.", evidence.pair.survivor),
            ..Loss::default()
        },
        expected_seconds: None,
        steps: steps(evidence),
        request: PlanRequest::ConferenceRestore(request.clone()),
    })
}

/// The modules in words.
pub(crate) fn modules_text(evidence: &ConferenceEvidence) -> String {
    match evidence.modules.is_empty() {
        true => "all modules".to_string(),
        false => evidence.modules.join(", "),
    }
}

/// Pools, modules, commands and whether both backup services answer. What a status shows changes by itself.
fn decision_facts(evidence: &ConferenceEvidence) -> BTreeMap<String, String> {
    let mut facts = Facts::default();
    facts.add("survivor", evidence.pair.survivor.to_lowercase());
    facts.add("damaged_pool", evidence.pair.damaged.to_lowercase());
    facts.add("partner", evidence.partner.known().map_or("unknown".to_string(), |partner| partner.to_lowercase()));
    facts.add("modules", modules_text(evidence));
    facts.add("command_module", evidence.module_of("Get-CsBackupServiceStatus").unwrap_or("unknown"));
    facts.add("lab", evidence.is_lab().map_or("unknown", |is_lab| if is_lab { "yes" } else { "no" }));
    facts.add("journal", evidence.journal_folder.as_str());
    let answers = |status: &Reading<Vec<String>>| if status.known().is_some() { "answers" } else { "does not answer" };
    facts.add("survivor_backup_service", answers(&evidence.survivor.status));
    facts.add("damaged_pool_backup_service", answers(&evidence.damaged.status));
    facts.0
}

/// The commands that start the sync: one a module, or one for all where no module is named or none can be.
///
/// # Source
/// `Invoke-CsBackupServiceSync`; it has neither `-WhatIf` nor `-Confirm`, and starts on the surviving pool always.
pub(crate) fn sync_commands(evidence: &ConferenceEvidence) -> Vec<NativeCommand> {
    let base = || NativeCommand::set("Invoke-CsBackupServiceSync").with("PoolFqdn", evidence.pair.survivor.as_str());
    let takes_module = match &evidence.sync_parameters {
        Reading::Known(names) => names.iter().any(|name| name.eq_ignore_ascii_case("BackupModule")),
        _ => true,
    };
    if evidence.modules.is_empty() || !takes_module {
        return vec![base()];
    }
    evidence.modules.iter().map(|module| base().with("BackupModule", module.as_str())).collect()
}

/// The module that a call of the sync is about; `None` for all.
pub(crate) fn module_of_sync(command: &NativeCommand) -> Option<&str> {
    command.parameters.iter().find(|parameter| parameter.name == "BackupModule")?.value.as_str()
}

/// The same command with the module's short name: one page prints that, the reference the dotted one.
pub(crate) fn with_short_module(command: &NativeCommand) -> Option<NativeCommand> {
    let mut short = command.clone();
    let module = short.parameters.iter_mut().find(|parameter| parameter.name == "BackupModule")?;
    let name = module.value.as_str()?.rsplit('.').next()?.to_string();
    module.value = name.into();
    Some(short)
}

/// The last look: a comparison of both stores, in words of its own. `None` where the shell has no such command.
///
/// # Source
/// `Debug-CsInterPoolReplication`; its module names are a third set: `CentralMgmt`, `PresenceFocus`, `DataConf`.
pub(crate) fn compare_command(evidence: &ConferenceEvidence) -> Option<NativeCommand> {
    let names = evidence.compare_parameters.known()?;
    let command = NativeCommand::get("Debug-CsInterPoolReplication").with("PoolFqdn", evidence.pair.survivor.as_str());
    let module = match &evidence.modules[..] {
        [one] if one.eq_ignore_ascii_case(CONFERENCE_MODULE) => "DataConf",
        [one] if one.eq_ignore_ascii_case(CMS_MODULE) => "CentralMgmt",
        [one] if one.eq_ignore_ascii_case("UserServices.PresenceFocus") => "PresenceFocus",
        _ => return Some(command),
    };
    match names.iter().any(|name| name.eq_ignore_ascii_case("BackupModule")) {
        true => Some(command.with("BackupModule", module)),
        false => Some(command),
    }
}

fn steps(evidence: &ConferenceEvidence) -> Vec<PlannedStep> {
    let pair = &evidence.pair;
    let shown = |command: &NativeCommand| plan_text(command, evidence.module_of(&command.name));
    let step = |number, name: &str, title: String, target: &str, native_commands: Vec<String>, on_failure: &str| {
        PlannedStep { number, native_commands, ..PlannedStep::new(name, &title, target, on_failure) }
    };
    let sync: Vec<String> =
        sync_commands(evidence).iter().map(|c| shown(c).trim_end_matches(" -Confirm:$false").to_string()).collect();
    vec![
        step(
            1,
            step_name::START_SYNC,
            format!("Start the sync of {} on {}", modules_text(evidence), pair.survivor),
            &pair.survivor,
            sync,
            "Both pools are as they were; a sync that was started goes on by itself and copies only what is missing.",
        ),
        step(
            2,
            step_name::WAIT_FOR_BACKUP_SERVICE,
            format!("Wait until {} has the content", pair.damaged),
            &pair.damaged,
            vec![shown(&get_status(&pair.survivor)), shown(&get_status(&pair.damaged))],
            "The sync goes on by itself; the content is not believed to be complete.",
        ),
        step(
            3,
            step_name::COMPARE_STORES,
            "Compare both stores".to_string(),
            &pair.survivor,
            compare_command(evidence).iter().map(shown).collect(),
            "The content is there as far as the backup service tells.",
        ),
        step(4, step_name::REPORT, "Report".to_string(), &pair.damaged, Vec::new(), "Nothing is changed by it."),
    ]
}
