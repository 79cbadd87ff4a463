//! Compliance drains: what users wrote is processed by the adapter before its service stops.

use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use super::{name, HISTORY};
use crate::error::{Error, ErrorKind, Result};
use crate::journal::crash_points;
use crate::run::{OnFailure, Run, Seen, Step};
use crate::sql::compliance::{self, COMPLIANCE_DATABASE};
use crate::sql::Purpose;
use crate::switch::SwitchWork;

const POLL: Duration = Duration::from_secs(1);
/// Queues on the servers reach the database a moment later and cannot be read from here: it must stay empty so long.
const QUIET: Duration = Duration::from_secs(3);

pub(crate) struct Drain;

async fn unprocessed<W: SwitchWork>(run: &Run<W>) -> Result<u64> {
    let mut connection = run.connect_source(Purpose::Catalog).await?;
    compliance::unprocessed(&mut connection).await.map_err(|error| {
        let why = error.message.trim_end_matches('.').to_string();
        Error::new(error.kind, format!("{COMPLIANCE_DATABASE} on {} cannot be read: {why}.", run.work.source()))
            .with_next(
                "Make sure yourself that the adapter has processed everything, then say so with `-ComplianceDrained`.",
            )
    })
}

#[async_trait]
impl<W: SwitchWork> Step<W> for Drain {
    fn name(&self) -> &'static str {
        name::DRAIN
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::PutBack
    }

    async fn probe(&self, run: &Run<W>) -> Result<Seen> {
        if !run.work.has_compliance() {
            return Ok(Seen::So("the topology has no compliance database".to_string()));
        }
        if run.work.limits().compliance_is_drained {
            return Ok(Seen::So("drained, by the operator's word".to_string()));
        }
        if W::is_past_recovery(run).await? {
            return Ok(Seen::So(HISTORY.to_string()));
        }
        if run.book.fact::<bool>(DRAINED).unwrap_or_default() && unprocessed(run).await? == 0 {
            return Ok(Seen::So(format!("{COMPLIANCE_DATABASE} has no unprocessed event")));
        }
        Ok(Seen::NotYet("compliance may still have events to process".to_string()))
    }

    async fn act(&self, run: &Run<W>) -> Result<String> {
        let limit = run.work.limits().drain;
        let end = Instant::now() + limit;
        let mut quiet_since = None;
        loop {
            let left = unprocessed(run).await?;
            let now = Instant::now();
            match left {
                0 => {
                    let since = *quiet_since.get_or_insert(now);
                    if now - since >= QUIET {
                        break;
                    }
                }
                _ => quiet_since = None,
            }
            if left > 0 && now >= end {
                return Err(not_drained(left, limit));
            }
            run.tell_progress(&format!("{COMPLIANCE_DATABASE} has {left} unprocessed events"), None);
            crash_points::reach("drain.waiting");
            run.pause(POLL).await?;
        }
        run.book.set_fact(DRAINED, &true).await?;
        Ok(String::new())
    }
}

/// In the journal once the database stayed empty for a while.
const DRAINED: &str = "compliance_drained";

/// Services run again for a run that is given up: a later look at compliance begins anew.
///
/// # Errors
/// `JournalWriteFailed` (7001).
pub(crate) async fn forget_drained<W: SwitchWork>(run: &Run<W>) -> Result<()> {
    match run.book.fact::<bool>(DRAINED) {
        Some(true) => run.book.set_fact(DRAINED, &false).await,
        _ => Ok(()),
    }
}

fn not_drained(left: u64, limit: Duration) -> Error {
    Error::new(
        ErrorKind::ComplianceNotDrained,
        format!("{COMPLIANCE_DATABASE} still has {left} unprocessed events after {} seconds.", limit.as_secs()),
    )
    .with_next(
        "Look at the compliance adapter; give it longer with `-DrainTimeoutSeconds`, or, where what is left may stay behind, \
         say `-ComplianceDrained`.",
    )
}
