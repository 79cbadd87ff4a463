//! Conditions, which T-SQL keeps apart from values.

use std::cmp::Ordering;
use std::sync::Arc;

use sqlparser::ast as sql;

use super::compiler::{Compiler, Run, Typed};
use super::expression::common_of;
use super::pattern;
use super::run::{compare_binary, compare_ci};
use super::typing::common;
use crate::context::Collation;
use crate::convert::{cast, natural_type, Mode};
use crate::error::SqlError;
use crate::types::SqlType;
use crate::value::Value;

impl Compiler<'_> {
    /// Compiles a condition to SQLite's, which has the same three values.
    pub(super) fn condition(&mut self, expression: &sql::Expr) -> Result<String, SqlError> {
        use sql::BinaryOperator as B;
        use sql::Expr as E;
        let text = match expression {
            E::Nested(inner) => return self.condition(inner),
            E::UnaryOp { op: sql::UnaryOperator::Not, expr } => format!("NOT {}", self.condition(expr)?),
            E::BinaryOp { left, op: op @ (B::And | B::Or), right } => {
                let left = self.condition(left)?;
                let right = self.condition(right)?;
                let word = if matches!(op, B::And) { "AND" } else { "OR" };
                format!("{left} {word} {right}")
            }
            E::BinaryOp { left, op: op @ (B::Eq | B::NotEq | B::Lt | B::LtEq | B::Gt | B::GtEq), right } => {
                let left = self.scalar(left)?;
                let right = self.scalar(right)?;
                return self.compare(left, symbol(op), right);
            }
            E::IsNull(inner) => format!("{} IS NULL", self.scalar(inner)?.sql),
            E::IsNotNull(inner) => format!("{} IS NOT NULL", self.scalar(inner)?.sql),
            E::Between { expr, negated, low, high } => {
                let value = self.scalar(expr)?;
                let low = self.scalar(low)?;
                let high = self.scalar(high)?;
                let low = self.compare(value.clone(), ">=", low)?;
                let high = self.compare(value, "<=", high)?;
                format!("{}({low} AND {high})", not(*negated))
            }
            E::InList { expr, list, negated } => {
                let value = self.scalar(expr)?;
                return self.in_list(value, list, *negated);
            }
            E::InSubquery { expr, subquery, negated } => {
                let value = self.scalar(expr)?;
                let compiled = self.query(subquery)?;
                let [column] = compiled.columns.as_slice() else {
                    return Err(SqlError::new(
                        116,
                        16,
                        "Only one expression can be specified in the select list when the subquery is not introduced with EXISTS.",
                    ));
                };
                let target = common(value.data_type, column.data_type)?;
                let inner =
                    Typed { collation: column.collation, ..Typed::new("o0".into(), column.data_type, column.nullable) };
                let value = self.implicit(value, target)?;
                let inner = self.implicit(inner, target)?;
                format!(
                    "{} {}IN (SELECT {} FROM ({}))",
                    self.sortable(&value),
                    not(*negated),
                    self.sortable(&inner),
                    compiled.sql
                )
            }
            E::Exists { subquery, negated } => {
                let compiled = self.query(subquery)?;
                format!("{}EXISTS ({})", not(*negated), compiled.sql)
            }
            E::Like { negated, any: false, expr, pattern, escape_char } => {
                let value = self.scalar(expr)?;
                let pattern = self.scalar(pattern)?;
                let escape = match escape_char {
                    None => None,
                    Some(sql::Value::SingleQuotedString(text) | sql::Value::NationalStringLiteral(text)) => {
                        text.chars().next()
                    }
                    Some(other) => return Err(SqlError::syntax(&other.to_string())),
                };
                let like = self.like(value, pattern, escape)?;
                format!("{}({like} = 1)", not(*negated))
            }
            other => return Err(no_condition(other)),
        };
        Ok(format!("({text})"))
    }

    /// All members are brought to one type, as in a CASE.
    fn in_list(&mut self, value: Typed, list: &[sql::Expr], negated: bool) -> Result<String, SqlError> {
        let mut members = Vec::new();
        for item in list {
            members.push(self.scalar(item)?);
        }
        if members.is_empty() {
            return Err(SqlError::syntax(")"));
        }
        let target = common_of(members.iter().chain([&value]))?;
        if target == SqlType::Variant {
            let mut parts = Vec::new();
            for member in members {
                parts.push(self.compare(value.clone(), "=", member)?);
            }
            return Ok(format!("({}({}))", not(negated), parts.join(" OR ")));
        }
        let collation = members.iter().find_map(|member| member.collation);
        let mut texts = Vec::new();
        for member in members {
            texts.push(self.implicit(member, target)?.sql);
        }
        let value = self.implicit(value, target)?;
        let value = Typed { collation: value.collation.or(collation), ..value };
        Ok(format!("({} {}IN ({}))", self.sortable(&value), not(negated), texts.join(", ")))
    }

    /// Compares two values after bringing them to their common type.
    pub(super) fn compare(&mut self, left: Typed, operator: &str, right: Typed) -> Result<String, SqlError> {
        let target = match (left.null_literal, right.null_literal) {
            (true, _) => right.data_type,
            (_, true) => left.data_type,
            _ => common(left.data_type, right.data_type)?,
        };
        let collation = left.collation.or(right.collation);
        let left = self.implicit(left, target)?;
        let right = self.implicit(right, target)?;
        if target == SqlType::Variant {
            let collation = self.context.collation;
            let mode = self.mode();
            let run: Run = Arc::new(move |values| Ok(compare_variants(values, collation, mode)));
            let order = self.operation("compare variants", vec![left, right], SqlType::Int, run);
            return Ok(format!("({} {operator} 0)", order.sql));
        }
        let with = |typed: Typed| Typed { collation, ..typed };
        let (left, right) = (with(left), with(right));
        Ok(format!("({} {operator} {})", self.sortable(&left), self.sortable(&right)))
    }

    fn like(&mut self, value: Typed, wanted: Typed, escape: Option<char>) -> Result<String, SqlError> {
        let collation = value.collation.or(wanted.collation).unwrap_or(self.context.collation);
        let text = SqlType::NVarChar(None);
        let value = self.implicit(value, text)?;
        let wanted = self.implicit(wanted, text)?;
        let run = super::compiler::strict(move |values| {
            Ok(match values {
                [Value::String(text), Value::String(wanted)] => {
                    Value::Bit(pattern::matches(text, wanted, escape, collation == Collation::CaseInsensitive))
                }
                _ => Value::Null,
            })
        });
        let name = format!("like {escape:?} {collation:?}");
        Ok(self.operation(&name, vec![value, wanted], SqlType::Bit, run).sql)
    }
}

/// Values of the same family compare by value, others by the family's rank.
fn compare_variants(values: &[Value], collation: Collation, mode: Mode) -> Value {
    let [Value::Variant(left_type, left), Value::Variant(right_type, right)] = values else {
        return Value::Null;
    };
    let order = match (left.as_ref(), right.as_ref()) {
        (Value::String(a), Value::String(b)) => match collation {
            Collation::CaseInsensitive => compare_ci(a, b),
            Collation::Binary => compare_binary(a, b),
        },
        (a, b) if left_type.is_number() && right_type.is_number() => {
            let wide = SqlType::Numeric { precision: 38, scale: 6 };
            let number = |value: &Value| cast(value, natural_type(value), wide, mode).ok();
            match (number(a), number(b)) {
                (Some(Value::Numeric { value: a, .. }), Some(Value::Numeric { value: b, .. })) => a.cmp(&b),
                _ => Ordering::Less,
            }
        }
        (a, b) if a == b => Ordering::Equal,
        _ => left_type.base_name().cmp(right_type.base_name()),
    };
    Value::Int(order as i32)
}

fn not(negated: bool) -> &'static str {
    if negated {
        "NOT "
    } else {
        ""
    }
}

fn symbol(op: &sql::BinaryOperator) -> &'static str {
    use sql::BinaryOperator as B;
    match op {
        B::Eq => "=",
        B::NotEq => "<>",
        B::Lt => "<",
        B::LtEq => "<=",
        B::Gt => ">",
        _ => ">=",
    }
}

/// 4145, or unknown T-SQL for a condition that is one on a real server.
fn no_condition(expression: &sql::Expr) -> SqlError {
    use sql::Expr as E;
    match expression {
        E::AnyOp { .. } | E::AllOp { .. } => SqlError::unknown("ANY, SOME or ALL"),
        E::Identifier(_)
        | E::CompoundIdentifier(_)
        | E::Value(_)
        | E::Function(_)
        | E::Case { .. }
        | E::Cast { .. }
        | E::Convert { .. }
        | E::Subquery(_)
        | E::BinaryOp { .. } => SqlError::new(
            4145,
            15,
            format!("An expression of non-boolean type specified in a context where a condition is expected, near '{expression}'."),
        ),
        other => SqlError::unknown(format!("condition {other}")),
    }
}
