//! Functions on dates, and the clock.

use chrono::{Datelike, Duration, Months, NaiveDate, NaiveDateTime, Timelike};
use sqlparser::ast as sql;

use super::compiler::{strict, Compiler, Typed};
use super::function::wrong_count;
use crate::convert::cast;
use crate::error::SqlError;
use crate::types::SqlType;
use crate::value::{DateTime, Value};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Year,
    Quarter,
    Month,
    DayOfYear,
    Day,
    Week,
    Weekday,
    Hour,
    Minute,
    Second,
    Millisecond,
    Microsecond,
}

fn part_of(name: &str) -> Option<Part> {
    Some(match name.to_ascii_lowercase().as_str() {
        "year" | "yy" | "yyyy" => Part::Year,
        "quarter" | "qq" | "q" => Part::Quarter,
        "month" | "mm" | "m" => Part::Month,
        "dayofyear" | "dy" | "y" => Part::DayOfYear,
        "day" | "dd" | "d" => Part::Day,
        "week" | "wk" | "ww" => Part::Week,
        "weekday" | "dw" => Part::Weekday,
        "hour" | "hh" => Part::Hour,
        "minute" | "mi" | "n" => Part::Minute,
        "second" | "ss" | "s" => Part::Second,
        "millisecond" | "ms" => Part::Millisecond,
        "microsecond" | "mcs" => Part::Microsecond,
        _ => return None,
    })
}

fn moment(value: &Value) -> Option<NaiveDateTime> {
    Some(match value {
        Value::DateTime(value) => value.to_naive(),
        Value::DateTime2(value) => *value,
        Value::Date(value) => value.and_time(chrono::NaiveTime::MIN),
        _ => return None,
    })
}

fn epoch() -> NaiveDate {
    NaiveDate::from_ymd_opt(1900, 1, 1).unwrap_or_default()
}

/// The number of borders of `part` between the two moments, as DATEDIFF counts.
fn difference(part: Part, from: NaiveDateTime, to: NaiveDateTime) -> i128 {
    let micros = |at: NaiveDateTime| {
        let day = (at.date() - epoch()).num_days();
        let seconds = i128::from(day) * 86_400 + i128::from(at.num_seconds_from_midnight());
        seconds * 1_000_000 + i128::from(at.nanosecond() % 1_000_000_000) / 1000
    };
    let months = |at: NaiveDateTime| i128::from(at.year()) * 12 + i128::from(at.month0());
    let count = |at: NaiveDateTime| match part {
        Part::Year => i128::from(at.year()),
        Part::Quarter => months(at).div_euclid(3),
        Part::Month => months(at),
        Part::Day | Part::DayOfYear | Part::Weekday => micros(at).div_euclid(86_400_000_000),
        // 1900-01-01 was a Monday; weeks change on Sunday.
        Part::Week => (micros(at).div_euclid(86_400_000_000) + 1).div_euclid(7),
        Part::Hour => micros(at).div_euclid(3_600_000_000),
        Part::Minute => micros(at).div_euclid(60_000_000),
        Part::Second => micros(at).div_euclid(1_000_000),
        Part::Millisecond => micros(at).div_euclid(1000),
        Part::Microsecond => micros(at),
    };
    count(to) - count(from)
}

fn add(part: Part, count: i64, at: NaiveDateTime) -> Option<NaiveDateTime> {
    let months = |each: i64| {
        let total = count.checked_mul(each)?;
        let step = Months::new(u32::try_from(total.unsigned_abs()).ok()?);
        if total < 0 {
            at.checked_sub_months(step)
        } else {
            at.checked_add_months(step)
        }
    };
    let step = match part {
        Part::Year => return months(12),
        Part::Quarter => return months(3),
        Part::Month => return months(1),
        Part::Day | Part::DayOfYear | Part::Weekday => Duration::try_days(count)?,
        Part::Week => Duration::try_weeks(count)?,
        Part::Hour => Duration::try_hours(count)?,
        Part::Minute => Duration::try_minutes(count)?,
        Part::Second => Duration::try_seconds(count)?,
        Part::Millisecond => Duration::try_milliseconds(count)?,
        Part::Microsecond => Duration::microseconds(count),
    };
    at.checked_add_signed(step)
}

fn take(part: Part, at: NaiveDateTime) -> i64 {
    match part {
        Part::Year => i64::from(at.year()),
        Part::Quarter => i64::from(at.month0() / 3 + 1),
        Part::Month => i64::from(at.month()),
        Part::DayOfYear => i64::from(at.ordinal()),
        Part::Day => i64::from(at.day()),
        Part::Week => i64::from((at.ordinal0() + first_weekday(at)) / 7 + 1),
        Part::Weekday => i64::from(at.weekday().num_days_from_sunday() + 1),
        Part::Hour => i64::from(at.hour()),
        Part::Minute => i64::from(at.minute()),
        Part::Second => i64::from(at.second()),
        Part::Millisecond => i64::from(at.nanosecond() / 1_000_000),
        Part::Microsecond => i64::from(at.nanosecond() / 1000),
    }
}

/// The weekday of January 1st, from Sunday on.
fn first_weekday(at: NaiveDateTime) -> u32 {
    NaiveDate::from_ymd_opt(at.year(), 1, 1).map_or(0, |day| day.weekday().num_days_from_sunday())
}

impl Compiler<'_> {
    pub(super) fn date_function(
        &mut self,
        name: &str,
        arguments: &[sql::FunctionArg],
    ) -> Result<Option<Typed>, SqlError> {
        let utc = self.context.now_utc;
        let local = utc + Duration::minutes(i64::from(self.context.local_offset_minutes));
        let precise = SqlType::DateTime2 { scale: 7 };
        let clock = match name {
            "GETDATE" | "CURRENT_TIMESTAMP" => Some((SqlType::DateTime, local)),
            "GETUTCDATE" => Some((SqlType::DateTime, utc)),
            "SYSDATETIME" => Some((precise, local)),
            "SYSUTCDATETIME" => Some((precise, utc)),
            _ => None,
        };
        if let Some((data_type, now)) = clock {
            if !arguments.is_empty() {
                return Err(wrong_count(name, "0"));
            }
            let value = match data_type {
                SqlType::DateTime => DateTime::from_naive(now).map_or(Value::Null, Value::DateTime),
                _ => Value::DateTime2(now),
            };
            return Ok(Some(self.constant(data_type, value)));
        }
        match name {
            "DATEDIFF" | "DATEDIFF_BIG" | "DATEADD" | "DATEPART" => {}
            "YEAR" | "MONTH" | "DAY" => {
                let typed = self.arguments(arguments)?;
                let [typed] = <[Typed; 1]>::try_from(typed).map_err(|_| wrong_count(name, "1"))?;
                let part = part_of(name).unwrap_or(Part::Year);
                return self.date_part(part, typed).map(Some);
            }
            "ISDATE" => return self.is_date(arguments).map(Some),
            _ => return Ok(None),
        }
        let [first, rest @ ..] = arguments else {
            return Err(wrong_count(name, "3"));
        };
        let word = match first {
            sql::FunctionArg::Unnamed(sql::FunctionArgExpr::Expr(sql::Expr::Identifier(ident))) => ident.value.as_str(),
            _ => {
                return Err(SqlError::new(
                    1023,
                    15,
                    format!("Invalid parameter 1 specified for {}.", name.to_lowercase()),
                ))
            }
        };
        let part = part_of(word).ok_or_else(|| {
            SqlError::new(155, 15, format!("'{word}' is not a recognized {} option.", name.to_lowercase()))
        })?;
        let rest = self.arguments(rest)?;
        let typed = match (name, rest.len()) {
            ("DATEPART", 1) => {
                let [typed] = <[Typed; 1]>::try_from(rest).map_err(|_| wrong_count(name, "2"))?;
                self.date_part(part, typed)?
            }
            ("DATEADD", 2) => {
                let [count, date] = <[Typed; 2]>::try_from(rest).map_err(|_| wrong_count(name, "3"))?;
                self.date_add(part, count, date)?
            }
            ("DATEDIFF" | "DATEDIFF_BIG", 2) => {
                let [from, to] = <[Typed; 2]>::try_from(rest).map_err(|_| wrong_count(name, "3"))?;
                self.date_diff(name, part, from, to)?
            }
            ("DATEPART", _) => return Err(wrong_count(name, "2")),
            _ => return Err(wrong_count(name, "3")),
        };
        Ok(Some(typed))
    }

    /// The argument as a date; text and numbers become `datetime`.
    fn as_date(&mut self, typed: Typed) -> Result<Typed, SqlError> {
        if typed.data_type.is_date() {
            return Ok(typed);
        }
        if typed.null_literal {
            return Ok(self.constant(SqlType::DateTime, Value::Null));
        }
        let mode = self.mode();
        self.explicit(typed, SqlType::DateTime, mode, false)
    }

    fn date_part(&mut self, part: Part, typed: Typed) -> Result<Typed, SqlError> {
        let typed = self.as_date(typed)?;
        let run = strict(move |v| Ok(moment(&v[0]).map_or(Value::Null, |at| Value::Int(take(part, at) as i32))));
        Ok(self.operation(&format!("DATEPART {part:?}"), vec![typed], SqlType::Int, run))
    }

    fn date_add(&mut self, part: Part, count: Typed, date: Typed) -> Result<Typed, SqlError> {
        let mode = self.mode();
        // A fraction in the count is cut off.
        let count = match count.data_type {
            SqlType::Numeric { .. } => {
                let run = strict(|v| {
                    let whole = v[0].as_i64().and_then(|n| i32::try_from(n).ok());
                    whole.map(Value::Int).ok_or_else(|| {
                        SqlError::new(8115, 16, "Arithmetic overflow error converting expression to data type int.")
                            .with_state(2)
                    })
                });
                self.operation("whole part", vec![count], SqlType::Int, run)
            }
            _ if count.null_literal => self.constant(SqlType::Int, Value::Null),
            _ => self.explicit(count, SqlType::Int, mode, false)?,
        };
        let date = self.as_date(date)?;
        let data_type = date.data_type;
        if data_type == SqlType::Date && part_is_time(part) {
            return Err(SqlError::new(
                9810,
                16,
                format!(
                    "The datepart {} is not supported by date function dateadd for data type date.",
                    format!("{part:?}").to_lowercase()
                ),
            ));
        }
        let run = strict(move |v| {
            let overflow = || {
                SqlError::new(
                    517,
                    16,
                    format!("Adding a value to a '{}' column caused an overflow.", data_type.base_name()),
                )
            };
            let count = v[0].as_i64().unwrap_or(0);
            // Whole ticks added to a datetime would drift if they went through milliseconds.
            let found = match (&v[1], ticks(part)) {
                (Value::DateTime(at), Some(ticks)) => {
                    DateTime::from_total_ticks(at.total_ticks().saturating_add(ticks.saturating_mul(count)))
                        .map(Value::DateTime)
                }
                (value, _) => moment(value)
                    .and_then(|at| add(part, count, at))
                    .filter(|at| (1..=9999).contains(&at.year()))
                    .and_then(|at| match data_type {
                        SqlType::DateTime => DateTime::from_naive(at).map(Value::DateTime),
                        SqlType::Date => Some(Value::Date(at.date())),
                        _ => Some(Value::DateTime2(at)),
                    }),
            };
            found.ok_or_else(overflow)
        });
        Ok(self.operation(&format!("DATEADD {part:?}"), vec![count, date], data_type, run))
    }

    fn date_diff(&mut self, name: &str, part: Part, from: Typed, to: Typed) -> Result<Typed, SqlError> {
        let (from, to) = (self.as_date(from)?, self.as_date(to)?);
        let big = name == "DATEDIFF_BIG";
        let result = if big { SqlType::BigInt } else { SqlType::Int };
        let run = strict(move |v| {
            let (Some(from), Some(to)) = (moment(&v[0]), moment(&v[1])) else {
                return Ok(Value::Null);
            };
            let count = difference(part, from, to);
            let found = if big {
                i64::try_from(count).ok().map(Value::BigInt)
            } else {
                i32::try_from(count).ok().map(Value::Int)
            };
            found.ok_or_else(|| {
                SqlError::new(
                    535,
                    16,
                    "The datediff function resulted in an overflow. The number of dateparts separating two date/time instances is too large. Try to use datediff with a less precise datepart.",
                )
            })
        });
        Ok(self.operation(&format!("{name} {part:?}"), vec![from, to], result, run))
    }

    fn is_date(&mut self, arguments: &[sql::FunctionArg]) -> Result<Typed, SqlError> {
        let typed = self.arguments(arguments)?;
        let [typed] = <[Typed; 1]>::try_from(typed).map_err(|_| wrong_count("ISDATE", "1"))?;
        let (kind, mode) = (typed.data_type, self.mode());
        let run: super::compiler::Run = std::sync::Arc::new(move |v| {
            let date = !v[0].is_null() && cast(&v[0], kind, SqlType::DateTime, mode).is_ok();
            Ok(Value::Int(i32::from(date)))
        });
        Ok(self.operation("ISDATE", vec![typed], SqlType::Int, run))
    }
}

fn part_is_time(part: Part) -> bool {
    matches!(part, Part::Hour | Part::Minute | Part::Second | Part::Millisecond | Part::Microsecond)
}

/// A part in ticks of 1/300 s, where it has a whole number of them.
fn ticks(part: Part) -> Option<i64> {
    Some(match part {
        Part::Week => 7 * 86_400 * 300,
        Part::Day | Part::DayOfYear | Part::Weekday => 86_400 * 300,
        Part::Hour => 3600 * 300,
        Part::Minute => 60 * 300,
        Part::Second => 300,
        _ => return None,
    })
}
