//! Variables, settings, control flow, transactions and messages.

use super::cursor::Cursor;
use crate::ast::{Declaration, Expr, Statement, StatementKind};
use crate::error::SqlError;
use sqlparser::ast as sql;

impl Cursor<'_> {
    pub(super) fn control(&mut self, word: &str) -> Result<Option<StatementKind>, SqlError> {
        let start = self.position;
        self.position += 1;
        let kind = match word {
            "DECLARE" => return self.declare(),
            "SET" => self.set()?,
            "IF" => {
                let condition = self.expression(&[])?;
                let then = self.branch()?;
                let here = self.position;
                while self.take_symbol(';') {}
                let otherwise = if self.take_word("ELSE") {
                    self.branch()?
                } else {
                    self.position = here;
                    Vec::new()
                };
                StatementKind::If { condition, then, otherwise }
            }
            "WHILE" => {
                let condition = self.expression(&[])?;
                let body = self.branch()?;
                StatementKind::While { condition, body }
            }
            "BEGIN" => return self.begin(),
            "BREAK" => StatementKind::Break,
            "CONTINUE" => StatementKind::Continue,
            "RETURN" => StatementKind::Return(if self.at_statement_end() { None } else { Some(self.expression(&[])?) }),
            "PRINT" => StatementKind::Print(self.expression(&[])?),
            "RAISERROR" => self.raise_error()?,
            "THROW" => self.throw()?,
            "WAITFOR" => {
                if !self.take_word("DELAY") {
                    return Ok(None);
                }
                StatementKind::WaitForDelay(self.text_or_variable()?)
            }
            "COMMIT" | "ROLLBACK" => {
                if !self.take_word("TRAN") && !self.take_word("TRANSACTION") {
                    self.take_word("WORK");
                }
                self.transaction_name();
                if word == "COMMIT" {
                    StatementKind::CommitTransaction
                } else {
                    StatementKind::RollbackTransaction
                }
            }
            "CHECKPOINT" => {
                if !self.at_statement_end() {
                    self.integer()?;
                }
                StatementKind::Checkpoint
            }
            _ => {
                self.position = start;
                return Ok(None);
            }
        };
        Ok(Some(kind))
    }

    /// One statement, a block's statements unpacked.
    fn branch(&mut self) -> Result<Vec<Statement>, SqlError> {
        while self.take_symbol(';') {}
        if self.at_end() || self.is_word("END") || self.is_word("ELSE") {
            return Err(self.error());
        }
        let statement = self.statement()?;
        Ok(match statement.kind {
            StatementKind::Block(statements) => statements,
            _ => vec![statement],
        })
    }

    fn begin(&mut self) -> Result<Option<StatementKind>, SqlError> {
        if self.take_word("TRAN") || self.take_word("TRANSACTION") {
            self.transaction_name();
            return Ok(Some(StatementKind::BeginTransaction));
        }
        if self.is_word("DISTRIBUTED") || self.is_word("DIALOG") || self.is_word("CONVERSATION") {
            return Ok(None);
        }
        if self.take_word("TRY") {
            let body = self.block_until("TRY")?;
            while self.take_symbol(';') {}
            self.expect_word("BEGIN")?;
            self.expect_word("CATCH")?;
            let handler = self.block_until("CATCH")?;
            return Ok(Some(StatementKind::TryCatch { body, handler }));
        }
        let statements = self.statements()?;
        if statements.is_empty() {
            return Err(self.error());
        }
        self.expect_word("END")?;
        Ok(Some(StatementKind::Block(statements)))
    }

    fn block_until(&mut self, word: &str) -> Result<Vec<Statement>, SqlError> {
        let statements = self.statements()?;
        self.expect_word("END")?;
        self.expect_word(word)?;
        Ok(statements)
    }

    fn transaction_name(&mut self) {
        if !self.at_statement_end() && self.variable().is_none() {
            let here = self.position;
            if self.name().is_err() {
                self.position = here;
            }
        }
    }

    fn declare(&mut self) -> Result<Option<StatementKind>, SqlError> {
        let mut declarations = Vec::new();
        loop {
            let Some(name) = self.variable() else {
                // A cursor.
                return if declarations.is_empty() && self.name().is_ok() { Ok(None) } else { Err(self.error()) };
            };
            self.take_word("AS");
            if self.take_word("TABLE") {
                let Some(columns) = self.column_definitions()? else {
                    return Ok(None);
                };
                declarations.push(Declaration::Table { name, columns });
            } else {
                let data_type = self.data_type()?;
                let initial = if self.take_symbol('=') { Some(self.expression(&[])?) } else { None };
                declarations.push(Declaration::Scalar { name, data_type, initial });
            }
            if !self.take_symbol(',') {
                return Ok(Some(StatementKind::Declare(declarations)));
            }
        }
    }

    fn set(&mut self) -> Result<StatementKind, SqlError> {
        let Some(name) = self.variable() else {
            return self.set_option();
        };
        let operator = ['+', '-', '*', '/', '%', '&', '|', '^'].into_iter().find(|symbol| self.take_symbol(*symbol));
        self.expect_symbol('=')?;
        let value = self.expression(&[])?;
        let value = match operator {
            None => value,
            Some(symbol) => {
                let op = match symbol {
                    '+' => sql::BinaryOperator::Plus,
                    '-' => sql::BinaryOperator::Minus,
                    '*' => sql::BinaryOperator::Multiply,
                    '/' => sql::BinaryOperator::Divide,
                    '%' => sql::BinaryOperator::Modulo,
                    '&' => sql::BinaryOperator::BitwiseAnd,
                    '|' => sql::BinaryOperator::BitwiseOr,
                    _ => sql::BinaryOperator::BitwiseXor,
                };
                Expr(sql::Expr::BinaryOp {
                    left: Box::new(sql::Expr::Identifier(sql::Ident::new(name.clone()))),
                    op,
                    right: Box::new(sql::Expr::Nested(Box::new(value.0))),
                })
            }
        };
        Ok(StatementKind::SetVariable { name, value })
    }

    fn set_option(&mut self) -> Result<StatementKind, SqlError> {
        let mut options = Vec::new();
        loop {
            let mut option = self.name()?.to_ascii_uppercase();
            if option == "TRANSACTION" {
                self.expect_word("ISOLATION")?;
                self.expect_word("LEVEL")?;
                option.push_str(" ISOLATION LEVEL");
            } else if option == "STATISTICS" {
                option = format!("{option} {}", self.name()?.to_ascii_uppercase());
            }
            options.push(option);
            if !self.take_symbol(',') {
                break;
            }
        }
        let from = self.position;
        while !self.at_statement_end() {
            self.position += 1;
        }
        if self.position == from {
            return Err(self.error());
        }
        let value = self.text_since(from).to_string();
        Ok(StatementKind::SetOption { options, value })
    }

    fn raise_error(&mut self) -> Result<StatementKind, SqlError> {
        self.expect_symbol('(')?;
        let message = self.expression(&[])?;
        self.expect_symbol(',')?;
        let severity = self.expression(&[])?;
        self.expect_symbol(',')?;
        let state = self.expression(&[])?;
        let mut arguments = Vec::new();
        while self.take_symbol(',') {
            arguments.push(self.expression(&[])?);
        }
        self.expect_symbol(')')?;
        let mut options = Vec::new();
        if self.take_word("WITH") {
            loop {
                options.push(self.name()?.to_ascii_uppercase());
                if !self.take_symbol(',') {
                    break;
                }
            }
        }
        Ok(StatementKind::RaisError { message, severity, state, arguments, options })
    }

    fn throw(&mut self) -> Result<StatementKind, SqlError> {
        if self.at_statement_end() {
            return Ok(StatementKind::Throw(None));
        }
        let number = self.expression(&[])?;
        self.expect_symbol(',')?;
        let message = self.expression(&[])?;
        self.expect_symbol(',')?;
        let state = self.expression(&[])?;
        Ok(StatementKind::Throw(Some((number, message, state))))
    }
}
