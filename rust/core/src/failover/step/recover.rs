//! The point of no return: recovery behind the gate, then open to all users, and looked at.

use std::time::Duration;

use async_trait::async_trait;

use crate::error::{Error, ErrorKind, Result};
use crate::failover::plan::step_name;
use crate::failover::SecondaryWork;
use crate::host::Level;
use crate::journal::crash_points;
use crate::run::{OnFailure, Run, Seen, Step};
use crate::sql::database::{self, DatabaseState, UserAccess};
use crate::sql::open_up::open_to_all;
use crate::sql::restore::RestoreProgress;
use crate::sql::Purpose;

/// How long clients that come back may keep the only seat of a database that was locked out.
const OPEN_LIMIT: Duration = Duration::from_secs(300);
/// What the report says of the database after its recovery.
pub(crate) const ORPHANED_USERS: &str = "orphaned_users";
pub(crate) const RECOVERED_TO: &str = "recovered_to_lsn";

pub(crate) struct Recover;

#[async_trait]
impl<W: SecondaryWork> Step<W> for Recover {
    fn name(&self) -> &'static str {
        step_name::RECOVER
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Stop
    }

    async fn probe(&self, run: &Run<W>) -> Result<Seen> {
        let mut connection = run.connect(Purpose::Catalog).await?;
        let facts = database::need(&mut connection, run.database()).await?;
        if facts.state != DatabaseState::Online {
            return Ok(Seen::NotYet(format!("the database is {}", facts.state.as_text().to_uppercase())));
        }
        run.commit();
        if facts.user_access != UserAccess::MultiUser {
            return Ok(Seen::NotYet("the database is online, but not open to all users".to_string()));
        }
        let table = database::count_rows(&mut connection, run.database()).await?;
        let read =
            table.map_or("it has no table".to_string(), |t| format!("{}.{} has {} rows", t.schema, t.table, t.rows));
        Ok(Seen::So(format!("the database is ONLINE and open to all users; {read}")))
    }

    async fn act(&self, run: &Run<W>) -> Result<String> {
        crash_points::reach("connections.ended");
        let state = {
            let mut connection = run.connect(Purpose::Catalog).await?;
            database::need(&mut connection, run.database()).await?.state
        };
        if state != DatabaseState::Online {
            recover(run).await?;
        }
        let mut work = run.connect(Purpose::Work).await?;
        if database::need(&mut work, run.database()).await?.user_access != UserAccess::MultiUser {
            let statement = database::multi_user_statement(run.database())?;
            run.change_back(run.database(), &statement, open_to_all(&mut work, run.database(), OPEN_LIMIT)).await?;
        }
        look_at(run).await
    }
}

/// Asks the gate with the truth of this moment, then recovers. The permit has no other source.
async fn recover<W: SecondaryWork>(run: &Run<W>) -> Result<()> {
    let permit = W::ask_gate(run).await?;
    run.book.set_fact(RECOVERED_TO, &permit.redo_lsn()).await?;
    let statement = database::recover_statement(run.database())?;
    let mut tell = |seen: RestoreProgress| {
        // The instance shows the statement at work.
        crash_points::reach("recover.sent");
        run.tell_progress("recovery", Some(seen.percent as u8));
    };
    let work = async {
        let ended = database::recover(run.session.connector(), &run.work.secondary().instance, permit, &mut tell).await;
        // A quick one has ended before the first look at it, and the journal does not know yet.
        crash_points::reach("recover.sent");
        ended
    };
    run.change(run.database(), &statement, work).await?;
    crash_points::reach("recover.done");
    run.commit();
    Ok(())
}

/// What is found after recovery is told, and changes nothing: users without a login, and the owner.
async fn look_at<W: SecondaryWork>(run: &Run<W>) -> Result<String> {
    let mut connection = run.connect(Purpose::Catalog).await?;
    let facts = database::need(&mut connection, run.database()).await?;
    if facts.state != DatabaseState::Online || facts.is_read_only {
        return Err(Error::new(
            ErrorKind::StepNotVerified,
            format!("`{}` is {} after its recovery, or read-only.", run.database(), facts.state.as_text()),
        )
        .with_next("Look into the instance's error log, then run `Resume-PChatRun`."));
    }
    let orphans: Vec<String> = match database::orphaned_users(&mut connection, run.database()).await {
        Ok(users) => users.into_iter().map(|user| user.name).collect(),
        Err(error) => {
            run.host.message(Level::Warning, format!("Users without a login could not be read: {}", error.message));
            Vec::new()
        }
    };
    run.book.set_fact(ORPHANED_USERS, &orphans).await?;
    let owner = facts.owner.map_or("an owner without a login here".to_string(), |owner| format!("owner {owner}"));
    let table = database::count_rows(&mut connection, run.database()).await?;
    let read = table.map_or("no table".to_string(), |t| format!("{} rows in {}.{}", t.rows, t.schema, t.table));
    let orphans = match orphans.len() {
        0 => String::new(),
        _ => format!("; users without a login: {}", orphans.join(", ")),
    };
    Ok(format!("the database is ONLINE and open to all users: {read}, {owner}{orphans}"))
}
