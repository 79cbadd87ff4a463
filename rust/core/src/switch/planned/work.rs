//! The planned switch as a workflow: what its steps work with, and what the run asks of it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use chrono::Utc;

use super::evidence::{self, gather, Home, SwitchCapture, CAPTURE_VERSION};
use super::plan::{self, loss, Parts, REMOVE_RECORDS};
use super::remove_records::RemoveRecords;
use super::{put_back, text, Run};
use crate::check;
use crate::document::{CheckResult, Plan, PlanRequest, PlannedSwitchRequest, RunRequest};
use crate::error::{Error, ErrorKind, Result};
use crate::evidence::{capture, Capture, Evidence, PoolEvidence, Reading};
use crate::failover::plan::step_name;
use crate::failover::step::{
    active_servers, copy_and_restore, gate, lock_out, log_backups, mirror, pool_state, recover, remove_log_shipping,
    report,
};
use crate::failover::{evidence_of, lock_mirror, Failover, GateProof, SecondaryWork};
use crate::log_chain::{gate as chain_gate, RecoveryPermit, RedoPoint};
use crate::names::{InstanceName, PoolState, ServerPath};
use crate::run::engine::Ending;
use crate::run::resume::LOSS;
use crate::run::step::unknown_step;
use crate::run::undo::not_possible;
use crate::run::workflow::other_kind;
use crate::run::{refuse_failed, Locks, Outside, Step, Unit, Workflow};
use crate::sql::database::{self, DatabaseState};
use crate::sql::Purpose;
use crate::switch::step::{
    name, saved_to, ClearActiveList, Drain, MirroringOff, QuietJobs, RestartServices, Salvage, SessionsGone,
    StartServices, StopServices, Tail,
};
use crate::switch::{PoolWork, ServerServices, SwitchJob, SwitchLimits, SwitchWork};

/// What a planned switch works with.
pub(crate) struct PlannedSwitch {
    /// As in the plan, with the folders that follow from what was read.
    request: PlannedSwitchRequest,
    /// The secondary that is to serve, as a failover works with it.
    secondary: Failover,
    home: Home,
    source: InstanceName,
    source_mirror: Option<InstanceName>,
    source_database: String,
}

impl PlannedSwitch {
    fn new(
        request: PlannedSwitchRequest,
        evidence: Evidence,
        home: Home,
        earlier: Option<&SwitchCapture>,
    ) -> Result<PlannedSwitch> {
        let salvage = request.salvage_tail;
        // On a resume the source may be RESTORING already: who served is what was captured.
        let captured = |home: Option<&super::evidence::HomeInstance>| home.map(|home| home.sql_instance.clone());
        let (source, mirror) = match earlier {
            Some(earlier) => (captured(earlier.source.as_ref()), captured(earlier.source_mirror.as_ref())),
            None => (captured(home.source(salvage)), captured(home.partner(salvage))),
        };
        // Without one a check fails; the plan shows it all the same.
        let source = source.or_else(|| evidence.primary.name.clone()).unwrap_or_else(|| evidence.sql_instance.clone());
        Ok(PlannedSwitch {
            source: source.parse()?,
            source_mirror: mirror.map(|name| name.parse()).transpose()?,
            source_database: evidence.primary.database_name.clone(),
            secondary: Failover::new(request.failover.clone(), evidence)?,
            home,
            request,
        })
    }

    fn parts(&self) -> Parts<'_> {
        Parts { evidence: &self.secondary.evidence, home: &self.home, request: &self.request }
    }

    /// The instance that is to serve.
    pub(super) fn target(&self) -> &Failover {
        &self.secondary
    }

    /// True where the log of a damaged database is saved instead of a tail taken.
    pub(super) fn is_salvage(&self) -> bool {
        self.request.salvage_tail
    }

    pub(super) fn source_name(&self) -> String {
        self.source.to_string()
    }

    pub(super) fn source_database_name(&self) -> &str {
        &self.source_database
    }

    /// The share through which mirrors are set up.
    pub(super) fn mirror_file_share(&self) -> Option<&str> {
        self.request.failover.mirror_file_share.as_deref().filter(|share| !share.trim().is_empty())
    }

    fn is_recovered(&self) -> bool {
        let state = self.secondary.evidence.state.as_ref();
        state.is_some_and(|state| state.facts.state == DatabaseState::Online)
    }
}

fn request_of(plan: &Plan) -> Result<&PlannedSwitchRequest> {
    match &plan.request {
        PlanRequest::PlannedSwitch(request) => Ok(request),
        other => Err(other_kind(other)),
    }
}

/// Refuses what only a disaster knows, and gives the journal's second copy its place beside the baseline.
fn usable(mut request: PlannedSwitchRequest) -> Result<PlannedSwitchRequest> {
    let own = &mut request.failover;
    let of_a_disaster = [
        ("-AcceptDataLoss", own.accept_data_loss.is_some()),
        ("-OutageTime", own.outage_utc.is_some()),
        ("-IgnoreWitness", !own.ignore_witness.is_empty()),
    ];
    if let Some((parameter, _)) = of_a_disaster.iter().find(|(_, given)| *given) {
        return Err(Error::new(
            ErrorKind::InvalidValue,
            format!("`{parameter}` belongs to a disaster, not to a switch."),
        )
        .with_unchanged("Nothing was started.")
        .with_next("Leave it out: a planned switch loses nothing."));
    }
    let place = &mut own.journal;
    if place.journal_copy_path.is_none() && !place.no_journal_copy {
        place.journal_copy_path = request.baseline_path.as_deref().map(|path| folder_of(path).display().to_string());
    }
    Ok(request)
}

fn folder_of(baseline: &str) -> PathBuf {
    let path = Path::new(baseline);
    match (path.extension(), path.parent()) {
        (Some(_), Some(folder)) => folder.to_path_buf(),
        _ => path.to_path_buf(),
    }
}

/// Log backups since the switch go to the share, so that the old primary can follow without seeding.
fn with_share(mut request: PlannedSwitchRequest, evidence: &Evidence) -> PlannedSwitchRequest {
    let share = evidence.files.share().filter(|share| share.by_server.known().is_some());
    if let (None, Some(share)) = (&request.failover.log_backup_path, share) {
        request.failover.log_backup_path = Some(share.path.to_string());
    }
    request
}

/// Reads everything and makes the plan, without a run.
pub(super) async fn look_only(outside: &Outside, request: PlannedSwitchRequest) -> Result<Plan> {
    let request = usable(request)?;
    let (evidence, home) = gather(outside, &request, None).await?;
    let request = with_share(request, &evidence);
    plan::make(&Parts { evidence: &evidence, home: &home, request: &request })
}

#[async_trait]
impl Workflow for PlannedSwitch {
    const KIND: &'static str = "planned_switch";
    const PLAN_COMMAND: &'static str = "New-PChatFailoverPlan -Planned";
    const COMMITTING_STEPS: &'static [&'static str] = &[step_name::RECOVER];
    const PUTS_BACK_ON_CANCEL: bool = false;
    const ON_CANCEL: &'static str = "nothing is put back by itself, and users may be out: go on, or give up";
    type Capture = SwitchCapture;

    async fn lock(outside: &Outside, plan: &Plan) -> Result<Locks> {
        let mirror = &request_of(plan)?.failover.backup_mirror_sql_instance;
        let others: Vec<InstanceName> = mirror.iter().map(|name| name.parse()).collect::<Result<_>>()?;
        let target = plan.sql_instance.parse()?;
        Locks::take(outside.session.connector(), &target, &others, &plan.database, outside.host.as_ref()).await
    }

    async fn look(
        outside: &Outside,
        plan: &Plan,
        earlier: Option<&SwitchCapture>,
        locks: Option<&Locks>,
    ) -> Result<PlannedSwitch> {
        let request = usable(request_of(plan)?.clone())?;
        let (mut evidence, home) = gather(outside, &request, earlier).await?;
        // It is ours.
        evidence.lock_holder = Reading::Known(None);
        let request = with_share(request, &evidence);
        let work = PlannedSwitch::new(request, evidence, home, earlier)?;
        if let Some(locks) = locks {
            lock_mirror(&outside.session, &work.secondary.evidence, locks, &outside.host).await?;
            work.lock_home(outside, locks).await?;
        }
        Ok(work)
    }

    fn plan(&self) -> Result<Plan> {
        plan::make(&self.parts())
    }

    fn capture(&self) -> SwitchCapture {
        SwitchCapture {
            version: CAPTURE_VERSION,
            captured_at_utc: Utc::now(),
            secondary: capture(&self.secondary.evidence),
            source: self.home.source(self.request.salvage_tail).cloned(),
            source_mirror: self.home.partner(self.request.salvage_tail).cloned(),
            services: self.home.services.clone(),
        }
    }

    async fn ready(&mut self, outside: &Outside) -> Result<Option<PathBuf>> {
        self.secondary.ready(outside).await
    }

    fn begun(&mut self) {
        self.secondary.begun();
    }

    fn overridden(mut plan: Plan, request: &RunRequest) -> Result<Plan> {
        if request.accept_data_loss.is_some() {
            return Err(Error::new(ErrorKind::InvalidValue, "a planned switch loses nothing that could be accepted.")
                .with_unchanged("Nothing was changed.")
                .with_next("Leave `-AcceptDataLoss` out."));
        }
        let PlanRequest::PlannedSwitch(own) = &mut plan.request else { return Err(other_kind(&plan.request)) };
        let mut map = request.path_map.clone();
        map.append(&mut own.failover.folders.path_map);
        own.failover.folders.path_map = map;
        if request.journal.journal_path.is_some() {
            own.failover.journal.journal_path.clone_from(&request.journal.journal_path);
        }
        Ok(plan)
    }

    async fn ready_again(&mut self, outside: &Outside, plan_only: bool) -> Result<()> {
        let recovered = self.is_recovered();
        let is_needed = |check: &CheckResult| match check.name.as_str() {
            "CommandsAreReal" | "InstanceReachable" | "Rights" | "SqlRights" => true,
            // Before the point of no return it must be sure that the pool can follow.
            "PoolReachable" | "PoolRights" => !recovered,
            _ => false,
        };
        let checks = check::all(&self.secondary.evidence, &self.request.failover);
        refuse_failed(&checks.into_iter().filter(is_needed).collect::<Vec<_>>())?;
        if plan_only || recovered {
            return Ok(());
        }
        self.secondary.prove_copy_folder(outside).await
    }

    fn is_committed(&self, _: &SwitchCapture) -> bool {
        self.is_recovered()
    }

    fn of_journal(plan: &Plan, capture: &SwitchCapture) -> Result<PlannedSwitch> {
        let nothing = "not asked for giving up".to_string();
        let home =
            Home { instances: Vec::new(), services: capture.services.clone(), unprocessed: Reading::NotAsked(nothing) };
        PlannedSwitch::new(request_of(plan)?.clone(), evidence_of(&capture.secondary), home, Some(capture))
    }

    async fn lock_for_undo(outside: &Outside, plan: &Plan) -> Result<Locks> {
        let target = plan.sql_instance.parse()?;
        Locks::take(outside.session.connector(), &target, &[], &plan.database, outside.host.as_ref()).await
    }

    fn units(plan: &Plan) -> Result<Vec<Unit<PlannedSwitch>>> {
        let unit = |planned: &crate::document::PlannedStep| {
            let step: Box<dyn Step<PlannedSwitch>> = match planned.name.as_str() {
                name::STOP_SERVICES => Box::new(StopServices::channel()),
                name::DRAIN => Box::new(Drain),
                name::CLEAR_ACTIVE_LIST => Box::new(ClearActiveList),
                name::STOP_COMPLIANCE => Box::new(StopServices::compliance()),
                name::SESSIONS_GONE => Box::new(SessionsGone),
                name::QUIET_JOBS => Box::new(QuietJobs),
                name::MIRRORING_OFF => Box::new(MirroringOff),
                name::TAIL => Box::new(Tail),
                name::SALVAGE => Box::new(Salvage),
                step_name::LOCK_OUT => Box::new(lock_out::LockOut::before_restore()),
                step_name::COPY_AND_RESTORE => Box::new(copy_and_restore::CopyAndRestore),
                step_name::GATE => Box::new(gate::Gate),
                step_name::RECOVER => Box::new(recover::Recover),
                step_name::REMOVE_LOG_SHIPPING => Box::new(remove_log_shipping::RemoveLogShipping),
                REMOVE_RECORDS => Box::new(RemoveRecords),
                step_name::POOL_STATE => Box::new(pool_state::PoolState),
                step_name::MIRROR => Box::new(mirror::Mirror),
                name::START_SERVICES => Box::new(StartServices),
                step_name::ACTIVE_SERVERS => Box::new(active_servers::ActiveServers),
                name::RESTART_SERVICES => Box::new(RestartServices),
                step_name::LOG_BACKUPS => Box::new(log_backups::LogBackups),
                step_name::REPORT => Box::<report::Report>::default(),
                other => return Err(unknown_step(other)),
            };
            Ok(Unit { planned: planned.clone(), step })
        };
        plan.steps.iter().map(unit).collect()
    }

    async fn refuse_undo(run: &Run) -> Result<()> {
        match Self::is_past_recovery(run).await? {
            true => Err(not_possible(run, "the backup is recovered", step_name::RECOVER)),
            false => Ok(()),
        }
    }

    async fn planned_put_back(run: &Run) -> Result<Vec<String>> {
        put_back::planned(run).await
    }

    async fn put_back(run: &Run) -> Result<Vec<String>> {
        put_back::put_back(run).await
    }

    fn module_of(&self, command: &str) -> Option<String> {
        self.secondary.module_of(command)
    }

    fn is_lab(&self) -> Option<bool> {
        self.secondary.is_lab()
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

impl PlannedSwitch {
    /// Source and partner are written to as well. The partner may be away; then nothing is written there.
    async fn lock_home(&self, outside: &Outside, locks: &Locks) -> Result<()> {
        let connector = outside.session.connector();
        if self.home.source(self.request.salvage_tail).is_some() || self.source_mirror.is_some() {
            locks.add(connector, &self.source, &self.source_database).await?;
        }
        let Some(partner) = &self.source_mirror else { return Ok(()) };
        match locks.add(connector, partner, &self.source_database).await {
            Err(error) if error.kind != ErrorKind::Locked => {
                let text = format!("{partner} is not locked, so nothing is written there: {}", error.message);
                outside.host.message(crate::host::Level::Warning, text);
                Ok(())
            }
            other => other,
        }
    }
}

impl PoolWork for PlannedSwitch {
    const POOL_STATE: PoolState = PoolState::FailedOver;

    fn serving(&self) -> &InstanceName {
        &self.secondary.instance
    }

    fn active_servers(&self) -> &[String] {
        &self.request.failover.active_servers
    }

    fn pool_timeout(&self) -> Duration {
        Duration::from_secs(u64::from(self.request.failover.pool_timeout_seconds))
    }

    fn pool(&self) -> &PoolEvidence {
        &self.secondary.evidence.pool
    }

    fn pool_before(capture: &SwitchCapture) -> &PoolEvidence {
        &capture.secondary.pool
    }
}

#[async_trait]
impl SecondaryWork for PlannedSwitch {
    fn secondary(&self) -> &Failover {
        &self.secondary
    }

    fn secondary_capture(capture: &SwitchCapture) -> &Capture {
        &capture.secondary
    }

    /// Opens when both sides stand at the same LSN, the source RESTORING behind its tail, and nothing later is known.
    async fn ask_gate(run: &Run) -> Result<RecoveryPermit> {
        run.tell_progress("reading folders and both redo points anew for the gate", None);
        let probed_at = std::time::Instant::now();
        let evidence = run.look_again().await?;
        let redo = run.redo_of(&evidence)?;
        match run.work.request.salvage_tail {
            false => both_stand_together(run, &redo).await?,
            true => saved_is_restored(run, &redo).await?,
        }
        let target = run.work.secondary.instance.to_string();
        let permit = chain_gate::open(&target, run.database(), &redo, &evidence.files.listing, None)?;
        let loss = loss(run.work.request.salvage_tail);
        run.view.set_loss(loss.clone());
        run.book.set_fact(LOSS, &loss).await?;
        let text = format!("open at LSN {}. {}", permit.redo_lsn(), loss.text);
        let proof = GateProof { redo_lsn: permit.redo_lsn(), text, primary_probed_at: probed_at };
        run.work.secondary.set_gate_proof(proof);
        Ok(permit)
    }
}

/// The source is RESTORING behind its tail, and both redo points are one.
async fn both_stand_together(run: &Run, redo: &RedoPoint) -> Result<()> {
    let mut connection = run.connect_source(Purpose::Catalog).await?;
    let (source, database) = (&run.work.source, run.work.source_database_name());
    let state = database::need(&mut connection, database).await?.state;
    if state != DatabaseState::Restoring {
        return Err(unequal(run, format!("{source} is {} instead of RESTORING", state.as_text().to_uppercase())));
    }
    let end = database::redo_lsn(&mut connection, database).await?;
    if end != redo.lsn {
        let target = &run.work.secondary.instance;
        return Err(unequal(run, format!("{target} stands at LSN {}, {source} at {end}", redo.lsn)));
    }
    Ok(())
}

/// What was saved of the damaged log ends where the secondary stands.
async fn saved_is_restored(run: &Run, redo: &RedoPoint) -> Result<()> {
    let Some(end) = saved_to(run).await? else {
        return Err(unequal(run, "no tail was saved".to_string()));
    };
    if redo.lsn < end {
        return Err(unequal(run, format!("it stands at LSN {}, the tail that was saved ends at {end}", redo.lsn)));
    }
    Ok(())
}

fn unequal(run: &Run, why: String) -> Error {
    Error::new(
        ErrorKind::LogBackupMissing,
        format!("the two sides of `{}` do not stand together: {why}.", run.database()),
    )
    .with_unchanged("The backup was not recovered.")
    .with_next("`Resume-PChatRun` restores what is missing and asks again; `Undo-PChatRun` brings the source back.")
    .with_target(run.database())
}

#[async_trait]
impl SwitchWork for PlannedSwitch {
    fn source(&self) -> &InstanceName {
        &self.source
    }

    fn source_mirror(&self) -> Option<&InstanceName> {
        self.source_mirror.as_ref()
    }

    fn source_database(&self) -> &str {
        &self.source_database
    }

    fn limits(&self) -> SwitchLimits {
        SwitchLimits {
            drain: Duration::from_secs(u64::from(self.request.drain_timeout_seconds)),
            service: Duration::from_secs(u64::from(self.request.service_timeout_seconds.max(1))),
            compliance_is_drained: self.request.compliance_drained,
        }
    }

    fn jobs(run: &Run) -> Result<Vec<SwitchJob>> {
        let mut jobs = Vec::new();
        for home in [run.capture.source.as_ref(), run.capture.source_mirror.as_ref()].into_iter().flatten() {
            if let Some(job) = &home.backup_job {
                jobs.push(SwitchJob {
                    instance: home.sql_instance.parse()?,
                    job_id: job.job_id,
                    name: job.name.clone(),
                    was_enabled: job.is_enabled,
                    may_be_stopped: false,
                });
            }
        }
        let shipping = &run.capture.secondary.log_shipping;
        let copy = shipping.copy_job.as_ref().map(|job| job.job_id);
        jobs.extend(shipping.jobs().map(|job| SwitchJob {
            instance: run.work.secondary.instance.clone(),
            job_id: job.job_id,
            name: job.name.clone(),
            was_enabled: job.is_enabled,
            may_be_stopped: Some(job.job_id) == copy,
        }));
        Ok(jobs)
    }

    fn mirrored(run: &Run) -> Vec<String> {
        let source = run.capture.source.as_ref();
        source.map(|source| plan::mirrored(source, run.work.source_database_name())).unwrap_or_default()
    }

    fn has_compliance(&self) -> bool {
        evidence::has_compliance(&self.secondary.evidence)
    }

    fn tail_folder(run: &Run) -> Result<ServerPath> {
        let record = run.capture.source.as_ref().and_then(|source| source.record.as_ref());
        let named = || run.work.request.failover.folders.log_backup_share.as_deref().map(ServerPath::new);
        record.map(|record| record.backup_directory.clone()).or_else(named).ok_or_else(|| {
            Error::new(ErrorKind::SourceNotReady, "nobody names the folder of the source's log backups.")
                .with_next("Name the share with `-LogBackupShare` in a new plan.")
        })
    }

    fn services_before(capture: &SwitchCapture) -> &[ServerServices] {
        &capture.services
    }

    async fn is_past_recovery(run: &Run) -> Result<bool> {
        let mut connection = run.connect(Purpose::Catalog).await?;
        let state = database::need(&mut connection, run.database()).await?.state;
        connection.close().await;
        Ok(state == DatabaseState::Online)
    }
}
