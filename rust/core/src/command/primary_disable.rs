//! `Disable-PChatPrimary`: an old primary that comes back is kept from waking up as a second one.

mod refusal;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;

use super::change::{self, Action, Asked, Change, Context, Planned, Reached};
use super::ledger::Ledger;
use crate::baseline::read_pool;
use crate::document::PrimaryDisableRequest;
use crate::error::{Error, ErrorKind, Result};
use crate::host::{Cancel, Host};
use crate::names::InstanceName;
use crate::operation::{OperationResult, Session};
use crate::run::Locks;
use crate::sql::database::{self, DatabaseFacts, DatabaseState};
use crate::sql::instance::{self, InstanceFacts};
use crate::sql::job::{self, Job};
use crate::sql::mirror::{self, Mirror};
use crate::sql::{fencing, log_shipping, log_shipping_primary, offline, Connection, Purpose};

/// How long a job that runs is waited for once it is disabled.
const JOB_LIMIT: Duration = Duration::from_secs(600);

/// Does on the old primary and its mirror what was asked for: jobs of log shipping disabled, mirroring off, the database
/// offline where it is ONLINE. Refuses while the pool or the backup instance shows that the old primary serves, and where what
/// is named is the backup instance under another name, or its mirror. Where an instance cannot be reached, its script is an
/// action to be run by hand. Items `action`; result `run`.
///
/// # Errors
/// In the result: `InvalidValue` (1002) for an instance in a role that is not its own; `PrimaryAlive` (5002) while it serves; `StepNotVerified` (5015) where an instance was left out;
/// `Locked` (5008), those of the journal.
pub(crate) async fn primary_disable(
    session: Arc<Session>,
    request: PrimaryDisableRequest,
    host: Arc<dyn Host>,
    cancel: Cancel,
) -> Result<OperationResult> {
    change::run(Disable(request), session, host, cancel).await
}

struct Disable(PrimaryDisableRequest);

/// One of the old partners.
pub(super) struct Old {
    name: InstanceName,
    /// Why it is left to a person.
    seen: std::result::Result<Seen, String>,
}

pub(super) struct Seen {
    instance: InstanceFacts,
    database: Option<DatabaseFacts>,
    mirror: Option<Mirror>,
    jobs: Vec<Job>,
}

/// What the serving side shows.
struct Serving {
    backup: InstanceFacts,
    state: DatabaseState,
    mirror: Option<Mirror>,
    /// `None`: no pool is named.
    pool_state: Option<std::result::Result<String, String>>,
}

#[async_trait]
impl Change for Disable {
    type Look = Vec<Old>;

    const KIND: &'static str = "disable_primary";

    fn asked(&self) -> Asked<'_> {
        Asked::of(&self.0.target, self.0.plan_only, self.0.approved_digest.as_deref())
    }

    /// The old primary, then its mirror. Neither needs to answer.
    fn locks(&self, _at: &Context) -> Result<Vec<InstanceName>> {
        self.names()
    }

    fn needs_target_lock(&self) -> bool {
        false
    }

    async fn look(&self, at: &Context) -> Result<(Vec<Old>, Planned)> {
        let request = &self.0;
        if !(request.remove_mirroring || request.take_offline || request.disable_jobs) {
            return Err(Error::new(ErrorKind::InvalidValue, "nothing was asked for.")
                .with_unchanged("Nothing was changed.")
                .with_next("Name what to do: -DisableJob, -RemoveMirror, -TakeOffline, one or several."));
        }
        let names = self.names()?;
        let read = async {
            let serving = serving(at, request).await?;
            let mut old = Vec::new();
            for name in names {
                let seen = read(at, &name).await.map_err(|error| error.to_string());
                old.push(Old { name, seen });
            }
            let planned = plan(request, &serving, &old)?;
            Ok((old, planned))
        };
        tokio::select! {
            found = read => found,
            () = at.cancel.cancelled() => Err(at.cancel.check().err().unwrap_or_else(change::gone)),
        }
    }

    async fn carry_out(&self, at: &Context, old: Vec<Old>, planned: &Planned, locks: Locks) -> Result<Reached> {
        let capture: Vec<_> = old
            .iter()
            .map(|side| {
                let seen = side.seen.as_ref().ok();
                json!({
                    "sql_instance": side.name.to_string(),
                    "database": seen.and_then(|seen| seen.database.clone()),
                    "mirroring": seen.and_then(|seen| seen.mirror.clone()),
                    "jobs": seen.map(|seen| seen.jobs.clone()),
                    "unread": side.seen.as_ref().err(),
                })
            })
            .collect();
        let ledger = Ledger::begin(at, Self::KIND, &self.0.journal, &planned.actions, &capture, locks).await?;
        let ended = self.work(at, &ledger, &old).await;
        ledger.end(&ended, "the old primary is fenced as far as it could be reached").await;
        ended?;
        let left: Vec<String> =
            old.iter().filter(|side| side.seen.is_err()).map(|side| side.name.to_string()).collect();
        let text = format!("`{}` on the old primary side is fenced as asked for.", at.target.database);
        if left.is_empty() {
            return Ok(Reached { text, next: planned.next.clone(), error: None });
        }
        let error = Error::new(
            ErrorKind::StepNotVerified,
            format!("{} could not be reached and is not fenced.", left.join(" and ")),
        )
        .with_unchanged("Everything that could be reached is done.")
        .with_next("Run the script on it before its services start, or this command once it answers.")
        .with_target(at.target.database.as_str());
        Ok(Reached { text: format!("{text} {}", error.message), next: planned.next.clone(), error: Some(error) })
    }
}

impl Disable {
    fn names(&self) -> Result<Vec<InstanceName>> {
        let mirror = self.0.primary_mirror_sql_instance.as_deref().filter(|name| !name.trim().is_empty());
        let names = [Some(self.0.target.sql_instance.as_str()), mirror];
        names.into_iter().flatten().map(str::parse).collect()
    }

    /// Jobs first, so that none of them fires in between; mirroring before offline, which it would refuse.
    async fn work(&self, at: &Context, ledger: &Ledger, old: &[Old]) -> Result<()> {
        let database = at.target.database.as_str();
        for (side, seen) in reachable(old) {
            if !ledger.has_lock(&side.name).await {
                return Err(Error::new(ErrorKind::LockLost, format!("{} is not locked.", side.name))
                    .with_unchanged("Nothing was changed there.")
                    .with_next("Run the command again."));
            }
            at.view.set_status(&format!("fencing {}", side.name));
            let mut connection = at.session.connector().connect(&side.name, Purpose::Work).await?;
            for action in actions(&self.0, side, seen)? {
                let work = apply(&mut connection, at, database, &action.step);
                ledger.change(&action.shown.object, &action.shown.statement, work).await?;
                at.tell(&action.shown, "done").await;
            }
            connection.close().await;
        }
        Ok(())
    }
}

fn reachable(old: &[Old]) -> impl Iterator<Item = (&Old, &Seen)> {
    old.iter().filter_map(|side| Some((side, side.seen.as_ref().ok()?)))
}

async fn serving(at: &Context, request: &PrimaryDisableRequest) -> Result<Serving> {
    let backup: InstanceName = request.backup_sql_instance.parse()?;
    let mut connection = at.session.connector().connect(&backup, Purpose::Catalog).await?;
    let facts = instance::read_facts(&mut connection).await?;
    let state = database::need(&mut connection, &request.target.database).await?.state;
    let mirror = mirror::read(&mut connection, &request.target.database).await?;
    connection.close().await;
    let pool_state = match request.target.pool_fqdn.as_deref() {
        None => None,
        fqdn => {
            let pool = read_pool(at.host.as_ref(), fqdn).await;
            let why = pool.state.why().unwrap_or_default().to_string();
            Some(pool.state.known().map(|state| state.state.clone()).ok_or(why))
        }
    };
    Ok(Serving { backup: facts, state, mirror, pool_state })
}

async fn read(at: &Context, name: &InstanceName) -> Result<Seen> {
    let mut connection = at.session.connector().connect(name, Purpose::Catalog).await?;
    let wanted = at.target.database.as_str();
    let instance = instance::read_facts(&mut connection).await?;
    let found = database::read(&mut connection, wanted).await?;
    let mirror = mirror::read(&mut connection, wanted).await?;
    let mut ids = Vec::new();
    ids.extend(log_shipping_primary::read_primary(&mut connection, wanted).await?.map(|record| record.backup_job_id));
    if let Some(record) = log_shipping::read_secondary(&mut connection, wanted).await? {
        ids.extend([record.copy_job_id, record.restore_job_id]);
    }
    let mut jobs = Vec::new();
    for id in ids {
        jobs.extend(job::read(&mut connection, id).await?);
    }
    connection.close().await;
    Ok(Seen { instance, database: found, mirror, jobs })
}

/// What one action does.
enum Step {
    DisableJob(uuid::Uuid),
    PartnerOff,
    Offline,
}

struct Planable {
    step: Step,
    shown: Action,
}

async fn apply(connection: &mut Connection, at: &Context, database: &str, step: &Step) -> Result<()> {
    match step {
        Step::DisableJob(id) => {
            job::set_enabled(connection, *id, false).await?;
            if job::wait_until_idle(connection, *id, JOB_LIMIT, &at.cancel).await? {
                return Ok(());
            }
            Err(Error::new(ErrorKind::StepNotVerified, format!("job {id} is disabled, but still runs."))
                .with_next("Wait for it to end, then run the command again."))
        }
        Step::PartnerOff => mirror::partner_off(connection, database).await,
        Step::Offline => offline::set_offline(connection, database).await,
    }
}

fn actions(request: &PrimaryDisableRequest, side: &Old, seen: &Seen) -> Result<Vec<Planable>> {
    let database = request.target.database.as_str();
    let name = &side.name;
    let mut list = Vec::new();
    let mut add = |step, action, object: String, statement, text: String| {
        list.push(Planable { step, shown: Action { action, object, statement, text } });
    };
    if request.disable_jobs {
        for job in seen.jobs.iter().filter(|job| job.is_enabled) {
            let statement = job::set_enabled_statement(job.job_id, false)?;
            add(
                Step::DisableJob(job.job_id),
                "disable_job",
                job.name.clone(),
                statement,
                format!("on {name}, and waited for"),
            );
        }
    }
    if request.remove_mirroring && seen.mirror.is_some() {
        add(
            Step::PartnerOff,
            "partner_off",
            database.to_string(),
            mirror::partner_off_statement(database)?,
            format!("on {name}"),
        );
    }
    if request.take_offline && is_online(seen) {
        add(
            Step::Offline,
            "take_offline",
            database.to_string(),
            offline::offline_statement(database)?,
            format!("on {name}; sessions are ended"),
        );
    }
    Ok(list)
}

fn is_online(seen: &Seen) -> bool {
    seen.database.as_ref().is_some_and(|found| found.state == DatabaseState::Online)
}

fn plan(request: &PrimaryDisableRequest, serving: &Serving, old: &[Old]) -> Result<Planned> {
    let database = request.target.database.as_str();
    let mut facts = BTreeMap::new();
    let mut fact = |name: String, value: String| facts.insert(name, value);
    fact("serving".into(), serving.backup.server_name.clone());
    fact("serving_state".into(), serving.state.as_text().to_string());
    fact("lab".into(), serving.backup.lab_id.clone().unwrap_or_else(|| "none".to_string()));
    if let Some(state) = &serving.pool_state {
        fact("pool_state".into(), state.clone().unwrap_or_else(|_| "unknown".to_string()));
    }
    for side in old {
        let shown = match &side.seen {
            Err(_) => "unreachable",
            Ok(seen) => seen.database.as_ref().map_or("absent", |found| found.state.as_text()),
        };
        fact(format!("state_on_{}", side.name), shown.to_string());
    }
    let mut planned = Planned { facts, ..Planned::default() };
    if let Some(refusal) = refusal::refusal(request, serving, old) {
        planned.refusal = Some(refusal);
        return Ok(planned);
    }
    let asked = fencing::Parts {
        disable_jobs: request.disable_jobs,
        remove_mirroring: request.remove_mirroring,
        take_offline: request.take_offline,
    };
    let script = fencing::script(database, asked)?;
    for side in old {
        match &side.seen {
            Ok(seen) => planned.actions.extend(actions(request, side, seen)?.into_iter().map(|action| action.shown)),
            Err(why) => {
                planned.actions.push(Action {
                    action: "run_by_hand",
                    object: side.name.to_string(),
                    statement: script.clone(),
                    text: format!("it does not answer: {why}"),
                });
                planned.next.push(format!("On {}, before its services start: {script}", side.name));
            }
        }
    }
    let is_open = |part: &str| format!("It is not asked for here: {part}.");
    for (asked, part) in [
        (request.disable_jobs, "-DisableJob, or its backup job writes to the share"),
        (request.remove_mirroring, "-RemoveMirror, or its mirror follows it"),
        (request.take_offline, "-TakeOffline, or services that come back with it write to it"),
    ] {
        if !asked {
            planned.next.push(is_open(part));
        }
    }
    planned.text = format!(
        "Fence the old primary of `{database}`, {}: {} serves it now.",
        old.iter().map(|side| side.name.to_string()).collect::<Vec<_>>().join(" and "),
        request.backup_sql_instance
    );
    if planned.actions.is_empty() {
        planned.text = format!("`{database}` on the old primary side is fenced already.");
    }
    Ok(planned)
}
