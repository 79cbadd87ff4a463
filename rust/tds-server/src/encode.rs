//! Values, as the server writes them.

use bytes::{BufMut, BytesMut};

use crate::type_info::{byte_length, is_bare, null_size, numeric_size, time_size};
use crate::value::{Length, Numeric, SqlType, Timestamp, Value, DAYS_TO_1900, NANOS_PER_DAY};
use crate::variant::put_variant;
use crate::wire::{put_utf16, to_cp1252};

/// Why a value cannot stand in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfit {
    Null,
    Type,
    TooLong,
    Overflow,
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
pub(crate) fn put_numeric(out: &mut BytesMut, value: i128, precision: u8) -> Result<(), Unfit> {
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
