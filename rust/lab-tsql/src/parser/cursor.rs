//! A place in the tokens of a batch, and the small steps every statement parser takes.

use sqlparser::dialect::MsSqlDialect;
use sqlparser::parser::{Parser as QueryParser, ParserError};
use sqlparser::tokenizer::Token as QueryToken;

use super::lexer::{Token, TokenKind};
use crate::ast::{Expr, NumberOrVariable, ObjectName, SelectStmt, TextOrVariable};
use crate::error::SqlError;

/// Reserved words that begin a statement, and so end the one before.
const STATEMENT_WORDS: &[&str] = &[
    "ALTER",
    "BACKUP",
    "BEGIN",
    "BREAK",
    "BULK",
    "CHECKPOINT",
    "CLOSE",
    "COMMIT",
    "CONTINUE",
    "CREATE",
    "DBCC",
    "DEALLOCATE",
    "DECLARE",
    "DELETE",
    "DENY",
    "DROP",
    "EXEC",
    "EXECUTE",
    "GOTO",
    "GRANT",
    "IF",
    "INSERT",
    "KILL",
    "MERGE",
    "OPEN",
    "PRINT",
    "RAISERROR",
    "RECONFIGURE",
    "RESTORE",
    "RETURN",
    "REVERT",
    "REVOKE",
    "ROLLBACK",
    "SAVE",
    "SELECT",
    "SET",
    "SHUTDOWN",
    "TRUNCATE",
    "UPDATE",
    "USE",
    "WAITFOR",
    "WHILE",
];

/// Operators in one expression or query; more would nest its tree too deeply to walk.
const MAX_OPERATORS: usize = 1000;

pub(crate) struct Cursor<'a> {
    pub source: &'a str,
    pub tokens: Vec<Token>,
    pub position: usize,
    /// How deeply blocks are nested at this place.
    pub depth: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(source: &'a str) -> Result<Self, SqlError> {
        Ok(Cursor { source, tokens: super::lexer::tokens(source)?, position: 0, depth: 0 })
    }

    pub fn at_end(&self) -> bool {
        self.position >= self.tokens.len()
    }

    pub fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.position)
    }

    pub fn text_of(&self, token: &Token) -> &'a str {
        self.source.get(token.start..token.end).unwrap_or_default()
    }

    /// The line of the next token, or of the last one at the end.
    pub fn line(&self) -> u32 {
        self.peek().or(self.tokens.last()).map_or(1, |token| token.line)
    }

    fn upper_at(&self, index: usize) -> Option<String> {
        self.tokens
            .get(index)
            .filter(|token| token.kind == TokenKind::Word)
            .map(|token| self.text_of(token).to_ascii_uppercase())
    }

    /// The next token in upper case when it is an unquoted word, else empty.
    pub fn word(&self) -> String {
        self.upper_at(self.position).unwrap_or_default()
    }

    /// As `word`, `ahead` tokens further on.
    pub fn word_ahead(&self, ahead: usize) -> String {
        self.upper_at(self.position + ahead).unwrap_or_default()
    }

    pub fn is_word(&self, word: &str) -> bool {
        self.word() == word
    }

    pub fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        if found {
            self.position += 1;
        }
        found
    }

    pub fn is_symbol(&self, symbol: char) -> bool {
        self.symbol_ahead(0, symbol)
    }

    pub fn symbol_ahead(&self, ahead: usize, symbol: char) -> bool {
        self.tokens.get(self.position + ahead).is_some_and(|token| token.kind == TokenKind::Symbol(symbol))
    }

    pub fn take_symbol(&mut self, symbol: char) -> bool {
        let found = self.is_symbol(symbol);
        if found {
            self.position += 1;
        }
        found
    }

    pub fn expect_word(&mut self, word: &str) -> Result<(), SqlError> {
        if self.take_word(word) {
            Ok(())
        } else {
            Err(self.error())
        }
    }

    pub fn expect_symbol(&mut self, symbol: char) -> Result<(), SqlError> {
        if self.take_symbol(symbol) {
            Ok(())
        } else {
            Err(self.error())
        }
    }

    /// 102 or 156 at the next token; at the end it names the last one, as SQL Server does.
    pub fn error(&self) -> SqlError {
        let Some(token) = self.peek().or(self.tokens.last()) else {
            return SqlError::syntax("").at_line(1);
        };
        let near = match &token.kind {
            TokenKind::QuotedName(name) => name.as_str(),
            TokenKind::Text { value, .. } => value.as_str(),
            _ => self.text_of(token),
        };
        let error =
            if self.is_statement_word(self.position) { SqlError::syntax_keyword(near) } else { SqlError::syntax(near) };
        error.at_line(token.line)
    }

    pub fn is_statement_word(&self, index: usize) -> bool {
        self.upper_at(index).is_some_and(|word| STATEMENT_WORDS.contains(&word.as_str()))
    }

    /// True where a statement ends: at the batch's end, `;`, END, ELSE or the first word of the next statement.
    pub fn at_statement_end(&self) -> bool {
        self.at_end()
            || self.is_symbol(';')
            || matches!(self.word().as_str(), "END" | "ELSE")
            || self.is_statement_word(self.position)
    }

    /// A name of one part: an unquoted word that is no variable, or a quoted name.
    pub fn name(&mut self) -> Result<String, SqlError> {
        let name = match self.peek() {
            Some(token) => match &token.kind {
                TokenKind::QuotedName(name) if !name.is_empty() => name.clone(),
                TokenKind::Word if !self.text_of(token).starts_with('@') && !self.is_statement_word(self.position) => {
                    self.text_of(token).to_string()
                }
                _ => return Err(self.error()),
            },
            None => return Err(self.error()),
        };
        self.position += 1;
        Ok(name)
    }

    /// A variable name with its `@`.
    pub fn variable(&mut self) -> Option<String> {
        let token = self.peek()?;
        let text = self.text_of(token);
        if token.kind == TokenKind::Word && text.starts_with('@') {
            let name = text.to_string();
            self.position += 1;
            Some(name)
        } else {
            None
        }
    }

    /// A name of up to four parts; `a..b` leaves a part empty.
    pub fn object_name(&mut self) -> Result<ObjectName, SqlError> {
        let mut parts = vec![self.name()?];
        while self.take_symbol('.') {
            if self.is_symbol('.') {
                parts.push(String::new());
            } else {
                parts.push(self.name()?);
            }
        }
        if parts.len() > 4 {
            return Err(self.error());
        }
        let mut from_end = parts.into_iter().rev();
        Ok(ObjectName {
            name: from_end.next().unwrap_or_default(),
            schema: from_end.next().unwrap_or_default(),
            database: from_end.next().unwrap_or_default(),
            server: from_end.next().unwrap_or_default(),
        })
    }

    pub fn text(&mut self) -> Option<String> {
        match &self.peek()?.kind {
            TokenKind::Text { value, .. } => {
                let value = value.clone();
                self.position += 1;
                Some(value)
            }
            _ => None,
        }
    }

    /// A whole number with an optional minus sign.
    pub fn integer(&mut self) -> Result<i64, SqlError> {
        let negative = self.is_symbol('-');
        let index = self.position + usize::from(negative);
        let number = self
            .tokens
            .get(index)
            .filter(|token| token.kind == TokenKind::Number)
            .and_then(|token| self.text_of(token).parse::<i64>().ok());
        match number {
            Some(number) => {
                self.position = index + 1;
                Ok(if negative { -number } else { number })
            }
            None => Err(self.error()),
        }
    }

    pub fn text_or_variable(&mut self) -> Result<TextOrVariable, SqlError> {
        if let Some(text) = self.text() {
            return Ok(TextOrVariable::Text(text));
        }
        self.variable().map(TextOrVariable::Variable).ok_or_else(|| self.error())
    }

    pub fn number_or_variable(&mut self) -> Result<NumberOrVariable, SqlError> {
        if let Some(variable) = self.variable() {
            return Ok(NumberOrVariable::Variable(variable));
        }
        self.integer().map(NumberOrVariable::Number)
    }

    /// The batch's text from token `from` up to the present place.
    pub fn text_since(&self, from: usize) -> &'a str {
        match (self.tokens.get(from), self.position.checked_sub(1)) {
            (Some(first), Some(last)) if last >= from => {
                let end = self.tokens.get(last).map_or(first.end, |token| token.end);
                self.source.get(first.start..end).unwrap_or_default()
            }
            _ => "",
        }
    }

    /// Moves to the end of a query that begins here and returns its tokens' range.
    pub fn skip_query(&mut self) -> std::ops::Range<usize> {
        let from = self.position;
        let (mut parentheses, mut cases) = (0usize, 0usize);
        let mut may_select = true;
        while let Some(token) = self.peek() {
            match token.kind {
                TokenKind::Symbol('(') => parentheses += 1,
                TokenKind::Symbol(')') if parentheses == 0 => break,
                TokenKind::Symbol(')') => parentheses -= 1,
                TokenKind::Symbol(';') => break,
                TokenKind::Word if parentheses == 0 => {
                    let word = self.word();
                    match word.as_str() {
                        "CASE" => cases += 1,
                        "END" | "ELSE" if cases == 0 => break,
                        "END" => cases -= 1,
                        "SELECT" if may_select => may_select = false,
                        "UNION" | "EXCEPT" | "INTERSECT" => may_select = true,
                        _ if self.is_statement_word(self.position) => break,
                        _ => {}
                    }
                }
                _ => {}
            }
            self.position += 1;
        }
        from..self.position
    }

    /// Moves over an expression: up to a comma or closing parenthesis at its own level, one of `stops`, or the
    /// statement's end.
    fn skip_expression(&mut self, stops: &[&str]) -> std::ops::Range<usize> {
        let from = self.position;
        let (mut parentheses, mut cases) = (0usize, 0usize);
        while let Some(token) = self.peek() {
            match token.kind {
                TokenKind::Symbol('(') => parentheses += 1,
                TokenKind::Symbol(')') if parentheses > 0 => parentheses -= 1,
                TokenKind::Symbol(')' | ',') if parentheses == 0 => break,
                TokenKind::Symbol(';') => break,
                TokenKind::Word if parentheses == 0 => {
                    let word = self.word();
                    match word.as_str() {
                        "CASE" => cases += 1,
                        "END" | "ELSE" if cases == 0 => break,
                        "END" => cases -= 1,
                        word if cases == 0 && stops.contains(&word) => break,
                        _ if self.is_statement_word(self.position) => break,
                        _ => {}
                    }
                }
                _ => {}
            }
            self.position += 1;
        }
        from..self.position
    }

    /// An expression or condition that ends at one of `stops`, a comma or the statement's end.
    pub fn expression(&mut self, stops: &[&str]) -> Result<Expr, SqlError> {
        let range = self.skip_expression(stops);
        if range.is_empty() {
            return Err(self.error());
        }
        self.hand_over(range, |parser| parser.parse_expr()).map(Expr)
    }

    /// A whole query that begins here.
    pub fn query(&mut self) -> Result<SelectStmt, SqlError> {
        let mut range = self.skip_query();
        range.end = self.without_option_clause(&range);
        if range.is_empty() {
            return Err(self.error());
        }
        let query = self.hand_over(range, |parser| parser.parse_query())?;
        Ok(SelectStmt { query })
    }

    /// Query hints (`OPTION (RECOMPILE)`) change speed, not results.
    fn without_option_clause(&self, range: &std::ops::Range<usize>) -> usize {
        let mut parentheses = 0usize;
        for index in range.clone() {
            match self.tokens[index].kind {
                TokenKind::Symbol('(') => parentheses += 1,
                TokenKind::Symbol(')') => parentheses = parentheses.saturating_sub(1),
                TokenKind::Word
                    if parentheses == 0
                        && self.upper_at(index).as_deref() == Some("OPTION")
                        && self.tokens.get(index + 1).map(|t| &t.kind) == Some(&TokenKind::Symbol('(')) =>
                {
                    return index;
                }
                _ => {}
            }
        }
        range.end
    }

    /// Lets the query parser read exactly the tokens of `range`.
    fn hand_over<T>(
        &self,
        range: std::ops::Range<usize>,
        parse: impl FnOnce(&mut QueryParser) -> Result<T, ParserError>,
    ) -> Result<T, SqlError> {
        let slice = &self.tokens[range];
        let (Some(first), Some(last)) = (slice.first(), slice.last()) else {
            return Err(self.error());
        };
        // The query parser has no such operator in this dialect; SQL Server does.
        if slice.iter().any(|token| token.kind == TokenKind::Symbol('~')) {
            return Err(SqlError::unknown("operator ~").at_line(first.line));
        }
        let operators = slice
            .iter()
            .filter(|token| match token.kind {
                TokenKind::Symbol(c) => !matches!(c, ',' | '.' | ')'),
                TokenKind::Word => matches!(
                    self.text_of(token).to_ascii_uppercase().as_str(),
                    "AND" | "OR" | "NOT" | "CASE" | "UNION" | "EXCEPT" | "INTERSECT" | "JOIN" | "COLLATE"
                ),
                _ => false,
            })
            .count();
        if operators > MAX_OPERATORS {
            return Err(SqlError::new(
                191,
                15,
                "Some part of your SQL statement is nested too deeply. Rewrite the query or break it up into smaller queries.",
            )
            .at_line(first.line));
        }
        let text = self.source.get(first.start..last.end).unwrap_or_default();
        let found = |near: &str, line: u64| {
            if near == "EOF" {
                return SqlError::syntax(self.text_of(last)).at_line(last.line);
            }
            let line = first.line + u32::try_from(line).unwrap_or(1).saturating_sub(1);
            SqlError::syntax(near).at_line(line)
        };
        let dialect = MsSqlDialect {};
        let mut parser = QueryParser::new(&dialect).try_with_sql(text).map_err(|error| translate(&error, &found))?;
        let parsed = parse(&mut parser).map_err(|error| translate(&error, &found))?;
        let rest = parser.peek_token();
        if rest.token == QueryToken::EOF {
            Ok(parsed)
        } else {
            Err(found(&rest.token.to_string(), rest.span.start.line))
        }
    }
}

/// The query parser's message names the token it stopped at.
fn translate(error: &ParserError, found: &dyn Fn(&str, u64) -> SqlError) -> SqlError {
    let text = match error {
        ParserError::RecursionLimitExceeded => {
            return SqlError::new(
                191,
                15,
                "Some part of your SQL statement is nested too deeply. Rewrite the query or break it up into smaller queries.",
            )
        }
        ParserError::ParserError(text) | ParserError::TokenizerError(text) => text.as_str(),
    };
    let near = text
        .split_once("found: ")
        .map_or("EOF", |(_, rest)| rest.rsplit_once(" at Line: ").map_or(rest, |(near, _)| near));
    let line = text
        .rsplit_once("at Line: ")
        .and_then(|(_, rest)| rest.split(',').next())
        .and_then(|line| line.trim().parse().ok())
        .unwrap_or(1);
    found(near, line)
}
