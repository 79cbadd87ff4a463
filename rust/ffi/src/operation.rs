//! Operations: events out through a bounded queue, answers in by id, cancel from any thread.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use pchat_core::host::{Cancel, Host, Level, NativeCommand, NativeOutcome, NativeState, Progress, Question};
use pchat_core::operation::{self, OperationResult, Request};
use pchat_core::{trace, Error, ErrorKind, Result};
use serde::Deserialize;
use serde_json::{json, Value};
use tokio::sync::{oneshot, Notify};

use crate::document::to_bytes;
use crate::guard::panic_error;
use crate::session::SessionHandle;

/// How many events may wait before the work waits for the caller.
const QUEUE_LENGTH: usize = 256;
/// Progress at most five times a second.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(200);

/// What `next` gives.
pub enum Next {
    /// The document's bytes.
    Event(Vec<u8>),
    TimedOut,
    End,
}

/// A piece of work under way.
pub struct Operation {
    state: Mutex<State>,
    changed: Condvar,
    /// Woken when the queue has room again.
    room: Notify,
    /// One question at a time.
    asking: tokio::sync::Mutex<()>,
    pub cancel: Cancel,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Value>,
    progress: Option<Progress>,
    progress_sent: Option<Instant>,
    terminal: Option<Vec<u8>>,
    ended: bool,
    closed: bool,
    waiting: bool,
    next_id: u64,
    question: Option<(u64, Pending)>,
}

enum Pending {
    Confirm(oneshot::Sender<bool>),
    Native(oneshot::Sender<NativeOutcome>),
}

/// An answer as the caller sends it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    id: u64,
    kind: String,
    #[serde(default)]
    yes: Option<bool>,
    #[serde(default)]
    outcome: Option<NativeOutcome>,
}

impl Operation {
    /// Starts the work on the session's runtime and returns at once.
    pub fn start(session: &Arc<SessionHandle>, request: Request) -> Result<Arc<Operation>> {
        let spawner = session
            .spawner()
            .ok_or_else(|| Error::new(ErrorKind::InvalidHandle, "the session is closed.".to_string()))?;
        let operation = Arc::new(Operation {
            state: Mutex::new(State::default()),
            changed: Condvar::new(),
            room: Notify::new(),
            asking: tokio::sync::Mutex::new(()),
            cancel: Cancel::new(),
        });
        let shared = Arc::clone(&operation);
        let keep = Arc::clone(session);
        trace::write("start", || format!("{request:?}"));
        session.session.trace().listen(&(Arc::clone(&operation) as Arc<dyn Host>));
        let worker = {
            let (shared, session) = (Arc::clone(&operation), Arc::clone(&session.session));
            let cancel = operation.cancel.clone();
            spawner.spawn(async move {
                #[cfg(feature = "crash-points")]
                plant_panic();
                operation::run(session, request, shared as Arc<dyn Host>, cancel).await
            })
        };
        // A panic in a task passes by the export's guard: this one waits for the worker and tells its end.
        spawner.spawn(async move {
            let terminal = match worker.await {
                Ok(Ok(result)) => result_event(result),
                Ok(Err(error)) => failure(&error),
                Err(join) if join.is_panic() => failure(&panic_error(join.into_panic().as_ref())),
                Err(_) => failure(&Error::new(
                    ErrorKind::WorkerLost,
                    "the operation's worker ended without a result. Run Get-PChatRun to see the state.",
                )),
            };
            shared.finish(terminal);
            drop(keep);
        });
        Ok(operation)
    }

    /// The next event, or the reason why there is none.
    ///
    /// # Errors
    /// `InvalidAnswer` (1005) while another thread waits; `InvalidHandle` (1004) when the operation is closed meanwhile.
    pub fn next(&self, limit: Duration) -> Result<Next> {
        let deadline = Instant::now() + limit;
        let mut state = self.lock();
        if state.waiting {
            return Err(Error::new(
                ErrorKind::InvalidAnswer,
                "another thread is waiting for this operation's next event; one may wait at a time.",
            ));
        }
        state.waiting = true;
        let outcome = loop {
            if state.closed {
                break Err(Error::new(
                    ErrorKind::InvalidHandle,
                    "the operation was closed while its next event was awaited.",
                ));
            }
            if let Some(event) = state.queue.pop_front() {
                self.room.notify_waiters();
                break Ok(Next::Event(to_bytes(&event)));
            }
            let now = Instant::now();
            let quiet_until = state.progress_sent.map(|at| at + PROGRESS_INTERVAL).filter(|at| *at > now);
            if state.terminal.is_none() && quiet_until.is_none() {
                if let Some(progress) = state.progress.take() {
                    state.progress_sent = Some(now);
                    break Ok(Next::Event(to_bytes(&json!({"event": "progress", "progress": progress}))));
                }
            }
            if let Some(terminal) = state.terminal.take() {
                state.ended = true;
                break Ok(Next::Event(terminal));
            }
            if state.ended {
                break Ok(Next::End);
            }
            if now >= deadline {
                break Ok(Next::TimedOut);
            }
            let until = match quiet_until {
                Some(at) if state.progress.is_some() => at.min(deadline),
                _ => deadline,
            };
            let (again, _) = self
                .changed
                .wait_timeout(state, until.saturating_duration_since(now))
                .unwrap_or_else(PoisonError::into_inner);
            state = again;
        };
        state.waiting = false;
        outcome
    }

    /// Gives the open question its answer.
    ///
    /// # Errors
    /// `InvalidRequest` (1001) for a document that is no answer; `InvalidAnswer` (1005) where it fits no open question.
    pub fn answer(&self, document: &[u8]) -> Result<()> {
        let answer: Answer = serde_json::from_slice(document)
            .map_err(|e| crate::document::bad(format!("the answer cannot be read: {e}")))?;
        let mut state = self.lock();
        let wrong = |why: String| {
            Error::new(ErrorKind::InvalidAnswer, format!("the answer fits no open question: {why}."))
                .with_unchanged("The question, where there is one, stays open.")
        };
        match state.question.take() {
            None => Err(wrong("none is open".to_string())),
            Some((id, pending)) if id != answer.id => {
                state.question = Some((id, pending));
                Err(wrong(format!("question {id} is open, {} was answered", answer.id)))
            }
            Some((id, pending)) => match (pending, answer.kind.as_str(), answer.yes, answer.outcome) {
                (Pending::Confirm(sender), "confirm", Some(yes), None) => {
                    let _ = sender.send(yes);
                    Ok(())
                }
                (Pending::Native(sender), "native", None, Some(outcome)) => {
                    let _ = sender.send(outcome);
                    Ok(())
                }
                (pending, kind, ..) => {
                    state.question = Some((id, pending));
                    Err(wrong(format!("a `{kind}` answer with these members does not belong to question {id}")))
                }
            },
        }
    }

    /// Asks the work to stop; an open question is answered no. From any thread, never blocks.
    pub fn stop(&self) {
        self.cancel.cancel();
        let question = self.lock().question.take();
        match question.map(|(_, pending)| pending) {
            Some(Pending::Confirm(sender)) => drop(sender.send(false)),
            Some(Pending::Native(sender)) => drop(sender.send(stopped())),
            None => {}
        }
    }

    /// Cancels and detaches: the work goes on to its safe end without a listener. Never blocks; wakes a blocked `next`.
    pub fn close(&self) {
        let running = {
            let mut state = self.lock();
            state.closed = true;
            state.queue.clear();
            state.progress = None;
            state.terminal.is_none() && !state.ended
        };
        if running {
            self.stop();
        }
        self.room.notify_waiters();
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn finish(&self, terminal: Vec<u8>) {
        trace::write("end", || String::from_utf8_lossy(&terminal).into_owned());
        self.lock().terminal = Some(terminal);
        self.changed.notify_all();
    }

    /// Puts an event into the queue, waiting while it is full.
    async fn push(&self, event: Value) {
        loop {
            let waiting = self.room.notified();
            tokio::pin!(waiting);
            waiting.as_mut().enable();
            {
                let mut state = self.lock();
                if state.closed {
                    return;
                }
                if state.queue.len() < QUEUE_LENGTH {
                    state.queue.push_back(event);
                    self.changed.notify_all();
                    return;
                }
            }
            waiting.await;
        }
    }

    /// Registers a question and puts its event into the queue; false when nobody can answer any more.
    async fn ask(&self, event: impl FnOnce(u64) -> Value, pending: Pending) -> bool {
        let event = {
            let mut state = self.lock();
            if state.closed || self.cancel.is_cancelled() {
                return false;
            }
            state.next_id += 1;
            let id = state.next_id;
            state.question = Some((id, pending));
            event(id)
        };
        self.push(event).await;
        true
    }
}

#[async_trait]
impl Host for Operation {
    fn progress(&self, progress: Progress) {
        let mut state = self.lock();
        if !state.closed {
            state.progress = Some(progress);
            self.changed.notify_all();
        }
    }

    fn message(&self, level: Level, text: String) {
        if level != Level::Debug {
            trace::write("message", || text.clone());
        }
        let mut state = self.lock();
        // Lines do not wait: a flood of them gives way to what is already there, and details give way to all else.
        let room = if level == Level::Debug { QUEUE_LENGTH / 4 } else { 4 * QUEUE_LENGTH };
        if !state.closed && state.queue.len() < room {
            state.queue.push_back(json!({"event": "message", "level": level, "text": text}));
            self.changed.notify_all();
        }
    }

    async fn item(&self, kind: &'static str, item: Value) -> Result<()> {
        self.push(json!({"event": "item", "kind": kind, "item": item})).await;
        Ok(())
    }

    async fn confirm(&self, question: Question) -> bool {
        let _one = self.asking.lock().await;
        let (sender, receiver) = oneshot::channel();
        let event = |id| json!({"event": "question", "id": id, "question": question});
        let yes = self.ask(event, Pending::Confirm(sender)).await && receiver.await.unwrap_or(false);
        trace::write("question", || format!("{} -> {}", question.text, if yes { "yes" } else { "no" }));
        yes
    }

    async fn native(&self, command: NativeCommand) -> NativeOutcome {
        let _one = self.asking.lock().await;
        let (sender, receiver) = oneshot::channel();
        let event = |id| json!({"event": "native", "id": id, "command": command});
        trace::write("native", || command.as_text());
        if !self.ask(event, Pending::Native(sender)).await {
            return stopped();
        }
        let outcome = receiver.await.unwrap_or_else(|_| stopped());
        trace::write("native", || format!("{} -> {outcome:?}", command.name));
        outcome
    }
}

fn stopped() -> NativeOutcome {
    NativeOutcome {
        state: NativeState::Stopped,
        module: None,
        stand_in: false,
        objects: Vec::new(),
        error: Some("stopped before an answer came".to_string()),
        error_id: None,
    }
}

fn failure(error: &Error) -> Vec<u8> {
    to_bytes(&json!({"event": "failure", "error": error.to_document()}))
}

/// The terminal event around a result that is JSON text already.
fn result_event(result: OperationResult) -> Vec<u8> {
    let mut event = result.document.into_bytes();
    let head = format!("{{\"event\":\"result\",\"kind\":\"{}\",\"result\":", result.kind);
    event.reserve_exact(head.len() + 1);
    event.splice(0..0, head.into_bytes());
    event.push(b'}');
    event
}

/// For the test of the net under the tasks: a panic inside the worker, in a library built for tests.
#[cfg(feature = "crash-points")]
fn plant_panic() {
    if std::env::var_os("PCHAT_PLANT_PANIC").is_some_and(|v| v == "task") {
        panic!("planted in a task");
    }
}
