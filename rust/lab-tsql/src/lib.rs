//! The T-SQL half of a simulated SQL Server: batches to statements, and SELECT over tables handed in.
//!
//! Reading order: [`ast`] (what a batch consists of), [`parse_batch`], [`Context`] and [`Tables`] (what a statement
//! sees), [`select`], [`evaluate`] and [`condition`]. Nothing here knows databases, files or sessions; the lab's engine
//! hands in tables and functions, and executes what is not SELECT.
//!
//! Known limits, each answered with `SqlError::unknown` or `StatementKind::Unknown` and counted by the lab: UPDATE,
//! DELETE, MERGE, cursors, IDENTITY and constraints of temporary tables, INSERT into tables of a database, FOR XML,
//! TOP with PERCENT or WITH TIES, APPLY of a query, window frames, SUM OVER, GROUP BY with ROLLUP, ANY and ALL, user
//! functions, the types money, time, datetimeoffset, smalldatetime, xml. Text in double quotes is always a name
//! (QUOTED_IDENTIFIER ON). A query that the SQL parser below cannot read is reported as 102.

pub mod ast;
mod context;
mod convert;
mod engine;
mod error;
mod parser;
mod types;
mod value;

pub use context::{
    Collation, ColumnDef, Context, DateFormat, ResultSet, TableDef, Tables, TempTables, Variable, Variables,
};
pub use engine::{condition, convert, display, evaluate, insert_rows, select, server_function_type, set_variable};
pub use error::{ErrorKind, SqlError, UNKNOWN_STATEMENT};
pub use parser::{parse_batch, parse_parameters, parse_type, ParameterDef};
pub use types::SqlType;
pub use value::{DateTime, Value, TICKS_PER_DAY};
