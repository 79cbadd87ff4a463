//! Work on the log shipping secondary that is to serve: a failover, and that part of a planned switch.

use async_trait::async_trait;

use super::Failover;
use crate::error::Result;
use crate::evidence::Capture;
use crate::log_chain::RecoveryPermit;
use crate::names::InstanceName;
use crate::run::Run;
use crate::sql::{Connection, Purpose};
use crate::switch::PoolWork;

/// What the steps on the secondary ask of the workflow that they are part of.
#[async_trait]
pub(crate) trait SecondaryWork: PoolWork {
    /// What the steps of a failover work with.
    fn secondary(&self) -> &Failover;

    /// The secondary before the run's first change.
    fn secondary_capture(capture: &Self::Capture) -> &Capture;

    /// Asks the gate with the truth of this moment. The permit has no other source.
    async fn ask_gate(run: &Run<Self>) -> Result<RecoveryPermit>;
}

impl<W: SecondaryWork> Run<W> {
    /// A new connection to the secondary.
    pub(crate) async fn connect(&self, purpose: Purpose) -> Result<Connection> {
        self.session.connector().connect(&self.work.secondary().instance, purpose).await
    }

    /// The instance that is to hold the mirror, where its name is known.
    pub(crate) fn backup_mirror(&self) -> Option<InstanceName> {
        self.work.secondary().evidence.backup_mirror.name.as_deref()?.parse().ok()
    }
}
