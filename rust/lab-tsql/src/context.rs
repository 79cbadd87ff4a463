//! What a statement is evaluated against: tables, variables, session settings.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{NaiveDateTime, Utc};

use crate::error::SqlError;
use crate::types::SqlType;
use crate::value::Value;

/// A column of a table or of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnDef {
    pub name: String,
    pub data_type: SqlType,
    pub nullable: bool,
}

impl ColumnDef {
    /// A column that may be NULL.
    pub fn new(name: impl Into<String>, data_type: SqlType) -> Self {
        ColumnDef { name: name.into(), data_type, nullable: true }
    }

    /// A column that is never NULL.
    pub fn not_null(name: impl Into<String>, data_type: SqlType) -> Self {
        ColumnDef { nullable: false, ..ColumnDef::new(name, data_type) }
    }
}

/// A table with its rows; each row has one value a column, of the column's type or one that converts to it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TableDef {
    pub columns: Vec<ColumnDef>,
    pub rows: Vec<Vec<Value>>,
}

/// What a SELECT returns.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ResultSet {
    pub columns: Vec<ColumnDef>,
    pub rows: Vec<Vec<Value>>,
    /// False for `SELECT @x = ...`: the variables are set, nothing goes to the client.
    pub returns_rows: bool,
}

/// The tables and functions of an instance, handed in by the engine.
///
/// Names arrive as written; compare them without case unless the instance has a binary collation and the
/// object is a user's. `database` is the current database when the statement names none; `schema` is empty then
/// too (`dbo`, or `sys` for what the server itself offers).
pub trait Tables: Send + Sync {
    /// A table or view.
    ///
    /// # Errors
    /// What the server says instead of opening the database, e.g. 911, 916, 927, 300. `Ok(None)` becomes 208.
    fn table(&self, database: &str, schema: &str, name: &str) -> Result<Option<Arc<TableDef>>, SqlError>;

    /// A table function in FROM, e.g. `sys.dm_os_volume_stats(1, 1)`. `Ok(None)` becomes 208.
    fn table_function(
        &self,
        database: &str,
        schema: &str,
        name: &str,
        arguments: &[Value],
    ) -> Result<Option<Arc<TableDef>>, SqlError>;

    /// The type of a scalar function or `@@` name that the engine offers beyond the ones known here
    /// (see `server_function_type`). `name` is upper case, without schema.
    fn function_type(&self, name: &str) -> Option<SqlType> {
        let _ = name;
        None
    }

    /// Calls a scalar function of the server: SERVERPROPERTY, DB_ID, `@@SPID` and the like. `name` is upper case,
    /// `database` the current database. `None`: there is no such function (195).
    fn function(&self, database: &str, name: &str, arguments: &[Value]) -> Option<Result<Value, SqlError>>;
}

/// How strings and user names compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Collation {
    /// Upper and lower case are equal (SQL_Latin1_General_CP1_CI_AS).
    #[default]
    CaseInsensitive,
    /// By code point (Latin1_General_BIN2); variables, object and column names are case-sensitive.
    Binary,
}

/// Order of day, month and year in a date literal, from the login's language or SET DATEFORMAT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DateFormat {
    /// us_english.
    #[default]
    Mdy,
    /// French, German, British and most others.
    Dmy,
    Ymd,
}

/// A declared variable or parameter: its type and present value.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    pub data_type: SqlType,
    pub value: Value,
}

/// The variables of a batch, parameters included. Names carry their `@`.
#[derive(Debug, Clone, Default)]
pub struct Variables {
    map: HashMap<String, (String, Variable)>,
    tables: HashMap<String, TableDef>,
}

impl Variables {
    /// Declares `name` (`@x`) with a value of `data_type`; NULL when none is given in T-SQL.
    pub fn declare(&mut self, name: &str, data_type: SqlType, value: Value) {
        let variable = Variable { data_type, value };
        self.map.insert(name.to_lowercase(), (name.to_string(), variable));
    }

    /// Declares a table variable, empty.
    pub fn declare_table(&mut self, name: &str, columns: Vec<ColumnDef>) {
        self.tables.insert(name.to_lowercase(), TableDef { columns, rows: Vec::new() });
    }

    pub fn get(&self, name: &str) -> Option<&Variable> {
        self.map.get(&name.to_lowercase()).map(|(_, found)| found)
    }

    /// True when the declaration wrote the name in the same case.
    pub(crate) fn is_declared_as(&self, name: &str) -> bool {
        self.map.get(&name.to_lowercase()).is_some_and(|(declared, _)| declared == name)
    }

    pub fn table(&self, name: &str) -> Option<&TableDef> {
        self.tables.get(&name.to_lowercase())
    }

    pub fn table_mut(&mut self, name: &str) -> Option<&mut TableDef> {
        self.tables.get_mut(&name.to_lowercase())
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut Variable> {
        self.map.get_mut(&name.to_lowercase()).map(|(_, found)| found)
    }
}

/// The temporary tables (`#t`) of a session, shared by its nested batches.
#[derive(Debug, Clone, Default)]
pub struct TempTables(Arc<Mutex<HashMap<String, TableDef>>>);

impl TempTables {
    pub(crate) fn lock(&self) -> MutexGuard<'_, HashMap<String, TableDef>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Creates `#name`.
    ///
    /// # Errors
    /// 2714 when it exists.
    pub fn create(&self, name: &str, columns: Vec<ColumnDef>) -> Result<(), SqlError> {
        let mut map = self.lock();
        let key = name.to_lowercase();
        if map.contains_key(&key) {
            return Err(SqlError::new(2714, 16, format!("There is already an object named '{name}' in the database."))
                .with_state(6));
        }
        map.insert(key, TableDef { columns, rows: Vec::new() });
        Ok(())
    }

    /// Removes `#name`.
    ///
    /// # Errors
    /// 3701 when there is none.
    pub fn drop_table(&self, name: &str) -> Result<(), SqlError> {
        match self.lock().remove(&name.to_lowercase()) {
            Some(_) => Ok(()),
            None => Err(SqlError::new(
                3701,
                11,
                format!("Cannot drop the table '{name}', because it does not exist or you do not have permission."),
            )
            .with_state(5)),
        }
    }
}

/// The state a statement sees: one for each session, `nested` for each procedure or `sp_executesql`.
#[derive(Clone)]
pub struct Context {
    pub tables: Arc<dyn Tables>,
    /// Current database.
    pub database: String,
    pub variables: Variables,
    pub temp_tables: TempTables,
    /// The instance's clock: UTC, and what `GETDATE` adds to it.
    pub now_utc: NaiveDateTime,
    pub local_offset_minutes: i32,
    pub date_format: DateFormat,
    pub collation: Collation,
    /// `@@ROWCOUNT`, `@@ERROR` and `@@TRANCOUNT`; kept by whoever executes statements.
    pub row_count: i32,
    pub error: i32,
    pub transaction_count: i32,
}

impl Context {
    /// A session in `database` with the default settings and this machine's clock.
    pub fn new(tables: Arc<dyn Tables>, database: impl Into<String>) -> Self {
        Context {
            tables,
            database: database.into(),
            variables: Variables::default(),
            temp_tables: TempTables::default(),
            now_utc: Utc::now().naive_utc(),
            local_offset_minutes: 0,
            date_format: DateFormat::default(),
            collation: Collation::default(),
            row_count: 0,
            error: 0,
            transaction_count: 0,
        }
    }

    /// The context of a called procedure: the same session, no variables of the caller.
    pub fn nested(&self) -> Context {
        Context { variables: Variables::default(), ..self.clone() }
    }
}
