//! The list of active servers is saved and emptied.

use async_trait::async_trait;

use super::{name, HISTORY};
use crate::error::Result;
use crate::failover::step::pool_state::{clear_active_list, read_service, ACTIVE_BEFORE};
use crate::host::NativeCommand;
use crate::pool;
use crate::run::{OnFailure, Run, Seen, Step};
use crate::switch::SwitchWork;

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
        Ok(match active.is_empty() {
            true => Seen::So("the list of active servers is empty".to_string()),
            false => Seen::NotYet(format!("{} are active", active.join(", "))),
        })
    }

    async fn act(&self, run: &Run<W>) -> Result<String> {
        clear_active_list(run).await.map(|()| String::new())
    }
}

/// The commands that bring the saved list of active servers back. Reads only.
pub(crate) async fn list_commands<W: SwitchWork>(run: &Run<W>) -> Result<Vec<NativeCommand>> {
    let Some(before) = run.book.fact::<Vec<String>>(ACTIVE_BEFORE) else { return Ok(Vec::new()) };
    let now = read_service(run).await?.active_servers.unwrap_or_default();
    Ok(pool::active_server_commands(&run.active_list_identity(), &now, &before))
}
