//! Which type an expression has when its parts have different ones.

use crate::error::SqlError;
use crate::types::SqlType;

/// T-SQL's precedence; the lower one is converted to the higher.
///
/// # Source
/// "Data type precedence (Transact-SQL)".
fn precedence(data_type: SqlType) -> u8 {
    match data_type {
        SqlType::Variant => 18,
        SqlType::DateTime2 { .. } => 17,
        SqlType::DateTime => 16,
        SqlType::Date => 15,
        SqlType::Float => 14,
        SqlType::Real => 13,
        SqlType::Numeric { .. } => 12,
        SqlType::BigInt => 11,
        SqlType::Int => 10,
        SqlType::SmallInt => 9,
        SqlType::TinyInt => 8,
        SqlType::Bit => 7,
        SqlType::UniqueIdentifier => 6,
        SqlType::NVarChar(_) => 5,
        SqlType::NChar(_) => 4,
        SqlType::VarChar(_) => 3,
        SqlType::Char(_) => 2,
        SqlType::VarBinary(_) => 1,
        SqlType::Binary(_) => 0,
    }
}

/// Precision and scale of a numeric, or of the numeric that holds an integer kind.
pub(super) fn digits(data_type: SqlType) -> Option<(u8, u8)> {
    Some(match data_type {
        SqlType::Numeric { precision, scale } => (precision, scale),
        SqlType::BigInt => (19, 0),
        SqlType::Int => (10, 0),
        SqlType::SmallInt => (5, 0),
        SqlType::TinyInt => (3, 0),
        SqlType::Bit => (1, 0),
        _ => return None,
    })
}

/// Length in characters or bytes; `None` for max.
pub(super) fn length(data_type: SqlType) -> Option<u32> {
    match data_type {
        SqlType::NVarChar(n) | SqlType::VarChar(n) | SqlType::VarBinary(n) => n.map(u32::from),
        SqlType::NChar(n) | SqlType::Char(n) | SqlType::Binary(n) => Some(u32::from(n)),
        _ => Some(0),
    }
}

/// A string type for text of `length` characters: at most 4000 or 8000, or max when one part is max.
pub(super) fn string_of(unicode: bool, length: Option<u32>) -> SqlType {
    if unicode {
        SqlType::NVarChar(length.map(|n| n.clamp(1, 4000) as u16))
    } else {
        SqlType::VarChar(length.map(|n| n.clamp(1, 8000) as u16))
    }
}

/// A numeric type; beyond 38 digits the fraction gives way, down to six digits.
pub(super) fn numeric(precision: u32, scale: u32) -> SqlType {
    if precision <= 38 {
        return SqlType::Numeric { precision: precision as u8, scale: scale as u8 };
    }
    let whole = precision - scale;
    let scale = scale.min(38u32.saturating_sub(whole).max(scale.min(6)));
    SqlType::Numeric { precision: 38, scale: scale as u8 }
}

/// The type to which both sides of a comparison, or both branches of a CASE, are converted.
///
/// # Errors
/// 206 for types that do not go together.
pub(super) fn common(left: SqlType, right: SqlType) -> Result<SqlType, SqlError> {
    if left == right {
        return Ok(left);
    }
    let (high, low) = if precedence(left) >= precedence(right) { (left, right) } else { (right, left) };
    let clash = |from: SqlType, to: SqlType| {
        SqlError::new(
            206,
            16,
            format!("Operand type clash: {} is incompatible with {}", from.base_name(), to.base_name()),
        )
        .with_state(2)
    };
    Ok(match high {
        SqlType::Numeric { .. } => {
            let ((p1, s1), Some((p2, s2))) = (digits(high).unwrap_or((38, 0)), digits(low)) else {
                return Ok(high);
            };
            let scale = s1.max(s2);
            let whole = (p1 - s1).max(p2 - s2);
            numeric(u32::from(whole) + u32::from(scale), u32::from(scale))
        }
        SqlType::UniqueIdentifier if !low.is_string() && !low.is_binary() => {
            return Err(clash(low, high));
        }
        kind if kind.is_string() => {
            let longest = match (length(high), length(low)) {
                (Some(a), Some(b)) => Some(a.max(b)),
                _ => None,
            };
            let fixed = matches!(low, SqlType::NChar(_) | SqlType::Char(_));
            match (kind, longest) {
                (SqlType::NChar(_), Some(n)) if fixed => SqlType::NChar(n as u16),
                (SqlType::Char(_), Some(n)) if fixed => SqlType::Char(n as u16),
                _ => string_of(high.is_unicode(), longest),
            }
        }
        SqlType::VarBinary(_) | SqlType::Binary(_) => match (length(high), length(low)) {
            (Some(a), Some(b)) => SqlType::VarBinary(Some(a.max(b) as u16)),
            _ => SqlType::VarBinary(None),
        },
        SqlType::DateTime2 { scale } => match low {
            SqlType::DateTime2 { scale: other } => SqlType::DateTime2 { scale: scale.max(other) },
            SqlType::DateTime => SqlType::DateTime2 { scale: 7 },
            low if low.is_number() => return Err(clash(low, high)),
            _ => high,
        },
        SqlType::Date if low.is_number() => return Err(clash(low, high)),
        _ => high,
    })
}

/// True when SQLite stores both types alike and every value of `from` fits `to`.
pub(super) fn same_storage(from: SqlType, to: SqlType) -> bool {
    if from == to {
        return true;
    }
    if from.is_integer() && to.is_integer() {
        return precedence(from) <= precedence(to);
    }
    match (from, to) {
        (SqlType::Numeric { precision: p1, scale: s1 }, SqlType::Numeric { precision: p2, scale: s2 }) => {
            s1 == s2 && p1 <= p2
        }
        (_, SqlType::NVarChar(n) | SqlType::VarChar(n)) if from.is_string() => match n {
            None => true,
            Some(n) => length(from).is_some_and(|have| have <= u32::from(n)),
        },
        (SqlType::VarBinary(_) | SqlType::Binary(_), SqlType::VarBinary(n)) => match n {
            None => true,
            Some(n) => length(from).is_some_and(|have| have <= u32::from(n)),
        },
        (SqlType::Real, SqlType::Float) => true,
        _ => false,
    }
}
