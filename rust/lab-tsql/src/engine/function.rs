//! Function calls: aggregates, windows, conditionals, then the scalar functions by subject.

use sqlparser::ast as sql;

use super::compiler::{AggregateKind, Compiler, Typed};
use super::expression::{common_of, no_function};
use super::query::direction;
use super::typing::numeric;
use crate::error::SqlError;
use crate::types::SqlType;
use crate::value::Value;

/// 174.
pub(super) fn wrong_count(name: &str, count: &str) -> SqlError {
    SqlError::new(174, 15, format!("The {} function requires {count} argument(s).", name.to_lowercase()))
}

impl Compiler<'_> {
    pub(super) fn function(&mut self, function: &sql::Function) -> Result<Typed, SqlError> {
        if function.uses_odbc_syntax
            || !matches!(function.parameters, sql::FunctionArguments::None)
            || function.filter.is_some()
            || function.null_treatment.is_some()
            || !function.within_group.is_empty()
        {
            return Err(SqlError::unknown(format!("function call {function}")));
        }
        let called = super::names::object_name(&function.name)?;
        if !called.schema.is_empty() {
            return Err(SqlError::unknown(format!("user function {}", function.name)));
        }
        let name = called.name.to_ascii_uppercase();
        let empty: &[sql::FunctionArg] = &[];
        let (arguments, distinct) = match &function.args {
            sql::FunctionArguments::None => (empty, false),
            sql::FunctionArguments::List(list) if list.clauses.is_empty() => {
                (list.args.as_slice(), list.duplicate_treatment == Some(sql::DuplicateTreatment::Distinct))
            }
            _ => return Err(SqlError::unknown(format!("function call {function}"))),
        };
        if let Some(over) = &function.over {
            let sql::WindowType::WindowSpec(window) = over else {
                return Err(SqlError::unknown("WINDOW clause"));
            };
            return self.windowed(&name, arguments, window);
        }
        if matches!(name.as_str(), "COUNT" | "COUNT_BIG" | "SUM" | "AVG" | "MIN" | "MAX") {
            return self.aggregate(&name, arguments, distinct);
        }
        if distinct {
            return Err(SqlError::syntax_keyword("DISTINCT"));
        }
        if let Some(typed) = self.date_function(&name, arguments)? {
            return Ok(typed);
        }
        if name == "IIF" {
            return self.iif(arguments);
        }
        let typed = self.arguments(arguments)?;
        self.builtin(&name, typed)
    }

    fn iif(&mut self, arguments: &[sql::FunctionArg]) -> Result<Typed, SqlError> {
        let [sql::FunctionArg::Unnamed(sql::FunctionArgExpr::Expr(condition)), rest @ ..] = arguments else {
            return Err(wrong_count("IIF", "3"));
        };
        let condition = self.condition(condition)?;
        let mut branches = self.arguments(rest)?;
        match (branches.pop(), branches.pop(), branches.pop()) {
            (Some(no), Some(yes), None) => self.choose(vec![(condition, yes)], Some(no)),
            _ => Err(wrong_count("IIF", "3")),
        }
    }

    /// Scalar functions whose arguments are plain values.
    pub(super) fn builtin(&mut self, name: &str, arguments: Vec<Typed>) -> Result<Typed, SqlError> {
        match name {
            "ISNULL" => return self.is_null(arguments),
            "COALESCE" => return self.coalesce(arguments),
            "NULLIF" => {
                let [left, right] = <[Typed; 2]>::try_from(arguments).map_err(|_| wrong_count(name, "2"))?;
                let condition = self.compare(left.clone(), "=", right)?;
                let null = Typed { null_literal: true, ..self.constant(left.data_type, Value::Null) };
                return self.choose(vec![(condition, null)], Some(left));
            }
            _ => {}
        }
        if let Some(typed) = self.text_function(name, &arguments)? {
            return Ok(typed);
        }
        if let Some(typed) = self.number_function(name, &arguments)? {
            return Ok(typed);
        }
        self.server_function(name, arguments)?.ok_or_else(|| no_function(name))
    }

    fn is_null(&mut self, arguments: Vec<Typed>) -> Result<Typed, SqlError> {
        let [value, other] = <[Typed; 2]>::try_from(arguments).map_err(|_| wrong_count("ISNULL", "2"))?;
        if value.null_literal {
            return Ok(other);
        }
        let other = self.implicit(other, value.data_type)?;
        Ok(match &value.constant {
            Some(Value::Null) => other,
            Some(_) => value,
            None => Typed {
                collation: value.collation,
                ..Typed::new(
                    format!("coalesce({}, {})", value.sql, other.sql),
                    value.data_type,
                    value.nullable && other.nullable,
                )
            },
        })
    }

    fn coalesce(&mut self, arguments: Vec<Typed>) -> Result<Typed, SqlError> {
        if arguments.len() < 2 {
            return Err(SqlError::syntax(")"));
        }
        let data_type = common_of(arguments.iter())?;
        let mut texts = Vec::new();
        let mut nullable = true;
        for argument in arguments {
            let typed = self.implicit(argument, data_type)?;
            nullable &= typed.nullable;
            texts.push(typed.sql);
        }
        Ok(Typed::new(format!("coalesce({})", texts.join(", ")), data_type, nullable))
    }

    fn aggregate(&mut self, name: &str, arguments: &[sql::FunctionArg], distinct: bool) -> Result<Typed, SqlError> {
        let scope = self.scope();
        if scope.aggregates_barred {
            return Err(SqlError::new(
                147,
                15,
                "An aggregate may not appear in the WHERE clause unless it is in a subquery contained in a HAVING clause or a select list, and the column being aggregated is an outer reference.",
            ));
        }
        if scope.inside_aggregate {
            return Err(SqlError::new(
                130,
                15,
                "Cannot perform an aggregate function on an expression containing an aggregate or a subquery.",
            ));
        }
        scope.aggregates_seen = true;
        scope.inside_aggregate = true;
        let typed = self.aggregate_call(name, arguments, distinct);
        self.scope().inside_aggregate = false;
        typed
    }

    fn aggregate_call(
        &mut self,
        name: &str,
        arguments: &[sql::FunctionArg],
        distinct: bool,
    ) -> Result<Typed, SqlError> {
        let count_type = if name == "COUNT_BIG" { SqlType::BigInt } else { SqlType::Int };
        if let ("COUNT" | "COUNT_BIG", [sql::FunctionArg::Unnamed(sql::FunctionArgExpr::Wildcard)]) = (name, arguments)
        {
            return Ok(Typed::new("count(*)".into(), count_type, false));
        }
        let typed = self.arguments(arguments)?;
        let [typed] = <[Typed; 1]>::try_from(typed).map_err(|_| wrong_count(name, "1"))?;
        let word = if distinct { "DISTINCT " } else { "" };
        let text = self.sortable(&typed);
        Ok(match name {
            "COUNT" | "COUNT_BIG" => Typed::new(format!("count({word}{text})"), count_type, false),
            "MIN" | "MAX" => {
                if typed.data_type == SqlType::Bit {
                    return Err(bad_operand(typed.data_type, name));
                }
                Typed {
                    collation: typed.collation,
                    ..Typed::new(format!("{}({word}{text})", name.to_lowercase()), typed.data_type, true)
                }
            }
            _ => {
                let result = match typed.data_type {
                    SqlType::TinyInt | SqlType::SmallInt | SqlType::Int => SqlType::Int,
                    SqlType::BigInt => SqlType::BigInt,
                    SqlType::Real | SqlType::Float => SqlType::Float,
                    SqlType::Numeric { scale, .. } if name == "SUM" => numeric(38, u32::from(scale)),
                    SqlType::Numeric { scale, .. } => numeric(38, u32::from(scale.max(6))),
                    other => return Err(bad_operand(other, name)),
                };
                let kind = if name == "SUM" { AggregateKind::Sum } else { AggregateKind::Average };
                let place = self.aggregate_place(kind, typed.data_type, result);
                Typed::new(format!("g{place}({word}{text})"), result, true)
            }
        })
    }

    /// ROW_NUMBER and its like, and the aggregates that need no state of ours.
    fn windowed(
        &mut self,
        name: &str,
        arguments: &[sql::FunctionArg],
        window: &sql::WindowSpec,
    ) -> Result<Typed, SqlError> {
        if window.window_name.is_some() || window.window_frame.is_some() {
            return Err(SqlError::unknown("a window with a frame"));
        }
        let ranking = matches!(name, "ROW_NUMBER" | "RANK" | "DENSE_RANK");
        let (call, data_type, nullable) = if ranking && arguments.is_empty() {
            if window.order_by.is_empty() {
                return Err(SqlError::new(
                    4112,
                    15,
                    format!("The function '{name}' must have an OVER clause with ORDER BY."),
                ));
            }
            (format!("{}()", name.to_lowercase()), SqlType::BigInt, false)
        } else if matches!(name, "COUNT" | "COUNT_BIG" | "MIN" | "MAX") {
            let typed = self.aggregate_call(name, arguments, false)?;
            (typed.sql, typed.data_type, typed.nullable)
        } else {
            return Err(SqlError::unknown(format!("{name} OVER")));
        };
        let mut parts = Vec::new();
        if !window.partition_by.is_empty() {
            let mut keys = Vec::new();
            for expression in &window.partition_by {
                let typed = self.scalar(expression)?;
                keys.push(self.sortable(&typed));
            }
            parts.push(format!("PARTITION BY {}", keys.join(", ")));
        }
        if !window.order_by.is_empty() {
            let mut keys = Vec::new();
            for item in &window.order_by {
                let typed = self.scalar(&item.expr)?;
                keys.push(format!("{}{}", self.sortable(&typed), direction(&item.options)?));
            }
            parts.push(format!("ORDER BY {}", keys.join(", ")));
        }
        Ok(Typed::new(format!("{call} OVER ({})", parts.join(" ")), data_type, nullable))
    }
}

fn bad_operand(data_type: SqlType, name: &str) -> SqlError {
    SqlError::new(
        8117,
        16,
        format!("Operand data type {} is invalid for {} operator.", data_type.base_name(), name.to_lowercase()),
    )
}
