//! A worker of its own for work that must not be cut off: a RESTORE that was sent is awaited though the operator was
//! answered long ago.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt;
use serde_json::Value;
use tokio::sync::oneshot;

use crate::error::{Error, ErrorKind, Result};
use crate::host::{Cancel, Host, Level, NativeCommand, NativeOutcome, NativeState, Progress, Question};
use crate::memory;
use crate::operation::OperationResult;

/// How long a cancelled operation waits for its worker before it answers without it.
const ANSWER_AFTER: Duration = Duration::from_millis(700);
/// The futures of a whole run are deep, in debug builds above all; two megabytes are not enough for them.
const STACK_BYTES: usize = 16 * 1024 * 1024;

/// Runs `work` on a thread and a runtime of its own and waits for its end; after a cancel no longer than a moment, then
/// `interim` is the answer and the worker goes on to its safe end without a listener.
///
/// The session's runtime may be shut down meanwhile; only the end of the process ends the worker.
///
/// # Errors
/// Those of the work; `InternalFault` (9001) for a panic in it.
pub(crate) async fn detached<W, F>(
    host: Arc<dyn Host>,
    cancel: Cancel,
    interim: impl FnOnce() -> Result<OperationResult>,
    work: W,
) -> Result<OperationResult>
where
    W: FnOnce(Arc<dyn Host>) -> F + Send + 'static,
    F: Future<Output = Result<OperationResult>>,
{
    let outlet = Arc::new(Outlet { host, open: AtomicBool::new(true) });
    let (sender, mut receiver) = oneshot::channel();
    let inner: Arc<dyn Host> = outlet.clone();
    std::thread::Builder::new()
        .name("pchat-worker".to_string())
        .stack_size(STACK_BYTES)
        .spawn(move || {
            let _ = sender.send(carry_out(work, inner));
        })
        .map_err(|e| Error::new(ErrorKind::InternalFault, format!("the worker cannot be started: {e}.")))?;
    let patience = async {
        cancel.cancelled().await;
        tokio::time::sleep(ANSWER_AFTER).await;
    };
    tokio::select! {
        biased;
        ended = &mut receiver => ended.unwrap_or_else(|_| Err(Error::new(
            ErrorKind::WorkerLost,
            "the operation's worker ended without a result.",
        ).with_next("Run Get-PChatRun to see the state."))),
        () = patience => {
            outlet.open.store(false, Ordering::SeqCst);
            interim()
        }
    }
}

fn carry_out<W, F>(work: W, host: Arc<dyn Host>) -> Result<OperationResult>
where
    W: FnOnce(Arc<dyn Host>) -> F,
    F: Future<Output = Result<OperationResult>>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("pchat-worker-task")
        .thread_stack_size(STACK_BYTES)
        .enable_all()
        .build()
        .map_err(|e| Error::new(ErrorKind::InternalFault, format!("the worker's runtime cannot be started: {e}.")))?;
    let guarded = AssertUnwindSafe(async { work(host).await }).catch_unwind();
    let ended = runtime.block_on(guarded);
    // A plain drop waits for blocking work, and a read on a dead share may hang for minutes.
    runtime.shutdown_background();
    memory::give_back();
    ended.unwrap_or_else(|panic| {
        let said = panic
            .downcast_ref::<&str>()
            .map(|s| (*s).to_string())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "no text".to_string());
        Err(Error::new(ErrorKind::InternalFault, format!("a fault in this library ended the operation: {said}."))
            .with_next("Run Get-PChatRun to see the state; an open run can be resumed."))
    })
}

/// The host as long as somebody listens. Afterwards items are dropped, a question is answered no, and a native command
/// counts as stopped: nothing new is begun without a listener.
struct Outlet {
    host: Arc<dyn Host>,
    open: AtomicBool,
}

impl Outlet {
    fn is_open(&self) -> bool {
        self.open.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Host for Outlet {
    fn progress(&self, progress: Progress) {
        if self.is_open() {
            self.host.progress(progress);
        }
    }

    fn message(&self, level: Level, text: String) {
        if self.is_open() {
            self.host.message(level, text);
        }
    }

    async fn item(&self, kind: &'static str, item: Value) -> Result<()> {
        if !self.is_open() {
            return Ok(());
        }
        self.host.item(kind, item).await
    }

    async fn confirm(&self, question: Question) -> bool {
        self.is_open() && self.host.confirm(question).await
    }

    async fn native(&self, command: NativeCommand) -> NativeOutcome {
        if self.is_open() {
            return self.host.native(command).await;
        }
        NativeOutcome {
            state: NativeState::Stopped,
            module: None,
            stand_in: false,
            objects: Vec::new(),
            error: Some("the operator has gone; the command was not sent".to_string()),
            error_id: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Outcome;

    struct Silent;

    #[async_trait]
    impl Host for Silent {
        fn progress(&self, _: Progress) {}
        fn message(&self, _: Level, _: String) {}
        async fn item(&self, _: &'static str, _: Value) -> Result<()> {
            Ok(())
        }
        async fn confirm(&self, _: Question) -> bool {
            true
        }
        async fn native(&self, _: NativeCommand) -> NativeOutcome {
            NativeOutcome {
                state: NativeState::Completed,
                module: None,
                stand_in: false,
                objects: Vec::new(),
                error: None,
                error_id: None,
            }
        }
    }

    fn answer(text: &str) -> Result<OperationResult> {
        OperationResult::new("run", &text)
    }

    #[tokio::test]
    async fn a_cancel_is_answered_at_once_while_the_work_goes_on_to_its_end() {
        let cancel = Cancel::new();
        cancel.cancel();
        let (done, ended) = std::sync::mpsc::channel();
        let (release, released) = tokio::sync::oneshot::channel::<()>();
        let answered = detached(
            Arc::new(Silent),
            cancel,
            || answer("awaited"),
            move |host| async move {
                // The work ends only after the answer.
                let _ = released.await;
                let native = host.native(NativeCommand::set("Set-CsPersistentChatState")).await;
                let _ = done
                    .send((native.state, host.confirm(Question { caption: String::new(), text: String::new() }).await));
                answer("ended")
            },
        );
        let result = tokio::time::timeout(Duration::from_secs(20), answered).await.unwrap().unwrap();
        assert_eq!(result.document, "\"awaited\"");
        release.send(()).unwrap();
        let (state, confirmed) =
            tokio::task::spawn_blocking(move || ended.recv_timeout(Duration::from_secs(20)).unwrap()).await.unwrap();
        assert_eq!((state, confirmed), (NativeState::Stopped, false), "nothing new without a listener");
    }

    #[tokio::test]
    async fn a_panic_in_the_work_is_an_error_of_our_own() {
        let error = detached(Arc::new(Silent), Cancel::new(), || answer("awaited"), |_| async { panic!("planted") })
            .await
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::InternalFault);
        assert_eq!(error.kind.outcome(), Outcome::Failed);
        assert!(error.message.contains("planted"));
    }
}
