//! Functions on numbers, and NEWID.

use std::sync::Arc;

use uuid::Uuid;

use super::compiler::{strict, Compiler, Typed};
use super::function::wrong_count;
use super::typing::digits;
use crate::convert::{cast, pow10, round_to};
use crate::error::SqlError;
use crate::types::SqlType;
use crate::value::Value;

impl Compiler<'_> {
    pub(super) fn number_function(&mut self, name: &str, arguments: &[Typed]) -> Result<Option<Typed>, SqlError> {
        let typed = match (name, arguments) {
            ("ABS" | "SIGN", [number]) => {
                let number = self.as_number(number)?;
                let kind = number.data_type;
                let sign = name == "SIGN";
                let run = strict(move |v| one(&v[0], kind, sign));
                self.operation(name, vec![number], kind, run)
            }
            ("CEILING" | "FLOOR", [number]) => {
                let number = self.as_number(number)?;
                let up = name == "CEILING";
                let kind = number.data_type;
                let result = match kind {
                    SqlType::Numeric { precision, .. } => SqlType::Numeric { precision, scale: 0 },
                    other => other,
                };
                let run = strict(move |v| {
                    Ok(match &v[0] {
                        Value::Numeric { value, scale } => {
                            let unit = pow10(*scale);
                            let floor = value.div_euclid(unit);
                            let rest = value.rem_euclid(unit) != 0;
                            Value::Numeric { value: floor + i128::from(up && rest), scale: 0 }
                        }
                        Value::Float(n) => Value::Float(if up { n.ceil() } else { n.floor() }),
                        other => other.clone(),
                    })
                });
                self.operation(name, vec![number], result, run)
            }
            ("ROUND", [number, places, rest @ ..]) if rest.len() < 2 => {
                let number = self.as_number(number)?;
                let kind = number.data_type;
                let mut list = vec![number, self.implicit(places.clone(), SqlType::Int)?];
                if let [cut] = rest {
                    list.push(self.implicit(cut.clone(), SqlType::Int)?);
                }
                let run = strict(move |v| round(v, kind));
                self.operation(name, list, kind, run)
            }
            ("POWER", [base, exponent]) => {
                let result = self.as_number(base)?.data_type;
                let list = vec![
                    self.implicit(base.clone(), SqlType::Float)?,
                    self.implicit(exponent.clone(), SqlType::Float)?,
                ];
                let mode = self.mode();
                let run = strict(move |v| match v {
                    [Value::Float(a), Value::Float(b)] => cast(&Value::Float(a.powf(*b)), SqlType::Float, result, mode),
                    _ => Ok(Value::Null),
                });
                self.operation(&format!("{name} {result}"), list, result, run)
            }
            ("ISNUMERIC", [value]) => {
                let kind = value.data_type;
                let mode = self.mode();
                let run: super::compiler::Run = Arc::new(move |v| {
                    let number = match &v[0] {
                        Value::Null => false,
                        Value::String(text) if text.trim().is_empty() => false,
                        value => cast(value, kind, SqlType::Float, mode).is_ok() && !kind.is_date(),
                    };
                    Ok(Value::Int(i32::from(number)))
                });
                let mut typed = self.operation(name, vec![value.clone()], SqlType::Int, run);
                typed.nullable = false;
                typed
            }
            ("NEWID", []) => {
                let run: super::compiler::Run = Arc::new(|_| Ok(Value::Uuid(Uuid::new_v4())));
                self.call(name, Vec::new(), SqlType::UniqueIdentifier, run)
            }
            ("ABS" | "SIGN" | "CEILING" | "FLOOR" | "ISNUMERIC", _) => {
                return Err(wrong_count(name, "1"));
            }
            ("ROUND" | "POWER", _) => return Err(wrong_count(name, "2")),
            ("NEWID", _) => return Err(wrong_count(name, "0")),
            _ => return Ok(None),
        };
        Ok(Some(typed))
    }

    /// The argument as a number; text becomes a float.
    fn as_number(&mut self, typed: &Typed) -> Result<Typed, SqlError> {
        let to = match typed.data_type {
            kind if digits(kind).is_some() && kind != SqlType::Bit => kind,
            _ => SqlType::Float,
        };
        self.implicit(typed.clone(), to)
    }
}

/// ABS or SIGN of one number, in its own type.
fn one(value: &Value, kind: SqlType, sign: bool) -> Result<Value, SqlError> {
    if let Value::Float(n) = value {
        let signum = if *n == 0.0 { 0.0 } else { n.signum() };
        return Ok(Value::Float(if sign { signum } else { n.abs() }));
    }
    if let Value::Numeric { value, scale } = value {
        let value = if sign { value.signum() * pow10(*scale) } else { value.abs() };
        return Ok(Value::Numeric { value, scale: *scale });
    }
    let number = value.as_i128().unwrap_or(0);
    let number = if sign { number.signum() } else { number.abs() };
    in_type(number, kind)
}

fn in_type(number: i128, kind: SqlType) -> Result<Value, SqlError> {
    let whole = SqlType::Numeric { precision: 38, scale: 0 };
    let mode = crate::convert::Mode::implicit(crate::context::DateFormat::Mdy);
    cast(&Value::Numeric { value: number, scale: 0 }, whole, kind, mode)
}

fn round(values: &[Value], kind: SqlType) -> Result<Value, SqlError> {
    let places = values[1].as_i64().unwrap_or(0);
    let cut_off = values.get(2).and_then(Value::as_i64).unwrap_or(0) != 0;
    match &values[0] {
        Value::Numeric { value, scale } => {
            Ok(Value::Numeric { value: round_to(*value, *scale, places, cut_off), scale: *scale })
        }
        Value::Float(number) => {
            let unit = 10f64.powi(places.clamp(-300, 300) as i32);
            let scaled = number * unit;
            let whole = if cut_off { scaled.trunc() } else { scaled.round() };
            Ok(Value::Float(whole / unit))
        }
        other => in_type(round_to(other.as_i128().unwrap_or(0), 0, places, cut_off), kind),
    }
}
