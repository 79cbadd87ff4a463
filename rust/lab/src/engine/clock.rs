//! The lab's clock: real time times a speed, plus whatever a test advances it by.

use crate::scenario::ClockSettings;
use chrono::{DateTime, Duration, Utc};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

/// A clock shared by everything in one lab.
#[derive(Debug)]
pub struct Clock {
    base: DateTime<Utc>,
    started: Instant,
    speed: f64,
    advanced_ms: AtomicI64,
}

impl Clock {
    /// Starts a clock.
    pub fn new(settings: &ClockSettings) -> Self {
        Clock {
            base: settings
                .start_utc
                .as_deref()
                .and_then(|t| DateTime::parse_from_rfc3339(t).ok())
                .map_or_else(Utc::now, |t| t.with_timezone(&Utc)),
            started: Instant::now(),
            speed: if settings.rate > 0.0 { settings.rate } else { 1.0 },
            advanced_ms: AtomicI64::new(0),
        }
    }

    /// The lab's time, UTC.
    pub fn now(&self) -> DateTime<Utc> {
        let run = self.started.elapsed().as_secs_f64() * self.speed * 1000.0;
        self.base + Duration::milliseconds(run as i64 + self.advanced_ms.load(Ordering::Relaxed))
    }

    /// Moves the clock forward; jobs that became due run at the next tick.
    pub fn advance(&self, seconds: i64) {
        self.advance_milliseconds(seconds.max(0).saturating_mul(1000));
    }

    /// As [`advance`](Clock::advance), finer.
    pub fn advance_milliseconds(&self, milliseconds: i64) {
        self.advanced_ms.fetch_add(milliseconds.max(0), Ordering::Relaxed);
    }

    /// Real milliseconds since the lab started.
    pub fn real_ms(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }
}
