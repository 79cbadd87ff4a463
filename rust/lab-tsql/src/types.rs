//! Data types of columns, variables and expressions.

use std::fmt;

/// A T-SQL data type. Lengths count characters (bytes for binary); `None` is `max`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SqlType {
    Bit,
    TinyInt,
    SmallInt,
    Int,
    BigInt,
    /// `numeric` and `decimal`; `precision` up to 38.
    Numeric {
        precision: u8,
        scale: u8,
    },
    Real,
    Float,
    DateTime,
    /// `scale`: digits of a second, up to 7.
    DateTime2 {
        scale: u8,
    },
    Date,
    UniqueIdentifier,
    NVarChar(Option<u16>),
    VarChar(Option<u16>),
    NChar(u16),
    Char(u16),
    VarBinary(Option<u16>),
    Binary(u16),
    Variant,
}

impl SqlType {
    /// `numeric(25,0)`, the type of a log sequence number in msdb and the catalog.
    pub const LSN: SqlType = SqlType::Numeric { precision: 25, scale: 0 };

    /// `sysname`, i.e. `nvarchar(128)`.
    pub const SYSNAME: SqlType = SqlType::NVarChar(Some(128));

    pub fn is_string(&self) -> bool {
        matches!(self, SqlType::NVarChar(_) | SqlType::VarChar(_) | SqlType::NChar(_) | SqlType::Char(_))
    }

    /// True for `nvarchar` and `nchar`.
    pub fn is_unicode(&self) -> bool {
        matches!(self, SqlType::NVarChar(_) | SqlType::NChar(_))
    }

    pub fn is_integer(&self) -> bool {
        matches!(self, SqlType::Bit | SqlType::TinyInt | SqlType::SmallInt | SqlType::Int | SqlType::BigInt)
    }

    pub fn is_number(&self) -> bool {
        self.is_integer() || matches!(self, SqlType::Numeric { .. } | SqlType::Real | SqlType::Float)
    }

    pub fn is_date(&self) -> bool {
        matches!(self, SqlType::DateTime | SqlType::DateTime2 { .. } | SqlType::Date)
    }

    pub fn is_binary(&self) -> bool {
        matches!(self, SqlType::VarBinary(_) | SqlType::Binary(_))
    }

    /// The name as SQL Server prints it in messages, without length.
    pub fn base_name(&self) -> &'static str {
        match self {
            SqlType::Bit => "bit",
            SqlType::TinyInt => "tinyint",
            SqlType::SmallInt => "smallint",
            SqlType::Int => "int",
            SqlType::BigInt => "bigint",
            SqlType::Numeric { .. } => "numeric",
            SqlType::Real => "real",
            SqlType::Float => "float",
            SqlType::DateTime => "datetime",
            SqlType::DateTime2 { .. } => "datetime2",
            SqlType::Date => "date",
            SqlType::UniqueIdentifier => "uniqueidentifier",
            SqlType::NVarChar(_) => "nvarchar",
            SqlType::VarChar(_) => "varchar",
            SqlType::NChar(_) => "nchar",
            SqlType::Char(_) => "char",
            SqlType::VarBinary(_) => "varbinary",
            SqlType::Binary(_) => "binary",
            SqlType::Variant => "sql_variant",
        }
    }
}

impl fmt::Display for SqlType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.base_name())?;
        match self {
            SqlType::Numeric { precision, scale } => write!(f, "({precision},{scale})"),
            SqlType::DateTime2 { scale } => write!(f, "({scale})"),
            SqlType::NVarChar(Some(n)) | SqlType::VarChar(Some(n)) | SqlType::VarBinary(Some(n)) => {
                write!(f, "({n})")
            }
            SqlType::NVarChar(None) | SqlType::VarChar(None) | SqlType::VarBinary(None) => f.write_str("(max)"),
            SqlType::NChar(n) | SqlType::Char(n) | SqlType::Binary(n) => write!(f, "({n})"),
            _ => Ok(()),
        }
    }
}
