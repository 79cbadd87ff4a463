//! The proof from end to end: a message goes from one test user to the other.

use async_trait::async_trait;

use crate::error::{Error, ErrorKind, Result};
use crate::failover::plan::step_name;
use crate::pool;
use crate::run::{OnFailure, Run, Seen, Step};
use crate::switch::PoolWork;

/// What the message that arrived was told of.
const ARRIVED: &str = "test_message_arrived";

pub(crate) struct TestMessage;

#[async_trait]
impl<W: PoolWork> Step<W> for TestMessage {
    fn name(&self) -> &'static str {
        step_name::TEST_MESSAGE
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::GoOn
    }

    async fn probe(&self, run: &Run<W>) -> Result<Seen> {
        Ok(match run.book.fact::<String>(ARRIVED) {
            Some(text) => Seen::So(text),
            None => Seen::NotYet("no message was sent yet".to_string()),
        })
    }

    /// A Front End pool of the lost site cannot send; one that can is enough.
    async fn act(&self, run: &Run<W>) -> Result<String> {
        let mut said = Vec::new();
        for target in run.work.pool().test_pools.known().into_iter().flatten() {
            let sent = run.native_get(pool::test_message(target)).await;
            run.cancel.check()?;
            match sent {
                Ok(objects) => match pool::read_test_message(&objects) {
                    Some(message) if message.arrived => {
                        let text = format!("a message between the test users of {target}: {}", message.text);
                        run.book.set_fact(ARRIVED, &text).await?;
                        return Ok(text);
                    }
                    Some(message) => said.push(format!("{target}: {}", message.text)),
                    None => said.push(format!("{target}: nothing came back")),
                },
                Err(error) if error.kind == ErrorKind::LabMixedWithReal => return Err(error),
                Err(error) => said.push(format!("{target}: {}", error.message.trim_end_matches('.'))),
            }
        }
        Err(Error::new(
            ErrorKind::StepNotVerified,
            format!("no message between test users arrived. {}.", said.join("; ")),
        )
        .with_unchanged("The servers are active and have their sessions in the database.")
        .with_next("Send a message in a room by hand; `Resume-PChatRun` tries it again."))
    }
}
