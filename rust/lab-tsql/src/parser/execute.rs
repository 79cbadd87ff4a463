//! EXECUTE and INSERT.

use super::cursor::Cursor;
use super::lexer::TokenKind;
use crate::ast::{
    Argument, ArgumentValue, ExecuteStmt, InsertSource, InsertStmt, ObjectName, ProcedureName, StatementKind,
};
use crate::convert::literal;
use crate::error::SqlError;
use crate::types::SqlType;
use crate::value::Value;

impl Cursor<'_> {
    pub(super) fn execute_statement(&mut self) -> Result<StatementKind, SqlError> {
        self.position += 1;
        if self.take_symbol('(') {
            let text = self.expression(&[])?;
            self.expect_symbol(')')?;
            return Ok(StatementKind::ExecuteString(text));
        }
        let return_variable = if self.symbol_ahead(1, '=') {
            let variable = self.variable().ok_or_else(|| self.error())?;
            self.position += 1;
            Some(variable)
        } else {
            None
        };
        self.execute_call(return_variable)
    }

    /// A procedure's name with its arguments.
    pub(super) fn execute_call(&mut self, return_variable: Option<String>) -> Result<StatementKind, SqlError> {
        let procedure = match self.variable() {
            Some(variable) => ProcedureName::Variable(variable),
            None => ProcedureName::Name(self.object_name()?),
        };
        let mut arguments = Vec::new();
        if !self.at_statement_end() && !self.is_word("WITH") {
            loop {
                arguments.push(self.argument()?);
                if !self.take_symbol(',') {
                    break;
                }
            }
        }
        if self.take_word("WITH") {
            self.expect_word("RECOMPILE")?;
        }
        Ok(StatementKind::Execute(ExecuteStmt { return_variable, procedure, arguments }))
    }

    fn argument(&mut self) -> Result<Argument, SqlError> {
        let name = if self.symbol_ahead(1, '=') {
            let name = self.variable().ok_or_else(|| self.error())?;
            self.position += 1;
            Some(name)
        } else {
            None
        };
        let value = if let Some(variable) = self.variable() {
            ArgumentValue::Variable(variable)
        } else if self.take_word("DEFAULT") {
            ArgumentValue::Default
        } else {
            let (data_type, value) = self.constant()?;
            ArgumentValue::Constant(data_type, value)
        };
        let output = self.take_word("OUTPUT") || self.take_word("OUT");
        Ok(Argument { name, value, output })
    }

    fn constant(&mut self) -> Result<(SqlType, Value), SqlError> {
        if self.take_word("NULL") {
            return Ok((SqlType::Int, Value::Null));
        }
        let negative = self.is_symbol('-');
        let index = self.position + usize::from(negative || self.is_symbol('+'));
        let Some(token) = self.tokens.get(index) else {
            return Err(self.error());
        };
        let found = match &token.kind {
            TokenKind::Number => Some(literal::number(self.text_of(token), negative)?),
            _ if index != self.position => None,
            TokenKind::Binary => Some(literal::binary(&self.text_of(token)[2..])),
            TokenKind::Text { value, unicode } => Some(literal::text(value.clone(), *unicode)),
            TokenKind::QuotedName(name) => Some(literal::text(name.clone(), true)),
            TokenKind::Word if !self.at_statement_end() => Some(literal::text(self.text_of(token).to_string(), true)),
            _ => None,
        };
        match found {
            Some(found) => {
                self.position = index + 1;
                Ok(found)
            }
            None => Err(self.error()),
        }
    }

    pub(super) fn insert(&mut self) -> Result<Option<StatementKind>, SqlError> {
        self.position += 1;
        if self.is_word("TOP") || self.is_word("OPENROWSET") || self.is_word("OPENQUERY") {
            return Ok(None);
        }
        self.take_word("INTO");
        let target = match self.variable() {
            Some(name) => ObjectName { name, ..ObjectName::default() },
            None => self.object_name()?,
        };
        let mut columns = Vec::new();
        if self.is_symbol('(') && self.word_ahead(1) != "SELECT" {
            self.position += 1;
            loop {
                columns.push(self.name()?);
                if !self.take_symbol(',') {
                    break;
                }
            }
            self.expect_symbol(')')?;
        }
        let source = match self.word().as_str() {
            "VALUES" => {
                self.position += 1;
                InsertSource::Values(self.value_rows()?)
            }
            "DEFAULT" => {
                self.position += 1;
                self.expect_word("VALUES")?;
                InsertSource::DefaultValues
            }
            "EXEC" | "EXECUTE" => match self.execute_statement()? {
                StatementKind::Execute(call) => InsertSource::Execute(call),
                StatementKind::ExecuteString(text) => InsertSource::ExecuteString(text),
                _ => return Ok(None),
            },
            "SELECT" => InsertSource::Select(self.query()?),
            "OUTPUT" => return Ok(None),
            _ if self.is_symbol('(') => InsertSource::Select(self.query()?),
            _ => return Err(self.error()),
        };
        Ok(Some(StatementKind::Insert(InsertStmt { target, columns, source })))
    }

    fn value_rows(&mut self) -> Result<Vec<Vec<crate::ast::Expr>>, SqlError> {
        let mut rows = Vec::new();
        loop {
            self.expect_symbol('(')?;
            let mut row = Vec::new();
            loop {
                row.push(self.expression(&[])?);
                if !self.take_symbol(',') {
                    break;
                }
            }
            self.expect_symbol(')')?;
            rows.push(row);
            if !self.take_symbol(',') {
                return Ok(rows);
            }
        }
    }
}
