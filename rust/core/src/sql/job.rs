//! Jobs of SQL Server Agent: reading, disabling, stopping, waiting.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use uuid::Uuid;

use crate::error::{Error, ErrorKind, Result};
use crate::host::Cancel;
use crate::sql::quote::quote_literal;
use crate::sql::statement::{call, job_id};
use crate::sql::Connection;

/// How often a wait looks again.
const POLL: Duration = Duration::from_millis(500);

/// A job as the Agent knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    pub job_id: Uuid,
    pub name: String,
    pub is_enabled: bool,
    /// False as well where the Agent does not run: a row of a crashed Agent never ends.
    pub is_running: bool,
    pub description: Option<String>,
    pub owner: Option<String>,
    pub schedules: Vec<JobSchedule>,
}

/// A schedule of a job, as the columns of msdb have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobSchedule {
    pub schedule_id: i64,
    pub name: String,
    pub is_enabled: bool,
    pub freq_type: i64,
    pub freq_interval: i64,
    pub freq_subday_type: i64,
    pub freq_subday_interval: i64,
    pub freq_relative_interval: i64,
    pub freq_recurrence_factor: i64,
    /// yyyymmdd.
    pub active_start_date: i64,
    pub active_end_date: i64,
    /// hhmmss.
    pub active_start_time: i64,
    pub active_end_time: i64,
}

/// One job; `None` where there is none of this id.
///
/// # Source
/// msdb `sysjobs`, `sysjobschedules`, `sysschedules`, `sysjobactivity`.
pub async fn read(connection: &mut Connection, id: Uuid) -> Result<Option<Job>> {
    let statement = "SELECT j.job_id, j.name, CAST(j.enabled AS int) AS enabled, j.description, \
        CAST(SUSER_SNAME(j.owner_sid) AS nvarchar(128)) AS owner_name \
        FROM msdb.dbo.sysjobs j WHERE j.job_id = @P1";
    let Some(row) = connection.row("reading a job", statement, &[&id]).await? else {
        return Ok(None);
    };
    let mut job = Job {
        job_id: row.need_uuid("job_id")?,
        name: row.need_text("name")?,
        is_enabled: row.need_flag("enabled")?,
        is_running: false,
        description: row.text("description")?,
        owner: row.text("owner_name")?,
        schedules: Vec::new(),
    };
    job.schedules = schedules(connection, id).await?;
    job.is_running = is_running(connection, id).await?;
    Ok(Some(job))
}

/// The id of a job with this name; `None` where there is none.
pub async fn find(connection: &mut Connection, name: &str) -> Result<Option<Uuid>> {
    let statement = "SELECT j.job_id FROM msdb.dbo.sysjobs j WHERE j.name = @P1";
    connection.row("looking for a job", statement, &[&name]).await?.map(|row| row.need_uuid("job_id")).transpose()
}

/// What the first step of a job runs; `None` for a job without steps.
///
/// # Source
/// msdb `sysjobsteps`.
pub async fn first_step_command(connection: &mut Connection, id: Uuid) -> Result<Option<String>> {
    let statement = "SELECT TOP (1) s.command FROM msdb.dbo.sysjobsteps s WHERE s.job_id = @P1 ORDER BY s.step_id";
    let row = connection.row("reading a job's step", statement, &[&id]).await?;
    row.map_or(Ok(None), |row| row.text("command"))
}

async fn schedules(connection: &mut Connection, id: Uuid) -> Result<Vec<JobSchedule>> {
    let statement = "SELECT s.schedule_id, s.name, CAST(s.enabled AS int) AS enabled, s.freq_type, s.freq_interval, \
        s.freq_subday_type, s.freq_subday_interval, s.freq_relative_interval, s.freq_recurrence_factor, \
        s.active_start_date, s.active_end_date, s.active_start_time, s.active_end_time \
        FROM msdb.dbo.sysjobschedules js JOIN msdb.dbo.sysschedules s ON s.schedule_id = js.schedule_id \
        WHERE js.job_id = @P1 ORDER BY s.schedule_id";
    let rows = connection.rows("reading a job's schedules", statement, &[&id]).await?;
    rows.iter()
        .map(|row| {
            Ok(JobSchedule {
                schedule_id: row.need_int("schedule_id")?,
                name: row.need_text("name")?,
                is_enabled: row.need_flag("enabled")?,
                freq_type: row.need_int("freq_type")?,
                freq_interval: row.need_int("freq_interval")?,
                freq_subday_type: row.need_int("freq_subday_type")?,
                freq_subday_interval: row.need_int("freq_subday_interval")?,
                freq_relative_interval: row.need_int("freq_relative_interval")?,
                freq_recurrence_factor: row.need_int("freq_recurrence_factor")?,
                active_start_date: row.need_int("active_start_date")?,
                active_end_date: row.need_int("active_end_date")?,
                active_start_time: row.need_int("active_start_time")?,
                active_end_time: row.need_int("active_end_time")?,
            })
        })
        .collect()
}

/// Whether a job runs now.
///
/// # Source
/// msdb `sysjobactivity`: in the newest Agent session, begun and not ended. A stopped Agent runs nothing.
pub async fn is_running(connection: &mut Connection, id: Uuid) -> Result<bool> {
    let statement = "SELECT CAST(COUNT(*) AS int) AS running FROM msdb.dbo.sysjobactivity a \
        WHERE a.job_id = @P1 AND a.start_execution_date IS NOT NULL AND a.stop_execution_date IS NULL \
        AND a.session_id = (SELECT MAX(b.session_id) FROM msdb.dbo.sysjobactivity b)";
    let row = connection.row("looking whether a job runs", statement, &[&id]).await?;
    if row.map(|row| row.need_int("running")).transpose()?.unwrap_or_default() == 0 {
        return Ok(false);
    }
    let agent = super::instance::agent_state(connection, false).await?;
    Ok(agent != super::instance::AgentState::Stopped)
}

/// Enables or disables a job.
pub fn set_enabled_statement(id: Uuid, enabled: bool) -> Result<String> {
    Ok(call("msdb.dbo.sp_update_job", &[job_id(&id)?, ("enabled", i32::from(enabled).to_string())]))
}

/// A statement on a job that gets its id when it is created, as a plan shows it: a placeholder stands for the id.
pub fn of_new_job(name: &str, statement: impl FnOnce(Uuid) -> Result<String>) -> Result<String> {
    let placeholder = quote_literal(&format!("<job_id of {name}>"))?;
    Ok(statement(Uuid::nil())?.replace(&job_id(&Uuid::nil())?.1, &placeholder))
}

/// Enabling a job that is still to be created, as a plan shows it.
pub fn planned_enable_statement(name: &str) -> Result<String> {
    of_new_job(name, |id| set_enabled_statement(id, true))
}

/// Gives the first step of a job another command.
pub fn set_command_statement(id: Uuid, command: &str) -> Result<String> {
    Ok(call(
        "msdb.dbo.sp_update_jobstep",
        &[job_id(&id)?, ("step_id", "1".to_string()), ("command", quote_literal(command)?)],
    ))
}

/// Runs [`set_command_statement`] and reads the step back.
///
/// # Errors
/// `StepNotVerified` (5015) where it shows another command.
pub async fn set_command(connection: &mut Connection, id: Uuid, command: &str) -> Result<()> {
    connection.call("changing a job's step", &set_command_statement(id, command)?).await?;
    match first_step_command(connection, id).await? {
        Some(found) if found == command => Ok(()),
        _ => Err(Error::new(
            ErrorKind::StepNotVerified,
            format!("{}: the step of job {id} shows another command after its change.", connection.instance()),
        )
        .with_target(id.to_string())),
    }
}

/// Asks the Agent to start a job.
pub fn start_statement(id: Uuid) -> Result<String> {
    Ok(call("msdb.dbo.sp_start_job", &[job_id(&id)?]))
}

/// Asks the Agent to stop a job. A stopped RESTORE leaves the database interrupted (4319), so only copy jobs are stopped.
pub fn stop_statement(id: Uuid) -> Result<String> {
    Ok(call("msdb.dbo.sp_stop_job", &[job_id(&id)?]))
}

/// Deletes a job with its history and its own schedules.
pub fn delete_statement(id: Uuid) -> Result<String> {
    Ok(call("msdb.dbo.sp_delete_job", &[job_id(&id)?]))
}

/// Deletes a job and reads it back.
///
/// # Errors
/// `StepNotVerified` (5015) where it is still there.
pub async fn delete(connection: &mut Connection, id: Uuid) -> Result<()> {
    connection.call("deleting a job", &delete_statement(id)?).await?;
    match read(connection, id).await? {
        None => Ok(()),
        Some(job) => Err(Error::new(
            ErrorKind::StepNotVerified,
            format!("{}: the job `{}` is still there after it was deleted.", connection.instance(), job.name),
        )
        .with_target(job.name)),
    }
}

/// Enables or disables a job and reads it back.
///
/// # Errors
/// `StepNotVerified` (5015) where the job shows the old state afterwards, or is gone.
pub async fn set_enabled(connection: &mut Connection, id: Uuid, enabled: bool) -> Result<()> {
    let doing = if enabled { "enabling a job" } else { "disabling a job" };
    connection.call(doing, &set_enabled_statement(id, enabled)?).await?;
    match read(connection, id).await? {
        Some(job) if job.is_enabled == enabled => Ok(()),
        found => Err(Error::new(
            ErrorKind::StepNotVerified,
            format!(
                "{}: job {} is {} after {doing}.",
                connection.instance(),
                found.as_ref().map_or_else(|| id.to_string(), |job| format!("`{}`", job.name)),
                match found {
                    Some(job) if job.is_enabled => "enabled",
                    Some(_) => "disabled",
                    None => "gone",
                }
            ),
        )
        .with_target(id.to_string())),
    }
}

/// Starts a job. It runs on its own; [`wait_until_idle`] waits for it.
///
/// # Errors
/// `SqlServerRefused` (3001) with 22022 where the Agent does not run or the job runs already.
pub async fn start(connection: &mut Connection, id: Uuid) -> Result<()> {
    connection.call("starting a job", &start_statement(id)?).await
}

/// Stops a job that runs; one that has ended meanwhile counts as stopped.
pub async fn stop(connection: &mut Connection, id: Uuid) -> Result<()> {
    match connection.call("stopping a job", &stop_statement(id)?).await {
        // The Agent refuses to stop what does not run.
        Err(error) if error.sql_number() == Some(22022) && !is_running(connection, id).await? => Ok(()),
        other => other,
    }
}

/// Waits until a job does not run. `false` when the limit came first.
///
/// # Errors
/// `Cancelled` (1007).
pub async fn wait_until_idle(connection: &mut Connection, id: Uuid, limit: Duration, cancel: &Cancel) -> Result<bool> {
    let end = Instant::now() + limit;
    loop {
        if !is_running(connection, id).await? {
            return Ok(true);
        }
        if Instant::now() >= end {
            return Ok(false);
        }
        tokio::select! {
            () = tokio::time::sleep(POLL) => {}
            () = cancel.cancelled() => cancel.check()?,
        }
    }
}

/// How the newest run of a job ended.
///
/// # Source
/// msdb `sysjobhistory`, step 0: run_status 0 failed, 1 succeeded, 2 retry, 3 cancelled, 4 in progress.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobOutcome {
    pub run_status: i64,
    /// In the server's language; for people only.
    pub message: String,
    pub instance_id: i64,
}

/// The newest outcome of a job; `None` where it never ran or history was purged.
pub async fn last_outcome(connection: &mut Connection, id: Uuid) -> Result<Option<JobOutcome>> {
    let statement =
        "SELECT TOP (1) CAST(h.instance_id AS int) AS instance_id, CAST(h.run_status AS int) AS run_status, h.message \
        FROM msdb.dbo.sysjobhistory h WHERE h.job_id = @P1 AND h.step_id = 0 ORDER BY h.instance_id DESC";
    let row = connection.row("reading a job's history", statement, &[&id]).await?;
    row.map(|row| {
        Ok(JobOutcome {
            run_status: row.need_int("run_status")?,
            message: row.text("message")?.unwrap_or_default(),
            instance_id: row.need_int("instance_id")?,
        })
    })
    .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_name_the_job_by_id() {
        let id = Uuid::from_u128(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10);
        assert_eq!(
            set_enabled_statement(id, false).unwrap(),
            "DECLARE @rc int; EXEC @rc = msdb.dbo.sp_update_job @job_id = N'01020304-0506-0708-090A-0B0C0D0E0F10', @enabled = 0; SELECT @rc AS rc"
        );
        assert_eq!(
            planned_enable_statement("o'x").unwrap(),
            "DECLARE @rc int; EXEC @rc = msdb.dbo.sp_update_job @job_id = N'<job_id of o''x>', @enabled = 1; SELECT @rc AS rc"
        );
        assert!(stop_statement(id).unwrap().contains("msdb.dbo.sp_stop_job @job_id = N'01020304-"));
    }
}
