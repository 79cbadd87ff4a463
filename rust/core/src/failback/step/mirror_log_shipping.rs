//! Log shipping on the primary's mirror, so that it outlasts a mirror failover. A mirror copy refuses the set-up, so the roles
//! are changed for it, and changed back.

use std::time::Duration;

use async_trait::async_trait;

use super::log_shipping::{add_primary, enable_primary, folders, primary_lacks, primary_set_up, Side};
use crate::error::{Error, ErrorKind, Result};
use crate::failback::plan::step_name;
use crate::failback::{Failback, Run};
use crate::host::NativeCommand;
use crate::journal::crash_points;
use crate::names::InstanceName;
use crate::pool::NewPrincipal;
use crate::run::roles::{self, Pair};
use crate::run::{OnFailure, Seen, Step};
use crate::sql::mirror::MirrorRole;
use crate::sql::Purpose;

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
        Ok(match roles::of(run, &run.work.names.primary).await? {
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
            roles::change(run, &names.primary, &mirror_instance, NewPrincipal::Mirror).await?;
            crash_points::reach("roles.changed");
            add_primary(run, &mirror_instance, &set_up).await?;
            enable_primary(run, &mirror_instance, &set_up).await?;
            crash_points::reach("mirror_log_shipping.added");
        }
        roles::change(run, &mirror_instance, &names.primary, NewPrincipal::Primary).await?;
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

#[async_trait]
impl Pair for Run {
    fn database(&self) -> &str {
        self.database()
    }

    fn pool_fqdn(&self) -> Result<&str> {
        self.pool_fqdn()
    }

    async fn native(&self, command: NativeCommand) -> Result<()> {
        self.native_set(command).await
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(u64::from(self.work.request.pool_timeout_seconds))
    }

    async fn wait_a_moment(&self, what: &str, time: Duration) -> Result<()> {
        self.tell_progress(what, None);
        self.pause(time).await
    }

    fn goes_on_with(&self) -> &'static str {
        "`Resume-PChatRun`"
    }
}
