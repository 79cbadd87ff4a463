//! ALTER, CREATE and DROP DATABASE, and KILL.

use super::connection::{Connection, Output};
use super::error::SqlMessage;
use super::execute::{Halt, Outcome};
use super::lsn::Lsn;
use super::messages as m;
use super::model::{Access, DataFile, Database, Fork, Model, State};
use lab_tsql::ast::{
    AlterDatabaseAction as Action, AlterDatabaseStmt, Availability, RecoveryModel, Termination, UserAccess,
};
use std::time::Duration;

impl Connection {
    /// Carries out an ALTER DATABASE.
    ///
    /// # Errors
    /// The specific error and then 5069.
    pub(crate) async fn alter_database(&mut self, statement: &AlterDatabaseStmt, out: &mut dyn Output) -> Outcome {
        let name = if statement.name.is_empty() { self.context.database.clone() } else { statement.name.clone() };
        let result = self.alter_inner(&name, &statement.action, out).await;
        self.set_request(None);
        result.map_err(|halt| match halt {
            Halt::Errors(mut errors) => {
                errors.push(m::alter_failed());
                Halt::Errors(errors)
            }
            other => other,
        })
    }

    fn may_alter(&self, name: &str) -> Result<u16, SqlMessage> {
        let world = self.engine.world();
        let inst = &world.instances[self.instance];
        let refused = || {
            SqlMessage::new(
                5011,
                14,
                5,
                format!(
                    "User does not have permission to alter database '{name}', the database does not exist, or the database is not in a state that allows access checks."
                ),
            )
        };
        let database = inst.database(name).ok_or_else(refused)?;
        let owner = inst.same(&database.owner, &self.client.login);
        if !owner && !world.is_sysadmin(self.instance, &self.client.login) {
            return Err(refused());
        }
        Ok(database.id)
    }

    async fn alter_inner(&mut self, name: &str, action: &Action, out: &mut dyn Output) -> Outcome {
        let id = self.may_alter(name)?;
        if let Action::SetPartner(partner) = action {
            return Ok(self.set_partner(name, partner)?);
        }
        {
            let world = self.engine.world();
            let inst = &world.instances[self.instance];
            let Some(database) = inst.database(name) else { return Ok(()) };
            let online_again = matches!(action, Action::SetAvailability { state: Availability::Online, .. });
            if matches!(database.state, State::Restoring | State::Recovering) {
                let text = "ALTER DATABASE is not permitted while a database is in the Restoring state.";
                return Err(Halt::one(SqlMessage::new(5052, 16, 1, text)));
            }
            if database.state == State::Offline && !online_again {
                let text = format!("Database '{name}' cannot be opened because it is offline.");
                return Err(Halt::one(SqlMessage::new(942, 14, 4, text)));
            }
            if let Action::SetWitness(witness) = action {
                let text = match witness {
                    None => format!("There is currently no witness associated with database \"{name}\"."),
                    Some(_) => "The server instance could not act as the witness. The ALTER DATABASE SET WITNESS command failed.".into(),
                };
                return Err(Halt::one(SqlMessage::new(if witness.is_none() { 1439 } else { 1427 }, 16, 1, text)));
            }
            let seat = world.sessions_in(self.instance, id, Some(self.id));
            if database.access == Access::Single && !seat.is_empty() && !terminates(action) {
                let text = format!(
                    "Changes to the state or options of database '{name}' cannot be made at this time. The database is in single-user mode, and a user is currently connected to it."
                );
                return Err(Halt::one(SqlMessage::new(5064, 16, 1, text)));
            }
        }
        match action {
            Action::SetUserAccess { access, termination } => {
                let access = match access {
                    UserAccess::Single => Access::Single,
                    UserAccess::Restricted => Access::Restricted,
                    UserAccess::Multi => Access::Multi,
                };
                self.set_access(name, id, access, *termination, out).await
            }
            Action::SetAvailability { state: Availability::Emergency, .. } => {
                self.unknown_action(&format!("ALTER DATABASE {name} SET EMERGENCY"))
            }
            Action::SetAvailability { state, termination } => {
                self.set_availability(name, id, *state == Availability::Online, *termination, out).await
            }
            other => {
                if let Action::SetOption { option, termination } = other {
                    let broker = ["ENABLE_BROKER", "NEW_BROKER", "DISABLE_BROKER", "ERROR_BROKER_CONVERSATIONS"];
                    if broker.iter().any(|b| option.starts_with(b)) {
                        self.clear_for_a_moment(name, id, *termination, out).await?;
                    }
                }
                self.set_other(name, other)
            }
        }
    }

    /// Ends or awaits the other sessions for an option that needs the database alone; user access stays what it was.
    async fn clear_for_a_moment(
        &mut self,
        name: &str,
        id: u16,
        termination: Option<Termination>,
        out: &mut dyn Output,
    ) -> Outcome {
        let before = self.engine.world().instances[self.instance].database(name).map(|d| (d.access, d.single_user));
        self.clear_database(name, id, Access::Single, termination, out).await?;
        let mut world = self.engine.world();
        if let (Some(database), Some((access, owner))) = (world.database_mut(self.instance, name), before) {
            database.access = access;
            database.single_user = owner;
        }
        Ok(())
    }

    fn unknown_action(&self, text: &str) -> Outcome {
        Err(lab_tsql::SqlError::unknown(text).into())
    }

    async fn set_access(
        &mut self,
        name: &str,
        id: u16,
        access: Access,
        termination: Option<Termination>,
        out: &mut dyn Output,
    ) -> Outcome {
        if access == Access::Single {
            let world = self.engine.world();
            let mirrored = world.instances[self.instance].database(name).is_some_and(|d| d.mirroring.is_some());
            if mirrored {
                return Err(Halt::one(m::mirroring_forbids(name)));
            }
        }
        if access != Access::Multi {
            self.clear_database(name, id, access, termination, out).await?;
        }
        let mut world = self.engine.world();
        let inside = self.own_entry(&mut world).is_some_and(|e| e.database == id);
        let instance = world.instances[self.instance].name.clone();
        if let Some(database) = world.database_mut(self.instance, name) {
            database.access = access;
            database.single_user = (access == Access::Single && inside).then_some(self.id);
        }
        world.effect(&instance, "user_access", format!("{name} {access:?}"), &self.client.program);
        Ok(())
    }

    /// Ends or awaits the other sessions of a database. New ones are kept out meanwhile.
    async fn clear_database(
        &mut self,
        name: &str,
        id: u16,
        access: Access,
        termination: Option<Termination>,
        out: &mut dyn Output,
    ) -> Outcome {
        let others = self.engine.world().sessions_in(self.instance, id, Some(self.id));
        match termination {
            Some(Termination::NoWait) if !others.is_empty() => {
                let text =
                    format!("Database state cannot be changed while other users are using the database '{name}'");
                return Err(Halt::one(SqlMessage::new(5070, 16, 2, text)));
            }
            Some(Termination::RollbackAfterSeconds(seconds)) if !others.is_empty() => {
                self.await_empty(id, Some(Duration::from_secs(seconds.into()))).await?;
            }
            None if !others.is_empty() => {
                let limit = {
                    let mut world = self.engine.world();
                    self.own_entry(&mut world).map_or(-1, |e| e.lock_timeout)
                };
                let limit = u64::try_from(limit).ok().map(Duration::from_millis);
                if !self.await_empty(id, limit).await? {
                    let text = format!(
                        "ALTER DATABASE failed because a lock could not be placed on database '{name}'. Try again later."
                    );
                    return Err(Halt::one(SqlMessage::new(5061, 16, 1, text)));
                }
                return Ok(());
            }
            _ => {}
        }
        self.show_request("ALTER DATABASE", 0.0, Some(id));
        let mut door = Door::of(self, name);
        {
            let mut world = self.engine.world();
            let now = self.engine.clock().real_ms();
            if let Some(database) = world.database_mut(self.instance, name) {
                database.access = if access == Access::Restricted { Access::Restricted } else { Access::Single };
                database.single_user = Some(self.id);
            }
            let others = world.sessions_in(self.instance, id, Some(self.id));
            let instance = world.instances[self.instance].name.clone();
            for other in others {
                world.end_session(self.instance, other, now);
                world.effect(&instance, "session_ended", format!("{other} in {name}"), &self.client.program);
            }
        }
        let mut told = false;
        loop {
            let percent = {
                let mut world = self.engine.world();
                let now = self.engine.clock().real_ms();
                world.reap(self.instance, now);
                let left = world.sessions_in(self.instance, id, Some(self.id));
                match left.first().and_then(|s| world.instances[self.instance].sessions.get(s)) {
                    None => break,
                    Some(entry) => entry.rolled_back_percent(now),
                }
            };
            if !told || percent == 0 {
                told = true;
                let text = format!(
                    "Nonqualified transactions are being rolled back. Estimated rollback completion: {percent}%."
                );
                out.message(&SqlMessage::new(5060, 0, 1, text)).await;
            }
            if self.ended.is_set() {
                return Err(Halt::Killed);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        door.passed = true;
        if told {
            let text = "Nonqualified transactions are being rolled back. Estimated rollback completion: 100%.";
            out.message(&SqlMessage::new(5060, 0, 1, text)).await;
        }
        Ok(())
    }

    /// Waits until no other session is in the database; `false` when the limit came first.
    async fn await_empty(&self, id: u16, limit: Option<Duration>) -> Result<bool, Halt> {
        let started = std::time::Instant::now();
        loop {
            {
                let mut world = self.engine.world();
                world.reap(self.instance, self.engine.clock().real_ms());
                if world.sessions_in(self.instance, id, Some(self.id)).is_empty() {
                    return Ok(true);
                }
            }
            if limit.is_some_and(|l| started.elapsed() >= l) {
                return Ok(false);
            }
            if self.ended.is_set() {
                return Err(Halt::Killed);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn set_availability(
        &mut self,
        name: &str,
        id: u16,
        online: bool,
        termination: Option<Termination>,
        out: &mut dyn Output,
    ) -> Outcome {
        let mirrored =
            self.engine.world().instances[self.instance].database(name).is_some_and(|d| d.mirroring.is_some());
        if !online && mirrored {
            return Err(Halt::one(m::mirroring_forbids(name)));
        }
        if !online {
            self.clear_for_a_moment(name, id, termination, out).await?;
            let mut world = self.engine.world();
            // The own session is put out of the database as well.
            if let Some(entry) = self.own_entry(&mut world).filter(|e| e.database == id) {
                entry.database = 1;
            }
        }
        let mut world = self.engine.world();
        let instance = world.instances[self.instance].name.clone();
        if let Some(database) = world.database_mut(self.instance, name) {
            if online && database.state == State::Offline {
                database.state = State::Online;
            }
            if !online {
                database.state = State::Offline;
                database.single_user = None;
            }
        }
        world.effect(&instance, "database_state", format!("{name} online={online}"), &self.client.program);
        Ok(())
    }

    fn set_other(&mut self, name: &str, action: &Action) -> Outcome {
        let mut world = self.engine.world();
        let instance = world.instances[self.instance].name.clone();
        let program = self.client.program.clone();
        let Some(database) = world.database_mut(self.instance, name) else { return Ok(()) };
        let read_only = || {
            let text = format!("Database '{name}' is in warm standby. A warm-standby database is read-only.");
            Halt::one(SqlMessage::new(5063, 16, 1, text))
        };
        if database.is_standby() {
            return Err(read_only());
        }
        match action {
            Action::SetRecovery(model) => {
                if database.mirroring.is_some() {
                    return Err(Halt::one(m::mirroring_forbids(name)));
                }
                database.model = match model {
                    RecoveryModel::Full => Model::Full,
                    RecoveryModel::BulkLogged => Model::BulkLogged,
                    RecoveryModel::Simple => Model::Simple,
                };
                if database.model == Model::Simple {
                    database.full_backup = None;
                }
            }
            Action::ModifyName(_) if database.mirroring.is_some() => {
                let text = format!(
                    "Database '{name}' is enabled for database mirroring or has joined an availability group. The name of the database cannot be changed."
                );
                return Err(Halt::one(SqlMessage::new(957, 17, 1, text)));
            }
            Action::ModifyName(new) => database.name = new.clone(),
            Action::Collate(collation) => database.collation = collation.clone(),
            Action::SetOption { option, .. } => {
                let words: Vec<&str> = option.split([' ', '=']).filter(|w| !w.is_empty()).collect();
                match words.as_slice() {
                    ["READ_ONLY"] | ["READ_WRITE"] if database.mirroring.is_some() => {
                        return Err(Halt::one(m::mirroring_forbids(name)));
                    }
                    ["READ_ONLY"] => database.read_only = true,
                    ["READ_WRITE"] => database.read_only = false,
                    ["ENABLE_BROKER"] | ["NEW_BROKER"] => database.broker = true,
                    ["DISABLE_BROKER"] | ["ERROR_BROKER_CONVERSATIONS"] => database.broker = false,
                    ["TRUSTWORTHY", value] => database.trustworthy = *value == "ON",
                    ["DB_CHAINING", value] => database.chaining = *value == "ON",
                    ["AUTO_CLOSE", "ON"] if database.mirroring.is_some() => {
                        return Err(Halt::one(m::mirroring_forbids(name)));
                    }
                    ["AUTO_CLOSE", value] => database.auto_close = *value == "ON",
                    ["COMPATIBILITY_LEVEL", level] => database.compatibility = level.parse().unwrap_or(100),
                    ["AUTO_SHRINK" | "AUTO_UPDATE_STATISTICS" | "AUTO_CREATE_STATISTICS" | "PAGE_VERIFY", ..]
                    | ["ALLOW_SNAPSHOT_ISOLATION" | "READ_COMMITTED_SNAPSHOT" | "RECURSIVE_TRIGGERS", ..]
                    | ["ARITHABORT" | "ANSI_NULLS" | "QUOTED_IDENTIFIER" | "PARAMETERIZATION", ..] => {}
                    _ => {
                        drop(world);
                        return self.unknown_action(&format!("ALTER DATABASE {name} SET {option}"));
                    }
                }
            }
            _ => {}
        }
        world.effect(&instance, "database_option", format!("{name} {action:?}"), &program);
        Ok(())
    }

    /// KILL and KILL WITH STATUSONLY.
    ///
    /// # Errors
    /// 6101, 6102, 6104, 6106, 6107, 6115, 6120.
    pub(crate) async fn kill(&mut self, session: i64, status_only: bool, out: &mut dyn Output) -> Outcome {
        let refuse = |number, severity, text: String| Err(Halt::one(SqlMessage::new(number, severity, 1, text)));
        let report = {
            let mut world = self.engine.world();
            let now = self.engine.clock().real_ms();
            world.reap(self.instance, now);
            if !world.is_sysadmin(self.instance, &self.client.login) {
                return refuse(6102, 14, "User does not have permission to use the KILL statement.".into());
            }
            let Some(id) = u16::try_from(session).ok().filter(|id| *id > 0 && *id < 32768) else {
                return refuse(6101, 16, format!("Session ID {session} is not valid."));
            };
            if id == self.id {
                return refuse(6104, 16, "Cannot use KILL to kill your own process.".into());
            }
            if self.context.transaction_count > 0 {
                return refuse(6115, 16, "KILL command cannot be used inside user transactions.".into());
            }
            let instance = world.instances[self.instance].name.clone();
            let Some(entry) = world.instances[self.instance].sessions.get(&id).cloned() else {
                return refuse(6106, 16, format!("Process ID {session} is not an active process ID."));
            };
            if !entry.user_process {
                return refuse(6107, 14, "Only user processes can be killed.".into());
            }
            if status_only {
                match entry.rollback {
                    None => {
                        let text = format!(
                            "Status report cannot be obtained. Rollback operation for Process ID {id} is not in progress."
                        );
                        return refuse(6120, 16, text);
                    }
                    Some((_, end)) => Some(format!(
                        "SPID {id}: transaction rollback in progress. Estimated rollback completion: {}%. Estimated time remaining: {} seconds.",
                        entry.rolled_back_percent(now),
                        end.saturating_sub(now).div_ceil(1000)
                    )),
                }
            } else {
                if entry.rollback.is_none() {
                    world.end_session(self.instance, id, now);
                    let detail = format!("{id} {} killed", entry.client.program);
                    world.effect(&instance, "session_ended", detail, &self.client.program);
                }
                None
            }
        };
        if let Some(text) = report {
            out.message(&SqlMessage::new(6109, 0, 1, text)).await;
        }
        Ok(())
    }

    pub(crate) fn create_database(&mut self, name: &str) -> Outcome {
        let mut world = self.engine.world();
        if !world.is_sysadmin(self.instance, &self.client.login) {
            return Err(Halt::one(SqlMessage::new(
                262,
                14,
                1,
                "CREATE DATABASE permission denied in database 'master'.",
            )));
        }
        let inst = &world.instances[self.instance];
        if inst.database(name).is_some() {
            let text = format!("Database '{name}' already exists. Choose a different database name.");
            return Err(Halt::one(SqlMessage::new(1801, 16, 3, text)));
        }
        let id = (5..).find(|id| inst.databases.iter().all(|d| d.id != *id)).unwrap_or(5);
        let created = world.local_now();
        let version = world.instances[self.instance].version;
        let folder = world.instances[self.instance].data_folder();
        let collation = world.instances[self.instance].collation.clone();
        let mut database = Database::blank(id, name, &self.client.login, created, version);
        database.collation = collation;
        database.family = world.random.guid();
        database.guid = world.random.guid();
        database.log_end = Lsn::new(34, 100, 1);
        database.log_backup_start = database.log_end;
        database.forks = vec![Fork { id: world.random.guid(), start: Lsn::default() }];
        for (index, (suffix, extension, is_log)) in [("", "mdf", false), ("_log", "ldf", true)].into_iter().enumerate()
        {
            database.files.push(DataFile {
                id: index as i32 + 1,
                guid: world.random.guid(),
                logical: format!("{name}{suffix}"),
                physical: format!("{folder}\\{name}{suffix}.{extension}"),
                is_log,
                size_bytes: 4 << 20,
            });
        }
        world.place_files(self.instance, &database.files);
        let instance = world.instances[self.instance].name.clone();
        world.instances[self.instance].databases.push(database);
        world.effect(&instance, "database_created", name, &self.client.program);
        Ok(())
    }

    pub(crate) fn drop_database(&mut self, name: &str, if_exists: bool) -> Outcome {
        let mut world = self.engine.world();
        let inst = &world.instances[self.instance];
        let Some(database) = inst.database(name) else {
            if if_exists {
                return Ok(());
            }
            let text =
                format!("Cannot drop the database '{name}', because it does not exist or you do not have permission.");
            return Err(Halt::one(SqlMessage::new(3701, 11, 1, text)));
        };
        let refused = if database.system {
            Some((3708, format!("Cannot drop the database '{name}' because it is a system database.")))
        } else if database.mirroring.is_some() {
            Some((
                3743,
                format!(
                    "The database '{name}' is enabled for database mirroring. Database mirroring must be removed before you drop the database."
                ),
            ))
        } else if database.busy.is_some() || !world.sessions_in(self.instance, database.id, None).is_empty() {
            Some((3702, format!("Cannot drop database \"{name}\" because it is currently in use.")))
        } else if !world.is_sysadmin(self.instance, &self.client.login) {
            Some((
                3701,
                format!("Cannot drop the database '{name}', because it does not exist or you do not have permission."),
            ))
        } else {
            None
        };
        if let Some((number, text)) = refused {
            return Err(Halt::one(SqlMessage::new(number, 16, 1, text)));
        }
        let (id, files) = (database.id, database.files.clone());
        for file in &files {
            if let Some(real) = world.real_path(world.instances[self.instance].host, &file.physical) {
                // Only a stand-in for the data file.
                let _ = std::fs::remove_file(real);
            }
        }
        let instance = world.instances[self.instance].name.clone();
        world.instances[self.instance].databases.retain(|d| d.id != id);
        world.effect(&instance, "database_dropped", name, &self.client.program);
        Ok(())
    }
}

/// A door that was closed for a change which was then given up: user access is as before.
struct Door {
    engine: super::Engine,
    instance: usize,
    name: String,
    before: Option<(Access, Option<u16>)>,
    passed: bool,
}

impl Door {
    fn of(connection: &Connection, name: &str) -> Door {
        let world = connection.engine.world();
        let before = world.instances[connection.instance].database(name).map(|d| (d.access, d.single_user));
        drop(world);
        let (engine, instance) = (connection.engine.clone(), connection.instance);
        Door { engine, instance, name: name.to_owned(), before, passed: false }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        let Some((access, owner)) = self.before.filter(|_| !self.passed) else { return };
        if let Some(database) = self.engine.world().database_mut(self.instance, &self.name) {
            database.access = access;
            database.single_user = owner;
        }
    }
}

fn terminates(action: &Action) -> bool {
    let termination = match action {
        Action::SetUserAccess { termination, .. }
        | Action::SetAvailability { termination, .. }
        | Action::SetOption { termination, .. } => termination,
        _ => return false,
    };
    matches!(termination, Some(Termination::RollbackImmediate | Termination::RollbackAfterSeconds(_)))
}
