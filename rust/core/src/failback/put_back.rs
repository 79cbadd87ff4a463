//! Giving a failback up before the primary is recovered: the backup serves again, as it did, mirrored, with its jobs, services
//! and active servers. The pool's state was not changed.

use std::time::Duration;

use super::stage::{self, Stage};
use super::Run;
use crate::error::Result;
use crate::host::{Level, NativeCommand};
use crate::journal::crash_points;
use crate::log_chain::gate;
use crate::pool;
use crate::run::Workflow;
use crate::sql::database::{self, DatabaseState, UserAccess};
use crate::sql::job;
use crate::sql::open_up::open_to_all;
use crate::sql::restore::RestoreProgress;
use crate::sql::{mirror, offline, Purpose};
use crate::switch::step::{forget_drained, jobs_back, list_back, list_commands, start_all, start_commands, to_enable};
use crate::switch::SwitchWork;

const OPEN_LIMIT: Duration = Duration::from_secs(60);

/// What putting back would do: statements and commands, in order. Reads only.
pub(super) async fn planned(run: &Run) -> Result<Vec<String>> {
    let mut list = Vec::new();
    let mut connection = run.backup(Purpose::Catalog).await?;
    let facts = database::need(&mut connection, run.database()).await?;
    match facts.state {
        DatabaseState::Online => {}
        DatabaseState::Offline => list.push(offline::online_statement(run.database())?),
        _ => list.push(database::recover_statement(run.database())?),
    }
    if facts.user_access != UserAccess::MultiUser {
        list.push(database::multi_user_statement(run.database())?);
    }
    list.extend(mirror_commands(run).await?.iter().map(|(_, command)| text(run, command)));
    for of in to_enable(run).await? {
        list.push(job::set_enabled_statement(of.job_id, true)?);
    }
    list.extend(start_commands(run).await?);
    list.extend(list_commands(run).await?.iter().map(|command| text(run, command)));
    Ok(list)
}

fn text(run: &Run, command: &NativeCommand) -> String {
    pool::plan_text(command, run.work.module_of(&command.name).as_deref())
}

/// Puts back what the run has changed, whatever it got done of it; what was done, one line each. Copies that were saved and
/// what the primary was seeded with stay as they are; log shipping of the old primary stays removed.
///
/// # Errors
/// The first one of its parts; the other parts are done all the same, unless the backup cannot be brought back.
pub(super) async fn put_back(run: &Run) -> Result<Vec<String>> {
    let mut done = Vec::new();
    serve_again(run, &mut done).await?;
    crash_points::reach("put_back.source");
    let mirrors = mirrors_back(run, &mut done).await;
    let jobs = jobs_back(run, &mut done).await;
    forget_drained(run).await?;
    let services = start_all(run).await;
    let list = list_back(run, &mut done).await;
    let mut first = Ok(());
    for part in [services, list, jobs, mirrors] {
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

async fn serve_again(run: &Run, done: &mut Vec<String>) -> Result<()> {
    let backup = run.work.names.backup.clone();
    let database = run.database();
    let mut work = run.backup(Purpose::Work).await?;
    let state = database::need(&mut work, database).await?.state;
    if state == DatabaseState::Offline {
        // Closed since its full backup, in the documented order: nobody has written, and nobody has gone on from it.
        let statement = offline::online_statement(database)?;
        run.change_back(&backup.to_string(), &statement, offline::set_online(&mut work, database)).await?;
        done.push(format!("`{database}` is online on {backup} again"));
    } else if state != DatabaseState::Online {
        let redo = database::redo_lsn(&mut work, database).await?;
        let other_serves = stage::read(run).await? == Stage::Recovered;
        let permit = gate::back_online(&backup.to_string(), database, redo, other_serves)?;
        let statement = database::recover_statement(database)?;
        let mut tell = |seen: RestoreProgress| run.tell_progress("recovery of the backup", Some(seen.percent as u8));
        let recovering = database::recover(run.session.connector(), &backup, permit, &mut tell);
        run.change_back(&backup.to_string(), &statement, recovering).await?;
        done.push(format!("`{database}` is online on {backup} again"));
    }
    if database::need(&mut work, database).await?.user_access != UserAccess::MultiUser {
        let statement = database::multi_user_statement(database)?;
        run.change_back(&backup.to_string(), &statement, open_to_all(&mut work, database, OPEN_LIMIT)).await?;
        done.push(format!("`{database}` is open to all users again"));
    }
    Ok(())
}

/// The commands that mirror again what was mirrored and is not now. The copies left on the partner are this run's orphans.
async fn mirror_commands(run: &Run) -> Result<Vec<(String, NativeCommand)>> {
    let mut connection = run.backup(Purpose::Catalog).await?;
    let mut commands = Vec::new();
    for name in super::Failback::mirrored(run) {
        if mirror::read(&mut connection, &name).await?.is_none() {
            commands.extend(run.work.mirror_of_backup(&name).map(|command| (name, command)));
        }
    }
    Ok(commands)
}

async fn mirrors_back(run: &Run, done: &mut Vec<String>) -> Result<()> {
    for (name, command) in mirror_commands(run).await? {
        run.native_set_back(command).await?;
        done.push(format!("`{name}` is mirrored again"));
    }
    Ok(())
}
