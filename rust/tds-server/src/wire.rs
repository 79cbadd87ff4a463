//! Reading and writing the byte forms that all of TDS is made of.

use bytes::{BufMut, BytesMut};

use crate::error::{Error, Result};

const TRUNCATED: Error = Error::Protocol("message ends too early");

/// A cursor over one message of a client. Reading past the end is an ordinary error.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (head, rest) = self.rest.split_at_checked(length).ok_or(TRUNCATED)?;
        self.rest = rest;
        Ok(head)
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (head, rest) = self.rest.split_first_chunk::<N>().ok_or(TRUNCATED)?;
        self.rest = rest;
        Ok(*head)
    }

    pub fn u8(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    pub fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub fn u16_be(&mut self) -> Result<u16> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub fn i32(&mut self) -> Result<i32> {
        Ok(i32::from_le_bytes(self.array()?))
    }

    pub fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    pub fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// A string with its character count in one byte.
    pub fn b_varchar(&mut self) -> Result<String> {
        let characters = usize::from(self.u8()?);
        utf16(self.take(characters * 2)?)
    }

    /// A string with its character count in two bytes.
    pub fn us_varchar(&mut self) -> Result<String> {
        let characters = usize::from(self.u16()?);
        utf16(self.take(characters * 2)?)
    }
}

/// UTF-16LE to text. Lone surrogates become U+FFFD, as SQL Server stores what it is given.
pub(crate) fn utf16(bytes: &[u8]) -> Result<String> {
    let pairs = bytes.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return Err(Error::Protocol("text of an odd number of bytes"));
    }
    let units = pairs.map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    Ok(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
}

pub(crate) fn put_utf16(out: &mut BytesMut, text: &str) {
    for unit in text.encode_utf16() {
        out.put_u16_le(unit);
    }
}

/// Writes at most 255 characters with their count in one byte; longer text is cut.
pub(crate) fn put_b_varchar(out: &mut BytesMut, text: &str) {
    let units: Vec<u16> = text.encode_utf16().take(255).collect();
    out.put_u8(units.len() as u8);
    units.iter().for_each(|unit| out.put_u16_le(*unit));
}

/// Writes at most `limit` characters with their count in two bytes; longer text is cut.
pub(crate) fn put_us_varchar(out: &mut BytesMut, text: &str, limit: u16) {
    let units: Vec<u16> = text.encode_utf16().take(usize::from(limit)).collect();
    out.put_u16_le(units.len() as u16);
    units.iter().for_each(|unit| out.put_u16_le(*unit));
}

/// Writes what `body` adds, with its length in two bytes in front.
pub(crate) fn put_with_length(out: &mut BytesMut, body: impl FnOnce(&mut BytesMut)) {
    let at = out.len();
    out.put_u16_le(0);
    body(out);
    let length = (out.len() - at - 2) as u16;
    out[at..at + 2].copy_from_slice(&length.to_le_bytes());
}

/// SQL_Latin1_General_CP1_CI_AS.
pub(crate) const COLLATION: [u8; 5] = [0x09, 0x04, 0xD0, 0x00, 0x34];

/// The characters of code page 1252 from 0x80 to 0x9F; the others are those of Latin-1.
const CP1252_HIGH: [char; 32] = [
    '\u{20AC}', '\u{81}', '\u{201A}', '\u{192}', '\u{201E}', '\u{2026}', '\u{2020}', '\u{2021}', '\u{2C6}', '\u{2030}',
    '\u{160}', '\u{2039}', '\u{152}', '\u{8D}', '\u{17D}', '\u{8F}', '\u{90}', '\u{2018}', '\u{2019}', '\u{201C}',
    '\u{201D}', '\u{2022}', '\u{2013}', '\u{2014}', '\u{2DC}', '\u{2122}', '\u{161}', '\u{203A}', '\u{153}', '\u{9D}',
    '\u{17E}', '\u{178}',
];

/// Text in code page 1252; what it lacks becomes a question mark, as in SQL Server.
pub(crate) fn to_cp1252(text: &str) -> Vec<u8> {
    text.chars()
        .map(|c| match u32::from(c) {
            code @ (0..=0x7F | 0xA0..=0xFF) => code as u8,
            _ => CP1252_HIGH.iter().position(|high| *high == c).map_or(b'?', |index| 0x80 + index as u8),
        })
        .collect()
}

pub(crate) fn from_cp1252(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| match byte {
            0x80..=0x9F => CP1252_HIGH[usize::from(byte - 0x80)],
            _ => char::from(*byte),
        })
        .collect()
}
