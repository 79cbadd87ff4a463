//! A limit on bytes a second that parallel copies share.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A token bucket: at most so many bytes a second, and at most a fifth of that at once.
#[derive(Debug)]
pub struct RateLimit {
    bytes_per_second: f64,
    /// When everything granted so far is paid off.
    paid_at: Mutex<Option<Instant>>,
}

impl RateLimit {
    /// `None` and 0 mean no limit.
    pub fn new(bytes_per_second: Option<u64>) -> Option<RateLimit> {
        let bytes = bytes_per_second.filter(|bytes| *bytes > 0)?;
        Some(RateLimit { bytes_per_second: bytes as f64, paid_at: Mutex::new(None) })
    }

    /// How long to wait before these bytes may be moved. Turns are granted in the order of asking.
    fn reserve(&self, bytes: u64, now: Instant) -> Duration {
        let burst = Duration::from_millis(200);
        let mut paid_at = self.paid_at.lock().unwrap_or_else(PoisonError::into_inner);
        let earliest = now.checked_sub(burst).unwrap_or(now);
        let begin = paid_at.map_or(earliest, |at| at.max(earliest));
        let end = begin + Duration::from_secs_f64(bytes as f64 / self.bytes_per_second);
        *paid_at = Some(end);
        end.saturating_duration_since(now)
    }

    /// Waits until these bytes may be moved.
    pub async fn acquire(&self, bytes: u64) {
        let wait = self.reserve(bytes, Instant::now());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parallel_takers_share_one_rate() {
        let limit = RateLimit::new(Some(1_000_000)).unwrap();
        let now = Instant::now();
        let waits: Vec<Duration> = (0..20).map(|_| limit.reserve(100_000, now)).collect();
        // Two megabytes at one a second, less the burst of a fifth.
        let last = waits.last().unwrap().as_secs_f64();
        assert!((1.79..=1.81).contains(&last), "{last}");
        assert!(waits.windows(2).all(|pair| pair[0] <= pair[1]));
    }

    #[test]
    fn a_pause_saves_up_no_more_than_the_burst() {
        let limit = RateLimit::new(Some(1_000_000)).unwrap();
        let now = Instant::now();
        limit.reserve(1, now);
        let later = now + Duration::from_secs(60);
        let wait = limit.reserve(1_000_000, later).as_secs_f64();
        assert!((0.79..=0.81).contains(&wait), "{wait}");
    }

    #[test]
    fn zero_is_no_limit() {
        assert!(RateLimit::new(None).is_none() && RateLimit::new(Some(0)).is_none());
    }
}
