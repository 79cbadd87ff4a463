//! The gate of a planned switch: both sides stand together, or everything that was saved is restored.

use super::plan::loss;
use super::Run;
use crate::error::{Error, ErrorKind, Result};
use crate::failover::GateProof;
use crate::log_chain::{gate as chain_gate, RecoveryPermit, RedoPoint};
use crate::run::resume::LOSS;
use crate::sql::database::{self, DatabaseState};
use crate::sql::Purpose;
use crate::switch::step::saved_to;
use crate::switch::SwitchWork;

/// Opens when both sides stand at the same LSN, the source RESTORING behind its tail, and nothing later is known.
pub(super) async fn ask(run: &Run) -> Result<RecoveryPermit> {
    run.tell_progress("reading folders and both redo points anew for the gate", None);
    let probed_at = std::time::Instant::now();
    let evidence = run.look_again().await?;
    let redo = run.redo_of(&evidence)?;
    match run.work.is_salvage() {
        false => both_stand_together(run, &redo).await?,
        true => saved_is_restored(run, &redo).await?,
    }
    let target = run.work.target().instance.to_string();
    let permit = chain_gate::open(&target, run.database(), &redo, &evidence.files.listing, None)?;
    let loss = loss(run.work.is_salvage());
    run.view.set_loss(loss.clone());
    run.book.set_fact(LOSS, &loss).await?;
    let text = format!("open at LSN {}. {}", permit.redo_lsn(), loss.text);
    let proof = GateProof { redo_lsn: permit.redo_lsn(), text, primary_probed_at: probed_at };
    run.work.target().set_gate_proof(proof);
    Ok(permit)
}

/// The source is RESTORING behind its tail, and both redo points are one.
async fn both_stand_together(run: &Run, redo: &RedoPoint) -> Result<()> {
    let mut connection = run.connect_source(Purpose::Catalog).await?;
    let (source, database) = (run.work.source(), run.work.source_database_name());
    let state = database::need(&mut connection, database).await?.state;
    if state != DatabaseState::Restoring {
        return Err(unequal(run, format!("{source} is {} instead of RESTORING", state.as_text().to_uppercase())));
    }
    let end = database::redo_lsn(&mut connection, database).await?;
    if end != redo.lsn {
        let target = &run.work.target().instance;
        return Err(unequal(run, format!("{target} stands at LSN {}, {source} at {end}", redo.lsn)));
    }
    Ok(())
}

/// What was saved of the damaged log ends where the secondary stands.
async fn saved_is_restored(run: &Run, redo: &RedoPoint) -> Result<()> {
    let Some(end) = saved_to(run).await? else {
        return Err(unequal(run, "no tail was saved".to_string()));
    };
    if redo.lsn < end {
        return Err(unequal(run, format!("it stands at LSN {}, the tail that was saved ends at {end}", redo.lsn)));
    }
    Ok(())
}

fn unequal(run: &Run, why: String) -> Error {
    Error::new(
        ErrorKind::LogBackupMissing,
        format!("the two sides of `{}` do not stand together: {why}.", run.database()),
    )
    .with_unchanged("The backup was not recovered.")
    .with_next("`Resume-PChatRun` restores what is missing and asks again; `Undo-PChatRun` brings the source back.")
    .with_target(run.database())
}
