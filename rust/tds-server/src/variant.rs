//! `sql_variant`: values that carry their own type.

use bytes::{BufMut, BytesMut};

use crate::encode::{put_numeric, put_value, Unfit};
use crate::type_info::put_type_info;
use crate::value::{SqlType, Value};
use crate::wire::{put_utf16, COLLATION};

/// A value that carries its type: length, type, size of the properties, properties, value.
pub(crate) fn put_variant(out: &mut BytesMut, value: &Value) -> Result<(), Unfit> {
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
