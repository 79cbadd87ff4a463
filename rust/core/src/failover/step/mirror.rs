//! The mirror of the new primary, set up by Lync's own command. Its failure never keeps users out.

use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use super::log_backups::job_name;
use crate::error::{Error, ErrorKind, Result};
use crate::failover::plan::{backup_host, mirror_commands, step_name};
use crate::failover::Failover;
use crate::failover::Run;
use crate::host::{Level, NativeCommand};
use crate::journal::crash_points;
use crate::pool;
use crate::run::{OnFailure, Seen, Step};
use crate::sql::mirror::{self, MirrorRole, MirrorState};
use crate::sql::{database, job, Connection, Purpose};

/// The name of the compliance database.
///
/// # Source
/// "Required resources for Persistent Chat Server".
const COMPLIANCE_DATABASE: &str = "mgccomp";
/// How long the partners may take to find each other after the command returned.
const JOIN_LIMIT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(500);

pub(crate) struct Mirror;

#[async_trait]
impl Step<Failover> for Mirror {
    fn name(&self) -> &'static str {
        step_name::MIRROR
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::GoOn
    }

    async fn probe(&self, run: &Run) -> Result<Seen> {
        let mut connection = run.connect(Purpose::Catalog).await?;
        let mut seen = Vec::new();
        for name in databases(run, &mut connection).await? {
            match mirror::read(&mut connection, &name).await? {
                Some(found) if stands(&found) => {
                    seen.push(format!("{name} is mirrored and {}", found.state.as_text().to_uppercase()))
                }
                Some(found) => {
                    return Ok(Seen::NotYet(format!(
                        "{name} is mirrored, but {}",
                        found.state.as_text().to_uppercase()
                    )))
                }
                None => return Ok(Seen::NotYet(format!("{name} is not mirrored"))),
            }
        }
        Ok(Seen::So(seen.join(", ")))
    }

    async fn act(&self, run: &Run) -> Result<String> {
        if run.work.request.mirror_file_share.as_deref().unwrap_or_default().trim().is_empty() {
            return Err(not_installed("no file share for it is named", "Name it with `-MirrorFileShare` in a new plan, or set the mirror up by hand with `Install-CsMirrorDatabase`."));
        }
        // A log backup in the middle of the set-up would leave the mirror behind (1412, 1478).
        let paused = pause_log_backups(run).await?;
        let installed = install(run).await;
        if paused {
            enable_log_backups(run).await?;
        }
        installed?;
        Ok(String::new())
    }
}

async fn install(run: &Run) -> Result<()> {
    let mut connection = run.connect(Purpose::Catalog).await?;
    for command in mirror_commands(&run.work.evidence, &run.work.request) {
        let name = if is_compliance(&command) { COMPLIANCE_DATABASE } else { run.database() };
        let is_here = databases(run, &mut connection).await?.iter().any(|database| database == name);
        if is_here && mirror::read(&mut connection, name).await?.is_some_and(|found| stands(&found)) {
            continue;
        }
        let sent = run.native_set(command.clone()).await;
        crash_points::reach("mirror.installed");
        if is_here && joined(run, name).await? {
            continue;
        }
        match sent {
            Err(error) if error.kind == ErrorKind::NativeCommandFailed => {
                return Err(not_installed(error.message.trim_end_matches('.'), &advice(&command)))
            }
            Err(error) => return Err(error),
            Ok(()) if is_here => {
                return Err(not_installed(
                    &format!("{name} is not mirrored after the command, which said nothing"),
                    &advice(&command),
                ))
            }
            Ok(()) => run
                .host
                .message(Level::Verbose, format!("{name} lies on another instance; its mirror is not looked at.")),
        }
    }
    Ok(())
}

fn advice(command: &NativeCommand) -> String {
    format!(
        "Remove the cause (endpoint, rights of both service accounts on the share), then run `Resume-PChatRun`. Where a database \
         of this name is left on the mirror, replace it by hand first: `{} -DropExistingDatabasesOnMirror -Confirm:$false`; \
         `Resume-PChatRun` then finds the mirror and closes the run.",
        command.as_text()
    )
}

fn not_installed(why: &str, next: &str) -> Error {
    Error::new(ErrorKind::MirrorNotInstalled, format!("the mirror was not set up: {why}."))
        .with_unchanged("The database is served without a mirror.")
        .with_next(next)
}

fn is_compliance(command: &NativeCommand) -> bool {
    command.parameters.iter().any(|p| p.name == "DatabaseType" && p.value == pool::COMPLIANCE_DATABASE)
}

/// The databases that are to be mirrored and lie on the backup instance.
async fn databases(run: &Run, connection: &mut Connection) -> Result<Vec<String>> {
    let mut names = vec![run.database().to_string()];
    let host = backup_host(&run.work.evidence);
    let is_here = |command: &NativeCommand| {
        command.parameters.iter().any(|p| {
            p.name == "SqlServerFqdn" && p.value.as_str().is_some_and(|value| value.eq_ignore_ascii_case(&host.fqdn))
        })
    };
    let commands = mirror_commands(&run.work.evidence, &run.work.request);
    if commands.iter().any(|command| is_compliance(command) && is_here(command))
        && database::read(connection, COMPLIANCE_DATABASE).await?.is_some()
    {
        names.push(COMPLIANCE_DATABASE.to_string());
    }
    Ok(names)
}

fn stands(found: &mirror::Mirror) -> bool {
    found.role == MirrorRole::Principal && matches!(found.state, MirrorState::Synchronized | MirrorState::Synchronizing)
}

async fn joined(run: &Run, name: &str) -> Result<bool> {
    let end = Instant::now() + JOIN_LIMIT;
    loop {
        let mut connection = run.connect(Purpose::Catalog).await?;
        match mirror::read(&mut connection, name).await? {
            Some(found) if stands(&found) => return Ok(true),
            None => return Ok(false),
            Some(_) if Instant::now() >= end => return Ok(false),
            Some(_) => run.pause(POLL).await?,
        }
    }
}

/// True where our log backup job was enabled, and is not any more.
async fn pause_log_backups(run: &Run) -> Result<bool> {
    let mut connection = run.connect(Purpose::Catalog).await?;
    let Some(id) = job::find(&mut connection, &job_name(run)).await? else { return Ok(false) };
    if !job::read(&mut connection, id).await?.is_some_and(|job| job.is_enabled) {
        return Ok(false);
    }
    let statement = job::set_enabled_statement(id, false)?;
    run.change(&job_name(run), &statement, job::set_enabled(&mut connection, id, false)).await?;
    job::wait_until_idle(&mut connection, id, Duration::from_secs(600), &run.cancel).await?;
    Ok(true)
}

async fn enable_log_backups(run: &Run) -> Result<()> {
    let mut connection = run.connect(Purpose::Catalog).await?;
    let Some(id) = job::find(&mut connection, &job_name(run)).await? else { return Ok(()) };
    let statement = job::set_enabled_statement(id, true)?;
    run.change_back(&job_name(run), &statement, job::set_enabled(&mut connection, id, true)).await
}
