//! The list of active servers is saved and emptied, and the servers that were on it are told.

use async_trait::async_trait;

use super::{name, HISTORY};
use crate::error::Result;
use crate::failover::step::active_servers::{activate, Activation};
use crate::failover::step::pool_state::{clear_active_list, read_service, ACTIVE_BEFORE};
use crate::failover::step::replication;
use crate::host::NativeCommand;
use crate::pool::{self, WindowsService};
use crate::run::{OnFailure, Run, Seen, Step};
use crate::sql::database::{self, DatabaseState};
use crate::sql::Purpose;
use crate::switch::{ServerServices, SwitchWork};

/// Fact: true while it is not known whether the servers know of the empty list, false once they were waited for.
const UNTOLD: &str = "empty_list_untold";

pub(crate) struct ClearActiveList;

#[async_trait]
impl<W: SwitchWork> Step<W> for ClearActiveList {
    fn name(&self) -> &'static str {
        name::CLEAR_ACTIVE_LIST
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::PutBack
    }

    async fn probe(&self, run: &Run<W>) -> Result<Seen> {
        if W::is_past_recovery(run).await? {
            return Ok(Seen::So(HISTORY.to_string()));
        }
        let active = read_service(run).await?.active_servers.unwrap_or_default();
        if !active.is_empty() {
            return Ok(Seen::NotYet(format!("{} are active", active.join(", "))));
        }
        Ok(match run.book.fact(UNTOLD) {
            Some(true) => {
                Seen::NotYet("the list of active servers is empty; its servers may not know it yet".to_string())
            }
            _ => Seen::So("the list of active servers is empty".to_string()),
        })
    }

    async fn act(&self, run: &Run<W>) -> Result<String> {
        if run.book.fact(UNTOLD) != Some(true) {
            replication::take_down(run, &replication::EMPTY_LIST).await?;
            run.book.set_fact(UNTOLD, &true).await?;
        }
        clear_active_list(run).await?;
        let were_active: Vec<String> = run.book.fact(ACTIVE_BEFORE).unwrap_or_default();
        let told: Vec<String> = were_active.into_iter().filter(|server| survives(run, server)).collect();
        replication::wait_or_tell(run, &replication::EMPTY_LIST, &told).await?;
        run.book.set_fact(UNTOLD, &false).await.map(|()| String::new())
    }
}

/// A server whose services could not be read before the first change counts as lost, where others could: a dead one never
/// learns of the change.
fn survives<W: SwitchWork>(run: &Run<W>, server: &str) -> bool {
    let seen = W::services_before(&run.capture);
    let of_server = seen.iter().find(|seen| seen.server.eq_ignore_ascii_case(server));
    let is_read = |services: &ServerServices| services.services.known().is_some();
    !seen.iter().any(is_read) || of_server.is_none_or(is_read)
}

/// The commands that bring the saved list of active servers back. Reads only.
pub(crate) async fn list_commands<W: SwitchWork>(run: &Run<W>) -> Result<Vec<NativeCommand>> {
    let Some(before) = run.book.fact::<Vec<String>>(ACTIVE_BEFORE) else { return Ok(Vec::new()) };
    let now = read_service(run).await?.active_servers.unwrap_or_default();
    Ok(pool::active_server_commands(&run.active_list_identity(), &now, &before))
}

/// Brings the saved list of active servers back as a forward run brings one in: replicated, and a session of each server seen
/// in the database; `done` is told.
///
/// # Errors
/// `StepNotVerified` (5015) where it is not as it was, or a server that ran before is not in; those of the commands.
pub(crate) async fn list_back<W: SwitchWork>(run: &Run<W>, done: &mut Vec<String>) -> Result<()> {
    let Some(before) = run.book.fact::<Vec<String>>(ACTIVE_BEFORE) else { return Ok(()) };
    let is_online = {
        let mut connection = run.connect_source(Purpose::Catalog).await?;
        let found = database::read(&mut connection, run.work.source_database()).await?;
        found.is_some_and(|facts| facts.state == DatabaseState::Online)
    };
    // No session comes back to a database that is damaged, as it was before the run.
    let awaited: Vec<String> = before.iter().filter(|server| is_online && comes_back(run, server)).cloned().collect();
    activate(
        run,
        &Activation {
            servers: &before,
            awaited: &awaited,
            instance: run.work.source(),
            database: run.work.source_database(),
            is_back: true,
        },
    )
    .await?;
    done.push(match awaited.is_empty() {
        true => "the list of active servers is back".to_string(),
        false => format!("the list of active servers is back, and {} are in", awaited.join(", ")),
    });
    Ok(())
}

/// A server that survives, and whose channel service ran before the first change, as far as that could be read.
fn comes_back<W: SwitchWork>(run: &Run<W>, server: &str) -> bool {
    let seen = W::services_before(&run.capture).iter().find(|seen| seen.server.eq_ignore_ascii_case(server));
    let services = seen.and_then(|seen| seen.services.known());
    let ran = |services: &Vec<WindowsService>| services.iter().any(|s| s.is_persistent_chat() && s.is_running());
    survives(run, server) && services.is_none_or(ran)
}
