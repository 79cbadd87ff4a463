//! The one place where names and texts become part of a statement.
//!
//! Values travel as parameters wherever the statement takes them. RESTORE, BACKUP, ALTER DATABASE, KILL and procedure
//! calls with a return code do not, or not on every version; their names and texts pass through here.

use crate::error::{Error, ErrorKind, Result};
use crate::names::{shown, ServerPath};

/// The longest identifier of SQL Server (`sysname`), in UTF-16 units.
const NAME_LIMIT: usize = 128;
/// The longest text that is accepted as a literal, in UTF-16 units: that of `nvarchar(4000)`.
const LITERAL_LIMIT: usize = 4000;
/// The longest path that RESTORE and BACKUP take, in UTF-16 units: `nvarchar(260)` with its end.
const PATH_LIMIT: usize = 259;

/// A name in brackets, a bracket inside doubled: `[mgc]`.
///
/// # Errors
/// `InvalidValue` (1002) for an empty name, one above 128 characters, or one with a NUL.
pub fn quote_name(name: &str) -> Result<String> {
    let why = if name.is_empty() {
        "it is empty"
    } else if name.contains('\0') {
        "it has a NUL character"
    } else if longer_than(name, NAME_LIMIT) {
        "it is longer than 128 characters"
    } else {
        return Ok(format!("[{}]", name.replace(']', "]]")));
    };
    Err(refused("a name in SQL Server", name, why))
}

/// A text as a Unicode literal, a quote inside doubled: `N'it''s'`.
///
/// # Errors
/// `InvalidValue` (1002) for a text above 4000 characters, or one with a NUL.
pub fn quote_literal(text: &str) -> Result<String> {
    let why = if text.contains('\0') {
        "it has a NUL character"
    } else if longer_than(text, LITERAL_LIMIT) {
        "it is longer than 4000 characters"
    } else {
        return Ok(format!("N'{}'", text.replace('\'', "''")));
    };
    Err(refused("a text for SQL Server", text, why))
}

/// A path on the server's host as a Unicode literal.
///
/// # Errors
/// `InvalidValue` (1002) for an empty path, one above 259 characters, or one with a control character.
pub fn quote_path(path: &ServerPath) -> Result<String> {
    let text = path.as_str();
    let why = if text.is_empty() {
        "it is empty"
    } else if text.chars().any(char::is_control) {
        "it has a control character"
    } else if longer_than(text, PATH_LIMIT) {
        "it is longer than 259 characters"
    } else {
        return quote_literal(text);
    };
    Err(refused("a path on the server", text, why))
}

/// Counts UTF-16 units no further than the limit, so that a huge text costs nothing.
fn longer_than(text: &str, limit: usize) -> bool {
    text.encode_utf16().take(limit + 1).count() > limit
}

fn refused(what: &str, text: &str, why: &str) -> Error {
    Error::new(ErrorKind::InvalidValue, format!("`{}` cannot be used as {what}: {why}.", shown(text)))
        .with_unchanged("Nothing was sent.")
        .with_target(shown(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_everything_but_doubles_the_closing_bracket() {
        assert_eq!(quote_name("mgc").unwrap(), "[mgc]");
        assert_eq!(quote_name("a]; DROP DATABASE mgc --").unwrap(), "[a]]; DROP DATABASE mgc --]");
        assert_eq!(quote_name("[x]").unwrap(), "[[x]]]");
        assert_eq!(quote_name("o'clock").unwrap(), "[o'clock]");
        assert_eq!(quote_name("two\nlines").unwrap(), "[two\nlines]");
    }

    #[test]
    fn a_literal_doubles_quotes_only() {
        assert_eq!(quote_literal("").unwrap(), "N''");
        assert_eq!(quote_literal("it's").unwrap(), "N'it''s'");
        assert_eq!(quote_literal("''").unwrap(), "N''''''");
        assert_eq!(quote_literal("a]\r\nb").unwrap(), "N'a]\r\nb'");
        assert_eq!(quote_literal("'; KILL 51; --").unwrap(), "N'''; KILL 51; --'");
    }

    #[test]
    fn what_no_instance_takes_is_bad_input_before_anything_is_sent() {
        let huge = "x".repeat(1 << 20);
        for (answer, wanted) in [
            (quote_name(""), "it is empty"),
            (quote_name("a\0b"), "it has a NUL character"),
            (quote_name(&huge), "it is longer than 128 characters"),
            (quote_literal("a\0b"), "it has a NUL character"),
            (quote_literal(&huge), "it is longer than 4000 characters"),
            (quote_path(&ServerPath::new("")), "it is empty"),
            (quote_path(&ServerPath::new("E:\\a\nb")), "it has a control character"),
            (quote_path(&ServerPath::new(huge.as_str())), "it is longer than 259 characters"),
        ] {
            let error = answer.unwrap_err();
            assert_eq!(error.kind, ErrorKind::InvalidValue);
            assert!(error.message.contains(wanted), "{}", error.message);
            assert!(error.message.len() < 700, "a huge text is cut in the message");
        }
    }

    #[test]
    fn limits_count_utf16_units_as_the_server_does() {
        assert!(quote_name(&"x".repeat(128)).is_ok());
        assert!(quote_name(&"x".repeat(129)).is_err());
        assert!(quote_name(&"😀".repeat(64)).is_ok());
        assert!(quote_name(&"😀".repeat(65)).is_err());
        assert!(quote_path(&ServerPath::new(format!("E:\\{}", "x".repeat(256)))).is_ok());
        assert!(quote_path(&ServerPath::new(format!("E:\\{}", "x".repeat(257)))).is_err());
    }

    #[test]
    fn a_quoted_literal_reads_back_as_the_text() {
        for text in ["", "'", "a'b''c", "]]'[[", "N'x'", "\u{2019}\u{ff07}"] {
            let literal = quote_literal(text).unwrap();
            let inner = literal.strip_prefix("N'").and_then(|s| s.strip_suffix('\'')).unwrap();
            assert_eq!(inner.replace("''", "\u{1}").matches('\'').count(), 0, "{literal}");
            assert_eq!(inner.replace("''", "'"), text);
        }
    }
}
