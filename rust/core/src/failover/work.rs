//! The failover as a workflow: what its steps work with, and what the run asks of it.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;

use super::plan::{self, step_name, Way};
use super::{look, places, put_back, standing, text, Run, SecondaryWork};
use crate::check;
use crate::document::{FailoverRequest, Plan, PlanRequest, RunRequest};
use crate::error::Result;
use crate::evidence::{capture, Capture, Evidence, LogShippingSource, PoolEvidence, Reading};
use crate::failover::plan::Decision;
use crate::files::{client_candidates, not_proved};
use crate::log_chain::{Listing, RecoveryPermit};
use crate::names::{ClientPath, InstanceName, Lsn, PoolState};
use crate::run::engine::Ending;
use crate::run::undo::not_possible;
use crate::run::workflow::{other_kind, take_servers};
use crate::run::{refuse_failed, Locks, Outside, Unit, Workflow};
use crate::sql::database::{self, DatabaseState};
use crate::sql::{log_shipping, Purpose};
use crate::switch::PoolWork;

/// What a failover works with.
pub(crate) struct Failover {
    /// The backup instance.
    pub instance: InstanceName,
    /// As in the plan; overrides of a resume are merged in.
    pub request: FailoverRequest,
    /// What was read when this process took the run up.
    pub evidence: Evidence,
    /// The copy folder as this process opens it, proved by a marker to be the instance's.
    pub proved_copy_folder: Option<ClientPath>,
    gate: Mutex<Option<GateProof>>,
}

/// What the gate said: where the database stood, and what is lost.
#[derive(Debug, Clone)]
pub(crate) struct GateProof {
    pub redo_lsn: Lsn,
    pub text: String,
    /// When the primary and its witnesses were probed for it.
    pub primary_probed_at: Instant,
}

impl Failover {
    /// Work on what was read.
    ///
    /// # Errors
    /// `InvalidValue` (1002) for an instance that is none.
    pub(crate) fn new(request: FailoverRequest, evidence: Evidence) -> Result<Failover> {
        Ok(Failover {
            instance: request.target.sql_instance.parse()?,
            request,
            evidence,
            proved_copy_folder: None,
            gate: Mutex::new(None),
        })
    }

    /// What the gate said last in this process.
    pub(crate) fn gate_proof(&self) -> Option<GateProof> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_gate_proof(&self, proof: GateProof) {
        *self.gate.lock().unwrap_or_else(PoisonError::into_inner) = Some(proof);
    }

    /// Proves by a marker which folder of this machine is the copy folder, where one is.
    ///
    /// # Errors
    /// Those of the instance.
    pub(crate) async fn prove_copy_folder(&mut self, outside: &Outside) -> Result<()> {
        let (map, host) = (&self.request.folders.path_map, &outside.host);
        self.proved_copy_folder = places::prove(&outside.session, &self.instance, &self.evidence, map, host).await?;
        Ok(())
    }

    fn is_online(&self) -> bool {
        self.evidence.state.as_ref().is_some_and(|state| state.facts.state == DatabaseState::Online)
    }
}

/// The failover's own part of a plan's request.
fn request_of(plan: &Plan) -> Result<&FailoverRequest> {
    match &plan.request {
        PlanRequest::Failover(request) => Ok(request),
        other => Err(other_kind(other)),
    }
}

async fn lock(outside: &Outside, plan: &Plan, others: &[InstanceName]) -> Result<Locks> {
    let instance = plan.sql_instance.parse()?;
    Locks::take(outside.session.connector(), &instance, others, &plan.database, outside.host.as_ref()).await
}

#[async_trait]
impl Workflow for Failover {
    const KIND: &'static str = "failover";
    const PLAN_COMMAND: &'static str = "New-PChatFailoverPlan";
    const COMMITTING_STEPS: &'static [&'static str] = &[step_name::REMOVE_LOG_SHIPPING, step_name::RECOVER];
    const ON_CANCEL: &'static str = "until log shipping is removed the jobs are put back as they were";
    type Capture = Capture;

    async fn lock(outside: &Outside, plan: &Plan) -> Result<Locks> {
        let mirror = &request_of(plan)?.backup_mirror_sql_instance;
        let others: Vec<InstanceName> = mirror.iter().map(|name| name.parse()).collect::<Result<_>>()?;
        lock(outside, plan, &others).await
    }

    /// Giving up writes to the backup instance alone.
    async fn lock_for_undo(outside: &Outside, plan: &Plan) -> Result<Locks> {
        lock(outside, plan, &[]).await
    }

    async fn look(
        outside: &Outside,
        plan: &Plan,
        earlier: Option<&Capture>,
        locks: Option<&Locks>,
    ) -> Result<Failover> {
        let Outside { session, host, cancel, .. } = outside;
        let mut request = request_of(plan)?.clone();
        let mut evidence = look::gather(session, host, &request, earlier, cancel).await?;
        request.active_servers = evidence.pool.servers_of(&request.active_servers);
        // It is ours.
        evidence.lock_holder = Reading::Known(None);
        if let Some(locks) = locks {
            places::lock_mirror(session, &evidence, locks, host).await?;
        }
        Failover::new(request, evidence)
    }

    fn plan(&self) -> Result<Plan> {
        plan::make(&self.evidence, &self.request)
    }

    fn capture(&self) -> Capture {
        capture(&self.evidence)
    }

    async fn ready(&mut self, outside: &Outside) -> Result<Option<PathBuf>> {
        self.prove_copy_folder(outside).await?;
        let map = &self.request.folders.path_map;
        let way = Decision::of(&self.evidence, &self.request).way;
        if let (Way::CopyByUs { folder, .. }, None) = (&way, &self.proved_copy_folder) {
            return Err(not_proved(folder, &client_candidates(folder, &self.instance.host, map)));
        }
        places::journal_copy(&self.request.journal, self.proved_copy_folder.as_ref())
    }

    fn begun(&mut self) {
        self.evidence.files.listing = Listing::default();
    }

    fn overridden(mut plan: Plan, request: &RunRequest) -> Result<Plan> {
        let PlanRequest::Failover(own) = &mut plan.request else { return Err(other_kind(&plan.request)) };
        let mut map = request.path_map.clone();
        map.append(&mut own.folders.path_map);
        own.folders.path_map = map;
        if request.accept_data_loss.is_some() {
            own.accept_data_loss.clone_from(&request.accept_data_loss);
        }
        take_servers(&mut own.active_servers, request);
        if request.journal.journal_path.is_some() {
            own.journal.journal_path.clone_from(&request.journal.journal_path);
        }
        Ok(plan)
    }

    async fn ready_again(&mut self, outside: &Outside, plan_only: bool) -> Result<()> {
        let host = &outside.host;
        let checks = check::all(&self.evidence, &self.request);
        let needed = standing::still_needed(checks, self.is_online(), host);
        // While the record is there, nothing final has happened.
        let can_undo = self.evidence.log_shipping.source == LogShippingSource::Record && !self.is_online();
        let undo = can_undo.then(|| format!("Undo-PChatRun{}", outside.view.run_arguments()));
        refuse_failed(&needed).map_err(|error| standing::with_way_out(error, undo.as_deref()))?;
        if plan_only || self.is_online() {
            return Ok(());
        }
        self.prove_copy_folder(outside).await
    }

    fn is_committed(&self, capture: &Capture) -> bool {
        let was_removed = capture.log_shipping.is_configured() && !self.evidence.log_shipping.is_configured();
        was_removed || self.is_online()
    }

    fn of_journal(plan: &Plan, capture: &Capture) -> Result<Failover> {
        Failover::new(request_of(plan)?.clone(), standing::evidence_of(capture))
    }

    fn units(plan: &Plan) -> Result<Vec<Unit<Failover>>> {
        super::step::units(plan)
    }

    async fn refuse_undo(run: &Run) -> Result<()> {
        let mut connection = run.connect(Purpose::Catalog).await?;
        let state = database::need(&mut connection, run.database()).await?.state;
        let record = log_shipping::read_secondary(&mut connection, run.database()).await?;
        match (state, record) {
            (DatabaseState::Online, _) => Err(not_possible(run, "the database is recovered", step_name::RECOVER)),
            (_, None) if run.capture.log_shipping.is_configured() => {
                Err(not_possible(run, "log shipping is removed", step_name::REMOVE_LOG_SHIPPING))
            }
            _ => Ok(()),
        }
    }

    async fn planned_put_back(run: &Run) -> Result<Vec<String>> {
        put_back::planned(run).await
    }

    async fn put_back(run: &Run) -> Result<Vec<String>> {
        put_back::put_back(run).await
    }

    fn module_of(&self, command: &str) -> Option<String> {
        self.evidence.pool.module_of(command).map(str::to_string)
    }

    fn is_lab(&self) -> Option<bool> {
        Some(self.evidence.instance.lab_id.is_some())
    }

    fn done_text(run: &Run) -> String {
        text::done(run)
    }

    fn put_back_text(run: &Run) -> String {
        text::put_back(run)
    }

    fn reached_text(run: &Run) -> String {
        text::reached(run)
    }

    fn next_actions(run: &Run, _: &Ending) -> Vec<String> {
        text::next_actions(run)
    }
}

impl PoolWork for Failover {
    const POOL_STATE: PoolState = PoolState::FailedOver;

    fn serving(&self) -> &InstanceName {
        &self.instance
    }

    fn active_servers(&self) -> &[String] {
        &self.request.active_servers
    }

    fn pool_timeout(&self) -> Duration {
        Duration::from_secs(u64::from(self.request.pool_timeout_seconds))
    }

    fn pool(&self) -> &PoolEvidence {
        &self.evidence.pool
    }

    fn pool_before(capture: &Capture) -> &PoolEvidence {
        &capture.pool
    }
}

#[async_trait]
impl SecondaryWork for Failover {
    fn secondary(&self) -> &Failover {
        self
    }

    fn secondary_capture(capture: &Capture) -> &Capture {
        capture
    }

    async fn ask_gate(run: &Run) -> Result<RecoveryPermit> {
        super::step::gate::ask_gate(run).await
    }
}
