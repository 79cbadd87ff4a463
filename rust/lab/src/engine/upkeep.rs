//! What goes on by itself: messages, compliance events, mirrors that catch up. And days that pass at once.

use super::Engine;
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
    /// due and to its end, and messages are written in between. Returns the number of job runs.
    pub async fn pass_time(&self, seconds: i64) -> u64 {
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
            runs += self.start_due_jobs();
            self.await_jobs().await;
            self.tend();
            if self.0.stopping.is_set() || self.clock().now() >= end {
                return runs;
            }
        }
    }

    /// Waits until no job of any instance runs.
    async fn await_jobs(&self) {
        loop {
            let busy = self.world().instances.iter().any(|i| i.agent.jobs.iter().any(|j| j.running.is_some()));
            if !busy || self.0.stopping.is_set() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}
