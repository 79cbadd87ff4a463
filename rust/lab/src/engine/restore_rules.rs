//! What a RESTORE may do to a database, decided on the state alone.

use super::backup_file::SetHeader;
use super::disk::{OsError, Who};
use super::error::SqlMessage;
use super::lsn::Lsn;
use super::messages as m;
use super::model::{Access, DataFile, Database, Fork, Model, Record, State, World};
use crate::scenario::Account;
use uuid::Uuid;

/// State in which a RESTORE leaves the database.
#[derive(Clone, Debug, PartialEq)]
pub enum Leave {
    Recovery,
    NoRecovery,
    /// With this undo file.
    Standby(String),
}

/// Options of a RESTORE that change a database.
#[derive(Clone, Debug)]
pub struct RestoreOptions {
    pub leave: Leave,
    pub replace: bool,
    pub restart: bool,
    pub restricted_user: bool,
    pub moves: Vec<(String, String)>,
    pub checksum: bool,
    pub continue_after_error: bool,
    pub keep_broker: bool,
}

/// Who restores.
#[derive(Clone, Debug)]
pub struct Restorer {
    pub instance: usize,
    pub session: u16,
    pub login: String,
    /// Id of the session's current database.
    pub current: u16,
}

impl World {
    /// Sessions or another operation that keep a RESTORE out.
    ///
    /// # Errors
    /// 3102 for the own session, 3101 for others.
    pub fn exclusive(&self, who: &Restorer, database: &Database, command: &str) -> Result<(), SqlMessage> {
        if who.current == database.id {
            return Err(m::in_use_by_this_session(command, &database.name));
        }
        let busy = database.busy.is_some_and(|(session, _)| session != who.session);
        if busy || !self.sessions_in(who.instance, database.id, None).is_empty() {
            return Err(m::in_use());
        }
        Ok(())
    }

    /// May this login restore over the database, or create it?
    ///
    /// # Errors
    /// 3110, or 262 when the database does not exist.
    pub fn may_restore(&self, who: &Restorer, database: &str) -> Result<(), SqlMessage> {
        if self.is_sysadmin(who.instance, &who.login) {
            return Ok(());
        }
        let inst = &self.instances[who.instance];
        match inst.database(database) {
            Some(found) if inst.same(&found.owner, &who.login) => Ok(()),
            Some(_) => Err(SqlMessage::new(
                3110,
                14,
                1,
                format!("User does not have permission to RESTORE database '{database}'."),
            )),
            None => Err(SqlMessage::new(262, 14, 1, "CREATE DATABASE permission denied in database 'master'.")),
        }
    }

    /// Checks a RESTORE LOG against the database. `Ok(false)`: it ends exactly at the redo point, nothing is to be done.
    ///
    /// # Errors
    /// 3118, 3104, 3117, 3101, 3102, 3135, 3154, 3169, 4319, 4326, 4330, 4305, 3180, 3187, 3185.
    pub fn check_log_restore(
        &self,
        who: &Restorer,
        name: &str,
        path: &str,
        set: &SetHeader,
        options: &RestoreOptions,
    ) -> Result<bool, SqlMessage> {
        let inst = &self.instances[who.instance];
        let database = inst.database(name).ok_or_else(|| m::no_such_database_to_restore(name))?;
        if database.mirroring.as_ref().is_some_and(|x| !x.waiting) {
            return Err(m::mirrored(&database.name, inst.version.major));
        }
        if database.is_recovered() || database.state == State::Offline {
            return Err(m::nothing_to_roll_forward());
        }
        if database.state == State::Suspect {
            return Err(SqlMessage::new(
                3185,
                16,
                1,
                "RESTORE cannot apply this backup set because the database is suspect. Restore a backup set that repairs the damage.",
            ));
        }
        self.exclusive(who, database, "RESTORE")?;
        if set.backup_type != 2 {
            return Err(m::wrong_backup_type(path, "BACKUP DATABASE"));
        }
        if set.family != database.family {
            return Err(m::other_database(&database.name));
        }
        check_version(set, inst.version)?;
        check_standby_upgrade(set, inst.version.database_version(), options)?;
        if options.checksum && !set.checksums {
            return Err(SqlMessage::new(
                3187,
                16,
                1,
                "RESTORE WITH CHECKSUM cannot be specified because the backup set does not contain checksum information.",
            ));
        }
        let (redo, fork) = database.redo().unwrap_or((database.log_end, database.fork_at(database.log_end)));
        if let Some((interrupted, file)) = &database.interrupted {
            if *interrupted != set.set_guid {
                return Err(m::interrupted(file));
            }
        }
        if set.last_lsn < redo {
            return Err(m::too_early(set.last_lsn, redo));
        }
        if !fork_fits(set, redo, fork) {
            return Err(m::other_recovery_path());
        }
        if set.first_lsn > redo {
            return Err(m::too_recent(set.first_lsn, redo));
        }
        Ok(set.last_lsn > redo)
    }

    /// Checks a RESTORE DATABASE from a full backup and places its files.
    ///
    /// # Errors
    /// 3104, 3101, 3102, 3135, 3154, 3159, 3169, 3234, 5133 with 3156, 1834, 3257, 3180.
    pub fn check_database_restore(
        &self,
        who: &Restorer,
        name: &str,
        path: &str,
        set: &SetHeader,
        options: &RestoreOptions,
    ) -> Result<Vec<DataFile>, Vec<SqlMessage>> {
        let inst = &self.instances[who.instance];
        let existing = inst.database(name);
        let one = |message| vec![message];
        if let Some(database) = existing {
            if database.system {
                return Err(one(SqlMessage::new(
                    3112,
                    16,
                    1,
                    "Cannot restore any database other than master when the server is in single user mode.",
                )));
            }
            if database.mirroring.as_ref().is_some_and(|x| !x.waiting) {
                return Err(one(m::mirrored(&database.name, inst.version.major)));
            }
            self.exclusive(who, database, "RESTORE").map_err(one)?;
        }
        if set.backup_type != 1 {
            return Err(one(m::wrong_backup_type(path, "BACKUP LOG")));
        }
        check_version(set, inst.version).map_err(one)?;
        check_standby_upgrade(set, inst.version.database_version(), options).map_err(one)?;
        if let Some(database) = existing {
            if !options.replace && set.family != database.family {
                return Err(one(m::other_database(&database.name)));
            }
            let tail = database.log_end > database.log_backup_start;
            if !options.replace && database.is_recovered() && database.model != Model::Simple && tail {
                return Err(one(m::tail_not_backed_up(&database.name)));
            }
        }
        for (logical, _) in &options.moves {
            if !set.files.iter().any(|f| inst.same(&f.logical, logical)) {
                return Err(one(SqlMessage::new(
                    3234,
                    16,
                    1,
                    format!(
                        "Logical file '{logical}' is not part of database '{name}'. Use RESTORE FILELISTONLY to list the logical file names."
                    ),
                )));
            }
        }
        let mut files = set.files.clone();
        for file in &mut files {
            if let Some((_, target)) = options.moves.iter().find(|(l, _)| inst.same(l, &file.logical)) {
                file.physical = target.clone();
            }
            self.check_file(who, existing.map(|d| d.id), file)?;
        }
        Ok(files)
    }

    fn check_file(&self, who: &Restorer, own: Option<u16>, file: &DataFile) -> Result<(), Vec<SqlMessage>> {
        let inst = &self.instances[who.instance];
        let account = Who { instance: who.instance, account: Account::Service };
        let refused = match self.resolve(account, &file.physical, true) {
            Ok(real) if real.parent().is_some_and(|p| p.is_dir()) => None,
            Ok(_) => Some(OsError(3)),
            Err(error) => Some(error),
        };
        let not_here = SqlMessage::new(
            3156,
            16,
            3,
            format!(
                "File '{}' cannot be restored to '{}'. Use WITH MOVE to identify a valid location for the file.",
                file.logical, file.physical
            ),
        );
        if let Some(error) = refused {
            let lookup = SqlMessage::new(
                5133,
                16,
                1,
                format!(
                    "Directory lookup for the file \"{}\" failed with the operating system error {}.",
                    file.physical,
                    error.text()
                ),
            );
            let planning = SqlMessage::new(
                3119,
                16,
                1,
                "Problems were identified while planning for the RESTORE statement. Previous messages provide details.",
            );
            return Err(vec![lookup, not_here, planning]);
        }
        let taken = inst
            .databases
            .iter()
            .any(|d| Some(d.id) != own && d.files.iter().any(|f| f.physical.eq_ignore_ascii_case(&file.physical)));
        if taken {
            let overwrite = SqlMessage::new(
                1834,
                16,
                1,
                format!("The file '{}' cannot be overwritten.  It is being used by another database.", file.physical),
            );
            return Err(vec![overwrite, not_here]);
        }
        let free = self.free_bytes(who.instance, &file.physical);
        if free < file.size_bytes {
            let volume: String = file.physical.chars().take(3).collect();
            return Err(vec![SqlMessage::new(
                3257,
                16,
                1,
                format!(
                    "There is insufficient free space on disk volume '{volume}' to create the database. The database requires {} additional free bytes, while only {free} bytes are available.",
                    file.size_bytes
                ),
            )]);
        }
        Ok(())
    }

    /// Puts the content of a full backup in place; the database is RESTORING afterwards. Returns its id.
    pub fn apply_full(
        &mut self,
        who: &Restorer,
        name: &str,
        set: &SetHeader,
        records: Vec<Record>,
        files: Vec<DataFile>,
    ) -> u16 {
        let guid = self.random.guid();
        let created = self.local_now();
        let inst = &mut self.instances[who.instance];
        let at = match inst.find_database(name) {
            Some(at) => at,
            None => {
                let id = (5..).find(|id| inst.databases.iter().all(|d| d.id != *id)).unwrap_or(5);
                inst.databases.push(Database::blank(id, name, &who.login, created, inst.version));
                inst.databases.len() - 1
            }
        };
        let database = &mut inst.databases[at];
        database.family = set.family;
        database.guid = guid;
        database.collation = set.collation.clone();
        database.compatibility = set.compatibility.max(if inst.version.major >= 11 { 90 } else { 80 });
        database.internal_version = set.internal_version;
        database.state = State::Restoring;
        database.read_only = set.read_only;
        database.standby = None;
        database.model = match set.recovery_model.as_str() {
            "SIMPLE" => Model::Simple,
            "BULK-LOGGED" => Model::BulkLogged,
            _ => Model::Full,
        };
        database.forks = set.forks.clone();
        database.records = records;
        database.log_end = set.last_lsn;
        database.log_backup_start = set.last_lsn;
        database.full_backup = Some(set.checkpoint_lsn);
        database.begins_chain = false;
        database.log_used_bytes = 0;
        database.log_restored = false;
        database.interrupted = None;
        database.files = files;
        database.users = set.users.clone();
        database.chat = set.chat;
        database.take_access(set);
        database.mirroring = None;
        database.broker = false;
        database.trustworthy = false;
        database.chaining = false;
        database.id
    }

    /// Rolls a log backup forward.
    pub fn apply_log(&mut self, instance: usize, database: u16, set: &SetHeader, records: Vec<Record>) {
        let Some(database) = self.instances[instance].databases.iter_mut().find(|d| d.id == database) else { return };
        let redo = database.log_end;
        database.records.extend(records.into_iter().filter(|r| r.lsn >= redo));
        database.log_end = database.log_end.max(set.last_lsn);
        database.log_backup_start = database.log_end;
        database.forks = set.forks.clone();
        database.users = set.users.clone();
        database.log_restored = true;
        database.interrupted = None;
        database.state = State::Restoring;
        database.standby = None;
        database.read_only = false;
        database.take_access(set);
    }

    /// Brings a database online for good: a new recovery fork begins.
    pub fn recover(&mut self, instance: usize, database: u16, keep_broker: bool) {
        let fork = self.random.guid();
        let needs_full = self.full_backup_after_recovery;
        let inst = &mut self.instances[instance];
        let version = inst.version.database_version();
        let Some(database) = inst.databases.iter_mut().find(|d| d.id == database) else { return };
        database.forks.push(Fork { id: fork, start: database.log_end });
        database.log_backup_start = database.log_end;
        database.log_end = database.log_end.advance(3);
        database.state = State::Online;
        database.standby = None;
        database.read_only = false;
        database.internal_version = version;
        database.interrupted = None;
        database.busy = None;
        if !keep_broker {
            database.broker = false;
        }
        if needs_full {
            database.full_backup = None;
        }
    }
}

/// The fork rule: a log without a fork point has to be of the database's fork; one with a fork point has to begin on
/// it below the point, to end on it above, and either at the point itself.
pub fn fork_fits(set: &SetHeader, redo: Lsn, fork: Uuid) -> bool {
    match set.fork_point {
        None => set.last_fork == fork,
        Some(point) if redo < point => set.first_fork == fork,
        Some(point) if redo > point => set.last_fork == fork,
        Some(_) => set.first_fork == fork || set.last_fork == fork,
    }
}

fn check_version(set: &SetHeader, server: super::model::Version) -> Result<(), SqlMessage> {
    if set.internal_version > server.database_version() {
        let (major, minor, build) = set.version;
        return Err(m::newer_version(&format!("{major}.{minor:02}.{build:04}"), &server.text()));
    }
    Ok(())
}

fn check_standby_upgrade(set: &SetHeader, server: i32, options: &RestoreOptions) -> Result<(), SqlMessage> {
    if matches!(options.leave, Leave::Standby(_)) && set.internal_version < server {
        return Err(SqlMessage::new(
            3180,
            16,
            1,
            "This backup cannot be restored using WITH STANDBY because a database upgrade is needed. Reissue the RESTORE without WITH STANDBY.",
        ));
    }
    Ok(())
}

impl Database {
    /// Single user mode comes with the backup that was taken in it, and no restore ends it.
    fn take_access(&mut self, set: &SetHeader) {
        if set.single_user {
            self.access = Access::Single;
            self.single_user = None;
        }
    }

    /// A database without content, ONLINE.
    pub fn blank(
        id: u16,
        name: &str,
        owner: &str,
        created: chrono::NaiveDateTime,
        version: super::model::Version,
    ) -> Database {
        Database {
            id,
            name: name.to_owned(),
            family: Uuid::nil(),
            guid: Uuid::nil(),
            created,
            owner: owner.to_owned(),
            collation: "SQL_Latin1_General_CP1_CI_AS".into(),
            compatibility: version.compatibility(),
            internal_version: version.database_version(),
            state: State::Online,
            read_only: false,
            standby: None,
            access: Access::Multi,
            single_user: None,
            model: Model::Full,
            broker: false,
            trustworthy: false,
            chaining: false,
            auto_close: false,
            forks: Vec::new(),
            records: Vec::new(),
            log_end: Lsn::default(),
            log_backup_start: Lsn::default(),
            full_backup: None,
            begins_chain: true,
            log_used_bytes: 0,
            log_restored: false,
            interrupted: None,
            busy: None,
            mirroring: None,
            files: Vec::new(),
            users: Vec::new(),
            chat: false,
            system: false,
        }
    }
}
