//! The failback as a workflow: what its steps work with, and what the run asks of it.

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;

use super::decision::Decision;
use super::evidence::{Capture, Evidence, CAPTURE_VERSION};
use super::guard::Guard;
use super::look::{self, gather_all};
use super::plan::{self, step_name};
use super::stage::{self, LastSeen, Stage};
use super::step::log_backups::LOG_BACKUP_JOBS;
use super::wanted::Wanted;
use super::{put_back, text, Run};
use crate::baseline::{Baseline, InstanceBaseline, InstanceRole, JobPurpose};
use crate::document::{CheckResult, FailbackRequest, Plan, PlanRequest, RunRequest};
use crate::error::{Error, ErrorKind, Result};
use crate::evidence::{PoolEvidence, Reading};
use crate::host::NativeCommand;
use crate::names::{InstanceName, PoolState, ServerPath};
use crate::pool;
use crate::run::engine::Ending;
use crate::run::undo::not_possible;
use crate::run::workflow::{other_kind, take_servers};
use crate::run::{refuse_failed, Locks, Outside, Unit, Workflow};
use crate::sql::compliance::COMPLIANCE_DATABASE;
use crate::sql::mirror::MirrorRole;
use crate::sql::{Connection, Purpose};
use crate::switch::{PoolWork, ServerServices, SwitchJob, SwitchLimits, SwitchWork};

/// What a failback works with.
pub(crate) struct Failback {
    /// As in the plan, its baseline inside.
    pub request: FailbackRequest,
    pub names: Names,
    pub wanted: Wanted,
    /// What becomes of the copies at home, as decided before the first change.
    pub guard: Guard,
    /// The four instances before the first change.
    pub before: Baseline,
    pub pool: PoolEvidence,
    /// What was read when this process took the run up; `None` where only the journal was asked.
    evidence: Option<Evidence>,
    /// How far it has come, as the instances showed then.
    stage: Stage,
    /// The same, as later steps saw it.
    pub(crate) last_seen: LastSeen,
    /// Where users are once the primary is recovered: between two changes of roles that is its mirror.
    serving: InstanceName,
}

/// The four instances by name.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    pub backup: InstanceName,
    pub backup_mirror: Option<InstanceName>,
    pub primary: InstanceName,
    pub primary_mirror: Option<InstanceName>,
}

impl Names {
    fn of(request: &FailbackRequest, now: &Baseline) -> Result<Names> {
        let named = look::instances(request)?;
        let known = |role: InstanceRole| -> Option<InstanceName> { now.instance(role)?.sql_instance.parse().ok() };
        let none = || {
            Error::new(ErrorKind::InvalidValue, "nobody names the primary: neither the command nor a baseline.")
                .with_unchanged("Nothing was changed.")
                .with_next("Name it with `-PrimarySqlInstance`.")
        };
        Ok(Names {
            backup: request.target.sql_instance.parse()?,
            backup_mirror: named.backup_mirror.or_else(|| known(InstanceRole::BackupMirror)),
            primary: named.primary.or_else(|| known(InstanceRole::Primary)).ok_or_else(none)?,
            primary_mirror: named.primary_mirror.or_else(|| known(InstanceRole::PrimaryMirror)),
        })
    }

    /// The backup and its mirror.
    pub(crate) fn backup_pair(&self) -> Vec<InstanceName> {
        std::iter::once(&self.backup).chain(self.backup_mirror.as_ref()).cloned().collect()
    }

    /// The primary and its mirror.
    pub(crate) fn home_pair(&self) -> Vec<InstanceName> {
        std::iter::once(&self.primary).chain(self.primary_mirror.as_ref()).cloned().collect()
    }
}

impl Failback {
    fn of_evidence(
        request: FailbackRequest,
        evidence: Evidence,
        earlier: Option<&Capture>,
        stage: Stage,
    ) -> Result<Failback> {
        let decision = Decision::of(&evidence, &request);
        let before = earlier.map_or_else(|| evidence.now.clone(), |capture| capture.before.clone());
        let names = Names::of(&request, &before)?;
        let role =
            evidence.instance(InstanceRole::Primary).and_then(InstanceBaseline::mirroring).map(|found| found.role);
        let swapped = (role == Some(MirrorRole::Mirror)).then(|| names.primary_mirror.clone()).flatten();
        Ok(Failback {
            serving: swapped.unwrap_or_else(|| names.primary.clone()),
            names,
            guard: earlier.map_or(decision.guard, |capture| capture.guard.clone()),
            wanted: decision.wanted,
            pool: evidence.pool.clone(),
            before,
            request,
            stage,
            last_seen: LastSeen::new(stage),
            evidence: Some(evidence),
        })
    }

    fn evidence(&self) -> Result<&Evidence> {
        self.evidence.as_ref().ok_or_else(|| Error::new(ErrorKind::InternalFault, "no evidence was read for this."))
    }
}

/// The failback's own part of a plan's request.
fn request_of(plan: &Plan) -> Result<&FailbackRequest> {
    match &plan.request {
        PlanRequest::Failback(request) => Ok(request),
        other => Err(other_kind(other)),
    }
}

#[async_trait]
impl Workflow for Failback {
    const KIND: &'static str = "failback";
    const PLAN_COMMAND: &'static str = "New-PChatFailbackPlan";
    const COMMITTING_STEPS: &'static [&'static str] = &[step_name::RECOVER];
    const PUTS_BACK_ON_CANCEL: bool = false;
    const ON_CANCEL: &'static str = "until the primary is recovered the backup can serve again: Undo-PChatRun";
    type Capture = Capture;

    /// Backup and primary must be there; a mirror that cannot be asked is left out with a warning.
    async fn lock(outside: &Outside, plan: &Plan) -> Result<Locks> {
        let request = request_of(plan)?;
        let names = look::instances(request)?;
        let connector = outside.session.connector();
        let backup: InstanceName = plan.sql_instance.parse()?;
        let others: Vec<InstanceName> =
            [names.backup_mirror, names.primary_mirror, names.primary.clone()].into_iter().flatten().collect();
        let locks = Locks::take(connector, &backup, &others, &plan.database, outside.host.as_ref()).await?;
        if let Some(primary) = names.primary {
            if let Err(error) = locks.add(connector, &primary, &plan.database).await {
                locks.release().await;
                return Err(error);
            }
        }
        Ok(locks)
    }

    async fn look(
        outside: &Outside,
        plan: &Plan,
        earlier: Option<&Capture>,
        locks: Option<&Locks>,
    ) -> Result<Failback> {
        let request = request_of(plan)?.clone();
        let mut evidence = gather_all(outside, &request).await?;
        // It is ours.
        evidence.lock_holder = Reading::Known(None);
        if let Some(locks) = locks {
            let names = Names::of(&request, &evidence.now)?;
            let connector = outside.session.connector();
            let mirrors: Vec<InstanceName> = names.backup_mirror.into_iter().chain(names.primary_mirror).collect();
            for name in mirrors {
                if answers(&evidence, &name) {
                    locks.add(connector, &name, &plan.database).await?;
                }
            }
        }
        let stage = stage::of_way_home(&evidence.now);
        Failback::of_evidence(request, evidence, earlier, stage)
    }

    fn plan(&self) -> Result<Plan> {
        plan::make(self.evidence()?, &self.request)
    }

    fn capture(&self) -> Capture {
        let evidence = self.evidence.as_ref();
        Capture {
            version: CAPTURE_VERSION,
            captured_at_utc: chrono::Utc::now(),
            before: self.before.clone(),
            pool: self.pool.clone(),
            backup: evidence.and_then(|evidence| evidence.backup.known().cloned()),
            guard: self.guard.clone(),
            primary: evidence.map_or_else(unseen, |evidence| evidence.primary.clone()),
            primary_mirror: evidence.and_then(|evidence| evidence.primary_mirror.clone()),
            log_backup_jobs: evidence.map(|evidence| evidence.log_backup_jobs.clone()).unwrap_or_default(),
            services: evidence.map(|evidence| evidence.services.clone()).unwrap_or_default(),
            sessions: evidence.and_then(|evidence| evidence.sessions.known().cloned()).unwrap_or_default(),
        }
    }

    async fn ready(&mut self, _: &Outside) -> Result<Option<PathBuf>> {
        Ok(self.evidence()?.journal.copy_folder.as_ref().map(PathBuf::from))
    }

    fn overridden(mut plan: Plan, request: &RunRequest) -> Result<Plan> {
        if let PlanRequest::Failback(own) = &mut plan.request {
            let mut map = request.path_map.clone();
            map.append(&mut own.path_map);
            own.path_map = map;
            take_servers(&mut own.active_servers, request);
            if request.journal.journal_path.is_some() {
                own.journal.journal_path.clone_from(&request.journal.journal_path);
            }
        }
        Ok(plan)
    }

    async fn ready_again(&mut self, _: &Outside, _: bool) -> Result<()> {
        let needed: Vec<CheckResult> =
            plan::checks(self.evidence()?, &self.request).into_iter().filter(still_needed).collect();
        refuse_failed(&needed)
    }

    fn is_committed(&self, _: &Capture) -> bool {
        self.stage == Stage::Recovered
    }

    fn of_journal(plan: &Plan, capture: &Capture) -> Result<Failback> {
        let request = request_of(plan)?.clone();
        let names = Names::of(&request, &capture.before)?;
        Ok(Failback {
            serving: names.primary.clone(),
            names,
            wanted: Wanted::of(&request, &capture.before),
            guard: capture.guard.clone(),
            before: capture.before.clone(),
            pool: capture.pool.clone(),
            request,
            evidence: None,
            stage: Stage::Serving,
            last_seen: LastSeen::default(),
        })
    }

    fn units(plan: &Plan) -> Result<Vec<Unit<Failback>>> {
        super::step::units(plan)
    }

    async fn refuse_undo(run: &Run) -> Result<()> {
        match stage::read(run).await? {
            Stage::Recovered => Err(not_possible(run, "the primary is recovered", step_name::RECOVER)),
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
        self.pool.module_of(command).map(str::to_string)
    }

    fn is_lab(&self) -> Option<bool> {
        let facts = self.before.instance(InstanceRole::Backup)?.facts.known()?;
        Some(facts.lab_id.is_some())
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

/// What must still hold when a run is taken up again. The old copies are the journal's business by then.
fn still_needed(check: &CheckResult) -> bool {
    let name = check.name.as_str();
    matches!(name, "CommandsAreReal" | "PoolReachable" | "PoolRights" | "PrimaryReachable" | "BackupReachable")
        || name.ends_with("Rights")
}

fn answers(evidence: &Evidence, name: &InstanceName) -> bool {
    let is_it = |instance: &&crate::baseline::InstanceBaseline| {
        instance.sql_instance.eq_ignore_ascii_case(&name.to_string()) && instance.facts.known().is_some()
    };
    evidence.now.instances.iter().any(|instance| is_it(&instance))
}

fn unseen() -> super::guard::HomeCopy {
    super::guard::HomeCopy {
        role: super::guard::HomeRole::Primary,
        instance: String::new(),
        seen: super::guard::CopySeen::Unknown("not looked at".to_string()),
    }
}

impl PoolWork for Failback {
    const POOL_STATE: PoolState = PoolState::Normal;

    fn serving(&self) -> &InstanceName {
        &self.serving
    }

    fn active_servers(&self) -> &[String] {
        &self.wanted.active_servers
    }

    fn pool_timeout(&self) -> Duration {
        Duration::from_secs(u64::from(self.request.pool_timeout_seconds))
    }

    fn pool(&self) -> &PoolEvidence {
        &self.pool
    }

    fn pool_before(capture: &Capture) -> &PoolEvidence {
        &capture.pool
    }
}

#[async_trait]
impl SwitchWork for Failback {
    fn source(&self) -> &InstanceName {
        &self.names.backup
    }

    fn source_mirror(&self) -> Option<&InstanceName> {
        self.names.backup_mirror.as_ref()
    }

    fn source_database(&self) -> &str {
        &self.request.target.database
    }

    fn limits(&self) -> SwitchLimits {
        let asked = &self.request;
        SwitchLimits::of(asked.drain_timeout_seconds, asked.service_timeout_seconds, asked.compliance_drained)
    }

    /// Our log backup job on both partners, and what reverse log shipping has on all four instances.
    fn jobs(run: &Run) -> Result<Vec<SwitchJob>> {
        let mut jobs = Vec::new();
        let ours = run.book.fact(LOG_BACKUP_JOBS).unwrap_or_else(|| run.capture.log_backup_jobs.clone());
        for seen in ours {
            jobs.push(SwitchJob {
                instance: seen.sql_instance.parse()?,
                job_id: seen.job_id,
                name: format!("the log backup job on {}", seen.sql_instance),
                was_enabled: true,
                may_be_stopped: false,
            });
        }
        for instance in &run.capture.before.instances {
            let is_home = matches!(instance.role, InstanceRole::Primary | InstanceRole::PrimaryMirror);
            for found in instance.jobs.known().into_iter().flatten() {
                let counts = match found.purpose {
                    // The old ones at home were removed before.
                    JobPurpose::Backup => !is_home,
                    JobPurpose::Copy | JobPurpose::Restore => is_home,
                    JobPurpose::Alert => false,
                };
                if counts {
                    jobs.push(SwitchJob {
                        instance: instance.sql_instance.parse()?,
                        job_id: found.job.job_id,
                        name: found.job.name.clone(),
                        was_enabled: found.job.is_enabled,
                        may_be_stopped: found.purpose == JobPurpose::Copy,
                    });
                }
            }
        }
        Ok(jobs)
    }

    fn mirrored(run: &Run) -> Vec<String> {
        let Some(backup) = run.capture.before.instance(InstanceRole::Backup) else { return Vec::new() };
        let compliance = backup.compliance.known().and_then(Option::as_ref);
        let compliance = compliance.is_some_and(|found| found.mirroring.known().is_some_and(Option::is_some));
        let chat = backup.mirroring().map(|_| run.database().to_string());
        chat.into_iter().chain(compliance.then(|| COMPLIANCE_DATABASE.to_string())).collect()
    }

    fn has_compliance(&self) -> bool {
        self.pool.service().is_some_and(|service| service.compliance_store.is_some())
    }

    fn tail_folder(run: &Run) -> Result<ServerPath> {
        run.work.share()
    }

    fn services_before(capture: &Capture) -> &[ServerServices] {
        &capture.services
    }

    async fn is_past_recovery(run: &Run) -> Result<bool> {
        Ok(stage::read(run).await? == Stage::Recovered)
    }
}

impl Failback {
    /// Where log backups of both sides go.
    ///
    /// # Errors
    /// `InvalidValue` (1002) where nobody names it; such a plan is not run.
    pub(crate) fn share(&self) -> Result<ServerPath> {
        self.wanted.share.clone().ok_or_else(|| {
            Error::new(ErrorKind::InvalidValue, "nobody names the share of the log backups.")
                .with_next("Name it with `-LogBackupShare`.")
        })
    }

    /// The command that mirrors a database of the backup again, where the run ended that and is given up.
    pub(crate) fn mirror_of_backup(&self, database: &str) -> Option<NativeCommand> {
        let kind = if database == COMPLIANCE_DATABASE { pool::COMPLIANCE_DATABASE } else { pool::CHAT_DATABASE };
        let share = self.request.mirror_file_share.as_deref()?;
        let backup = &self.names.backup;
        let store = self.pool.service().and_then(|service| service.backup_store.clone());
        let host = store.unwrap_or_else(|| backup.host.clone());
        Some(pool::over_existing(pool::install_mirror(kind, &host, backup.instance.as_deref(), share)))
    }
}

impl Run {
    /// The instances of a list that the run holds the lock of; nothing is written on any other.
    pub(crate) async fn locked(&self, names: Vec<InstanceName>) -> Vec<InstanceName> {
        let mut held = Vec::with_capacity(names.len());
        for name in names {
            if self.locks.has(&name).await {
                held.push(name);
            }
        }
        held
    }

    /// A new connection to an instance of the run.
    pub(crate) async fn connect_to(&self, instance: &InstanceName, purpose: Purpose) -> Result<Connection> {
        self.session.connector().connect(instance, purpose).await
    }

    /// To the backup.
    pub(crate) async fn backup(&self, purpose: Purpose) -> Result<Connection> {
        self.connect_to(&self.work.names.backup, purpose).await
    }

    /// To the primary.
    pub(crate) async fn primary(&self, purpose: Purpose) -> Result<Connection> {
        self.connect_to(&self.work.names.primary, purpose).await
    }
}
