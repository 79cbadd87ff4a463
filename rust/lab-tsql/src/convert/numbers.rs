//! Conversions to numbers.

use chrono::{Duration, NaiveDateTime, Timelike};

use crate::error::SqlError;
use crate::types::SqlType;
use crate::value::Value;

/// `10^exponent`; the largest numeric has 38 digits, so all that are asked for fit.
pub(crate) fn pow10(exponent: u8) -> i128 {
    10i128.checked_pow(u32::from(exponent)).unwrap_or(i128::MAX)
}

/// Divides, half away from zero rounded up.
fn divide_rounded(value: i128, divisor: i128) -> i128 {
    let half = divisor / 2;
    if value >= 0 {
        value.saturating_add(half) / divisor
    } else {
        value.saturating_sub(half) / divisor
    }
}

/// The same number with another scale; `None` when it outgrows 128 bits.
pub(crate) fn rescale(value: i128, from: u8, to: u8) -> Option<i128> {
    if to >= from {
        value.checked_mul(pow10(to - from))
    } else {
        Some(divide_rounded(value, pow10(from - to)))
    }
}

/// Rounds to `digits` after the point, or before it when negative, keeping the scale.
pub(crate) fn round_to(value: i128, scale: u8, digits: i64, cut_off: bool) -> i128 {
    let drop = i64::from(scale) - digits;
    if drop <= 0 {
        return value;
    }
    if drop > 38 {
        return 0;
    }
    let unit = pow10(drop as u8);
    if cut_off {
        value / unit * unit
    } else {
        divide_rounded(value, unit) * unit
    }
}

/// 8115.
pub(crate) fn overflow(from: &str, to: SqlType) -> SqlError {
    SqlError::new(8115, 16, format!("Arithmetic overflow error converting {from} to data type {}.", to.base_name()))
        .with_state(2)
}

/// Rounds to `scale` digits of a second.
pub(super) fn round_moment(moment: NaiveDateTime, scale: u8) -> NaiveDateTime {
    let unit = 10i64.pow(9 - u32::from(scale.min(7)));
    let nanos = i64::from(moment.nanosecond());
    let rounded = (nanos + unit / 2) / unit * unit;
    moment + Duration::nanoseconds(rounded - nanos)
}

fn failed(text: &str, from: SqlType, to: SqlType) -> SqlError {
    if matches!(to, SqlType::BigInt | SqlType::Numeric { .. } | SqlType::Real | SqlType::Float) {
        return SqlError::new(
            8114,
            16,
            format!("Error converting data type {} to {}.", from.base_name(), to.base_name()),
        )
        .with_state(5);
    }
    SqlError::new(
        245,
        16,
        format!(
            "Conversion failed when converting the {} value '{text}' to data type {}.",
            from.base_name(),
            to.base_name()
        ),
    )
}

fn integer_from_text(text: &str, from: SqlType, to: SqlType) -> Result<i128, SqlError> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Ok(0);
    }
    let digits = trimmed.strip_prefix(['+', '-']).unwrap_or(trimmed);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(failed(text, from, to));
    }
    trimmed.strip_prefix('+').unwrap_or(trimmed).parse().map_err(|_| failed(text, from, to))
}

fn numeric_from_text(text: &str, scale: u8) -> Option<i128> {
    let trimmed = text.trim();
    let negative = trimmed.starts_with('-');
    let digits = trimmed.strip_prefix(['+', '-']).unwrap_or(trimmed);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{fraction}");
    if all.is_empty() || all.len() > 60 || !all.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    // Digits beyond the scale only round.
    let kept = fraction.get(..fraction.len().min(usize::from(scale) + 1))?;
    let value: i128 = format!("{whole}{kept}").parse().ok()?;
    let value = rescale(value, u8::try_from(kept.len()).ok()?, scale)?;
    Some(if negative { -value } else { value })
}

fn in_range(value: i128, to: SqlType) -> Option<Value> {
    Some(match to {
        SqlType::Bit => Value::Bit(value != 0),
        SqlType::TinyInt => Value::TinyInt(value.try_into().ok()?),
        SqlType::SmallInt => Value::SmallInt(value.try_into().ok()?),
        SqlType::Int => Value::Int(value.try_into().ok()?),
        SqlType::BigInt => Value::BigInt(value.try_into().ok()?),
        _ => return None,
    })
}

fn out_of_range(value: &Value, number: i128, from: SqlType, to: SqlType) -> SqlError {
    match value {
        Value::String(text) if to == SqlType::Int => SqlError::new(
            248,
            16,
            format!("The conversion of the {} value '{text}' overflowed an int column.", from.base_name()),
        ),
        Value::String(text) if matches!(to, SqlType::TinyInt | SqlType::SmallInt) => SqlError::new(
            244,
            16,
            format!(
                "The conversion of the {} value '{text}' overflowed an INT{} column. Use a larger integer column.",
                from.base_name(),
                if to == SqlType::TinyInt { 1 } else { 2 }
            ),
        ),
        Value::Int(_) | Value::SmallInt(_) | Value::BigInt(_) if matches!(to, SqlType::TinyInt | SqlType::SmallInt) => {
            SqlError::new(
                220,
                16,
                format!("Arithmetic overflow error for data type {}, value = {number}.", to.base_name()),
            )
        }
        Value::Int(_) | Value::BigInt(_) => overflow("expression", to),
        _ => overflow(from.base_name(), to),
    }
}

pub(super) fn to_number(value: &Value, from: SqlType, to: SqlType) -> Result<Value, SqlError> {
    match to {
        SqlType::Numeric { precision, scale } => to_numeric(value, from, to, precision, scale),
        SqlType::Real | SqlType::Float => {
            let number = as_f64(value, from, to)?;
            Ok(if to == SqlType::Real { Value::Real(number as f32) } else { Value::Float(number) })
        }
        _ => to_integer(value, from, to),
    }
}

fn to_integer(value: &Value, from: SqlType, to: SqlType) -> Result<Value, SqlError> {
    let number = match value {
        Value::String(text) if to == SqlType::Bit => match text.trim().to_lowercase().as_str() {
            "true" => 1,
            "false" => 0,
            _ => integer_from_text(text, from, to)?,
        },
        Value::String(text) => integer_from_text(text, from, to)?,
        Value::Float(_) | Value::Real(_) => {
            let number = as_f64(value, from, to)?;
            if to == SqlType::Bit {
                i128::from(number != 0.0)
            } else if number.abs() < 1e19 {
                number.trunc() as i128
            } else {
                return Err(overflow(from.base_name(), to));
            }
        }
        Value::Numeric { value, .. } if to == SqlType::Bit => i128::from(*value != 0),
        // A date counts days since 1900; noon rounds up.
        Value::DateTime(moment) => i128::from(moment.days) + i128::from(moment.ticks >= 12 * 3600 * 300),
        Value::Binary(bytes) => {
            let kept = &bytes[bytes.len().saturating_sub(8)..];
            let unsigned = kept.iter().fold(0u64, |all, b| all << 8 | u64::from(*b));
            match to {
                SqlType::Int => i128::from(unsigned as u32 as i32),
                SqlType::SmallInt => i128::from(unsigned as u16 as i16),
                SqlType::TinyInt => i128::from(unsigned as u8),
                _ => i128::from(unsigned as i64),
            }
        }
        other => other.as_i128().ok_or_else(|| overflow(from.base_name(), to))?,
    };
    in_range(number, to).ok_or_else(|| out_of_range(value, number, from, to))
}

fn to_numeric(value: &Value, from: SqlType, to: SqlType, precision: u8, scale: u8) -> Result<Value, SqlError> {
    let number = match value {
        Value::String(text) => Some(numeric_from_text(text, scale).ok_or_else(|| failed(text, from, to))?),
        Value::Numeric { value, scale: present } => rescale(*value, *present, scale),
        Value::Float(_) | Value::Real(_) => {
            let scaled = as_f64(value, from, to)? * 10f64.powi(i32::from(scale));
            (scaled.abs() < 1e38).then(|| scaled.round() as i128)
        }
        Value::DateTime(moment) => rescale(i128::from(moment.days), 0, scale),
        other => other.as_i128().and_then(|n| rescale(n, 0, scale)),
    };
    match number.filter(|n| n.abs() < pow10(precision)) {
        Some(value) => Ok(Value::Numeric { value, scale }),
        None => Err(overflow(from.base_name(), to).with_state(8)),
    }
}

pub(crate) fn as_f64(value: &Value, from: SqlType, to: SqlType) -> Result<f64, SqlError> {
    Ok(match value {
        Value::Float(number) => *number,
        Value::Real(number) => f64::from(*number),
        Value::Numeric { value, scale } => *value as f64 / 10f64.powi(i32::from(*scale)),
        Value::String(text) => match text.trim() {
            "" => 0.0,
            trimmed if trimmed.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b)) => {
                trimmed.parse().map_err(|_| failed(text, from, to))?
            }
            _ => return Err(failed(text, from, to)),
        },
        Value::DateTime(moment) => f64::from(moment.days) + f64::from(moment.ticks) / 25_920_000.0,
        other => other.as_i128().ok_or_else(|| overflow(from.base_name(), to))? as f64,
    })
}
