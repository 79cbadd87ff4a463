//! The list of active servers is saved and emptied, and the servers that were on it are told.

use async_trait::async_trait;

use super::{name, HISTORY};
use crate::error::{Error, ErrorKind, Result};
use crate::failover::step::pool_state::{clear_active_list, read_service, ACTIVE_BEFORE};
use crate::failover::step::replication;
use crate::host::NativeCommand;
use crate::pool;
use crate::run::{OnFailure, Run, Seen, Step};
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

/// Brings the saved list of active servers back, and reads it; `done` is told.
///
/// # Errors
/// `StepNotVerified` (5015) where it is not as it was; those of the commands.
pub(crate) async fn list_back<W: SwitchWork>(run: &Run<W>, done: &mut Vec<String>) -> Result<()> {
    let commands = list_commands(run).await?;
    if commands.is_empty() {
        return Ok(());
    }
    for command in commands {
        run.native_set_back(command).await?;
    }
    if !list_commands(run).await?.is_empty() {
        return Err(Error::new(ErrorKind::StepNotVerified, "the list of active servers is not as it was.")
            .with_next("Set it with `Set-CsPersistentChatActiveServer`."));
    }
    done.push("the list of active servers is back".to_string());
    Ok(())
}
