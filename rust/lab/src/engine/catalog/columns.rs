//! Short forms for columns, types and values of catalog tables.

use chrono::{DateTime as UtcTime, NaiveDateTime, Utc};
use lab_tsql::{ColumnDef, DateTime, SqlType, TableDef, Value};
use std::sync::Arc;

pub const BIT: SqlType = SqlType::Bit;
pub const TINYINT: SqlType = SqlType::TinyInt;
pub const SMALLINT: SqlType = SqlType::SmallInt;
pub const INT: SqlType = SqlType::Int;
pub const BIGINT: SqlType = SqlType::BigInt;
pub const DATETIME: SqlType = SqlType::DateTime;
pub const GUID: SqlType = SqlType::UniqueIdentifier;
pub const LSN: SqlType = SqlType::LSN;

/// `nvarchar(n)`.
pub fn nv(n: u16) -> SqlType {
    SqlType::NVarChar(Some(n))
}

/// `nchar(n)`.
pub fn nch(n: u16) -> SqlType {
    SqlType::NChar(n)
}

/// `char(n)`.
pub fn ch(n: u16) -> SqlType {
    SqlType::Char(n)
}

/// `varbinary(n)`.
pub fn vb(n: u16) -> SqlType {
    SqlType::VarBinary(Some(n))
}

/// `numeric(precision, 0)`.
pub fn numeric(precision: u8) -> SqlType {
    SqlType::Numeric { precision, scale: 0 }
}

/// A column that may be NULL.
pub fn null(name: &str, data_type: SqlType) -> ColumnDef {
    ColumnDef::new(name, data_type)
}

/// A column that is never NULL.
pub fn not_null(name: &str, data_type: SqlType) -> ColumnDef {
    ColumnDef::not_null(name, data_type)
}

/// A text value.
pub fn text(value: &str) -> Value {
    Value::String(value.to_owned())
}

/// A text value, NULL for `None`.
pub fn opt_text(value: &Option<String>) -> Value {
    Value::optional(value.as_deref(), text)
}

/// A local time as `datetime`.
pub fn date(value: NaiveDateTime) -> Value {
    Value::optional(DateTime::from_naive(value), Value::DateTime)
}

/// A UTC time as `datetime`.
pub fn utc(value: UtcTime<Utc>) -> Value {
    date(value.naive_utc())
}

/// The columns of `name:type` words; `!` after the type means NOT NULL.
pub fn spec(words: &str) -> Vec<ColumnDef> {
    words
        .split_whitespace()
        .map(|word| {
            let (name, kind) = word.split_once(':').unwrap_or((word, "int"));
            let data_type = type_of(kind.trim_end_matches('!'));
            if kind.ends_with('!') {
                not_null(name, data_type)
            } else {
                null(name, data_type)
            }
        })
        .collect()
}

fn type_of(kind: &str) -> SqlType {
    let digits = kind.find(|c: char| c.is_ascii_digit()).unwrap_or(kind.len());
    let length = kind[digits..].parse().unwrap_or(128);
    match &kind[..digits] {
        "bit" => BIT,
        "tinyint" => TINYINT,
        "smallint" => SMALLINT,
        "bigint" => BIGINT,
        "datetime" if digits == kind.len() => DATETIME,
        "datetime" => SqlType::DateTime2 { scale: 7 },
        "guid" => GUID,
        "lsn" => LSN,
        "num" => numeric(length as u8),
        "real" => SqlType::Real,
        "nv" => nv(length),
        "nvmax" => SqlType::NVarChar(None),
        "nch" => nch(length),
        "ch" => ch(length),
        "vb" => vb(length),
        "bin" => SqlType::Binary(length),
        "variant" => SqlType::Variant,
        _ => INT,
    }
}

/// A table from its column words and rows.
pub fn table(words: &str, rows: Vec<Vec<Value>>) -> Arc<TableDef> {
    Arc::new(TableDef { columns: spec(words), rows })
}
