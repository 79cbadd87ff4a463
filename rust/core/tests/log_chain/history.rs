//! How a world comes about: bytes become log backups, recoveries and files.

use chrono::{Duration, NaiveDate, NaiveDateTime};

use crate::reference::Tape;
use crate::world::{Op, SimFile, SimSet, World, Wrong, OURS};

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
            stamped: !head[0].is_multiple_of(4),
            redo: (100, 0),
            redo_set: None,
            redo_time: start,
            knows_history: head[2].is_multiple_of(2),
            knows_family: !head[3].is_multiple_of(4),
            copies_differ: head[3].is_multiple_of(2),
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
