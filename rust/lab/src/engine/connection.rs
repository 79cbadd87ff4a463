//! A session that runs batches: over TDS, for a job step, or in process.

use super::error::SqlMessage;
use super::execute::Control;
use super::messages as m;
use super::session::{ClientInfo, Closer, Ended, SessionEntry};
use super::Engine;
use crate::engine::catalog::Catalog;
use crate::engine::model::ClientEntry;
use lab_tsql::{Context, ResultSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// Where the answer of a batch goes, piece by piece.
#[tds_server::async_trait]
pub trait Output: Send {
    /// A whole result set.
    async fn rows(&mut self, set: ResultSet);
    /// A statement without one ended.
    async fn done(&mut self, affected: Option<u64>);
    /// An error, or information when its severity is 10 or below; progress has to reach the client at once.
    async fn message(&mut self, message: &SqlMessage);
    /// The current database changed.
    async fn database(&mut self, name: &str);
    /// A procedure is entered (`None`) or left with its return status.
    async fn procedure(&mut self, status: Option<i32>);
}

/// An answer kept in memory.
#[derive(Debug, Default, Clone)]
pub struct Collected {
    pub sets: Vec<ResultSet>,
    pub messages: Vec<SqlMessage>,
}

impl Collected {
    /// The first error, severity 11 and above.
    pub fn first_error(&self) -> Option<&SqlMessage> {
        self.messages.iter().find(|m| m.severity > 10)
    }

    /// The first value of the first row of the first result set.
    pub fn scalar(&self) -> Option<&lab_tsql::Value> {
        self.sets.first()?.rows.first()?.first()
    }
}

#[tds_server::async_trait]
impl Output for Collected {
    async fn rows(&mut self, set: ResultSet) {
        self.sets.push(set);
    }
    async fn done(&mut self, _affected: Option<u64>) {}
    async fn message(&mut self, message: &SqlMessage) {
        self.messages.push(message.clone());
    }
    async fn database(&mut self, _name: &str) {}
    async fn procedure(&mut self, _status: Option<i32>) {}
}

/// What becomes of a connection after a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    Continue,
    /// Closed in good order: an error of severity 20 and above was sent.
    Close,
    /// Torn down without an answer: a fault.
    Abort,
}

/// A session of an instance. Dropping it logs off.
pub struct Connection {
    pub(crate) engine: Engine,
    pub(crate) instance: usize,
    pub(crate) id: u16,
    pub(crate) ended: Arc<Ended>,
    pub(crate) context: Context,
    pub(crate) client: ClientInfo,
    pub(crate) english: bool,
    pub(crate) no_count: bool,
    pub(crate) implicit_transactions: bool,
    pub(crate) date_first: u8,
    /// Error that a CATCH block handles.
    pub(crate) caught: Option<SqlMessage>,
    pub(crate) nesting: u32,
}

impl Connection {
    /// Logs in without looking at a password. An empty `database` is master.
    ///
    /// # Errors
    /// 4060 or 18456.
    pub fn open(
        engine: &Engine,
        instance: usize,
        database: &str,
        client: ClientInfo,
    ) -> Result<Connection, SqlMessage> {
        let mut world = engine.world();
        let now_ms = engine.clock().real_ms();
        world.reap(instance, now_ms);
        let name = if database.is_empty() { "master" } else { database };
        let refused = || {
            SqlMessage::new(
                4060,
                11,
                1,
                format!("Cannot open database \"{name}\" requested by the login. The login failed."),
            )
        };
        if world.instances[instance].login(&client.login).is_none() {
            return Err(SqlMessage::new(18456, 14, 1, format!("Login failed for user '{}'.", client.login)));
        }
        let id = world.free_session_id(instance);
        let (database_id, database_name) = {
            let found = world.instances[instance].database(name).ok_or_else(refused)?;
            if world.bar(instance, found, id, &client.login).is_some() {
                return Err(refused());
            }
            (found.id, found.name.clone())
        };
        let sysadmin = world.is_sysadmin(instance, &client.login);
        let now = world.clock.now();
        let inst = &mut world.instances[instance];
        let ended = Arc::new(Ended::default());
        let language = inst.language.clone();
        let binary = inst.is_binary();
        inst.sessions.insert(
            id,
            SessionEntry {
                client: client.clone(),
                login_time: now,
                last_batch: now,
                database: database_id,
                request: None,
                transactions: 0,
                ended: Arc::clone(&ended),
                rollback: None,
                user_process: true,
                language: language.clone(),
                lock_timeout: -1,
                sysadmin,
                view_all: sysadmin,
                closer: None,
                caught: None,
            },
        );
        if let Some(found) = inst.databases.iter_mut().find(|d| d.id == database_id) {
            if found.access == super::model::Access::Single {
                found.single_user = Some(id);
            }
        }
        let instance_name = inst.name.clone();
        if !matches!(database_name.as_str(), "master" | "msdb" | "tempdb" | "model") {
            world.entries.push(ClientEntry {
                at_utc: now,
                instance: instance_name,
                database: database_name.clone(),
                program: client.program.clone(),
            });
        }
        let offset = world.utc_offset_minutes;
        drop(world);
        let catalog = Arc::new(Catalog::new(engine.clone(), instance, id, client.login.clone()));
        let mut context = Context::new(catalog, database_name);
        context.now_utc = now.naive_utc();
        context.local_offset_minutes = offset;
        if binary {
            context.collation = lab_tsql::Collation::Binary;
        }
        let english = !is_french(&language);
        if !english {
            context.date_format = lab_tsql::DateFormat::Dmy;
        }
        Ok(Connection {
            engine: engine.clone(),
            instance,
            id,
            ended,
            context,
            client,
            english,
            no_count: false,
            implicit_transactions: false,
            date_first: 7,
            caught: None,
            nesting: 0,
        })
    }

    /// The session id.
    pub fn id(&self) -> u16 {
        self.id
    }

    /// Name of the current database.
    pub fn database(&self) -> &str {
        &self.context.database
    }

    /// True when the session was ended by KILL or ALTER DATABASE.
    pub fn is_ended(&self) -> bool {
        self.ended.is_set()
    }

    /// Waits until the session is ended by somebody else.
    pub async fn wait_ended(&self) {
        self.ended.wait().await;
    }

    /// How to end the connection behind this session.
    pub fn set_closer(&self, closer: Closer) {
        let mut world = self.engine.world();
        if let Some(entry) = world.instances[self.instance].sessions.get_mut(&self.id) {
            entry.closer = Some(closer);
        }
    }

    /// Runs a batch.
    pub async fn batch(&mut self, text: &str, out: &mut dyn Output) -> After {
        if self.ended.is_set() {
            out.message(&killed()).await;
            return After::Close;
        }
        self.touch();
        self.take_down(text, &[]);
        let statements = match lab_tsql::parse_batch(text) {
            Ok(statements) => statements,
            Err(error) => {
                self.note_unknown(&error, text);
                let message = self.translate(from_sql_error(&error));
                out.message(&message).await;
                return After::Continue;
            }
        };
        let control = self.run(&statements, out).await;
        self.context.variables = lab_tsql::Variables::default();
        self.set_request(None);
        match control {
            Control::Killed => {
                out.message(&killed()).await;
                After::Close
            }
            Control::Cut => After::Abort,
            Control::Fatal => After::Close,
            _ => After::Continue,
        }
    }

    /// Undoes what the session changed, as a connection pool's reset asks.
    pub fn reset(&mut self, database: &str) {
        let offset = self.context.local_offset_minutes;
        let tables = Arc::clone(&self.context.tables);
        let collation = self.context.collation;
        let mut context = Context::new(tables, database);
        context.local_offset_minutes = offset;
        context.collation = collation;
        self.context = context;
        let language = self.engine.world().instances[self.instance].language.clone();
        self.english = !is_french(&language);
        let mut world = self.engine.world();
        let inst = &mut world.instances[self.instance];
        inst.app_locks.retain(|l| l.session != self.id);
        let id = inst.database(database).map(|d| d.id);
        if let (Some(id), Some(entry)) = (id, inst.sessions.get_mut(&self.id)) {
            entry.database = id;
            entry.transactions = 0;
        }
    }

    /// Refreshes the session's row and the clock of its expressions.
    pub(crate) fn touch(&mut self) {
        let mut world = self.engine.world();
        world.reap(self.instance, self.engine.clock().real_ms());
        let now = world.clock.now();
        self.context.now_utc = now.naive_utc();
        let sysadmin = world.is_sysadmin(self.instance, &self.client.login);
        if let Some(entry) = world.instances[self.instance].sessions.get_mut(&self.id) {
            entry.last_batch = now;
            entry.sysadmin = sysadmin;
            entry.view_all = sysadmin;
            entry.transactions = self.context.transaction_count;
        }
    }

    /// Takes down what was sent, where somebody asked for it.
    pub(crate) fn take_down(&self, text: &str, parameters: &[(String, lab_tsql::SqlType)]) {
        let mut world = self.engine.world();
        let world = &mut *world;
        if let Some(recording) = &mut world.recording {
            recording.take(&world.instances[self.instance].name, &self.client.program, text, parameters);
        }
    }

    /// Shows what the session is doing.
    pub(crate) fn set_request(&self, request: Option<super::session::Request>) {
        let mut world = self.engine.world();
        if let Some(entry) = self.own_entry(&mut world) {
            entry.request = request;
        }
    }

    /// The session's own row, unless its id was given to another one already.
    pub(crate) fn own_entry<'a>(&self, world: &'a mut super::model::World) -> Option<&'a mut SessionEntry> {
        let entry = world.instances[self.instance].sessions.get_mut(&self.id)?;
        Arc::ptr_eq(&entry.ended, &self.ended).then_some(entry)
    }

    /// Counts T-SQL that the lab does not know.
    pub(crate) fn note_unknown(&self, error: &lab_tsql::SqlError, text: &str) {
        if error.is_unknown() {
            self.count_unknown(text, &error.message);
        }
    }

    /// Counts T-SQL that the lab does not know.
    pub(crate) fn count_unknown(&self, text: &str, error: &str) {
        let mut world = self.engine.world();
        let entry = super::model::UnknownStatement {
            at_utc: world.clock.now(),
            instance: world.instances[self.instance].name.clone(),
            text: text.chars().take(2000).collect(),
            error: error.to_owned(),
        };
        world.unknown.push(entry);
    }

    /// Makes `name` the current database.
    ///
    /// # Errors
    /// 911, 916, 924, 927 and the like.
    pub(crate) fn enter(&mut self, name: &str) -> Result<String, SqlMessage> {
        let mut world = self.engine.world();
        let inst = &world.instances[self.instance];
        let found = inst.database(name).ok_or_else(|| m::no_such_database(name))?;
        if let Some(refusal) = world.bar(self.instance, found, self.id, &self.client.login) {
            return Err(refusal);
        }
        let (id, name) = (found.id, found.name.clone());
        let single = found.access == super::model::Access::Single;
        let inst = &mut world.instances[self.instance];
        for database in &mut inst.databases {
            if database.single_user == Some(self.id) && database.id != id {
                database.single_user = None;
            }
            if database.id == id && single {
                database.single_user = Some(self.id);
            }
        }
        if let Some(entry) = inst.sessions.get_mut(&self.id) {
            entry.database = id;
        }
        drop(world);
        self.context.database = name.clone();
        Ok(name)
    }

    /// Boxes the run of statements, which may contain itself.
    pub(crate) fn run<'a>(
        &'a mut self,
        statements: &'a [lab_tsql::ast::Statement],
        out: &'a mut dyn Output,
    ) -> Pin<Box<dyn Future<Output = Control> + Send + 'a>> {
        Box::pin(self.run_statements(statements, out))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut world = self.engine.world();
        let instance = self.instance;
        let Some(entry) = self.own_entry(&mut world) else { return };
        entry.request = None;
        if entry.rollback.is_none() {
            world.forget(instance, self.id);
        }
    }
}

/// 596.
pub fn killed() -> SqlMessage {
    SqlMessage::new(596, 21, 1, "Cannot continue the execution because the session is in the kill state.")
}

/// True for the French login language under any of its names.
pub fn is_french(language: &str) -> bool {
    matches!(language.to_lowercase().as_str(), "french" | "français" | "francais")
}

/// An error of the parser or the SELECT engine as a message.
pub fn from_sql_error(error: &lab_tsql::SqlError) -> SqlMessage {
    let mut message = SqlMessage::new(error.number, error.severity, error.state, error.message.clone());
    message.line = error.line.max(1);
    message
}
