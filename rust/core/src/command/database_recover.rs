//! `Restore-PChatDatabase`: the gate, then recovery.

use std::sync::Arc;

use async_trait::async_trait;

use super::change::{self, carry_out_step, Action, Asked, Change, Context, Planned, Reached};
use super::look::{as_failover, facts, look, need_database, need_rights, need_secondary, redo_unknown, Site};
use crate::check::{self, primary_is_down::PRIMARY};
use crate::document::{DatabaseRecoverRequest, FailoverRequest};
use crate::error::{Error, ErrorKind, Outcome, Result};
use crate::evidence::Evidence;
use crate::failover::plan::Decision;
use crate::failover::put_back::put_back;
use crate::failover::single::Begin;
use crate::failover::step::lock_out::LockOut;
use crate::failover::step::recover::{Recover, ORPHANED_USERS};
use crate::failover::Run;
use crate::host::{Cancel, Host, Level};
use crate::log_chain::{gate, AcceptedLoss};
use crate::operation::{OperationResult, Session};
use crate::run::{refuse_failed, Locks};
use crate::sql::database::{self, DatabaseState, UserAccess};

const FACTS: &[&str] = &[
    "instance",
    "database",
    "database_state",
    "lab",
    "primary",
    "primary_verdict",
    "log_shipping",
    "share",
    "copy_folder",
    "chain_verdict",
    "recovered_to",
    "loss_to_accept",
    "loss_accepted",
    "ignored_witnesses",
];

/// Recovers the database behind the gate, opens it to all users and looks at it. Afterwards no log backup fits.
///
/// A primary that answers or cannot be asked, one that nobody names, and a witness against its death refuse it unless
/// ignored by name: this is also the way of Microsoft's page for each step by hand, where nobody writes on the primary any
/// more.
///
/// # Errors
/// In the result: those of the gate (4002, 4003, 4004, 4006, 4008, 5002, 5003, 5006), `DatabaseNotSecondary` (5004),
/// `DatabaseInUse` (3004), those of the journal, `Locked` (5008).
pub(crate) async fn database_recover(
    session: Arc<Session>,
    request: DatabaseRecoverRequest,
    host: Arc<dyn Host>,
    cancel: Cancel,
) -> Result<OperationResult> {
    change::run(RecoverDatabase(request), session, host, cancel).await
}

struct RecoverDatabase(DatabaseRecoverRequest);

/// What it decided on.
pub(super) struct Found {
    evidence: Evidence,
    request: FailoverRequest,
}

#[async_trait]
impl Change for RecoverDatabase {
    type Look = Found;

    const KIND: &'static str = "recover";

    fn asked(&self) -> Asked<'_> {
        Asked::of(&self.0.target, self.0.plan_only, self.0.approved_digest.as_deref())
    }

    async fn look(&self, at: &Context) -> Result<(Found, Planned)> {
        let asked = &self.0;
        let mut request = as_failover(&asked.target, &asked.folders, &asked.journal);
        request.accept_data_loss.clone_from(&asked.accept_data_loss);
        request.ignore_witness.clone_from(&asked.ignore_witness);
        request.primary_sql_instance.clone_from(&asked.primary_sql_instance);
        request.primary_mirror_sql_instance.clone_from(&asked.primary_mirror_sql_instance);
        request.monitor_sql_instance.clone_from(&asked.monitor_sql_instance);
        let evidence = look(&at.session, &at.host, &mut request, Site::Asked, &at.cancel).await?;
        need_rights(&evidence)?;
        let planned = plan(&evidence, &request)?;
        if at.is_plan && !planned.actions.is_empty() && evidence.primary.living().is_some() {
            at.host.message(Level::Warning, alive(&evidence));
        }
        Ok((Found { evidence, request }, planned))
    }

    async fn carry_out(&self, at: &Context, found: Found, planned: &Planned, locks: Locks) -> Result<Reached> {
        let Found { evidence, request } = found;
        let was_standby = evidence.state.as_ref().is_some_and(|state| state.is_standby());
        let run = Run::of_command(Begin {
            session: Arc::clone(&at.session),
            host: Arc::clone(&at.host),
            cancel: at.cancel.clone(),
            view: Arc::clone(&at.view),
            locks,
            evidence,
            request,
            journal_kind: Some("recover"),
            needs_journal_copy: false,
            proves_copy_folder: true,
        })
        .await?;
        let ended = work(at, &run, planned, was_standby).await;
        let reached = ended.map(|text| Reached {
            text: format!("{text}. {}", run.view.loss_text()).trim_end().to_string(),
            next: next_actions(at, &run),
            error: None,
        });
        let (outcome, text) = match &reached {
            Ok(reached) => (Outcome::Done, reached.text.clone()),
            Err(error) => (error.kind.outcome(), error.message.clone()),
        };
        run.end_command(outcome, &text).await;
        reached
    }
}

fn alive(evidence: &Evidence) -> String {
    let name = evidence.primary.living().unwrap_or("the primary");
    format!(
        "{name} answers. Once `{}` is recovered here, both sides take changes that never come together; recover only if nobody \
         uses the database there.",
        evidence.database
    )
}

pub(super) fn plan(evidence: &Evidence, request: &FailoverRequest) -> Result<Planned> {
    let database = evidence.database.as_str();
    let state = need_database(evidence)?;
    let decision = Decision::of(evidence, request);
    let mut planned = Planned { facts: facts(evidence, request, &decision, FACTS), ..Planned::default() };
    if state.facts.state == DatabaseState::Online {
        if state.facts.user_access == UserAccess::MultiUser {
            planned.text = format!("`{database}` on {} is online already.", evidence.sql_instance);
            return Ok(planned);
        }
        // A recovery that was cut off before its last statement.
        planned.actions.push(multi_user(database)?);
        planned.text = format!("`{database}` on {} is online already; open it to all users.", evidence.sql_instance);
        return Ok(planned);
    }
    need_secondary(evidence)?;
    let Some(redo) = evidence.files.redo.known() else { return Err(redo_unknown(evidence)) };
    planned.loss = Some(decision.loss.clone());
    if let Err(refused) = refuse_signs_of_life(evidence, request, &decision) {
        planned.refusal = Some(refused);
        return Ok(planned);
    }
    let accepted = request.accept_data_loss.as_deref().map(AcceptedLoss::new);
    if let Err(refused) = gate::open(&evidence.sql_instance, database, redo, &evidence.files.listing, accepted.as_ref())
    {
        planned.refusal = Some(refused);
        return Ok(planned);
    }
    if state.is_standby() {
        planned.actions.push(Action {
            action: "lock_out",
            object: database.to_string(),
            statement: database::lock_out_statement(database)?,
            text: "the STANDBY copy is taken from its readers".to_string(),
        });
    }
    planned.actions.push(Action {
        action: "recover",
        object: database.to_string(),
        statement: database::recover_statement(database)?,
        text: format!("behind the gate, which is asked once more, at LSN {}", redo.lsn),
    });
    planned.actions.push(multi_user(database)?);
    planned.text = format!(
        "Recover `{database}` on {} for good: no log backup fits afterwards. {}",
        evidence.sql_instance, decision.loss.text
    );
    if evidence.primary.living().is_some() {
        planned.text = format!("{} {}", planned.text, alive(evidence));
    }
    Ok(planned)
}

/// Refuses where the primary answers, cannot be asked or is not known, or a witness speaks for it, unless the request ignores
/// them by name.
///
/// # Errors
/// `PrimaryAlive` (5002), `WitnessAgainst` (5003).
fn refuse_signs_of_life(evidence: &Evidence, request: &FailoverRequest, decision: &Decision) -> Result<()> {
    let is_ignored = request.ignore_witness.iter().any(|name| name.eq_ignore_ascii_case(PRIMARY));
    if evidence.primary.living().is_some() && !is_ignored {
        return Err(Error::new(ErrorKind::PrimaryAlive, alive(evidence))
            .with_unchanged("Nothing was changed.")
            .with_next(format!(
                "A switch while both sites live is `Invoke-PChatFailover -Planned`. To recover beside a primary that answers: \
                 `-IgnoreWitness {PRIMARY}`."
            ))
            .with_target(evidence.database.as_str()));
    }
    let mut checks = check::of_decision(evidence, request, decision);
    checks.retain(|result| result.name.starts_with("Witness") || (result.name == "PrimaryIsDown" && !is_ignored));
    refuse_failed(&checks).map_err(|error| match error.kind {
        ErrorKind::PrimaryAlive => {
            let next = format!("{} To recover without knowing: `-IgnoreWitness {PRIMARY}`.", error.next);
            error.with_next(next)
        }
        _ => error,
    })
}

fn multi_user(database: &str) -> Result<Action> {
    Ok(Action {
        action: "multi_user",
        object: database.to_string(),
        statement: database::multi_user_statement(database)?,
        text: "open to all users, then looked at".to_string(),
    })
}

async fn work(at: &Context, run: &Run, planned: &Planned, was_standby: bool) -> Result<String> {
    if was_standby {
        at.view.set_status("taking the STANDBY copy from its readers");
        carry_out_step(&LockOut::before_recovery(), run).await?;
        tell(at, planned, "lock_out").await;
    }
    at.view.set_status("recovering behind the gate");
    let ended = carry_out_step(&Recover, run).await;
    let error = match ended {
        Ok(text) => {
            tell(at, planned, "recover").await;
            tell(at, planned, "multi_user").await;
            return Ok(text);
        }
        Err(error) => error,
    };
    let may_change = !matches!(error.kind, ErrorKind::LockLost | ErrorKind::JournalWriteFailed);
    if was_standby && may_change && run.can_put_back() && !error.outcome_unknown() {
        match put_back(run).await {
            Ok(done) => run.host.message(Level::Warning, format!("Put back: {}.", done.join("; "))),
            Err(second) => run.host.message(Level::Warning, format!("Not everything could be put back: {second}")),
        }
    }
    Err(error)
}

async fn tell(at: &Context, planned: &Planned, name: &str) {
    for action in planned.actions.iter().filter(|action| action.action == name) {
        at.tell(action, "done").await;
    }
}

fn next_actions(at: &Context, run: &Run) -> Vec<String> {
    let mut next = Vec::new();
    if run.work.evidence.log_shipping.is_configured() {
        next.push(format!(
            "Log shipping is still configured, and its jobs will fail from now on: Remove-PChatLogShipping {}",
            at.target.sql_instance
        ));
    }
    let orphans: Vec<String> = run.book.fact(ORPHANED_USERS).unwrap_or_default();
    if !orphans.is_empty() {
        next.push(format!(
            "Create the missing logins on {} for these users: {}.",
            run.work.instance,
            orphans.join(", ")
        ));
    }
    let pool = at.target.pool_fqdn.as_deref().unwrap_or("<pool FQDN>");
    next.push(format!(
        "Set the pool's state: Set-CsPersistentChatState -Identity \"service:{pool}\" -PoolState FailedOver"
    ));
    next.push(
        "Then the mirror (Install-CsMirrorDatabase) and the active servers (Set-CsPersistentChatActiveServer)."
            .to_string(),
    );
    next.push(
        "Take log backups from now on: the log of the recovered database grows until its disk is full.".to_string(),
    );
    next
}
