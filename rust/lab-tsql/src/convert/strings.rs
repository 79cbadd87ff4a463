//! Conversions to text and bytes.

use chrono::NaiveTime;

use super::literal::{cut, length_of};
use super::{dates, numbers, Mode};
use crate::error::SqlError;
use crate::types::SqlType;
use crate::value::Value;

/// The decimal text of a numeric.
fn numeric_text(value: i128, scale: u8) -> String {
    let digits = value.unsigned_abs().to_string();
    let sign = if value < 0 { "-" } else { "" };
    let scale = usize::from(scale);
    if scale == 0 {
        return format!("{sign}{digits}");
    }
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    format!("{sign}{whole}.{fraction}")
}

/// At most six digits, as style 0 prints a float.
fn float_text(number: f64) -> String {
    if number == 0.0 {
        return "0".into();
    }
    let exponent = number.abs().log10().floor() as i32;
    if (-5..6).contains(&exponent) {
        let decimals = usize::try_from(5 - exponent).unwrap_or(0);
        let text = format!("{number:.decimals$}");
        if text.contains('.') {
            return text.trim_end_matches('0').trim_end_matches('.').to_string();
        }
        return text;
    }
    let text = format!("{number:.5e}");
    let (mantissa, power) = text.split_once('e').unwrap_or((&text, "0"));
    let mantissa = if mantissa.contains('.') { mantissa.trim_end_matches('0').trim_end_matches('.') } else { mantissa };
    let power: i32 = power.parse().unwrap_or(0);
    let sign = if power < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:03}", power.abs())
}

/// The text of any value, without a limit of length.
///
/// # Errors
/// 281 for a style that does not exist.
pub(crate) fn to_text(value: &Value, from: SqlType, unicode: bool, style: i32) -> Result<String, SqlError> {
    let bad_style = || {
        SqlError::new(
            281,
            16,
            format!(
                "{style} is not a valid style number when converting from {} to a character string.",
                from.base_name()
            ),
        )
    };
    Ok(match value {
        Value::Null => String::new(),
        Value::Bit(b) => u8::from(*b).to_string(),
        Value::TinyInt(n) => n.to_string(),
        Value::SmallInt(n) => n.to_string(),
        Value::Int(n) => n.to_string(),
        Value::BigInt(n) => n.to_string(),
        Value::Numeric { value, scale } => numeric_text(*value, *scale),
        Value::Real(n) => float_text(f64::from(*n)),
        Value::Float(n) => float_text(*n),
        Value::DateTime(moment) => dates::format(&moment.to_naive(), style).ok_or_else(bad_style)?,
        Value::DateTime2(moment) => match (style, from) {
            (0 | 21 | 121, SqlType::DateTime2 { scale }) => dates::format_precise(moment, scale),
            _ => dates::format(moment, style).ok_or_else(bad_style)?,
        },
        Value::Date(date) => {
            let style = if style == 0 { 23 } else { style };
            match style {
                20 | 21 | 23 | 120 | 121 | 126 => date.format("%Y-%m-%d").to_string(),
                _ => dates::format(&date.and_time(NaiveTime::MIN), style).ok_or_else(bad_style)?,
            }
        }
        Value::Uuid(uuid) => uuid.hyphenated().to_string().to_uppercase(),
        Value::String(text) => text.clone(),
        Value::Binary(bytes) => match style {
            1 | 2 => {
                let digits: String = bytes.iter().map(|b| format!("{b:02X}")).collect();
                format!("{}{digits}", if style == 1 { "0x" } else { "" })
            }
            _ if unicode => {
                let units: Vec<u16> = bytes
                    .chunks(2)
                    .map(|pair| u16::from_le_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]))
                    .collect();
                String::from_utf16_lossy(&units)
            }
            _ => bytes.iter().map(|b| char::from(*b)).collect(),
        },
        Value::Variant(inner, value) => to_text(value, *inner, unicode, style)?,
    })
}

/// Cuts text to its type's length; the fixed types are filled with blanks.
pub(crate) fn pad_or_cut(text: String, to: SqlType) -> String {
    match to {
        SqlType::NVarChar(Some(n)) | SqlType::VarChar(Some(n)) => {
            let kept = cut(&text, usize::from(n)).len();
            let mut text = text;
            text.truncate(kept);
            text
        }
        SqlType::NChar(n) | SqlType::Char(n) => {
            let n = usize::from(n);
            let mut text = cut(&text, n).to_string();
            let missing = n - length_of(&text);
            text.extend(std::iter::repeat_n(' ', missing));
            text
        }
        _ => text,
    }
}

pub(super) fn to_string(value: &Value, from: SqlType, to: SqlType, mode: Mode) -> Result<Value, SqlError> {
    let unicode = to.is_unicode();
    let text = to_text(value, from, unicode, mode.style)?;
    let room = match to {
        SqlType::NVarChar(n) | SqlType::VarChar(n) => n.map(usize::from),
        SqlType::NChar(n) | SqlType::Char(n) => Some(usize::from(n)),
        _ => None,
    };
    // Dates and text are cut; numbers and ids must fit.
    if room.is_some_and(|room| length_of(&text) > room) {
        match value {
            Value::TinyInt(_) | Value::SmallInt(_) | Value::Int(_) if !unicode => {
                return Ok(Value::String(pad_or_cut("*".into(), to)));
            }
            Value::Uuid(_) => {
                return Err(SqlError::new(
                    8170,
                    16,
                    "Insufficient result space to convert uniqueidentifier value to char.",
                )
                .with_state(2));
            }
            Value::TinyInt(_) | Value::SmallInt(_) | Value::Int(_) | Value::BigInt(_) => {
                return Err(numbers::overflow("expression", to));
            }
            Value::Numeric { .. } | Value::Real(_) | Value::Float(_) => {
                return Err(numbers::overflow(from.base_name(), to));
            }
            _ => {}
        }
    }
    Ok(Value::String(pad_or_cut(text, to)))
}

fn big_endian(value: &Value) -> Option<Vec<u8>> {
    Some(match value {
        Value::Bit(b) => vec![u8::from(*b)],
        Value::TinyInt(n) => vec![*n],
        Value::SmallInt(n) => n.to_be_bytes().to_vec(),
        Value::Int(n) => n.to_be_bytes().to_vec(),
        Value::BigInt(n) => n.to_be_bytes().to_vec(),
        _ => return None,
    })
}

fn hex_bytes(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    match super::literal::binary(text) {
        (_, Value::Binary(bytes)) => Some(bytes),
        _ => None,
    }
}

pub(super) fn to_binary(value: &Value, from: SqlType, to: SqlType, mode: Mode) -> Result<Value, SqlError> {
    let number = big_endian(value);
    let from_number = number.is_some();
    let mut bytes = match value {
        Value::Binary(bytes) => bytes.clone(),
        Value::Uuid(uuid) => uuid.to_bytes_le().to_vec(),
        Value::String(text) => {
            let digits = match mode.style {
                1 => Some(text.strip_prefix("0x").unwrap_or("?")),
                2 => Some(text.as_str()),
                _ => None,
            };
            match digits {
                Some(digits) => hex_bytes(digits).ok_or_else(|| {
                    SqlError::new(8114, 16, format!("Error converting data type {} to varbinary.", from.base_name()))
                        .with_state(5)
                })?,
                None if from.is_unicode() => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
                None => text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect(),
            }
        }
        _ => number
            .ok_or_else(|| SqlError::unknown(format!("conversion from {} to {}", from.base_name(), to.base_name())))?,
    };
    let (room, fixed) = match to {
        SqlType::Binary(n) => (Some(usize::from(n)), true),
        SqlType::VarBinary(n) => (n.map(usize::from), false),
        _ => (None, false),
    };
    if let Some(room) = room {
        // Numbers keep their low bytes, all else its first.
        if bytes.len() > room && from_number {
            bytes.drain(..bytes.len() - room);
        }
        bytes.truncate(room);
        if fixed {
            while bytes.len() < room {
                if from_number {
                    bytes.insert(0, 0);
                } else {
                    bytes.push(0);
                }
            }
        }
    }
    Ok(Value::Binary(bytes))
}
