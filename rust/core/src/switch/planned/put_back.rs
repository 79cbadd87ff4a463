//! Giving a planned switch up, until the backup is recovered: users are back where they were.

use std::time::Duration;

use tokio::time::Instant;

use super::{follow, PlannedSwitch, Run};
use crate::error::{Error, ErrorKind, Result};
use crate::host::{Level, NativeCommand};
use crate::journal::crash_points;
use crate::log_chain::gate;
use crate::pool;
use crate::run::Workflow;
use crate::sql::compliance::COMPLIANCE_DATABASE;
use crate::sql::database::{self, DatabaseState, UserAccess};
use crate::sql::mirror::{self, MirrorRole, MirrorState};
use crate::sql::open_up::open_to_all;
use crate::sql::restore::RestoreProgress;
use crate::sql::Purpose;
use crate::switch::step::{forget_drained, jobs_back, list_back, list_commands, start_all, start_commands, to_enable};
use crate::switch::SwitchWork;

/// How long clients that come back may keep the only seat.
const OPEN_LIMIT: Duration = Duration::from_secs(60);
/// How long the partners may take to find each other after the command returned.
const JOIN_LIMIT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(500);

/// What putting back would do: the statements and commands, in order. Reads only.
pub(super) async fn planned(run: &Run) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    let name = run.work.source_database_name();
    let mut connection = run.connect_source(Purpose::Catalog).await?;
    let facts = database::need(&mut connection, name).await?;
    if facts.state == DatabaseState::Restoring {
        lines.push(database::recover_statement(name)?);
    }
    if facts.user_access != UserAccess::MultiUser && !run.work.is_salvage() {
        lines.push(database::multi_user_statement(name)?);
    }
    connection.close().await;
    for (_, command) in mirror_commands(run).await? {
        lines.push(text(run, &command));
    }
    for of in to_enable(run).await? {
        lines.push(crate::sql::job::set_enabled_statement(of.job_id, true)?);
    }
    lines.extend(start_commands(run).await?);
    lines.extend(list_commands(run).await?.iter().map(|command| text(run, command)));
    Ok(lines)
}

fn text(run: &Run, command: &NativeCommand) -> String {
    pool::plan_text(command, run.work.module_of(&command.name).as_deref())
}

/// Puts back what the run has changed, whatever it got done of it; what was done, one line each. Restored log backups
/// stay restored: the restore job would have restored them too.
///
/// # Errors
/// The first one of its parts; the other parts are done all the same, unless the source cannot be brought back.
pub(super) async fn put_back(run: &Run) -> Result<Vec<String>> {
    let mut done = Vec::new();
    source_back(run, &mut done).await?;
    crash_points::reach("put_back.source");
    let mirror = mirror_back(run, &mut done).await;
    if !run.work.is_salvage() {
        follow::bring_up(run, &mut done).await;
    }
    let jobs = jobs_back(run, &mut done).await;
    forget_drained(run).await?;
    let services = start_all(run).await;
    let list = list_back(run, &mut done).await;
    let mut first = Ok(());
    for part in [services, list, jobs, mirror] {
        if let Err(error) = part {
            run.host.message(Level::Warning, error.to_string());
            first = first.and(Err(error));
        }
    }
    first?;
    if done.is_empty() {
        done.push("nothing had to be put back beside the services".to_string());
    }
    Ok(done)
}

/// The side that was online is recovered where its tail was taken, and opened to all users.
async fn source_back(run: &Run, done: &mut Vec<String>) -> Result<()> {
    if run.work.is_salvage() {
        return Ok(());
    }
    let (source, name) = (run.work.source().clone(), run.work.source_database_name());
    let mut connection = run.connect_source(Purpose::Catalog).await?;
    let facts = database::need(&mut connection, name).await?;
    if facts.state == DatabaseState::Restoring {
        let redo = database::redo_lsn(&mut connection, name).await?;
        let other_serves = PlannedSwitch::is_past_recovery(run).await?;
        let permit = gate::back_online(&source.to_string(), name, redo, other_serves)?;
        let statement = database::recover_statement(name)?;
        let mut tell = |seen: RestoreProgress| run.tell_progress("recovery of the source", Some(seen.percent as u8));
        let work = database::recover(run.session.connector(), &source, permit, &mut tell);
        run.change_back(&format!("{name} on {source}"), &statement, work).await?;
        done.push(format!("`{name}` is online on {source} again"));
    }
    let mut work = run.connect_source(Purpose::Work).await?;
    let facts = database::need(&mut work, name).await?;
    if facts.state == DatabaseState::Online && facts.user_access != UserAccess::MultiUser {
        let statement = database::multi_user_statement(name)?;
        run.change_back(name, &statement, open_to_all(&mut work, name, OPEN_LIMIT)).await?;
        done.push(format!("`{name}` is open to all users again"));
    }
    Ok(())
}

/// The commands that set mirrors up again for what was mirrored and is not now. The copies left on the partner are ours
/// to replace: this run made them orphans.
async fn mirror_commands(run: &Run) -> Result<Vec<(String, NativeCommand)>> {
    let mut commands = Vec::new();
    if run.work.is_salvage() {
        return Ok(commands);
    }
    let mut connection = run.connect_source(Purpose::Catalog).await?;
    for name in PlannedSwitch::mirrored(run) {
        if mirror::read(&mut connection, &name).await?.is_some() {
            continue;
        }
        let source = run.work.source();
        let kind = if name == COMPLIANCE_DATABASE { pool::COMPLIANCE_DATABASE } else { pool::CHAT_DATABASE };
        let share = run.work.mirror_file_share().unwrap_or_default();
        let host = fqdn(run, &source.host);
        let command = pool::install_mirror(kind, &host, source.instance.as_deref(), share);
        commands.push((name, command.with("DropExistingDatabasesOnMirror", true)));
    }
    connection.close().await;
    Ok(commands)
}

/// A host as the topology names it; as it was written where no entry fits.
fn fqdn(run: &Run, host: &str) -> String {
    let service = run.work.target().evidence.pool.service();
    let stores = service.into_iter().flat_map(|s| [s.primary_store.as_deref(), s.primary_mirror_store.as_deref()]);
    let short = |name: &str| name.split('.').next().unwrap_or_default().to_lowercase();
    let found = stores.flatten().find(|fqdn| short(fqdn) == short(host));
    found.unwrap_or(host).to_string()
}

async fn mirror_back(run: &Run, done: &mut Vec<String>) -> Result<()> {
    let commands = mirror_commands(run).await?;
    if commands.is_empty() {
        return Ok(());
    }
    if run.work.mirror_file_share().is_none() {
        let error = Error::new(
            ErrorKind::MirrorNotInstalled,
            "the mirror was not set up again: no file share for it is named.",
        );
        return Err(error.with_unchanged("Users are served without a mirror."));
    }
    for (name, command) in commands {
        let sent = run.native_set_back(command.clone()).await;
        crash_points::reach("put_back.mirror");
        if !joined(run, &name).await? {
            sent?;
            let why = "the partners did not find each other";
            return Err(Error::new(
                ErrorKind::MirrorNotInstalled,
                format!("the mirror of {name} was not set up again: {why}."),
            )
            .with_unchanged("Users are served without a mirror.")
            .with_next(format!("Set it up by hand: `{}`.", text(run, &command))));
        }
        done.push(format!("the mirror of {name} stands again"));
    }
    Ok(())
}

/// Waits until both partners of a database have found each other.
async fn joined(run: &Run, name: &str) -> Result<bool> {
    let end = Instant::now() + JOIN_LIMIT;
    loop {
        let mut connection = run.connect_source(Purpose::Catalog).await?;
        let stands = mirror::read(&mut connection, name).await?.is_some_and(|found| {
            found.role == MirrorRole::Principal
                && matches!(found.state, MirrorState::Synchronized | MirrorState::Synchronizing)
        });
        connection.close().await;
        if stands || Instant::now() >= end {
            return Ok(stands);
        }
        tokio::time::sleep(POLL).await;
    }
}
