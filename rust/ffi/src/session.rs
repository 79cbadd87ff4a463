//! A session: settings, secrets and the runtime that its operations run on. It holds no connection.

use std::sync::Arc;

use pchat_core::operation::Session;
use pchat_core::{Error, ErrorKind, Result};
use tokio::runtime::Runtime;

/// What a session handle stands for. Running operations share it, so that a closed session lives until they end.
pub struct SessionHandle {
    pub session: Arc<Session>,
    runtime: Option<Runtime>,
}

impl SessionHandle {
    /// Starts the runtime: two workers, because a current-thread one stands still between two calls of `next`.
    ///
    /// # Errors
    /// `InternalFault` (9001) where the platform gives no threads.
    pub fn new(session: Session) -> Result<SessionHandle> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("pchat")
            // An overflow would end the administrator's shell, and the operations' futures are deep.
            .thread_stack_size(8 * 1024 * 1024)
            .enable_all()
            .build()
            .map_err(|e| Error::new(ErrorKind::InternalFault, format!("the runtime cannot be started: {e}.")))?;
        Ok(SessionHandle { session: Arc::new(session), runtime: Some(runtime) })
    }

    /// The runtime's door for new tasks.
    pub fn spawner(&self) -> Option<tokio::runtime::Handle> {
        self.runtime.as_ref().map(|r| r.handle().clone())
    }
}

impl Drop for SessionHandle {
    fn drop(&mut self) {
        // A plain drop waits for blocking work, and a read on a dead share may hang for minutes.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
