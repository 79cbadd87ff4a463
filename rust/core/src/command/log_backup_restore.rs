//! `Restore-PChatLogBackup`: what is needed, in the order of LSNs, WITH NORECOVERY.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::change::{self, Action, Asked, Change, Context, Planned, Reached};
use super::look::{as_failover, facts, look, need_folders, need_rights, need_secondary, redo_unknown, Site};
use crate::document::{FailoverRequest, LogBackupRestoreRequest};
use crate::error::{Error, ErrorKind, Outcome, Result};
use crate::evidence::{count, Evidence};
use crate::failover::plan::Decision;
use crate::failover::single::Begin;
use crate::failover::step::copy_and_restore::restore_one;
use crate::failover::step::lock_out::LockOut;
use crate::failover::Run;
use crate::host::{Cancel, Host, Question};
use crate::log_chain::{Chain, Verdict};
use crate::operation::{OperationResult, Session};
use crate::run::{Locks, Step};
use crate::sql::restore::{restore_log_statement, LogRestore, Restorer};
use crate::sql::{database, job, Purpose};

const FACTS: &[&str] =
    &["instance", "database", "database_state", "lab", "log_shipping", "share", "copy_folder", "chain_verdict"];
/// New log backups may come while the others are restored.
const ROUNDS: u32 = 8;
/// A restore job that runs is waited for as long as it takes: stopped, it leaves the database interrupted (4319).
const FOREVER: Duration = Duration::from_secs(30 * 24 * 3600);

/// Works out anew what is needed, and restores it from the copy folder, or straight from where the instance reads it.
///
/// Stops at a gap, with everything before it restored. A STANDBY copy is taken from its readers first, which is asked.
///
/// # Errors
/// In the result: `LogBackupMissing` (4002) and the other verdicts on the chain, `Declined` (1008), `DatabaseNotSecondary`
/// (5004), `Locked` (5008), and those of a RESTORE.
pub(crate) async fn log_backup_restore(
    session: Arc<Session>,
    request: LogBackupRestoreRequest,
    host: Arc<dyn Host>,
    cancel: Cancel,
) -> Result<OperationResult> {
    change::run(RestoreLogBackups(request), session, host, cancel).await
}

struct RestoreLogBackups(LogBackupRestoreRequest);

/// What it decided on.
pub(super) struct Found {
    evidence: Evidence,
    request: FailoverRequest,
}

#[async_trait]
impl Change for RestoreLogBackups {
    type Look = Found;

    const KIND: &'static str = "restore";

    fn asked(&self) -> Asked<'_> {
        Asked::of(&self.0.target, self.0.plan_only, self.0.approved_digest.as_deref())
    }

    async fn look(&self, at: &Context) -> Result<(Found, Planned)> {
        let asked = &self.0;
        let mut request = as_failover(&asked.target, &asked.folders, &asked.journal);
        let evidence = look(&at.session, &at.host, &mut request, Site::LeftOut, &at.cancel).await?;
        need_rights(&evidence)?;
        need_secondary(&evidence)?;
        need_folders(&evidence)?;
        let decision = Decision::of(&evidence, &request);
        let planned = plan(&evidence, &request, &decision)?;
        Ok((Found { evidence, request }, planned))
    }

    async fn carry_out(&self, at: &Context, found: Found, planned: &Planned, locks: Locks) -> Result<Reached> {
        let Found { evidence, request } = found;
        let is_standby = evidence.state.as_ref().is_some_and(|state| state.is_standby());
        let run = Run::of_command(Begin {
            session: Arc::clone(&at.session),
            host: Arc::clone(&at.host),
            cancel: at.cancel.clone(),
            view: Arc::clone(&at.view),
            locks,
            evidence,
            request,
            journal_kind: None,
            needs_journal_copy: false,
            proves_copy_folder: false,
        })
        .await?;
        let reached = work(at, &run, is_standby, planned).await;
        let outcome = match &reached {
            Ok(reached) => reached.error.as_ref().map_or(Outcome::Done, |error| error.kind.outcome()),
            Err(error) => error.kind.outcome(),
        };
        run.end_command(outcome, "").await;
        reached
    }
}

/// Each set of the chain as the instance is asked to restore it: from the copy folder where it lies there.
fn restores(evidence: &Evidence, chain: &Chain) -> Vec<LogRestore> {
    let database = crate::names::Text::from(evidence.database.as_str());
    let restore = |link: &crate::log_chain::ChainLink| LogRestore {
        database: database.clone(),
        paths: link.files(&evidence.files.listing).map(|candidate| candidate.path.clone()).collect(),
        position: link.header.position,
        last_lsn: link.header.last_lsn,
    };
    chain.restore.iter().map(restore).collect()
}

pub(super) fn plan(evidence: &Evidence, request: &FailoverRequest, decision: &Decision) -> Result<Planned> {
    let Some(chain) = &decision.chain else { return Err(redo_unknown(evidence)) };
    let mut planned = Planned { facts: facts(evidence, request, decision, FACTS), ..Planned::default() };
    let barrier = barrier(evidence, decision, chain);
    if chain.restore.is_empty() {
        planned.refusal = barrier;
        planned.text = format!("Nothing is left to restore: `{}` stands at {}.", evidence.database, chain.end_text());
        planned.text.push_str(&with_blank(chain.unfinished_text()));
        return Ok(planned);
    }
    if evidence.state.as_ref().is_some_and(|state| state.is_standby()) {
        planned.actions.push(lock_out_action(evidence)?);
    }
    for (restore, link) in restores(evidence, chain).iter().zip(&chain.restore) {
        planned.actions.push(restore_action(restore, link.header.first_lsn)?);
    }
    planned.text = format!(
        "Restore {} WITH NORECOVERY, to {}.{}{}",
        count(chain.restore.len(), "log backup", "log backups"),
        chain.end_text(),
        with_blank(barrier.map_or(String::new(), |error| format!("There it stops: {}", error.message))),
        with_blank(chain.unfinished_text()),
    );
    Ok(planned)
}

fn with_blank(text: String) -> String {
    if text.is_empty() {
        text
    } else {
        format!(" {text}")
    }
}

fn lock_out_action(evidence: &Evidence) -> Result<Action> {
    Ok(Action {
        action: "lock_out",
        object: evidence.database.clone(),
        statement: database::lock_out_statement(&evidence.database)?,
        text: "the STANDBY copy is taken from its readers and goes to RESTORING".to_string(),
    })
}

fn restore_action(restore: &LogRestore, first_lsn: crate::names::Lsn) -> Result<Action> {
    let names: Vec<&str> = restore.paths.iter().map(|path| path.file_name()).collect();
    Ok(Action {
        action: "restore",
        object: names.join(", "),
        statement: restore_log_statement(restore)?,
        text: format!("LSN {first_lsn} to {}", restore.last_lsn),
    })
}

/// What keeps the chain from reaching the newest log backup that is known to lie there; doubts about what may lie
/// elsewhere are the business of the gate.
fn barrier(evidence: &Evidence, decision: &Decision, chain: &Chain) -> Option<Error> {
    if chain.verdict != Verdict::Complete {
        let kind = chain.verdict.kind().unwrap_or(ErrorKind::LogBackupMissing);
        return Some(
            Error::new(kind, chain.verdict.to_string())
                .with_unchanged(format!("`{}` is not recovered and still takes log backups.", evidence.database))
                .with_next("Find the missing log backup and name its folder with `-AdditionalLogBackupFolder`; then run the command again.")
                .with_target(evidence.database.as_str()),
        );
    }
    let name = decision.read_after_copy.first()?;
    Some(
        Error::new(
            ErrorKind::LogBackupUnreadable,
            format!(
                "{} cannot be read by the instance where they lie, `{name}` first.",
                count(decision.read_after_copy.len(), "log backup", "log backups")
            ),
        )
        .with_unchanged(format!("`{}` is not recovered and still takes log backups.", evidence.database))
        .with_next("Copy them first: `Copy-PChatLogBackup`; then run the command again.")
        .with_target(name.as_str()),
    )
}

async fn work(at: &Context, run: &Run, is_standby: bool, planned: &Planned) -> Result<Reached> {
    wait_for_restore_job(run).await?;
    if is_standby {
        lock_out(at, run, planned).await?;
    }
    let mut restored = 0;
    let mut restorer = Restorer::new(at.session.connector(), &run.work.instance);
    for _ in 0..ROUNDS {
        at.view.set_status("working out what is needed");
        let evidence = run.look_again().await?;
        let decision = Decision::of(&evidence, &run.work.request);
        let Some(chain) = &decision.chain else { return Err(redo_unknown(&evidence)) };
        if chain.restore.is_empty() {
            return Ok(reached(at, &evidence, &decision, chain, restored));
        }
        at.view.set_status("restoring log backups");
        let ended = one_round(at, run, &mut restorer, &evidence, chain, &mut restored).await;
        if let Err(error) = ended {
            return Ok(Reached {
                text: format!("{} restored, then it stopped.", count(restored, "log backup", "log backups")),
                next: Vec::new(),
                error: Some(error),
            });
        }
    }
    Ok(Reached {
        text: format!("{} restored; more come all the time.", count(restored, "log backup", "log backups")),
        next: vec!["Log backups keep coming: their writer is alive. Run the command again for the newest.".to_string()],
        error: None,
    })
}

async fn one_round(
    at: &Context,
    run: &Run,
    restorer: &mut Restorer<'_>,
    evidence: &Evidence,
    chain: &Chain,
    restored: &mut usize,
) -> Result<()> {
    let restores = restores(evidence, chain);
    let total = restores.len();
    for (done, (restore, link)) in restores.iter().zip(&chain.restore).enumerate() {
        let action = restore_action(restore, link.header.first_lsn)?;
        let percent = u8::try_from(done * 100 / total.max(1)).ok();
        run.tell_progress(&format!("{} ({} of {total})", action.object, done + 1), percent);
        restore_one(run, restorer, restore, &action.object, percent).await?;
        *restored += 1;
        at.tell(&action, "done").await;
    }
    Ok(())
}

fn reached(at: &Context, evidence: &Evidence, decision: &Decision, chain: &Chain, restored: usize) -> Reached {
    let text = format!(
        "{} restored; `{}` is RESTORING at {}.{}",
        count(restored, "log backup", "log backups"),
        evidence.database,
        chain.end_text(),
        with_blank(chain.unfinished_text()),
    );
    let error = barrier(evidence, decision, chain);
    let next = match error {
        Some(_) => Vec::new(),
        None => vec![format!("Recover the database: Restore-PChatDatabase {}", at.target.sql_instance)],
    };
    Reached { text, next, error }
}

/// The instance's own restore job and this command would stand in each other's way (3101).
async fn wait_for_restore_job(run: &Run) -> Result<()> {
    let Some(restore) = &run.work.evidence.log_shipping.restore_job else { return Ok(()) };
    let mut connection = run.connect(Purpose::Catalog).await?;
    if job::is_running(&mut connection, restore.job_id).await? {
        run.tell_progress(&format!("waiting for the job {} to end", restore.name), None);
    }
    job::wait_until_idle(&mut connection, restore.job_id, FOREVER, &run.cancel).await.map(drop)
}

async fn lock_out(at: &Context, run: &Run, planned: &Planned) -> Result<()> {
    let database = run.database();
    let readers = run.work.evidence.sessions.known().map_or(0, Vec::len);
    let question = Question {
        caption: "End the readers of the STANDBY copy".to_string(),
        text: format!(
            "`{database}` on {} is a STANDBY copy with {}. They are ended, and nobody gets in until it is recovered or its \
             restore job runs again. Go on?",
            run.work.instance,
            count(readers, "session", "sessions")
        ),
    };
    if !at.host.confirm(question).await {
        run.cancel.check()?;
        return Err(Error::new(ErrorKind::Declined, format!("the readers of `{database}` were not ended."))
            .with_unchanged("Nothing was restored; the database is a STANDBY copy as before.")
            .with_next("Run the command again when its readers may be ended.")
            .with_target(database));
    }
    at.view.set_status("taking the STANDBY copy from its readers");
    LockOut::before_restore().act(run).await?;
    if let Some(action) = planned.actions.iter().find(|action| action.action == "lock_out") {
        at.tell(action, "done").await;
    }
    Ok(())
}
