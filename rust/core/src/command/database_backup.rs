//! `Backup-PChatDatabase`: full, log, tail or salvage, into a new file, verified.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{NaiveDateTime, Utc};
use serde_json::json;
use tokio::time::Instant;

use super::change::{self, Action, Asked, Change, Context, Planned, Reached};
use super::ledger::Ledger;
use crate::document::{BackupType, DatabaseBackup, DatabaseBackupRequest};
use crate::error::{Error, ErrorKind, Result};
use crate::host::{Cancel, Host, Progress};
use crate::log_chain::Header;
use crate::names::ServerPath;
use crate::operation::{OperationResult, Session};
use crate::run::Locks;
use crate::sql::backup::{self, Attempt, BackupOrder, BackupWhat};
use crate::sql::backup_file::{verify, verify_statement};
use crate::sql::class::{class_of, SqlErrorClass};
use crate::sql::database::{self, DatabaseFacts, DatabaseState};
use crate::sql::instance::{self, InstanceFacts};
use crate::sql::log_shipping_primary::{self, PrimaryRecord};
use crate::sql::mirror::{self, Mirror, MirrorRole};
use crate::sql::Purpose;

/// Tries for errors that pass by themselves, such as another backup that is running.
const TRIES: u32 = 5;
const FULL_RECOVERY_MODELS: std::ops::RangeInclusive<i64> = 1..=2;

/// Takes one backup and verifies it. Log and tail backups of a database that ships its log go to its share under log
/// shipping's own names and belong to its chain; anything else is COPY_ONLY. Items `action` with `plan_only`, else `backup`;
/// result `run`.
///
/// # Errors
/// In the result: `DatabaseStateUnsuited` (5020), `DatabaseInUse` (3004), `BackupNotVerified` (4009), `FileExists` (4010),
/// `Locked` (5008), those of the journal.
pub(crate) async fn database_backup(
    session: Arc<Session>,
    request: DatabaseBackupRequest,
    host: Arc<dyn Host>,
    cancel: Cancel,
) -> Result<OperationResult> {
    change::run(Backup(request), session, host, cancel).await
}

struct Backup(DatabaseBackupRequest);

/// What it decided on.
pub(super) struct Found {
    pub instance: InstanceFacts,
    pub database: DatabaseFacts,
    pub mirror: Option<Mirror>,
    pub shipping: Option<PrimaryRecord>,
    pub default_folder: Option<ServerPath>,
}

/// Where a backup goes, and whether it belongs to log shipping's chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Goal {
    pub what: BackupWhat,
    pub folder: ServerPath,
    pub copy_only: bool,
}

impl Goal {
    fn order(&self, database: &str, at_utc: NaiveDateTime) -> BackupOrder {
        BackupOrder {
            database: database.to_string(),
            what: self.what,
            file: self.folder.join(&backup::backup_name(database, self.what, at_utc)),
            copy_only: self.copy_only,
        }
    }
}

#[async_trait]
impl Change for Backup {
    type Look = (Found, Option<Goal>);

    const KIND: &'static str = "backup";

    fn asked(&self) -> Asked<'_> {
        Asked::of(&self.0.target, self.0.plan_only, self.0.approved_digest.as_deref())
    }

    async fn look(&self, at: &Context) -> Result<(Self::Look, Planned)> {
        let found = tokio::select! {
            found = read(at) => found?,
            () = at.cancel.cancelled() => return Err(at.cancel.check().err().unwrap_or_else(change::gone)),
        };
        let (goal, planned) = plan(&self.0, &found, Utc::now().naive_utc())?;
        Ok(((found, goal), planned))
    }

    async fn carry_out(&self, at: &Context, look: Self::Look, planned: &Planned, locks: Locks) -> Result<Reached> {
        let (found, Some(goal)) = look else {
            locks.release().await;
            return Err(Error::new(ErrorKind::InternalFault, "a backup was planned without a place."));
        };
        let capture =
            json!({"database": found.database, "mirroring": found.mirror, "log_shipping_primary": found.shipping});
        let ledger = Ledger::begin(at, Self::KIND, &self.0.journal, &planned.actions, &capture, locks).await?;
        let limit = Duration::from_secs(u64::from(self.0.limit_seconds.max(1)));
        let ended = work(at, &ledger, &goal, limit).await;
        let done = ended.as_ref().map_or(String::new(), |taken| taken.text(at));
        ledger.end(&ended, &done).await;
        let taken = ended?;
        let _ = at.host.item("backup", json!(taken.item(at, self.0.backup_type))).await;
        Ok(Reached { text: done, next: planned.next.clone(), error: None })
    }
}

async fn read(at: &Context) -> Result<Found> {
    let mut connection = at.session.connector().connect(&at.instance, Purpose::Catalog).await?;
    let database = at.target.database.as_str();
    let found = Found {
        instance: instance::read_facts(&mut connection).await?,
        database: database::need(&mut connection, database).await?,
        mirror: mirror::read(&mut connection, database).await?,
        shipping: log_shipping_primary::read_primary(&mut connection, database).await?,
        default_folder: instance::default_backup_folder(&mut connection).await?,
    };
    connection.close().await;
    Ok(found)
}

/// What would be done on what was found. Pure.
pub(super) fn plan(
    request: &DatabaseBackupRequest,
    found: &Found,
    now_utc: NaiveDateTime,
) -> Result<(Option<Goal>, Planned)> {
    let database = found.database.name.as_str();
    let mut planned = Planned::default();
    let mut fact = |name: &str, value: &str| planned.facts.insert(name.to_string(), value.to_string());
    fact("instance", &found.instance.server_name);
    fact("database", database);
    fact("lab", found.instance.lab_id.as_deref().unwrap_or("none"));
    fact("database_state", found.database.state.as_text());
    fact("role", found.mirror.as_ref().map_or("none", |mirror| mirror.role.as_text()));
    fact("ships_its_log", if found.shipping.is_some() { "yes" } else { "no" });
    if let Some(refusal) = refusal(request, found) {
        planned.refusal = Some(refusal);
        return Ok((None, planned));
    }
    let goal = goal(request, found)?;
    planned.facts.insert("folder".to_string(), goal.folder.to_string());
    let order = goal.order(database, now_utc);
    planned.actions.push(Action {
        action: "backup",
        object: order.file.to_string(),
        statement: backup::batch_of(&order)?,
        text: "named by the second in which it is taken (UTC)".to_string(),
    });
    planned.actions.push(Action {
        action: "verify_backup",
        object: order.file.to_string(),
        statement: verify_statement(std::slice::from_ref(&order.file), 1, goal.what != BackupWhat::Salvage)?,
        text: "read to its end".to_string(),
    });
    planned.text = said(&goal, request, found);
    if goal.what == BackupWhat::Tail {
        planned.next.push(format!(
            "`{database}` is RESTORING and serves nobody. Restore this file on the other side and recover that; or bring it back here: \
             Restore-PChatDatabase {}",
            request.target.sql_instance
        ));
    }
    if goal.what == BackupWhat::Salvage && found.database.state == DatabaseState::Online {
        planned.next.push(format!(
            "`{database}` was ONLINE and stays writable: what came after this backup is not in it. Stop the services first for the last word."
        ));
    }
    Ok((Some(goal), planned))
}

fn said(goal: &Goal, request: &DatabaseBackupRequest, found: &Found) -> String {
    let (database, instance) = (found.database.name.as_str(), request.target.sql_instance.as_str());
    let chain = if goal.copy_only { "COPY_ONLY: no chain is touched" } else { "part of log shipping's chain" };
    match goal.what {
        BackupWhat::Database => format!("Full backup of `{database}` on {instance} to {} ({chain}), verified.", goal.folder),
        BackupWhat::Log => format!("Log backup of `{database}` on {instance} to {} ({chain}), verified.", goal.folder),
        BackupWhat::Tail => format!(
            "End every session in `{database}` on {instance}, take the tail of its log to {} ({chain}) and leave it RESTORING.",
            goal.folder
        ),
        BackupWhat::Salvage => {
            format!("Save what the log of `{database}` on {instance} holds to {}, damaged or not.", goal.folder)
        }
    }
}

fn goal(request: &DatabaseBackupRequest, found: &Found) -> Result<Goal> {
    let what = what(request.backup_type);
    let named = request.folder.as_deref().map(str::trim).filter(|path| !path.is_empty()).map(ServerPath::new);
    let belongs = matches!(what, BackupWhat::Log | BackupWhat::Tail);
    let shipping = found.shipping.as_ref().filter(|_| belongs);
    let (folder, in_chain) = match (named, shipping) {
        (None, Some(record)) => (Some(record.backup_directory.clone()), true),
        (Some(named), Some(record)) => {
            let is_its_own = named.same_as(&record.backup_directory) || named.same_as(&record.backup_share);
            (Some(named), is_its_own)
        }
        (named, None) => (named.or_else(|| found.default_folder.clone()), false),
    };
    let folder = folder.ok_or_else(|| {
        Error::new(ErrorKind::InvalidValue, "the instance does not tell its folder for backups.")
            .with_unchanged("Nothing was changed.")
            .with_next("Name a folder with -Path, as the instance opens it.")
    })?;
    Ok(Goal { what, folder, copy_only: !in_chain })
}

fn what(backup_type: BackupType) -> BackupWhat {
    match backup_type {
        BackupType::Full => BackupWhat::Database,
        BackupType::Log => BackupWhat::Log,
        BackupType::Tail => BackupWhat::Tail,
        BackupType::Salvage => BackupWhat::Salvage,
    }
}

/// Why it cannot be taken, where SQL Server would refuse it or nobody could use it.
fn refusal(request: &DatabaseBackupRequest, found: &Found) -> Option<Error> {
    let (database, state) = (found.database.name.as_str(), found.database.state);
    let unsuited = |why: String, next: &str| {
        Some(
            Error::new(ErrorKind::DatabaseStateUnsuited, format!("{}: {why}.", request.target.sql_instance))
                .with_unchanged("No backup was taken.")
                .with_next(next)
                .with_target(database),
        )
    };
    let role = found.mirror.as_ref().map(|mirror| mirror.role);
    if role == Some(MirrorRole::Mirror) {
        let partner = found.mirror.as_ref().and_then(|mirror| mirror.partner_instance.clone()).unwrap_or_default();
        return unsuited(
            format!("`{database}` is the mirror here, and a mirror cannot be backed up"),
            &format!("Take the backup on the principal, {partner}."),
        );
    }
    let fits = match request.backup_type {
        BackupType::Salvage => {
            !matches!(state, DatabaseState::Restoring | DatabaseState::Standby | DatabaseState::Offline)
        }
        _ => state == DatabaseState::Online,
    };
    if !fits {
        let next = match state {
            DatabaseState::Offline => "Set it online first: `ALTER DATABASE … SET ONLINE`.",
            DatabaseState::Restoring | DatabaseState::Standby => "Take the backup on the instance that serves it.",
            _ => "Look into the instance's error log; -Type Salvage saves what the log of a damaged database holds.",
        };
        return unsuited(format!("`{database}` is {}", state.as_text().to_uppercase()), next);
    }
    if request.backup_type == BackupType::Tail && role.is_some() {
        return unsuited(
            format!("`{database}` is mirrored, and the tail of a mirrored database cannot be taken"),
            "Stop the services, then Remove-PChatMirror, then take the tail.",
        );
    }
    if request.backup_type != BackupType::Full && !FULL_RECOVERY_MODELS.contains(&found.database.recovery_model) {
        return unsuited(
            format!("`{database}` has the simple recovery model and no log to back up"),
            "Set the full recovery model and take a full backup first.",
        );
    }
    None
}

/// What was taken.
struct Taken {
    order: BackupOrder,
    header: Header,
    is_verified: bool,
}

impl Taken {
    fn text(&self, at: &Context) -> String {
        let kind = match self.order.what {
            BackupWhat::Database => "The full backup",
            BackupWhat::Log => "The log backup",
            BackupWhat::Tail => "The tail of the log",
            BackupWhat::Salvage => "What the log holds",
        };
        format!(
            "{kind} of `{}` on {} is in {} (LSN {} to {}){}.",
            self.order.database,
            at.target.sql_instance,
            self.order.file,
            self.header.first_lsn,
            self.header.last_lsn,
            if self.is_verified { ", verified with its checksums" } else { "; it has no checksums" }
        )
    }

    fn item(&self, at: &Context, backup_type: BackupType) -> DatabaseBackup {
        let (backup_type, state) = match backup_type {
            BackupType::Full => ("full", "online"),
            BackupType::Log => ("log", "online"),
            BackupType::Tail => ("tail", "restoring"),
            BackupType::Salvage => ("salvage", "unchanged"),
        };
        DatabaseBackup {
            sql_instance: at.target.sql_instance.clone(),
            database: self.order.database.clone(),
            pool_fqdn: at.target.pool_fqdn.clone(),
            backup_type: backup_type.to_string(),
            backup_file: self.order.file.to_string(),
            first_lsn: self.header.first_lsn,
            last_lsn: self.header.last_lsn,
            size_bytes: self.header.size_bytes,
            is_copy_only: self.header.is_copy_only,
            is_verified: self.is_verified,
            database_state: state.to_string(),
        }
    }
}

async fn work(at: &Context, ledger: &Ledger, goal: &Goal, limit: Duration) -> Result<Taken> {
    let (order, header) = take(at, ledger, goal, limit).await?;
    at.view.set_status("verifying the backup");
    let mut connection = at.session.connector().connect(&at.instance, Purpose::Work).await?;
    let paths = std::slice::from_ref(&order.file);
    if let Err(error) = verify(&mut connection, paths, 1, header.has_checksums).await {
        let found = Error::new(
            ErrorKind::BackupNotVerified,
            format!("{}: `{}` does not verify: {}", at.instance, order.file, error.message),
        );
        let found = error.sql.as_deref().cloned().into_iter().fold(found, Error::with_sql);
        return Err(found
            .with_unchanged(format!("The file is kept; `{}` is as the backup left it.", order.database))
            .with_next(
                "Look at the disk or share that it was written to, and take another backup before you rely on one.",
            )
            .with_target(order.file.as_str()));
    }
    connection.close().await;
    let is_verified = header.has_checksums;
    Ok(Taken { order, header, is_verified })
}

/// Attempts until one succeeds; each has a file of its own, taken down before it is sent.
async fn take(at: &Context, ledger: &Ledger, goal: &Goal, limit: Duration) -> Result<(BackupOrder, Header)> {
    at.view.set_status("taking the backup");
    let end = Instant::now() + limit;
    let (mut last, mut tries) = (NaiveDateTime::MIN, 0);
    loop {
        tries += 1;
        let now = Utc::now().naive_utc();
        // The next attempt within the same second needs another name.
        let stamp = if now > last + chrono::Duration::seconds(1) { now } else { last + chrono::Duration::seconds(1) };
        last = stamp;
        let order = goal.order(&at.target.database, stamp);
        let mut progress = |seen: crate::sql::restore::RestoreProgress| {
            at.host.progress(Progress {
                activity: at.view.activity(),
                status: at.view.status(),
                operation: order.file.file_name().to_string(),
                percent: Some(seen.percent as u8),
                seconds_remaining: seen.seconds_remaining,
                parts: Vec::new(),
            });
        };
        let statement = backup::batch_of(&order)?;
        let attempt = backup::take(at.session.connector(), &at.instance, &order, &mut progress);
        let refused = match ledger.change(order.file.as_str(), &statement, attempt).await {
            Ok(Attempt::Taken(header)) => return Ok((order, *header)),
            Ok(Attempt::InUse(error)) if Instant::now() < end => error,
            Ok(Attempt::InUse(error)) => {
                return Err(Error { kind: ErrorKind::DatabaseInUse, ..error }
                    .with_unchanged(format!("`{}` is ONLINE; its tail was not taken.", order.database))
                    .with_next("Stop the services and tools that come back into it (its access may be SINGLE_USER: Set MULTI_USER), then again."))
            }
            Err(error) if tries < TRIES && passes(&error) => error,
            Err(error) => return Err(error),
        };
        at.cancel.check()?;
        drop(refused);
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

/// A file of the same second, such as the job's own, is in the way for that second alone.
fn passes(error: &Error) -> bool {
    error.kind == ErrorKind::FileExists
        || error.sql_number().is_some_and(|number| class_of(number) == SqlErrorClass::Transient)
}

#[cfg(test)]
mod tests;
