//! Native commands of a run: qualified with their module, taken down when they change something, and never of the wrong
//! world.

use std::sync::atomic::Ordering;

use serde_json::{json, Map, Value};

use super::{Run, Workflow};
use crate::error::{Error, ErrorKind, Result};
use crate::host::{NativeCommand, NativeOutcome, NativeState};
use crate::pool;

impl<W: Workflow> Run<W> {
    /// Runs a command that reads; the objects that it returned.
    ///
    /// # Errors
    /// `NativeCommandMissing` (6001), `NativeCommandFailed` (6002), `NativeCommandStopped` (6003), `Cancelled` (1007),
    /// `LabMixedWithReal` (5013).
    pub(crate) async fn native_get(&self, command: NativeCommand) -> Result<Vec<Map<String, Value>>> {
        debug_assert!(command.reads_only);
        let command = self.qualified(command);
        let outcome = self.host.native(command.clone()).await;
        // Reading changes nothing, so a read that a cancel ended leaves nothing unknown.
        if outcome.state == NativeState::Stopped {
            self.cancel.check()?;
        }
        self.check_origin(&command, &outcome)?;
        pool::objects(&command, outcome)
    }

    /// Runs a command that changes something, in the journal before and after. Whether it took effect is for the caller's
    /// probe: the Set commands return nothing, and a stopped one looks like a silent one.
    ///
    /// # Errors
    /// As above; `Cancelled` (1007), `LockLost` (5010) and `JournalWriteFailed` (7001) before it is sent.
    pub(crate) async fn native_set(&self, command: NativeCommand) -> Result<()> {
        if !self.origin_checked.load(Ordering::SeqCst) {
            self.native_get(self.work.origin_probe()).await?;
        }
        self.ready_to_change().await?;
        self.send(command).await
    }

    /// The same for putting back what was changed, which a cancel does not stop.
    ///
    /// # Errors
    /// As above, without `Cancelled`.
    pub(crate) async fn native_set_back(&self, command: NativeCommand) -> Result<()> {
        self.locks.check().await?;
        self.send(command).await
    }

    async fn send(&self, command: NativeCommand) -> Result<()> {
        let command = self.qualified(command);
        let text = pool::plan_text(&command, None);
        self.book.change_begun(&command.name, &text).await?;
        self.view.set_awaited(Some(command.name.clone()));
        let outcome = self.host.native(command.clone()).await;
        self.view.set_awaited(None);
        let ended = match outcome.state {
            NativeState::Completed => "done",
            NativeState::Stopped => "unknown",
            NativeState::Failed | NativeState::Missing => "failed",
        };
        let said = json!({"module": outcome.module, "error": outcome.error});
        self.book.change_ended(&command.name, &text, ended, said).await?;
        self.check_origin(&command, &outcome)?;
        pool::objects(&command, outcome).map(|_| ())
    }

    fn qualified(&self, mut command: NativeCommand) -> NativeCommand {
        if command.module.is_none() {
            command.module = self.work.module_of(&command.name);
        }
        command
    }

    /// A run against the lab takes the lab's commands only, a real run none of them.
    fn check_origin(&self, command: &NativeCommand, outcome: &NativeOutcome) -> Result<()> {
        let ran = matches!(outcome.state, NativeState::Completed | NativeState::Failed);
        let in_lab = self.work.is_lab().unwrap_or(outcome.stand_in);
        if !ran || outcome.stand_in == in_lab {
            if outcome.state == NativeState::Completed {
                self.origin_checked.store(true, Ordering::SeqCst);
            }
            return Ok(());
        }
        let module = outcome.module.as_deref().unwrap_or("an unknown module");
        let instance = match self.plan.sql_instance.as_str() {
            "" => self.plan.pool_fqdn.as_deref().unwrap_or_default(),
            instance => instance,
        };
        let message = if in_lab {
            format!(
                "{instance} belongs to the lab, but `{}` came from {module}, which acts on a real pool.",
                command.name
            )
        } else {
            format!("{instance} is real, but `{}` came from {module}, the lab's stand-in.", command.name)
        };
        Err(Error::new(ErrorKind::LabMixedWithReal, message)
            .with_unchanged("No further native command was run.")
            .with_next(
                "Open a shell with the one module that belongs to this instance, then run `Resume-PChatRun` there.",
            )
            .with_target(instance))
    }
}
