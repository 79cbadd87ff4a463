//! Tokens of a batch, with their exact places.

use crate::error::SqlError;

/// What a token is; its text is cut from the batch by `start` and `end`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// A keyword, a regular name, `@variable`, `@@name`, `#table`.
    Word,
    /// `[name]` or `"name"`, without its quotes.
    QuotedName(String),
    /// `'text'` or `N'text'`, without its quotes.
    Text {
        value: String,
        unicode: bool,
    },
    Number,
    /// `0x` and hex digits.
    Binary,
    Symbol(char),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub kind: TokenKind,
    pub start: usize,
    pub end: usize,
    /// Counted from 1.
    pub line: u32,
}

fn is_word_start(c: char) -> bool {
    c.is_alphabetic() || matches!(c, '_' | '@' | '#')
}

fn is_word_part(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '@' | '#' | '$')
}

struct Lexer<'a> {
    text: &'a str,
    position: usize,
    line: u32,
}

impl Lexer<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.position..].chars().next()
    }

    fn peek_second(&self) -> Option<char> {
        self.text[self.position..].chars().nth(1)
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.position += c.len_utf8();
        if c == '\n' {
            self.line += 1;
        }
        Some(c)
    }

    fn skip_while(&mut self, accept: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&accept) {
            self.bump();
        }
    }

    /// Reads up to the closing character, which stands twice for itself. The opening one is consumed already.
    fn quoted(&mut self, close: char, line: u32) -> Result<String, SqlError> {
        let mut value = String::new();
        while let Some(c) = self.bump() {
            if c != close {
                value.push(c);
            } else if self.peek() == Some(close) {
                self.bump();
                value.push(close);
            } else {
                return Ok(value);
            }
        }
        let shown: String = value.chars().take(128).collect();
        Err(SqlError::new(105, 15, format!("Unclosed quotation mark after the character string '{shown}'."))
            .at_line(line))
    }

    fn block_comment(&mut self, line: u32) -> Result<(), SqlError> {
        let mut depth = 0usize;
        while let Some(c) = self.peek() {
            let pair = (c, self.peek_second());
            match pair {
                ('/', Some('*')) => depth += 1,
                ('*', Some('/')) => depth -= 1,
                _ => {
                    self.bump();
                    continue;
                }
            }
            self.bump();
            self.bump();
            if depth == 0 {
                return Ok(());
            }
        }
        Err(SqlError::new(113, 15, "Missing end comment mark '*/'.").at_line(line))
    }

    fn number(&mut self) {
        self.skip_while(|c| c.is_ascii_digit());
        if self.peek() == Some('.') {
            self.bump();
            self.skip_while(|c| c.is_ascii_digit());
        }
        if matches!(self.peek(), Some('e' | 'E')) {
            let mut rest = self.text[self.position + 1..].chars();
            let first = rest.next();
            let digits = match first {
                Some('+' | '-') => rest.next(),
                other => other,
            };
            if digits.is_some_and(|c| c.is_ascii_digit()) {
                self.bump();
                self.bump();
                self.skip_while(|c| c.is_ascii_digit());
            }
        }
    }

    fn token(&mut self) -> Result<Option<Token>, SqlError> {
        loop {
            self.skip_while(char::is_whitespace);
            match (self.peek(), self.peek_second()) {
                (Some('-'), Some('-')) => self.skip_while(|c| c != '\n'),
                (Some('/'), Some('*')) => self.block_comment(self.line)?,
                _ => break,
            }
        }
        let (start, line) = (self.position, self.line);
        let Some(first) = self.peek() else {
            return Ok(None);
        };
        let kind = match first {
            '\'' => {
                self.bump();
                let value = self.quoted('\'', line)?;
                TokenKind::Text { value, unicode: false }
            }
            'N' | 'n' if self.peek_second() == Some('\'') => {
                self.bump();
                self.bump();
                let value = self.quoted('\'', line)?;
                TokenKind::Text { value, unicode: true }
            }
            '[' => {
                self.bump();
                TokenKind::QuotedName(self.quoted(']', line)?)
            }
            '"' => {
                self.bump();
                TokenKind::QuotedName(self.quoted('"', line)?)
            }
            '0' if matches!(self.peek_second(), Some('x' | 'X')) => {
                self.bump();
                self.bump();
                self.skip_while(|c| c.is_ascii_hexdigit());
                TokenKind::Binary
            }
            c if c.is_ascii_digit() => {
                self.number();
                TokenKind::Number
            }
            '.' if self.peek_second().is_some_and(|c| c.is_ascii_digit()) => {
                self.number();
                TokenKind::Number
            }
            c if is_word_start(c) => {
                self.skip_while(is_word_part);
                TokenKind::Word
            }
            c => {
                self.bump();
                TokenKind::Symbol(c)
            }
        };
        Ok(Some(Token { kind, start, end: self.position, line }))
    }
}

/// Cuts a batch into tokens; blanks and comments (nested ones too) are left out.
///
/// # Errors
/// 105 for a quotation mark and 113 for a comment that is not closed.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, SqlError> {
    let mut lexer = Lexer { text, position: 0, line: 1 };
    let mut found = Vec::new();
    while let Some(token) = lexer.token()? {
        found.push(token);
    }
    Ok(found)
}
