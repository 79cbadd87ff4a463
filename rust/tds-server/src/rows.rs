//! Result sets: the columns, and the rows in their two forms.

use bytes::{BufMut, BytesMut};

use crate::encode::{put_value, Unfit};
use crate::message::ServerMessage;
use crate::token::knows_nbcrow;
use crate::type_info::{is_bare, null_size, put_type_info};
use crate::value::{SqlType, Value};
use crate::wire::put_b_varchar;

/// A column of a result set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub ty: SqlType,
    pub nullable: bool,
}

impl Column {
    /// A column that may hold NULL.
    pub fn new(name: impl Into<String>, ty: SqlType) -> Self {
        Self { name: name.into(), ty, nullable: true }
    }

    pub fn not_null(mut self) -> Self {
        self.nullable = false;
        self
    }
}

/// Updatability unknown, as for most expressions.
const FLAGS: u16 = 0x08;
const FLAG_NULLABLE: u16 = 0x01;

/// Writes COLMETADATA.
pub(crate) fn put_columns(out: &mut BytesMut, columns: &[Column]) {
    out.put_u8(0x81);
    out.put_u16_le(columns.len() as u16);
    for column in columns {
        out.put_u32_le(0);
        out.put_u16_le(if column.nullable { FLAGS | FLAG_NULLABLE } else { FLAGS });
        put_type_info(out, &column.ty, column.nullable);
        put_b_varchar(out, &column.name);
    }
}

/// Writes ROW, or NBCROW where that is shorter and the client knows it. On an error
/// nothing is written.
pub(crate) fn put_row(
    out: &mut BytesMut,
    columns: &[Column],
    values: &[Value],
    tds_version: u32,
) -> Result<(), ServerMessage> {
    if columns.is_empty() || columns.len() != values.len() {
        let text = format!("A row of {} values was given for {} columns.", values.len(), columns.len());
        return Err(ServerMessage::new(50000, 16, text));
    }
    let start = out.len();
    let null_bytes: usize =
        columns.iter().zip(values).filter(|(_, value)| value.is_null()).map(|(column, _)| null_size(&column.ty)).sum();
    let bare_null =
        columns.iter().zip(values).any(|(column, value)| value.is_null() && is_bare(&column.ty, column.nullable));
    let bitmap = columns.len().div_ceil(8);
    let compressed = null_bytes > bitmap && !bare_null && knows_nbcrow(tds_version);
    out.put_u8(if compressed { 0xD2 } else { 0xD1 });
    if compressed {
        for eight in values.chunks(8) {
            let bits = eight.iter().enumerate().map(|(i, value)| u8::from(value.is_null()) << i);
            out.put_u8(bits.sum());
        }
    }
    for (column, value) in columns.iter().zip(values) {
        if compressed && value.is_null() {
            continue;
        }
        if let Err(unfit) = put_value(out, &column.ty, column.nullable, value) {
            out.truncate(start);
            return Err(unfit_message(unfit, column, value));
        }
    }
    Ok(())
}

fn unfit_message(unfit: Unfit, column: &Column, value: &Value) -> ServerMessage {
    let to = column.ty.name();
    match unfit {
        Unfit::Null => ServerMessage::new(
            515,
            16,
            format!("Cannot insert the value NULL into column '{}'; column does not allow nulls.", column.name),
        ),
        Unfit::Type => {
            let from = value.natural_type().map_or("NULL", |ty| ty.name());
            ServerMessage::new(8114, 16, format!("Error converting data type {from} to {to}.")).state(5)
        }
        Unfit::Overflow => {
            ServerMessage::new(8115, 16, format!("Arithmetic overflow error converting expression to data type {to}."))
                .state(2)
        }
        Unfit::TooLong => ServerMessage::new(8152, 16, "String or binary data would be truncated.").state(4),
    }
}
