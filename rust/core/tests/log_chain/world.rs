//! A database with a history, made from bytes so that a failing one can be made smaller: log backups, recoveries that
//! start new forks, and files of it in three places, some of them lost or damaged. Only this file knows the truth.

use std::collections::HashSet;

use chrono::{Duration, NaiveDate, NaiveDateTime};
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
    copy_only: bool,
    damaged_by_writer: bool,
    family: u128,
    is_log: bool,
    writer: usize,
    started: NaiveDateTime,
    finished: NaiveDateTime,
    /// Its header must stay readable: it alone shows where a fork began, shortly before.
    keep: bool,
}

#[derive(Debug, Clone)]
struct SimFile {
    name: String,
    /// As name or time tell it.
    when: NaiveDateTime,
    size: u64,
    modified: NaiveDateTime,
    /// Set and stripe number.
    holds: Vec<(usize, u32)>,
    /// Place, and what is wrong there.
    copies: Vec<(usize, Wrong)>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Wrong {
    Nothing,
    /// The header can be read, the rest not.
    Damaged,
    /// Nothing can be read; the flag tells garbage from a denied access.
    Header {
        garbage: bool,
    },
}

type State = ((u64, u32), NaiveDateTime, Option<usize>);

#[derive(Debug, Clone)]
pub struct World {
    sets: Vec<SimSet>,
    files: Vec<SimFile>,
    /// Of each fork but the first: the fork before, and where it was left.
    parents: Vec<Option<(u32, u64)>>,
    /// Where a secondary might stand, with the time (UTC) of the backup that brought it there, and the log backup.
    states: Vec<State>,
    stamped: bool,
    pub redo: (u64, u32),
    redo_set: Option<usize>,
    redo_time: NaiveDateTime,
    knows_history: bool,
    knows_family: bool,
    /// Whether the copies of a file have times of their own, so that each is read for itself.
    pub copies_differ: bool,
}

struct Builder {
    world: World,
    now: NaiveDateTime,
    lsn: u64,
    fork: u32,
    /// End of the last log backup on the living path, and the fork there.
    last_end: (u64, u32),
    pending_point: Option<(u64, bool)>,
    boundaries: Vec<(u64, u32)>,
    all_kept: bool,
}

impl World {
    pub fn build(head: [u8; 4], ops: &[Op]) -> World {
        let start = NaiveDate::from_ymd_opt(2026, 3, 1).unwrap().and_hms_opt(0, 0, 7).unwrap();
        let world = World {
            sets: Vec::new(),
            files: Vec::new(),
            parents: vec![None],
            states: vec![((100, 0), start, None)],
            stamped: head[0] % 4 != 0,
            redo: (100, 0),
            redo_set: None,
            redo_time: start,
            knows_history: head[2] % 2 == 0,
            knows_family: head[3] % 4 != 0,
            copies_differ: head[3] % 2 == 0,
        };
        let mut builder = Builder {
            world,
            now: start,
            lsn: 100,
            fork: 0,
            last_end: (100, 0),
            pending_point: None,
            boundaries: vec![(100, 0)],
            all_kept: true,
        };
        for op in ops {
            builder.apply(op);
        }
        let mut world = builder.world;
        let back = usize::from(head[1]) % world.states.len();
        (world.redo, world.redo_time, world.redo_set) = world.states[world.states.len() - 1 - back];
        // Without history, only its own last file tells how old the database's path is.
        world.knows_history |= !world.redo_set.is_some_and(|set| world.is_shown(set));
        world
    }

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

    fn is_shown(&self, set: usize) -> bool {
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
                machine_name: ["P", "M"][set.writer].into(),
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

const OURS: u128 = 7;

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

impl Builder {
    fn apply(&mut self, op: &Op) {
        self.now += Duration::minutes(1 + i64::from(op[5] / 16));
        match op[0] % 16 {
            0..=6 => self.log(op, 1, false),
            7 => self.log(op, 2 + u32::from(op[5] % 2), false),
            8 => self.log(op, 1, true),
            9 => self.lsn += u64::from(op[1] % 5),
            10 => self.recover(op, true),
            11 => self.recover(op, false),
            12 => self.reseed(op),
            13 => self.foreign(op, true),
            14 => self.foreign(op, false),
            _ => {
                // A secondary that was seeded from a full backup taken between two log backups.
                // Not right after a recovery: then no header would show yet where its fork comes from.
                self.lsn += u64::from(op[1] % 3);
                if self.pending_point.is_none() {
                    self.world.states.push(((self.lsn, self.fork), self.now, None));
                }
            }
        }
    }

    fn log(&mut self, op: &Op, stripes: u32, copy_only: bool) {
        self.lsn += u64::from(op[1] % 5);
        let (first, fork_at_first) = self.last_end;
        let point = self.pending_point.filter(|_| fork_at_first != self.fork);
        let tape = Tape {
            first,
            last: self.lsn,
            fork_at_first,
            fork_at_last: self.fork,
            fork_point: point.map(|(point, _)| point),
        };
        let keep = point.is_some_and(|(_, keep)| keep);
        let number = self.add(op, tape, stripes, copy_only, OURS, true, keep);
        if !copy_only {
            self.last_end = (self.lsn, self.fork);
            self.boundaries.push(self.last_end);
            self.pending_point = None;
        }
        let finished = self.world.sets[number].finished;
        self.world.states.push(((self.lsn, self.fork), finished, Some(number)));
    }

    /// Restores the living database to an earlier point and recovers it there.
    ///
    /// `quick`: within minutes. Then only headers can tell the dead path from the living one, so those that show where
    /// forks began are kept; where an earlier one is not, days pass.
    fn recover(&mut self, op: &Op, quick: bool) {
        let quick = quick && self.all_kept;
        if self.pending_point.is_some() {
            self.log(&[0, 1, 7, 1, 1, 200], 1, false);
        }
        let back = usize::from(op[1] % 4).min(self.boundaries.len() - 1);
        let at = self.boundaries.len() - 1 - back;
        let begin = self.boundaries[at];
        let next = self.boundaries.get(at + 1).map_or(self.lsn, |boundary| boundary.0);
        let point = begin.0 + u64::from(op[2]) % (next - begin.0 + 1);
        // Between two boundaries lies at most one fork point, that of the later one; stay below it.
        let fork_there = if at + 1 < self.boundaries.len() && self.boundaries[at + 1].1 != begin.1 {
            let limit = self.world.parents[self.boundaries[at + 1].1 as usize].map_or(begin.0, |(_, point)| point);
            if point > limit {
                self.boundaries[at + 1].1
            } else {
                begin.1
            }
        } else {
            begin.1
        };
        if fork_there != begin.1 {
            return;
        }
        self.boundaries.truncate(at + 1);
        self.fork = self.world.parents.len() as u32;
        self.world.parents.push(Some((begin.1, point)));
        // Recovery itself writes.
        self.lsn = point + 1;
        self.last_end = begin;
        self.pending_point = Some((point, quick));
        self.all_kept &= quick;
        self.now += if quick { Duration::minutes(5) } else { Duration::days(3) };
    }

    /// A recovery after which log backups begin with a new full backup: no header spans the fork point.
    fn reseed(&mut self, op: &Op) {
        self.recover(op, false);
        self.now += Duration::days(3);
        self.lsn += u64::from(op[3] % 3);
        self.last_end = (self.lsn, self.fork);
        self.boundaries = vec![self.last_end];
        self.pending_point = None;
        self.world.states.push((self.last_end, self.now, None));
    }

    fn foreign(&mut self, op: &Op, is_log: bool) {
        let tape = Tape {
            first: self.lsn,
            last: self.lsn + u64::from(op[1]),
            fork_at_first: 90,
            fork_at_last: 90,
            fork_point: None,
        };
        // A readable file only: what an unreadable one holds, nobody knows.
        let op = [op[0], op[1], op[2], op[3], op[4], 200];
        // Only the family tells another database's log backup from one on another recovery path.
        let family = if is_log && self.world.knows_family { 8 } else { OURS };
        self.add(&op, tape, 1, false, family, is_log && self.world.knows_family, false);
    }

    #[allow(clippy::too_many_arguments)] // Made in one place; a struct would only repeat it.
    fn add(
        &mut self,
        op: &Op,
        tape: Tape,
        stripes: u32,
        copy_only: bool,
        family: u128,
        is_log: bool,
        keep: bool,
    ) -> usize {
        let number = self.world.sets.len();
        let (started, finished) = (self.now, self.now + Duration::seconds(20));
        // Without stamps two writers' clocks cannot be compared.
        let writer = usize::from(self.world.stamped && op[2] % 8 >= 6);
        let damaged_by_writer = op[5] % 32 == 31;
        self.world.sets.push(SimSet {
            tape,
            stripes,
            copy_only,
            damaged_by_writer,
            family,
            is_log,
            writer,
            started,
            finished,
            keep,
        });
        let last = self.world.files.last_mut();
        if let Some(file) = last.filter(|file| op[5] % 16 == 3 && stripes == 1 && !keep && file.holds[0].1 == 1) {
            let alone = file.holds.iter().all(|(set, _)| {
                let held = &self.world.sets[*set];
                held.stripes == 1 && held.is_log && held.family == family && held.writer == writer
            });
            if alone && is_log {
                file.holds.push((number, 1));
                file.modified = finished;
                if !self.world.stamped {
                    file.when = finished;
                }
                return number;
            }
        }
        for stripe in 1..=stripes {
            let name = match (self.world.stamped, stripes) {
                (true, 1) => format!("mgc_{}.trn", started.format("%Y%m%d%H%M%S")),
                (true, _) => format!("mgc_s{stripe}_{}.trn", started.format("%Y%m%d%H%M%S")),
                (false, _) => format!("log {} {stripe}.bak", number * 7919 % 97),
            };
            let copies = self.copies(op, stripe, keep);
            self.world.files.push(SimFile {
                name: if self.world.stamped { name } else { format!("{name}-{number}") },
                when: if self.world.stamped { started } else { finished },
                size: 4096 + number as u64,
                modified: finished,
                holds: vec![(number, stripe)],
                copies,
            });
        }
        number
    }

    fn copies(&self, op: &Op, stripe: u32, keep: bool) -> Vec<(usize, Wrong)> {
        let mix = |byte: u8| byte.wrapping_mul(stripe as u8 * 2 - 1).wrapping_add(stripe as u8 * 31 - 31);
        let mut copies = Vec::new();
        let presence = mix(op[2]);
        for place in 0..3 {
            // Most files lie somewhere; one in sixteen is gone.
            let is_there =
                if presence < 16 { false } else { presence >> place & 1 == 1 || place == 1 && presence % 8 == 0 };
            if is_there {
                let spot = mix(op[3 + place % 2]).wrapping_add(place as u8 * 77);
                let wrong = match spot {
                    0..=15 => Wrong::Damaged,
                    16..=23 if !keep => Wrong::Header { garbage: true },
                    24..=27 if !keep => Wrong::Header { garbage: false },
                    _ => Wrong::Nothing,
                };
                // An unreadable copy hides nothing of another database in this world.
                copies.push((place, wrong));
            }
        }
        if keep && copies.is_empty() {
            copies.push((1, Wrong::Nothing));
        }
        copies
    }
}

impl SimSet {
    pub fn is_kept(&self) -> bool {
        self.keep
    }
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
                set.is_kept(),
                set.started
            ));
        }
        text.push_str(&format!("parents {:?}\n", self.parents));
        text
    }
}
