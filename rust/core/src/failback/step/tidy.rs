//! What served only while the pool was failed over goes: our log backup jobs, reverse log shipping, and the former mirror copy of
//! the backup. Last, when the primary is mirrored and shipping.

use async_trait::async_trait;

use super::log_backups::wanted;
use super::old_log_shipping;
use super::seed::history;
use crate::baseline::{InstanceBaseline, InstanceRole};
use crate::error::{Error, ErrorKind, Result};
use crate::failback::history::{standing, Stand, Standing};
use crate::failback::plan::step_name;
use crate::failback::{Failback, Run};
use crate::host::Level;
use crate::journal::crash_points;
use crate::names::InstanceName;
use crate::run::{OnFailure, Seen, Step};
use crate::sql::compliance::COMPLIANCE_DATABASE;
use crate::sql::database::{self, DatabaseState};
use crate::sql::mirror::MirrorRole;
use crate::sql::{drop_database, job, log_shipping, log_shipping_primary, mirror, Connection, Purpose};
use crate::switch::SwitchWork;

pub(crate) struct Tidy;

#[async_trait]
impl Step<Failback> for Tidy {
    fn name(&self) -> &'static str {
        step_name::TIDY
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::GoOn
    }

    async fn probe(&self, run: &Run) -> Result<Seen> {
        let name = wanted(run)?.name();
        for instance in partners(run).await {
            let mut connection = run.connect_to(&instance, Purpose::Catalog).await?;
            if job::find(&mut connection, &name).await?.is_some() {
                return Ok(Seen::NotYet(format!("{instance} still has the job `{name}`")));
            }
            if log_shipping_primary::read_primary(&mut connection, run.database()).await?.is_some() {
                return Ok(Seen::NotYet(format!("{instance} is still a primary of reverse log shipping")));
            }
        }
        let mut connection = run.primary(Purpose::Catalog).await?;
        if log_shipping::read_secondary(&mut connection, run.database()).await?.is_some() {
            return Ok(Seen::NotYet("the primary is still a secondary of reverse log shipping".to_string()));
        }
        Ok(match orphans(run).await?.first() {
            Some((instance, name)) => Seen::NotYet(format!("{instance} still has the former mirror copy of `{name}`")),
            None => Seen::So("nothing is left of the time on the backup".to_string()),
        })
    }

    async fn act(&self, run: &Run) -> Result<String> {
        refuse_early(run).await?;
        let name = wanted(run)?.name();
        for instance in partners(run).await {
            let mut work = run.connect_to(&instance, Purpose::Work).await?;
            if let Some(id) = job::find(&mut work, &name).await? {
                let statement = job::delete_statement(id)?;
                run.change(&format!("{name} on {instance}"), &statement, job::delete(&mut work, id)).await?;
                crash_points::reach("tidy.job_deleted");
            }
            old_log_shipping::remove(run, &instance, &mut work).await?;
        }
        let mut work = run.primary(Purpose::Work).await?;
        if log_shipping::read_secondary(&mut work, run.database()).await?.is_some() {
            let statement = log_shipping::remove_statement(run.database(), false)?;
            let what = run.work.names.primary.to_string();
            run.change(&what, &statement, log_shipping::remove(&mut work, run.database(), false)).await?;
        }
        for (instance, name) in orphans(run).await? {
            let mut work = run.connect_to(&instance, Purpose::Work).await?;
            let statement = drop_database::statement(&name)?;
            run.change(&instance.to_string(), &statement, drop_database::run(&mut work, &name)).await?;
            crash_points::reach("tidy.copy_dropped");
        }
        Ok(String::new())
    }
}

async fn partners(run: &Run) -> Vec<InstanceName> {
    run.locked(run.work.names.backup_pair()).await
}

/// The mirror copies that PARTNER OFF left restoring on the backup's mirror: nobody needs them, once the primary serves. Only
/// where the baseline had no database there. Of mgc everything in it must be in the history that the primary went on from; the
/// copy of mgccomp was mirrored when this run began, and its principal stays on the backup.
async fn orphans(run: &Run) -> Result<Vec<(InstanceName, String)>> {
    let Some(instance) = run.work.names.backup_mirror.clone() else { return Ok(Vec::new()) };
    if !run.locks.has(&instance).await {
        return Ok(Vec::new());
    }
    let baseline = run.work.request.baseline.as_deref();
    let Some(before) = baseline.and_then(|found| found.instance(InstanceRole::BackupMirror)) else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    let mut connection = run.connect_to(&instance, Purpose::Catalog).await?;
    if before.database.known().is_some_and(Option::is_none) && is_orphan(run, &mut connection).await? {
        found.push((instance.clone(), run.database().to_string()));
    }
    let was_mirrored = Failback::mirrored(run).iter().any(|name| name == COMPLIANCE_DATABASE);
    if was_mirrored && before.compliance.known().is_some_and(Option::is_none) {
        let facts = database::read(&mut connection, COMPLIANCE_DATABASE).await?;
        let is_mirrored = mirror::read(&mut connection, COMPLIANCE_DATABASE).await?.is_some();
        if facts.is_some_and(|facts| facts.state == DatabaseState::Restoring) && !is_mirrored {
            found.push((instance, COMPLIANCE_DATABASE.to_string()));
        }
    }
    Ok(found)
}

async fn is_orphan(run: &Run, connection: &mut Connection) -> Result<bool> {
    let Some(facts) = database::read(connection, run.database()).await? else { return Ok(false) };
    if facts.state != DatabaseState::Restoring || mirror::read(connection, run.database()).await?.is_some() {
        return Ok(false);
    }
    let Ok(redo) = database::redo_point(connection, run.database()).await else { return Ok(false) };
    let stand = Stand { lsn: redo.lsn, fork_id: redo.fork_id };
    Ok(match standing(&history(run).await?, stand) {
        Standing::OnHistory => true,
        Standing::OffHistory { .. } if was_mirror(run) => true,
        Standing::OffHistory { why } => {
            run.host
                .message(Level::Warning, format!("{}: the copy is left alone, because {why}.", connection.instance()));
            false
        }
    })
}

/// True where the copy was the mirror of the backup when this run began: the principal held everything that it had. A backup
/// that was seeded anew does not tell of that time any more.
fn was_mirror(run: &Run) -> bool {
    let of = |role| run.capture.before.instance(role).and_then(InstanceBaseline::mirroring);
    match (of(InstanceRole::Backup), of(InstanceRole::BackupMirror)) {
        (Some(principal), Some(mirror)) => {
            mirror.role == MirrorRole::Mirror && mirror.mirroring_id == principal.mirroring_id
        }
        _ => false,
    }
}

/// The copies of the way home are kept until the primary is mirrored and shipping.
async fn refuse_early(run: &Run) -> Result<()> {
    let needed = [step_name::MIRROR, step_name::LOG_SHIPPING, step_name::MIRROR_LOG_SHIPPING];
    let open: Vec<&str> = run
        .plan
        .steps
        .iter()
        .filter(|step| needed.contains(&step.name.as_str()) && !run.view.has_done(&step.name))
        .map(|step| step.title.as_str())
        .collect();
    match open.is_empty() {
        true => Ok(()),
        false => Err(Error::new(
            ErrorKind::StepNotVerified,
            format!("nothing is removed before these are done: {}.", open.join("; ")),
        )
        .with_next("Correct what kept them, then run `Resume-PChatRun`.")),
    }
}
