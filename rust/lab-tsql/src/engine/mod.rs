//! SELECT and expressions: compiled to SQLite's SQL with T-SQL's types and rules, then run on the tables handed in.
//!
//! SQLite does the relational work (joins, groups, order); every operator and function on values is ours. Names and
//! values of the statement never get into SQLite's text: columns are numbered and values are parameters.

mod arithmetic;
mod compiler;
mod encode;
mod expression;
mod function;
mod function_date;
mod function_number;
mod function_text;
mod names;
mod pattern;
mod predicate;
mod query;
mod run;
mod server;
mod typing;

use sqlparser::ast as sql;

use crate::ast::{Expr, ObjectName, SelectStmt};
use crate::context::{ColumnDef, Context, ResultSet, TableDef};
use crate::convert::{cast, check_implicit, natural_type, Mode};
use crate::error::SqlError;
use crate::types::SqlType;
use crate::value::Value;
use compiler::Compiler;
pub use server::server_function_type;

/// Runs a SELECT and sets the context's `row_count`.
///
/// `SELECT @x = ...` sets variables, `SELECT ... INTO #t` creates the table; neither returns rows.
///
/// # Errors
/// 207, 208, 209, 4104, 8120 and their like when names do not fit; conversion and arithmetic errors;
/// `SqlError::unknown` for what is not simulated. Nothing is changed then.
pub fn select(statement: &SelectStmt, context: &mut Context) -> Result<ResultSet, SqlError> {
    let plain = match statement.query.body.as_ref() {
        sql::SetExpr::Select(select) => Some(select.as_ref()),
        _ => None,
    };
    let targets = plain.map_or(Ok(Vec::new()), assignment_targets)?;
    if let (Some(select), false) = (plain, targets.is_empty()) {
        return assign(&statement.query, select, &targets, context);
    }
    let into = plain.and_then(|select| select.into.as_ref());
    let into = into
        .map(|into| {
            let name = names::object_name(&into.name)?.name;
            if name.starts_with('#') {
                Ok(name)
            } else {
                Err(SqlError::unknown("SELECT INTO a permanent table"))
            }
        })
        .transpose()?;
    let mut result = query(&statement.query, context)?;
    context.row_count = i32::try_from(result.rows.len()).unwrap_or(i32::MAX);
    if let Some(name) = into {
        context.temp_tables.create(&name, result.columns.clone())?;
        if let Some(table) = context.temp_tables.lock().get_mut(&name.to_lowercase()) {
            table.rows = std::mem::take(&mut result.rows);
        }
        result.returns_rows = false;
    }
    Ok(result)
}

fn query(query: &sql::Query, context: &Context) -> Result<ResultSet, SqlError> {
    let mut compiler = Compiler::new(context);
    let compiled = compiler.query(query)?;
    let columns: Vec<ColumnDef> = compiled
        .columns
        .iter()
        .map(|column| ColumnDef { name: column.name.clone(), data_type: column.data_type, nullable: column.nullable })
        .collect();
    let types: Vec<SqlType> = columns.iter().map(|column| column.data_type).collect();
    let rows = run::run(&compiler, &compiled.sql, &types)?;
    Ok(ResultSet { columns, rows, returns_rows: true })
}

/// The variables of `SELECT @x = ...`; empty for a SELECT that returns rows.
fn assignment_targets(select: &sql::Select) -> Result<Vec<String>, SqlError> {
    let mut targets = Vec::new();
    for item in &select.projection {
        if let sql::SelectItem::ExprWithAlias { alias, .. } = item {
            if alias.quote_style.is_none() && alias.value.starts_with('@') {
                targets.push(alias.value.clone());
            }
        }
    }
    if !targets.is_empty() && targets.len() != select.projection.len() {
        return Err(SqlError::new(
            141,
            15,
            "A SELECT statement that assigns a value to a variable must not be combined with data-retrieval operations.",
        ));
    }
    Ok(targets)
}

fn assign(
    whole: &sql::Query,
    select: &sql::Select,
    targets: &[String],
    context: &mut Context,
) -> Result<ResultSet, SqlError> {
    if select.from.is_empty() && select.selection.is_none() {
        // Without a table each assignment sees the ones before it.
        for (item, target) in select.projection.iter().zip(targets) {
            if let sql::SelectItem::ExprWithAlias { expr, .. } = item {
                let (_, value) = evaluate(&Expr(expr.clone()), context)?;
                set_variable(target, value, context)?;
            }
        }
        context.row_count = 1;
        return Ok(ResultSet::default());
    }
    for item in &select.projection {
        // Values that build on the row before need the rows one by one.
        let text = item.to_string().to_lowercase();
        let value = text.rsplit_once(" as ").map_or(text.as_str(), |(value, _)| value);
        let reads_target = targets.iter().any(|target| {
            let target = target.to_lowercase();
            value
                .split(|c: char| !(c.is_alphanumeric() || matches!(c, '@' | '_' | '#' | '$')))
                .any(|word| word == target)
        });
        if reads_target {
            return Err(SqlError::unknown("SELECT @x = @x ... over a table"));
        }
    }
    let result = query(whole, context)?;
    context.row_count = i32::try_from(result.rows.len()).unwrap_or(i32::MAX);
    if let Some(last) = result.rows.into_iter().next_back() {
        for (target, value) in targets.iter().zip(last) {
            set_variable(target, value, context)?;
        }
    }
    Ok(ResultSet::default())
}

/// Assigns to a declared variable, converted to its type.
///
/// # Errors
/// 137, and the conversion's.
pub fn set_variable(name: &str, value: Value, context: &mut Context) -> Result<(), SqlError> {
    let known = context.variables.get(name);
    let data_type = known.ok_or_else(|| SqlError::undeclared(name))?.data_type;
    let value = convert(&value, data_type, context)?;
    if let Some(variable) = context.variables.get_mut(name) {
        variable.value = value;
    }
    Ok(())
}

/// Computes an expression: its type and value. Reads only.
///
/// # Errors
/// As `select`.
pub fn evaluate(expression: &Expr, context: &Context) -> Result<(SqlType, Value), SqlError> {
    let mut compiler = Compiler::new(context);
    let typed = compiler.scalar(&expression.0)?;
    if let Some(value) = typed.constant {
        return Ok((typed.data_type, value));
    }
    let text = format!("SELECT {}", typed.sql);
    let rows = run::run(&compiler, &text, &[typed.data_type])?;
    let value = rows.into_iter().flatten().next().unwrap_or(Value::Null);
    Ok((typed.data_type, value))
}

/// Computes a condition of IF or WHILE; unknown (NULL) counts as false. Reads only.
///
/// # Errors
/// As `select`; 4145 when the expression is not a condition.
pub fn condition(expression: &Expr, context: &Context) -> Result<bool, SqlError> {
    let mut compiler = Compiler::new(context);
    let text = compiler.condition(&expression.0)?;
    let text = format!("SELECT {text} IS TRUE");
    let rows = run::run(&compiler, &text, &[SqlType::Int])?;
    Ok(rows.first().is_some_and(|row| row == &[Value::Int(1)]))
}

/// Converts a value as an assignment to a variable or column of type `target` does.
///
/// # Errors
/// 206, 220, 241, 242, 245, 248, 257, 8114, 8115, 8169, 8170 as the server.
pub fn convert(value: &Value, target: SqlType, context: &Context) -> Result<Value, SqlError> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    let from = natural_type(value);
    check_implicit(from, target)?;
    cast(value, from, target, Mode::implicit(context.date_format))
}

/// The text of a value as PRINT shows it; empty for NULL.
///
/// # Errors
/// Those of a conversion to `nvarchar`.
pub fn display(value: &Value, context: &Context) -> Result<String, SqlError> {
    let from = natural_type(value);
    let text = cast(value, from, SqlType::NVarChar(None), Mode::implicit(context.date_format))?;
    Ok(text.as_str().unwrap_or_default().to_string())
}

/// Appends rows to a table variable or `#t`; `columns` may be empty (all, in order). Returns the number of rows.
/// Tables of databases cannot be written to (`SqlError::unknown`).
///
/// # Errors
/// 208, 207, 213 (number of values), 515 (NULL), 8152 (too long), conversion errors; nothing is inserted then.
pub fn insert_rows(
    target: &ObjectName,
    columns: &[String],
    rows: Vec<Vec<Value>>,
    context: &mut Context,
) -> Result<usize, SqlError> {
    if !target.name.starts_with(['@', '#']) {
        return Err(SqlError::unknown(format!("INSERT into {}", target.name)));
    }
    let name = target.name.clone();
    let table = if name.starts_with('@') {
        context.variables.table(&name).map(|table| table.columns.clone())
    } else {
        let tables = context.temp_tables.lock();
        tables.get(&name.to_lowercase()).map(|table| table.columns.clone())
    };
    let table = table.ok_or_else(|| SqlError::invalid_object(&name))?;
    let mut places = Vec::new();
    for column in columns {
        let place = table.iter().position(|known| known.name.to_lowercase() == column.to_lowercase());
        places.push(place.ok_or_else(|| SqlError::invalid_column(column))?);
    }
    if columns.is_empty() {
        places.extend(0..table.len());
    }
    let mut converted = Vec::with_capacity(rows.len());
    for row in rows {
        if row.len() != places.len() {
            return Err(SqlError::new(
                213,
                16,
                "Column name or number of supplied values does not match table definition.",
            ));
        }
        let mut values = vec![Value::Null; table.len()];
        for (place, value) in places.iter().zip(row) {
            values[*place] = stored(&value, &table[*place], context)?;
        }
        for (column, value) in table.iter().zip(&values) {
            if value.is_null() && !column.nullable {
                return Err(SqlError::new(
                    515,
                    16,
                    format!("Cannot insert the value NULL into column '{}', table '{name}'; column does not allow nulls. INSERT fails.", column.name),
                )
                .with_state(2));
            }
        }
        converted.push(values);
    }
    let count = converted.len();
    let append = |table: &mut TableDef| table.rows.extend(converted);
    if name.starts_with('@') {
        context.variables.table_mut(&name).map(append);
    } else {
        let mut tables = context.temp_tables.lock();
        tables.get_mut(&name.to_lowercase()).map(append);
    }
    Ok(count)
}

/// A value as a column stores it; unlike a CAST, an INSERT never cuts text off.
fn stored(value: &Value, column: &ColumnDef, context: &Context) -> Result<Value, SqlError> {
    if let (Value::String(text), Some(room)) = (value, typing::length(column.data_type)) {
        let long = crate::convert::literal::length_of(text.trim_end_matches(' ')) > room as usize;
        if column.data_type.is_string() && long {
            return Err(SqlError::new(8152, 16, "String or binary data would be truncated.").with_state(4));
        }
    }
    convert(value, column.data_type, context)
}
