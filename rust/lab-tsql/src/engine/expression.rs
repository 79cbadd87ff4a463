//! Scalar expressions.

use std::sync::Arc;

use sqlparser::ast as sql;

use super::arithmetic;
use super::compiler::{Aggregate, AggregateKind, Compiler, Typed};
use super::typing::common;
use crate::context::Collation;
use crate::convert::{literal, Mode};
use crate::error::SqlError;
use crate::parser::data_type_of;
use crate::types::SqlType;
use crate::value::Value;

impl Compiler<'_> {
    /// Compiles an expression that yields a value.
    pub(super) fn scalar(&mut self, expression: &sql::Expr) -> Result<Typed, SqlError> {
        let before = self.scope().ungrouped.len();
        let typed = self.scalar_inner(expression)?;
        let scope = self.scope();
        if scope.group_keys.contains(&typed.sql) {
            scope.ungrouped.truncate(before);
        }
        Ok(typed)
    }

    fn scalar_inner(&mut self, expression: &sql::Expr) -> Result<Typed, SqlError> {
        use sql::Expr as E;
        match expression {
            E::Identifier(ident) if ident.quote_style.is_none() && ident.value.starts_with('@') => {
                self.variable(&ident.value)
            }
            E::Identifier(ident) => self.column(std::slice::from_ref(ident)),
            E::CompoundIdentifier(parts) => self.column(parts),
            E::Value(value) => self.literal(&value.value),
            E::Nested(inner) => self.scalar(inner),
            E::UnaryOp { op, expr } => self.unary(*op, expr),
            E::BinaryOp { left, op, right } => {
                let left = self.scalar(left)?;
                let right = self.scalar(right)?;
                arithmetic::binary(self, left, op, right)
            }
            E::Cast { kind, expr, data_type, format: None } => {
                let try_only = match kind {
                    sql::CastKind::Cast => false,
                    sql::CastKind::TryCast => true,
                    _ => return Err(SqlError::syntax("::")),
                };
                self.cast(expr, data_type, &[], try_only)
            }
            E::Convert {
                is_try,
                expr,
                data_type: Some(data_type),
                charset: None,
                target_before_value: true,
                styles,
            } => self.cast(expr, data_type, styles, *is_try),
            E::Case { operand, conditions, else_result, .. } => {
                self.case(operand.as_deref(), conditions, else_result.as_deref())
            }
            E::Subquery(query) => self.scalar_subquery(query),
            E::Collate { expr, collation } => {
                let typed = self.scalar(expr)?;
                let name = collation.to_string();
                Ok(Typed { collation: Some(self.collation(&name)?), ..typed })
            }
            E::Function(function) => self.function(function),
            E::Substring { expr, substring_from: Some(from), substring_for: Some(length), .. } => {
                let arguments = [expr, from, length];
                let mut typed = Vec::new();
                for argument in arguments {
                    typed.push(self.scalar(argument)?);
                }
                self.builtin("SUBSTRING", typed)
            }
            E::Trim { expr, trim_where: None, trim_what: None, trim_characters: None } => {
                let typed = self.scalar(expr)?;
                self.builtin("TRIM", vec![typed])
            }
            E::Ceil { expr, .. } => {
                let typed = self.scalar(expr)?;
                self.builtin("CEILING", vec![typed])
            }
            E::Floor { expr, .. } => {
                let typed = self.scalar(expr)?;
                self.builtin("FLOOR", vec![typed])
            }
            E::IsNull(_)
            | E::IsNotNull(_)
            | E::InList { .. }
            | E::InSubquery { .. }
            | E::Between { .. }
            | E::Like { .. }
            | E::Exists { .. } => Err(SqlError::syntax(first_word(expression))),
            other => Err(SqlError::unknown(format!("expression {other}"))),
        }
    }

    fn variable(&mut self, name: &str) -> Result<Typed, SqlError> {
        let (data_type, value) = match name.to_ascii_uppercase().as_str() {
            "@@ROWCOUNT" => (SqlType::Int, Value::Int(self.context.row_count)),
            "@@ERROR" => (SqlType::Int, Value::Int(self.context.error)),
            "@@TRANCOUNT" => (SqlType::Int, Value::Int(self.context.transaction_count)),
            upper if upper.starts_with("@@") => {
                return match self.server_function(upper, Vec::new())? {
                    Some(typed) => Ok(typed),
                    None => Err(SqlError::undeclared(name)),
                };
            }
            _ => {
                let variables = &self.context.variables;
                let exact = self.context.collation == Collation::Binary;
                let known = variables.get(name).filter(|_| !exact || variables.is_declared_as(name));
                let known = known.ok_or_else(|| SqlError::undeclared(name))?;
                (known.data_type, known.value.clone())
            }
        };
        Ok(self.constant(data_type, value))
    }

    fn literal(&mut self, value: &sql::Value) -> Result<Typed, SqlError> {
        let (data_type, value) = match value {
            sql::Value::Number(text, false) => literal::number(text, false)?,
            sql::Value::SingleQuotedString(text) => literal::text(text.clone(), false),
            sql::Value::NationalStringLiteral(text) => literal::text(text.clone(), true),
            sql::Value::HexStringLiteral(digits) if digits.bytes().all(|b| b.is_ascii_hexdigit()) => {
                literal::binary(digits)
            }
            sql::Value::Null => {
                return Ok(Typed { null_literal: true, ..self.constant(SqlType::Int, Value::Null) });
            }
            other => return Err(SqlError::syntax(&other.to_string())),
        };
        Ok(self.constant(data_type, value))
    }

    fn unary(&mut self, op: sql::UnaryOperator, operand: &sql::Expr) -> Result<Typed, SqlError> {
        use sql::UnaryOperator as U;
        match op {
            U::Plus => self.scalar(operand),
            U::Minus => {
                // The smallest int is written as a minus before a number that is none.
                if let sql::Expr::Value(sql::ValueWithSpan { value: sql::Value::Number(text, false), .. }) = operand {
                    let (data_type, value) = literal::number(text, true)?;
                    return Ok(self.constant(data_type, value));
                }
                let typed = self.scalar(operand)?;
                arithmetic::negate(self, typed)
            }
            U::Not => Err(SqlError::syntax_keyword("NOT")),
            other => Err(SqlError::syntax(&other.to_string())),
        }
    }

    fn cast(
        &mut self,
        expression: &sql::Expr,
        data_type: &sql::DataType,
        styles: &[sql::Expr],
        try_only: bool,
    ) -> Result<Typed, SqlError> {
        let to = data_type_of(data_type, true)?;
        let style = match styles {
            [] => 0,
            [style] => {
                let typed = self.scalar(style)?;
                let known = typed.constant.as_ref().and_then(Value::as_i64);
                let known = known.and_then(|style| i32::try_from(style).ok());
                known.ok_or_else(|| SqlError::unknown("CONVERT with a style from a column"))?
            }
            _ => return Err(SqlError::syntax(",")),
        };
        let typed = self.scalar(expression)?;
        if typed.null_literal {
            return Ok(self.constant(to, Value::Null));
        }
        let mode = Mode { style, ..self.mode() };
        self.explicit(typed, to, mode, try_only)
    }

    fn case(
        &mut self,
        operand: Option<&sql::Expr>,
        conditions: &[sql::CaseWhen],
        otherwise: Option<&sql::Expr>,
    ) -> Result<Typed, SqlError> {
        let operand = operand.map(|operand| self.scalar(operand)).transpose()?;
        let mut branches = Vec::new();
        for when in conditions {
            let condition = match &operand {
                None => self.condition(&when.condition)?,
                Some(operand) => {
                    let value = self.scalar(&when.condition)?;
                    self.compare(operand.clone(), "=", value)?
                }
            };
            branches.push((condition, self.scalar(&when.result)?));
        }
        let otherwise = otherwise.map(|otherwise| self.scalar(otherwise)).transpose()?;
        self.choose(branches, otherwise)
    }

    /// A CASE whose conditions are compiled already.
    pub(super) fn choose(
        &mut self,
        branches: Vec<(String, Typed)>,
        otherwise: Option<Typed>,
    ) -> Result<Typed, SqlError> {
        let results = branches.iter().map(|(_, typed)| typed).chain(&otherwise);
        let data_type = common_of(results)?;
        let mut nullable = otherwise.is_none();
        let mut text = String::from("CASE");
        for (condition, typed) in branches {
            let typed = self.implicit(typed, data_type)?;
            nullable |= typed.nullable;
            text.push_str(&format!(" WHEN {condition} THEN {}", typed.sql));
        }
        if let Some(typed) = otherwise {
            let typed = self.implicit(typed, data_type)?;
            nullable |= typed.nullable;
            text.push_str(&format!(" ELSE {}", typed.sql));
        }
        text.push_str(" END");
        Ok(Typed::new(format!("({text})"), data_type, nullable))
    }

    fn scalar_subquery(&mut self, query: &sql::Query) -> Result<Typed, SqlError> {
        let compiled = self.query(query)?;
        let [column] = compiled.columns.as_slice() else {
            return Err(SqlError::new(
                116,
                16,
                "Only one expression can be specified in the select list when the subquery is not introduced with EXISTS.",
            ));
        };
        let (data_type, collation) = (column.data_type, column.collation);
        let place = self.aggregate_place(AggregateKind::Single, data_type, data_type);
        Ok(Typed { collation, ..Typed::new(format!("(SELECT g{place}(o0) FROM ({}))", compiled.sql), data_type, true) })
    }

    pub(super) fn aggregate_place(&mut self, kind: AggregateKind, argument: SqlType, result: SqlType) -> usize {
        let wanted = Aggregate { kind, argument, result };
        if let Some(place) = self.aggregates.iter().position(|known| *known == wanted) {
            return place;
        }
        self.aggregates.push(wanted);
        self.aggregates.len() - 1
    }

    fn collation(&self, name: &str) -> Result<Collation, SqlError> {
        let upper = name.trim_matches(['[', ']', '"']).to_ascii_uppercase();
        if matches!(upper.as_str(), "DATABASE_DEFAULT" | "CATALOG_DEFAULT") {
            return Ok(self.context.collation);
        }
        if upper.ends_with("_BIN") || upper.ends_with("_BIN2") || upper.contains("_CS_") {
            return Ok(Collation::Binary);
        }
        if upper.contains("_CI_") {
            return Ok(Collation::CaseInsensitive);
        }
        Err(SqlError::new(448, 16, format!("Invalid collation '{name}'.")))
    }

    /// Compiles the arguments of a function call.
    pub(super) fn arguments(&mut self, arguments: &[sql::FunctionArg]) -> Result<Vec<Typed>, SqlError> {
        let mut typed = Vec::new();
        for argument in arguments {
            match argument {
                sql::FunctionArg::Unnamed(sql::FunctionArgExpr::Expr(expression)) => {
                    // DEFAULT stands for a parameter's default, which the provider sees as NULL.
                    typed.push(match expression {
                        sql::Expr::Identifier(ident) if ident.value.eq_ignore_ascii_case("DEFAULT") => {
                            self.constant(SqlType::Int, Value::Null)
                        }
                        expression => self.scalar(expression)?,
                    });
                }
                other => return Err(SqlError::syntax(&other.to_string())),
            }
        }
        Ok(typed)
    }

    /// A call into the server: DB_ID, SERVERPROPERTY, `@@SPID` and what else the engine offers.
    pub(super) fn server_function(&mut self, name: &str, arguments: Vec<Typed>) -> Result<Option<Typed>, SqlError> {
        if let ("OBJECT_ID", [Some(Value::String(object)), ..]) =
            (name, arguments.iter().map(|a| a.constant.clone()).collect::<Vec<_>>().as_slice())
        {
            // Temporary tables are the session's; the engine does not know them.
            let last = object.rsplit('.').next().unwrap_or_default().trim_matches(['[', ']']);
            if last.starts_with('#') {
                let exists = self.context.temp_tables.lock().contains_key(&last.to_lowercase());
                let id = if exists { Value::Int(-1) } else { Value::Null };
                return Ok(Some(self.constant(SqlType::Int, id)));
            }
        }
        let tables = Arc::clone(&self.context.tables);
        let known = super::server::server_function_type(name).or_else(|| tables.function_type(name));
        let Some(result) = known else {
            return Ok(None);
        };
        let database = self.context.database.clone();
        let mode = self.mode();
        let called = name.to_string();
        let run = move |values: &[Value]| match tables.function(&database, &called, values) {
            Some(Ok(value)) => {
                let from = crate::convert::natural_type(&value);
                crate::convert::cast(&value, from, result, mode)
            }
            Some(Err(error)) => Err(error),
            None => Err(no_function(&called)),
        };
        Ok(Some(self.operation(name, arguments, result, Arc::new(run))))
    }
}

/// 195.
pub(super) fn no_function(name: &str) -> SqlError {
    SqlError::new(195, 15, format!("'{name}' is not a recognized built-in function name.")).with_state(10)
}

/// The common type of several expressions; the word NULL takes part in none.
pub(super) fn common_of<'a>(typed: impl Iterator<Item = &'a Typed>) -> Result<SqlType, SqlError> {
    let mut found = None;
    for typed in typed.filter(|typed| !typed.null_literal) {
        found = Some(match found {
            None => typed.data_type,
            Some(known) => common(known, typed.data_type)?,
        });
    }
    found.ok_or_else(|| {
        SqlError::new(
            8133,
            16,
            "At least one of the result expressions in a CASE specification must be an expression other than the NULL constant.",
        )
    })
}

fn first_word(expression: &sql::Expr) -> &'static str {
    use sql::Expr as E;
    match expression {
        E::IsNull(_) | E::IsNotNull(_) => "IS",
        E::InList { .. } | E::InSubquery { .. } => "IN",
        E::Between { .. } => "BETWEEN",
        E::Like { .. } => "LIKE",
        _ => "EXISTS",
    }
}
