//! JSON as the journal holds it: compact, and without the values of secret members.

use std::io::{self, Write};

use serde_json::ser::{CharEscape, CompactFormatter, Formatter};

/// What the names of secret members end with.
const SECRET_WORDS: [&str; 4] = ["password", "passwd", "pwd", "secret"];

/// A net below those who must not hand secrets in: the text of a member named like one is replaced while it is written.
#[derive(Default)]
pub(super) struct Blanking {
    /// The name of the member that is being written, in lower case.
    name: String,
    is_in_name: bool,
    /// True where the value that follows is that of a secret member.
    is_secret: bool,
    is_muted: bool,
}

impl Formatter for Blanking {
    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.is_in_name = true;
        self.name.clear();
        CompactFormatter.begin_object_key(writer, first)
    }

    fn end_object_key<W: ?Sized + Write>(&mut self, _writer: &mut W) -> io::Result<()> {
        self.is_in_name = false;
        self.is_secret = SECRET_WORDS.iter().any(|word| self.name.ends_with(word));
        Ok(())
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _writer: &mut W) -> io::Result<()> {
        self.is_secret = false;
        Ok(())
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.is_secret = false;
        writer.write_all(b"{")
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.is_secret = false;
        writer.write_all(b"[")
    }

    fn begin_string<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.is_muted = self.is_secret && !self.is_in_name;
        writer.write_all(if self.is_muted { b"\"***" } else { b"\"" })
    }

    fn end_string<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.is_muted = false;
        writer.write_all(b"\"")
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        if self.is_in_name {
            self.name.extend(fragment.chars().flat_map(char::to_lowercase));
        }
        if self.is_muted {
            return Ok(());
        }
        writer.write_all(fragment.as_bytes())
    }

    fn write_char_escape<W: ?Sized + Write>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()> {
        if self.is_muted {
            return Ok(());
        }
        CompactFormatter.write_char_escape(writer, escape)
    }
}
