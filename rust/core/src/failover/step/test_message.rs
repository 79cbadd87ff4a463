//! The proof from end to end: a message goes from one test user to the other.

use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use crate::error::{Error, ErrorKind, Result};
use crate::failover::plan::step_name;
use crate::pool;
use crate::run::{OnFailure, Run, Seen, Step};
use crate::switch::PoolWork;

/// What the message that arrived was told of.
const ARRIVED: &str = "test_message_arrived";

/// How long servers may take to come back to the database, and the pause between two messages.
const SETTLES_WITHIN: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_secs(1);

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

    /// Servers that were just started anew, or whose mirror just changed its role, come back to the database by themselves, so a
    /// message that did not arrive is sent again.
    async fn act(&self, run: &Run<W>) -> Result<String> {
        let end = Instant::now() + SETTLES_WITHIN;
        loop {
            let sent = send(run).await?;
            if let Some(text) = sent.arrived {
                run.book.set_fact(ARRIVED, &text).await?;
                return Ok(text);
            }
            if !sent.is_answered || Instant::now() >= end {
                return Err(not_arrived(&sent.said));
            }
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = run.cancel.cancelled() => {}
            }
        }
    }
}

/// What became of a message of each pool, up to the first that arrived.
#[derive(Default)]
struct Sent {
    arrived: Option<String>,
    /// True where a pool sent one that did not arrive: another may.
    is_answered: bool,
    said: Vec<String>,
}

/// A Front End pool of the lost site cannot send; one that can is enough.
async fn send<W: PoolWork>(run: &Run<W>) -> Result<Sent> {
    let mut all = Sent::default();
    for target in run.work.pool().test_pools.known().into_iter().flatten() {
        let sent = run.native_get(pool::test_message(target)).await;
        run.cancel.check()?;
        let message = match sent {
            Ok(objects) => pool::read_test_message(&objects),
            Err(error) if error.kind == ErrorKind::LabMixedWithReal => return Err(error),
            Err(error) => {
                all.said.push(format!("{target}: {}", error.message.trim_end_matches('.')));
                continue;
            }
        };
        match message {
            Some(message) if message.arrived => {
                all.arrived = Some(format!("a message between the test users of {target}: {}", message.text));
                return Ok(all);
            }
            Some(message) => {
                all.is_answered = true;
                all.said.push(format!("{target}: {}", message.text));
            }
            None => all.said.push(format!("{target}: nothing came back")),
        }
    }
    Ok(all)
}

fn not_arrived(said: &[String]) -> Error {
    let message = format!("no message between test users arrived. {}.", said.join("; "));
    Error::new(ErrorKind::StepNotVerified, message)
        .with_unchanged("The servers are active and have their sessions in the database.")
        .with_next("Send a message in a room by hand; `Resume-PChatRun` tries it again.")
}
