//! The mirror of the new primary, set up by Lync's own command. Its failure never keeps users out.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::log_backups::job_name;
use crate::error::{Error, ErrorKind, Result};
use crate::failover::plan::{backup_host, mirror_commands, step_name};
use crate::failover::SecondaryWork;
use crate::host::{Level, NativeCommand};
use crate::journal::crash_points;
use crate::pool;
use crate::run::{OnFailure, Run, Seen, Step};
use crate::sql::compliance::COMPLIANCE_DATABASE;
use crate::sql::database::{self, DatabaseState};
use crate::sql::mirror::{self, MirrorRole, MirrorState};
use crate::sql::{job, Connection, Purpose};

/// How long the partners may take to find each other after the command returned.
const JOIN_LIMIT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(500);

pub(crate) struct Mirror;

#[async_trait]
impl<W: SecondaryWork> Step<W> for Mirror {
    fn name(&self) -> &'static str {
        step_name::MIRROR
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::GoOn
    }

    async fn probe(&self, run: &Run<W>) -> Result<Seen> {
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

    async fn act(&self, run: &Run<W>) -> Result<String> {
        if run.work.secondary().request.mirror_file_share.as_deref().unwrap_or_default().trim().is_empty() {
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

async fn install<W: SecondaryWork>(run: &Run<W>) -> Result<()> {
    let mut connection = run.connect(Purpose::Catalog).await?;
    for command in mirror_commands(&run.work.secondary().evidence, &run.work.secondary().request) {
        let name = if is_compliance(&command) { COMPLIANCE_DATABASE } else { run.database() };
        let is_here = databases(run, &mut connection).await?.iter().any(|database| database == name);
        if is_here && mirror::read(&mut connection, name).await?.is_some_and(|found| stands(&found)) {
            continue;
        }
        let found = on_mirror(run, name).await;
        let before: Option<OnMirror> = run.book.fact(&before_fact(name));
        if before.is_none() {
            // From here on a copy that was not there is the command's.
            run.book.set_fact(&before_fact(name), &found).await?;
        }
        let is_ours = is_left_by_us(before.as_ref(), found.as_ref());
        let command = if is_ours { pool::over_existing(command) } else { command };
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

/// What the instance that is to hold the mirror has of a database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct OnMirror {
    instance: String,
    /// `None`: the instance has no such database.
    state: Option<String>,
    is_mirrored: bool,
}

/// The name of the fact that tells what the mirror had before this run's first try.
fn before_fact(database: &str) -> String {
    format!("mirror_before_{database}")
}

/// `None` where nobody can tell.
async fn on_mirror<W: SecondaryWork>(run: &Run<W>, database: &str) -> Option<OnMirror> {
    let instance = run.backup_mirror()?;
    let asked = async {
        let mut connection = run.session.connector().connect(&instance, Purpose::Catalog).await?;
        let state = database::read(&mut connection, database).await?;
        let is_mirrored = mirror::read(&mut connection, database).await?.is_some();
        connection.close().await;
        Ok::<_, Error>(OnMirror {
            instance: instance.to_string(),
            state: state.map(|state| state.state.as_text().to_string()),
            is_mirrored,
        })
    };
    asked.await.ok()
}

/// True where a try of this run left the copy: the journal tells that the same instance had no such database before, and
/// now it has one that is restoring and nobody's mirror. Nothing else is ever dropped.
fn is_left_by_us(before: Option<&OnMirror>, found: Option<&OnMirror>) -> bool {
    let (Some(before), Some(found)) = (before, found) else { return false };
    let is_restoring = found.state.as_deref() == Some(DatabaseState::Restoring.as_text());
    before.state.is_none() && before.instance == found.instance && is_restoring && !found.is_mirrored
}

fn advice(command: &NativeCommand) -> String {
    let has_dropped = command.parameters.iter().any(|p| p.name == pool::DROP_EXISTING);
    if has_dropped {
        return "Remove the cause (endpoint, rights of both service accounts on the share), then run `Resume-PChatRun`."
            .to_string();
    }
    format!(
        "Remove the cause (endpoint, rights of both service accounts on the share), then run `Resume-PChatRun`: a copy that this \
         run left on the mirror is replaced. Where a database of this name was there before, replace it by hand: \
         `{} -{} -Confirm:$false`; `Resume-PChatRun` then finds the mirror and closes the run.",
        command.as_text(),
        pool::DROP_EXISTING
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
async fn databases<W: SecondaryWork>(run: &Run<W>, connection: &mut Connection) -> Result<Vec<String>> {
    let mut names = vec![run.database().to_string()];
    let host = backup_host(&run.work.secondary().evidence);
    let is_here = |command: &NativeCommand| {
        command.parameters.iter().any(|p| {
            p.name == "SqlServerFqdn" && p.value.as_str().is_some_and(|value| value.eq_ignore_ascii_case(&host.fqdn))
        })
    };
    let commands = mirror_commands(&run.work.secondary().evidence, &run.work.secondary().request);
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

async fn joined<W: SecondaryWork>(run: &Run<W>, name: &str) -> Result<bool> {
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
async fn pause_log_backups<W: SecondaryWork>(run: &Run<W>) -> Result<bool> {
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

async fn enable_log_backups<W: SecondaryWork>(run: &Run<W>) -> Result<()> {
    let mut connection = run.connect(Purpose::Catalog).await?;
    let Some(id) = job::find(&mut connection, &job_name(run)).await? else { return Ok(()) };
    let statement = job::set_enabled_statement(id, true)?;
    run.change_back(&job_name(run), &statement, job::set_enabled(&mut connection, id, true)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(instance: &str, state: Option<&str>, is_mirrored: bool) -> OnMirror {
        OnMirror { instance: instance.to_string(), state: state.map(str::to_string), is_mirrored }
    }

    #[test]
    fn only_a_restoring_copy_where_none_was_before_is_ours_to_replace() {
        let nothing = seen(r"BM\RTC", None, false);
        let left = seen(r"BM\RTC", Some("restoring"), false);
        assert!(is_left_by_us(Some(&nothing), Some(&left)));
        let others = [
            (None, Some(left.clone())),
            (Some(nothing.clone()), None),
            (Some(nothing.clone()), Some(seen(r"BM\RTC", None, false))),
            (Some(nothing.clone()), Some(seen(r"BM\RTC", Some("online"), false))),
            (Some(nothing.clone()), Some(seen(r"BM\RTC", Some("restoring"), true))),
            (Some(nothing), Some(seen(r"X\RTC", Some("restoring"), false))),
            (Some(left.clone()), Some(left)),
        ];
        for (before, found) in others {
            assert!(!is_left_by_us(before.as_ref(), found.as_ref()), "{before:?} {found:?}");
        }
    }
}
