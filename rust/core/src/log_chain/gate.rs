//! The gate before recovery. There is no other way to a [`RecoveryPermit`], and no recovery without one.

use super::{prove, Chain, Doubt, Listing, RedoPoint};
use crate::error::{Error, ErrorKind, Result};
use crate::names::Lsn;

/// Leave to recover one database on one instance, at one redo point. Made by [`open`] and [`back_online`] alone, used up by the recovery.
#[derive(Debug)]
pub struct RecoveryPermit {
    sql_instance: String,
    database: String,
    redo_lsn: Lsn,
    accepted_loss: Option<String>,
}

impl RecoveryPermit {
    /// The instance that it was given for, as the caller named it.
    pub fn sql_instance(&self) -> &str {
        &self.sql_instance
    }

    /// The database that it was given for.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The redo point that was proved; a database that stands elsewhere must not be recovered with it.
    pub fn redo_lsn(&self) -> Lsn {
        self.redo_lsn
    }

    /// What is lost beside the inherent tail, in words; `None` where the end was proved.
    pub fn accepted_loss(&self) -> Option<&str> {
        self.accepted_loss.as_deref()
    }
}

/// A loss that the operator named: the LSN or the time that the refusal showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedLoss(String);

impl AcceptedLoss {
    /// Takes the value of `-AcceptDataLoss` as it was written.
    pub fn new(text: impl Into<String>) -> AcceptedLoss {
        AcceptedLoss(text.into().trim().to_string())
    }

    /// The value as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True when it names this chain's end: its LSN in either notation, or its time as shown.
    pub fn names(&self, chain: &Chain) -> bool {
        let is_lsn = self.0.parse::<Lsn>().is_ok_and(|lsn| lsn == chain.end.lsn);
        is_lsn || chain.end_time_value().is_some_and(|time| time.eq_ignore_ascii_case(&self.0))
    }
}

/// Opens when nothing speaks for a later log backup, or when the loss is accepted by name. Changes nothing.
///
/// `redo` is the redo point as just read back from the database, `listing` a look at the folders made after the last
/// restore. A log backup that fits and was not restored counts as a doubt here.
///
/// # Errors
/// Without acceptance, the kind of the first doubt: `LogBackupMissing` (4002), `LogBackupDamaged` (4003),
/// `ShareUnreachable` (4004), `LogBackupUnreadable` (4006), `RecoveryPathDiffers` (4008), `PrimaryAlive` (5002) or
/// `DataLossNotAccepted` (5006). With an acceptance that names something else: `DataLossNotAccepted` (5006).
pub fn open(
    sql_instance: &str,
    database: &str,
    redo: &RedoPoint,
    listing: &Listing,
    accepted: Option<&AcceptedLoss>,
) -> Result<RecoveryPermit> {
    let mut chain = prove(redo, listing);
    if let (Some(first), Some(last)) = (chain.restore.first(), chain.restore.last()) {
        let (first_file, last_file) = (first.name(listing).to_string(), last.name(listing).to_string());
        chain.doubts.insert(0, Doubt::NotRestored { count: chain.restore.len(), first_file, last_file });
        // Recovery would end here and now, whatever else could still be restored.
        let end_file = redo.file_name.clone();
        chain = Chain { end: redo.clone(), end_finished_at: redo.finished_at, end_file, ..chain };
    }
    let permit = |accepted_loss| RecoveryPermit {
        sql_instance: sql_instance.to_string(),
        database: database.to_string(),
        redo_lsn: redo.lsn,
        accepted_loss,
    };
    if chain.is_proved() {
        return Ok(permit(None));
    }
    match accepted {
        Some(accepted) if accepted.names(&chain) => Ok(permit(Some(chain.doubts_text()))),
        Some(accepted) => Err(not_accepted(database, &chain, accepted)),
        None => Err(chain.refusal(database)),
    }
}

/// Opens for the side that served until its tail was taken, so that a switch that is given up ends where it began. Nothing
/// is lost: whatever was written lies in this database. Changes nothing.
///
/// `redo` is the redo point as just read back from the database; `other_serves` whether the other side was recovered.
///
/// # Errors
/// `UndoNotPossible` (5014) where it was: two sides must never serve.
pub fn back_online(sql_instance: &str, database: &str, redo_lsn: Lsn, other_serves: bool) -> Result<RecoveryPermit> {
    if other_serves {
        return Err(Error::new(
            ErrorKind::UndoNotPossible,
            format!("`{database}` serves on the other side, so it is not recovered on {sql_instance}."),
        )
        .with_unchanged("Nothing was recovered.")
        .with_next("Finish the run with `Resume-PChatRun`.")
        .with_target(database));
    }
    let (sql_instance, database) = (sql_instance.to_string(), database.to_string());
    Ok(RecoveryPermit { sql_instance, database, redo_lsn, accepted_loss: None })
}

/// Opens for the other side of a switch: where the source takes no writes any more and ended exactly where the target stands,
/// on the same fork, there can be no later log backup. `target` and `source` are the redo points as just read back.
///
/// # Errors
/// `LogBackupMissing` (4002) where the target is behind, `RecoveryPathDiffers` (4008) where it is on another fork.
pub fn open_switched(
    sql_instance: &str,
    database: &str,
    target: &RedoPoint,
    source: &RedoPoint,
) -> Result<RecoveryPermit> {
    let refused = |kind: ErrorKind, what: &str| {
        Error::new(
            kind,
            format!(
                "`{database}` on {sql_instance} stands at LSN {}, and the source ended at LSN {}: {what}.",
                target.lsn, source.lsn
            ),
        )
        .with_unchanged(format!("`{database}` was not recovered."))
        .with_next("Restore what is missing with `Resume-PChatRun`; nothing is lost as long as nothing is recovered.")
        .with_target(database)
    };
    if target.fork_id != source.fork_id {
        return Err(refused(ErrorKind::RecoveryPathDiffers, "they are on different recovery forks"));
    }
    if target.lsn != source.lsn {
        return Err(refused(ErrorKind::LogBackupMissing, "they are not at the same place"));
    }
    Ok(RecoveryPermit {
        sql_instance: sql_instance.to_string(),
        database: database.to_string(),
        redo_lsn: target.lsn,
        accepted_loss: None,
    })
}

/// Opens for a copy that nobody will follow: it is recovered only so that what is in it can be saved to a file before it
/// is overwritten. The operator has named it.
pub fn open_to_save(sql_instance: &str, database: &str, redo: &RedoPoint) -> RecoveryPermit {
    RecoveryPermit {
        sql_instance: sql_instance.to_string(),
        database: database.to_string(),
        redo_lsn: redo.lsn,
        accepted_loss: Some("the copy is saved to a file and overwritten".to_string()),
    }
}

fn not_accepted(database: &str, chain: &Chain, accepted: &AcceptedLoss) -> Error {
    let message = format!(
        "the loss that was accepted, `{}`, is not the one there is: `{database}` would be recovered to {}. {}",
        crate::names::shown(accepted.as_str()),
        chain.end_text(),
        chain.doubts_text(),
    );
    Error::new(ErrorKind::DataLossNotAccepted, message)
        .with_unchanged(format!("`{database}` was not recovered."))
        .with_next(chain.accept_text())
        .with_target(database)
}
