//! The last step: nothing is changed, the state reached is read and told.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;

use crate::error::Result;
use crate::failover::plan::step_name;
use crate::failover::SecondaryWork;
use crate::run::{OnFailure, Run, Seen, Step};
use crate::sql::{database, mirror, Purpose};

/// Told once a run, in every process that works on it.
#[derive(Default)]
pub(crate) struct Report {
    is_told: AtomicBool,
}

#[async_trait]
impl<W: SecondaryWork> Step<W> for Report {
    fn name(&self) -> &'static str {
        step_name::REPORT
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::GoOn
    }

    async fn probe(&self, run: &Run<W>) -> Result<Seen> {
        if !self.is_told.load(Ordering::Relaxed) {
            return Ok(Seen::NotYet("not told yet".to_string()));
        }
        reached(run).await.map(Seen::So)
    }

    async fn act(&self, _run: &Run<W>) -> Result<String> {
        self.is_told.store(true, Ordering::Relaxed);
        Ok(String::new())
    }
}

/// The state of the database and of its mirror, in one line.
async fn reached<W: SecondaryWork>(run: &Run<W>) -> Result<String> {
    let mut connection = run.connect(Purpose::Catalog).await?;
    let state = database::need(&mut connection, run.database()).await?.state;
    let mirrored = match mirror::read(&mut connection, run.database()).await? {
        Some(mirror) => format!("mirrored and {}", mirror.state.as_text().to_uppercase()),
        None => "not mirrored".to_string(),
    };
    Ok(format!(
        "{} on {} is {}, {mirrored}",
        run.database(),
        run.work.secondary().instance,
        state.as_text().to_uppercase()
    ))
}
