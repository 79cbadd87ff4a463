//! The restore of conference content as a workflow.

use std::path::PathBuf;

use async_trait::async_trait;

use super::evidence::ConferenceEvidence;
use super::plan::{self, modules_text, step_name};
use super::{check, door, gather, pair, step};
use crate::document::{ConferenceRestoreRequest, Plan, PlanRequest, RunRequest};
use crate::error::{Error, ErrorKind, Result};
use crate::host::NativeCommand;
use crate::journal::Claim;
use crate::run::engine::Ending;
use crate::run::start::journal_folder;
use crate::run::{refuse_failed, Locks, Outside, Run, Unit, Workflow};

/// What a restore works with.
pub(crate) struct ConferenceRestore {
    pub request: ConferenceRestoreRequest,
    pub evidence: ConferenceEvidence,
}

fn request_of(plan: &Plan) -> Result<&ConferenceRestoreRequest> {
    match &plan.request {
        PlanRequest::ConferenceRestore(request) => Ok(request),
        other => Err(Error::new(
            ErrorKind::InvalidRequest,
            format!("the plan is one of the kind `{}`, not of a conference restore.", other.kind()),
        )),
    }
}

/// The name of the pair's lock: the same whichever of the two is damaged.
fn lock_name(plan: &Plan) -> Result<String> {
    let mut pools = [
        request_of(plan)?.damaged_pool_fqdn.to_lowercase(),
        plan.pool_fqdn.as_deref().unwrap_or_default().to_lowercase(),
    ];
    pools.sort();
    Ok(format!("conference-{}", pools.join("+")))
}

#[async_trait]
impl Workflow for ConferenceRestore {
    const KIND: &'static str = "conference_restore";
    const PLAN_COMMAND: &'static str = "Invoke-PChatConferenceRestore -WhatIf";
    const COMMITTING_STEPS: &'static [&'static str] = &[];
    const PUTS_BACK_ON_CANCEL: bool = false;
    const ON_CANCEL: &'static str = "a sync that was started goes on by itself";
    type Capture = ConferenceEvidence;

    /// The pair is locked in the journal's folder: there is no instance to lock.
    async fn lock(_: &Outside, plan: &Plan) -> Result<Locks> {
        let (folder, name) = (journal_folder(&request_of(plan)?.journal), lock_name(plan)?);
        let claim = tokio::task::spawn_blocking(move || Claim::take(&folder, &name))
            .await
            .map_err(|e| Error::new(ErrorKind::InternalFault, format!("the lock could not be taken: {e}.")))??;
        Ok(Locks::of_claim(claim))
    }

    async fn look(
        outside: &Outside,
        plan: &Plan,
        earlier: Option<&ConferenceEvidence>,
        _: Option<&Locks>,
    ) -> Result<ConferenceRestore> {
        let request = request_of(plan)?.clone();
        // A run that was begun stays with its pair, whatever the shell names as the partner now.
        let survivor = earlier.map(|earlier| earlier.pair.survivor.clone());
        let asked = ConferenceRestoreRequest { pool_fqdn: survivor.or(request.pool_fqdn.clone()), ..request.clone() };
        let files = outside.session.file_system();
        let evidence = gather::gather(outside.host.as_ref(), files.as_ref(), &asked, &outside.cancel).await?;
        if earlier.is_none() {
            door::refuse_restore(&evidence, &request)?;
        }
        Ok(ConferenceRestore { request, evidence })
    }

    fn plan(&self) -> Result<Plan> {
        plan::make(&self.evidence, &self.request)
    }

    fn capture(&self) -> ConferenceEvidence {
        self.evidence.clone()
    }

    /// There is no second copy of the journal: neither pool is a place for it.
    async fn ready(&mut self, _: &Outside) -> Result<Option<PathBuf>> {
        Ok(None)
    }

    fn overridden(mut plan: Plan, request: &RunRequest) -> Result<Plan> {
        if request.active_servers.is_some() {
            return Err(Error::new(ErrorKind::InvalidValue, "a restore of conference content sets no active servers.")
                .with_unchanged("Nothing was changed.")
                .with_next("Leave `-ActiveServer` out."));
        }
        let PlanRequest::ConferenceRestore(own) = &mut plan.request else { return Ok(plan) };
        let mut map = request.path_map.clone();
        map.append(&mut own.path_map);
        own.path_map = map;
        if request.journal.journal_path.is_some() {
            own.journal.journal_path.clone_from(&request.journal.journal_path);
        }
        Ok(plan)
    }

    async fn ready_again(&mut self, _: &Outside, _: bool) -> Result<()> {
        refuse_failed(&check::all(&self.evidence, &self.request))
    }

    fn is_committed(&self, _: &ConferenceEvidence) -> bool {
        false
    }

    fn of_journal(plan: &Plan, capture: &ConferenceEvidence) -> Result<ConferenceRestore> {
        Ok(ConferenceRestore { request: request_of(plan)?.clone(), evidence: capture.clone() })
    }

    fn units(plan: &Plan) -> Result<Vec<Unit<ConferenceRestore>>> {
        step::units(plan)
    }

    /// There is nothing to put back, so there is nothing that would forbid it.
    async fn refuse_undo(_: &Run<ConferenceRestore>) -> Result<()> {
        Ok(())
    }

    async fn planned_put_back(_: &Run<ConferenceRestore>) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    async fn put_back(run: &Run<ConferenceRestore>) -> Result<Vec<String>> {
        Ok(vec![match step::sync_started(run) {
            Some(true) => "the run is closed; the sync that it started goes on by itself".to_string(),
            Some(false) => "the run is closed; no sync was started".to_string(),
            None => "the run is closed; it called the sync, and where that began it goes on by itself".to_string(),
        }])
    }

    fn module_of(&self, command: &str) -> Option<String> {
        self.evidence.module_of(command).map(str::to_string)
    }

    fn is_lab(&self) -> Option<bool> {
        self.evidence.is_lab()
    }

    /// The Persistent Chat commands may be absent where only Front End pools are.
    fn origin_probe(&self) -> NativeCommand {
        pair::get_configuration()
    }

    fn done_text(run: &Run<ConferenceRestore>) -> String {
        let evidence = &run.work.evidence;
        format!(
            "{} has the content of {} from {}, as far as the backup service tells.{}",
            evidence.pair.damaged,
            modules_text(evidence),
            evidence.pair.survivor,
            step::compared_text(run)
        )
    }

    fn put_back_text(_: &Run<ConferenceRestore>) -> String {
        "Both pools are as they were.".to_string()
    }

    fn reached_text(run: &Run<ConferenceRestore>) -> String {
        let pair = &run.work.evidence.pair;
        if run.view.has_done(step_name::WAIT_FOR_BACKUP_SERVICE) {
            return format!("The backup service of {} and {} has settled.", pair.survivor, pair.damaged);
        }
        match step::sync_started(run) {
            Some(true) => format!(
                "The sync on {} was started and goes on by itself; {} is not complete yet.",
                pair.survivor, pair.damaged
            ),
            Some(false) => "No sync was started.".to_string(),
            None => format!(
                "The sync on {} was called, and the call did not end well: where it began it goes on by itself; {} is not \
                 complete yet.",
                pair.survivor, pair.damaged
            ),
        }
    }

    fn next_actions(_: &Run<ConferenceRestore>, _: &Ending) -> Vec<String> {
        Vec::new()
    }
}
