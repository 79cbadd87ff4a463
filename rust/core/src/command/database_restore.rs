//! `Restore-PChatDatabase -BackupFile`: a full backup, always `WITH NORECOVERY`, and never over what only this copy holds.

mod guard;

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use super::change::{self, Action, Asked, Change, Context, Planned, Reached};
use super::ledger::Ledger;
use crate::document::DatabaseRestoreRequest;
use crate::error::{Error, ErrorKind, Result};
use crate::host::{Cancel, Host, Progress};
use crate::log_chain::{Header, RedoPoint};
use crate::names::ServerPath;
use crate::operation::{OperationResult, Session};
use crate::run::Locks;
use crate::sql::backup_file::{self, HeaderAnswer};
use crate::sql::backup_history::{self, OnlineIdentity};
use crate::sql::database::{self, DatabaseFacts, DatabaseState};
use crate::sql::full_restore::{self, FullRestore};
use crate::sql::instance::{self, InstanceFacts};
use crate::sql::mirror::{self, Mirror};
use crate::sql::Purpose;
use guard::{guard, unusable};

/// Verifies a full backup and restores it, its files moved to where the instance has its own. The database is RESTORING
/// afterwards: log backups and recovery are commands of their own. Items `action`; result `run`.
///
/// # Errors
/// In the result: `OldCopyAtRisk` (5016), `DatabaseStateUnsuited` (5020), `BackupNotVerified` (4009), `ChecksFailed` (5001)
/// for a backup that is newer than the instance, `StepNotVerified` (5015), `Locked` (5008), those of the journal.
pub(crate) async fn database_restore(
    session: Arc<Session>,
    request: DatabaseRestoreRequest,
    host: Arc<dyn Host>,
    cancel: Cancel,
) -> Result<OperationResult> {
    change::run(Restore(request), session, host, cancel).await
}

struct Restore(DatabaseRestoreRequest);

/// What it decided on.
pub(super) struct Found {
    pub instance: InstanceFacts,
    pub header: Header,
    pub moves: Vec<(String, ServerPath)>,
    pub copy: Option<Copy>,
}

/// The copy that is there.
pub(super) struct Copy {
    pub facts: DatabaseFacts,
    pub mirror: Option<Mirror>,
    /// Of one that is restoring; `None` where a restore of it was cut off.
    pub redo: Option<RedoPoint>,
    /// Of one that is online.
    pub identity: Option<OnlineIdentity>,
    /// Rows of its fullest table, of one that is online.
    pub rows: Option<u64>,
}

#[async_trait]
impl Change for Restore {
    type Look = (Found, Option<FullRestore>);

    const KIND: &'static str = "restore_full";

    fn asked(&self) -> Asked<'_> {
        Asked::of(&self.0.target, self.0.plan_only, self.0.approved_digest.as_deref())
    }

    async fn look(&self, at: &Context) -> Result<(Self::Look, Planned)> {
        let found = tokio::select! {
            found = read(at, &self.0) => found?,
            () = at.cancel.cancelled() => return Err(at.cancel.check().err().unwrap_or_else(change::gone)),
        };
        let (restore, planned) = plan(&self.0, &found)?;
        Ok(((found, restore), planned))
    }

    async fn carry_out(&self, at: &Context, look: Self::Look, planned: &Planned, locks: Locks) -> Result<Reached> {
        let (found, Some(restore)) = look else {
            locks.release().await;
            return Err(Error::new(ErrorKind::InternalFault, "a restore was planned without a file."));
        };
        let copy = found.copy.as_ref().map(|copy| json!({"database": copy.facts, "mirroring": copy.mirror}));
        let ledger = Ledger::begin(at, Self::KIND, &self.0.journal, &planned.actions, &copy, locks).await?;
        let ended = work(at, &ledger, &found, &restore, planned).await;
        let text = format!(
            "`{}` on {} is RESTORING at LSN {}, from {}.",
            restore.database, at.target.sql_instance, found.header.last_lsn, restore.file
        );
        ledger.end(&ended, &text).await;
        ended?;
        Ok(Reached { text, next: planned.next.clone(), error: None })
    }
}

async fn read(at: &Context, request: &DatabaseRestoreRequest) -> Result<Found> {
    let database = at.target.database.as_str();
    let mut connection = at.session.connector().connect(&at.instance, Purpose::Files).await?;
    let instance = instance::read_facts(&mut connection).await?;
    let file = ServerPath::new(request.backup_file.trim());
    let headers = match backup_file::read_headers(&mut connection, &file).await? {
        HeaderAnswer::Read(headers) => headers,
        HeaderAnswer::Trouble(_, error) => return Err(error),
    };
    let header = headers.into_iter().find(|header| header.position == request.position).ok_or_else(|| {
        Error::new(ErrorKind::InvalidValue, format!("`{file}` has no backup at position {}.", request.position))
            .with_unchanged("Nothing was changed.")
            .with_next("Name another -Position, or another file.")
            .with_target(file.as_str())
    })?;
    let backed_up = backup_file::read_file_list(&mut connection, std::slice::from_ref(&file), request.position).await?;
    let own = database::files(&mut connection, database).await?;
    let folder = full_restore::data_folder(&mut connection).await?;
    let copy = match database::read(&mut connection, database).await? {
        None => None,
        Some(facts) => {
            let is_open = facts.state == DatabaseState::Online;
            let redo = match facts.state.is_secondary() {
                true => database::redo_point(&mut connection, database).await.ok(),
                false => None,
            };
            // Somebody may sit on the only seat of it: then it counts as full.
            let counted = if is_open { database::count_rows(&mut connection, database).await.ok() } else { None };
            Some(Copy {
                mirror: mirror::read(&mut connection, database).await?,
                redo,
                identity: if is_open { backup_history::identity(&mut connection, database).await? } else { None },
                rows: counted.map(|table| table.map_or(0, |table| table.rows)),
                facts,
            })
        }
    };
    connection.close().await;
    let moves = full_restore::moves(&backed_up, &own, folder.as_ref())?;
    Ok(Found { instance, header, moves, copy })
}

/// What would be done on what was found. Pure.
pub(super) fn plan(request: &DatabaseRestoreRequest, found: &Found) -> Result<(Option<FullRestore>, Planned)> {
    let database = request.target.database.as_str();
    let header = &found.header;
    let mut planned = Planned::default();
    let mut fact = |name: &str, value: String| planned.facts.insert(name.to_string(), value);
    fact("instance", found.instance.server_name.clone());
    fact("database", database.to_string());
    fact("lab", found.instance.lab_id.clone().unwrap_or_else(|| "none".to_string()));
    fact("backup_set", header.backup_set_id.to_string());
    fact("database_state", found.copy.as_ref().map_or("absent", |copy| copy.facts.state.as_text()).to_string());
    if let Some(redo) = found.copy.as_ref().and_then(|copy| copy.redo.as_ref()) {
        fact("redo_point", format!("{} on {}", redo.lsn, redo.fork_id));
    }
    let replaces = match unusable(request, found).map_or_else(|| guard(request, found), Err) {
        Ok(replaces) => replaces,
        Err(refusal) => {
            planned.refusal = Some(*refusal);
            return Ok((None, planned));
        }
    };
    let restore = FullRestore {
        database: database.to_string(),
        file: ServerPath::new(request.backup_file.trim()),
        position: request.position,
        moves: found.moves.clone(),
        replace: replaces,
    };
    planned.actions.push(Action {
        action: "verify_backup",
        object: restore.file.to_string(),
        statement: backup_file::verify_statement(
            std::slice::from_ref(&restore.file),
            restore.position,
            header.has_checksums,
        )?,
        text: "read to its end before anything is overwritten".to_string(),
    });
    planned.actions.push(Action {
        action: "restore_full",
        object: restore.file.to_string(),
        statement: full_restore::statement_over(state_of(found), &restore)?,
        text: format!("of {} from {}", header.finished_at, header.server_name),
    });
    planned.text = format!(
        "Restore the full backup {} over {} as `{database}` on {}, WITH NORECOVERY.",
        restore.file,
        if found.copy.is_some() { "the copy that is there" } else { "nothing" },
        request.target.sql_instance
    );
    planned.next.push(format!(
        "`{database}` is RESTORING: Restore-PChatLogBackup restores what came after this backup; recovery is a command of its own."
    ));
    Ok((Some(restore), planned))
}

fn state_of(found: &Found) -> Option<DatabaseState> {
    found.copy.as_ref().map(|copy| copy.facts.state)
}

async fn work(at: &Context, ledger: &Ledger, found: &Found, restore: &FullRestore, planned: &Planned) -> Result<()> {
    at.view.set_status("verifying the backup");
    let mut connection = at.session.connector().connect(&at.instance, Purpose::Work).await?;
    let paths = std::slice::from_ref(&restore.file);
    if let Err(error) = backup_file::verify(&mut connection, paths, restore.position, found.header.has_checksums).await
    {
        let text = format!("{}: `{}` does not verify: {}", at.instance, restore.file, error.message);
        let failed = Error::new(ErrorKind::BackupNotVerified, text);
        let failed = error.sql.as_deref().cloned().into_iter().fold(failed, Error::with_sql);
        return Err(failed
            .with_unchanged("Nothing was restored.")
            .with_next("Take another full backup, or look for another copy of this one.")
            .with_target(restore.file.as_str()));
    }
    connection.close().await;
    if let Some(action) = planned.actions.first() {
        at.tell(action, "done").await;
    }
    at.view.set_status("restoring the full backup");
    let mut progress = |seen: crate::sql::restore::RestoreProgress| {
        at.host.progress(Progress {
            activity: at.view.activity(),
            status: at.view.status(),
            operation: restore.file.file_name().to_string(),
            percent: Some(seen.percent as u8),
            seconds_remaining: seen.seconds_remaining,
            parts: Vec::new(),
        });
    };
    let statement = full_restore::statement_over(state_of(found), restore)?;
    let sent = full_restore::restore(at.session.connector(), &at.instance, restore, &mut progress);
    let sent = ledger.change(restore.file.as_str(), &statement, sent).await;
    is_there(at, found, sent).await?;
    if let Some(action) = planned.actions.get(1) {
        at.tell(action, "done").await;
    }
    Ok(())
}

/// The database stands at the backup's end, or the restore has failed whatever was answered.
async fn is_there(at: &Context, found: &Found, sent: Result<()>) -> Result<()> {
    let mut connection = at.session.connector().connect(&at.instance, Purpose::Catalog).await?;
    let database = at.target.database.as_str();
    let state = database::need(&mut connection, database).await?.state;
    let redo = database::redo_point(&mut connection, database).await;
    connection.close().await;
    if state == DatabaseState::Restoring && redo.is_ok_and(|redo| redo.lsn >= found.header.last_lsn) {
        return Ok(());
    }
    sent?;
    Err(Error::new(
        ErrorKind::StepNotVerified,
        format!("{}: `{database}` is {} and not at the backup's end after its restore.", at.instance, state.as_text()),
    )
    .with_next("Look into the instance's error log, then run the command again.")
    .with_target(database))
}

#[cfg(test)]
mod tests;
