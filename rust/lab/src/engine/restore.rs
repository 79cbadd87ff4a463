//! The RESTORE statements, carried out.

use super::backup_file::{Fault, PayloadReader};
use super::connection::{Connection, Output};
use super::devices::OpenDevice;
use super::error::SqlMessage;
use super::execute::{Halt, Outcome};
use super::messages as m;
use super::model::{Record, State};
use super::restore_rules::{Leave, RestoreOptions, Restorer};
use super::session::Request;
use super::Engine;
use lab_tsql::ast::{RestoreKind, RestoreOption, RestoreStmt};
use std::time::{Duration, Instant};

/// The options of a RESTORE with their variables looked up.
struct Chosen {
    options: RestoreOptions,
    stated_leave: bool,
    position: Option<i64>,
    stats: u32,
    load_history: bool,
}

/// Puts things right when a restore ends half way: the database stays interrupted, nobody works on it any more.
struct Unfinished {
    engine: Engine,
    instance: usize,
    database: Option<u16>,
    session: u16,
    done: bool,
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        let mut world = self.engine.world();
        let session = self.session;
        let Some(id) = self.database else { return };
        let instance = world.instances[self.instance].name.clone();
        let Some(database) = world.instances[self.instance].databases.iter_mut().find(|d| d.id == id) else { return };
        if database.busy.is_some_and(|(owner, _)| owner == session) {
            database.busy = None;
            let detail = format!("{}: {:?}", database.name, database.interrupted.as_ref().map(|(_, file)| file));
            world.effect(&instance, "restore_interrupted", detail, "lab");
        }
    }
}

impl Connection {
    /// Carries out a RESTORE.
    ///
    /// # Errors
    /// The specific error and then 3013; `Cut` and `Killed` when the connection ends in between.
    pub(crate) async fn restore(&mut self, statement: &RestoreStmt, out: &mut dyn Output) -> Outcome {
        let command = command_name(statement.kind);
        let result = self.restore_inner(statement, command, out).await;
        self.set_request(None);
        result.map_err(|halt| match halt {
            Halt::Errors(mut errors) => {
                errors.push(m::terminating(command));
                Halt::Errors(errors)
            }
            other => other,
        })
    }

    async fn restore_inner(&mut self, statement: &RestoreStmt, command: &str, out: &mut dyn Output) -> Outcome {
        if self.context.transaction_count > 0 || self.implicit_transactions {
            let text = "Cannot perform a backup or restore operation within a transaction.";
            return Err(Halt::one(SqlMessage::new(3021, 16, 0, text)));
        }
        let chosen = self.choose(statement)?;
        match statement.kind {
            RestoreKind::HeaderOnly | RestoreKind::FileListOnly | RestoreKind::LabelOnly => {
                self.may_read_devices()?;
                self.show_request(command, 0.0, None);
                let devices = self.open_devices(&statement.from)?;
                let set = super::headers::show(self, statement.kind, &devices, chosen.position)?;
                let count = set.rows.len();
                out.rows(set).await;
                let _ = count;
                if let (RestoreKind::HeaderOnly, None, Some(device)) =
                    (statement.kind, chosen.position, devices.first())
                {
                    if let Some(fault) = device.contents.unfinished {
                        return Err(Halt::one(m::bad_file(&device.path, fault, "")));
                    }
                }
                Ok(())
            }
            RestoreKind::VerifyOnly => self.verify(statement, &chosen, out).await,
            RestoreKind::Log | RestoreKind::Database => {
                let target = statement.target.as_ref().map_or(Ok(String::new()), |t| self.name(t))?;
                if statement.from.is_empty() {
                    self.change_state(&target, &chosen, command, out).await
                } else {
                    self.restore_data(statement, &target, &chosen, command, out).await
                }
            }
        }
    }

    fn may_read_devices(&self) -> Result<(), Halt> {
        if self.engine.world().is_sysadmin(self.instance, &self.client.login) {
            return Ok(());
        }
        Err(Halt::one(SqlMessage::new(262, 14, 1, "CREATE DATABASE permission denied in database 'master'.")))
    }

    fn choose(&self, statement: &RestoreStmt) -> Result<Chosen, Halt> {
        let mut chosen = Chosen {
            options: RestoreOptions {
                leave: Leave::Recovery,
                replace: false,
                restart: false,
                restricted_user: false,
                moves: Vec::new(),
                checksum: false,
                continue_after_error: false,
                keep_broker: false,
            },
            stated_leave: false,
            position: None,
            stats: 10,
            load_history: false,
        };
        let mut leaves: Vec<&str> = Vec::new();
        for option in &statement.options {
            match option {
                RestoreOption::Recovery => {
                    leaves.push("RECOVERY");
                    chosen.options.leave = Leave::Recovery;
                }
                RestoreOption::NoRecovery => {
                    leaves.push("NORECOVERY");
                    chosen.options.leave = Leave::NoRecovery;
                }
                RestoreOption::Standby(file) => {
                    leaves.push("STANDBY");
                    chosen.options.leave = Leave::Standby(self.text(file)?);
                }
                RestoreOption::File(number) => chosen.position = Some(self.number(number)?),
                RestoreOption::Move { logical, path } => {
                    chosen.options.moves.push((self.text(logical)?, self.text(path)?));
                }
                RestoreOption::Replace => chosen.options.replace = true,
                RestoreOption::Restart => chosen.options.restart = true,
                RestoreOption::RestrictedUser => chosen.options.restricted_user = true,
                RestoreOption::Checksum => chosen.options.checksum = true,
                RestoreOption::ContinueAfterError => chosen.options.continue_after_error = true,
                RestoreOption::Stats(number) => chosen.stats = self.number(number)?.clamp(0, 100) as u32,
                RestoreOption::EnableBroker | RestoreOption::NewBroker => chosen.options.keep_broker = true,
                RestoreOption::LoadHistory => chosen.load_history = true,
                RestoreOption::StopAt(_)
                | RestoreOption::StopAtMark { .. }
                | RestoreOption::StopBeforeMark { .. }
                | RestoreOption::Partial => {
                    self.count_unknown(&format!("{statement:?}"), "RESTORE option");
                    return Err(Halt::one(SqlMessage::new(
                        lab_tsql::UNKNOWN_STATEMENT,
                        16,
                        1,
                        format!("unknown T-SQL for the lab: RESTORE option {option:?}"),
                    )));
                }
                _ => {}
            }
        }
        if let [first, second, ..] = leaves.as_slice() {
            let text = format!(
                "Option '{second}' conflicts with option(s) '{first}'. Remove the conflicting option and reissue the statement."
            );
            return Err(Halt::one(SqlMessage::new(3031, 16, 1, text)));
        }
        chosen.stated_leave = !leaves.is_empty();
        Ok(chosen)
    }

    fn restorer(&self) -> Restorer {
        let world = self.engine.world();
        let current = world.instances[self.instance].sessions.get(&self.id).map_or(1, |s| s.database);
        Restorer { instance: self.instance, session: self.id, login: self.client.login.clone(), current }
    }

    pub(crate) fn show_request(&self, command: &str, percent: f32, target: Option<u16>) {
        let started = self.engine.clock().now();
        let command: String = if self.engine.world().instances[self.instance].version.major < 11 {
            command.chars().take(16).collect()
        } else {
            command.to_owned()
        };
        self.set_request(Some(Request { command, started, percent, estimated_ms: 0, target }));
    }

    /// Reads the payloads of a set at the rate that is set, with progress, and returns the records.
    async fn read_payload(
        &mut self,
        devices: &[OpenDevice],
        sets: &[super::backup_file::FoundSet],
        stats: u32,
        droppable: bool,
        database: &str,
        out: &mut dyn Output,
    ) -> Result<Vec<Record>, Halt> {
        let total: u64 = sets.iter().map(|s| s.header.payload_bytes).sum::<u64>().max(1);
        let rate = self.engine.world().restore_rate(self.instance);
        let started = Instant::now();
        let piece = rate.map_or(1 << 20, |rate| (rate / 50).clamp(4096, 1 << 20) as usize & !7);
        let (mut done, mut told) = (0u64, 0u32);
        let mut records = Vec::new();
        for (device, set) in devices.iter().zip(sets) {
            let bad = |fault: Fault| Halt::one(m::bad_file(&device.path, fault, database));
            let mut reader = PayloadReader::open(&device.real, set).map_err(bad)?;
            loop {
                let got = reader.advance(piece).map_err(bad)?;
                if got == 0 {
                    break;
                }
                done += got;
                let percent = (done * 100 / total) as u32;
                self.progress(percent as f32, started.elapsed(), done, total);
                if self.ended.is_set() {
                    return Err(Halt::Killed);
                }
                if droppable && self.engine.world().drop_now(self.instance, percent) {
                    return Err(Halt::Cut);
                }
                while stats > 0 && told + stats <= percent && told + stats <= 100 {
                    told += stats;
                    out.message(&m::percent(told)).await;
                }
                match rate {
                    Some(rate) => {
                        let due = Duration::from_secs_f64(done as f64 / rate as f64);
                        if let Some(wait) = due.checked_sub(started.elapsed()) {
                            tokio::select! {
                                () = tokio::time::sleep(wait) => {}
                                () = self.ended.wait() => return Err(Halt::Killed),
                            }
                        }
                    }
                    None => tokio::task::yield_now().await,
                }
            }
            records.extend(reader.finish().map_err(bad)?);
        }
        if stats > 0 && told < 100 {
            out.message(&m::percent(100)).await;
        }
        records.sort_by_key(|r: &Record| r.lsn);
        Ok(records)
    }

    pub(crate) fn progress(&self, percent: f32, elapsed: Duration, done: u64, total: u64) {
        let mut world = self.engine.world();
        if let Some(request) = self.own_entry(&mut world).and_then(|e| e.request.as_mut()) {
            request.percent = percent;
            let left = elapsed.as_millis() as f64 * (total - done) as f64 / done.max(1) as f64;
            request.estimated_ms = left as i64;
        }
    }

    async fn verify(&mut self, statement: &RestoreStmt, chosen: &Chosen, out: &mut dyn Output) -> Outcome {
        self.may_read_devices()?;
        let devices = self.open_devices(&statement.from)?;
        let position = chosen.position.unwrap_or(1);
        let sets = self.pick_set(&devices, position)?;
        let Some(header) = sets.first().map(|s| s.header.clone()) else { return Ok(()) };
        self.show_request("RESTORE VERIFYONLY", 0.0, None);
        if chosen.options.checksum && !header.checksums {
            let text = "RESTORE WITH CHECKSUM cannot be specified because the backup set does not contain checksum information.";
            return Err(Halt::one(SqlMessage::new(3187, 16, 1, text)));
        }
        let stats =
            if statement.options.iter().any(|o| matches!(o, RestoreOption::Stats(_))) { chosen.stats } else { 0 };
        let read = self.read_payload(&devices, &sets, stats, false, &header.database, out).await;
        match read {
            Err(Halt::Errors(errors)) if errors.first().is_some_and(|e| e.number == 3183) => {
                Err(Halt::one(SqlMessage::new(3189, 16, 1, "Damage to the backup set was detected.")))
            }
            Err(halt) => Err(halt),
            Ok(_) => {
                if chosen.load_history {
                    let media: Vec<_> = devices.iter().map(|d| (d.contents.media.clone(), d.path.clone())).collect();
                    self.engine.world().instances[self.instance].history.add_set(&header, &media);
                }
                out.message(&SqlMessage::new(3262, 0, 1, format!("The backup set on file {position} is valid."))).await;
                Ok(())
            }
        }
    }

    async fn restore_data(
        &mut self,
        statement: &RestoreStmt,
        target: &str,
        chosen: &Chosen,
        command: &str,
        out: &mut dyn Output,
    ) -> Outcome {
        let who = self.restorer();
        self.engine.world().may_restore(&who, target)?;
        let devices = self.open_devices(&statement.from)?;
        let position = chosen.position.unwrap_or(1);
        let sets = self.pick_set(&devices, position)?;
        let Some(header) = sets.first().map(|s| s.header.clone()) else { return Ok(()) };
        let path = devices.first().map(|d| d.path.clone()).unwrap_or_default();
        let log = statement.kind == RestoreKind::Log;
        let options = &chosen.options;
        let mut files = Vec::new();
        let mut needed = true;
        let started = Instant::now();
        let mut guard = Unfinished {
            engine: self.engine.clone(),
            instance: self.instance,
            database: None,
            session: self.id,
            done: false,
        };
        {
            let mut world = self.engine.world();
            if log {
                needed = world.check_log_restore(&who, target, &path, &header, options)?;
            } else {
                files = world.check_database_restore(&who, target, &path, &header, options).map_err(Halt::Errors)?;
                // A database that is about to be created exists from here on.
                if world.instances[self.instance].database(target).is_none() {
                    world.apply_full(&who, target, &header, Vec::new(), files.clone());
                }
            }
            if let Leave::Standby(file) = &options.leave {
                world.check_undo_file(self.instance, file)?;
            }
            world.consume_undo_file(self.instance, target)?;
            if let Some(database) = world.database_mut(self.instance, target) {
                database.busy = Some((who.session, true));
                database.state = State::Restoring;
                database.read_only = false;
                database.standby = None;
                if needed {
                    database.interrupted = Some((header.set_guid, target.to_owned()));
                }
                guard.database = Some(database.id);
            }
            let inst = self.instance;
            let name = world.instances[inst].name.clone();
            let detail = format!("{command} {target} FROM {path}");
            world.effect(&name, "restore_started", detail, &self.client.program);
        }
        self.show_request(command, 0.0, guard.database);
        // A recovery that has begun is never cut: the last restore of a sequence ignores drops.
        let droppable = options.leave != Leave::Recovery;
        let read = self.read_payload(&devices, &sets, chosen.stats, droppable, target, out).await;
        let records = match read {
            Ok(records) => records,
            Err(Halt::Errors(errors)) => {
                // A file that cannot be read leaves the restore point where it was.
                let mut world = self.engine.world();
                if let Some(database) = world.database_mut(self.instance, target) {
                    database.interrupted = None;
                    database.busy = None;
                }
                guard.done = true;
                return Err(Halt::Errors(errors));
            }
            Err(halt) => return Err(halt),
        };
        let pages = if needed { records.len() as u64 * 2 + header.payload_bytes / 8192 } else { 0 };
        {
            let mut world = self.engine.world();
            let id = if log {
                if needed {
                    if let Some(id) = guard.database {
                        world.apply_log(self.instance, id, &header, records);
                    }
                }
                guard.database
            } else {
                Some(world.apply_full(&who, target, &header, records, files.clone()))
            };
            guard.done = true;
            if let Some(id) = id {
                world.leave(self.instance, id, &options.leave, options)?;
            }
            world.add_restore_history(self.instance, &who, target, &header, &devices, options, &files, log);
            let name = world.instances[self.instance].name.clone();
            world.effect(
                &name,
                if log { "log_restored" } else { "database_restored" },
                format!("{target} from {path} lsn {}..{} leave {:?}", header.first_lsn, header.last_lsn, options.leave),
                &self.client.program,
            );
            if !log {
                world.place_files(self.instance, &files);
            }
        }
        for file in &header.files {
            let share = if file.is_log == log { pages } else { 0 };
            out.message(&m::file_processed(share, target, &file.logical, header.position)).await;
        }
        out.message(&m::processed(command, pages, started.elapsed().as_millis() as u64)).await;
        Ok(())
    }

    /// RESTORE without FROM: recovery, or between RESTORING and STANDBY.
    async fn change_state(&mut self, target: &str, chosen: &Chosen, command: &str, out: &mut dyn Output) -> Outcome {
        let who = self.restorer();
        let started = Instant::now();
        let id = {
            let mut world = self.engine.world();
            world.may_restore(&who, target)?;
            let inst = &world.instances[self.instance];
            let database = inst.database(target).ok_or_else(|| m::no_such_database(target))?;
            if database.mirroring.as_ref().is_some_and(|x| !x.waiting) {
                return Err(Halt::one(m::mirrored(&database.name, inst.version.major)));
            }
            if database.is_recovered() {
                return Err(Halt::one(m::already_recovered()));
            }
            if matches!(database.state, State::Offline | State::Suspect) {
                return Err(Halt::one(m::nothing_to_roll_forward()));
            }
            world.exclusive(&who, database, "RESTORE")?;
            if let Some((_, file)) = &database.interrupted {
                return Err(Halt::one(m::interrupted(file)));
            }
            let id = database.id;
            if let Leave::Standby(file) = &chosen.options.leave {
                world.check_undo_file(self.instance, file)?;
            }
            world.consume_undo_file(self.instance, target)?;
            if let Some(database) = world.database_mut(self.instance, target) {
                database.busy = Some((who.session, true));
                database.standby = None;
                database.read_only = false;
                database.state =
                    if chosen.options.leave == Leave::Recovery { State::Recovering } else { State::Restoring };
            }
            id
        };
        self.show_request(command, 0.0, Some(id));
        // Runs to its end whatever becomes of the connection.
        let engine = self.engine.clone();
        let (instance, options) = (self.instance, chosen.options.clone());
        let (program, name) = (self.client.program.clone(), target.to_owned());
        let finished = tokio::spawn(async move {
            if options.leave == Leave::Recovery {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let mut world = engine.world();
            let result = world.leave(instance, id, &options.leave, &options);
            let on = world.instances[instance].name.clone();
            world.effect(&on, "database_state", format!("{name} {:?}", options.leave), &program);
            result
        })
        .await;
        if let Ok(Err(error)) = finished {
            return Err(Halt::one(error));
        }
        out.message(&m::processed(command, 0, started.elapsed().as_millis() as u64)).await;
        Ok(())
    }
}

/// The statement as messages name it.
pub fn command_name(kind: RestoreKind) -> &'static str {
    match kind {
        RestoreKind::HeaderOnly => "RESTORE HEADERONLY",
        RestoreKind::FileListOnly => "RESTORE FILELISTONLY",
        RestoreKind::LabelOnly => "RESTORE LABELONLY",
        RestoreKind::VerifyOnly => "VERIFY DATABASE",
        RestoreKind::Log => "RESTORE LOG",
        RestoreKind::Database => "RESTORE DATABASE",
    }
}
