//! The BACKUP statements, carried out: real files that every instance of the lab reads.

use super::backup_file::{self, MediaHeader, SetHeader};
use super::connection::{Connection, Output};
use super::disk::{OsError, Who};
use super::error::SqlMessage;
use super::execute::{Halt, Outcome};
use super::lsn::Lsn;
use super::messages as m;
use super::model::{Access, Database, Model, Record, State, World};
use super::session::closed_state;
use super::Engine;
use crate::scenario::Account;
use lab_tsql::ast::{BackupKind, BackupOption, BackupStmt};
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Options of a BACKUP.
#[derive(Clone, Debug, Default)]
pub struct BackupOptions {
    pub copy_only: bool,
    pub overwrite: bool,
    pub format: bool,
    pub checksum: bool,
    pub compression: bool,
    pub continue_after_error: bool,
    pub no_recovery: bool,
    pub standby: Option<String>,
    pub no_truncate: bool,
    pub name: Option<String>,
    pub description: Option<String>,
    pub media_name: Option<String>,
    pub stats: u32,
}

/// Frees the database and the files when a backup ends, well or not.
struct Writing {
    engine: Engine,
    instance: usize,
    database: u16,
    files: Vec<PathBuf>,
}

impl Drop for Writing {
    fn drop(&mut self) {
        let mut world = self.engine.world();
        for file in &self.files {
            world.being_written.remove(file);
        }
        let id = self.database;
        if let Some(database) = world.instances[self.instance].databases.iter_mut().find(|d| d.id == id) {
            database.busy = None;
        }
    }
}

impl Connection {
    /// Carries out a BACKUP.
    ///
    /// # Errors
    /// The specific error and then 3013.
    pub(crate) async fn backup(&mut self, statement: &BackupStmt, out: &mut dyn Output) -> Outcome {
        let command = match statement.kind {
            BackupKind::Database => "BACKUP DATABASE",
            BackupKind::Log => "BACKUP LOG",
        };
        let result = self.backup_inner(statement, command, out).await;
        self.set_request(None);
        result.map_err(|halt| match halt {
            Halt::Errors(mut errors) => {
                errors.push(m::terminating(command));
                Halt::Errors(errors)
            }
            other => other,
        })
    }

    fn backup_options(&self, statement: &BackupStmt) -> Result<BackupOptions, Halt> {
        let mut options = BackupOptions { stats: 10, ..BackupOptions::default() };
        for option in &statement.options {
            match option {
                BackupOption::CopyOnly => options.copy_only = true,
                BackupOption::Init => options.overwrite = true,
                BackupOption::Format => {
                    options.format = true;
                    options.overwrite = true;
                }
                BackupOption::Compression => options.compression = true,
                BackupOption::Checksum => options.checksum = true,
                BackupOption::ContinueAfterError => options.continue_after_error = true,
                BackupOption::NoRecovery => options.no_recovery = true,
                BackupOption::Standby(file) => options.standby = Some(self.text(file)?),
                BackupOption::NoTruncate => options.no_truncate = true,
                BackupOption::Name(text) => options.name = Some(self.text(text)?),
                BackupOption::Description(text) => options.description = Some(self.text(text)?),
                BackupOption::MediaName(text) => options.media_name = Some(self.text(text)?),
                BackupOption::Stats(number) => options.stats = self.number(number)?.clamp(0, 100) as u32,
                BackupOption::Differential => {
                    self.count_unknown(&format!("{statement:?}"), "BACKUP option");
                    return Err(Halt::one(SqlMessage::new(
                        lab_tsql::UNKNOWN_STATEMENT,
                        16,
                        1,
                        "unknown T-SQL for the lab: BACKUP option DIFFERENTIAL",
                    )));
                }
                _ => {}
            }
        }
        Ok(options)
    }

    async fn backup_inner(&mut self, statement: &BackupStmt, command: &str, out: &mut dyn Output) -> Outcome {
        if self.context.transaction_count > 0 || self.implicit_transactions {
            let text = "Cannot perform a backup or restore operation within a transaction.";
            return Err(Halt::one(SqlMessage::new(3021, 16, 0, text)));
        }
        let options = self.backup_options(statement)?;
        let target = self.name(&statement.target)?;
        let log = statement.kind == BackupKind::Log;
        if !statement.mirror_to.is_empty() {
            return Err(lab_tsql::SqlError::unknown("BACKUP … MIRROR TO").into());
        }
        let mut paths = Vec::new();
        for device in &statement.to {
            paths.push(self.device_path(device)?);
        }
        let started = Instant::now();
        let (mut header, records, reals, size, seed, id) = {
            let mut world = self.engine.world();
            let id = world.check_backup(self.instance, self.id, &self.client.login, &target, log, &options)?;
            let mut reals = Vec::new();
            for path in &paths {
                let who = Who { instance: self.instance, account: Account::Service };
                let real = world.resolve(who, path, true).map_err(|e| m::cannot_open_device(path, e, 1))?;
                if !real.parent().is_some_and(|p| p.is_dir()) {
                    return Err(Halt::one(m::cannot_open_device(path, OsError(3), 1)));
                }
                if world.being_written.contains(&real) {
                    return Err(Halt::one(m::cannot_open_device(path, OsError(32), 1)));
                }
                reals.push(real);
            }
            let exclusive = options.no_recovery || options.standby.is_some();
            let login = self.client.login.clone();
            let (header, records, size) = world.begin_backup(self.instance, id, log, &options, &login);
            if let Some(database) = world.instances[self.instance].databases.iter_mut().find(|d| d.id == id) {
                database.busy = Some((self.id, exclusive));
            }
            world.being_written.extend(reals.iter().cloned());
            let seed = world.random.next_bits();
            (header, records, reals, size, seed, id)
        };
        let writing =
            Writing { engine: self.engine.clone(), instance: self.instance, database: id, files: reals.clone() };
        self.show_request(command, 0.0, Some(id));
        let families = reals.len().max(1);
        let media_set = self.engine.world().random.guid();
        let mut media: Vec<(MediaHeader, String)> = Vec::new();
        let mut pieces: Vec<(PathBuf, bool, Vec<u8>)> = Vec::new();
        for (index, (path, real)) in paths.iter().zip(&reals).enumerate() {
            let mut append = false;
            header.position = 1;
            let fresh = MediaHeader {
                media_name: options.media_name.clone(),
                media_set,
                family: self.engine.world().random.guid(),
                family_count: families as u32,
                family_sequence: index as u32 + 1,
                date: header.started,
                compressed: options.compression,
            };
            let mut own = fresh;
            let exists = real.metadata().is_ok_and(|md| md.len() > 0);
            if exists && !options.format {
                let found = backup_file::scan(real).map_err(|fault| m::bad_file(path, fault, &target))?;
                if found.media.family_count as usize != families {
                    let text = format!(
                        "The media set has {} media families but only {families} are provided. All members must be provided.",
                        found.media.family_count
                    );
                    return Err(Halt::one(SqlMessage::new(3132, 16, 1, text)));
                }
                if !options.overwrite {
                    append = true;
                    header.position = found.sets.len() as i16 + 1;
                }
                own = found.media;
            }
            let share: Vec<Record> = records.iter().skip(index).step_by(families).copied().collect();
            let mut own_header = header.clone();
            let set = backup_file::set_bytes(&mut own_header, &share, size / families as u64, seed);
            header.backup_size = own_header.backup_size * families as i64;
            let mut bytes = if append { Vec::new() } else { backup_file::media_bytes(&own) };
            bytes.extend(set);
            media.push((own, path.clone()));
            pieces.push((real.clone(), append, bytes));
        }
        self.write_pieces(&paths, pieces, options.stats, out).await?;
        let pages = header.backup_size as u64 / 8192 + 1;
        {
            let mut world = self.engine.world();
            drop_busy(&mut world, self.instance, id);
            world.finish_backup(self.instance, id, log, &options, &mut header, &media);
            let name = world.instances[self.instance].name.clone();
            let kind = if log { "log_backed_up" } else { "database_backed_up" };
            let detail = format!("{target} to {} lsn {}..{}", paths.join(", "), header.first_lsn, header.last_lsn);
            world.effect(&name, kind, detail, &self.client.program);
            if options.no_recovery || options.standby.is_some() {
                world.effect(&name, "database_state", format!("{target} tail taken"), &self.client.program);
            }
        }
        drop(writing);
        for file in &header.files {
            let share = if file.is_log == log { pages } else { 0 };
            out.message(&m::file_processed(share, &target, &file.logical, header.position)).await;
        }
        out.message(&m::processed(command, pages, started.elapsed().as_millis() as u64)).await;
        Ok(())
    }

    async fn write_pieces(
        &mut self,
        paths: &[String],
        pieces: Vec<(PathBuf, bool, Vec<u8>)>,
        stats: u32,
        out: &mut dyn Output,
    ) -> Outcome {
        let total: u64 = pieces.iter().map(|p| p.2.len() as u64).sum::<u64>().max(1);
        let rate = self.engine.world().backup_rate(self.instance);
        let step = rate.map_or(1 << 20, |rate| (rate / 50).clamp(4096, 1 << 20) as usize);
        let started = Instant::now();
        let (mut done, mut told) = (0u64, 0u32);
        for ((real, append, bytes), path) in pieces.into_iter().zip(paths) {
            let refuse = |e: std::io::Error| Halt::one(m::cannot_open_device(path, OsError::of(&e, &real), 1));
            let mut file = std::fs::OpenOptions::new()
                .create(true)
                .write(true)
                .append(append)
                .truncate(!append)
                .open(&real)
                .map_err(refuse)?;
            let free = self.engine.world().free_bytes(self.instance, path);
            for piece in bytes.chunks(step) {
                if done + piece.len() as u64 > free {
                    let text = format!("Write on \"{path}\" failed: {}", OsError(112).text());
                    return Err(Halt::one(SqlMessage::new(3202, 16, 1, text)));
                }
                file.write_all(piece).map_err(refuse)?;
                done += piece.len() as u64;
                let percent = (done * 100 / total) as u32;
                self.progress(percent as f32, started.elapsed(), done, total);
                if self.ended.is_set() {
                    return Err(Halt::Killed);
                }
                while stats > 0 && told + stats <= percent && told + stats <= 100 {
                    told += stats;
                    out.message(&m::percent(told)).await;
                }
                if let Some(rate) = rate {
                    let due = Duration::from_secs_f64(done as f64 / rate as f64);
                    if let Some(wait) = due.checked_sub(started.elapsed()) {
                        tokio::time::sleep(wait).await;
                    }
                }
            }
            file.flush().map_err(refuse)?;
        }
        Ok(())
    }
}

fn drop_busy(world: &mut World, instance: usize, id: u16) {
    if let Some(database) = world.instances[instance].databases.iter_mut().find(|d| d.id == id) {
        database.busy = None;
    }
}

impl World {
    fn backup_rate(&self, instance: usize) -> Option<u64> {
        let general = (self.rates.backup_mib_per_second * 1024.0 * 1024.0) as u64;
        let slow = self.faults.iter().any(|f| matches!(f, crate::faults::Fault::SlowRestore { .. }));
        if slow {
            return self.restore_rate(instance);
        }
        (general > 0).then_some(general.max(1024))
    }

    /// Whether the database can be backed up; returns its id.
    fn check_backup(
        &self,
        instance: usize,
        session: u16,
        login: &str,
        target: &str,
        log: bool,
        options: &BackupOptions,
    ) -> Result<u16, SqlMessage> {
        let inst = &self.instances[instance];
        let database = inst.database(target).ok_or_else(|| m::no_such_database(target))?;
        let name = &database.name;
        let plain = |number, text: String| SqlMessage::new(number, 16, 1, text);
        if !self.is_sysadmin(instance, login) && !inst.same(&database.owner, login) {
            let what = if log { "BACKUP LOG" } else { "BACKUP DATABASE" };
            return Err(SqlMessage::new(262, 14, 1, format!("{what} permission denied in database '{name}'.")));
        }
        if database.is_mirror_copy() {
            return Err(plain(
                3059,
                "This BACKUP or RESTORE command is not supported on a database mirror or secondary replica.".into(),
            ));
        }
        if database.is_standby() {
            return Err(plain(
                3036,
                format!(
                    "The database \"{name}\" is in warm-standby state (set by executing RESTORE WITH STANDBY) and cannot be backed up until the entire restore sequence is completed."
                ),
            ));
        }
        let damaged = matches!(database.state, State::Suspect | State::RecoveryPending);
        if !(damaged && log && (options.no_truncate || options.continue_after_error)) {
            if let Some(closed) = closed_state(database) {
                return Err(closed);
            }
        }
        if log && database.model == Model::Simple {
            return Err(plain(
                4208,
                "The statement BACKUP LOG is not allowed while the recovery model is SIMPLE. Use BACKUP DATABASE or change the recovery model using ALTER DATABASE.".into(),
            ));
        }
        if log && database.full_backup.is_none() {
            return Err(plain(
                4214,
                "BACKUP LOG cannot be performed because there is no current database backup.".into(),
            ));
        }
        if database.busy.is_some() {
            return Err(plain(
                3023,
                "Backup, file manipulation operations (such as ALTER DATABASE ADD FILE) and encryption changes on a database must be serialized. Reissue the statement after the current backup or file manipulation operation is completed.".into(),
            ));
        }
        if options.no_recovery || options.standby.is_some() {
            if !log {
                let text = "One or more of the options (norecovery) are not supported for this statement. Review the documentation for supported options.";
                return Err(plain(3032, text.into()));
            }
            if database.mirroring.is_some() {
                return Err(m::mirroring_forbids(name));
            }
            if inst.sessions.get(&session).is_some_and(|s| s.database == database.id)
                || !self.sessions_in(instance, database.id, None).is_empty()
            {
                return Err(m::in_use());
            }
        }
        if options.compression && inst.edition.starts_with("Express") {
            return Err(plain(1844, format!("BACKUP DATABASE WITH COMPRESSION is not supported on {}.", inst.edition)));
        }
        Ok(database.id)
    }

    /// Header and records of a backup that begins now.
    fn begin_backup(
        &mut self,
        instance: usize,
        id: u16,
        log: bool,
        options: &BackupOptions,
        login: &str,
    ) -> (SetHeader, Vec<Record>, u64) {
        let started = self.local_now();
        let set_guid = self.random.guid();
        let size = if log { self.log_backup_bytes } else { self.full_backup_bytes };
        let host = self.hosts[self.instances[instance].host].name.clone();
        let inst = &mut self.instances[instance];
        let (name, version) = (inst.name.clone(), inst.version);
        let Some(database) = inst.databases.iter_mut().find(|d| d.id == id) else {
            return (SetHeader::empty(set_guid, started), Vec::new(), size);
        };
        // A backup writes log records of its own; a full one writes a checkpoint as well.
        if database.is_recovered() {
            database.log_end = database.log_end.advance(if log { 1 } else { 2 });
        }
        let header = SetHeader::of(database, log, options, set_guid, started, &name, &host, version, login);
        // Records lie in the order of their LSNs.
        let begin = if log { database.records.partition_point(|r| r.lsn < header.first_lsn) } else { 0 };
        let end = database.records.partition_point(|r| r.lsn < header.last_lsn);
        let records = database.records.get(begin..end).unwrap_or_default().to_vec();
        self.ship_to_mirror(instance, &header.database, |mirror, principal| mirror.follow_log(principal));
        (header, records, size)
    }

    /// What a finished backup changes: log truncated, base of the next ones, state after a tail, history.
    fn finish_backup(
        &mut self,
        instance: usize,
        id: u16,
        log: bool,
        options: &BackupOptions,
        header: &mut SetHeader,
        media: &[(MediaHeader, String)],
    ) {
        header.finished = self.local_now();
        let inst = &mut self.instances[instance];
        inst.history.add_set(header, media);
        let Some(database) = inst.databases.iter_mut().find(|d| d.id == id) else { return };
        if log && !options.copy_only && !options.no_truncate {
            database.log_backup_start = header.last_lsn;
            database.begins_chain = false;
            database.log_used_bytes = 0;
        }
        if !log && !options.copy_only {
            if database.full_backup.is_none() {
                database.log_backup_start = header.checkpoint_lsn;
                database.begins_chain = true;
            }
            database.full_backup = Some(header.checkpoint_lsn);
        }
        let name = database.name.clone();
        if options.no_recovery {
            database.state = State::Restoring;
            database.log_end = header.last_lsn;
        }
        if let Some(file) = &options.standby {
            database.standby = Some(file.clone());
            database.read_only = true;
        }
        self.ship_to_mirror(instance, &name, |mirror, principal| mirror.follow_log(principal));
    }
}

impl SetHeader {
    fn empty(set_guid: uuid::Uuid, now: chrono::NaiveDateTime) -> Self {
        let blank =
            Database::blank(0, "", "", now, super::model::Version { major: 10, minor: 50, build: 0, revision: 0 });
        let options = BackupOptions::default();
        SetHeader::of(
            &blank,
            true,
            &options,
            set_guid,
            now,
            "",
            "",
            super::model::Version { major: 10, minor: 50, build: 0, revision: 0 },
            "",
        )
    }

    /// The header of a backup of `database` as it stands.
    #[allow(clippy::too_many_arguments)] // Each is a column of HEADERONLY that only the caller knows.
    pub fn of(
        database: &Database,
        log: bool,
        options: &BackupOptions,
        set_guid: uuid::Uuid,
        now: chrono::NaiveDateTime,
        server: &str,
        machine: &str,
        version: super::model::Version,
        login: &str,
    ) -> Self {
        let last = database.log_end;
        let before = if last.block() >= 2 { 200_000 } else { 1 };
        let first = if log { database.log_backup_start } else { Lsn((last.0 - before).max(0)) };
        let forks: Vec<_> = database
            .forks
            .iter()
            .enumerate()
            .filter(|(index, fork)| *index == 0 || fork.start < last)
            .map(|(_, fork)| *fork)
            .collect();
        let at_start =
            forks.iter().rev().find(|f| f.start < first).or(forks.first()).map_or(uuid::Uuid::nil(), |f| f.id);
        let newest = forks.last().copied();
        let at_end = newest.map_or(uuid::Uuid::nil(), |f| f.id);
        let (first_fork, fork_point) = match newest {
            Some(fork) if log && at_start != at_end => (at_start, Some(fork.start)),
            _ => (at_end, None),
        };
        let tail = options.no_recovery || options.standby.is_some();
        let mut flags = 0;
        flags |= if database.access == Access::Single { 8 } else { 0 };
        flags |= if options.checksum { 16 } else { 0 };
        flags |= if tail || options.no_truncate { 64 } else { 0 };
        let incomplete = log && options.no_truncate && database.state != State::Online;
        flags |= if incomplete { 128 } else { 0 };
        flags |= if options.no_recovery { 256 } else { 0 };
        SetHeader {
            set_guid,
            name: options.name.clone(),
            description: options.description.clone(),
            backup_type: if log { 2 } else { 1 },
            compressed: options.compression,
            position: 1,
            user: login.to_owned(),
            server: server.to_owned(),
            machine: machine.to_owned(),
            database: database.name.clone(),
            internal_version: database.internal_version,
            created: database.created,
            backup_size: 0,
            first_lsn: first,
            last_lsn: last,
            checkpoint_lsn: if log { database.full_backup.unwrap_or(first).max(first) } else { first },
            database_backup_lsn: database.full_backup.unwrap_or_default(),
            started: now,
            finished: now,
            compatibility: database.compatibility,
            version: (version.major.into(), version.minor.into(), version.build.into()),
            flags,
            binding: database.guid,
            family: database.family,
            first_fork,
            last_fork: at_end,
            fork_point,
            collation: database.collation.clone(),
            read_only: database.read_only,
            single_user: database.access == Access::Single,
            checksums: options.checksum,
            damaged: false,
            begins_chain: log && database.begins_chain,
            incomplete_metadata: incomplete,
            force_offline: options.no_recovery,
            copy_only: options.copy_only || options.no_truncate,
            recovery_model: match database.model {
                Model::Full => "FULL",
                Model::BulkLogged => "BULK-LOGGED",
                Model::Simple => "SIMPLE",
            }
            .into(),
            differential_base: None,
            forks,
            files: database.files.clone(),
            users: database.users.clone(),
            chat: database.chat,
            payload_bytes: 0,
            records_bytes: 0,
        }
    }
}
