//! How far a failback has come, as the instances show it: every step before the recovery asks, so that a resumed run does
//! nothing over again that later steps rest on.

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::Run;
use crate::baseline::{Baseline, InstanceBaseline, InstanceRole};
use crate::error::Result;
use crate::run::Seen;
use crate::sql::database::{self, DatabaseState};
use crate::sql::{mirror, Purpose};

/// Where users are, or would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    /// The backup's database is online.
    Serving,
    /// It takes no writes any more, and the primary's is not online yet.
    Between,
    /// The primary's is online, and the backup's is not.
    Recovered,
}

/// The stage that was read last, for the last word of a run that stopped in the midst of a step.
#[derive(Debug, Default)]
pub(crate) struct LastSeen(Mutex<Option<Stage>>);

impl LastSeen {
    pub(crate) fn new(stage: Stage) -> LastSeen {
        LastSeen(Mutex::new(Some(stage)))
    }

    pub(crate) fn get(&self) -> Option<Stage> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, stage: Stage) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(stage);
    }
}

/// The stage that two states tell. Before the tail the target may be online too, with a dead fork: what counts is whether
/// the source still serves. Pure.
pub(crate) fn of(source: Option<DatabaseState>, target: Option<DatabaseState>) -> Stage {
    match (source, target) {
        (Some(DatabaseState::Online), _) => Stage::Serving,
        (_, Some(DatabaseState::Online)) => Stage::Recovered,
        _ => Stage::Between,
    }
}

/// The stage of a way home, as a reading of the four instances shows it.
pub(crate) fn of_way_home(now: &Baseline) -> Stage {
    let state = |role| now.instance(role).and_then(InstanceBaseline::database).map(|found| found.facts.state);
    let is_mirrored = now.instance(InstanceRole::Primary).and_then(InstanceBaseline::mirroring).is_some();
    of(state(InstanceRole::Backup), served(state(InstanceRole::Primary), is_mirrored))
}

/// Between two role swaps the target is the mirror of its pair, which only one that was recovered can be.
fn served(state: Option<DatabaseState>, is_mirrored: bool) -> Option<DatabaseState> {
    if is_mirrored {
        return Some(DatabaseState::Online);
    }
    state
}

/// The stage at this moment.
pub(crate) async fn read(run: &Run) -> Result<Stage> {
    let mut connection = run.backup(Purpose::Catalog).await?;
    let source = database::read(&mut connection, run.database()).await?.map(|facts| facts.state);
    if source == Some(DatabaseState::Online) {
        run.work.last_seen.set(Stage::Serving);
        return Ok(Stage::Serving);
    }
    let mut connection = run.primary(Purpose::Catalog).await?;
    let target = database::read(&mut connection, run.database()).await?.map(|facts| facts.state);
    let is_mirrored = mirror::read(&mut connection, run.database()).await?.is_some();
    let stage = of(source, served(target, is_mirrored));
    run.work.last_seen.set(stage);
    if stage == Stage::Recovered {
        run.commit();
    }
    Ok(stage)
}

/// What a step before the tail answers once the source serves no more: later steps rest on it.
pub(crate) async fn behind_the_tail(run: &Run) -> Result<Option<Seen>> {
    Ok(match read(run).await? {
        Stage::Serving => None,
        Stage::Between => Some(Seen::So("the last log backup is taken already".to_string())),
        Stage::Recovered => Some(Seen::So(format!("{} is recovered already", run.work.names.primary))),
    })
}

/// What a step up to the recovery answers once the primary serves.
pub(crate) async fn behind_the_recovery(run: &Run) -> Result<Option<Seen>> {
    Ok(match read(run).await? {
        Stage::Recovered => Some(Seen::So(format!("{} is recovered already", run.work.names.primary))),
        Stage::Serving | Stage::Between => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_backup_that_serves_outweighs_an_old_primary_that_is_online_too() {
        let (online, restoring) = (Some(DatabaseState::Online), Some(DatabaseState::Restoring));
        assert_eq!(of(online, online), Stage::Serving);
        assert_eq!(of(online, None), Stage::Serving);
        assert_eq!(of(restoring, restoring), Stage::Between);
        assert_eq!(of(restoring, online), Stage::Recovered);
        assert_eq!(of(Some(DatabaseState::Offline), online), Stage::Recovered);
        assert_eq!(of(restoring, served(restoring, true)), Stage::Recovered, "between the two role swaps");
    }
}
