//! A database with a history, made from bytes so that a failing one can be made smaller: log backups, recoveries that
//! start new forks, and files of it in three places, some of them lost or damaged. Only this file knows the truth.

use std::collections::HashSet;

use chrono::{Duration, NaiveDateTime};
use pchat_core::log_chain::{
    BackupType, Header, HeaderBook, Listing, Place, PlaceId, PlaceState, RedoPoint, SeenFile, Trouble,
};
use pchat_core::names::{Lsn, ServerPath};
use uuid::Uuid;

use crate::reference::{reachable, Tape};

pub type Op = [u8; 6];

const PLACES: [PlaceId; 3] = [PlaceId::COPY_FOLDER, PlaceId::SHARE, PlaceId(2)];

/// What the gate should find.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Truth {
    Complete,
    Hole,
    /// Nothing is missing, and nobody without the truth could tell.
    Unknowable,
}

#[derive(Debug, Clone)]
pub struct SimSet {
    pub tape: Tape,
    pub stripes: u32,
    pub copy_only: bool,
    pub damaged_by_writer: bool,
    pub family: u128,
    pub is_log: bool,
    pub writer: usize,
    pub started: NaiveDateTime,
    pub finished: NaiveDateTime,
    /// Its header must stay readable: it alone shows where a fork began, shortly before.
    pub keep: bool,
}

#[derive(Debug, Clone)]
pub struct SimFile {
    pub name: String,
    /// As name or time tell it.
    pub when: NaiveDateTime,
    pub size: u64,
    pub modified: NaiveDateTime,
    /// Set and stripe number.
    pub holds: Vec<(usize, u32)>,
    /// Place, and what is wrong there.
    pub copies: Vec<(usize, Wrong)>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Wrong {
    Nothing,
    /// The header can be read, the rest not.
    Damaged,
    /// Nothing can be read; the flag tells garbage from a denied access.
    Header {
        garbage: bool,
    },
}

pub type State = ((u64, u32), NaiveDateTime, Option<usize>);

#[derive(Debug, Clone)]
pub struct World {
    pub sets: Vec<SimSet>,
    pub files: Vec<SimFile>,
    /// Of each fork but the first: the fork before, and where it was left.
    pub parents: Vec<Option<(u32, u64)>>,
    /// Where a secondary might stand, with the time (UTC) of the backup that brought it there, and the log backup.
    pub states: Vec<State>,
    pub stamped: bool,
    pub redo: (u64, u32),
    pub redo_set: Option<usize>,
    pub redo_time: NaiveDateTime,
    pub knows_history: bool,
    pub knows_family: bool,
    /// Whether the copies of a file have times of their own, so that each is read for itself.
    pub copies_differ: bool,
}

impl World {
    /// Everything that the folders show, and what their headers say.
    pub fn files_and_book(&self) -> (Vec<SeenFile>, HeaderBook) {
        let files: Vec<SeenFile> =
            self.files.iter().flat_map(|file| file.copies.iter().map(|(place, _)| self.seen(file, *place))).collect();
        let mut book = HeaderBook::default();
        for shown in &files {
            self.read(shown, &mut book);
        }
        (files, book)
    }

    /// What reading one file brings.
    pub fn read(&self, shown: &SeenFile, book: &mut HeaderBook) {
        let Some(file) = self.files.iter().find(|file| file.name == *shown.name) else { return };
        let wrong = file.copies.iter().find(|(place, _)| PLACES[*place] == shown.place).map(|(_, wrong)| *wrong);
        match wrong.unwrap_or(Wrong::Nothing) {
            Wrong::Header { garbage: true } => book.insert(shown, Err(Trouble::Malformed("3241".into()))),
            Wrong::Header { garbage: false } => book.insert(shown, Err(Trouble::Unreadable("denied".into()))),
            Wrong::Nothing => book.insert(shown, Ok(self.headers(file))),
            Wrong::Damaged => {
                book.insert(shown, Ok(self.headers(file)));
                book.mark(shown, Trouble::Malformed("3203".into()));
            }
        }
    }

    pub fn places() -> Vec<Place> {
        let place = |id: &PlaceId| Place { id: *id, path: folder(id.0 as usize), state: PlaceState::Listed };
        PLACES.iter().map(place).collect()
    }

    pub fn listing(&self) -> Listing {
        let (files, book) = self.files_and_book();
        book.listing(&files, World::places(), None)
    }

    pub fn redo_point(&self) -> RedoPoint {
        let mut redo = RedoPoint::new(lsn(self.redo.0), fork_id(self.redo.1));
        redo.family_id = self.knows_family.then(|| Uuid::from_u128(OURS));
        if self.knows_history {
            redo.finished_at = Some(self.redo_set.map_or(self.redo_time, |set| self.local(set, self.redo_time)));
        }
        if let Some(set) = self.redo_set.filter(|_| self.knows_history) {
            let file = self.files.iter().find(|file| file.holds.iter().any(|(held, _)| *held == set));
            redo.file_name = file.map(|file| file.name.clone());
        }
        redo
    }

    /// The tape of a header of this world.
    pub fn tape_of(&self, header: &Header) -> Tape {
        let number = header.backup_set_id.as_u128() as usize - 1;
        self.sets[number].tape.clone()
    }

    /// Whether a database that restored all it can lacks anything that somebody could know of.
    pub fn truth(&self) -> Truth {
        let whole: Vec<Tape> =
            (0..self.sets.len()).filter(|set| self.is_whole(*set)).map(|set| self.sets[set].tape.clone()).collect();
        let states = reachable(self.redo, &whole);
        let shown: Vec<usize> = (0..self.sets.len()).filter(|set| self.is_shown(*set)).collect();
        let known = shown.iter().map(|set| (self.sets[*set].finished, self.end(*set)));
        let known = known.chain(self.knows_history.then_some((self.redo_time, self.redo)));
        let newest = known.max_by_key(|(time, _)| *time);
        if newest.is_some_and(|(_, end)| !states.iter().any(|state| self.is_past(end, *state))) {
            return Truth::Hole;
        }

        let hidden = self.files.iter().filter(|file| !file.copies.is_empty() && !file.is_readable());
        let verdicts: Vec<Truth> = hidden.map(|file| self.hidden_truth(file, &states, newest)).collect();
        let worst = [Truth::Hole, Truth::Unknowable].into_iter().find(|truth| verdicts.contains(truth));
        worst.unwrap_or(Truth::Complete)
    }

    /// What a file that nobody can read means, which only the world knows.
    fn hidden_truth(
        &self,
        file: &SimFile,
        states: &HashSet<(u64, u32)>,
        newest: Option<(NaiveDateTime, (u64, u32))>,
    ) -> Truth {
        let is_ours = |set: usize| self.sets[set].is_log && self.sets[set].family == OURS;
        let adds = |set: usize| {
            let is_reached = states.iter().any(|state| self.is_past(self.end(set), *state));
            is_ours(set) && !is_reached && newest.is_none_or(|(time, _)| self.sets[set].finished > time)
        };
        let is_harmful = file.holds.iter().any(|(set, _)| adds(*set));
        let is_denied = file.copies.iter().any(|(_, wrong)| *wrong == Wrong::Header { garbage: false });
        let counts = |other: &&SimFile| {
            !other.copies.is_empty() && (!other.is_readable() || other.holds.iter().any(|(set, _)| is_ours(*set)))
        };
        let is_newest = self.files.iter().filter(counts).all(|other| other.when <= file.when);
        let is_striped = file.holds.iter().any(|(set, _)| self.sets[*set].stripes > 1);
        if is_newest && !is_denied {
            // Never finished, as far as anybody can tell: an inherent loss.
            return if is_striped { Truth::Unknowable } else { Truth::Complete };
        }
        if is_harmful {
            return Truth::Hole;
        }
        let passed = |other: &&SimFile| {
            let on_its_way = |set: usize| newest.is_some_and(|(_, end)| self.is_past(self.end(set), end));
            other.is_readable() && other.holds.iter().any(|(set, _)| is_ours(*set) && on_its_way(*set))
        };
        let is_surely_older =
            self.files.iter().filter(passed).any(|other| other.when > file.when + Duration::seconds(30));
        if is_surely_older {
            Truth::Complete
        } else {
            Truth::Unknowable
        }
    }

    fn end(&self, set: usize) -> (u64, u32) {
        (self.sets[set].tape.last, self.sets[set].tape.fork_at_last)
    }

    /// True where a state lies at or behind another one on its way.
    fn is_past(&self, past: (u64, u32), state: (u64, u32)) -> bool {
        let (mut lsn, mut fork) = state;
        loop {
            if fork == past.1 {
                return lsn >= past.0;
            }
            let Some((parent, point)) = self.parents[fork as usize] else { return false };
            (lsn, fork) = (point, parent);
        }
    }

    fn is_whole(&self, set: usize) -> bool {
        let sim = &self.sets[set];
        let has = |stripe: u32| {
            self.files.iter().any(|file| {
                file.holds.contains(&(set, stripe)) && file.copies.iter().any(|(_, wrong)| *wrong == Wrong::Nothing)
            })
        };
        sim.is_log && sim.family == OURS && !sim.damaged_by_writer && (1..=sim.stripes).all(has)
    }

    pub fn is_shown(&self, set: usize) -> bool {
        let sim = &self.sets[set];
        let shows = |file: &SimFile| file.is_readable() && file.holds.iter().any(|(held, _)| *held == set);
        sim.is_log && sim.family == OURS && self.files.iter().any(shows)
    }

    fn seen(&self, file: &SimFile, place: usize) -> SeenFile {
        SeenFile {
            name: file.name.as_str().into(),
            place: PLACES[place],
            path: folder(place).join(&file.name),
            size_bytes: file.size,
            modified_at: Some(file.modified + Duration::seconds(if self.copies_differ { place as i64 } else { 0 })),
        }
    }

    fn local(&self, set: usize, utc: NaiveDateTime) -> NaiveDateTime {
        utc + Duration::minutes([-300, 330][self.sets[set].writer])
    }

    fn headers(&self, file: &SimFile) -> Vec<Header> {
        let header = |(position, (number, stripe)): (usize, &(usize, u32))| {
            let set = &self.sets[*number];
            Header {
                backup_type: if set.is_log { BackupType::Log } else { BackupType::Database },
                database_name: "mgc".into(),
                family_id: Uuid::from_u128(set.family),
                first_lsn: lsn(set.tape.first),
                last_lsn: lsn(set.tape.last),
                first_fork_id: fork_id(set.tape.fork_at_first),
                last_fork_id: fork_id(set.tape.fork_at_last),
                fork_point_lsn: set.tape.fork_point.map(lsn),
                backup_set_id: Uuid::from_u128(*number as u128 + 1),
                media_set_id: Uuid::from_u128(*number as u128 + 1),
                family_count: set.stripes,
                family_number: *stripe,
                position: position as u32 + 1,
                size_bytes: 1000,
                started_at: self.local(*number, set.started),
                finished_at: self.local(*number, set.finished),
                server_name: ["P", "M"][set.writer].into(),
                has_checksums: true,
                is_damaged: set.damaged_by_writer,
                is_copy_only: set.copy_only,
                is_tail: false,
                begins_log_chain: false,
                software_major: 11,
            }
        };
        file.holds.iter().enumerate().map(header).collect()
    }
}

impl Wrong {
    fn hides(self) -> bool {
        matches!(self, Wrong::Header { .. })
    }
}

impl SimFile {
    fn is_readable(&self) -> bool {
        self.copies.iter().any(|(_, wrong)| !wrong.hides())
    }
}

pub const OURS: u128 = 7;

fn lsn(value: u64) -> Lsn {
    // Beyond 63 bits, as on an old database.
    Lsn::new(12_345_000_000_000_000_000_u128 + u128::from(value)).unwrap()
}

fn fork_id(number: u32) -> Uuid {
    Uuid::from_u128(0xF0_0000 + u128::from(number))
}

fn folder(place: usize) -> ServerPath {
    ServerPath::new([r"E:\LSCopy", r"\\fs1\LogShip", r"E:\Extra"][place])
}

impl World {
    /// Short names for messages.
    pub fn describe(&self) -> String {
        let mut text = format!("redo {:?} set {:?} history {}\n", self.redo, self.redo_set, self.knows_history);
        for (number, set) in self.sets.iter().enumerate() {
            let files: Vec<_> = self
                .files
                .iter()
                .filter(|f| f.holds.iter().any(|(s, _)| *s == number))
                .map(|f| (&f.name, &f.copies))
                .collect();
            text.push_str(&format!(
                "{number}: {:?} stripes {} copy-only {} damaged {} log {} family {} kept {} at {} {files:?}\n",
                set.tape,
                set.stripes,
                set.copy_only,
                set.damaged_by_writer,
                set.is_log,
                set.family,
                set.keep,
                set.started
            ));
        }
        text.push_str(&format!("parents {:?}\n", self.parents));
        text
    }
}
