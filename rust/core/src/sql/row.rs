//! Reading the rows of an answer by column name, tolerant of width, strict about type.

use chrono::NaiveDateTime;
use tiberius::ColumnData;
use uuid::Uuid;

use crate::error::{Error, ErrorKind, Result};
use crate::names::{Lsn, ServerPath};

/// One row of an answer. Getters return `None` for NULL; the `need_` ones refuse it.
///
/// # Errors
/// `UnexpectedAnswer` (3005) for a column that is not there or has another type.
pub struct Row(tiberius::Row);

impl Row {
    pub(super) fn new(row: tiberius::Row) -> Row {
        Row(row)
    }

    /// True where the answer has such a column: column sets differ by version.
    pub fn has(&self, column: &str) -> bool {
        self.position(column).is_some()
    }

    fn position(&self, column: &str) -> Option<usize> {
        let columns = self.0.columns();
        columns
            .iter()
            .position(|c| c.name() == column)
            .or_else(|| columns.iter().position(|c| c.name().eq_ignore_ascii_case(column)))
    }

    fn cell(&self, column: &str) -> Result<&ColumnData<'static>> {
        self.position(column)
            .and_then(|at| self.0.get_column_data(at).ok())
            .ok_or_else(|| unexpected(format!("the answer has no column `{column}`")))
    }

    /// Any kind of text, with the padding of `nchar` taken off.
    pub fn text(&self, column: &str) -> Result<Option<String>> {
        match self.cell(column)? {
            ColumnData::String(value) => Ok(value.as_deref().map(|s| s.trim_end_matches([' ', '\0']).to_string())),
            other => Err(wrong_type(column, "text", other)),
        }
    }

    pub fn need_text(&self, column: &str) -> Result<String> {
        self.text(column)?.ok_or_else(|| missing(column))
    }

    pub fn path(&self, column: &str) -> Result<Option<ServerPath>> {
        Ok(self.text(column)?.map(ServerPath::new))
    }

    /// Any integer type, `bit`, or a numeric without decimals that fits.
    pub fn int(&self, column: &str) -> Result<Option<i64>> {
        integer(column, self.cell(column)?)
    }

    pub fn need_int(&self, column: &str) -> Result<i64> {
        self.int(column)?.ok_or_else(|| missing(column))
    }

    /// The integer of a column by its place, for answers whose column names cannot be relied on.
    pub fn int_at(&self, at: usize) -> Result<Option<i64>> {
        let cell = self.0.get_column_data(at).map_err(|_| unexpected(format!("the answer has no column {at}")))?;
        integer(&at.to_string(), cell)
    }

    /// The text of a column by its place.
    pub fn text_at(&self, at: usize) -> Result<Option<String>> {
        match self.0.get_column_data(at).map_err(|_| unexpected(format!("the answer has no column {at}")))? {
            ColumnData::String(value) => Ok(value.as_deref().map(|s| s.trim_end_matches([' ', '\0']).to_string())),
            other => Err(wrong_type(&at.to_string(), "text", other)),
        }
    }

    pub fn flag(&self, column: &str) -> Result<Option<bool>> {
        Ok(self.int(column)?.map(|n| n != 0))
    }

    pub fn need_flag(&self, column: &str) -> Result<bool> {
        Ok(self.need_int(column)? != 0)
    }

    /// `numeric(25,0)` through its integer value, never through a float.
    pub fn lsn(&self, column: &str) -> Result<Option<Lsn>> {
        match self.cell(column)? {
            ColumnData::Numeric(None) => Ok(None),
            ColumnData::Numeric(Some(value)) if value.scale() == 0 => u128::try_from(value.value())
                .ok()
                .and_then(Lsn::new)
                .map(Some)
                .ok_or_else(|| unexpected(format!("column `{column}` is no LSN"))),
            other => Err(wrong_type(column, "numeric(25,0)", other)),
        }
    }

    pub fn need_lsn(&self, column: &str) -> Result<Lsn> {
        self.lsn(column)?.ok_or_else(|| missing(column))
    }

    pub fn uuid(&self, column: &str) -> Result<Option<Uuid>> {
        match self.cell(column)? {
            ColumnData::Guid(value) => Ok(*value),
            other => Err(wrong_type(column, "uniqueidentifier", other)),
        }
    }

    pub fn need_uuid(&self, column: &str) -> Result<Uuid> {
        self.uuid(column)?.ok_or_else(|| missing(column))
    }

    /// Any date and time type without a zone.
    pub fn time(&self, column: &str) -> Result<Option<NaiveDateTime>> {
        let at = self.position(column).ok_or_else(|| unexpected(format!("the answer has no column `{column}`")))?;
        self.0.try_get::<NaiveDateTime, usize>(at).map_err(|_| match self.0.get_column_data(at) {
            Ok(cell) => wrong_type(column, "datetime", cell),
            Err(_) => missing(column),
        })
    }

    pub fn need_time(&self, column: &str) -> Result<NaiveDateTime> {
        self.time(column)?.ok_or_else(|| missing(column))
    }

    /// Bytes as upper-case hexadecimal digits with `0x`.
    pub fn hex(&self, column: &str) -> Result<Option<String>> {
        match self.cell(column)? {
            ColumnData::Binary(value) => Ok(value
                .as_deref()
                .map(|bytes| bytes.iter().fold("0x".to_string(), |text, byte| format!("{text}{byte:02X}")))),
            other => Err(wrong_type(column, "varbinary", other)),
        }
    }

    /// A floating number.
    pub fn real(&self, column: &str) -> Result<Option<f64>> {
        match self.cell(column)? {
            ColumnData::F32(value) => Ok(value.map(f64::from)),
            ColumnData::F64(value) => Ok(*value),
            other => Err(wrong_type(column, "real", other)),
        }
    }
}

fn integer(column: &str, cell: &ColumnData<'static>) -> Result<Option<i64>> {
    Ok(match cell {
        ColumnData::U8(value) => value.map(i64::from),
        ColumnData::I16(value) => value.map(i64::from),
        ColumnData::I32(value) => value.map(i64::from),
        ColumnData::I64(value) => *value,
        ColumnData::Bit(value) => value.map(i64::from),
        ColumnData::Numeric(None) => None,
        ColumnData::Numeric(Some(value)) if value.scale() == 0 => {
            Some(i64::try_from(value.value()).map_err(|_| unexpected(format!("column `{column}` is beyond 63 bits")))?)
        }
        other => return Err(wrong_type(column, "an integer", other)),
    })
}

fn unexpected(why: String) -> Error {
    Error::new(ErrorKind::UnexpectedAnswer, format!("{why}."))
}

fn missing(column: &str) -> Error {
    unexpected(format!("column `{column}` is NULL where a value was expected"))
}

fn wrong_type(column: &str, wanted: &str, cell: &ColumnData<'static>) -> Error {
    let found = match cell {
        ColumnData::U8(_) => "tinyint",
        ColumnData::I16(_) => "smallint",
        ColumnData::I32(_) => "int",
        ColumnData::I64(_) => "bigint",
        ColumnData::F32(_) | ColumnData::F64(_) => "a float",
        ColumnData::Bit(_) => "bit",
        ColumnData::String(_) => "text",
        ColumnData::Guid(_) => "uniqueidentifier",
        ColumnData::Binary(_) => "binary",
        ColumnData::Numeric(_) => "numeric with decimals",
        _ => "another type",
    };
    unexpected(format!("column `{column}` is {found}, not {wanted}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tiberius::{numeric::Numeric, ColumnType};

    fn row() -> Row {
        let row = tiberius::Row::builder()
            .column("Position", ColumnType::Int2, ColumnData::I16(Some(2)))
            .column(
                "FirstLSN",
                ColumnType::Numericn,
                ColumnData::Numeric(Some(Numeric::new_with_scale(9_999_000_000_000_000_100_001, 0))),
            )
            .column("DatabaseName", ColumnType::NVarchar, ColumnData::String(Some("mgc   ".into())))
            .column("ForkPointLSN", ColumnType::Numericn, ColumnData::Numeric(None))
            .column("containment", ColumnType::Int1, ColumnData::U8(Some(1)))
            .build();
        Row::new(row)
    }

    #[test]
    fn integers_of_every_width_read_as_one() {
        assert_eq!(row().need_int("Position").unwrap(), 2);
        assert_eq!(row().need_int("Containment").unwrap(), 1);
    }

    #[test]
    fn an_lsn_beyond_63_bits_keeps_every_digit() {
        assert_eq!(row().need_lsn("FirstLSN").unwrap().to_string(), "9999000000000000100001");
        assert_eq!(row().lsn("ForkPointLSN").unwrap(), None);
    }

    #[test]
    fn a_missing_or_wrong_column_is_an_unexpected_answer() {
        for error in [
            row().int("Nothing").unwrap_err(),
            row().int("DatabaseName").unwrap_err(),
            row().need_lsn("ForkPointLSN").unwrap_err(),
        ] {
            assert_eq!(error.kind, ErrorKind::UnexpectedAnswer);
        }
        assert_eq!(row().need_text("DatabaseName").unwrap(), "mgc");
    }
}
