//! What compiling a query collects: parameters, operations, tables and the names in scope.

use std::collections::BTreeSet;
use std::sync::Arc;

use sqlparser::ast as sql;

use super::typing;
use crate::context::{Collation, Context, TableDef};
use crate::convert::{cast, check_implicit, Mode};
use crate::error::SqlError;
use crate::types::SqlType;
use crate::value::Value;

pub(super) type Run = Arc<dyn Fn(&[Value]) -> Result<Value, SqlError> + Send + Sync>;

/// A scalar operation, registered with SQLite as a function of its own.
pub(super) struct Operation {
    /// Equal keys are equal operations, so that equal expressions have equal texts.
    key: String,
    pub arguments: Vec<SqlType>,
    pub result: SqlType,
    pub run: Run,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AggregateKind {
    Sum,
    Average,
    /// The value of a subquery that may have one row at most (512).
    Single,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Aggregate {
    pub kind: AggregateKind,
    pub argument: SqlType,
    pub result: SqlType,
}

/// A table to load before the query runs, with the columns that the query reads.
pub(super) struct Loaded {
    pub table: Arc<TableDef>,
    pub used: BTreeSet<usize>,
}

/// A compiled expression.
#[derive(Debug, Clone)]
pub(super) struct Typed {
    pub sql: String,
    pub data_type: SqlType,
    pub nullable: bool,
    /// Known before the query runs.
    pub constant: Option<Value>,
    /// The word NULL, which takes any type.
    pub null_literal: bool,
    /// From a COLLATE clause.
    pub collation: Option<Collation>,
}

impl Typed {
    pub fn new(sql: String, data_type: SqlType, nullable: bool) -> Self {
        Typed { sql, data_type, nullable, constant: None, null_literal: false, collation: None }
    }
}

pub(super) struct SourceColumn {
    pub name: String,
    pub data_type: SqlType,
    pub nullable: bool,
    pub collation: Option<Collation>,
    pub sql: String,
    /// Where the column comes from, to mark it as used.
    pub loaded: Option<(usize, usize)>,
}

/// A table, derived table or function in FROM.
pub(super) struct Source {
    /// The alias, or the last part of the name.
    pub alias: String,
    /// Schema and database, when there is no alias.
    pub qualifiers: Vec<String>,
    pub columns: Vec<SourceColumn>,
}

/// One SELECT's names, and what GROUP BY allows there.
#[derive(Default)]
pub(super) struct Scope {
    pub sources: Vec<Source>,
    pub group_keys: Vec<String>,
    /// Columns used outside of aggregates and keys; errors (8120) once the query turns out to be grouped.
    pub ungrouped: Vec<SqlError>,
    pub inside_aggregate: bool,
    pub aggregates_seen: bool,
    pub aggregates_barred: bool,
}

pub(super) struct Compiler<'c> {
    pub context: &'c Context,
    pub parameters: Vec<(SqlType, Value)>,
    pub operations: Vec<Operation>,
    pub aggregates: Vec<Aggregate>,
    pub loaded: Vec<Loaded>,
    pub scopes: Vec<Scope>,
    pub with: Vec<sql::Cte>,
    pub next_source: usize,
    pub depth: usize,
}

impl<'c> Compiler<'c> {
    pub fn new(context: &'c Context) -> Self {
        Compiler {
            context,
            parameters: Vec::new(),
            operations: Vec::new(),
            aggregates: Vec::new(),
            loaded: Vec::new(),
            scopes: Vec::new(),
            with: Vec::new(),
            next_source: 0,
            depth: 0,
        }
    }

    pub fn mode(&self) -> Mode {
        Mode::implicit(self.context.date_format)
    }

    pub fn scope(&mut self) -> &mut Scope {
        if self.scopes.is_empty() {
            self.scopes.push(Scope::default());
        }
        let last = self.scopes.len() - 1;
        &mut self.scopes[last]
    }

    pub fn same_name(&self, left: &str, right: &str) -> bool {
        match self.context.collation {
            Collation::Binary => left == right,
            Collation::CaseInsensitive => left.to_lowercase() == right.to_lowercase(),
        }
    }

    /// A value known now, as a parameter of the query.
    pub fn constant(&mut self, data_type: SqlType, value: Value) -> Typed {
        let place =
            self.parameters.iter().position(|known| known.0 == data_type && known.1 == value).unwrap_or_else(|| {
                self.parameters.push((data_type, value.clone()));
                self.parameters.len() - 1
            });
        Typed {
            nullable: value.is_null(),
            constant: Some(value),
            ..Typed::new(format!("?{}", place + 1), data_type, true)
        }
    }

    /// Applies an operation; at once when all of its arguments are known.
    pub fn operation(&mut self, name: &str, arguments: Vec<Typed>, result: SqlType, run: Run) -> Typed {
        let known: Option<Vec<Value>> = arguments.iter().map(|a| a.constant.clone()).collect();
        if let Some(value) = known.and_then(|known| run(&known).ok()) {
            return self.constant(result, value);
        }
        self.call(name, arguments, result, run)
    }

    /// As `operation`, but always left to the query: for what differs from call to call.
    pub fn call(&mut self, name: &str, arguments: Vec<Typed>, result: SqlType, run: Run) -> Typed {
        let types: Vec<SqlType> = arguments.iter().map(|a| a.data_type).collect();
        let key = format!("{name} {types:?} {result:?}");
        let place = self.operations.iter().position(|known| known.key == key).unwrap_or_else(|| {
            self.operations.push(Operation { key, arguments: types, result, run });
            self.operations.len() - 1
        });
        let list: Vec<&str> = arguments.iter().map(|a| a.sql.as_str()).collect();
        let collation = arguments.iter().find_map(|a| a.collation);
        Typed { collation, ..Typed::new(format!("f{place}({})", list.join(", ")), result, true) }
    }

    /// Converts without being asked, as comparisons and assignments do.
    pub fn implicit(&mut self, from: Typed, to: SqlType) -> Result<Typed, SqlError> {
        if from.null_literal {
            return Ok(Typed { null_literal: true, ..self.constant(to, Value::Null) });
        }
        check_implicit(from.data_type, to)?;
        let mode = self.mode();
        self.explicit(from, to, mode, false)
    }

    /// CAST and CONVERT. `try_only`: NULL instead of a conversion error.
    pub fn explicit(&mut self, from: Typed, to: SqlType, mode: Mode, try_only: bool) -> Result<Typed, SqlError> {
        let source = from.data_type;
        if typing::same_storage(source, to) && from.constant.is_none() {
            return Ok(Typed { data_type: to, ..from });
        }
        let (nullable, collation) = (from.nullable, from.collation);
        let name = format!("cast {} {try_only}", mode.style);
        let run: Run = Arc::new(move |values| match values {
            [value] => match cast(value, source, to, mode) {
                Err(error) if try_only && error.number != 529 => Ok(Value::Null),
                other => other,
            },
            _ => Ok(Value::Null),
        });
        let mut typed = self.operation(&name, vec![from], to, run);
        typed.nullable = nullable || try_only;
        typed.collation = collation;
        Ok(typed)
    }

    /// The text with the collation that comparing, sorting and grouping need.
    pub fn sortable(&self, typed: &Typed) -> String {
        if !typed.data_type.is_string() {
            return typed.sql.clone();
        }
        let collation = typed.collation.unwrap_or(self.context.collation);
        format!("{} COLLATE {}", typed.sql, collation_name(collation))
    }
}

pub(super) fn collation_name(collation: Collation) -> &'static str {
    match collation {
        Collation::CaseInsensitive => "text_ci",
        Collation::Binary => "text_bin",
    }
}

/// Wraps a function so that any NULL argument makes the result NULL.
pub(super) fn strict(run: impl Fn(&[Value]) -> Result<Value, SqlError> + Send + Sync + 'static) -> Run {
    Arc::new(move |values| if values.iter().any(Value::is_null) { Ok(Value::Null) } else { run(values) })
}
