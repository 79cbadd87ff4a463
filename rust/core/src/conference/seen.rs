//! What was seen of each module, reading by reading, for the operator.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::pair::Pair;
use super::state::{self, meaning, Direction, Meaning};
use super::status::ModuleStatus;
use crate::document::{BackupServiceModule, BackupServiceReading};
use crate::evidence::utc_text;

/// Which of the two pools shows something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    Survivor,
    Damaged,
}

impl Side {
    /// The side whose status a document tells.
    pub fn of(module: &BackupServiceModule) -> Side {
        match module.status_pool_fqdn.eq_ignore_ascii_case(&module.pool_fqdn) {
            true => Side::Survivor,
            false => Side::Damaged,
        }
    }

    pub fn pool(self, pair: &Pair) -> &str {
        match self {
            Side::Survivor => &pair.survivor,
            Side::Damaged => &pair.damaged,
        }
    }

    /// The directions that count: a restore waits for the survivor's export and the damaged pool's import, and the way
    /// back may never settle; a health check waits for all four.
    pub fn awaited(self, health_check: bool) -> &'static [Direction] {
        match (self, health_check) {
            (_, true) => &[Direction::Export, Direction::Import],
            (Side::Survivor, false) => &[Direction::Export],
            (Side::Damaged, false) => &[Direction::Import],
        }
    }
}

/// One direction of one module on one pool.
pub type Key = (String, Side, Direction);

/// One module on one pool.
#[derive(Debug, Clone)]
pub struct Watched {
    pub module: String,
    pub side: Side,
    /// Whether its pool holds the active Central Management store.
    pub holds_cms: Option<bool>,
    awaited: &'static [Direction],
    shown: Option<ModuleStatus>,
    readings: u64,
    first_read: Option<DateTime<Utc>>,
    last_read: Option<DateTime<Utc>>,
    good_since: Option<DateTime<Utc>>,
    seen: Vec<BackupServiceReading>,
    told: BTreeSet<(Direction, String)>,
}

impl Watched {
    pub fn new(module: &str, side: Side, health_check: bool, holds_cms: Option<bool>) -> Watched {
        Watched {
            module: module.to_string(),
            side,
            holds_cms,
            awaited: side.awaited(health_check),
            shown: None,
            readings: 0,
            first_read: None,
            last_read: None,
            good_since: None,
            seen: Vec::new(),
            told: BTreeSet::new(),
        }
    }

    /// Takes a reading; `None` where the module was not to be read. True where it shows something new.
    pub fn take(&mut self, now: DateTime<Utc>, status: Option<&ModuleStatus>, decides_nothing: bool) -> bool {
        if status.is_some() {
            self.readings += 1;
            self.first_read.get_or_insert(now);
            self.last_read = Some(now);
        }
        let words = |status: Option<&ModuleStatus>| status.map(|s| (s.export.clone(), s.import.clone()));
        let is_new = self.seen.is_empty() || words(status) != words(self.shown.as_ref());
        self.shown = status.cloned();
        let is_good = self.awaited.iter().all(|direction| self.meaning(*direction) == Meaning::Good);
        match is_good && !decides_nothing {
            true => self.good_since = self.good_since.or(Some(now)),
            false => self.good_since = None,
        }
        if is_new {
            let (export_status, import_status) = words(status).unwrap_or_default();
            self.seen.push(BackupServiceReading {
                at_utc: utc_text(now),
                export_status,
                import_status,
                decides_nothing,
            });
        }
        is_new
    }

    /// True until it was read once.
    pub fn is_unread(&self) -> bool {
        self.readings == 0
    }

    fn word(&self, direction: Direction) -> Option<&str> {
        self.shown.as_ref()?.word(direction)
    }

    pub fn meaning(&self, direction: Direction) -> Meaning {
        meaning(&self.module, direction, self.word(direction), self.holds_cms)
    }

    /// What the rule looks at.
    pub fn awaited(&self) -> impl Iterator<Item = (Key, Meaning)> + '_ {
        self.awaited.iter().map(|direction| ((self.module.clone(), self.side, *direction), self.meaning(*direction)))
    }

    /// Words that no page has, each told once.
    pub fn unknown_words(&mut self) -> Vec<(Direction, String)> {
        let new: Vec<_> = [Direction::Export, Direction::Import]
            .into_iter()
            .filter(|direction| self.meaning(*direction) == Meaning::Unknown)
            .filter_map(|direction| Some((direction, self.word(direction)?.to_string())))
            .filter(|word| !self.told.contains(word))
            .collect();
        self.told.extend(new.iter().cloned());
        new
    }

    /// How long all of its awaited directions have been good.
    pub fn good_for(&self, now: DateTime<Utc>) -> Duration {
        self.good_since.and_then(|since| (now - since).to_std().ok()).unwrap_or_default()
    }

    /// `export SteadyState, import NormalState`.
    pub fn words(&self) -> String {
        let word =
            |direction: Direction| format!("{} {}", direction.word(), self.word(direction).unwrap_or("not read"));
        format!("{}, {}", word(Direction::Export), word(Direction::Import))
    }

    /// What keeps it from being good; empty where nothing does.
    pub fn not_good(&self) -> Vec<String> {
        let say = |direction: &Direction| {
            let word = self.word(*direction);
            let why = match (word, word.and_then(|word| state::find(*direction, word))) {
                (None, _) => "could not be read".to_string(),
                (Some(word), Some(known)) => format!("is {word} ({})", known.text),
                (Some(word), None) => format!("is `{word}`, which no page has"),
            };
            format!("the {} of {} {why}", direction.word(), self.module)
        };
        self.awaited.iter().filter(|direction| self.meaning(**direction) != Meaning::Good).map(say).collect()
    }

    /// The text of the status itself, or its words.
    pub fn said(&self) -> String {
        let text = self.shown.as_ref().map(|status| status.text.clone()).unwrap_or_default();
        if text.is_empty() {
            format!("{}: {}", self.module, self.words())
        } else {
            text
        }
    }

    /// The object that is handed out at the end.
    pub fn document(&self, pair: &Pair, state: &str) -> BackupServiceModule {
        let awaited: Vec<&str> = self.awaited.iter().map(|direction| direction.word()).collect();
        let beside = match self.awaited {
            [one] => {
                let other = if *one == Direction::Export { Direction::Import } else { Direction::Export };
                format!("; the {} is reported only", other.word())
            }
            _ => String::new(),
        };
        BackupServiceModule {
            pool_fqdn: pair.survivor.clone(),
            damaged_pool_fqdn: pair.damaged.clone(),
            status_pool_fqdn: self.side.pool(pair).to_string(),
            backup_module: self.module.clone(),
            export_status: self.word(Direction::Export).map(str::to_string),
            import_status: self.word(Direction::Import).map(str::to_string),
            awaited: awaited.join(" and "),
            state: state.to_string(),
            is_done: state == "done",
            good_since_utc: self.good_since.map(utc_text),
            first_read_at_utc: self.first_read.map(utc_text),
            last_read_at_utc: self.last_read.map(utc_text),
            readings: self.readings,
            seen: self.seen.clone(),
            text: format!("{}{beside}.", self.words()),
        }
    }
}
