//! Batches to statements: a small parser of its own for everything but queries and expressions, whose text is cut
//! out by token and handed to the query parser.

mod control;
mod cursor;
mod database;
mod execute;
mod lexer;
mod restore;
mod types;

use crate::ast::{Statement, StatementKind};
use crate::error::SqlError;
use cursor::Cursor;

pub(crate) use types::data_type_of;
pub use types::{parse_parameters, parse_type, ParameterDef};

/// Blocks may nest this deep; SQL Server's own limit is 32 for procedures and blocks alike.
const MAX_DEPTH: usize = 32;

/// Splits a batch into its statements. Semicolons between them are not needed.
///
/// What the parser does not know is `StatementKind::Unknown`: the batch runs up to there.
///
/// # Errors
/// 102, 156, 105, 113 and their like with the line; nothing of the batch may run then.
pub fn parse_batch(text: &str) -> Result<Vec<Statement>, SqlError> {
    let mut cursor = Cursor::new(text)?;
    let statements = cursor.statements()?;
    if cursor.at_end() {
        Ok(statements)
    } else {
        Err(cursor.error())
    }
}

impl Cursor<'_> {
    /// Statements up to END, ELSE or the end of the batch.
    fn statements(&mut self) -> Result<Vec<Statement>, SqlError> {
        let mut found = Vec::new();
        loop {
            while self.take_symbol(';') {}
            if self.at_end() || self.is_word("END") || self.is_word("ELSE") {
                return Ok(found);
            }
            found.push(self.statement()?);
        }
    }

    fn statement(&mut self) -> Result<Statement, SqlError> {
        let (start, line) = (self.position, self.line());
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(SqlError::new(
                191,
                15,
                "Some part of your SQL statement is nested too deeply. Rewrite the query or break it up into smaller queries.",
            )
            .at_line(line));
        }
        let parsed = self.statement_kind()?;
        let kind = match parsed {
            Some(kind) => kind,
            None => {
                self.position = start;
                self.skip_unknown();
                StatementKind::Unknown
            }
        };
        self.depth -= 1;
        Ok(Statement { line, text: self.text_since(start).to_string(), kind })
    }

    /// `None`: T-SQL that is not known here.
    fn statement_kind(&mut self) -> Result<Option<StatementKind>, SqlError> {
        let start = self.position;
        let word = self.word();
        match word.as_str() {
            "SELECT" | "WITH" => return self.query().map(StatementKind::Select).map(Some),
            "INSERT" => return self.insert(),
            "EXEC" | "EXECUTE" => return self.execute_statement().map(Some),
            "RESTORE" => return self.restore(),
            "BACKUP" => return self.backup(),
            "ALTER" => return self.alter(),
            "CREATE" => return self.create(),
            "DROP" => return self.drop(),
            "USE" => {
                self.position += 1;
                return Ok(Some(StatementKind::Use(self.name()?)));
            }
            "KILL" => return self.kill(),
            _ => {}
        }
        if let Some(kind) = self.control(&word)? {
            return Ok(Some(kind));
        }
        self.position = start;
        if self.is_statement_word(self.position) {
            return Ok(None);
        }
        // Without EXEC a procedure can be called only by the first statement of a batch.
        if start == 0 && !word.starts_with('@') {
            return self.execute_call(None).map(Some);
        }
        Err(self.error())
    }

    /// Moves over a statement that is not known, as far as its end can be told.
    fn skip_unknown(&mut self) {
        let word = self.word();
        let what = self.word_ahead(1);
        self.position += 1;
        let module = matches!(what.as_str(), "PROC" | "PROCEDURE" | "FUNCTION" | "TRIGGER" | "VIEW");
        if module && matches!(word.as_str(), "CREATE" | "ALTER") {
            self.position = self.tokens.len();
            return;
        }
        let to_semicolon = matches!(word.as_str(), "GRANT" | "DENY" | "REVOKE" | "MERGE");
        let mut parentheses = 0usize;
        while let Some(token) = self.peek() {
            use lexer::TokenKind::Symbol;
            match token.kind {
                Symbol('(') => parentheses += 1,
                Symbol(')') => parentheses = parentheses.saturating_sub(1),
                _ => {}
            }
            let allowed = parentheses > 0
                || (to_semicolon && !self.is_symbol(';'))
                || (matches!(word.as_str(), "UPDATE" | "ALTER") && self.is_word("SET"));
            if !allowed && self.at_statement_end() {
                return;
            }
            self.position += 1;
        }
    }
}
