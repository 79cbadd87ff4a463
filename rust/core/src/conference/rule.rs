//! The reading rule: when what the backup service shows is believed. Pure; times are since the call that started the sync,
//! or since the wait's start where it stands alone.

use std::collections::BTreeMap;
use std::time::Duration;

use super::state::Meaning;

/// What is known after a reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict<K> {
    /// Within the first interval: the reading may be the one from before the call, and decides nothing.
    TooEarly,
    /// Not all awaited directions were good in this reading.
    Waiting,
    /// All good, and not long enough yet.
    Settling { good_for: Duration },
    /// All good in every reading over two intervals.
    Done,
    /// One awaited direction showed `ErrorState` for an interval.
    Failed { at: K, since: Duration },
}

/// The rule as a state machine: one reading after the other, each with what every awaited direction means.
///
/// - Readings up to one interval after the call decide nothing, good or bad: a status is a snapshot and may be stale.
/// - Done when all readings over two intervals are good in all awaited directions; any other reading starts the count
///   again, and so does an interval without a reading: what was not seen was not good.
/// - Failed when a direction shows `ErrorState` in two readings an interval apart and nothing else between them. A reading
///   that was not possible says nothing about the error and neither ends nor confirms it.
///
/// # Source
/// "Configuring and monitoring the Backup Service" (default interval two minutes, a status is a snapshot).
#[derive(Debug, Clone)]
pub struct ReadingRule<K> {
    interval: Duration,
    last: Option<Duration>,
    good_since: Option<Duration>,
    errors_since: BTreeMap<K, Duration>,
}

impl<K: Ord + Clone> ReadingRule<K> {
    pub fn new(interval: Duration) -> Self {
        ReadingRule { interval, last: None, good_since: None, errors_since: BTreeMap::new() }
    }

    /// How long everything has to be good.
    pub fn wanted(&self) -> Duration {
        self.interval * 2
    }

    /// Since when all readings were good.
    pub fn good_since(&self) -> Option<Duration> {
        self.good_since
    }

    /// Takes a reading. `at` is when it was asked for; readings come in their order.
    pub fn take(&mut self, at: Duration, awaited: &[(K, Meaning)]) -> Verdict<K> {
        if at <= self.interval {
            return Verdict::TooEarly;
        }
        if self.last.is_some_and(|last| at - last > self.interval) {
            self.good_since = None;
        }
        self.last = Some(at);
        if let Some((key, since)) = self.held_error(at, awaited) {
            return Verdict::Failed { at: key, since };
        }
        if awaited.is_empty() || awaited.iter().any(|(_, meaning)| *meaning != Meaning::Good) {
            self.good_since = None;
            return Verdict::Waiting;
        }
        let since = *self.good_since.get_or_insert(at);
        if at - since >= self.wanted() {
            return Verdict::Done;
        }
        Verdict::Settling { good_for: at - since }
    }

    /// The first direction whose error has held for an interval.
    fn held_error(&mut self, at: Duration, awaited: &[(K, Meaning)]) -> Option<(K, Duration)> {
        let mut held = None;
        for (key, meaning) in awaited {
            match meaning {
                Meaning::Error => {
                    let since = *self.errors_since.entry(key.clone()).or_insert(at);
                    if at - since >= self.interval && held.is_none() {
                        held = Some((key.clone(), since));
                    }
                }
                Meaning::Unread => {}
                _ => {
                    self.errors_since.remove(key);
                }
            }
        }
        held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const I: u64 = 120;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn verdicts(readings: &[(u64, Meaning)]) -> Vec<Verdict<&'static str>> {
        let mut rule = ReadingRule::new(at(I));
        readings.iter().map(|(t, meaning)| rule.take(at(*t), &[("export", *meaning)])).collect()
    }

    #[test]
    fn readings_of_the_first_interval_decide_nothing_good_or_bad() {
        let seen = verdicts(&[(0, Meaning::Good), (60, Meaning::Error), (120, Meaning::Error), (121, Meaning::Error)]);
        assert!(seen[..3].iter().all(|v| *v == Verdict::TooEarly), "{seen:?}");
        assert_eq!(seen[3], Verdict::Waiting, "its count begins after the interval");
    }

    #[test]
    fn done_after_two_intervals_of_good_readings_and_not_before() {
        let readings: Vec<(u64, Meaning)> = (0..=12).map(|n| (n * 30, Meaning::Good)).collect();
        let seen = verdicts(&readings);
        assert_eq!(seen[5], Verdict::Settling { good_for: at(0) });
        assert_eq!(seen[12], Verdict::Settling { good_for: at(210) });
        let mut rule = ReadingRule::new(at(I));
        let last = (5..=13).map(|n| rule.take(at(n * 30), &[("export", Meaning::Good)])).last();
        assert_eq!(last, Some(Verdict::Done));
    }

    #[test]
    fn an_interval_without_a_reading_starts_the_count_again() {
        let seen = verdicts(&[(150, Meaning::Good), (270, Meaning::Good), (391, Meaning::Good), (511, Meaning::Good)]);
        assert_eq!(seen[1], Verdict::Settling { good_for: at(120) });
        assert_eq!(seen[2], Verdict::Settling { good_for: at(0) });
        assert_eq!(seen[3], Verdict::Settling { good_for: at(120) });
    }

    #[test]
    fn an_error_that_goes_away_is_no_failure_and_one_behind_a_missing_reading_is() {
        let seen =
            verdicts(&[(150, Meaning::Error), (210, Meaning::NotYet), (270, Meaning::Error), (330, Meaning::Error)]);
        assert!(seen.iter().all(|v| *v == Verdict::Waiting), "{seen:?}");
        let seen = verdicts(&[(150, Meaning::Error), (210, Meaning::Unread), (270, Meaning::Error)]);
        assert_eq!(seen[2], Verdict::Failed { at: "export", since: at(150) });
    }

    #[test]
    fn nothing_awaited_is_never_done() {
        let mut rule: ReadingRule<&str> = ReadingRule::new(at(I));
        assert!((5..40).all(|n| rule.take(at(n * 30), &[]) == Verdict::Waiting));
    }
}
