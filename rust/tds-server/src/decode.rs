//! TYPE_INFO and values, as clients send them in RPC parameters.

use uuid::Uuid;

use crate::error::{Error, Result};
use crate::type_info::time_size;
use crate::value::{Date, Length, Numeric, SqlType, Timestamp, Value, DAYS_TO_1900, LAST_DAY, NANOS_PER_DAY};
use crate::wire::{from_cp1252, utf16, Reader};

/// How the bytes of a value are found.
enum Framing {
    Bare(usize),
    /// One byte of length, 0 for NULL.
    Short,
    /// Two bytes of length, 0xFFFF for NULL.
    Medium,
    /// Four bytes of length, 0xFFFFFFFF for NULL: `text`, `ntext`, `image`.
    Long,
    /// Chunks, as all `(max)` types have it.
    Chunks,
    /// `sql_variant`.
    Variant,
    /// The type of an untyped NULL.
    Nothing,
}

struct TypeInfo {
    ty: SqlType,
    framing: Framing,
    utf8: bool,
}

/// Reads a TYPE_INFO and the value that follows it.
pub(crate) fn typed_value(reader: &mut Reader<'_>) -> Result<(SqlType, Value)> {
    let info = type_info(reader)?;
    let value = match info.framing {
        Framing::Nothing => return Ok((info.ty, Value::Null)),
        Framing::Variant => return Ok((info.ty, variant(reader)?)),
        Framing::Bare(size) => Some(reader.take(size)?.to_vec()),
        Framing::Short => match reader.u8()? {
            0 => None,
            size => Some(reader.take(usize::from(size))?.to_vec()),
        },
        Framing::Medium => match reader.u16()? {
            u16::MAX => None,
            size => Some(reader.take(usize::from(size))?.to_vec()),
        },
        Framing::Long => match reader.u32()? {
            u32::MAX => None,
            size => Some(reader.take(size as usize)?.to_vec()),
        },
        Framing::Chunks => chunks(reader)?,
    };
    let value = match value {
        Some(bytes) => value_of(&info.ty, &bytes, info.utf8)?,
        None => Value::Null,
    };
    Ok((info.ty, value))
}

fn type_info(reader: &mut Reader<'_>) -> Result<TypeInfo> {
    let plain = |ty, framing| Ok(TypeInfo { ty, framing, utf8: false });
    match reader.u8()? {
        0x1F => plain(SqlType::Variant, Framing::Nothing),
        0x30 => plain(SqlType::TinyInt, Framing::Bare(1)),
        0x32 => plain(SqlType::Bit, Framing::Bare(1)),
        0x34 => plain(SqlType::SmallInt, Framing::Bare(2)),
        0x38 => plain(SqlType::Int, Framing::Bare(4)),
        0x3A => plain(SqlType::SmallDateTime, Framing::Bare(4)),
        0x3B => plain(SqlType::Real, Framing::Bare(4)),
        0x3C => plain(SqlType::Money, Framing::Bare(8)),
        0x3D => plain(SqlType::DateTime, Framing::Bare(8)),
        0x3E => plain(SqlType::Float, Framing::Bare(8)),
        0x7A => plain(SqlType::Money, Framing::Bare(4)),
        0x7F => plain(SqlType::BigInt, Framing::Bare(8)),
        code @ (0x24 | 0x26 | 0x68 | 0x6D | 0x6E | 0x6F) => {
            let ty = match (code, reader.u8()?) {
                (0x24, 16) => SqlType::UniqueIdentifier,
                (0x26, 1) => SqlType::TinyInt,
                (0x26, 2) => SqlType::SmallInt,
                (0x26, 4) => SqlType::Int,
                (0x26, 8) => SqlType::BigInt,
                (0x68, 1) => SqlType::Bit,
                (0x6D, 4) => SqlType::Real,
                (0x6D, 8) => SqlType::Float,
                (0x6E, 4 | 8) => SqlType::Money,
                (0x6F, 4) => SqlType::SmallDateTime,
                (0x6F, 8) => SqlType::DateTime,
                _ => return Err(Error::Protocol("a type of an impossible size")),
            };
            plain(ty, Framing::Short)
        }
        // Decimal and numeric; 0x37 and 0x3F are their names before TDS 7.
        0x37 | 0x3F | 0x6A | 0x6C => {
            let [_, precision, scale] = reader.array()?;
            if !(1..=38).contains(&precision) || scale > precision {
                return Err(Error::Protocol("a numeric of impossible precision"));
            }
            plain(SqlType::Numeric { precision, scale }, Framing::Short)
        }
        0x28 => plain(SqlType::Date, Framing::Short),
        0x29 => plain(SqlType::Time { scale: scale(reader)? }, Framing::Short),
        0x2A => plain(SqlType::DateTime2 { scale: scale(reader)? }, Framing::Short),
        0x2B => plain(SqlType::DateTimeOffset { scale: scale(reader)? }, Framing::Short),
        code @ (0xE7 | 0xEF | 0xA7 | 0xAF) => {
            let size = reader.u16()?;
            let utf8 = collation_is_utf8(reader)?;
            let (ty, framing) = match (code, size) {
                (0xE7, u16::MAX) => (SqlType::NVarChar(Length::Unlimited), Framing::Chunks),
                (0xA7, u16::MAX) => (SqlType::VarChar(Length::Unlimited), Framing::Chunks),
                (0xE7, _) => (SqlType::NVarChar(Length::Max(size / 2)), Framing::Medium),
                (0xEF, _) => (SqlType::NChar(size / 2), Framing::Medium),
                (0xA7, _) => (SqlType::VarChar(Length::Max(size)), Framing::Medium),
                _ => (SqlType::Char(size), Framing::Medium),
            };
            Ok(TypeInfo { ty, framing, utf8 })
        }
        0xA5 => match reader.u16()? {
            u16::MAX => plain(SqlType::VarBinary(Length::Unlimited), Framing::Chunks),
            size => plain(SqlType::VarBinary(Length::Max(size)), Framing::Medium),
        },
        0xAD => {
            let size = reader.u16()?;
            plain(SqlType::Binary(size), Framing::Medium)
        }
        code @ (0x22 | 0x23 | 0x63) => {
            reader.u32()?;
            let utf8 = code != 0x22 && collation_is_utf8(reader)?;
            let ty = match code {
                0x22 => SqlType::VarBinary(Length::Unlimited),
                0x23 => SqlType::VarChar(Length::Unlimited),
                _ => SqlType::NVarChar(Length::Unlimited),
            };
            Ok(TypeInfo { ty, framing: Framing::Long, utf8 })
        }
        0x62 => {
            reader.u32()?;
            plain(SqlType::Variant, Framing::Variant)
        }
        0xF1 => {
            if reader.u8()? != 0 {
                reader.b_varchar()?;
                reader.b_varchar()?;
                reader.us_varchar()?;
            }
            plain(SqlType::Xml, Framing::Chunks)
        }
        _ => Err(Error::Protocol("a parameter of a type that is not served")),
    }
}

fn scale(reader: &mut Reader<'_>) -> Result<u8> {
    match reader.u8()? {
        scale @ 0..=7 => Ok(scale),
        _ => Err(Error::Protocol("a time of impossible scale")),
    }
}

/// Whether a collation is one of the UTF-8 ones of SQL Server 2019.
fn collation_is_utf8(reader: &mut Reader<'_>) -> Result<bool> {
    let collation: [u8; 5] = reader.array()?;
    Ok(collation[3] & 0x04 != 0)
}

fn chunks(reader: &mut Reader<'_>) -> Result<Option<Vec<u8>>> {
    if reader.u64()? == u64::MAX {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    loop {
        match reader.u32()? {
            0 => return Ok(Some(bytes)),
            size => bytes.extend_from_slice(reader.take(size as usize)?),
        }
    }
}

fn variant(reader: &mut Reader<'_>) -> Result<Value> {
    let length = reader.u32()? as usize;
    if length == 0 {
        return Ok(Value::Null);
    }
    let mut body = Reader::new(reader.take(length)?);
    let code = body.u8()?;
    let properties = usize::from(body.u8()?);
    let mut properties = Reader::new(body.take(properties)?);
    let (ty, utf8) = match code {
        0x24 => (SqlType::UniqueIdentifier, false),
        0x28 => (SqlType::Date, false),
        0x29 => (SqlType::Time { scale: scale(&mut properties)? }, false),
        0x2A => (SqlType::DateTime2 { scale: scale(&mut properties)? }, false),
        0x2B => (SqlType::DateTimeOffset { scale: scale(&mut properties)? }, false),
        0x6A | 0x6C => {
            let [precision, scale] = properties.array()?;
            (SqlType::Numeric { precision, scale: scale.min(38) }, false)
        }
        0xE7 | 0xEF => (SqlType::NVarChar(Length::Unlimited), false),
        0xA7 | 0xAF => (SqlType::VarChar(Length::Unlimited), collation_is_utf8(&mut properties)?),
        0xA5 | 0xAD => (SqlType::VarBinary(Length::Unlimited), false),
        _ => {
            let info = type_info(&mut Reader::new(&[code]))?;
            (info.ty, false)
        }
    };
    value_of(&ty, body.rest(), utf8)
}

/// Turns the bytes of a value that is not NULL into one.
fn value_of(ty: &SqlType, bytes: &[u8], utf8: bool) -> Result<Value> {
    let mut reader = Reader::new(bytes);
    let value = match *ty {
        SqlType::TinyInt => Value::TinyInt(reader.u8()?),
        SqlType::SmallInt => Value::SmallInt(i16::from_le_bytes(reader.array()?)),
        SqlType::Int => Value::Int(reader.i32()?),
        SqlType::BigInt => Value::BigInt(i64::from_le_bytes(reader.array()?)),
        SqlType::Bit => Value::Bit(reader.u8()? != 0),
        SqlType::Real => Value::Real(f32::from_le_bytes(reader.array()?)),
        SqlType::Float => Value::Float(f64::from_le_bytes(reader.array()?)),
        SqlType::Numeric { scale, .. } => Value::Numeric(numeric(bytes, scale)?),
        SqlType::Money => {
            let value = match bytes.len() {
                4 => i64::from(reader.i32()?),
                _ => (i64::from(reader.i32()?) << 32) | i64::from(reader.u32()?),
            };
            Value::Numeric(Numeric { value: i128::from(value), scale: 4 })
        }
        SqlType::DateTime => {
            let days = i64::from(reader.i32()?) + i64::from(DAYS_TO_1900);
            let ticks = u64::from(reader.u32()?);
            Value::DateTime(Timestamp {
                date: date(u32::try_from(days).unwrap_or(u32::MAX))?,
                nanos: nanos((ticks * 10_000_000).div_ceil(3))?,
            })
        }
        SqlType::SmallDateTime => {
            let days = u32::from(reader.u16()?) + DAYS_TO_1900;
            let minutes = u64::from(reader.u16()?);
            Value::DateTime(Timestamp { date: date(days)?, nanos: nanos(minutes * 60_000_000_000)? })
        }
        SqlType::Date => Value::Date(day(&mut reader)?),
        SqlType::Time { scale } => Value::Time(time(&mut reader, scale)?),
        SqlType::DateTime2 { scale } => {
            let nanos = time(&mut reader, scale)?;
            Value::DateTime(Timestamp { date: day(&mut reader)?, nanos })
        }
        SqlType::DateTimeOffset { scale } => {
            let nanos = time(&mut reader, scale)?;
            let moment = Timestamp { date: day(&mut reader)?, nanos };
            Value::DateTimeOffset(moment, i16::from_le_bytes(reader.array()?))
        }
        SqlType::UniqueIdentifier => Value::Guid(Uuid::from_bytes_le(reader.array()?)),
        SqlType::NVarChar(_) | SqlType::NChar(_) => Value::String(utf16(bytes)?),
        SqlType::Xml => Value::String(utf16(bytes)?),
        SqlType::VarChar(_) | SqlType::Char(_) if utf8 => Value::String(String::from_utf8_lossy(bytes).into_owned()),
        SqlType::VarChar(_) | SqlType::Char(_) => Value::String(from_cp1252(bytes)),
        SqlType::VarBinary(_) | SqlType::Binary(_) => Value::Binary(bytes.to_vec()),
        SqlType::Variant => return Err(Error::Protocol("a variant inside a variant")),
    };
    Ok(value)
}

fn numeric(bytes: &[u8], scale: u8) -> Result<Numeric> {
    let (sign, magnitude) = bytes.split_first().ok_or(Error::Protocol("an empty numeric"))?;
    if magnitude.len() > 16 {
        return Err(Error::Protocol("a numeric that is too long"));
    }
    let mut wide = [0; 16];
    wide[..magnitude.len()].copy_from_slice(magnitude);
    let value =
        i128::try_from(u128::from_le_bytes(wide)).map_err(|_| Error::Protocol("a numeric that is too large"))?;
    Ok(Numeric { value: if *sign == 0 { -value } else { value }, scale })
}

fn date(days: u32) -> Result<Date> {
    if days > LAST_DAY {
        return Err(Error::Protocol("a day after the year 9999"));
    }
    Ok(Date { days })
}

fn nanos(nanos: u64) -> Result<u64> {
    if nanos >= NANOS_PER_DAY {
        return Err(Error::Protocol("a time after midnight"));
    }
    Ok(nanos)
}

fn day(reader: &mut Reader<'_>) -> Result<Date> {
    let [a, b, c] = reader.array()?;
    date(u32::from_le_bytes([a, b, c, 0]))
}

fn time(reader: &mut Reader<'_>, scale: u8) -> Result<u64> {
    let bytes = reader.take(time_size(scale))?;
    let units = bytes.iter().rev().fold(0u64, |sum, byte| (sum << 8) | u64::from(*byte));
    let factor = 10u64.pow(9 - u32::from(scale));
    nanos(units.saturating_mul(factor))
}
