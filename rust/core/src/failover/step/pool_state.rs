//! The pool is told which side serves: active list saved and cleared, state set, replicated to the servers that will
//! be active.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{json, Value};
use tokio::time::Instant;

use crate::error::{Error, ErrorKind, Result};
use crate::failover::plan::step_name;
use crate::host::Question;
use crate::journal::crash_points;
use crate::pool::{self, PoolService, PoolStateReading, Replica};
use crate::run::{OnFailure, Run, Seen, Step};
use crate::switch::PoolWork;

/// What later processes must know of the pool as it was.
pub(crate) const ACTIVE_BEFORE: &str = "active_servers_before";
const REPLICAS_BEFORE: &str = "replicas_before_pool_state";
const POLL: Duration = Duration::from_secs(1);
/// Short waits at first: a small pool replicates within a second or two.
const FIRST_POLL: Duration = Duration::from_millis(200);

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
        let behind = behind(run).await?;
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
            run.book.set_fact(REPLICAS_BEFORE, &creations(&read_replicas(run).await?)).await?;
            let set = run.native_set(pool::set_pool_state(&state.identity, W::POOL_STATE)).await;
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
        wait_for_replication(run).await?;
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

async fn read_replicas<W: PoolWork>(run: &Run<W>) -> Result<Vec<Replica>> {
    Ok(pool::read_replicas(&run.native_get(pool::get_replication()).await?))
}

fn creations(replicas: &[Replica]) -> BTreeMap<String, Option<String>> {
    replicas.iter().map(|replica| (replica.server.to_lowercase(), replica.last_update_created.clone())).collect()
}

/// The servers to be active that do not have the new state yet. A dead one never gets it, so no other counts.
///
/// `UpToDate` may still be true from before: it counts only with a newer update than the one read before the Set.
async fn behind<W: PoolWork>(run: &Run<W>) -> Result<Vec<String>> {
    let replicas = read_replicas(run).await?;
    let before: BTreeMap<String, Option<String>> = run.book.fact(REPLICAS_BEFORE).unwrap_or_default();
    let wanted = run.work.active_servers();
    Ok(wanted.iter().filter(|server| !is_up_to_date(server, &replicas, &before)).cloned().collect())
}

fn is_up_to_date(server: &str, replicas: &[Replica], before: &BTreeMap<String, Option<String>>) -> bool {
    let Some(replica) = replicas.iter().find(|replica| replica.server.eq_ignore_ascii_case(server)) else {
        return false;
    };
    let known = before.get(&server.to_lowercase());
    replica.up_to_date
        && match (known, &replica.last_update_created) {
            (None, _) => true,
            (Some(None), now) => now.is_some(),
            (Some(Some(old)), Some(new)) => is_later(new, old),
            (Some(Some(_)), None) => false,
        }
}

fn is_later(new: &str, old: &str) -> bool {
    match (pool::read_moment(new), pool::read_moment(old)) {
        (Some(new), Some(old)) => new > old,
        _ => new != old,
    }
}

/// Waits until the servers to be active are up to date. After the limit a full replication is offered once.
async fn wait_for_replication<W: PoolWork>(run: &Run<W>) -> Result<()> {
    let limit = run.work.pool_timeout();
    let Some(late) = wait(run, limit).await? else { return Ok(()) };
    let list = late.join(", ");
    let yes = run
        .host
        .confirm(Question {
            caption: "Replication is behind".to_string(),
            text: format!(
                "{list} did not report the new pool state within {} seconds. Force a full replication to them with \
                 Invoke-CsManagementStoreReplication and wait again? It can take minutes to start.",
                limit.as_secs()
            ),
        })
        .await;
    if yes {
        for server in &late {
            run.native_set(pool::force_replication(server)).await?;
        }
        if wait(run, limit).await?.is_none() {
            return Ok(());
        }
    }
    run.cancel.check()?;
    Err(Error::new(ErrorKind::ReplicationBehind, format!("{list} did not report the new pool state within the limit."))
        .with_unchanged(format!(
            "The pool is {}; its list of active servers is empty, so no user is served yet.",
            W::POOL_STATE.as_str()
        ))
        .with_next(format!(
            "Look at `Get-CsManagementStoreReplicationStatus`; `Invoke-CsManagementStoreReplication -ReplicaFqdn {}` forces a \
             full copy. Then run `Resume-PChatRun`.",
            late.first().map_or("", String::as_str)
        )))
}

/// `None` once nobody is behind, else who is when the limit passes.
async fn wait<W: PoolWork>(run: &Run<W>, limit: Duration) -> Result<Option<Vec<String>>> {
    let end = Instant::now() + limit;
    let mut pause = FIRST_POLL;
    loop {
        let late = behind(run).await?;
        if late.is_empty() {
            return Ok(None);
        }
        if Instant::now() >= end {
            return Ok(Some(late));
        }
        run.tell_progress(&format!("waiting for replication to {}", late.join(", ")), None);
        run.pause(pause).await?;
        pause = (pause * 2).min(POLL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replica(up_to_date: bool, created: Option<&str>) -> Vec<Replica> {
        vec![Replica { server: "S1.contoso.com".into(), up_to_date, last_update_created: created.map(str::to_string) }]
    }

    #[test]
    fn an_up_to_date_from_before_the_set_does_not_count() {
        let before = creations(&replica(true, Some("03/14/2026 02:15:00")));
        assert!(!is_up_to_date("s1.contoso.com", &replica(true, Some("03/14/2026 02:15:00")), &before));
        assert!(!is_up_to_date("s1.contoso.com", &replica(false, Some("03/14/2026 02:16:00")), &before));
        assert!(is_up_to_date("s1.contoso.com", &replica(true, Some("03/14/2026 02:16:00")), &before));
        assert!(!is_up_to_date("s1.contoso.com", &replica(true, None), &before));
    }

    #[test]
    fn without_a_reading_from_before_the_word_of_the_replica_counts() {
        assert!(is_up_to_date("s1.contoso.com", &replica(true, None), &BTreeMap::new()));
        assert!(
            !is_up_to_date("s2.contoso.com", &replica(true, None), &BTreeMap::new()),
            "an unknown server never does"
        );
    }
}
