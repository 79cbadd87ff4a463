//! Values of columns, variables and expressions.

use chrono::{Duration, NaiveDate, NaiveDateTime, Timelike};
use uuid::Uuid;

use crate::types::SqlType;

/// A `datetime`: days since 1900-01-01 and three-hundredths of a second since midnight.
///
/// # Source
/// "datetime (Transact-SQL)": accuracy 1/300 s, range 1753 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime {
    pub days: i32,
    pub ticks: u32,
}

/// Ticks of 1/300 s in a day.
pub const TICKS_PER_DAY: i64 = 24 * 3600 * 300;

impl DateTime {
    /// Rounds to the nearest 1/300 s. `None` outside the years 1753 to 9999.
    pub fn from_naive(value: NaiveDateTime) -> Option<DateTime> {
        let base = NaiveDate::from_ymd_opt(1900, 1, 1)?;
        let days = (value.date() - base).num_days();
        let time = value.time();
        let nanos =
            i64::from(time.num_seconds_from_midnight()) * 1_000_000_000 + i64::from(time.nanosecond().min(999_999_999));
        let ticks = (nanos * 3 + 5_000_000) / 10_000_000;
        DateTime::from_total_ticks(days.checked_mul(TICKS_PER_DAY)?.checked_add(ticks)?)
    }

    /// The moment as date and time; milliseconds are rounded as SQL Server shows them (.000, .003, .007).
    pub fn to_naive(self) -> NaiveDateTime {
        let base = NaiveDate::from_ymd_opt(1900, 1, 1).unwrap_or_default().and_time(chrono::NaiveTime::MIN);
        let millis = (i64::from(self.ticks) * 10 + 1) / 3;
        base + Duration::days(i64::from(self.days)) + Duration::milliseconds(millis)
    }

    /// Ticks of 1/300 s since 1900-01-01, negative before.
    pub fn total_ticks(self) -> i64 {
        i64::from(self.days) * TICKS_PER_DAY + i64::from(self.ticks)
    }

    /// The reverse of `total_ticks`. `None` outside the years 1753 to 9999.
    pub fn from_total_ticks(total: i64) -> Option<DateTime> {
        let days = total.div_euclid(TICKS_PER_DAY);
        // 1753-01-01 and 9999-12-31, counted from 1900-01-01.
        if !(-53690..=2_958_463).contains(&days) {
            return None;
        }
        Some(DateTime { days: i32::try_from(days).ok()?, ticks: u32::try_from(total.rem_euclid(TICKS_PER_DAY)).ok()? })
    }
}

/// A value. A numeric is `value / 10^scale`; its precision is the column's.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Bit(bool),
    TinyInt(u8),
    SmallInt(i16),
    Int(i32),
    BigInt(i64),
    Numeric {
        value: i128,
        scale: u8,
    },
    Real(f32),
    Float(f64),
    DateTime(DateTime),
    DateTime2(NaiveDateTime),
    Date(NaiveDate),
    Uuid(Uuid),
    /// Text of all four string types; the type of the column tells which.
    String(String),
    Binary(Vec<u8>),
    /// A `sql_variant` that is not NULL, with the type inside.
    Variant(SqlType, Box<Value>),
}

impl Value {
    /// An LSN, i.e. `numeric(25,0)`.
    pub fn lsn(value: i128) -> Value {
        Value::Numeric { value, scale: 0 }
    }

    pub fn text(value: impl Into<String>) -> Value {
        Value::String(value.into())
    }

    /// NULL for `None`.
    pub fn optional<T>(value: Option<T>, make: impl FnOnce(T) -> Value) -> Value {
        value.map_or(Value::Null, make)
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// The text of a string value, a look inside a variant included.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            Value::Variant(_, inner) => inner.as_str(),
            _ => None,
        }
    }

    /// The whole number of an integer kind, bit, or numeric (fraction cut off). `None` for all else.
    pub fn as_i128(&self) -> Option<i128> {
        Some(match self {
            Value::Bit(b) => i128::from(*b),
            Value::TinyInt(n) => i128::from(*n),
            Value::SmallInt(n) => i128::from(*n),
            Value::Int(n) => i128::from(*n),
            Value::BigInt(n) => i128::from(*n),
            Value::Numeric { value, scale } => value / 10i128.checked_pow(u32::from(*scale))?,
            Value::Variant(_, inner) => return inner.as_i128(),
            _ => return None,
        })
    }

    /// `as_i128`, when it fits 64 bits.
    pub fn as_i64(&self) -> Option<i64> {
        self.as_i128().and_then(|n| i64::try_from(n).ok())
    }
}
