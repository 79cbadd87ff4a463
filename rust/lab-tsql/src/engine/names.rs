//! FROM and the names it brings into scope.

use std::collections::BTreeSet;
use std::sync::Arc;

use sqlparser::ast as sql;

use super::compiler::{Compiler, Loaded, Source, SourceColumn, Typed};
use super::query::Compiled;
use crate::ast::ObjectName;
use crate::context::TableDef;
use crate::error::SqlError;
use crate::value::Value;

/// The parts of a name as written, from the database down.
pub(crate) fn object_name(name: &sql::ObjectName) -> Result<ObjectName, SqlError> {
    let mut parts = Vec::new();
    for part in &name.0 {
        match part {
            sql::ObjectNamePart::Identifier(ident) => parts.push(ident.value.clone()),
            other => return Err(SqlError::unknown(format!("name {other}"))),
        }
    }
    let mut from_end = parts.into_iter().rev();
    let found = ObjectName {
        name: from_end.next().unwrap_or_default(),
        schema: from_end.next().unwrap_or_default(),
        database: from_end.next().unwrap_or_default(),
        server: from_end.next().unwrap_or_default(),
    };
    if !found.server.is_empty() || from_end.next().is_some() {
        return Err(SqlError::unknown(format!("linked server in {name}")));
    }
    Ok(found)
}

fn shown(name: &ObjectName) -> String {
    let mut text = String::new();
    for part in [&name.database, &name.schema] {
        if !part.is_empty() || !text.is_empty() {
            text.push_str(part);
            text.push('.');
        }
    }
    text.push_str(&name.name);
    text
}

/// 1011 when the name is in FROM already.
fn check_alias(sources: &[Source], alias: &str, qualifiers: &[String]) -> Result<(), SqlError> {
    let taken = |known: &Source| known.alias.eq_ignore_ascii_case(alias) && known.qualifiers == qualifiers;
    if sources.iter().any(taken) {
        return Err(SqlError::new(
            1011,
            16,
            format!("The correlation name '{alias}' is specified multiple times in a FROM clause."),
        ));
    }
    Ok(())
}

/// Table hints change locks, speed or plans, never the rows of a simulated table.
fn is_hint(text: &str) -> bool {
    const HINTS: &[&str] = &[
        "NOLOCK",
        "READUNCOMMITTED",
        "READCOMMITTED",
        "READCOMMITTEDLOCK",
        "REPEATABLEREAD",
        "SERIALIZABLE",
        "HOLDLOCK",
        "READPAST",
        "ROWLOCK",
        "PAGLOCK",
        "TABLOCK",
        "TABLOCKX",
        "UPDLOCK",
        "XLOCK",
        "NOWAIT",
        "NOEXPAND",
        "FORCESEEK",
        "FORCESCAN",
        "SNAPSHOT",
    ];
    HINTS.contains(&text.to_ascii_uppercase().as_str())
}

/// 321.
fn check_hint(text: &str) -> Result<(), SqlError> {
    if is_hint(text) || text.to_ascii_uppercase().starts_with("INDEX") {
        return Ok(());
    }
    Err(SqlError::new(321, 15, format!("\"{text}\" is not a recognized table hints option.")))
}

impl Compiler<'_> {
    /// Compiles FROM; its tables join the present scope.
    pub(super) fn from(&mut self, from: &[sql::TableWithJoins]) -> Result<String, SqlError> {
        let mut text = String::new();
        for item in from {
            // The joins of one item do not see the items before it.
            let mut earlier = std::mem::take(&mut self.scope().sources);
            let joined = self.joined(item)?;
            for added in std::mem::take(&mut self.scope().sources) {
                check_alias(&earlier, &added.alias, &added.qualifiers)?;
                earlier.push(added);
            }
            self.scope().sources = earlier;
            if text.is_empty() {
                text = joined;
            } else if item.joins.is_empty() {
                text.push_str(&format!(" JOIN {joined}"));
            } else {
                text.push_str(&format!(" JOIN ({joined})"));
            }
        }
        Ok(text)
    }

    fn joined(&mut self, item: &sql::TableWithJoins) -> Result<String, SqlError> {
        let first = self.scope().sources.len();
        let mut text = self.factor(&item.relation)?;
        for join in &item.joins {
            use sql::JoinOperator as J;
            let (word, constraint, left_nullable, right_nullable) = match &join.join_operator {
                J::Join(on) | J::Inner(on) => ("JOIN", on, false, false),
                J::Left(on) | J::LeftOuter(on) => ("LEFT JOIN", on, false, true),
                J::Right(on) | J::RightOuter(on) => ("RIGHT JOIN", on, true, false),
                J::FullOuter(on) => ("FULL JOIN", on, true, true),
                J::CrossJoin(on @ sql::JoinConstraint::None) => ("JOIN", on, false, false),
                J::CrossApply | J::OuterApply => {
                    let outer = matches!(join.join_operator, J::OuterApply);
                    let applied = self.apply(&join.relation, &text, outer)?;
                    text.push_str(&applied);
                    continue;
                }
                _ => return Err(SqlError::unknown("this kind of join")),
            };
            let before = self.scope().sources.len();
            let right = self.factor(&join.relation)?;
            text.push_str(&format!(" {word} {right}"));
            let cross = matches!(join.join_operator, J::CrossJoin(_));
            match constraint {
                sql::JoinConstraint::On(condition) if !cross => {
                    let condition = self.condition(condition)?;
                    text.push_str(&format!(" ON {condition}"));
                }
                sql::JoinConstraint::None if cross => {}
                sql::JoinConstraint::None => return Err(SqlError::syntax("JOIN")),
                _ => return Err(SqlError::unknown("this join condition")),
            }
            for (index, source) in self.scope().sources.iter_mut().enumerate().skip(first) {
                if (index >= before && right_nullable) || (index < before && left_nullable) {
                    for column in &mut source.columns {
                        column.nullable = true;
                    }
                }
            }
        }
        Ok(text)
    }

    fn factor(&mut self, factor: &sql::TableFactor) -> Result<String, SqlError> {
        match factor {
            sql::TableFactor::Table {
                name,
                alias,
                args,
                version: None,
                with_hints,
                with_ordinality: false,
                partitions,
                json_path: None,
                sample: None,
                index_hints,
            } if partitions.is_empty() && index_hints.is_empty() => {
                for hint in with_hints {
                    check_hint(&hint.to_string())?;
                }
                let name = object_name(name)?;
                match args {
                    Some(args) if !args.args.iter().all(|hint| is_hint(&hint.to_string())) => {
                        let table = self.called_table(&name, &args.args)?;
                        self.add_table(table, &name, alias.as_ref())
                    }
                    _ => self.named_table(&name, alias.as_ref()),
                }
            }
            sql::TableFactor::Function { lateral: false, name, args, alias } => {
                let name = object_name(name)?;
                let table = self.called_table(&name, args)?;
                self.add_table(table, &name, alias.as_ref())
            }
            sql::TableFactor::Derived { lateral: false, subquery, alias } => {
                let Some(alias) = alias else {
                    return Err(SqlError::syntax(")"));
                };
                let compiled = self.derived(subquery)?;
                self.add_derived(compiled, alias)
            }
            sql::TableFactor::NestedJoin { table_with_joins, alias: None } => {
                Ok(format!("({})", self.joined(table_with_joins)?))
            }
            _ => Err(SqlError::unknown(format!("FROM {factor}"))),
        }
    }

    /// A subquery in FROM, which does not see its neighbours.
    fn derived(&mut self, query: &sql::Query) -> Result<Compiled, SqlError> {
        let sources = std::mem::take(&mut self.scope().sources);
        let compiled = self.query(query);
        self.scope().sources = sources;
        compiled
    }

    fn next_source(&mut self) -> usize {
        self.next_source += 1;
        self.next_source
    }

    fn add_source(
        &mut self,
        alias: String,
        qualifiers: Vec<String>,
        columns: Vec<SourceColumn>,
    ) -> Result<(), SqlError> {
        check_alias(&self.scope().sources, &alias, &qualifiers)?;
        self.scope().sources.push(Source { alias, qualifiers, columns });
        Ok(())
    }

    fn add_derived(&mut self, compiled: Compiled, alias: &sql::TableAlias) -> Result<String, SqlError> {
        let source = self.next_source();
        if !alias.columns.is_empty() && alias.columns.len() != compiled.columns.len() {
            return Err(SqlError::new(
                8158,
                16,
                format!("'{}' has more columns than were specified in the column list.", alias.name.value),
            ));
        }
        let mut columns = Vec::new();
        for (index, column) in compiled.columns.into_iter().enumerate() {
            let name = alias.columns.get(index).map_or(column.name, |given| given.name.value.clone());
            if name.is_empty() {
                return Err(SqlError::new(
                    8155,
                    16,
                    format!("No column name was specified for column {} of '{}'.", index + 1, alias.name.value),
                )
                .with_state(2));
            }
            columns.push(SourceColumn {
                name,
                data_type: column.data_type,
                nullable: column.nullable,
                collation: column.collation,
                sql: format!("s{source}.o{index}"),
                loaded: None,
            });
        }
        self.add_source(alias.name.value.clone(), Vec::new(), columns)?;
        Ok(format!("({}) AS s{source}", compiled.sql))
    }

    fn named_table(&mut self, name: &ObjectName, alias: Option<&sql::TableAlias>) -> Result<String, SqlError> {
        if name.schema.is_empty() && name.database.is_empty() {
            let place = self.with.iter().rposition(|cte| self.same_name(&cte.alias.name.value, &name.name));
            if let Some(place) = place {
                return self.common_table(place, alias);
            }
            if name.name.starts_with('@') {
                let table = self.context.variables.table(&name.name).cloned();
                let table = table.ok_or_else(|| {
                    SqlError::new(1087, 15, format!("Must declare the table variable \"{}\".", name.name)).with_state(2)
                })?;
                return self.add_table(Arc::new(table), name, alias);
            }
        }
        if name.name.starts_with('#') {
            let table = self
                .context
                .temp_tables
                .lock()
                .get(&name.name.to_lowercase())
                .cloned()
                .ok_or_else(|| SqlError::invalid_object(&shown(name)))?;
            return self.add_table(Arc::new(table), name, alias);
        }
        let database = if name.database.is_empty() { &self.context.database } else { &name.database };
        let table = self
            .context
            .tables
            .table(database, &name.schema, &name.name)?
            .ok_or_else(|| SqlError::invalid_object(&shown(name)))?;
        self.add_table(table, name, alias)
    }

    /// A name of WITH: compiled anew where it is used, with only the names before it in sight.
    fn common_table(&mut self, place: usize, alias: Option<&sql::TableAlias>) -> Result<String, SqlError> {
        let later = self.with.split_off(place);
        let cte = later[0].clone();
        let scopes = std::mem::take(&mut self.scopes);
        let compiled = self.query(&cte.query);
        self.scopes = scopes;
        self.with.extend(later);
        let compiled = compiled?;
        let mut named = cte.alias;
        if let Some(alias) = alias {
            named.name = alias.name.clone();
            if !alias.columns.is_empty() {
                named.columns = alias.columns.clone();
            }
        }
        self.add_derived(compiled, &named)
    }

    fn called_table(&mut self, name: &ObjectName, arguments: &[sql::FunctionArg]) -> Result<Arc<TableDef>, SqlError> {
        let mut values = Vec::new();
        for typed in self.arguments(arguments)? {
            match typed.constant {
                Some(value) => values.push(value),
                None => return Err(SqlError::unknown("a table function over columns outside of APPLY")),
            }
        }
        self.table_function(name, &values)
    }

    fn table_function(&self, name: &ObjectName, values: &[Value]) -> Result<Arc<TableDef>, SqlError> {
        let database = if name.database.is_empty() { &self.context.database } else { &name.database };
        self.context
            .tables
            .table_function(database, &name.schema, &name.name, values)?
            .ok_or_else(|| SqlError::invalid_object(&shown(name)))
    }

    fn add_table(
        &mut self,
        table: Arc<TableDef>,
        name: &ObjectName,
        alias: Option<&sql::TableAlias>,
    ) -> Result<String, SqlError> {
        let hints_only = |alias: &sql::TableAlias| {
            let mut columns = alias.columns.iter();
            columns.all(|column| is_hint(&column.name.value))
        };
        if alias.is_some_and(|alias| !hints_only(alias)) {
            return Err(SqlError::unknown("column names after a table's alias"));
        }
        let source = self.next_source();
        let place = self.loaded.len();
        let columns = table
            .columns
            .iter()
            .enumerate()
            .map(|(index, column)| SourceColumn {
                name: column.name.clone(),
                data_type: column.data_type,
                nullable: column.nullable,
                collation: None,
                sql: format!("s{source}.c{index}"),
                loaded: Some((place, index)),
            })
            .collect();
        self.loaded.push(Loaded { table, used: BTreeSet::new() });
        let (alias, qualifiers) = match alias {
            Some(alias) => (alias.name.value.clone(), Vec::new()),
            None => (name.name.clone(), vec![name.schema.clone(), name.database.clone()]),
        };
        self.add_source(alias, qualifiers, columns)?;
        Ok(format!("t{place} AS s{source}"))
    }

    /// APPLY with a table function: its arguments are computed for the tables on the left first, then the function
    /// is called for each set of arguments, and its rows are joined by them.
    fn apply(&mut self, relation: &sql::TableFactor, left: &str, outer: bool) -> Result<String, SqlError> {
        let (name, arguments, alias) = match relation {
            sql::TableFactor::Table { name, alias, args: Some(args), .. } => (name, &args.args, alias),
            sql::TableFactor::Function { name, args, alias, .. } => (name, args, alias),
            _ => return Err(SqlError::unknown("APPLY of a query")),
        };
        let name = object_name(name)?;
        let arguments = self.arguments(arguments)?;
        let types: Vec<_> = arguments.iter().map(|a| a.data_type).collect();
        let list: Vec<String> = arguments.iter().map(|a| a.sql.clone()).collect();
        let text = format!("SELECT DISTINCT {} FROM {left}", list.join(", "));
        let calls = if list.is_empty() { vec![Vec::new()] } else { super::run::run(self, &text, &types)? };
        let mut joined = TableDef::default();
        for call in calls {
            let table = self.table_function(&name, &call)?;
            if joined.columns.is_empty() {
                joined.columns = table.columns.clone();
            }
            for row in &table.rows {
                joined.rows.push(row.iter().cloned().chain(call.iter().cloned()).collect());
            }
        }
        if joined.columns.is_empty() {
            // No row on the left, so no call has told the columns.
            joined.columns = self.table_function(&name, &vec![Value::Null; types.len()])?.columns.clone();
        }
        let own = joined.columns.len();
        for (index, data_type) in types.iter().enumerate() {
            joined.columns.push(crate::context::ColumnDef::new(format!("argument {index}"), *data_type));
        }
        let place = self.loaded.len();
        let text = self.add_table(Arc::new(joined), &name, alias.as_ref())?;
        self.loaded[place].used.extend(own..own + types.len());
        let source = self.next_source;
        if let Some(added) = self.scope().sources.last_mut() {
            added.columns.truncate(own);
            for column in &mut added.columns {
                column.nullable |= outer;
            }
        }
        let matches: Vec<String> = list
            .iter()
            .enumerate()
            .map(|(index, argument)| format!("{argument} IS s{source}.c{}", own + index))
            .collect();
        let condition = if matches.is_empty() { "1".to_string() } else { matches.join(" AND ") };
        let word = if outer { "LEFT JOIN" } else { "JOIN" };
        Ok(format!(" {word} {text} ON {condition}"))
    }

    /// Finds a column by the parts of its name; inner queries see the columns of outer ones.
    pub(super) fn column(&mut self, parts: &[sql::Ident]) -> Result<Typed, SqlError> {
        let Some((last, qualifiers)) = parts.split_last() else {
            return Err(SqlError::syntax(""));
        };
        for depth in (0..self.scopes.len()).rev() {
            let mut found = None;
            let mut qualifier_known = false;
            for (index, source) in self.scopes[depth].sources.iter().enumerate() {
                if !self.source_matches(source, qualifiers) {
                    continue;
                }
                qualifier_known = true;
                for (column, candidate) in source.columns.iter().enumerate() {
                    if !self.same_name(&candidate.name, &last.value) {
                        continue;
                    }
                    if found.is_some() {
                        return Err(SqlError::new(209, 16, format!("Ambiguous column name '{}'.", last.value)));
                    }
                    found = Some((index, column));
                }
            }
            if let Some((source, column)) = found {
                return Ok(self.use_column(depth, source, column));
            }
            if qualifier_known && !qualifiers.is_empty() {
                return Err(SqlError::invalid_column(&last.value));
            }
        }
        if qualifiers.is_empty() {
            return Err(SqlError::invalid_column(&last.value));
        }
        let full: Vec<&str> = parts.iter().map(|part| part.value.as_str()).collect();
        Err(SqlError::new(4104, 16, format!("The multi-part identifier \"{}\" could not be bound.", full.join("."))))
    }

    pub(super) fn source_matches(&self, source: &Source, qualifiers: &[sql::Ident]) -> bool {
        let Some((table, outer)) = qualifiers.split_last() else {
            return true;
        };
        let outer_fit = outer.iter().rev().enumerate().all(|(index, part)| {
            source.qualifiers.get(index).is_some_and(|known| {
                part.value.is_empty()
                    || self.same_name(known, &part.value)
                    || (known.is_empty() && self.implied(index, &part.value))
            })
        });
        outer_fit && self.same_name(&source.alias, &table.value)
    }

    /// A part that FROM left out: the schema `dbo` or `sys`, the current database.
    fn implied(&self, index: usize, part: &str) -> bool {
        match index {
            0 => part.eq_ignore_ascii_case("dbo") || part.eq_ignore_ascii_case("sys"),
            _ => part.eq_ignore_ascii_case(&self.context.database),
        }
    }

    pub(super) fn use_column(&mut self, depth: usize, source: usize, column: usize) -> Typed {
        let innermost = depth + 1 == self.scopes.len();
        let scope = &mut self.scopes[depth];
        let alias = &scope.sources[source].alias;
        let found = &scope.sources[source].columns[column];
        let typed =
            Typed { collation: found.collation, ..Typed::new(found.sql.clone(), found.data_type, found.nullable) };
        let loaded = found.loaded;
        if innermost && !scope.inside_aggregate && !scope.group_keys.contains(&typed.sql) {
            let error = SqlError::new(
                8120,
                16,
                format!(
                    "Column '{alias}.{}' is invalid in the select list because it is not contained in either an aggregate function or the GROUP BY clause.",
                    found.name
                ),
            );
            scope.ungrouped.push(error);
        }
        if let Some((table, index)) = loaded {
            self.loaded[table].used.insert(index);
        }
        typed
    }
}
