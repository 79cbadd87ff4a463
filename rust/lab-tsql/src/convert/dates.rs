//! Text to dates and back.

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

use crate::context::DateFormat;

/// Why a text is no date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DateFault {
    /// 241.
    NoDate,
    /// 242.
    OutOfRange,
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

const MONTH_NAMES: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

fn date(year: u32, month: u32, day: u32) -> Result<NaiveDate, DateFault> {
    i32::try_from(year).ok().and_then(|year| NaiveDate::from_ymd_opt(year, month, day)).ok_or(DateFault::OutOfRange)
}

/// Two digits are years from 1950 to 2049.
fn full_year(text: &str) -> Result<u32, DateFault> {
    let year: u32 = text.parse().map_err(|_| DateFault::NoDate)?;
    match text.len() {
        4 => Ok(year),
        1 | 2 => Ok(if year < 50 { 2000 + year } else { 1900 + year }),
        _ => Err(DateFault::NoDate),
    }
}

fn small(text: &str) -> Result<u32, DateFault> {
    if text.is_empty() || text.len() > 2 {
        return Err(DateFault::NoDate);
    }
    text.parse().map_err(|_| DateFault::NoDate)
}

/// Reads `hh:mm[:ss[.fraction|:mmm]][AM|PM]`.
fn time(text: &str, fraction_digits: usize) -> Result<NaiveTime, DateFault> {
    let lower = text.trim().to_ascii_lowercase();
    let (clock, half) = match lower.strip_suffix("am") {
        Some(rest) => (rest.trim_end(), Some(0)),
        None => match lower.strip_suffix("pm") {
            Some(rest) => (rest.trim_end(), Some(12)),
            None => (lower.as_str(), None),
        },
    };
    let (clock, fraction) = match clock.split_once('.') {
        Some((clock, fraction)) => (clock, fraction),
        None => (clock, ""),
    };
    let mut parts = clock.split(':');
    let mut hour = small(parts.next().unwrap_or_default())?;
    let minute = match parts.next() {
        Some(part) => small(part)?,
        None if half.is_some() => 0,
        None => return Err(DateFault::NoDate),
    };
    let second = parts.next().map_or(Ok(0), small)?;
    let colon_fraction = parts.next();
    if parts.next().is_some() || (colon_fraction.is_some() && !fraction.is_empty()) {
        return Err(DateFault::NoDate);
    }
    let nanos = match colon_fraction {
        Some(millis) if millis.len() <= 3 => millis.parse::<u32>().map_err(|_| DateFault::NoDate)? * 1_000_000,
        Some(_) => return Err(DateFault::NoDate),
        None if fraction.is_empty() => 0,
        None if fraction.len() <= fraction_digits && fraction.bytes().all(|b| b.is_ascii_digit()) => {
            format!("{fraction:0<9}").parse().map_err(|_| DateFault::NoDate)?
        }
        None => return Err(DateFault::NoDate),
    };
    if let Some(offset) = half {
        if !(1..=12).contains(&hour) {
            return Err(DateFault::NoDate);
        }
        hour = hour % 12 + offset;
    }
    NaiveTime::from_hms_nano_opt(hour, minute, second, nanos).ok_or(DateFault::OutOfRange)
}

/// The date part with separators, or the eight digits `yyyymmdd`.
fn numeric_date(text: &str, order: DateFormat, iso: bool) -> Result<NaiveDate, DateFault> {
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return match text.len() {
            8 => date(full_year(&text[..4])?, small(&text[4..6])?, small(&text[6..])?),
            6 => date(full_year(&text[..2])?, small(&text[2..4])?, small(&text[4..])?),
            4 => date(full_year(text)?, 1, 1),
            _ => Err(DateFault::NoDate),
        };
    }
    let parts: Vec<&str> = text.split(['-', '/', '.']).collect();
    let [a, b, c] = parts.as_slice() else {
        return Err(DateFault::NoDate);
    };
    if a.len() == 4 {
        // A year in front leaves the order of the other two to the language, except in the ISO form.
        let (x, y) = (small(b)?, small(c)?);
        return if order == DateFormat::Dmy && !iso { date(full_year(a)?, y, x) } else { date(full_year(a)?, x, y) };
    }
    match order {
        DateFormat::Mdy => date(full_year(c)?, small(a)?, small(b)?),
        DateFormat::Dmy => date(full_year(c)?, small(b)?, small(a)?),
        DateFormat::Ymd => date(full_year(a)?, small(b)?, small(c)?),
    }
}

/// `Nov 21 2026`, `21 Nov 2026`, `November 21, 2026`. `None` when no month is named.
fn named_date(words: &[&str]) -> Option<Result<NaiveDate, DateFault>> {
    let place = words.iter().position(|word| {
        let lower = word.to_ascii_lowercase();
        lower.len() >= 3 && MONTHS.iter().any(|month| lower.starts_with(month))
    })?;
    let lower = words[place].to_ascii_lowercase();
    let month = MONTHS.iter().position(|month| lower.starts_with(month))? as u32 + 1;
    let rest: Vec<&str> = words
        .iter()
        .enumerate()
        .filter(|(index, _)| *index != place)
        .map(|(_, word)| word.trim_end_matches(','))
        .collect();
    Some(match rest.as_slice() {
        [day, year] if year.len() == 4 => full_year(year).and_then(|y| date(y, month, small(day)?)),
        [year, day] if year.len() == 4 => full_year(year).and_then(|y| date(y, month, small(day)?)),
        [day, year] => full_year(year).and_then(|y| date(y, month, small(day)?)),
        _ => Err(DateFault::NoDate),
    })
}

/// Reads a date literal. `newer`: the rules of `date` and `datetime2`, where `yyyy-mm-dd` never depends on the language
/// and a second has up to seven digits.
pub(crate) fn parse(text: &str, order: DateFormat, newer: bool) -> Result<NaiveDateTime, DateFault> {
    let text = text.trim();
    let base = NaiveDate::from_ymd_opt(1900, 1, 1).unwrap_or_default();
    if text.is_empty() {
        return Ok(base.and_time(NaiveTime::MIN));
    }
    if !text.is_ascii() {
        return Err(DateFault::NoDate);
    }
    let digits = if newer { 7 } else { 3 };
    if text.len() > 11 && text.as_bytes()[10] == b'T' {
        let clock = text[11..].trim_end_matches('Z');
        let day = numeric_date(&text[..10], order, true)?;
        return Ok(day.and_time(time(clock, digits)?));
    }
    let mut words: Vec<&str> = text.split_whitespace().collect();
    let mut clock = String::new();
    if let Some(place) = words.iter().position(|word| word.contains(':')) {
        clock = words.remove(place).to_string();
        if place < words.len() && matches!(words[place].to_ascii_lowercase().as_str(), "am" | "pm") {
            clock.push_str(words.remove(place));
        }
    }
    let day = match words.as_slice() {
        [] => base,
        [word] => numeric_date(word, order, newer)?,
        words => named_date(words).unwrap_or(Err(DateFault::NoDate))?,
    };
    let moment = if clock.is_empty() { NaiveTime::MIN } else { time(&clock, digits)? };
    Ok(day.and_time(moment))
}

/// The order that CONVERT's style prescribes for reading; the language's where it prescribes none.
pub(crate) fn order_of_style(style: i32, language: DateFormat) -> DateFormat {
    match style {
        1 | 10 | 101 | 110 => DateFormat::Mdy,
        3..=5 | 103..=105 | 131 => DateFormat::Dmy,
        2 | 11 | 12 | 20 | 21 | 102 | 111 | 112 | 120 | 121 | 126 | 127 => DateFormat::Ymd,
        _ => language,
    }
}

fn twelve_hours(moment: &NaiveDateTime) -> (u32, &'static str) {
    let (pm, hour) = moment.hour12();
    (hour, if pm { "PM" } else { "AM" })
}

/// Writes a moment in one of CONVERT's styles; `None` for a style that does not exist.
pub(crate) fn format(moment: &NaiveDateTime, style: i32) -> Option<String> {
    let month = MONTH_NAMES[moment.month0() as usize];
    let (y, m, d) = (moment.year(), moment.month(), moment.day());
    let (hh, mi, ss) = (moment.hour(), moment.minute(), moment.second());
    let ms = moment.nanosecond() / 1_000_000;
    let century = style >= 100 || matches!(style, 0 | 9 | 13 | 20 | 21);
    let year = if century { format!("{y:04}") } else { format!("{:02}", y.rem_euclid(100)) };
    let (h12, half) = twelve_hours(moment);
    Some(match style {
        0 | 100 => format!("{month} {d:>2} {year} {h12:>2}:{mi:02}{half}"),
        1 | 101 => format!("{m:02}/{d:02}/{year}"),
        2 | 102 => format!("{year}.{m:02}.{d:02}"),
        3 | 103 => format!("{d:02}/{m:02}/{year}"),
        4 | 104 => format!("{d:02}.{m:02}.{year}"),
        5 | 105 => format!("{d:02}-{m:02}-{year}"),
        6 | 106 => format!("{d:02} {month} {year}"),
        7 | 107 => format!("{month} {d:02}, {year}"),
        8 | 24 | 108 => format!("{hh:02}:{mi:02}:{ss:02}"),
        9 | 109 => format!("{month} {d:>2} {year} {h12:>2}:{mi:02}:{ss:02}:{ms:03}{half}"),
        10 | 110 => format!("{m:02}-{d:02}-{year}"),
        11 | 111 => format!("{year}/{m:02}/{d:02}"),
        12 | 112 => format!("{year}{m:02}{d:02}"),
        13 | 113 => format!("{d:02} {month} {year} {hh:02}:{mi:02}:{ss:02}:{ms:03}"),
        14 | 114 => format!("{hh:02}:{mi:02}:{ss:02}:{ms:03}"),
        20 | 120 => format!("{year}-{m:02}-{d:02} {hh:02}:{mi:02}:{ss:02}"),
        21 | 25 | 121 => format!("{y:04}-{m:02}-{d:02} {hh:02}:{mi:02}:{ss:02}.{ms:03}"),
        126 | 127 if ms == 0 => format!("{year}-{m:02}-{d:02}T{hh:02}:{mi:02}:{ss:02}"),
        126 | 127 => format!("{year}-{m:02}-{d:02}T{hh:02}:{mi:02}:{ss:02}.{ms:03}"),
        _ => return None,
    })
}

/// `yyyy-mm-dd hh:mm:ss[.fraction]`, the default of `datetime2`.
pub(crate) fn format_precise(moment: &NaiveDateTime, scale: u8) -> String {
    let whole = moment.format("%Y-%m-%d %H:%M:%S").to_string();
    if scale == 0 {
        return whole;
    }
    let fraction = format!("{:09}", moment.nanosecond() % 1_000_000_000);
    format!("{whole}.{}", &fraction[..usize::from(scale.min(7))])
}
