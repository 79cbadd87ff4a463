//! Setting log shipping up on an instance as far as it is missing, whoever keeps the journal: a run or a single command. Each
//! job is made disabled; [`enable`] comes last.

use std::future::Future;
use std::pin::Pin;

use async_trait::async_trait;
use uuid::Uuid;

use crate::error::{Error, ErrorKind, Result};
use crate::names::InstanceName;
use crate::sql::job::{self, Job};
use crate::sql::log_shipping::{self, SecondaryRecord};
use crate::sql::log_shipping_primary::{self, PrimaryRecord};
use crate::sql::log_shipping_set_up::{
    primary_secondary_statement, schedule_statement, send, MonitorLogin, PrimarySetUp, SecondarySetUp,
};
use crate::sql::{Connection, Connector};

/// A change that is under way once it is allowed and taken down.
pub(crate) type Work<'a> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

/// Whoever makes changes: each is allowed, taken down, made, taken down again.
#[async_trait]
pub(crate) trait Changes: Sync {
    /// Makes one change.
    async fn make<'a>(&'a self, what: &'a str, statement: &'a str, work: Work<'a>) -> Result<()>;

    /// The logins that the operator gave.
    fn connector(&self) -> &Connector;

    /// What stays as it is, and what to do, where the login for a monitor is missing.
    fn without_monitor_login(&self, error: Error) -> Error;
}

/// Makes the record of a primary, its schedules and its secondaries.
///
/// # Errors
/// `StepNotVerified` (5015), `InvalidValue` (1002) without a login for the monitor; those of the changes.
pub(crate) async fn add_primary(
    by: &dyn Changes,
    work: &mut Connection,
    set_up: &PrimarySetUp,
    secondaries: &[(String, String)],
) -> Result<PrimaryRecord> {
    let what = work.instance().to_string();
    let database = set_up.database.as_str();
    if log_shipping_primary::read_primary(work, database).await?.is_none() {
        let login = monitor_login(by, &set_up.record.monitor_server, set_up.record.monitor_by_windows_login)?;
        let statement = set_up.shown_statement(login.as_ref().map(|login| login.user.as_str()))?;
        by.make(&what, &statement, Box::pin(set_up.add(work, login.as_ref()))).await?;
    }
    let record = need_primary(work, database).await?;
    add_schedules(by, work, record.backup_job_id, &set_up.job).await?;
    for (server, secondary) in secondaries {
        if !record.secondaries.iter().any(|(known, _)| known.eq_ignore_ascii_case(server)) {
            let statement = primary_secondary_statement(database, server, secondary)?;
            by.make(&what, &statement, Box::pin(send(work, &statement))).await?;
        }
    }
    Ok(record)
}

/// The record of a primary that must be there.
///
/// # Errors
/// `StepNotVerified` (5015).
pub(crate) async fn need_primary(connection: &mut Connection, database: &str) -> Result<PrimaryRecord> {
    log_shipping_primary::read_primary(connection, database).await?.ok_or_else(|| {
        Error::new(
            ErrorKind::StepNotVerified,
            format!("{}: there is no record of a primary after it was added.", connection.instance()),
        )
        .with_next("Look into the tables `msdb.dbo.log_shipping_primary*`, then run the same again.")
    })
}

/// Makes the record of a secondary's primary, that of the secondary database, and the schedules of both jobs.
///
/// # Errors
/// As [`add_primary`].
pub(crate) async fn add_secondary(
    by: &dyn Changes,
    work: &mut Connection,
    set_up: &SecondarySetUp,
) -> Result<SecondaryRecord> {
    let what = work.instance().to_string();
    let wanted = &set_up.record;
    if !log_shipping::has_primary(work, &wanted.primary_server, &wanted.primary_database).await? {
        let login = monitor_login(by, &wanted.monitor_server, wanted.monitor_by_windows_login)?;
        let statement = set_up.shown_primary_statement(login.as_ref().map(|login| login.user.as_str()))?;
        by.make(&what, &statement, Box::pin(set_up.add_primary(work, login.as_ref()))).await?;
    }
    if log_shipping::read_secondary(work, &wanted.secondary_database).await?.is_none() {
        let statement = set_up.database_statement()?;
        by.make(&what, &statement, Box::pin(send(work, &statement))).await?;
    }
    let record = need_secondary(work, &wanted.secondary_database).await?;
    add_schedules(by, work, record.copy_job_id, &set_up.copy_job).await?;
    add_schedules(by, work, record.restore_job_id, &set_up.restore_job).await?;
    Ok(record)
}

/// The record of a secondary that must be there.
///
/// # Errors
/// `StepNotVerified` (5015).
pub(crate) async fn need_secondary(connection: &mut Connection, database: &str) -> Result<SecondaryRecord> {
    log_shipping::read_secondary(connection, database).await?.ok_or_else(|| {
        Error::new(
            ErrorKind::StepNotVerified,
            format!("{}: there is no secondary after it was added.", connection.instance()),
        )
        .with_next("Look into the tables `msdb.dbo.log_shipping_secondary*`, then run the same again.")
    })
}

async fn add_schedules(by: &dyn Changes, work: &mut Connection, id: Uuid, as_was: &Job) -> Result<()> {
    let what = work.instance().to_string();
    let found = job::read(work, id).await?.map(|job| job.schedules).unwrap_or_default();
    for schedule in as_was.schedules.iter().filter(|wanted| !found.iter().any(|known| known.name == wanted.name)) {
        let statement = schedule_statement(id, schedule)?;
        by.make(&what, &statement, Box::pin(send(work, &statement))).await?;
    }
    Ok(())
}

/// Enables a job, unless it is, or was not meant to be.
///
/// # Errors
/// Those of the change.
pub(crate) async fn enable(by: &dyn Changes, work: &mut Connection, id: Uuid, wanted: bool) -> Result<()> {
    if wanted && !job::read(work, id).await?.is_some_and(|job| job.is_enabled) {
        let what = work.instance().to_string();
        let statement = job::set_enabled_statement(id, true)?;
        by.make(&what, &statement, Box::pin(job::set_enabled(work, id, true))).await?;
    }
    Ok(())
}

/// The login for a monitor that is reached without Windows authentication: the one that the operator gave for it.
fn monitor_login(by: &dyn Changes, monitor: &str, by_windows_login: bool) -> Result<Option<MonitorLogin>> {
    if by_windows_login {
        return Ok(None);
    }
    let name: InstanceName = monitor.parse()?;
    let (user, secret) = by.connector().login_of(&name).ok_or_else(|| {
        by.without_monitor_login(Error::new(
            ErrorKind::InvalidValue,
            format!("log shipping reaches its monitor {monitor} with a SQL login, whose password no document holds."),
        ))
    })?;
    Ok(Some(MonitorLogin { user, secret }))
}
