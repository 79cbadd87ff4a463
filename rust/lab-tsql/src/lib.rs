//! The T-SQL half of a simulated SQL Server: batches to statements, and SELECT over tables handed in.
//!
//! Reading order: [`ast`] (what a batch consists of), [`parse_batch`], [`Context`] and [`Tables`] (what a statement
//! sees), [`select`], [`evaluate`] and [`condition`]. Nothing here knows databases, files or sessions; the lab's engine
//! hands in tables and functions, and executes what is not SELECT.

pub mod ast;
mod context;
mod convert;
mod error;
mod parser;
mod types;
mod value;

pub use context::{
    Collation, ColumnDef, Context, DateFormat, ResultSet, TableDef, Tables, TempTables, Variable, Variables,
};
pub use error::{ErrorKind, SqlError, UNKNOWN_STATEMENT};
pub use parser::{parse_batch, parse_parameters, parse_type, ParameterDef};
pub use types::SqlType;
pub use value::{DateTime, Value, TICKS_PER_DAY};

use ast::{Expr, SelectStmt};

/// Runs a SELECT. `SELECT @x = ...` sets the variables of `context`.
///
/// # Errors
/// 207, 208, 209, 4104 when names do not fit; conversion and arithmetic errors; `SqlError::unknown`.
pub fn select(statement: &SelectStmt, context: &mut Context) -> Result<ResultSet, SqlError> {
    let _ = (statement, context);
    Err(SqlError::unknown("SELECT"))
}

/// Computes an expression: its type and value. Reads only.
///
/// # Errors
/// As `select`.
pub fn evaluate(expression: &Expr, context: &Context) -> Result<(SqlType, Value), SqlError> {
    let _ = (expression, context);
    Err(SqlError::unknown("expression"))
}

/// Computes a condition of IF or WHILE; unknown (NULL) counts as false. Reads only.
///
/// # Errors
/// As `select`; 4145 when the expression is not a condition.
pub fn condition(expression: &Expr, context: &Context) -> Result<bool, SqlError> {
    let _ = (expression, context);
    Err(SqlError::unknown("condition"))
}

/// Converts a value as an assignment to a variable or column of type `target` does.
///
/// # Errors
/// 245, 8114, 241, 242, 8115, 206 as the server.
pub fn convert(value: &Value, target: SqlType, context: &Context) -> Result<Value, SqlError> {
    let _ = (target, context);
    Ok(value.clone())
}

/// Appends rows to a table variable or `#t`; `columns` may be empty (all, in order). Returns the number of rows.
///
/// # Errors
/// 208, 207, 213 (number of values), 515 (NULL), conversion errors; nothing is inserted then.
pub fn insert_rows(
    target: &ast::ObjectName,
    columns: &[String],
    rows: Vec<Vec<Value>>,
    context: &mut Context,
) -> Result<usize, SqlError> {
    let _ = (target, columns, rows, context);
    Err(SqlError::unknown("INSERT"))
}
