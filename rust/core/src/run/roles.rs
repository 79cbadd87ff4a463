//! Changing the roles of a mirrored pair, so that log shipping can be set up on both: a mirror copy refuses it. Whoever keeps the
//! journal, a run or a single command.

use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use super::shipping::Changes;
use crate::error::{Error, ErrorKind, Result};
use crate::host::NativeCommand;
use crate::names::InstanceName;
use crate::pool::{self, NewPrincipal};
use crate::sql::mirror::{self, MirrorRole, MirrorState};
use crate::sql::{database, Purpose};

const POLL: Duration = Duration::from_millis(500);

/// Whoever changes roles, beside all that whoever makes changes can do.
#[async_trait]
pub(crate) trait Pair: Changes {
    /// The database that is mirrored, and the pool that uses the pair.
    fn database(&self) -> &str;
    fn pool_fqdn(&self) -> Result<&str>;

    /// Sends a command that changes something: allowed, taken down, sent, taken down again.
    async fn native(&self, command: NativeCommand) -> Result<()>;

    /// How long the partners may take.
    fn limit(&self) -> Duration;

    /// Tells what is waited for, and waits a moment.
    async fn wait_a_moment(&self, what: &str, time: Duration) -> Result<()>;

    /// What goes on where this was left: `Resume-PChatRun`, or the command itself.
    fn goes_on_with(&self) -> &'static str;
}

/// Makes `to` the principal, unless it is so; `from` is that until then.
///
/// # Errors
/// `StepNotVerified` (5015) where the partners do not get there within the limit; those of the command.
pub(crate) async fn change(by: &dyn Pair, from: &InstanceName, to: &InstanceName, new: NewPrincipal) -> Result<()> {
    if let Some((MirrorRole::Principal, _)) = of(by, to).await? {
        return Ok(());
    }
    wait(by, &format!("{from} and {to} to be synchronized"), || async {
        Ok(matches!(of(by, from).await?, Some((MirrorRole::Principal, MirrorState::Synchronized))))
    })
    .await?;
    let sent = by.native(command(by.pool_fqdn()?, new)).await;
    let what = format!("{to} to be the principal");
    let changed = wait(by, &what, || async {
        let mut connection = by.connector().connect(to, Purpose::Catalog).await?;
        let role = mirror::read(&mut connection, by.database()).await?.map(|found| found.role);
        let state = database::need(&mut connection, by.database()).await?.state;
        Ok(role == Some(MirrorRole::Principal) && state == database::DatabaseState::Online)
    });
    // Whatever the command said: who is principal decides. Where it failed there is nothing to wait for.
    match sent {
        Err(error) if !error.outcome_unknown() && error.kind != ErrorKind::NativeCommandStopped => {
            match of(by, to).await? {
                Some((MirrorRole::Principal, _)) => changed.await,
                _ => Err(error),
            }
        }
        _ => changed.await,
    }
}

/// The command that changes the roles.
pub(crate) fn command(pool_fqdn: &str, new: NewPrincipal) -> NativeCommand {
    pool::fail_over_database(pool_fqdn, pool::CHAT_DATABASE, new)
}

/// The role of an instance in its pair; `None` where it is not mirrored.
///
/// # Errors
/// Those of the instance.
pub(crate) async fn of(by: &dyn Pair, instance: &InstanceName) -> Result<Option<(MirrorRole, MirrorState)>> {
    let mut connection = by.connector().connect(instance, Purpose::Catalog).await?;
    Ok(mirror::read(&mut connection, by.database()).await?.map(|found| (found.role, found.state)))
}

async fn wait<F, Fut>(by: &dyn Pair, what: &str, is_so: F) -> Result<()>
where
    F: Fn() -> Fut + Send + Sync,
    Fut: std::future::Future<Output = Result<bool>> + Send,
{
    let end = Instant::now() + by.limit();
    loop {
        if is_so().await? {
            return Ok(());
        }
        if Instant::now() >= end {
            return Err(Error::new(
                ErrorKind::StepNotVerified,
                format!("waiting for {what} took longer than {} seconds.", by.limit().as_secs()),
            )
            .with_next(format!("Look at both partners with `Get-PChatMirror`, then run {}.", by.goes_on_with())));
        }
        by.wait_a_moment(&format!("waiting for {what}"), POLL).await?;
    }
}
