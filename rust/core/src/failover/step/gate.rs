//! The gate: proof from the redo point, read back just now, to the newest log backup that is known.

use std::time::{Duration, Instant};

use async_trait::async_trait;

use crate::check;
use crate::document::Loss;
use crate::error::Result;
use crate::evidence::Evidence;
use crate::failover::plan::{step_name, Decision};
use crate::failover::{Failover, GateProof, SecondaryWork};
use crate::log_chain::{gate, AcceptedLoss, RecoveryPermit};
use crate::names::Lsn;
use crate::run::refuse_failed;
use crate::run::resume::LOSS;
use crate::run::{OnFailure, Run, Seen, Step};
use crate::sql::database::{self, DatabaseState};
use crate::sql::Purpose;

/// How long a look at the silent primary holds. Removal of log shipping normally takes less; a probe takes seconds.
const PRIMARY_LOOK_HOLDS: Duration = Duration::from_secs(30);

/// Asked before log shipping is removed, so that a refusal costs nothing, and once more right before recovery.
pub(crate) struct Gate;

#[async_trait]
impl<W: SecondaryWork> Step<W> for Gate {
    fn name(&self) -> &'static str {
        step_name::GATE
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::PutBack
    }

    async fn probe(&self, run: &Run<W>) -> Result<Seen> {
        let mut connection = run.connect(Purpose::Catalog).await?;
        if database::need(&mut connection, run.database()).await?.state == DatabaseState::Online {
            return Ok(Seen::So("the database is recovered already".to_string()));
        }
        let redo = database::redo_point(&mut connection, run.database()).await?;
        Ok(match run.work.secondary().gate_proof() {
            Some(proof) if proof.redo_lsn == redo.lsn => Seen::So(proof.text),
            _ => Seen::NotYet(format!("the database stands at LSN {}; the gate was not asked there", redo.lsn)),
        })
    }

    async fn act(&self, run: &Run<W>) -> Result<String> {
        let permit = W::ask_gate(run).await?;
        Ok(run
            .work
            .secondary()
            .gate_proof()
            .map_or_else(|| format!("open at LSN {}", permit.redo_lsn()), |proof| proof.text))
    }
}

/// What was accepted is told as such; how to accept it is of no use any more.
fn accepted_loss(mut loss: Loss, permit: &RecoveryPermit) -> Loss {
    if let Some(accepted) = permit.accepted_loss() {
        let upto = match &loss.recovered_to_utc {
            Some(at) => format!("The last recovered log backup finished {at}; what was written later is lost."),
            None => {
                format!("The database is recovered up to LSN {}; what was written later is lost.", permit.redo_lsn())
            }
        };
        loss.text = format!("{upto} This was accepted by name: {accepted}");
    }
    loss
}

/// True where the plan's loss was accepted by name and the database stands beyond its end now: log backups that could be read
/// only once copied reach further, and less is lost than was accepted.
fn covers(planned: &Loss, given: &str, reached: Lsn) -> bool {
    let Some(end) = planned.recovered_to_lsn.filter(|_| planned.must_be_accepted) else { return false };
    let given = given.trim();
    let is_lsn = given.parse::<Lsn>().is_ok_and(|lsn| lsn == end);
    let is_time = planned.recovered_to_utc.as_deref().is_some_and(|time| time.eq_ignore_ascii_case(given));
    (is_lsn || is_time) && end < reached
}

/// Looks at everything anew and asks the gate: the primary too, which may have come back while files were restored.
///
/// # Errors
/// `PrimaryAlive` (5002), `WitnessAgainst` (5003), and those of [`gate::open`]: a gap, a dead share, an unreadable file, a
/// loss that was not accepted by name.
pub(crate) async fn ask_gate(run: &Run<Failover>) -> Result<RecoveryPermit> {
    run.tell_progress("reading folders, redo point and the primary anew for the gate", None);
    let probed_at = run.work.gate_proof().map(|proof| proof.primary_probed_at);
    let probed_at = probed_at.filter(|at| at.elapsed() < PRIMARY_LOOK_HOLDS);
    let primary_probed_at = probed_at.unwrap_or_else(Instant::now);
    let evidence = match probed_at {
        Some(_) => run.look_again().await?,
        None => run.look_again_with_primary().await?,
    };
    let redo = run.redo_of(&evidence)?;
    let decision = Decision::of(&evidence, &run.work.request);
    run.view.set_loss(decision.loss.clone());
    refuse_signs_of_life(run, &evidence, &decision)?;
    let given = run.work.request.accept_data_loss.as_deref();
    let is_all_restored = decision.chain.as_ref().is_some_and(|chain| chain.restore.is_empty());
    let accepted = given.map(|given| match is_all_restored && covers(&run.plan.loss, given, redo.lsn) {
        true => AcceptedLoss::new(redo.lsn.to_string()),
        false => AcceptedLoss::new(given),
    });
    let permit =
        gate::open(&run.work.instance.to_string(), run.database(), &redo, &evidence.files.listing, accepted.as_ref())?;
    let loss = accepted_loss(decision.loss.clone(), &permit);
    run.view.set_loss(loss.clone());
    run.book.set_fact(LOSS, &loss).await?;
    let text = match permit.accepted_loss() {
        Some(loss) => format!("open at LSN {}, over a loss accepted by name: {loss}", permit.redo_lsn()),
        None => format!("open: the chain is proved to LSN {}. {}", permit.redo_lsn(), decision.loss.text),
    };
    run.work.set_gate_proof(GateProof { redo_lsn: permit.redo_lsn(), text, primary_probed_at });
    Ok(permit)
}

/// Refuses where the primary or a witness speaks that did not when this process took the work up. Somebody who writes log
/// backups now is alive in any case. A single command may be told to go on beside a living primary; then it was known.
fn refuse_signs_of_life(run: &Run<Failover>, evidence: &Evidence, decision: &Decision) -> Result<()> {
    let request = &run.work.request;
    let known: Vec<String> =
        check::all(&run.work.evidence, request).into_iter().filter(check::blocks).map(|result| result.name).collect();
    let mut checks = check::of_decision(evidence, request, decision);
    checks.retain(|result| match result.name.as_str() {
        "WitnessShareFiles" => true,
        name => (name == "PrimaryIsDown" || name.starts_with("Witness")) && !known.iter().any(|k| k == name),
    });
    refuse_failed(&checks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_accepted_by_name_covers_less_and_never_more() {
        let lsn = |value: u64| Lsn::new(value.into()).expect("an LSN");
        let loss = Loss {
            recovered_to_lsn: Some(lsn(29)),
            recovered_to_utc: Some("2026-03-14T02:15:00Z".into()),
            must_be_accepted: true,
            ..Loss::default()
        };
        assert!(covers(&loss, " 29 ", lsn(30)));
        assert!(covers(&loss, "2026-03-14t02:15:00z", lsn(30)));
        assert!(!covers(&loss, "29", lsn(28)), "more would be lost");
        assert!(!covers(&loss, "1", lsn(30)), "it never named the plan's loss");
        let nothing = Loss { must_be_accepted: false, ..loss };
        assert!(!covers(&nothing, "29", lsn(30)), "nothing was to be accepted when the run began");
    }
}
