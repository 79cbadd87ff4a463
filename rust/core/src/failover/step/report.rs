//! The last step: nothing is changed, the state reached is read and told.

use async_trait::async_trait;

use super::{OnFailure, Seen, Step};
use crate::error::Result;
use crate::failover::plan::step_name;
use crate::failover::run::Run;
use crate::sql::{database, mirror, Purpose};

pub(crate) struct Report;

#[async_trait]
impl Step for Report {
    fn name(&self) -> &'static str {
        step_name::REPORT
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::GoOn
    }

    async fn probe(&self, run: &Run) -> Result<Seen> {
        let mut connection = run.connect(Purpose::Catalog).await?;
        let state = database::need(&mut connection, run.database()).await?.state;
        let mirrored = match mirror::read(&mut connection, run.database()).await? {
            Some(mirror) => format!("mirrored and {}", mirror.state.as_text().to_uppercase()),
            None => "not mirrored".to_string(),
        };
        Ok(Seen::So(format!(
            "{} on {} is {}, {mirrored}",
            run.database(),
            run.instance,
            state.as_text().to_uppercase()
        )))
    }

    async fn act(&self, _run: &Run) -> Result<String> {
        Ok(String::new())
    }
}
