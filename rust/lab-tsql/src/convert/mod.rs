//! Conversions between types, as CAST, CONVERT and assignments do them.

pub(crate) mod dates;
pub(crate) mod literal;
mod numbers;
mod strings;

use chrono::NaiveTime;
use uuid::Uuid;

use crate::context::DateFormat;
use crate::error::SqlError;
use crate::types::SqlType;
use crate::value::{DateTime, Value};
use dates::DateFault;

pub(crate) use numbers::{pow10, rescale, round_to};
pub(crate) use strings::{pad_or_cut, to_text};

/// How a conversion goes beyond its two types.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mode {
    pub date_format: DateFormat,
    /// CONVERT's third argument.
    pub style: i32,
}

impl Mode {
    pub fn implicit(date_format: DateFormat) -> Self {
        Mode { date_format, style: 0 }
    }
}

/// The type a value has by itself, where no column tells.
pub(crate) fn natural_type(value: &Value) -> SqlType {
    match value {
        Value::Null | Value::Int(_) => SqlType::Int,
        Value::Bit(_) => SqlType::Bit,
        Value::TinyInt(_) => SqlType::TinyInt,
        Value::SmallInt(_) => SqlType::SmallInt,
        Value::BigInt(_) => SqlType::BigInt,
        Value::Numeric { scale, .. } => SqlType::Numeric { precision: 38, scale: *scale },
        Value::Real(_) => SqlType::Real,
        Value::Float(_) => SqlType::Float,
        Value::DateTime(_) => SqlType::DateTime,
        Value::DateTime2(_) => SqlType::DateTime2 { scale: 7 },
        Value::Date(_) => SqlType::Date,
        Value::Uuid(_) => SqlType::UniqueIdentifier,
        Value::String(text) => literal::text(text.clone(), true).0,
        Value::Binary(_) => SqlType::VarBinary(None),
        Value::Variant(..) => SqlType::Variant,
    }
}

/// 257 and 206: pairs that no assignment or comparison converts by itself.
pub(crate) fn check_implicit(from: SqlType, to: SqlType) -> Result<(), SqlError> {
    let clash = |number: i32, text: String| Err(SqlError::new(number, 16, text));
    let needs_convert = (from == SqlType::Variant && to != SqlType::Variant)
        || (from.is_date() && (to.is_number() || to.is_binary()))
        || (from.is_string() && to.is_binary())
        || (from.is_binary() && matches!(to, SqlType::Real | SqlType::Float));
    if needs_convert {
        return clash(
            257,
            format!(
                "Implicit conversion from data type {} to {} is not allowed. Use the CONVERT function to run this query.",
                from.base_name(),
                to.base_name()
            ),
        );
    }
    if impossible(from, to) {
        return clash(206, format!("Operand type clash: {} is incompatible with {}", from.base_name(), to.base_name()));
    }
    Ok(())
}

/// Pairs that even CAST refuses (529).
fn impossible(from: SqlType, to: SqlType) -> bool {
    let odd = |a: SqlType, b: SqlType| {
        (a == SqlType::UniqueIdentifier && (b.is_number() || b.is_date()))
            || (matches!(a, SqlType::Date | SqlType::DateTime2 { .. }) && b.is_number())
    };
    odd(from, to) || odd(to, from)
}

/// Converts as CAST does; NULL stays NULL.
///
/// # Errors
/// 220, 241, 242, 245, 248, 529, 8114, 8115, 8169, 8170.
pub(crate) fn cast(value: &Value, from: SqlType, to: SqlType, mode: Mode) -> Result<Value, SqlError> {
    let (value, from) = match value {
        Value::Null => return Ok(Value::Null),
        Value::Variant(..) if to == SqlType::Variant => return Ok(value.clone()),
        Value::Variant(inner, value) => (value.as_ref(), *inner),
        _ => (value, from),
    };
    if impossible(from, to) {
        return Err(SqlError::new(
            529,
            16,
            format!("Explicit conversion from data type {} to {} is not allowed.", from.base_name(), to.base_name()),
        ));
    }
    match to {
        SqlType::Bit
        | SqlType::TinyInt
        | SqlType::SmallInt
        | SqlType::Int
        | SqlType::BigInt
        | SqlType::Numeric { .. }
        | SqlType::Real
        | SqlType::Float => numbers::to_number(value, from, to),
        SqlType::NVarChar(_) | SqlType::VarChar(_) | SqlType::NChar(_) | SqlType::Char(_) => {
            strings::to_string(value, from, to, mode)
        }
        SqlType::VarBinary(_) | SqlType::Binary(_) => strings::to_binary(value, from, to, mode),
        SqlType::DateTime | SqlType::DateTime2 { .. } | SqlType::Date => to_date(value, from, to, mode),
        SqlType::UniqueIdentifier => to_uuid(value),
        SqlType::Variant => Ok(Value::Variant(from, Box::new(value.clone()))),
    }
}

fn to_uuid(value: &Value) -> Result<Value, SqlError> {
    let failed = || {
        SqlError::new(8169, 16, "Conversion failed when converting from a character string to uniqueidentifier.")
            .with_state(2)
    };
    match value {
        Value::Uuid(uuid) => Ok(Value::Uuid(*uuid)),
        Value::String(text) => {
            let text = text.trim_start_matches('{');
            let text = text.get(..36).ok_or_else(failed)?;
            let dashes = text.bytes().filter(|b| *b == b'-').count() == 4;
            let uuid = Uuid::try_parse(text).ok().filter(|_| dashes);
            uuid.map(Value::Uuid).ok_or_else(failed)
        }
        Value::Binary(bytes) => {
            let mut filled = [0u8; 16];
            for (place, byte) in filled.iter_mut().zip(bytes) {
                *place = *byte;
            }
            Ok(Value::Uuid(Uuid::from_bytes_le(filled)))
        }
        _ => Err(failed()),
    }
}

fn to_date(value: &Value, from: SqlType, to: SqlType, mode: Mode) -> Result<Value, SqlError> {
    let out_of_range = || {
        SqlError::new(
            242,
            16,
            format!(
                "The conversion of a {} data type to a {} data type resulted in an out-of-range value.",
                from.base_name(),
                to.base_name()
            ),
        )
        .with_state(3)
    };
    let no_date =
        || SqlError::new(241, 16, "Conversion failed when converting date and/or time from character string.");
    let base = || DateTime { days: 0, ticks: 0 }.to_naive();
    let moment = match value {
        Value::DateTime(moment) => {
            if to == SqlType::DateTime {
                return Ok(value.clone());
            }
            moment.to_naive()
        }
        Value::DateTime2(moment) => *moment,
        Value::Date(date) => date.and_time(NaiveTime::MIN),
        Value::String(text) => {
            let order = dates::order_of_style(mode.style, mode.date_format);
            let newer = to != SqlType::DateTime;
            // The newer types report every unreadable text as 241.
            dates::parse(text, order, newer).map_err(|fault| match fault {
                DateFault::OutOfRange if !newer => out_of_range(),
                DateFault::OutOfRange | DateFault::NoDate => no_date(),
            })?
        }
        Value::Float(days) => {
            let seconds = days * 86_400.0;
            if !seconds.is_finite() || seconds.abs() > 1e12 {
                return Err(numbers::overflow("float", to));
            }
            base() + chrono::Duration::milliseconds((seconds * 1000.0).round() as i64)
        }
        other => {
            let days = other
                .as_i64()
                .filter(|days| (-53690..=2_958_463).contains(days))
                .ok_or_else(|| numbers::overflow("expression", to))?;
            base() + chrono::Duration::days(days)
        }
    };
    match to {
        SqlType::DateTime => DateTime::from_naive(moment).map(Value::DateTime).ok_or_else(out_of_range),
        SqlType::Date => Ok(Value::Date(moment.date())),
        SqlType::DateTime2 { scale } => Ok(Value::DateTime2(numbers::round_moment(moment, scale))),
        _ => Err(SqlError::unknown(format!("conversion to {to}"))),
    }
}
