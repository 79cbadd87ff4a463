//! Queries: SELECT with its clauses, set operations, ORDER BY and TOP.

use sqlparser::ast as sql;

use super::compiler::{Compiler, Scope, Typed};
use super::expression::common_of;
use super::typing::common;
use crate::context::Collation;
use crate::error::SqlError;
use crate::types::SqlType;

/// Queries within queries may nest this deep.
const MAX_DEPTH: usize = 32;

/// A column of a compiled query; in its text it is called `o` and its place.
pub(super) struct OutColumn {
    pub name: String,
    pub data_type: SqlType,
    pub nullable: bool,
    pub collation: Option<Collation>,
}

pub(super) struct Compiled {
    pub sql: String,
    pub columns: Vec<OutColumn>,
}

/// What a select list yields.
struct Output {
    name: String,
    typed: Typed,
}

impl Compiler<'_> {
    pub(super) fn query(&mut self, query: &sql::Query) -> Result<Compiled, SqlError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(SqlError::new(
                191,
                15,
                "Some part of your SQL statement is nested too deeply. Rewrite the query or break it up into smaller queries.",
            ));
        }
        if !query.locks.is_empty()
            || query.for_clause.is_some()
            || query.settings.is_some()
            || query.format_clause.is_some()
            || !query.pipe_operators.is_empty()
        {
            return Err(SqlError::unknown("a clause after SELECT (FOR, FORMAT or its like)"));
        }
        let known = self.with.len();
        if let Some(with) = &query.with {
            if with.recursive {
                return Err(SqlError::syntax("RECURSIVE"));
            }
            self.with.extend(with.cte_tables.iter().cloned());
        }
        let order: &[sql::OrderByExpr] = match query.order_by.as_ref().map(|order| &order.kind) {
            None => &[],
            Some(sql::OrderByKind::Expressions(list)) => list,
            Some(sql::OrderByKind::All(_)) => return Err(SqlError::syntax("ALL")),
        };
        let body = match query.body.as_ref() {
            sql::SetExpr::Select(select) => self.select(select, order),
            body => self.set_expression(body).and_then(|compiled| {
                let order = self.order_by_outputs(order, &compiled.columns)?;
                Ok(Compiled { sql: format!("{}{order}", compiled.sql), columns: compiled.columns })
            }),
        };
        self.with.truncate(known);
        self.depth -= 1;
        let mut compiled = body?;
        compiled.sql.push_str(&self.offset_fetch(query, !order.is_empty())?);
        Ok(compiled)
    }

    fn offset_fetch(&mut self, query: &sql::Query, ordered: bool) -> Result<String, SqlError> {
        let offset = match &query.limit_clause {
            None if query.fetch.is_none() => return Ok(String::new()),
            Some(sql::LimitClause::LimitOffset { limit: None, offset: Some(offset), limit_by })
                if limit_by.is_empty() && ordered =>
            {
                &offset.value
            }
            None => return Err(SqlError::syntax("FETCH")),
            Some(_) => return Err(SqlError::syntax("LIMIT")),
        };
        let offset = self.row_count(offset)?;
        let limit = match &query.fetch {
            None => "-1".to_string(),
            Some(fetch) if fetch.with_ties || fetch.percent => {
                return Err(SqlError::unknown("FETCH WITH TIES or PERCENT"));
            }
            Some(fetch) => match &fetch.quantity {
                Some(quantity) => self.row_count(quantity)?,
                None => return Err(SqlError::syntax("FETCH")),
            },
        };
        Ok(format!(" LIMIT {limit} OFFSET {offset}"))
    }

    /// A number of rows that must be known before the query runs.
    fn row_count(&mut self, expression: &sql::Expr) -> Result<String, SqlError> {
        let typed = self.scalar(expression)?;
        let typed = self.implicit(typed, SqlType::BigInt)?;
        match typed.constant.as_ref().map(|value| value.as_i64()) {
            Some(Some(count)) if count >= 0 => Ok(count.to_string()),
            Some(_) => Err(SqlError::new(
                1060,
                15,
                "The number of rows provided for a TOP or FETCH clauses row count parameter must be an integer.",
            )),
            None => Err(SqlError::unknown("TOP of a subquery")),
        }
    }

    fn set_expression(&mut self, body: &sql::SetExpr) -> Result<Compiled, SqlError> {
        match body {
            sql::SetExpr::Select(select) => self.select(select, &[]),
            sql::SetExpr::Query(query) => self.query(query),
            sql::SetExpr::SetOperation { op, set_quantifier, left, right } => {
                use sql::{SetOperator as Op, SetQuantifier as Q};
                let word = match (op, set_quantifier) {
                    (Op::Union, Q::All) => "UNION ALL",
                    (Op::Union, Q::None) => "UNION",
                    (Op::Except, Q::None) => "EXCEPT",
                    (Op::Intersect, Q::None) => "INTERSECT",
                    _ => return Err(SqlError::syntax(&op.to_string())),
                };
                let left = self.set_expression(left)?;
                let right = self.set_expression(right)?;
                self.combine(word, left, right)
            }
            sql::SetExpr::Values(values) => self.values(values),
            _ => Err(SqlError::unknown("this statement inside a query")),
        }
    }

    /// `(VALUES (1, 'a'), (2, 'b')) AS t (n, name)`.
    fn values(&mut self, values: &sql::Values) -> Result<Compiled, SqlError> {
        let mut rows = Vec::new();
        for row in &values.rows {
            let mut typed = Vec::new();
            for expression in row {
                typed.push(self.scalar(expression)?);
            }
            rows.push(typed);
        }
        let width = rows.first().map_or(0, Vec::len);
        if width == 0 || values.explicit_row || rows.iter().any(|row| row.len() != width) {
            return Err(SqlError::new(
                10709,
                16,
                "The number of columns for each row in a table value constructor must be the same.",
            ));
        }
        let mut columns = Vec::new();
        for place in 0..width {
            let nullable = rows.iter().any(|row| row[place].nullable);
            let data_type = common_of(rows.iter().map(|row| &row[place])).unwrap_or(SqlType::Int);
            columns.push(OutColumn { name: String::new(), data_type, nullable, collation: None });
        }
        let mut texts = Vec::new();
        for row in rows {
            let mut list = Vec::new();
            for (typed, column) in row.into_iter().zip(&columns) {
                list.push(self.implicit(typed, column.data_type)?.sql);
            }
            texts.push(format!("({})", list.join(", ")));
        }
        let names: Vec<String> = (0..width).map(|place| format!("column{} AS o{place}", place + 1)).collect();
        Ok(Compiled { sql: format!("SELECT {} FROM (VALUES {})", names.join(", "), texts.join(", ")), columns })
    }

    fn combine(&mut self, word: &str, left: Compiled, right: Compiled) -> Result<Compiled, SqlError> {
        if left.columns.len() != right.columns.len() {
            return Err(SqlError::new(
                205,
                16,
                "All queries combined using a UNION, INTERSECT or EXCEPT operator must have an equal number of expressions in their target lists.",
            ));
        }
        let mut columns = Vec::new();
        for (a, b) in left.columns.iter().zip(&right.columns) {
            columns.push(OutColumn {
                name: a.name.clone(),
                data_type: common(a.data_type, b.data_type)?,
                nullable: a.nullable || b.nullable,
                collation: a.collation.or(b.collation),
            });
        }
        let mut sides = Vec::new();
        for side in [left, right] {
            let mut list = Vec::new();
            for (place, (column, target)) in side.columns.iter().zip(&columns).enumerate() {
                let typed = Typed::new(format!("o{place}"), column.data_type, column.nullable);
                let typed = self.implicit(typed, target.data_type)?;
                let typed = Typed { collation: target.collation, ..typed };
                list.push(format!("{} AS o{place}", self.sortable(&typed)));
            }
            sides.push(format!("SELECT {} FROM ({})", list.join(", "), side.sql));
        }
        // A frame around both sides keeps their own operators, ORDER BY and TOP apart.
        Ok(Compiled { sql: format!("SELECT * FROM ({} {word} {})", sides[0], sides[1]), columns })
    }

    fn order_by_outputs(&mut self, order: &[sql::OrderByExpr], columns: &[OutColumn]) -> Result<String, SqlError> {
        let mut keys = Vec::new();
        for item in order {
            let place = match &item.expr {
                sql::Expr::Identifier(ident) => {
                    columns.iter().position(|column| self.same_name(&column.name, &ident.value))
                }
                expression => ordinal(expression, columns.len())?,
            };
            let Some(place) = place else {
                return Err(SqlError::new(
                    104,
                    16,
                    "ORDER BY items must appear in the select list if the statement contains a UNION, INTERSECT or EXCEPT operator.",
                ));
            };
            let column = &columns[place];
            let typed =
                Typed { collation: column.collation, ..Typed::new(format!("o{place}"), column.data_type, true) };
            keys.push(format!("{}{}", self.sortable(&typed), direction(&item.options)?));
        }
        Ok(order_text(&keys))
    }

    pub(super) fn select(&mut self, select: &sql::Select, order: &[sql::OrderByExpr]) -> Result<Compiled, SqlError> {
        if !select.lateral_views.is_empty()
            || select.exclude.is_some()
            || select.prewhere.is_some()
            || !select.cluster_by.is_empty()
            || !select.distribute_by.is_empty()
            || !select.sort_by.is_empty()
            || !select.named_window.is_empty()
            || select.qualify.is_some()
            || select.value_table_mode.is_some()
            || select.connect_by.is_some()
            || select.projection.is_empty()
        {
            return Err(SqlError::unknown("a clause of this SELECT"));
        }
        self.scopes.push(Scope::default());
        let compiled = self.select_in_scope(select, order);
        self.scopes.pop();
        compiled
    }

    fn select_in_scope(&mut self, select: &sql::Select, order: &[sql::OrderByExpr]) -> Result<Compiled, SqlError> {
        let from = self.from(&select.from)?;
        self.scope().aggregates_barred = true;
        let filter = select.selection.as_ref().map(|condition| self.condition(condition)).transpose()?;
        let (group_keys, grouping) = self.group_keys(&select.group_by)?;
        self.scope().aggregates_barred = false;
        self.scope().ungrouped.clear();
        let grouped = !grouping.is_empty();
        self.scope().group_keys = group_keys;

        let outputs = self.outputs(&select.projection)?;
        let having = select.having.as_ref().map(|condition| self.condition(condition)).transpose()?;
        let distinct = match &select.distinct {
            None => false,
            Some(sql::Distinct::Distinct) => true,
            Some(_) => return Err(SqlError::syntax("ON")),
        };
        let keys = self.order_keys(order, &outputs, distinct)?;
        let top = self.top(select.top.as_ref())?;
        let scope = self.scope();
        if grouped || scope.aggregates_seen || having.is_some() {
            if let Some(error) = scope.ungrouped.first() {
                return Err(error.clone());
            }
        }

        let mut list = Vec::new();
        let mut columns = Vec::new();
        for (place, output) in outputs.into_iter().enumerate() {
            list.push(format!("{} AS o{place}", self.sortable(&output.typed)));
            columns.push(OutColumn {
                name: output.name,
                data_type: output.typed.data_type,
                nullable: output.typed.nullable,
                collation: output.typed.collation,
            });
        }
        let mut sql = String::from("SELECT ");
        if distinct {
            sql.push_str("DISTINCT ");
        }
        sql.push_str(&list.join(", "));
        if !from.is_empty() {
            sql.push_str(&format!(" FROM {from}"));
        }
        if let Some(filter) = filter {
            sql.push_str(&format!(" WHERE {filter}"));
        }
        if grouped {
            sql.push_str(&format!(" GROUP BY {}", grouping.join(", ")));
        }
        if let Some(having) = having {
            sql.push_str(&format!(" HAVING {having}"));
        }
        sql.push_str(&order_text(&keys));
        if let Some(top) = top {
            sql.push_str(&format!(" LIMIT {top}"));
        }
        Ok(Compiled { sql, columns })
    }

    fn top(&mut self, top: Option<&sql::Top>) -> Result<Option<String>, SqlError> {
        let Some(top) = top else {
            return Ok(None);
        };
        if top.percent || top.with_ties {
            return Err(SqlError::unknown("TOP with PERCENT or WITH TIES"));
        }
        match &top.quantity {
            Some(sql::TopQuantity::Constant(count)) => Ok(Some(i64::try_from(*count).unwrap_or(i64::MAX).to_string())),
            Some(sql::TopQuantity::Expr(expression)) => self.row_count(expression).map(Some),
            None => Err(SqlError::syntax("TOP")),
        }
    }

    /// The keys as the select list repeats them, and as GROUP BY needs them.
    fn group_keys(&mut self, group_by: &sql::GroupByExpr) -> Result<(Vec<String>, Vec<String>), SqlError> {
        let sql::GroupByExpr::Expressions(list, modifiers) = group_by else {
            return Err(SqlError::unknown("GROUP BY ALL"));
        };
        if !modifiers.is_empty() {
            return Err(SqlError::unknown("GROUP BY WITH ROLLUP or CUBE"));
        }
        let (mut keys, mut texts) = (Vec::new(), Vec::new());
        for expression in list {
            let typed = self.scalar(expression)?;
            if typed.constant.is_some() {
                return Err(SqlError::new(
                    164,
                    15,
                    "Each GROUP BY expression must contain at least one column that is not an outer reference.",
                ));
            }
            texts.push(self.sortable(&typed));
            keys.push(typed.sql);
        }
        Ok((keys, texts))
    }

    fn outputs(&mut self, projection: &[sql::SelectItem]) -> Result<Vec<Output>, SqlError> {
        let mut outputs = Vec::new();
        for item in projection {
            match item {
                sql::SelectItem::UnnamedExpr(expression) => {
                    let typed = self.scalar(expression)?;
                    let name = natural_name(expression);
                    outputs.push(Output { name, typed });
                }
                sql::SelectItem::ExprWithAlias { expr, alias } => {
                    let typed = self.scalar(expr)?;
                    outputs.push(Output { name: alias.value.clone(), typed });
                }
                sql::SelectItem::Wildcard(options) => {
                    plain_wildcard(options)?;
                    self.wildcard(&[], &mut outputs)?;
                }
                sql::SelectItem::QualifiedWildcard(sql::SelectItemQualifiedWildcardKind::ObjectName(name), options) => {
                    plain_wildcard(options)?;
                    let parts: Vec<sql::Ident> = name
                        .0
                        .iter()
                        .filter_map(|part| match part {
                            sql::ObjectNamePart::Identifier(ident) => Some(ident.clone()),
                            sql::ObjectNamePart::Function(_) => None,
                        })
                        .collect();
                    self.wildcard(&parts, &mut outputs)?;
                }
                sql::SelectItem::QualifiedWildcard(..) => return Err(SqlError::syntax("*")),
            }
        }
        Ok(outputs)
    }

    fn wildcard(&mut self, qualifiers: &[sql::Ident], outputs: &mut Vec<Output>) -> Result<(), SqlError> {
        let depth = self.scopes.len() - 1;
        let mut places = Vec::new();
        for (index, source) in self.scopes[depth].sources.iter().enumerate() {
            if self.source_matches(source, qualifiers) {
                places.extend((0..source.columns.len()).map(|column| (index, column)));
            }
        }
        if places.is_empty() {
            return Err(match qualifiers.last() {
                None => SqlError::new(263, 16, "Must specify table to select from."),
                Some(name) => SqlError::new(
                    107,
                    15,
                    format!(
                        "The column prefix '{}' does not match with a table name or alias name used in the query.",
                        name.value
                    ),
                ),
            });
        }
        for (source, column) in places {
            let name = self.scopes[depth].sources[source].columns[column].name.clone();
            let typed = self.use_column(depth, source, column);
            outputs.push(Output { name, typed });
        }
        Ok(())
    }

    fn order_keys(
        &mut self,
        order: &[sql::OrderByExpr],
        outputs: &[Output],
        distinct: bool,
    ) -> Result<Vec<String>, SqlError> {
        let mut keys = Vec::new();
        for item in order {
            let place = match &item.expr {
                sql::Expr::Identifier(ident) => {
                    outputs.iter().position(|output| self.same_name(&output.name, &ident.value))
                }
                expression => ordinal(expression, outputs.len())?,
            };
            let typed = match place {
                Some(place) => outputs[place].typed.clone(),
                None => {
                    let typed = self.scalar(&item.expr)?;
                    if distinct && !outputs.iter().any(|output| output.typed.sql == typed.sql) {
                        return Err(SqlError::new(
                            145,
                            15,
                            "ORDER BY items must appear in the select list if SELECT DISTINCT is specified.",
                        ));
                    }
                    typed
                }
            };
            // SQLite would read a constant as a column's place.
            if typed.constant.is_none() {
                keys.push(format!("{}{}", self.sortable(&typed), direction(&item.options)?));
            }
        }
        Ok(keys)
    }
}

pub(super) fn direction(options: &sql::OrderByOptions) -> Result<&'static str, SqlError> {
    if options.nulls_first.is_some() {
        return Err(SqlError::syntax("NULLS"));
    }
    Ok(if options.asc == Some(false) { " DESC" } else { "" })
}

fn order_text(keys: &[String]) -> String {
    if keys.is_empty() {
        String::new()
    } else {
        format!(" ORDER BY {}", keys.join(", "))
    }
}

/// `ORDER BY 2`.
fn ordinal(expression: &sql::Expr, count: usize) -> Result<Option<usize>, SqlError> {
    let sql::Expr::Value(sql::ValueWithSpan { value: sql::Value::Number(text, _), .. }) = expression else {
        return Ok(None);
    };
    match text.parse::<usize>() {
        Ok(place) if (1..=count).contains(&place) => Ok(Some(place - 1)),
        _ => Err(SqlError::new(
            108,
            15,
            format!("The ORDER BY position number {text} is out of range of the number of items in the select list."),
        )),
    }
}

/// The name of a result column without an alias: its column's, or none.
fn natural_name(expression: &sql::Expr) -> String {
    match expression {
        sql::Expr::Identifier(ident) if !ident.value.starts_with('@') => ident.value.clone(),
        sql::Expr::CompoundIdentifier(parts) => parts.last().map(|part| part.value.clone()).unwrap_or_default(),
        sql::Expr::Nested(inner) | sql::Expr::Collate { expr: inner, .. } => natural_name(inner),
        _ => String::new(),
    }
}

fn plain_wildcard(options: &sql::WildcardAdditionalOptions) -> Result<(), SqlError> {
    if options.opt_ilike.is_some()
        || options.opt_exclude.is_some()
        || options.opt_except.is_some()
        || options.opt_replace.is_some()
        || options.opt_rename.is_some()
    {
        return Err(SqlError::syntax("*"));
    }
    Ok(())
}
