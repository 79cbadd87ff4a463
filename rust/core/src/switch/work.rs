//! What the shared steps ask of the workflow that they are part of.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::Result;
use crate::evidence::{PoolEvidence, Reading};
use crate::names::{InstanceName, PoolState, ServerPath};
use crate::pool::{self, WindowsService};
use crate::run::{Outside, Run, Workflow};
use crate::sql::{Connection, Purpose};

/// Work that ends with users on the pool.
pub(crate) trait PoolWork: Workflow {
    /// The state that the pool is in once the run is done.
    const POOL_STATE: PoolState;

    /// The instance that the active servers work with once the run is done.
    fn serving(&self) -> &InstanceName;

    /// The servers to be active.
    fn active_servers(&self) -> &[String];

    /// How long replication and other waits on the pool may take.
    fn pool_timeout(&self) -> Duration;

    /// The pool as this process read it.
    fn pool(&self) -> &PoolEvidence;

    /// The pool before the run's first change.
    fn pool_before(capture: &Self::Capture) -> &PoolEvidence;
}

/// How long the parts of a switch may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SwitchLimits {
    /// Queues and the compliance database, and sessions of services that were stopped.
    pub drain: Duration,
    /// One service that starts.
    pub service: Duration,
    /// The operator's word that compliance has processed everything.
    pub compliance_is_drained: bool,
}

impl SwitchLimits {
    /// From a request's seconds; a service is given one at least.
    pub(crate) fn of(drain_seconds: u32, service_seconds: u32, compliance_is_drained: bool) -> SwitchLimits {
        SwitchLimits {
            drain: Duration::from_secs(u64::from(drain_seconds)),
            service: Duration::from_secs(u64::from(service_seconds.max(1))),
            compliance_is_drained,
        }
    }
}

/// A log shipping job that must not run while the database changes sides.
#[derive(Debug, Clone)]
pub(crate) struct SwitchJob {
    pub instance: InstanceName,
    pub job_id: Uuid,
    pub name: String,
    /// As captured; only such a one is enabled again when the run is given up.
    pub was_enabled: bool,
    /// True for a copy job, which can be run again at any time. A backup or a restore is waited for.
    pub may_be_stopped: bool,
}

/// The Persistent Chat services of one server before the first change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ServerServices {
    pub server: String,
    pub services: Reading<Vec<WindowsService>>,
}

/// The services of every member of the pool, one server after the other. Changes nothing.
pub(crate) async fn read_services(outside: &Outside, pool: &PoolEvidence) -> Vec<ServerServices> {
    let mut seen = Vec::new();
    for server in pool.members.known().into_iter().flatten() {
        let mut command = pool::get_windows_services(server);
        command.module = pool.module_of(&command.name).map(str::to_string);
        let outcome = outside.host.native(command.clone()).await;
        let services = pool::objects(&command, outcome).map(|objects| {
            let services = pool::read_windows_services(&objects);
            services.into_iter().filter(|service| service.is_persistent_chat() || service.is_compliance()).collect()
        });
        seen.push(ServerServices { server: server.clone(), services: services.into() });
    }
    seen
}

/// Work that takes a database from one side, which serves, to the other.
#[async_trait]
pub(crate) trait SwitchWork: PoolWork {
    /// The instance that serves before the switch.
    fn source(&self) -> &InstanceName;

    /// Its mirroring partner before the switch, where it has one.
    fn source_mirror(&self) -> Option<&InstanceName>;

    /// The database on the source.
    fn source_database(&self) -> &str;

    fn limits(&self) -> SwitchLimits;

    /// The jobs to be quiet, as captured.
    fn jobs(run: &Run<Self>) -> Result<Vec<SwitchJob>>;

    /// The databases that were mirrored on the source, as captured.
    fn mirrored(run: &Run<Self>) -> Vec<String>;

    /// True where the topology has a compliance database.
    fn has_compliance(&self) -> bool;

    /// The folder that the tail is backed up to, as the source opens it.
    fn tail_folder(run: &Run<Self>) -> Result<ServerPath>;

    /// The services of the pool's servers before the first change.
    fn services_before(capture: &Self::Capture) -> &[ServerServices];

    /// True once the other side is recovered, as its instance shows it: what had to be done before that is history.
    async fn is_past_recovery(run: &Run<Self>) -> Result<bool>;
}

impl<W: PoolWork> Run<W> {
    /// The identity under which the pool's state may be set: the one that `-WhatIf` proved, else the one that the shell shows.
    pub(crate) fn pool_state_identity(&self, shown: &str) -> String {
        let proved = |pool: &PoolEvidence| pool.state_right.known().cloned();
        let before = || proved(W::pool_before(&self.capture));
        proved(self.work.pool()).or_else(before).unwrap_or_else(|| shown.to_string())
    }

    /// The identity under which the list of active servers may be set: the one that `-WhatIf` proved.
    pub(crate) fn active_list_identity(&self) -> String {
        let proved = |pool: &PoolEvidence| pool.active_list_right.known().cloned();
        let before = || proved(W::pool_before(&self.capture));
        proved(self.work.pool()).or_else(before).unwrap_or_else(|| "global".to_string())
    }
}

impl<W: SwitchWork> Run<W> {
    /// A new connection to the instance that serves before the switch.
    pub(crate) async fn connect_source(&self, purpose: Purpose) -> Result<Connection> {
        self.session.connector().connect(self.work.source(), purpose).await
    }
}
