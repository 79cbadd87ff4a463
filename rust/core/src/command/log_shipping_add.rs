//! `New-PChatLogShipping`: a primary and its secondary as a baseline or the command has them, or the other way round.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;

use super::change::{self, Asked, Change, Context, Planned, Reached};
use super::ledger::Ledger;
use super::log_shipping_look::{ask_for_roles, lacks_copy_folder, parsed, read};
use super::log_shipping_plan::{plan, Found};
use super::log_shipping_refusal::refusal;
use super::log_shipping_settings::{settings, Settings};
use crate::document::LogShippingAddRequest;
use crate::error::{Error, ErrorKind, Result};
use crate::host::{Cancel, Host, Level, NativeCommand, Progress};
use crate::names::{InstanceName, ServerPath};
use crate::operation::{OperationResult, Session};
use crate::pool::NewPrincipal;
use crate::run::roles::{self, Pair};
use crate::run::shipping::{self, Changes, Work};
use crate::run::Locks;
use crate::sql::job::Job;
use crate::sql::{file, job};
use crate::sql::{Connection, Connector, Purpose};

/// How long a log backup that is under way may take.
const JOB_LIMIT: Duration = Duration::from_secs(3600);
/// How long two partners may take to change their roles.
const ROLES_LIMIT: Duration = Duration::from_secs(600);

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
            let (mut found, baseline) = read(at, &self.0).await?;
            let settings = settings(&self.0, baseline.as_ref(), &found)?;
            if refusal(&self.0, &settings, &found).is_none() {
                found.lacks_copy_folder = lacks_copy_folder(at, &settings, &found).await?;
                if found.needs_roles(&settings) {
                    found.roles_module = ask_for_roles(at, &found).await?;
                }
            }
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
        let doing = Doing { at, ledger: &ledger, request: &self.0, settings: &settings, found: &found };
        let ended = doing.all().await;
        let text = match &found.secondary {
            Some((name, _)) => {
                let partner = found.partner.as_ref().filter(|_| settings.partner.is_some());
                let partner = partner.map_or(String::new(), |(partner, _)| format!(" and {partner}"));
                format!("`{}` ships its log from {}{partner} to {name}.", at.target.database, at.target.sql_instance)
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

struct Doing<'a> {
    at: &'a Context,
    ledger: &'a Ledger,
    request: &'a LogShippingAddRequest,
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

#[async_trait]
impl Pair for Doing<'_> {
    fn database(&self) -> &str {
        &self.at.target.database
    }

    fn pool_fqdn(&self) -> Result<&str> {
        Ok(self.at.target.pool_fqdn.as_deref().unwrap_or_default())
    }

    async fn native(&self, command: NativeCommand) -> Result<()> {
        self.ledger.native(NativeCommand { module: self.found.roles_module.clone(), ..command }).await
    }

    fn limit(&self) -> Duration {
        ROLES_LIMIT
    }

    async fn wait_a_moment(&self, what: &str, time: Duration) -> Result<()> {
        self.at.host.progress(Progress {
            activity: format!("Setting log shipping of {} up", self.at.target.database),
            status: self.at.view.status(),
            operation: what.to_string(),
            percent: None,
            seconds_remaining: None,
            parts: Vec::new(),
        });
        tokio::select! {
            () = tokio::time::sleep(time) => Ok(()),
            () = self.at.cancel.cancelled() => self.at.cancel.check(),
        }
    }

    fn goes_on_with(&self) -> &'static str {
        "the command again"
    }
}

/// The jobs that were made, each on its instance.
type Made = Vec<(InstanceName, uuid::Uuid)>;

impl Doing<'_> {
    /// The failover's log backup jobs rest, both sides are made, those jobs are deleted, and the new ones enabled: two takers of
    /// log backups never work side by side.
    async fn all(&self) -> Result<()> {
        let made = async {
            self.rest_own_jobs().await?;
            self.set_up().await
        };
        let made = match made.await {
            Ok(made) => made,
            Err(error) => {
                self.own_jobs_back().await;
                return Err(error);
            }
        };
        self.at.view.set_status("enabling the jobs");
        self.delete_own_jobs().await?;
        for (instance, id) in made {
            let mut work = self.connect(&instance).await?;
            shipping::enable(self, &mut work, id, true).await?;
            work.close().await;
        }
        Ok(())
    }

    /// Every record with its jobs, disabled.
    async fn set_up(&self) -> Result<Made> {
        let settings = self.settings;
        let target = &self.at.instance;
        let mut made = Made::new();
        let mut primary = self.connect(target).await?;
        self.at.view.set_status("setting up the primary");
        if let Some(folder) = settings.new_folder.as_ref().filter(|_| self.found.primary.primary.is_none()) {
            self.folder(&mut primary, folder).await?;
        }
        let record = shipping::add_primary(self, &mut primary, &settings.primary, &settings.secondaries).await?;
        primary.close().await;
        made.push((target.clone(), record.backup_job_id));
        let mut secondary_jobs = Made::new();
        if let (Some((name, _)), Some(set_up)) = (&self.found.secondary, &settings.secondary) {
            let name: InstanceName = name.parse()?;
            let mut secondary = self.connect(&name).await?;
            self.at.view.set_status("setting up the secondary");
            if self.found.lacks_copy_folder {
                self.folder(&mut secondary, &set_up.destination).await?;
            }
            let record = shipping::add_secondary(self, &mut secondary, set_up).await?;
            secondary.close().await;
            secondary_jobs.extend([(name.clone(), record.copy_job_id), (name, record.restore_job_id)]);
        }
        made.extend(self.set_up_partner().await?);
        made.extend(secondary_jobs);
        Ok(made)
    }

    /// The mirroring partner as a primary. A mirror cannot be made one, so the roles are changed, and changed back whatever
    /// became of it.
    async fn set_up_partner(&self) -> Result<Made> {
        let (Some((name, _)), Some(set_up)) = (&self.found.partner, &self.settings.partner) else {
            return Ok(Made::new());
        };
        let (target, partner): (&InstanceName, InstanceName) = (&self.at.instance, name.parse()?);
        let needs_roles = self.found.needs_roles(self.settings);
        self.at.view.set_status("setting up the mirroring partner");
        if needs_roles {
            roles::change(self, target, &partner, NewPrincipal::Mirror).await?;
        }
        let added = async {
            let mut work = self.connect(&partner).await?;
            let record = shipping::add_primary(self, &mut work, set_up, &self.settings.secondaries).await?;
            work.close().await;
            Ok(record.backup_job_id)
        };
        let added: Result<uuid::Uuid> = added.await;
        if needs_roles {
            roles::change(self, &partner, target, NewPrincipal::Primary).await?;
        }
        Ok(vec![(partner, added?)])
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
        let (what, statement) = (work.instance().to_string(), file::create_folder_statement(folder)?);
        self.ledger.change(&what, &statement, file::create_folder(work, folder)).await
    }

    /// The failover's log backup jobs take no log backup from here on. What they took since the secondary was looked at must
    /// still be in its reach.
    async fn rest_own_jobs(&self) -> Result<()> {
        let own_jobs = self.found.own_jobs(&self.at.target.sql_instance);
        for (instance, own) in &own_jobs {
            let mut work = self.connect(&instance.parse()?).await?;
            if own.is_enabled {
                let (what, statement) = (what(own, instance), job::set_enabled_statement(own.job_id, false)?);
                self.ledger.change(&what, &statement, job::set_enabled(&mut work, own.job_id, false)).await?;
            }
            if !job::wait_until_idle(&mut work, own.job_id, JOB_LIMIT, &self.at.cancel).await? {
                return Err(Error::new(
                    ErrorKind::StepNotVerified,
                    format!("{instance}: the job `{}` still runs.", own.name),
                )
                .with_unchanged("Nothing of log shipping was made.")
                .with_next("Wait for its end, then run the command again."));
            }
            work.close().await;
        }
        if own_jobs.is_empty() {
            return Ok(());
        }
        let (found, _) = read(self.at, self.request).await?;
        refusal(self.request, self.settings, &found).map_or(Ok(()), Err)
    }

    /// As it was before: log backups go on, where nothing else takes them.
    async fn own_jobs_back(&self) {
        for (instance, own) in self.found.own_jobs(&self.at.target.sql_instance) {
            if !own.is_enabled {
                continue;
            }
            let back = async {
                let mut work = self.connect(&instance.parse()?).await?;
                if job::read(&mut work, own.job_id).await?.is_some_and(|job| !job.is_enabled) {
                    let (what, statement) = (what(own, instance), job::set_enabled_statement(own.job_id, true)?);
                    self.ledger.change_back(&what, &statement, job::set_enabled(&mut work, own.job_id, true)).await?;
                }
                work.close().await;
                Ok(())
            };
            let back: Result<()> = back.await;
            if let Err(error) = back {
                let text = format!("The job `{}` on {instance} was not enabled again: {}", own.name, error.message);
                self.at.host.message(Level::Warning, text);
            }
        }
    }

    async fn delete_own_jobs(&self) -> Result<()> {
        for (instance, own) in self.found.own_jobs(&self.at.target.sql_instance) {
            let mut work = self.connect(&instance.parse()?).await?;
            let (what, statement) = (what(own, instance), job::delete_statement(own.job_id)?);
            self.ledger.change(&what, &statement, job::delete(&mut work, own.job_id)).await?;
            work.close().await;
        }
        Ok(())
    }
}

/// A job as the journal calls it.
fn what(job: &Job, instance: &str) -> String {
    format!("{} on {instance}", job.name)
}
