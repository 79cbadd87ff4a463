//! The databases of a fresh lab: the chat database with its log backups on share and copy folder, its mirror, and the
//! compliance database.

use super::backup::BackupOptions;
use super::backup_file::{self, MediaHeader, SetHeader};
use super::build::{flip_bit, LastFiles};
use super::error::LabError;
use super::history::RestoreRow;
use super::lsn::Lsn;
use super::model::{Database, Fork, Mirroring, Record, State, User, World};
use crate::scenario::{InstanceRole, Scenario, SecondaryMode, UnfinishedFile};
use chrono::{DateTime, Duration, Utc};
use std::path::Path;

/// Builds the databases of a scenario.
pub(super) struct Builder<'a> {
    pub world: &'a mut World,
    pub scenario: &'a Scenario,
}

impl Builder<'_> {
    fn role(&self, role: InstanceRole) -> Option<usize> {
        self.world.instances.iter().position(|i| i.role == role)
    }

    fn header(
        &mut self,
        at: usize,
        database: &Database,
        log: bool,
        options: &BackupOptions,
        when: DateTime<Utc>,
    ) -> SetHeader {
        let guid = self.world.random.guid();
        let local = self.world.local(when);
        let inst = &self.world.instances[at];
        let machine = self.world.hosts[inst.host].name.clone();
        SetHeader::of(database, log, options, guid, local, &inst.name, &machine, inst.version, "CONTOSO\\sqlagent")
    }

    fn media(&mut self, when: DateTime<Utc>) -> MediaHeader {
        MediaHeader {
            media_name: None,
            media_set: self.world.random.guid(),
            family: self.world.random.guid(),
            family_count: 1,
            family_sequence: 1,
            date: self.world.local(when),
            compressed: false,
        }
    }

    pub fn chat(&mut self) -> Result<(), LabError> {
        let Some(primary) = self.role(InstanceRole::Primary) else { return Ok(()) };
        let (chat, ship) = (self.scenario.chat.clone(), self.scenario.log_shipping.clone());
        let name = chat.database.clone();
        let now = self.world.clock.now();
        let step = Duration::minutes(ship.interval_minutes.max(1).into());
        let newest = now - Duration::milliseconds((ship.newest_age_minutes * 60_000.0) as i64);
        let oldest = newest - step * (ship.log_backups.max(1) as i32);
        let first = ship.first_lsn.parse().map(Lsn).unwrap_or(Lsn::new(9301, 16, 1));
        let mut database = self.blank_chat(primary, &name, first, oldest - step);
        for _ in 0..chat.messages_in_full_backup {
            self.add_message(&mut database);
        }
        database.log_end = database.log_end.advance(2);
        let full_at = oldest;
        let mut header = self.header(primary, &database, false, &BackupOptions::default(), full_at);
        let media = self.media(full_at);
        let seed = self.world.random.next_bits();
        let bytes = backup_file::set_bytes(&mut header, &database.records, self.world.full_backup_bytes, seed);
        let full_path = format!("{}\\{name}_initial.bak", self.world.instances[primary].backup_folder());
        if let Some(real) = self.world.real_path(self.world.instances[primary].host, &full_path) {
            backup_file::write_file(&real, &media, &bytes)?;
        }
        database.full_backup = Some(header.checkpoint_lsn);
        database.log_backup_start = header.checkpoint_lsn;
        let full_media = [(media, full_path)];
        self.world.instances[primary].history.add_set(&header, &full_media);
        let mut copy = self.secondary_copy(&database, &header);
        let secondary = self.role(InstanceRole::Backup);
        if let Some(secondary) = secondary {
            self.note_restore(secondary, &name, &header, &full_media, 'D', full_at);
        }
        let mut last_files = LastFiles::default();
        for number in 1..=ship.log_backups {
            for _ in 0..chat.messages_per_log_backup {
                self.add_message(&mut database);
            }
            let when = newest - step * (ship.log_backups - number) as i32;
            self.log_backup(primary, secondary, &mut database, copy.as_mut(), number, when, &mut last_files)?;
        }
        self.unfinished(primary, &mut database, newest + Duration::minutes(1))?;
        for _ in 0..chat.messages_after_last_log_backup {
            self.add_message(&mut database);
        }
        database.owner.clone_from(&chat.owner);
        (database.broker, database.trustworthy, database.chaining) = (chat.broker, chat.trustworthy, chat.db_chaining);
        self.place_chat(primary, secondary, database, copy)?;
        self.remember(&last_files);
        Ok(())
    }

    fn blank_chat(&mut self, primary: usize, name: &str, first: Lsn, created: DateTime<Utc>) -> Database {
        let version = self.world.instances[primary].version;
        let local = self.world.local(created);
        let mut database = Database::blank(5, name, "sa", local, version);
        database.family = self.world.random.guid();
        database.guid = self.world.random.guid();
        database.forks = vec![Fork { id: self.world.random.guid(), start: Lsn::default() }];
        database.log_end = first;
        database.log_backup_start = first;
        database.begins_chain = true;
        database.chat = true;
        database.files = self.world.new_files(primary, name, 64 << 20);
        database.users = self.users(primary);
        database
    }

    fn users(&mut self, primary: usize) -> Vec<User> {
        let inst = &self.world.instances[primary];
        inst.logins
            .iter()
            .filter(|l| !l.settings.sysadmin)
            .enumerate()
            .map(|(index, l)| User {
                name: l.settings.name.clone(),
                id: 5 + index as i32,
                sid: l.sid.clone(),
                kind: if l.windows { 'U' } else { 'S' },
            })
            .collect()
    }

    fn add_message(&mut self, database: &mut Database) {
        self.world.newest_message += 1;
        database.records.push(Record { lsn: database.log_end, message: self.world.newest_message });
        database.log_end = database.log_end.advance(1);
        database.log_used_bytes += 512;
    }

    /// The database on the secondary right after its initial restore.
    fn secondary_copy(&mut self, database: &Database, full: &SetHeader) -> Option<Database> {
        let secondary = self.role(InstanceRole::Backup)?;
        let mut copy = database.clone();
        copy.guid = self.world.random.guid();
        copy.files = self.world.new_files(secondary, &database.name, 64 << 20);
        for (own, source) in copy.files.iter_mut().zip(&database.files) {
            own.guid = source.guid;
        }
        copy.state = State::Restoring;
        copy.log_end = full.last_lsn;
        copy.log_backup_start = full.last_lsn;
        Some(copy)
    }

    fn note_restore(
        &mut self,
        secondary: usize,
        database: &str,
        header: &SetHeader,
        media: &[(MediaHeader, String)],
        kind: char,
        when: DateTime<Utc>,
    ) {
        let date = self.world.local(when);
        let history = &mut self.world.instances[secondary].history;
        let backup_set_id = history.add_set(header, media);
        history.add_restore(RestoreRow {
            id: 0,
            date,
            database: database.to_owned(),
            user: "CONTOSO\\sqlagent".into(),
            backup_set_id,
            kind,
            replace: false,
            recovery: false,
            restart: false,
            devices: 1,
            files: Vec::new(),
        });
    }

    #[allow(clippy::too_many_arguments)] // The two sides of one log backup.
    fn log_backup(
        &mut self,
        primary: usize,
        secondary: Option<usize>,
        database: &mut Database,
        copy: Option<&mut Database>,
        number: u32,
        when: DateTime<Utc>,
        last: &mut LastFiles,
    ) -> Result<(), LabError> {
        let ship = self.scenario.log_shipping.clone();
        let mut header = self.header(primary, database, true, &BackupOptions::default(), when);
        let records: Vec<Record> = database.records.iter().filter(|r| r.lsn >= header.first_lsn).copied().collect();
        let media = self.media(when);
        let seed = self.world.random.next_bits();
        let set = backup_file::set_bytes(&mut header, &records, self.world.log_backup_bytes, seed);
        let file = format!("{}_{}.trn", database.name, when.format("%Y%m%d%H%M%S"));
        let shared = format!("{}\\{file}", ship.share);
        let local = format!("{}\\{file}", ship.copy_folder);
        let here = !ship.missing.contains(&number);
        let own_host = self.world.instances[primary].host;
        if let (true, Some(real)) = (here, self.world.real_path(own_host, &shared)) {
            backup_file::write_file(&real, &media, &set)?;
            set_time(&real, when);
            if ship.damaged.contains(&number) {
                flip_bit(&real)?;
            }
        }
        self.world.instances[primary].history.add_set(&header, &[(media.clone(), shared.clone())]);
        last.backup = Some((shared, when));
        database.log_backup_start = header.last_lsn;
        database.begins_chain = false;
        database.log_used_bytes = 0;
        let (Some(secondary), Some(copy)) = (secondary, copy) else { return Ok(()) };
        if number <= ship.log_backups - ship.not_copied {
            let real = self.world.real_path(self.world.instances[secondary].host, &local);
            if let (true, Some(real)) = (here, real) {
                backup_file::write_file(&real, &media, &set)?;
                set_time(&real, when);
            }
            last.copied = Some((local.clone(), when + Duration::minutes(1)));
        }
        if number <= ship.log_backups - ship.not_restored {
            copy.records.extend(records.into_iter().filter(|r| r.lsn >= copy.log_end));
            copy.log_end = header.last_lsn;
            copy.log_backup_start = header.last_lsn;
            copy.log_restored = true;
            self.note_restore(
                secondary,
                &database.name.clone(),
                &header,
                &[(media, local.clone())],
                'L',
                when + Duration::minutes(2),
            );
            last.restored = Some((local, when + Duration::minutes(2)));
        }
        Ok(())
    }

    fn unfinished(&mut self, primary: usize, database: &mut Database, when: DateTime<Utc>) -> Result<(), LabError> {
        let ship = self.scenario.log_shipping.clone();
        let extension = match ship.unfinished_newest {
            UnfinishedFile::None => return Ok(()),
            UnfinishedFile::Truncated => "trn",
            UnfinishedFile::WorkingName => "wrk",
        };
        for _ in 0..self.scenario.chat.messages_per_log_backup {
            self.add_message(database);
        }
        let mut header = self.header(primary, database, true, &BackupOptions::default(), when);
        let records: Vec<Record> = database.records.iter().filter(|r| r.lsn >= header.first_lsn).copied().collect();
        let media = self.media(when);
        let seed = self.world.random.next_bits();
        let set = backup_file::set_bytes(&mut header, &records, self.world.log_backup_bytes, seed);
        let path = format!("{}\\{}_{}.{extension}", ship.share, database.name, when.format("%Y%m%d%H%M%S"));
        if let Some(real) = self.world.real_path(self.world.instances[primary].host, &path) {
            backup_file::write_file(&real, &media, &set[..set.len() * 6 / 10])?;
            set_time(&real, when);
        }
        Ok(())
    }

    fn place_chat(
        &mut self,
        primary: usize,
        secondary: Option<usize>,
        database: Database,
        copy: Option<Database>,
    ) -> Result<(), LabError> {
        if let (Some(secondary), Some(mut copy)) = (secondary, copy) {
            if self.scenario.log_shipping.mode == SecondaryMode::Standby {
                let undo = format!("{}\\{}.tuf", self.scenario.log_shipping.copy_folder, copy.name);
                if let Some(real) = self.world.real_path(self.world.instances[secondary].host, &undo) {
                    std::fs::write(real, b"undo")?;
                }
                copy.state = State::Online;
                copy.read_only = true;
                copy.standby = Some(undo);
            }
            self.world.place_files(secondary, &copy.files);
            self.world.instances[secondary].databases.push(copy);
        }
        self.world.place_files(primary, &database.files);
        self.mirrored_pair(primary, InstanceRole::PrimaryMirror, database);
        Ok(())
    }

    /// Places a database and, where the mirror instance exists, its mirror copy.
    fn mirrored_pair(&mut self, principal: usize, role: InstanceRole, mut database: Database) {
        if let Some(mirror) = self.role(role) {
            let guid = self.world.random.guid();
            let mut copy = database.clone();
            copy.state = State::Restoring;
            copy.guid = self.world.random.guid();
            copy.log_restored = true;
            copy.owner = "sa".into();
            (copy.broker, copy.trustworthy, copy.chaining) = (false, false, false);
            copy.files = self.world.new_files(mirror, &database.name, 64 << 20);
            let own = Mirroring::new(guid, true, mirror, self.world.endpoint_address(mirror));
            database.mirroring = Some(Mirroring { caught_up: true, ..own });
            copy.mirroring = Some(Mirroring::new(guid, false, principal, self.world.endpoint_address(principal)));
            self.world.place_files(mirror, &copy.files);
            self.world.instances[mirror].databases.push(copy);
        }
        self.world.instances[principal].databases.push(database);
    }

    pub fn compliance(&mut self) -> Result<(), LabError> {
        let Some(name) = self.scenario.chat.compliance_database.clone() else { return Ok(()) };
        let now = self.world.clock.now();
        for (role, mirror) in [(InstanceRole::Primary, Some(InstanceRole::PrimaryMirror)), (InstanceRole::Backup, None)]
        {
            let Some(at) = self.role(role) else { continue };
            let mut database = self.blank_chat(at, &name, Lsn::new(40, 16, 1), now - Duration::days(100));
            database.id = 6;
            database.chat = false;
            database.full_backup = Some(database.log_end);
            if role == InstanceRole::Primary {
                self.old_events(&mut database);
            }
            self.world.place_files(at, &database.files);
            match mirror {
                Some(mirror) => self.mirrored_pair(at, mirror, database),
                None => self.world.instances[at].databases.push(database),
            }
        }
        Ok(())
    }

    /// Events that the adapter has not processed when the lab starts.
    fn old_events(&mut self, database: &mut Database) {
        let settings = self.scenario.pool.compliance.clone();
        let events = 1..=u64::from(settings.unprocessed);
        let placeholders = (0..u64::from(settings.placeholders)).map(|n| super::compliance::PLACEHOLDERS + n);
        for number in events.chain(placeholders) {
            database.records.push(Record { lsn: database.log_end, message: number });
            database.log_end = database.log_end.advance(1);
        }
        self.world.compliance.made = settings.unprocessed.into();
    }

    pub fn log_shipping(&mut self) {
        let ship = self.scenario.log_shipping.clone();
        if !ship.configured {
            return;
        }
        super::build_shipping::configure(self.world, self.scenario);
    }

    fn remember(&mut self, last: &LastFiles) {
        self.world.last_files = last.clone();
    }
}

fn set_time(path: &Path, when: DateTime<Utc>) {
    if let Ok(file) = std::fs::OpenOptions::new().append(true).open(path) {
        // A file time that cannot be set only looks newer than it is.
        let _ = file.set_modified(when.into());
    }
}
