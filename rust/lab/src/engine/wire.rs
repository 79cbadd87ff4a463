//! Answers, types and values between the engine and the TDS server.

use super::connection::Output;
use super::error::SqlMessage;
use lab_tsql::{ResultSet, Value};
use tds_server as tds;

/// Writes an answer to the wire.
pub(super) struct Wire<'a> {
    pub out: &'a mut tds::Answer,
}

#[tds::async_trait]
impl Output for Wire<'_> {
    async fn rows(&mut self, set: ResultSet) {
        let columns = set
            .columns
            .iter()
            .map(|c| {
                let column = tds::Column::new(c.name.clone(), wire_type(&c.data_type));
                if c.nullable {
                    column
                } else {
                    column.not_null()
                }
            })
            .collect();
        self.out.columns(columns).await;
        for row in set.rows {
            self.out.row(row.into_iter().map(to_wire).collect()).await;
        }
        self.out.done_rows().await;
    }

    async fn done(&mut self, affected: Option<u64>) {
        self.out.done(affected).await;
    }

    async fn message(&mut self, message: &SqlMessage) {
        let wire = tds::ServerMessage::new(message.number, message.severity, message.message.clone())
            .state(message.state)
            .line(message.line)
            .procedure(message.procedure.clone());
        self.out.message(wire).await;
    }

    async fn database(&mut self, name: &str) {
        self.out.env_change_database(name).await;
    }

    async fn procedure(&mut self, status: Option<i32>) {
        match status {
            None => self.out.in_procedure(true).await,
            Some(status) => {
                self.out.return_status(status).await;
                self.out.in_procedure(false).await;
            }
        }
    }
}

fn length(n: Option<u16>) -> tds::Length {
    n.map_or(tds::Length::Unlimited, tds::Length::Max)
}

/// A type as the wire has it.
fn wire_type(data_type: &lab_tsql::SqlType) -> tds::SqlType {
    use lab_tsql::SqlType as T;
    match *data_type {
        T::Bit => tds::SqlType::Bit,
        T::TinyInt => tds::SqlType::TinyInt,
        T::SmallInt => tds::SqlType::SmallInt,
        T::Int => tds::SqlType::Int,
        T::BigInt => tds::SqlType::BigInt,
        T::Numeric { precision, scale } => tds::SqlType::Numeric { precision, scale },
        T::Real => tds::SqlType::Real,
        T::Float => tds::SqlType::Float,
        T::DateTime => tds::SqlType::DateTime,
        T::DateTime2 { scale } => tds::SqlType::DateTime2 { scale },
        T::Date => tds::SqlType::Date,
        T::UniqueIdentifier => tds::SqlType::UniqueIdentifier,
        T::NVarChar(n) => tds::SqlType::NVarChar(length(n)),
        T::VarChar(n) => tds::SqlType::VarChar(length(n)),
        T::NChar(n) => tds::SqlType::NChar(n),
        T::Char(n) => tds::SqlType::Char(n),
        T::VarBinary(n) => tds::SqlType::VarBinary(length(n)),
        T::Binary(n) => tds::SqlType::Binary(n),
        T::Variant => tds::SqlType::Variant,
    }
}

/// A type of the wire as the SELECT engine has it.
pub(super) fn convert_type(data_type: &tds::SqlType) -> lab_tsql::SqlType {
    use lab_tsql::SqlType as T;
    let length = |l: &tds::Length| match l {
        tds::Length::Max(n) => Some(*n),
        tds::Length::Unlimited => None,
    };
    match data_type {
        tds::SqlType::Bit => T::Bit,
        tds::SqlType::TinyInt => T::TinyInt,
        tds::SqlType::SmallInt => T::SmallInt,
        tds::SqlType::Int => T::Int,
        tds::SqlType::BigInt => T::BigInt,
        tds::SqlType::Numeric { precision, scale } => T::Numeric { precision: *precision, scale: *scale },
        tds::SqlType::Money => T::Numeric { precision: 19, scale: 4 },
        tds::SqlType::Real => T::Real,
        tds::SqlType::Float => T::Float,
        tds::SqlType::DateTime | tds::SqlType::SmallDateTime => T::DateTime,
        tds::SqlType::DateTime2 { scale } | tds::SqlType::DateTimeOffset { scale } => T::DateTime2 { scale: *scale },
        tds::SqlType::Date => T::Date,
        tds::SqlType::Time { .. } => T::NVarChar(Some(16)),
        tds::SqlType::UniqueIdentifier => T::UniqueIdentifier,
        tds::SqlType::NVarChar(l) => T::NVarChar(length(l)),
        tds::SqlType::VarChar(l) => T::VarChar(length(l)),
        tds::SqlType::NChar(n) => T::NChar(*n),
        tds::SqlType::Char(n) => T::Char(*n),
        tds::SqlType::VarBinary(l) => T::VarBinary(length(l)),
        tds::SqlType::Binary(n) => T::Binary(*n),
        tds::SqlType::Variant => T::Variant,
        tds::SqlType::Xml => T::NVarChar(None),
    }
}

/// A value as the wire has it.
pub(super) fn to_wire(value: Value) -> tds::Value {
    match value {
        Value::Null => tds::Value::Null,
        Value::Bit(v) => tds::Value::Bit(v),
        Value::TinyInt(v) => tds::Value::TinyInt(v),
        Value::SmallInt(v) => tds::Value::SmallInt(v),
        Value::Int(v) => tds::Value::Int(v),
        Value::BigInt(v) => tds::Value::BigInt(v),
        Value::Numeric { value, scale } => tds::Value::Numeric(tds::Numeric { value, scale }),
        Value::Real(v) => tds::Value::Real(v),
        Value::Float(v) => tds::Value::Float(v),
        Value::DateTime(v) => timestamp(v.to_naive()),
        Value::DateTime2(v) => timestamp(v),
        Value::Date(v) => timestamp_date(v),
        Value::Uuid(v) => tds::Value::Guid(v),
        Value::String(v) => tds::Value::String(v),
        Value::Binary(v) => tds::Value::Binary(v),
        Value::Variant(_, inner) => to_wire(*inner),
    }
}

fn timestamp(at: chrono::NaiveDateTime) -> tds::Value {
    use chrono::{Datelike, Timelike};
    let made = tds::Timestamp::new(
        at.year() as u16,
        at.month() as u8,
        at.day() as u8,
        at.hour() as u8,
        at.minute() as u8,
        at.second() as u8,
        at.nanosecond().min(999_999_999),
    );
    made.map_or(tds::Value::Null, tds::Value::DateTime)
}

fn timestamp_date(at: chrono::NaiveDate) -> tds::Value {
    use chrono::Datelike;
    tds::Date::from_ymd(at.year() as u16, at.month() as u8, at.day() as u8).map_or(tds::Value::Null, tds::Value::Date)
}

/// A value from the wire.
pub(super) fn from_wire(value: &tds::Value) -> Value {
    match value {
        tds::Value::Null => Value::Null,
        tds::Value::Bit(v) => Value::Bit(*v),
        tds::Value::TinyInt(v) => Value::TinyInt(*v),
        tds::Value::SmallInt(v) => Value::SmallInt(*v),
        tds::Value::Int(v) => Value::Int(*v),
        tds::Value::BigInt(v) => Value::BigInt(*v),
        tds::Value::Numeric(n) => Value::Numeric { value: n.value, scale: n.scale },
        tds::Value::Real(v) => Value::Real(*v),
        tds::Value::Float(v) => Value::Float(*v),
        tds::Value::DateTime(at) | tds::Value::DateTimeOffset(at, _) => {
            let (year, month, day) = at.date.ymd();
            let date = chrono::NaiveDate::from_ymd_opt(year.into(), month.into(), day.into());
            let time = chrono::NaiveTime::from_num_seconds_from_midnight_opt(
                (at.nanos / 1_000_000_000) as u32,
                (at.nanos % 1_000_000_000) as u32,
            );
            match (date, time) {
                (Some(date), Some(time)) => Value::DateTime2(date.and_time(time)),
                _ => Value::Null,
            }
        }
        tds::Value::Date(d) => {
            let (year, month, day) = d.ymd();
            Value::optional(chrono::NaiveDate::from_ymd_opt(year.into(), month.into(), day.into()), Value::Date)
        }
        tds::Value::Time(nanos) => Value::String(format!(
            "{:02}:{:02}:{:02}",
            nanos / 3_600_000_000_000,
            nanos / 60_000_000_000 % 60,
            nanos / 1_000_000_000 % 60
        )),
        tds::Value::Guid(v) => Value::Uuid(*v),
        tds::Value::String(v) => Value::String(v.clone()),
        tds::Value::Binary(v) => Value::Binary(v.clone()),
    }
}
