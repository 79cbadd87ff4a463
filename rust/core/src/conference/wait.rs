//! Waiting until the backup service has settled, as far as its words can be believed.

use std::time::Duration;

use async_trait::async_trait;
use chrono::Utc;
use tokio::time::Instant;

use super::door;
use super::pair::{self, each_once, Pair};
use super::rule::{ReadingRule, Verdict};
use super::seen::{Key, Side, Watched};
use super::state::{self, CMS_MODULE};
use super::status::{get_status, read_status, ModuleStatus};
use crate::document::BackupServiceModule;
use crate::error::{Error, ErrorKind, Result};
use crate::host::{Cancel, Host, Level, Progress, ProgressPart};
use crate::pool;

/// Longest pause between two readings, however long the interval is.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How long to wait between two readings: four of them an interval, at least. Behind a call that is to be seen to begin,
/// sixty in the first interval: a sync of little content is soon over.
fn pause(interval: Duration, since_call: Duration, looks_for_the_beginning: bool) -> Duration {
    let steady = (interval / 4).clamp(Duration::from_millis(20), LONGEST_PAUSE);
    match looks_for_the_beginning && since_call <= interval {
        true => (interval / 60).clamp(Duration::from_millis(100), Duration::from_secs(2)).min(steady),
        false => steady,
    }
}

/// What is waited for.
#[derive(Debug, Clone)]
pub(crate) struct Wait {
    pub pair: Pair,
    /// Dotted names; empty for every module that a status shows.
    pub modules: Vec<String>,
    pub health_check: bool,
    pub interval: Duration,
    pub limit: Duration,
    /// How long ago the sync was called; zero where the wait stands alone.
    pub called_ago: Duration,
    /// Whether survivor and damaged pool hold the active Central Management store.
    pub holds_cms: (Option<bool>, Option<bool>),
    /// Reads more often in the first interval: whether the sync began is to be seen, too.
    pub looks_for_the_beginning: bool,
    /// Ends at the first answer where that shows other modules than these: their names are wrong.
    pub refuses_unknown_modules: bool,
}

/// What was seen until the end, and how that came.
#[derive(Debug)]
pub(crate) struct Ended {
    pub modules: Vec<BackupServiceModule>,
    pub error: Option<Error>,
}

/// Told of every reading that shows something new, before the next one: what was seen must outlive the process.
#[async_trait]
pub(crate) trait Onlooker: Sync {
    async fn new_reading(&self, modules: &[BackupServiceModule]) -> Result<()>;
}

/// Nobody looks on: a wait that stands alone leaves nothing behind.
#[async_trait]
impl Onlooker for () {
    async fn new_reading(&self, _modules: &[BackupServiceModule]) -> Result<()> {
        Ok(())
    }
}

struct Waiting<'a> {
    wait: &'a Wait,
    host: &'a dyn Host,
    watched: Vec<Watched>,
    rule: ReadingRule<Key>,
    /// Why the last reading of a pool was not possible.
    unread: Vec<String>,
}

/// Reads both pools until the awaited directions are done, one has failed, or the limit passes. Reads only.
///
/// # Errors
/// `NativeCommandMissing` (6001), `InvalidValue` (1002), `Cancelled` (1007), the onlooker's own. A module that failed (6007) and the limit (6008) are in the answer,
/// beside what was seen.
pub(crate) async fn wait(host: &dyn Host, cancel: &Cancel, wait: &Wait, onlooker: &dyn Onlooker) -> Result<Ended> {
    let mut waiting =
        Waiting { wait, host, watched: Vec::new(), rule: ReadingRule::new(wait.interval), unread: Vec::new() };
    for module in &wait.modules {
        waiting.watch(module);
    }
    let begun = Instant::now();
    loop {
        cancel.check()?;
        let asked = Instant::now();
        let since_call = wait.called_ago + (asked - begun);
        if waiting.read(cancel, since_call <= wait.interval, begun + wait.limit).await? {
            onlooker.new_reading(&waiting.ended("waiting", None, None).modules).await?;
        }
        let sights: Vec<_> = waiting.watched.iter().flat_map(Watched::awaited).collect();
        let verdict = waiting.rule.take(since_call, &sights);
        match verdict {
            Verdict::Done => return Ok(waiting.ended("done", None, None)),
            Verdict::Failed { at, since } => {
                let error = waiting.failed(&at, since_call - since);
                return Ok(waiting.ended("waiting", Some(&at), Some(error)));
            }
            Verdict::TooEarly | Verdict::Waiting | Verdict::Settling { .. } => {}
        }
        if begun.elapsed() >= wait.limit {
            let error = waiting.not_settled();
            return Ok(waiting.ended("waiting", None, Some(error)));
        }
        waiting.tell_progress(since_call, &verdict);
        let pause = pause(wait.interval, since_call, wait.looks_for_the_beginning);
        tokio::select! {
            () = tokio::time::sleep_until((asked + pause).min(begun + wait.limit)) => {}
            () = cancel.cancelled() => {}
        }
    }
}

impl Waiting<'_> {
    fn watch(&mut self, module: &str) {
        let (survivor, damaged) = self.wait.holds_cms;
        for (side, holds_cms) in [(Side::Survivor, survivor), (Side::Damaged, damaged)] {
            self.watched.push(Watched::new(module, side, self.wait.health_check, holds_cms));
        }
    }

    /// One reading of both pools: true where it shows something new. A pool that cannot be read is one whose modules are not good. A call that hangs gets what
    /// is left until the end, and a second at least.
    async fn read(&mut self, cancel: &Cancel, decides_nothing: bool, end: Instant) -> Result<bool> {
        self.unread.clear();
        let mut answers = Vec::new();
        for side in [Side::Survivor, Side::Damaged] {
            let mut command = get_status(side.pool(&self.wait.pair));
            let left = end.saturating_duration_since(Instant::now()).as_secs_f64().ceil() as u64;
            command.limit_seconds = command.limit_seconds.min(left.max(1));
            match pool::objects(&command, self.host.native(command.clone()).await) {
                Ok(objects) => answers.push((side, read_status(&objects))),
                Err(error) if error.kind == ErrorKind::NativeCommandMissing => return Err(error),
                Err(error) => {
                    cancel.check()?;
                    self.unread.push(error.message.clone());
                    self.host.message(Level::Verbose, error.message);
                    answers.push((side, Vec::new()));
                }
            }
        }
        if self.wait.refuses_unknown_modules && self.watched.iter().all(|w| w.is_unread()) {
            let shown = answers.iter().flat_map(|(_, modules)| modules).map(|status| status.module.as_str());
            door::refuse_unknown_modules(&self.wait.pair, &self.wait.modules, &each_once(shown))?;
        }
        if self.wait.modules.is_empty() {
            self.watch_what_is_shown(&answers);
        }
        let now = Utc::now();
        let mut is_new = false;
        for watched in &mut self.watched {
            let status = answers
                .iter()
                .filter(|(side, _)| *side == watched.side)
                .flat_map(|(_, modules)| modules)
                .find(|status| status.module.eq_ignore_ascii_case(&watched.module));
            let pool = watched.side.pool(&self.wait.pair).to_string();
            if watched.take(now, status, decides_nothing) {
                is_new = true;
                let text = format!("{pool}: {}: {}.", watched.module, watched.words());
                self.host.message(Level::Verbose, text);
            }
            for (direction, word) in watched.unknown_words() {
                self.host.message(
                    Level::Warning,
                    format!(
                        "{pool}: the {} of {} is `{word}`, a state that no page has. It is not taken for done.",
                        direction.word(),
                        watched.module
                    ),
                );
            }
        }
        Ok(is_new)
    }

    /// Every module that either pool shows, in the order of the documented ones.
    fn watch_what_is_shown(&mut self, answers: &[(Side, Vec<ModuleStatus>)]) {
        let mut new: Vec<String> = Vec::new();
        for status in answers.iter().flat_map(|(_, modules)| modules) {
            let is_known = |name: &str| name.eq_ignore_ascii_case(&status.module);
            if !self.watched.iter().any(|w| is_known(&w.module)) && !new.iter().any(|name| is_known(name)) {
                new.push(status.module.clone());
            }
        }
        new.sort_by_key(|name| {
            state::MODULES.iter().position(|known| known.eq_ignore_ascii_case(name)).unwrap_or(state::MODULES.len())
        });
        for module in new {
            self.watch(&module);
        }
    }

    fn failed(&self, at: &Key, held: Duration) -> Error {
        let (module, side, direction) = at;
        let watched = self.watched.iter().find(|w| w.module == *module && w.side == *side);
        let said = watched.map_or_else(String::new, Watched::said);
        let pool = side.pool(&self.wait.pair);
        Error::new(
            ErrorKind::BackupServiceFailed,
            format!(
                "{pool}: the {} of {module} has been ErrorState for {} seconds. The status says: {}.",
                direction.word(),
                held.as_secs(),
                said.trim_end_matches('.')
            ),
        )
        .with_unchanged("Nothing was changed by waiting; the content is not believed to be complete.")
        .with_next(format!(
            "Look at the service LYNCBACKUP and its events on the Front Ends of {pool}, and at both file shares; then start \
             the sync again."
        ))
        .with_target(pool)
    }

    fn not_settled(&self) -> Error {
        let mut missing: Vec<String> = self
            .watched
            .iter()
            .flat_map(|w| w.not_good().into_iter().map(|why| format!("{}: {why}", w.side.pool(&self.wait.pair))))
            .collect();
        if self.watched.is_empty() {
            missing.push("no module was shown".to_string());
        }
        missing.extend(self.unread.iter().cloned());
        if missing.is_empty() {
            missing.push(format!(
                "all is good now, and has to stay so for {} seconds",
                self.rule.wanted().as_secs_f64().ceil()
            ));
        }
        Error::new(
            ErrorKind::BackupServiceNotSettled,
            format!(
                "the backup service of {} and {} did not settle within {} seconds: {}.",
                self.wait.pair.survivor,
                self.wait.pair.damaged,
                self.wait.limit.as_secs(),
                missing.join("; ").trim_end_matches('.')
            ),
        )
        .with_unchanged("Nothing was changed by waiting; a sync that was started goes on by itself.")
        .with_next(format!(
            "Wait again with `Wait-PChatBackupService -PoolFqdn {}`, longer with `-BackupServiceTimeoutSeconds`.",
            self.wait.pair.survivor
        ))
        .with_target(&self.wait.pair.survivor)
    }

    fn ended(&self, state: &str, failed: Option<&Key>, error: Option<Error>) -> Ended {
        let of = |watched: &Watched| match failed {
            Some((module, side, _)) if *module == watched.module && *side == watched.side => "failed".to_string(),
            _ => state.to_string(),
        };
        Ended { modules: self.watched.iter().map(|w| w.document(&self.wait.pair, &of(w))).collect(), error }
    }

    /// A third of the bar is the interval that decides nothing, the rest the two that do.
    fn tell_progress(&self, since_call: Duration, verdict: &Verdict<Key>) {
        let interval = self.wait.interval.as_secs_f64();
        let wanted = self.rule.wanted().as_secs_f64();
        let (said, done, remaining) = match verdict {
            Verdict::TooEarly => {
                let done = since_call.as_secs_f64();
                ("too early to believe".to_string(), done, Some(interval + wanted - done))
            }
            Verdict::Settling { good_for } => {
                let good = good_for.as_secs_f64();
                (format!("good for {good:.0} of {wanted:.0} seconds"), interval + good, Some(wanted - good))
            }
            _ => ("not good yet".to_string(), interval, None),
        };
        let percent = |done: f64| Some((done / (interval + wanted) * 100.0).clamp(0.0, 99.0) as u8);
        let is_early = *verdict == Verdict::TooEarly;
        let name = |w: &Watched| format!("{} on {}", w.module, w.side.pool(&self.wait.pair));
        let modules: Vec<String> = self.watched.iter().map(|w| format!("{}: {}", name(w), w.words())).collect();
        let now = Utc::now();
        let part = |w: &Watched| ProgressPart {
            activity: name(w),
            status: w.words(),
            percent: percent(if is_early { done } else { interval + w.good_for(now).as_secs_f64().min(wanted) }),
        };
        let parts = self.watched.iter().map(part).collect();
        self.host.progress(Progress {
            activity: format!(
                "Waiting for the backup service of {} and {}",
                self.wait.pair.survivor, self.wait.pair.damaged
            ),
            status: said,
            operation: modules.join("; "),
            percent: percent(done),
            seconds_remaining: remaining.map(|seconds| seconds.max(0.0).ceil() as u64),
            parts,
        });
    }
}

/// The modules that are waited for: dotted names; nothing for all.
pub(crate) fn modules(given: &[String], health_check: bool) -> Vec<String> {
    if given.iter().any(|name| name.trim().eq_ignore_ascii_case("All")) {
        return Vec::new();
    }
    if given.is_empty() {
        return if health_check { Vec::new() } else { vec![state::CONFERENCE_MODULE.to_string()] };
    }
    let mut names: Vec<String> = Vec::new();
    for name in given.iter().map(|name| state::module_name(name)) {
        if !names.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
            names.push(name);
        }
    }
    names
}

/// Whether survivor and damaged pool hold the active Central Management store, asked only where its module is awaited.
pub(crate) async fn holds_cms(host: &dyn Host, pair: &Pair, modules: &[String]) -> (Option<bool>, Option<bool>) {
    if !modules.is_empty() && !modules.iter().any(|name| name.eq_ignore_ascii_case(CMS_MODULE)) {
        return (None, None);
    }
    let held = (pair::holds_cms(host, &pair.survivor).await, pair::holds_cms(host, &pair.damaged).await);
    if held.0.is_none() || held.1.is_none() {
        host.message(
            Level::Warning,
            format!(
                "Which pool holds the active Central Management store cannot be read, so `NotInitialized` on the export of \
                 {CMS_MODULE} is not taken for good."
            ),
        );
    }
    held
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_are_close_together_at_first_where_a_sync_is_to_be_seen_to_begin() {
        let seconds = |interval, since, looks| {
            pause(Duration::from_secs_f64(interval), Duration::from_secs_f64(since), looks).as_secs_f64()
        };
        assert_eq!(
            (seconds(120.0, 0.0, true), seconds(120.0, 120.0, true), seconds(120.0, 121.0, true)),
            (2.0, 2.0, 30.0)
        );
        assert_eq!(seconds(120.0, 0.0, false), 30.0);
        assert_eq!((seconds(1.0, 0.5, true), seconds(1.0, 1.5, true)), (0.1, 0.25));
        assert_eq!(seconds(600.0, 700.0, false), 30.0);
    }
}
