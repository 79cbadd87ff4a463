//! SQL types and values, as a handler sees them.

use std::fmt;

use uuid::Uuid;

/// The declared length of a character or binary type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// Up to this many characters (`nvarchar`, `nchar`) or bytes (the others).
    Max(u16),
    /// `(max)`: no limit, sent in chunks.
    Unlimited,
}

/// The type of a column, a parameter or a return value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SqlType {
    TinyInt,
    SmallInt,
    Int,
    BigInt,
    Bit,
    /// `numeric(precision, scale)`; precision 1 to 38.
    Numeric {
        precision: u8,
        scale: u8,
    },
    Real,
    Float,
    /// `money`: eight bytes, four decimals; its values are [`Value::Numeric`] of scale 4.
    Money,
    DateTime,
    SmallDateTime,
    /// `datetime2(scale)`; scale 0 to 7.
    DateTime2 {
        scale: u8,
    },
    DateTimeOffset {
        scale: u8,
    },
    Date,
    Time {
        scale: u8,
    },
    UniqueIdentifier,
    NVarChar(Length),
    /// `nchar(n)`: values are padded with blanks.
    NChar(u16),
    /// Sent in code page 1252, as SQL_Latin1_General_CP1_CI_AS has it.
    VarChar(Length),
    Char(u16),
    VarBinary(Length),
    /// `binary(n)`: values are padded with zeros.
    Binary(u16),
    /// `sql_variant`: every value carries its own type (`SERVERPROPERTY`).
    Variant,
    /// `xml`, sent as text.
    Xml,
}

impl SqlType {
    /// `nvarchar(n)`, or `nvarchar(max)` for more than 4000 characters.
    pub fn nvarchar(characters: usize) -> Self {
        match u16::try_from(characters) {
            Ok(n) if n <= 4000 => Self::NVarChar(Length::Max(n.max(1))),
            _ => Self::NVarChar(Length::Unlimited),
        }
    }

    /// `sysname`: `nvarchar(128)`.
    pub fn sysname() -> Self {
        Self::nvarchar(128)
    }

    /// `numeric(precision, scale)`.
    pub fn numeric(precision: u8, scale: u8) -> Self {
        Self::Numeric { precision, scale }
    }

    /// The type as messages write it, without length.
    pub fn name(&self) -> &'static str {
        match self {
            Self::TinyInt => "tinyint",
            Self::SmallInt => "smallint",
            Self::Int => "int",
            Self::BigInt => "bigint",
            Self::Bit => "bit",
            Self::Numeric { .. } => "numeric",
            Self::Real => "real",
            Self::Float => "float",
            Self::Money => "money",
            Self::DateTime => "datetime",
            Self::SmallDateTime => "smalldatetime",
            Self::DateTime2 { .. } => "datetime2",
            Self::DateTimeOffset { .. } => "datetimeoffset",
            Self::Date => "date",
            Self::Time { .. } => "time",
            Self::UniqueIdentifier => "uniqueidentifier",
            Self::NVarChar(_) => "nvarchar",
            Self::NChar(_) => "nchar",
            Self::VarChar(_) => "varchar",
            Self::Char(_) => "char",
            Self::VarBinary(_) => "varbinary",
            Self::Binary(_) => "binary",
            Self::Variant => "sql_variant",
            Self::Xml => "xml",
        }
    }
}

/// One value. Columns accept what converts without loss: a smaller integer in a
/// wider column, an integer in a numeric one, text in any character type.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Bit(bool),
    TinyInt(u8),
    SmallInt(i16),
    Int(i32),
    BigInt(i64),
    Numeric(Numeric),
    Real(f32),
    Float(f64),
    /// For `datetime`, `smalldatetime` and `datetime2`.
    DateTime(Timestamp),
    /// A point in time in UTC and the offset in minutes it is shown in.
    DateTimeOffset(Timestamp, i16),
    Date(Date),
    /// Nanoseconds since midnight.
    Time(u64),
    Guid(Uuid),
    String(String),
    Binary(Vec<u8>),
}

impl Value {
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The whole number in any of the integer types, `bit`, or a numeric of scale 0.
    pub fn as_i128(&self) -> Option<i128> {
        match self {
            Self::Bit(v) => Some(i128::from(*v)),
            Self::TinyInt(v) => Some(i128::from(*v)),
            Self::SmallInt(v) => Some(i128::from(*v)),
            Self::Int(v) => Some(i128::from(*v)),
            Self::BigInt(v) => Some(i128::from(*v)),
            Self::Numeric(n) if n.scale == 0 => Some(n.value),
            _ => None,
        }
    }

    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The type a value has by itself, as in a `sql_variant`; `None` for NULL.
    pub fn natural_type(&self) -> Option<SqlType> {
        Some(match self {
            Self::Null => return None,
            Self::Bit(_) => SqlType::Bit,
            Self::TinyInt(_) => SqlType::TinyInt,
            Self::SmallInt(_) => SqlType::SmallInt,
            Self::Int(_) => SqlType::Int,
            Self::BigInt(_) => SqlType::BigInt,
            Self::Numeric(n) => SqlType::numeric(38, n.scale),
            Self::Real(_) => SqlType::Real,
            Self::Float(_) => SqlType::Float,
            Self::DateTime(_) => SqlType::DateTime,
            Self::DateTimeOffset(..) => SqlType::DateTimeOffset { scale: 7 },
            Self::Date(_) => SqlType::Date,
            Self::Time(_) => SqlType::Time { scale: 7 },
            Self::Guid(_) => SqlType::UniqueIdentifier,
            Self::String(text) => SqlType::nvarchar(text.encode_utf16().count()),
            Self::Binary(bytes) => SqlType::VarBinary(match u16::try_from(bytes.len()) {
                Ok(n) if n <= 8000 => Length::Max(n.max(1)),
                _ => Length::Unlimited,
            }),
        })
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

macro_rules! value_from {
    ($($from:ty => $variant:ident),* $(,)?) => {$(
        impl From<$from> for Value {
            fn from(value: $from) -> Self {
                Self::$variant(value)
            }
        }
    )*};
}

value_from! {
    bool => Bit, u8 => TinyInt, i16 => SmallInt, i32 => Int, i64 => BigInt, f32 => Real, f64 => Float,
    Numeric => Numeric, Timestamp => DateTime, Date => Date, Uuid => Guid, String => String, Vec<u8> => Binary,
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// An exact decimal: `value / 10^scale`. Holds LSNs, which do not fit 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Numeric {
    pub value: i128,
    pub scale: u8,
}

impl Numeric {
    /// A whole number, such as an LSN.
    pub fn whole(value: i128) -> Self {
        Self { value, scale: 0 }
    }

    /// The same number with another scale; `None` if digits would be lost or overflow.
    pub fn rescale(self, scale: u8) -> Option<Self> {
        let value = if scale >= self.scale {
            let factor = 10i128.checked_pow(u32::from(scale - self.scale))?;
            self.value.checked_mul(factor)?
        } else {
            let factor = 10i128.checked_pow(u32::from(self.scale - scale))?;
            if self.value % factor != 0 {
                return None;
            }
            self.value / factor
        };
        Some(Self { value, scale })
    }
}

impl fmt::Display for Numeric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.scale == 0 {
            return write!(f, "{}", self.value);
        }
        let scale = usize::from(self.scale);
        let digits = format!("{:0>width$}", self.value.unsigned_abs(), width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        let sign = if self.value < 0 { "-" } else { "" };
        write!(f, "{sign}{whole}.{fraction}")
    }
}

/// A day of the Gregorian calendar, years 1 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// Days since 0001-01-01.
    pub days: u32,
}

/// Days from 0001-01-01 to 1900-01-01, where `datetime` begins to count.
pub(crate) const DAYS_TO_1900: u32 = 693_595;
/// The last day SQL Server knows, 9999-12-31.
pub(crate) const LAST_DAY: u32 = 3_652_058;
pub(crate) const NANOS_PER_DAY: u64 = 86_400_000_000_000;

impl Date {
    /// `None` for a day that does not exist.
    pub fn from_ymd(year: u16, month: u8, day: u8) -> Option<Self> {
        if !(1..=9999).contains(&year) || !(1..=12).contains(&month) || day == 0 {
            return None;
        }
        if day > days_in_month(year, month) {
            return None;
        }
        let y = u32::from(year) - 1;
        let before_year = y * 365 + y / 4 - y / 100 + y / 400;
        let before_month: u32 = (1..month).map(|m| u32::from(days_in_month(year, m))).sum();
        Some(Self { days: before_year + before_month + u32::from(day) - 1 })
    }

    /// Year, month and day.
    pub fn ymd(self) -> (u16, u8, u8) {
        let mut year = (self.days / 366 + 1) as u16;
        while Self::from_ymd(year + 1, 1, 1).is_some_and(|next| next.days <= self.days) {
            year += 1;
        }
        let first = Self::from_ymd(year, 1, 1).map_or(0, |d| d.days);
        let mut rest = self.days - first;
        let mut month = 1;
        while month < 12 && rest >= u32::from(days_in_month(year, month)) {
            rest -= u32::from(days_in_month(year, month));
            month += 1;
        }
        (year, month, rest as u8 + 1)
    }
}

fn days_in_month(year: u16, month: u8) -> u8 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// A day and a time of day, without a time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    pub date: Date,
    /// Nanoseconds since midnight; `datetime` keeps 1/300 s, `datetime2(7)` 100 ns.
    pub nanos: u64,
}

impl Timestamp {
    /// `None` for a moment that does not exist.
    pub fn new(year: u16, month: u8, day: u8, hour: u8, minute: u8, second: u8, nanos: u32) -> Option<Self> {
        if hour > 23 || minute > 59 || second > 59 || nanos > 999_999_999 {
            return None;
        }
        let seconds = u64::from(hour) * 3600 + u64::from(minute) * 60 + u64::from(second);
        Some(Self { date: Date::from_ymd(year, month, day)?, nanos: seconds * 1_000_000_000 + u64::from(nanos) })
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.date.ymd();
        let seconds = self.nanos / 1_000_000_000;
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        let millis = self.nanos / 1_000_000 % 1000;
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{millis:03}")
    }
}
