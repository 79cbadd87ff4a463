//! The tables, views and functions of an instance, built from the state when they are read.

pub mod columns;
mod databases;
mod functions;
mod history;
mod jobs;
mod mirroring;
mod server;
pub mod sessions;
mod shipping;
mod user;

pub use shipping::shipping_tables;

use super::error::SqlMessage;
use super::model::{Instance, World};
use super::Engine;
use lab_tsql::{SqlError, SqlType, TableDef, Tables, Value};
use std::sync::{Arc, Weak};

/// What a session sees of its instance.
pub struct Catalog {
    // The session's context holds the catalog, and the lab may hold the session: no owning circle.
    engine: Weak<super::Inner>,
    instance: usize,
    session: u16,
    login: String,
}

/// What a view is built for.
pub struct View<'a> {
    pub world: &'a World,
    pub instance: usize,
    pub session: u16,
    pub login: &'a str,
    /// Id of the database it is read in.
    pub database: u16,
}

impl View<'_> {
    /// The instance.
    pub fn inst(&self) -> &Instance {
        &self.world.instances[self.instance]
    }

    /// May the login see other sessions?
    pub fn sees_all(&self) -> bool {
        self.world.is_sysadmin(self.instance, self.login)
    }
}

pub(super) fn sql_error(message: &SqlMessage) -> SqlError {
    SqlError::new(message.number, message.severity, message.message.clone()).with_state(message.state)
}

impl Catalog {
    /// The catalog for one session.
    pub fn new(engine: Engine, instance: usize, session: u16, login: String) -> Self {
        Catalog { engine: Arc::downgrade(&engine.0), instance, session, login }
    }

    fn with<T>(&self, database: &str, read: impl FnOnce(&View) -> Result<T, SqlError>) -> Result<T, SqlError> {
        let Some(inner) = self.engine.upgrade() else {
            return Err(SqlError::new(
                17188,
                16,
                "SQL Server cannot accept new connections, because it is shutting down.",
            ));
        };
        let engine = Engine(inner);
        let mut world = engine.world();
        world.reap(self.instance, engine.clock().real_ms());
        let inst = &world.instances[self.instance];
        let Some(found) = inst.database(database) else {
            return Err(sql_error(&super::messages::no_such_database(database)));
        };
        let own = inst.sessions.get(&self.session).is_some_and(|s| s.database == found.id);
        if !found.system && !own {
            if let Some(refusal) = world.bar(self.instance, found, self.session, &self.login) {
                return Err(sql_error(&refusal));
            }
        }
        let view = View {
            world: &world,
            instance: self.instance,
            session: self.session,
            login: &self.login,
            database: found.id,
        };
        read(&view)
    }

    fn find(view: &View, database: &str, schema: &str, name: &str) -> Result<Option<Arc<TableDef>>, SqlError> {
        let inst = view.inst();
        let lower = name.to_lowercase();
        let exact = !inst.is_binary() || lower == name;
        let schema = schema.to_lowercase();
        if exact {
            let system = matches!(schema.as_str(), "sys" | "" | "dbo");
            if system {
                if schema == "sys" || lower.starts_with("sys") {
                    if let Some(found) = Self::system(view, &lower)? {
                        return Ok(Some(found));
                    }
                }
                if database.eq_ignore_ascii_case("msdb") && schema != "sys" {
                    let found = shipping::table(view, &lower)
                        .or_else(|| jobs::table(view, &lower))
                        .or_else(|| history::table(view, &lower));
                    if found.is_some() {
                        return Ok(found);
                    }
                }
            }
            if schema == "information_schema" {
                return Ok(user::information_schema(view, &lower));
            }
        }
        Ok(user::table(view, &schema, name))
    }

    fn system(view: &View, name: &str) -> Result<Option<Arc<TableDef>>, SqlError> {
        if let Some(found) = sessions::table(view, name)? {
            return Ok(Some(found));
        }
        Ok(databases::table(view, name)
            .or_else(|| mirroring::table(view, name))
            .or_else(|| server::table(view, name))
            .or_else(|| user::system(view, name)))
    }
}

impl Tables for Catalog {
    fn table(&self, database: &str, schema: &str, name: &str) -> Result<Option<Arc<TableDef>>, SqlError> {
        self.with(database, |view| Self::find(view, database, schema, name))
    }

    fn table_function(
        &self,
        database: &str,
        _schema: &str,
        name: &str,
        arguments: &[Value],
    ) -> Result<Option<Arc<TableDef>>, SqlError> {
        self.with(database, |view| Ok(functions::table_function(view, &name.to_lowercase(), arguments)))
    }

    fn function_type(&self, name: &str) -> Option<SqlType> {
        functions::function_type(name)
    }

    fn function(&self, database: &str, name: &str, arguments: &[Value]) -> Option<Result<Value, SqlError>> {
        let engine = Engine(self.engine.upgrade()?);
        let world = engine.world();
        let inst = &world.instances[self.instance];
        let id = inst.database(database).map_or(1, |d| d.id);
        let view =
            View { world: &world, instance: self.instance, session: self.session, login: &self.login, database: id };
        functions::call(&view, name, arguments).map(Ok)
    }
}
