//! TYPE_INFO and values, as the server writes them.

use bytes::{BufMut, BytesMut};

use crate::value::{Length, Numeric, SqlType, Timestamp, Value, DAYS_TO_1900, NANOS_PER_DAY};
use crate::wire::{put_utf16, to_cp1252, COLLATION};

/// Why a value cannot stand in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfit {
    Null,
    Type,
    TooLong,
    Overflow,
}

/// Whether a column is sent in the bare form that has no room for NULL.
pub(crate) fn is_bare(ty: &SqlType, nullable: bool) -> bool {
    use SqlType::*;
    !nullable && matches!(ty, TinyInt | SmallInt | Int | BigInt | Bit | Real | Float | Money | DateTime | SmallDateTime)
}

/// How many bytes a NULL of this type takes in a ROW token.
pub(crate) fn null_size(ty: &SqlType) -> usize {
    use SqlType::*;
    match ty {
        Xml | NVarChar(Length::Unlimited) | VarChar(Length::Unlimited) | VarBinary(Length::Unlimited) => 8,
        Variant => 4,
        NVarChar(_) | VarChar(_) | VarBinary(_) | NChar(_) | Char(_) | Binary(_) => 2,
        _ => 1,
    }
}

pub(crate) fn put_type_info(out: &mut BytesMut, ty: &SqlType, nullable: bool) {
    use SqlType::*;
    if is_bare(ty, nullable) {
        out.put_u8(match ty {
            TinyInt => 0x30,
            Bit => 0x32,
            SmallInt => 0x34,
            SmallDateTime => 0x3A,
            Real => 0x3B,
            Money => 0x3C,
            DateTime => 0x3D,
            Float => 0x3E,
            BigInt => 0x7F,
            _ => 0x38,
        });
        return;
    }
    match *ty {
        TinyInt => out.put_slice(&[0x26, 1]),
        SmallInt => out.put_slice(&[0x26, 2]),
        Int => out.put_slice(&[0x26, 4]),
        BigInt => out.put_slice(&[0x26, 8]),
        Bit => out.put_slice(&[0x68, 1]),
        Numeric { precision, scale } => {
            out.put_slice(&[0x6C, numeric_size(precision) as u8 + 1, precision, scale]);
        }
        Real => out.put_slice(&[0x6D, 4]),
        Float => out.put_slice(&[0x6D, 8]),
        Money => out.put_slice(&[0x6E, 8]),
        DateTime => out.put_slice(&[0x6F, 8]),
        SmallDateTime => out.put_slice(&[0x6F, 4]),
        Date => out.put_u8(0x28),
        Time { scale } => out.put_slice(&[0x29, scale.min(7)]),
        DateTime2 { scale } => out.put_slice(&[0x2A, scale.min(7)]),
        DateTimeOffset { scale } => out.put_slice(&[0x2B, scale.min(7)]),
        UniqueIdentifier => out.put_slice(&[0x24, 16]),
        NVarChar(length) => put_character_type(out, 0xE7, byte_length(length, 2)),
        NChar(n) => put_character_type(out, 0xEF, n.saturating_mul(2)),
        VarChar(length) => put_character_type(out, 0xA7, byte_length(length, 1)),
        Char(n) => put_character_type(out, 0xAF, n),
        VarBinary(length) => {
            out.put_u8(0xA5);
            out.put_u16_le(byte_length(length, 1));
        }
        Binary(n) => {
            out.put_u8(0xAD);
            out.put_u16_le(n);
        }
        Variant => {
            out.put_u8(0x62);
            out.put_u32_le(8009);
        }
        Xml => out.put_slice(&[0xF1, 0]),
    }
}

fn byte_length(length: Length, unit: u16) -> u16 {
    match length {
        Length::Max(n) => n.saturating_mul(unit).min(8000),
        Length::Unlimited => u16::MAX,
    }
}

fn put_character_type(out: &mut BytesMut, code: u8, bytes: u16) {
    out.put_u8(code);
    out.put_u16_le(bytes);
    out.put_slice(&COLLATION);
}

/// Bytes of the magnitude of a numeric of this precision.
fn numeric_size(precision: u8) -> usize {
    match precision {
        0..=9 => 4,
        10..=19 => 8,
        20..=28 => 12,
        _ => 16,
    }
}

/// Appends one value of a ROW, NBCROW or RETURNVALUE token. On an error `out` may hold
/// a part of it; the caller cuts that off.
pub(crate) fn put_value(out: &mut BytesMut, ty: &SqlType, nullable: bool, value: &Value) -> Result<(), Unfit> {
    use SqlType::*;
    let bare = is_bare(ty, nullable);
    if value.is_null() {
        return if bare { Err(Unfit::Null) } else { put_null(out, ty) };
    }
    let put_size = |out: &mut BytesMut, size: u8| {
        if !bare {
            out.put_u8(size);
        }
    };
    match *ty {
        TinyInt => {
            let v: u8 = integer(value)?;
            put_size(out, 1);
            out.put_u8(v);
        }
        SmallInt => {
            let v: i16 = integer(value)?;
            put_size(out, 2);
            out.put_i16_le(v);
        }
        Int => {
            let v: i32 = integer(value)?;
            put_size(out, 4);
            out.put_i32_le(v);
        }
        BigInt => {
            let v: i64 = integer(value)?;
            put_size(out, 8);
            out.put_i64_le(v);
        }
        Bit => {
            let v: i128 = integer(value)?;
            put_size(out, 1);
            out.put_u8(u8::from(v != 0));
        }
        Numeric { precision, scale } => {
            let number = numeric(value, scale)?;
            put_size(out, numeric_size(precision) as u8 + 1);
            put_numeric(out, number, precision)?;
        }
        Real => {
            let v = float(value)? as f32;
            put_size(out, 4);
            out.put_f32_le(v);
        }
        Float => {
            let v = float(value)?;
            put_size(out, 8);
            out.put_f64_le(v);
        }
        Money => {
            let v = i64::try_from(numeric(value, 4)?).map_err(|_| Unfit::Overflow)?;
            put_size(out, 8);
            out.put_i32_le((v >> 32) as i32);
            out.put_u32_le(v as u32);
        }
        DateTime => {
            let moment = timestamp(value)?;
            put_size(out, 8);
            put_datetime(out, moment);
        }
        SmallDateTime => {
            let moment = timestamp(value)?;
            let days = moment.date.days.checked_sub(DAYS_TO_1900).ok_or(Unfit::Overflow)?;
            put_size(out, 4);
            out.put_u16_le(u16::try_from(days).map_err(|_| Unfit::Overflow)?);
            out.put_u16_le((moment.nanos / 60_000_000_000) as u16);
        }
        Date => {
            let Value::Date(date) = value else { return Err(Unfit::Type) };
            out.put_u8(3);
            out.put_uint_le(u64::from(date.days), 3);
        }
        Time { scale } => {
            let Value::Time(nanos) = value else { return Err(Unfit::Type) };
            out.put_u8(time_size(scale) as u8);
            put_time(out, *nanos, scale);
        }
        DateTime2 { scale } => {
            let moment = timestamp(value)?;
            out.put_u8(time_size(scale) as u8 + 3);
            put_time(out, moment.nanos, scale);
            out.put_uint_le(u64::from(moment.date.days), 3);
        }
        DateTimeOffset { scale } => {
            let Value::DateTimeOffset(moment, offset) = value else { return Err(Unfit::Type) };
            out.put_u8(time_size(scale) as u8 + 5);
            put_time(out, moment.nanos, scale);
            out.put_uint_le(u64::from(moment.date.days), 3);
            out.put_i16_le(*offset);
        }
        UniqueIdentifier => {
            let Value::Guid(guid) = value else { return Err(Unfit::Type) };
            out.put_u8(16);
            out.put_slice(&guid.to_bytes_le());
        }
        NVarChar(length) => put_sized(out, length, 2, &utf16_bytes(value)?)?,
        NChar(n) => put_padded(out, usize::from(n) * 2, utf16_bytes(value)?, &[0x20, 0x00])?,
        VarChar(length) => put_sized(out, length, 1, &to_cp1252(string(value)?))?,
        Char(n) => put_padded(out, usize::from(n), to_cp1252(string(value)?), b" ")?,
        VarBinary(length) => put_sized(out, length, 1, binary(value)?)?,
        Binary(n) => put_padded(out, usize::from(n), binary(value)?, &[0])?,
        Variant => put_variant(out, value)?,
        Xml => put_chunks(out, &utf16_bytes(value)?),
    }
    Ok(())
}

fn put_null(out: &mut BytesMut, ty: &SqlType) -> Result<(), Unfit> {
    match null_size(ty) {
        8 => out.put_u64_le(u64::MAX),
        4 => out.put_u32_le(0),
        2 => out.put_u16_le(u16::MAX),
        _ => out.put_u8(0),
    }
    Ok(())
}

fn integer<T: TryFrom<i128>>(value: &Value) -> Result<T, Unfit> {
    let number = value.as_i128().ok_or(Unfit::Type)?;
    T::try_from(number).map_err(|_| Unfit::Overflow)
}

fn numeric(value: &Value, scale: u8) -> Result<i128, Unfit> {
    let number = match value {
        Value::Numeric(number) => *number,
        _ => Numeric::whole(value.as_i128().ok_or(Unfit::Type)?),
    };
    Ok(number.rescale(scale).ok_or(Unfit::Overflow)?.value)
}

fn float(value: &Value) -> Result<f64, Unfit> {
    match value {
        Value::Real(v) => Ok(f64::from(*v)),
        Value::Float(v) => Ok(*v),
        _ => Ok(integer::<i64>(value)? as f64),
    }
}

fn timestamp(value: &Value) -> Result<Timestamp, Unfit> {
    match value {
        Value::DateTime(moment) => Ok(*moment),
        Value::Date(date) => Ok(Timestamp { date: *date, nanos: 0 }),
        _ => Err(Unfit::Type),
    }
}

fn string(value: &Value) -> Result<&str, Unfit> {
    value.as_str().ok_or(Unfit::Type)
}

fn utf16_bytes(value: &Value) -> Result<BytesMut, Unfit> {
    let text = string(value)?;
    let mut bytes = BytesMut::with_capacity(text.len() * 2);
    put_utf16(&mut bytes, text);
    Ok(bytes)
}

fn binary(value: &Value) -> Result<&[u8], Unfit> {
    match value {
        Value::Binary(bytes) => Ok(bytes),
        _ => Err(Unfit::Type),
    }
}

/// Sign and magnitude, as long as `precision` makes it.
fn put_numeric(out: &mut BytesMut, value: i128, precision: u8) -> Result<(), Unfit> {
    let limit = 10u128.checked_pow(u32::from(precision.clamp(1, 38))).ok_or(Unfit::Overflow)?;
    let magnitude = value.unsigned_abs();
    if magnitude >= limit {
        return Err(Unfit::Overflow);
    }
    out.put_u8(u8::from(value >= 0));
    out.put_slice(&magnitude.to_le_bytes()[..numeric_size(precision)]);
    Ok(())
}

/// Days since 1900 and 1/300 s since midnight, rounded as SQL Server rounds.
fn put_datetime(out: &mut BytesMut, moment: Timestamp) {
    let mut days = i64::from(moment.date.days) - i64::from(DAYS_TO_1900);
    let mut ticks = (moment.nanos.min(NANOS_PER_DAY) * 3 + 5_000_000) / 10_000_000;
    if ticks >= 300 * 86_400 {
        days += 1;
        ticks = 0;
    }
    out.put_i32_le(days as i32);
    out.put_u32_le(ticks as u32);
}

pub(crate) fn time_size(scale: u8) -> usize {
    match scale {
        0..=2 => 3,
        3 | 4 => 4,
        _ => 5,
    }
}

fn put_time(out: &mut BytesMut, nanos: u64, scale: u8) {
    let scale = scale.min(7);
    let units = nanos.min(NANOS_PER_DAY - 1) / 10u64.pow(9 - u32::from(scale));
    out.put_uint_le(units, time_size(scale));
}

fn put_sized(out: &mut BytesMut, length: Length, unit: u16, bytes: &[u8]) -> Result<(), Unfit> {
    match length {
        Length::Unlimited => put_chunks(out, bytes),
        Length::Max(_) => {
            if bytes.len() > usize::from(byte_length(length, unit)) {
                return Err(Unfit::TooLong);
            }
            out.put_u16_le(bytes.len() as u16);
            out.put_slice(bytes);
        }
    }
    Ok(())
}

fn put_padded(out: &mut BytesMut, size: usize, bytes: impl AsRef<[u8]>, padding: &[u8]) -> Result<(), Unfit> {
    let bytes = bytes.as_ref();
    let missing = size.checked_sub(bytes.len()).ok_or(Unfit::TooLong)?;
    out.put_u16_le(size as u16);
    out.put_slice(bytes);
    for _ in 0..missing / padding.len() {
        out.put_slice(padding);
    }
    Ok(())
}

/// The form of `(max)` types: total length, chunks, an empty chunk.
fn put_chunks(out: &mut BytesMut, bytes: &[u8]) {
    out.put_u64_le(bytes.len() as u64);
    for chunk in bytes.chunks(1 << 20) {
        out.put_u32_le(chunk.len() as u32);
        out.put_slice(chunk);
    }
    out.put_u32_le(0);
}

/// A value that carries its type: length, type, size of the properties, properties, value.
fn put_variant(out: &mut BytesMut, value: &Value) -> Result<(), Unfit> {
    let ty = value.natural_type().ok_or(Unfit::Null)?;
    let mut body = BytesMut::new();
    match value {
        Value::String(text) => {
            let mut bytes = BytesMut::new();
            put_utf16(&mut bytes, text);
            if bytes.len() > 8000 {
                return Err(Unfit::TooLong);
            }
            body.put_slice(&[0xE7, 7]);
            body.put_slice(&COLLATION);
            body.put_u16_le(bytes.len().max(2) as u16);
            body.put_slice(&bytes);
        }
        Value::Binary(bytes) => {
            if bytes.len() > 8000 {
                return Err(Unfit::TooLong);
            }
            body.put_slice(&[0xA5, 2]);
            body.put_u16_le(bytes.len().max(1) as u16);
            body.put_slice(bytes);
        }
        Value::Numeric(number) => {
            body.put_slice(&[0x6C, 2, 38, number.scale]);
            put_numeric(&mut body, number.value, 38)?;
        }
        Value::Time(_) | Value::DateTimeOffset(..) => {
            body.put_slice(&[if matches!(value, Value::Time(_)) { 0x29 } else { 0x2B }, 1, 7]);
            put_without_length(&mut body, &ty, value)?;
        }
        Value::Date(_) | Value::Guid(_) => {
            body.put_slice(&[if matches!(value, Value::Date(_)) { 0x28 } else { 0x24 }, 0]);
            put_without_length(&mut body, &ty, value)?;
        }
        _ => {
            put_type_info(&mut body, &ty, false);
            body.put_u8(0);
            put_value(&mut body, &ty, false, value)?;
        }
    }
    out.put_u32_le(body.len() as u32);
    out.put_slice(&body);
    Ok(())
}

fn put_without_length(out: &mut BytesMut, ty: &SqlType, value: &Value) -> Result<(), Unfit> {
    let mut bytes = BytesMut::new();
    put_value(&mut bytes, ty, true, value)?;
    out.put_slice(&bytes[1..]);
    Ok(())
}
