//! Waiting until a change of the pool has reached the servers to be active. A dead one never gets it, so no other counts.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::error::{Error, ErrorKind, Result};
use crate::host::{Level, Question};
use crate::pool::{self, Replica};
use crate::run::Run;
use crate::switch::PoolWork;

const POLL: Duration = Duration::from_secs(1);
/// Short waits at first: a small pool replicates within a second or two.
const FIRST_POLL: Duration = Duration::from_millis(200);

/// A change in the management store that the servers have to learn of.
pub(crate) struct Change {
    /// The fact that keeps how far the replicas were before it.
    before: &'static str,
    /// What they have to report, as messages name it.
    what: &'static str,
}

/// The state of the pool.
pub(crate) const POOL_STATE: Change = Change { before: "replicas_before_pool_state", what: "pool state" };
/// The list of active servers, emptied before a switch.
pub(crate) const EMPTY_LIST: Change =
    Change { before: "replicas_before_empty_list", what: "empty list of active servers" };
/// The list of active servers.
pub(crate) const ACTIVE_LIST: Change = Change { before: "replicas_before_active_list", what: "list of active servers" };
/// The list that was before the run, brought back.
pub(crate) const LIST_BEFORE: Change =
    Change { before: "replicas_before_list_back", what: "former list of active servers" };

/// Takes down how far the replicas are, before the change is made.
///
/// # Errors
/// Those of the command and of the journal.
pub(crate) async fn take_down<W: PoolWork>(run: &Run<W>, change: &Change) -> Result<()> {
    run.book.set_fact(change.before, &creations(&read(run).await?)).await
}

/// The servers to be active that do not know the change yet.
///
/// `UpToDate` may still be true from before: it counts only with a newer update than the one read before the Set.
///
/// # Errors
/// Those of the command.
pub(crate) async fn behind<W: PoolWork>(run: &Run<W>, change: &Change) -> Result<Vec<String>> {
    behind_of(run, change, run.work.active_servers()).await
}

/// The same of any servers.
async fn behind_of<W: PoolWork>(run: &Run<W>, change: &Change, wanted: &[String]) -> Result<Vec<String>> {
    let replicas = read(run).await?;
    let before: BTreeMap<String, Option<String>> = run.book.fact(change.before).unwrap_or_default();
    Ok(wanted.iter().filter(|server| !is_up_to_date(server, &replicas, &before)).cloned().collect())
}

/// Waits until these servers know the change. After the limit a full replication is offered once.
///
/// # Errors
/// `ReplicationBehind` (6005), `Cancelled` (1007), or those of the commands.
pub(crate) async fn wait_for<W: PoolWork>(run: &Run<W>, change: &Change, servers: &[String]) -> Result<()> {
    let limit = run.work.pool_timeout();
    let Some(late) = wait(run, change, servers, limit).await? else { return Ok(()) };
    let list = late.join(", ");
    let yes = run
        .host
        .confirm(Question {
            caption: "Replication is behind".to_string(),
            text: format!(
                "{list} did not report the new {} within {} seconds. Force a full replication to them with \
                 Invoke-CsManagementStoreReplication and wait again? It can take minutes to start.",
                change.what,
                limit.as_secs()
            ),
        })
        .await;
    if yes {
        for server in &late {
            run.native_set(pool::force_replication(server)).await?;
        }
        if wait(run, change, servers, limit).await?.is_none() {
            return Ok(());
        }
    }
    run.cancel.check()?;
    let what = format!("{list} did not report the new {} within the limit.", change.what);
    Err(Error::new(ErrorKind::ReplicationBehind, what).with_next(format!(
        "Look at `Get-CsManagementStoreReplicationStatus`; `Invoke-CsManagementStoreReplication -ReplicaFqdn {}` forces a \
         full copy. Then run `Resume-PChatRun`.",
        late.first().map_or("", String::as_str)
    )))
}

/// Waits until these servers know the change. Who is behind when the limit passes is told, and nothing is forced: for a
/// change that later steps do not rest on.
///
/// # Errors
/// `Cancelled` (1007), or those of the command.
pub(crate) async fn wait_or_tell<W: PoolWork>(run: &Run<W>, change: &Change, servers: &[String]) -> Result<()> {
    let limit = run.work.pool_timeout();
    let Some(late) = wait(run, change, servers, limit).await? else { return Ok(()) };
    run.host.message(
        Level::Warning,
        format!(
            "{} did not report the {} within {} seconds. The run goes on: their services are stopped, and sessions are counted. \
             `Invoke-CsManagementStoreReplication` forces a full copy.",
            late.join(", "),
            change.what,
            limit.as_secs()
        ),
    );
    Ok(())
}

/// `None` once nobody is behind, else who is when the limit passes.
async fn wait<W: PoolWork>(
    run: &Run<W>,
    change: &Change,
    servers: &[String],
    limit: Duration,
) -> Result<Option<Vec<String>>> {
    let end = Instant::now() + limit;
    let mut pause = FIRST_POLL;
    loop {
        let late = behind_of(run, change, servers).await?;
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

async fn read<W: PoolWork>(run: &Run<W>) -> Result<Vec<Replica>> {
    Ok(pool::read_replicas(&run.native_get(pool::get_replication()).await?))
}

fn creations(replicas: &[Replica]) -> BTreeMap<String, Option<String>> {
    replicas.iter().map(|replica| (replica.server.to_lowercase(), replica.last_update_created.clone())).collect()
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
