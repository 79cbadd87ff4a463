//! Constants as T-SQL types them.

use crate::error::SqlError;
use crate::types::SqlType;
use crate::value::Value;

/// A number: `int` when it fits, else `numeric` with as many digits as written; `float` with an exponent.
///
/// # Errors
/// 1007 beyond 38 digits.
pub(crate) fn number(text: &str, negative: bool) -> Result<(SqlType, Value), SqlError> {
    let too_long = || {
        SqlError::new(
            1007,
            15,
            format!("The number '{text}' is out of the range for numeric representation (maximum precision 38)."),
        )
    };
    if text.contains(['e', 'E']) {
        let value: f64 = text.parse().map_err(|_| SqlError::syntax(text))?;
        return Ok((SqlType::Float, Value::Float(if negative { -value } else { value })));
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{}{fraction}", whole.trim_start_matches('0'));
    if digits.len() > 38 {
        return Err(too_long());
    }
    let mut value: i128 = if digits.is_empty() { 0 } else { digits.parse().map_err(|_| SqlError::syntax(text))? };
    if negative {
        value = -value;
    }
    if !text.contains('.') {
        if let Ok(value) = i32::try_from(value) {
            return Ok((SqlType::Int, Value::Int(value)));
        }
    }
    // At most 38, as just seen.
    let (precision, scale) = (digits.len().max(1) as u8, fraction.len() as u8);
    Ok((SqlType::Numeric { precision, scale }, Value::Numeric { value, scale }))
}

/// The digits after `0x`; an odd number of them gets a leading zero.
pub(crate) fn binary(digits: &str) -> (SqlType, Value) {
    let padded = if digits.len() % 2 == 1 { format!("0{digits}") } else { digits.to_string() };
    let bytes: Vec<u8> = padded
        .as_bytes()
        .chunks(2)
        .filter_map(|pair| {
            let high = char::from(pair[0]).to_digit(16)?;
            let low = char::from(pair[1]).to_digit(16)?;
            u8::try_from(high * 16 + low).ok()
        })
        .collect();
    let length = u16::try_from(bytes.len().max(1)).ok().filter(|n| *n <= 8000);
    (SqlType::VarBinary(length), Value::Binary(bytes))
}

pub(crate) fn text(value: String, unicode: bool) -> (SqlType, Value) {
    let longest = if unicode { 4000 } else { 8000 };
    let length = u16::try_from(length_of(&value).max(1)).ok().filter(|n| *n <= longest);
    let data_type = if unicode { SqlType::NVarChar(length) } else { SqlType::VarChar(length) };
    (data_type, Value::String(value))
}

/// Length in UTF-16 units, as SQL Server counts.
pub(crate) fn length_of(text: &str) -> usize {
    text.encode_utf16().count()
}

/// The first `length` UTF-16 units; a character beyond 16 bits is never cut in two.
pub(crate) fn cut(text: &str, length: usize) -> &str {
    let mut units = 0;
    for (index, c) in text.char_indices() {
        units += c.len_utf16();
        if units > length {
            return &text[..index];
        }
    }
    text
}
