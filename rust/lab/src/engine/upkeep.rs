//! What goes on by itself: messages, compliance events, mirrors that catch up. And days that pass at once.

use super::Engine;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Real time between two looks.
const PAUSE: Duration = Duration::from_millis(15);

impl Engine {
    /// Looks after everything that needs no client, until the lab stops.
    pub(super) async fn run_upkeep(self) {
        loop {
            self.tend();
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = self.0.stopping.wait() => return,
            }
        }
    }

    fn tend(&self) {
        let mut world = self.world();
        world.tend_mirrors();
        world.write_due_messages();
        world.tend_compliance();
    }

    /// Lets `seconds` of lab time pass from one job to the next: every scheduled job of every instance runs when it is
    /// due and to its end, backups before copies before restores, and messages are written in between. Returns the number
    /// of job runs.
    pub async fn pass_time(&self, seconds: i64) -> u64 {
        let _turn = InTurn::of(self);
        let end = self.clock().now() + chrono::Duration::seconds(seconds.max(0));
        let mut runs = 0;
        loop {
            let now = self.clock().now();
            let next = self.next_due().filter(|due| *due < end).unwrap_or(end);
            let wait = (next - now).num_milliseconds();
            if wait > 0 {
                self.clock().advance_milliseconds(wait);
            }
            self.tend();
            runs += self.run_due_jobs().await;
            self.tend();
            if self.0.stopping.is_set() || self.clock().now() >= end {
                return runs;
            }
        }
    }

    async fn run_due_jobs(&self) -> u64 {
        let mut due = self.due_jobs();
        due.sort_by_key(|(_, _, category)| *category);
        let mut runs = 0;
        for same in due.chunk_by(|a, b| a.2 == b.2) {
            for (instance, job, _) in same {
                runs += u64::from(self.start_job(*instance, *job, "Schedule").is_ok());
            }
            self.await_jobs().await;
        }
        runs
    }

    /// Waits until no job of any instance runs.
    async fn await_jobs(&self) {
        for look in 0u32.. {
            let busy = self.world().instances.iter().any(|i| i.agent.jobs.iter().any(|j| j.running.is_some()));
            if !busy || self.0.stopping.is_set() {
                return;
            }
            // Most runs are over at once.
            if look < 100 {
                tokio::task::yield_now().await;
            } else {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    }
}

/// Keeps jobs from starting by themselves as long as it lives.
struct InTurn(Engine);

impl InTurn {
    fn of(engine: &Engine) -> InTurn {
        engine.0.jobs_in_turn.store(true, Ordering::SeqCst);
        InTurn(engine.clone())
    }
}

impl Drop for InTurn {
    fn drop(&mut self) {
        self.0 .0.jobs_in_turn.store(false, Ordering::SeqCst);
    }
}
