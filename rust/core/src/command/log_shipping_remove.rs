//! `Remove-PChatLogShipping`: captured first, jobs stopped, then removed.

use std::sync::Arc;

use async_trait::async_trait;

use super::change::{self, carry_out_step, Action, Asked, Change, Context, Planned, Reached};
use super::look::{as_failover, read, rights_missing, Site};
use crate::document::{FailoverRequest, Folders, JournalPlace, LogShippingRemoveRequest};
use crate::error::{Error, ErrorKind, Outcome, Result};
use crate::evidence::{Evidence, LogShippingSource};
use crate::failover::plan::ignores_monitor;
use crate::failover::put_back::put_back;
use crate::failover::single::{copy_missing, Begin};
use crate::failover::step::quiesce_jobs::QuiesceJobs;
use crate::failover::step::remove_log_shipping::RemoveLogShipping;
use crate::failover::Run;
use crate::host::{Cancel, Host, Level};
use crate::operation::{OperationResult, Session};
use crate::run::Locks;
use crate::sql::{job, log_shipping, Purpose};

/// Removes the secondary's log shipping: its record, history and jobs. The database stays as it is. What is deleted
/// stands in the journal, where the other commands find it.
///
/// # Errors
/// In the result: those of the journal (7001, 7005, 7006), `PermissionMissing` (3002), `StepNotVerified` (5015), `Locked` (5008). Until the removal itself
/// the jobs are put back as they were.
pub(crate) async fn log_shipping_remove(
    session: Arc<Session>,
    request: LogShippingRemoveRequest,
    host: Arc<dyn Host>,
    cancel: Cancel,
) -> Result<OperationResult> {
    change::run(RemoveIt(request), session, host, cancel).await
}

struct RemoveIt(LogShippingRemoveRequest);

/// What it decided on.
pub(super) struct Found {
    evidence: Evidence,
    request: FailoverRequest,
}

#[async_trait]
impl Change for RemoveIt {
    type Look = Found;

    const KIND: &'static str = "remove";

    fn asked(&self) -> Asked<'_> {
        Asked::of(&self.0.target, self.0.plan_only, self.0.approved_digest.as_deref())
    }

    async fn look(&self, at: &Context) -> Result<(Found, Planned)> {
        let request = as_failover(&self.0.target, &Folders::default(), &self.0.journal);
        // The capture takes in all that answers; the plan needs less.
        let site = if at.is_plan { Site::LeftOut } else { Site::Asked };
        let evidence = read(&at.session, &at.host, &request, site, &at.cancel).await?;
        let planned = plan(&evidence, &request.journal)?;
        Ok((Found { evidence, request }, planned))
    }

    async fn carry_out(&self, at: &Context, found: Found, planned: &Planned, locks: Locks) -> Result<Reached> {
        let Found { evidence, request } = found;
        let run = Run::of_command(Begin {
            session: Arc::clone(&at.session),
            host: Arc::clone(&at.host),
            cancel: at.cancel.clone(),
            view: Arc::clone(&at.view),
            locks,
            evidence,
            request,
            journal_kind: Some("remove"),
            needs_journal_copy: true,
            proves_copy_folder: true,
        })
        .await?;
        let ended = work(at, &run, planned).await;
        let (outcome, text) = match &ended {
            Ok(()) => (Outcome::Done, "log shipping is removed".to_string()),
            Err(error) => (error.kind.outcome(), error.message.clone()),
        };
        run.end_command(outcome, &text).await;
        ended?;
        Ok(Reached {
            text: format!(
                "Log shipping of `{}` is removed from {}. Its capture is in the journal of run {}.",
                at.target.database, at.target.sql_instance, run.run_id
            ),
            next: vec![
                "The other commands find folders and record through that journal; with another -JournalPath, give it to them too."
                    .to_string(),
            ],
            error: None,
        })
    }
}

pub(super) fn plan(evidence: &Evidence, journal: &JournalPlace) -> Result<Planned> {
    let log_shipping = &evidence.log_shipping;
    let mut planned = Planned::default();
    let mut fact = |name: &str, value: String| planned.facts.insert(name.to_string(), value);
    fact("instance", evidence.instance.server_name.clone());
    fact("database", evidence.database.clone());
    fact("lab", evidence.instance.lab_id.clone().unwrap_or_else(|| "none".to_string()));
    fact("database_state", evidence.state.as_ref().map_or("absent", |s| s.facts.state.as_text()).to_string());
    let configured = log_shipping.record.as_ref().filter(|_| log_shipping.is_configured());
    fact("record", configured.map_or("none".to_string(), |record| record.secondary_id.to_string()));
    let Some(record) = configured else {
        planned.text = match &log_shipping.source {
            LogShippingSource::Journal { run_id } => {
                format!("Log shipping of `{}` is removed already; its capture is in run {run_id}.", evidence.database)
            }
            _ => format!("Log shipping of `{}` is not configured on {}.", evidence.database, evidence.sql_instance),
        };
        return Ok(planned);
    };
    planned.refusal = refusal(evidence, journal);
    let ignore = ignores_monitor(evidence);
    planned.facts.insert("leaves_monitor_alone".to_string(), if ignore { "yes" } else { "no" }.to_string());
    for job in log_shipping.jobs().filter(|job| job.is_enabled) {
        planned.actions.push(Action {
            action: "disable_job",
            object: job.name.clone(),
            statement: job::set_enabled_statement(job.job_id, false)?,
            text: "disabled, and waited for".to_string(),
        });
    }
    planned.actions.push(Action {
        action: "remove_log_shipping",
        object: evidence.database.clone(),
        statement: log_shipping::remove_statement(&evidence.database, ignore)?,
        text: format!(
            "its record ({} to {}) is captured first",
            record.backup_source_directory, record.backup_destination_directory
        ),
    });
    planned.text = format!(
        "Capture and remove log shipping of `{}` on {}: its record, history and jobs. The database stays as it is.",
        evidence.database, evidence.sql_instance
    );
    Ok(planned)
}

/// The procedure asks for sysadmin, and nothing is deleted that one machine alone would know of.
fn refusal(evidence: &Evidence, journal: &JournalPlace) -> Option<Error> {
    if !evidence.instance.is_sysadmin {
        return Some(rights_missing(evidence, "log shipping is removed by such a member only"));
    }
    let found = &evidence.journal;
    let has_copy = found.copy_folder.is_some() && found.copy_problem.is_none();
    (!has_copy && !journal.no_journal_copy).then(|| copy_missing(&evidence.database))
}

async fn work(at: &Context, run: &Run, planned: &Planned) -> Result<()> {
    let ended = remove(at, run, planned).await;
    let Err(error) = ended else { return give_jobs_back(run).await };
    let may_change = !matches!(error.kind, ErrorKind::LockLost | ErrorKind::JournalWriteFailed);
    if !run.can_put_back() || !may_change {
        return Err(error);
    }
    match put_back(run).await {
        Ok(_) => Err(error.with_unchanged("Log shipping is still configured; its jobs are as they were.")),
        Err(second) => {
            run.host.message(Level::Warning, format!("Not everything could be put back: {second}"));
            Err(error)
        }
    }
}

async fn remove(at: &Context, run: &Run, planned: &Planned) -> Result<()> {
    at.view.set_status("disabling the jobs");
    let of = |name: &'static str| planned.actions.iter().filter(move |action| action.action == name);
    carry_out_step(&QuiesceJobs, run).await?;
    for action in of("disable_job") {
        at.tell(action, "done").await;
    }
    at.view.set_status("removing log shipping");
    carry_out_step(&RemoveLogShipping, run).await?;
    for action in of("remove_log_shipping") {
        at.tell(action, "done").await;
    }
    Ok(())
}

/// Jobs that other databases of the same record need outlive the removal; they go on as they were.
async fn give_jobs_back(run: &Run) -> Result<()> {
    let Some(record) = &run.capture.log_shipping.record else { return Ok(()) };
    if record.other_databases.is_empty() {
        return Ok(());
    }
    let mut work = run.connect(Purpose::Catalog).await?;
    for captured in run.capture.log_shipping.jobs().filter(|job| job.is_enabled) {
        if job::read(&mut work, captured.job_id).await?.is_some_and(|job| !job.is_enabled) {
            let statement = job::set_enabled_statement(captured.job_id, true)?;
            run.change_back(&captured.name, &statement, job::set_enabled(&mut work, captured.job_id, true)).await?;
        }
    }
    Ok(())
}
