//! A small instance to test against, and the few statements a test runs itself.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::sync::Arc;

use chrono::NaiveDate;
use lab_tsql::ast::{Declaration, InsertSource, StatementKind};
use lab_tsql::{
    condition, evaluate, insert_rows, parse_batch, select, set_variable, ColumnDef, Context, ResultSet, SqlError,
    SqlType, TableDef, Tables, Value,
};

pub struct Instance;

fn table(columns: &[(&str, SqlType)], rows: Vec<Vec<Value>>) -> Arc<TableDef> {
    Arc::new(TableDef {
        columns: columns.iter().map(|(name, data_type)| ColumnDef::new(*name, *data_type)).collect(),
        rows,
    })
}

fn text(value: &str) -> Value {
    Value::text(value)
}

/// Below and above 2^63.
pub const LSNS: [i128; 4] =
    [20_000_000_024_300_001, 9_224_000_000_024_300_001, 42_000_000_000_001_700_001, 9_223_372_036_854_775_807];

impl Tables for Instance {
    fn table(&self, database: &str, schema: &str, name: &str) -> Result<Option<Arc<TableDef>>, SqlError> {
        let int = Value::Int;
        if database.eq_ignore_ascii_case("mgc") {
            return Err(SqlError::new(927, 14, "Database 'mgc' cannot be opened. It is in the middle of a restore.")
                .with_state(2));
        }
        let full = format!("{database}.{schema}.{name}").to_lowercase();
        Ok(match full.as_str() {
            "msdb.dbo.backupset" | "msdb..backupset" => Some(table(
                &[
                    ("backup_set_id", SqlType::Int),
                    ("database_name", SqlType::SYSNAME),
                    ("last_lsn", SqlType::LSN),
                    ("is_copy_only", SqlType::Bit),
                    ("type", SqlType::Char(1)),
                    ("backup_finish_date", SqlType::DateTime),
                ],
                LSNS.iter()
                    .enumerate()
                    .map(|(index, lsn)| {
                        let name = if index == 3 { "other" } else { "mgc" };
                        let day = NaiveDate::from_ymd_opt(2026, 3, 14 + index as u32)
                            .and_then(|day| day.and_hms_opt(2, 15, 0))
                            .and_then(lab_tsql::DateTime::from_naive);
                        vec![
                            int(index as i32 + 1),
                            text(name),
                            Value::lsn(*lsn),
                            Value::Bit(index == 0),
                            text("L"),
                            Value::optional(day, Value::DateTime),
                        ]
                    })
                    .collect(),
            )),
            "master.sys.databases" => Some(table(
                &[
                    ("name", SqlType::SYSNAME),
                    ("database_id", SqlType::Int),
                    ("state", SqlType::TinyInt),
                    ("owner", SqlType::SYSNAME),
                ],
                vec![
                    vec![text("master"), int(1), Value::TinyInt(0), text("sa")],
                    vec![text("msdb"), int(4), Value::TinyInt(0), Value::Null],
                    vec![text("mgc"), int(5), Value::TinyInt(1), text("SA  ")],
                ],
            )),
            "master..odd]name" => {
                Some(table(&[("co]l \"x\" 'y'", SqlType::Int), ("select", SqlType::Int)], vec![vec![int(7), int(8)]]))
            }
            _ => None,
        })
    }

    fn table_function(
        &self,
        _: &str,
        schema: &str,
        name: &str,
        arguments: &[Value],
    ) -> Result<Option<Arc<TableDef>>, SqlError> {
        if schema != "sys" || name != "volumes" {
            return Ok(None);
        }
        let id = arguments[0].as_i64();
        let rows = match id {
            Some(id) if id > 1 => vec![vec![Value::BigInt(id * 1000)]],
            _ => Vec::new(),
        };
        Ok(Some(table(&[("free_bytes", SqlType::BigInt)], rows)))
    }

    fn function(&self, database: &str, name: &str, arguments: &[Value]) -> Option<Result<Value, SqlError>> {
        Some(Ok(match name {
            "@@SPID" => Value::SmallInt(52),
            "@@VERSION" => text("Microsoft SQL Server 2008 R2"),
            "SERVERPROPERTY" => match arguments[0].as_str() {
                Some("IsClustered") => Value::Int(0),
                Some("ProductVersion") => text("10.50.6000.34"),
                _ => Value::Null,
            },
            "DB_NAME" => match arguments.first().and_then(Value::as_i64) {
                None => text(database),
                Some(1) => text("master"),
                Some(5) => text("mgc"),
                Some(_) => Value::Null,
            },
            _ => return None,
        }))
    }
}

pub fn context() -> Context {
    let mut context = Context::new(Arc::new(Instance), "master");
    context.now_utc =
        NaiveDate::from_ymd_opt(2026, 3, 14).and_then(|day| day.and_hms_milli_opt(2, 15, 0, 123)).expect("a date");
    context.local_offset_minutes = 60;
    context
}

/// Runs a batch of DECLARE, SET, INSERT and SELECT; returns the last SELECT's rows.
pub fn run_in(context: &mut Context, batch: &str) -> Result<ResultSet, SqlError> {
    let mut last = ResultSet::default();
    for statement in parse_batch(batch)? {
        match statement.kind {
            StatementKind::Select(query) => last = select(&query, context)?,
            StatementKind::SetVariable { name, value } => {
                let (_, value) = evaluate(&value, context)?;
                set_variable(&name, value, context)?;
            }
            StatementKind::Declare(list) => {
                for declaration in list {
                    match declaration {
                        Declaration::Scalar { name, data_type, initial } => {
                            context.variables.declare(&name, data_type, Value::Null);
                            if let Some(initial) = initial {
                                let (_, value) = evaluate(&initial, context)?;
                                set_variable(&name, value, context)?;
                            }
                        }
                        Declaration::Table { name, columns } => {
                            context.variables.declare_table(&name, columns);
                        }
                    }
                }
            }
            StatementKind::CreateTable { name, columns } => {
                context.temp_tables.create(&name.name, columns)?;
            }
            StatementKind::Insert(insert) => {
                let rows = match insert.source {
                    InsertSource::Values(rows) => rows
                        .iter()
                        .map(|row| row.iter().map(|e| Ok(evaluate(e, context)?.1)).collect())
                        .collect::<Result<Vec<Vec<Value>>, SqlError>>()?,
                    InsertSource::Select(query) => select(&query, context)?.rows,
                    _ => panic!("not for these tests"),
                };
                insert_rows(&insert.target, &insert.columns, rows, context)?;
            }
            StatementKind::If { condition: when, .. } => {
                let found = condition(&when, context)?;
                last = ResultSet {
                    columns: vec![ColumnDef::new("", SqlType::Bit)],
                    rows: vec![vec![Value::Bit(found)]],
                    returns_rows: true,
                };
            }
            other => return Err(SqlError::unknown(format!("{other:?}"))),
        }
    }
    Ok(last)
}

pub fn run(batch: &str) -> Result<ResultSet, SqlError> {
    run_in(&mut context(), batch)
}

/// All rows as text, columns parted by `|`, NULL for NULL.
pub fn rows(batch: &str) -> Vec<String> {
    let context = context();
    let result = run(batch).unwrap_or_else(|error| panic!("{batch}\n{error}"));
    result
        .rows
        .iter()
        .map(|row| {
            row.iter()
                .map(|value| match value {
                    Value::Null => "NULL".to_string(),
                    value => lab_tsql::display(value, &context).expect("text"),
                })
                .collect::<Vec<_>>()
                .join("|")
        })
        .collect()
}

/// The one value of a batch as text.
pub fn one(batch: &str) -> String {
    let rows = rows(batch);
    assert_eq!(rows.len(), 1, "{batch}: {rows:?}");
    rows[0].clone()
}

/// The type of the only column.
pub fn type_of(batch: &str) -> String {
    let result = run(batch).unwrap_or_else(|error| panic!("{batch}\n{error}"));
    assert_eq!(result.columns.len(), 1, "{batch}");
    result.columns[0].data_type.to_string()
}

/// The number and text of the error that a batch ends with.
pub fn error(batch: &str) -> SqlError {
    match run(batch) {
        Err(error) => error,
        Ok(result) => panic!("no error from {batch}: {:?}", result.rows),
    }
}

pub fn number(batch: &str) -> i32 {
    let error = error(batch);
    assert!(!error.is_unknown(), "{batch}: {error}");
    error.number
}
