//! Functions on text.

use super::compiler::{strict, Compiler, Typed};
use super::function::wrong_count;
use super::pattern;
use super::run::{compare_binary, compare_ci};
use super::typing::{length, string_of};
use crate::context::Collation;
use crate::convert::{literal, pad_or_cut, to_text};
use crate::error::SqlError;
use crate::types::SqlType;
use crate::value::Value;

type Units = Vec<u16>;

fn units(value: &Value) -> Units {
    value.as_str().unwrap_or_default().encode_utf16().collect()
}

fn text_of(units: &[u16]) -> Value {
    Value::String(String::from_utf16_lossy(units))
}

fn whole(value: &Value) -> i64 {
    value.as_i64().unwrap_or(0)
}

/// 537 and 536: a negative length.
fn bad_length(name: &str) -> SqlError {
    SqlError::new(537, 16, format!("Invalid length parameter passed to the {name} function.")).with_state(2)
}

impl Compiler<'_> {
    /// The argument as text; numbers and dates are converted as an assignment would.
    fn as_text(&mut self, typed: &Typed) -> Result<Typed, SqlError> {
        if typed.data_type.is_string() && !typed.null_literal {
            return Ok(typed.clone());
        }
        self.implicit(typed.clone(), SqlType::NVarChar(Some(4000)))
    }

    fn as_int(&mut self, typed: &Typed) -> Result<Typed, SqlError> {
        self.implicit(typed.clone(), SqlType::Int)
    }

    pub(super) fn text_function(&mut self, name: &str, arguments: &[Typed]) -> Result<Option<Typed>, SqlError> {
        let typed = match (name, arguments) {
            ("LEN", [text]) => {
                let text = self.as_text(text)?;
                let run = strict(|v| {
                    let kept = v[0].as_str().unwrap_or_default().trim_end_matches(' ');
                    Ok(Value::Int(literal::length_of(kept) as i32))
                });
                self.operation(name, vec![text], SqlType::Int, run)
            }
            ("DATALENGTH", [value]) => self.data_length(value),
            ("LEFT" | "RIGHT", [text, count]) => {
                let (text, count) = (self.as_text(text)?, self.as_int(count)?);
                let left = name == "LEFT";
                let result = varying(text.data_type);
                let called = name.to_lowercase();
                let run = strict(move |v| {
                    let text = units(&v[0]);
                    let count = usize::try_from(whole(&v[1])).map_err(|_| bad_length(&called))?;
                    let count = count.min(text.len());
                    Ok(text_of(if left { &text[..count] } else { &text[text.len() - count..] }))
                });
                self.operation(name, vec![text, count], result, run)
            }
            ("SUBSTRING", [text, start, count]) => {
                if text.data_type.is_binary() {
                    return Err(SqlError::unknown("SUBSTRING of binary values"));
                }
                let text = self.as_text(text)?;
                let (start, count) = (self.as_int(start)?, self.as_int(count)?);
                let result = varying(text.data_type);
                let run = strict(|v| {
                    let text = units(&v[0]);
                    let (start, count) = (whole(&v[1]), whole(&v[2]));
                    if count < 0 {
                        return Err(bad_length("SUBSTRING"));
                    }
                    let limit = text.len() as i64;
                    let from = (start - 1).clamp(0, limit) as usize;
                    let to = (start - 1 + count).clamp(0, limit) as usize;
                    Ok(text_of(text.get(from..to).unwrap_or_default()))
                });
                self.operation(name, vec![text, start, count], result, run)
            }
            ("CHARINDEX", [wanted, text, rest @ ..]) if rest.len() < 2 => {
                let binary = self.compares_binary(&[wanted, text]);
                let mut list = vec![self.as_text(wanted)?, self.as_text(text)?];
                if let [start] = rest {
                    list.push(self.as_int(start)?);
                }
                let run = strict(move |v| {
                    let start = v.get(2).map_or(1, whole).max(1) as usize - 1;
                    Ok(Value::Int(find(&v[1], &v[0], start, binary).map_or(0, |p| p as i32 + 1)))
                });
                self.operation(&format!("{name} {binary}"), list, SqlType::Int, run)
            }
            ("PATINDEX", [wanted, text]) => {
                let binary = self.compares_binary(&[wanted, text]);
                let list = vec![self.as_text(wanted)?, self.as_text(text)?];
                let run = strict(move |v| {
                    let (wanted, text) = (v[0].as_str(), v[1].as_str());
                    let found = pattern::index(text.unwrap_or_default(), wanted.unwrap_or_default(), !binary);
                    Ok(Value::Int(found as i32))
                });
                self.operation(&format!("{name} {binary}"), list, SqlType::Int, run)
            }
            ("REPLACE", [text, wanted, by]) => {
                let binary = self.compares_binary(&[text, wanted]);
                let list = vec![self.as_text(text)?, self.as_text(wanted)?, self.as_text(by)?];
                let unicode = list.iter().any(|typed| typed.data_type.is_unicode());
                let longest = if unicode { 4000 } else { 8000 };
                let room = length(list[0].data_type).map(|_| longest);
                let result = string_of(unicode, room);
                let run = strict(move |v| Ok(replace(&v[0], &v[1], &v[2], binary)));
                self.operation(&format!("{name} {binary}"), list, result, run)
            }
            ("UPPER" | "LOWER" | "LTRIM" | "RTRIM" | "TRIM" | "REVERSE", [text]) => {
                let text = self.as_text(text)?;
                let result = varying(text.data_type);
                let called = name.to_string();
                let run = strict(move |v| {
                    let text = v[0].as_str().unwrap_or_default();
                    Ok(Value::String(match called.as_str() {
                        "UPPER" => text.to_uppercase(),
                        "LOWER" => text.to_lowercase(),
                        "LTRIM" => text.trim_start_matches(' ').to_string(),
                        "RTRIM" => text.trim_end_matches(' ').to_string(),
                        "TRIM" => text.trim_matches(' ').to_string(),
                        _ => text.chars().rev().collect(),
                    }))
                });
                self.operation(name, vec![text], result, run)
            }
            ("REPLICATE", [text, count]) => {
                let (text, count) = (self.as_text(text)?, self.as_int(count)?);
                let result = string_of(text.data_type.is_unicode(), Some(8000));
                let run = strict(move |v| {
                    let text = v[0].as_str().unwrap_or_default();
                    let Ok(count) = usize::try_from(whole(&v[1])) else {
                        return Ok(Value::Null);
                    };
                    // 8000 characters are the most that the result holds.
                    let count = count.min(8000 / text.len().max(1) + 1);
                    Ok(Value::String(pad_or_cut(text.repeat(count), result)))
                });
                self.operation(name, vec![text, count], result, run)
            }
            ("SPACE", [count]) => {
                let count = self.as_int(count)?;
                let run = strict(|v| {
                    Ok(usize::try_from(whole(&v[0]))
                        .map_or(Value::Null, |count| Value::String(" ".repeat(count.min(8000)))))
                });
                self.operation(name, vec![count], SqlType::VarChar(Some(8000)), run)
            }
            ("STUFF", [text, start, count, by]) => {
                let list = vec![self.as_text(text)?, self.as_int(start)?, self.as_int(count)?, self.as_text(by)?];
                let result = string_of(list[0].data_type.is_unicode(), Some(8000));
                let run = strict(|v| {
                    let mut text = units(&v[0]);
                    let (start, count) = (whole(&v[1]), whole(&v[2]));
                    if start < 1 || count < 0 || start as usize > text.len() {
                        return Ok(Value::Null);
                    }
                    let from = start as usize - 1;
                    let to = text.len().min(from.saturating_add(count as usize));
                    text.splice(from..to, units(&v[3]));
                    Ok(text_of(&text))
                });
                self.operation(name, list, result, run)
            }
            ("STR", [number, rest @ ..]) if rest.len() < 3 => self.str_function(number, rest)?,
            ("QUOTENAME", [text, rest @ ..]) if rest.len() < 2 => {
                let mut list = vec![self.as_text(text)?];
                for quote in rest {
                    list.push(self.as_text(quote)?);
                }
                let run = strict(|v| Ok(quote_name(&v[0], v.get(1))));
                self.operation(name, list, SqlType::NVarChar(Some(258)), run)
            }
            ("PARSENAME", [text, part]) => {
                let list = vec![self.as_text(text)?, self.as_int(part)?];
                let run = strict(|v| {
                    let text = v[0].as_str().unwrap_or_default();
                    let part = usize::try_from(whole(&v[1])).unwrap_or(0);
                    let found = part.checked_sub(1).and_then(|p| text.rsplit('.').nth(p));
                    Ok(found.map_or(Value::Null, |text| Value::text(text.trim_matches(['[', ']', '"']))))
                });
                self.operation(name, list, SqlType::SYSNAME, run)
            }
            ("CHAR" | "NCHAR", [code]) => {
                let code = self.as_int(code)?;
                let (last, result) = if name == "CHAR" { (255, SqlType::Char(1)) } else { (65_535, SqlType::NChar(1)) };
                let run = strict(move |v| {
                    let code = u32::try_from(whole(&v[0])).ok().filter(|code| *code <= last);
                    Ok(code.and_then(char::from_u32).map_or(Value::Null, |c| Value::String(c.to_string())))
                });
                self.operation(name, vec![code], result, run)
            }
            ("ASCII" | "UNICODE", [text]) => {
                let text = self.as_text(text)?;
                let run = strict(|v| {
                    let first = units(&v[0]).first().copied();
                    Ok(first.map_or(Value::Null, |unit| Value::Int(i32::from(unit))))
                });
                self.operation(name, vec![text], SqlType::Int, run)
            }
            ("CONCAT", list) if list.len() >= 2 => {
                let unicode = list.iter().any(|typed| typed.data_type.is_unicode());
                let types: Vec<SqlType> = list.iter().map(|typed| typed.data_type).collect();
                let result = string_of(unicode, Some(8000));
                let run = std::sync::Arc::new(move |v: &[Value]| {
                    let mut all = String::new();
                    for (value, data_type) in v.iter().zip(&types) {
                        all.push_str(&to_text(value, *data_type, unicode, 0)?);
                    }
                    Ok(Value::String(pad_or_cut(all, result)))
                });
                let mut typed = self.operation(name, list.to_vec(), result, run);
                typed.nullable = false;
                typed
            }
            (
                "LEN" | "DATALENGTH" | "LEFT" | "RIGHT" | "SUBSTRING" | "CHARINDEX" | "PATINDEX" | "REPLACE" | "UPPER"
                | "LOWER" | "LTRIM" | "RTRIM" | "TRIM" | "REVERSE" | "REPLICATE" | "SPACE" | "STUFF" | "STR"
                | "QUOTENAME" | "PARSENAME" | "CHAR" | "NCHAR" | "ASCII" | "UNICODE" | "CONCAT",
                _,
            ) => {
                let wanted = match name {
                    "LEFT" | "RIGHT" | "PATINDEX" | "REPLICATE" | "PARSENAME" => "2",
                    "SUBSTRING" | "REPLACE" => "3",
                    "STUFF" => "4",
                    "CHARINDEX" | "CONCAT" => "2 or more",
                    _ => "1",
                };
                return Err(wrong_count(name, wanted));
            }
            _ => return Ok(None),
        };
        Ok(Some(typed))
    }

    fn compares_binary(&self, arguments: &[&Typed]) -> bool {
        let collation = arguments.iter().find_map(|typed| typed.collation);
        collation.unwrap_or(self.context.collation) == Collation::Binary
    }

    fn data_length(&mut self, value: &Typed) -> Typed {
        let data_type = value.data_type;
        let run = strict(move |v| {
            let bytes = match (&v[0], data_type) {
                (Value::String(text), kind) if kind.is_unicode() => 2 * literal::length_of(text),
                (Value::String(text), _) => text.chars().count(),
                (Value::Binary(bytes), _) => bytes.len(),
                (_, SqlType::Bit | SqlType::TinyInt) => 1,
                (_, SqlType::SmallInt) => 2,
                (_, SqlType::Int | SqlType::Real) => 4,
                (_, SqlType::Date) => 3,
                (_, SqlType::UniqueIdentifier) => 16,
                (_, SqlType::Numeric { precision, .. }) => match precision {
                    0..=9 => 5,
                    10..=19 => 9,
                    20..=28 => 13,
                    _ => 17,
                },
                _ => 8,
            };
            Ok(Value::Int(bytes as i32))
        });
        self.operation("DATALENGTH", vec![value.clone()], SqlType::Int, run)
    }

    /// STR: a number right-aligned in `length` (10) places, with `decimals` (0); stars when it does not fit.
    fn str_function(&mut self, number: &Typed, rest: &[Typed]) -> Result<Typed, SqlError> {
        let mut list = vec![self.implicit(number.clone(), SqlType::Float)?];
        for argument in rest {
            list.push(self.as_int(argument)?);
        }
        let known = rest.first().and_then(|typed| typed.constant.as_ref());
        let room = known.map_or(Some(10), Value::as_i64).unwrap_or(8000);
        let result = SqlType::VarChar(Some(room.clamp(1, 8000) as u16));
        let run = strict(|v| {
            let Value::Float(number) = v[0] else {
                return Ok(Value::Null);
            };
            let length = v.get(1).map_or(10, whole).clamp(0, 8000) as usize;
            let decimals = v.get(2).map_or(0, whole).clamp(0, 16) as usize;
            // Halves go away from zero here, unlike in Rust's formatting.
            let unit = 10f64.powi(decimals as i32);
            let rounded = (number * unit).round() / unit;
            let text = format!("{rounded:.decimals$}");
            Ok(Value::String(if text.len() > length { "*".repeat(length) } else { format!("{text:>length$}") }))
        });
        Ok(self.operation("STR", list, result, run))
    }
}

/// The same length, not filled with blanks.
fn varying(data_type: SqlType) -> SqlType {
    string_of(data_type.is_unicode(), length(data_type))
}

fn same(left: &str, right: &str, binary: bool) -> bool {
    // Blanks count when looking inside a text, so a sign stands guard behind them.
    let (left, right) = (format!("{left}|"), format!("{right}|"));
    if binary {
        compare_binary(&left, &right).is_eq()
    } else {
        compare_ci(&left, &right).is_eq()
    }
}

/// The place of `wanted` in UTF-16 units, from `start` on.
fn find(text: &Value, wanted: &Value, start: usize, binary: bool) -> Option<usize> {
    let (text, wanted) = (units(text), units(wanted));
    if wanted.is_empty() || wanted.len() > text.len() {
        return None;
    }
    let needle = String::from_utf16_lossy(&wanted);
    (start..=text.len() - wanted.len()).find(|place| {
        let part = String::from_utf16_lossy(&text[*place..place + wanted.len()]);
        same(&part, &needle, binary)
    })
}

fn replace(text: &Value, wanted: &Value, by: &Value, binary: bool) -> Value {
    let source = units(text);
    let (skip, insert) = (units(wanted).len(), units(by));
    let mut result = Units::new();
    let mut place = 0;
    while let Some(found) = find(text, wanted, place, binary) {
        result.extend(&source[place..found]);
        result.extend(&insert);
        place = found + skip;
    }
    result.extend(&source[place..]);
    text_of(&result)
}

fn quote_name(text: &Value, quote: Option<&Value>) -> Value {
    let text = text.as_str().unwrap_or_default();
    if literal::length_of(text) > 128 {
        return Value::Null;
    }
    let quote = quote.and_then(|quote| quote.as_str()).unwrap_or("[");
    let (open, close) = match quote {
        "[" | "]" => ('[', ']'),
        "'" => ('\'', '\''),
        "\"" => ('"', '"'),
        "(" | ")" => ('(', ')'),
        "{" | "}" => ('{', '}'),
        "<" | ">" => ('<', '>'),
        _ => return Value::Null,
    };
    let doubled = text.replace(close, &format!("{close}{close}"));
    Value::String(format!("{open}{doubled}{close}"))
}
