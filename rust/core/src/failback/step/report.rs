//! The last step: nothing is changed, the state reached is read and told.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;

use crate::error::Result;
use crate::failback::plan::step_name;
use crate::failback::{Failback, Run};
use crate::run::{OnFailure, Seen, Step};
use crate::sql::{database, mirror, Purpose};

/// Told once a run, in every process that works on it.
#[derive(Default)]
pub(crate) struct Report {
    is_told: AtomicBool,
}

#[async_trait]
impl Step<Failback> for Report {
    fn name(&self) -> &'static str {
        step_name::REPORT
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::GoOn
    }

    async fn probe(&self, run: &Run) -> Result<Seen> {
        if !self.is_told.load(Ordering::Relaxed) {
            return Ok(Seen::NotYet("not told yet".to_string()));
        }
        let mut connection = run.primary(Purpose::Catalog).await?;
        let state = database::need(&mut connection, run.database()).await?.state;
        let mirrored = match mirror::read(&mut connection, run.database()).await? {
            Some(mirror) => format!("mirrored and {}", mirror.state.as_text().to_uppercase()),
            None => "not mirrored".to_string(),
        };
        let (primary, state) = (&run.work.names.primary, state.as_text().to_uppercase());
        Ok(Seen::So(format!("{} on {primary} is {state}, {mirrored}", run.database())))
    }

    async fn act(&self, _run: &Run) -> Result<String> {
        self.is_told.store(true, Ordering::Relaxed);
        Ok(String::new())
    }
}
