//! `New-PChatLogShipping`: a primary and its secondary as a baseline or the command has them, or the other way round.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;

use super::change::{self, Asked, Change, Context, Planned, Reached};
use super::ledger::Ledger;
use super::log_shipping_plan::{plan, Found, Half};
use super::log_shipping_settings::{settings, Settings};
use crate::baseline::{self, Baseline};
use crate::document::LogShippingAddRequest;
use crate::error::{Error, ErrorKind, Result};
use crate::failback::step::archive::is_log_backup_of;
use crate::host::{Cancel, Host};
use crate::names::{InstanceName, ServerPath};
use crate::operation::{OperationResult, Session};
use crate::run::shipping::{self, Changes, Work};
use crate::run::Locks;
use crate::sql::log_backup_job::LogBackupJob;
use crate::sql::{backup_history, database, file, instance, job, log_shipping, log_shipping_primary, mirror};
use crate::sql::{Connection, Connector, Purpose};

/// How long a log backup that is under way may take.
const JOB_LIMIT: Duration = Duration::from_secs(3600);
/// The subfolder of the share that a reverse log shipping takes where old files lie in it.
const FRESH_FOLDER: &str = "reverse";

/// Sets log shipping up between two instances whose databases fit already: nothing is seeded here, and what is there stays as
/// it is. Without a secondary the instance is made a primary as its mirroring partner is one. Items `action`; result `run`.
///
/// # Errors
/// In the result: `DatabaseStateUnsuited` (5020), `LogShippingNotFound` (4001) where nothing tells the settings,
/// `StepNotVerified` (5015), `Locked` (5008), those of the journal and of the baseline.
pub(crate) async fn log_shipping_add(
    session: Arc<Session>,
    request: LogShippingAddRequest,
    host: Arc<dyn Host>,
    cancel: Cancel,
) -> Result<OperationResult> {
    change::run(Add(request), session, host, cancel).await
}

struct Add(LogShippingAddRequest);

#[async_trait]
impl Change for Add {
    type Look = (Settings, Found);

    const KIND: &'static str = "set_up_log_shipping";

    fn asked(&self) -> Asked<'_> {
        Asked::of(&self.0.target, self.0.plan_only, self.0.approved_digest.as_deref())
    }

    fn locks(&self, _at: &Context) -> Result<Vec<InstanceName>> {
        let names = [&self.0.secondary_sql_instance, &self.0.mirror_sql_instance];
        names.into_iter().filter_map(|name| parsed(name).transpose()).collect()
    }

    async fn look(&self, at: &Context) -> Result<(Self::Look, Planned)> {
        let read = async {
            let (found, baseline) = read(at, &self.0).await?;
            let settings = settings(&self.0, baseline.as_ref(), &found)?;
            let planned = plan(&self.0, &settings, &found)?;
            Ok(((settings, found), planned))
        };
        tokio::select! {
            found = read => found,
            () = at.cancel.cancelled() => Err(at.cancel.check().err().unwrap_or_else(change::gone)),
        }
    }

    async fn carry_out(&self, at: &Context, look: Self::Look, planned: &Planned, locks: Locks) -> Result<Reached> {
        let (settings, found) = look;
        let capture = json!({
            "primary": found.primary.primary,
            "secondary": found.secondary.as_ref().map(|(_, half)| &half.secondary),
            "log_backup_jobs": found.own_jobs(&at.target.sql_instance),
        });
        let ledger = Ledger::begin(at, Self::KIND, &self.0.journal, &planned.actions, &capture, locks).await?;
        let doing = Doing { at, ledger: &ledger, settings: &settings, found: &found };
        let ended = doing.all().await;
        let text = match &found.secondary {
            Some((name, _)) => {
                format!("`{}` ships its log from {} to {name}.", at.target.database, at.target.sql_instance)
            }
            None => format!(
                "`{}` on {} backs its log up to {} whenever it is the principal.",
                at.target.database, at.target.sql_instance, settings.primary.share
            ),
        };
        ledger.end(&ended, &text).await;
        ended?;
        for action in &planned.actions {
            at.tell(action, "done").await;
        }
        Ok(Reached { text, next: planned.next.clone(), error: None })
    }
}

fn parsed(name: &Option<String>) -> Result<Option<InstanceName>> {
    name.as_deref().map(str::trim).filter(|name| !name.is_empty()).map(str::parse).transpose()
}

async fn read(at: &Context, request: &LogShippingAddRequest) -> Result<(Found, Option<Baseline>)> {
    let baseline = read_baseline(request).await?;
    let primary = read_half(at, &at.instance).await?;
    let partner = partner(at, request, &primary).await?;
    let secondary = match parsed(&request.secondary_sql_instance)? {
        Some(name) => Some((name.to_string(), read_half(at, &name).await?)),
        None => None,
    };
    let mut connection = at.session.connector().connect(&at.instance, Purpose::Files).await?;
    let mut history = backup_history::read(&mut connection, &at.target.database).await?;
    let is_new = request.reverse && primary.primary.is_none();
    let share =
        request.log_backup_share.as_deref().map(str::trim).filter(|share| !share.is_empty()).map(ServerPath::new);
    let known =
        || baseline.as_ref().and_then(|found| found.instance(baseline::InstanceRole::Primary)?.primary_record());
    let fresh_folder = match share.or_else(|| known().map(|record| record.backup_share.clone())) {
        Some(share) if is_new => fresh_folder(&mut connection, &share, &at.target.database).await?,
        _ => None,
    };
    connection.close().await;
    if let Some((name, _)) = &partner {
        // After a change of roles each of both has a part of it.
        let mut connection = at.session.connector().connect(&name.parse()?, Purpose::Catalog).await?;
        let own = backup_history::read(&mut connection, &at.target.database).await?;
        history.extend(own.into_iter().filter(|set| set.is_own));
        history.sort_by_key(|set| (set.first_lsn, set.last_lsn));
        connection.close().await;
    }
    Ok((Found { primary, partner, secondary, history, fresh_folder }, baseline))
}

async fn read_baseline(request: &LogShippingAddRequest) -> Result<Option<Baseline>> {
    let Some(path) = request.baseline_path.clone().map(PathBuf::from) else { return Ok(None) };
    let database = request.target.database.clone();
    let stored = tokio::task::spawn_blocking(move || baseline::newest(&path, Some(&database)))
        .await
        .map_err(|e| Error::new(ErrorKind::InternalFault, format!("the baseline could not be read: {e}.")))??;
    Ok(Some(stored.baseline))
}

/// The other partner of a mirrored primary. Where a failover left it a log backup job, that gives way too: then it must be
/// named, and is locked.
async fn partner(at: &Context, request: &LogShippingAddRequest, primary: &Half) -> Result<Option<(String, Half)>> {
    let Some(mirroring) = &primary.mirror else { return Ok(None) };
    let named = parsed(&request.mirror_sql_instance)?;
    let is_named = named.is_some();
    let name = match named {
        Some(name) => name,
        None => mirroring.partner_instance.as_deref().unwrap_or_default().parse()?,
    };
    let half = read_half(at, &name).await?;
    if half.own_job.is_some() && !is_named {
        return Err(Error::new(
            ErrorKind::InvalidValue,
            format!("{name} has a log backup job of a failover, which gives way too."),
        )
        .with_unchanged("Nothing was changed.")
        .with_next(format!("Name the partner: -MirrorSqlInstance '{name}'.")));
    }
    Ok(Some((name.to_string(), half)))
}

/// The name of a subfolder that is not there yet, where log backups of an earlier time lie in the share: the restore job of a
/// new secondary would stumble over those of another fork.
async fn fresh_folder(connection: &mut Connection, share: &ServerPath, database: &str) -> Result<Option<String>> {
    let entries = file::list(connection, share).await?;
    if !entries.iter().any(|entry| !entry.is_folder && is_log_backup_of(&entry.name, database)) {
        return Ok(None);
    }
    let is_taken = |name: &String| entries.iter().any(|entry| entry.name.eq_ignore_ascii_case(name));
    let names = std::iter::once(FRESH_FOLDER.to_string()).chain((2..).map(|number| format!("{FRESH_FOLDER}_{number}")));
    Ok(names.into_iter().find(|name| !is_taken(name)))
}

async fn read_half(at: &Context, name: &InstanceName) -> Result<Half> {
    let database = at.target.database.as_str();
    let mut connection = at.session.connector().connect(name, Purpose::Catalog).await?;
    let facts = instance::read_facts(&mut connection).await?;
    let found = database::need(&mut connection, database).await?;
    let redo = match found.state.is_secondary() {
        true => database::redo_point(&mut connection, database).await.ok(),
        false => None,
    };
    let own = LogBackupJob { database: database.to_string(), folder: ServerPath::new("C:\\"), interval_minutes: 15 };
    let own_job = match job::find(&mut connection, &own.name()).await? {
        Some(id) => job::read(&mut connection, id).await?,
        None => None,
    };
    let primary = log_shipping_primary::read_primary(&mut connection, database).await?;
    let backup_job = match &primary {
        Some(record) => job::read(&mut connection, record.backup_job_id).await?,
        None => None,
    };
    let half = Half {
        mirror: mirror::read(&mut connection, database).await?,
        secondary: log_shipping::read_secondary(&mut connection, database).await?,
        facts,
        database: found,
        primary,
        backup_job,
        redo,
        own_job,
    };
    connection.close().await;
    Ok(half)
}

struct Doing<'a> {
    at: &'a Context,
    ledger: &'a Ledger,
    settings: &'a Settings,
    found: &'a Found,
}

#[async_trait]
impl Changes for Doing<'_> {
    async fn make<'a>(&'a self, what: &'a str, statement: &'a str, work: Work<'a>) -> Result<()> {
        self.ledger.change(what, statement, work).await
    }

    fn connector(&self) -> &Connector {
        self.at.session.connector()
    }

    fn without_monitor_login(&self, error: Error) -> Error {
        error
            .with_unchanged("What was made so far is disabled.")
            .with_next("Run the command again with -MonitorSqlInstance and -MonitorSqlCredential.")
    }
}

impl Doing<'_> {
    /// The primary's half, the secondary's half, then all jobs are enabled: none of them fires before both are there.
    async fn all(&self) -> Result<()> {
        let settings = self.settings;
        let mut primary = self.connect(&self.at.instance).await?;
        self.at.view.set_status("setting up the primary");
        if let Some(folder) = &settings.new_folder {
            self.folder(&mut primary, folder).await?;
        }
        let record = shipping::add_primary(self, &mut primary, &settings.primary, &settings.secondaries).await?;
        let mut made = None;
        if let (Some((name, _)), Some(set_up)) = (&self.found.secondary, &settings.secondary) {
            let name: InstanceName = name.parse()?;
            let mut secondary = self.connect(&name).await?;
            self.at.view.set_status("setting up the secondary");
            self.folder(&mut secondary, &set_up.destination).await?;
            let record = shipping::add_secondary(self, &mut secondary, set_up).await?;
            made = Some((secondary, record));
        }
        self.hand_over().await?;
        shipping::enable(self, &mut primary, record.backup_job_id, settings.primary.job.is_enabled).await?;
        if let Some((mut secondary, record)) = made {
            shipping::enable(self, &mut secondary, record.copy_job_id, true).await?;
            shipping::enable(self, &mut secondary, record.restore_job_id, true).await?;
            secondary.close().await;
        }
        primary.close().await;
        Ok(())
    }

    /// For writing; nothing is written on an instance that is not locked.
    async fn connect(&self, name: &InstanceName) -> Result<Connection> {
        if !self.ledger.has_lock(name).await {
            return Err(Error::new(ErrorKind::LockLost, format!("{name} is not locked."))
                .with_unchanged("What was made so far is disabled.")
                .with_next("Run the command again, with every instance named."));
        }
        self.at.session.connector().connect(name, Purpose::Work).await
    }

    async fn folder(&self, work: &mut Connection, folder: &ServerPath) -> Result<()> {
        if file::look(work, folder).await? == file::PathState::Folder {
            return Ok(());
        }
        let (what, statement) = (work.instance().to_string(), file::create_folder_statement(folder)?);
        self.ledger.change(&what, &statement, file::create_folder(work, folder)).await
    }

    /// The failover's log backup jobs give way.
    async fn hand_over(&self) -> Result<()> {
        for (instance, own) in self.found.own_jobs(&self.at.target.sql_instance) {
            let mut work = self.connect(&instance.parse()?).await?;
            let what = format!("{} on {instance}", own.name);
            if own.is_enabled {
                let statement = job::set_enabled_statement(own.job_id, false)?;
                self.ledger.change(&what, &statement, job::set_enabled(&mut work, own.job_id, false)).await?;
            }
            if !job::wait_until_idle(&mut work, own.job_id, JOB_LIMIT, &self.at.cancel).await? {
                return Err(Error::new(
                    ErrorKind::StepNotVerified,
                    format!("{instance}: the job `{}` still runs.", own.name),
                )
                .with_unchanged("It is disabled, and the jobs of log shipping are too.")
                .with_next("Wait for its end, then run the command again."));
            }
            let statement = job::delete_statement(own.job_id)?;
            self.ledger.change(&what, &statement, job::delete(&mut work, own.job_id)).await?;
            work.close().await;
        }
        Ok(())
    }
}
