//! The planned switch as a workflow: what its steps work with, and what the run asks of it.

use std::path::PathBuf;

use async_trait::async_trait;
use chrono::Utc;

use super::evidence::{gather, Home, HomeInstance, SwitchCapture, CAPTURE_VERSION};
use super::plan::{self, Parts};
use super::request::{completed, need_baseline, request_of, usable};
use super::{put_back, text, units, Run};
use crate::check;
use crate::document::{CheckResult, Plan, PlanRequest, PlannedSwitchRequest, RunRequest};
use crate::error::{Error, ErrorKind, Result};
use crate::evidence::{capture, Evidence, Reading};
use crate::failover::plan::step_name;
use crate::failover::{evidence_of, lock_mirror, Failover};
use crate::names::InstanceName;
use crate::run::engine::Ending;
use crate::run::undo::not_possible;
use crate::run::workflow::{other_kind, take_servers};
use crate::run::{refuse_failed, Locks, Outside, Unit, Workflow};
use crate::sql::database::DatabaseState;
use crate::switch::SwitchWork;

/// What a planned switch works with.
pub(crate) struct PlannedSwitch {
    /// As in the plan, with the folders that follow from what was read.
    pub(super) request: PlannedSwitchRequest,
    /// The secondary that is to serve, as a failover works with it.
    pub(super) secondary: Failover,
    pub(super) home: Home,
    pub(super) source: InstanceName,
    pub(super) source_mirror: Option<InstanceName>,
    pub(super) source_database: String,
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
        let captured = |home: Option<&HomeInstance>| home.map(|home| home.sql_instance.clone());
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

/// Reads everything and makes the plan, without a run.
pub(super) async fn look_only(outside: &Outside, request: PlannedSwitchRequest) -> Result<Plan> {
    let request = usable(request)?;
    need_baseline(&request).await?;
    let (evidence, home) = gather(outside, &request, None).await?;
    let request = completed(request, &evidence);
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
        let request = completed(request, &evidence);
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
        take_servers(&mut own.failover.active_servers, request);
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
        units::of(plan)
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
