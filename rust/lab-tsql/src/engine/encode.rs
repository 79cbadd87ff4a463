//! Values as SQLite stores them: so that its own comparison gives the order of the T-SQL type.
//!
//! Numerics are text of 39 digits with 10^38 added, which keeps sign, order and all digits (SQLite itself turns whole
//! numbers above 63 bits into floats). Dates are counts of their unit. Ids are bytes in the order SQL Server compares.

use chrono::{Duration, NaiveDate, NaiveDateTime};
use rusqlite::types::{Value as Stored, ValueRef};
use uuid::Uuid;

use crate::context::DateFormat;
use crate::convert::{cast, pad_or_cut, Mode};
use crate::error::SqlError;
use crate::types::SqlType;
use crate::value::{DateTime, Value};

/// The groups of an id from the most to the least significant when compared.
const UUID_ORDER: [usize; 16] = [10, 11, 12, 13, 14, 15, 8, 9, 7, 6, 5, 4, 3, 2, 1, 0];

/// What is added to a numeric; with it the largest ones are beyond `i128`, so the sum is unsigned.
const SHIFT: u128 = 10u128.pow(38);

fn epoch() -> NaiveDateTime {
    NaiveDate::from_ymd_opt(1, 1, 1).unwrap_or_default().and_time(chrono::NaiveTime::MIN)
}

/// Encodes a value of type `data_type`; a value of another type is converted first.
pub(super) fn encode(value: &Value, data_type: SqlType) -> Result<Stored, SqlError> {
    Ok(match (value, data_type) {
        (Value::Null, _) => Stored::Null,
        (Value::Bit(b), SqlType::Bit) => Stored::Integer(i64::from(*b)),
        (Value::TinyInt(n), SqlType::TinyInt) => Stored::Integer(i64::from(*n)),
        (Value::SmallInt(n), SqlType::SmallInt) => Stored::Integer(i64::from(*n)),
        (Value::Int(n), SqlType::Int) => Stored::Integer(i64::from(*n)),
        (Value::BigInt(n), SqlType::BigInt) => Stored::Integer(*n),
        (Value::Numeric { value, scale }, SqlType::Numeric { scale: wanted, .. }) if *scale == wanted => {
            Stored::Text(format!("{:039}", SHIFT.wrapping_add_signed(*value)))
        }
        (Value::Real(n), SqlType::Real) => Stored::Real(f64::from(*n)),
        (Value::Float(n), SqlType::Float) => Stored::Real(*n),
        (Value::DateTime(moment), SqlType::DateTime) => Stored::Integer(moment.total_ticks()),
        (Value::DateTime2(moment), SqlType::DateTime2 { .. }) => {
            let since = *moment - epoch();
            Stored::Integer(since.num_seconds() * 10_000_000 + i64::from(since.subsec_nanos()) / 100)
        }
        (Value::Date(date), SqlType::Date) => Stored::Integer((*date - epoch().date()).num_days()),
        (Value::Uuid(uuid), SqlType::UniqueIdentifier) => {
            let bytes = uuid.to_bytes_le();
            Stored::Blob(UUID_ORDER.iter().map(|place| bytes[*place]).collect())
        }
        (Value::String(text), SqlType::NChar(_) | SqlType::Char(_)) => {
            Stored::Text(pad_or_cut(text.clone(), data_type))
        }
        (Value::String(text), kind) if kind.is_string() => Stored::Text(text.clone()),
        (Value::Binary(bytes), kind) if kind.is_binary() => Stored::Blob(bytes.clone()),
        (Value::Variant(inner, value), SqlType::Variant) => encode_variant(*inner, value)?,
        _ => {
            let from = crate::convert::natural_type(value);
            let converted = cast(value, from, data_type, Mode::implicit(DateFormat::Mdy))?;
            if crate::convert::natural_type(&converted).base_name() != data_type.base_name()
                && !(data_type.is_string() || data_type.is_binary())
            {
                return Err(SqlError::unknown(format!("a value of type {data_type}")));
            }
            encode(&converted, data_type)?
        }
    })
}

/// A variant keeps its type's name before its value.
fn encode_variant(inner: SqlType, value: &Value) -> Result<Stored, SqlError> {
    let mut bytes = format!("{inner}\0").into_bytes();
    match encode(value, inner)? {
        Stored::Integer(n) => bytes.extend(n.to_be_bytes()),
        Stored::Real(n) => bytes.extend(n.to_be_bytes()),
        Stored::Text(text) => bytes.extend(text.as_bytes()),
        Stored::Blob(blob) => bytes.extend(blob),
        Stored::Null => return Ok(Stored::Null),
    }
    Ok(Stored::Blob(bytes))
}

fn decode_variant(bytes: &[u8]) -> Option<Value> {
    let end = bytes.iter().position(|b| *b == 0)?;
    let inner = crate::parser::parse_type(std::str::from_utf8(&bytes[..end]).ok()?).ok()?;
    let rest = &bytes[end + 1..];
    let eight = || <[u8; 8]>::try_from(rest).ok();
    let value = match inner {
        SqlType::Numeric { .. } => decode(ValueRef::Text(rest), inner),
        SqlType::Real | SqlType::Float => decode(ValueRef::Real(f64::from_be_bytes(eight()?)), inner),
        SqlType::UniqueIdentifier => decode(ValueRef::Blob(rest), inner),
        kind if kind.is_string() => decode(ValueRef::Text(rest), inner),
        kind if kind.is_binary() => decode(ValueRef::Blob(rest), inner),
        _ => decode(ValueRef::Integer(i64::from_be_bytes(eight()?)), inner),
    };
    Some(Value::Variant(inner, Box::new(value)))
}

/// The reverse of `encode`; what does not fit the type is NULL, which the compiler's types rule out.
pub(super) fn decode(stored: ValueRef<'_>, data_type: SqlType) -> Value {
    let found = match (stored, data_type) {
        (ValueRef::Integer(n), SqlType::Bit) => Some(Value::Bit(n != 0)),
        (ValueRef::Integer(n), SqlType::TinyInt) => u8::try_from(n).ok().map(Value::TinyInt),
        (ValueRef::Integer(n), SqlType::SmallInt) => i16::try_from(n).ok().map(Value::SmallInt),
        (ValueRef::Integer(n), SqlType::Int) => i32::try_from(n).ok().map(Value::Int),
        (ValueRef::Integer(n), SqlType::BigInt) => Some(Value::BigInt(n)),
        (ValueRef::Text(digits), SqlType::Numeric { scale, .. }) => std::str::from_utf8(digits)
            .ok()
            .and_then(|digits| digits.parse::<u128>().ok())
            .map(|shifted| Value::Numeric { value: shifted.wrapping_sub(SHIFT) as i128, scale }),
        (ValueRef::Real(n), SqlType::Real) => Some(Value::Real(n as f32)),
        (ValueRef::Real(n), SqlType::Float) => Some(Value::Float(n)),
        (ValueRef::Integer(ticks), SqlType::DateTime) => DateTime::from_total_ticks(ticks).map(Value::DateTime),
        (ValueRef::Integer(units), SqlType::DateTime2 { .. }) => {
            let since = Duration::seconds(units.div_euclid(10_000_000))
                + Duration::nanoseconds(units.rem_euclid(10_000_000) * 100);
            epoch().checked_add_signed(since).map(Value::DateTime2)
        }
        (ValueRef::Integer(days), SqlType::Date) => {
            epoch().date().checked_add_signed(Duration::days(days)).map(Value::Date)
        }
        (ValueRef::Blob(ordered), SqlType::UniqueIdentifier) if ordered.len() == 16 => {
            let mut bytes = [0u8; 16];
            for (place, byte) in UUID_ORDER.iter().zip(ordered) {
                bytes[*place] = *byte;
            }
            Some(Value::Uuid(Uuid::from_bytes_le(bytes)))
        }
        (ValueRef::Text(text), kind) if kind.is_string() => {
            Some(Value::String(String::from_utf8_lossy(text).into_owned()))
        }
        (ValueRef::Blob(bytes), kind) if kind.is_binary() => Some(Value::Binary(bytes.to_vec())),
        (ValueRef::Blob(bytes), SqlType::Variant) => decode_variant(bytes),
        _ => None,
    };
    found.unwrap_or(Value::Null)
}
