//! Reading the world for a failback. Changes nothing; what cannot be read is told with its reason.

use std::path::{Path, PathBuf};

use chrono::Utc;

use super::evidence::{Evidence, LogBackupJobSeen, ServingCopy, ShareSeen};
use super::follow::{look_at, FollowingLog};
use super::guard::{CopySeen, HomeCopy, HomeRole, PresentCopy};
use super::wanted::Wanted;
use crate::baseline::{self, Baseline, InstanceBaseline, InstanceRole, Instances, StoredBaseline};
use crate::document::FailbackRequest;
use crate::error::{Error, ErrorKind, Result};
use crate::evidence::one_role::{refuse_any_two_roles, InRole};
use crate::evidence::{gather, JournalEvidence, Reading};
use crate::failback::history::{log_backups_behind, standing, HistorySet, Stand, Standing};
use crate::host::{Host, Level};
use crate::names::{InstanceName, Lsn, ServerPath};
use crate::run::Outside;
use crate::sql::compliance::{self, COMPLIANCE_DATABASE};
use crate::sql::database::{self, DatabaseState};
use crate::sql::log_backup_job::LogBackupJob;
use crate::sql::{backup_history, connection, file, job, lock, Connection, Connector, Purpose};
use crate::switch::read_services;

/// The request with its baseline inside, read from its place where that is named, so that the plan and the journal hold it.
/// Of a folder, the one that was saved while all was well is taken, and named.
///
/// # Errors
/// Those of the baseline's file.
pub(crate) async fn with_baseline(mut request: FailbackRequest, host: &dyn Host) -> Result<FailbackRequest> {
    if request.baseline.is_none() {
        if let Some(path) = request.baseline_path.clone() {
            let found = read_shipping(path, &request.target.database, host).await?;
            request.baseline_path = Some(found.path.display().to_string());
            request.baseline = Some(Box::new(found.baseline));
        }
    }
    Ok(request)
}

/// The baseline to come back to, from its file or its folder; newer ones that are passed over are told.
///
/// # Errors
/// `BaselineNotFound` (7007), `BaselineUnreadable` (7009).
pub(crate) async fn read_shipping(path: String, database: &str, host: &dyn Host) -> Result<StoredBaseline> {
    let database = database.to_string();
    let read = move || baseline::newest_shipping(PathBuf::from(path).as_path(), Some(&database));
    let (found, passed) = tokio::task::spawn_blocking(read)
        .await
        .map_err(|e| Error::new(ErrorKind::InternalFault, format!("the baseline could not be read: {e}.")))??;
    if passed > 0 {
        let newer = crate::evidence::count(passed, "newer baseline", "newer baselines");
        host.message(
            Level::Warning,
            format!(
                "{} is taken: {newer} in its folder cannot be read, or do not show log shipping as it was while all was well.",
                found.path.display()
            ),
        );
    }
    Ok(found)
}

/// The instances of a request: as named, else as the baseline has them.
///
/// # Errors
/// `InvalidValue` (1002) for a name that is none.
pub(crate) fn instances(request: &FailbackRequest) -> Result<Instances> {
    let known = |role: InstanceRole| {
        let found = request.baseline.as_ref().and_then(|baseline| baseline.instance(role));
        found.and_then(|instance| instance.sql_instance.parse().ok())
    };
    let named = |name: &Option<String>, role: InstanceRole| -> Result<Option<InstanceName>> {
        match name.as_deref().filter(|name| !name.trim().is_empty()) {
            Some(name) => Ok(Some(name.parse()?)),
            None => Ok(known(role)),
        }
    };
    Ok(Instances {
        primary: named(&request.primary_sql_instance, InstanceRole::Primary)?,
        primary_mirror: named(&request.primary_mirror_sql_instance, InstanceRole::PrimaryMirror)?,
        backup: Some(request.target.sql_instance.parse()?),
        backup_mirror: named(&request.backup_mirror_sql_instance, InstanceRole::BackupMirror)?,
    })
}

/// Reads everything that a failback is decided on.
///
/// # Errors
/// `Cancelled` (1007); `InvalidValue` (1002) for names in the request. What does not answer is told in the evidence.
pub(crate) async fn gather_all(outside: &Outside, request: &FailbackRequest) -> Result<Evidence> {
    outside.cancel.check()?;
    tokio::select! {
        evidence = Box::pin(read(outside, request)) => evidence,
        () = outside.cancel.cancelled() => {
            outside.cancel.check()?;
            Err(Error::new(ErrorKind::Cancelled, "the look was cancelled."))
        }
    }
}

async fn read(outside: &Outside, request: &FailbackRequest) -> Result<Evidence> {
    let (connector, host) = (outside.session.connector(), outside.host.as_ref());
    let (database, pool_fqdn) = (request.target.database.as_str(), request.target.pool_fqdn.as_deref());
    let named = instances(request)?;
    let now = baseline::read_all(connector, host, pool_fqdn, named, database, COMPLIANCE_DATABASE).await;
    all_different(&now)?;
    let pool = gather::read_pool(host, pool_fqdn, &request.spellings, &[]).await;
    let backup = serving(connector, &now, database).await.into();
    let history: Reading<Vec<HistorySet>> = history(connector, &now, database).await.into();
    let sets = history.known().map(Vec::as_slice).unwrap_or_default();
    let family = Reading::known(&backup).map(|copy: &ServingCopy| copy.family_id);
    let home = |role, instance: Option<&InstanceBaseline>| {
        let instance = instance.cloned();
        async move { Some(home_copy(connector, role, &instance?, database, family, sets).await) }
    };
    let (primary, primary_mirror) = tokio::join!(
        home(HomeRole::Primary, now.instance(InstanceRole::Primary)),
        home(HomeRole::Mirror, now.instance(InstanceRole::PrimaryMirror)),
    );
    let primary = primary.unwrap_or_else(|| HomeCopy {
        role: HomeRole::Primary,
        instance: "the primary".to_string(),
        seen: CopySeen::Unknown("nobody names it: neither the command, nor a baseline, nor the topology".to_string()),
    });
    let following = following(connector, &now, &primary, sets).await.into();
    let wanted = Wanted::of(request, &now);
    Ok(Evidence {
        gathered_at_utc: Utc::now(),
        sql_instance: request.target.sql_instance.clone(),
        database: database.to_string(),
        log_backup_jobs: log_backup_jobs(connector, &now, database).await,
        shares: shares(connector, &now, wanted.share.as_ref(), request.mirror_file_share.as_deref()).await,
        compliance_rows: compliance_rows(connector, &now).await,
        services: read_services(outside, &pool).await,
        sessions: sessions(connector, &now, database).await.into(),
        journal: journal_places(outside, request).await,
        lock_holder: lock_holder(connector, &now, database).await.into(),
        now,
        pool,
        backup,
        history,
        primary,
        primary_mirror,
        following,
    })
}

/// What is overwritten must not be what serves.
///
/// # Errors
/// `InvalidValue` (1002) with both roles.
fn all_different(now: &Baseline) -> Result<()> {
    let named: Vec<InRole<'_>> = now
        .instances
        .iter()
        .map(|instance| InRole {
            role: instance.role.as_text(),
            name: &instance.sql_instance,
            own_name: instance.facts.known().map(|facts| facts.server_name.as_str()),
        })
        .collect();
    refuse_any_two_roles(&named)
}

/// A connection to the instance of a role.
async fn at(connector: &Connector, now: &Baseline, role: InstanceRole, purpose: Purpose) -> Result<Connection> {
    let instance = now.instance(role).ok_or_else(|| {
        Error::new(ErrorKind::InvalidValue, format!("nobody names the instance that is the {}.", role.as_text()))
    })?;
    connector.connect(&instance.sql_instance.parse()?, purpose).await
}

async fn serving(connector: &Connector, now: &Baseline, database: &str) -> Result<ServingCopy> {
    let mut connection = at(connector, now, InstanceRole::Backup, Purpose::Catalog).await?;
    let found = backup_history::identity(&mut connection, database).await?.ok_or_else(|| {
        Error::new(ErrorKind::DatabaseNotFound, format!("`{database}` is not online on {}.", connection.instance()))
    })?;
    Ok(ServingCopy {
        family_id: found.family_id,
        fork_id: found.fork_id,
        last_log_backup_lsn: found.last_log_backup_lsn,
    })
}

/// What both partners of the backup remember: after a role swap among them each has a part of it.
async fn history(connector: &Connector, now: &Baseline, database: &str) -> Result<Vec<HistorySet>> {
    let mut connection = at(connector, now, InstanceRole::Backup, Purpose::Catalog).await?;
    let mut sets = backup_history::read(&mut connection, database).await?;
    let mirror = now.instance(InstanceRole::BackupMirror).filter(|mirror| mirror.facts.known().is_some());
    if mirror.is_some() {
        let mut connection = at(connector, now, InstanceRole::BackupMirror, Purpose::Catalog).await?;
        let own = backup_history::read(&mut connection, database).await?;
        sets.extend(own.into_iter().filter(|set| set.is_own));
    }
    sets.sort_by_key(|set| (set.first_lsn, set.last_lsn));
    Ok(sets)
}

async fn home_copy(
    connector: &Connector,
    role: HomeRole,
    instance: &InstanceBaseline,
    database: &str,
    family: Option<uuid::Uuid>,
    history: &[HistorySet],
) -> HomeCopy {
    let seen = match copy_seen(connector, instance, database, family, history).await {
        Ok(seen) => seen,
        Err(error) => CopySeen::Unknown(error.message.trim_end_matches('.').to_string()),
    };
    HomeCopy { role, instance: instance.sql_instance.clone(), seen }
}

async fn copy_seen(
    connector: &Connector,
    instance: &InstanceBaseline,
    database: &str,
    family: Option<uuid::Uuid>,
    history: &[HistorySet],
) -> Result<CopySeen> {
    let found = match &instance.database {
        Reading::Known(None) => return Ok(CopySeen::Absent),
        Reading::Known(Some(found)) => found,
        other => return Ok(CopySeen::Unknown(other.why().unwrap_or_default().to_string())),
    };
    let mirroring = match &found.mirroring {
        Reading::Known(mirroring) => mirroring.clone(),
        other => return Ok(CopySeen::Unknown(other.why().unwrap_or_default().to_string())),
    };
    let mut copy = PresentCopy {
        state: found.facts.state,
        mirroring,
        is_same_family: None,
        rows: None,
        stand: None,
        standing: None,
    };
    let mut connection = connector.connect(&instance.sql_instance.parse()?, Purpose::Catalog).await?;
    match copy.state {
        DatabaseState::Online => {
            let identity = backup_history::identity(&mut connection, database).await?;
            copy.is_same_family = identity.zip(family).map(|(identity, family)| identity.family_id == family);
            copy.stand = identity.map(|identity| Stand {
                lsn: identity.last_log_backup_lsn.unwrap_or(Lsn::ZERO),
                fork_id: identity.fork_id,
            });
            // Somebody may sit on the only seat of it: then it counts as full.
            let rows = database::count_rows(&mut connection, database).await;
            copy.rows = rows.ok().map(|table| table.map_or(0, |table| table.rows));
        }
        DatabaseState::Restoring | DatabaseState::Standby if copy.mirroring.is_none() => {
            match database::redo_point(&mut connection, database).await {
                Ok(redo) => {
                    let stand = Stand { lsn: redo.lsn, fork_id: redo.fork_id };
                    copy.is_same_family = redo.family_id.zip(family).map(|(redo, family)| redo == family);
                    copy.stand = Some(stand);
                    copy.standing = Some(standing(history, stand));
                }
                Err(error) => {
                    let why = error.message.trim_end_matches('.').to_string();
                    copy.standing = Some(Standing::OffHistory { why });
                }
            }
        }
        _ => {}
    }
    connection.close().await;
    Ok(CopySeen::Present(Box::new(copy)))
}

/// What the primary wants next where it is restoring on the history, each looked at through its own eyes.
async fn following(
    connector: &Connector,
    now: &Baseline,
    primary: &HomeCopy,
    history: &[HistorySet],
) -> Result<Vec<FollowingLog>> {
    let CopySeen::Present(copy) = &primary.seen else { return Ok(Vec::new()) };
    let (Some(stand), Some(Standing::OnHistory)) = (copy.stand, &copy.standing) else { return Ok(Vec::new()) };
    let mut connection = at(connector, now, InstanceRole::Primary, Purpose::Files).await?;
    let mut logs = Vec::new();
    for set in log_backups_behind(history, stand.lsn) {
        logs.push(look_at(&mut connection, set).await?);
    }
    connection.close().await;
    Ok(logs)
}

async fn log_backup_jobs(connector: &Connector, now: &Baseline, database: &str) -> Vec<LogBackupJobSeen> {
    let mut jobs = Vec::new();
    for role in [InstanceRole::Backup, InstanceRole::BackupMirror] {
        let Some(instance) = now.instance(role).filter(|instance| instance.facts.known().is_some()) else { continue };
        if let Ok(Some(seen)) = log_backup_job(connector, role, &instance.sql_instance, database).await {
            jobs.push(seen);
        }
    }
    jobs
}

/// Our log backup job on one instance.
pub(crate) async fn log_backup_job(
    connector: &Connector,
    role: InstanceRole,
    name: &str,
    database: &str,
) -> Result<Option<LogBackupJobSeen>> {
    let mut connection = connector.connect(&name.parse()?, Purpose::Catalog).await?;
    let own = LogBackupJob { database: database.to_string(), folder: ServerPath::new("C:\\"), interval_minutes: 15 };
    let Some(job_id) = job::find(&mut connection, &own.name()).await? else { return Ok(None) };
    let Some(found) = job::read(&mut connection, job_id).await? else { return Ok(None) };
    let command = job::first_step_command(&mut connection, job_id).await?.unwrap_or_default();
    connection.close().await;
    Ok(Some(LogBackupJobSeen { role, sql_instance: name.to_string(), job_id, is_enabled: found.is_enabled, command }))
}

async fn shares(
    connector: &Connector,
    now: &Baseline,
    share: Option<&ServerPath>,
    mirror_share: Option<&str>,
) -> Vec<ShareSeen> {
    let mut wanted: Vec<(InstanceRole, ServerPath)> = Vec::new();
    for role in InstanceRole::ALL {
        if let Some(share) = share {
            wanted.push((role, share.clone()));
        }
        let is_home = matches!(role, InstanceRole::Primary | InstanceRole::PrimaryMirror);
        if let Some(share) = mirror_share.filter(|_| is_home) {
            wanted.push((role, ServerPath::new(share)));
        }
    }
    let mut seen = Vec::new();
    for (role, path) in wanted {
        if now.instance(role).is_none_or(|instance| instance.facts.known().is_none()) {
            continue;
        }
        let is_there = async {
            let mut connection = at(connector, now, role, Purpose::Files).await?;
            let state = file::look(&mut connection, &path).await?;
            connection.close().await;
            Ok::<_, Error>(state == file::PathState::Folder)
        };
        seen.push(ShareSeen { role, is_there: is_there.await.into(), path });
    }
    seen
}

/// What compliance still has to process on the backup.
async fn compliance_rows(connector: &Connector, now: &Baseline) -> Reading<u64> {
    let there = now.instance(InstanceRole::Backup).and_then(|instance| instance.compliance.known());
    match there {
        None => return Reading::Unknown("the backup does not tell whether it has a compliance database".to_string()),
        Some(None) => return Reading::NotAsked("the backup has no compliance database".to_string()),
        Some(Some(_)) => {}
    }
    let count = async {
        let mut connection = at(connector, now, InstanceRole::Backup, Purpose::Catalog).await?;
        let left = compliance::unprocessed(&mut connection).await?;
        connection.close().await;
        Ok::<_, Error>(left)
    };
    count.await.into()
}

async fn sessions(connector: &Connector, now: &Baseline, database: &str) -> Result<Vec<connection::DatabaseSession>> {
    let mut connection = at(connector, now, InstanceRole::Backup, Purpose::Catalog).await?;
    connection::list(&mut connection, database).await
}

async fn lock_holder(connector: &Connector, now: &Baseline, database: &str) -> Result<Option<String>> {
    for role in InstanceRole::ALL {
        if now.instance(role).is_none_or(|instance| instance.facts.known().is_none()) {
            continue;
        }
        let mut connection = at(connector, now, role, Purpose::Catalog).await?;
        if let Some(holder) = lock::holder(&mut connection, database).await? {
            return Ok(Some(format!("{holder}, on {}", connection.instance())));
        }
    }
    Ok(None)
}

/// The journal's second copy goes to the baseline's folder where no other is named. A run is refused at its start where another
/// one is open.
async fn journal_places(outside: &Outside, request: &FailbackRequest) -> JournalEvidence {
    let beside_the_baseline = || {
        let folder = baseline::folder_of(Path::new(request.baseline_path.as_deref()?));
        Some(folder.display().to_string())
    };
    gather::journal_places(outside.session.file_system().as_ref(), &request.journal, beside_the_baseline).await
}
