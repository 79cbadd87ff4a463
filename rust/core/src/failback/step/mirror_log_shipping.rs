//! Log shipping on the primary's mirror, so that it outlasts a mirror failover. A mirror copy refuses the set-up, so the roles
//! are changed for it, and changed back.

use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use super::log_shipping::{add_primary, enable_primary, folders, primary_lacks, primary_set_up, Side};
use crate::error::{Error, ErrorKind, Result};
use crate::failback::plan::step_name;
use crate::failback::{Failback, Run};
use crate::journal::crash_points;
use crate::names::InstanceName;
use crate::pool::{self, NewPrincipal};
use crate::run::{OnFailure, Seen, Step};
use crate::sql::mirror::{self, MirrorRole, MirrorState};
use crate::sql::{database, Purpose};

const POLL: Duration = Duration::from_millis(500);

pub(crate) struct MirrorLogShipping;

#[async_trait]
impl Step<Failback> for MirrorLogShipping {
    fn name(&self) -> &'static str {
        step_name::MIRROR_LOG_SHIPPING
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::GoOn
    }

    async fn probe(&self, run: &Run) -> Result<Seen> {
        let mirror_instance = partner(run)?;
        let mut connection = run.connect_to(&mirror_instance, Purpose::Catalog).await?;
        if let Some(why) = primary_lacks(run, &mut connection).await? {
            return Ok(Seen::NotYet(format!("{mirror_instance}: {why}")));
        }
        Ok(match role_of(run, &run.work.names.primary).await? {
            Some((MirrorRole::Principal, _)) => {
                Seen::So(format!("{mirror_instance} ships too, and {} is the principal", run.work.names.primary))
            }
            Some((MirrorRole::Mirror, _)) => Seen::NotYet("the roles are not changed back yet".to_string()),
            None => Seen::NotYet("the primary is not mirrored".to_string()),
        })
    }

    async fn act(&self, run: &Run) -> Result<String> {
        let names = &run.work.names;
        let mirror_instance = partner(run)?;
        let set_up = primary_set_up(run, &folders(run)?, Side::Mirror)?;
        let lacks = {
            let mut connection = run.connect_to(&mirror_instance, Purpose::Catalog).await?;
            primary_lacks(run, &mut connection).await?
        };
        if lacks.is_some() {
            change_roles(run, &names.primary, &mirror_instance, NewPrincipal::Mirror).await?;
            crash_points::reach("roles.changed");
            add_primary(run, &mirror_instance, &set_up).await?;
            enable_primary(run, &mirror_instance, &set_up).await?;
            crash_points::reach("mirror_log_shipping.added");
        }
        change_roles(run, &mirror_instance, &names.primary, NewPrincipal::Primary).await?;
        crash_points::reach("roles.changed_back");
        Ok(String::new())
    }
}

fn partner(run: &Run) -> Result<InstanceName> {
    run.work.names.primary_mirror.clone().ok_or_else(|| {
        Error::new(ErrorKind::InvalidValue, "nobody names the mirror of the primary.")
            .with_next("Name it with `-PrimaryMirrorSqlInstance` in a new run.")
    })
}

async fn role_of(run: &Run, instance: &InstanceName) -> Result<Option<(MirrorRole, MirrorState)>> {
    let mut connection = run.connect_to(instance, Purpose::Catalog).await?;
    Ok(mirror::read(&mut connection, run.database()).await?.map(|found| (found.role, found.state)))
}

/// Makes `to` the principal, unless it is so; `from` is that until then.
async fn change_roles(run: &Run, from: &InstanceName, to: &InstanceName, new: NewPrincipal) -> Result<()> {
    if let Some((MirrorRole::Principal, _)) = role_of(run, to).await? {
        return Ok(());
    }
    wait(run, &format!("{from} and {to} to be synchronized"), || async {
        Ok(matches!(role_of(run, from).await?, Some((MirrorRole::Principal, MirrorState::Synchronized))))
    })
    .await?;
    let command = pool::fail_over_database(run.pool_fqdn()?, pool::CHAT_DATABASE, new);
    let sent = run.native_set(command).await;
    let what = format!("{to} to be the principal");
    let changed = wait(run, &what, || async {
        let mut connection = run.connect_to(to, Purpose::Catalog).await?;
        let role = mirror::read(&mut connection, run.database()).await?.map(|found| found.role);
        let state = database::need(&mut connection, run.database()).await?.state;
        Ok(role == Some(MirrorRole::Principal) && state == database::DatabaseState::Online)
    });
    // Whatever the command said: who is principal decides. Where it failed there is nothing to wait for.
    match sent {
        Err(error) if !error.outcome_unknown() && error.kind != ErrorKind::NativeCommandStopped => {
            match role_of(run, to).await? {
                Some((MirrorRole::Principal, _)) => changed.await,
                _ => Err(error),
            }
        }
        _ => changed.await,
    }
}

async fn wait<F, Fut>(run: &Run, what: &str, is_so: F) -> Result<()>
where
    F: Fn() -> Fut + Send + Sync,
    Fut: std::future::Future<Output = Result<bool>> + Send,
{
    let limit = Duration::from_secs(u64::from(run.work.request.pool_timeout_seconds));
    let end = Instant::now() + limit;
    loop {
        if is_so().await? {
            return Ok(());
        }
        if Instant::now() >= end {
            return Err(Error::new(
                ErrorKind::StepNotVerified,
                format!("waiting for {what} took longer than {} seconds.", limit.as_secs()),
            )
            .with_next("Look at both partners with `Get-PChatMirror`, then run `Resume-PChatRun`."));
        }
        run.tell_progress(&format!("waiting for {what}"), None);
        run.pause(POLL).await?;
    }
}
