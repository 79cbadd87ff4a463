//! Small answers that steps ask of their run.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{GateProof, Run};
use crate::error::{Error, ErrorKind, Result};
use crate::host::Progress;
use crate::names::InstanceName;
use crate::sql::{Connection, Purpose};

impl Run {
    /// The database's name.
    pub(crate) fn database(&self) -> &str {
        &self.plan.database
    }

    /// The pool's name.
    ///
    /// # Errors
    /// `PoolNotFound` (6004) where the plan has none; such a plan has no step on the pool.
    pub(crate) fn pool_fqdn(&self) -> Result<&str> {
        self.plan
            .pool_fqdn
            .as_deref()
            .ok_or_else(|| Error::new(ErrorKind::PoolNotFound, "the plan names no Persistent Chat pool."))
    }

    /// The identity under which the list of active servers may be set: the one that `-WhatIf` proved.
    pub(crate) fn active_list_identity(&self) -> String {
        let proved = |pool: &crate::evidence::PoolEvidence| pool.active_list_right.known().cloned();
        proved(&self.evidence.pool).or_else(|| proved(&self.capture.pool)).unwrap_or_else(|| "global".to_string())
    }

    /// The instance that is to hold the mirror, where its name is known.
    pub(crate) fn backup_mirror(&self) -> Option<InstanceName> {
        self.evidence.backup_mirror.name.as_deref()?.parse().ok()
    }

    /// A new connection to the backup instance.
    pub(crate) async fn connect(&self, purpose: Purpose) -> Result<Connection> {
        self.session.connector().connect(&self.instance, purpose).await
    }

    /// Waits a moment.
    ///
    /// # Errors
    /// `Cancelled` (1007), at once.
    pub(crate) async fn pause(&self, time: Duration) -> Result<()> {
        tokio::select! {
            () = tokio::time::sleep(time) => Ok(()),
            () = self.cancel.cancelled() => self.cancel.check(),
        }
    }

    /// Says that from here on nothing can be put back.
    pub(crate) fn commit(&self) {
        self.committed.store(true, Ordering::SeqCst);
    }

    /// True until log shipping was removed or the database recovered.
    pub(crate) fn can_put_back(&self) -> bool {
        !self.committed.load(Ordering::SeqCst)
    }

    /// What the gate said last in this process.
    pub(crate) fn gate_proof(&self) -> Option<GateProof> {
        self.gate.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    pub(crate) fn set_gate_proof(&self, proof: GateProof) {
        *self.gate.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(proof);
    }

    /// Tells how far the run is.
    pub(crate) fn tell_progress(&self, operation: &str, percent: Option<u8>) {
        self.host.progress(Progress {
            activity: self.view.activity(),
            status: self.view.status(),
            operation: operation.to_string(),
            percent,
            seconds_remaining: self.view.seconds_remaining(percent),
        });
    }
}
