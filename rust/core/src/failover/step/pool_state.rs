//! The pool is told which side serves: active list saved and cleared, state set, replicated to the servers that will
//! be active.

use async_trait::async_trait;
use serde_json::{json, Value};

use super::replication;
use crate::error::{Error, ErrorKind, Result};
use crate::failover::plan::step_name;
use crate::journal::crash_points;
use crate::pool::{self, PoolService, PoolStateReading};
use crate::run::{OnFailure, Run, Seen, Step};
use crate::switch::PoolWork;

/// What later processes must know of the pool as it was.
pub(crate) const ACTIVE_BEFORE: &str = "active_servers_before";

pub(crate) struct PoolState;

#[async_trait]
impl<W: PoolWork> Step<W> for PoolState {
    fn name(&self) -> &'static str {
        step_name::POOL_STATE
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Stop
    }

    async fn probe(&self, run: &Run<W>) -> Result<Seen> {
        let state = read_state(run).await?;
        if !is_wanted::<W>(&state) {
            return Ok(Seen::NotYet(format!("the pool is {}", state.state)));
        }
        let behind = replication::behind(run, &replication::POOL_STATE).await?;
        Ok(match behind.is_empty() {
            true => Seen::So(format!("the pool is {}, and the servers to be active know it", W::POOL_STATE.as_str())),
            false => Seen::NotYet(format!("the pool is {}, but {} do not know it yet", state.state, behind.join(", "))),
        })
    }

    fn intent(&self, run: &Run<W>) -> Value {
        json!({"pool_state": W::POOL_STATE.as_str(), "wait_for": run.work.active_servers()})
    }

    async fn act(&self, run: &Run<W>) -> Result<String> {
        let state = read_state(run).await?;
        if !is_wanted::<W>(&state) {
            clear_active_list(run).await?;
            replication::take_down(run, &replication::POOL_STATE).await?;
            let set =
                run.native_set(pool::set_pool_state(&run.pool_state_identity(&state.identity), W::POOL_STATE)).await;
            crash_points::reach("pool_state.set");
            let after = read_state(run).await?;
            if !is_wanted::<W>(&after) {
                set?;
                return Err(Error::new(
                    ErrorKind::StepNotVerified,
                    format!("the pool is still {} after `Set-CsPersistentChatState`, which said nothing.", after.state),
                )
                .with_next("Look at the pool with `Get-CsPersistentChatState`, then run `Resume-PChatRun`."));
            }
        }
        replication::wait_for(run, &replication::POOL_STATE, run.work.active_servers()).await.map_err(|error| {
            error.with_unchanged(format!(
                "The pool is {}; its list of active servers is empty, so no user is served yet.",
                W::POOL_STATE.as_str()
            ))
        })?;
        Ok(format!("the pool is {}, and the servers to be active know it", W::POOL_STATE.as_str()))
    }
}

/// The state of the run's pool.
///
/// # Errors
/// `PoolNotFound` (6004), or those of the command.
pub(crate) async fn read_state<W: PoolWork>(run: &Run<W>) -> Result<PoolStateReading> {
    let pool = run.pool_fqdn()?;
    let objects = run.native_get(pool::get_pool_state()).await?;
    pool::read_pool_state(&objects, pool).ok_or_else(|| not_found(pool))
}

/// The run's pool in the topology.
///
/// # Errors
/// `PoolNotFound` (6004), or those of the command.
pub(crate) async fn read_service<W: PoolWork>(run: &Run<W>) -> Result<PoolService> {
    let pool = run.pool_fqdn()?;
    let services = pool::read_services(&run.native_get(pool::get_services()).await?);
    pool::find_service(&services, pool).cloned().ok_or_else(|| not_found(pool))
}

fn not_found(pool: &str) -> Error {
    Error::new(ErrorKind::PoolNotFound, format!("the pool {pool} is not in the topology any more."))
        .with_next("Check the name with `Get-CsService -PersistentChatServer`.")
        .with_target(pool)
}

fn is_wanted<W: PoolWork>(state: &PoolStateReading) -> bool {
    state.state.eq_ignore_ascii_case(W::POOL_STATE.as_str())
}

/// Saves the list once, then empties it, so that no server meets a database that is half recovered. Microsoft's page
/// leaves it as it is.
pub(crate) async fn clear_active_list<W: PoolWork>(run: &Run<W>) -> Result<()> {
    let active = read_service(run).await?.active_servers.unwrap_or_default();
    if active.is_empty() {
        return Ok(());
    }
    if run.book.fact::<Vec<String>>(ACTIVE_BEFORE).is_none() {
        run.book.set_fact(ACTIVE_BEFORE, &active).await?;
    }
    let sent = run.native_set(pool::clear_active_servers(&run.active_list_identity())).await;
    match read_service(run).await?.active_servers {
        Some(left) if !left.is_empty() => {
            sent?;
            Err(Error::new(
                ErrorKind::StepNotVerified,
                format!("the list of active servers still has {} after it was cleared.", left.join(", ")),
            )
            .with_next("Look at it with `Get-CsService -PersistentChatServer`, then run `Resume-PChatRun`."))
        }
        _ => Ok(()),
    }
}
