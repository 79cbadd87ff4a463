//! `+ - * / %` and the bit operators, with T-SQL's result types.

use sqlparser::ast::BinaryOperator;

use super::compiler::{strict, Compiler, Typed};
use super::typing::{common, digits, length, numeric, string_of};
use crate::convert::{pow10, rescale};
use crate::error::SqlError;
use crate::types::SqlType;
use crate::value::{DateTime, Value};

fn name_of(op: &BinaryOperator) -> Option<(char, &'static str)> {
    Some(match op {
        BinaryOperator::Plus => ('+', "add"),
        BinaryOperator::Minus => ('-', "subtract"),
        BinaryOperator::Multiply => ('*', "multiply"),
        BinaryOperator::Divide => ('/', "divide"),
        BinaryOperator::Modulo => ('%', "modulo"),
        BinaryOperator::BitwiseAnd => ('&', "boolean AND"),
        BinaryOperator::BitwiseOr => ('|', "boolean OR"),
        BinaryOperator::BitwiseXor => ('^', "boolean XOR"),
        _ => return None,
    })
}

fn overflow(to: SqlType) -> SqlError {
    SqlError::new(8115, 16, format!("Arithmetic overflow error converting expression to data type {}.", to.base_name()))
        .with_state(2)
}

fn division_by_zero() -> SqlError {
    SqlError::new(8134, 16, "Divide by zero error encountered.")
}

fn invalid(data_type: SqlType, name: &str) -> SqlError {
    SqlError::new(8117, 16, format!("Operand data type {} is invalid for {name} operator.", data_type.base_name()))
}

pub(super) fn binary(
    compiler: &mut Compiler<'_>,
    left: Typed,
    op: &BinaryOperator,
    right: Typed,
) -> Result<Typed, SqlError> {
    let Some((symbol, name)) = name_of(op) else {
        return Err(SqlError::syntax(&op.to_string()));
    };
    let (left, right) = adopt_null(compiler, left, right)?;
    if symbol == '+' && left.data_type.is_string() && right.data_type.is_string() {
        return Ok(concatenate(compiler, left, right));
    }
    if symbol == '+' && left.data_type.is_binary() && right.data_type.is_binary() {
        return Err(SqlError::unknown("+ of binary values"));
    }
    let target = common(left.data_type, right.data_type)?;
    match target {
        SqlType::DateTime if matches!(symbol, '+' | '-') => dates(compiler, left, symbol, right),
        SqlType::Real | SqlType::Float if matches!(symbol, '+' | '-' | '*' | '/') => {
            floats(compiler, left, symbol, right, target)
        }
        SqlType::Numeric { .. } if matches!(symbol, '+' | '-' | '*' | '/' | '%') => {
            numerics(compiler, left, symbol, right)
        }
        // Two bits have no sum on a real server either.
        SqlType::Bit if !matches!(symbol, '&' | '|' | '^') => Err(invalid(target, name)),
        kind if kind.is_integer() => integers(compiler, left, symbol, right, target),
        kind => Err(invalid(kind, name)),
    }
}

/// The word NULL takes the type of the other side.
fn adopt_null(compiler: &mut Compiler<'_>, left: Typed, right: Typed) -> Result<(Typed, Typed), SqlError> {
    if left.null_literal && !right.null_literal {
        let left = compiler.constant(right.data_type, Value::Null);
        return Ok((left, right));
    }
    if right.null_literal && !left.null_literal {
        let right = compiler.constant(left.data_type, Value::Null);
        return Ok((left, right));
    }
    Ok((left, right))
}

fn concatenate(compiler: &mut Compiler<'_>, left: Typed, right: Typed) -> Typed {
    let unicode = left.data_type.is_unicode() || right.data_type.is_unicode();
    let total = match (length(left.data_type), length(right.data_type)) {
        (Some(a), Some(b)) => Some(a + b),
        _ => None,
    };
    let result = string_of(unicode, total);
    let run = strict(move |values| match values {
        [Value::String(a), Value::String(b)] => {
            Ok(Value::String(crate::convert::pad_or_cut(format!("{a}{b}"), result)))
        }
        _ => Ok(Value::Null),
    });
    let nullable = left.nullable || right.nullable;
    let mut typed = compiler.operation("+", vec![left, right], result, run);
    typed.nullable = nullable;
    typed
}

fn dates(compiler: &mut Compiler<'_>, left: Typed, symbol: char, right: Typed) -> Result<Typed, SqlError> {
    let as_datetime = |compiler: &mut Compiler<'_>, typed: Typed| {
        let mode = compiler.mode();
        compiler.explicit(typed, SqlType::DateTime, mode, false)
    };
    let left = as_datetime(compiler, left)?;
    let right = as_datetime(compiler, right)?;
    let run = strict(move |values| match values {
        [Value::DateTime(a), Value::DateTime(b)] => {
            let (a, b) = (a.total_ticks(), b.total_ticks());
            let total = if symbol == '+' { a + b } else { a - b };
            DateTime::from_total_ticks(total).map(Value::DateTime).ok_or_else(|| overflow(SqlType::DateTime))
        }
        _ => Ok(Value::Null),
    });
    Ok(compiler.operation(&symbol.to_string(), vec![left, right], SqlType::DateTime, run))
}

fn floats(
    compiler: &mut Compiler<'_>,
    left: Typed,
    symbol: char,
    right: Typed,
    target: SqlType,
) -> Result<Typed, SqlError> {
    let left = compiler.implicit(left, SqlType::Float)?;
    let right = compiler.implicit(right, SqlType::Float)?;
    let run = strict(move |values| {
        let [Value::Float(a), Value::Float(b)] = values else {
            return Ok(Value::Null);
        };
        if symbol == '/' && *b == 0.0 {
            return Err(division_by_zero());
        }
        let number = match symbol {
            '+' => a + b,
            '-' => a - b,
            '*' => a * b,
            _ => a / b,
        };
        if !number.is_finite() {
            return Err(overflow(target));
        }
        Ok(match target {
            SqlType::Real => Value::Real(number as f32),
            _ => Value::Float(number),
        })
    });
    Ok(compiler.operation(&symbol.to_string(), vec![left, right], target, run))
}

fn integers(
    compiler: &mut Compiler<'_>,
    left: Typed,
    symbol: char,
    right: Typed,
    target: SqlType,
) -> Result<Typed, SqlError> {
    let left = compiler.implicit(left, target)?;
    let right = compiler.implicit(right, target)?;
    let nullable = left.nullable || right.nullable;
    let run = strict(move |values| {
        let (Some(a), Some(b)) = (values[0].as_i128(), values[1].as_i128()) else {
            return Ok(Value::Null);
        };
        if b == 0 && matches!(symbol, '/' | '%') {
            return Err(division_by_zero());
        }
        let number = match symbol {
            '+' => a + b,
            '-' => a - b,
            '*' => a * b,
            '/' => a / b,
            '%' => a % b,
            '&' => a & b,
            '|' => a | b,
            _ => a ^ b,
        };
        let found = match target {
            SqlType::Bit => Some(Value::Bit(number != 0)),
            SqlType::TinyInt => u8::try_from(number).ok().map(Value::TinyInt),
            SqlType::SmallInt => i16::try_from(number).ok().map(Value::SmallInt),
            SqlType::Int => i32::try_from(number).ok().map(Value::Int),
            _ => i64::try_from(number).ok().map(Value::BigInt),
        };
        found.ok_or_else(|| overflow(target))
    });
    let mut typed = compiler.operation(&symbol.to_string(), vec![left, right], target, run);
    typed.nullable = nullable;
    Ok(typed)
}

/// The numeric type of an operand that is a numeric, an integer or text.
fn as_numeric(data_type: SqlType, other: SqlType) -> (u8, u8) {
    digits(data_type).or_else(|| digits(other)).unwrap_or((38, 0))
}

fn numerics(compiler: &mut Compiler<'_>, left: Typed, symbol: char, right: Typed) -> Result<Typed, SqlError> {
    let (p1, s1) = as_numeric(left.data_type, right.data_type);
    let (p2, s2) = as_numeric(right.data_type, left.data_type);
    let exact = |precision: u8, scale: u8| SqlType::Numeric { precision, scale };
    let left = compiler.implicit(left, exact(p1, s1))?;
    let right = compiler.implicit(right, exact(p2, s2))?;
    let (wp1, ws1, wp2, ws2) = (u32::from(p1), u32::from(s1), u32::from(p2), u32::from(s2));
    // "Precision, scale, and length (Transact-SQL)" has these formulas.
    let result = match symbol {
        '+' | '-' => {
            let scale = ws1.max(ws2);
            numeric((wp1 - ws1).max(wp2 - ws2) + scale + 1, scale)
        }
        '*' => numeric(wp1 + wp2 + 1, ws1 + ws2),
        '/' => {
            let scale = 6.max(ws1 + wp2 + 1);
            numeric(wp1 - ws1 + ws2 + scale, scale)
        }
        _ => {
            let scale = ws1.max(ws2);
            numeric((wp1 - ws1).min(wp2 - ws2) + scale, scale)
        }
    };
    let (_, scale) = digits(result).unwrap_or((38, 0));
    let nullable = left.nullable || right.nullable;
    let run = strict(move |values| {
        let [Value::Numeric { value: a, .. }, Value::Numeric { value: b, .. }] = values else {
            return Ok(Value::Null);
        };
        if *b == 0 && matches!(symbol, '/' | '%') {
            return Err(division_by_zero());
        }
        let aligned = s1.max(s2);
        let both = rescale(*a, s1, aligned).zip(rescale(*b, s2, aligned));
        let found = match symbol {
            '+' => both.and_then(|(a, b)| a.checked_add(b)).and_then(|n| rescale(n, aligned, scale)),
            '-' => both.and_then(|(a, b)| a.checked_sub(b)).and_then(|n| rescale(n, aligned, scale)),
            '*' => a.checked_mul(*b).and_then(|n| rescale(n, s1 + s2, scale)),
            '%' => both.map(|(a, b)| a % b).and_then(|n| rescale(n, aligned, scale)),
            _ => divide(*a, s1, *b, s2, scale),
        };
        found
            .filter(|value| value.abs() < pow10(38))
            .map(|value| Value::Numeric { value, scale })
            .ok_or_else(|| overflow(SqlType::LSN))
    });
    let mut typed = compiler.operation(&symbol.to_string(), vec![left, right], result, run);
    typed.nullable = nullable;
    Ok(typed)
}

/// Divides to `scale` digits, cut off: a whole part first, so that long numbers do not outgrow 128 bits.
fn divide(a: i128, s1: u8, b: i128, s2: u8, scale: u8) -> Option<i128> {
    let up = i32::from(scale) + i32::from(s2) - i32::from(s1);
    if up < 0 {
        return Some(a / b / pow10(u8::try_from(-up).ok()?));
    }
    let (mut result, mut rest) = (a / b, a % b);
    for _ in 0..up {
        rest = rest.checked_mul(10)?;
        result = result.checked_mul(10)?.checked_add(rest / b)?;
        rest %= b;
    }
    Some(result)
}

pub(super) fn negate(compiler: &mut Compiler<'_>, typed: Typed) -> Result<Typed, SqlError> {
    let kind = typed.data_type;
    if !kind.is_number() || kind == SqlType::Bit {
        return Err(invalid(kind, "minus"));
    }
    let nullable = typed.nullable;
    let run = strict(move |values| {
        let found = match &values[0] {
            Value::Numeric { value, scale } => Some(Value::Numeric { value: -value, scale: *scale }),
            Value::Float(n) => Some(Value::Float(-n)),
            Value::Real(n) => Some(Value::Real(-n)),
            Value::TinyInt(0) => Some(Value::TinyInt(0)),
            Value::SmallInt(n) => n.checked_neg().map(Value::SmallInt),
            Value::Int(n) => n.checked_neg().map(Value::Int),
            Value::BigInt(n) => n.checked_neg().map(Value::BigInt),
            _ => None,
        };
        found.ok_or_else(|| overflow(kind))
    });
    let mut typed = compiler.operation("negate", vec![typed], kind, run);
    typed.nullable = nullable;
    Ok(typed)
}
