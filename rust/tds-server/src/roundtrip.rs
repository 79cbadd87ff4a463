//! What `encode` writes, `decode` reads; and what nobody wrote, it refuses.

use bytes::{BufMut, BytesMut};
use uuid::Uuid;

use crate::decode::typed_value;
use crate::encode::{put_value, Unfit};
use crate::type_info::put_type_info;
use crate::value::{Date, Length, Numeric, SqlType, Timestamp, Value};
use crate::wire::Reader;

fn encode(ty: &SqlType, nullable: bool, value: &Value) -> Result<BytesMut, Unfit> {
    let mut bytes = BytesMut::new();
    put_type_info(&mut bytes, ty, nullable);
    put_value(&mut bytes, ty, nullable, value)?;
    Ok(bytes)
}

fn samples() -> Vec<(SqlType, Value)> {
    let moment = Timestamp::new(9999, 12, 31, 23, 59, 59, 990_000_000).unwrap();
    let early = Timestamp::new(1753, 1, 1, 0, 0, 0, 0).unwrap();
    let minute = Timestamp::new(2026, 3, 14, 2, 15, 0, 0).unwrap();
    let widest = 10i128.pow(38) - 1;
    vec![
        (SqlType::TinyInt, Value::TinyInt(u8::MAX)),
        (SqlType::SmallInt, Value::SmallInt(i16::MIN)),
        (SqlType::Int, Value::Int(i32::MIN)),
        (SqlType::BigInt, Value::BigInt(i64::MAX)),
        (SqlType::Bit, Value::Bit(false)),
        (SqlType::numeric(9, 0), Value::Numeric(Numeric::whole(-999_999_999))),
        (SqlType::numeric(19, 4), Value::Numeric(Numeric { value: 10i128.pow(19) - 1, scale: 4 })),
        (SqlType::numeric(25, 0), Value::Numeric(Numeric::whole(10i128.pow(25) - 1))),
        (SqlType::numeric(38, 38), Value::Numeric(Numeric { value: -widest, scale: 38 })),
        (SqlType::Money, Value::Numeric(Numeric { value: -922_337_203_685_477, scale: 4 })),
        (SqlType::Real, Value::Real(f32::MIN_POSITIVE)),
        (SqlType::Float, Value::Float(f64::MAX)),
        (SqlType::DateTime, Value::DateTime(moment)),
        (SqlType::DateTime, Value::DateTime(early)),
        (SqlType::SmallDateTime, Value::DateTime(minute)),
        (SqlType::DateTime2 { scale: 7 }, Value::DateTime(moment)),
        (SqlType::DateTime2 { scale: 2 }, Value::DateTime(moment)),
        (SqlType::DateTime2 { scale: 4 }, Value::DateTime(moment)),
        (SqlType::DateTimeOffset { scale: 7 }, Value::DateTimeOffset(moment, -720)),
        (SqlType::Date, Value::Date(Date { days: 0 })),
        (SqlType::Time { scale: 3 }, Value::Time(86_399_999_000_000)),
        (SqlType::UniqueIdentifier, Value::Guid(Uuid::from_u128(u128::MAX / 3))),
        (SqlType::nvarchar(4000), Value::String("é😀".repeat(1300))),
        (SqlType::nvarchar(4001), Value::String("é😀".repeat(90_000))),
        (SqlType::nvarchar(1), Value::String(String::new())),
        (SqlType::NVarChar(Length::Unlimited), Value::String(String::new())),
        (SqlType::NChar(3), "abc".into()),
        (SqlType::VarChar(Length::Max(8000)), "Œuf €".into()),
        (SqlType::VarChar(Length::Unlimited), "ÿ".into()),
        (SqlType::Char(2), "ab".into()),
        (SqlType::VarBinary(Length::Max(8000)), Value::Binary(vec![0; 8000])),
        (SqlType::VarBinary(Length::Unlimited), Value::Binary(vec![1; 3 << 20])),
        (SqlType::Binary(2), Value::Binary(vec![3, 4])),
        (SqlType::Xml, "<a/>".into()),
        (SqlType::Variant, Value::Int(-1)),
        (SqlType::Variant, Value::Bit(true)),
        (SqlType::Variant, Value::String("12.0.6024.0".into())),
        (SqlType::Variant, Value::Numeric(Numeric { value: 5, scale: 1 })),
        (SqlType::Variant, Value::Binary(vec![1, 2])),
        (SqlType::Variant, Value::DateTime(moment)),
        (SqlType::Variant, Value::Date(Date { days: 700_000 })),
        (SqlType::Variant, Value::Time(1_000_000_000)),
        (SqlType::Variant, Value::DateTimeOffset(moment, 60)),
        (SqlType::Variant, Value::Guid(Uuid::nil())),
        (SqlType::Variant, Value::Float(0.5)),
    ]
}

#[test]
fn every_type_comes_back_as_it_went() {
    for (ty, value) in samples() {
        for nullable in [true, false] {
            let bytes = encode(&ty, nullable, &value).unwrap();
            let mut reader = Reader::new(&bytes);
            let (read_type, read) = typed_value(&mut reader).unwrap();
            assert!(reader.is_empty(), "{ty:?} leaves {} bytes", reader.rest().len());
            assert_eq!((read_type, read), (ty, value.clone()));
        }
        let bytes = encode(&ty, true, &Value::Null).unwrap();
        assert_eq!(typed_value(&mut Reader::new(&bytes)).unwrap(), (ty, Value::Null));
    }
}

#[test]
fn the_numbers_of_the_specification_are_written_as_it_writes_them() {
    let bytes = encode(&SqlType::numeric(25, 0), true, &Value::Numeric(Numeric::whole(256))).unwrap();
    assert_eq!(bytes[..], [0x6C, 0x0D, 25, 0, 13, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let noon = Timestamp::new(1900, 1, 2, 12, 0, 0, 0).unwrap();
    let bytes = encode(&SqlType::DateTime, false, &Value::DateTime(noon)).unwrap();
    assert_eq!(bytes[..], [0x3D, 1, 0, 0, 0, 0x00, 0xC1, 0xC5, 0x00]);
    let bytes = encode(&SqlType::sysname(), true, &"a".into()).unwrap();
    assert_eq!(bytes[..], [0xE7, 0x00, 0x01, 0x09, 0x04, 0xD0, 0x00, 0x34, 2, 0, 0x61, 0]);
}

#[test]
fn datetime_rounds_to_its_ticks() {
    let almost = Timestamp::new(2026, 12, 31, 23, 59, 59, 999_000_000).unwrap();
    let bytes = encode(&SqlType::DateTime, true, &Value::DateTime(almost)).unwrap();
    let midnight = Timestamp::new(2027, 1, 1, 0, 0, 0, 0).unwrap();
    assert_eq!(typed_value(&mut Reader::new(&bytes)).unwrap().1, Value::DateTime(midnight));
}

#[test]
fn values_convert_where_nothing_is_lost() {
    let fits = |ty, value: Value| encode(&ty, true, &value).map(|_| ());
    assert_eq!(fits(SqlType::BigInt, Value::TinyInt(1)), Ok(()));
    assert_eq!(fits(SqlType::numeric(25, 0), Value::BigInt(i64::MAX)), Ok(()));
    assert_eq!(fits(SqlType::Float, Value::Int(1)), Ok(()));
    assert_eq!(fits(SqlType::TinyInt, Value::Int(256)), Err(Unfit::Overflow));
    assert_eq!(fits(SqlType::numeric(9, 0), Value::BigInt(1_000_000_000)), Err(Unfit::Overflow));
    assert_eq!(fits(SqlType::numeric(9, 0), Value::Numeric(Numeric { value: 15, scale: 1 })), Err(Unfit::Overflow));
    assert_eq!(fits(SqlType::nvarchar(1), "ab".into()), Err(Unfit::TooLong));
    assert_eq!(fits(SqlType::Int, "1".into()), Err(Unfit::Type));
    assert_eq!(encode(&SqlType::Int, false, &Value::Null), Err(Unfit::Null));
}

#[test]
fn days_and_dates_agree() {
    for (year, month, day, days) in
        [(1, 1, 1, 0), (1900, 1, 1, 693_595), (2000, 2, 29, 730_178), (9999, 12, 31, 3_652_058)]
    {
        let date = Date::from_ymd(year, month, day).unwrap();
        assert_eq!((date.days, date.ymd()), (days, (year, month, day)));
    }
    assert!((0..3_652_059).step_by(97).all(|days| {
        let (year, month, day) = Date { days }.ymd();
        Date::from_ymd(year, month, day) == Some(Date { days })
    }));
    assert_eq!(Date::from_ymd(1900, 2, 29), None);
    let moment = Timestamp::new(2026, 3, 14, 2, 15, 9, 7_000_000).unwrap();
    assert_eq!(moment.to_string(), "2026-03-14 02:15:09.007");
    assert_eq!(Numeric { value: -5, scale: 2 }.to_string(), "-0.05");
}

#[test]
fn noise_is_refused_or_read_and_never_a_panic() {
    let mut seed = 0x2545_F491_4F6C_DD1Du64;
    let mut next = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    for code in 0..=255u8 {
        for _ in 0..400 {
            let mut bytes = vec![code];
            // Small numbers make lengths that fit now and then.
            bytes.extend((0..next() % 40).map(|_| (next() % 24) as u8));
            bytes.extend((0..next() % 20).map(|_| next() as u8));
            let _ = typed_value(&mut Reader::new(&bytes));
        }
    }
    for (ty, value) in samples() {
        let mut bytes = encode(&ty, true, &value).unwrap();
        bytes.truncate(4000);
        for end in 0..bytes.len().min(300) {
            let _ = typed_value(&mut Reader::new(&bytes[..end]));
        }
        for _ in 0..100 {
            let mut damaged = bytes.clone();
            let at = next() as usize % damaged.len().min(40);
            damaged[at] = next() as u8;
            damaged.put_u8(0);
            let _ = typed_value(&mut Reader::new(&damaged));
        }
    }
}
