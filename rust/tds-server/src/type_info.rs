//! TYPE_INFO as the server writes it, and the sizes that follow from a type.

use bytes::{BufMut, BytesMut};

use crate::value::{Length, SqlType};
use crate::wire::COLLATION;

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

pub(crate) fn byte_length(length: Length, unit: u16) -> u16 {
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
pub(crate) fn numeric_size(precision: u8) -> usize {
    match precision {
        0..=9 => 4,
        10..=19 => 8,
        20..=28 => 12,
        _ => 16,
    }
}

/// Bytes of a time of day of this scale.
pub(crate) fn time_size(scale: u8) -> usize {
    match scale {
        0..=2 => 3,
        3 | 4 => 4,
        _ => 5,
    }
}
