//! Data types, column definitions and parameter lists.

use super::cursor::Cursor;
use super::lexer::TokenKind;
use crate::context::ColumnDef;
use crate::error::SqlError;
use crate::types::SqlType;
use sqlparser::ast as sql;

/// A parameter of `sp_executesql`'s second argument; `name` with its `@`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterDef {
    pub name: String,
    pub data_type: SqlType,
    pub output: bool,
}

/// Parses `@P1 nvarchar(4000), @P2 int OUTPUT`; an empty text is an empty list.
///
/// # Errors
/// 102; 2715 for a type that does not exist.
pub fn parse_parameters(text: &str) -> Result<Vec<ParameterDef>, SqlError> {
    let mut cursor = Cursor::new(text)?;
    let mut parameters = Vec::new();
    while !cursor.at_end() {
        let name = cursor.variable().ok_or_else(|| cursor.error())?;
        cursor.take_word("AS");
        let data_type = cursor.data_type()?;
        let output = cursor.take_word("OUTPUT") || cursor.take_word("OUT");
        parameters.push(ParameterDef { name, data_type, output });
        if !cursor.at_end() {
            cursor.expect_symbol(',')?;
        }
    }
    Ok(parameters)
}

/// Parses a type such as `numeric(25,0)`.
///
/// # Errors
/// 102; 2715 for a type that does not exist.
pub fn parse_type(text: &str) -> Result<SqlType, SqlError> {
    let mut cursor = Cursor::new(text)?;
    let data_type = cursor.data_type()?;
    if cursor.at_end() {
        Ok(data_type)
    } else {
        Err(cursor.error())
    }
}

/// The type behind the query parser's one. `in_cast`: a length left out is 30, elsewhere 1.
pub(crate) fn data_type_of(data_type: &sql::DataType, in_cast: bool) -> Result<SqlType, SqlError> {
    let text = data_type.to_string();
    let mut cursor = Cursor::new(&text)?;
    cursor.data_type_with_default(if in_cast { 30 } else { 1 })
}

impl Cursor<'_> {
    pub(super) fn data_type(&mut self) -> Result<SqlType, SqlError> {
        self.data_type_with_default(1)
    }

    fn data_type_with_default(&mut self, default_length: u16) -> Result<SqlType, SqlError> {
        let mut object = self.object_name()?;
        let mut name = object.name.to_ascii_lowercase();
        // The query parser prints DOUBLE PRECISION, and CHARACTER VARYING, as two words.
        if name == "double" && self.take_word("PRECISION") {
            name = "float".into();
        } else if matches!(name.as_str(), "char" | "character" | "nchar") && self.take_word("VARYING") {
            name = if name == "nchar" { "nvarchar".into() } else { "varchar".into() };
        }
        let mut arguments: Vec<Option<u16>> = Vec::new();
        if self.take_symbol('(') {
            loop {
                if self.take_word("MAX") {
                    arguments.push(None);
                } else {
                    let number = self.integer()?;
                    arguments.push(Some(u16::try_from(number).map_err(|_| self.error())?));
                }
                if !self.take_symbol(',') {
                    break;
                }
            }
            self.expect_symbol(')')?;
        }
        let first = arguments.first().copied();
        let length = first.unwrap_or(Some(default_length));
        let fixed = |longest: u16| length.filter(|n| (1..=longest).contains(n));
        let bounded = |longest: u16| match length {
            None => Some(None),
            Some(n) if (1..=longest).contains(&n) => Some(Some(n)),
            Some(_) => None,
        };
        let digits = |default: u8| first.map_or(Some(default), |n| n.and_then(|n| u8::try_from(n).ok()));
        let found = match name.as_str() {
            "bit" => Some(SqlType::Bit),
            "tinyint" => Some(SqlType::TinyInt),
            "smallint" => Some(SqlType::SmallInt),
            "int" | "integer" => Some(SqlType::Int),
            "bigint" => Some(SqlType::BigInt),
            "numeric" | "decimal" | "dec" => {
                let precision = digits(18).filter(|p| (1..=38).contains(p));
                let scale = arguments.get(1).map_or(Some(0), |s| s.and_then(|s| u8::try_from(s).ok()));
                precision.zip(scale).and_then(|(precision, scale)| {
                    (scale <= precision).then_some(SqlType::Numeric { precision, scale })
                })
            }
            "real" => Some(SqlType::Real),
            "float" => Some(match digits(53) {
                Some(1..=24) => SqlType::Real,
                _ => SqlType::Float,
            }),
            "datetime" => Some(SqlType::DateTime),
            "datetime2" => digits(7).filter(|s| *s <= 7).map(|scale| SqlType::DateTime2 { scale }),
            "date" => Some(SqlType::Date),
            "uniqueidentifier" => Some(SqlType::UniqueIdentifier),
            "sysname" => Some(SqlType::SYSNAME),
            "nvarchar" => bounded(4000).map(SqlType::NVarChar),
            "varchar" => bounded(8000).map(SqlType::VarChar),
            "ntext" => Some(SqlType::NVarChar(None)),
            "text" => Some(SqlType::VarChar(None)),
            "nchar" => fixed(4000).map(SqlType::NChar),
            "char" | "character" => fixed(8000).map(SqlType::Char),
            "varbinary" => bounded(8000).map(SqlType::VarBinary),
            "binary" => fixed(8000).map(SqlType::Binary),
            "image" => Some(SqlType::VarBinary(None)),
            "sql_variant" => Some(SqlType::Variant),
            "xml" | "time" | "datetimeoffset" | "smalldatetime" | "money" | "smallmoney" | "timestamp"
            | "rowversion" | "geography" | "geometry" | "hierarchyid" | "table" => {
                return Err(SqlError::unknown(format!("type {name}")));
            }
            _ => None,
        };
        found.ok_or_else(|| {
            let shown = std::mem::take(&mut object.name);
            SqlError::new(2715, 16, format!("Cannot find data type {shown}.")).with_state(6)
        })
    }

    /// `(name type [NULL | NOT NULL] [PRIMARY KEY | UNIQUE], ...)`. `None` for what temporary tables do not have here.
    pub(super) fn column_definitions(&mut self) -> Result<Option<Vec<ColumnDef>>, SqlError> {
        self.expect_symbol('(')?;
        let mut columns = Vec::new();
        loop {
            if matches!(self.word().as_str(), "PRIMARY" | "UNIQUE" | "CONSTRAINT" | "CHECK" | "INDEX") {
                return Ok(None);
            }
            let name = self.name()?;
            let data_type = self.data_type()?;
            let mut column = ColumnDef::new(name, data_type);
            loop {
                if self.take_word("NULL") {
                    column.nullable = true;
                } else if self.take_word("NOT") {
                    self.expect_word("NULL")?;
                    column.nullable = false;
                } else if self.take_word("COLLATE") {
                    self.name()?;
                } else {
                    break;
                }
            }
            columns.push(column);
            match self.peek().map(|token| &token.kind) {
                Some(TokenKind::Symbol(',')) => self.position += 1,
                Some(TokenKind::Symbol(')')) => {
                    self.position += 1;
                    return Ok(Some(columns));
                }
                Some(TokenKind::Word) => return Ok(None),
                _ => return Err(self.error()),
            }
        }
    }
}
